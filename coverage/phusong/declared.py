"""Coverage as operators declare it: evidence of its own, beside what the model says.

`declared` reads operators' footprint polygons as a SERVICE table whose
evidence is ``operator_footprint``; `disagreement` lists where it contradicts
a modelled one.  Neither ever changes a modelled status: a declaration names
no level, no probability and no antenna, and the model has no eyes.
"""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from phusong.errors import InputError
from phusong.service import Need, assess, assess_alone
from phusong.tables import SERVICE, joined

__all__ = ["declared", "disagreement", "disagreement_by_operator"]

_COLUMNS = ("operator", "technology")
_OPPOSITE = (("uncovered", "covered", "declared_only"), ("covered", "uncovered", "modelled_only"))


def declared(points: gpd.GeoDataFrame, footprints: gpd.GeoDataFrame | None,
             need: Need) -> pd.DataFrame:
    """Say for every point what operators' footprints say.

    Parameters
    ----------
    points : GeoDataFrame
        POINTS.
    footprints : GeoDataFrame or None
        Polygons in the working CRS with ``operator`` and ``technology``, as
        `phusong.surroundings.Surroundings.footprints` holds them; None = none.
    need : Need
        Its `technologies`, `operators_needed` and `site_list` are looked at;
        a footprint knows nothing of levels, buildings or probabilities.

    Returns
    -------
    DataFrame
        SERVICE, one row for each point, in the order of `points`, with
        ``evidence`` ``operator_footprint`` and two columns more: ``technologies``
        declared there (joined by ';') and ``edge_m``, the distance to the nearest
        edge of a footprint that counts (positive inside, negative outside).

        ``covered`` inside footprints of enough operators (a point on an edge
        is inside); ``uncovered`` (``outside_footprints``) outside, if enough
        operators declare the technologies at all; else ``unknown``
        (``no_site_data``): what nobody has declared is no evidence.  So are
        footprints of no stated technology.  With `need.site_list` ``partial``
        nothing is ``uncovered``.  No level, margin or probability is given.

    Raises
    ------
    InputError
        If the footprints lack a column or stand in another CRS.
    """
    place = points.geometry
    nowhere = np.asarray(place.isna() | place.is_empty, bool)
    shapes, operator, technology = _checked(points, footprints)
    counts = np.isin(technology, need.technologies)
    inside = _pairs(place, nowhere, shapes)
    row, polygon = inside[0], inside[1]
    here = pd.DataFrame({"row": row, "operator": operator[polygon],
                         "technology": technology[polygon], "counts": counts[polygon]})
    good = here[here["counts"].to_numpy(bool)]
    by_row = good.groupby("row")
    number = np.zeros(len(points), np.int64)
    found = by_row["operator"].nunique()
    number[found.index.to_numpy(np.int64)] = found.to_numpy()
    vague = np.zeros(len(points), bool)
    vague[here.loc[(here["technology"] == "").to_numpy(), "row"].to_numpy(np.int64)] = True
    enough = len(set(operator[counts])) >= need.operators_needed
    status = np.full(len(points), "uncovered", dtype=object)
    reason = np.full(len(points), "outside_footprints", dtype=object)
    unsaid = vague | (not enough) | (need.site_list == "partial")
    status[unsaid], reason[unsaid] = "unknown", "no_site_data"
    covered = number >= need.operators_needed
    status[covered], reason[covered] = "covered", "covered"
    status[nowhere], reason[nowhere] = "unknown", "no_location"

    def listed(column: str) -> NDArray[np.object_]:
        return np.asarray(by_row[column].agg(joined).reindex(range(len(points))).fillna(""),
                          dtype=object)

    operators, gap = listed("operator"), np.full(len(points), np.nan)
    frame = pd.DataFrame({
        "status": status, "reason": reason, "best_cell_id": "",
        "best_operator": [text.split(";")[0] for text in operators], "received_dbm": gap,
        "margin_db": gap, "probability": gap, "operators": operators, "distance_m": gap,
        "evidence": "operator_footprint", "definition": need.name}, index=points.index)
    frame = frame[list(SERVICE.columns)]
    return frame.assign(technologies=listed("technology"),
                        edge_m=_edges(place, nowhere, shapes[counts], number > 0))


