"""The operations desk: operators' reports go into the study's ledger."""

from __future__ import annotations

import datetime as dt
import difflib
import json
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd

from phusong import pipeline, sources
from phusong.errors import InputError, MissingFileError
from phusong.foresight import coverage_after, mirrored, statements_after
from phusong.intake import Intake, take_in
from phusong.ledger import SUBJECTS, Ledger, Outcome
from phusong.nouns import nearest
from phusong.settled import settled
from phusong.standing import records
from phusong.store import Store
from phusong.study import Study

__all__ = ["BOOK", "foreseen", "ledger", "prove", "report", "returned"]

BOOK = "ledger.sqlite"
"""Name of the ledger in ``data/processed/<study>``."""
_FEW = 50
"""For so many unknown names a known one of nearly the same key is looked for."""


def report(study: Study, book: Path, files: Iterable[str | Path] = (), *, operator: str = "",
           crs: str = "", recorded_at: dt.date | None = None, dry_run: bool = False,
           rejected: Path | None = None, language: str = "vi", about: str = "site",
           store: Store | None = None) -> Outcome:
    """Enter operators' reports into the ledger of a study.

    Parameters
    ----------
    study : Study
        Its files list the cells that the reports change.
    book : Path
        The ledger; begun if it is not there.
    files : iterable of path
        CSV, XLSX, GeoJSON or GeoPackage; none = the reports that the study file names.
    operator : str
        Who reports; empty = as the file's name or rows say.
    crs : str
        Of coordinates in metres, e.g. ``EPSG:3405``.
    recorded_at : date, optional
        Day on which the reports became known; None = now.
    dry_run : bool
        Say what would change – rows, cells, and the points that would be won or lost on the
        study's day – and change nothing.
    rejected : Path, optional
        Folder for workbooks of rejected rows, one for each file that has some.
    language : {"vi", "en"}
        Of these workbooks.
    about : {"site", "gap", "claim", "check", "device"}
        What they report: sites, the register of gap points, points that operators claim,
        field checks, devices delivered.
    store : Store, optional
        Where the inputs are kept once they have been read; None = read the files.

    Returns
    -------
    Outcome
        Every input row is exactly one row: accepted, duplicate or rejected.

    Raises
    ------
    MissingFileError
        If a file is not there, or the study names no reports.
    InputError
        If nobody reports about such a thing, or `recorded_at` is yet to come.
    """
    if recorded_at is not None and recorded_at > dt.date.today():
        raise InputError(f"Nothing can have become known on {recorded_at}: that day is yet to "
                         f"come. Leave --recorded-at out for today.")
    if about not in SUBJECTS or about == "decision":
        raise InputError(f'Nobody reports about "{about}". '
                         f"{nearest(about, [s for s in SUBJECTS if s != 'decision'])}")
    if about != "site" and not list(files):
        raise MissingFileError("Name the files to report: those that the study file lists are "
                               "about sites.")
    named = sources.reports(study.sources, study.folder)
    paths = [Path(f) for f in files] or [study.folder / name for name in named]
    if not paths:
        raise MissingFileError(f"Name the files to report: the study {study.name} lists none "
                               f'under "reports:".')
    absent = [str(p) for p in paths if not p.is_file()]
    if absent:
        raise MissingFileError(f"There is no such file: {', '.join(absent)}.")
    enter = partial(Ledger.report, files=paths, operator=operator, crs=crs, subject=about,
                    recorded_at=recorded_at, dry_run=dry_run, operators=study.operators)
    if dry_run:
        return _rehearsed(study, book, store, about, enter)
    with settled():
        inputs = take_in(study, store)
        with pipeline.open_book(book, study, inputs.points, inputs.sites) as ledger:
            outcome = enter(ledger)
            outcome = replace(outcome, **_odd_names(outcome, about, inputs, ledger))
    if rejected is not None:
        outcome = replace(outcome, workbooks=tuple(
            outcome.write_rejected(rejected, language=language)))
    return outcome


@contextmanager
def ledger(study: Study, book: Path, store: Store | None = None) -> Iterator[Ledger]:
    """Open the ledger of a study over the cells of its files.

    Raises
    ------
    MissingFileError
        If nothing was ever reported.
    """
    if not book.exists():
        raise MissingFileError(f"Nothing was ever reported to the study {study.name}: phusong "
                               f"report begins its ledger.")
    inputs = take_in(study, store)
    with pipeline.open_book(book, study, inputs.points, inputs.sites) as opened:
        yield opened


