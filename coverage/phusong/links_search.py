"""The search for the best few cells of each point, without ever holding all pairs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from phusong.links_kernels import count_in_range, fill_segments, insert_levels, take_strongest
from phusong.links_scene import Floats, Ints, Scene, bound_slack_db

__all__ = ["COLUMNS", "Held", "Search", "group_numbers", "groups_of", "operators_of",
           "worth_keeping"]

PAIRS_AT_ONCE = 1_000_000
"""Pairs in range that one unit of work holds; bounds the memory."""

POINTS_AT_ONCE = 4_096
"""Points of one unit of work."""

COLUMNS = ("point", "cell", "distance_m", "bearing_deg", "pattern_db", "loss_db", "received_dbm",
           "free_space_dbm", "best_case_dbm", "clearance", "cells_considered")
"""What the search returns for each link."""


@dataclass(frozen=True, slots=True)
class Held:
    """The best known levels that points have of each group before a search begins.

    Parameters
    ----------
    best_dbm : (points * groups, k) float64
        Falling, point by point; -inf where there are fewer.  A search leaves out what cannot
        reach the last; where that is +inf it looks for nothing.
    groups : int
        How many groups there are.
    """

    best_dbm: Floats
    groups: int

    def of(self, point: Ints, group: Ints) -> Floats:
        """Return the best levels of pairs of point and group, (pairs, k)."""
        return np.asarray(self.best_dbm[point * self.groups + group])


@dataclass(frozen=True, slots=True)
class Search:
    """Cells gathered into stacks, stacks into buckets, ready to be searched.

    Parameters
    ----------
    scene : Scene
        Points, cells, ground.
    cell, first : (cells,), (stacks + 1,) int64
        Cells sorted by stack, and where each stack begins.
    x, y, reach_m, strength_dbm : (stacks,) float64
        Place, reach, and the level of the strongest cell at 1 m in free space
        (never too low).
    group, cells : (stacks,) int64
        Who competes with whom; how many cells a stack has.
    operator : (groups,) int64
        Operator of each group.
    grid, starts : arrays
        The buckets, as `count_in_range` takes them.
    prune : bool
        Whether to leave out what cannot beat the best few.
    held : Held, optional
        What the points have already; only what may matter beside it is returned.
    """

    scene: Scene
    cell: Ints
    first: Ints
    x: Floats
    y: Floats
    reach_m: Floats
    strength_dbm: Floats
    group: Ints
    cells: Ints
    operator: Ints
    grid: Floats
    starts: Ints
    prune: bool
    held: Held | None = None

    @classmethod
    def of(cls, scene: Scene, sites: pd.DataFrame, prune: bool, *, compete: bool = False,
           held: Held | None = None) -> Search:
        """Sort the cells of a scene; `sites` are the rows it was made from.

        With `compete` all cells are one group, whoever runs them.
        """
        group, operator = groups_of(sites)
        if compete:
            group, operator = np.zeros_like(group), np.zeros(1, np.int64)
        x, y = scene.cells.x, scene.cells.y
        size = max(float(scene.reach_m.max()) / 4.0, 1.0)
        left, low = float(x.min()), float(y.min())
        columns, rows = int((x.max() - left) // size) + 1, int((y.max() - low) // size) + 1
        bucket = ((y - low) // size) * columns + (x - left) // size
        keys = np.stack([bucket, x, y, scene.cells.height_m, scene.frequency_mhz, group,
                         scene.reach_m])
        cell = np.lexsort(keys[::-1])
        changes = (np.diff(keys[:, cell], axis=1) != 0.0).any(axis=0)
        first = np.concatenate([[0], np.flatnonzero(changes) + 1, [cell.shape[0]]])
        top = cell[first[:-1]]
        # a millionth of a dB more, so that rounding never makes the bound too low
        strength = scene.strength_dbm() + bound_slack_db(scene.radio) + 1e-6
        starts = np.searchsorted(bucket[top], np.arange(columns * rows + 1))
        return cls(scene, cell, first, x[top], y[top], scene.reach_m[top],
                   np.maximum.reduceat(strength[cell], first[:-1]), group[top], np.diff(first),
                   operator, np.array([left, low, size, columns, rows], np.float64),
                   starts.astype(np.int64), prune and bool(np.isfinite(strength).all()), held)

    def units(self) -> list[Ints]:
        """Cut the points into neighbourhoods of bounded size."""
        p = self.scene.points
        order = along_a_curve(p.x, p.y)
        counts = np.empty(order.shape[0], np.int64)
        count_in_range(p.x[order], p.y[order], self.x, self.y, self.reach_m, self.grid,
                       self.starts, counts)
        units, first, held = [], 0, 0
        for i, count in enumerate(counts.tolist()):
            if i > first and (held + count > PAIRS_AT_ONCE or i - first == POINTS_AT_ONCE):
                units.append(order[first:i])
                first, held = i, 0
            held += count
        return [*units, order[first:]]

    def best_links(self, unit: Ints) -> pd.DataFrame:
        """Return the links worth keeping of the points numbered `unit`, by `COLUMNS`."""
        kept, segments = self.best_levels(unit)
        if not kept:
            return pd.DataFrame(columns=list(COLUMNS))
        kept["clearance"] = self.scene.clearances(kept["point"], kept["cell"], kept["distance_m"])
        kept["cells_considered"] = self._considered(segments, kept["segment"])
        return pd.DataFrame({name: kept[name] for name in COLUMNS})

    def best_levels(self, unit: Ints) -> tuple[dict[str, np.ndarray], Ints]:
        """Return the links worth keeping as columns (none: empty), and the segments searched."""
        segments, levels, stacks = self._segments(unit)
        best = np.full((len(segments), self.scene.radio.best_per_operator), -np.inf)
        if self.held is not None:
            best = self.held.of(unit[segments[:, 0]], segments[:, 1])
        never = np.full(len(segments), -np.inf)
        first, left = segments[:, 2].copy(), segments[:, 3].copy()
        rounds: list[dict[str, np.ndarray]] = []
        most = 1 if self.prune else int(left.max(initial=1))
        while left.any():
            floor = best[:, -1] if self.prune else never
            room = int(np.minimum(left, most).sum())
            segment, stack = np.empty(room, np.int64), np.empty(room, np.int64)
            taken = take_strongest(levels, stacks, first, left, floor, most, segment, stack)
            rows = self._levels(unit[segments[segment[:taken], 0]], segment[:taken],
                                stack[:taken], floor)
            insert_levels(rows["segment"], rows["received_dbm"], best)
            rounds.append(rows)
            most += len(rounds) // 4
        if not rounds:
            return {}, segments
        computed = {name: np.concatenate([rows[name] for rows in rounds]) for name in rounds[0]}
        kept = worth_keeping(computed["segment"], computed["free_space_dbm"],
                             computed["received_dbm"], computed["best_case_dbm"],
                             computed["cell"], best, bound_slack_db(self.scene.radio))
        return {name: column[kept] for name, column in computed.items()}, segments

    def _segments(self, unit: Ints) -> tuple[Ints, Floats, Ints]:
        """Return (point, group, first pair, pairs, cells) of each segment, and the heaps."""
        p = self.scene.points
        x, y = p.x[unit], p.y[unit]
        offsets = np.zeros(len(unit) + 1, np.int64)
        count_in_range(x, y, self.x, self.y, self.reach_m, self.grid, self.starts, offsets[1:])
        np.cumsum(offsets, out=offsets)
        groups = len(self.operator)
        levels, stacks = np.empty(offsets[-1]), np.empty(offsets[-1], np.int64)
        segments = np.empty((min(int(offsets[-1]), len(unit) * groups), 5), np.int64)
        number = fill_segments(x, y, self.x, self.y, self.reach_m, self.strength_dbm, self.group,
                               self.cells, np.zeros(groups, np.int64), self.grid, self.starts,
                               offsets, levels, stacks, segments)
        return segments[:number], levels, stacks

    def _levels(self, point: Ints, segment: Ints, stack: Ints,
                floor: Floats) -> dict[str, np.ndarray]:
        """Compute the levels of all cells of stacks that may reach their segment's floor."""
        cells = self.cells[stack]
        pair = np.repeat(np.arange(len(stack)), cells)
        ahead = np.arange(len(pair)) - np.repeat(np.cumsum(cells) - cells, cells)
        cell, segment = self.cell[self.first[stack][pair] + ahead], segment[pair]
        aim = self.scene.aim(point[pair], cell)
        use = ~(aim.free_space_dbm + bound_slack_db(self.scene.radio) < floor[segment])
        # the cells of a stack share one path, hence one loss
        distance = np.empty(len(stack))
        distance[pair] = aim.distance_m
        wanted = np.unique(pair[use])
        of_stack, case = np.full(len(stack), np.nan), np.full(len(stack), np.nan)
        front = self.cell[self.first[stack]]
        of_stack[wanted] = self.scene.losses(point[wanted], front[wanted], distance[wanted])
        lost = wanted[np.isnan(of_stack[wanted])]
        case[lost] = self.scene.losses(point[lost], front[lost], distance[lost], best_case=True)
        pair, cell, clear = pair[use], cell[use], aim.free_space_dbm[use]
        loss = of_stack[pair]
        level = self.scene.received(cell, aim.pattern_db[use], loss)
        hope = self.scene.received(cell, aim.pattern_db[use], case[pair])
        hope = np.where(np.isnan(hope), clear, hope)
        return {"segment": segment[use], "point": point[pair], "cell": cell,
                "distance_m": aim.distance_m[use], "bearing_deg": aim.bearing_deg[use],
                "pattern_db": aim.pattern_db[use], "loss_db": loss,
                "received_dbm": level, "free_space_dbm": clear,
                "best_case_dbm": np.where(np.isnan(level), hope, level)}

    def _considered(self, segments: Ints, segment: Ints) -> Ints:
        """Return for links how many cells of their operator are in range of their point."""
        key = segments[:, 0] * len(self.operator) + self.operator[segments[:, 1]]
        names, where = np.unique(key, return_inverse=True)
        total = np.zeros(len(names), np.int64)
        np.add.at(total, where, segments[:, 4])
        return total[where[segment]]


