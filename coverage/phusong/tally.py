"""Counting progress: per target and day, by place, operator and kind, and what changed since."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from phusong.progress import Target, locked_on, on_list
from phusong.service import Need, assess
from phusong.tables import BREAKDOWN, BY, FLOWS, PROGRESS, SERVICE, STATUSES, empty, split

__all__ = ["Beside", "break_down", "by_operator", "flows", "listed", "services_of", "track"]

Services = Mapping[dt.date, Mapping[str, pd.DataFrame]]
"""SERVICE of all points by day and by name of the definition."""

_BESIDE = {"claimed": ("covered", "uncovered"), "declared": ("covered", "uncovered"),
           "measured": ("covered", "uncertain", "uncovered")}
_TEXTS = ("reason", "best_cell_id", "operators")
_PLACES = (("province", "province_code"), ("commune", "commune_code"), ("kind", "kind"),
           ("label", "commune_name"))
_LOOKED_AT = (*(column for _, column in _PLACES), "learners", "learners_poor",
              "learners_near_poor", "lockdown_from", "lockdown_to")


@dataclass(frozen=True, slots=True)
class Beside:
    """What is known beside the model; every part may be absent, none is ever mixed with another.

    Parameters
    ----------
    claimed, declared, measured : mapping of date to mapping of definition to DataFrame
        SERVICE (at least ``status`` and ``operators``) on each evidence: operators' claims
        point by point, their footprints, measurements on site.
    by_operator : mapping of operator to mapping of date to mapping of definition to DataFrame
        SERVICE by the model from the cells of one operator alone.
    registers : mapping of date to DataFrame
        The register of gap points as it stood (`Ledger.gaps`).
    """

    claimed: Services = field(default_factory=dict)
    declared: Services = field(default_factory=dict)
    measured: Services = field(default_factory=dict)
    by_operator: Mapping[str, Services] = field(default_factory=dict)
    registers: Mapping[dt.date, pd.DataFrame] = field(default_factory=dict)


def listed(points: Any, targets: Iterable[Target],
           register: pd.DataFrame | None = None) -> pd.Index:
    """Return the points that any target lists; `register` as for `on_list`."""
    found = points.index[:0]
    for target in targets:
        found = found.union(on_list(points, target, register))
    return found[points.index.get_indexer(found) >= 0]


def by_operator(points: Any, links: pd.DataFrame, targets: Iterable[Target],
                register: pd.DataFrame | None = None, *,
                operators: Iterable[str] | None = None) -> pd.DataFrame:
    """Judge the points of every target by the cells of each operator alone.

    Parameters
    ----------
    points, links
        As for `phusong.service.assess`.
    targets : iterable of Target
        Their points are judged, by their definitions with one operator needed.
    register : DataFrame, optional
        See `on_list`.
    operators : iterable of str, optional
        Who is judged; None = everybody in `links`.

    Returns
    -------
    DataFrame
        SERVICE with a column ``operator``: one row for each point, definition and operator.
    """
    names = sorted(set(links["operator"].dropna() if operators is None else operators) - {""})
    wanted: dict[str, tuple[Need, pd.Index]] = {}
    for target in targets:
        need, ids = wanted.get(target.need.name, (target.need, points.index[:0]))
        wanted[need.name] = need, ids.union(on_list(points, target, register))
    frames = []
    for need, ids in wanted.values():
        alone = need.model_copy(update={"operators_needed": 1})
        here = points[ids.get_indexer(points.index) >= 0]
        own = links[here.index.get_indexer(links.index.get_level_values("point_id")) >= 0]
        operator = own["operator"].to_numpy(object)
        frames += [assess(here, own[operator == name], alone).assign(operator=name)
                   for name in names]
    return pd.concat(frames) if frames else empty(SERVICE).assign(operator="")


def services_of(snapshots: pd.DataFrame, operator: str = "") -> dict[dt.date,
                                                                     dict[str, pd.DataFrame]]:
    """Return SERVICE by day and definition from one long table of snapshots.

    Parameters
    ----------
    snapshots : DataFrame
        SERVICE with ``date`` and ``operator`` (empty = all operators together).
    operator : str
        Whose cells.
    """
    found: dict[dt.date, dict[str, pd.DataFrame]] = {}
    rows = snapshots[(snapshots["operator"] == operator).to_numpy(bool)]
    for (day, definition), frame in rows.groupby(["date", "definition"], sort=True):
        found.setdefault(pd.Timestamp(day).date(), {})[str(definition)] = frame.drop(
            columns=["date", "operator"])
    return found


def track(points: pd.DataFrame, services: Services, targets: Iterable[Target], *,
          beside: Beside | None = None,
          only: Collection[dt.date] | None = None) -> pd.DataFrame:
    """Count every target on every snapshot.

    Parameters
    ----------
    points : DataFrame
        POINTS.
    services : mapping of date to mapping of definition name to DataFrame
        SERVICE of all points on each day, by the name of the definition.
    targets : iterable of Target
        What was promised.
    beside : Beside, optional
        Claims, footprints, measurements and the register of gap points.
    only : collection of date, optional
        Days to give rows of; None = every snapshot.

    Returns
    -------
    DataFrame
        PROGRESS, indexed by (target, date).  An unknown is counted as unknown,
        never as uncovered; so is a point that only the register knows.  On
        every row ``points`` = the four statuses together, and against the row
        before: points = before + joined - left, and
        covered = before + won - lost + joined_covered - left_covered.
    """
    rows = []
    for target in targets:
        before: pd.DataFrame | None = None
        for day, sheet in _sheets(points, services, target, beside or Beside()):
            if only is None or day in only:
                counts = _counts(sheet, before, None).iloc[0]
                goal = len(sheet) if target.goal is None else target.goal
                rows.append({"target": target.name, "date": pd.Timestamp(day), "goal": goal,
                             **counts.to_dict(), "since": _since(before),
                             "deadline": pd.Timestamp(target.deadline), "evidence": "modelled"})
            before = sheet
    return _typed(rows, PROGRESS)


def break_down(points: pd.DataFrame, services: Services, targets: Iterable[Target], *,
               beside: Beside | None = None, by: Sequence[str] = BY,
               only: Collection[dt.date] | None = None) -> pd.DataFrame:
    """Count every target on every snapshot by province, commune, operator and kind.

    Parameters
    ----------
    points, services, targets, beside, only
        As for `track`; `beside.by_operator` is needed for the breakdown by operator.
    by : sequence of {"province", "commune", "operator", "kind"}
        What to break down by.

    Returns
    -------
    DataFrame
        BREAKDOWN, sorted by its index.  Province, commune and kind add up to
        PROGRESS; operators do not, because several may cover one point.
    """
    beside = beside or Beside()
    rows: list[dict[str, Any]] = []
    for target in targets:
        days = list(_sheets(points, services, target, beside))
        for name in [n for n in by if n != "operator"]:
            rows += _grouped(target, days, name, only=only)
        if "operator" in by:
            for operator in sorted(beside.by_operator):
                own = list(_sheets(points, beside.by_operator[operator], target, beside, operator))
                rows += _grouped(target, own, "operator", operator, only=only)
    return _typed(rows, BREAKDOWN).sort_index()


def flows(points: pd.DataFrame, services: Services, targets: Iterable[Target], *,
          beside: Beside | None = None,
          only: Collection[dt.date] | None = None) -> pd.DataFrame:
    """List every point that was won or lost, or that joined or left a list, between snapshots.

    Parameters
    ----------
    points, services, targets, beside, only
        As for `track`.

    Returns
    -------
    DataFrame
        FLOWS, sorted by its index.
    """
    beside = beside or Beside()
    rows: list[pd.DataFrame] = []
    for target in targets:
        before: pd.DataFrame | None = None
        last: dt.date | None = None
        for day, sheet in _sheets(points, services, target, beside):
            if before is not None and last is not None and (only is None or day in only):
                found = _flow_rows(before, sheet, beside.registers.get(day))
                rows.append(found.assign(target=target.name, date=pd.Timestamp(day),
                                         since=pd.Timestamp(last)))
            before, last = sheet, day
    if not rows or not sum(map(len, rows)):
        return empty(FLOWS)
    whole = pd.concat(rows).reset_index().set_index(list(FLOWS.index))[list(FLOWS.columns)]
    return _as_declared(whole, FLOWS).sort_index()


def _sheets(points: pd.DataFrame, services: Services, target: Target, beside: Beside,
            operator: str = "") -> Iterable[tuple[dt.date, pd.DataFrame]]:
    """Yield for every day the points on the list, with all that is counted of them."""
    uncounted = [short for short, column in (("poor", "learners_poor"),
                                             ("near_poor", "learners_near_poor"))
                 if column not in points.columns or points[column].isna().all()]
    looked_at = pd.DataFrame({name: points[name] for name in _LOOKED_AT if name in points})
    ids, here, about = None, looked_at, {}
    for day in sorted(services):
        if target.need.name not in services[day]:
            continue
        listed_now = on_list(points, target, beside.registers.get(day))
        if ids is None or not listed_now.equals(ids):
            ids = listed_now
            here = looked_at.reindex(ids)
            about = {"learners": _numbers(here, "learners"),
                     "poor": _numbers(here, "learners_poor"),
                     "near_poor": _numbers(here, "learners_near_poor"),
                     **{name: _text(here, column).fillna("").to_numpy(object)
                        for name, column in _PLACES}}
        service = services[day][target.need.name]
        service = service[["status", *(n for n in _TEXTS if n in service)]].reindex(ids)
        sheet = pd.DataFrame({
            "status": service["status"].fillna("unknown").to_numpy(object),
            **{name: _text(service, name).fillna("").to_numpy(object) for name in _TEXTS},
            "locked": locked_on(here, day).to_numpy(bool), **about},
            index=pd.Index(ids, name="point_id"))
        for short in _BESIDE:
            said = getattr(beside, short).get(day, {}).get(target.need.name)
            sheet[short] = _said(said, ids, operator)
        sheet.attrs |= {"day": day, "uncounted": uncounted}
        yield day, sheet


def _said(said: pd.DataFrame | None, ids: pd.Index, operator: str) -> Any:
    """Return the status on one evidence; None throughout = there is no such evidence."""
    if said is None:
        return None
    here = said[["status", "operators"] if operator else ["status"]].reindex(ids)
    status = here["status"].fillna("unknown").to_numpy(object)
    if not operator:
        return status
    own = np.array([operator in split(cell) for cell in here["operators"].fillna("")], bool)
    return np.where(own, "covered", "unknown")


def _counts(sheet: pd.DataFrame, before: pd.DataFrame | None, by: str | None) -> pd.DataFrame:
    """Count a sheet and what changed since the one before: one row for each value of `by`."""
    numbers: dict[str, Any] = {"points": np.ones(len(sheet), np.int64)}
    status = sheet["status"].to_numpy(object)
    for name in STATUSES:
        numbers[name] = (status == name).astype(np.int64)
    numbers["learners"] = sheet["learners"].to_numpy(float)
    for short in ("learners", "poor", "near_poor"):
        for name in STATUSES:
            numbers[f"{short}_{name}"] = sheet[short].to_numpy(float) * (status == name)
    numbers["learners_poor_uncovered"] = (numbers["poor_uncovered"]
                                          + numbers["near_poor_uncovered"])
    locked = sheet["locked"].to_numpy(bool)
    numbers["locked"] = locked.astype(np.int64)
    numbers["locked_uncovered"] = (locked & (status == "uncovered")).astype(np.int64)
    asserted = np.zeros(len(sheet), bool)
    absent = [f"{short}_{name}" for short in sheet.attrs["uncounted"] for name in STATUSES]
    absent += ["learners_poor_uncovered"] if len(sheet.attrs["uncounted"]) == 2 else []
    for short, kinds in _BESIDE.items():
        said = sheet[short].to_numpy(object)
        if len(said) and all(s is None for s in said):
            absent += [*(f"{short}_{kind}" for kind in kinds), f"learners_{short}"]
        for kind in kinds:
            numbers[f"{short}_{kind}"] = (said == kind).astype(float)
        numbers[f"learners_{short}"] = sheet["learners"].to_numpy(float) * (said == "covered")
        if short != "measured":
            asserted |= said == "covered"
    numbers["disputed"] = (asserted & (status == "uncovered")).astype(np.int64)
    now = pd.DataFrame(numbers, index=sheet.index)
    moved = _moved(before, sheet)
    groups = sheet[by] if by else pd.Series("", index=sheet.index)
    where = groups if before is None else pd.concat([groups, (
        before[by] if by else pd.Series("", index=before.index))]).groupby(level=0).first()
    total = now.groupby(groups).sum()
    flow = moved.groupby(where.reindex(moved.index)).sum() if len(moved) else moved
    values = total.index.union(flow.index) if len(moved) else total.index
    if not by and not len(values):
        values = pd.Index([""])
    whole = pd.concat([total.reindex(values, fill_value=0),
                       flow.reindex(values, fill_value=0)], axis=1)
    whole[absent] = np.nan
    return whole


def _moved(before: pd.DataFrame | None, now: pd.DataFrame) -> pd.DataFrame:
    """Return won, lost, joined, left for every point on either list, as 0 or 1."""
    names = ["won", "lost", "joined", "joined_covered", "left", "left_covered"]
    if before is None:
        return pd.DataFrame(0, index=now.index[:0], columns=names, dtype="int64")
    same = now.index.equals(before.index)
    ids = now.index if same else now.index.union(before.index, sort=False)
    at, was_at = now.index.get_indexer(ids), before.index.get_indexer(ids)
    on, was_on = at >= 0, was_at >= 0
    is_covered, was_covered = (
        np.append(sheet["status"].to_numpy(object) == "covered", False)[place]
        for sheet, place in ((now, at), (before, was_at)))
    both = on & was_on
    found = {"won": both & is_covered & ~was_covered, "lost": both & was_covered & ~is_covered,
             "joined": on & ~was_on, "joined_covered": on & ~was_on & is_covered,
             "left": was_on & ~on, "left_covered": was_on & ~on & was_covered}
    return pd.DataFrame({k: v.astype(np.int64) for k, v in found.items()}, index=ids)


def _flow_rows(before: pd.DataFrame, now: pd.DataFrame,
               register: pd.DataFrame | None) -> pd.DataFrame:
    moved = _moved(before, now)
    changes = ("won", "lost", "joined", "left")
    moved = moved[moved[list(changes)].any(axis=1)]
    change = moved[list(changes)].idxmax(axis=1)
    was, new = before.reindex(moved.index), now.reindex(moved.index)
    why = new["reason"].where(change == "lost", "")
    if register is not None and len(register):
        why = why.where(change.isin(["won", "lost"]),
                        register["reason"].reindex(moved.index).fillna(""))
    sides = {f"{when}_{short}": sheet[name].fillna("") for when, sheet in (
        ("was", was), ("now", new)) for short, name in (("cell_id", "best_cell_id"),
                                                        ("operators", "operators"))}
    return pd.DataFrame({
        "change": change, "was": was["status"].fillna(""), "now": new["status"].fillna(""), **sides,
        "learners": new["learners"].fillna(was["learners"]).fillna(0.0), "reason": why.fillna("")},
        index=pd.Index(moved.index, name="point_id"))


def _grouped(target: Target, days: Iterable[tuple[dt.date, pd.DataFrame]], by: str,
             value: str = "", only: Collection[dt.date] | None = None) -> list[dict[str, Any]]:
    """Return the rows of BREAKDOWN of one target by one thing (for an operator: as one value)."""
    rows: list[dict[str, Any]] = []
    before: pd.DataFrame | None = None
    for day, sheet in days:
        if only is not None and day not in only:
            before = sheet
            continue
        counts = _counts(sheet, before, None if by == "operator" else by)
        if by == "operator":
            counts.index = pd.Index([value])
        labels = sheet.groupby("commune")["label"].first() if by == "commune" else {}
        rows += [{"target": target.name, "date": pd.Timestamp(day), "by": by, "value": name,
                  "label": labels.get(name, ""), **row, "since": _since(before)}
                 for name, row in zip(counts.index, counts.to_dict("records"), strict=True)]
        before = sheet
    return rows


def _since(before: pd.DataFrame | None) -> pd.Timestamp:
    return pd.NaT if before is None else pd.Timestamp(before.attrs["day"])  # type: ignore[return-value]


def _typed(rows: list[dict[str, Any]], table: Any) -> pd.DataFrame:
    if not rows:
        return empty(table)
    frame = pd.DataFrame(rows).set_index(list(table.index))[list(table.columns)]
    return _as_declared(frame, table)


def _as_declared(frame: pd.DataFrame, table: Any) -> pd.DataFrame:
    kinds = {"int": "int64", "float": "float64", "text": "str", "date": "datetime64[s]"}
    return frame.astype({c.name: kinds[c.kind] for c in table.columns.values()})


def _text(frame: pd.DataFrame, column: str) -> pd.Series:
    if column not in frame.columns:
        return pd.Series("", index=frame.index, dtype=object)
    return frame[column].astype(object)


def _numbers(points: pd.DataFrame, column: str) -> Any:
    if column not in points.columns:
        return np.zeros(len(points))
    return points[column].fillna(0.0).to_numpy(float)
