"""What `phusong status` gives: figures that are recorded as they leave, or were given before."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from phusong import pipeline
from phusong.devices import allocate
from phusong.errors import UnknownNameError
from phusong.evidence import asserted, field_checks
from phusong.handover import figures as device_figures
from phusong.ledger import GIVEN, Given
from phusong.ledger.words import technology_of
from phusong.nouns import nearest
from phusong.pipeline import STAGES, Results
from phusong.service import assess
from phusong.settled import settled
from phusong.standing import records, standing
from phusong.store import Store, content_digest, key_of
from phusong.study import Study
from phusong.switching import switch_off

__all__ = ["give", "of_run", "without"]

Services = dict[dt.date, dict[str, pd.DataFrame]]
_LAST = [s.makes for s in STAGES if s.makes in ("forecast", "disagreement_by_operator")][-1]


def give(study: Study, store: Store | None, book: Path, *, known_on: dt.date | None = None,
         progress: Callable[[str, int, int], None] | None = None) -> dict[str, Any]:
    """Return the progress of a study on its day, and record that it was given.

    Parameters
    ----------
    study : Study
        Its `day` is the day spoken of.
    store : Store or None
        Where results are kept.
    book : Path
        The ledger; the record lies beside it.
    known_on : date, optional
        What was given last by that day is returned as it was, to the figure.  Where nothing
        was, it is worked out now from the reports known then, and ``given_on`` is None.
    progress : callable, optional
        Called with (what, done, of all).

    Returns
    -------
    dict
        As `of_run` returns it, or as it was given.
    """
    record = Given(book.with_name(GIVEN))
    if known_on is not None:
        found = _given(study, record, known_on)
        if found is not None:
            return found
    with settled():
        results = pipeline.run(study, store=store, book=book, known_on=known_on, until=_LAST,
                               progress=progress)
        return of_run(results, book)


def of_run(results: Results, book: Path) -> dict[str, Any]:
    """Return the progress that a run stands for, and record that it was given.

    The places to go to are entered as the run's table ``field_checks``.  A run with the reports
    known on another day is not recorded: it says what would have been given, not what was.

    Parameters
    ----------
    results : Results
        A run at least until ``disagreement_by_operator``.
    book : Path
        The ledger; the record lies beside it.

    Returns
    -------
    dict
        As `standing` returns it, and ``known_on``, ``given_on`` (ISO time; None = worked out
        now), ``restated`` (snapshots of which something else had been given before: which
        figures ``differ``, and all that was ``given``), ``register`` (every step of the register
        of gap points since the first snapshot, with its reason), ``field_checks`` (rows of
        FIELD_CHECKS) and ``devices`` (sums of DEVICES).
    """
    study, known_on, steps = results.study, results.known_on, results.register_steps
    said = {**standing(results), **_listed(results, results.said.get(study.day, {})),
            "register": [] if steps is None else records(steps.set_index("date")),
            "known_on": None if known_on is None else known_on.isoformat(), "given_on": None}
    results.digests["given"] = key_of(*(content_digest(results.tables[what])
                                        for what in ("progress", "field_checks")))
    record = Given(book.with_name(GIVEN))
    if known_on is None:
        record.keep(_figures(said), basis=results.digest)
    return {**said, "restated": _restated(record, study, known_on)}


def _listed(results: Results, told: dict[str, pd.DataFrame]) -> dict[str, Any]:
    """Return what claims, checks and deliveries add: places to go to, devices."""
    study = results.study
    disputed, claims = results.tables["disagreement_by_operator"], told.get("claim")
    where = asserted(claims, disputed).index.get_level_values("point_id").unique()
    listed = field_checks(results.points, results.days.links_of(study.day, where), study.need,
                          claims=claims, disputed=disputed, checks=told.get("check"))
    results.tables["field_checks"] = listed
    held = allocate(results.points, results.service, 0, delivered=told.get("device"),
                    day=study.day)
    return {"field_checks": records(listed), "devices": device_figures(held, study)}


def _figures(said: dict[str, Any]) -> dict[tuple[str, str, str], Any]:
    """Return all that is given, by kind, target and day: what the record keeps."""
    today = said["as_of"]
    kept: dict[tuple[str, str, str], Any] = {
        ("progress", row["target"], row["date"]): row for row in said["progress"]}
    for target in said["targets"]:
        kept["target", target["name"], today] = target
    for by, rows in said["breakdown"].items():
        for row in rows:
            kept.setdefault((f"by {by}", row["target"], today), []).append(row)
    rest = ("title", "fictional", "definition", "points", "learners", "flows", "field_checks",
            "devices", "register")
    kept["study", "", today] = {name: said[name] for name in rest}
    return kept


def _given(study: Study, record: Given, known_on: dt.date) -> dict[str, Any] | None:
    """Put together what was given of the study's day by `known_on`; None = nothing was."""
    today, found = study.day.isoformat(), record.at(known_on)
    if ("study", "", today) not in found:
        return None
    when = max(time for (what, _, day), (time, _) in found.items()
               if day == today and what != "progress")
    breakdown: dict[str, list[Any]] = {}
    for (what, _, day), (_, rows) in sorted(found.items()):
        if what.startswith("by ") and day == today:
            breakdown.setdefault(what.removeprefix("by "), []).extend(rows)
    order = {target.name: place for place, target in enumerate(study.targets)}
    targets = [said for (what, _, day), (_, said) in found.items()
               if what == "target" and day == today]
    return {"study": study.name, "as_of": today, **found["study", "", today][1],
            "targets": sorted(targets, key=lambda t: (order.get(t["name"], len(order)),
                                                      t["name"])),
            "breakdown": breakdown,
            "progress": [said for (what, _, day), (_, said) in sorted(found.items())
                         if what == "progress" and day <= today],
            "known_on": known_on.isoformat(), "given_on": when,
            "restated": _restated(record, study, known_on)}


