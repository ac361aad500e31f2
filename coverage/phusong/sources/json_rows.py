"""JSON that is no GeoJSON: lists of objects, as services and Overpass answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from phusong.errors import Fault, InputError
from phusong.sources.records import RawTable
from phusong.sources.values import tidy

__all__ = ["MAX_BYTES", "read_json_rows"]

MAX_BYTES = 200 * 2**20
"""Larger JSON files are refused before they are read."""


def read_json_rows(path: Path, file: str) -> RawTable | None:
    """Read a JSON list of objects, or an object that holds exactly one such list.

    Overpass answers (``elements`` with ``tags``) get a column for each tag.

    Returns
    -------
    RawTable or None
        None if this is GeoJSON, which is read elsewhere.

    Raises
    ------
    InputError
        If it is no JSON, too large, or holds no such list.
    """
    if path.stat().st_size > MAX_BYTES:
        raise _refused("too_large", f"The file is larger than {MAX_BYTES // 2**20} MiB.",
                       "Split it.", file)
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise _refused("unreadable_file", f"This is no JSON ({str(error)[:120]}).",
                       "Download or export it again.", file) from error
    if isinstance(content, dict) and ("features" in content or content.get("type") in (
            "Feature", "FeatureCollection", "Topology")):
        return None
    found = _lists(content)
    if len(found) != 1:
        names = ", ".join(content) if isinstance(content, dict) else "no keys"
        raise _refused("no_rows", f"The file holds {len(found)} lists of objects ({names[:120]}); "
                       f"one is wanted.", "Export the list alone.", file)
    rows = [_flat(item) for item in found[0]]
    frame = pd.DataFrame(rows).fillna("").astype(object)
    return RawTable(frame, np.arange(1, len(frame) + 1, dtype=np.int64))


def _lists(content: Any) -> list[list[dict[str, Any]]]:
    def is_list(value: Any) -> bool:
        return isinstance(value, list) and bool(value) and all(isinstance(v, dict) for v in value)

    if is_list(content):
        return [content]
    return [v for v in content.values() if is_list(v)] if isinstance(content, dict) else []


def _flat(item: dict[str, Any]) -> dict[str, str]:
    """Return one row of text: objects within (``tags``, ``center``) give their own columns."""
    row: dict[str, str] = {}
    for key, value in item.items():
        if isinstance(value, dict):
            row |= {str(k): _text(v) for k, v in value.items() if str(k) not in item}
        else:
            row[str(key)] = _text(value)
    return row


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False)
    return tidy(repr(value) if isinstance(value, float) else value)


def _refused(code: str, what: str, cure: str, file: str) -> InputError:
    error = InputError.of([Fault(code, what, cure, file=file)])
    assert isinstance(error, InputError)
    return error
