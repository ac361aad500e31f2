"""How each operator writes its reports, as a study file says it."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatch

from pydantic import Field, model_validator

from phusong.errors import InputError
from phusong.ledger.form import Form
from phusong.ledger.subjects import POINT_SUBJECTS
from phusong.ledger.words import column_names, fold
from phusong.nouns import Noun

__all__ = ["Reporting", "whose"]


class Reporting(Noun):
    """How one operator writes its reports.

    Parameters
    ----------
    files : tuple of str
        Patterns of the names of its files, e.g. ``"VNPT_*.xlsx"``; empty = files whose name
        holds the operator's name as a word.
    aliases : dict
        Our column -> the operator's own name or names for it; of sites, claims, checks, devices
        alike: a report is read by those of its own columns.
    crs : str
        Of its coordinates in metres, e.g. ``"EPSG:3405"``; empty = as the file says.
    sheet : str
        Sheet of its workbooks; empty = the first with a header.
    """

    files: tuple[str, ...] = ()
    aliases: dict[str, str | tuple[str, ...]] = Field(default_factory=dict)
    crs: str = ""
    sheet: str = ""

    @model_validator(mode="after")
    def _can_be_read(self) -> Reporting:
        elsewhere = {c for subject in POINT_SUBJECTS for c in column_names(subject)}
        own = {c: names for c, names in self.aliases.items()
               if c in column_names("site") or c not in elsewhere}
        try:
            Form().about(subject="site", operator="", aliases=own, crs=self.crs, sheet=self.sheet)
        except InputError as error:
            raise ValueError(str(error)) from error
        return self

    def names(self, subject: str) -> dict[str, str | tuple[str, ...]]:
        """Return the aliases of the columns that a report about `subject` can hold."""
        there = column_names(subject)
        return {ours: names for ours, names in self.aliases.items() if ours in there}

    def is_for(self, operator: str, name: str) -> bool:
        """Tell whether a file of this name comes from `operator`."""
        if self.files:
            return any(fnmatch(name.casefold(), pattern.casefold()) for pattern in self.files)
        return f" {fold(operator)} " in f" {fold(name)} "


def whose(name: str, operators: Mapping[str, Reporting]) -> tuple[str, Reporting]:
    """Return the operator that a file name speaks of, and how it writes; none or two: nobody.

    Examples
    --------
    >>> whose("2021-10-08_VNPT.csv", {"VNPT": Reporting(crs="EPSG:3405")})[0]
    'VNPT'
    >>> whose("towers.csv", {"VNPT": Reporting()})[0]
    ''
    """
    found = [(operator, how) for operator, how in operators.items() if how.is_for(operator, name)]
    return found[0] if len(found) == 1 else ("", Reporting())
