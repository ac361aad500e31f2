"""From a plan to jobs: what each site needs before a crew can come, and in which order they go."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr

from phusong.errors import Fault, InputError
from phusong.plan.crews import assign, work_done
from phusong.plan.works import KIND_OF_WORK, Works, quarter_start

__all__ = ["STEPS", "Dates", "Jobs", "draw_steps", "jobs_of", "simulate"]

STEPS = ("permit", "power", "track", "build", "commission")
"""What has to happen for a site, in this order; power line and track go on side by side."""

_POWER_ITEMS = ("mv_line", "lv_line")
_TRACK_ITEM = "access_track"

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Jobs:
    """The sites of a plan in the order of priority.

    Parameters
    ----------
    sites : (jobs,) Index
        `site_id`, first in line first.
    intervention : (jobs,) object
        What is built.
    operators : tuple of str
        In alphabetical order.
    team : (jobs,) int64
        Number of each job's operator.
    power_km, track_km : (jobs,) float64
        Power line and access track to build, from the bill.
    capex : (jobs,) float64
        Money committed when the job is released.
    funded : (jobs,) float64
        Day on which the money for it and all before it is there; infinite = never.
    locked : (jobs,) bool
        Whether it serves a locality under distancing.
    urgent : (jobs,) datetime64[D]
        Earliest deadline still ahead of a target that it serves; NaT = none.
    after : tuple of tuple of int
        For each job the jobs whose masts or hops its feeder runs over.
    start : date
        Day 0.
    """

    sites: pd.Index
    intervention: NDArray[np.object_]
    operators: tuple[str, ...]
    team: NDArray[np.int64]
    power_km: Array
    track_km: Array
    capex: Array
    funded: Array
    locked: NDArray[np.bool_]
    urgent: NDArray[np.datetime64]
    after: tuple[tuple[int, ...], ...]
    start: dt.date

    def __len__(self) -> int:
        return len(self.sites)

    def date(self, days: Array) -> NDArray[np.datetime64]:
        """Return the calendar day of each day number, rounded up; never = NaT."""
        whole = np.where(np.isfinite(days), np.ceil(np.round(days, 6)), 0.0).astype(np.int64)
        when = np.datetime64(self.start, "D") + whole
        return np.where(np.isfinite(days), when, np.datetime64("NaT"))


@dataclass(frozen=True, slots=True, eq=False)
class Dates:
    """When things happen, in days after the start; (draws, jobs) float64 each but `crew`.

    Parameters
    ----------
    permitted, released : arrays
        Permit is there; permit and money are there.
    begin, finish : arrays
        The crew comes, and leaves.
    on_air : array
        The site serves.
    crew : (draws, jobs) int64
        Which crew of the operator.
    """

    permitted: Array
    released: Array
    begin: Array
    finish: Array
    on_air: Array
    crew: NDArray[np.int64]


def jobs_of(plan: pd.DataFrame, spots: pd.DataFrame, costs: pd.DataFrame, works: Works, *,
            day: dt.date, locked: pd.Series, urgent: pd.Series,
            feeders: pd.DataFrame | None = None) -> Jobs:
    """Return the jobs of a plan in the order of priority.

    First come sites that serve localities under distancing (if `works` says so),
    then those with the earliest deadline still ahead, then the plan's own order. A
    site over which others reach the network stands where the first of those stands.

    Parameters
    ----------
    plan, spots, costs : DataFrame
        PLAN, SITES (candidates), COSTS.
    works : Works
        Crews, money, start.
    day : date
        Start where `works` names none.
    locked : Series of bool, indexed by site_id
        Whether it serves a locality under distancing.
    urgent : Series of datetime, indexed by site_id
        Earliest deadline still ahead; NaT = none.
    feeders : DataFrame, optional
        FEEDERS of the plan.

    Raises
    ------
    InputError
        If the plan names sites that are not among the candidates or have no price.
    """
    _check(plan, spots, costs)
    start = works.start or day
    names = pd.Index(plan["site_id"])
    lines = pd.DataFrame({
        "last": ~locked.reindex(names).fillna(False).to_numpy(bool) if works.lockdown_first
        else np.zeros(len(names), bool),
        "deadline": urgent.reindex(names).to_numpy(),
        "rank": plan.index.to_numpy()}, index=names)
    order = lines.sort_values(["last", "deadline", "rank"], kind="stable", na_position="last").index
    leans = _leans_on(feeders, order)
    order = _bearers_first(order, leans)
    first = spots.sort_index(kind="stable").groupby("site_id", sort=True)[
        ["operator", "intervention"]].first().loc[order]
    operators = tuple(sorted(set(first["operator"])))
    bill = costs[costs.index.get_level_values("site_id").isin(order)]
    capex = bill["capex_base"].groupby(level="site_id").sum().loc[order].to_numpy(np.float64)
    power, track = (_amount(bill, items, order) for items in (_POWER_ITEMS, (_TRACK_ITEM,)))
    return Jobs(
        sites=order, intervention=first["intervention"].to_numpy(object), operators=operators,
        team=np.array([operators.index(o) for o in first["operator"]], np.int64),
        power_km=power, track_km=track, capex=capex,
        funded=_funded(capex, works, start),
        locked=locked.reindex(order).fillna(False).to_numpy(bool),
        urgent=urgent.reindex(order).to_numpy().astype("datetime64[D]"),
        after=tuple(tuple(sorted(order.get_indexer(sorted(leans[name])))) for name in order),
        start=start)


def _leans_on(feeders: pd.DataFrame | None, sites: pd.Index) -> dict[str, set[str]]:
    """Return for each site the others that build a hop of its way to the network."""
    found: dict[str, set[str]] = {name: set() for name in sites}
    if feeders is not None and len(feeders):
        users = feeders.index.get_level_values("site_id")
        for user, payer in zip(users, feeders["paid_by"], strict=True):
            if user != payer and user in found and payer in found:
                found[user].add(payer)
    return found


def _bearers_first(order: pd.Index, leans: dict[str, set[str]]) -> pd.Index:
    """Move whatever a site leans on in front of it; the rest of the order stays."""
    line: list[str] = []
    for name in order:
        for one in (*(n for n in order if n in leans[name]), name):
            if one not in line:
                line.append(one)
    return pd.Index(line)


def _amount(bill: pd.DataFrame, items: tuple[str, ...], order: pd.Index) -> Array:
    """Return how much of some items each site's bill has, (jobs,)."""
    mine = bill.loc[bill.index.get_level_values("item").isin(items), "quantity"]
    return mine.groupby(level="site_id").sum().reindex(order).fillna(0.0).to_numpy(np.float64)


