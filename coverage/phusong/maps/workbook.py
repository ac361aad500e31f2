"""All tables of a briefing as one workbook, text as text: no cell of it computes anything."""

from __future__ import annotations

import datetime as dt
import io
import re
from collections.abc import Mapping
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import xlsxwriter

from phusong.geo import to_degrees
from phusong.maps.content import Briefed
from phusong.maps.pack import clean
from phusong.maps.words import Language, word
from phusong.tables import TABLES, Table
from phusong.written import day

__all__ = ["workbook"]

_MOST_ROWS = 1_048_575
_LONGEST = 32_767
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def workbook(study: Briefed, tables: Mapping[str, pd.DataFrame | None], *,
             language: Language = "vi") -> bytes:
    """Return the tables as an XLSX file.

    Parameters
    ----------
    study : Briefed
        Heads the first sheet.
    tables : mapping of str to DataFrame
        Sheets by name (at most 31 characters), in this order; None is left out.  A name that
        `phusong.tables.TABLES` knows (in small letters) gets the meanings of its
        columns as a second sheet row.
    language : {"vi", "en"}
        Of the first sheet.

    Returns
    -------
    bytes
        The same tables give the same bytes.

    Notes
    -----
    Codes and every other text are written as text; a name that begins with
    ``=`` stays a name (pandas' own ``to_excel`` would make it a live formula).
    Of a table that the house declares (`phusong.tables.TABLES`; candidates are SITES,
    `reach` is LINKS) only the declared columns are written, so that nothing personal that
    a file may carry goes out by accident.  Positions become degrees (WGS 84); what
    Excel cannot hold (control characters, more than 32,767 characters, more than
    1,048,575 rows) is cut, and the first sheet says so.
    """
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {
        "in_memory": True, "strings_to_formulas": False, "strings_to_urls": False,
        "strings_to_numbers": False, "nan_inf_to_errors": False, "default_date_format":
            "yyyy-mm-dd"})
    book.set_properties({"title": clean(study.title.in_language(language)),
                         "created": dt.datetime.combine(study.day, dt.time())})
    formats = {"head": book.add_format({"bold": True, "bg_color": "#EFEBE3", "border": 1}),
               "soft": book.add_format({"italic": True, "font_color": "#666666",
                                        "text_wrap": True, "valign": "top"}),
               "warn": book.add_format({"bold": True, "bg_color": "#FFE08A"}),
               "day": book.add_format({"num_format": "yyyy-mm-dd"})}
    first = book.add_worksheet(word("ui", "run", language)[:31])
    cut: list[str] = []
    for name, frame in tables.items():
        if frame is not None:
            cut += _sheet(book.add_worksheet(name[:31]), frame, _declared(name), formats)
    _about(first, study, tables, cut, language, formats)
    book.close()
    return out.getvalue()


def _declared(name: str) -> Table | None:
    return TABLES.get({"spots": "SITES", "reach": "LINKS"}.get(name, name.upper()))


def _about(sheet: Any, study: Briefed, tables: Mapping[str, pd.DataFrame | None],
           cut: list[str], language: Language, formats: Mapping[str, Any]) -> None:
    sheet.set_column(0, 0, 34)
    sheet.set_column(1, 1, 80)
    label = study.need.label.in_language(language)
    rows = [(word("ui", "study", language), study.title.in_language(language) or study.name),
            (word("ui", "search_date", language), day(study.day.isoformat(), language)),
            (word("ui", "definition", language),
             f"{label} [{study.need.name}]" if label else study.need.name)]
    if study.fictional:
        sheet.write_string(0, 0, word("ui", "fictional", language), formats["warn"])
    for i, (what, value) in enumerate(rows, start=2):
        sheet.write_string(i, 0, what, formats["head"])
        sheet.write_string(i, 1, _text(value))
    start = 2 + len(rows) + 1
    for i, (name, frame) in enumerate((n, f) for n, f in tables.items() if f is not None):
        sheet.write_string(start + i, 0, name)
        sheet.write_number(start + i, 1, len(frame))
    for i, said in enumerate(cut):
        sheet.write_string(start + len(tables) + 2 + i, 0, said, formats["warn"])


def _sheet(sheet: Any, frame: pd.DataFrame, table: Table | None, formats: Mapping[str, Any]
           ) -> list[str]:
    """Write one table; return what had to be cut."""
    flat = _flat(frame, table)
    cut = []
    if len(flat) > _MOST_ROWS:
        cut.append(f"{sheet.get_name()}: {len(flat) - _MOST_ROWS} rows left out")
        flat = flat.iloc[:_MOST_ROWS]
    sheet.freeze_panes(2, len(frame.index.names))
    for c, name in enumerate(flat.columns):
        meaning = table.columns[name].meaning if table and name in table.columns else ""
        sheet.write_string(0, c, _text(name), formats["head"])
        sheet.write_string(1, c, meaning, formats["soft"])
        sheet.set_column(c, c, float(np.clip(len(str(name)) + 2, 10, 28)))
        cut += _column(sheet, c, flat[name], formats)
    if len(flat):
        sheet.autofilter(1, 0, len(flat) + 1, len(flat.columns) - 1)
    return cut


def _column(sheet: Any, c: int, values: pd.Series, formats: Mapping[str, Any]) -> list[str]:
    cut = 0
    if pd.api.types.is_datetime64_any_dtype(values):
        for r, when in enumerate(values, start=2):
            if pd.notna(when):
                sheet.write_datetime(r, c, when.to_pydatetime(), formats["day"])
    elif pd.api.types.is_bool_dtype(values):
        for r, yes in enumerate(values, start=2):
            sheet.write_boolean(r, c, bool(yes))
    elif pd.api.types.is_numeric_dtype(values):
        for r, number in enumerate(values.to_numpy(np.float64), start=2):
            if np.isfinite(number):
                sheet.write_number(r, c, number)
    else:
        for r, value in enumerate(values.to_numpy(dtype=object), start=2):
            text = clean(value)
            if text:
                cut += sheet.write_string(r, c, _text(text)) == -2 or _text(text) != text
    return [f"{sheet.get_name()}, {values.name}: {cut} texts shortened"] if cut else []


def _text(value: object) -> str:
    return _CONTROL.sub("\ufffd", clean(value))[:_LONGEST]


def _flat(frame: pd.DataFrame, table: Table | None) -> pd.DataFrame:
    """Index as columns, positions as degrees; of a declared table only the declared columns."""
    out = pd.DataFrame(frame.drop(columns="geometry", errors="ignore"))
    if table is not None:   # a reader may carry more, and nobody has said what that is
        out = out[[c for c in out.columns if c in table.columns]]
    out = out.reset_index()
    if isinstance(frame, gpd.GeoDataFrame):
        places = to_degrees(gpd.GeoDataFrame(geometry=frame.geometry)).geometry
        if len(places) and places.dropna().geom_type.eq("Point").all():
            out["longitude_deg"] = places.x.round(6).to_numpy()
            out["latitude_deg"] = places.y.round(6).to_numpy()
    return out
