"""A report of an operator, or a list of gap points -> one `Row` for every input row."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from pyproj.exceptions import ProjError

from phusong.errors import InputError
from phusong.geo import DEGREES, is_metric, parse_crs, transform
from phusong.ledger.events import SUBJECTS, Event, canonical, site_key
from phusong.ledger.filing import Filing, Row, raw_text
from phusong.ledger.form import Form
from phusong.ledger.sheets import POINT_X, POINT_Y, RefusedFileError, Sheet, SheetRow, read_sheet
from phusong.ledger.subjects import POINT_SUBJECTS, REQUIRED
from phusong.ledger.unread import unread_columns
from phusong.ledger.values import CellError, angle, clean, date_in_name, day, number, pair
from phusong.ledger.words import (
    action_of,
    actions_in_vietnamese,
    column_names,
    fold,
    known_headers,
    match_headers,
    message,
    technology_of,
)
from phusong.tables import SITES
from phusong.written import figure

__all__ = ["read_filing"]

_EMPTY = frozenset({"", "-", "--", "---", "?", "n/a", "na", "#n/a", "null", "none", "nan"})
_NUMBERS: Mapping[str, tuple[float, float]] = {
    name: (SITES[name].low or 0.0, SITES[name].high or math.inf)
    for name in ("frequency_mhz", "bandwidth_mhz", "antenna_height_m", "azimuth_deg", "tilt_deg",
                 "beamwidth_deg", "gain_dbi", "eirp_dbm")
} | {"port_power_dbm": (-30.0, 80.0), "port_power_w": (0.001, 1000.0),
     "feeder_loss_db": (0.0, 20.0)}
_WITH_POSITION = frozenset({"new", "move"})
_AT_ONCE = 5000
"""Rows that are on their way together: no more of them stand in memory half-read."""


def read_filing(data: bytes, name: str, form: Form, recorded_at: str) -> Filing:
    """Return a file as it enters the book: every row read, or the whole refused.

    Parameters
    ----------
    data : bytes
        The file.
    name : str
        Its name.
    form : Form
        How it is written.
    recorded_at : str
        ISO time at which it became known.
    """
    def filing(rows: tuple[Row, ...] = (), refused: str = "", unread: Any = ()) -> Filing:
        return Filing(name, data, form.subject, form.operator, f"{form.recipe} {dated}".rstrip(),
                      recorded_at, rows, refused, unread)

    dated = date_in_name(name)
    try:
        sheet = read_sheet(data, name, lambda cells: _header_score(cells, form),
                           known=known_headers(form.subject, form.aliases), sheet=form.sheet)
        reader = _Reader(form, sheet, dated)
        unread = unread_columns(sheet, reader.found, form.subject, form.aliases)
        return filing(tuple(reader.rows()), unread=unread)
    except RefusedFileError as error:
        detail = error.detail
        if error.code == "no_header":
            detail = ", ".join(REQUIRED[form.subject])
        words = message(error.code, file=name, detail=detail, column=detail,
                        first=detail.split(",")[0],
                        operator=form.operator or form.supposed or "OPERATOR")
        return filing(refused=canonical({"code": error.code, "vi": words.vi, "en": words.en}))


def _header_score(cells: list[str], form: Form) -> int:
    found = match_headers([" ".join(c.split()) for c in cells], form.subject, form.aliases)
    return len(found) if len(found) >= 2 and REQUIRED[form.subject][0] in found else 0


@dataclass(slots=True)
class _Draft:
    """One row on its way: what was read, and what is wrong with it."""

    source: SheetRow
    cells: dict[str, str] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    faults: list[tuple[str, str, dict[str, object]]] = field(default_factory=list)

    def fault(self, code: str, column: str = "", **about: object) -> None:
        self.faults.append((code, column, about))


class _Reader:
    """Reads the rows of one sheet by one form."""

    def __init__(self, form: Form, sheet: Sheet, dated: str) -> None:
        self.form, self.sheet, self.dated = form, sheet, dated
        self.found = match_headers([h for h in sheet.headers if h not in (POINT_X, POINT_Y)],
                                   form.subject, form.aliases)
        self.present = [(ours, self.found[ours]) for ours in column_names(form.subject)
                        if ours in self.found]
        missing = [c for c in REQUIRED[form.subject] if c not in self.found]
        if missing:
            raise RefusedFileError("missing_column", ", ".join(missing))
        try:
            self.crs = parse_crs(form.crs or sheet.crs or DEGREES)
            self.metres = is_metric(self.crs)
            if not (self.crs.is_geographic or self.metres):
                raise InputError("It counts neither in degrees nor in metres.")
            transform([0.0], [0.0], self.crs, DEGREES)
        except (InputError, ProjError) as error:
            raise RefusedFileError("bad_crs", (form.crs or sheet.crs or "")[:80]) from error

    def rows(self) -> list[Row]:
        """Return one row for every row of the sheet."""
        settled: list[Row] = []
        for first in range(0, len(self.sheet.rows), _AT_ONCE):
            drafts = [self._draft(row) for row in self.sheet.rows[first:first + _AT_ONCE]]
            if self.form.subject == "site":
                self._place(drafts)
            settled += map(self._settle, drafts)
        return settled

    def _their(self, column: str) -> str:
        return self.found.get(column, column)

    def _draft(self, row: SheetRow) -> _Draft:
        draft = _Draft(row)
        if row.fault:
            draft.fault(row.fault, "", **row.detail)
            return draft
        for ours, theirs in self.present:
            text = row.cells.get(theirs, "")
            if not text:
                continue
            try:
                if (cell := clean(text)).lower() not in _EMPTY:
                    draft.cells[ours] = cell
            except CellError as error:
                draft.fault(error.code, theirs, value=error.value)
        self._common(draft)
        if self.form.subject == "site":
            self._site(draft)
        else:
            self._point(draft)
        return draft

    def _read(self, draft: _Draft, column: str, parse: Callable[[str], Any]) -> Any:
        text = draft.cells.get(column)
        if text is None:
            return None
        try:
            return parse(text)
        except CellError as error:
            draft.fault(error.code, self._their(column), value=error.value)
            return None

    def _common(self, draft: _Draft) -> None:
        for column in REQUIRED[self.form.subject]:
            if column not in draft.cells and not any(
                    f[1] == self._their(column) for f in draft.faults):
                draft.fault("missing_value", self._their(column))
        subject = self.form.subject
        default = "new" if subject == "site" else POINT_SUBJECTS[subject].default
        text = draft.cells.get("action")
        action = default if "action" not in self.found else action_of(text or "", subject)
        if text is None and ("action" in self.found or not default):
            draft.fault("missing_value", self._their("action"))
        elif action is None:
            draft.fault("unknown_action", self._their("action"), value=text,
                        known=", ".join(SUBJECTS[subject]),
                        known_vi=", ".join(actions_in_vietnamese(subject)))
        draft.values["action"] = action or ""
        draft.values["effective_date"] = self._read(draft, "effective_date", day) or ""
        draft.values["reported_on"] = self._read(draft, "reported_on", day) or self.dated

    def _site(self, draft: _Draft) -> None:
        self._operator(draft)
        said: dict[str, Any] = {}
        technology = draft.cells.get("technology")
        if technology is not None:
            said["technology"] = technology_of(technology)
            if said["technology"] is None:
                draft.fault("unknown_technology", self._their("technology"), value=technology)
        elif draft.values["action"] == "new":
            draft.fault("missing_value", self._their("technology"))
        said |= self._figures(draft, _NUMBERS)
        if "port_power_w" in said:
            watts = said.pop("port_power_w")
            if watts > 0:
                said.setdefault("port_power_dbm", round(10 * math.log10(watts) + 30, 2))
        draft.values["said"] = {k: v for k, v in said.items() if v is not None}

    def _figures(self, draft: _Draft, ranges: Mapping[str, tuple[float, float]]
                 ) -> dict[str, float]:
        said = {}
        for column, (low, high) in ranges.items():
            parse = partial(number, mhz=True) if column.endswith("_mhz") else number
            value = self._read(draft, column, parse) if column in draft.cells else None
            if value is None:
                continue
            if not low <= value <= high:
                draft.fault("out_of_range", self._their(column), value=draft.cells[column],
                            low=f"{low:g}", high=f"{high:g}", low_vi=figure(low, "vi", "g"),
                            high_vi=figure(high, "vi", "g"))
            said[column] = value
        return said

    def _operator(self, draft: _Draft) -> None:
        said, known = draft.cells.get("operator", ""), self.form.operator
        if known:
            a, b = f" {fold(said)} ", f" {fold(known)} "
            if said and a not in b and b not in a:
                draft.fault("other_operator", self._their("operator"), value=said, operator=known)
            draft.values["operator"] = known
            return
        if not said and not self.form.supposed:
            draft.fault("no_operator", self._their("operator"))
        said = said or self.form.supposed
        spelled = {fold(name): name for name in self.form.operators}
        draft.values["operator"] = spelled.get(fold(said), said)

    def _point(self, draft: _Draft) -> None:
        subject = POINT_SUBJECTS[self.form.subject]
        draft.values["operator"] = ""
        if subject.operator == "must" or (subject.operator == "may" and (
                self.form.operator or "operator" in draft.cells)):
            self._operator(draft)
        said: dict[str, Any] = {c: draft.cells[c] for c in subject.texts if c in draft.cells}
        said |= self._figures(draft, subject.numbers)
        for column in subject.needed.get(draft.values["action"], ()):
            if column not in draft.cells:
                draft.fault("missing_value", self._their(column))
        for column in subject.whole:
            if column in said and said[column] % 1.0:
                draft.fault("not_whole", self._their(column), value=draft.cells[column])
        if "technology" in draft.cells:
            said["technology"] = technology_of(draft.cells["technology"])
            if said["technology"] is None:
                draft.fault("unknown_technology", self._their("technology"),
                            value=draft.cells["technology"])
        if said.get("merged_into", "") == draft.cells.get("point_id"):
            draft.fault("merged_into_itself", self._their("merged_into"),
                        value=said["merged_into"])
        draft.values["said"] = said

    def _place(self, drafts: list[_Draft]) -> None:
        """Read all positions, carry them to degrees at once, and judge them."""
        placed = [(draft, where) for draft in drafts
                  if not draft.source.fault and (where := self._position(draft)) is not None]
        x = np.array([where[0] for _, where in placed], float)
        y = np.array([where[1] for _, where in placed], float)
        lon, lat = transform(x, y, self.crs, DEGREES)
        for (draft, where), east, north in zip(placed, lon, lat, strict=True):
            self._judge(draft, where, float(east), float(north))

    def _position(self, draft: _Draft) -> tuple[float, float] | None:
        raw = draft.source.cells
        if "position" in draft.cells and not {"lat", "lon"} & draft.cells.keys():
            parts = self._read(draft, "position", pair)
            if parts is None:
                return None
            draft.cells["lat"], draft.cells["lon"] = parts
            self.found.setdefault("lat", self._their("position"))
            self.found.setdefault("lon", self._their("position"))
        for one, two in (("x", "y"), ("lon", "lat")):
            if one in draft.cells and two in draft.cells:
                parse = ((lambda t, axis: number(t)) if one == "x" or self.metres else angle)
                before = len(draft.faults)
                x = self._read(draft, one, lambda t, p=parse: p(t, "lon"))  # type: ignore[misc]
                y = self._read(draft, two, lambda t, p=parse: p(t, "lat"))  # type: ignore[misc]
                return None if len(draft.faults) > before or x is None or y is None else (x, y)
        if POINT_X in raw and POINT_Y in raw:
            return float(raw[POINT_X]), float(raw[POINT_Y])
        half = [c for c in ("lat", "lon", "x", "y") if c in draft.cells]
        if draft.values["action"] in _WITH_POSITION or half:
            columns = [self._their(c) for c in ("lat", "lon") if c not in half]
            draft.fault("missing_position", ";".join(columns))
        return None

    def _judge(self, draft: _Draft, where: tuple[float, float], lon: float, lat: float) -> None:
        columns = ";".join(dict.fromkeys(
            self._their(c) for c in ("y", "x", "lat", "lon") if c in draft.cells))
        shown = f"{where[1]:.10g}, {where[0]:.10g}"
        area = self.form.area or (-180.0, -90.0, 180.0, 90.0)
        if not self.metres and max(abs(where[0]), abs(where[1])) > 180.0:
            draft.fault("zone_not_stated", columns, value=shown)
        elif _inside(lon, lat, area) and (lon, lat) != (0.0, 0.0):
            draft.values["said"] |= {"lon": lon, "lat": lat}
        else:
            east, north = transform([where[1]], [where[0]], self.crs, DEGREES)
            swapped = _inside(float(east[0]), float(north[0]), area) and (lon, lat) != (0.0, 0.0)
            draft.fault("swapped_coordinates" if swapped else "outside_area", columns, value=shown)

    def _settle(self, draft: _Draft) -> Row:
        values, said = draft.values, draft.values.get("said", {})
        if not draft.faults and values["action"] == "change" and not (
                said.keys() - {"technology"}):
            draft.fault("nothing_said")
        if draft.faults:
            return _rejected(draft)
        try:
            key = draft.cells[REQUIRED[self.form.subject][0]]
            site = self.form.subject == "site"
            part = "cell_code" if site else POINT_SUBJECTS[self.form.subject].part
            event = Event.plain(self.form.subject, values["operator"], values["action"],
                                site_key(key) if site else key,
                                site_key(draft.cells.get(part, "")), values["effective_date"], said)
        except InputError:
            draft.fault("bad_number", ";".join(map(str, said)), value=str(said)[:80])
            return _rejected(draft)
        return Row(draft.source.row, "accepted", raw_text(draft.source.cells), event,
                   values["reported_on"])


def _inside(lon: float, lat: float, area: tuple[float, float, float, float]) -> bool:
    return area[0] <= lon <= area[2] and area[1] <= lat <= area[3]


def _rejected(draft: _Draft) -> Row:
    words = [message(code, **{"column": f'"{column}"',
                              **{name: str(value)[:80] for name, value in values.items()}})
             for code, column, values in draft.faults]
    columns = dict.fromkeys(column for _, column, _ in draft.faults if column)
    return Row(draft.source.row, "rejected", raw_text(draft.source.cells), code=draft.faults[0][0],
               column=";".join(columns), message_vi=" ".join(w.vi for w in words),
               message_en=" ".join(w.en for w in words))
