"""`Crosswalk`: which old units became which new ones, and how people divide where one was split."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from phusong.errors import Fault, InputError
from phusong.units.apportion import apportion, shares_of

__all__ = ["BASES", "Carried", "Crosswalk", "carry", "chain"]

BASES = ("whole", "people", "area", "equal")
"""What a share stands on, best first: one successor only, people counted, area, nothing at all."""
_COLUMNS = ["old_code", "new_code", "people", "share", "basis"]


@dataclass(frozen=True, slots=True, eq=False)
class Crosswalk:
    """One change of administrative units, from one list of codes to the next.

    Make one with `Crosswalk.of`.

    Parameters
    ----------
    pieces : DataFrame
        One row for each pair: ``old_code``, ``new_code``, ``people`` (who live in the piece;
        NaN = not known), ``share`` of the old unit (adds up to 1 for each) and ``basis``
        (`BASES`), sorted by both codes.
    before, after : date
        Days whose lists of codes it leads from and to.
    partial : bool
        Whether units that it does not name stay as they are; else they are unmatched.
    """

    pieces: pd.DataFrame
    before: dt.date
    after: dt.date
    partial: bool = False

    @classmethod
    def of(cls, pairs: pd.DataFrame, *, before: dt.date, after: dt.date, partial: bool = False,
           basis: str = "people") -> Crosswalk:
        """Make a crosswalk from pairs of codes.

        Parameters
        ----------
        pairs : DataFrame
            ``old_code`` and ``new_code``; ``people`` of each piece where known (or its area, with
            ``basis="area"``).  Pairs that stand twice are joined.  Where one piece of a split unit
            has no figure, the unit is divided evenly, and its ``basis`` says ``equal``.
        before, after : date
            `before` comes first.
        partial : bool
            See `Crosswalk`.
        basis : {"people", "area"}
            What the figures count.

        Raises
        ------
        InputError
            With everything that is wrong: a column lacks, a code is empty, a figure is negative,
            the days are the wrong way round.
        """
        faults = _faults(pairs, before, after)
        if faults:
            raise InputError.of(faults)
        frame = pd.DataFrame({"old_code": pairs["old_code"].astype(str).to_numpy(object),
                              "new_code": pairs["new_code"].astype(str).to_numpy(object)})
        frame["people"] = np.asarray(pairs["people"], float) if "people" in pairs else np.nan
        frame = frame.groupby(["old_code", "new_code"], sort=True)["people"].agg(
            lambda cells: cells.sum(skipna=False)).reset_index()
        return cls(_with_shares(frame, basis), before, after, partial)

    @property
    def olds(self) -> frozenset[str]:
        """Codes before the change."""
        return frozenset(self.pieces["old_code"])

    @property
    def news(self) -> frozenset[str]:
        """Codes after the change."""
        return frozenset(self.pieces["new_code"])

    @property
    def split(self) -> tuple[str, ...]:
        """Old units that were divided over several new ones."""
        counts = self.pieces["old_code"].value_counts()
        return tuple(sorted(counts.index[counts > 1]))

    def successors(self, code: str) -> tuple[str, ...]:
        """Return the new units that an old one became: the one with the largest share first."""
        mine = self.pieces[self.pieces["old_code"] == code]
        if mine.empty:
            return (code,) if self.partial else ()
        return tuple(mine.sort_values(["share", "new_code"], ascending=[False, True])["new_code"])

    def reversed(self) -> Crosswalk:
        """Return the way back: how new units divide over the old ones that they were made from.

        Where people of a piece are not known, a new unit with several parts is divided evenly
        (``basis`` says ``equal``).
        """
        back = self.pieces.rename(columns={"old_code": "new_code", "new_code": "old_code"})
        back = back.sort_values(["old_code", "new_code"], ignore_index=True)
        based = "area" if (self.pieces["basis"] == "area").any() else "people"
        return Crosswalk(_with_shares(back[["old_code", "new_code", "people"]], based),
                         self.after, self.before, self.partial)

    def then(self, later: Crosswalk) -> Crosswalk:
        """Return this change and a later one as a single change.

        Raises
        ------
        InputError
            If the days do not meet, or units of the day between are in no pair of `later`.
        """
        if later.before != self.after:
            raise InputError(f"One crosswalk leads to the codes of {self.after}, the next begins "
                             f"with those of {later.before}. Name them in the order of their days.")
        onward = later.pieces
        lacking = sorted(self.news - later.olds)
        if lacking and not later.partial:
            raise InputError(f"{len(lacking)} units of {self.after} are in no pair of the "
                             f"crosswalk to {later.after}, first: {lacking[0]}. Add them, or say "
                             f"that units it does not name stay as they are (partial: true).")
        if self.partial:    # units that this change does not name may be changed by the next
            named = pd.DataFrame({"old_code": sorted(later.olds - self.news - self.olds)})
            mine = pd.concat([self.pieces, _unchanged(named["old_code"])], ignore_index=True)
        else:
            mine = self.pieces
        onward = pd.concat([onward, _unchanged(lacking)], ignore_index=True)
        both = mine.merge(onward, left_on="new_code", right_on="old_code", suffixes=("", "_next"))
        both["weight"] = both["share"] * both["share_next"]
        both["mass"] = np.where(both["share_next"].eq(1.0), both["people"],
                                both["people"] * both["share_next"])
        both["rank"] = np.maximum(both["basis"].map(BASES.index), both["basis_next"].map(
            BASES.index))
        grouped = both.groupby(["old_code", "new_code_next"], sort=True)
        frame = pd.DataFrame({
            "people": grouped["mass"].agg(lambda cells: cells.sum(skipna=False)),
            "share": grouped["weight"].sum(), "rank": grouped["rank"].max()}).reset_index()
        frame = frame.rename(columns={"new_code_next": "new_code"})
        return Crosswalk(_named(frame), self.before, later.after, self.partial and later.partial)

    def __repr__(self) -> str:
        return (f"Crosswalk({self.before} -> {self.after}: {len(self.olds):,} units -> "
                f"{len(self.news):,}, {len(self.split):,} split)")


def _unchanged(codes: Iterable[str]) -> pd.DataFrame:
    listed = list(codes)
    return pd.DataFrame({"old_code": listed, "new_code": listed, "people": np.nan, "share": 1.0,
                         "basis": "whole"}).astype({"old_code": object, "new_code": object})


def _named(frame: pd.DataFrame) -> pd.DataFrame:
    """Give every row its basis: the worst on its way, but ``whole`` where nothing is split."""
    lone = ~frame["old_code"].duplicated(keep=False)
    frame["share"] = np.where(lone, 1.0, frame["share"])
    frame["basis"] = np.where(lone, "whole", [BASES[max(1, int(r))] for r in frame["rank"]])
    return frame[_COLUMNS]


def _faults(pairs: pd.DataFrame, before: dt.date, after: dt.date) -> list[Fault]:
    found = [Fault("missing_column", f'A crosswalk needs a column "{name}".',
                   f"Columns found: {', '.join(map(str, pairs.columns))}.")
             for name in ("old_code", "new_code") if name not in pairs]
    if not found:
        for name in ("old_code", "new_code"):
            empty = pairs[name].isna() | pairs[name].astype(str).str.strip().eq("")
            if empty.any():
                found.append(Fault("empty_cell", f"{int(empty.sum())} rows have no {name}.",
                                   "Fill it in, or leave the rows out.", count=int(empty.sum())))
        if "people" in pairs and (np.asarray(pairs["people"], float) < 0).any():
            found.append(Fault("too_low", "People of a piece cannot be negative.", "Mend it."))
        if not len(pairs):
            found.append(Fault("empty_file", "A crosswalk needs at least one pair."))
    if not before < after:
        found.append(Fault("backward_dates", f"A crosswalk leads from an earlier day to a later "
                           f"one, not from {before} to {after}.", "Swap them."))
    return found


def _with_shares(frame: pd.DataFrame, basis: str) -> pd.DataFrame:
    """Add ``share`` and ``basis`` to pairs sorted by old and new code."""
    frame = frame.reset_index(drop=True)
    groups, _ = pd.factorize(frame["old_code"])
    people = frame["people"].to_numpy(float)
    number = np.bincount(groups)
    unknown = np.bincount(groups, np.isnan(people)) > 0
    nobody = np.bincount(groups, np.nan_to_num(people)) <= 0
    even = (unknown | nobody)[groups]
    frame["share"] = shares_of(np.where(even, 1.0, people), groups)
    lone = number[groups] == 1
    frame["basis"] = np.where(lone, "whole", np.where(even, "equal", basis))
    return frame[_COLUMNS]


@dataclass(frozen=True, slots=True, eq=False)
class Carried:
    """Counts carried from one list of units to another.

    Parameters
    ----------
    values : DataFrame
        Indexed by ``code`` of the new list: the counts, and ``unknown_from``: how many units that
        feed it have no figure (an unknown is not a zero).
    unmatched : DataFrame
        Counts of units that the crosswalk does not name, indexed by their code; nothing is lost:
        ``values`` and ``unmatched`` add up to what was given.
    estimated : float
        Share of the first column's total that went through a split unit: an estimate.
    """

    values: pd.DataFrame
    unmatched: pd.DataFrame
    estimated: float


def chain(walks: Iterable[Crosswalk]) -> Crosswalk:
    """Join crosswalks, in the order of their days, into one.

    Raises
    ------
    InputError
        If there is none, or the days of two do not meet.
    """
    listed = sorted(walks, key=lambda walk: walk.before)
    if not listed:
        raise InputError("There is no crosswalk between these days. Name one in the study file: "
                         "communes: {crosswalk: ...}.")
    whole = listed[0]
    for walk in listed[1:]:
        whole = whole.then(walk)
    return whole


def carry(counts: pd.DataFrame | pd.Series | Mapping[str, float], walk: Crosswalk) -> Carried:
    """Carry whole counts (people, learners) of old units to new ones; every unit is conserved.

    Parameters
    ----------
    counts : DataFrame, Series or mapping
        Indexed by old code, each code once; whole numbers, NaN = not known.
    walk : Crosswalk
        The change, or a `chain` of several; ``walk.reversed()`` carries back.

    Returns
    -------
    Carried
        The sum over new units and unmatched codes equals the sum given, for each column.

    Raises
    ------
    InputError
        If a code stands twice, or a figure is negative or no whole number.
    """
    frame = pd.DataFrame(counts if isinstance(counts, pd.DataFrame)
                         else {"count": pd.Series(counts, dtype=float)})
    if frame.index.has_duplicates:
        twice = frame.index[frame.index.duplicated()]
        raise InputError(f'The code "{twice[0]}" stands twice. Add its counts up first.')
    frame.index = frame.index.astype(str)
    pieces = walk.pieces
    if walk.partial:
        pieces = pd.concat([pieces, _unchanged(sorted(set(frame.index) - walk.olds))],
                           ignore_index=True)
    pieces = pieces[pieces["old_code"].isin(frame.index)].sort_values(
        ["old_code", "new_code"], ignore_index=True)
    lost = frame[~frame.index.isin(pieces["old_code"])].sort_index()
    groups, olds = pd.factorize(pieces["old_code"])
    given = frame.reindex(olds)
    carried, unknown = {}, np.zeros(len(pieces), bool)
    for name in frame.columns:
        totals = given[name].to_numpy(float)
        parts = apportion(np.nan_to_num(totals), groups, pieces["share"].to_numpy(float))
        carried[name] = pd.Series(parts).groupby(pieces["new_code"].to_numpy(object)).sum()
        unknown |= np.isnan(totals)[groups]
    values = pd.DataFrame(carried, columns=frame.columns)
    values["unknown_from"] = pd.Series(unknown.astype(np.int64)).groupby(
        pieces["new_code"].to_numpy(object)).sum()
    values.index.name = "code"
    first = given.iloc[:, 0].to_numpy(float) if len(frame.columns) else np.zeros(0)
    through = np.nansum(first[~(np.bincount(groups, minlength=len(olds)) == 1)]) if len(olds) else 0
    total = float(np.nansum(first))
    return Carried(values, lost, float(through) / total if total else 0.0)
