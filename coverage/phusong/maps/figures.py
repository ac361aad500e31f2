"""The numbers of a briefing, taken from the tables and from nowhere else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from phusong.tables import POINT_KINDS, REASONS, STATUSES, split

__all__ = ["WITHHELD_BELOW", "assumed", "changes", "day_text", "number", "plan_rows", "poor",
           "situation", "target_rows", "withheld"]

WITHHELD_BELOW = 5
"""Counts of poor learners from 1 up to this number (without it) stay out of public pages."""

_PLAN_NUMBERS = ("cost_low", "cost_total", "cost_high", "students_gained", "students_total",
                 "students_exclusive", "poor_students_gained", "people_gained", "points_gained",
                 "students_per_cost", "cumulative_students", "cumulative_points",
                 "cumulative_cost")


def number(value: Any) -> float | int | None:
    """Return a number as JSON holds it: whole where it is whole, None where it is not known."""
    if value is None or pd.isna(value) or np.isinf(value):
        return None
    out = float(value)
    return int(out) if out.is_integer() and abs(out) < 2**53 else out


def day_text(value: Any) -> str | None:
    """Return a date as ``YYYY-MM-DD``, None where it is not known."""
    return None if value is None or pd.isna(value) else pd.Timestamp(value).strftime("%Y-%m-%d")


def withheld(value: float | int | None, public: bool) -> float | int | str | None:
    """Return `value`, or ``"withheld"`` if it is a small count that a public page must not tell."""
    if public and value is not None and 0 < value < WITHHELD_BELOW:
        return "withheld"
    return value


def _column(frame: pd.DataFrame, name: str) -> pd.Series:
    if name in frame.columns:
        return frame[name].astype("float64")
    return pd.Series(np.nan, frame.index, dtype="float64")


def poor(points: pd.DataFrame) -> pd.Series:
    """Return poor and near-poor learners together; NaN only if neither is known."""
    both = pd.concat([_column(points, "learners_poor"), _column(points, "learners_near_poor")],
                     axis=1)
    return both.sum(axis=1, min_count=1)


def _sum(values: NDArray[np.float64]) -> float | int | None:
    """Return the sum of what is known; None if there are rows and none of them is known."""
    return None if len(values) and np.isnan(values).all() else number(np.nansum(values))


def _hide_second(counts: dict[str, dict[str, Any]]) -> None:
    """Withhold one more number where a single withheld one could be found by subtraction."""
    parts = [s for s in STATUSES if counts[s]["poor"] != 0]
    hidden = [s for s in parts if counts[s]["poor"] == "withheld"]
    known = [s for s in parts if isinstance(counts[s]["poor"], int | float)]
    if len(hidden) == 1 and counts["total"]["poor"] not in (None, "withheld"):
        second = min(known, key=lambda s: counts[s]["poor"], default="")
        counts[second or "total"]["poor"] = "withheld"


def _codes(values: pd.Series, known: tuple[str, ...]) -> NDArray[np.int64]:
    """Number of each value among the known ones."""
    codes, found = pd.factorize(values.to_numpy(dtype=object))
    place = {name: i for i, name in enumerate(known)}
    return np.array([place.get(name, len(known)) for name in found], np.int64)[codes]


def situation(points: pd.DataFrame, service: pd.DataFrame, *, public: bool = False
              ) -> dict[str, Any]:
    """Count points, learners and poor learners by status, kind and reason.

    Parameters
    ----------
    points : DataFrame
        POINTS.
    service : DataFrame
        SERVICE; points without a row are counted as ``unknown``.
    public : bool
        Withhold small counts of poor learners.

    Returns
    -------
    dict
        ``status`` -> for each status and ``total``: points, learners, poor (sums of what is
        known, None if nothing is), learners_missing, poor_missing (points that give no number);
        ``kinds`` -> kind -> status -> points;
        ``reasons`` -> rows of status, reason, points, learners.
    """
    # as numbers: comparing the texts of a country thirteen times over takes a second
    status = _codes(service["status"].reindex(points.index).fillna("unknown"), STATUSES)
    reason = _codes(service["reason"].reindex(points.index).fillna("no_site_data"), REASONS)
    learners, needy = _column(points, "learners").to_numpy(), poor(points).to_numpy()
    poor_known = not np.isnan(needy).all()
    people = _column(points, "people").to_numpy() if "people" in points.columns else None

    def count(rows: NDArray[np.bool_]) -> dict[str, Any]:
        return {"points": int(rows.sum()), "learners": _sum(learners[rows]),
                "poor": withheld(_sum(needy[rows]) if poor_known else None, public),
                **({} if people is None else {"people": _sum(people[rows])}),
                "learners_missing": int(np.isnan(learners[rows]).sum()),
                "poor_missing": int(np.isnan(needy[rows]).sum())}

    everything = np.ones(len(points), bool)
    kinds = points["kind"].to_numpy(dtype=object)
    reasons = []
    for state, name in enumerate(STATUSES[1:], start=1):
        for place, why in enumerate(REASONS):
            rows = (status == state) & (reason == place)
            if rows.any():
                reasons.append({"status": name, "reason": why, "points": int(rows.sum()),
                                "learners": _sum(learners[rows])})
    counts = {**{s: count(status == i) for i, s in enumerate(STATUSES)},
              "total": count(everything)}
    _hide_second(counts)
    return {
        "status": counts,
        "kinds": {kind: dict(zip(STATUSES, np.bincount(status[mine], minlength=4).tolist(),
                                 strict=True))
                  for kind in POINT_KINDS for mine in [kinds == kind] if mine.any()},
        "reasons": reasons,
    }


def changes(statuses: Sequence[pd.Series]) -> tuple[list[list[int]], list[list[int]]]:
    """Count the points that became covered, and that ceased to be, between any two dates.

    Parameters
    ----------
    statuses : sequence of Series
        Status of the same points on each date, oldest first.

    Returns
    -------
    gained, lost : list of list of int
        ``gained[to][since]`` points are covered on date `to` and were not on date `since`.
    """
    covered = np.array([s.to_numpy(dtype=object) == "covered" for s in statuses], np.int64)
    other = 1 - covered
    return (covered @ other.T).tolist(), (other @ covered.T).tolist()


def plan_rows(plan: pd.DataFrame, *, public: bool = False, poor_known: bool = True
              ) -> list[dict[str, Any]]:
    """Return PLAN row by row as JSON holds it.

    Parameters
    ----------
    plan : DataFrame
        PLAN.
    public : bool
        Withhold small counts of poor learners.
    poor_known : bool
        Whether any point gives a number of poor learners; if not, a gain of 0
        of them is no figure and becomes None.
    """
    rows = []
    for rank, row in plan.sort_index().iterrows():
        cells: dict[str, Any] = {name: number(row[name]) for name in _PLAN_NUMBERS
                                 if name in plan.columns}
        if "poor_students_gained" in cells:
            cells["poor_students_gained"] = (
                withheld(cells["poor_students_gained"], public) if poor_known else None)
        if "bound" in plan.columns and row["cumulative_weight"] > 0:
            # as a share: a weight may be a count of poor learners in disguise
            cells["bound_share"] = number(max(0.0, row["bound"] / row["cumulative_weight"] - 1.0))
        rows.append({"rank": int(str(rank)), **cells})
    return rows


def target_rows(progress: pd.DataFrame, targets: Any, *, public: bool = False,
                poor_known: bool = True, forecast: pd.DataFrame | None = None
                ) -> list[dict[str, Any]]:
    """Return each target with its figures for every date of PROGRESS.

    Parameters
    ----------
    progress : DataFrame
        PROGRESS, indexed by target and date.
    targets : sequence of Target
        For labels, start and source; a target without one keeps its name.
    public : bool
        Withhold small counts of poor learners.
    poor_known : bool
        Whether any point gives a number of poor learners.
    forecast : DataFrame, optional
        FORECAST; its row of a target goes with it.

    Returns
    -------
    list of dict
        In the order of `targets`, others after them by name.
    """
    known: Mapping[str, Any] = {t.name: t for t in targets}
    names = [n for n in known if n in progress.index.get_level_values("target")]
    names += sorted(set(progress.index.get_level_values("target")) - set(names))
    rows = [_target(name, progress.xs(name, level="target").sort_index(), known.get(name),
                    public, poor_known) for name in names]
    for row in rows:
        if forecast is not None and row["name"] in forecast.index:
            row["forecast"] = _outlook(forecast.loc[row["name"]])
    return rows


def _outlook(row: pd.Series) -> dict[str, Any]:
    days = {n: day_text(row[n]) for n in ("date_low", "date_median", "date_high", "window_from",
                                          "as_of") if n in row.index}
    numbers = {n: number(row[n]) for n in ("pace_per_week", "pace_needed_per_week",
                                           "chance_by_deadline", "remaining") if n in row.index}
    return {**days, **numbers, "reason": str(row.get("reason") or "")}


def _target(name: str, rows: pd.DataFrame, target: Any, public: bool, poor_known: bool
            ) -> dict[str, Any]:
    label = getattr(target, "label", None)
    last = rows.iloc[-1]
    deadline = pd.Timestamp(last["deadline"]) if "deadline" in rows.columns else pd.NaT
    dates = {}
    first_day, first = rows.index[0], int(rows["covered"].iloc[0])
    for day, row in rows.iterrows():
        short = max(0, int(row["goal"]) - int(row["covered"]))
        months = (pd.Timestamp(str(day)) - first_day).days / 30.4375
        left = (deadline - pd.Timestamp(str(day))).days if pd.notna(deadline) else None
        cells = {n: number(row[n]) for n in ("goal", "points", "covered", "uncertain", "uncovered",
                                             "unknown", "learners", "learners_covered",
                                             "learners_poor_uncovered", "locked",
                                             "locked_uncovered", "declared_covered",
                                             "claimed_covered", "measured_covered", "disputed")
                 if n in rows.columns}
        if "learners_poor_uncovered" in cells:
            shown = withheld(cells["learners_poor_uncovered"], public) if poor_known else None
            cells["learners_poor_uncovered"] = shown  # type: ignore[assignment]
        pace = (int(row["covered"]) - first) / months if months >= 1.0 else None
        needed = short / (left / 30.4375) if left and left > 0 and short else None
        dates[pd.Timestamp(str(day)).strftime("%Y-%m-%d")] = {
            **cells, "short": short, "days_left": left, "pace": number(pace),
            "pace_needed": number(needed),
            "evidence": str(row["evidence"]) if "evidence" in rows.columns else ""}
    return {"name": name, "label": {"en": getattr(label, "en", "") or name,
                                    "vi": getattr(label, "vi", "") or name},
            "deadline": day_text(deadline), "since": day_text(first_day),
            "source": getattr(target, "source", "") or "", "dates": dates}


def assumed(frame: pd.DataFrame) -> dict[str, int]:
    """Count for how many rows each column was filled in (from the column ``assumed``)."""
    if "assumed" not in frame.columns:
        return {}
    counts: dict[str, int] = {}
    for cell, times in frame["assumed"].value_counts().items():
        for name in split(cell):
            counts[name] = counts.get(name, 0) + int(times)
    return dict(sorted(counts.items()))
