"""What all ways of finding candidates share during one call."""

from __future__ import annotations

from collections import Counter

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from phusong.links import link
from phusong.radio.budget import Radio
from phusong.service import Need
from phusong.siting.feeder import feeder
from phusong.siting.settings import Siting
from phusong.siting.sight import Gaps, views
from phusong.siting.surround import allowed, describe
from phusong.surroundings import Surroundings
from phusong.tables import LINKS, empty
from phusong.terrain import Terrain

__all__ = ["Scene", "named", "numbered", "score_of", "xy_of"]

_NEAREST = 40
_LETTER = {"hilltop": "H", "cluster": "C", "roadside": "R", "public_land": "P", "standing": "S"}
_USUAL_MAST_M = 30.0

Array = NDArray[np.float64]


class Scene:
    """Everything that the ways of finding places share during one call."""

    def __init__(self, gaps: gpd.GeoDataFrame, sites: gpd.GeoDataFrame, terrain: Terrain | None,
                 around: Surroundings, siting: Siting, radio: Radio, need: Need) -> None:
        self.gaps, self.terrain, self.around, self.siting = Gaps.of(gaps), terrain, around, siting
        self.points, self.radio, self.need = gaps, radio, need
        there = sites[~(sites.geometry.isna() | sites.geometry.is_empty)]
        self.masts = there.sort_index(kind="stable").sort_values("site_id", kind="stable")
        one = self.masts.drop_duplicates("site_id")
        self.network = np.column_stack([one.geometry.x, one.geometry.y]).reshape(-1, 2)
        mast_m = self.masts.groupby("site_id", sort=True)["antenna_height_m"].max()
        self.mast_m = mast_m.fillna(_USUAL_MAST_M).to_numpy(np.float64)
        self.left_out: Counter[str] = Counter()
        self.notes: list[str] = []

    def open_places(self, xy: Array, kind: str) -> pd.DataFrame:
        """Describe places and drop those where nothing may be built."""
        found = describe(xy, self.terrain, self.around).assign(place=kind)
        good = allowed(found, self.around, self.siting, self.terrain, self.left_out)
        return found[good].reset_index(drop=True)

    def fed(self, places: pd.DataFrame, height_m: float, frequency_mhz: float,
            clearance: float) -> pd.DataFrame:
        """Add the distance to the network and whether the way there is clear."""
        distance, sight = feeder(xy_of(places), height_m, self.network, self.mast_m, self.terrain,
                                 frequency_mhz=frequency_mhz, clearance=clearance)
        return places.assign(backhaul_distance_m=distance, backhaul_sight=sight)

    def view(self, xy: Array, nearest: int = _NEAREST) -> pd.DataFrame:
        """What places see of the gaps, from the lowest macro antenna."""
        return views(xy, min(self.siting.macro_heights_m), self.gaps, self.terrain, nearest,
                     self.siting.view_m)

    def heard(self, points: gpd.GeoDataFrame, height_m: float) -> pd.DataFrame:
        """Return LINKS from the cells on air to points with antennas `height_m` above ground."""
        if self.terrain is None or not len(points) or not len(self.masts):
            return empty(LINKS)
        raised = points.assign(antenna_height_m=height_m)
        return link(raised, self.masts, self.terrain, self.radio)


def xy_of(frame: pd.DataFrame) -> Array:
    """Return the positions of places, (places, 2)."""
    return frame[["x", "y"]].to_numpy(np.float64).reshape(-1, 2)


def score_of(seen: pd.DataFrame, places: int) -> Array:
    """Return all that each place sees, (places,)."""
    return np.asarray(np.bincount(seen["place"], seen["value"], minlength=places), np.float64)


def named(letter: str, places: pd.DataFrame) -> pd.DataFrame:
    """Sort places by position and name them by a letter and a number (`variant_of`)."""
    out = places.sort_values(["x", "y"], kind="stable").reset_index(drop=True)
    width = max(4, len(str(len(out))))
    names = [f"{letter}{n:0{width}d}" for n in range(1, len(out) + 1)]
    return out.assign(variant_of=np.array(names, dtype=object))


def numbered(places: pd.DataFrame) -> pd.DataFrame:
    """Give each place a name by its position: the letter of its kind and a number."""
    out = places.sort_values(["place", "x", "y"], kind="stable").reset_index(drop=True)
    number = out.groupby("place").cumcount() + 1
    width = max(4, len(str(int(number.max())))) if len(out) else 4
    names = [f"{_LETTER[p]}{n:0{width}d}" for p, n in zip(out["place"], number, strict=True)]
    return out.assign(variant_of=np.array(names, dtype=object))
