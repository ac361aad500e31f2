"""Any table or vector file -> text in every cell (and shapes): the one door for files."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio

from phusong.errors import Fault, InputError, MissingFileError
from phusong.nouns import nearest
from phusong.profile import Profile, fold
from phusong.sources.delimited import read_delimited
from phusong.sources.json_rows import read_json_rows
from phusong.sources.old_text import converted
from phusong.sources.records import RawTable, old_charset
from phusong.sources.roads_osm import ENDINGS, read_answer, read_extract, read_graph
from phusong.sources.source import Source
from phusong.sources.values import tidy
from phusong.sources.workbooks import check_zip, read_workbook

__all__ = ["FORMATS", "locate_file", "read_file", "read_vector"]


def locate_file(source: Source, folder: Path) -> Path:
    """Return where the file lies.

    Raises
    ------
    MissingFileError
        If it is not there; the nearest name in its folder is offered.
    """
    path = Path(folder) / source.file
    if path.is_file():
        return path
    if path.is_dir():
        raise MissingFileError.of([Fault("no_file", "This is a folder, not a file.",
                                         "Name the file in it.", file=source.file)])
    there = [p.name for p in path.parent.iterdir() if p.is_file()] if path.parent.is_dir() else []
    cure = nearest(path.name, there) if there else f"There is no folder {path.parent} either."
    raise MissingFileError.of([Fault("missing_file", "There is no such file.", cure,
                                     file=source.file)])


def read_file(source: Source, folder: Path, profile: Profile, role: str) -> RawTable:
    """Read any table or vector file as text.

    Parameters
    ----------
    source : Source
        The file, and what the study says about it.
    folder : Path
        The study's folder.
    profile : Profile
        For its spellings of headers.
    role : str
        Whose headers to look for (``points``, ``sites`` ...).

    Raises
    ------
    MissingFileError
        If there is no such file.
    InputError
        If it cannot be read: empty, damaged, locked, too large, unknown format, no such sheet.
    """
    path = locate_file(source, folder)
    known = {fold(s) for ours, spelt in profile.spellings(role).items() for s in (ours, *spelt)}
    if not path.stat().st_size:
        raise InputError.of([Fault("empty_file", "The file is empty.", "Export it again.",
                                   file=source.file)])
    suffixes = [s.lower() for s in path.suffixes[-2:]]
    ending = suffixes[-1] if suffixes else ""
    if ending == ".gz" and len(suffixes) == 2 and suffixes[0] in FORMATS:
        ending = suffixes[0]
    if path.name.lower().endswith(ENDINGS):
        return read_extract(path, source, role)
    if ending == ".graphml":
        return read_graph(path, source, role)
    if ending == ".json" and (elements := _overpass(path)) is not None:
        return read_answer(elements, source, role)
    reader = FORMATS.get(ending)
    if reader is None:
        raise InputError.of([Fault("unknown_format", f'Files ending in "{ending}" are not read '
                                   f"here.", "Known: "
                                   f"{', '.join([*sorted(FORMATS), *ENDINGS])}.",
                                   file=source.file)])
    return reader(path, source, known)


def _overpass(path: Path) -> list[dict[str, object]] | None:
    """Return the elements of a saved answer of Overpass; None if the file is something else."""
    with path.open("rb") as file:
        if b'"elements"' not in file.read(4096):
            return None
    try:
        found = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        return None
    elements = found.get("elements") if isinstance(found, dict) else None
    return [e for e in elements if isinstance(e, dict)] if isinstance(elements, list) else None


def read_vector(path: Path, source: Source, known: Collection[str]) -> RawTable:
    """Read GeoJSON, GeoPackage, Shapefile, KML, FlatGeobuf or GeoParquet.

    Raises
    ------
    InputError
        If it cannot be read, or has no such layer.
    """
    if path.suffix.lower() == ".json":
        rows = read_json_rows(path, source.file)
        if rows is not None:
            return rows
    if path.suffix.lower() == ".zip":
        check_zip(path, source.file)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            frame = _shapes(path, source)
        except InputError:
            raise
        except Exception as error:
            # GDAL's bindings raise whatever they like on damaged files
            raise InputError.of([Fault("unreadable_file", f"The file cannot be read as "
                                       f"{path.suffix.lstrip('.')} ({tidy(error)[:200]}).",
                                       "Open it in a GIS and export it again.",
                                       file=source.file)]) from error
    if not len(frame):
        raise InputError.of([Fault("empty_file", "The layer holds no features.",
                                   "Export it again, or take it out of the study file.",
                                   file=source.file)])
    frame = _named_apart(frame)
    faults = [Fault("reading", tidy(w.message)[:300], "", "warning", source.file) for w in said]
    text = pd.DataFrame({str(c): _as_text(frame[c]) for c in frame.columns
                         if c != frame.geometry.name}, index=frame.index, dtype=object)
    text, remark = _modern(text, source.file)
    faults += remark
    geometry = gpd.GeoSeries(frame.geometry.to_numpy(), crs=frame.crs)
    table = RawTable(_spread(text), np.arange(1, len(frame) + 1, dtype=np.int64), geometry,
                     frame.crs)
    return replace(table, faults=tuple({f.what: f for f in faults}.values()))


def _named_apart(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Give columns of one name (a damaged .dbf) names of their own."""
    if frame.columns.is_unique:
        return frame
    shape = frame.geometry.name
    count: dict[str, int] = {}
    names = []
    for name in map(str, frame.columns):
        count[name] = count.get(name, 0) + 1
        names.append(name if name == shape or count[name] == 1 else f"{name} ({count[name]})")
    return frame.set_axis(names, axis=1) if len(set(names)) == len(names) else \
        frame.loc[:, ~frame.columns.duplicated()]