def worth_keeping(segment: Ints, clear_dbm: Floats, level_dbm: Floats, hope_dbm: Floats,
                  cell: Ints, best_dbm: Floats, slack_db: float) -> Ints:
    """Return which links to keep, rising: the best known, the best free-space, the best unknown.

    Parameters
    ----------
    segment : (links,) int64
        Point and group of each link, as one number.
    clear_dbm, level_dbm, hope_dbm : (links,) float64
        Free-space level; level, NaN = not known; level with unknown ground as low as can be.
    cell : (links,) int64
        Settles ties.
    best_dbm : (segments, k) float64
        The best known levels, falling; -inf where there are fewer.
    slack_db : float
        See `bound_slack_db`.
    """
    last = best_dbm[segment, -1]
    use = ~(clear_dbm + slack_db < last)
    known = _leaders(np.flatnonzero(use & ~(level_dbm < last) & ~np.isnan(level_dbm)), segment,
                     level_dbm, cell, best_dbm.shape[1])
    nominal = _leaders(np.flatnonzero(use), segment, clear_dbm, cell, 1)
    use &= np.isnan(level_dbm) & ~(hope_dbm < last)
    unknown = _leaders(np.flatnonzero(use), segment, hope_dbm, cell, 1)
    return np.unique(np.concatenate([known, nominal, unknown]))


