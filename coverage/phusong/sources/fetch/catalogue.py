"""The catalogue of open data (``catalogue.yml``): addresses, versions, licences; and a place."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Iterator
from functools import lru_cache
from importlib import resources
from typing import Any, Literal

import yaml
from pydantic import Field, model_validator

from phusong.errors import UnknownNameError
from phusong.nouns import Noun, Text, nearest
from phusong.sources.coordinates import Box

__all__ = ["Catalogue", "Country", "Offer", "Place", "tiles"]


class Place(Noun):
    """Where a study lies: what `phusong fetch` downloads for.

    Parameters
    ----------
    box : (west, south, east, north)
        Degrees (WGS 84).
    country : str
        ISO 3166-1 alpha-3, e.g. ``VNM``.
    province : str
        Code of the province, for the record only.
    """

    box: tuple[float, float, float, float]
    country: str = Field(default="", pattern=r"^([A-Z]{3})?$")
    province: str = ""

    @model_validator(mode="after")
    def _on_earth(self) -> Place:
        west, south, east, north = self.box
        if not (-180.0 <= west < east <= 180.0 and -85.0 <= south < north <= 85.0):
            raise ValueError(f"box: {list(self.box)} is no box of degrees; write [west, south, "
                             f"east, north], e.g. [103.5, 21.3, 105.1, 22.9]")
        return self

    def widened(self, margin_m: float) -> Box:
        """Return the box stretched by `margin_m` on each side."""
        west, south, east, north = self.box
        up = margin_m / 110_500.0
        across = up / max(0.05, math.cos(math.radians(max(abs(south), abs(north)))))
        return (max(west - across, -180.0), max(south - up, -85.0),
                min(east + across, 180.0), min(north + up, 85.0))


class Country(Noun):
    """What addresses need to know of a country: mobile country code and Geofabrik's name."""

    mcc: str = Field(pattern=r"^\d{3}$")
    region: str


class Offer(Noun):
    """One row of the catalogue; see the head of ``catalogue.yml``."""

    name: str
    title: Text
    file: str
    how: Literal["file", "tiles", "overpass", "geoboundaries", "by_hand"]
    role: str = ""
    url: str = ""
    checksum: str = ""
    key: str = ""
    holds: Literal["", "tiff", "gzip", "zip", "pbf", "geojson"] = ""
    cut: bool = False
    margin: bool = False
    tile_deg: int = Field(default=1, ge=1, le=90)
    most_mib: int = Field(default=2000, gt=0)
    version: str
    date: dt.date | None = None
    licence: str = Field(min_length=1)
    licence_url: str = Field(pattern=r"^https?://")
    attribution: str = Field(min_length=1)
    by_hand: str = Field(min_length=1)

    @property
    def wants_country(self) -> bool:
        """Whether its address names the country."""
        return any(mark in self.url for mark in ("{iso3}", "{ISO3}", "{region}", "{mcc}"))


class Catalogue(Noun):
    """Every offer, by name."""

    countries: dict[str, Country]
    offers: tuple[Offer, ...]

    @classmethod
    def load(cls) -> Catalogue:
        """Read the catalogue that comes with the program."""
        return _load()

    def __getitem__(self, name: str) -> Offer:
        for offer in self.offers:
            if offer.name == name:
                return offer
        raise UnknownNameError(f'The catalogue has no "{name}". '
                               f"{nearest(name, (o.name for o in self.offers))}")

    def wanted(self, files: Iterable[str]) -> list[Offer]:
        """Return the offers whose file is among those a study names, in the catalogue's order."""
        named = set(files)
        return [offer for offer in self.offers if offer.file in named]

    def words(self, place: Place) -> dict[str, str]:
        """Return what the marks of addresses stand for in a place's country."""
        known = self.countries.get(place.country)
        more = {} if known is None else {"mcc": known.mcc, "region": known.region}
        return {"ISO3": place.country, "iso3": place.country.lower(), **more}


@lru_cache(maxsize=1)
def _load() -> Catalogue:
    text = (resources.files("phusong") / "sources" / "fetch" / "catalogue.yml").read_text("utf-8")
    values: dict[str, Any] = yaml.safe_load(text)
    return Catalogue.model_validate(values)


def tiles(box: Box, step: int) -> Iterator[dict[str, str]]:
    """Yield ``lat`` and ``lon`` of the south-west corner of every tile that a box touches.

    Parameters
    ----------
    box : (west, south, east, north)
        Degrees.
    step : int
        Side of a tile, degrees.

    Examples
    --------
    >>> [t["lat"] + t["lon"] for t in tiles((103.5, 21.3, 105.0, 22.0), 1)]
    ['N21E103', 'N21E104']
    >>> [t["lat"] + t["lon"] for t in tiles((-0.5, -0.5, 0.5, 0.5), 1)]
    ['S01W001', 'S01E000', 'N00W001', 'N00E000']
    """
    west, south, east, north = box
    for lat in range(math.floor(south / step) * step, math.ceil(north / step) * step, step):
        for lon in range(math.floor(west / step) * step, math.ceil(east / step) * step, step):
            yield {"lat": f"{'S' if lat < 0 else 'N'}{abs(lat):02d}",
                   "lon": f"{'W' if lon < 0 else 'E'}{abs(lon):03d}"}
