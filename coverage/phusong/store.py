"""Results on disk, named by what they were made from, and one pointer to those that hold.

A result is kept under a key: the hash of everything it depends on (input
bytes, parameters, program text).  The same key means the same result, so a
second run reads instead of computing.  Files appear whole or not at all and
are never changed; which of them hold is written in one small file, the
*pointer*, which moves in one step when everything is ready.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from phusong.ledger.keep import locked
from phusong.pointwise import Pointwise, digest_of
from phusong.whole import write_whole

__all__ = ["Store", "content_digest", "file_digest", "key_of", "program_digest"]

POINTER = "results"
POINTERS_KEPT = 6
"""How many pointers to other days than the study's own stay; older ones are swept."""


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


def content_digest(frame: pd.DataFrame) -> str:
    """Return a hash of what a table says: keys, columns and values in their order.

    How a file or a library writes them down (text as ``object`` or ``str``, codes of an index)
    makes no difference; the sign of zero and the last bit of a number do.

    Examples
    --------
    >>> a, b = pd.DataFrame({"n": ["x", None]}, dtype=object), pd.DataFrame({"n": ["x", None]})
    >>> content_digest(a) == content_digest(b)
    True
    """
    names = [str(name) for name in (*frame.index.names, *frame.columns)]
    found = hashlib.sha256(json.dumps([names, len(frame)]).encode())
    for level in range(frame.index.nlevels):
        index = frame.index
        if isinstance(index, pd.MultiIndex):
            found.update(_hashes(index.levels[level])[index.codes[level]].tobytes())
        else:
            found.update(_hashes(index).tobytes())
    for name in frame.columns:
        found.update(_hashes(frame[name]).tobytes())
    return found.hexdigest()


_NOTHING = np.uint64(np.iinfo(np.uint64).max)
"""What pandas takes as the hash of a cell without text."""


def _hashes(values: pd.Series | pd.Index) -> NDArray[Any]:
    if isinstance(values, gpd.GeoSeries):
        shapes = shapely.to_wkb(values.to_numpy())
        return pd.util.hash_array(np.asarray(shapes, object), categorize=False)
    if pd.api.types.is_datetime64_any_dtype(values):
        return np.asarray(values.to_numpy("datetime64[s]").view("int64"))
    if isinstance(values.dtype, pd.StringDtype):
        codes, texts = pd.factorize(values)
        hashed = pd.util.hash_array(np.asarray(texts, object), categorize=False)
        return np.append(hashed, _NOTHING)[codes]
    if pd.api.types.is_bool_dtype(values) or not pd.api.types.is_numeric_dtype(values):
        plain = values.to_numpy(object)
        return pd.util.hash_array(np.where(pd.isna(plain), None, plain))
    numbers = values.to_numpy()
    if numbers.dtype.kind == "f":
        numbers = np.where(np.isnan(numbers), np.nan, numbers)
    return np.ascontiguousarray(numbers)


