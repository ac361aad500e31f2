"""Crosswalks and lists of communes: files -> `Register`, what a study knows about its units."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd

from phusong.errors import Fault, InputError
from phusong.profile import Profile
from phusong.sources.columns import Columns
from phusong.sources.polygons import opened
from phusong.sources.source import CrosswalkSource, Findings, Reading, Source
from phusong.units import Crosswalk, Register, UnitList, restore_zeros

__all__ = ["list_of_layer", "read_crosswalk", "read_register", "read_units"]


def list_of_layer(communes: gpd.GeoDataFrame, day: dt.date, profile: Profile) -> UnitList:
    """Return the communes' layer as the list of its day."""
    groups = communes["province_name"].where(communes["province_name"].ne(""),
                                             communes["province_code"])
    units = {str(code): (str(name), str(group)) for code, name, group in
             zip(communes.index, communes["name"], groups, strict=True)}
    return UnitList(day, units, profile.unit_kinds)


def read_units(source: Source, folder: Path, profile: Profile, day: dt.date) -> Reading:
    """Read a list of communes (codes, names, perhaps centres): its table is a `UnitList`.

    Parameters
    ----------
    source : Source
        The file.
    folder : Path
        The study's folder.
    profile : Profile
        Spellings, and the width of codes.
    day : date
        The day the list is of.
    """
    _, columns, findings, aside = opened(source, folder, profile, "units")
    codes = _codes(columns, "commune_code", None)
    findings.add("no_code", "The unit has no code and is left out", "Fill it in.",
                 at=codes.eq("").to_numpy(bool) & ~findings.rejected, severity="warning",
                 rejects=True)
    again = codes.duplicated().to_numpy(bool) & ~findings.rejected
    findings.add("duplicate_key", "The code of this unit stands in an earlier row too",
                 "Every unit needs its own code.", severity="warning", at=again,
                 shown=codes.tolist(), rejects=True)
    stays = ~findings.rejected
    groups = columns.text("province_name").where(columns.text("province_name").ne(""),
                                                 columns.code("province_code"))
    units = {code: (name, group) for code, name, group in zip(
        codes[stays], columns.text("name")[stays], groups[stays], strict=True)}
    centres = pd.DataFrame({name: columns.number(name)[stays] for name in ("lon", "lat")},
                           index=pd.Index(codes[stays], name="commune_code"))
    return Reading(UnitList(day, units, profile.unit_kinds, centres.dropna()),
                   tuple(findings.faults), **findings.counts(), set_aside=aside, file=source.file,
                   role="units", credit=source.credit, **columns.taken())


def read_crosswalk(source: CrosswalkSource, folder: Path, profile: Profile, before: dt.date,
                   after: dt.date, olds: UnitList | None, news: UnitList | None) -> Reading:
    """Read a crosswalk: its table is a `Crosswalk`.

    Parameters
    ----------
    source : CrosswalkSource
        The file.
    folder : Path
        The study's folder.
    profile : Profile
        Spellings, and the width of codes.
    before, after : date
        Days whose codes it leads from and to.
    olds, news : UnitList, optional
        The lists of both days.  Lost zeros are restored where the longer code is in the list; a
        new code that is not, but whose name is the name of one unit without a predecessor, is
        taken for that unit, with a record.
    """
    table, columns, findings, aside = opened(source, folder, profile, "crosswalks")
    for ours in ("old_code", "new_code"):
        if ours not in columns:
            findings.add("missing_column", f'The crosswalk has no column for "{ours}". Columns '
                         f"found: {', '.join(map(str, table.frame.columns[:24]))}.",
                         f"Name it in the study file: columns: {{{ours}: ...}}.")
            findings.rejected[:] = True
    old, new = _codes(columns, "old_code", olds), _codes(columns, "new_code", news)
    findings.add("incomplete_row", "The row lacks one of its two codes and is left out",
                 severity="warning", rejects=True, at=~findings.rejected
                 & (old.eq("") | new.eq("")).to_numpy(bool))
    if news is not None:
        new = _named_anew(columns, new, news)
    people = columns.number("people", low=0, grouped=True)
    stays = ~findings.rejected
    walk = None
    if stays.any():
        pairs = pd.DataFrame({"old_code": old, "new_code": new, "people": people})[stays]
        try:
            walk = Crosswalk.of(pairs, before=before, after=after, partial=source.partial)
        except InputError as error:
            findings.faults += [replace(fault, file=source.file) for fault in error.faults]
    if walk is not None:
        _audited(walk, olds, news, findings)
    return Reading(walk, tuple(findings.faults), **findings.counts(), set_aside=aside,
                   file=source.file, role="crosswalk", credit=source.credit, **columns.taken())


