"""A file of any kind -> its rows as text, each row kept, nothing expanded unseen.

CSV, XLSX, GeoJSON and GeoPackage.  A row that cannot be read is a row with a
fault; only a file that cannot be read at all is refused.
"""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from phusong.errors import InputError

__all__ = ["MAX_BYTES", "MAX_ROWS", "POINT_X", "POINT_Y", "RefusedFileError", "Sheet", "SheetRow",
           "read_sheet"]

MAX_BYTES = 64 * 2**20
"""Larger files are refused before they are read."""
MAX_ROWS = 300_000
MAX_CELLS = 10_000_000
MAX_UNZIPPED = 200 * 2**20
MAX_RATIO = 100
_TITLE_ROWS = 25
POINT_X, POINT_Y = "(geometry x)", "(geometry y)"
"""Names under which the coordinates of a feature stand among its columns."""


class RefusedFileError(InputError):
    """A whole file that cannot be read: `code` names the message in ``words.yml``."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One row of a file.

    Parameters
    ----------
    row : int
        Number as a person counts it: line of a CSV, row of a sheet, else 1, 2, ...
    cells : mapping of str to str
        Column name in the file -> text; empty cells are empty texts.
    fault : str
        Code of what is wrong with the whole row; empty = nothing.
    detail : mapping
        Values for the words of the fault.
    """

    row: int
    cells: Mapping[str, str]
    fault: str = ""
    detail: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sheet:
    """The rows of a file.

    Parameters
    ----------
    headers : tuple of str
        Column names, each once.
    rows : tuple of SheetRow
        Every row of data; rows without any content are no rows.
    crs : str or None
        What the file itself says about its coordinates.
    """

    headers: tuple[str, ...]
    rows: tuple[SheetRow, ...]
    crs: str | None = None


Header = Callable[[list[str]], int]
"""How many of these cells are known column names; 0 = this is no header row."""


def read_sheet(data: bytes, name: str, header: Header, *, sheet: str = "") -> Sheet:
    """Return every row of a file.

    Parameters
    ----------
    data : bytes
        The file.
    name : str
        Its name; the ending tells the kind.
    header : callable
        Judges a row: how many of its cells are known column names.
    sheet : str
        Sheet of a workbook or layer of a GeoPackage; empty = the first that has a header.

    Raises
    ------
    RefusedFileError
        ``unknown_format``, ``unreadable_file``, ``too_large``, ``empty_file``, ``no_header``,
        ``no_layer``.
    """
    if not data.strip():
        raise RefusedFileError("empty_file")
    if len(data) > MAX_BYTES:
        raise RefusedFileError("too_large", f"{len(data) / 2**20:.0f} MiB > "
                               f"{MAX_BYTES / 2**20:.0f} MiB")
    ending = name.lower().rsplit(".", 1)[-1] if "." in name else ""
    if ending in ("csv", "tsv", "txt"):
        return _delimited(data, header)
    if ending in ("xlsx", "xlsm"):
        return _workbook(data, header, sheet)
    if ending in ("geojson", "json"):
        return _geojson(data)
    if ending == "gpkg":
        return _geopackage(data, sheet)
    raise RefusedFileError("unknown_format")


def _decode(data: bytes) -> str:
    wide = data[:2] in (b"\xff\xfe", b"\xfe\xff")
    encodings = ["utf-16"] if wide else ["utf-8-sig", "cp1258"]
    for encoding in encodings:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise RefusedFileError("unreadable_file", f"not {' or '.join(encodings)} text")


