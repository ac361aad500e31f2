"""What was said of points, as it stands on a day: claims, field checks, deliveries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

import pandas as pd

from phusong.ledger.events import Statement
from phusong.ledger.fold import withdrawn
from phusong.ledger.gaps import gap_table

__all__ = ["TOLD", "check_table", "claim_table", "delivery_table", "told_on"]


def _standing(statements: Iterable[Statement], as_of: str) -> list[Statement]:
    """Drop what was retracted and what is not true yet, in the order in which it holds."""
    grouped: dict[tuple[str, str], list[Statement]] = defaultdict(list)
    for statement in statements:
        grouped[statement.event.operator, statement.event.code].append(statement)
    kept = []
    for said in grouped.values():
        gone = withdrawn(said)
        kept += [s for s in said if s.key not in gone and s.event.action != "retract"
                 and s.event.effective_date <= as_of]
    return sorted(kept, key=lambda s: s.order)


def _said(statement: Statement) -> tuple[str, str, str, str]:
    event = statement.event
    return event.operator, event.effective_date, statement.known_at[:10], \
        str(event.values.get("reason", ""))


def claim_table(statements: Iterable[Statement], as_of: str) -> pd.DataFrame:
    """Return which points operators claim on a day.

    Parameters
    ----------
    statements : iterable of Statement
        What operators said of points, as far as it was known.
    as_of : str
        ISO day.

    Returns
    -------
    DataFrame
        Index (``point_id``, ``operator``), sorted; columns ``status`` (``covered``, or
        ``uncovered`` where the operator says so itself), ``since``, ``known_at``, ``reason``.
        Of several words for one day the one said last holds.
    """
    rows: dict[tuple[str, ...], tuple[object, ...]] = {(s.event.code, s.event.operator): (
        "covered" if s.event.action == "covers" else "uncovered", *_said(s)[1:])
        for s in _standing(statements, as_of)}
    return _frame(rows, ("point_id", "operator"), ("status", "since", "known_at", "reason"))


def check_table(statements: Iterable[Statement], as_of: str) -> pd.DataFrame:
    """Return what field checks found by a day, the newest for each point and operator.

    Returns
    -------
    DataFrame
        Index (``point_id``, ``operator``; empty = nobody in particular), sorted; columns
        ``result`` (``covered``, ``uncovered``, or ``measured`` with a level), ``rsrp_dbm``,
        ``technology``, ``since`` (day of the check), ``known_at``, ``reason``.
    """
    rows: dict[tuple[str, ...], tuple[object, ...]] = {(s.event.code, s.event.operator): (
        s.event.action, s.event.values.get("rsrp_dbm"), s.event.values.get("technology", ""),
        *_said(s)[1:]) for s in _standing(statements, as_of)}
    frame = _frame(rows, ("point_id", "operator"), ("result", "rsrp_dbm", "technology", "since",
                                                    "known_at", "reason"))
    return frame.assign(rsrp_dbm=pd.to_numeric(frame["rsrp_dbm"]).astype("float64"))


def delivery_table(statements: Iterable[Statement], as_of: str) -> pd.DataFrame:
    """Return the devices delivered to each point by a day.

    A delivery is told apart by who delivers, the point, the day and its code; said again
    with another number it is corrected, not added.

    Returns
    -------
    DataFrame
        Index ``point_id``, sorted; columns ``delivered`` (net of what was taken away),
        ``deliveries`` (how many), ``last`` (day of the last one).
    """
    last: dict[tuple[str, ...], Statement] = {}
    for statement in sorted(_standing(statements, as_of), key=lambda s: s.said):
        event = statement.event
        day = "" if event.part else event.effective_date
        last[event.operator, event.code, event.action, event.part, day] = statement
    rows: dict[str, tuple[float, int, str]] = {}
    for statement in last.values():
        event = statement.event
        total, count, day = rows.get(event.code, (0.0, 0, ""))
        sign = -1.0 if event.action == "take" else 1.0
        rows[event.code] = (total + sign * float(event.values["devices"]),
                            count + (event.action == "deliver"),
                            max(day, event.effective_date))
    frame = _frame({(code,): row for code, row in rows.items()}, ("point_id",),
                   ("delivered", "deliveries", "last"))
    return frame.astype({"delivered": "int64", "deliveries": "int64"})


def _frame(rows: Mapping[tuple[str, ...], tuple[object, ...]], index: tuple[str, ...],
           columns: tuple[str, ...]) -> pd.DataFrame:
    keys = sorted(rows)
    frame = pd.DataFrame([(*key, *rows[key]) for key in keys], columns=[*index, *columns])
    days = {c: pd.to_datetime(frame[c]).astype("datetime64[s]") for c in columns
            if c in ("since", "known_at", "last")}
    return frame.assign(**days).astype(dict.fromkeys(index, "str")).set_index(list(index))


TOLD: Mapping[str, Callable[[Iterable[Statement], str], pd.DataFrame]] = {
    "gap": gap_table, "claim": claim_table, "check": check_table, "device": delivery_table}
"""Subject -> its table on a day."""


def told_on(subject: str, statements: Sequence[Statement],
            days: Iterable[str]) -> list[pd.DataFrame]:
    """Return the table of a subject of `TOLD` on each of some ISO days.

    Days between which nothing that was said came true have one and the same table.
    """
    tables: dict[int, pd.DataFrame] = {}
    found = []
    for day in days:
        true = sum(said.event.effective_date <= day for said in statements)
        if true not in tables:
            tables[true] = TOLD[subject](statements, day)
        found.append(tables[true])
    return found
