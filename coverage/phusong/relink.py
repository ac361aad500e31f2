"""Links after a few cells changed: only the points they can matter to are linked again.

A link is kept or not by its own group at its own point (`phusong.links`).  So a cell that is gone
matters where one of its links was kept, and a cell that came matters where its free-space level
reaches the weakest of the best few known there.  There all cells of the operators concerned are
linked again.  Everywhere else nothing changes but the number of cells in range, which is counted.
The outcome is that of `link`, to the bit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from phusong.links import link
from phusong.links_scene import Floats, Ints, Scene, bound_slack_db
from phusong.links_search import PAIRS_AT_ONCE, operators_of
from phusong.radio.budget import Radio
from phusong.tables import LINKS, empty
from phusong.terrain import Terrain

__all__ = ["changed_cells", "relink"]

_SAYS_NOTHING = frozenset({"source", "assumed", "on_air_from", "off_air_from", "name", "geometry"})
"""Columns of SITES that no link is made from; every other column counts."""

Report = Callable[[str, int, int], None]


def changed_cells(old: gpd.GeoDataFrame, new: gpd.GeoDataFrame) \
        -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Tell which rows of two SITES tables the other does not have as they are.

    Parameters
    ----------
    old, new : GeoDataFrame
        SITES in one CRS; the ids of each are unique.

    Returns
    -------
    gone, came : (rows,) bool
        Aligned to `old` and to `new`.  A cell that was altered or moved is in both.
    """
    where = old.index.get_indexer(new.index)
    both = where >= 0
    a, b = old.iloc[where[both]], new[both]
    differs = np.zeros(int(both.sum()), bool)
    for name in sorted((set(old.columns) | set(new.columns)) - _SAYS_NOTHING):
        differs |= _differs(_values(a, name), _values(b, name))
    for coordinate in (shapely.get_x, shapely.get_y):
        differs |= coordinate(a.geometry.to_numpy()) != coordinate(b.geometry.to_numpy())
    gone, came = np.ones(len(old), bool), np.ones(len(new), bool)
    gone[where[both]], came[both] = differs, differs
    return gone, came


def _values(frame: pd.DataFrame, name: str) -> NDArray[np.object_] | Floats:
    if name not in frame:
        return np.full(len(frame), np.nan)
    column = frame[name]
    return np.asarray(column.to_numpy(float, na_value=np.nan) if
                      pd.api.types.is_numeric_dtype(column) else column.to_numpy(object))


def _differs(a: NDArray, b: NDArray) -> NDArray[np.bool_]:
    return np.asarray(a != b, bool) & ~(pd.isna(a) & pd.isna(b))


def relink(previous: pd.DataFrame, points: gpd.GeoDataFrame, old: gpd.GeoDataFrame,
           new: gpd.GeoDataFrame, terrain: Terrain | None, radio: Radio, *,
           progress: Report | None = None) -> tuple[pd.DataFrame, pd.Index]:
    """Return LINKS to `new`, given those to `old`; see the top of this module.

    Parameters
    ----------
    previous : DataFrame
        What ``link(points, old, terrain, radio)`` returned.
    points : GeoDataFrame
        POINTS, the same ones.
    old, new : GeoDataFrame
        SITES before and after.
    terrain, radio
        As `link` takes them, the same ones.
    progress : callable, optional
        Called with ("link", points done, points in all).

    Returns
    -------
    links : DataFrame
        What ``link(points, new, terrain, radio)`` would return, bit for bit.
    touched : Index
        The points that were linked again; the links of all others are the same, except for
        ``cells_considered``.
    """
    new = new.sort_index()
    placed = points[np.asarray(~(points.geometry.isna() | points.geometry.is_empty), bool)]
    placed = placed.sort_index()
    gone, came = changed_cells(old, new)
    if not len(placed) or not (gone.any() or came.any()):
        return _spliced([previous], placed.index, new.index), placed.index[:0]
    change = _Change.of(previous, placed, old[gone], new[came], terrain, radio)
    rows = np.flatnonzero(~(change.matters[change.point] & (change.number(previous) >= 0)))
    kept = previous.iloc[rows]
    parts = [kept.assign(cells_considered=change.considered(kept, change.point[rows]))]
    if change.matters.any():
        again = placed[change.matters]
        near = _near(again, new, radio) & (change.number(new) >= 0)
        parts.append(link(again, new[near], terrain, radio, progress=progress))
    return _spliced(parts, placed.index, new.index), placed.index[change.matters]


