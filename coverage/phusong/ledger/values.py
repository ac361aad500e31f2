"""One cell of a report -> one value: numbers, dates, angles, positions.

Nothing is guessed: what can be read in two ways is refused.
"""

from __future__ import annotations

import math
import re
import unicodedata
from datetime import date, datetime
from functools import lru_cache

from phusong.errors import InputError
from phusong.ledger.words import side_of

__all__ = ["YEARS", "CellError", "angle", "clean", "date_in_name", "day", "moment", "number",
           "pair"]

YEARS = (1990, 2100)
"""Years that a date in a report may lie in."""

_LONGEST = 500
_REMEMBERED = 4096
_PLAIN = re.compile(r"[+-]?\d+(?:[.,]\d+)?(?:[eE][+-]?\d{1,2})?")
_GROUPED = re.compile(r"[+-]?\d{1,3}(?:[., ]\d{3})+(?:[.,]\d+)?")
_UNIT = re.compile(r"\s*(m|mhz|dbi|dbm|db|w|°|deg|độ)\.?$", re.IGNORECASE)
_HERTZ = re.compile(r"(?<=\d)\s*([gk])hz\.?\s*$", re.IGNORECASE)
_MEGAHERTZ = {"g": 1000.0, "k": 0.001}
_DMS = re.compile(
    r"(?P<head>[^\W\d_])?\s*(?P<sign>-)?(?P<deg>\d{1,3})(?:\s*[°ºd:]\s*|\s+)"
    r"(?P<min>\d{1,2}(?:[.,]\d+)?)(?:\s*['′’m:]\s*|\s+|$)"
    r"(?:(?P<sec>\d{1,2}(?:[.,]\d+)?)\s*(?:\"|″|”|''|′′|s)?)?\s*(?P<tail>[^\W\d_])?",
    re.IGNORECASE)
_LETTERED = re.compile(r"(?P<head>[^\W\d_])?\s*(?P<deg>-?\d{1,3}(?:[.,]\d+)?)\s*[°º]?\s*"
                       r"(?P<tail>[^\W\d_])?", re.IGNORECASE)


class CellError(InputError):
    """A cell that cannot be read: `code` names the message in ``words.yml``.

    Parameters
    ----------
    code : str
        Stable name of what is wrong.
    value : str
        What stands in the cell.
    """

    def __init__(self, code: str, value: str) -> None:
        super().__init__(f"{code}: {value}")
        self.code = code
        self.value = value


def clean(text: str) -> str:
    """Return `text` in NFC, without invisible characters and surplus blanks.

    Raises
    ------
    CellError
        ``bad_text`` if it holds control characters or is longer than 500.
    """
    if text.isascii() and text.isprintable() and len(text) <= _LONGEST:
        return " ".join(text.split()) if " " in text else text
    return _cleaned(text)


@lru_cache(maxsize=_REMEMBERED)
def _cleaned(text: str) -> str:
    plain = "".join(c for c in unicodedata.normalize("NFC", text)
                    if unicodedata.category(c) != "Cf")
    plain = " ".join(plain.split())
    if len(plain) > _LONGEST or any(unicodedata.category(c) in ("Cc", "Cs", "Co", "Cn")
                                    for c in plain):
        raise CellError("bad_text", plain[:40])
    return plain


@lru_cache(maxsize=_REMEMBERED)
def number(text: str, *, mhz: bool = False) -> float:
    """Return the number that `text` holds; a decimal comma is understood, a unit dropped.

    Parameters
    ----------
    text : str
        A cell.
    mhz : bool
        It is a frequency in MHz: one in GHz or kHz is carried over.

    Raises
    ------
    CellError
        ``bad_number``, or ``ambiguous_number`` for thousands separators.

    Examples
    --------
    >>> number("30,5 m"), number("-7"), number("3,5 GHz", mhz=True)
    (30.5, -7.0, 3500.0)
    """
    if mhz and (unit := _HERTZ.search(text)):
        return round(number(text[:unit.start()]) * _MEGAHERTZ[unit[1].lower()], 6)
    plain = _UNIT.sub("", unicodedata.normalize("NFKC", text).replace("−", "-").strip())
    if _PLAIN.fullmatch(plain):
        value = float(plain.replace(",", "."))
        if math.isfinite(value):
            return value
    elif _GROUPED.fullmatch(plain):
        raise CellError("ambiguous_number", text)
    raise CellError("bad_number", text)