def _codes(columns: Columns, ours: str, listed: UnitList | None) -> pd.Series:
    """Return a column of codes with their zeros; without a list every short code gets them."""
    codes = columns.code(ours)
    width, findings = columns.profile.commune_code_width, columns.findings
    if not width:
        return codes
    short = codes.str.fullmatch(r"[0-9]+").to_numpy(bool) & (codes.str.len() < width).to_numpy(bool)
    if listed is None:
        padded = codes.where(~short, codes.str.zfill(width))
        said = f"zeros were put in front to make {width} digits (there is no list to compare with)"
    else:
        padded = pd.Series(restore_zeros(codes.tolist(), listed.units, width), index=codes.index,
                           dtype=object)
        said = "its zeros were put back, since that code exists"
    at = padded.ne(codes).to_numpy(bool)
    findings.add("lost_zeros", f"The code lost its leading zeros; {said}", "Keep codes as text.",
                 severity="warning", at=at & ~findings.rejected, mends=True,
                 column=columns.theirs.get(ours, ours), shown=codes.tolist(), now=padded.tolist())
    return padded


def _named_anew(columns: Columns, codes: pd.Series, news: UnitList) -> pd.Series:
    """Find by its name the unit whose code in the crosswalk is not in the list."""
    findings = columns.findings
    strange = ~codes.isin(news.units).to_numpy(bool) & ~findings.rejected
    if not strange.any():
        return codes
    names = columns.text("new_name").where(strange, "").tolist()
    found, _ = news.named(names, columns.text("new_province").tolist())
    free = set(news.units) - set(codes)
    mended = codes.copy()
    at = np.array([bool(code) and code in free for code in found], bool) & strange
    mended[at] = np.array(found, dtype=object)[at]
    findings.add("code_by_name", "The new list does not hold this code, but one unit of that name "
                 "that nothing else became; its code was taken", "Mend the code.",
                 severity="warning", at=at, mends=True, shown=codes.tolist(), now=mended.tolist(),
                 column=columns.theirs.get("new_code", "new_code"))
    return mended


def _audited(walk: Crosswalk, olds: UnitList | None, news: UnitList | None,
             findings: Findings) -> None:
    findings.add("crosswalk", f"{len(walk.olds):,} units of {walk.before} became "
                 f"{len(walk.news):,} of {walk.after}; {len(walk.split):,} were split.",
                 severity="assumption")
    for listed, codes, what, day in ((olds, walk.olds, "old", walk.before),
                                     (news, walk.news, "new", walk.after)):
        if listed is None:
            continue
        strange, left = sorted(codes - set(listed.units)), sorted(set(listed.units) - codes)
        if strange:
            findings.add("unmatched_code", f"{len(strange)} {what} codes of the crosswalk are not "
                         f"in the list of {day}, first: {strange[0]}.", "Mend them, or the list.",
                         severity="warning")
        if left and not walk.partial:
            findings.add("unmatched_unit", f"{len(left)} units of the list of {day} are in no pair "
                         f"of the crosswalk, first: {left[0]} "
                         f"({listed.units[left[0]][0] or 'no name'}).",
                         "Add them, or say partial: true if units that it does not name stay as "
                         "they are.", severity="warning")


def read_register(sources: Sequence[CrosswalkSource], communes: gpd.GeoDataFrame | None,
                  vintage: dt.date | None, folder: Path,
                  profile: Profile) -> tuple[Register, list[Reading]]:
    """Read all crosswalks of a study and the lists of communes that they speak of.

    Parameters
    ----------
    sources : sequence of CrosswalkSource
        In any order; each leads to the day of the next, the last one to `vintage`.
    communes : GeoDataFrame or None
        The layer of the newest list.
    vintage : date or None
        The day the layer's codes are of.
    folder, profile
        As for the readers.

    Returns
    -------
    register : Register
        Lists and crosswalks.
    readings : list of Reading
        One for each file.
    """
    readings: list[Reading] = []
    lists: dict[dt.date, UnitList] = {}
    if communes is not None and vintage is not None:
        lists[vintage] = list_of_layer(communes, vintage, profile)
    walks: list[Crosswalk] = []
    ordered = sorted(sources, key=lambda source: source.before)
    for source in ordered:
        if source.list and source.before not in lists:
            reading = read_units(source.list, folder, profile, source.before)
            readings.append(reading)
            lists[source.before] = reading.table
    nexts = [*(source.before for source in ordered[1:]), vintage][:len(ordered)]
    for source, after in zip(ordered, nexts, strict=True):
        end = source.after or after
        if end is None:
            readings.append(Reading(None, (Fault(
                "no_vintage", "Nothing says to which day's codes the crosswalk leads.",
                'Add "vintage:" to the communes of the study file.', file=source.file),),
                file=source.file, role="crosswalk", credit=source.credit))
            continue
        reading = read_crosswalk(source, folder, profile, source.before, end,
                                 lists.get(source.before), lists.get(end))
        readings.append(reading)
        if reading.table is not None:
            walks.append(reading.table)
    return Register(tuple(lists[day] for day in sorted(lists)), tuple(walks)), readings


