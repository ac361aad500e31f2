"""The book only grows, tells when somebody has been at it, and keeps two writers apart."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from phusong.ledger import Ledger, LedgerBusyError, LedgerError
from phusong.ledger.keep import keep, locked, sha256, sweep

GOOD = ("new", "A1", "A1-1", "2021-10-05", 22.35, 103.84, "4G", 1800, 30, 90)


@pytest.fixture
def book(ledger: Ledger, csv: Callable[..., Path], tmp_path: Path) -> Path:
    """A ledger with two files in it, closed."""
    ledger.report([csv("a.csv", [GOOD, GOOD, GOOD[:1] + ("",) * 9])], operator="X",
                  recorded_at="2021-10-08")
    ledger.report([csv("b.csv", [("change", *GOOD[1:8], 45, 90)])], operator="X",
                  recorded_at="2021-10-15")
    assert ledger.verify() == []
    ledger.close()
    return tmp_path / "book" / "ledger.sqlite"


def reopened(path: Path) -> Ledger:
    return Ledger.open(path, crs="EPSG:32648", area=(102.0, 8.0, 110.0, 24.0))


@pytest.mark.parametrize("statement", [
    "UPDATE events SET code='B'", "DELETE FROM events", "UPDATE rows SET outcome='rejected'",
    "DELETE FROM rows", "UPDATE files SET accepted=9", "DELETE FROM files",
    "INSERT OR REPLACE INTO events SELECT * FROM events",
    "INSERT OR REPLACE INTO files SELECT * FROM files",
    "INSERT OR REPLACE INTO rows SELECT * FROM rows",
    "INSERT INTO rows SELECT file_seq, 99, outcome, code, column_name, message_vi, message_en, "
    "reported_on, raw, event_key FROM rows LIMIT 1",
    "INSERT INTO events SELECT 99, 'k', file_seq, row, subject, operator, action, code, part, "
    "effective_date, recorded_at, body, prev, hash FROM events LIMIT 1"])
def test_nothing_is_ever_changed(book: Path, statement: str) -> None:
    connection = sqlite3.connect(book)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        connection.execute(statement)
    connection.close()
    with reopened(book) as ledger:
        assert ledger.verify() == []


@pytest.mark.parametrize(("statement", "word"), [
    ("UPDATE events SET body=replace(body, '22.35', '22.45') WHERE seq=2", "chain"),
    ("UPDATE events SET effective_date='2020-01-01'", "chain"),
    ("DELETE FROM events WHERE seq=2", "missing"),
    ("UPDATE rows SET raw='{}' WHERE row=4", "rows do not match"),
    ("DELETE FROM rows WHERE row=4", "rows do not match"),
    ("UPDATE files SET recorded_at='2021-10-01T00:00:00' WHERE seq=1", "chain")])
def test_tampering_shows(book: Path, statement: str, word: str) -> None:
    connection = sqlite3.connect(book)
    for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type='trigger'"
                                      ).fetchall():
        connection.execute(f"DROP TRIGGER {name}")
    with connection:
        connection.execute("PRAGMA foreign_keys=OFF")
        connection.execute(statement)
    connection.close()
    with reopened(book) as ledger:
        wrong = ledger.verify()
    assert any(word in line for line in wrong)
    assert any("triggers" in line for line in wrong)


def test_raw_files_are_watched(book: Path) -> None:
    raw = sorted((book.parent / "raw").iterdir())
    assert len(raw) == 2
    assert all(sha256(path.read_bytes()) == path.name for path in raw)
    raw[0].write_bytes(b"other")
    raw[1].unlink()
    with reopened(book) as ledger:
        assert sum("missing or altered" in line for line in ledger.verify()) == 2


def test_the_inbox_three_times(book: Path, tmp_path: Path) -> None:
    with reopened(book) as ledger:
        head, state = ledger.head, ledger.state()
        for _ in range(3):
            outcome = ledger.report([tmp_path / "b.csv", tmp_path / "a.csv"], operator="X")
            assert outcome.counts == {"rows": 4, "accepted": 0, "duplicate": 3, "rejected": 1,
                                      "refused": 0}
            assert not outcome.files["new_file"].any()
            assert outcome.changes.empty
            assert (tmp_path / "b.csv").exists()
        assert ledger.head == head
        assert ledger.state().equals(state)


def test_other_files_are_no_ledgers(tmp_path: Path, book: Path) -> None:
    text = tmp_path / "text.sqlite"
    text.write_text("this is no database, and long enough to be looked at as one " * 20)
    other = tmp_path / "other.sqlite"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE t (x)")
    connection.close()
    for path in (text, other):
        before = path.read_bytes()
        with pytest.raises(LedgerError, match="not a ledger"):
            Ledger.open(path)
        assert path.read_bytes() == before
    later = tmp_path / "later.sqlite"
    shutil.copy(book, later)
    with sqlite3.connect(later) as connection:
        connection.execute("PRAGMA user_version=99")
    connection.close()
    with pytest.raises(LedgerError, match="later phusong"):
        Ledger.open(later)


def test_a_second_writer_waits_or_is_refused(book: Path, tmp_path: Path) -> None:
    with reopened(book) as ledger, locked(book.with_suffix(".lock")):
        ledger._book._wait_s = 0.2
        began = time.monotonic()
        path = tmp_path / "c.csv"
        path.write_text((tmp_path / "b.csv").read_text().replace("A1", "A2"))
        with pytest.raises(LedgerBusyError, match="another process"):
            ledger.report([path], operator="X")
        assert time.monotonic() - began < 5
        with pytest.raises(LedgerBusyError):
            Ledger.open(book, wait_s=0.1)


_WRITER = """
import sys
from phusong.ledger import Ledger
with Ledger.open(sys.argv[1], crs="EPSG:32648") as ledger:
    for path in sys.argv[2:]:
        ledger.report([path], operator="X", recorded_at="2021-10-08")
