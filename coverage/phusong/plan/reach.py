"""From the tables to the covering problem: which candidate serves which gap."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from phusong.errors import Fault, InputError
from phusong.plan.goal import GRAIN, Goal, weights
from phusong.plan.problem import Problem
from phusong.service import levels

__all__ = ["SitesAndPoints", "covering_problem"]

_LEVELS = 20
_COSTS = ("present_value_low", "present_value_base", "present_value_high")


@dataclass(frozen=True, slots=True, eq=False)
class SitesAndPoints:
    """A covering problem together with the names behind its numbers.

    Parameters
    ----------
    problem : Problem
        Sites in alphabetical order of `site_id`, points of `point_id`.
    sites : DataFrame
        Indexed by site_id: intervention, place, cost_low, cost_total, cost_high, currency.
    points : DataFrame
        The gaps, in alphabetical order.
    row : (problem points,) int64
        Which gap each point of the problem is, or is a part of.
    part : (problem points,) float64
        Which part of the gap's learners it stands for: 1, or under
        ``counts: expected`` a step of probability.
    closes : (problem points,) bool
        Whether reaching it means that the gap is covered.
    """

    problem: Problem
    sites: pd.DataFrame
    points: pd.DataFrame
    row: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    part: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    closes: NDArray[np.bool_] = field(default_factory=lambda: np.empty(0, bool))

    def __post_init__(self) -> None:
        if not len(self.row):
            count = self.problem.points
            object.__setattr__(self, "row", np.arange(count))
            object.__setattr__(self, "part", np.ones(count))
            object.__setattr__(self, "closes", np.ones(count, bool))


def _used(links: pd.DataFrame, level: str) -> pd.Index:
    """Return each name that occurs in a level of the index, once."""
    if not isinstance(links.index, pd.MultiIndex):
        return pd.Index([])
    number = links.index.names.index(level)
    codes = np.unique(links.index.codes[number])
    return links.index.levels[number][codes[codes >= 0]]


def _numbers(links: pd.DataFrame, level: str, names: pd.Index) -> NDArray[np.int64]:
    """Return for each link where its name stands in `names`, -1 = nowhere."""
    number = links.index.names.index(level)
    where = names.get_indexer(links.index.levels[number])
    return where[links.index.codes[number]]


def _check(gaps: pd.DataFrame, spots: pd.DataFrame, reach: pd.DataFrame,
           costs: pd.DataFrame) -> None:
    found = []
    lost = _used(reach, "cell_id").difference(spots.index)
    if len(lost):
        found.append(Fault("unknown_cell", f"the reach names {len(lost)} cells that are not among "
                           f"the candidates, first {lost[0]!r}.",
                           "Link the same candidates that you rank."))
    lost = _used(reach, "point_id").difference(gaps.index)
    if len(lost):
        found.append(Fault("unknown_point", f"the reach names {len(lost)} points that are not "
                           f"among the gaps, first {lost[0]!r}.",
                           "Link the same gaps that you rank; a covered point never counts."))
    lost = pd.Index(spots["site_id"].unique()).difference(_used(costs, "site_id"))
    if len(lost):
        found.append(Fault("no_price", f"{len(lost)} candidate sites have no price, first "
                           f"{lost[0]!r}.", "Price the same candidates that you rank: nothing "
                           "is built for free."))
    if len(costs["currency"].unique()) > 1:
        found.append(Fault("two_currencies", "the costs are in "
                           f"{', '.join(sorted(costs['currency'].unique()))}.",
                           "Price all candidates in one currency."))
    if found:
        raise InputError.of(found)


def _sites(spots: pd.DataFrame, costs: pd.DataFrame, goal: Goal) -> pd.DataFrame:
    cells = spots.sort_index(kind="stable")
    for name in ("intervention", "place", "variant_of"):
        if name not in cells.columns:
            cells = cells.assign(**{name: np.nan})
    first = cells.groupby("site_id", sort=True)[["intervention", "place", "variant_of",
                                                 "geometry"]].first()
    priced = costs.sort_index().groupby(level="site_id")[list(_COSTS)].sum()
    out = first.drop(columns="geometry").assign(
        x=[p.x for p in first["geometry"]], y=[p.y for p in first["geometry"]],
        cost_low=priced["present_value_low"], cost_total=priced["present_value_base"],
        cost_high=priced["present_value_high"],
        currency=str(costs["currency"].iloc[0]) if len(costs) else "",
        satellite=(cells["technology"] == "SAT").groupby(cells["site_id"]).all())
    if goal.interventions:
        out = out[out["intervention"].isin(goal.interventions)]
    return out[~out["satellite"]] if goal.satellite == "never" else out


def _groups(sites: pd.DataFrame, goal: Goal) -> NDArray[np.int64]:
    if not goal.one_per_place:
        return np.full(len(sites), -1, np.int64)
    here = ("at " + sites["x"].round().astype("int64").astype(str) + " "
            + sites["y"].round().astype("int64").astype(str))
    names = sites["variant_of"].astype("object").where(sites["variant_of"].notna(), here)
    codes, _ = pd.factorize(names.astype(str), sort=True)
    alone = np.bincount(codes, minlength=1)[codes] == 1
    return np.where(alone, -1, codes).astype(np.int64)


def covering_problem(gaps: pd.DataFrame, spots: pd.DataFrame, reach: pd.DataFrame,
                     costs: pd.DataFrame, goal: Goal) -> SitesAndPoints:
    """Build the covering problem of a plan.

    A candidate site reaches a gap if one of its cells would cover it, as
    `phusong.service.serves` says; under ``counts: expected`` it reaches the part
    of it that its probability is.

    Parameters
    ----------
    gaps : DataFrame
        POINTS that are not covered today.
    spots : GeoDataFrame
        SITES (candidates).
    reach : DataFrame
        LINKS from `spots` to `gaps`.
    costs : DataFrame
        COSTS of `spots`.
    goal : Goal
        Weights, definition of covered, which rungs may be used.

    Raises
    ------
    InputError
        If the tables do not belong together; all faults at once.
    """
    _check(gaps, spots, reach, costs)
    points = gaps.sort_index(kind="stable")
    sites = _sites(spots, costs, goal)
    chance = levels(reach, goal.need)["probability"].to_numpy(float) if len(reach) else np.empty(0)
    least = goal.need.probability if goal.counts == "covered" else 1e-9
    good, chance = reach[chance >= least], chance[chance >= least]
    if len(good):
        site_of = sites.index.get_indexer(pd.Index(spots["site_id"]))
        column = site_of[_numbers(good, "cell_id", spots.index)]
        row = _numbers(good, "point_id", points.index)
    else:
        row = column = np.zeros(0, np.int64)
    inside = column >= 0
    if goal.satellite == "last":
        inside &= _first_resort(row, column, chance >= goal.need.probability,
                                sites["satellite"].to_numpy(bool), len(points))
    row, column, chance = row[inside], column[inside], chance[inside]
    if goal.counts == "expected":
        return _expected(row, column, chance, sites, points, goal)
    matrix = sparse.csc_matrix((np.ones(len(row), np.int8), (row, column)),
                               shape=(len(points), len(sites)))
    problem = Problem.of(matrix.indptr, matrix.indices, weights(points, goal),
                         sites["cost_total"], _groups(sites, goal))
    return SitesAndPoints(problem, sites, points)


def _first_resort(row: NDArray[np.int64], column: NDArray[np.int64], serves: NDArray[np.bool_],
                  satellite: NDArray[np.bool_], points: int) -> NDArray[np.bool_]:
    """Tell which links count where a terminal is the last resort.

    All but those of satellite terminals to points that something else would cover.
    """
    inside = column >= 0
    sky = inside & satellite[column] if len(satellite) else inside
    other = np.zeros(points, bool)
    other[row[inside & serves & ~sky]] = True
    return ~(sky & other[row])


def _expected(row: NDArray[np.int64], column: NDArray[np.int64], chance: NDArray[np.float64],
              sites: pd.DataFrame, points: pd.DataFrame, goal: Goal) -> SitesAndPoints:
    """Build the problem in which a gap is worth the probability of the best site that is built.

    Each gap becomes one point for each step of probability; a site reaches the
    steps up to its own. Reaching a step twice counts once, so that the steps
    reached sum up to the highest probability.
    """
    steps = np.unique(np.append(np.arange(1, _LEVELS + 1) / _LEVELS, goal.need.probability))
    today = (points["probability"].fillna(0.0).to_numpy(float) if "probability" in points.columns
             else np.zeros(len(points)))
    top = np.searchsorted(steps, chance, side="right")
    own = np.concatenate([np.arange(1, k + 1) for k in top]) - 1 if len(top) else top
    link = np.repeat(np.arange(len(row)), top)
    names, where = np.unique(row[link] * len(steps) + own, return_inverse=True)
    gap, step = names // len(steps), names % len(steps)
    low = np.maximum(np.concatenate([[0.0], steps])[step], today[gap])
    part = np.maximum(steps[step] - low, 0.0)
    worth = weights(points, goal).to_numpy(float)[gap] * part
    matrix = sparse.csc_matrix((np.ones(len(link), np.int8), (where, column[link])),
                               shape=(len(names), len(sites)))
    problem = Problem.of(matrix.indptr, matrix.indices, np.round(worth * GRAIN) / GRAIN,
                         sites["cost_total"], _groups(sites, goal))
    return SitesAndPoints(problem, sites, points, gap.astype(np.int64), part,
                          steps[step] == goal.need.probability)
