"""How people write a place: decimals, degrees-minutes-seconds, pairs in one cell, WKT."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from phusong.profile import Profile
from phusong.sources.values import blank, numbers

__all__ = ["angle", "coordinates", "pair"]

_NUMBER = re.compile(r"\d+(?:[.,]\d+)?")
_WORD = re.compile(r"[^\W\d_]+")
_MARKS = re.compile(r"[°º˚⁰'’′‘\"”″“:\s.,;-]*")
_POINT = re.compile(r"^\s*POINT\s*Z?\s*\(\s*(-?\d[\d.eE+-]*)\s+(-?\d[\d.eE+-]*)", re.IGNORECASE)
_MINUTE_WORDS = {"d": "", "deg": "", "m": "", "min": "", "s": "", "sec": "", "độ": "", "phút": "",
                 "giây": "", "degrees": "", "minutes": "", "seconds": ""}


def angle(text: str, profile: Profile) -> tuple[float, str]:
    """Read one angle in decimals or degrees, minutes and seconds.

    Returns
    -------
    degrees : float
        Negative for south and west; NaN if the text is no angle.
    direction : str
        ``N``, ``S``, ``E`` or ``W`` if the text says so, else empty.

    Examples
    --------
    >>> from phusong.profile import Profile
    >>> generic = Profile.load("generic")
    >>> angle("22°20'15\\"N", generic)
    (22.3375, 'N')
    >>> angle("103,75", generic)
    (103.75, '')
    """
    nowhere = (float("nan"), "")
    text = text.strip().strip("()[]").replace("−", "-")
    direction = ""
    for word in _WORD.findall(text):
        found = "S" if word in ("s", "S") and re.search(r"\d\s*s\s*$", text) is None else ""
        found = found or ("" if word.casefold() in _MINUTE_WORDS and word.islower()
                          else profile.value("compass", word))
        if found and direction and found != direction:
            return nowhere
        if not found and word.casefold() not in _MINUTE_WORDS:
            return nowhere
        direction = found or direction
    parts = [float(n.replace(",", ".")) for n in _NUMBER.findall(text)]
    rest = _WORD.sub("", _NUMBER.sub("", text))
    if not 1 <= len(parts) <= 3 or not _MARKS.fullmatch(rest.replace("+", "", 1)):
        return nowhere
    if any(not 0 <= part < 60 for part in parts[1:]) or any(p % 1 for p in parts[:-1]):
        return nowhere
    if len(parts) == 1 and re.search(r"\d[.,]\d+[.,]\d", text):
        return nowhere
    degrees = sum(part / 60 ** i for i, part in enumerate(parts))
    minus = text.lstrip().startswith("-")
    if minus and direction:
        return nowhere
    return (-degrees if minus or direction in ("S", "W") else degrees), direction


def pair(text: str, profile: Profile) -> tuple[float, float]:
    """Read two coordinates in one cell; return (longitude, latitude) or (x, y).

    ``(lat, lon)`` is the usual order of such cells; letters (N, E ...) or WKT say otherwise.
    NaN, NaN if the text is no pair.
    """
    wkt = _POINT.match(text)
    if wkt:
        return float(wkt[1]), float(wkt[2])
    halves = _halves(text.strip().strip("()[]{} "))
    if halves is None:
        return float("nan"), float("nan")
    (a, a_way), (b, b_way) = angle(halves[0], profile), angle(halves[1], profile)
    if a_way in ("E", "W") and b_way in ("", "N", "S"):
        return a, b
    if a_way in ("E", "W") or b_way in ("N", "S"):
        return float("nan"), float("nan")
    return b, a


def _halves(text: str) -> tuple[str, str] | None:
    for mark in (";", "|", "/"):
        if text.count(mark) == 1:
            a, b = text.split(mark)
            return a, b
    parts = [part.strip() for part in text.split(",")]
    if len(parts) == 2:
        return parts[0], parts[1]
    if len(parts) == 4:
        return f"{parts[0]},{parts[1]}", f"{parts[2]},{parts[3]}"
    lettered = re.fullmatch(r"(.+?[^\W\d_])\s*,?\s*(\S*\d.+[^\W\d_])", text)
    if lettered and len(parts) == 1:
        return lettered[1], lettered[2]
    spaced = text.split()
    return (spaced[0], spaced[1]) if len(parts) == 1 and len(spaced) == 2 else None


def coordinates(cells: pd.Series, profile: Profile, axis: str) -> tuple[NDArray[np.float64],
                                                                         NDArray[np.bool_]]:
    """Read a column of angles or metres.

    Parameters
    ----------
    cells : Series of str
        The column.
    profile : Profile
        For its words for directions and for nothing.
    axis : {"lon", "lat"}
        A letter of the other axis makes a cell unreadable.

    Returns
    -------
    values : (n,) float64
        NaN where nothing, or nothing readable, is written.
    bad : (n,) bool
        Where something is written that is no coordinate.
    """
    values, bad = numbers(cells, profile)
    allowed = {"lon": ("", "E", "W"), "lat": ("", "N", "S")}[axis]
    for i in np.flatnonzero(bad):
        degrees, direction = angle(cells.iloc[i], profile)
        if np.isfinite(degrees) and direction in allowed:
            values[i], bad[i] = degrees, False
    return values, bad & ~blank(cells, profile)