def _check(plan: pd.DataFrame, spots: pd.DataFrame, costs: pd.DataFrame) -> None:
    found = []
    for what, known, cure in (
            ("candidates", set(spots["site_id"]) if len(spots) else set(),
             "Give the same candidates that were ranked."),
            ("priced sites", set(costs.index.get_level_values("site_id")),
             "Give the same COSTS that were ranked.")):
        lost = [s for s in plan["site_id"] if s not in known]
        if lost:
            found.append(Fault("unknown_site", f"{len(lost)} sites of the plan are not among the "
                               f"{what}, first {lost[0]!r}.", cure))
    if found:
        raise InputError.of(found)


def _funded(capex: Array, works: Works, start: dt.date) -> Array:
    """Return the day on which the money for each job and all before it is there.

    Money goes down the line: a job never takes what one before it waits for.
    """
    if not works.budget:
        return np.zeros(len(capex))
    days = np.array([(quarter_start(q) - start).days for q in works.budget], np.float64)
    there = np.cumsum(list(works.budget.values()))
    need = np.cumsum(capex)
    which = np.searchsorted(there, need * (1.0 - 1e-12), side="left")
    when = np.append(np.maximum(days, 0.0), np.inf)
    return when[which]


def draw_steps(jobs: Jobs, works: Works) -> dict[str, Array]:
    """Draw how long every step of every job takes: (draws + 1, jobs) float64 each.

    Row 0 holds the most likely durations. A step's quantile is that of
    ``sqrt(shared) common + sqrt(1 - shared) own`` with standard normal `common`
    (one for each draw and step) and `own` (one for each draw, step and job),
    so that the durations keep their distribution whatever `shared` is.
    """
    random = np.random.default_rng(works.seed)
    kinds = [KIND_OF_WORK.get(str(i), "upgrade") for i in jobs.intervention]
    found = {}
    for step in STEPS:
        common = random.standard_normal((works.draws, 1))
        own = random.standard_normal((works.draws, len(jobs)))
        level = ndtr(np.sqrt(works.shared) * common + np.sqrt(1.0 - works.shared) * own)
        found[step] = _days(step, kinds, jobs, works, level)
    return found


def _days(step: str, kinds: list[str], jobs: Jobs, works: Works, level: Array) -> Array:
    out = np.zeros((level.shape[0] + 1, level.shape[1]))

    def add(name: str, times: Array) -> None:
        duration = works.duration(name)
        out[0] += times * duration.base
        out[1:] += times * duration.quantile(level)

    if step in ("permit", "build"):
        for kind in sorted(set(kinds)):
            add(f"{step}.{kind}", np.array([k == kind for k in kinds], np.float64))
    elif step == "power":
        add("power.line", (jobs.power_km > 0.0).astype(np.float64))
        add("power.km", jobs.power_km)
    elif step == "track":
        add("road.km", jobs.track_km)
    else:
        add("commission.site", np.ones(len(jobs)))
    return out


def simulate(jobs: Jobs, works: Works, steps: dict[str, Array]) -> Dates:
    """Return when everything happens for every draw of the steps.

    A site is on air when the sites that its feeder runs over are.
    """
    permitted = steps["permit"]
    released = np.maximum(permitted, jobs.funded)
    leaning = [j for j in range(len(jobs)) if jobs.after[j]]
    crews = np.array([works.crews_of.get(o, works.crews) for o in jobs.operators], np.int64)
    done = work_done(jobs.start, works.rainy_months, works.rainy_pace)
    begin, finish, crew = assign(released, np.maximum(steps["power"], steps["track"]),
                                 steps["build"], jobs.team, crews, done)
    on_air = finish + steps["commission"]
    for j in leaning:       # what a site leans on stands before it in the line
        on_air[:, j] = np.maximum(on_air[:, j], on_air[:, list(jobs.after[j])].max(axis=1))
    return Dates(permitted, released, begin, finish, on_air, crew)


def certain(steps: dict[str, Array], job: int) -> dict[str, Array]:
    """Return the same draws with one job's steps as most likely as row 0 has them."""
    out = {}
    for name, days in steps.items():
        changed = days.copy()
        changed[:, job] = days[0, job]
        out[name] = changed
    return out


def without_first(dates: Dates) -> Dates:
    """Return the draws without row 0, which holds the most likely durations."""
    return replace(dates, **{name: getattr(dates, name)[1:] for name in Dates.__slots__})
