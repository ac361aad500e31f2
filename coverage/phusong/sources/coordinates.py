"""Where each row lies: coordinates found, their order and their system judged by evidence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from phusong.errors import InputError
from phusong.geo import DEGREES, earth_crs, parse_crs, transform
from phusong.profile import Profile
from phusong.sources.angles import coordinates, pair
from phusong.sources.doctor import treat
from phusong.sources.records import RawTable
from phusong.sources.source import Findings, Source
from phusong.sources.values import blank

__all__ = ["Box", "find_positions", "inside"]

Box = tuple[float, float, float, float]
Array = NDArray[np.float64]
_NO_DEGREES = 360.0


def inside(lon: Array, lat: Array, box: Box) -> NDArray[np.bool_]:
    """Tell which places lie in a box (west, south, east, north), degrees."""
    west, south, east, north = box
    return np.asarray((lon >= west) & (lon <= east) & (lat >= south) & (lat <= north))


def find_positions(table: RawTable, columns: Mapping[str, str], source: Source, profile: Profile,
                   findings: Findings, *, area: Box | None = None,
                   outlines: NDArray[Any] | None = None,
                   leave_out: bool = False) -> tuple[Array, Array]:
    """Find where each row lies.

    Parameters
    ----------
    table : RawTable
        The file as text.
    columns : mapping of our name to theirs
        As `match_columns` gives it; ``lon``, ``lat`` and ``position`` count.
    source : Source
        Its `crs` says in what system the coordinates are.
    profile : Profile
        Its `bounds` are the country: whatever lies outside them is wrong.
    findings : Findings
        Gets every fault.
    area : (west, south, east, north), optional
        Where terrain and communes of the study lie; used to recognise swapped coordinates and a
        wrong CRS where the profile has no bounds.
    outlines : (n,) array of geometry, optional
        Outline of the commune that each row names, degrees; None = not known.  They are the
        evidence by which a wrong system, zone or order is mended (`phusong.sources.doctor`).
    leave_out : bool
        Whether rows without a position, or with one outside the country, are left out with a
        warning (towers), instead of kept without a position and refused (places of learning).

    Returns
    -------
    lon, lat : (n,) float64
        Degrees (WGS 84); NaN where the position is not known.
    """
    x, y, where = _written(table, columns, source, profile, findings)
    island = (x == 0.0) & (y == 0.0)
    findings.add("null_island", "The coordinates are 0, 0: not a place but an empty form",
                 "Fill in the true position.", severity="warning", at=island, column=where,
                 mends=True)
    x, y = np.where(island, np.nan, x), np.where(island, np.nan, y)
    crs = _system(table, source, findings)
    nowhere = np.full(len(x), np.nan)
    if crs is None:
        return nowhere, nowhere.copy()
    seen = np.full(len(x), None, dtype=object) if outlines is None else outlines
    told_x, told_y, treated = treat(x, y, crs, seen, source, profile, findings, where)
    x, y = np.where(treated, np.nan, x), np.where(treated, np.nan, y)
    if not _right_unit(x, y, crs, source, profile, findings, where):
        x, y = nowhere, nowhere.copy()
    x, y = _right_order(x, y, crs, profile, area, findings, where, source.mend)
    lon, lat = _to_degrees(x, y, crs)
    lon, lat = np.where(treated, told_x, lon), np.where(treated, told_y, lat)
    lon, lat = _judged(lon, lat, profile, area, findings, where, source,
                      leave_out)
    findings.add("no_location", "The row has no position", "Fill it in; until then nothing can be "
                 "said about this row." if not leave_out else "Fill it in; the row is left out.",
                 severity="warning", at=np.isnan(lon) & ~findings.rejected, column=where,
                 rejects=leave_out)
    return lon, lat


def _written(table: RawTable, columns: Mapping[str, str], source: Source, profile: Profile,
             findings: Findings) -> tuple[Array, Array, str]:
    """Return x, y as written (degrees or metres), and the name of the column(s)."""
    x = np.full(len(table), np.nan)
    y = x.copy()
    if table.geometry is not None and "lon" not in source.columns:
        x, y = _of_shapes(table.geometry)
        if np.isfinite(x).any() or "lon" not in columns:
            return x, y, ""
    if "lon" in columns and "lat" in columns:
        x, bad_x = coordinates(table.frame[columns["lon"]], profile, "lon")
        y, bad_y = coordinates(table.frame[columns["lat"]], profile, "lat")
        for axis, bad in (("lon", bad_x), ("lat", bad_y)):
            findings.add("unreadable_coordinate", "This is no coordinate",
                         "Write decimal degrees such as 103.8461, or degrees, minutes and seconds.",
                         at=bad, column=columns[axis], shown=table.frame[columns[axis]].tolist(),
                         rejects=True)
        half = np.isnan(x) != np.isnan(y)
        return np.where(half, np.nan, x), np.where(half, np.nan, y), columns["lat"]
    if "position" in columns:
        return _of_pairs(table.frame[columns["position"]], profile, findings, columns["position"])
    if not {"lon", "lat"} <= {ours for ours, theirs in source.columns.items() if not theirs}:
        lacking = [n for n in ("lon", "lat") if n not in columns]
        findings.add("missing_column", f"The file has no column for {' and '.join(lacking)}. "
                     f"Columns found: {', '.join(map(str, table.frame.columns[:20]))}.",
                     'Name them in the study file: columns: {lon: ..., lat: ...}; or, if positions '
                     'are not known, columns: {lon: "", lat: ""}.')
        findings.rejected[:] = True
    return x, y, ""


def _of_shapes(shapes: Any) -> tuple[Array, Array]:
    geometry = np.asarray(shapes.array, dtype=object)
    places = np.full(len(geometry), None, dtype=object)
    there = ~(shapely.is_missing(geometry) | shapely.is_empty(geometry))
    kinds = shapely.get_type_id(geometry)
    flat = there & np.isin(kinds, (0, 4))
    places[flat] = shapely.centroid(geometry[flat])
    broad = there & ~flat
    if broad.any():
        whole = shapely.make_valid(geometry[broad])
        places[broad] = shapely.point_on_surface(whole)
    return shapely.get_x(places), shapely.get_y(places)


def _of_pairs(cells: pd.Series, profile: Profile, findings: Findings,
              column: str) -> tuple[Array, Array, str]:
    empty = blank(cells, profile)
    found = [(np.nan, np.nan) if no else pair(text, profile)
             for text, no in zip(cells, empty, strict=True)]
    x, y = np.array(found, dtype=float).reshape(-1, 2).T
    findings.add("unreadable_coordinate", "This is no pair of coordinates",
                 "Write latitude and longitude as decimals: 22.3333, 103.8461.",
                 at=(np.isnan(x) | np.isnan(y)) & ~empty, column=column, shown=cells.tolist(),
                 rejects=True)
    return x, y, column


def _system(table: RawTable, source: Source, findings: Findings) -> Any:
    try:
        given = earth_crs(source.crs or (DEGREES if table.crs is None else table.crs))
        if not source.crs:
            return given
    except InputError as error:
        findings.add("unknown_crs", error.faults[0].what, error.faults[0].cure)
        findings.rejected[:] = True
        return None
    if table.crs is not None and not given.equals(parse_crs(table.crs), ignore_axis_order=True):
        findings.add("crs_overruled", f"The file says it is in {parse_crs(table.crs).name}; the "
                     f"study file says {given.name}, and is believed.", "Remove one of the two.",
                     severity="warning")
    return given


def _right_unit(x: Array, y: Array, crs: Any, source: Source, profile: Profile,
                findings: Findings, where: str) -> bool:
    """Refuse metres that are called degrees, and degrees that are called metres."""
    size = np.fmax(np.abs(x), np.abs(y))
    known = np.isfinite(size)
    if not known.any():
        return True
    big = known & (size > _NO_DEGREES)
    if crs.is_geographic and big.sum() > 0.5 * known.sum():
        fits = [c for c in profile.crs_candidates if profile.bounds is not None
                and inside(*_to_degrees(x[big], y[big], parse_crs(c)), profile.bounds).all()]
        cure = f'These would fit: {", ".join(fits)}. ' if fits else ""
        findings.add("metres_not_degrees", f"The coordinates (first: {x[big][0]:g}, "
                     f"{y[big][0]:g}) are metres, but {'the study file says' if source.crs else ''}"
                     f"{' they are degrees' if source.crs else 'no CRS is stated'}.",
                     f'{cure}State the one they are in: crs: "EPSG:..."; or write the commune of '
                     f"each row beside it, and name the communes' layer.", column=where)
        findings.rejected |= known
        return False
    if crs.is_projected and not big.any() and (known & (size <= 180)).all(where=known):
        findings.add("degrees_not_metres", f"The coordinates (first: {x[known][0]:g}, "
                     f"{y[known][0]:g}) look like degrees, but {crs.name} counts in metres.",
                     'Write crs: "EPSG:4326", or leave it out.', column=where)
        findings.rejected |= known
        return False
    return True


def _to_degrees(x: Array, y: Array, crs: Any) -> tuple[Array, Array]:
    lon, lat = transform(x, y, crs, DEGREES)
    wrong = ~(np.isfinite(lon) & np.isfinite(lat))
    return np.where(wrong, np.nan, lon), np.where(wrong, np.nan, lat)


def _right_order(x: Array, y: Array, crs: Any, profile: Profile, area: Box | None,
                 findings: Findings, where: str, mend: bool) -> tuple[Array, Array]:
    """Swap x and y back where the country says so and `mend`; else reject such rows."""
    known = np.isfinite(x) & np.isfinite(y)
    if not known.any():
        return x, y
    box = profile.bounds or area
    here, there = _to_degrees(x, y, crs), _to_degrees(y, x, crs)
    if box is not None:
        swapped = known & inside(*there, box) & ~inside(*here, box)
    elif crs.is_geographic:
        swapped = known & (np.abs(y) > 90) & (np.abs(x) <= 90)
    else:
        return x, y
    if swapped[known].all() and not mend:
        findings.add("swapped_coordinates", "Longitude and latitude stand in each other's columns "
                     "throughout the file", 'Say "mend: true" beside the file in the study file to '
                     "have them swapped back, or name the columns the other way round: columns: "
                     "{lon: ..., lat: ...}.", at=known, column=where, rejects=True)
        return np.where(known, np.nan, x), np.where(known, np.nan, y)
    was = [f"{a:.10g}, {b:.10g}" for a, b in zip(x, y, strict=True)]
    if swapped.any() and mend and (swapped[known].all() or box is not None):
        throughout = "throughout the file" if swapped[known].all() else "in this row"
        findings.add("swapped_coordinates", "Longitude and latitude stand in each other's columns "
                     f"{throughout}: read as written the place is outside the country or study, "
                     "swapped it is inside; they were swapped back", "To confirm, name the columns "
                     "in the study file the other way round: columns: {lon: ..., lat: ...}.",
                     severity="warning", at=swapped, column=where, mends=True, shown=was,
                     now=[f"{b:.10g}, {a:.10g}" for a, b in zip(x, y, strict=True)])
        return np.where(swapped, y, x), np.where(swapped, x, y)
    findings.add("swapped_coordinates", "Longitude and latitude are swapped in this row, but not "
                 "in the others", "Swap the two cells.", at=swapped, column=where, rejects=True,
                 shown=[f"{b:g}, {a:g}" for a, b in zip(x, y, strict=True)])
    return np.where(swapped, np.nan, x), np.where(swapped, np.nan, y)


def _judged(lon: Array, lat: Array, profile: Profile, area: Box | None, findings: Findings,
            where: str, source: Source, leave_out: bool) -> tuple[Array, Array]:
    """Reject what is no place on earth, or lies outside the country."""
    known = np.isfinite(lon)
    nowhere = known & ~inside(lon, lat, (-180.0, -90.0, 180.0, 90.0))
    shown = [f"{b:.4f}, {a:.4f}" for a, b in zip(lon, lat, strict=True)]
    findings.add("no_place", "Latitude must lie within 90 and longitude within 180 degrees",
                 "Mend the cells.", at=nowhere, column=where, shown=shown, rejects=True)
    known &= ~nowhere
    box = profile.bounds or area
    if known.any() and box is not None and not inside(lon, lat, box)[known].any():
        middle = f"{np.median(lat[known]):.3f}, {np.median(lon[known]):.3f}"
        what = "the country" if profile.bounds else "terrain and communes of the study"
        findings.add("wrong_place", f"Read with the CRS of {source.crs or 'the file'}, all "
                     f"{known.sum()} positions lie round latitude, longitude {middle}: outside "
                     f"{what} (longitude {box[0]:.2f} to {box[2]:.2f}, latitude {box[1]:.2f} to "
                     f"{box[3]:.2f}).", "The CRS is wrong, or the file is of another place: state "
                     'the right one with crs: "EPSG:...".', column=where)
        findings.rejected |= known
        known[:] = False
    elif profile.bounds is not None:
        out = known & ~inside(lon, lat, profile.bounds)
        findings.add("outside_country", "The position lies outside the country", "Mend the cells, "
                     "or leave the row out of the file.", at=out, column=where, shown=shown,
                     rejects=True, severity="warning" if leave_out else "error")
        known &= ~out
    return np.where(known, lon, np.nan), np.where(known, lat, np.nan)
