"""The hash chain of the book, and the check that nobody has been at it."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from phusong.ledger.events import canonical
from phusong.ledger.keep import sha256
from phusong.ledger.schema import GUARDS_COUNT

__all__ = ["EVENT_COLUMNS", "FILE_COLUMNS", "GENESIS", "audit", "link", "rows_hash"]

GENESIS = "0" * 64
"""What the first entry is chained to."""

FILE_COLUMNS: tuple[str, ...] = (
    "seq", "sha256", "name", "subject", "operator", "recipe", "recorded_at", "size_bytes",
    "refused", "rows", "accepted", "duplicate", "rejected", "rows_hash")
EVENT_COLUMNS: tuple[str, ...] = (
    "seq", "event_key", "file_seq", "row", "subject", "operator", "action", "code", "part",
    "effective_date", "recorded_at", "body")


def link(prev: str, content: object) -> str:
    """Return the hash of an entry: SHA-256 of the hash before it and its own content."""
    return hashlib.sha256((prev + canonical(content)).encode()).hexdigest()


def rows_hash(records: Iterable[Sequence[Any]]) -> str:
    """Return one SHA-256 over the rows of a file, in the order of their numbers."""
    total, encode = hashlib.sha256(), json.JSONEncoder(ensure_ascii=False).encode
    for record in records:
        total.update(encode(list(record)).encode() + b"\n")
    return total.hexdigest()


def audit(connection: sqlite3.Connection, raw: Path | None) -> list[str]:
    """Return everything that is wrong with a book, in words; empty = all is well.

    SQLite's own integrity check, the triggers, the hash chain over files and
    events, every event's key, the hash of every file's rows, and every raw
    file's hash.

    Parameters
    ----------
    connection : sqlite3.Connection
        The open book.
    raw : Path or None
        Folder of the raw files; None = they are not looked at.
    """
    wrong = [f"SQLite: {line}" for (line,) in connection.execute("PRAGMA integrity_check")
             if line != "ok"]
    guards = connection.execute("SELECT count(*) FROM sqlite_master WHERE type='trigger'")
    if (found := guards.fetchone()[0]) < GUARDS_COUNT:
        wrong.append(f"only {found} of the {GUARDS_COUNT} triggers that forbid changes are there")
    return wrong + _chain_faults(connection) + _file_faults(connection, raw)


def _chain_faults(connection: sqlite3.Connection) -> list[str]:
    wrong: list[str] = []
    entries: list[tuple[int, str, tuple[str, ...], tuple[Any, ...]]] = []
    for table, names in (("files", FILE_COLUMNS), ("events", EVENT_COLUMNS)):
        entries += [(e[0], table, names, e) for e in connection.execute(
            f"SELECT {','.join(names)}, prev, hash FROM {table}")]
    prev = GENESIS
    for place, (seq, table, names, entry) in enumerate(sorted(entries, key=lambda e: e[0]), 1):
        content = dict(zip(names, entry[:-2], strict=True))
        if seq != place:
            return [*wrong, f"entry {place} is missing (found {seq})"]
        if entry[-2] != prev or link(prev, content) != entry[-1]:
            wrong.append(f"entry {seq} ({table}) breaks the hash chain")
        if table == "events" and sha256(content["body"].encode()) != content["event_key"]:
            wrong.append(f"entry {seq}: the event does not match its key")
        prev = entry[-1]
    return wrong


def _file_faults(connection: sqlite3.Connection, raw: Path | None) -> list[str]:
    wrong: list[str] = []
    files = connection.execute("SELECT seq, name, sha256, rows, rows_hash FROM files ORDER BY seq")
    for seq, name, digest, count, expected in files.fetchall():
        records = connection.execute(
            "SELECT row, outcome, code, column_name, message_vi, message_en, reported_on, raw, "
            "event_key FROM rows WHERE file_seq=? ORDER BY row", (seq,)).fetchall()
        if len(records) != count or rows_hash(records) != expected:
            wrong.append(f"{name} (entry {seq}): its rows do not match their hash")
        if raw is None:
            continue
        path = raw / digest
        if not path.is_file() or sha256(path.read_bytes()) != digest:
            wrong.append(f"{name} (entry {seq}): the raw file {digest[:12]} is missing or altered")
    return wrong