def _modern(text: pd.DataFrame, file: str) -> tuple[pd.DataFrame, list[Fault]]:
    """Convert text from before Unicode; see `phusong.sources.old_text`."""
    special = sorted({cell for name in text.columns for cell in (name, *text[name].unique())
                      if not cell.isascii()})
    charset, modern = converted(special)
    if not charset:
        return text, []
    now = dict(zip(special, modern, strict=True))
    changed = text.rename(columns=now)
    changed = changed.apply(lambda cells: cells.map(lambda cell: tidy(now.get(cell, cell))))
    return changed.astype(object), [old_charset(charset, special, modern, file)]


def _shapes(path: Path, source: Source) -> gpd.GeoDataFrame:
    if path.suffix.lower() == ".parquet":
        return gpd.read_parquet(path).reset_index(drop=True)
    layers = [str(name) for name in pyogrio.list_layers(path)[:, 0]]
    if source.layer and source.layer not in layers:
        raise InputError.of([Fault("missing_layer", f'There is no layer "{source.layer}".',
                                   nearest(source.layer, layers), file=source.file)])
    frame = pyogrio.read_dataframe(path, layer=source.layer or layers[0], datetime_as_string=True)
    if not isinstance(frame, gpd.GeoDataFrame):
        return gpd.GeoDataFrame(frame, geometry=gpd.GeoSeries([None] * len(frame)))
    return frame.reset_index(drop=True)


def _as_text(cells: pd.Series) -> pd.Series:
    if pd.api.types.is_float_dtype(cells):
        whole = cells.map(lambda v: str(int(v)) if float(v).is_integer() and abs(v) < 1e15
                          else repr(float(v)), na_action="ignore")
        return whole.astype(object).where(whole.notna(), "")
    missing = cells.isna()
    return cells.astype(object).map(_written).mask(missing, "")


def _written(cell: object) -> str:
    """Return a cell as text; objects and lists, which some formats allow, as JSON."""
    return json.dumps(cell, ensure_ascii=False) if isinstance(cell, (dict, list)) else tidy(cell)


def _spread(frame: pd.DataFrame) -> pd.DataFrame:
    """Give every key of a column of JSON objects (``tags``) a column of its own."""
    for name in [c for c in frame.columns if frame[c].str.startswith("{").any()]:
        try:
            inner = [json.loads(cell) if cell.startswith("{") else {} for cell in frame[name]]
        except (ValueError, RecursionError):
            continue
        keys = sorted({str(k) for item in inner for k in item} - set(frame.columns))[:200]
        more = pd.DataFrame({k: [tidy(item.get(k, "")) for item in inner] for k in keys},
                            index=frame.index, dtype=object)
        frame = pd.concat([frame, more], axis=1)
    return frame


Reader = Callable[[Path, Source, Collection[str]], RawTable]

FORMATS: dict[str, Reader] = {
    ".csv": read_delimited,
    ".tsv": read_delimited,
    ".txt": read_delimited,
    ".xlsx": read_workbook,
    ".xlsm": read_workbook,
    ".xls": read_workbook,
    ".geojson": read_vector,
    ".json": read_vector,
    ".gpkg": read_vector,
    ".shp": read_vector,
    ".zip": read_vector,
    ".kml": read_vector,
    ".fgb": read_vector,
    ".parquet": read_vector,
}
"""Ending of a file -> what reads it."""