def _rehearsed(study: Study, book: Path, store: Store | None, about: str,
               enter: Callable[[Ledger], Outcome]) -> Outcome:
    """Enter reports into a copy of the ledger, and tell what would change of the points."""
    with mirrored(store) as mirror, TemporaryDirectory() as empty:
        inputs = take_in(study, mirror)
        path = book if book.exists() else Path(empty) / book.name
        with pipeline.open_book(path, study, inputs.points, inputs.sites) as now:
            then = now.copy()
            try:
                outcome = enter(then)
                outcome = replace(outcome, **_odd_names(outcome, about, inputs, then))
                if about == "site":
                    return replace(outcome, points=coverage_after(study, inputs, mirror, now, then))
                return replace(outcome, statements=statements_after(about, now, then))
            finally:
                then.close()


def _odd_names(outcome: Outcome, about: str, inputs: Intake, book: Ledger
               ) -> dict[str, Any]:
    """Return the points and operators spoken of that nobody else speaks of, with the nearest."""
    who: dict[str, str] = {}
    if about in ("site", "claim", "check"):
        whose = set(inputs.sites["operator"].dropna()) if "operator" in inputs.sites else set()
        spoken = set(outcome.rows["operator"][outcome.rows["outcome"] != "rejected"]) - {""}
        who = _nearest(spoken - whose, whose) if whose else {}
    return {"strangers": _strangers(outcome, about, inputs.points, book), "newcomers": who}


def _strangers(outcome: Outcome, about: str, points: pd.DataFrame, book: Ledger
               ) -> dict[str, str]:
    """Return the points spoken of that neither the study nor its register of gap points knows."""
    if about == "site":
        return {}
    spoken = pd.Index(outcome.rows["site_code"].unique())
    if about != "gap":
        strange = spoken[spoken != ""].difference(points.index.union(book.gaps().index))
        return _nearest(strange, points.index)
    steps = book.gap_steps("0001-01-01", "9999-12-31")
    known = points.index.union(steps.loc[(steps["action"] == "open").to_numpy(bool), "point_id"])
    into = steps.loc[steps["point_id"].isin(spoken).to_numpy(bool), "merged_into"]
    strange = spoken.union(pd.Index(into.unique())).difference(known)
    return _nearest(strange[strange != ""], known)


def _nearest(strange: Collection[Any], known: Collection[Any]) -> dict[str, str]:
    """Return for each name the known one that is nearly the same; empty = none, or too many."""
    names = [str(key) for key in known] if len(strange) <= _FEW else []
    return {str(key): (difflib.get_close_matches(str(key), names, 1, 0.8) or [""])[0]
            for key in sorted(strange)}


def returned(outcome: Outcome) -> list[dict[str, Any]]:
    """Return the rejected rows as JSON writes them: where, why in both languages, the raw row.

    Returns
    -------
    list of dict
        ``file``, ``row``, ``reason`` (the code), ``column``, ``message_vi``, ``message_en`` and
        ``raw`` (column -> text).
    """
    rows = outcome.rejected().drop(columns="report_id").to_dict("records")
    return [{**row, "raw": json.loads(row["raw"])} for row in rows]


def foreseen(outcome: Outcome) -> dict[str, Any]:
    """Return what a dry run says of points, as JSON writes it; empty if it was none.

    Returns
    -------
    dict
        ``would_change``: of a report about sites as `phusong.difference.count` returns it, None
        if the study was never run on these inputs; of one about points a list of what would be
        said of them.
    """
    if not outcome.dry_run:
        return {}
    said = outcome.statements
    return {"would_change": outcome.points if said is None else records(said)}


def prove(results: pipeline.Results, book: Path, *, known_on: dt.date | None = None,
          progress: Callable[[str, int, int], None] | None = None) -> dict[str, list[str]]:
    """Compute everything again from the files, every day by itself, and compare.

    Parameters
    ----------
    results : Results
        What `pipeline.run` returned, however it came about.
    book : Path
        The ledger it was made with.
    known_on : date, optional
        As it was run.
    progress : callable, optional
        Called with (what, done, of all).

    Returns
    -------
    dict
        Names of the results whose hash is the ``same``, and of those ``differing``.
    """
    again = pipeline.run(results.study, book=book, known_on=known_on, full=True, progress=progress)
    names = sorted(results.digests.keys() & again.digests.keys())
    same = {name: results.digests[name] == again.digests[name] for name in names}
    return {"same": [n for n in names if same[n]], "differing": [n for n in names if not same[n]]}
