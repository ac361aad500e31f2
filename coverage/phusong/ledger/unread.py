"""Columns of a report for which no word is known: said once, with how to have them read."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from phusong.ledger.sheets import POINT_X, POINT_Y, Sheet
from phusong.ledger.words import Aliases, fold, message, words_for
from phusong.nouns import Text

__all__ = ["UnreadColumn", "told_of", "unread_columns"]

_NEAR = 0.8
_SHOWN = 8
_LONGEST = 40


@dataclass(frozen=True, slots=True)
class UnreadColumn:
    """A column that holds something and was not read.

    Parameters
    ----------
    header : str
        Its name in the file.
    nearly : str
        Our column that it is almost a known name of; empty = of none.
    instead : str
        The file's other column from which the same was read; empty = it is not that.
    """

    header: str
    nearly: str = ""
    instead: str = ""


def unread_columns(sheet: Sheet, found: Mapping[str, str], subject: str,
                   aliases: Aliases) -> tuple[UnreadColumn, ...]:
    """Return the columns of a file that hold something and were not read, in its order.

    Parameters
    ----------
    sheet : Sheet
        The file.
    found : mapping
        Our column -> theirs, as `match_headers` returns it.
    subject : str
        What the report is about.
    aliases : mapping
        The operator's own names.
    """
    taken = {*found.values(), POINT_X, POINT_Y}
    words = words_for(subject, aliases)
    return tuple(_judged(header, found, words) for header in sheet.headers
                 if header not in taken and any(row.cells.get(header) for row in sheet.rows))


def _judged(header: str, found: Mapping[str, str], words: Mapping[str, str]) -> UnreadColumn:
    plain = fold(header[:_LONGEST])
    if plain in words:
        return UnreadColumn(header, instead=found.get(words[plain], ""))
    free = [word for word, ours in words.items() if ours not in found]
    near = difflib.get_close_matches(plain, free, n=1, cutoff=_NEAR) or sorted(
        (word for word in free if plain.startswith(f"{word} ")), key=len, reverse=True)
    return UnreadColumn(header, nearly=words[near[0]] if near else "")


def told_of(columns: Iterable[UnreadColumn], operator: str) -> Text:
    """Say in one line which columns were not read, and how to name one in the study file.

    Parameters
    ----------
    columns : iterable of UnreadColumn
        As `unread_columns` returns them; none = nothing is said.
    operator : str
        Whose file it is; empty = not known.
    """
    every = list(columns)
    if not every:
        return Text()
    first = next((c for c in every if c.nearly), every[0])
    theirs = json.dumps(_cut(first), ensure_ascii=False)
    en, vi = (message(
        "unread_columns", columns=_listed(every, language), theirs=theirs,
        operator=operator or stand_in[0], ours=first.nearly or stand_in[1]).in_language(language)
        for language, stand_in in (("en", ("OPERATOR", "COLUMN")), ("vi", ("NHA_MANG", "COT"))))
    return Text(en=en, vi=vi)


def _listed(columns: list[UnreadColumn], language: str) -> str:
    more = [f"+ {len(columns) - _SHOWN}"] if len(columns) > _SHOWN else []
    return "; ".join([*(_words(c).in_language(language) for c in columns[:_SHOWN]), *more])


def _words(column: UnreadColumn) -> Text:
    code = "nearly_a_column" if column.nearly else "read_instead" if column.instead else ""
    if not code:
        return Text(en=f'"{_cut(column)}"', vi=f"«{_cut(column)}»")
    return message(code, theirs=_cut(column), ours=column.nearly, instead=column.instead[:_LONGEST])


def _cut(column: UnreadColumn) -> str:
    name = column.header
    return name if len(name) <= _LONGEST else name[:_LONGEST - 1] + "…"
