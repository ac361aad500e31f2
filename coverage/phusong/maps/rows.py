"""From the tables of the house to the columns of a page: an allow-list, in degrees, as text.

Only the columns named here reach a page.  Codes stay text, so that "08758"
keeps its zero; positions become degrees; rows are put into an order that
depends on nothing but their content.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from phusong.geo import to_degrees
from phusong.maps.figures import WITHHELD_BELOW
from phusong.maps.pack import Block
from phusong.tables import POINT_KINDS, REASONS, STATUSES

__all__ = ["CELL_COLUMNS", "POINT_COLUMNS", "SERVICE_COLUMNS", "along_curve", "cell_columns",
           "commune_columns", "footprint_columns", "line_columns", "point_columns",
           "snapshot_columns", "spot_columns"]

Spec = dict[str, Any]

POINT_COLUMNS = {
    "name": "text", "kind": "category", "level": "category", "commune_code": "category",
    "commune_name": "category", "learners": "number", "learners_poor": "poor",
    "learners_near_poor": "poor", "people": 0, "targets": "category", "lockdown_from": "day",
    "lockdown_to": "day", "parent_id": "text", "location_source": "category",
    "assumed": "category", "source": "category",
}
"""What a page may show of a point; nothing else of POINTS leaves the house."""

SERVICE_COLUMNS = {
    "reason": "category", "best_cell_id": "category", "best_operator": "category",
    "received_dbm": 1, "margin_db": 1, "probability": 4, "operators": "category",
    "distance_m": 0, "evidence": "category", "definition": "category",
}
"""What a page may show of a verdict (beside the status)."""

CELL_COLUMNS = {
    "site_id": "text", "status": "category", "operator": "category", "technology": "category",
    "frequency_mhz": 1, "antenna_height_m": 1, "azimuth_deg": 0, "eirp_dbm": 1,
    "on_air_from": "day", "off_air_from": "day", "assumed": "category", "source": "category",
}
"""What a page may show of a cell."""

_FIXED = {"kind": POINT_KINDS, "reason": REASONS, "status": ("standing", "planned")}
_MAIN_ROADS = ("motorway", "trunk", "primary", "secondary")


def along_curve(lon: NDArray[np.float64], lat: NDArray[np.float64], ids: Iterable[str]
                ) -> NDArray[np.int64]:
    """Return an order of places in which neighbours stand near each other.

    Morton order (Z curve) of positions on a 65,536 grid, then the id; it makes
    differences of coordinates small and does not depend on the order of rows.
    """
    code = np.zeros(len(lon), np.uint64)
    for values, shift in ((lon, 0), (lat, 1)):
        span = np.ptp(values) if len(values) else 0.0
        low = values.min() if len(values) else 0.0
        grid = ((values - low) / (span or 1.0) * 65_535).astype(np.uint64)
        for bit in range(16):
            code |= ((grid >> np.uint64(bit)) & np.uint64(1)) << np.uint64(2 * bit + shift)
    return np.lexsort((np.asarray(list(ids), dtype=object).astype(str), code))


def _degrees(frame: gpd.GeoDataFrame) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Longitude and latitude of each row; the centre of a line or polygon; NaN if it has none."""
    if not len(frame):
        return np.zeros(0), np.zeros(0)
    shapes = to_degrees(gpd.GeoDataFrame(geometry=frame.geometry)).geometry.to_numpy()
    found = shapely.centroid(shapes)
    return shapely.get_x(found), shapely.get_y(found)


def _days(values: pd.Series) -> pd.Series:
    stamps = pd.to_datetime(values).astype("datetime64[s]")
    days = stamps.astype("int64") // 86_400
    return days.astype("float64").where(stamps.notna())


def _decimals(values: pd.Series) -> int:
    known = values.dropna()
    return 0 if (known == known.round()).all() else 3


def _packed(block: Block, frame: pd.DataFrame, allowed: dict[str, Any], public: bool
            ) -> dict[str, Spec]:
    out: dict[str, Spec] = {}
    for name, how in allowed.items():
        if name not in frame.columns:
            continue
        column = frame[name]
        if how == "text":
            out[name] = block.texts(column)
        elif how == "category":
            out[name] = block.categories(column, _FIXED.get(name, ()))
        elif how == "day":
            out[name] = block.numbers(_days(column))
        elif how in ("number", "poor"):
            known = column.astype("float64")
            if how == "poor" and public:
                known = known.where(~((known > 0) & (known < WITHHELD_BELOW)), -1.0)
            out[name] = block.numbers(known, _decimals(known))
        else:
            out[name] = block.numbers(column.astype("float64"), how)
    return out