"""


def test_two_processes_at_once(tmp_path: Path, csv: Callable[..., Path]) -> None:
    book = tmp_path / "book" / "ledger.sqlite"
    files = [csv(f"r{n}.csv", [("new", f"S{n}-{i}", "", *GOOD[3:]) for i in range(5)])
             for n in range(6)]
    runs = [subprocess.Popen([sys.executable, "-c", _WRITER, str(book), *map(str, order)],
                             stderr=subprocess.PIPE)
            for order in (files, files[::-1])]
    for run in runs:
        _, said = run.communicate(timeout=120)
        assert run.returncode == 0, said.decode()
    with reopened(book) as ledger:
        assert ledger.verify() == []
        assert ledger.files()["accepted"].tolist() == [5] * 6
        assert len(ledger.state()) == 30


def test_raw_files_are_kept_under_the_lock(book: Path, tmp_path: Path,
                                           csv: Callable[..., Path],
                                           monkeypatch: pytest.MonkeyPatch) -> None:
    """Else another process that opens the book would sweep away what is half-written."""
    tried = []

    def watched(folder: Path, data: bytes) -> Path:
        with pytest.raises(LedgerBusyError), locked(book.with_suffix(".lock"), wait_s=0):
            pass
        tried.append(folder)
        return keep(folder, data)

    with reopened(book) as ledger:
        monkeypatch.setattr("phusong.ledger.book.keep", watched)
        ledger.report([csv("c.csv", [("new", "C", "C-1", *GOOD[3:])])], operator="X")
    assert tried == [book.parent / "raw"]


def test_kept_files(tmp_path: Path) -> None:
    path = keep(tmp_path, b"x")
    assert path.name == sha256(b"x")
    path.write_bytes(b"damaged")
    assert keep(tmp_path, b"x").read_bytes() == b"x"
    (tmp_path / ".abc.1.part").write_bytes(b"half")
    assert sweep(tmp_path) == 1
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_a_day_that_was_given_is_given_again(book: Path, tmp_path: Path,
                                             csv: Callable[..., Path]) -> None:
    with reopened(book) as ledger:
        then = ledger.state("2021-10-20", "2021-10-16")
        late = [("change", "A1", "A1-1", "2021-10-10", "", "", "", "", 12, ""),
                ("new", "Z", "Z-1", *GOOD[3:])]
        ledger.report([csv("late.csv", late)], operator="X", recorded_at="2021-12-01")
        assert ledger.state("2021-10-20", "2021-10-16").equals(then)
        assert not ledger.state("2021-10-20").equals(then)
        assert ledger.state("2021-10-20", seq=ledger.watermark - 3).equals(then)
