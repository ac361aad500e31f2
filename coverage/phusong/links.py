"""Links: which cells reach which points, and how strongly.

`link` is one verb for towers that stand and for towers that do not stand yet.
Cells compete: of each *group* (one operator, technology and carrier at a
point; of candidates also one site, because candidates are alternatives to
each other) only the best few are kept.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from phusong.links_budget import Budget, budget
from phusong.links_kernels import count_in_range, fill_segments, insert_levels, take_strongest
from phusong.links_scene import Floats, Ints, Scene, bound_slack_db
from phusong.radio import MODELS, models_used
from phusong.radio.budget import Radio
from phusong.tables import LINKS, POINTS, SITES, check, empty
from phusong.terrain import SHORTEST_PATH_M, Terrain
from phusong.workers import each

__all__ = ["Budget", "budget", "link"]

PAIRS_AT_ONCE = 1_000_000
"""Pairs in range that one unit of work holds; bounds the memory."""

POINTS_AT_ONCE = 1_024
"""Points of one unit of work."""

Report = Callable[[str, int, int], None]


def link(points: gpd.GeoDataFrame, sites: gpd.GeoDataFrame, terrain: Terrain | None, radio: Radio,
         *, prune: bool = True, progress: Report | None = None) -> pd.DataFrame:
    """Compute the level of the cells in range of each point; keep the best few.

    Parameters
    ----------
    points : GeoDataFrame
        POINTS, in the working CRS.  Points without a place get no links.
    sites : GeoDataFrame
        SITES of any status; see the module's first lines on who competes.
    terrain : Terrain or None
        The ground.  None = unknown: models that need it give no level.
    radio : Radio
        Model, profile step, range, air, how many links to keep.
    prune : bool
        Leave out cells whose free-space level cannot beat the best few known
        already.  The result is the same to the bit, only later without it.
    progress : callable, optional
        Called with ("link", points done, points in all).

    Returns
    -------
    DataFrame
        LINKS, sorted by ``point_id``, then falling level, ties by
        ``cell_id``.  For each point and group: the `radio.best_per_operator`
        best known levels; the cell with the best free-space level (what would
        serve with no hill in the way); and the best cell of unknown loss, if
        it might beat them.  Also ``bearing_deg`` from the cell,
        ``pattern_db``, and ``unknown_because``: why a loss is not known
        (``no_elevation`` or ``out_of_model_range``).

    Raises
    ------
    InputError
        If the tables are not as declared or not in one metric CRS.
    """
    check(points, POINTS)
    check(sites, SITES)
    place = points.geometry
    points = points[np.asarray(~(place.isna() | place.is_empty), bool)].sort_index()
    sites = sites.sort_index()
    scene = Scene.of(points, sites, terrain, radio)
    if not len(points) or not len(sites):
        return empty(LINKS)
    search = _Search.of(scene, sites, prune)
    units = search.units()
    found, done = [], 0
    for unit, rows in zip(units, each(search.best_links, units), strict=True):
        found.append(rows)
        done += len(unit)
        if progress is not None:
            progress("link", done, len(points))
    return _table(pd.concat(found, ignore_index=True), points.index, sites, radio)


@dataclass(frozen=True, slots=True)
class _Search:
    """Cells sorted into buckets and groups, and how to search them for one unit of points."""

    scene: Scene
    cell: Ints
    reach_m: Floats
    strength_dbm: Floats
    group: Ints
    groups: int
    operator: Ints
    grid: Floats
    starts: Ints
    prune: bool

    @classmethod
    def of(cls, scene: Scene, sites: pd.DataFrame, prune: bool) -> _Search:
        group, operator = _groups(sites)
        x, y = scene.cells.x, scene.cells.y
        size = max(float(scene.reach_m.max()) / 4.0, 1.0)
        left, low = float(x.min()), float(y.min())
        columns, rows = int((x.max() - left) // size) + 1, int((y.max() - low) // size) + 1
        bucket = ((y - low) // size).astype(np.int64) * columns + ((x - left) // size).astype(
            np.int64)
        cell = np.argsort(bucket, kind="stable")
        starts = np.searchsorted(bucket[cell], np.arange(columns * rows + 1))
        # a millionth of a dB more, so that rounding never makes the bound too low
        strength = scene.strength_dbm() + bound_slack_db(scene.radio) + 1e-6
        return cls(scene, cell, scene.reach_m[cell], strength[cell], group[cell],
                   int(group.max()) + 1, operator, np.array([left, low, size, columns, rows]),
                   starts.astype(np.int64), prune and bool(np.isfinite(strength).all()))

    @property
    def places(self) -> tuple[Floats, Floats]:
        """Positions of the cells in the order of the buckets."""
        return self.scene.cells.x[self.cell], self.scene.cells.y[self.cell]

    def units(self) -> list[Ints]:
        """Cut the points into neighbourhoods of bounded size."""
        p = self.scene.points
        order = _along_a_curve(p.x, p.y)
        counts = np.empty(order.shape[0], np.int64)
        count_in_range(p.x[order], p.y[order], *self.places, self.reach_m, self.grid, self.starts,
                       counts)
        units, first, held = [], 0, 0
        for i, count in enumerate(counts.tolist()):
            if i > first and (held + count > PAIRS_AT_ONCE or i - first == POINTS_AT_ONCE):
                units.append(order[first:i])
                first, held = i, 0
            held += count
        return [*units, order[first:]]

    def best_links(self, unit: Ints) -> pd.DataFrame:
        """Return the links worth keeping of the points numbered `unit`."""
        segments, levels, cells = self._segments(unit)
        slack = bound_slack_db(self.scene.radio)
        first, left = segments[:, 2].copy(), segments[:, 3].copy()
        best = np.full((len(segments), self.scene.radio.best_per_operator), -np.inf)
        rows: list[pd.DataFrame] = []
        most = best.shape[1] if self.prune else int(left.max(initial=1))
        while left.any():
            floor = best[:, -1] if self.prune else np.full(len(segments), -np.inf)
            room = int(np.minimum(left, most).sum())
            segment, at = np.empty(room, np.int64), np.empty(room, np.int64)
            taken = take_strongest(levels, cells, first, left, floor, most, segment, at)
            rows.append(self._levels(unit, segments, segment[:taken], at[:taken], floor, slack))
            insert_levels(rows[-1]["segment"].to_numpy(), rows[-1]["received_dbm"].to_numpy(), best)
            most = max(1, most // 2) if len(rows) == 1 else most + (len(rows) % 2)
        computed = pd.concat(rows, ignore_index=True) if rows else pd.DataFrame()
        kept = _worth_keeping(computed, best, slack) if rows else computed
        return kept.assign(cells_considered=self._considered(unit, segments, kept))

    def _segments(self, unit: Ints) -> tuple[Ints, Floats, Ints]:
        """Return (point, group, first pair, pairs) of each segment, and the heaps."""
        p = self.scene.points
        x, y = p.x[unit], p.y[unit]
        offsets = np.zeros(len(unit) + 1, np.int64)
        count_in_range(x, y, *self.places, self.reach_m, self.grid, self.starts, offsets[1:])
        np.cumsum(offsets, out=offsets)
        levels, cells = np.empty(offsets[-1]), np.empty(offsets[-1], np.int64)
        segments = np.empty((min(int(offsets[-1]), len(unit) * self.groups), 4), np.int64)
        number = fill_segments(x, y, *self.places, self.reach_m, self.strength_dbm, self.group,
                               np.zeros(self.groups, np.int64), self.grid, self.starts, offsets,
                               levels, cells, segments)
        return segments[:number], levels, cells

    def _levels(self, unit: Ints, segments: Ints, segment: Ints, at: Ints, floor: Floats,
                slack: float) -> pd.DataFrame:
        """Compute the levels of pairs that may still reach their segment's floor."""
        point, cell = unit[segments[segment, 0]], self.cell[at]
        aim = self.scene.aim(point, cell)
        use = np.flatnonzero(~(aim.free_space_dbm + slack < floor[segment]))
        point, cell = point[use], cell[use]
        loss, clearance = self.scene.losses(point, cell, aim.distance_m[use])
        level = self.scene.received(cell, aim.pattern_db[use], loss)
        return pd.DataFrame({
            "segment": segment[use], "point": point, "cell": cell,
            "distance_m": aim.distance_m[use], "bearing_deg": aim.bearing_deg[use],
            "pattern_db": aim.pattern_db[use], "clearance": clearance, "loss_db": loss,
            "received_dbm": level, "free_space_dbm": aim.free_space_dbm[use]})

    def _considered(self, unit: Ints, segments: Ints, kept: pd.DataFrame) -> Ints:
        """Return for each kept link how many cells of its operator were in range of its point."""
        if not len(kept):
            return np.empty(0, np.int64)
        operators = int(self.operator.max()) + 1
        key = segments[:, 0] * operators + self.operator[segments[:, 1]]
        names, where = np.unique(key, return_inverse=True)
        total = np.bincount(where, weights=segments[:, 3], minlength=len(names)).astype(np.int64)
        return total[where[kept["segment"].to_numpy()]]


