"""How a table is declared: its columns, their units, what they may hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from phusong.errors import UnknownNameError
from phusong.nouns import nearest

__all__ = ["EVIDENCE", "STATUSES", "Column", "Table", "declare"]

Kind = Literal["text", "float", "int", "bool", "date", "point", "geometry"]

STATUSES = ("covered", "uncertain", "uncovered", "unknown")
EVIDENCE = ("modelled", "operator_footprint", "claimed", "measured", "reported")


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    Parameters
    ----------
    name : str
        Column name; a physical quantity carries its unit as last word.
    kind : {"text", "float", "int", "bool", "date", "point", "geometry"}
        What a cell holds.  ``date`` is a timezone-less ``datetime64``.
    meaning : str
        One sentence for the documentation.
    required : bool
        Whether the table must have the column.
    filled : bool
        Whether every cell must hold a value.
    low, high : float or None
        Allowed range of a number, both ends included.
    allowed : tuple of str
        Allowed values of a text; empty = any.
    """

    name: str
    kind: Kind
    meaning: str
    required: bool = False
    filled: bool = False
    low: float | None = None
    high: float | None = None
    allowed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """A table: its name, its index and its columns.

    Parameters
    ----------
    name : str
        Name in the documentation, e.g. ``"POINTS"``.
    index : tuple of str
        Names of the index levels; the index is the key and must be unique.
    columns : mapping of str to Column
        The declared columns; a table may carry more.
    meaning : str
        One sentence for the documentation.
    """

    name: str
    index: tuple[str, ...]
    columns: Mapping[str, Column]
    meaning: str

    def __getitem__(self, name: str) -> Column:
        try:
            return self.columns[name]
        except KeyError:
            raise UnknownNameError(f'{self.name} has no column "{name}". '
                                   f"{nearest(name, self.columns)}") from None


def declare(name: str, index: tuple[str, ...], meaning: str, *columns: Column) -> Table:
    """Return a table of these columns."""
    return Table(name, index, MappingProxyType({c.name: c for c in columns}), meaning)