@dataclass(frozen=True, slots=True)
class _Change:
    """What a change of cells means for each point.

    Parameters
    ----------
    placed : Index
        The points that have a place, sorted.
    point : (links,) int64
        Number of the point of each earlier link.
    matters : (points,) bool
        Whether the point must be linked again.
    operators : list of str
        Operators with changed cells.
    more : (points, operators) int64
        How many more cells are in range than before.
    """

    placed: pd.Index
    point: Ints
    matters: NDArray[np.bool_]
    operators: list[str]
    more: Ints

    @classmethod
    def of(cls, previous: pd.DataFrame, placed: gpd.GeoDataFrame, gone: gpd.GeoDataFrame,
           came: gpd.GeoDataFrame, terrain: Terrain | None, radio: Radio) -> _Change:
        """Find out what rows of SITES that went and came mean."""
        point = _codes(previous.index, 0, placed.index)
        operators = sorted({*map(str, operators_of(gone)), *map(str, operators_of(came))})
        matters = np.zeros(len(placed), bool)
        more = np.zeros((len(placed), len(operators)), np.int64)
        matters[point[_codes(previous.index, 1, gone.index) >= 0]] = True
        for cells, sign in ((gone, -1), (came, 1)):
            number = pd.Index(operators).get_indexer(operators_of(cells).astype(str))
            for members, inside, _ in _in_reach(placed, cells, radio):
                for cell in members:
                    more[inside, number[cell]] += sign
        if len(came):
            matters |= _may_lead(previous, point, placed, came, terrain, radio)
        return cls(placed.index, point, matters, operators, more)

    def number(self, rows: pd.DataFrame) -> Ints:
        """Return the place of each row's operator among those with changed cells; -1 = none."""
        return np.asarray(pd.Index(self.operators).get_indexer(operators_of(rows).astype(str)))

    def considered(self, kept: pd.DataFrame, point: Ints) -> Ints:
        """Return the number of cells in range that goes with each kept link, given its point."""
        operator = self.number(kept)
        extra = np.where(operator < 0, 0, self.more[point, operator])
        return np.asarray(kept["cells_considered"].to_numpy() + extra)


def _codes(index: pd.MultiIndex, level: int, ids: pd.Index) -> Ints:
    """Return the place of each row's key among `ids`; -1 = it is not there."""
    places = ids.get_indexer(index.levels[level])
    return np.asarray(np.append(places, -1)[index.codes[level]], np.int64)


def _in_reach(placed: gpd.GeoDataFrame, cells: gpd.GeoDataFrame,
              radio: Radio) -> Iterator[tuple[Ints, Ints, Floats]]:
    """Yield for the cells at one place: their numbers, the points in reach, the distances."""
    x, y = (get(placed.geometry.to_numpy()) for get in (shapely.get_x, shapely.get_y))
    reach = np.fmin(_numbers(cells, "reach_m"), radio.max_range_m)
    at = np.stack([*(get(cells.geometry.to_numpy()) for get in (shapely.get_x, shapely.get_y)),
                   reach])
    for members in pd.DataFrame(at.T).groupby([0, 1, 2]).indices.values():
        first = members[0]
        dx, dy = x - at[0, first], y - at[1, first]
        distance = np.sqrt(dx * dx + dy * dy)
        inside = np.flatnonzero(distance <= at[2, first])
        yield members, inside, distance[inside]


def _may_lead(previous: pd.DataFrame, point: Ints, placed: gpd.GeoDataFrame,
              came: gpd.GeoDataFrame, terrain: Terrain | None, radio: Radio) -> NDArray[np.bool_]:
    """Tell at which points a cell that came may be among those worth keeping."""
    group, floor = _floors(previous, point, len(placed), came, radio)
    scene = Scene.of(placed, came, terrain, radio)
    slack = bound_slack_db(radio)
    strength = scene.strength_dbm() + slack + 1e-6
    pairs: list[tuple[Ints, Ints]] = [(np.empty(0, np.int64), np.empty(0, np.int64))]
    for members, inside, distance in _in_reach(placed, came, radio):
        spread = 20.0 * np.log10(np.maximum(distance, 1.0))
        for cell in members:
            use = inside[~(strength[cell] - spread < floor[inside, group[cell]])]
            pairs.append((use, np.full(len(use), cell)))
    who, cell = (np.concatenate(column) for column in zip(*pairs, strict=True))
    found = np.zeros(len(placed), bool)
    for first in range(0, len(who), PAIRS_AT_ONCE):
        part = slice(first, first + PAIRS_AT_ONCE)
        level = scene.aim(who[part], cell[part]).free_space_dbm
        found[who[part][~(level + slack < floor[who[part], group[cell[part]]])]] = True
    return found