def _groups(sites: pd.DataFrame) -> tuple[Ints, Ints]:
    """Return the group of each cell, and the operator of each group."""
    operator = _operators(sites)
    candidate = (sites["status"] == "candidate").to_numpy(bool)
    alone = np.where(candidate, sites["site_id"].astype(str).to_numpy(object), "")
    frame = pd.DataFrame({"o": operator, "t": sites["technology"].to_numpy(object),
                          "f": sites["frequency_mhz"].to_numpy(float), "s": alone})
    by = frame.groupby(["o", "t", "f", "s"], sort=True)
    group = by.ngroup().to_numpy(np.int64)
    _, number = np.unique(operator.astype(str), return_inverse=True)
    of_group = np.zeros(int(group.max(initial=-1)) + 1, np.int64)
    of_group[group] = number
    return group, of_group


def _operators(sites: pd.DataFrame) -> NDArray[np.object_]:
    if "operator" not in sites:
        return np.full(len(sites), "", dtype=object)
    return sites["operator"].fillna("").to_numpy(object)


def _along_a_curve(x: Floats, y: Floats) -> Ints:
    """Order places so that neighbours in the order are neighbours on the ground (Morton)."""
    code = np.zeros(x.shape[0], np.uint64)
    for shift, value in ((0, x), (1, y)):
        bits = ((value - value.min()) / 1000.0).astype(np.uint64)
        for k in range(14):
            code |= ((bits >> np.uint64(k)) & np.uint64(1)) << np.uint64(2 * k + shift)
    return np.argsort(code, kind="stable")


