"""Which list of units a code belongs to, and what became of it: lists, vintages, audits."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from phusong.units.crosswalk import Crosswalk
from phusong.units.names import match_names, same_name

__all__ = ["UnitList", "Vintages", "recode", "restore_zeros", "vintage_of"]


@dataclass(frozen=True, slots=True, eq=False)
class UnitList:
    """The units of one day.

    Parameters
    ----------
    day : date
        The day the list is of.
    units : mapping of code to (name, province)
        Codes with names, which may be empty.
    kinds : tuple of str
        Words for kinds of units that names may carry.
    centres : DataFrame or None
        ``lon`` and ``lat`` of the units' centres by code, where they are known.
    """

    day: dt.date
    units: Mapping[str, tuple[str, str]]
    kinds: tuple[str, ...] = ()
    centres: pd.DataFrame | None = None

    def __contains__(self, code: str) -> bool:
        return code in self.units

    def __len__(self) -> int:
        return len(self.units)

    def named(self, names: Sequence[str], groups: Sequence[str]) -> tuple[list[str], list[str]]:
        """Return the code that each name stands for, and how it was matched (`match_names`)."""
        return match_names(names, groups, self.units, self.kinds)


def restore_zeros(codes: Sequence[str], known: Iterable[str], width: int) -> list[str]:
    """Put leading zeros back where the longer code exists; every other code stays as it is.

    Examples
    --------
    >>> restore_zeros(["1", "97", "00004", "x", ""], {"00001", "00004"}, 5)
    ['00001', '97', '00004', 'x', '']
    """
    listed = set(known)
    return [code.zfill(width) if code.isascii() and code.isdigit() and len(code) < width
            and code.zfill(width) in listed else code for code in codes]


def recode(codes: Sequence[str], walk: Crosswalk) -> pd.DataFrame:
    """Say what became of each code.

    Parameters
    ----------
    codes : sequence of str
        Codes of ``walk.before``.
    walk : Crosswalk
        The change (or ``walk.reversed()`` for "as then").

    Returns
    -------
    DataFrame
        In the order of `codes`: ``code`` (its one successor; empty if there is none or several),
        ``status`` (``same``, ``changed``, ``split``, ``unmatched``, ``empty``) and ``candidates``
        (successors joined by ';', the likeliest first).
    """
    by_old: dict[str, tuple[str, ...]] = {}
    order = walk.pieces.sort_values(["old_code", "share", "new_code"],
                                    ascending=[True, False, True])
    for old, new in zip(order["old_code"], order["new_code"], strict=True):
        by_old[old] = (*by_old.get(old, ()), new)
    rows = []
    for code in codes:
        found = by_old.get(code, (code,) if walk.partial and code else ())
        if not code:
            rows.append(("", "empty", ""))
        elif not found:
            rows.append(("", "unmatched", ""))
        elif len(found) > 1:
            rows.append(("", "split", ";".join(found)))
        else:
            rows.append((found[0], "same" if found[0] == code else "changed", found[0]))
    return pd.DataFrame(rows, columns=["code", "status", "candidates"], dtype=object)


@dataclass(frozen=True, slots=True, eq=False)
class Vintages:
    """Which list each code of a file belongs to.

    Parameters
    ----------
    days : (n,) datetime64[D] array
        Day of the list of each row; NaT where nothing can be said.
    proven : (n,) bool array
        Whether the row itself proves it (its code is in one list only, or its name is); the
        others follow the rest of the file.
    counts : dict of date to int
        Rows that prove each list.
    """

    days: NDArray[np.datetime64]
    proven: NDArray[np.bool_]
    counts: dict[dt.date, int] = field(default_factory=dict)

    @property
    def mixed(self) -> bool:
        """Whether rows of one file prove different lists."""
        return sum(count > 0 for count in self.counts.values()) > 1


def vintage_of(codes: Sequence[str], names: Sequence[str], lists: Sequence[UnitList],
               declared: dt.date | None = None) -> Vintages:
    """Find the list that each code of a file belongs to.

    A code that stands in one list only proves that list; so does a code whose name there is the
    name beside it, while the others name that code otherwise.  A row without proof follows
    `declared`, else the file's only proven list; in a mixed file it stays unknown.

    Parameters
    ----------
    codes, names : sequence of str
        Of one file, in its order; a name may be empty.
    lists : sequence of UnitList
        The lists that could be meant.
    declared : date, optional
        What the file or the study says.
    """
    own = [_own_names(codes, names, list_) for list_ in lists]
    there = np.array([[bool(code) and code in list_ for code in codes] for list_ in lists],
                     dtype=bool).reshape(len(lists), len(codes))
    named = np.array(own, dtype=bool).reshape(len(lists), len(codes)) & there
    told = named & (named.sum(axis=0) == 1)
    only = there & (there.sum(axis=0) == 1)
    # a name decides where it can: a code that is in one list may still be a slip of the pen
    proof = np.where(told.any(axis=0), told, only)
    days = np.full(len(codes), np.datetime64("NaT"), "datetime64[D]")
    counts = {}
    for list_, row in zip(lists, proof, strict=True):
        days[row] = np.datetime64(list_.day)
        counts[list_.day] = int(row.sum())
    proven = proof.any(axis=0)
    seen = [day for day, count in counts.items() if count]
    default = declared or (seen[0] if len(seen) == 1 else None)
    if default is not None:
        filled = np.array([bool(code) for code in codes], bool) & ~proven
        days[filled] = np.datetime64(default)
    return Vintages(days, proven, counts)


def _own_names(codes: Sequence[str], names: Sequence[str], list_: UnitList) -> list[bool]:
    """Tell for each row whether the list gives its code the name that stands beside it."""
    return [bool(name) and code in list_ and same_name(name, list_.units[code][0], list_.kinds)
            for code, name in zip(codes, names, strict=True)]
