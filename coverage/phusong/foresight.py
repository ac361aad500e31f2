"""What a report would change, before it is entered: computed on a mirror, kept nowhere."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from phusong.days import Days
from phusong.difference import count, differences
from phusong.intake import Intake
from phusong.ledger import Ledger
from phusong.results import Results
from phusong.store import Store
from phusong.study import Study

__all__ = ["coverage_after", "mirrored", "statements_after"]


@contextmanager
def mirrored(store: Store | None) -> Iterator[Store | None]:
    """Lend a store that has all of another one and gives nothing back; None = there is none."""
    if store is None or not store.folder.is_dir():
        yield None
        return
    with store.alone(), tempfile.TemporaryDirectory() as name:
        mirror = Path(name)
        (mirror / "tables").mkdir()
        for path in (*store.folder.glob("*.json"), *store.folder.glob("tables/*")):
            _stand_in(mirror / path.relative_to(store.folder), path)
        yield Store(mirror, store.pointer)


def _stand_in(here: Path, there: Path) -> None:
    try:
        here.symlink_to(there.resolve())
    except OSError:  # a system that gives links to administrators only
        shutil.copy2(there, here)


def coverage_after(study: Study, inputs: Intake, mirror: Store | None, now: Ledger, then: Ledger,
                   progress: Callable[[str, int, int], None] | None = None
                   ) -> dict[str, Any] | None:
    """Return which points would change hands on the study's day if `then` were the ledger.

    Only the points that the cells in question can matter to are linked and judged again.

    Parameters
    ----------
    study : Study
    inputs : Intake
        Points, cells, terrain.
    mirror : Store or None
        As `mirrored` lends it.
    now, then : Ledger
        As it is, and as it would be.
    progress : callable, optional
        Called with (what, done, of all).

    Returns
    -------
    dict or None
        As `phusong.difference.count` returns it, with ``after: {with_report: True}``; None if
        the study was never run on these inputs, so that there is nothing to begin with.
    """
    if mirror is None or mirror.now.get("inputs") != inputs.digest or (
            f"services@{study.day}" not in mirror.names()):
        return None
    before, after = (_on_the_day(study, inputs, mirror, ledger, progress)
                     for ledger in (now, then))
    said = count(differences(before, after), before, after)
    said["after"]["with_report"] = True
    return said


def _on_the_day(study: Study, inputs: Intake, mirror: Store, ledger: Ledger,
                progress: Callable[[str, int, int], None] | None) -> Results:
    days = Days(study, inputs, mirror, [study.day])
    days.air = ledger.air()
    days.registers = {study.day: ledger.gaps(study.day)}
    days.bring(study.day, progress)
    service = days.service(study.day, study.need.name)
    return Results(study, inputs, days, tables={"service": service})


def statements_after(subject: str, now: Ledger, then: Ledger) -> pd.DataFrame:
    """Return what would be said of points if `then` were the ledger, where it differs.

    Parameters
    ----------
    subject : {"gap", "claim", "check", "device"}
        What it is about.
    now, then : Ledger
        As it is, and as it would be.

    Returns
    -------
    DataFrame
        The rows of `Ledger.told` that would be new or others, or no longer there, after a column
        ``change``: ``appeared``, ``disappeared`` or ``altered``; sorted as that table is.
    """
    old, new = (ledger.told(subject) for ledger in (now, then))
    both = old.index.intersection(new.index)
    a, b = old.loc[both], new.loc[both]
    same = ((a == b) | (a.isna() & b.isna())).all(axis=1)
    parts = [new[~new.index.isin(old.index)].assign(change="appeared"),
             old[~old.index.isin(new.index)].assign(change="disappeared"),
             b[~same.to_numpy(bool)].assign(change="altered")]
    filled = [part for part in parts if len(part)] or parts[:1]
    whole = pd.concat(filled).sort_index()
    return whole[["change", *new.columns]]
