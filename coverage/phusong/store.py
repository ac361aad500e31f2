"""Results on disk, named by what they were made from.

A result is kept under a key: the hash of everything it depends on (input
bytes, parameters, program text).  The same key means the same result, so a
second run reads instead of computing.  Files appear whole or not at all.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pyarrow.parquet as pq

__all__ = ["Store", "file_digest", "key_of", "program_digest", "write_whole"]


def write_whole(path: Path, content: bytes) -> Path:
    """Write `content` to `path` so that a reader sees the old file or the new one, never half.

    The bytes go to a temporary neighbour, are synced to disk, and take the
    name in one step.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return path


def key_of(*parts: Any) -> str:
    """Return the SHA-256 of `parts` (anything that JSON or ``str`` can write)."""
    text = json.dumps(parts, sort_keys=True, default=str, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def file_digest(path: Path) -> str:
    """Return the SHA-256 of the bytes of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@lru_cache(maxsize=1)
def program_digest() -> str:
    """Return a hash of the program's own text and data: another program, another key."""
    here = Path(__file__).parent
    own = (p for p in sorted(here.rglob("*")) if p.is_file() and "__pycache__" not in p.parts)
    return key_of([(str(p.relative_to(here)), file_digest(p)) for p in own])


class Store:
    """The folder ``data/processed/<study>`` of one study.

    Parameters
    ----------
    folder : Path
        Made when the first result is kept.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)

    def __repr__(self) -> str:
        return f"Store({str(self.folder)!r}: {', '.join(self.names()) or 'empty'})"

    def names(self) -> list[str]:
        """Names of all results that are there."""
        return sorted(p.stem for p in self.folder.glob("*.parquet"))

    def note(self, name: str) -> dict[str, Any]:
        """Return the provenance note of a result (empty if there is none)."""
        path = self.folder / f"{name}.json"
        try:
            return dict(json.loads(path.read_text(encoding="utf-8")))
        except (FileNotFoundError, json.JSONDecodeError):
            return {}

    def recall(self, name: str, key: str) -> pd.DataFrame | None:
        """Return the result `name` if it was made from `key`, else None."""
        path = self.folder / f"{name}.parquet"
        if self.note(name).get("key") != key or not path.exists():
            return None
        if self.note(name).get("sha256") != file_digest(path):
            return None
        return self.read(name)

    def read(self, name: str) -> pd.DataFrame:
        """Read a result, whatever it was made from.

        Raises
        ------
        FileNotFoundError
            If it was never made.
        """
        path = self.folder / f"{name}.parquet"
        metadata = pq.read_schema(path).metadata or {}
        frame = gpd.read_parquet(path) if b"geo" in metadata else pd.read_parquet(path)
        frame.attrs = dict(self.note(name).get("attrs", {}))
        return frame

    def keep(self, name: str, key: str, frame: pd.DataFrame, **about: Any) -> pd.DataFrame:
        """Keep `frame` under `name` with a note of its key and of `about`.

        The table is written before the note: a note always speaks of a whole
        table.  What is returned is read back from disk, so that a fresh and a
        recalled result are the same to the bit.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{name}.parquet"
        with tempfile.TemporaryDirectory(prefix=".keep-", dir=self.folder) as inside:
            fresh = Path(inside) / path.name
            bare = frame.copy(deep=False)
            bare.attrs = {}
            bare.to_parquet(fresh)
            content = fresh.read_bytes()
        note = {"name": name, "key": key, "rows": len(frame), "attrs": dict(frame.attrs),
                "sha256": hashlib.sha256(content).hexdigest(), **about}
        write_whole(path, content)
        text = json.dumps(note, indent=1, ensure_ascii=False, default=str, sort_keys=True)
        write_whole(self.folder / f"{name}.json", text.encode())
        return self.read(name)

    def forget(self, names: Iterable[str] | None = None) -> None:
        """Remove results (all of them if no names are given); inputs are never touched."""
        for name in list(self.names() if names is None else names):
            for suffix in (".json", ".parquet"):
                (self.folder / f"{name}{suffix}").unlink(missing_ok=True)
