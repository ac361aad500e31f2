"""`hops`: every feeder that could be built from the candidates to the network that stands."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from phusong.backhaul.fibre import fibre_hops
from phusong.backhaul.microwave import microwave_hops, relayed
from phusong.backhaul.places import RELAYED, places
from phusong.backhaul.settings import Feeder
from phusong.surroundings import Surroundings
from phusong.tables import HOPS, empty
from phusong.terrain import Terrain

__all__ = ["hops"]

_SKY_M, _DISH_M = 3000.0, 4.0
_RELAY_M = 20_000.0
_COLUMNS = ("from_x", "from_y", "to_x", "to_y", "to_standing", "band_ghz", "length_m",
            "clearance", "rain_db", "along_road")


def _between(nodes: pd.DataFrame, found: pd.DataFrame, medium: str) -> pd.DataFrame:
    """Give hops between numbered nodes their names and positions."""
    a, b = found["a"].to_numpy(np.int64), found["b"].to_numpy(np.int64)
    xy, names = nodes[["x", "y"]].to_numpy(np.float64), nodes.index.to_numpy(object)
    return found.drop(columns=["a", "b"]).assign(
        from_id=names[a], to_id=names[b], medium=medium, from_x=xy[a, 0], from_y=xy[a, 1],
        to_x=xy[b, 0], to_y=xy[b, 1], to_standing=nodes["standing"].to_numpy(bool)[b])


def _to_the_sky(nodes: pd.DataFrame, terrain: Terrain | None, feeder: Feeder) -> pd.DataFrame:
    """Return a satellite feeder for each new place whose sky is known to be open."""
    new = nodes[~nodes["standing"].to_numpy(bool)]
    if terrain is None or not len(new):
        new = new.iloc[:0]
    else:
        horizon = terrain.horizon_deg(new["x"].to_numpy(), new["y"].to_numpy(), _DISH_M,
                                      max_m=_SKY_M)
        new = new[(horizon < feeder.sky_elevation_deg).mean(axis=1) >= feeder.sky_share]
    return pd.DataFrame({"from_id": new.index.to_numpy(object), "to_id": "", "medium": "satellite",
                         "from_x": new["x"].to_numpy(), "from_y": new["y"].to_numpy(),
                         "to_standing": False})


def _by_relay(spots: pd.DataFrame, sites: pd.DataFrame, nodes: pd.DataFrame,
              terrain: Terrain | None) -> pd.DataFrame:
    """Return the hop of each light site to the standing mast it relays."""
    light = spots[spots["intervention"].isin(RELAYED)].sort_index(kind="stable")
    light = light.drop_duplicates("site_id").set_index("site_id")
    light = light.assign(x=light.geometry.x, y=light.geometry.y)
    masts = nodes[nodes["standing"].to_numpy(bool)]
    found = relayed(light, masts, terrain, _RELAY_M)
    light, mast = light.loc[found.index], masts.iloc[found["mast"].to_numpy(np.int64)]
    return pd.DataFrame({
        "from_id": found.index.to_numpy(object), "to_id": mast.index.to_numpy(object),
        "medium": "relay", "from_x": light["x"].to_numpy(), "from_y": light["y"].to_numpy(),
        "to_x": mast["x"].to_numpy(), "to_y": mast["y"].to_numpy(), "to_standing": True,
        "band_ghz": light["frequency_mhz"].to_numpy(np.float64) / 1000.0,
        "length_m": found["length_m"].to_numpy(), "clearance": found["clearance"].to_numpy()})


def hops(spots: pd.DataFrame, sites: pd.DataFrame, terrain: Terrain | None,
         around: Surroundings | None = None, feeder: Feeder | None = None) -> pd.DataFrame:
    """Return every hop that could be built between candidates and to standing masts: HOPS.

    Parameters
    ----------
    spots : GeoDataFrame
        SITES (candidates). Macro sites need a feeder; a light site relays a
        standing mast in its own band; all others stand on a mast, or bring
        their own.
    sites : GeoDataFrame
        SITES that stand: the network. Each is taken to have transport.
    terrain : Terrain or None
        The relief; without it nobody knows what is in sight, the clearance
        stays empty and no satellite feeder is offered.
    around : Surroundings or None
        Its roads carry fibre.
    feeder : Feeder, optional
        Media, bands, rain, clearance.

    Returns
    -------
    DataFrame
        HOPS, indexed by (from_id, to_id, medium), each pair and medium once. Nodes are places
        (`phusong.backhaul.places.place_of`) and standing masts; the hop of a light site leaves
        from its `site_id`.
    """
    feeder = Feeder() if feeder is None else feeder
    nodes = places(spots, sites, feeder)
    parts = [_by_relay(spots, sites, nodes, terrain)]
    if "microwave" in feeder.media:
        found = microwave_hops(nodes, terrain, feeder, spots.crs)
        parts.append(_between(nodes, found, "microwave"))
    if "fibre" in feeder.media:
        found = fibre_hops(nodes, None if around is None else around.roads, feeder)
        parts.append(_between(nodes, found, "fibre"))
    if "satellite" in feeder.media:
        parts.append(_to_the_sky(nodes, terrain, feeder))
    parts = [part for part in parts if len(part)]
    if not parts:
        return empty(HOPS)
    rows = pd.concat(parts, ignore_index=True)
    for name in _COLUMNS:
        if name not in rows.columns:
            rows[name] = np.nan
    rows["along_road"] = _true(rows["along_road"])
    return rows.set_index(["from_id", "to_id", "medium"])[list(_COLUMNS)].sort_index()


def _true(cells: pd.Series) -> NDArray[np.bool_]:
    return np.array([cell is True or cell is np.True_ for cell in cells], bool)
