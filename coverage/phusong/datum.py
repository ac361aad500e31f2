"""In which coordinate system were these numbers written?  The declared communes bear witness.

A row that names its commune says, roughly, where it lies.  Of all systems that a country uses,
with x and y in either order, the right one puts the rows into the communes that they name.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from phusong.geo import DEGREES, parse_crs, transform

__all__ = ["Diagnosis", "Way", "diagnose", "ways_of"]

Array = NDArray[np.float64]

NEAR_M = 1_000.0
"""A place this near its commune's outline is in it, as far as the choice of a system goes."""
ODDS = math.log(1_000.0)
"""How much likelier one system must be than the next (natural logarithm) to be believed."""
_EDGE_M = 100.0         # outlines are drawn about this well
_SLIPS = 0.02           # rows whose commune or position is plainly wrong
_FLOOR = 1e-4           # likelihood of such a row under any system
_SAME_M = 30.0          # systems that put rows this close together are one
_SAMPLE = 1500
_MOST_ZONES = 4
_M_PER_DEG = 111_195.0


@dataclass(frozen=True, slots=True)
class Way:
    """One way to read two numbers: a coordinate system, and whether x and y are swapped.

    Parameters
    ----------
    crs : str
        What `phusong.geo.parse_crs` understands.
    swapped : bool
        Whether the first number is the northing (latitude).
    """

    crs: str
    swapped: bool = False

    def degrees(self, x: Array, y: Array) -> tuple[Array, Array]:
        """Return longitude and latitude (WGS 84); not finite where the numbers are no place."""
        a, b = (y, x) if self.swapped else (x, y)
        lon, lat = transform(a, b, self.crs, DEGREES)
        good = np.isfinite(lon) & np.isfinite(lat)
        return np.where(good, lon, np.nan), np.where(good, lat, np.nan)

    def __str__(self) -> str:
        name = parse_crs(self.crs).name
        return f"{self.crs} ({name}{', x and y swapped' if self.swapped else ''})"


@dataclass(frozen=True, slots=True, eq=False)
class Diagnosis:
    """What the communes say about a list of coordinates.

    Parameters
    ----------
    verdict : {"as_read", "other", "ambiguous", "nowhere", "unproven"}
        ``as_read``: the way they were read is right, as far as can be told.  ``other``: another
        way, or several (rows of different zones), is right.  ``ambiguous``: two ways fit that
        put the rows in different places.  ``nowhere``: no way fits.  ``unproven``: no row names
        its commune.
    ways : tuple of Way
        The ways in use (``as_read``, ``other``), or those that fit equally well.
    which : (n,) int array
        Index into `ways` for each row under ``other``; -1 where none can be given.
    proven : (n,) bool array
        Whether, under ``other``, the row lies in the commune that it names, read that way.
    apart_m : float
        How far apart the two best ways put the rows; 0 where there is one only.
    rival : Way or None
        Under ``as_read``: another system that the communes cannot tell from it.
    """

    verdict: str
    ways: tuple[Way, ...]
    which: NDArray[np.int64]
    proven: NDArray[np.bool_]
    apart_m: float = 0.0
    rival: Way | None = None


def ways_of(systems: Iterable[str]) -> tuple[Way, ...]:
    """Return every system in both orders of x and y."""
    return tuple(Way(crs, swapped) for crs in dict.fromkeys(systems) for swapped in (False, True))


def diagnose(x: Array, y: Array, outlines: NDArray[Any], ways: Sequence[Way],
             as_read: Way | None = None) -> Diagnosis:
    """Find the way to read coordinates that puts rows into the communes that they name.

    Parameters
    ----------
    x, y : (n,) float64
        As written.
    outlines : (n,) array of geometry
        Outline of the commune that each row names, degrees (WGS 84); None = names none.
    ways : sequence of Way
        What could be meant.
    as_read : Way, optional
        What is believed without evidence; another way must be `ODDS` likelier.

    Returns
    -------
    Diagnosis
        A row counts by how far outside its commune a way puts it: with probability 0.98 it lies
        in it, give or take 100 m of the outline's own error, else anywhere.
    """
    number = len(x)
    nothing = np.full(number, -1, dtype=np.int64)
    witness = np.flatnonzero(np.isfinite(x) & np.isfinite(y) & ~shapely.is_missing(outlines))
    if not witness.size:
        return Diagnosis("unproven", (), nothing, np.zeros(number, bool))
    listed = list(dict.fromkeys([*([as_read] if as_read else []), *ways]))
    order = witness[np.lexsort((y[witness], x[witness]))]
    heard = order[np.linspace(0, len(order) - 1, min(len(order), _SAMPLE)).astype(int)]
    scene = _Scene(x[heard], y[heard], outlines[heard], listed)
    first = scene.best(as_read)
    if first is None:
        return Diagnosis("nowhere", (), nothing, np.zeros(number, bool))
    rival, apart = scene.rival(first)
    believed = as_read is not None and listed[first].crs == as_read.crs
    if rival is not None and not believed:
        return Diagnosis("ambiguous", (listed[first], listed[rival]), nothing,
                         np.zeros(number, bool), apart)
    chosen = scene.zones(first)
    if as_read is not None and chosen == [0]:
        return Diagnosis("as_read", (as_read,), nothing, np.zeros(number, bool), apart,
                         None if rival is None else listed[rival])
    which, proven = _assigned(x, y, outlines, [listed[i] for i in chosen], as_read)
    return Diagnosis("other", tuple(listed[i] for i in chosen), which, proven, apart,
                     None if rival is None else listed[rival])


