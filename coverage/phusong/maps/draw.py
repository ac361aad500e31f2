"""`draw`: everything a planner knows, as one `folium.Map`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Literal

import geopandas as gpd
import pandas as pd

from phusong.errors import Fault, InputError, UnknownNameError
from phusong.maps.content import Briefed, Sheets, content
from phusong.maps.layer import BriefingLayer, BriefingMap
from phusong.maps.relief import Heights
from phusong.maps.words import LANGUAGES, Language, word
from phusong.nouns import nearest
from phusong.surroundings import Surroundings

__all__ = ["draw", "draw_sheets"]


def draw(study: Briefed, points: gpd.GeoDataFrame, service: pd.DataFrame,
         sites: gpd.GeoDataFrame, plan: pd.DataFrame | None = None, *,
         spots: gpd.GeoDataFrame | None = None, reach: pd.DataFrame | None = None,
         costs: pd.DataFrame | None = None, progress: pd.DataFrame | None = None,
         terrain: Heights | None = None, around: Surroundings | None = None,
         services: Mapping[dt.date, pd.DataFrame] | None = None, language: Language = "vi",
         audience: Literal["internal", "public"] = "internal", run: str = "") -> BriefingMap:
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
    language : {"vi", "en"}
        Language the page opens in; it can be switched in the page.
    audience : {"internal", "public"}
        A public page withholds counts of poor learners from 1 to 4.
    run : str
        Fingerprint of the run, shown on the page.

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
                    services)
    return draw_sheets(study, sheets, language=language, audience=audience, run=run)


def draw_sheets(study: Briefed, sheets: Sheets, *, language: Language = "vi",
                audience: Literal["internal", "public"] = "internal", run: str = ""
                ) -> BriefingMap:
    """Draw a briefing from all its tables at once; see `draw`."""
    _choose("language", language, LANGUAGES)
    _choose("audience", audience, ("internal", "public"))
    _check(sheets.points, sheets.service, sheets.sites)
    header, block = content(study, sheets, language=language, public=audience == "public",
                            run=run)
    (south, west), (north, east) = header["area"]
    drawn = BriefingMap(((south + north) / 2.0, (west + east) / 2.0), language)
    title = header["study"]["title"][language]
    if study.fictional:
        title = f"{title} – {word('ui', 'fictional', language)}"
    drawn.add_child(BriefingLayer(block.sealed(header), title,
                                  word("ui", "cannot_open", language)))
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
