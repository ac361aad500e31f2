"""A run after a report, killed at any system call.

What is left is what held before or what holds after, whole; run again, it ends as if nothing had
been.  The points are found by tracing an undisturbed run, with the means of
``tests/ledger/test_crashes.py``.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import phusong as ps
import pytest
from phusong import desk
from phusong.ledger import Ledger
from phusong.store import Store

from tests.ledger.test_crashes import Server, points

CHANGING = ("write", "pwrite64", "fsync", "fdatasync", "rename", "unlink", "mkdir", "ftruncate")
"""System calls that change what is on the disk."""

Reference = tuple[dict[str, str], dict[str, Any], Counter[str]]


class Studies(Server):
    """Each run has a copy of the study as it stands before the report."""

    def __init__(self, folder: Path, home: Path) -> None:
        self.home = home
        super().__init__(folder, str(Path(__file__).with_name("killed_server.py")), str(home))

    def fresh(self) -> Path:
        self.count += 1
        return Path(shutil.copytree(self.home, self.folder / f"run{self.count}"))


@pytest.fixture(scope="module")
def server(commune: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studies]:
    if shutil.which("strace") is None or sys.platform != "linux":
        pytest.skip("needs strace (Linux): install it to run the kill tests")
    home = tmp_path_factory.mktemp("killed") / "home"
    shutil.copytree(commune / "data/raw", home / "data/raw")
    study = ps.Study.read(home / "data/raw/small/study.yml")
    spot = ps.read(study)[0].to_crs(4326).geometry.iloc[0]
    (home / "new.csv").write_text(
        "action;site_code;effective_date;lat;lon;technology;frequency;height\n"
        f"new;NEW1;2021-11-20;{spot.y:.6f};{spot.x:.6f};4G;1800;30\n", encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PHUSONG_THREADS", "1")
        made = Studies(tmp_path_factory.mktemp("runs"), home)
    yield made
    made.close()


def holding(home: Path) -> dict[str, str]:
    """The hash of every result that the study's pointer names; each can be read back."""
    store = Store(home / "data/processed/small")
    named = {name: where for name, where in store.now["results"].items()
             if not name.startswith("inputs.")}
    lost = [name for name, where in named.items() if not store.holds(*where)]
    assert not lost, f"the pointer names what is not there: {lost}"
    notes = {name: store.note_of(*where) for name, where in named.items()}
    return {name: note.get("digest", note["sha256"]) for name, note in notes.items()}


def said(home: Path) -> dict[str, Any]:
    """What the study's pointer says, its results, and what else lies there."""
    store = Store(home / "data/processed/small")
    now = store.now
    with Ledger.open(store.folder / desk.BOOK) as book:
        wrong, head = book.verify(), book.head
    assert now["head"] == head, "the results stand on the whole book"
    left = sorted(p.name for p in (store.folder / "tables").iterdir())
    return {"wrong": wrong, "now": now, "digests": holding(home), "left": left}


@pytest.fixture(scope="module")
def reference(server: Studies) -> Reference:
    """What holds before a run and what is said after it; how often it makes each system call."""
    before = holding(server.home)
    folder = server.fresh()
    assert server.run(folder, strace=("-e", f"trace={','.join(CHANGING)}")) == 0
    trace = (folder / "trace").read_text(encoding="utf-8", errors="replace").splitlines()
    calls = Counter(found.group(1) for line in trace
                    if (found := re.match(r"\d+ +(\w+)\(", line)))
    after = said(folder)
    assert after["wrong"] == []
    assert before != after["digests"], "the report matters"
    return before, after, calls


@pytest.mark.slow
def test_killed_at_forty_points(server: Studies, reference: Reference) -> None:
    before, after, calls = reference
    chosen = points(calls, CHANGING, 40)
    assert len(chosen) == 40
    died = 0
    for name, n in chosen:
        where = f"killed at {name} number {n}"
        folder = server.fresh()
        died += server.run(folder, strace=("-e", f"trace={name}", "-e",
                                           f"inject={name}:signal=SIGKILL:when={n}")) == -9
        assert holding(folder) in (before, after["digests"]), f"{where}: half a step was made"
        assert server.run(folder) == 0, f"{where}: the re-run fails"
        assert said(folder) == after, f"{where}: something differs"
        shutil.rmtree(folder)
    assert died >= 0.9 * len(chosen), f"only {died} of {len(chosen)} runs were killed"