def point_columns(block: Block, points: gpd.GeoDataFrame, service: pd.DataFrame, *,
                  public: bool = False) -> tuple[dict[str, Any], pd.Index]:
    """Pack POINTS with their verdicts.

    Returns
    -------
    header : dict
        ``n``, ``at`` (positions), ``placed`` (points that have a position come
        first), and one entry per column.
    order : Index
        ``point_id`` in the order of the page.
    """
    lon, lat = _degrees(points)
    there = np.isfinite(lon) & np.isfinite(lat)
    ids = points.index.to_numpy().astype(object)
    placed = np.flatnonzero(there)
    placed = placed[along_curve(lon[placed], lat[placed], ids[placed])]
    lost = np.flatnonzero(~there)
    lost = lost[np.argsort(ids[lost].astype(str), kind="stable")]
    order = np.concatenate([placed, lost]).astype(np.int64)
    frame = points.iloc[order]
    verdict = service.reindex(frame.index)
    codes = verdict["status"].map({s: i for i, s in enumerate(STATUSES)}).fillna(3)
    header: dict[str, Any] = {
        "n": len(frame), "placed": len(placed),
        "at": block.positions(lon[placed], lat[placed]), "id": block.texts(frame.index),
        "status": block.bytes_of(codes.astype("uint8")),
        "columns": {**_packed(block, pd.DataFrame(frame.drop(columns=frame.geometry.name)),
                              POINT_COLUMNS, public),
                    **_packed(block, verdict, SERVICE_COLUMNS, public)}}
    return header, frame.index


def snapshot_columns(block: Block, order: pd.Index, services: Iterable[pd.DataFrame]) -> Spec:
    """Pack the statuses of all snapshots, each as its difference to the one before."""
    number = {s: i for i, s in enumerate(STATUSES)}
    rows = [s["status"].reindex(order).map(number).fillna(3).to_numpy(np.uint8) for s in services]
    stacked = np.array(rows, np.uint8).reshape(len(rows), len(order))
    changed = np.concatenate([stacked[:1], stacked[1:] ^ stacked[:-1]]) if len(rows) else stacked
    return block.bytes_of(changed.ravel())


def cell_columns(block: Block, sites: gpd.GeoDataFrame) -> dict[str, Any]:
    """Pack the cells of SITES that stand or are planned, those of one mast together."""
    built = sites[sites["status"] != "candidate"]
    lon, lat = _degrees(built)
    keep = np.flatnonzero(np.isfinite(lon))
    built, lon, lat = built.iloc[keep], lon[keep], lat[keep]
    mast = built["site_id"].astype(str).to_numpy(dtype=object)
    first = pd.DataFrame({"mast": mast, "lon": lon, "lat": lat}).groupby("mast").min()
    curve = along_curve(first["lon"].to_numpy(), first["lat"].to_numpy(), first.index)
    place = pd.Series(np.argsort(curve), index=first.index)
    order = np.lexsort((built.index.to_numpy().astype(str), place.reindex(mast).to_numpy()))
    frame = built.iloc[order]
    return {"n": len(frame), "at": block.positions(lon[order], lat[order]),
            "id": block.texts(frame.index),
            "columns": _packed(block, pd.DataFrame(frame.drop(columns=frame.geometry.name)),
                               CELL_COLUMNS, False)}


def spot_columns(block: Block, spots: gpd.GeoDataFrame, cost: pd.Series, alone: pd.Series,
                 people: pd.Series | None = None) -> tuple[dict[str, Any], pd.Index]:
    """Pack candidate sites (one row per ``site_id``) with cost and whom they reach alone."""
    first = spots.sort_index().drop_duplicates("site_id").sort_values("site_id")
    lon, lat = _degrees(first)
    names = pd.Index(first["site_id"])
    columns = {"intervention": block.categories(first.get("intervention", [""] * len(first))),
               "place": block.categories(first.get("place", [""] * len(first))),
               "technology": block.categories(first["technology"]),
               "antenna_height_m": block.numbers(first["antenna_height_m"], 1),
               "cost": block.numbers(cost.reindex(names), 0),
               "alone": block.numbers(alone.reindex(names).fillna(0.0), 0)}
    if people is not None:
        columns["people_alone"] = block.numbers(people.reindex(names).fillna(0.0), 0)
    for name in ("ground_m", "road_distance_m", "power_distance_m"):
        if name in first.columns:
            columns[name] = block.numbers(first[name], 0)
    if "road_grade" in first.columns and first["road_grade"].notna().any():
        columns["road_grade"] = block.numbers(first["road_grade"], 0)
    return {"n": len(first), "at": block.positions(lon, lat), "id": block.texts(names),
            "columns": columns}, names


