"""Text in cells -> numbers and dates; what cannot be read is said, never guessed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from phusong.profile import Profile, fold

__all__ = ["blank", "dates", "numbers", "tidied", "tidy", "words_of"]

_GROUPED = re.compile(r"^[+-]?\d{1,3}(?:[.,\u00a0\u202f ]\d{3})+$")
_PLAIN = re.compile(r"^[+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][+-]?\d+)?$")
_EXCEL_DAYS = re.compile(r"^\d{5}(?:\.\d+)?$")
_EPOCH = re.compile(r"^\d{9,10}(?:\.0+)?$")
_YEARS = (1900, 2200)
_UNTIDY = re.compile(r"[^\S ]|  |(?:^|\x00) | (?:\x00|$)")
"""Any white space but single spaces within cells, in a row whose cells are joined by NUL."""


def tidy(text: object) -> str:
    """Return a cell as text in Unicode NFC with single spaces and none at its ends."""
    plain = " ".join(str(text).split())
    return plain if plain.isascii() else unicodedata.normalize("NFC", plain)


def tidied(cells: Sequence[object]) -> list[str]:
    """Return a row of cells, each as `tidy` returns it."""
    try:
        row = "\x00".join(cells)  # type: ignore[arg-type]
    except TypeError:
        return [tidy(cell) for cell in cells]
    if _UNTIDY.search(row) or not (row.isascii() or unicodedata.is_normalized("NFC", row)):
        return [tidy(cell) for cell in cells]
    return list(cells)  # type: ignore[arg-type]


def blank(cells: pd.Series, profile: Profile) -> NDArray[np.bool_]:
    """Tell which cells hold nothing, or a word for nothing ("n/a", "-", "unknown")."""
    words = {"", *(word.casefold() for word in profile.missing)}
    longest = max(map(len, words))
    held = cells.to_numpy(object)
    empty = [text for text in pd.unique(held) if len(text) <= longest and text.casefold() in words]
    return np.asarray(pd.Series(held).isin(empty).to_numpy(bool)) if empty \
        else np.zeros(len(held), dtype=bool)


def numbers(cells: pd.Series, profile: Profile, *,
            grouped: bool = False) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Read numbers.

    Parameters
    ----------
    cells : Series of str
        Text; empty cells and words for nothing are not known, not bad.
    profile : Profile
        For its words for nothing.
    grouped : bool
        Whether these are counts, so that ``30,509`` and ``30.509`` mean thirty thousand.  Else a
        comma is a decimal mark, and text with two different marks is bad: ``1.234,5`` could be
        either.

    Returns
    -------
    values : (n,) float64
        NaN where nothing, or nothing readable, is written.
    bad : (n,) bool
        Where something is written that is no number.
    """
    empty = blank(cells, profile)
    values = np.full(len(cells), np.nan)
    rest = ~empty
    quick = pd.to_numeric(cells, errors="coerce").to_numpy(float, na_value=np.nan)
    done = rest & np.isfinite(quick)
    if grouped:      # digits alone mean the same either way
        done &= np.fromiter((text.isascii() and text.isdigit() for text in cells), bool,
                            len(cells))
    values[done] = quick[done]
    rest &= ~done
    bad = np.zeros(len(cells), dtype=bool)
    where = np.flatnonzero(rest)
    for i, text in zip(where, cells.to_numpy(object)[where], strict=True):
        number = _number(text, grouped)
        bad[i] = number is None
        values[i] = np.nan if number is None else number
    return values, bad


def _number(text: str, grouped: bool) -> float | None:
    text = text.strip().replace("−", "-")
    if grouped and _GROUPED.match(text):
        return float(re.sub(r"[^\d+-]", "", text))
    if not _PLAIN.match(text):
        return None
    value = float(text.replace(",", "."))
    return value if np.isfinite(value) else None


def dates(cells: pd.Series, profile: Profile) -> tuple[pd.Series, NDArray[np.bool_]]:
    """Read days.

    ISO 8601, day/month/year (or month/day/year where the profile is not day first), compact
    ``20210930``, day numbers of a workbook, and seconds since 1970.

    Returns
    -------
    values : Series of datetime64[s]
        NaT where nothing, or nothing readable, is written.
    bad : (n,) bool
        Where something is written that is no day between 1900 and 2200.
    """
    empty = blank(cells, profile)
    unique = {text: _date(text, profile.day_first) for text in cells[~empty].unique()}
    found = cells.map(lambda text: unique.get(text, pd.NaT))
    values = pd.Series(pd.to_datetime(found).astype("datetime64[s]"), index=cells.index)
    return values, np.asarray(values.isna().to_numpy(bool) & ~empty)


def _date(text: str, day_first: bool) -> pd.Timestamp:
    if _EPOCH.match(text):
        return _within(pd.Timestamp(int(float(text)), unit="s").normalize())
    if _EXCEL_DAYS.match(text):
        return _within(pd.Timestamp("1899-12-30") + pd.Timedelta(days=int(float(text))))
    head = re.split(r"[T ]", text.strip(), maxsplit=1)[0]
    if re.fullmatch(r"\d{8}", head):
        return _calendar([head[:4], head[4:6], head[6:]], "ymd")
    parts = re.split(r"[-/.]", head)
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() for part in parts):
        return pd.NaT  # type: ignore[return-value]
    if len(parts[0]) == 4:
        return _calendar(parts, "ymd")
    if len(parts[2]) != 4:
        return pd.NaT  # type: ignore[return-value]
    return _calendar(parts, "dmy" if day_first else "mdy")


def _calendar(parts: list[str], order: str) -> pd.Timestamp:
    named = dict(zip(order, parts, strict=True))
    try:
        return _within(pd.Timestamp(int(named["y"]), int(named["m"]), int(named["d"])))
    except ValueError:
        return pd.NaT  # type: ignore[return-value]


def _within(day: pd.Timestamp) -> pd.Timestamp:
    return day if _YEARS[0] <= day.year <= _YEARS[1] else pd.NaT  # type: ignore[return-value]


def words_of(cell: str) -> list[str]:
    """Split a cell that lists several words (``a; b / c + d``) into them."""
    return [piece for piece in (p.strip() for p in re.split(r"[;,/+&|]", cell))
            if piece and fold(piece)]
