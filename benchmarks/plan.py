"""The optimiser beside HiGHS, SCIP, CP-SAT and spopt on published instances, in one table.

    python benchmarks/plan.py FOLDER [--seconds 60] [--only 'provincial*' ...] [--of HiGHS SCIP]

FOLDER holds instances as ``phusong verify plan`` reads them.  The others run in the Python
of ``PHUSONG_PLAN_PEERS`` (an environment with highspy, pyscipopt, ortools, spopt, pulp); what
is not installed there is left out with a word.  Every contestant runs alone, one thread, in a
process of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import numpy as np
from phusong.verify.plan import Reference, tasks_below

HERE = Path(__file__).parent
NEEDS = {"HiGHS": "highspy", "SCIP": "pyscipopt", "CP-SAT": "ortools", "spopt + CBC": "spopt"}


def pythons(wanted: list[str]) -> dict[str, str]:
    """Return for each contestant that can run the Python that runs it; none wanted = all."""
    found = {"phusong": sys.executable} if not wanted or "phusong" in wanted else {}
    peers = os.environ.get("PHUSONG_PLAN_PEERS", "")
    for name, module in NEEDS.items():
        if wanted and name not in wanted:
            continue
        have = peers and subprocess.run([peers, "-c", f"import {module}"], check=False,
                                        capture_output=True).returncode == 0
        if have:
            found[name] = peers
        else:
            print(f"{name}: left out, {module} is not in "
                  f"{peers or 'PHUSONG_PLAN_PEERS, which is not set'}", file=sys.stderr)
    return found


def contest(name: str, python: str, file: str, seconds: float) -> dict[str, Any] | str:
    """Return what a contestant found, or why it found nothing."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run([python, str(HERE / "plan_contestants.py"), name, file, str(seconds)],
                          check=False, capture_output=True, text=True, env=environment)
    lines = done.stdout.strip().splitlines()
    if done.returncode == 0 and lines:
        return dict(json.loads(lines[-1]))
    words = done.stderr.strip().splitlines()
    return words[-1] if words else f"ended with {done.returncode}"


def row(name: str, found: dict[str, Any] | str) -> str:
    """Return one line of the table."""
    if isinstance(found, str):
        return f"| | {name} | {found} | | | | | |"
    value, bound = found["value"], found["bound"]
    gap = ("–" if not value or bound is None else
           f"{100.0 * abs(bound - value) / abs(value):.2f} %")
    shown = ["–" if v is None else f"{v:,.10g}" for v in (value, bound)]
    return (f"| | {name} | {shown[0]} | {shown[1]} | {gap} | {found['cpu_s']:.1f} | "
            f"{found['building_s']:.1f} | {found['peak_mib']:.0f} |")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--of", nargs="*", default=[], choices=["phusong", *NEEDS],
                        metavar="CONTESTANT", help=f"phusong, {', '.join(NEEDS)}; none = all")
    chosen = parser.parse_args()
    runners = pythons(chosen.of)
    print("| instance | contestant | value | bound | gap | CPU s | of these starting and building "
          "| peak MiB |")
    print("|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as inside:
        file = str(Path(inside) / "instance.npz")
        for instance, task in tasks_below(chosen.folder):
            name = f"{instance.name}, {task.task}"
            if chosen.only and not any(fnmatch(name, p) for p in chosen.only):
                continue
            write(file, instance.problem, task)
            best = "" if task.best is None else f"best known {task.best:,.10g}"
            print(f"| **{name}** | {best} | | | | | | |")
            for who, python in runners.items():
                if who.startswith("spopt") and task.max_sites is None:
                    continue
                print(row(who, contest(who, python, file, chosen.seconds)), flush=True)


def write(file: str, problem: Any, task: Reference) -> None:
    """Write an instance for the contestants."""
    np.savez(file, indptr=problem.indptr, indices=problem.indices, w=problem.weights,
             cost=problem.costs, budget=np.inf if task.budget is None else task.budget,
             most=np.inf if task.max_sites is None else task.max_sites,
             cover=task.task == "full cover")


if __name__ == "__main__":
    main()
