"""Small lists that are joined onto points: members of a target, days of distancing."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd

from phusong.errors import Fault
from phusong.profile import Profile
from phusong.sources.columns import is_digits
from phusong.sources.polygons import opened
from phusong.sources.source import Reading, Source
from phusong.tables import joined, split
from phusong.units import Register, vintage_of

__all__ = ["join_lockdowns", "join_target", "read_ids", "read_lockdowns"]

_NOTHING = Register()


def read_ids(source: Source, folder: Path, profile: Profile) -> Reading:
    """Read a list of points: its table is a Series of ``point_id``."""
    table, columns, findings, aside = opened(source, folder, profile, "lists")
    if "point_id" not in columns:
        findings.add("missing_column", "The list has no column with the points' ids. Columns "
                     f"found: {', '.join(map(str, table.frame.columns[:20]))}.",
                     'Head the column "point_id".')
        findings.rejected[:] = True
    ids = columns.code("point_id")
    findings.add("no_id", "The row names no point and is left out", severity="warning",
                 at=ids.eq("").to_numpy(bool) & ~findings.rejected, rejects=True)
    stays = ~findings.rejected
    return Reading(ids[stays].drop_duplicates(), tuple(findings.faults), **findings.counts(),
                   set_aside=aside, file=source.file, role="targets", credit=source.credit,
                   **columns.taken())


def join_target(points: gpd.GeoDataFrame, name: str, ids: pd.Series,
                file: str) -> tuple[gpd.GeoDataFrame, list[Fault]]:
    """Write a target's name into ``targets`` of its members.

    Returns
    -------
    points : GeoDataFrame
        A copy with the column filled.
    faults : list of Fault
        One, if the list names points that are not there.
    """
    member = points.index.isin(ids)
    targets = [joined([*split(cell), name]) if on else joined(split(cell))
               for cell, on in zip(points["targets"], member, strict=True)]
    strange = sorted(set(ids) - set(points.index))
    faults = [Fault("unknown_point", f"{len(strange)} points of the list are in no file of points, "
                    f'first: "{strange[0]}".', "They are not counted; add them to the points, or "
                    "mend their ids.", "warning", file, column="point_id",
                    count=len(strange))] if strange else []
    return points.assign(targets=pd.Series(targets, index=points.index, dtype="str")), faults


def read_lockdowns(source: Source, folder: Path, profile: Profile) -> Reading:
    """Read days of distancing: ``lockdown_from`` and ``lockdown_to`` by ``commune_code``.

    A commune with several spells has its first and its last day taken.
    """
    table, columns, findings, aside = opened(source, folder, profile, "lockdowns")
    for ours in ("commune_code", "lockdown_from"):
        if ours not in columns:
            findings.add("missing_column", f'The list has no column for "{ours}". Columns found: '
                         f"{', '.join(map(str, table.frame.columns[:20]))}.",
                         f"Name it in the study file: columns: {{{ours}: ...}}.")
            findings.rejected[:] = True
    codes = columns.code("commune_code")
    width = profile.commune_code_width
    short = np.array([is_digits(c) and len(c) < width for c in codes], bool)
    codes = codes.where(~short, codes.str.zfill(width)) if width else codes
    findings.add("lost_zeros", f"The code has fewer than {width} digits; zeros were put in front",
                 "Keep codes as text.", severity="warning", at=short, mends=True)
    frame = pd.DataFrame({"lockdown_from": columns.day("lockdown_from"),
                          "lockdown_to": columns.day("lockdown_to")})
    frame.index = pd.Index(codes, name="commune_code")
    findings.add("incomplete_row", "The row lacks its commune or its first day and is left out",
                 severity="warning", rejects=True, at=~findings.rejected
                 & (codes.eq("").to_numpy(bool) | frame["lockdown_from"].isna().to_numpy(bool)))
    backwards = (frame["lockdown_to"] < frame["lockdown_from"]).to_numpy(bool)
    findings.add("backward_dates", "The last day comes before the first; the row is left out",
                 "Swap the two.", severity="warning", at=backwards & ~findings.rejected,
                 rejects=True)
    good = frame[~findings.rejected]
    days = good.groupby(level=0).agg({"lockdown_from": "min", "lockdown_to": "max"})
    return Reading(days, tuple(findings.faults), **findings.counts(), set_aside=aside,
                   file=source.file, role="lockdowns", credit=source.credit,
                   **columns.taken())


def join_lockdowns(points: gpd.GeoDataFrame, days: pd.DataFrame | None, source: Source,
                   register: Register = _NOTHING) -> tuple[gpd.GeoDataFrame, list[Fault]]:
    """Fill ``lockdown_from`` and ``lockdown_to`` by commune where a point does not say itself.

    A code of an earlier list of communes meets the code that a point carried then, not the
    number that another commune bears today.

    Returns
    -------
    points : GeoDataFrame
        A copy with both columns filled.
    faults : list of Fault
        One, if a commune of the list holds no point.
    """
    if days is None or not len(days):
        return points, []
    earlier = np.zeros(len(days), bool)
    if len(register.lists) > 1:
        seen = vintage_of(list(days.index), [""] * len(days), register.lists, source.vintage)
        earlier = seen.days < np.datetime64(register.lists[-1].day)
    now, then = days[~earlier], days[earlier]
    filled = {}
    for name in ("lockdown_from", "lockdown_to"):
        cells = points[name].astype("datetime64[s]")
        for column, spells in (("commune_code", now), ("commune_code_then", then)):
            if len(spells):
                cells = cells.fillna(points[column].map(spells[name]).astype("datetime64[s]"))
        filled[name] = cells
    empty = sorted(set(now.index) - set(points["commune_code"]))
    if len(then):
        empty = sorted({*empty, *(set(then.index) - set(points["commune_code_then"]))})
    file = source.file
    faults = [Fault("no_point_there", f"{len(empty)} communes of the list hold no point of the "
                    f'study, first: "{empty[0]}".', "", "warning", file, column="commune_code",
                    count=len(empty))] if empty else []
    return points.assign(**filled), faults