def _parse(text: str, mark: str) -> list[tuple[int, list[str], str]]:
    """Split into (line, cells, fault); a broken quotation spoils its own line only."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=True)
    found: list[tuple[int, list[str], str]] = []
    try:
        start = 1
        for cells in reader:
            found.append((start, cells, ""))
            start = reader.line_num + 1
        return found
    except csv.Error:
        found = []
    for line, content in enumerate(text.splitlines(), 1):
        try:
            cells = next(csv.reader([content], delimiter=mark, strict=True), [])
            found.append((line, cells, ""))
        except csv.Error:
            found.append((line, [content], "broken_quotes"))
    return found


def _delimited(data: bytes, header: Header) -> Sheet:
    text = _decode(data)
    head = "\n".join(text.splitlines()[:_TITLE_ROWS])
    best = max(";,\t|", key=lambda mark: max(
        (header(cells) for _, cells, _ in _parse(head, mark)), default=0))
    return _tabular(_parse(text, best), header)


def _tabular(lines: Iterable[tuple[int, list[str], str]], header: Header) -> Sheet:
    filled = [entry for entry in lines if any(cell.strip() for cell in entry[1])]
    if not filled:
        raise RefusedFileError("empty_file")
    scores = [header(cells) for _, cells, _ in filled[:_TITLE_ROWS]]
    if max(scores) == 0:
        raise RefusedFileError("no_header")
    place = scores.index(max(scores))
    names = _unique(filled[place][1])
    if len(filled) - place - 1 > MAX_ROWS:
        raise RefusedFileError("too_large", f"{len(filled) - place - 1} rows > {MAX_ROWS}")
    rows = []
    for line, cells, fault in filled[place + 1:]:
        detail: dict[str, object] = {}
        while len(cells) > len(names) and not cells[-1].strip():
            cells = cells[:-1]
        if not fault and len(cells) > len(names):
            fault, detail = "ragged_row", {"found": len(cells), "expected": len(names)}
        cells = cells + [""] * (len(names) - len(cells))
        extra = {f"({i + 1})": cell for i, cell in enumerate(cells[len(names):], len(names))}
        row = dict(zip(names, cells[:len(names)], strict=True)) | extra
        rows.append(SheetRow(line, row, fault, detail))
    if not rows:
        raise RefusedFileError("empty_file")
    return Sheet(tuple(names), tuple(rows))


def _unique(names: Iterable[str]) -> list[str]:
    found: list[str] = []
    for place, name in enumerate(names, 1):
        name = " ".join(name.split()) or f"({place})"
        while name in found:
            name += "'"
        found.append(name)
    while len(found) > 1 and found[-1] == f"({len(found)})":
        found.pop()
    return found


_CELL = re.compile(rb'<(?:\w+:)?(?:c|row)\b[^>]{0,300}?\sr\s*=\s*["\']\s*([A-Za-z]{0,8})(\d{1,9})')


def _guard_workbook(data: bytes) -> None:
    """Refuse what would burst in memory, from the directory and the cells' addresses alone."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            infos = archive.infolist()
            size = sum(i.file_size for i in infos)
            if size > MAX_UNZIPPED or size > MAX_RATIO * max(len(data), 10_000):
                raise RefusedFileError("too_large", f"{size / 2**20:.0f} MiB unzipped")
            for info in infos:
                if "worksheets/" in info.filename and info.filename.endswith(".xml"):
                    _guard_sheet(archive.read(info))
    except RefusedFileError:
        raise
    except Exception as error:  # zipfile raises a dozen kinds on a damaged archive
        raise RefusedFileError("unreadable_file", f"no XLSX workbook ({type(error).__name__})"
                               ) from error


def _guard_sheet(xml: bytes) -> None:
    columns, rows = 1, 1
    for letters, digits in _CELL.findall(xml):
        place = 0
        for letter in letters.upper():
            place = place * 26 + letter - 64
        columns, rows = max(columns, place), max(rows, int(digits))
    if columns * rows > MAX_CELLS:
        raise RefusedFileError("too_large", f"the sheet spans {rows} rows x {columns} columns")


def _as_text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return "" if value is None else str(value)


def _workbook(data: bytes, header: Header, sheet: str) -> Sheet:
    from python_calamine import CalamineWorkbook

    _guard_workbook(data)
    refused = RefusedFileError("no_header")
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(data))
        if sheet and sheet not in book.sheet_names:
            raise RefusedFileError("no_layer", sheet)
        for name in [sheet] if sheet else book.sheet_names:
            lines = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
            texts = [(i, [_as_text(v) for v in line], "") for i, line in enumerate(lines, 1)]
            try:
                return _tabular(texts, header)
            except RefusedFileError as error:
                if error.code == "too_large":
                    raise
                refused = error if refused.code == "no_header" else refused
    except RefusedFileError:
        raise
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # a panic of the Rust reader is no Exception
        raise RefusedFileError("unreadable_file", f"no readable workbook ({type(error).__name__})"
                               ) from error
    raise refused


