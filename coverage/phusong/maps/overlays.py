"""What lies over the plain map: provinces, feeder hops, and where model and operators disagree."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from phusong.geo import DEGREES, to_degrees, transform
from phusong.maps.pack import Block, clean

__all__ = ["disagreement_columns", "feeder_columns", "province_columns", "provinces_of"]


def provinces_of(communes: gpd.GeoDataFrame | None) -> pd.Series:
    """Return the province code of each commune by commune code; empty if there are not several."""
    if communes is None or "province_code" not in communes.columns:
        return pd.Series(dtype="object")
    codes = communes["province_code"].map(clean)
    return codes if len(set(codes) - {""}) > 1 else pd.Series(dtype="object")


def province_columns(block: Block, communes: gpd.GeoDataFrame) -> dict[str, Any] | None:
    """Pack the provinces that the communes make up, for the view of a whole country.

    Parameters
    ----------
    block : Block
        Takes the columns.
    communes : GeoDataFrame
        Polygons (simplified ones will do) with ``province_code`` and, where known,
        ``province_name``.

    Returns
    -------
    dict or None
        ``n``, ``at`` (where the name stands), ``code``, ``shape`` and columns;
        None if the communes do not belong to several provinces.
    """
    there = communes[~(communes.geometry.isna() | communes.geometry.is_empty)].sort_index()
    codes = provinces_of(there)
    if codes.empty:
        return None
    west, south, east, north = there.total_bounds
    # less than a pixel of the view of the whole; fewer corners are joined faster
    tolerance = max(east - west, north - south) / 1500.0
    shapes = _thinned(there.geometry.to_numpy(), tolerance)
    bad = ~shapely.is_valid(shapes)
    shapes[bad] = shapely.make_valid(shapes[bad])
    known = sorted(set(codes) - {""})
    joined = np.array([_union(shapes[(codes == code).to_numpy()]) for code in known],
                      dtype=object)
    names = [_name_of(there, codes, code) for code in known]
    label = gpd.GeoDataFrame(geometry=shapely.point_on_surface(joined), crs=there.crs)
    outlines = to_degrees(gpd.GeoDataFrame(geometry=joined, crs=there.crs)).geometry.to_numpy()
    place = to_degrees(label).geometry
    return {"n": len(known), "code": block.texts(known), "at": block.positions(place.x, place.y),
            "columns": {"name": block.texts(names)}, "shape": block.outlines(outlines, 4)}


def _union(shapes: NDArray[Any]) -> Any:
    try:
        return shapely.coverage_union_all(shapes)
    except shapely.errors.GEOSException:   # the communes overlap
        return shapely.union_all(shapes)


def _thinned(shapes: NDArray[Any], tolerance: float) -> NDArray[Any]:
    try:
        thin = np.asarray(shapely.coverage_simplify(shapes, tolerance))
    except shapely.errors.GEOSException:
        thin = np.asarray(shapely.simplify(shapes, tolerance))
    lost = shapely.is_empty(thin)
    thin[lost] = shapes[lost]
    return thin


def _name_of(communes: gpd.GeoDataFrame, codes: pd.Series, code: str) -> str:
    if "province_name" not in communes.columns:
        return ""
    named = sorted(set(communes.loc[codes == code, "province_name"].map(clean)) - {""})
    return named[0] if named else ""


def feeder_columns(block: Block, feeders: pd.DataFrame, crs: Any) -> dict[str, Any] | None:
    """Pack the hops that join the sites of a plan to the network, each once.

    Parameters
    ----------
    block : Block
        Takes the columns.
    feeders : DataFrame
        FEEDERS: indexed by (``site_id``, ``hop``), with both ends in the working CRS.
    crs : CRS
        The working CRS.

    Returns
    -------
    dict or None
        ``at`` and ``to`` (both ends; a hop to a satellite ends where it leaves), ``way``
        (``site_id`` -> numbers of its hops, first hop first) and columns; None without hops.
    """
    rows = feeders.reset_index().sort_values(["site_id", "hop"], kind="stable")
    if rows.empty:
        return None
    key = ["from_id", "to_id", "medium"]
    hops = rows.drop_duplicates(key).sort_values(key, kind="stable")
    number = {tuple(map(clean, k)): i for i, k in enumerate(hops[key].itertuples(index=False))}
    way: dict[str, list[int]] = {}
    for site, *k in rows[["site_id", *key]].itertuples(index=False):
        way.setdefault(clean(site), []).append(number[tuple(map(clean, k))])
    ends = []
    for x, y in (("from_x", "from_y"), ("to_x", "to_y")):
        ends.append(transform(hops[x].fillna(hops["from_x"]).to_numpy(np.float64),
                              hops[y].fillna(hops["from_y"]).to_numpy(np.float64), crs, DEGREES))
    columns: dict[str, Any] = {name: block.categories(hops[name]) for name in key}
    for name, decimals in (("length_m", 0), ("band_ghz", 1), ("clearance", 2), ("cost", 0)):
        if name in hops.columns:
            columns[name] = block.numbers(hops[name].astype("float64"), decimals)
    return {"n": len(hops), "at": block.positions(*ends[0]), "to": block.positions(*ends[1]),
            "relay": block.bytes_of(hops["relay"].astype(bool).astype("uint8")),
            "way": way, "columns": columns}


def disagreement_columns(block: Block, table: pd.DataFrame | None, order: pd.Index, *,
                         field_checks: pd.DataFrame | None = None) -> dict[str, Any] | None:
    """Pack the places where the model and an operator's word contradict each other.

    Parameters
    ----------
    block : Block
        Takes the columns.
    table : DataFrame or None
        As `phusong.declared.disagreement` returns it, indexed by ``point_id`` or by
        (``point_id``, ``operator``).
    order : Index
        ``point_id`` in the order of the page.
    field_checks : DataFrame, optional
        FIELD_CHECKS: what an operator claims of a place by name, and its cells cannot do.  What
        rests on a footprint alone stands in `table`.

    Returns
    -------
    dict or None
        ``n``, ``point`` (number of the point on the page) and columns; None if
        nothing of the table is on the page.
    """
    parts = [part.reset_index() for part in (table, _claims(field_checks))
             if part is not None and len(part)]
    if not parts:
        return None
    rows = pd.concat(parts, ignore_index=True)
    rows["_at"] = order.get_indexer(rows["point_id"])
    rows = rows[rows["_at"] >= 0]
    if rows.empty:
        return None
    who = "operator" if "operator" in rows.columns else "operators"
    rows = rows.sort_values(["_at", who], kind="stable")
    columns = {name: block.categories(rows[source]) for name, source in
               (("kind", "kind"), ("modelled", "modelled"), ("declared", "declared"),
                ("operators", who), ("reason", "reason")) if source in rows.columns}
    for name, decimals in (("margin_db", 1), ("edge_m", 0)):
        if name in rows.columns:
            columns[name] = block.numbers(rows[name].astype("float64"), decimals)
    return {"n": len(rows), "point": block.integers(rows["_at"]), "columns": columns}


def _claims(field_checks: pd.DataFrame | None) -> pd.DataFrame | None:
    """Return the claims among FIELD_CHECKS in the columns of a disagreement."""
    if field_checks is None:
        return None
    said = field_checks[field_checks["claimed_by"].str.contains("claim").to_numpy(bool)]
    said = said.reset_index("operator").rename(columns={"operator": "operators"})
    return pd.DataFrame({"kind": "claimed_only", "modelled": said["status"], "declared": "covered",
                         **{c: said[c] for c in ("operators", "margin_db", "reason")},
                         "edge_m": float("nan")}, index=said.index)
