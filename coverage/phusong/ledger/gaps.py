"""The register of gap points: why the list of places without signal grows and shrinks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable

import pandas as pd

from phusong.ledger.events import Statement

__all__ = ["GAP_COLUMNS", "gap_steps", "gap_table"]

GAP_COLUMNS = ("status", "since", "reason", "merged_into", "name", "target")
"""Columns of the register; ``status`` is ``open``, ``withdrawn`` or ``merged``."""

_STATUS = {"open": "open", "reopen": "open", "withdraw": "withdrawn", "merge": "merged"}


def _kept(statements: Iterable[Statement]) -> dict[str, list[Statement]]:
    """Group by point; of several words for one day, keep the one said last."""
    grouped: dict[str, dict[str, Statement]] = defaultdict(dict)
    for statement in sorted(statements, key=lambda s: s.said):
        event = statement.event
        grouped[event.code][event.effective_date] = statement
    return {code: [days[day] for day in sorted(days)] for code, days in sorted(grouped.items())}


def gap_table(statements: Iterable[Statement], as_of: str) -> pd.DataFrame:
    """Return the register as it stands on a day.

    Parameters
    ----------
    statements : iterable of Statement
        What was said about gap points, as far as it was known.
    as_of : str
        ISO day.

    Returns
    -------
    DataFrame
        Index ``point_id`` (sorted), columns `GAP_COLUMNS`; points that nobody had opened by
        then are absent.
    """
    rows = {}
    for code, said in _kept(statements).items():
        past = [s.event for s in said if s.event.effective_date <= as_of]
        if not past:
            continue
        last = past[-1]
        held: dict[str, str] = {}
        for event in past:
            held |= {k: v for k, v in event.values.items() if k in ("name", "target")}
        rows[code] = (_STATUS[last.action], last.effective_date, last.values.get("reason", ""),
                      last.values.get("merged_into", "") if last.action == "merge" else "",
                      held.get("name", ""), held.get("target", ""))
    frame = pd.DataFrame(list(rows.values()), columns=list(GAP_COLUMNS), dtype="str",
                         index=pd.Index(list(rows), name="point_id", dtype="str"))
    return frame.assign(since=pd.to_datetime(frame["since"]).astype("datetime64[s]"))


def gap_steps(statements: Iterable[Statement], since: str, until: str,
              listed: Collection[str] = ()) -> pd.DataFrame:
    """Return every change of the register between two days: why the denominator moved.

    Parameters
    ----------
    statements : iterable of Statement
        What was said, as far as it was known.
    since, until : str
        ISO days: steps after `since` and up to and with `until`.
    listed : collection of str
        Points that count before the register says anything of them, because they are on a list
        of the study's files.

    Returns
    -------
    DataFrame
        Columns date, point_id, action, was, now, counts (+1, 0 or -1 points), reason,
        merged_into; in the order of date and point.
    """
    rows = []
    for code, said in _kept(statements).items():
        was = ""
        for statement in said:
            event = statement.event
            now = _STATUS[event.action]
            step = int(now == "open") - int(was == "open" or (not was and code in listed))
            if since < event.effective_date <= until:
                rows.append((event.effective_date, code, event.action, was, now, step,
                             event.values.get("reason", ""), event.values.get("merged_into", "")))
            was = now
    frame = pd.DataFrame(sorted(rows), columns=["date", "point_id", "action", "was", "now",
                                                "counts", "reason", "merged_into"])
    return frame.assign(date=pd.to_datetime(frame["date"]).astype("datetime64[s]"),
                        counts=frame["counts"].astype("int64"))
