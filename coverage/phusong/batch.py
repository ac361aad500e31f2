"""Many studies one after another, or some at a time; one that fails does not stop the rest."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from phusong.workers import THREADS_VARIABLE, thread_count

__all__ = ["run_all"]


def run_all(studies: Sequence[str], home: Path, *, jobs: int = 1, full: bool = False,
            progress: Callable[[str, int, int], None] | None = None) -> list[dict[str, Any]]:
    """Run studies in processes of their own.

    Parameters
    ----------
    studies : sequence of str
        Names, or paths of study files, as ``phusong run`` takes them.
    home : Path
        Folder that holds ``data/`` and ``maps/``.
    jobs : int
        How many at a time; the threads of this program are shared out among them.
    full : bool
        Compute everything again and compare.
    progress : callable, optional
        Called with ("batch", studies done, studies in all).

    Returns
    -------
    list of dict
        In the order of `studies`: ``study``, ``ok``, ``seconds``, ``points``, ``uncovered``,
        ``map``, and ``error``: what went wrong, in words.
    """
    threads = str(max(1, thread_count() // max(jobs, 1)))
    found: dict[int, dict[str, Any]] = {}
    with ThreadPoolExecutor(max(jobs, 1), thread_name_prefix="batch") as pool:
        waiting = {pool.submit(_run_one, study, home, threads, full): n
                   for n, study in enumerate(studies)}
        for done in as_completed(waiting):
            found[waiting[done]] = done.result()
            if progress is not None:
                progress("batch", len(found), len(studies))
    return [found[n] for n in range(len(studies))]


def _run_one(study: str, home: Path, threads: str, full: bool) -> dict[str, Any]:
    begun = time.monotonic()
    command = [sys.executable, "-m", "phusong", "run", study, "--home", str(home), "--json"]
    ended = subprocess.run([*command, *(["--full"] if full else [])], text=True, check=False,
                           stdin=subprocess.DEVNULL, capture_output=True,
                           env={**os.environ, THREADS_VARIABLE: threads})
    row: dict[str, Any] = {"study": study, "ok": ended.returncode == 0, "points": None,
                           "uncovered": None, "map": None, "error": "",
                           "seconds": round(time.monotonic() - begun, 1)}
    try:
        said = json.loads(ended.stdout)
    except json.JSONDecodeError:
        said = {}
    if row["ok"]:
        return row | {"points": said["points"]["all"], "uncovered": said["points"]["uncovered"],
                      "map": said.get("map")}
    differing = (said.get("recomputed") or {}).get("differing")
    last = (ended.stderr.strip().splitlines() or [f"ended with code {ended.returncode}"])[-1]
    return row | {"error": said.get("error") or (
        f"computed again, these differ: {', '.join(differing)}" if differing else last)}
