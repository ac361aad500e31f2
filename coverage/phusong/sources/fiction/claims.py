"""What operators would declare: their own rough maps, which now and then claim too much.

A footprint is drawn from a free-space-and-one-edge guess on a coarse grid, never by the engine of
the house.  Some communes are claimed whole, some are forgotten; which ones is written beside it.
"""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from rasterio.features import shapes

from phusong.sources.fiction.places import Ground
from phusong.sources.fiction.relief import Relief
from phusong.sources.fiction.sight import guess_dbm

__all__ = ["make_footprints"]

_CLAIMED_DBM = -105.0
_WHOLE, _FORGOTTEN = 0.06, 0.04
_NEAR_M = 8_000.0


def make_footprints(relief: Relief, ground: Ground, owner: NDArray[np.int32], codes: NDArray,
                    cells: pd.DataFrame, rng: np.random.Generator
                    ) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """Draw what each operator declares for LTE.

    Parameters
    ----------
    relief, ground
        Terrain and planning grid.
    owner : (rows, columns) int32 array
        Commune of each cell of the planning grid, -1 outside.
    codes : (communes,) array
        Their codes.
    cells : DataFrame
        Cells on air, with ``operator``, ``technology``, ``lon``, ``lat``, height and EIRP.
    rng : numpy Generator
        Source of chance.

    Returns
    -------
    GeoDataFrame
        One (multi)polygon in EPSG:4326 for each operator that has LTE on air.
    DataFrame
        The truth: ``operator``, ``commune_code``, ``claim`` (``whole`` or ``forgotten``).
    """
    times = max(1, 8 // ground.factor, 2 * (ground.factor >= 8))
    coarse = owner[times // 2::times, times // 2::times]
    row, column = np.nonzero(coarse >= 0)
    step = times * ground.factor
    middle_row, middle_column = ((at.astype(np.float64) + 0.5) * step for at in (row, column))
    pixel_y, pixel_x = relief.pixel_m
    inverse = ~relief.transform
    lte = cells[(cells["technology"] == "LTE").to_numpy()].drop_duplicates("site_id")
    names, areas, truth = [], [], []
    for name in sorted(set(lte["operator"])):
        mine = lte[(lte["operator"] == name).to_numpy()]
        site_row = inverse.f + inverse.e * mine["lat"].to_numpy()
        site_column = inverse.c + inverse.a * mine["lon"].to_numpy()
        level = guess_dbm(relief, middle_row, middle_column, site_row, site_column,
                          mine["antenna_height_m"].to_numpy(), mine["eirp_dbm"].to_numpy(),
                          nearest=6)
        claimed = np.zeros(coarse.shape, bool)
        claimed[row, column] = level >= _CLAIMED_DBM
        near = np.zeros(coarse.shape, bool)
        reach_y, reach_x = (max(1, int(_NEAR_M / (step * p))) for p in (pixel_y, pixel_x))
        for r, c in zip((site_row / step).astype(int), (site_column / step).astype(int),
                        strict=True):
            near[max(0, r - reach_y):r + reach_y + 1, max(0, c - reach_x):c + reach_x + 1] = True
        draw = rng.random(len(codes))
        whole = np.isin(np.arange(len(codes)), np.unique(coarse[near & (coarse >= 0)])) \
            & (draw < _WHOLE)
        forgotten = draw > 1 - _FORGOTTEN
        claimed[row, column] |= whole[coarse[row, column]]
        claimed[row, column] &= ~forgotten[coarse[row, column]]
        if not claimed.any():
            continue
        names.append(name)
        areas.append(_outline(claimed, step, relief))
        truth += [(name, codes[i], kind) for kind, at in (("whole", whole),
                                                          ("forgotten", forgotten))
                  for i in np.flatnonzero(at)]
    frame = gpd.GeoDataFrame({"nha_mang": names, "cong_nghe": "LTE"}, geometry=areas,
                             crs="EPSG:4326")
    return frame, pd.DataFrame(truth, columns=["operator", "commune_code", "claim"])


def _outline(claimed: NDArray[np.bool_], step: int, relief: Relief) -> shapely.Geometry:
    """Return the outline of a mask in degrees, with corners of the grid cut off."""
    found = [shapely.Polygon(shape["coordinates"][0], shape["coordinates"][1:])
             for shape, _ in shapes(claimed.astype(np.uint8), mask=claimed, connectivity=4)]
    smooth = shapely.simplify(shapely.union_all(found), 0.75)
    t = relief.transform
    return shapely.make_valid(shapely.transform(
        smooth, lambda xy: xy * [t.a * step, t.e * step] + [t.c, t.f]))
