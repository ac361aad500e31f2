"""Forks ledger runs for the crash tests: one line in (folder, mutant), one run, its end out.

Imported once, so that a hundred runs cost a hundred forks and no hundred imports.  A run waits
until the file ``go`` appears in its folder: by then strace is attached.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from phusong.errors import PhusongError
from phusong.ledger import Ledger, keep
from phusong.ledger.book import Book
from phusong.ledger.filing import Filing, Row

_PR_SET_PTRACER = 0x59616D61


def run(folder: Path) -> None:
    """Report every file of ``folder/inbox``, each known on its own day."""
    with Ledger.open(folder / "book" / "ledger.sqlite", crs="EPSG:32648", wait_s=5) as ledger:
        for place, path in enumerate(sorted((folder / "inbox").iterdir()), 1):
            ledger.report([path], operator="X", recorded_at=f"2021-10-{place:02d}")


def every_statement_alone() -> None:
    """Mutant: a file is no transaction."""

    @contextlib.contextmanager
    def writing(self: Book) -> Iterator[None]:
        self._db.execute("PRAGMA foreign_keys=OFF")
        yield

    Book._transaction = writing  # type: ignore[method-assign]


def file_before_its_events() -> None:
    """Mutant: the file counts as read before its events are in."""
    chain = Book._chain

    def early(self: Book, table: str, *rest: object) -> str:
        digest = chain(self, table, *rest)  # type: ignore[arg-type]
        if table == "files":
            self._db.execute("COMMIT")
            self._db.execute("BEGIN IMMEDIATE")
        return digest

    Book._chain = early  # type: ignore[method-assign, assignment]


def kept_means_entered() -> None:
    """Mutant: a file whose bytes are kept is taken to be in the book."""
    append = Book.append

    def skipping(self: Book, filing: Filing) -> tuple[int, tuple[Row, ...], bool]:
        if (self.raw / keep.sha256(filing.data)).is_file():  # type: ignore[operator]
            return 0, (), False
        return append(self, filing)

    Book.append = skipping  # type: ignore[method-assign]


def written_in_place() -> None:
    """Mutant: raw files are written under their final name, and believed if they are there."""

    def naive(folder: Path, data: bytes) -> Path:
        target = folder / keep.sha256(data)
        if not target.exists():
            with target.open("wb") as stream:
                stream.write(data[:10])
                stream.flush()
                stream.write(data[10:])
        return target

    sys.modules["phusong.ledger.book"].keep = naive  # type: ignore[attr-defined]


def never_synced() -> None:
    """Mutant: nothing is synced."""
    os.fsync = lambda handle: None


MUTANTS: dict[str, Callable[[], None]] = {
    "none": lambda: None,
    "every_statement_alone": every_statement_alone,
    "file_before_its_events": file_before_its_events,
    "kept_means_entered": kept_means_entered,
    "written_in_place": written_in_place,
    "never_synced": never_synced,
}


def child(folder: Path, mutant: str, run: Callable[[Path], None]) -> None:
    """One run, from the sign to go to the end of the process."""
    ctypes.CDLL(None).prctl(_PR_SET_PTRACER, ctypes.c_ulong(-1).value, 0, 0, 0)
    MUTANTS[mutant]()
    while not (folder / "go").exists():
        time.sleep(0.005)
    try:
        run(folder)
    except PhusongError:
        os._exit(3)
    except BaseException:
        os._exit(4)
    os._exit(0)


def main() -> None:
    """Warm up, then serve."""
    with tempfile.TemporaryDirectory() as folder:
        inbox = Path(folder) / "inbox"
        inbox.mkdir()
        (inbox / "r.csv").write_text("site_code;date;lat;lon;technology\nA;2021-10-05;22;103;4G\n")
        run(Path(folder))
    serve(run)


def serve(run: Callable[[Path], None]) -> None:
    """Fork one process for each line of input, which does `run` in a folder; say how it ended."""
    print("ready", flush=True)
    for line in sys.stdin:
        folder, mutant = line.rstrip("\n").split("\t")
        pid = os.fork()
        if pid == 0:
            child(Path(folder), mutant, run)
        print(pid, flush=True)
        _, status = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