class _Scene:
    """Distances of the rows heard to their communes, for every way."""

    def __init__(self, x: Array, y: Array, outlines: NDArray[Any], ways: Sequence[Way]) -> None:
        self.ways = ways
        self.places = [way.degrees(x, y) for way in ways]
        self.away = np.array([_outside_m(lon, lat, outlines) for lon, lat in self.places])
        self.score = np.log((1 - _SLIPS) * np.exp(-self.away / _EDGE_M) + _SLIPS * _FLOOR)
        self.fits = self.away <= NEAR_M

    def best(self, as_read: Way | None) -> int | None:
        """Return the likeliest way; None if it fits too few rows."""
        total = self.score.sum(axis=1)
        top = int(np.argmax(total))
        if as_read is not None:
            top = self._preferred(total, as_read, top)
        share = self.fits[top].mean()
        return top if share >= 0.5 or (self.fits.shape[1] > 3 and share >= 0.3) else None

    def _preferred(self, total: Array, believed: Way, top: int) -> int:
        """Return the way as believed, or its system in the other order, unless `top` is likelier.
        """
        own = [i for i, way in enumerate(self.ways) if way.crs == believed.crs]
        for i in sorted(own, key=lambda i: (-(total[i] + (ODDS if i == 0 else 0)), i)):
            if total[top] - total[i] < ODDS:
                return i
        return top

    def rival(self, first: int) -> tuple[int | None, float]:
        """Return another way that fits nearly as well, elsewhere, and how far apart the two are."""
        rows = self.fits[first]
        total = self.score[:, rows].sum(axis=1)
        for other in np.argsort(-total, kind="stable"):
            if other == first:
                continue
            if total[first] - total[other] >= ODDS:
                break
            apart = self._apart(first, int(other), rows)
            if apart > _SAME_M:
                return int(other), apart
        return None, 0.0

    def _apart(self, one: int, other: int, rows: NDArray[np.bool_]) -> float:
        (lon1, lat1), (lon2, lat2) = self.places[one], self.places[other]
        east = (lon1 - lon2)[rows] * np.cos(np.radians(lat1[rows]))
        return float(np.median(np.hypot(east, (lat1 - lat2)[rows])) * _M_PER_DEG)

    def zones(self, first: int) -> list[int]:
        """Return the ways that are needed to explain the rows: one, or one for each zone."""
        chosen = [first]
        while len(chosen) < _MOST_ZONES:
            left = np.flatnonzero(~self.fits[chosen].any(axis=0))
            if not left.size:
                break
            counts = self.fits[:, left].sum(axis=1)
            total = self.score[:, left].sum(axis=1)
            top = self._preferred(total, self.ways[first], int(np.argmax(total)))
            turned = self.ways[top].crs == self.ways[first].crs
            if counts[top] < (1 if turned else max(3, 0.02 * self.fits.shape[1])):
                break
            chosen.append(top)
        return chosen


def _outside_m(lon: Array, lat: Array, outlines: NDArray[Any]) -> Array:
    """Return how far outside its outline each place lies, m; inf beyond the outline's box."""
    away = np.full(len(lon), np.inf)
    west, south, east, north = shapely.bounds(outlines).T
    pad = 2 * NEAR_M / _M_PER_DEG
    squeeze = np.cos(np.radians(np.clip(np.nan_to_num(lat), -89, 89)))
    with np.errstate(invalid="ignore"):
        near = ((lon >= west - pad / squeeze) & (lon <= east + pad / squeeze)
                & (lat >= south - pad) & (lat <= north + pad))
    if near.any():
        places = shapely.points(lon[near], lat[near])
        nearest = shapely.shortest_line(outlines[near], places)
        ends = shapely.get_coordinates(nearest).reshape(-1, 2, 2)
        step = ends[:, 1] - ends[:, 0]
        away[near] = np.hypot(step[:, 0] * squeeze[near], step[:, 1]) * _M_PER_DEG
    return away


def _assigned(x: Array, y: Array, outlines: NDArray[Any], ways: Sequence[Way],
              as_read: Way | None) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Give each row the way that puts it in its commune; rows that fit two apart get none."""
    known = np.isfinite(x) & np.isfinite(y)
    witness = known & ~shapely.is_missing(outlines)
    which = np.full(len(x), -1, dtype=np.int64)
    proven = np.zeros(len(x), bool)
    if len(ways) == 1:
        which[known] = 0
        lon, lat = ways[0].degrees(x[witness], y[witness])
        proven[witness] = _outside_m(lon, lat, outlines[witness]) <= NEAR_M
        if ways[0] != as_read:      # nothing but its commune speaks for a row that is mended
            which[witness & ~proven] = -1
        return which, proven
    rows = np.flatnonzero(witness)
    fits = np.array([_outside_m(*way.degrees(x[rows], y[rows]), outlines[rows]) <= NEAR_M
                     for way in ways])
    count = fits.sum(axis=0)
    one = count == 1
    which[rows[one]] = np.argmax(fits[:, one], axis=0)
    proven[rows[one]] = True
    if ways[0] == as_read and all(way.crs == as_read.crs for way in ways):
        rest = known.copy()
        rest[rows[count > 0]] = False
        which[rest] = 0
    return which, proven
