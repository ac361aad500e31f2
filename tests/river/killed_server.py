"""Forks runs of a study for the kill tests, as ``tests/ledger/crash_server.py`` does of ledgers.

Called with the home of a study that holds one report more than its book: ``new.csv``.
"""

from __future__ import annotations

import datetime as dt
import runpy
import shutil
import sys
import tempfile
from pathlib import Path

import phusong as ps
from phusong import desk
from phusong.store import Store

CRASHES = Path(__file__).parents[1] / "ledger" / "crash_server.py"


def run(home: Path, report: str = "new.csv") -> None:
    """What the desk does when a report comes: enter it, then bring the progress up to date."""
    study = ps.Study.read(home / "data/raw/small/study.yml")
    store = Store(home / "data/processed/small")
    book = store.folder / desk.BOOK
    desk.report(study, book, [home / report] if report else [], store=store,
                operator="Viettel" if report else "", recorded_at=dt.date(2021, 12, 12))
    ps.run(study, store=store, until="progress", book=book)


def main() -> None:
    """Bring the study to where it stands before the report, warm up, serve."""
    home = Path(sys.argv[1])
    run(home, "")
    with tempfile.TemporaryDirectory() as folder:
        run(shutil.copytree(home, Path(folder) / "home"))
    runpy.run_path(str(CRASHES))["serve"](run)


if __name__ == "__main__":
    main()
