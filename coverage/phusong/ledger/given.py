"""What was given: every figure of progress that ever left the house, and when.

One SQLite file beside the ledger, append-only like it (triggers refuse update and delete, one
hash chain).  A row holds all figures of one target on one day as they were given on another;
it is added only if they differ from what was given last, so a restatement is a new row "as known
on", and asking for a pair of days returns exactly what was said then.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from phusong.ledger.keep import LedgerError, in_words, locked, make_folder
from phusong.ledger.schema import connect
from phusong.ledger.values import moment

__all__ = ["GIVEN", "Given"]

GIVEN = "given.sqlite"
"""Name of the record in ``data/processed/<study>``."""

_APPLICATION = 0x50485547  # "PHUG"
_GENESIS = "0" * 64
_TABLES = """
CREATE TABLE given (
    seq INTEGER PRIMARY KEY, what TEXT NOT NULL, target TEXT NOT NULL, day TEXT NOT NULL,
    known_on TEXT NOT NULL, digest TEXT NOT NULL, body TEXT NOT NULL, basis TEXT NOT NULL,
    prev TEXT NOT NULL, hash TEXT NOT NULL
) STRICT;
CREATE INDEX given_by_day ON given (what, target, day, known_on);
CREATE TRIGGER given_update BEFORE UPDATE ON given BEGIN
    SELECT RAISE(ABORT, 'what was given is never rewritten'); END;
CREATE TRIGGER given_delete BEFORE DELETE ON given BEGIN
    SELECT RAISE(ABORT, 'what was given is never deleted'); END;
CREATE TRIGGER given_append BEFORE INSERT ON given
    WHEN NEW.seq <> 1 + (SELECT coalesce(max(seq), 0) FROM given)
    BEGIN SELECT RAISE(ABORT, 'what was given grows at the end'); END;
"""
Key = tuple[str, str, str]
"""(kind of figures, target, ISO day)."""
Figures = Mapping[Key, Any]
"""What is said of each; JSON can write it."""


class Given:
    """The record at `path`; begun with the first figures.

    Parameters
    ----------
    path : Path
        ``given.sqlite``.
    wait_s : float
        How long to wait for another process that is writing, seconds.
    """

    def __init__(self, path: Path, *, wait_s: float = 60.0) -> None:
        self.path, self._wait_s = Path(path), wait_s

    def keep(self, figures: Figures, *, known_on: date | datetime | str | None = None,
             basis: str = "") -> int:
        """Add what differs from what was given last; return how many rows were added.

        Parameters
        ----------
        figures : mapping of (kind, target, ISO day) to anything that JSON can write
            All that is said of each target on each day.
        known_on : date, datetime or ISO text, optional
            When it is given; None = now.
        basis : str
            What it stands on: hash of the run.

        Raises
        ------
        LedgerError
            If the file is no such record, or the disk refuses; nothing was added then.
        LedgerBusyError
            If another process writes for longer than `wait_s`.
        """
        now, added = moment(known_on), 0
        with in_words(f"{self.path}: what was given was not recorded"):
            make_folder(self.path.parent)
            with locked(self.path.with_suffix(".lock"), wait_s=self._wait_s), self._open() as db:
                db.execute("BEGIN IMMEDIATE")
                try:
                    seq, prev = db.execute("SELECT coalesce(max(seq), 0), coalesce((SELECT hash "
                                           "FROM given ORDER BY seq DESC LIMIT 1), ?) FROM given",
                                           (_GENESIS,)).fetchone()
                    for (what, target, day), said in sorted(figures.items()):
                        body = _canonical(said)
                        digest = hashlib.sha256(body.encode()).hexdigest()
                        last = db.execute("SELECT digest FROM given WHERE what=? AND target=? AND "
                                          "day=? AND known_on<=? ORDER BY known_on DESC, seq DESC "
                                          "LIMIT 1", (what, target, day, now)).fetchone()
                        if last is not None and last[0] == digest:
                            continue
                        seq, added = seq + 1, added + 1
                        entry = [seq, what, target, day, now, digest, body, basis, prev]
                        prev = _link(entry)
                        db.execute("INSERT INTO given VALUES (?,?,?,?,?,?,?,?,?,?)", [*entry, prev])
                    db.execute("COMMIT")
                except BaseException:
                    if db.in_transaction:
                        db.execute("ROLLBACK")
                    raise
        return added

    def at(self, known_on: date | datetime | str | None = None) -> dict[Key, tuple[str, Any]]:
        """Return for every target and day what was given last by `known_on`.

        Parameters
        ----------
        known_on : date, datetime or ISO text, optional
            A day counts to its end; None = all that was ever given.

        Returns
        -------
        dict of (kind, target, ISO day) to (ISO time, what was said)
            Empty if nothing was.
        """
        return {key: rows[-1] for key, rows in self.history(known_on).items()}

    def history(self, known_on: date | datetime | str | None = None, *, kind: str = ""
                ) -> dict[Key, list[tuple[str, Any]]]:
        """Return for every target and day all that was given by `known_on`, oldest first.

        Of one `kind` only, if one is named.
        """
        if not self.path.is_file():
            return {}
        until = "9999" if known_on is None else _end(known_on)
        found: dict[Key, list[tuple[str, Any]]] = {}
        with in_words(f"{self.path}: what was given cannot be read"), self._open() as db:
            for what, target, day, known, body in db.execute(
                    "SELECT what, target, day, known_on, body FROM given WHERE known_on<=? "
                    "AND ? IN ('', what) ORDER BY known_on, seq", (until + "~", kind)):
                found.setdefault((what, target, day), []).append((known, json.loads(body)))
        return found

    def verify(self) -> list[str]:
        """Return everything that is wrong with the record, in words; empty = all is well."""
        if not self.path.is_file():
            return []
        faults, prev = [], _GENESIS
        with in_words(f"{self.path}: what was given cannot be read"), self._open() as db:
            for number, row in enumerate(db.execute("SELECT * FROM given ORDER BY seq"), 1):
                if row[0] != number or row[8] != prev or _link(list(row[:9])) != row[9]:
                    faults.append(f"entry {row[0]} does not follow from the one before it")
                if hashlib.sha256(row[6].encode()).hexdigest() != row[5]:
                    faults.append(f"entry {row[0]} does not say what it said")
                prev = row[9]
        return faults

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        db = connect(self.path, self._wait_s)
        try:
            if db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0:
                db.execute("PRAGMA journal_mode=WAL")
                db.executescript(f"BEGIN IMMEDIATE; PRAGMA application_id={_APPLICATION}; "
                                 f"{_TABLES} COMMIT;")
            elif db.execute("PRAGMA application_id").fetchone()[0] != _APPLICATION:
                raise LedgerError(f"{self.path} is an SQLite file but no record of what was "
                                  f"given. Move it away.")
            db.execute("PRAGMA synchronous=FULL")
            db.execute("PRAGMA recursive_triggers=ON")
            yield db
        finally:
            db.close()


def _canonical(said: Any) -> str:
    return json.dumps(said, sort_keys=True, ensure_ascii=False, allow_nan=False,
                      separators=(",", ":"))


def _link(entry: list[Any]) -> str:
    return hashlib.sha256(_canonical({"entry": entry}).encode()).hexdigest()


def _end(known_on: date | datetime | str) -> str:
    exact = isinstance(known_on, datetime) or (isinstance(known_on, str) and len(known_on) > 10)
    return moment(known_on) if exact else moment(known_on)[:10]
