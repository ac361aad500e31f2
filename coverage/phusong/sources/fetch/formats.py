"""Whether a download is what it should be: a raster, no web page; an archive, no bomb."""

from __future__ import annotations

import gzip
import json
import re
import warnings
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import rasterio
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.windows import Window

from phusong.errors import Fault, InputError

__all__ = ["LOOKS", "MOST_UNPACKED", "look"]

MOST_UNPACKED = 4 << 30
"""An archive that unpacks to more bytes is refused."""
_STEEPEST = 1032
"""Deflate packs at most so many bytes into one: more is no honest archive of one layer."""
_CHUNK = 1 << 20
_TIFF = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")


def look(path: Path, holds: str, shown: str) -> None:
    """Refuse a file that is not what it should be.

    Parameters
    ----------
    path : Path
        The file, under whatever name.
    holds : str
        A key of `LOOKS`; empty = anything but a web page.
    shown : str
        Its address, for the message.

    Raises
    ------
    InputError
        With what came instead.
    """
    with path.open("rb") as file:
        head = file.read(2048)
    if not head:
        raise _refused("empty_file", f"{shown}: the answer is empty.")
    page = re.match(rb"\s*(?:<!doctype html|<html|<head|<\?xml[^>]*>\s*<(?:error|html))", head,
                    re.IGNORECASE)
    if page:
        raise _refused("wrong_content", f"{shown} gave a web page or an error text instead of the "
                       f'file: "{_words(head)}".')
    if head.startswith(b"version https://git-lfs"):
        raise _refused("wrong_content", f"{shown} gave a pointer of Git LFS instead of the file.")
    if holds:
        LOOKS[holds](path, head, shown)


def _words(head: bytes) -> str:
    text = re.sub(r"<[^>]*>", " ", head.decode("utf-8", "replace"))
    return " ".join(text.split())[:120]


def _refused(code: str, what: str) -> InputError:
    error = InputError.of([Fault(code, what, "Look at the address in a browser; it may have moved, "
                                 "or want a key.")])
    assert isinstance(error, InputError)
    return error


def _wrong(shown: str, wanted: str, head: bytes) -> InputError:
    return _refused("wrong_content", f'{shown} gave no {wanted}, but: "{_words(head)}".')


def _tiff(path: Path, head: bytes, shown: str) -> None:
    if not head.startswith(_TIFF):
        raise _wrong(shown, "GeoTIFF", head)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            with rasterio.open(path) as data:
                # the first and the last pixel: a file cut short has lost one of them
                for i, j in ((0, 0), (data.height - 1, data.width - 1)):
                    data.read(1, window=Window(j, i, 1, 1))
    except (RasterioError, OSError, ValueError) as error:
        raise _refused("damaged_file", f"{shown}: the raster cannot be read "
                       f"({str(error)[:150]}).") from error


def _gzip(path: Path, head: bytes, shown: str) -> None:
    if not head.startswith(b"\x1f\x8b"):
        raise _wrong(shown, "gzip file", head)
    done, most = 0, min(MOST_UNPACKED, _STEEPEST * path.stat().st_size)
    try:
        with gzip.open(path) as stream:
            while chunk := stream.read(_CHUNK):
                done += len(chunk)
                if done > most:
                    raise _refused("too_large", f"{shown} would unpack to more than {most:,} "
                                   f"bytes.")
    except (OSError, EOFError, zlib.error) as error:
        raise _refused("damaged_file", f"{shown} cannot be unpacked ({error}).") from error


def _zip(path: Path, head: bytes, shown: str) -> None:
    if not head.startswith(b"PK\x03\x04"):
        raise _wrong(shown, "ZIP archive", head)
    try:
        with zipfile.ZipFile(path) as archive:
            items = archive.infolist()
            whole = sum(item.file_size for item in items)
            if whole > min(MOST_UNPACKED, _STEEPEST * path.stat().st_size):
                raise _refused("too_large", f"{shown} would unpack to {whole:,} bytes.")
            for item in items:
                inner = PurePosixPath(item.filename.replace("\\", "/"))
                if inner.is_absolute() or ".." in inner.parts or re.match(r"^[A-Za-z]:",
                                                                          item.filename):
                    raise _refused("wrong_content", f"{shown} holds a file that wants to lie "
                                   f'outside of its folder: "{item.filename}".')
            broken = archive.testzip()
    except (zipfile.BadZipFile, OSError, EOFError, zlib.error, NotImplementedError,
            RuntimeError) as error:
        raise _refused("damaged_file", f"{shown}: the archive is damaged ({error}).") from error
    if broken is not None:
        raise _refused("damaged_file", f"{shown}: {broken} in the archive is damaged.")


def _pbf(path: Path, head: bytes, shown: str) -> None:
    if b"OSMHeader" not in head[:64]:
        raise _wrong(shown, "OpenStreetMap extract (.osm.pbf)", head)


def _geojson(path: Path, head: bytes, shown: str) -> None:
    try:
        found = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise _wrong(shown, "GeoJSON", head) from error
    if not isinstance(found, dict) or not isinstance(found.get("features"), list):
        raise _wrong(shown, "GeoJSON", head)
    if not found["features"]:
        raise _refused("empty_file", f"{shown}: the layer holds no features.")


LOOKS: dict[str, Callable[[Path, bytes, str], None]] = {
    "tiff": _tiff, "gzip": _gzip, "zip": _zip, "pbf": _pbf, "geojson": _geojson}
"""What a file must hold -> what looks at it."""
