"""A file of any kind -> its rows as text, each row kept, nothing expanded unseen.

CSV, XLSX, GeoJSON and GeoPackage.  A row that cannot be read is a row with a
fault; only a file that cannot be read at all is refused.
"""

from __future__ import annotations

import csv
import io
import json
import tempfile
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from phusong.errors import InputError, PhusongError
from phusong.sources.files import read_vector
from phusong.sources.records import RawTable
from phusong.sources.source import Source
from phusong.sources.workbooks import read_workbook

__all__ = ["MAX_BYTES", "MAX_ROWS", "POINT_X", "POINT_Y", "RefusedFileError", "Sheet", "SheetRow",
           "read_sheet"]

MAX_BYTES = 64 * 2**20
"""Larger files are refused before they are read."""
MAX_ROWS = 150_000
"""A file with more rows is refused: no operator has that many cells to report."""
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


def read_sheet(data: bytes, name: str, header: Header, *, known: Collection[str] = (),
               sheet: str = "") -> Sheet:
    """Return every row of a file.

    Parameters
    ----------
    data : bytes
        The file.
    name : str
        Its name; the ending tells the kind.
    header : callable
        Judges a row: how many of its cells are known column names.
    known : collection of str
        The known names themselves, as `phusong.profile.fold` writes them.
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
        return _table(data, ending, read_workbook, header, known, sheet)
    if ending in ("geojson", "json"):
        return _geojson(data)
    if ending == "gpkg":
        return _table(data, ending, read_vector, header, known, sheet)
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
            if len(found) > 2 * MAX_ROWS:
                raise RefusedFileError("too_large", f"more than {MAX_ROWS} rows")
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
    head = "\n".join(text[:200_000].splitlines()[:_TITLE_ROWS])
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


def _as_text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return "" if value is None else str(value)


_REFUSALS = {"too_large": "too_large", "empty_file": "empty_file", "missing_sheet": "no_layer",
             "missing_layer": "no_layer"}


def _table(data: bytes, ending: str, read: Callable[[Path, Source, Collection[str]], RawTable],
           header: Header, known: Collection[str], sheet: str) -> Sheet:
    """Read a workbook or a GeoPackage through the door that all files of a study go through."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"report.{ending}"
        path.write_bytes(data)
        try:
            table = read(path, Source(file=path.name, sheet=sheet, layer=sheet), known)
        except (KeyboardInterrupt, SystemExit):
            raise
        except PhusongError as error:
            code = error.faults[0].code if error.faults else ""
            detail = sheet if code in ("missing_sheet", "missing_layer") else (
                error.faults[0].what if error.faults else str(error))
            raise RefusedFileError(_REFUSALS.get(code, "unreadable_file"),
                                   detail.replace(f"{folder}/", "").rstrip(".")) from error
        except BaseException as error:  # a panic of the workbook reader is no Exception
            raise RefusedFileError("unreadable_file", type(error).__name__) from error
    if len(table) > MAX_ROWS:
        raise RefusedFileError("too_large", f"{len(table)} rows > {MAX_ROWS}")
    if not len(table):
        raise RefusedFileError("empty_file")
    names = [str(name) for name in table.frame.columns]
    if not header(names):
        raise RefusedFileError("no_header")
    return _with_points(table, names)


def _with_points(table: RawTable, names: list[str]) -> Sheet:
    shapes = [None] * len(table) if table.geometry is None else list(table.geometry)
    rows = []
    for number, texts, shape in zip(table.rows.tolist(), table.frame.itertuples(index=False),
                                    shapes, strict=True):
        cells = dict(zip(names, map(str, texts), strict=True))
        if shape is None or shape.is_empty:
            rows.append(SheetRow(number, cells))
        elif shape.geom_type != "Point":
            rows.append(SheetRow(number, cells, "no_point"))
        else:
            rows.append(SheetRow(number, cells | {POINT_X: repr(shape.x), POINT_Y: repr(shape.y)}))
    return Sheet(tuple(names), tuple(rows), None if table.crs is None else table.crs.to_wkt())


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