def _restated(record: Given, study: Study, known_on: dt.date | None) -> list[dict[str, Any]]:
    """Return the snapshots that were given more than once, with the figures that differ."""
    found = []
    for (_, target, day), rows in sorted(record.history(known_on, kind="progress").items()):
        if day > study.day.isoformat():
            continue
        names = dict.fromkeys(name for _, row in rows for name in row)
        differ = [n for n in names if any(row.get(n) != rows[0][1].get(n) for _, row in rows)]
        if differ:
            shown = dict.fromkeys(["points", "covered", "uncovered", *differ])
            found.append({"target": target, "date": day, "differ": differ, "given": [
                {"known_on": when, **{n: row.get(n) for n in shown}} for when, row in rows]})
    return found


def without(results: Results, technologies: str, operator: str = "") -> dict[str, Any]:
    """Return what a switch-off on the study's day would cost, definition by definition.

    Parameters
    ----------
    results : Results
        A run on that day.
    technologies : str
        Joined by commas, as operators call them: ``GSM`` or ``2G``.
    operator : str
        Whose; empty = everybody's.

    Returns
    -------
    dict
        ``study``, ``as_of``, ``fictional``, ``technologies``, ``operator``, ``definitions``
        (``definition``, whether it ``counts`` them, points ``covered`` before, points ``lost``,
        their ``learners`` and ``learners_poor``) and ``lost`` (rows of SWITCH_OFF).
    """
    study = results.study
    off = [technology_of(name) or name.strip().upper() for name in technologies.split(",")
           if name.strip()]
    _check_operator(results, operator)
    lost = switch_off(results.points, results.links, study.needs.values(), off, operator=operator)
    definitions = []
    for name, need in study.needs.items():
        gone = lost[(lost.index.get_level_values("definition") == name)]
        covered = int((assess(results.points, results.links, need)["status"] == "covered").sum())
        definitions.append({
            "definition": name, "counts": bool(set(off) & set(need.technologies)),
            "covered": covered, "lost": len(gone), "learners": float(gone["learners"].sum()),
            "learners_poor": float(gone["learners_poor"].sum())})
    return {"study": study.name, "as_of": study.day.isoformat(), "fictional": study.fictional,
            "technologies": off, "operator": operator, "definitions": definitions,
            "lost": records(lost)}


def _check_operator(results: Results, operator: str) -> None:
    known = sorted(results.standing["operator"].dropna().unique())
    if operator and operator not in known:
        raise UnknownNameError(f'No cell of "{operator}" is on air on {results.study.day}. '
                               f"{nearest(operator, known)}")