class Store:
    """The folder ``data/processed/<study>`` of one study.

    Parameters
    ----------
    folder : Path
        Made when the first result is kept.
    pointer : str
        Which pointer to read and to move: ``results``, or one of another day.
    """

    def __init__(self, folder: Path, pointer: str = POINTER) -> None:
        self.folder = Path(folder)
        self.pointer = pointer
        self._maps: dict[Path, Pointwise] = {}

    def __repr__(self) -> str:
        return f"Store({str(self.folder)!r}: {', '.join(self.names()) or 'empty'})"

    def at(self, pointer: str) -> Store:
        """Return the same folder seen through another pointer."""
        return Store(self.folder, pointer)

    @property
    def now(self) -> dict[str, Any]:
        """What the pointer says: ``results`` (name -> kind and key), ``watermark`` and so on."""
        return _json(self.folder / f"{self.pointer}.json")

    def names(self) -> list[str]:
        """Names of all results that hold."""
        return sorted(self.now.get("results", {}))

    def note(self, name: str) -> dict[str, Any]:
        """Return the provenance note of a result that holds (empty if there is none)."""
        said = self.now.get("results", {}).get(name)
        return {} if said is None else self.note_of(*said)

    def note_of(self, kind: str, key: str) -> dict[str, Any]:
        """Return the note of what is kept as `kind` under `key` (empty if there is none)."""
        return _json(self._path(kind, key, ".json"))

    def _path(self, kind: str, key: str, suffix: str = ".parquet") -> Path:
        return self.folder / "tables" / f"{kind}-{key[:20]}{suffix}"

    def recall(self, kind: str, key: str) -> pd.DataFrame | None:
        """Return the table that was made from `key`, else None; it need not hold yet."""
        note, path = self.note_of(kind, key), self._path(kind, key)
        if note.get("key") != key or not path.exists():
            return None
        content = path.read_bytes()
        whole = note.get("sha256") == hashlib.sha256(content).hexdigest()
        return _table(pa.BufferReader(content), note) if whole else None

    def read(self, name: str) -> pd.DataFrame:
        """Read a result that holds, whatever it was made from.

        Raises
        ------
        FileNotFoundError
            If it was never made.
        """
        said = self.now.get("results", {}).get(name)
        if said is None:
            raise FileNotFoundError(f"{self.folder}: there is no result {name!r}; there are: "
                                    f"{', '.join(self.names()) or 'none'}.")
        return _table(self._path(*said), self.note_of(*said))

    def keep(self, kind: str, key: str, frame: pd.DataFrame, **about: Any) -> pd.DataFrame:
        """Keep `frame` under its key with a note of `about`; it holds from the next `commit` on.

        What is returned is what `recall` returns, so that a fresh and a recalled result are
        the same to the bit.
        """
        return _table(pa.BufferReader(self.put(kind, key, frame, **about)),
                      self.note_of(kind, key))

    def put(self, kind: str, key: str, frame: pd.DataFrame, **about: Any) -> bytes:
        """Do as `keep` does, but do not read the table again; return what was written.

        The table is written before the note: a note always speaks of a whole table.
        """
        bare = frame.copy(deep=False)
        bare.attrs = {}
        stream = io.BytesIO()
        bare.to_parquet(stream)
        content = stream.getvalue()
        note = {"kind": kind, "key": key, "rows": len(frame), "attrs": dict(frame.attrs),
                "digest": content_digest(frame), "sha256": hashlib.sha256(content).hexdigest(),
                **about}
        write_whole(self._path(kind, key), content)
        self.keep_note(kind, key, note)
        return content

    def keep_array(self, kind: str, key: str, array: NDArray[Any], **about: Any) -> None:
        """Keep a large array, to be read from disk where it is looked at."""
        stream = io.BytesIO()
        np.save(stream, array, allow_pickle=False)
        write_whole(self._path(kind, key, ".npy"), stream.getvalue())
        digest = hashlib.sha256(stream.getvalue()).hexdigest()
        self.keep_note(kind, key, {"kind": kind, "key": key, "sha256": digest, **about})

    def recall_array(self, kind: str, key: str) -> NDArray[Any] | None:
        """Return what `keep_array` kept under `key`, mapped from disk, else None."""
        path, note = self._path(kind, key, ".npy"), self.note_of(kind, key)
        if note.get("key") != key or not path.exists() or note.get("sha256") != file_digest(path):
            return None
        return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))

    def keep_pointwise(self, kind: str, key: str, sheet: Pointwise, marks: NDArray[np.uint8],
                       ids: pd.Index, **about: Any) -> Pointwise:
        """Keep a table by point, with the marks of its points; only what its base has not.

        Parameters
        ----------
        kind, key, about
            As for `keep`.
        sheet : Pointwise
            If its base is kept already, only the rows that differ are written.
        marks : (points, MARK_BYTES) uint8
            As `marks_of` returns them for `ids`; kept as ``<kind>_marks``.
        ids : Index
            The points.
        """
        table = sheet.added if sheet.key else sheet.base
        about |= {"over": sheet.key, "digest": digest_of(marks, ids)}
        said = {**(table.schema.metadata or {}), b"dropped": sheet.dropped.tobytes()}
        sink = pa.BufferOutputStream()
        with pa.ipc.new_file(sink, table.schema.with_metadata(said)) as file:
            file.write_table(table.replace_schema_metadata(said).combine_chunks())
        content = sink.getvalue()
        self._maps.pop(write_whole(self._path(kind, key, ".arrow"), content), None)
        self.keep_array(f"{kind}_marks", key, marks)
        self.keep_note(kind, key, {"kind": kind, "key": key, "rows": len(sheet),
                                   "sha256": hashlib.sha256(content).hexdigest(), **about})
        return replace(sheet, key=sheet.key or key)

    def recall_pointwise(self, kind: str, key: str) -> Pointwise | None:
        """Return what `keep_pointwise` kept under `key`, mapped from disk, else None."""
        note, found = self.note_of(kind, key), self._mapped(kind, key)
        if found is None or not note["over"]:
            return found
        base = self._mapped(kind, note["over"])
        dropped = np.frombuffer(found.base.schema.metadata[b"dropped"], np.int64)
        return None if base is None else base.beside(dropped, found.base)

    def holds(self, kind: str, key: str) -> bool:
        """Tell whether what was kept under `key` is there, whole, with all it stands on."""
        note = self.note_of(kind, key)
        there = [path for suffix in (".parquet", ".npy", ".arrow")
                 if (path := self._path(kind, key, suffix)).exists()]
        if note.get("key") != key or ("sha256" in note and [note["sha256"]] != [
                file_digest(path) for path in there]):
            return False
        return not note.get("over") or self.holds(kind, note["over"])

    def _mapped(self, kind: str, key: str) -> Pointwise | None:
        note, path = self.note_of(kind, key), self._path(kind, key, ".arrow")
        if note.get("key") != key or not path.exists():
            return None
        if path not in self._maps and note.get("sha256") == file_digest(path):
            table = pa.ipc.open_file(pa.memory_map(str(path))).read_all()
            self._maps[path] = Pointwise.of_base(table, key)
        return self._maps.get(path)

    def keep_note(self, kind: str, key: str, note: Mapping[str, Any]) -> None:
        """Keep a note alone, to be read with `note_of`."""
        write_whole(self._path(kind, key, ".json"), _text(note))

    def forget_note(self, kind: str, key: str) -> None:
        """Let a damaged table be made again."""
        self._path(kind, key, ".json").unlink(missing_ok=True)

    def commit(self, results: Mapping[str, tuple[str, str]], **about: Any) -> None:
        """Let `results` (name -> kind and key) hold from now on, in one step; sweep the others.

        Parameters
        ----------
        results : mapping
            All of them: what is not named no longer holds.
        **about
            What else the pointer says, e.g. the ledger's watermark.
        """
        said = {"results": {name: list(where) for name, where in results.items()}, **about}
        path = self.folder / f"{self.pointer}.json"
        if self.now != json.loads(_text(said)):
            write_whole(path, _text(said))
        os.utime(path)
        self._sweep()

    def _sweep(self) -> None:
        """Remove tables that no pointer names, pointers of long ago, and halves of files."""
        pointers = sorted(self.folder.glob("*.json"), key=lambda p: -p.stat().st_mtime)
        others = [p for p in pointers if p.stem not in (POINTER, self.pointer)]
        for path in others[POINTERS_KEPT:]:
            path.unlink(missing_ok=True)
        held = {self._path(kind, key, "").name for path in pointers if path.exists()
                for kind, key in _json(path).get("results", {}).values()}
        for path in (self.folder / "tables").iterdir():
            if path.stem not in held:
                path.unlink(missing_ok=True)

    @contextlib.contextmanager
    def alone(self, wait_s: float = 600.0) -> Iterator[None]:
        """Keep other processes from working on the same results.

        Raises
        ------
        LedgerBusyError
            If another process still works on them after `wait_s`.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with locked(self.folder / "results.lock", wait_s=wait_s):
            yield

    def forget(self) -> None:
        """Let no result hold any more; inputs and the ledger are never touched."""
        for path in self.folder.glob("*.json"):
            path.unlink(missing_ok=True)
        if (self.folder / "tables").is_dir():
            self._sweep()


def _json(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (FileNotFoundError, json.JSONDecodeError, UnicodeDecodeError):
        return {}


def _text(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, indent=1, ensure_ascii=False, default=str, sort_keys=True).encode()


def _table(source: Path | pa.BufferReader, note: Mapping[str, Any]) -> pd.DataFrame:
    with pq.ParquetFile(source) as file:
        table = file.read(use_threads=False)  # small tables: threads cost more than they bring
    frame = table.to_pandas(use_threads=False)
    about = json.loads((table.schema.metadata or {}).get(b"geo", b"{}"))
    if about:
        name = about["primary_column"]
        crs = about["columns"][name].get("crs")
        shapes = shapely.from_wkb(frame[name].to_numpy())
        frame[name] = gpd.array.from_shapely(shapes, crs=crs and _crs(json.dumps(crs)))
        frame = gpd.GeoDataFrame(frame, geometry=name)
    frame.attrs = dict(note.get("attrs", {}))
    return frame


@lru_cache(maxsize=16)
def _crs(text: str) -> CRS:
    """Return a CRS from PROJJSON; it takes long to read, and the tables of a study share it."""
    return CRS.from_json(text)
