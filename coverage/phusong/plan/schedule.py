"""`schedule`: dates for a plan; `deadlines`: are targets met; `risks`: which jobs decide."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from phusong.plan.goal import Goal
from phusong.plan.jobs import (
    Array,
    Dates,
    Jobs,
    certain,
    draw_steps,
    jobs_of,
    simulate,
    without_first,
)
from phusong.plan.works import Works
from phusong.progress import Target, members
from phusong.service import Need, serves
from phusong.tables import DEADLINES, RISKS, SCHEDULE, empty

__all__ = ["deadlines", "risks", "schedule"]

_SCREENED = 40
_QUANTILES = {"p10": 0.1, "p50": 0.5, "p90": 0.9}


@dataclass(frozen=True, slots=True, eq=False)
class _Case:
    """The jobs of a plan, and what they mean for the points."""

    jobs: Jobs
    works: Works
    steps: dict[str, Array]
    serving: dict[str, sparse.csr_matrix]
    points: pd.DataFrame
    targets: tuple[Target, ...]


def _site_by_point(plan: pd.DataFrame, points: pd.DataFrame, spots: pd.DataFrame,
                   reach: pd.DataFrame, need: Need) -> sparse.csr_matrix:
    """Return which site of the plan serves which point, (sites of the plan, points)."""
    names = pd.Index(plan["site_id"])
    shape = (len(names), len(points))
    if not len(reach) or not len(names):
        return sparse.csr_matrix(shape)
    good = reach.index[serves(reach, need).to_numpy(bool)]
    site = names.get_indexer(spots["site_id"].reindex(good.get_level_values("cell_id")))
    point = points.index.get_indexer(good.get_level_values("point_id"))
    keep = (site >= 0) & (point >= 0)
    out = sparse.csr_matrix((np.ones(int(keep.sum())), (site[keep], point[keep])), shape=shape)
    out.data[:] = 1.0
    return out


def _ahead(targets: Iterable[Target], start: dt.date) -> list[Target]:
    return sorted((t for t in targets if t.deadline >= start), key=lambda t: (t.deadline, t.name))


def _case(plan: pd.DataFrame, points: pd.DataFrame, spots: pd.DataFrame, reach: pd.DataFrame,
          costs: pd.DataFrame, goal: Goal, works: Works, targets: Iterable[Target],
          day: dt.date, feeders: pd.DataFrame | None) -> _Case:
    targets = tuple(targets)
    start = works.start or day
    needs = {need.name: need for need in (goal.need, *(t.need for t in targets))}
    names = pd.Index(plan["site_id"])
    serving = {name: _site_by_point(plan, points, spots, reach, need)
               for name, need in needs.items()}
    urgent = pd.Series(pd.NaT, index=names, dtype="datetime64[s]")
    for target in reversed(_ahead(targets, start)):
        inside = members(points, target).to_numpy(np.float64)
        mine = np.asarray(serving[target.need.name] @ inside).ravel() > 0.0
        urgent[mine] = pd.Timestamp(target.deadline)
    under = _under_distancing(points, start).to_numpy(np.float64)
    locked = pd.Series(np.asarray(serving[goal.need.name] @ under).ravel() > 0.0, index=names)
    jobs = jobs_of(plan, spots, costs, works, day=day, locked=locked, urgent=urgent,
                   feeders=feeders)
    line = names.get_indexer(jobs.sites)
    return _Case(jobs, works, draw_steps(jobs, works),
                 {name: matrix[line] for name, matrix in serving.items()}, points, targets)


def _under_distancing(points: pd.DataFrame, day: dt.date) -> pd.Series:
    if "lockdown_from" not in points.columns:
        return pd.Series(False, index=points.index)
    until = points["lockdown_to"] if "lockdown_to" in points.columns else pd.Series(
        pd.NaT, index=points.index)
    when = pd.Timestamp(day)
    return (points["lockdown_from"] <= when) & ~(until < when)


def schedule(plan: pd.DataFrame, points: pd.DataFrame, spots: pd.DataFrame, reach: pd.DataFrame,
             costs: pd.DataFrame, goal: Goal, works: Works, *, targets: Iterable[Target] = (),
             day: dt.date, feeders: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return dates for every site of a plan: SCHEDULE.

    A site waits for its permit and its money, then for power line and track, then
    for a crew of its operator; rain slows outdoor work. The order: localities
    under distancing, then the earliest deadline still ahead, then the rank.

    Parameters
    ----------
    plan : DataFrame
        PLAN, as `rank` returns it.
    points : DataFrame
        POINTS; those of the gaps are enough.
    spots, reach, costs : DataFrame
        Candidates, their LINKS to the gaps and their COSTS.
    goal : Goal
        Its definition of covered says which points a site serves.
    works : Works
        Crews, lead times, rain, money.
    targets : iterable of Target
        Dated promises; those still ahead set the order.
    day : date
        First day of work where `works` names none.
    feeders : DataFrame, optional
        FEEDERS of the plan: a site is on air when those that its feeder runs over are.

    Returns
    -------
    DataFrame
        SCHEDULE, indexed by `site_id`, in the order of priority: the dates that the
        most likely durations give, and the days by which the site is on air with
        10, 50 and 90 % probability. A date that never comes is empty.

    Raises
    ------
    InputError
        If the tables do not belong together.
    """
    if not len(plan):
        return empty(SCHEDULE)
    case = _case(plan, points, spots, reach, costs, goal, works, targets, day, feeders)
    jobs, dates = case.jobs, simulate(case.jobs, works, case.steps)
    air = dates.on_air[1:]
    gained = plan.set_index("site_id").loc[jobs.sites]
    quantiles = {f"on_air_{name}": jobs.date(np.quantile(air, q, axis=0, method="higher"))
                 for name, q in _QUANTILES.items()}
    out = pd.DataFrame({
        "turn": np.arange(1, len(jobs) + 1), "rank": _ranks(plan, jobs),
        "intervention": jobs.intervention, "operator": [jobs.operators[t] for t in jobs.team],
        "crew": dates.crew[0] + 1, "first_because": _because(jobs, works),
        "capex": jobs.capex, "funded": jobs.date(jobs.funded),
        "permitted": jobs.date(dates.permitted[0]), "crew_from": jobs.date(dates.begin[0]),
        "crew_until": jobs.date(dates.finish[0]), "on_air": jobs.date(dates.on_air[0]),
        **quantiles, "students_gained": gained["students_gained"].to_numpy(),
        "points_gained": gained["points_gained"].to_numpy(),
    }, index=jobs.sites.rename("site_id"))
    days = [c.name for c in SCHEDULE.columns.values() if c.kind == "date"]
    return out.astype(dict.fromkeys(days, "datetime64[s]"))


