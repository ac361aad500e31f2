"""Checked copies of rasters: what was read, kept as Cloud-Optimised GeoTIFF and read again.

A mosaic of archives, tiles in another system or a window of a raster larger than memory takes
long to read and cannot be looked at as it is.  What came of reading it is kept in the study's
processed folder under the hash of everything it was made from: the bytes of the files, the
window, how they are read.  Another source, another name; the copy of before is swept.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray
from rasterio.errors import RasterioError
from rasterio.shutil import copy
from rasterio.windows import Window

from phusong.errors import Fault
from phusong.sources.raster_files import parts_of
from phusong.sources.source import Reading, Source
from phusong.whole import put_whole, write_whole

__all__ = ["Copies", "Copy"]

_VOID = -32768
_STRIP_ROWS = 512
_PREFIX = "/vsizip/"
_ROOMS = ("raster_copies.py", "raster_files.py", "rasters.py")
_LEFT_BEHIND_S = 3600.0


@dataclass(frozen=True, slots=True, eq=False)
class Copy:
    """A raster as it was read.

    Parameters
    ----------
    values : (rows, columns) float32
        NaN where nothing is known.
    readings : tuple of Reading
        What came of each file.
    """

    values: NDArray[np.float32]
    readings: tuple[Reading, ...]


@dataclass(slots=True)
class Copies:
    """The folder of a study's checked rasters.

    Parameters
    ----------
    folder : Path
        Made when the first copy is kept.
    """

    folder: Path
    _used: set[str] = field(default_factory=set)
    _digests: dict[Path, str] = field(default_factory=dict)

    def key(self, parts: Iterable[tuple[Source, str]], *said: Any) -> str:
        """Return the hash of rasters and of how they are read.

        Parameters
        ----------
        parts : iterable of (Source, name)
            Sources and the names that GDAL opens, in the order in which they are laid.
        *said
            What else the result depends on (the window); anything ``repr`` can write.
        """
        whole = hashlib.sha256(_program())
        for source, name in parts:
            path = _on_disk(name)
            files = [path, *sorted(parts_of(path))] if path.suffix.lower() == ".vrt" else [path]
            # a tile's name says where it lies, and a source's name stands in what is told of it
            told = [source.file, source.crs, source.credit, Path(name).name,
                    *(self._digest(file) for file in files if file.is_file())]
            whole.update(json.dumps(told).encode())
        whole.update(repr(said).encode())
        return whole.hexdigest()

    def _digest(self, path: Path) -> str:
        if path not in self._digests:
            with path.open("rb") as file:
                self._digests[path] = hashlib.file_digest(file, "sha256").hexdigest()
        return self._digests[path]

    def _path(self, role: str, key: str) -> Path:
        return self.folder / f"{role}-{key[:16]}.tif"

    def recall(self, role: str, key: str, window: Window) -> Copy | None:
        """Return a window of the copy under a key; None if there is none, or it is damaged."""
        path = self._path(role, key)
        try:
            note = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
            with path.open("rb") as file:
                whole = hashlib.file_digest(file, "sha256").hexdigest()
            if note["key"] != key or note["sha256"] != whole:
                return None
            with rasterio.open(path, NUM_THREADS="2") as data:
                raw = data.read(1, window=window)
                void = data.nodata
            readings = tuple(_reading(told) for told in note["readings"])
        except (OSError, ValueError, KeyError, TypeError, RasterioError):
            return None
        self._used.add(path.name)
        values = raw.astype(np.float32, copy=False)
        if raw.dtype.kind == "i":
            values[raw == void] = np.nan
        return Copy(values, readings)

    def keep(self, role: str, key: str, copied: Copy, transform: Affine, crs: Any) -> Path:
        """Keep a raster as it was read; a reader sees a whole file or none.

        Whole numbers of metres are kept as such, with -32768 for what is not known; other
        numbers as float32, with NaN.

        Parameters
        ----------
        role, key : str
            What it is, and `key` of what it was made from.
        copied : Copy
            Values and what came of reading them.
        transform : Affine
            Of the values.
        crs : CRS
            Of the values.

        Raises
        ------
        OSError
            If it cannot be written.
        """
        path = self._path(role, key)
        self.folder.mkdir(parents=True, exist_ok=True)
        tags = {"made_by": "phusong: a checked copy; unknown pixels are no data",
                "role": role, "made_from": "; ".join(dict.fromkeys(
                    r.credit or r.file for r in copied.readings)), "content_key": key}
        try:
            with tempfile.TemporaryDirectory(prefix=f".{role}-", dir=self.folder) as here:
                plain, optimised = Path(here) / "plain.tif", Path(here) / "copy.tif"
                kind = _written(plain, copied.values, transform, crs, tags)
                copy(str(plain), str(optimised), driver="COG", compress="DEFLATE", level="4",
                     predictor="STANDARD" if kind == "i" else "FLOATING_POINT", blocksize=512,
                     overview_resampling="NEAREST", num_threads="2", bigtiff="IF_SAFER")
                with optimised.open("rb") as file:
                    whole = hashlib.file_digest(file, "sha256").hexdigest()
                put_whole(optimised, path)
        except RasterioError as error:
            raise OSError(f"{path}: the copy of the raster cannot be written ({error}). Is there "
                          f"room on the disk?") from error
        note = {"key": key, "sha256": whole, "readings": [_told(r) for r in copied.readings]}
        write_whole(path.with_suffix(".json"), json.dumps(note, ensure_ascii=False).encode())
        self._used.add(path.name)
        return path

    def sweep(self) -> None:
        """Remove copies that were neither kept nor recalled, and halves that a killed run left."""
        if not self.folder.is_dir():
            return
        stems = {Path(name).stem for name in self._used}
        for path in sorted(self.folder.iterdir()):
            if path.is_dir() and path.name.startswith("."):
                if time.time() - path.stat().st_mtime > _LEFT_BEHIND_S:
                    shutil.rmtree(path, ignore_errors=True)
            elif path.suffix in (".tif", ".json") and path.stem not in stems:
                path.unlink(missing_ok=True)


def _program() -> bytes:
    """Return the text of the rooms that read rasters: read otherwise, kept otherwise."""
    return b"".join(Path(__file__).with_name(room).read_bytes() for room in _ROOMS)


def _on_disk(name: str) -> Path:
    """Return the file behind a name of GDAL: the archive, for what lies in one."""
    if not name.startswith(_PREFIX):
        return Path(name)
    inner = Path(name[len(_PREFIX):])
    return next((path for path in inner.parents if path.is_file()), inner)


def _written(path: Path, values: NDArray[np.float32], transform: Affine, crs: Any,
             tags: Mapping[str, str]) -> str:
    """Write a plain tiled GeoTIFF, strip by strip; return the kind of its numbers."""
    kind = "i" if _whole_numbers(values) else "f"
    with rasterio.open(path, "w", driver="GTiff", count=1, height=values.shape[0],
                       width=values.shape[1], dtype="int16" if kind == "i" else "float32",
                       nodata=_VOID if kind == "i" else float("nan"), transform=transform,
                       crs=crs.to_wkt(), tiled=True, blockxsize=512, blockysize=512,
                       bigtiff="IF_SAFER") as target:
        for top in range(0, values.shape[0], _STRIP_ROWS):
            strip = values[top:top + _STRIP_ROWS]
            if kind == "i":
                strip = np.where(np.isnan(strip), np.float32(_VOID), strip).astype(np.int16)
            target.write(strip, 1, window=Window(0, top, values.shape[1], strip.shape[0]))
        target.update_tags(**tags)
    return kind


def _whole_numbers(values: NDArray[np.float32]) -> bool:
    """Tell whether all that is known fits into 16 bits without loss."""
    for top in range(0, values.shape[0], _STRIP_ROWS):
        strip = values[top:top + _STRIP_ROWS]
        known = strip[~np.isnan(strip)]
        if known.size and not ((np.abs(known) < -_VOID) & (np.rint(known) == known)
                               & ~((known == 0) & np.signbit(known))).all():
            return False
    return True


def _told(reading: Reading) -> dict[str, Any]:
    return {"rows": reading.rows_in, "file": reading.file, "role": reading.role,
            "credit": reading.credit, "faults": [asdict(fault) for fault in reading.faults]}


def _reading(told: Mapping[str, Any]) -> Reading:
    return Reading(None, tuple(Fault(**fault) for fault in told["faults"]), told["rows"],
                   told["rows"], file=told["file"], role=told["role"], credit=told["credit"])
