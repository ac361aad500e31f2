"""Counting progress: per target and day, by place, operator and kind, and what changed since."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from phusong.progress import Target, on_list
from phusong.rolls import BESIDE, Lists, Roll, Services, count, moved
from phusong.service import Need, assess_alone
from phusong.tables import BREAKDOWN, BY, FLOWS, PROGRESS, SERVICE, empty

__all__ = ["Beside", "break_down", "by_operator", "flows", "listed", "services_of", "track"]

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
        here = points[ids.get_indexer(points.index) >= 0]
        frames.append(assess_alone(here, links, need, names))
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
    lists, said = _lists(points, beside)
    parts = []
    for target in targets:
        for roll, before in _steps(lists.rolls(services, target, said), only):
            goal = len(roll) if target.goal is None else target.goal
            parts.append({"target": target.name, "date": _day(roll.day), "goal": goal,
                          **count(roll, before).figures, "since": _since(before),
                          "deadline": _day(target.deadline), "evidence": "modelled"})
    return _typed(parts, PROGRESS)


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
    lists, said = _lists(points, beside)
    alone = {} if beside is None or "operator" not in by else beside.by_operator
    parts: list[dict[str, Any]] = []
    for target in targets:
        for roll, before in _steps(lists.rolls(services, target, said), only):
            parts += [_grouped(lists, target, roll, before, name) for name in by
                      if name != "operator"]
        for operator in sorted(alone):
            for roll, before in _steps(lists.rolls(alone[operator], target, said, operator), only):
                parts.append({"target": target.name, "date": _day(roll.day),
                              "by": "operator", "value": operator, "label": "",
                              **count(roll, before).figures, "since": _since(before)})
    return _typed(parts, BREAKDOWN).sort_index()


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
    lists, said = _lists(points, beside)
    registers = {} if beside is None else beside.registers
    rows: list[pd.DataFrame] = []
    for target in targets:
        for roll, before in _steps(lists.rolls(services, target, said), only):
            if before is not None:
                rows.append(_flow_rows(before, roll, registers.get(roll.day)).assign(
                    target=target.name, date=_day(roll.day), since=_since(before)))
    if not rows or not sum(map(len, rows)):
        return empty(FLOWS)
    whole = pd.concat(rows).reset_index().set_index(list(FLOWS.index))[list(FLOWS.columns)]
    return _as_declared(whole, FLOWS).sort_index()


def _lists(points: pd.DataFrame, beside: Beside | None) -> tuple[Lists, dict[str, Services]]:
    """Return the lists of all days, and what is known beside the model."""
    if beside is None:
        return Lists(points, {}), {}
    return Lists(points, beside.registers), {name: getattr(beside, name) for name in BESIDE}


def _steps(rolls: Iterable[Roll], only: Collection[dt.date] | None) \
        -> Iterator[tuple[Roll, Roll | None]]:
    """Yield every snapshot that is asked for with the one before it."""
    before: Roll | None = None
    for roll in rolls:
        if only is None or roll.day in only:
            yield roll, before
        before = roll


def _grouped(lists: Lists, target: Target, roll: Roll, before: Roll | None,
             by: str) -> dict[str, Any]:
    """Return the rows of BREAKDOWN of one snapshot by one thing, column by column."""
    counted = count(roll, before, by)
    labels = lists.label(roll.listed, counted.place) if by == "commune" else ""
    return {"target": target.name, "date": _day(roll.day), "by": by,
            "value": np.array(counted.values, object), "label": labels, **counted.figures,
            "since": _since(before)}


def _flow_rows(before: Roll, now: Roll, register: pd.DataFrame | None) -> pd.DataFrame:
    """Return the rows of FLOWS between two snapshots, without target and days."""
    changes = ("won", "lost", "joined", "left")
    ids, happened, at, was_at = moved(before, now)
    some = np.flatnonzero(np.any([happened[name] for name in changes], axis=0))
    which = np.argmax([happened[name][some] for name in changes], axis=0)
    ids, at, was_at = ids[some], at[some], was_at[some]
    change = np.array(changes, object)[which]
    why = np.where(change == "lost", now.text("reason", at), "")
    if register is not None and len(register):
        said = register["reason"].reindex(ids).fillna("").to_numpy(object)
        why = np.where(np.isin(which, (0, 1)), why, said)
    learners = [np.append(roll.listed.learners["learners"], 0.0)[place]
                for roll, place in ((now, at), (before, was_at))]
    sides = {f"{when}_{short}": roll.text(name, place)
             for when, roll, place in (("was", before, was_at), ("now", now, at))
             for short, name in (("cell_id", "best_cell_id"), ("operators", "operators"))}
    return pd.DataFrame({
        "change": change, "was": before.words(was_at), "now": now.words(at),
        **sides, "learners": np.where(at >= 0, *learners), "reason": why},
        index=pd.Index(ids, name="point_id"))


def _day(day: dt.date) -> np.datetime64:
    return np.datetime64(day, "s")


def _since(before: Roll | None) -> np.datetime64:
    return np.datetime64("NaT", "s") if before is None else _day(before.day)


def _typed(parts: list[dict[str, Any]], table: Any) -> pd.DataFrame:
    """Put rows together that are given column by column; one value stands for all rows."""
    parts = [part for part in parts if len(part["points"])]
    if not parts:
        return empty(table)
    names = (*table.index, *table.columns)
    columns = {name: np.concatenate([
        np.broadcast_to(np.asarray(part[name], object if isinstance(part[name], str) else None),
                        len(part["points"])) for part in parts]) for name in names}
    frame = pd.DataFrame(columns).set_index(list(table.index))
    return _as_declared(frame, table)


def _as_declared(frame: pd.DataFrame, table: Any) -> pd.DataFrame:
    kinds = {"int": "int64", "float": "float64", "text": "str", "date": "datetime64[s]"}
    return frame.astype({c.name: kinds[c.kind] for c in table.columns.values()})
