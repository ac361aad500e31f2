"""Links after a few cells changed: only what they can matter to is computed.

A link is kept or not by its own group at its own point (`phusong.links`).  Where a link to a cell
that is gone was kept, that group is linked again at that point.  Where a cell came, only its own
level is computed, and only if its free-space level reaches the weakest of the best few known
there; then the best of it and of the links that were kept stay.  Everywhere else nothing changes
but the number of cells in range, which is counted.  The outcome is that of `link`, to the bit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from phusong.links import link, link_beside
from phusong.links_scene import Floats, Ints, bound_slack_db
from phusong.links_search import Held, group_numbers, operators_of, worth_keeping
from phusong.pointwise import Pointwise, places_among
from phusong.radio.budget import Radio
from phusong.tables import LINKS, empty
from phusong.terrain import Terrain
from phusong.verdicts import places_of

__all__ = ["Difference", "changed_cells", "counts_after", "counts_of", "differ", "links_of",
           "relink", "sheet_of"]

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
    where = places_among(new.index, old.index)
    both = np.flatnonzero(where >= 0)
    differs = np.zeros(len(both), bool)
    for name in sorted((set(old.columns) | set(new.columns)) - _SAYS_NOTHING):
        differs |= _differs(_values(old, name, where[both]), _values(new, name, both))
    for coordinate in (shapely.get_x, shapely.get_y):
        differs |= (coordinate(old.geometry.to_numpy())[where[both]]
                    != coordinate(new.geometry.to_numpy())[both])
    gone, came = np.ones(len(old), bool), np.ones(len(new), bool)
    gone[where[both]], came[both] = differs, differs
    return gone, came


def _values(frame: pd.DataFrame, name: str, rows: Ints) -> pd.Series | Floats:
    """Return some rows of a column: numbers, or text as it is kept; what is missing is NaN."""
    if name not in frame:
        return np.full(len(rows), np.nan)
    column = frame[name]
    if pd.api.types.is_numeric_dtype(column):
        return np.asarray(column.to_numpy(float, na_value=np.nan)[rows])
    return column.iloc[rows].reset_index(drop=True)


def _differs(a: pd.Series | Floats, b: pd.Series | Floats) -> NDArray[np.bool_]:
    return np.asarray(a != b, bool) & ~(np.asarray(pd.isna(a)) & np.asarray(pd.isna(b)))


class Difference(NamedTuple):
    """How LINKS to other cells differ from LINKS that are known.

    Parameters
    ----------
    drop : (n,) int64
        Rows that no longer hold.
    links : DataFrame
        LINKS that came, without ``cells_considered``.
    touched : Index
        Points with such rows, sorted.
    more : DataFrame
        How many more cells are in range than before: points that have a place, sorted, by
        operators with changed cells.
    """

    drop: Ints
    links: pd.DataFrame
    touched: pd.Index
    more: pd.DataFrame


def relink(previous: pd.DataFrame, points: gpd.GeoDataFrame, old: gpd.GeoDataFrame,
           new: gpd.GeoDataFrame, terrain: Terrain | None, radio: Radio, *,
           progress: Report | None = None) -> tuple[pd.DataFrame, pd.Index]:
    """Return LINKS to `new`, given those to `old`, whole.

    Parameters
    ----------
    previous : DataFrame
        What ``link(points, old, terrain, radio)`` returned.
    points, old, new, terrain, radio, progress
        As for `differ`.

    Returns
    -------
    links : DataFrame
        What ``link(points, new, terrain, radio)`` would return, bit for bit.
    touched : Index
        The points some of whose links differ; of all others only ``cells_considered`` may.
    """
    sheet, counts = sheet_of(previous), counts_of(previous, points)
    found = differ(sheet, points, old, new, terrain, radio, progress=progress)
    after = sheet.changed(found.drop, found.links)
    return links_of(after, counts_after(counts, found.more), new), found.touched


def sheet_of(links: pd.DataFrame) -> Pointwise:
    """Return LINKS by point, without ``cells_considered``."""
    return Pointwise.of(links.drop(columns="cells_considered"))


def counts_of(links: pd.DataFrame, points: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return how many cells of each operator are in range of each point that has a place."""
    placed = _placed(points).index
    operator, names = pd.factorize(operators_of(links).astype(str), sort=True)
    counts = np.zeros((len(placed), len(names)), np.int64)
    counts[places_of(links.index, 0, placed), operator] = links["cells_considered"].to_numpy()
    return pd.DataFrame(counts, index=placed, columns=pd.Index(names, dtype=object))


