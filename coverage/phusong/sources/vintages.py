"""Which commune each row declares, by code or by name, carried to the study's own list."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from phusong.errors import InputError
from phusong.sources.columns import Columns
from phusong.units import Register, UnitList, recode, restore_zeros, same_name, vintage_of

__all__ = ["Declared", "declare"]


@dataclass(slots=True, eq=False)
class Declared:
    """What each row of a file says about its commune.

    Parameters
    ----------
    codes : Series of str
        By the study's own list; empty where the row says nothing, or cannot be understood.
    then : Series of str
        As the file writes it, zeros restored.
    days : (n,) datetime64[D] array
        Day of the list that `then` belongs to; NaT = not known.
    candidates : list of tuple of str
        Where the commune was split since: its parts, the largest first; else empty.
    doubtful : (n,) bool array
        Whether the code stands in several lists and nothing tells which is meant.
    """

    codes: pd.Series
    then: pd.Series
    days: NDArray[np.datetime64]
    candidates: list[tuple[str, ...]]
    doubtful: NDArray[np.bool_]


def declare(columns: Columns, register: Register, known: frozenset[str]) -> Declared:
    """Find the commune that each row declares.

    Parameters
    ----------
    columns : Columns
        The file; gets the faults.
    register : Register
        Lists and crosswalks of the study; may be empty.
    known : frozenset of str
        Codes of the communes' layer; empty without one.
    """
    codes = _with_zeros(columns, register, known)
    names = columns.text("commune_name")
    blank = np.full(len(codes), np.datetime64("NaT"), "datetime64[D]")
    found = Declared(codes.copy(), codes, blank, [()] * len(codes), np.zeros(len(codes), bool))
    if len(register.lists) > 1:
        _dated(columns, register, found)
        _carried(columns, register, found)
    elif register.now is not None:
        found.days[codes.isin(register.now.units).to_numpy(bool)] = np.datetime64(register.now.day)
        _other_names(columns, register.now, codes, names)
    _by_name(columns, register, found)
    return found


def _with_zeros(columns: Columns, register: Register, known: frozenset[str]) -> pd.Series:
    codes, width = columns.code("commune_code"), columns.profile.commune_code_width
    everyone = known.union(*(listed.units for listed in register.lists))
    if not width or not everyone:
        return codes
    padded = pd.Series(restore_zeros(codes.tolist(), everyone, width), index=codes.index,
                       dtype=object)
    columns.findings.add(
        "lost_zeros", f"The commune's code lost its leading zeros; they were put back, since that "
        f"code of {width} digits exists", "Keep codes as text.", severity="warning",
        at=padded.ne(codes).to_numpy(bool), shown=codes.tolist(), now=padded.tolist(), mends=True,
        column=columns.theirs.get("commune_code", ""))
    return padded


def _dated(columns: Columns, register: Register, found: Declared) -> None:
    """Find the list of each code; say so where a file mixes several."""
    findings, column = columns.findings, columns.theirs.get("commune_code", "commune_code")
    declared = columns.source.vintage
    day = register.on(declared).day if declared and register.lists[0].day <= declared else None
    seen = vintage_of(found.then.tolist(), columns.text("commune_name").tolist(), register.lists,
                      day)
    found.days = seen.days
    said = columns.day("code_vintage").to_numpy("datetime64[D]")
    for row in np.flatnonzero(~np.isnat(said)):
        own = said[row].astype(dt.date)
        if register.lists[0].day <= own:
            found.days[row] = np.datetime64(register.on(own).day)
    written = found.then.ne("").to_numpy(bool)
    listed = np.zeros(len(written), bool)
    for each in register.lists:
        listed |= found.then.isin(each.units).to_numpy(bool)
    found.doubtful = written & listed & np.isnat(found.days)
    against = [when for when, count in seen.counts.items() if count and when != day]
    if seen.mixed or (day is not None and against):
        counts = ", ".join(f"{count:,} rows prove the list of {when}" for when, count in
                           sorted(seen.counts.items()) if count)
        beside = f"; the study file says {declared}" if day is not None else ""
        findings.add("mixed_vintages", f"Commune codes of different years stand in one file: "
                     f"{counts}{beside}. Each row that proves its list was read by it.",
                     "Send one file for each list of communes, or add a column code_vintage.",
                     severity="warning", column=column)
    findings.add("vintage_unknown", "The code stands in several years' lists of communes, and "
                 "nothing tells which is meant; it is left open", "Add a column code_vintage, or "
                 "write the commune's name beside the code.", severity="warning",
                 at=found.doubtful & ~findings.rejected, column=column,
                 shown=found.then.tolist())


def _carried(columns: Columns, register: Register, found: Declared) -> None:
    """Carry codes of earlier lists to the newest."""
    findings, column = columns.findings, columns.theirs.get("commune_code", "commune_code")
    now = register.lists[-1].day
    found.codes = found.then.mask(found.doubtful, "")
    for listed in register.lists[:-1]:
        rows = np.flatnonzero(found.days == np.datetime64(listed.day))
        if not rows.size:
            continue
        try:
            walk = register.between(listed.day, now)
        except InputError as error:
            findings.add("no_crosswalk", str(error), column=column)
            continue
        fate = recode(found.then.iloc[rows].tolist(), walk)
        found.codes.iloc[rows] = fate["code"].to_numpy(object)
        for row, status, candidates in zip(rows, fate["status"], fate["candidates"], strict=True):
            if status == "split":
                found.candidates[row] = tuple(candidates.split(";"))
        lost = np.zeros(len(found.codes), bool)
        lost[rows[fate["status"].eq("unmatched").to_numpy(bool)]] = True
        findings.add("unmatched_commune", f"The crosswalk from {listed.day} to {now} does not say "
                     f"what became of this commune", "Add it to the crosswalk.",
                     severity="warning", at=lost, column=column, shown=found.then.tolist())
        changed = np.zeros(len(found.codes), bool)
        changed[rows[fate["status"].isin(["changed", "same"]).to_numpy(bool)]] = True
        findings.add("carried_codes", f"The commune's code is of {listed.day}; it was carried to "
                     f"the list of {now}", severity="assumption", at=changed, column=column,
                     shown=found.then.tolist())


def _other_names(columns: Columns, listed: UnitList, codes: pd.Series, names: pd.Series) -> None:
    """Remark on codes whose unit bears another name: of another year, most likely."""
    kinds = listed.kinds
    differs = np.array([bool(name) and code in listed and bool(listed.units[code][0])
                        and not same_name(name, listed.units[code][0], kinds)
                        for code, name in zip(codes, names, strict=True)], bool)
    shown = [f"{code} {name}" for code, name in zip(codes, names, strict=True)]
    columns.findings.add(
        "other_commune", "The communes' layer knows this code by another name: the code may be "
        "of another year's list", "Name the crosswalk between the two lists in the study file: "
        "communes: {crosswalk: ...}.", severity="warning", at=differs & ~columns.findings.rejected,
        column=columns.theirs.get("commune_code", "commune_code"), shown=shown)


def _by_name(columns: Columns, register: Register, found: Declared) -> None:
    """Find the commune of rows without a code by its name and province."""
    findings, column = columns.findings, columns.theirs.get("commune_name", "commune_name")
    names, groups = columns.text("commune_name"), columns.text("province_name")
    groups = groups.where(groups.ne(""), columns.code("province_code"))
    open_ = found.then.eq("").to_numpy(bool) & names.ne("").to_numpy(bool)
    if not open_.any() or register.now is None:
        return
    taken, unclear = np.zeros(len(names), bool), np.zeros(len(names), bool)
    for listed in reversed(register.lists):
        rows = np.flatnonzero(open_ & ~taken)
        codes, how = listed.named(names.iloc[rows].tolist(), groups.iloc[rows].tolist())
        if listed is not register.now:
            fate = recode(codes, register.between(listed.day, register.now.day)) \
                if register.walks else None
            codes = fate["code"].tolist() if fate is not None else [""] * len(rows)
        for row, code, way in zip(rows, codes, how, strict=True):
            if code:
                found.codes.iloc[row], taken[row] = code, True
                found.days[row] = np.datetime64(register.now.day)
            unclear[row] |= way == "ambiguous"
    columns.assume("commune_code", taken)
    findings.add("code_from_name", "The commune's code was found by its name",
                 severity="assumption", at=taken & ~findings.rejected, column=column,
                 shown=names.tolist())
    findings.add("ambiguous_name", "Several communes bear this name, and nothing tells which is "
                 "meant", "Write the code, or the province.", severity="warning",
                 at=unclear & ~taken & ~findings.rejected, column=column, shown=names.tolist())
    findings.add("unknown_name", "No commune of the study's lists bears this name", "Mend the "
                 "name, or write the code.", severity="warning", column=column,
                 at=open_ & ~taken & ~unclear & ~findings.rejected, shown=names.tolist())
