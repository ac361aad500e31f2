"""Where files come from: a record beside them, and its licence carried into every table.

``SOURCES.json`` stands in the folder of the files it speaks of.  `phusong fetch` writes it; a
person may too.  What the study file itself says about a source goes first.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, TypeVar

from phusong.errors import Fault
from phusong.sources.source import Source
from phusong.whole import write_whole

__all__ = ["RECORD", "changed", "credited", "note", "recorded", "records_of"]

S = TypeVar("S", bound=Source)
RECORD = "SOURCES.json"
"""Name of the record in a folder of fetched files."""


def recorded(folder: Path) -> dict[str, dict[str, Any]]:
    """Return what the record of a folder says, by file name; empty if there is none to read."""
    try:
        found = json.loads((Path(folder) / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {str(name): entry for name, entry in found.items() if isinstance(entry, dict)}


def note(path: Path, entry: Mapping[str, Any]) -> Path:
    """Enter one file into the record of its folder; what was said of others stays."""
    known = recorded(path.parent)
    known[path.name] = dict(entry)
    text = json.dumps(dict(sorted(known.items())), ensure_ascii=False, indent=1, default=str)
    return write_whole(path.parent / RECORD, (text + "\n").encode())


def credited(source: S, folder: Path) -> S:
    """Return the source with licence, attribution and date from the record beside its file.

    Only what the study file leaves open is filled in.  Of several files under one pattern the
    different licences and attributions are joined, and the earliest date counts.
    """
    entries = _entries(source, folder)
    if not entries:
        return source
    said: dict[str, Any] = {}
    for name in ("licence", "attribution"):
        words = dict.fromkeys(str(e[name]) for e in entries if e.get(name))
        if words and not getattr(source, name):
            said[name] = " / ".join(words)
    days = sorted(day for e in entries if (day := _day(e.get("date"))))
    if days and source.date is None:
        said["date"] = days[0]
    return source.model_copy(update=said) if said else source


def _entries(source: Source, folder: Path) -> list[dict[str, Any]]:
    at = Path(folder) / source.file
    return [entry for name, entry in recorded(at.parent).items()
            if (name == at.name or fnmatch(name, at.name)) and not entry.get("absent")]


def _day(text: object) -> dt.date | None:
    try:
        return dt.date.fromisoformat(str(text)[:10])
    except ValueError:
        return None


def changed(source: Source, folder: Path) -> list[Fault]:
    """Say which files are not those that the record speaks of (another size)."""
    at, faults = Path(folder) / source.file, []
    for name, entry in recorded(at.parent).items():
        path = at.parent / name
        size = entry.get("bytes")
        if (name == at.name or fnmatch(name, at.name)) and isinstance(size, int) \
                and path.is_file() and path.stat().st_size != size:
            faults.append(Fault(
                "changed_file", f"{name} has {path.stat().st_size:,} bytes; the record of its "
                f"download says {size:,}: it was changed since.", f"Fetch it again (phusong fetch "
                f"--again), or take its entry out of {RECORD}.", "warning", source.file))
    return faults


def records_of(paths: Iterable[Path]) -> set[Path]:
    """Return the records that stand beside files."""
    return {record for folder in {path.parent for path in paths}
            if (record := folder / RECORD).is_file()}