def counts_after(counts: pd.DataFrame, more: pd.DataFrame) -> pd.DataFrame:
    """Add what a `Difference` says to the counts of `counts_of`."""
    total = {name: sum(table[name].to_numpy(np.int64) for table in (counts, more) if name in table)
             for name in sorted({*counts.columns, *more.columns})}
    return pd.DataFrame({name: count for name, count in total.items() if np.any(count)},
                        index=counts.index, dtype=np.int64)


def links_of(sheet: Pointwise, counts: pd.DataFrame, cells: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return LINKS as `link` does: in its order, with ``cells_considered``."""
    links = sheet.whole()
    if not sheet.is_whole:
        links = _in_order(links, counts.index, cells.sort_index().index)
    if not len(links):
        return empty(LINKS)
    operator = counts.columns.get_indexer(operators_of(links).astype(str))
    found = counts.to_numpy(np.int64)[places_of(links.index, 0, counts.index), operator]
    return links.assign(cells_considered=found)[list(LINKS.columns)]


def _placed(points: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the points that have a place, sorted."""
    there = ~(points.geometry.isna() | points.geometry.is_empty)
    return _sorted(points if there.all() else points[np.asarray(there, bool)])


def _sorted(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return a table in the order of its index; itself if it is."""
    return frame if frame.index.is_monotonic_increasing else frame.sort_index()


def differ(previous: Pointwise, points: gpd.GeoDataFrame, old: gpd.GeoDataFrame,
           new: gpd.GeoDataFrame, terrain: Terrain | None, radio: Radio, *,
           progress: Report | None = None) -> Difference:
    """Return how LINKS to `new` differ from those to `old`; see the top of this module.

    Parameters
    ----------
    previous : Pointwise
        `sheet_of` what ``link(points, old, terrain, radio)`` returned.
    points : GeoDataFrame
        POINTS, the same ones.
    old, new : GeoDataFrame
        SITES before and after.
    terrain, radio
        As `link` takes them, the same ones.
    progress : callable, optional
        Called with ("link", points done, points in all).
    """
    old, new, placed = _sorted(old), _sorted(new), _placed(points)
    gone, came = changed_cells(old, new)
    more, reached = _more(placed, old[gone], new[came], radio)
    nothing = empty(LINKS).drop(columns="cells_considered")
    if not len(placed) or not (gone.any() or came.any()):
        return Difference(np.empty(0, np.int64), nothing, placed.index[:0], more)
    book = _Book.of(previous, placed, reached, old, gone, new, came)
    altered = np.zeros(len(placed) * book.groups, bool)
    altered[book.segment[gone[book.cell]]] = True
    lost = np.flatnonzero(altered)
    anew = _anew(book, lost, terrain, radio)
    extra = _extra(book, lost, np.flatnonzero(reached), came, terrain, radio, progress)
    beside, changed = _beside(book, extra, radio)
    altered[changed] = True
    touched = placed.index[np.unique(np.flatnonzero(altered) // book.groups)]
    parts = [part for part in (anew, beside) if len(part)]
    return Difference(book.row[altered[book.segment]], pd.concat(parts) if parts else nothing,
                      touched, more)


@dataclass(frozen=True, slots=True)
class _Book:
    """Links that are known of the points concerned, and what stands after, as numbers.

    Parameters
    ----------
    previous : Pointwise
        LINKS.
    placed, new : GeoDataFrame
        POINTS that have a place; SITES after.
    row, point, cell, segment : (links,) int64
        Row in `previous`; number of the point, of the cell before, of point and group as one.
    of_new, to_new : (cells,) int64
        Group of each cell after; number after of each cell before, -1 = it is gone.
    groups : int
        How many groups there are.
    """

    previous: Pointwise
    placed: gpd.GeoDataFrame
    new: gpd.GeoDataFrame
    row: Ints
    point: Ints
    cell: Ints
    segment: Ints
    of_new: Ints
    to_new: Ints
    groups: int

    @classmethod
    def of(cls, previous: Pointwise, placed: gpd.GeoDataFrame, reached: NDArray[np.bool_],
           old: gpd.GeoDataFrame, gone: NDArray[np.bool_], new: gpd.GeoDataFrame,
           came: NDArray[np.bool_]) -> _Book:
        """Number the links of points that are `reached`, or that have one to a cell `gone`.

        Only those to groups of which a cell is gone or came: the others stay as they are.
        """
        of_old, of_came = group_numbers(old, new[came])
        of_new = np.empty(len(new), np.int64)
        of_new[~came], of_new[came] = of_old[~gone], of_came  # both tables are in order
        concerned = np.zeros(int(max(of_old.max(initial=-1), of_came.max(initial=-1))) + 1, bool)
        concerned[of_old[gone]] = concerned[of_came] = True
        row = previous.rows_of(old.index[concerned[of_old]], "cell_id")
        point = previous.places("point_id", placed.index, row)
        cell = previous.places("cell_id", old.index, row)
        wanted = reached.copy()
        wanted[point[gone[cell]]] = True
        mine = wanted[point]
        row, point, cell = row[mine], point[mine], cell[mine]
        groups, to_new = len(concerned), np.full(len(old), -1, np.int64)
        to_new[~gone] = np.flatnonzero(~came)
        return cls(previous, placed, new, row, point, cell, point * groups + of_old[cell], of_new,
                   to_new, groups)

    def segments_of(self, links: pd.DataFrame) -> Ints:
        """Return point and group of links to cells after, as one number."""
        group = self.of_new[places_of(links.index, 1, self.new.index)]
        return np.asarray(places_of(links.index, 0, self.placed.index) * self.groups + group)


def _anew(book: _Book, lost: Ints, terrain: Terrain | None, radio: Radio) -> pd.DataFrame:
    """Link points again to the groups of which they lost a link."""
    point, group = np.divmod(lost, book.groups)
    found = [empty(LINKS)]
    for number in np.unique(group):
        again, theirs = book.placed.iloc[point[group == number]], book.new[book.of_new == number]
        if len(theirs):
            found.append(link(again, theirs[_near(again, theirs, radio)], terrain, radio))
    return _uncounted(pd.concat([part for part in found if len(part)] or found))


def _uncounted(links: pd.DataFrame) -> pd.DataFrame:
    return links.drop(columns="cells_considered")


def _extra(book: _Book, lost: Ints, reached: Ints, came: NDArray[np.bool_],
           terrain: Terrain | None, radio: Radio, progress: Report | None) -> pd.DataFrame:
    """Link cells that came to the points they reach, where they may be among the best few."""
    cells = book.new[came]
    if not len(cells) or not len(reached):
        return _uncounted(empty(LINKS))
    theirs = group_numbers(cells)[0]
    groups = int(theirs.max()) + 1
    number = np.full(book.groups, -1, np.int64)
    number[book.of_new[came]] = theirs
    place = np.full(len(book.placed), -1, np.int64)
    place[reached] = np.arange(len(reached))
    level = book.previous.numbers("received_dbm", book.row)
    group = number[book.segment - book.point * book.groups]
    rows = np.flatnonzero((group >= 0) & (place[book.point] >= 0) & ~np.isnan(level))
    key = place[book.point[rows]] * groups + group[rows]
    best = np.full((len(reached) * groups, radio.best_per_operator), -np.inf)
    _fill_best(best, key, level[rows])
    # a group that is linked anew there asks for nothing more
    point, kind = np.divmod(lost, book.groups)
    shut = (place[point] >= 0) & (number[kind] >= 0)
    best[place[point[shut]] * groups + number[kind[shut]]] = np.inf
    found = link_beside(book.placed.iloc[reached], cells, terrain, radio, Held(best, groups),
                        progress=progress)
    return _uncounted(found[~np.isin(book.segments_of(found), lost)])


def _fill_best(best_dbm: Floats, segment: Ints, level_dbm: Floats) -> None:
    """Write the best few levels of each segment into its row, falling."""
    order = np.lexsort((-level_dbm, segment))
    mine = segment[order]
    place = np.arange(len(order)) - np.searchsorted(mine, mine)
    use = place < best_dbm.shape[1]
    best_dbm[mine[use], place[use]] = level_dbm[order[use]]


def _beside(book: _Book, extra: pd.DataFrame, radio: Radio) -> tuple[pd.DataFrame, Ints]:
    """Return the links of all segments in which one of `extra` is kept, and these segments."""
    theirs = book.segments_of(extra)
    wanted = np.zeros(len(book.placed) * book.groups, bool)
    wanted[theirs] = True
    rows = np.flatnonzero(wanted[book.segment])
    number, segment = np.unique(np.concatenate([book.segment[rows], theirs]), return_inverse=True)
    clear, level, hope = (np.concatenate([book.previous.numbers(name, book.row[rows]),
                                          extra[name].to_numpy(float)])
                          for name in ("free_space_dbm", "received_dbm", "best_case_dbm"))
    cell = np.concatenate([book.to_new[book.cell[rows]],
                           places_of(extra.index, 1, book.new.index)])
    there = np.flatnonzero(~np.isnan(level))
    best = np.full((len(number), radio.best_per_operator), -np.inf)
    _fill_best(best, segment[there], level[there])
    kept = worth_keeping(segment, clear, level, hope, cell, best, bound_slack_db(radio))
    changed = np.zeros(len(number), bool)
    changed[segment[kept[kept >= len(rows)]]] = True
    kept = kept[changed[segment[kept]]]
    known = book.previous.take(book.row[rows[kept[kept < len(rows)]]])
    return pd.concat([known, extra.iloc[kept[kept >= len(rows)] - len(rows)]]), number[changed]


def _more(placed: gpd.GeoDataFrame, gone: gpd.GeoDataFrame, came: gpd.GeoDataFrame,
          radio: Radio) -> tuple[pd.DataFrame, NDArray[np.bool_]]:
    """Return how many more cells of each operator are in range, and the points that came reach."""
    operators = sorted({*map(str, operators_of(gone)), *map(str, operators_of(came))})
    more = np.zeros((len(placed), len(operators)), np.int64)
    reached = np.zeros(len(placed), bool)
    for cells, sign in ((gone, -1), (came, 1)):
        number = pd.Index(operators).get_indexer(operators_of(cells).astype(str))
        for members, inside in _in_reach(placed, cells, radio):
            for operator in number[members]:
                more[inside, operator] += sign
            if sign > 0:
                reached[inside] = True
    names = pd.Index(operators, dtype=object)
    return pd.DataFrame(more, index=placed.index, columns=names), reached


def _in_reach(placed: gpd.GeoDataFrame, cells: gpd.GeoDataFrame,
              radio: Radio) -> Iterator[tuple[Ints, Ints]]:
    """Yield for the cells at one place with one reach: their numbers, the points in reach."""
    x, y = (get(placed.geometry.to_numpy()) for get in (shapely.get_x, shapely.get_y))
    reach = np.fmin(_numbers(cells, "reach_m"), radio.max_range_m)
    at = np.stack([*(get(cells.geometry.to_numpy()) for get in (shapely.get_x, shapely.get_y)),
                   reach])
    for members in pd.DataFrame(at.T).groupby([0, 1, 2]).indices.values():
        first = members[0]
        dx, dy = x - at[0, first], y - at[1, first]
        yield members, np.flatnonzero(np.sqrt(dx * dx + dy * dy) <= at[2, first])


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


def _in_order(whole: pd.DataFrame, point_ids: pd.Index, cell_ids: pd.Index) -> pd.DataFrame:
    """Put links in the order of `link`."""
    point, cell = places_of(whole.index, 0, point_ids), places_of(whole.index, 1, cell_ids)
    level = whole["received_dbm"].to_numpy(float)
    order = np.lexsort((cell, np.where(np.isnan(level), np.inf, -level), point))
    whole = whole.iloc[order]
    index = pd.MultiIndex(levels=[point_ids, cell_ids], codes=[point[order], cell[order]],
                          names=["point_id", "cell_id"], verify_integrity=False)
    return whole.set_axis(index)
