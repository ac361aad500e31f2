"""What a repeater would hear: the best cell on air at each place."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd

from phusong.radio.budget import reference_offset_db
from phusong.siting.scene import Scene, xy_of

__all__ = ["donors"]


def donors(scene: Scene, places: pd.DataFrame) -> pd.DataFrame:
    """Return the strongest cell heard at each place, and its total level there.

    Parameters
    ----------
    scene : Scene
        Terrain, cells on air, height of a repeater's antennas.
    places : DataFrame
        x, y, variant_of.

    Returns
    -------
    DataFrame
        Indexed by `variant_of`, only places that hear a cell of a technology that counts:
        cell_id, operator, technology, frequency_mhz, bandwidth_mhz and ``heard_dbm``,
        the power of the whole carrier in an isotropic antenna at that height.
    """
    xy = xy_of(places)
    points = gpd.GeoDataFrame(
        {"kind": "other", "name": ""}, geometry=gpd.points_from_xy(xy[:, 0], xy[:, 1]),
        index=pd.Index(places["variant_of"], name="point_id"), crs=scene.points.crs)
    heard = scene.heard(points, scene.siting.repeater_height_m)
    heard = heard[heard["technology"].isin(scene.need.technologies)
                  & heard["received_dbm"].notna()].reset_index()
    best = heard.sort_values(["point_id", "received_dbm", "cell_id"], ascending=[True, False, True])
    best = best.drop_duplicates("point_id").set_index("point_id")
    width = scene.masts["bandwidth_mhz"].reindex(best["cell_id"]).to_numpy(np.float64)
    usual = [scene.radio.preset(t, f).bandwidth_mhz
             for t, f in zip(best["technology"], best["frequency_mhz"], strict=True)]
    width = np.where(np.isnan(width), np.array(usual, np.float64), width)
    offset = [reference_offset_db(t, w) for t, w in zip(best["technology"], width, strict=True)]
    columns = ["cell_id", "operator", "technology", "frequency_mhz"]
    return best[columns].assign(bandwidth_mhz=width,
                                heard_dbm=best["received_dbm"].to_numpy(np.float64) + offset)
