"""Killed at any system call, refused by the disk at any: nothing lost, nothing counted twice.

The points are found by tracing an undisturbed run, not by hooks in the code.
"""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from phusong.ledger import Ledger

SYSCALLS = ("openat", "write", "pwrite64", "fsync", "fdatasync", "rename", "unlink", "mkdir",
            "ftruncate", "flock")
DISK = ("write", "pwrite64", "fsync", "fdatasync", "rename", "openat", "ftruncate")


class Server:
    """Runs ledgers under strace, by way of ``crash_server.py`` or another `script`."""

    def __init__(self, folder: Path, *script: str) -> None:
        self.folder = folder
        self.count = 0
        self.inbox = folder / "inbox"
        if not script:
            self.fill()
            script = (str(Path(__file__).with_name("crash_server.py")),)
        self.process = subprocess.Popen([sys.executable, *script], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        assert self._line() == "ready"

    def fill(self) -> None:
        """Write the files of the inbox."""
        self.inbox.mkdir()
        for n in range(5):
            rows = [f"new;S{i};S{i}-{n};2021-10-0{n + 1};22.{10 + i};103.8;4G" for i in range(4)]
            rows += ["change;S0;S0-0;2021-10-09;22.9;103.9;4G"] * (n > 2)
            rows += [";S9;;x;;;4G", rows[0]]
            (self.inbox / f"r{n}.csv").write_text(
                "\n".join(["action;site_code;cell_code;date;lat;lon;technology", *rows]),
                encoding="utf-8")

    def _line(self) -> str:
        assert self.process.stdout
        return self.process.stdout.readline().strip()

    def fresh(self) -> Path:
        """A folder with the inbox and no book."""
        self.count += 1
        folder = self.folder / f"run{self.count}"
        folder.mkdir()
        (folder / "inbox").symlink_to(self.inbox)
        return folder

    def run(self, folder: Path, mutant: str = "none", strace: tuple[str, ...] = ()) -> int:
        """One run in `folder`; its exit code (negative = killed by that signal)."""
        (folder / "go").unlink(missing_ok=True)
        assert self.process.stdin
        self.process.stdin.write(f"{folder}\t{mutant}\n")
        self.process.stdin.flush()
        pid = self._line()
        tracer = None
        if strace:
            tracer = subprocess.Popen(
                ["strace", "-f", "-y", "-p", pid, "-o", str(folder / "trace"), *strace],
                stderr=subprocess.PIPE, text=True)
            assert tracer.stderr
            said = tracer.stderr.readline()
            if "attached" not in said:
                (folder / "go").touch()
                self._line()
                pytest.skip(f"strace may not attach to a process here: {said.strip()}")
        (folder / "go").touch()
        code = int(self._line())
        if tracer:
            tracer.communicate(timeout=30)
        return code

    def close(self) -> None:
        """End the server."""
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait(timeout=30)
        assert self.process.stdout
        self.process.stdout.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    if shutil.which("strace") is None or sys.platform != "linux":
        pytest.skip("needs strace (Linux): install it to run the crash tests")
    made = Server(tmp_path_factory.mktemp("crashes"))
    yield made
    made.close()


def digest(folder: Path) -> str:
    """Everything the book says, the raw files, and whether all is well."""
    path = folder / "book" / "ledger.sqlite"
    with Ledger.open(path, crs="EPSG:32648") as ledger:
        wrong, head = ledger.verify(), ledger.head
        state = ledger.state()
    connection = sqlite3.connect(path)
    rows = {table: connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall()
            for table in ("files", "rows", "events")}
    connection.close()
    raw = sorted(p.name for p in (folder / "book" / "raw").iterdir())
    places = [(i, round(p.x, 3), round(p.y, 3)) for i, p in state.geometry.items()]
    return json.dumps([wrong, head, rows, raw, places])


@pytest.fixture(scope="module")
def reference(server: Server) -> tuple[str, Counter[str], list[str]]:
    """The digest of an undisturbed run, how often it made each system call, and its trace."""
    folder = server.fresh()
    assert server.run(folder, strace=("-e", f"trace={','.join(SYSCALLS)}")) == 0
    trace = (folder / "trace").read_text(encoding="utf-8", errors="replace").splitlines()
    calls = Counter(found.group(1) for line in trace
                    if (found := re.match(r"\d+ +(\w+)\(", line)))
    text = digest(folder)
    assert json.loads(text)[0] == []
    assert len(json.loads(text)[2]["files"]) == 5
    return text, calls, trace


def points(calls: Counter[str], kinds: tuple[str, ...], count: int) -> list[tuple[str, int]]:
    """`count` points spread evenly over all calls of these kinds."""
    every = [(name, n) for name in kinds for n in range(1, calls[name] + 1)]
    step = max(1.0, len(every) / count)
    return [every[int(i * step)] for i in range(min(count, len(every)))]


def survives(server: Server, expected: str, inject: str, mutant: str = "none") -> tuple[bool, int]:
    """Disturb one run, run again undisturbed; is the outcome as expected? And how it ended."""
    folder = server.fresh()
    name = inject.split(":")[0]
    ended = server.run(folder, mutant, ("-e", f"trace={name}", "-e", f"inject={inject}"))
    again = server.run(folder, mutant)
    try:
        same = again == 0 and digest(folder) == expected
    except Exception:  # a mutant may leave anything behind
        same = False
    shutil.rmtree(folder)
    return same, ended


def kill_everywhere(server: Server, reference: tuple[str, Counter[str], list[str]], count: int
                    ) -> None:
    expected, calls, _ = reference
    chosen = points(calls, SYSCALLS, count)
    ends = {}
    for name, n in chosen:
        same, ends[name, n] = survives(server, expected, f"{name}:signal=SIGKILL:when={n}")
        assert same, f"killed at {name} number {n}: the book differs after the re-run"
    died = sum(code == -9 for code in ends.values())
    assert died >= 0.9 * len(chosen), f"only {died} of {len(chosen)} runs were killed: {ends}"


def refuse_everywhere(server: Server, reference: tuple[str, Counter[str], list[str]], count: int
                      ) -> None:
    expected, calls, _ = reference
    ends: Counter[int] = Counter()
    for place, (name, n) in enumerate(points(calls, DISK, count)):
        error = ("ENOSPC", "EIO")[place % 2] if name != "openat" else "EIO"
        same, ended = survives(server, expected, f"{name}:error={error}:when={n}+")
        assert same, f"{error} at {name} number {n}: the book differs after the re-run"
        assert ended in (0, 3), f"{error} at {name} number {n}: not told as a PhusongError"
        ends[ended] += 1
    assert ends[3] > ends[0]


def synced_before_renamed(trace: list[str]) -> tuple[int, int]:
    """How many renames the trace holds, and how many of them had their source synced."""
    synced: set[str] = set()
    renames = good = 0
    for line in trace:
        if found := re.search(r"f(?:data)?sync\(\d+<(.*?)>\) += 0", line):
            synced.add(found.group(1))
        elif found := re.search(r" write\(\d+<(.*?)>", line):
            synced.discard(found.group(1))
        elif found := re.search(r'rename\("(.*?)", "(.*?)"\) += 0', line):
            renames += 1
            good += found.group(1) in synced
    return renames, good


def test_killed_at_a_sample_of_points(
        server: Server, reference: tuple[str, Counter[str], list[str]]) -> None:
    kill_everywhere(server, reference, 8)


def test_refused_by_the_disk_at_a_sample_of_points(
        server: Server, reference: tuple[str, Counter[str], list[str]]) -> None:
    refuse_everywhere(server, reference, 5)


def test_each_rename_is_synced_before(
        server: Server, reference: tuple[str, Counter[str], list[str]]) -> None:
    trace = reference[2]
    assert synced_before_renamed(trace) == (5, 5)
    folders = [line for line in trace if re.search(r"fsync\(\d+</[^>]*/raw>\) += 0", line)]
    assert len(folders) == 5, "the folder is synced after each rename"
    folder = server.fresh()
    server.run(folder, "never_synced", ("-e", f"trace={','.join(SYSCALLS)}"))
    assert synced_before_renamed((folder / "trace").read_text().splitlines()) == (5, 0)


@pytest.mark.slow
def test_killed_at_two_hundred_points(
        server: Server, reference: tuple[str, Counter[str], list[str]]) -> None:
    assert len(points(reference[1], SYSCALLS, 240)) >= 200
    kill_everywhere(server, reference, 240)


@pytest.mark.slow
def test_refused_by_the_disk_at_sixty_points(
        server: Server, reference: tuple[str, Counter[str], list[str]]) -> None:
    assert len(points(reference[1], DISK, 70)) >= 60
    refuse_everywhere(server, reference, 70)


@pytest.mark.slow
@pytest.mark.parametrize("mutant", ["every_statement_alone", "file_before_its_events",
                                    "kept_means_entered", "written_in_place"])
def test_the_crash_test_sees_faulty_code(
        server: Server, reference: tuple[str, Counter[str], list[str]], mutant: str) -> None:
    expected, calls, _ = reference
    folder = server.fresh()
    assert server.run(folder, mutant) == 0
    if mutant != "every_statement_alone":
        assert digest(folder) == expected, "undisturbed, the mutant does as the code does"
    caught = [point for point in points(calls, SYSCALLS, 60)
              if not survives(server, expected, f"{point[0]}:signal=SIGKILL:when={point[1]}",
                              mutant)[0]]
    assert caught, "no kill showed the fault"