def disagreement(modelled: pd.DataFrame, declared: pd.DataFrame) -> pd.DataFrame:
    """List the points on which two SERVICE tables contradict each other.

    Parameters
    ----------
    modelled, declared : DataFrame
        SERVICE of the same points by the same definition, as `assess` and
        `declared` return them.

    Returns
    -------
    DataFrame
        Indexed by ``point_id``, in the order of `modelled`: ``kind``
        (``declared_only``: declared, but uncovered by the model;
        ``modelled_only``: the reverse), ``modelled`` and ``declared`` (the
        two statuses), ``operators`` (who declares it, or whom the model finds),
        ``margin_db`` and ``reason`` of the model, ``edge_m`` of the footprint.
        ``uncertain`` and ``unknown`` contradict nothing.

    Raises
    ------
    InputError
        If the two are not about the same points.
    """
    if not modelled.index.equals(declared.index):
        if not modelled.index.sort_values().equals(declared.index.sort_values()):
            raise InputError("The modelled and the declared coverage are about different points. "
                             "Compute both from the same table of points.")
        declared = declared.loc[modelled.index]
    kind = np.full(len(modelled), "", dtype=object)
    for model, said, name in _OPPOSITE:
        kind[((modelled["status"] == model) & (declared["status"] == said)).to_numpy(bool)] = name
    who = np.where(kind == "declared_only", declared["operators"].to_numpy(object),
                   modelled["operators"].to_numpy(object))
    edge = declared["edge_m"].to_numpy(float) if "edge_m" in declared else np.nan
    table = pd.DataFrame({
        "kind": kind, "modelled": modelled["status"].to_numpy(object),
        "declared": declared["status"].to_numpy(object), "operators": who,
        "margin_db": modelled["margin_db"].to_numpy(float),
        "reason": modelled["reason"].to_numpy(object), "edge_m": edge}, index=modelled.index)
    return table[kind != ""]


def disagreement_by_operator(points: gpd.GeoDataFrame, links: pd.DataFrame,
                             footprints: gpd.GeoDataFrame | None, need: Need) -> pd.DataFrame:
    """List where each operator's own footprint and the model of its own cells contradict.

    Parameters
    ----------
    points, links, need
        As for `phusong.service.assess`; `operators_needed` is taken as 1.
    footprints : GeoDataFrame or None
        As for `declared`.

    Returns
    -------
    DataFrame
        As `disagreement` returns it, indexed by ``point_id`` and ``operator``
        (alphabetical), for operators that both declare footprints of the
        definition's technologies and have cells in `links`.
    """
    alone = need.model_copy(update={"operators_needed": 1})
    _, operator, technology = _checked(points, footprints)
    says = set(operator[np.isin(technology, need.technologies)]) - {""}
    runs = set(links["operator"].fillna("").to_numpy(object)) - {""}
    names, tables = sorted(says & runs), []
    modelled = assess_alone(points, links, alone, names)
    for number, name in enumerate(names):
        assert footprints is not None
        own = footprints[(footprints["operator"] == name).to_numpy(bool)]
        found = disagreement(modelled[number * len(points):(number + 1) * len(points)],
                             declared(points, own, alone))
        tables.append(found.assign(operator=name).set_index("operator", append=True))
    if not tables:
        nothing = points.iloc[:0]
        empty = disagreement(assess(nothing, links.iloc[:0], alone),
                             declared(nothing, None, alone))
        return empty.assign(operator="").set_index("operator", append=True)
    return pd.concat(tables)


def _checked(points: gpd.GeoDataFrame, footprints: gpd.GeoDataFrame | None
             ) -> tuple[NDArray[np.object_], NDArray[np.object_], NDArray[np.object_]]:
    """Return shapes, operators and technologies (empty text = not stated)."""
    if footprints is None or not len(footprints):
        nothing = np.empty(0, dtype=object)
        return nothing, nothing, nothing
    missing = [name for name in _COLUMNS if name not in footprints]
    if missing:
        raise InputError(f"Operators' footprints need the columns operator and technology; "
                         f"missing: {', '.join(missing)}. Columns found: "
                         f"{', '.join(map(str, footprints.columns))}.")
    if footprints.crs != points.crs:
        raise InputError("Operators' footprints and the points stand in different CRS. Carry the "
                         "footprints to the working CRS with phusong.geo.to_metric.")
    there = ~np.asarray(footprints.geometry.isna() | footprints.geometry.is_empty, bool)
    rows = footprints[there]
    return (rows.geometry.to_numpy(), *(rows[name].fillna("").astype(str).to_numpy(object)
                                        for name in _COLUMNS))


def _pairs(place: gpd.GeoSeries, nowhere: NDArray[np.bool_],
           shapes: NDArray[np.object_]) -> NDArray[np.int64]:
    """Return (row of the point, number of the polygon) of all points in polygons, (2, pairs)."""
    rows = np.flatnonzero(~nowhere)
    if not len(shapes) or not rows.size:
        return np.empty((2, 0), np.int64)
    point, polygon = shapely.STRtree(shapes).query(place.to_numpy()[rows], predicate="intersects")
    return np.stack([rows[point], polygon])


def _edges(place: gpd.GeoSeries, nowhere: NDArray[np.bool_], shapes: NDArray[np.object_],
           inside: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the distance to the nearest edge, positive inside; NaN where there is none."""
    out = np.full(len(place), np.nan)
    rows = np.flatnonzero(~nowhere)
    if len(shapes) and rows.size:
        found, distance = shapely.STRtree(shapely.boundary(shapes)).query_nearest(
            place.to_numpy()[rows], return_distance=True, all_matches=False)
        out[rows[found[0]]] = np.where(inside[rows[found[0]]], distance, -distance)
    return out
