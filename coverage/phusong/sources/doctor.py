"""Coordinates in the wrong system, the wrong zone or the wrong order: mended where communes agree.

`treat` asks `phusong.datum` what the declared communes say, and acts on it: what one way of
reading explains is mended with a record; what two explain is refused, and so is what the study
file contradicts.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from phusong.datum import Diagnosis, Way, diagnose, ways_of
from phusong.geo import parse_crs
from phusong.profile import Profile
from phusong.sources.source import Findings, Source

__all__ = ["treat"]

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
_NO_DEGREES = 360.0
_DEGREES = "EPSG:4326"


def treat(x: Array, y: Array, crs: Any, outlines: NDArray[Any], source: Source, profile: Profile,
          findings: Findings, where: str) -> tuple[Array, Array, Mask]:
    """Read coordinates by the evidence of the communes that their rows name.

    Parameters
    ----------
    x, y : (n,) float64
        As written; NaN = nothing is written.
    crs : CRS
        The system they would be read in without evidence.
    outlines : (n,) array of geometry
        Outline of each row's commune in degrees; None = not known.
    source : Source
        A system that the study file states is never overruled, but a contradiction is an error.
    profile : Profile
        Its ``crs_candidates`` and ``crs_degrees`` are what could be meant.
    findings : Findings
        Gets every fault; refused rows are rejected.
    where : str
        Column to name.

    Returns
    -------
    lon, lat : (n,) float64
        Degrees (WGS 84); NaN where refused, or not treated.
    treated : (n,) bool array
        Rows that need no further look at their system.
    """
    lon, lat = np.full(len(x), np.nan), np.full(len(x), np.nan)
    treated = np.zeros(len(x), bool)
    with np.errstate(invalid="ignore"):
        large = np.fmax(np.abs(x), np.abs(y)) > _NO_DEGREES
    for metres in (False, True):
        rows = np.flatnonzero(np.isfinite(x) & np.isfinite(y) & (large == metres))
        if not rows.size:
            continue
        stated = str(source.crs or parse_crs(crs).to_string())
        fitting = crs.is_projected if metres else crs.is_geographic
        as_read = Way(stated) if fitting else None
        others = profile.crs_candidates if metres else (_DEGREES, *profile.crs_degrees)
        ways = ways_of([*([stated] if fitting else []), *others])
        found = diagnose(x[rows], y[rows], outlines[rows], ways, as_read)
        if found.verdict in ("unproven", "nowhere"):
            continue
        if found.verdict == "as_read":
            _unsettled(found, findings, where, source)
            continue
        if found.verdict == "ambiguous":
            _refused(found, rows, findings, where, x, y, bool(source.crs))
        elif not source.mend or (source.crs and _contradicts(found, as_read)):
            _contradicted(found, rows, findings, where, source)
        else:
            _mended(found, rows, x, y, (lon, lat), as_read, findings, where)
        treated[rows] = True
    return lon, lat, treated


def _unsettled(found: Diagnosis, findings: Findings, where: str, source: Source) -> None:
    """Say that another system would fit as well, where the file itself names none."""
    if found.rival is not None and not source.crs:
        findings.add("datum_unproven", f"The coordinates are taken as {found.ways[0]}; the "
                     f"declared communes cannot tell it from {found.rival}, "
                     f"{found.apart_m:,.0f} m away.",
                     f'Ask the sender, and state it: crs: "{found.ways[0].crs}".',
                     severity="assumption", column=where)


def _contradicts(found: Diagnosis, as_read: Way | None) -> bool:
    """Tell whether another system than the stated one is needed (a mere swap is none)."""
    return as_read is None or any(way.crs != as_read.crs for way in found.ways)


def _refused(found: Diagnosis, rows: NDArray[np.int64], findings: Findings, where: str, x: Array,
             y: Array, stated: bool) -> None:
    at = _mask(rows, len(findings.rows))
    findings.add("two_systems_fit", f"The coordinates fit {found.ways[0]} and {found.ways[1]} "
                 f"equally well, {found.apart_m:,.0f} m apart; the declared communes cannot tell "
                 f"which", "Ask the sender, and state it in the study file: "
                 f'crs: "{found.ways[0].crs}".', at=at, column=where, rejects=True,
                 shown=[f"{a:g}, {b:g}" for a, b in zip(x, y, strict=True)])


def _contradicted(found: Diagnosis, rows: NDArray[np.int64], findings: Findings, where: str,
                  source: Source) -> None:
    inside = int(found.proven.sum())
    fits = ", ".join(map(str, found.ways))
    findings.add("wrong_crs", f"Read as {source.crs or 'written'}, the positions lie outside the "
                 f"communes that their rows name; read as {fits}, {inside:,} of {len(rows):,} lie "
                 f"in them", f'Write crs: "{found.ways[0].crs}" in the study file'
                 + ("." if source.mend else ', or "mend: true".'),
                 at=_mask(rows, len(findings.rows)), column=where, rejects=True)


def _mended(found: Diagnosis, rows: NDArray[np.int64], x: Array, y: Array,
            into: tuple[Array, Array], as_read: Way | None, findings: Findings,
            where: str) -> None:
    """Carry each row by its way, and record from what to what."""
    lon, lat = into
    for number, way in enumerate(found.ways):
        mine = rows[found.which == number]
        lon[mine], lat[mine] = way.degrees(x[mine], y[mine])
    was = [f"{a:.10g}, {b:.10g}" for a, b in zip(x, y, strict=True)]
    now = [f"latitude {b:.6f}, longitude {a:.6f}" for a, b in zip(lon, lat, strict=True)]
    for number, way in enumerate(found.ways):
        if way == as_read:
            continue
        at = _mask(rows[found.which == number], len(x))
        swapped = way.swapped and (as_read is None or as_read.crs == way.crs)
        inside = int((found.proven & (found.which == number)).sum())
        what = "x and y stand in each other's columns; read the other way round" if swapped \
            else f"The coordinates are in {way}, which nothing states; read so"
        findings.add("swapped_coordinates" if swapped else "system_found", f"{what}, {inside:,} of "
                     f"{int(at.sum()):,} rows lie in the communes that they name",
                     f'To confirm, write crs: "{way.crs}" in the study file.' if not swapped else
                     "To confirm, name the columns the other way round.", severity="warning",
                     at=at, column=where, shown=was, now=now, mends=True)
    none = rows[found.which < 0]
    findings.add("no_system_fits", "Read as the other rows are, the place is not in the commune "
                 "that the row names (or is so in two zones)", "Mend position or commune of the "
                 "row; send rows of one zone in one file.",
                 at=_mask(none, len(x)), column=where, shown=was, rejects=True)


def _mask(rows: NDArray[np.int64], number: int) -> Mask:
    mask = np.zeros(number, bool)
    mask[rows] = True
    return mask