def _floors(previous: pd.DataFrame, point: Ints, count: int, came: gpd.GeoDataFrame,
            radio: Radio) -> tuple[Ints, Floats]:
    """Return the group of each cell, and the level to reach at each point, (points, groups)."""
    keys = ("operator", "technology", "frequency_mhz")
    mine = pd.DataFrame({"operator": operators_of(came), **{
        name: came[name].to_numpy() for name in keys[1:]}})
    names = [pd.Index(mine[name].unique()) for name in keys]
    shape = tuple(len(index) for index in names)
    digits = [index.get_indexer(mine[name]) for index, name in zip(names, keys, strict=True)]
    used, group = np.unique(np.ravel_multi_index(digits, shape), return_inverse=True)
    floor = np.full((count, len(used)), -np.inf)
    level = previous["received_dbm"].to_numpy(float)
    theirs = [index.get_indexer(previous[name]) for index, name in zip(names, keys, strict=True)]
    rows = np.flatnonzero(np.all([d >= 0 for d in theirs], axis=0) & ~np.isnan(level))
    code = np.ravel_multi_index([d[rows] for d in theirs], shape)
    place = np.minimum(np.searchsorted(used, code), len(used) - 1)
    rows, place = rows[used[place] == code], place[used[place] == code]
    segment = point[rows] * len(used) + place
    order = np.lexsort((-level[rows], segment))
    sorted_segment = segment[order]
    begin = np.searchsorted(sorted_segment, sorted_segment)
    last = order[np.arange(len(order)) - begin == radio.best_per_operator - 1]
    floor.reshape(-1)[segment[last]] = level[rows[last]]
    # candidates are alternatives: each site is a group of its own
    alone = (came["status"] == "candidate").to_numpy(bool)
    floor = np.concatenate([floor, np.full((count, 1), -np.inf)], axis=1)
    return np.where(alone, len(used), group), floor


def _near(points: gpd.GeoDataFrame, cells: gpd.GeoDataFrame, radio: Radio) -> NDArray[np.bool_]:
    """Tell which cells are in reach of any of the points, or a little beyond."""
    here, there = (np.stack([shapely.get_x(shapes), shapely.get_y(shapes)], axis=1)
                   for shapes in (points.geometry.to_numpy(), cells.geometry.to_numpy()))
    reach = np.fmin(_numbers(cells, "reach_m"), radio.max_range_m)
    far = float(reach.max(initial=0.0)) + 1.0
    distance, _ = cKDTree(here).query(there, distance_upper_bound=far)
    return np.asarray(distance <= reach + 1.0)


def _numbers(frame: pd.DataFrame, name: str) -> Floats:
    if name not in frame:
        return np.full(len(frame), np.nan)
    return np.asarray(frame[name].to_numpy(float, na_value=np.nan))


def _spliced(parts: list[pd.DataFrame], point_ids: pd.Index, cell_ids: pd.Index) -> pd.DataFrame:
    """Put tables together in the order of `link`; the links of a group stand in one table."""
    parts = [part for part in parts if len(part)]
    if not parts:
        return empty(LINKS)
    point = np.concatenate([_codes(part.index, 0, point_ids) for part in parts])
    cell = np.concatenate([_codes(part.index, 1, cell_ids) for part in parts])
    whole = pd.concat([part.reset_index(drop=True) for part in parts], ignore_index=True)
    level = whole["received_dbm"].to_numpy(float)
    order = np.lexsort((cell, np.where(np.isnan(level), np.inf, -level), point))
    whole = whole.iloc[order]
    index = pd.MultiIndex(levels=[point_ids, cell_ids], codes=[point[order], cell[order]],
                          names=["point_id", "cell_id"], verify_integrity=False)
    return whole.set_axis(index)
