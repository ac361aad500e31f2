"""Rows of cells -> a table of text: which row is the header, and which column is which."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from phusong.errors import Fault, InputError
from phusong.nouns import nearest
from phusong.profile import Profile, fold
from phusong.sources.old_text import converted
from phusong.sources.source import Findings, Source
from phusong.sources.values import blank, tidied, tidy

__all__ = ["RawTable", "kept", "match_columns", "old_charset", "table_of"]

_HEADER_WITHIN = 30
_FIGURE = re.compile(r"[+-]?\d+(?:[.,]\d+)?")
Record = tuple[int, Sequence[str]]


@dataclass(frozen=True, slots=True, eq=False)
class RawTable:
    """A file as it is written: text in every cell.

    Parameters
    ----------
    frame : DataFrame of str (dtype object: cells are looked at one by one)
        One column for each of the file's, under its own name; empty cells are empty texts.
    rows : (n,) int64
        Row of each record as a person counts it (header = row 1 where it stands first).
    geometry : GeoSeries or None
        Shapes, if the file has them.
    crs : CRS or None
        What the file itself says about its coordinates.
    faults : tuple of Fault
        What reading it brought up.
    sheets : tuple of str
        Sheet of each record, where several sheets of a workbook were read; else empty.
    """

    frame: pd.DataFrame
    rows: NDArray[np.int64]
    geometry: gpd.GeoSeries | None = None
    crs: Any = None
    faults: tuple[Fault, ...] = ()
    sheets: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.frame)


def table_of(records: Iterable[Record], source: Source, known: Collection[str]) -> RawTable:
    """Find the header row, and make a table of what stands below it.

    Parameters
    ----------
    records : iterable of (row number, cells)
        Everything in the file, in its order.
    source : Source
        For its name, its `header` and its `columns`.
    known : collection of str
        Folded spellings of headers; the row among the first thirty that holds most of them is
        the header.

    Raises
    ------
    InputError
        If the file holds no rows.
    """
    listed = [(row, tidied(cells)) for row, cells in records]
    listed = [(row, cells) for row, cells in listed if any(cells)]
    if not listed:
        raise InputError.of([Fault("empty_file", "The file holds no rows.",
                                   "Export it again, or take it out of the study file.",
                                   file=source.file)])
    listed, remark = _modern(listed, source.file)
    first = [cells for _, cells in listed[:_HEADER_WITHIN]]
    headless = source.header and _headless(first, source, known)
    if headless:
        remark += (Fault("no_header", "The file has no header: its first row holds numbers.",
                         'Name the columns by their place in the study file: header: false, '
                         'columns: {lon: "2", lat: "3"}.', "warning", source.file),)
    elif source.header:
        at = _header_at(first, source, known)
        above = listed[at - 1][1] if at else []
        names, body = _named(_under(above, listed[at][1], known)), listed[at + 1:]
    if headless or not source.header:
        width = max(len(cells) for _, cells in listed)
        names, body = [str(i + 1) for i in range(width)], listed
    width = len(names)
    too_long = [row for row, cells in body if len(cells) > width and any(cells[width:])]
    skip = set(too_long)
    good = [cells if len(cells) == width else [*cells[:width], *[""] * (width - len(cells))]
            for row, cells in body if row not in skip]
    frame = pd.DataFrame(good, columns=names, dtype=object)
    rows = np.array([row for row, _ in body if row not in skip], dtype=np.int64)
    return RawTable(frame, rows, faults=(*remark, *_too_long(too_long, width, source.file)))


def _modern(listed: list[tuple[int, list[str]]],
            file: str) -> tuple[list[tuple[int, list[str]]], tuple[Fault, ...]]:
    """Convert text from before Unicode; see `phusong.sources.old_text`."""
    special = sorted({cell for _, cells in listed for cell in cells if not cell.isascii()})
    charset, modern = converted(special)
    if not charset:
        return listed, ()
    now = {old: tidy(new) for old, new in zip(special, modern, strict=True)}
    return [(row, [now.get(cell, cell) for cell in cells]) for row, cells in listed], (
        old_charset(charset, special, modern, file),)


def old_charset(charset: str, special: Sequence[str], modern: Sequence[str], file: str) -> Fault:
    """Return the fault that says in which old charset a file was, with an example."""
    where = next((i for i, (a, b) in enumerate(zip(special, modern, strict=True)) if a != b), 0)
    return Fault("old_charset", f'The text is in {charset}, from before Unicode; it was converted, '
                 f'since it reads better so: "{special[where]}" -> "{modern[where]}".',
                 "Look at the names; if they are wrong, save the table as Unicode (UTF-8).",
                 "warning", file)


def _too_long(rows: list[int], width: int, file: str) -> tuple[Fault, ...]:
    if not rows:
        return ()
    listed = ", ".join(map(str, rows[:5])) + (", ..." if len(rows) > 5 else "")
    return (Fault("too_many_cells", f"{len(rows)} rows hold more cells than the header "
                  f"({width}): {listed}.", "A decimal comma or a comma in a name needs quotes "
                  "around the cell.", file=file, row=rows[0], count=len(rows)),)


def _header_at(records: list[list[str]], source: Source, known: Collection[str]) -> int:
    wanted = {fold(theirs) for theirs in source.columns.values()}
    named = [_under(records[i - 1] if i else [], cells, known) for i, cells in enumerate(records)]
    scores = [(sum(3 * (fold(c) in wanted) + (fold(c) in known) for c in set(cells) if c), -i)
              for i, cells in enumerate(named)]
    best, at = max(scores)
    return -at if best else 0


def _headless(records: list[list[str]], source: Source, known: Collection[str]) -> bool:
    """Tell whether the file begins with figures, and no row is a header."""
    wanted = {*known, *(fold(theirs) for theirs in source.columns.values())}
    if any(fold(cell) in wanted for cells in records for cell in cells if cell):
        return False
    filled = [cell for cell in records[0] if cell]
    figures = [cell for cell in filled if _FIGURE.fullmatch(cell)]
    return len(filled) >= 2 and len(figures) >= 2 and 2 * len(figures) >= len(filled)


def _under(above: list[str], header: list[str], known: Collection[str]) -> list[str]:
    """Join a heading over several columns ("Pupils") with those below it ("all", "poor")."""
    names = list(header)
    for i, (over, cell) in enumerate(zip(above, header, strict=False)):
        broad = over and (above[i - 1:i] == [over] or above[i + 1:i + 2] == [over])
        if broad and over != cell and fold(f"{over} {cell}") in known:
            names[i] = f"{over} {cell}"
    return names


def _named(cells: list[str]) -> list[str]:
    names: list[str] = []
    for i, cell in enumerate(cells):
        name = cell or f"column {i + 1}"
        count = 2
        while name in names:
            name = f"{cell or f'column {i + 1}'} ({count})"
            count += 1
        names.append(name)
    return names


def match_columns(table: RawTable, source: Source, spellings: Mapping[str, Sequence[str]],
                  findings: Findings) -> dict[str, str]:
    """Return our name -> theirs for every column that is known.

    What `Source.columns` says goes first; then headers are compared with the profile's
    spellings after folding case, accents and punctuation.  Where two headers are spellings of
    one column, the one that stands first in the list of spellings is taken.  An empty name in
    `Source.columns` says that the file has no such column.
    """
    theirs = {fold(name): name for name in reversed(table.frame.columns)}
    found: dict[str, str] = {}
    for ours, written in source.columns.items():
        if ours not in spellings:
            findings.add("unknown_column", f'columns: there is no column "{ours}" to fill.',
                         nearest(ours, spellings))
        elif not written:
            continue
        elif fold(written) in theirs:
            found[ours] = theirs[fold(written)]
        else:
            findings.add("missing_column", f'The study file says that "{ours}" stands in the '
                         f'column "{written}", but there is none.',
                         nearest(written, table.frame.columns), column=written)
    taken = set(found.values())
    for ours, spelt in spellings.items():
        if ours in source.columns:
            continue
        names = (theirs.get(fold(s)) for s in (ours, *spelt))
        hit = next((name for name in names if name is not None and name not in taken), None)
        if hit is not None:
            found[ours] = hit
            taken.add(hit)
    return found


def kept(table: RawTable, source: Source, profile: Profile) -> tuple[RawTable, int]:
    """Return the rows that `Source.where` lets through, and how many it sets aside.

    Raises
    ------
    InputError
        If the file has no such column.
    """
    mask = np.ones(len(table), dtype=bool)
    theirs = {fold(name): name for name in table.frame.columns}
    for column, wanted in source.where.items():
        if fold(column) not in theirs:
            raise InputError.of([Fault("missing_column", f'where: there is no column "{column}".',
                                       nearest(column, table.frame.columns), file=source.file,
                                       column=column)])
        cells = table.frame[theirs[fold(column)]]
        values = wanted if isinstance(wanted, (list, tuple)) else [wanted]
        allowed = {tidy("" if v is None else v).casefold() for v in values}
        hit = cells.str.casefold().isin(allowed).to_numpy(bool)
        if "" in allowed:
            hit = hit | blank(cells, profile)
        mask &= hit
    if mask.all():
        return table, 0
    geometry = None if table.geometry is None else table.geometry[mask].reset_index(drop=True)
    frame = table.frame[mask].reset_index(drop=True)
    sheets = tuple(name for name, stays in zip(table.sheets, mask, strict=False) if stays)
    return (RawTable(frame, table.rows[mask], geometry, table.crs, table.faults, sheets),
            int((~mask).sum()))
