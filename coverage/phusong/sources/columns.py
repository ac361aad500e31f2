"""One file's columns under our names, cell by cell: text, numbers, days, defaults, assumptions."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from phusong.nouns import nearest
from phusong.profile import Profile
from phusong.sources.records import RawTable, match_columns
from phusong.sources.source import Findings, Source
from phusong.sources.values import blank, dates, numbers
from phusong.tables import Column

__all__ = ["Columns", "is_digits", "joined_words"]

Array = NDArray[np.float64]


@dataclass(slots=True, eq=False)
class Columns:
    """The columns of one file under our names.

    Parameters
    ----------
    table : RawTable
        The file as text.
    source : Source
        Its `columns` and `defaults`.
    profile : Profile
        Spellings and words.
    role : str
        Whose columns (``points``, ``sites`` ...).
    findings : Findings
        Gets every fault.
    """

    table: RawTable
    source: Source
    profile: Profile
    role: str
    findings: Findings
    theirs: dict[str, str] = field(init=False)
    assumed: dict[str, NDArray[np.bool_]] = field(init=False, default_factory=dict)
    _texts: dict[str, pd.Series] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        spellings = self.profile.spellings(self.role)
        self.theirs = match_columns(self.table, self.source, spellings, self.findings)
        for ours in self.source.defaults:
            if ours not in spellings:
                self.findings.add("unknown_column", f'defaults: there is no column "{ours}".',
                                  nearest(ours, spellings))

    def __contains__(self, ours: str) -> bool:
        return ours in self.theirs

    def assume(self, ours: str, where: NDArray[np.bool_]) -> None:
        """Record that our column was filled in at these rows."""
        self.assumed[ours] = self.assumed.get(ours, np.zeros(len(self.table), bool)) | where

    def filled(self, ours: str) -> bool:
        """Tell whether the file has the column, or the study a default for it."""
        return ours in self.theirs or ours in self.source.defaults

    def text(self, ours: str) -> pd.Series:
        """Return a column as text; nothing and words for nothing are empty, then the default."""
        if ours not in self._texts:
            self._texts[ours] = self._text(ours)
        return self._texts[ours]

    def _text(self, ours: str) -> pd.Series:
        frame = self.table.frame
        if ours not in self.theirs:
            cells = pd.Series([""] * len(frame), index=frame.index, dtype=object)
        else:
            cells = frame[self.theirs[ours]]
            cells = cells.mask(blank(cells, self.profile), "")
        if ours in self.source.defaults:
            empty, value = cells.eq("").to_numpy(bool), str(self.source.defaults[ours])
            self.assume(ours, empty)
            self.findings.add("default_used", f'"{ours}" is empty; the study file\'s default '
                              f'"{value}" stands in', severity="assumption", at=empty,
                              column=self.theirs.get(ours, ours))
            cells = cells.mask(empty, value)
        return cells

    def taken(self) -> dict[str, Any]:
        """Return what `Reading` keeps of this file: columns taken and unused, cells mended."""
        used = {*self.theirs.values(), *self.source.where}
        return {"columns": dict(self.theirs), "changes": tuple(self.findings.changes),
                "unused": tuple(str(c) for c in self.table.frame.columns if c not in used)}

    def credit(self) -> pd.Series:
        """Return where each row comes from: the file's credit, then what the row itself says."""
        said, credit = self.text("source"), self.source.credit
        return (credit + "; " + said).where(said.ne(""), credit)

    def number(self, ours: str, *, low: float = -np.inf, high: float = np.inf,
               grouped: bool = False) -> Array:
        """Return a column as numbers; what is no number, or out of range, is not known.

        Parameters
        ----------
        ours : str
            Our column.
        low, high : float
            Values outside are discarded with a warning.
        grouped : bool
            Whether these are counts (``30,509`` is thirty thousand).
        """
        if not self.filled(ours):
            return np.full(len(self.table), np.nan)
        cells = self.text(ours)
        values, bad = numbers(cells, self.profile, grouped=grouped)
        column = self.theirs.get(ours, ours)
        shown = cells.tolist()
        self.findings.add("not_a_number", "This is no number", "Write digits only; until then the "
                          "value counts as not known.", severity="warning", at=bad,
                          column=column, shown=shown, mends=True)
        out = np.isfinite(values) & ((values < low) | (values > high))
        self.findings.add("implausible_number", f"The value lies outside {low:g} to {high:g} and "
                          f"counts as not known", "Mend the cell.", severity="warning", at=out,
                          column=column, shown=shown, mends=True)
        return np.where(out, np.nan, values)

    def declared(self, column: Column, *, grouped: bool = False) -> Array:
        """Return a column as numbers within the range that its table declares."""
        return self.number(column.name, grouped=grouped,
                           low=-np.inf if column.low is None else column.low,
                           high=np.inf if column.high is None else column.high)

    def day(self, ours: str) -> pd.Series:
        """Return a column as days; what is no day is not known."""
        if not self.filled(ours):
            return pd.Series(np.full(len(self.table), np.datetime64("NaT", "s"), "datetime64[s]"))
        cells = self.text(ours)
        values, bad = dates(cells, self.profile)
        self.findings.add("not_a_date", "This is no day", "Write it as 2021-09-30; until then it "
                          "counts as not known.", severity="warning", at=bad,
                          column=self.theirs.get(ours, ours), shown=cells.tolist(), mends=True)
        return values

    def code(self, ours: str) -> pd.Series:
        """Return a column of codes as text, without the ``.0`` that spreadsheets add."""
        if not self.filled(ours):
            return self.text(ours)
        return self.text(ours).str.replace(r"^(\d+)\.0+$", r"\1", regex=True)

    def value(self, ours: str, words: str, *, search: bool = True) -> tuple[list[str],
                                                                           NDArray[np.bool_]]:
        """Return which of the profile's values each cell names, and where one names none.

        Parameters
        ----------
        ours : str
            Our column.
        words : str
            List of words of the profile, e.g. ``"kinds"``.
        search : bool
            Whether the value may stand within a longer text.
        """
        cells = self.text(ours)
        found = {}
        for cell in cells.unique():
            inner = self.profile.values_in(words, cell) if search else ()
            found[cell] = self.profile.value(words, cell) or next(iter(inner), "")
        values = [found[cell] for cell in cells]
        unknown = np.array([bool(c) and not v for c, v in zip(cells, values, strict=True)], bool)
        return values, unknown

    def assumed_words(self) -> list[str]:
        """Return for each row the columns that were filled in, joined by ';'."""
        names = sorted(self.assumed)
        return joined_words([(name, self.assumed[name]) for name in names], len(self.table))


def joined_words(flags: list[tuple[str, NDArray[np.bool_]]], rows: int) -> list[str]:
    """Join, for each row, the names whose flag is set, by ';'."""
    if not flags:
        return [""] * rows
    matrix = np.column_stack([flag for _, flag in flags])
    unique, back = np.unique(matrix, axis=0, return_inverse=True)
    said = [";".join(name for (name, _), on in zip(flags, row, strict=True) if on)
            for row in unique]
    return [said[i] for i in np.ravel(back)]


def is_digits(text: str) -> bool:
    """Tell whether a code is made of the digits 0 to 9 alone."""
    return re.fullmatch(r"[0-9]+", text) is not None
