"""A file on its way into the book: every row with what it says, or why it says nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from phusong.ledger.events import Event
from phusong.ledger.unread import UnreadColumn
from phusong.ledger.words import message

__all__ = ["Filing", "Row", "as_duplicate", "raw_text"]

Outcome = Literal["accepted", "duplicate", "rejected"]
_AS_JSON = json.JSONEncoder(ensure_ascii=False).encode


def raw_text(cells: Mapping[str, str]) -> str:
    """Return a row as it stands in a file, as JSON."""
    return _AS_JSON(dict(cells))


@dataclass(frozen=True, slots=True)
class Row:
    """What became of one input row.

    Parameters
    ----------
    row : int
        Number as a person counts it in the file.
    outcome : {"accepted", "duplicate", "rejected"}
        What became of it.
    raw_text : str
        The row as it stood in the file, as `raw_text` writes it.
    event : Event or None
        What it says; None if rejected.
    reported_on : str
        ISO date of the report if the row states one.
    code, column : str
        Why it was not accepted (stable name), and in which columns (theirs; joined by ``;``).
    message_vi, message_en : str
        The same in words, with the cure.
    """

    row: int
    outcome: Outcome
    raw_text: str
    event: Event | None = None
    reported_on: str = ""
    code: str = ""
    column: str = ""
    message_vi: str = ""
    message_en: str = ""

    def record(self) -> tuple[Any, ...]:
        """The row as it stands in the table ``rows``, without the file."""
        return (self.row, self.outcome, self.code, self.column, self.message_vi, self.message_en,
                self.reported_on, self.raw_text, self.event.key if self.event else None)

    @property
    def raw(self) -> dict[str, str]:
        """The row as it stood in the file."""
        found: dict[str, str] = json.loads(self.raw_text)
        return found


@dataclass(frozen=True, slots=True)
class Filing:
    """One file and all that was read from it, ready for the book.

    Parameters
    ----------
    name : str
        File name.
    data : bytes
        Its bytes.
    subject : str
        A key of `SUBJECTS`.
    operator : str
        Who sent it; empty = each row says.
    recipe : str
        How it was read (aliases, CRS ...): the same bytes read otherwise are another filing.
    recorded_at : str
        ISO time at which it became known.
    rows : tuple of Row
        Every input row.
    refused : str
        Why the whole file could not be read; empty if it could.
    unread : tuple of UnreadColumn
        Columns that hold something and were not read; the book keeps them in the raw rows.
    """

    name: str
    data: bytes
    subject: str
    operator: str
    recipe: str
    recorded_at: str
    rows: tuple[Row, ...] = ()
    refused: str = ""
    unread: tuple[UnreadColumn, ...] = ()


def as_duplicate(row: Row, code: str) -> Row:
    """Return a row that was accepted as one whose statement is known; `code` says from where."""
    words = message(code)
    return replace(row, outcome="duplicate", code=code, message_vi=words.vi, message_en=words.en)
