"""Places of learning, communes and villages: any file -> POINTS."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from phusong.geo import DEGREES, to_metric
from phusong.nouns import nearest
from phusong.profile import Profile, fold
from phusong.sources.columns import Columns
from phusong.sources.coordinates import Box, find_positions
from phusong.sources.joining import commune_codes, communes_in_degrees, outlines_of
from phusong.sources.polygons import opened
from phusong.sources.source import Findings, Reading, Source
from phusong.sources.values import words_of
from phusong.sources.vintages import Declared, declare
from phusong.tables import POINT_KINDS, POINTS, joined
from phusong.units import Register

__all__ = ["read_points", "stable_ids"]

_TEXTS = ("province_code", "targets", "parent_id", "location_source")
_DAYS = ("lockdown_from", "lockdown_to")
_NOTHING = Register()


def read_points(source: Source, folder: Path, crs: Any, profile: Profile,
                communes: gpd.GeoDataFrame | None = None, *, area: Box | None = None,
                register: Register = _NOTHING) -> Reading:
    """Read places of learning, communes or villages.

    Parameters
    ----------
    source : Source
        The file; its `kind` says what its rows are where no column does.
    folder : Path
        The study's folder.
    crs : CRS
        System of the result: the working CRS.
    profile : Profile
        Spellings, words, pattern of codes, bounds of the country.
    communes : GeoDataFrame, optional
        Polygons indexed by ``commune_code``: missing codes are found by position (and recorded
        in ``assumed``), lost zeros are restored where the code exists.
    area : (west, south, east, north), optional
        Degrees; see `find_positions`.
    register : Register, optional
        Lists of communes and crosswalks: codes of earlier lists are carried to the layer's.

    Returns
    -------
    Reading
        POINTS.  A row without a position is kept with an empty geometry; unknown learners stay
        NaN (`fill_learners` deals with them).
    """
    table, columns, findings, aside = opened(source, folder, profile, "points")
    _no_places(columns)
    layer = communes_in_degrees(communes)
    said = declare(columns, register, frozenset() if layer is None else frozenset(layer.index))
    lon, lat = find_positions(table, columns.theirs, source, profile, findings, area=area,
                              outlines=outlines_of(said.codes, layer))
    kinds = _kinds(columns)
    names = columns.text("name")
    ids = columns.code("point_id")
    if source.kind == "commune" and "commune_code" not in columns:
        codes = ids
    else:
        codes = commune_codes(columns, said, lon, lat, layer)
    commune_names = columns.text("commune_name")
    if layer is not None:
        by_code = layer["name"].where(layer["name"].ne(""))
        commune_names = commune_names.where(commune_names.ne(""), codes.map(by_code).fillna(""))
    data: dict[str, Any] = {
        "kind": kinds, "name": names, "level": _levels(columns, names, kinds),
        "commune_code": codes, "commune_name": commune_names,
        **{name: columns.text(name) for name in _TEXTS}, **_figures(columns),
        **{name: columns.day(name) for name in _DAYS}, **_dated(columns, said, codes, register)}
    if layer is not None and "province_code" in layer.columns:
        province = data["province_code"]
        data["province_code"] = province.where(province.ne(""), codes.map(
            layer["province_code"]).fillna(""))
    data["targets"] = [joined(words_of(cell)) for cell in data["targets"]]
    if source.kind == "commune":
        ids = ids.where(ids.ne(""), codes)
    ids = _identified(ids, columns, names, kinds, lon, lat)
    frame = gpd.GeoDataFrame(
        {**data, "assumed": columns.assumed_words(), "source": columns.credit()},
        geometry=_places(lon, lat), crs=DEGREES)
    _similar(frame, lon, lat, findings)
    stays = ~findings.rejected
    frame = frame[stays].set_index(pd.Index(ids[stays], name="point_id", dtype="str")).sort_index()
    return Reading(_typed(to_metric(frame, crs)), tuple(findings.faults), **findings.counts(),
                   set_aside=aside, file=source.file, role="points", credit=source.credit,
                   **columns.taken())


def _dated(columns: Columns, said: Declared, codes: pd.Series,
           register: Register) -> dict[str, Any]:
    """Return the day of each code's list, and the code as the file writes it."""
    days = columns.day("code_vintage").to_numpy("datetime64[s]")
    days = np.where(np.isnat(days), said.days.astype("datetime64[s]"), days)
    if register.now is not None:
        own = codes.isin(register.now.units).to_numpy(bool)
        days = np.where(own, np.datetime64(register.now.day, "s"), days)
        earlier = said.days < np.datetime64(register.now.day)
    else:
        earlier = np.zeros(len(codes), bool)
    return {"code_vintage": pd.Series(days).astype("datetime64[s]"),
            "commune_code_then": said.then.where(earlier, "")}


