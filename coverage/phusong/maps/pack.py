"""Columns of numbers, names and outlines as one compact block of bytes.

A page that holds a country cannot spell out every number in JSON.  A `Block`
takes one column after the other, returns for each a short description that
goes into the page's header, and becomes ``length of header, header (JSON),
bytes``, compressed with gzip.  The same columns give the same bytes.
"""

from __future__ import annotations

import base64
import gzip
import json
import unicodedata
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from phusong.errors import InputError

__all__ = ["MISSING", "Block", "clean", "varints", "zigzag"]

MISSING = -(2**31)
"""The integer that stands for "not known" in a packed column of numbers."""


def clean(value: Any) -> str:
    """Return `value` as text in normal form C; a missing value gives the empty text.

    A lone surrogate, which no encoding can carry, becomes U+FFFD.
    """
    if value is None or (not isinstance(value, str) and pd.isna(value)):
        return ""
    text = unicodedata.normalize("NFC", str(value))
    return text.encode("utf-8", "replace").decode("utf-8") if not text.isascii() else text


def zigzag(values: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Return signed integers as unsigned ones: 0, -1, 1, -2 ... become 0, 1, 2, 3 ..."""
    values = np.asarray(values, np.int64)
    return ((values << 1) ^ (values >> 63)).astype(np.uint64)


def varints(values: NDArray[np.uint64]) -> bytes:
    """Return unsigned integers below 2**35 with seven bits to a byte, low bits first."""
    values = np.asarray(values, np.uint64)
    if len(values) and values.max() >= 2**35:
        raise InputError("A coordinate is too large to be drawn; check the CRS of the input.")
    shifts = np.arange(5, dtype=np.uint64) * np.uint64(7)
    groups = (values[:, None] >> shifts) & np.uint64(127)
    length = np.maximum(1, 5 - (groups[:, ::-1] != 0).argmax(axis=1))
    length[~(groups != 0).any(axis=1)] = 1
    place = np.arange(5)[None, :]
    more = np.where(place < length[:, None] - 1, 128, 0).astype(np.uint64)
    return (groups | more)[place < length[:, None]].astype(np.uint8).tobytes()


def _objects(values: Any) -> NDArray[Any]:
    """Return plain Python values; columns backed by Arrow are slow to walk through."""
    return np.array(values.to_numpy(dtype=object) if hasattr(values, "to_numpy")
                    else list(values), dtype=object)


class Block:
    """Takes columns and gives them back as one compressed block.

    Attributes
    ----------
    size : int
        Bytes taken so far, before compression.
    """

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self.size = 0

    def _put(self, raw: bytes, kind: str, **more: Any) -> dict[str, Any]:
        spec = {"as": kind, "at": self.size, "bytes": len(raw), **more}
        self._parts.append(raw)
        self.size += len(raw)
        return spec

    def numbers(self, values: Any, decimals: int = 0) -> dict[str, Any]:
        """Pack numbers rounded to `decimals` places; NaN stays "not known".

        Numbers that do not fit into 32 bits are kept as 64-bit floats, unrounded.
        """
        given = np.asarray(pd.to_numeric(pd.Series(values), errors="coerce"), np.float64)
        known = np.isfinite(given)
        scaled = np.round(np.where(known, given, 0.0) * 10.0**decimals)
        if len(scaled) and np.abs(scaled).max() >= 2**31:
            return self._put(np.where(known, given, np.nan).astype("<f8").tobytes(), "f64")
        whole = np.where(known, scaled, MISSING).astype("<i4")
        planes = whole.view(np.uint8).reshape(-1, 4).T
        return self._put(planes.tobytes(), "i32", decimals=decimals)

    def categories(self, values: Any, order: tuple[str, ...] = ()) -> dict[str, Any]:
        """Pack texts of which there are few: a list of words and one small number per row.

        Number 0 stands for the empty text; `order` fixes the first words.
        """
        given, found = pd.factorize(_objects(values))
        texts = [clean(v) for v in found]
        names = [*order, *sorted(set(texts) - set(order) - {""})]
        number = {name: i + 1 for i, name in enumerate(names)}
        number[""] = 0
        codes = np.array([number[t] for t in texts] + [0], np.int64)[given]
        wide = len(names) > 255
        if len(names) > 65_535:
            return self.texts(values)
        raw = codes.astype("<u2").view(np.uint8).reshape(-1, 2).T if wide else codes.astype("u1")
        return self._put(np.ascontiguousarray(raw).tobytes(), "u16" if wide else "u8",
                         words=["", *names])

    def texts(self, values: Any) -> dict[str, Any]:
        """Pack any texts; line breaks and quotes come back as they were."""
        listed = [clean(v) for v in _objects(values)]
        return self._put(json.dumps(listed, ensure_ascii=False,
                                    separators=(",", ":")).encode("utf-8"), "json")

    def bytes_of(self, values: Any) -> dict[str, Any]:
        """Pack small whole numbers (0 … 255) as they are, rows of a matrix one after another."""
        return self._put(np.asarray(values, np.uint8).tobytes(), "raw")

    def integers(self, values: Any) -> dict[str, Any]:
        """Pack whole numbers by their differences; best for sorted ones."""
        given = np.asarray(values, np.int64)
        return self._put(varints(zigzag(np.diff(given, prepend=0))), "delta", n=len(given))

    def positions(self, lon: Any, lat: Any, decimals: int = 5) -> dict[str, Any]:
        """Pack positions in degrees; five decimals are about a metre."""
        x = np.round(np.asarray(lon, np.float64) * 10**decimals).astype(np.int64)
        y = np.round(np.asarray(lat, np.float64) * 10**decimals).astype(np.int64)
        raw = varints(zigzag(np.diff(x, prepend=0)))
        return self._put(raw + varints(zigzag(np.diff(y, prepend=0))), "lonlat", n=len(x),
                         split=len(raw), decimals=decimals)

    def outlines(self, shapes: Any, decimals: int = 5) -> dict[str, Any]:
        """Pack polygons or lines in degrees as lists of rings; holes are rings as well."""
        shapes = np.asarray(shapes, dtype=object)
        parts, owner = shapely.get_parts(shapes, return_index=True)
        if len(parts) and shapely.get_type_id(parts).max() == 3:
            rings, ring_owner = shapely.get_rings(parts, return_index=True)
            owner = owner[ring_owner]
        else:
            rings = parts
        xy, ring = shapely.get_coordinates(rings, return_index=True)
        sizes = np.bincount(ring, minlength=len(rings))
        counts = np.bincount(owner, minlength=len(shapes))
        return {"rings": self._put(varints(counts.astype(np.uint64)), "varint", n=len(counts)),
                "sizes": self._put(varints(sizes.astype(np.uint64)), "varint", n=len(sizes)),
                "xy": self.positions(xy[:, 0], xy[:, 1], decimals)}

    def raw(self, header: dict[str, Any]) -> bytes:
        """Return length of the header, header and columns, not yet compressed."""
        head = json.dumps(header, ensure_ascii=False, separators=(",", ":"),
                          allow_nan=False).encode("utf-8")
        return len(head).to_bytes(4, "little") + head + b"".join(self._parts)

    def sealed(self, header: dict[str, Any]) -> str:
        """Return header and columns as base64 of gzip (without a date, so always the same)."""
        packed = gzip.compress(self.raw(header), compresslevel=7, mtime=0)
        return base64.b64encode(packed).decode("ascii")
