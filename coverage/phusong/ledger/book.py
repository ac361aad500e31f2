"""The book: one SQLite file that only ever grows.

Three tables: ``files`` (what arrived), ``rows`` (one for every input row) and
``events`` (what was said for the first time).  Triggers refuse every update
and delete.  Files and events share one numbering and one hash chain; the
entry of a file carries the hash of its rows.  One file is one transaction
(``BEGIN IMMEDIATE``, WAL, ``synchronous=FULL``) under a lock file.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

from phusong.ledger.audit import EVENT_COLUMNS, FILE_COLUMNS, GENESIS, audit, link, rows_hash
from phusong.ledger.events import Event, Statement
from phusong.ledger.filing import Filing, Row, as_duplicate
from phusong.ledger.fold import withdrawn
from phusong.ledger.keep import LedgerError, in_words, keep, locked, make_folder, sha256, sweep
from phusong.ledger.schema import MIN_SQLITE, connect, expect_ledger, prepare

__all__ = ["Book"]

_SAID = "events e JOIN rows r USING (event_key) JOIN files f ON f.seq = r.file_seq"


class Book:
    """The SQLite file, its raw files and its lock.

    Parameters
    ----------
    connection : sqlite3.Connection
        Open, in autocommit mode, with the tables made.
    path : Path or None
        The file; None = a copy in memory that keeps nothing (a dry run).
    wait_s : float
        How long to wait for another writer, seconds.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path | None,
                 wait_s: float = 60.0) -> None:
        self._db, self.path, self._wait_s = connection, path, wait_s
        self._at_hand: WeakValueDictionary[str, Event] = WeakValueDictionary()

    @classmethod
    def open(cls, path: Path, *, wait_s: float = 60.0) -> Book:
        """Open the book at `path`, or begin it.

        Raises
        ------
        LedgerError
            If the file is not a ledger, or of a later version.
        LedgerBusyError
            If another process holds it for longer than `wait_s`.
        """
        if sqlite3.sqlite_version_info < MIN_SQLITE:
            raise LedgerError(f"SQLite {sqlite3.sqlite_version} is too old for the ledger: it "
                              f"needs 3.37 or later. Use a newer Python.")
        path = Path(path)
        with in_words(f"{path}: the ledger cannot be opened"):
            make_folder(path.parent / "raw")
            with locked(cls._lock_of(path), wait_s=wait_s):
                connection = connect(path, wait_s)
                try:
                    prepare(connection, path)
                except BaseException:
                    connection.close()
                    raise
                sweep(path.parent / "raw")
        return cls(connection, path, wait_s)

    @classmethod
    def copy_of(cls, path: Path) -> Book:
        """Return a copy in memory of the book at `path` (empty if there is none)."""
        memory = sqlite3.connect(":memory:", isolation_level=None)
        if Path(path).is_file():
            source = connect(Path(path), 60.0, read_only=True)
            try:
                expect_ledger(source, Path(path))
                source.backup(memory)
            finally:
                source.close()
        prepare(memory, Path(path))
        return cls(memory, None)

    @staticmethod
    def _lock_of(path: Path) -> Path:
        return path.with_suffix(".lock")

    def close(self) -> None:
        """Close the file."""
        with in_words("The ledger cannot be closed in order; nothing is lost"):
            self._db.close()

    @property
    def raw(self) -> Path | None:
        """Folder of the raw files."""
        return self.path.parent / "raw" if self.path else None

    def _alone(self) -> contextlib.AbstractContextManager[None]:
        """Keep other writers out (and their sweeping, while a raw file is half-written)."""
        if self.path is None:
            return contextlib.nullcontext()
        return locked(self._lock_of(self.path), wait_s=self._wait_s)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                with contextlib.suppress(sqlite3.Error):
                    self._db.execute("ROLLBACK")
            raise

    def known(self, filing: Filing) -> int | None:
        """Return the number under which the same bytes, read the same way, stand in the book.

        What stands there as known only later does not count: it was known earlier, after all.
        """
        found = self._db.execute(
            "SELECT seq FROM files WHERE sha256=? AND subject=? AND operator=? AND recipe=? AND "
            "refused=? AND recorded_at<=? ORDER BY seq LIMIT 1", (
                sha256(filing.data), filing.subject, filing.operator, filing.recipe,
                filing.refused, filing.recorded_at)).fetchone()
        return None if found is None else int(found[0])

    def append(self, filing: Filing) -> tuple[int, tuple[Row, ...], bool]:
        """Write one file, its rows and its new events in one transaction.

        Raises
        ------
        LedgerError
            If the disk refuses; nothing of the file was entered then.
        LedgerBusyError
            If another process is writing for too long.

        Returns
        -------
        seq : int
            Number of the file in the book.
        rows : tuple of Row
            The rows as settled: an accepted row whose statement the book (or an
            earlier row of the file) has already is now a duplicate.
        added : bool
            False if the very same filing was there already: nothing was written, and
            what it said then is now a duplicate.
        """
        with in_words(f"{filing.name}: nothing of it was entered into the ledger"), self._alone():
            if self.raw is not None:
                keep(self.raw, filing.data)
            with self._transaction():
                seq = self.known(filing)
                if seq is not None:
                    again = (as_duplicate(row, "same_statement") if row.outcome == "accepted"
                             else row for row in self.rows_of(seq))
                    return seq, tuple(again), False
                rows = self._settle(filing.rows)
                seq = self._write(filing, rows)
        return seq, rows, True

    def _settle(self, rows: Iterable[Row]) -> tuple[Row, ...]:
        seen: set[str] = set()
        settled = []
        fresh = self.head()[0] == 0
        for row in sorted(rows, key=lambda r: r.row):
            if row.event is not None:
                key = row.event.key
                code = ("same_row" if key in seen else "" if fresh
                        else self._said_before(row.event, key, row.reported_on))
                if code:
                    row = as_duplicate(row, code)
                seen.add(key)
            settled.append(row)
        return tuple(settled)

    def _said_before(self, event: Event, key: str, reported_on: str) -> str:
        """Return the code of a duplicate if the book has this statement already, else ''.

        One that was retracted holds again once it is reported on a day after the retraction.
        """
        if not self._db.execute("SELECT 1 FROM events WHERE event_key=?", (key,)).fetchone():
            return ""
        if self._db.execute("SELECT 1 FROM events WHERE subject=? AND operator=? AND code=? AND "
                            "action='retract'", (event.subject, event.operator, event.code)
                            ).fetchone():
            said = self.statements(event.subject, operator=event.operator, code=event.code)
            if key in withdrawn(said):
                again = [replace(s, said_on=max(s.said_on, reported_on)) if s.key == key else s
                         for s in said]
                return "superseded_statement" if key in withdrawn(again) else "said_again"
        return "same_statement"

    def _write(self, filing: Filing, rows: Sequence[Row]) -> int:
        last, prev = self.head()
        seq = last + 1
        records = [row.record() for row in rows]
        self._db.executemany("INSERT INTO rows VALUES (?,?,?,?,?,?,?,?,?,?)",
                             [(seq, *record) for record in records])
        counts = [sum(r.outcome == o for r in rows) for o in ("accepted", "duplicate", "rejected")]
        entry: tuple[Any, ...] = (seq, sha256(filing.data), filing.name, filing.subject,
                                  filing.operator, filing.recipe, filing.recorded_at,
                                  len(filing.data), filing.refused, len(rows), *counts,
                                  rows_hash(records))
        prev = self._chain("files", FILE_COLUMNS, [entry], prev)
        said = [(r.row, r.event) for r in rows if r.outcome == "accepted" and r.event is not None]
        self._at_hand.update((event.key, event) for _, event in said)
        self._chain("events", EVENT_COLUMNS, ((
            number, event.key, seq, place, event.subject, event.operator, event.action, event.code,
            event.part, event.effective_date, filing.recorded_at, event.body)
            for number, (place, event) in enumerate(said, seq + 1)), prev)
        return seq

    def _chain(self, table: str, names: Sequence[str], entries: Iterable[tuple[Any, ...]],
               prev: str) -> str:
        """Add entries to the end of the chain; return the hash of the last."""
        chained = []
        for entry in entries:
            digest = link(prev, dict(zip(names, entry, strict=True)))
            chained.append((*entry, prev, digest))
            prev = digest
        marks = ",".join("?" * (len(names) + 2))
        self._db.executemany(f"INSERT INTO {table} VALUES ({marks})", chained)
        return prev

    def head(self) -> tuple[int, str]:
        """Return the number and the hash of the last entry (0 and zeros if there is none)."""
        with in_words("The ledger cannot be read"):
            found = self._db.execute(
                "SELECT seq, hash FROM files UNION ALL SELECT seq, hash FROM events "
                "ORDER BY seq DESC LIMIT 1").fetchone()
        return (0, GENESIS) if found is None else (int(found[0]), str(found[1]))

    def rows_of(self, seq: int) -> list[Row]:
        """Return every row of the file with number `seq`, in the file's order."""
        found = self._db.execute(
            "SELECT r.row, r.outcome, r.code, r.column_name, r.message_vi, r.message_en, "
            "r.reported_on, r.raw, e.body FROM rows r LEFT JOIN events e USING (event_key) "
            "WHERE r.file_seq=? ORDER BY r.row", (seq,)).fetchall()
        return [Row(n, outcome, raw, Event.from_body(body) if body else None, on, code,
                    column, vi, en) for n, outcome, code, column, vi, en, on, raw, body in found]

    def files(self) -> list[dict[str, Any]]:
        """Return every entry of ``files``, oldest first."""
        found = self._db.execute(f"SELECT {','.join(FILE_COLUMNS)} FROM files ORDER BY seq")
        return [dict(zip(FILE_COLUMNS, entry, strict=True)) for entry in found.fetchall()]

    def statements(self, subject: str, *, known_on: str = "9999", seq: int | None = None,
                   operator: str | None = None, code: str | None = None,
                   wanted: Callable[[tuple[str, str]], bool] | None = None) -> list[Statement]:
        """Return what was said about `subject`, as far as it was known.

        Parameters
        ----------
        subject : str
            A key of `SUBJECTS`.
        known_on : str
            ISO day or time; what became known later is left out.
        seq : int, optional
            Last entry of the book to read.
        operator, code : str, optional
            Only this operator's, only this site's or point's.
        wanted : callable, optional
            Says of each (operator, code) whether its statements are wanted; None = all.

        Notes
        -----
        A statement that arrived in several files was known from the earliest
        of them on, whichever arrived first.
        """
        where, given = self._known(subject, known_on, seq)
        for name, value in (("operator", operator), ("code", code)):
            if value is not None:
                where.append(f"e.{name}=?")
                given.append(value)
        with in_words("The ledger cannot be read"):
            found = self._db.execute(
                "SELECT e.seq, e.event_key, e.body, min(f.recorded_at), max(r.reported_on), "
                f"e.operator, e.code FROM {_SAID} WHERE {' AND '.join(where)} "
                "GROUP BY e.seq ORDER BY e.seq", given).fetchall()
        return [Statement(self._at_hand.get(key) or Event.from_body(body), key, on or known[:10],
                          known, number) for number, key, body, known, on, *whose in found
                if wanted is None or wanted((whose[0], whose[1]))]

    def _known(self, subject: str, known_on: str, seq: int | None) -> tuple[list[str], list[Any]]:
        """Return the conditions, with their values, for what was known of a subject."""
        end = self.head()[0] if seq is None else seq
        return (["e.subject=?", "e.seq<=?", "f.seq<=?", "f.recorded_at<=?"],
                [subject, end, end, known_on + "~"])

    def codes(self, subject: str, *, known_on: str = "9999", seq: int | None = None
              ) -> set[tuple[str, str]]:
        """Return (operator, code) of everything about which `statements` has something."""
        where, given = self._known(subject, known_on, seq)
        with in_words("The ledger cannot be read"):
            return set(self._db.execute(f"SELECT DISTINCT e.operator, e.code FROM {_SAID} "
                                        f"WHERE {' AND '.join(where)}", given).fetchall())

    def codes_since(self, subject: str, seq: int) -> set[tuple[str, str]]:
        """Return (operator, code) of all that entries after `seq` speak of, said before or not."""
        with in_words("The ledger cannot be read"):
            return set(self._db.execute(
                "SELECT operator, code FROM events WHERE subject=?1 AND seq>?2 UNION "
                "SELECT e.operator, e.code FROM rows r JOIN events e USING (event_key) "
                "WHERE r.file_seq>?2 AND e.subject=?1", (subject, seq)).fetchall())

    def verify(self) -> list[str]:
        """Return everything that is wrong with the book, in words; see `audit`."""
        with in_words("The ledger cannot be read"):
            return audit(self._db, self.raw)
