"""Progress day by day: what a day says is counted once and kept.

What PROGRESS, BREAKDOWN and FLOWS say of a day follows from coverage on that day and on the
snapshot before it.  A report of this week leaves the rows of last month as they were.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping

import pandas as pd

from phusong.results import Results
from phusong.rolls import BESIDE
from phusong.store import content_digest, key_of
from phusong.tables import BREAKDOWN, FLOWS, PROGRESS, empty
from phusong.tally import Beside, break_down, flows, track

__all__ = ["day_by_day", "kept", "said_beside"]

_VERBS: Mapping[str, tuple[Callable[..., pd.DataFrame], pd.DataFrame]] = {
    "progress": (track, empty(PROGRESS)), "breakdown": (break_down, empty(BREAKDOWN)),
    "flows": (flows, empty(FLOWS))}


def day_by_day(results: Results, what: str) -> pd.DataFrame:
    """Return a table of progress over all days; count only days of which nothing is kept.

    Parameters
    ----------
    results : Results
        A run whose days are all brought up to date.
    what : {"progress", "breakdown", "flows"}
        Which table; see `phusong.tally`.
    """
    verb, nothing = _VERBS[what]
    study, days, store = results.study, list(results.days), results.days.store
    parts = []
    for number, day in enumerate(days):
        needed = _needed(results, days[:number], day)
        where = _where(results, what, needed)
        found = None if store is None else store.recall(*where)
        if found is None:
            services, beside = results.counted_on(needed)
            found = verb(results.points, services, study.targets, beside=beside, only=[day])
            if store is not None:
                found = store.keep(*where, found)
        parts.append(found)
    parts = [part for part in parts if len(part)]
    if not parts:
        return nothing
    whole = pd.concat(parts)
    if what != "progress":
        return whole.sort_index()
    order = {target.name: place for place, target in enumerate(study.targets)}
    place = whole.index.get_level_values("target").map(order)
    return whole.iloc[place.argsort(kind="stable")]


def kept(results: Results) -> dict[str, tuple[str, str]]:
    """Return where the rows of each day are kept, by name: they hold with the tables."""
    days, store = list(results.days), results.days.store
    found = {f"{what}@{day}": _where(results, what, _needed(results, days[:n], day))
             for what in _VERBS for n, day in enumerate(days)}
    return {name: where for name, where in found.items()
            if store is not None and store.note_of(*where)}


def _needed(results: Results, earlier: list[dt.date], day: dt.date) -> list[dt.date]:
    """Return a day, the one before it, and the last on which each of its operators was there."""
    found = {day, *earlier[-1:]}
    for name in results.days.operators[day]:
        found |= set([d for d in earlier if name in results.days.operators[d]][-1:])
    return sorted(found)


def _where(results: Results, what: str, needed: list[dt.date]) -> tuple[str, str]:
    """Return kind and key of the rows that the newest of some days adds."""
    registers = {str(day): content_digest(table) for day in needed
                 if (table := results.days.registers.get(day)) is not None and len(table)}
    said = [results.days.digests[f"{part}@{day}"] for day in needed
            for part in ("services", "alone")]
    targets = [target.model_dump(mode="json") for target in results.study.targets]
    also = [] if what == "flows" else said_beside(results.evidence, needed)
    return f"{what}_of_day", key_of(results.days.inputs, what, list(map(str, needed)), said,
                                    registers, targets, also)


def said_beside(evidence: Beside, days: Iterable[dt.date]) -> list[list[str]]:
    """Return the hash of each table of evidence on some days, with its kind, day and definition."""
    return [[kind, str(day), name, _digest(table)] for day in days for kind in BESIDE
            for name, table in sorted(getattr(evidence, kind).get(day, {}).items())]


def _digest(table: pd.DataFrame) -> str:
    """Return the hash of a table; its maker may have noted it in ``attrs``."""
    return str(table.attrs.get("digest") or content_digest(table))