def _ranks(plan: pd.DataFrame, jobs: Jobs) -> NDArray[np.int64]:
    rank = pd.Series(plan.index.to_numpy(), index=plan["site_id"])
    return rank.loc[jobs.sites].to_numpy(np.int64)


def _because(jobs: Jobs, works: Works) -> list[str]:
    return ["lockdown" if locked and works.lockdown_first else
            "rank" if np.isnat(urgent) else "deadline"
            for locked, urgent in zip(jobs.locked, jobs.urgent, strict=True)]


@dataclass(frozen=True, slots=True, eq=False)
class _Wanted:
    """What a target still needs: points open today, and how many of them must close."""

    target: Target
    covered: int
    points: int
    need: int
    open: NDArray[np.int64]

    @classmethod
    def of(cls, target: Target, points: pd.DataFrame, service: pd.DataFrame) -> _Wanted:
        inside = members(points, target).to_numpy(bool)
        status = service["status"].reindex(points.index)
        covered = int((inside & (status == "covered").to_numpy()).sum())
        count = int(inside.sum())
        goal = count if target.goal is None else target.goal
        left = inside & ~(status == "covered").to_numpy()
        return cls(target, covered, count, max(goal - covered, 0), np.flatnonzero(left))

    def reached(self, serving: sparse.csr_matrix, on_air: Array) -> Array:
        """Return the day on which the goal is reached, (draws,) float64; infinite = never."""
        if self.need == 0:
            return np.zeros(len(on_air))
        mine = serving[:, self.open].tocsc()
        closed = np.full((len(on_air), len(self.open)), np.inf)
        for k in range(len(self.open)):
            by = mine.indices[mine.indptr[k]:mine.indptr[k + 1]]
            if len(by):
                closed[:, k] = on_air[:, by].min(axis=1)
        if self.need > len(self.open):
            return np.full(len(on_air), np.inf)
        return np.partition(closed, self.need - 1, axis=1)[:, self.need - 1]

    def closable(self, serving: sparse.csr_matrix) -> int:
        """Return how many of the open points some site of the plan serves."""
        return int((np.asarray(serving[:, self.open].sum(axis=0)).ravel() > 0.0).sum())


