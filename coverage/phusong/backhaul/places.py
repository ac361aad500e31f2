"""The places between which feeders run: standing masts and where new masts may stand."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from phusong.backhaul.settings import Feeder
from phusong.cost import access_multiplier

__all__ = ["FED", "RELAYED", "near_pairs", "place_of", "places"]

FED = ("macro", "micro")
"""Rungs of the ladder that need a feeder of their own."""

RELAYED = ("light",)
"""Rungs that relay a standing mast within their own band."""

_USUAL_MAST_M = 30.0
_READ = ("road_distance_m", "ground_m", "slope_deg")


def place_of(spots: pd.DataFrame, sites: pd.DataFrame) -> pd.Series:
    """Return the name of the place of each candidate site, by site_id.

    Variants stand at one place (column ``variant_of``; without it, a site is its
    own place). A name that a standing mast bears already gets a star.
    """
    cells = spots.sort_index(kind="stable").drop_duplicates("site_id")
    names = cells["site_id"].astype(object)
    if "variant_of" in cells.columns:
        names = cells["variant_of"].astype(object).where(cells["variant_of"].notna(), names)
    taken = set(sites["site_id"])
    return pd.Series([f"{n}*" if n in taken else str(n) for n in names],
                     index=pd.Index(cells["site_id"], name="site_id"), name="place", dtype=object)


def places(spots: pd.DataFrame, sites: pd.DataFrame, feeder: Feeder) -> pd.DataFrame:
    """Return one row for each node of the network, sorted by name, standing masts last.

    Returns
    -------
    DataFrame
        Indexed by place: x, y, mast_m (how high up antennas of hops may hang), standing,
        access_factor (how much dearer building is there).
    """
    new = spots[spots["intervention"].isin(FED)]
    rows = []
    for cells, standing in ((new, False), (sites, True)):
        there = cells[~(cells.geometry.isna() | cells.geometry.is_empty)]
        name = there["site_id"] if standing else there["site_id"].map(place_of(new, sites))
        there = there.assign(node=name).sort_index(kind="stable")
        height = there.groupby("node", sort=True)["antenna_height_m"]
        one = there.drop_duplicates("node").set_index("node").sort_index()
        mast_m = (height.max() if standing else height.min()).fillna(_USUAL_MAST_M)
        factor = np.ones(len(one)) if standing else access_multiplier(
            one[[c for c in _READ if c in one.columns]])
        rows.append(pd.DataFrame({
            "x": one.geometry.x.to_numpy(), "y": one.geometry.y.to_numpy(),
            "mast_m": mast_m.to_numpy() if standing else np.minimum(mast_m, feeder.relay_mast_m),
            "standing": standing, "access_factor": factor},
            index=pd.Index(one.index, name="place", dtype=object)))
    return pd.concat(rows)


def near_pairs(nodes: pd.DataFrame, count: int, within_m: float) -> NDArray[np.int64]:
    """Return pairs (a, b), a < b, of near nodes of which at least one is new, each once.

    From each new place the `count` nearest new places and the `count` nearest
    standing masts within `within_m` are taken.
    """
    xy = nodes[["x", "y"]].to_numpy(np.float64)
    standing = nodes["standing"].to_numpy(bool)
    new = np.flatnonzero(~standing)
    found = [np.zeros((0, 2), np.int64)]
    for group, extra in ((new, 1), (np.flatnonzero(standing), 0)):
        k = min(count + extra, len(group))
        if k and len(new):
            distance, near = cKDTree(xy[group]).query(xy[new], k=k,
                                                      distance_upper_bound=1.000001 * within_m)
            distance, near = distance.reshape(len(new), k), near.reshape(len(new), k)
            row, column = np.nonzero(np.isfinite(distance))
            found.append(np.column_stack([new[row], group[near[row, column]]]))
    pairs = np.sort(np.concatenate(found), axis=1)
    return np.unique(pairs[pairs[:, 0] != pairs[:, 1]], axis=0)