def _places(lon: NDArray[np.float64], lat: NDArray[np.float64]) -> gpd.GeoSeries:
    places = gpd.GeoSeries(gpd.points_from_xy(lon, lat), crs=DEGREES)
    return places.where(np.isfinite(lon) & np.isfinite(lat), None)


def _typed(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    for column in POINTS.columns.values():
        if column.kind == "text" and column.name in frame.columns:
            frame[column.name] = frame[column.name].astype("str")
    return frame


def _kinds(columns: Columns) -> list[str]:
    source, findings = columns.source, columns.findings
    default = source.kind
    if default and default not in POINT_KINDS:
        findings.add("unknown_kind", f'There is no kind of point "{default}".',
                     nearest(default, POINT_KINDS))
        default = "other"
    if not default and "kind" not in columns:
        findings.add("kind_assumed", "Nothing says what kind of places these are; they are taken "
                     'as schools.', 'Say so in the study file: kind: school.',
                     severity="assumption")
        columns.assume("kind", np.ones(len(columns.table), bool))
    kinds, unknown = columns.value("kind", "kinds")
    if not default:
        default = "school" if "kind" not in columns else "other"
        findings.add("unknown_kind", "This is no kind of place the program knows; it is taken as "
                     '"other"', f"Write one of {', '.join(POINT_KINDS)}, or set kind: in the study "
                     "file.", severity="warning", at=unknown,
                     column=columns.theirs.get("kind", ""), shown=columns.text("kind").tolist())
    if source.kind in ("", "school") and "kind" not in columns:
        return _kinds_of_names(columns, default)
    return [kind or default for kind in kinds]


def _kinds_of_names(columns: Columns, default: str) -> list[str]:
    """Take what a name says ("Trung tâm GDTX ...") where nothing else says the kind."""
    names = columns.text("name")
    said = {name: next(iter(columns.profile.values_in("kinds_in_names", name)), "")
            for name in names.unique()}
    found = [said[name] for name in names]
    told = np.array([bool(kind) for kind in found], bool)
    columns.assume("kind", told)
    columns.findings.add("kind_from_name", "The kind of place was taken from its name",
                         "Add a column that says it.", severity="assumption",
                         at=told & ~columns.findings.rejected, shown=names.tolist())
    return [kind or default for kind in found]


def _no_places(columns: Columns) -> None:
    """Leave out rows that are no places: totals, and headings within the list."""
    frame, findings = columns.table.frame, columns.findings
    if columns.table.geometry is not None or not len(frame.columns) or not len(frame):
        return
    sums = {fold(word) for word in columns.profile.totals}
    cells = frame.to_numpy(object)
    named = columns.text("name")
    placed = {columns.theirs[c] for c in ("lon", "lat", "position") if c in columns}
    where = [i for i, name in enumerate(frame.columns) if name in placed]
    lying = (cells[:, where] != "").any(axis=1) if where else np.zeros(len(frame), bool)
    filled = cells != ""
    count = filled.sum(axis=1)
    words = [next((c for c in row if c), "") for row in cells]
    total = ~lying & np.array([fold(a) in sums or fold(b) in sums
                               for a, b in zip(words, named, strict=True)], bool)
    findings.add("total_row", "The row adds others up and is no place; it is left out", "Remove "
                 "it from the file.", severity="warning", at=total, shown=words, rejects=True)
    alone = np.array([len({c for c in row if c}) == 1 for row in cells], bool)
    lone = alone & ((count >= 3) | ((count == 1) & named.eq("").to_numpy(bool)))
    findings.add("heading_row", "The row is a heading within the list, not a place; it is left "
                 "out", "Remove it from the file.", severity="warning", shown=words, rejects=True,
                 at=lone & ~total & ~lying & (len(frame.columns) >= 3))


def _levels(columns: Columns, names: pd.Series, kinds: list[str]) -> list[str]:
    profile, cells = columns.profile, columns.text("level")
    found = {cell: _level(cell, profile) for cell in cells.unique()}
    unknown = np.array([bool(cell) and not found[cell] for cell in cells], bool)
    columns.findings.add("unknown_level", "This names no level of schooling the program knows; it "
                         "is kept as written", severity="warning", at=unknown,
                         column=columns.theirs.get("level", ""), shown=cells.tolist())
    levels, guessed = [], np.zeros(len(cells), bool)
    for i, (cell, name, kind) in enumerate(zip(cells, names, kinds, strict=True)):
        level = found[cell] or cell
        if not level and kind in ("school", "branch_school") and name:
            level = joined(profile.values_in("levels", name))
            guessed[i] = bool(level)
        levels.append(level)
    columns.assume("level", guessed)
    columns.findings.add("level_from_name", "The level of schooling was taken from the name",
                         severity="assumption", at=guessed & ~columns.findings.rejected)
    return levels


def _level(cell: str, profile: Profile) -> str:
    words = [profile.value("levels", word) for word in words_of(cell)]
    return joined([w for w in words if w]) if words and all(words) \
        else joined(profile.values_in("levels", cell))


def _figures(columns: Columns) -> dict[str, NDArray[np.float64]]:
    counts = ("learners", "learners_poor", "learners_near_poor", "devices")
    figures = {name: columns.declared(POINTS[name], grouped=name in counts)
               for name in (*counts, "priority", "antenna_height_m")}
    poor = np.nan_to_num(figures["learners_poor"]) + np.nan_to_num(figures["learners_near_poor"])
    columns.findings.add("more_poor_than_learners", "More poor and near-poor learners than "
                         "learners", "One of the figures is wrong.", severity="warning",
                         at=poor > figures["learners"], column=columns.theirs.get("learners", ""))
    return figures


def stable_ids(prefix: str, parts: list[list[str]]) -> list[str]:
    """Return an id for each row made from what is written in it, the same in any order of rows."""
    return [f"{prefix}-" + hashlib.sha256("\x1f".join(row).encode()).hexdigest()[:12]
            for row in parts]


def _identified(ids: pd.Series, columns: Columns, names: pd.Series, kinds: list[str],
                lon: NDArray[np.float64], lat: NDArray[np.float64]) -> NDArray[Any]:
    """Return a unique id for each row; made-up ones come from name and position."""
    findings = columns.findings
    lacking = ids.eq("").to_numpy(bool) & ~findings.rejected
    made = stable_ids("p", [[k, fold(n), f"{a:.5f}", f"{b:.5f}"]
                            for k, n, a, b in zip(kinds, names, lon, lat, strict=True)])
    rows = ["\x1f".join(row) for row in columns.table.frame.itertuples(index=False)]
    whole = stable_ids("p", [[first, row] for first, row in zip(made, rows, strict=True)])
    twice = pd.Series(made).duplicated(keep=False).to_numpy(bool)
    keys = np.where(lacking, np.where(twice, whole, made), ids.to_numpy(object))
    columns.assume("point_id", lacking)
    findings.add("id_made", "Rows without an id were given one made from name and position",
                 "Name the column of ids: columns: {point_id: ...}.", severity="assumption",
                 at=lacking, column=columns.theirs.get("point_id", ""))
    doubled(keys, rows, columns, "point_id")
    return keys


def doubled(keys: NDArray[Any], rows: list[str], columns: Columns, what: str) -> None:
    """Leave out rows that repeat an earlier row; refuse different rows with one key."""
    findings = columns.findings
    series = pd.Series(keys).where(~findings.rejected)
    again = series.duplicated().to_numpy(bool) & ~findings.rejected
    if not again.any():
        return
    first = {key: i for i, key in reversed(list(enumerate(keys))) if not findings.rejected[i]}
    same = np.array([bool(a) and rows[i] == rows[first[key]]
                     for i, (a, key) in enumerate(zip(again, keys, strict=True))], bool)
    findings.add("repeated_row", "The row repeats an earlier one and is left out",
                 severity="warning", at=same, rejects=True)
    for i in np.flatnonzero(again & ~same)[:20]:
        at = np.zeros(len(keys), bool)
        at[i] = True
        findings.add("duplicate_key", f'{what} "{keys[i]}" stands in row '
                     f"{findings.rows[first[keys[i]]]} too, with other values",
                     "Every row needs its own key; remove one, or correct it.", at=at,
                     column=columns.theirs.get(what, what))
    findings.rejected |= again


def _similar(frame: gpd.GeoDataFrame, lon: NDArray[np.float64], lat: NDArray[np.float64],
             findings: Findings) -> None:
    """Remark on shared positions, and on one name and level within 110 m of an earlier row."""
    keys = pd.Series([fold(n) + "|" + lv + "|" + k for n, lv, k in
                      zip(frame["name"], frame["level"], frame["kind"], strict=True)])
    there = np.isfinite(lon) & ~findings.rejected
    place = pd.Series([f"{a:.6f},{b:.6f}" for a, b in zip(lon, lat, strict=True)])
    findings.add("shared_position", "The row has the same position as another: perhaps that of an "
                 "office or a centre, not of the place itself", "Fill in the true position.",
                 severity="warning", at=there & place.where(there).duplicated(keep=False))
    there &= frame["name"].ne("").to_numpy(bool)
    close = np.zeros(len(frame), bool)
    for rows in keys[there].groupby(keys[there]).indices.values():
        if len(rows) < 2:
            continue
        at = np.flatnonzero(there)[rows]
        for j, i in enumerate(at[1:], 1):
            east = (lon[at[:j]] - lon[i]) * np.cos(np.radians(lat[i]))
            close[i] = (np.hypot(east, lat[at[:j]] - lat[i]) * 111_320.0 < 110.0).any()
    findings.add("similar_rows", "A place of the same name and level lies within 110 m of another "
                 "row", "Remove one, if they are the same.", severity="warning", at=close,
                 shown=frame["name"].tolist())