def _geojson(data: bytes) -> Sheet:
    try:
        content = json.loads(_decode(data))
    except (ValueError, RecursionError) as error:
        raise RefusedFileError("unreadable_file", f"no JSON ({type(error).__name__})") from error
    features = content.get("features") if isinstance(content, dict) else None
    if not isinstance(features, list):
        raise RefusedFileError("unreadable_file", "no GeoJSON FeatureCollection")
    if len(features) > MAX_ROWS:
        raise RefusedFileError("too_large", f"{len(features)} features > {MAX_ROWS}")
    if not features:
        raise RefusedFileError("empty_file")
    rows = [_feature(place, feature) for place, feature in enumerate(features, 1)]
    headers = dict.fromkeys(name for row in rows for name in row.cells)
    crs = content.get("crs")
    named = crs.get("properties", {}) if isinstance(crs, dict) else {}
    stated = named.get("name") if isinstance(named, dict) else None
    return Sheet(tuple(headers), tuple(rows), str(stated) if stated else "EPSG:4326")


def _whole(text: str) -> str:
    """Return `text` without halves of characters, which JSON can hold and UTF-8 cannot."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _feature(place: int, feature: Any) -> SheetRow:
    if not isinstance(feature, dict) or not isinstance(feature.get("properties") or {}, dict):
        return SheetRow(place, {"(1)": json.dumps(feature)[:2000]}, "not_a_feature")
    cells = {_whole(str(k)): _whole(json.dumps(v, ensure_ascii=False) if isinstance(v, dict | list)
                                    else _as_text(v))
             for k, v in (feature.get("properties") or {}).items()}
    geometry = feature.get("geometry")
    if geometry is None:
        return SheetRow(place, cells)
    where = geometry.get("coordinates") if isinstance(geometry, dict) else None
    if (not isinstance(geometry, dict) or geometry.get("type") != "Point"
            or not isinstance(where, list) or len(where) < 2
            or not all(isinstance(v, int | float) and not isinstance(v, bool) for v in where[:2])):
        return SheetRow(place, cells, "no_point")
    return SheetRow(place, cells | {POINT_X: repr(where[0]), POINT_Y: repr(where[1])})


def _geopackage(data: bytes, layer: str) -> Sheet:
    import pyogrio

    try:
        layers = [str(name) for name, _ in pyogrio.list_layers(data)]
        if layer and layer not in layers:
            raise RefusedFileError("no_layer", layer)
        if not layers:
            raise RefusedFileError("empty_file")
        info = pyogrio.read_info(data, layer=layer or layers[0])
        if info["features"] > MAX_ROWS:
            raise RefusedFileError("too_large", f"{info['features']} features > {MAX_ROWS}")
        frame = pyogrio.read_dataframe(data, layer=layer or layers[0])
    except RefusedFileError:
        raise
    except Exception as error:  # GDAL's and SQLite's errors on damaged files are of many kinds
        raise RefusedFileError("unreadable_file", f"no readable GeoPackage ({type(error).__name__})"
                               ) from error
    if frame.empty:
        raise RefusedFileError("empty_file")
    points = frame.geometry if "geometry" in frame.columns else None
    names = [c for c in frame.columns if c != "geometry"]
    rows = []
    for place, (_, record) in enumerate(frame.iterrows(), 1):
        cells = {str(n): "" if _is_missing(record[n]) else _as_text(record[n]) for n in names}
        point = None if points is None else points.iloc[place - 1]
        if point is None or point.is_empty:
            rows.append(SheetRow(place, cells))
        elif point.geom_type != "Point":
            rows.append(SheetRow(place, cells, "no_point"))
        else:
            rows.append(SheetRow(place, cells | {POINT_X: repr(point.x), POINT_Y: repr(point.y)}))
    crs = None if points is None or points.crs is None else points.crs.to_wkt()
    return Sheet(tuple(map(str, names)), tuple(rows), crs)


def _is_missing(value: object) -> bool:
    return value is None or (isinstance(value, float) and value != value) or str(value) == "NaT"
