"""The tables of the book, the triggers that guard them, and how the file is opened."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from phusong.errors import MissingFileError
from phusong.ledger.keep import LedgerError

__all__ = ["GUARDS_COUNT", "MIN_SQLITE", "connect", "expect_ledger", "prepare"]

_APPLICATION = 0x50485553  # "PHUS"
_VERSION = 1
_CACHE_KIB = 64 * 1024
MIN_SQLITE = (3, 37, 0)

_TABLES = """
CREATE TABLE files (
    seq INTEGER PRIMARY KEY, sha256 TEXT NOT NULL, name TEXT NOT NULL, subject TEXT NOT NULL,
    operator TEXT NOT NULL, recipe TEXT NOT NULL, recorded_at TEXT NOT NULL,
    size_bytes INTEGER NOT NULL, refused TEXT NOT NULL, rows INTEGER NOT NULL,
    accepted INTEGER NOT NULL, duplicate INTEGER NOT NULL, rejected INTEGER NOT NULL,
    rows_hash TEXT NOT NULL, prev TEXT NOT NULL, hash TEXT NOT NULL,
    CHECK (rows = accepted + duplicate + rejected),
    UNIQUE (sha256, subject, operator, recipe, refused, recorded_at)
) STRICT;
CREATE TABLE rows (
    file_seq INTEGER NOT NULL REFERENCES files (seq) DEFERRABLE INITIALLY DEFERRED,
    row INTEGER NOT NULL, outcome TEXT NOT NULL
        CHECK (outcome IN ('accepted', 'duplicate', 'rejected')),
    code TEXT NOT NULL, column_name TEXT NOT NULL, message_vi TEXT NOT NULL,
    message_en TEXT NOT NULL, reported_on TEXT NOT NULL, raw TEXT NOT NULL, event_key TEXT,
    PRIMARY KEY (file_seq, row),
    CHECK ((event_key IS NULL) = (outcome = 'rejected'))
) STRICT;
CREATE TABLE events (
    seq INTEGER PRIMARY KEY, event_key TEXT NOT NULL UNIQUE,
    file_seq INTEGER NOT NULL REFERENCES files (seq), row INTEGER NOT NULL,
    subject TEXT NOT NULL, operator TEXT NOT NULL, action TEXT NOT NULL, code TEXT NOT NULL,
    part TEXT NOT NULL, effective_date TEXT NOT NULL, recorded_at TEXT NOT NULL,
    body TEXT NOT NULL, prev TEXT NOT NULL, hash TEXT NOT NULL
) STRICT;
CREATE INDEX rows_by_event ON rows (event_key);
CREATE INDEX events_by_code ON events (subject, operator, code);
"""

_GUARDS = "".join(
    f"CREATE TRIGGER {table}_{verb} BEFORE {verb} ON {table} BEGIN "
    f"SELECT RAISE(ABORT, 'the ledger is append-only: no {verb} of {table}'); END;"
    for table in ("files", "rows", "events") for verb in ("UPDATE", "DELETE")
) + "".join(
    f"CREATE TRIGGER {table}_append BEFORE INSERT ON {table} WHEN NEW.seq <> 1 + max("
    f"(SELECT coalesce(max(seq), 0) FROM files), (SELECT coalesce(max(seq), 0) FROM events)) "
    f"OR EXISTS (SELECT 1 FROM {table} WHERE seq = NEW.seq {also}) "
    f"BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: {table} grow at the end'); END;"
    for table, also in (("files", ""), ("events", "OR event_key = NEW.event_key"))
) + ("CREATE TRIGGER rows_append BEFORE INSERT ON rows WHEN EXISTS (SELECT 1 FROM rows WHERE "
     "file_seq = NEW.file_seq AND row = NEW.row) OR EXISTS (SELECT 1 FROM files WHERE "
     "seq = NEW.file_seq) BEGIN SELECT RAISE(ABORT, "
     "'the ledger is append-only: rows come with their file'); END;")
GUARDS_COUNT = 9
"""How many triggers forbid changes."""


def connect(path: Path, wait_s: float, *, read_only: bool = False) -> sqlite3.Connection:
    """Open the SQLite file at `path` in autocommit mode; `wait_s` for other writers, seconds."""
    if read_only and not path.is_file():
        raise MissingFileError(f"{path}: there is no such ledger.")
    uri = f"{path.resolve().as_uri()}?mode={'ro' if read_only else 'rwc'}"
    try:
        connection = sqlite3.connect(uri, uri=True, timeout=wait_s, isolation_level=None)
    except sqlite3.Error as error:
        raise LedgerError(f"{path}: the ledger cannot be opened ({error}).") from error
    return connection


def expect_ledger(connection: sqlite3.Connection, path: Path) -> None:
    """Raise `LedgerError` unless the open file is a ledger that this program can read."""
    try:
        application = connection.execute("PRAGMA application_id").fetchone()[0]
        version = connection.execute("PRAGMA user_version").fetchone()[0]
    except sqlite3.DatabaseError as error:
        raise LedgerError(f"{path} is not a ledger ({error}). Move it away, or take it back from "
                          f"a copy.") from error
    if application != _APPLICATION:
        raise LedgerError(f"{path} is an SQLite file but not a ledger. Move it away.")
    if version > _VERSION:
        raise LedgerError(f"{path} was written by a later phusong (ledger version {version}, this "
                          f"program knows {_VERSION}). Update phusong.")


def prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Set the pragmas of the ledger, and make its tables if the file is new."""
    for pragma in ("trusted_schema=OFF", "foreign_keys=ON", "recursive_triggers=ON"):
        connection.execute(f"PRAGMA {pragma}")
    try:
        fresh = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
    except sqlite3.DatabaseError as error:
        raise LedgerError(f"{path} is not a ledger ({error}). Move it away, or take it back from "
                          f"a copy.") from error
    if not fresh:
        expect_ledger(connection, path)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute(f"PRAGMA cache_size=-{_CACHE_KIB}")
    if fresh:
        connection.executescript(f"BEGIN IMMEDIATE; PRAGMA application_id={_APPLICATION}; "
                                 f"PRAGMA user_version={_VERSION}; {_TABLES} {_GUARDS} COMMIT;")
