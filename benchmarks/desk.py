"""How long the operations desk waits after a report at the size of a country.

    python benchmarks/desk.py                    # makes a fictional country; takes many minutes
    python benchmarks/desk.py --size province
    python benchmarks/desk.py --home FOLDER      # keeps study and results there, to begin with

A fictional study is made and covered on every day that matters (the full run, up to the progress).
Then one report of new towers comes in, each beside another point that nobody covers, on air a week
before the study's day, and status and progress are brought up to date, as `phusong status` gives
them.  A second report of as many towers goes the way of the desk: `phusong report`, then `phusong
status`, each a process of its own.  Reported: wall and processor seconds of each step, and how many
times quicker the status was than the full run.
"""

from __future__ import annotations

import argparse
import datetime as dt
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import phusong as ps
from phusong import bulletin, desk, pipeline
from phusong.store import Store


def timed(what: str, work: Callable[[], Any]) -> tuple[Any, float]:
    """Do some work, tell how long it took, and return what came of it and its CPU seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    found = work()
    spent = time.process_time() - cpu
    print(f"{what:<46}{time.perf_counter() - wall:>9.1f} s wall{spent:>9.1f} s CPU", flush=True)
    return found, spent


def new_towers(results: pipeline.Results, count: int, path: Path, day: dt.date,
               seed: int) -> Path:
    """Write a report of `count` towers of three sectors, each beside an uncovered point."""
    service = results.service
    gaps = results.points[(service["status"] == "uncovered").to_numpy(bool)].to_crs(4326)
    rng = np.random.default_rng(seed)
    lines = ["action;site_code;cell_code;effective_date;lat;lon;technology;frequency;azimuth;"
             "height"]
    for n, row in enumerate(rng.choice(len(gaps), min(count, len(gaps)), replace=False)):
        place = gaps.geometry.iloc[row]
        code = f"DESK{seed}{n:03d}"
        lines += [f"new;{code};{code}-{k};{day};{place.y + 0.002:.6f};{place.x:.6f};"
                  f"LTE;1800;{120 * k};42" for k in range(3)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def processes(home: Path, sheet: Path) -> None:
    """Enter a report and ask for the status as a person does: two commands, two processes."""
    phusong = [sys.executable, "-m", "phusong"]
    for what, command in (("phusong report, a process", ["report", "desk", str(sheet),
                                                         "--operator", "Viettel"]),
                          ("phusong status, a process", ["status", "desk", "--quiet"])):
        wall, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([*phusong, *command, "--home", str(home)], check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        print(f"{what:<46}{time.perf_counter() - wall:>9.1f} s wall{spent:>9.1f} s CPU", flush=True)


def measure(home: Path, size: str, towers: int) -> None:
    """Make, cover, report, cover again."""
    raw = home / "data/raw/desk"
    if not (raw / "study.yml").exists():
        raw.parent.mkdir(parents=True, exist_ok=True)
        timed(f"a fictional {size}", lambda: ps.fictional(raw, name="desk", size=size, seed=2021))
    study = ps.Study.read(raw / "study.yml")
    store = Store(home / "data/processed/desk")
    book = store.folder / desk.BOOK
    first = not store.names()

    def status() -> Any:
        return bulletin.give(study, store, book)

    _, full = timed("full: files, every day, progress", status)
    timed("nothing new: status again", status)
    results = pipeline.run(study, store=store, book=book, until="service")
    print(f"{len(results.points):,} points, {len(results.standing):,} cells, "
          f"{len(results.days)} days")
    day = study.day - dt.timedelta(days=7)
    sheets = [new_towers(results, towers, home / f"{study.day}_desk-{time.time_ns()}.csv", day, n)
              for n in (1, 2)]
    del results
    outcome, entered = timed("the report into the ledger", lambda: desk.report(
        study, book, [sheets[0]], operator="Viettel", store=store))
    print(f"{outcome.counts}, {len(outcome.changes)} cells differ")
    _, again = timed("new status and progress", status)
    processes(home, sheets[1])
    if first:
        print(f"{full / again:,.0f} times quicker than the full run, in CPU seconds; with the "
              f"report {full / (again + entered):,.0f} times")


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=("commune", "province", "country"), default="country")
    parser.add_argument("--towers", type=int, default=100)
    parser.add_argument("--home", type=Path)
    given = parser.parse_args()
    if given.home is not None:
        measure(given.home, given.size, given.towers)
        return
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), given.size, given.towers)


if __name__ == "__main__":
    main()
