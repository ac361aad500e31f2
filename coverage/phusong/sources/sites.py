"""Cells and towers: any file -> SITES; what a file does not say is assumed and recorded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from phusong.errors import UnknownNameError
from phusong.geo import DEGREES, to_metric
from phusong.profile import Profile, fold
from phusong.radio.budget import Preset, Radio
from phusong.sources.columns import Columns
from phusong.sources.coordinates import Box, find_positions
from phusong.sources.crowd import grouped, is_crowd, judge_crowd
from phusong.sources.joining import communes_in_degrees, outlines_of
from phusong.sources.points import doubled, stable_ids
from phusong.sources.polygons import opened
from phusong.sources.records import RawTable
from phusong.sources.source import Findings, Reading, Source
from phusong.sources.vintages import declare
from phusong.tables import SITES
from phusong.units import Register

__all__ = ["UNKNOWN_OPERATOR", "read_sites"]

UNKNOWN_OPERATOR = "unknown"
_PLACEHOLDER_M = 1.0
_HEADLESS = {"technology": "1", "mcc": "2", "mnc": "3", "area_code": "4", "cid": "5", "lon": "7",
             "lat": "8", "range_m": "9", "samples": "10"}
"""Column numbers of an OpenCelliD export without a header."""

_NOTHING = Register()

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]


def read_sites(source: Source, folder: Path, crs: Any, profile: Profile, radio: Radio, *,
               area: Box | None = None, communes: gpd.GeoDataFrame | None = None,
               register: Register = _NOTHING) -> Reading:
    """Read cells or masts.

    Parameters
    ----------
    source : Source
        The file.
    folder : Path
        The study's folder.
    crs : CRS
        System of the result: the working CRS.
    profile : Profile
        Spellings, words, bounds of the country.
    radio : Radio
        Its presets stand in for missing height, power, gain, tilt and bandwidth.
    area : (west, south, east, north), optional
        Degrees; see `find_positions`.
    communes, register
        As for `read_points`: the communes that rows declare are evidence of where they lie.

    Returns
    -------
    Reading
        SITES.  Every value that was filled in is named in ``assumed``.  Positions in an
        OpenCelliD export are estimates (``geometry`` in ``assumed``, ``uncertainty_m``): cells
        are grouped to sites, a range of 1,000 m and single samples mean *not known*, and it is
        no list of sites.
    """
    table, columns, findings, aside = _opened(source, folder, profile)
    layer = communes_in_degrees(communes)
    said = declare(columns, register, frozenset() if layer is None else frozenset(layer.index))
    lon, lat = find_positions(table, columns.theirs, columns.source, profile, findings, area=area,
                              outlines=outlines_of(said.codes, layer), leave_out=True)
    technology, frequency = _carriers(columns)
    operator = _operators(columns)
    data = {"status": _statuses(columns), "operator": operator, "technology": technology,
            "frequency_mhz": frequency,
            **_radio_figures(columns, technology, frequency, radio),
            "on_air_from": columns.day("on_air_from"), "off_air_from": columns.day("off_air_from")}
    uncertainty = np.full(len(lon), np.nan)
    if is_crowd(columns):
        crowd = judge_crowd(columns)
        lon, lat, uncertainty = grouped(columns, crowd, operator, technology, lon, lat)
    sites, cells = _identified(columns, data, lon, lat)
    _said(columns, data)
    frame = gpd.GeoDataFrame(
        {"site_id": sites, **data, "uncertainty_m": uncertainty, "name": columns.text("name"),
         "assumed": columns.assumed_words(), "source": columns.credit()},
        geometry=gpd.points_from_xy(lon, lat), crs=DEGREES)
    stays = ~findings.rejected
    keys = pd.Index(np.asarray(cells, object)[stays], name="cell_id", dtype="str")
    frame = frame[stays].set_index(keys).sort_index()
    for column in SITES.columns.values():
        if column.kind == "text" and column.name in frame.columns:
            frame[column.name] = frame[column.name].astype("str")
    return Reading(to_metric(frame, crs), tuple(findings.faults), **findings.counts(),
                   set_aside=aside, file=source.file, role="sites", credit=source.credit,
                   **columns.taken())


def _opened(source: Source, folder: Path,
            profile: Profile) -> tuple[RawTable, Columns, Findings, int]:
    table, columns, findings, aside = opened(source, folder, profile, "sites")
    first = [str(cell) for cell in table.frame.iloc[0, :2]] if len(table) else []
    headless = (source.header and not columns.theirs and len(table.frame.columns) >= 10
                and table.frame.columns[0] == "1"
                and profile.value("technologies", first[0]) and first[1].isdigit())
    if not headless:
        return table, columns, findings, aside
    read_as = source.model_copy(update={"header": False, "columns": _HEADLESS})
    table, columns, findings, aside = opened(read_as, folder, profile, "sites")
    findings.add("no_header", "The file has no header; its columns were taken to be those of an "
                 "OpenCelliD export.", "Add the header, or name the columns by their numbers.",
                 severity="assumption")
    return table, columns, findings, aside


def _carriers(columns: Columns) -> tuple[NDArray[Any], Array]:
    """Return technology and carrier of each cell, both filled."""
    profile, findings, rows = columns.profile, columns.findings, len(columns.table)
    cells = columns.text("technology")
    named, unknown = columns.value("technology", "technologies")
    findings.add("unknown_technology", f"This is no technology the program knows; "
                 f"{profile.technology_assumed} is assumed", "Write GSM, UMTS, LTE or NR.",
                 severity="warning", at=unknown & ~findings.rejected,
                 column=columns.theirs.get("technology", ""), shown=cells.tolist())
    missing = np.array([not name for name in named], bool)
    columns.assume("technology", missing)
    technology = np.array([name or profile.technology_assumed for name in named], dtype=object)
    frequency = columns.declared(SITES["frequency_mhz"])
    bands = {cell: _band(cell) for cell in cells.unique()}
    in_name = np.array([bands[cell] for cell in cells], float).reshape(rows)
    frequency = np.where(np.isnan(frequency), in_name, frequency)
    lacking = np.isnan(frequency)
    columns.assume("frequency_mhz", lacking)
    assumed = np.array([profile.frequency_assumed_mhz.get(t, np.nan) for t in technology], float)
    return technology, np.where(lacking, assumed, frequency)


def _band(text: str) -> float:
    """Return the band that a name such as ``LTE 1800`` carries, MHz; NaN if none."""
    numbers = [float(word) for word in text.replace("/", " ").split() if word.isdigit()]
    return next((n for n in numbers if 400 <= n <= 6000), float("nan"))


def _operators(columns: Columns) -> list[str]:
    named, _ = columns.value("operator", "operators", search=False)
    cells = columns.text("operator")
    if "operator" not in columns and "mcc" in columns and "mnc" in columns:
        cells = columns.code("mcc") + "-" + columns.code("mnc")
    columns.assume("operator", cells.eq("").to_numpy(bool))
    return [name or cell or UNKNOWN_OPERATOR for name, cell in zip(named, cells, strict=True)]


def _statuses(columns: Columns) -> list[str]:
    named, unknown = columns.value("status", "statuses")
    columns.findings.add("unknown_status", "This says neither that the site stands nor that it is "
                         "planned; it is taken as standing", severity="warning", at=unknown,
                         column=columns.theirs.get("status", ""),
                         shown=columns.text("status").tolist())
    return [name or "standing" for name in named]


def _radio_figures(columns: Columns, technology: NDArray[Any], frequency: Array,
                   radio: Radio) -> dict[str, Array]:
    presets = _presets(technology, frequency, radio)

    def filled(name: str, given: Array, attribute: str) -> Array:
        lacking = np.isnan(given)
        columns.assume(name, lacking)
        stand_in = np.array([getattr(p, attribute) for p in presets], float)
        return np.where(lacking, stand_in, given)

    height = columns.declared(SITES["antenna_height_m"])
    height = np.where(height <= _PLACEHOLDER_M, np.nan, height)
    azimuth = columns.declared(SITES["azimuth_deg"])
    beamwidth = columns.declared(SITES["beamwidth_deg"])
    columns.assume("azimuth_deg", np.isnan(azimuth) & ~(beamwidth >= 360.0))
    width = filled("beamwidth_deg", beamwidth, "horizontal_beamwidth_deg")
    gain = filled("gain_dbi", columns.declared(SITES["gain_dbi"]), "gain_dbi")
    eirp = columns.declared(SITES["eirp_dbm"])
    watts = columns.number("power_w", low=1e-6, high=1e5)
    power = columns.number("power_dbm", low=-30, high=90)
    power = np.where(np.isnan(power), 10.0 * np.log10(watts) + 30.0, power)
    feeder = columns.number("feeder_loss_db", low=0, high=40)
    lacking = np.isnan(eirp)
    columns.assume("eirp_dbm", lacking & np.isnan(power))
    power = np.where(np.isnan(power), [p.port_power_dbm for p in presets], power)
    feeder = np.where(np.isnan(feeder), [p.feeder_loss_db for p in presets], feeder)
    return {"antenna_height_m": filled("antenna_height_m", height, "antenna_height_m"),
            "azimuth_deg": azimuth, "beamwidth_deg": width, "gain_dbi": gain,
            "tilt_deg": filled("tilt_deg", columns.declared(SITES["tilt_deg"]), "tilt_deg"),
            "bandwidth_mhz": filled("bandwidth_mhz", columns.declared(SITES["bandwidth_mhz"]),
                                    "bandwidth_mhz"),
            "eirp_dbm": np.where(lacking, power + gain - feeder, eirp),
            "reach_m": columns.declared(SITES["reach_m"]),
            "capacity_mbps": columns.declared(SITES["capacity_mbps"])}


def _presets(technology: NDArray[Any], frequency: Array, radio: Radio) -> list[Preset]:
    known: dict[tuple[str, float], Preset] = {}
    for key in set(zip(technology.tolist(), frequency.tolist(), strict=True)):
        try:
            known[key] = radio.preset(*key)
        except UnknownNameError:
            known[key] = radio.preset("LTE", key[1])
    return [known[key] for key in zip(technology.tolist(), frequency.tolist(), strict=True)]


def _identified(columns: Columns, data: dict[str, Any], lon: Array,
                lat: Array) -> tuple[list[str], NDArray[Any]]:
    """Return site and cell of each row; rows of one operator at one place share a made-up site."""
    sites, cells = columns.code("site_id"), columns.code("cell_id")
    places = [[fold(o), f"{a:.5f}", f"{b:.5f}"]
              for o, a, b in zip(data["operator"], lon, lat, strict=True)]
    lacking = sites.eq("").to_numpy(bool)
    columns.assume("site_id", lacking)
    made = np.where(lacking, stable_ids("s", places), sites.to_numpy(object))
    if is_crowd(columns) and "cid" in columns:
        parts = [columns.text("technology").str.upper(), *(columns.code(name) for name in
                                                           ("mcc", "mnc", "area_code", "cid"))]
        cells = pd.Series(["-".join(row) for row in zip(*parts, strict=True)], index=cells.index)
    rows = ["\x1f".join(row) for row in columns.table.frame.itertuples(index=False)]
    named = [f"{s}:{t}:{f:g}:{'omni' if np.isnan(a) else f'{a:g}'}" for s, t, f, a in
             zip(made, data["technology"], data["frequency_mhz"], data["azimuth_deg"],
                 strict=True)]
    cells = _widened(columns, cells, data, named)
    empty = cells.eq("").to_numpy(bool)
    whole = stable_ids("", [[row] for row in rows])
    twice = pd.Series(named).duplicated(keep=False).to_numpy(bool)
    longer = [name + tail for name, tail in zip(named, whole, strict=True)]
    keys = np.where(empty, np.where(twice, longer, named), cells.to_numpy(object))
    doubled(keys, rows, columns, "cell_id")
    return [str(s) for s in made], keys


def _widened(columns: Columns, cells: pd.Series, data: dict[str, Any],
             named: list[str]) -> pd.Series:
    """Tell cells apart that share an id: registers list each carrier and antenna of a cell.

    Only where a quarter of the rows or more share ids, or a twentieth of which most differ in
    technology, carrier or azimuth; else a repeated id is a mistake, and stays an error.
    """
    twice = (cells.ne("") & cells.duplicated(keep=False)).to_numpy(bool)
    if twice.sum() < max(10, 0.05 * len(cells)):
        return cells
    tails = pd.Series([name.split(":", 1)[1] for name in named], index=cells.index)
    longer = cells + ":" + tails
    apart = twice & ~longer.duplicated(keep=False).to_numpy(bool)
    if apart.sum() < 0.5 * twice.sum() and twice.sum() < 0.25 * len(cells):
        return cells
    rows = ["\x1f".join(row) for row in columns.table.frame.itertuples(index=False)]
    # antennas that agree in all three are told apart by the whole row
    whole = [f"{key}{tail}" for key, tail in
             zip(longer, stable_ids("", [[row] for row in rows]), strict=True)]
    wide = cells.mask(twice, pd.Series(np.where(apart, longer, whole), index=cells.index))
    columns.findings.add("shared_cell_id", "Several rows share this id of a cell: the list names "
                         "each carrier and antenna; carrier and azimuth were added to the id",
                         "Name a column that tells the rows apart: columns: {cell_id: ...}.",
                         severity="assumption", at=twice & ~columns.findings.rejected,
                         column=columns.theirs.get("cell_id", ""), shown=cells.tolist())
    return wide


def _said(columns: Columns, data: dict[str, Any]) -> None:
    """Record each column that was filled in, with its count and what stands in."""
    words = {"antenna_height_m": ("antenna height (empty, or a placeholder of 1 m or less)", "m"),
             "eirp_dbm": ("power", "dBm EIRP"), "azimuth_deg": ("azimuth", "degrees"),
             "technology": ("technology", ""), "frequency_mhz": ("carrier frequency", "MHz"),
             "operator": ("operator", "")}
    for name, (meaning, unit) in words.items():
        at = columns.assumed.get(name, np.zeros(len(columns.table), bool)) \
            & ~columns.findings.rejected
        used = pd.Series(data[name])[at].dropna().unique()
        said = ", ".join(str(v) if isinstance(v, str) else f"{v:g}" for v in sorted(used)[:4])
        columns.findings.add(
            f"{name}_assumed", f"Cells without {meaning}; assumed: "
            f"{said or 'omnidirectional, 3 dB less'}{', ...' if len(used) > 4 else ''}"
            f"{f' {unit}' if said and unit else ''}",
            "Fill it in.", severity="assumption", at=at, column=columns.theirs.get(name, name))