def deadlines(plan: pd.DataFrame, points: pd.DataFrame, spots: pd.DataFrame, reach: pd.DataFrame,
              costs: pd.DataFrame, goal: Goal, works: Works, *, targets: Iterable[Target],
              services: Mapping[str, pd.DataFrame], day: dt.date,
              feeders: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return for each target whether the plan meets its deadline: DEADLINES.

    Parameters
    ----------
    plan, spots, reach, costs, goal, works, day, feeders
        As given to `schedule`.
    points : DataFrame
        POINTS, all of them: the targets are counted.
    targets : iterable of Target
        Dated promises.
    services : mapping of definition name to DataFrame
        SERVICE of all points today, for every definition that a target names.

    Returns
    -------
    DataFrame
        DEADLINES, indexed by target: how many points are covered today, how many
        the plan can close and must close, the date the goal is reached with the most
        likely durations and with 50 and 90 % probability, and the probability of
        meeting the deadline over the draws of `works`; in `reason` why it cannot be met.

    Notes
    -----
    Whether a site serves a point is taken as certain here; the uncertainty is that
    of durations alone, and the durations are as `works` states them.
    """
    targets = tuple(targets)
    if not targets:
        return empty(DEADLINES)
    case = _case(plan, points, spots, reach, costs, goal, works, targets, day, feeders)
    dates = simulate(case.jobs, works, case.steps)
    rows = []
    for target in targets:
        wanted = _Wanted.of(target, points, services[target.need.name])
        rows.append(_verdict(case, wanted, dates))
    out = pd.DataFrame(rows).set_index("target")
    days = [c.name for c in DEADLINES.columns.values() if c.kind == "date"]
    return out.astype(dict.fromkeys(days, "datetime64[s]"))


def _verdict(case: _Case, wanted: _Wanted, dates: Dates) -> dict[str, object]:
    serving = case.serving[wanted.target.need.name]
    when = wanted.reached(serving, dates.on_air)
    closable = wanted.closable(serving)
    deadline = (wanted.target.deadline - case.jobs.start).days
    if wanted.need == 0:
        reason, share = "reached", 1.0
    elif closable < wanted.need:
        reason, share = "plan_closes_too_few", 0.0
    elif deadline < 0:
        reason, share = "deadline_passed", 0.0
    elif not np.isfinite(when[1:]).any():
        reason, share = "no_money", 0.0
    else:
        reason, share = "", float((np.ceil(np.round(when[1:], 6)) <= deadline).mean())
    quantile = [np.quantile(when[1:], q, method="higher") for q in (0.5, 0.9)]
    day = case.jobs.date(np.array([when[0], *quantile]))
    return {"target": wanted.target.name, "deadline": np.datetime64(wanted.target.deadline, "D"),
            "goal": wanted.covered + wanted.need, "covered": wanted.covered,
            "needed": wanted.need, "closable": closable, "reached": day[0],
            "reached_p50": day[1], "reached_p90": day[2], "probability": share,
            "reason": reason}


def risks(plan: pd.DataFrame, points: pd.DataFrame, spots: pd.DataFrame, reach: pd.DataFrame,
          costs: pd.DataFrame, goal: Goal, works: Works, *, targets: Iterable[Target],
          services: Mapping[str, pd.DataFrame], day: dt.date,
          feeders: pd.DataFrame | None = None, most: int = 10) -> pd.DataFrame:
    """Return the jobs that carry the risk of each deadline: RISKS.

    A job's risk is what would be won if it alone took its most likely time in
    every draw, all else as drawn: fewer days late on average, and a higher
    probability of meeting the deadline. Looked at are the forty jobs whose own
    durations go most with the date of completion.

    Parameters
    ----------
    plan, points, spots, reach, costs, goal, works, targets, services, day, feeders
        As given to `deadlines`.
    most : int
        How many jobs to name for each target.

    Returns
    -------
    DataFrame
        RISKS, indexed by (target, place), the greatest risk first; a target that is
        reached, or that the plan cannot reach, has none.
    """
    targets = tuple(targets)
    if not targets or not len(plan):
        return empty(RISKS)
    case = _case(plan, points, spots, reach, costs, goal, works, targets, day, feeders)
    dates = without_first(simulate(case.jobs, works, case.steps))
    frames = []
    for target in targets:
        wanted = _Wanted.of(target, points, services[target.need.name])
        when = wanted.reached(case.serving[target.need.name], dates.on_air)
        if wanted.need and np.isfinite(when).all():
            frames.append(_carriers(case, wanted, when).head(most).assign(target=target.name))
    frames = [f for f in frames if len(f)]
    if not frames:
        return empty(RISKS)
    out = pd.concat(frames)
    out["place"] = out.groupby("target", sort=False).cumcount() + 1
    return out.set_index(["target", "place"])[list(RISKS.columns)]


def _carriers(case: _Case, wanted: _Wanted, when: Array) -> pd.DataFrame:
    """Return the jobs by what their certainty would win, the most first."""
    deadline = (wanted.target.deadline - case.jobs.start).days
    serving = case.serving[wanted.target.need.name]
    own = np.asarray(sum(case.steps.values()), np.float64)[1:]
    together = np.abs((own - own.mean(axis=0)).T @ (when - when.mean()))
    late, met = _late(when, deadline)
    rows = []
    for job in np.argsort(-together, kind="stable")[:_SCREENED]:
        changed = without_first(simulate(case.jobs, case.works, certain(case.steps, int(job))))
        then_late, then_met = _late(wanted.reached(serving, changed.on_air), deadline)
        rows.append({"site_id": case.jobs.sites[job],
                     "intervention": case.jobs.intervention[job],
                     "days_won": late - then_late, "probability_won": then_met - met,
                     "days_spread": float(np.subtract(*np.quantile(own[:, job], [0.9, 0.1])))})
    found = pd.DataFrame(rows, columns=["site_id", "intervention", "days_won", "probability_won",
                                        "days_spread"])
    found = found[found["days_won"] > 1e-9]
    return found.sort_values(["days_won", "probability_won", "site_id"],
                             ascending=[False, False, True], kind="stable")


def _late(when: Array, deadline: int) -> tuple[float, float]:
    """Return the mean of days late, and the share of draws that are in time."""
    day = np.ceil(np.round(when, 6))
    return float(np.maximum(day - deadline, 0.0).mean()), float((day <= deadline).mean())