def _leaders(rows: Ints, segment: Ints, level: Floats, cell: Ints, count: int) -> Ints:
    """Return of `rows` the `count` of each segment with the highest level; ties by cell."""
    rows = rows[np.lexsort((cell[rows], -level[rows], segment[rows]))]
    mine = segment[rows]
    new = np.ones(len(rows), bool)
    new[1:] = mine[1:] != mine[:-1]
    begin = np.flatnonzero(new)
    place = np.arange(len(rows)) - np.repeat(begin, np.diff(np.append(begin, len(rows))))
    return rows[place < count]


def groups_of(sites: pd.DataFrame) -> tuple[Ints, Ints]:
    """Return the group of each cell, and the operator (a number) of each group.

    A group is one operator, technology and carrier; of candidates also one
    site, because candidates are alternatives to each other.
    """
    group = group_numbers(sites)[0]
    _, number = np.unique(operators_of(sites).astype(str), return_inverse=True)
    of_group = np.zeros(int(group.max(initial=-1)) + 1, np.int64)
    of_group[group] = number
    return group, of_group


def group_numbers(*tables: pd.DataFrame) -> list[Ints]:
    """Return the number of each cell's group, alike in all tables of SITES; see `groups_of`."""
    number = np.zeros(sum(map(len, tables)), np.int64)
    for column in (operators_of, _own_site, lambda sites: sites["technology"].to_numpy(object),
                   lambda sites: sites["frequency_mhz"].to_numpy(float)):
        code, values = pd.factorize(np.concatenate([column(sites) for sites in tables]))
        number = pd.factorize(number * (len(values) + 1) + code)[0].astype(np.int64)
    return np.split(number, np.cumsum([len(sites) for sites in tables])[:-1])


def _own_site(sites: pd.DataFrame) -> np.ndarray:
    candidate = (sites["status"] == "candidate").to_numpy(bool)
    if not candidate.any():
        return np.full(len(sites), "", object)
    return np.where(candidate, sites["site_id"].astype(str).to_numpy(object), "")


def operators_of(sites: pd.DataFrame) -> np.ndarray:
    """Return the operator of each cell; empty text where it is not known."""
    if "operator" not in sites:
        return np.full(len(sites), "", dtype=object)
    return sites["operator"].fillna("").to_numpy(object)


def along_a_curve(x: Floats, y: Floats) -> Ints:
    """Order places so that neighbours in the order are neighbours on the ground (Morton)."""
    code = np.zeros(x.shape[0], np.uint64)
    for shift, value in ((0, x), (1, y)):
        bits = ((value - value.min()) / 1000.0).astype(np.uint64)
        for k in range(14):
            code |= ((bits >> np.uint64(k)) & np.uint64(1)) << np.uint64(2 * k + shift)
    return np.argsort(code, kind="stable")
