"""XLSX: unpacked sizes looked at first, then every cell as text."""

from __future__ import annotations

import datetime as dt
import re
import zipfile
import zlib
from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from python_calamine import CalamineWorkbook, PasswordError

from phusong.errors import Fault, InputError
from phusong.nouns import nearest
from phusong.profile import fold
from phusong.sources.records import RawTable, Record, table_of
from phusong.sources.source import Source

__all__ = ["MAX_CELLS", "MAX_RATIO", "MAX_UNZIPPED", "check_zip", "read_workbook"]

MAX_UNZIPPED = 200 * 2**20
MAX_RATIO = 100
MAX_CELLS = 20_000_000
_SMALL = 2**20
_CELL = re.compile(rb'\br="([A-Z]{1,4})(\d{1,8})"')


def check_zip(path: Path, file: str) -> None:
    """Refuse an archive that would unpack to more than it should, before unpacking it.

    At most 200 MiB, and (beyond the first MiB) at most a hundredfold.

    Raises
    ------
    InputError
        If it is no archive, or such an archive.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(item.file_size for item in archive.infolist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise InputError.of([Fault("unreadable_file", f"The file is damaged or is not what its "
                                   f"name says ({error}).", "Open and save it again.",
                                   file=file)]) from error
    packed = max(path.stat().st_size, 1)
    if unpacked > MAX_UNZIPPED or (unpacked > _SMALL and unpacked > MAX_RATIO * packed):
        raise InputError.of([Fault("too_large", f"{packed / 2**20:.1f} MiB would unpack to "
                                   f"{unpacked / 2**20:.0f} MiB; the limits are "
                                   f"{MAX_UNZIPPED // 2**20} MiB and {MAX_RATIO}-fold.",
                                   "Save the one sheet that is needed as CSV.", file=file)])


def read_workbook(path: Path, source: Source, known: Collection[str]) -> RawTable:
    """Read one sheet of a workbook.

    Without `Source.sheet` every sheet is read that holds the same known headers as the first one
    that holds any (a sheet for each district), else the first that holds anything; other sheets
    are named in a warning.  A merged cell stands in each row and column it was merged over.

    Raises
    ------
    InputError
        If it cannot be read, is locked, or has no such sheet.
    """
    if path.suffix.lower() != ".xls":
        check_zip(path, source.file)
        _check_extent(path, source.file)
    elif path.stat().st_size > MAX_UNZIPPED // 4:
        raise InputError.of([Fault("too_large", "An .xls file of that size is not read.",
                                   "Save it as XLSX.", file=source.file)])
    try:
        with CalamineWorkbook.from_path(str(path)) as book:
            return _together(_chosen(book, source, known), list(book.sheet_names), source, known)
    except PasswordError as error:
        raise InputError.of([Fault("locked", "The workbook is locked by a password.",
                                   "Save it without one.", file=source.file)]) from error
    except InputError:
        raise
    except BaseException as error:
        # a panic of the reader's Rust code is no Exception; an interrupt is to pass through
        if isinstance(error, (KeyboardInterrupt, SystemExit, GeneratorExit, MemoryError)):
            raise
        raise InputError.of([Fault("unreadable_file", f"The workbook cannot be read "
                                   f"({str(error)[:200]}).", "Open it in a spreadsheet program "
                                   "and save it again.", file=source.file)]) from error


def _check_extent(path: Path, file: str) -> None:
    """Refuse a sheet whose farthest cell spans a table that would not fit in memory."""
    try:
        with zipfile.ZipFile(path) as archive:
            for item in archive.infolist():
                if not re.match(r"xl/worksheets/[^/]+\.xml$", item.filename):
                    continue
                width = height = 0
                for letters, digits in set(_CELL.findall(archive.read(item))):
                    column = 0
                    for letter in letters:
                        column = column * 26 + letter - 64
                    width, height = max(width, column), max(height, int(digits))
                if width * height > MAX_CELLS:
                    raise InputError.of([Fault(
                        "too_large", f"{item.filename}: a cell in row {height}, column {width} "
                        f"makes a table of {width * height:,} cells.", "Delete the stray cell far "
                        "from the table, or save the sheet as CSV.", file=file)])
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError,
            RuntimeError) as error:
        raise InputError.of([Fault("unreadable_file", f"The workbook is damaged ({error}).",
                                   "Open and save it again.", file=file)]) from error


def _together(chosen: list[tuple[str, list[Record]]], names: list[str], source: Source,
              known: Collection[str]) -> RawTable:
    """Make one table of the sheets that were chosen."""
    tables = [table_of(records, source, known) for _, records in chosen]
    left = [name for name in names if name not in {name for name, _ in chosen}]
    faults = tuple(dict.fromkeys(fault for table in tables for fault in table.faults))
    if left and not source.sheet:
        faults += (Fault("sheets_not_read", f"Of {len(names)} sheets "
                         f"{', '.join(name for name, _ in chosen)} was read; not read: "
                         f"{', '.join(left[:10])}{', ...' if len(left) > 10 else ''}.",
                         "Name the sheet in the study file: sheet: ...", "warning", source.file),)
    if len(tables) == 1:
        return replace(tables[0], faults=faults)
    frame = pd.concat([table.frame for table in tables], ignore_index=True).fillna("")
    sheets = tuple(name for (name, _), table in zip(chosen, tables, strict=True)
                   for _ in range(len(table)))
    return RawTable(frame.astype(object), np.concatenate([table.rows for table in tables]),
                    faults=faults, sheets=sheets)


def _chosen(book: CalamineWorkbook, source: Source,
            known: Collection[str]) -> list[tuple[str, list[Record]]]:
    names = list(book.sheet_names)
    if source.sheet:
        if source.sheet not in names:
            same = [name for name in names if fold(name) == fold(source.sheet)]
            if len(same) != 1:
                raise InputError.of([Fault("missing_sheet", f'There is no sheet "{source.sheet}".',
                                           nearest(source.sheet, names), file=source.file)])
            return [(same[0], list(_rows(book, same[0])))]
        return [(source.sheet, list(_rows(book, source.sheet)))]
    wanted = set(known) | {fold(theirs) for theirs in source.columns.values()}
    filled: list[tuple[str, list[Record]]] = []
    alike: list[tuple[str, list[Record]]] = []
    heads: set[str] = set()
    for name in names:
        records = list(_rows(book, name))
        head = max(({fold(c) for c in cells} & wanted for _, cells in records[:30]), key=len,
                   default=set())
        if len(head) >= 2 and (not alike or head == heads):
            alike.append((name, records))
            heads = head
        if not filled and any(any(cells) for _, cells in records):
            filled = [(name, records)]
    return alike or filled or [(names[0], [])] if names else []


def _rows(book: CalamineWorkbook, name: str) -> Iterator[Record]:
    sheet = book.get_sheet_by_name(name)
    rows = [[_text(cell) for cell in row] for row in sheet.to_python(skip_empty_area=False)]
    for (top, left), (bottom, right) in sheet.merged_cell_ranges or ():
        if bottom < len(rows) and right < len(rows[top]):
            for row in rows[top:bottom + 1]:
                row[left:right + 1] = [cell or rows[top][left] for cell in row[left:right + 1]]
    return iter(list(enumerate(rows, 1)))


def _text(cell: Any) -> str:
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return str(cell)
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, dt.datetime):
        return cell.date().isoformat() if cell.time() == dt.time() else cell.isoformat(" ")
    return cell.isoformat() if isinstance(cell, (dt.date, dt.time)) else str(cell)