def commune_columns(block: Block, communes: gpd.GeoDataFrame
                    ) -> tuple[dict[str, Any], gpd.GeoDataFrame]:
    """Pack commune polygons, simplified so that neighbours keep one common border.

    Returns
    -------
    header : dict
        What the page reads of them.
    simpler : GeoDataFrame
        The communes with their simplified outlines, in the order of the page.
    """
    frame = communes[~(communes.geometry.isna() | communes.geometry.is_empty)]
    frame = frame.sort_index()
    shapes = _simpler(frame.geometry)
    label = shapely.point_on_surface(shapes)
    there = to_degrees(gpd.GeoDataFrame(geometry=label, crs=frame.crs)).geometry
    rounded = to_degrees(gpd.GeoDataFrame(geometry=shapes, crs=frame.crs)).geometry
    columns = {"name": block.texts(frame["name"] if "name" in frame.columns
                                   else [""] * len(frame))}
    if "province_code" in frame.columns:
        columns["province_code"] = block.categories(frame["province_code"])
    if "population" in frame.columns:
        columns["population"] = block.numbers(frame["population"].astype("float64"), 0)
    if "people" in frame.columns:
        columns["people"] = block.numbers(frame["people"].astype("float64"), 0)
    return {"n": len(frame), "code": block.texts(frame.index),
            "at": block.positions(there.x, there.y), "columns": columns,
            "shape": block.outlines(rounded.to_numpy(), 4 if len(frame) > 3000 else 5)
            }, frame.set_geometry(gpd.GeoSeries(shapes, frame.index, crs=frame.crs))


def _simpler(shapes: gpd.GeoSeries, *, together: bool = True) -> NDArray[Any]:
    """Simplify polygons for drawing; `together` keeps the borders that they share."""
    west, south, east, north = shapes.total_bounds
    tolerance = max(east - west, north - south) / 8000.0
    polygons = shapes.to_numpy()
    bad = ~shapely.is_valid(polygons)
    polygons = np.where(bad, shapely.make_valid(np.where(bad, polygons, None)), polygons)
    try:
        out = (shapely.coverage_simplify if together else shapely.simplify)(polygons, tolerance)
    except shapely.errors.GEOSException:
        out = shapely.simplify(polygons, tolerance)
    lost = shapely.is_empty(out)
    return np.where(lost, polygons, out)


def footprint_columns(block: Block, footprints: gpd.GeoDataFrame) -> dict[str, Any]:
    """Pack the areas that operators say they cover, with operator and technology."""
    frame = footprints[~(footprints.geometry.isna() | footprints.geometry.is_empty)]
    shapes = _simpler(frame.geometry, together=False)
    order = np.argsort(shapely.to_wkb(shapes, hex=True).astype(str), kind="stable")
    there = to_degrees(gpd.GeoDataFrame(geometry=shapes[order], crs=frame.crs)).geometry
    columns = {name: block.categories(frame[name].iloc[order])
               for name in ("operator", "technology") if name in frame.columns}
    return {"n": len(frame), "columns": columns, "shape": block.outlines(there.to_numpy())}


def line_columns(block: Block, lines: gpd.GeoDataFrame, *, class_column: str = "",
                 most_vertices: int = 150_000) -> dict[str, Any]:
    """Pack lines thinned for drawing; if there are too many, main ones are kept and it is said."""
    frame = lines[~(lines.geometry.isna() | lines.geometry.is_empty)]
    classes = (frame[class_column].astype(str) if class_column in frame.columns
               else pd.Series("", frame.index))
    main = classes.str.removesuffix("_link").isin(_MAIN_ROADS).to_numpy(bool)
    west, south, east, north = frame.total_bounds if len(frame) else (0.0, 0.0, 1.0, 1.0)
    shapes = shapely.simplify(frame.geometry.to_numpy(),
                              max(east - west, north - south) / 6000.0)
    keep = np.ones(len(shapes), bool)
    if len(shapes) and shapely.get_num_coordinates(shapes).sum() > most_vertices and main.any():
        keep = main
    order = np.lexsort((shapely.to_wkb(shapes[keep], hex=True).astype(str), ~main[keep]))
    kept = to_degrees(gpd.GeoDataFrame(geometry=shapes[keep][order], crs=frame.crs))
    return {"n": int(keep.sum()), "left_out": int((~keep).sum()), "main": int(main[keep].sum()),
            "shape": block.outlines(kept.geometry.to_numpy())}
