"""The workbook of rejected rows that goes back to an operator."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import xlsxwriter

from phusong.ledger.filing import Row
from phusong.ledger.words import labels

__all__ = ["write_rejected"]

_LONGEST = 32_000
_MOST = 1000


def write_rejected(path: Path, rows: Iterable[Row], *, language: str = "vi",
                   unread: str = "") -> int:
    """Write the rejected rows with code, column, words in both languages and the row itself.

    Parameters
    ----------
    path : Path
        The XLSX file; written aside and renamed, so it is whole or absent.
    rows : iterable of Row
        All rows of a file; only rejected ones are written.
    language : {"vi", "en"}
        Of the headings; the message stands in this language first.
    unread : str
        What is to be said of columns that were not read; it stands on a sheet of its own.

    Returns
    -------
    int
        How many rows were written; with none no file is written.

    Notes
    -----
    Everything is text: no cell becomes a formula or a link, whatever an operator wrote.
    """
    bad = [row for row in rows if row.outcome == "rejected"]
    if not bad:
        return 0
    words = labels(language)
    theirs = list(dict.fromkeys(name for row in bad for name in row.raw))[:_MOST]
    part = path.with_name(f".{path.name}.part")
    book = xlsxwriter.Workbook(str(part), {"strings_to_formulas": False, "strings_to_urls": False,
                                           "strings_to_numbers": False})
    try:
        book.set_properties({"created": datetime(2000, 1, 1)})
        head = book.add_format({"bold": True, "text_wrap": True, "bg_color": "#F4E3D7"})
        wrap = book.add_format({"text_wrap": True, "valign": "top"})
        sheet = book.add_worksheet(words["sheet"])
        titles = [words[k] for k in ("row", "code", "column", "message", "other")] + theirs
        for place, title in enumerate(titles):
            sheet.write_string(0, place, title[:_LONGEST], head)
        for line, row in enumerate(bad, 1):
            said = (row.message_vi, row.message_en)
            first, second = said if language == "vi" else said[::-1]
            sheet.write_number(line, 0, row.row, wrap)
            for place, text in enumerate((row.code, row.column, first, second,
                                          *(row.raw.get(name, "") for name in theirs)), 1):
                sheet.write_string(line, place, text[:_LONGEST], wrap)
        sheet.set_column(0, 0, 7)
        sheet.set_column(1, 2, 20)
        sheet.set_column(3, 4, 60)
        sheet.set_column(5, 4 + max(1, len(theirs)), 16)
        sheet.freeze_panes(1, 1)
        sheet.autofilter(0, 0, len(bad), len(titles) - 1)
        if unread:
            beside = book.add_worksheet(words["unread"])
            beside.write_string(0, 0, unread[:_LONGEST], wrap)
            beside.set_column(0, 0, 100)
    finally:
        book.close()
    part.replace(path)
    return len(bad)
