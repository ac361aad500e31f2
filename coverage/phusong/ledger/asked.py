"""What a caller of the ledger may ask with: a day, a moment, a file."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

from phusong.errors import InputError
from phusong.ledger.sheets import MAX_BYTES
from phusong.ledger.values import moment

__all__ = ["ALWAYS", "Day", "bytes_of", "day_of", "known_of"]

ALWAYS = "9999-12-31"
"""ISO day after everything that is announced."""
Day = date | datetime | str | None


def day_of(value: Day) -> str:
    """Return the ISO day of `value`; None = after everything."""
    return ALWAYS if value is None else moment(value)[:10]


def known_of(value: Day) -> str:
    """A day counts to its end, a time to its second."""
    if value is None:
        return "9999"
    exact = isinstance(value, datetime) or (isinstance(value, str) and len(value) > 10)
    return moment(value) if exact else moment(value)[:10]


def bytes_of(path: Path) -> bytes:
    """Return the bytes of a report; one that is far too large is refused unread."""
    if path.stat().st_size > 4 * MAX_BYTES:
        raise InputError(f"{path.name}: {path.stat().st_size / 2**20:.0f} MiB are too much for a "
                         f"report. Split it.")
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error}).") from error