def _worth_keeping(computed: pd.DataFrame, best: Floats, slack: float) -> pd.DataFrame:
    """Keep the best known levels, the best free-space level and the best unknown of a segment."""
    floor = best[computed["segment"].to_numpy(), -1]
    clear = computed["free_space_dbm"].to_numpy()
    computed = computed[~(clear + slack < floor)]
    known = computed[computed["received_dbm"].notna()]
    known = known.sort_values(["segment", "received_dbm", "cell"], ascending=[True, False, True])
    known = known[(known.groupby("segment").cumcount() < best.shape[1]).to_numpy()]
    by_bound = computed.sort_values(["segment", "free_space_dbm", "cell"],
                                    ascending=[True, False, True])
    nominal = by_bound.drop_duplicates("segment")
    unknown = by_bound[by_bound["received_dbm"].isna()].drop_duplicates("segment")
    rows = np.unique(np.concatenate([part.index.to_numpy() for part in (known, nominal, unknown)]))
    return computed.loc[rows]


def _table(rows: pd.DataFrame, point_ids: pd.Index, sites: pd.DataFrame,
           radio: Radio) -> pd.DataFrame:
    """Turn row numbers into the LINKS table, sorted."""
    if not len(rows):
        return empty(LINKS)
    level = rows["received_dbm"].to_numpy()
    order = np.lexsort((rows["cell"], np.where(np.isnan(level), np.inf, -level), rows["point"]))
    rows = rows.iloc[order]
    point, cell = rows["point"].to_numpy(), rows["cell"].to_numpy()
    index = pd.MultiIndex(levels=[point_ids, sites.index], codes=[point, cell],
                          names=["point_id", "cell_id"], verify_integrity=False)
    lost = rows["loss_db"].isna().to_numpy()
    ground = MODELS[radio.model].needs_terrain & rows["clearance"].isna().to_numpy()
    used = models_used(radio.model, np.maximum(rows["distance_m"].to_numpy(), SHORTEST_PATH_M))
    why = np.where(lost, np.where(ground, "no_elevation", "out_of_model_range"), "")
    return pd.DataFrame({
        "operator": _operators(sites)[cell],
        "technology": sites["technology"].to_numpy(object)[cell],
        "frequency_mhz": sites["frequency_mhz"].to_numpy(float)[cell],
        "distance_m": rows["distance_m"].to_numpy(), "clearance": rows["clearance"].to_numpy(),
        "loss_db": rows["loss_db"].to_numpy(), "received_dbm": rows["received_dbm"].to_numpy(),
        "free_space_dbm": rows["free_space_dbm"].to_numpy(), "model": used.astype(object),
        "cells_considered": rows["cells_considered"].to_numpy(),
        "bearing_deg": rows["bearing_deg"].to_numpy(), "pattern_db": rows["pattern_db"].to_numpy(),
        "unknown_because": why.astype(object)}, index=index)