@lru_cache(maxsize=_REMEMBERED)
def day(text: str) -> str:
    """Return the ISO day that `text` holds: ISO, or day first with ``/``, ``.`` or ``-``.

    Raises
    ------
    CellError
        ``bad_date`` if it is no day, or not in `YEARS`.

    Examples
    --------
    >>> day("5/10/2021"), day("2021-10-05T00:00:00")
    ('2021-10-05', '2021-10-05')
    """
    plain = text.strip()
    found = re.fullmatch(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ][\d:.]*Z?)?", plain, re.A)
    if found:
        year, month, day_of_month = (int(g) for g in found.groups())
    else:
        found = re.fullmatch(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})(?:\s+[\d:.]*)?", plain, re.A)
        if not found:
            raise CellError("bad_date", text)
        day_of_month, month, year = (int(g) for g in found.groups())
    try:
        value = date(year, month, day_of_month)
    except ValueError:
        raise CellError("bad_date", text) from None
    if not YEARS[0] <= value.year <= YEARS[1]:
        raise CellError("bad_date", text)
    return value.isoformat()


def moment(value: date | datetime | str | None) -> str:
    """Return an ISO time to the second, as the office's clock shows it; None = now.

    A time with a zone is carried to the zone of this machine.  A day alone is
    its midnight.

    Raises
    ------
    InputError
        If `value` is no time.
    """
    if value is None:
        value = datetime.now()
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise InputError(f'"{value}" is no time. Write e.g. 2021-10-05 or '
                             f"2021-10-05T17:30:00.") from None
    if not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day)
    if value.tzinfo is not None:
        value = value.astimezone().replace(tzinfo=None)
    return value.replace(microsecond=0).isoformat()


def angle(text: str, axis: str) -> float:
    """Return a latitude or longitude in degrees: decimal, decimal comma, or DMS.

    Parameters
    ----------
    text : str
        ``22.35``, ``22,35``, ``22°21'00"N``, ``N22 21 00``, ``103 50 E`` ...
    axis : {"lat", "lon"}
        Which it is; a letter of the other axis is refused.

    Raises
    ------
    CellError
        ``bad_coordinate``.
    """
    plain = unicodedata.normalize("NFC", text).replace("−", "-").strip()
    if _PLAIN.fullmatch(plain):
        return float(plain.replace(",", "."))
    found = _LETTERED.fullmatch(plain) or _DMS.fullmatch(plain)
    if not found:
        raise CellError("bad_coordinate", text)
    parts = found.groupdict()
    letters = {side_of(p) for p in (parts["head"], parts["tail"]) if p}
    if len(letters) > 1 or any(letter not in ("NS" if axis == "lat" else "EW")
                               for letter in letters):
        raise CellError("bad_coordinate", text)
    minutes, seconds = (float((parts.get(k) or "0").replace(",", ".")) for k in ("min", "sec"))
    degrees = float(parts["deg"].replace(",", "."))
    if minutes >= 60 or seconds >= 60 or (letters and (degrees < 0 or parts.get("sign"))):
        raise CellError("bad_coordinate", text)
    value = abs(degrees) + minutes / 60 + seconds / 3600
    negative = degrees < 0 or bool(parts.get("sign")) or bool(letters & {"S", "W"})
    return -value if negative else value


def pair(text: str) -> tuple[str, str]:
    """Split ``"22.35, 103.84"`` (latitude first) into two texts.

    Raises
    ------
    CellError
        ``bad_coordinate`` if it is not two values.
    """
    plain = text.strip().strip("()[]")
    for mark in (";", "|", ", ", ",", None):
        parts = [p.strip() for p in plain.split(mark) if p.strip()]
        if len(parts) == 2:
            return parts[0], parts[1]
    raise CellError("bad_coordinate", text)


def date_in_name(name: str) -> str:
    """Return the ISO day that a file name holds (``2021-10-08`` or ``20211008``), or nothing.

    Examples
    --------
    >>> date_in_name("viettel_2021-10-08.xlsx"), date_in_name("bao cao.csv")
    ('2021-10-08', '')
    """
    found = re.findall(r"(?<!\d)(\d{4})([-_.]?)(\d{2})\2(\d{2})(?!\d)", name)
    try:
        return day("-".join((found[0][0], *found[0][2:]))) if len(found) == 1 else ""
    except CellError:
        return ""
