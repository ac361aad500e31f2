"""Provinces of a country, before a reform and since: code, name, box (``profiles/provinces``)."""

from __future__ import annotations

import csv
import datetime as dt
import difflib
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

from phusong.errors import UnknownNameError
from phusong.nouns import nearest
from phusong.profile import fold

__all__ = ["Province", "find_province", "provinces"]


@dataclass(frozen=True, slots=True)
class Province:
    """A province over the time that it existed.

    Parameters
    ----------
    code : str
        Code in the list of its country's statistics office.
    name : str
        Without "Tỉnh" or "Thành phố".
    since, until : date or None
        First and last day; None = before the list begins, or still there.
    box : (west, south, east, north)
        Degrees, of mainland and near islands.
    """

    code: str
    name: str
    since: dt.date | None
    until: dt.date | None
    box: tuple[float, float, float, float]

    def exists_on(self, day: dt.date) -> bool:
        """Tell whether there was such a province on `day`."""
        return (self.since or day) <= day <= (self.until or day)

    def __str__(self) -> str:
        when = f" (until {self.until})" if self.until else ""
        return f"{self.code} {self.name}{when}"


@lru_cache(maxsize=4)
def provinces(country: str) -> tuple[Province, ...]:
    """Return all provinces that a profile knows, those of today first.

    Raises
    ------
    UnknownNameError
        If the profile has no list of provinces.
    """
    folder = resources.files("phusong") / "profiles" / "provinces"
    file = folder / f"{country}.csv"
    if not file.is_file():
        known = [p.name.removesuffix(".csv") for p in folder.iterdir()]
        raise UnknownNameError(f'The profile "{country}" has no list of provinces. '
                               f"{nearest(country, known)}")
    lines = [line for line in file.read_text("utf-8").splitlines() if not line.startswith("#")]
    return tuple(Province(row["code"], row["name"], _day(row["since"]), _day(row["until"]),
                          (float(row["west"]), float(row["south"]), float(row["east"]),
                           float(row["north"]))) for row in csv.DictReader(lines))


def _day(text: str) -> dt.date | None:
    return dt.date.fromisoformat(text) if text else None


def find_province(country: str, wanted: str, day: dt.date) -> tuple[Province, Province | None]:
    """Return the province with a code or name on a day, and its namesake of another time.

    Parameters
    ----------
    country : str
        Name of the profile.
    wanted : str
        ``15``, ``Lào Cai``, ``lao cai``; zeros in front may be missing.
    day : date
        A code may name one province before a reform and another since.

    Returns
    -------
    province : Province
        Of that day; of another time if there was none of that code or name on that day.
    other : Province or None
        Another one that has the same code or name at another time.

    Raises
    ------
    UnknownNameError
        If there is none; the nearest spelling is offered.
    """
    listed = provinces(country)
    code, name = wanted.strip().zfill(2), fold(wanted)
    hits = [p for p in listed if p.code == code] or [p for p in listed if fold(p.name) == name]
    if not hits:
        close = difflib.get_close_matches(name, [fold(p.name) for p in listed], 1, 0.6)
        shown = next((p for p in listed if close and fold(p.name) == close[0]), None)
        cure = f'Did you mean "{shown.name}"?' if shown else "Known: " + ", ".join(
            str(p) for p in listed if p.exists_on(day)) + "."
        raise UnknownNameError(f'There is no province "{wanted}". {cure}')
    now = [p for p in hits if p.exists_on(day)] or hits
    other = next((p for p in hits if p is not now[0] and (p.name, p.box) != (now[0].name,
                                                                            now[0].box)), None)
    return now[0], other
