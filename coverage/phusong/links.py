"""Links: which cells reach which points, and how strongly.

`link` is one verb for towers that stand and for towers that do not stand yet.
Cells compete: of each *group* (one operator, technology and carrier at a
point; of candidates also one site, because candidates are alternatives to
each other) only the best few are kept.
"""

from __future__ import annotations

from collections.abc import Callable

import geopandas as gpd
import numpy as np
import pandas as pd

from phusong.links_budget import Budget, budget
from phusong.links_scene import Scene
from phusong.links_search import Held, Search, operators_of
from phusong.radio import MODELS, models_used
from phusong.radio.budget import Radio
from phusong.tables import LINKS, POINTS, SITES, check, empty
from phusong.terrain import SHORTEST_PATH_M, Terrain
from phusong.workers import each

__all__ = ["Budget", "budget", "link", "link_beside"]

Report = Callable[[str, int, int], None]


def link(points: gpd.GeoDataFrame, sites: gpd.GeoDataFrame, terrain: Terrain | None, radio: Radio,
         *, prune: bool = True, progress: Report | None = None) -> pd.DataFrame:
    """Compute the level of the cells in range of each point; keep the best few.

    Parameters
    ----------
    points : GeoDataFrame
        POINTS, in the working CRS.  Points without a place get no links.
    sites : GeoDataFrame
        SITES of any status; see the module's first lines on who competes.
    terrain : Terrain or None
        The ground.  None = unknown: models that need it give no level.
    radio : Radio
        Model, profile step, range, air, how many links to keep.
    prune : bool
        Leave out cells whose free-space level cannot beat the best few known
        already.  The result is the same to the bit, only later without it.
    progress : callable, optional
        Called with ("link", points done, points in all).

    Returns
    -------
    DataFrame
        LINKS, sorted by ``point_id``, then falling level, ties by
        ``cell_id``.  For each point and group: the `radio.best_per_operator`
        best known levels; the cell with the best free-space level (what would
        serve with no hill in the way); and the cell of unknown loss with the
        best ``best_case_dbm``, if it might beat them.  Also ``bearing_deg``
        from the cell, ``pattern_db``, and ``unknown_because``: why a loss is
        not known (``no_elevation`` or ``out_of_model_range``).

    Raises
    ------
    InputError
        If the tables are not as declared or not in one metric CRS.
    """
    check(points, POINTS)
    check(sites, SITES)
    place = points.geometry
    points = points[np.asarray(~(place.isna() | place.is_empty), bool)].sort_index()
    sites = sites.sort_index()
    return _linked(points, sites, terrain, radio, prune, None, progress)


def link_beside(points: gpd.GeoDataFrame, sites: gpd.GeoDataFrame, terrain: Terrain | None,
                radio: Radio, held: Held, *, progress: Report | None = None) -> pd.DataFrame:
    """Compute the levels of a few more cells, where they may matter beside what points have.

    Parameters
    ----------
    points, sites : GeoDataFrame
        POINTS, all with a place, and SITES, each sorted by its index.
    terrain, radio, progress
        As for `link`.
    held : Held
        The best levels that the points have: by their row in `points`, and by
        ``group_numbers(sites)``.

    Returns
    -------
    DataFrame
        LINKS; ``cells_considered`` counts only cells of `sites`.  Of each point and group at
        least those that `link` would keep if it were asked for all cells together.
    """
    return _linked(points, sites, terrain, radio, True, held, progress)


def _linked(points: gpd.GeoDataFrame, sites: gpd.GeoDataFrame, terrain: Terrain | None,
            radio: Radio, prune: bool, held: Held | None,
            progress: Report | None) -> pd.DataFrame:
    scene = Scene.of(points, sites, terrain, radio)
    if not len(points) or not len(sites):
        return empty(LINKS)
    search = Search.of(scene, sites, prune, held=held)
    units = search.units()
    found, done = [], 0
    for unit, rows in zip(units, each(search.best_links, units), strict=True):
        if len(rows):
            found.append(rows)
        done += len(unit)
        if progress is not None:
            progress("link", done, len(points))
    if not found:
        return empty(LINKS)
    return _table(pd.concat(found, ignore_index=True), points.index, sites, radio)


def _table(rows: pd.DataFrame, point_ids: pd.Index, sites: pd.DataFrame,
           radio: Radio) -> pd.DataFrame:
    """Turn row numbers into the LINKS table, sorted."""
    level = rows["received_dbm"].to_numpy()
    order = np.lexsort((rows["cell"], np.where(np.isnan(level), np.inf, -level), rows["point"]))
    rows = rows.iloc[order]
    point, cell = rows["point"].to_numpy(), rows["cell"].to_numpy()
    index = pd.MultiIndex(levels=[point_ids, sites.index], codes=[point, cell],
                          names=["point_id", "cell_id"], verify_integrity=False)
    lost = rows["loss_db"].isna().to_numpy()
    ground = MODELS[radio.model].needs_terrain & rows["clearance"].isna().to_numpy()
    used = models_used(radio.model, np.maximum(rows["distance_m"].to_numpy(), SHORTEST_PATH_M))
    why = np.where(lost, np.where(ground, "no_elevation", "out_of_model_range"), "")
    return pd.DataFrame({
        "operator": operators_of(sites)[cell],
        "technology": sites["technology"].to_numpy(object)[cell],
        "frequency_mhz": sites["frequency_mhz"].to_numpy(float)[cell],
        "distance_m": rows["distance_m"].to_numpy(), "clearance": rows["clearance"].to_numpy(),
        "loss_db": rows["loss_db"].to_numpy(), "received_dbm": rows["received_dbm"].to_numpy(),
        "free_space_dbm": rows["free_space_dbm"].to_numpy(),
        "best_case_dbm": rows["best_case_dbm"].to_numpy(), "model": used.astype(object),
        "cells_considered": rows["cells_considered"].to_numpy(),
        "bearing_deg": rows["bearing_deg"].to_numpy(), "pattern_db": rows["pattern_db"].to_numpy(),
        "unknown_because": why.astype(object)}, index=index)
