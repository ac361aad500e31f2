"""One province out of a country: the same tables, cut to its communes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from phusong.maps.content import Sheets
from phusong.maps.overlays import provinces_of
from phusong.maps.pack import clean
from phusong.surroundings import Surroundings

__all__ = ["part", "province_names"]


def province_names(sheets: Sheets) -> dict[str, str]:
    """Return code -> name of the provinces with a point; empty if there are not several.

    A province without a name is called by its code.
    """
    communes = sheets.around.communes if sheets.around is not None else None
    codes = provinces_of(communes)
    if codes.empty or communes is None:
        return {}
    seen = set(_province_of(sheets.points, codes)) - {""}
    names = (communes["province_name"].map(clean) if "province_name" in communes.columns
             else pd.Series("", communes.index))
    found = {code: sorted(set(names[codes == code]) - {""}) for code in sorted(seen)}
    return {code: (known[0] if known else code) for code, known in found.items()}


def _province_of(points: pd.DataFrame, codes: pd.Series) -> pd.Series:
    """Province of each point: that of its commune; where that is not known, its own column's."""
    empty = pd.Series("", points.index)
    mine = points["commune_code"].map(codes) if "commune_code" in points.columns else empty
    own = points["province_code"].map(clean) if "province_code" in points.columns else empty
    return mine.fillna("").where(mine.fillna("") != "", own)


def part(sheets: Sheets, code: str) -> Sheets:
    """Return the tables of one province.

    Parameters
    ----------
    sheets : Sheets
        Of the whole.
    code : str
        A key of `province_names`.

    Returns
    -------
    Sheets
        Points of the province, the sites and candidates that stand in it, the plan's
        sites there with their rank and figures in the whole plan; no progress,
        because the goal of a target is one for the whole.
    """
    around = sheets.around or Surroundings()
    assert around.communes is not None
    codes = provinces_of(around.communes)
    communes = around.communes[(codes == code).to_numpy()]
    points = sheets.points[(_province_of(sheets.points, codes) == code).to_numpy()]
    spots = None if sheets.spots is None else sheets.spots[_inside(sheets.spots, communes)]
    plan = sheets.plan
    if plan is not None:
        plan = plan[plan["site_id"].isin(set() if spots is None else set(spots["site_id"]))]
    services: Mapping[dt.date, pd.DataFrame] | None = sheets.services
    if services is not None:
        services = {day: table.reindex(points.index) for day, table in services.items()}
    west, south, east, north = communes.total_bounds
    return replace(
        sheets, points=points, service=sheets.service.reindex(points.index),
        sites=sheets.sites[_inside(sheets.sites, communes)], spots=spots, plan=plan,
        progress=None, services=services, feeders=None, disagreement=None, field_checks=None,
        around=replace(around, communes=communes, roads=None if around.roads is None
                       else around.roads.cx[west:east, south:north]))


def _inside(frame: gpd.GeoDataFrame, communes: gpd.GeoDataFrame) -> np.ndarray:
    """Tell which rows of `frame` stand in a commune (on its edge counts)."""
    inside = np.zeros(len(frame), bool)
    tree = shapely.STRtree(communes.geometry.to_numpy())
    rows, _ = tree.query(frame.geometry.to_numpy(), predicate="intersects")
    inside[rows] = True
    return inside
