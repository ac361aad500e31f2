"""`draw`: everything a planner knows, as one `folium.Map`."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import folium
import geopandas as gpd
import pandas as pd

from phusong.errors import Fault, InputError, UnknownNameError
from phusong.maps.content import Briefed, Sheets, content
from phusong.maps.layer import BriefingLayer, BriefingMap, escaped
from phusong.maps.relief import Heights
from phusong.maps.words import LANGUAGES, Language, word
from phusong.nouns import nearest
from phusong.surroundings import Surroundings

__all__ = ["OPENSTREETMAP", "Tiles", "draw", "draw_sheets"]


@dataclass(frozen=True, slots=True)
class Tiles:
    """A background that a page fetches piece by piece.

    Parameters
    ----------
    url : str
        Template with ``{z}``, ``{x}`` and ``{y}``.
    attribution : str
        Whom to name for it.
    max_zoom : int
        Closest zoom the server has.
    """

    url: str
    attribution: str
    max_zoom: int = 18

    def __post_init__(self) -> None:
        if not re.match(r"https?://[\w.:-]+/[^\s\"'<>`$\\]*$", self.url) or not all(
                f"{{{name}}}" in self.url for name in "zxy"):
            raise InputError(f'"{self.url}" is no template of tiles. Write it as '
                             "https://server/{z}/{x}/{y}.png.")


OPENSTREETMAP = Tiles("https://tile.openstreetmap.org/{z}/{x}/{y}.png",
                      "© OpenStreetMap contributors", 19)
"""The tiles of openstreetmap.org; see its tile usage policy before you hand such a page out."""


def draw(study: Briefed, points: gpd.GeoDataFrame, service: pd.DataFrame,
         sites: gpd.GeoDataFrame, plan: pd.DataFrame | None = None, *,
         spots: gpd.GeoDataFrame | None = None, reach: pd.DataFrame | None = None,
         costs: pd.DataFrame | None = None, progress: pd.DataFrame | None = None,
         terrain: Heights | None = None, around: Surroundings | None = None,
         services: Mapping[dt.date, pd.DataFrame] | None = None,
         feeders: pd.DataFrame | None = None, disagreement: pd.DataFrame | None = None,
         known_on: dt.date | None = None, forecast: pd.DataFrame | None = None,
         field_checks: pd.DataFrame | None = None,
         language: Language = "vi",
         audience: Literal["internal", "public"] = "internal", run: str = "",
         tiles: Tiles | None = None) -> BriefingMap:
    """Draw a briefing: places by status, sites, plan, targets, and every number behind them.

    Parameters
    ----------
    study : Study
        Name, title, day, definition of covered, targets, whether the data are invented.
    points, service, sites : DataFrame
        POINTS, SERVICE (the state on the study's day), SITES.
    plan : DataFrame, optional
        PLAN; its sites are marked by rank.
    spots, reach, costs : DataFrame, optional
        Candidates, their LINKS to the gaps and their COSTS: where the plan's
        sites stand, whom they reach, what they are made of.
    progress : DataFrame, optional
        PROGRESS of the dated targets.
    terrain : Terrain, optional
        Drawn as relief.
    around : Surroundings, optional
        Communes, roads, power lines; what was assumed; where the data come from.
    services : mapping of date to SERVICE, optional
        Earlier states for the time slider; those of the study's day or later are left aside.
    feeders : DataFrame, optional
        FEEDERS: how the plan's sites reach the network.
    disagreement : DataFrame, optional
        Where model and operators contradict each other, as `phusong.disagreement` returns it.
    known_on : date, optional
        Day whose knowledge of the operators' reports the tables stand on; None = all reports.
    forecast : DataFrame, optional
        FORECAST of the targets.
    field_checks : DataFrame, optional
        FIELD_CHECKS: places that an operator claims and its cells cannot cover, by the model.
    language : {"vi", "en"}
        Language the page opens in; it can be switched in the page.
    audience : {"internal", "public"}
        A public page withholds counts of poor learners from 1 to 4.
    run : str
        Fingerprint of the run, shown on the page.
    tiles : Tiles, optional
        Background from the internet; such a page is saved with ``online=True``.

    Returns
    -------
    folium.Map
        Shows itself in a notebook and takes further folium layers;
        `phusong.maps.save` writes it as one file that needs no network.

    Raises
    ------
    InputError
        If the tables do not belong together.
    UnknownNameError
        If there is no such language or audience.
    """
    sheets = Sheets(points, service, sites, plan, spots, reach, costs, progress, terrain, around,
                    services, feeders, disagreement, known_on, forecast, field_checks)
    return draw_sheets(study, sheets, language=language, audience=audience, run=run,
                       tiles=tiles)


def draw_sheets(study: Briefed, sheets: Sheets, *, language: Language = "vi",
                audience: Literal["internal", "public"] = "internal", run: str = "",
                tiles: Tiles | None = None) -> BriefingMap:
    """Draw a briefing from all its tables at once; see `draw`."""
    _choose("language", language, LANGUAGES)
    _choose("audience", audience, ("internal", "public"))
    _check(sheets.points, sheets.service, sheets.sites)
    header, block = content(study, sheets, language=language, public=audience == "public",
                            run=run)
    header["online"] = tiles is not None
    (south, west), (north, east) = header["area"]
    drawn = BriefingMap(((south + north) / 2.0, (west + east) / 2.0), language,
                        credited=tiles is not None)
    title = header["study"]["title"][language]
    if study.fictional:
        title = f"{title} – {word('ui', 'fictional', language)}"
    drawn.add_child(BriefingLayer(block.sealed(header), title,
                                  word("ui", "cannot_open", language)))
    if tiles is not None:
        folium.TileLayer(tiles.url, attr=escaped(tiles.attribution), max_zoom=tiles.max_zoom,
                         control=False).add_to(drawn)
    return drawn


def _choose(what: str, given: str, known: tuple[str, ...]) -> None:
    if given not in known:
        raise UnknownNameError(f'There is no {what} "{given}". {nearest(str(given), known)}')


def _check(points: gpd.GeoDataFrame, service: pd.DataFrame, sites: gpd.GeoDataFrame) -> None:
    found = []
    for name, frame in (("POINTS", points), ("SERVICE", service), ("SITES", sites)):
        if frame.index.has_duplicates:
            doubled = frame.index[frame.index.duplicated()]
            found.append(Fault("duplicate_key", f"{len(doubled)} keys of {name} occur more than "
                               f"once, first: {doubled[0]!r}.", "Every row needs its own key."))
    for name, places in (("POINTS", points), ("SITES", sites)):
        if places.crs is None:
            found.append(Fault("no_crs", f"{name} has no coordinate reference system.",
                               "Use the tables that `read` returned, or set_crs."))
    strange = service.index.difference(points.index)
    if len(strange):
        found.append(Fault("strange_point", f"SERVICE judges {len(strange)} points that POINTS "
                           f"does not hold, first {strange[0]!r}.",
                           "Draw with the same points that were assessed."))
    if found:
        raise InputError.of(found)
