"""`propose`: candidate sites for the gaps, as rows of SITES."""

from __future__ import annotations

from collections import Counter

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from phusong.radio.budget import Radio
from phusong.siting import places as find
from phusong.siting.feeder import feeder
from phusong.siting.ladder import (
    light_cells,
    macro_cells,
    presets_of,
    satellite_cells,
    sector_cells,
)
from phusong.siting.settings import Siting
from phusong.siting.sight import Gaps, called_for, spaced, views
from phusong.siting.surround import allowed, describe, open_sky
from phusong.surroundings import Surroundings
from phusong.tables import SITES, empty
from phusong.terrain import Terrain

__all__ = ["propose"]

_NEAREST = 40
_NEAREST_CHOSEN = 64
_LETTER = {"hilltop": "H", "cluster": "C", "roadside": "R", "standing": "S", "satellite": "T"}
_MICROWAVE_MHZ, _MICROWAVE_CLEARANCE = 7500.0, 0.6
_USUAL_MAST_M = 30.0

Array = NDArray[np.float64]


class _Scene:
    """Everything that the ways of finding places share during one call."""

    def __init__(self, gaps: pd.DataFrame, sites: pd.DataFrame, terrain: Terrain | None,
                 around: Surroundings, siting: Siting) -> None:
        self.gaps, self.terrain, self.around, self.siting = Gaps.of(gaps), terrain, around, siting
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
        distance, sight = feeder(_xy(places), height_m, self.network, self.mast_m, self.terrain,
                                 frequency_mhz=frequency_mhz, clearance=clearance)
        return places.assign(backhaul_distance_m=distance, backhaul_sight=sight)

    def view(self, xy: Array, nearest: int = _NEAREST) -> pd.DataFrame:
        """What places see of the gaps, from the lowest macro antenna."""
        return views(xy, min(self.siting.macro_heights_m), self.gaps, self.terrain, nearest,
                     self.siting.view_m)


def _xy(frame: pd.DataFrame) -> Array:
    return frame[["x", "y"]].to_numpy(np.float64).reshape(-1, 2)


def _score(seen: pd.DataFrame, places: int) -> Array:
    """Return all that each place sees, (places,)."""
    return np.asarray(np.bincount(seen["place"], seen["value"], minlength=places), np.float64)


def _best(scene: _Scene, found: pd.DataFrame, seen: pd.DataFrame, per_gap: int) -> pd.DataFrame:
    """Keep the places that the gaps call for, spaced, with what they see as `sees`."""
    xy = _xy(found)
    score = _score(seen, len(found))
    chosen, rank = called_for(seen, score, xy, per_gap)
    order = chosen[np.lexsort((xy[chosen, 1], xy[chosen, 0], -score[chosen], rank))]
    kept = spaced(xy, order, scene.siting.spacing_m, scene.siting.places_limit)
    scene.left_out["beside_a_better_one"] += len(order) - len(kept)
    return found.assign(sees=score).iloc[kept]


def _hilltops(scene: _Scene) -> pd.DataFrame:
    if scene.terrain is None:
        scene.notes.append("No terrain: no hilltops, and no line of sight is checked.")
        return scene.open_places(np.zeros((0, 2)), "hilltop").assign(sees=0.0)
    fine, coarse = find.hilltops(scene.terrain, scene.gaps, scene.siting.view_m)
    a, b = (scene.open_places(xy, "hilltop") for xy in (_without(fine, coarse), coarse))
    seen_a, seen_b = scene.view(_xy(a)), scene.view(_xy(b))
    seen = pd.concat([seen_a, seen_b.assign(place=seen_b["place"] + len(a))], ignore_index=True)
    return _best(scene, pd.concat([a, b], ignore_index=True), seen, scene.siting.hilltops_per_gap)


def _without(some: Array, others: Array) -> Array:
    """Return the rows of `some` that are not among `others`."""
    both = np.vstack([others, some])
    _, first = np.unique(both, axis=0, return_index=True)
    return both[np.sort(first[first >= len(others)])]


def _clusters(scene: _Scene) -> pd.DataFrame:
    labels = find.clusters(scene.gaps, scene.siting.cluster_m)
    xy, cluster = find.cluster_places(scene.gaps, labels)
    found = describe(xy, scene.terrain, scene.around).assign(place="cluster",
                                                                          cluster=cluster)
    good = allowed(found, scene.around, scene.siting, scene.terrain, Counter())
    lost = len(np.unique(cluster)) - len(np.unique(cluster[good]))
    scene.left_out["cluster_without_ground"] += lost
    found = found[good].reset_index(drop=True)
    seen = scene.view(_xy(found), nearest=9 * _NEAREST)
    score = _score(seen, len(found))
    best = found.assign(sees=score).sort_values(["cluster", "sees", "x", "y"],
                                                ascending=[True, False, True, True])
    best = best.drop_duplicates("cluster").sort_values(["sees", "x", "y"],
                                                       ascending=[False, True, True])
    return best.drop(columns="cluster").head(scene.siting.places_limit)


def _roadsides(scene: _Scene) -> pd.DataFrame:
    roads = scene.around.roads
    if roads is None or not len(roads):
        scene.notes.append("No roads: no roadside places, and distances to roads are not known.")
        return scene.open_places(np.zeros((0, 2)), "roadside").assign(sees=0.0)
    siting = scene.siting
    xy = find.roadsides(roads, scene.gaps, 0.6 * siting.view_m, siting.road_step_m)
    found = scene.open_places(xy, "roadside")
    return _best(scene, found, scene.view(_xy(found)), siting.roadsides_per_gap)


_NEW = {"hilltop": _hilltops, "cluster": _clusters, "roadside": _roadsides}
"""Ways of finding a place for a new mast."""


def _numbered(places: pd.DataFrame) -> pd.DataFrame:
    """Give each place a name by its position: the letter of its kind and a number."""
    out = places.sort_values(["place", "x", "y"], kind="stable").reset_index(drop=True)
    number = out.groupby("place").cumcount() + 1
    width = max(4, len(str(int(number.max())))) if len(out) else 4
    names = [f"{_LETTER[p]}{n:0{width}d}" for p, n in zip(out["place"], number, strict=True)]
    return out.assign(variant_of=np.array(names, dtype=object))


def _new_sites(scene: _Scene, radio: Radio) -> list[pd.DataFrame]:
    siting = scene.siting
    methods = [m for m in _NEW if m in siting.methods]
    rungs = [r for r in ("macro", "light") if r in siting.rungs]
    if not methods or not rungs:
        return []
    found = pd.concat([_NEW[m](scene) for m in methods], ignore_index=True)
    xy = _xy(found)
    order = np.lexsort((xy[:, 1], xy[:, 0], -found["sees"].to_numpy()))
    kept = spaced(xy, order, siting.spacing_m, len(found))
    scene.left_out["beside_a_better_one"] += len(order) - len(kept)
    places = _numbered(found.iloc[np.sort(kept)])
    if not len(places):
        return []
    presets, out = presets_of(siting, radio), []
    if "macro" in rungs:
        seen = scene.view(_xy(places), _NEAREST_CHOSEN)
        fed = scene.fed(places, min(siting.macro_heights_m), _MICROWAVE_MHZ, _MICROWAVE_CLEARANCE)
        out.append(macro_cells(fed, seen, scene.gaps, siting, presets))
    if "light" in rungs:
        carrier = next(iter(presets.values())).frequency_mhz
        fed = scene.fed(places, siting.light_height_m, carrier, 0.0)
        out.append(light_cells(fed, siting, presets, scene.left_out))
    return [cells.assign(operator=siting.operator) for cells in out]


def _new_sectors(scene: _Scene, radio: Radio) -> list[pd.DataFrame]:
    if "standing" not in scene.siting.methods or "sector" not in scene.siting.rungs:
        return []
    masts = scene.masts.groupby("site_id", sort=True).agg(
        operator=("operator", "first"), mast_m=("antenna_height_m", "max"))
    found = describe(scene.network, scene.terrain, scene.around).assign(
        place="standing", mast=masts.index.to_numpy(), mast_m=masts["mast_m"].to_numpy(),
        operator=masts["operator"].to_numpy(), backhaul_distance_m=0.0, backhaul_sight="clear")
    seen = scene.view(_xy(found))
    score = _score(seen, len(found))
    chosen, _ = called_for(seen, score, _xy(found), scene.siting.standing_per_gap)
    chosen = chosen[score[chosen] > 0.0]
    places = _numbered(found.assign(sees=score).iloc[chosen].head(scene.siting.places_limit))
    if not len(places):
        return []
    again = scene.view(_xy(places), _NEAREST_CHOSEN)
    cells = sector_cells(places, again, scene.gaps, scene.masts, presets_of(scene.siting, radio),
                         scene.left_out)
    return [cells.drop(columns="mast_m")]


def _terminals(scene: _Scene) -> list[pd.DataFrame]:
    if "satellite" not in scene.siting.methods or "satellite" not in scene.siting.rungs:
        return []
    sky = open_sky(scene.gaps.xy, scene.terrain, scene.siting)
    scene.left_out["sky_blocked"] += int((sky == "blocked").sum())
    scene.left_out["sky_unknown"] += int((sky == "unknown").sum())
    if scene.terrain is None:
        scene.notes.append("No terrain: the sky cannot be checked, no satellite terminal offered.")
    xy = scene.gaps.xy[sky == "open"]
    found = describe(xy, scene.terrain, scene.around).assign(
        place="point", sees=scene.gaps.weight[sky == "open"], operator=scene.siting.operator,
        backhaul_distance_m=np.nan, backhaul_sight="")
    order = np.lexsort((xy[:, 1], xy[:, 0]))
    found = found.iloc[order].reset_index(drop=True)
    names = [f"T{n:0{max(4, len(str(len(found))))}d}" for n in range(1, len(found) + 1)]
    places = found.assign(variant_of=np.array(names, dtype=object))
    return [satellite_cells(places, scene.siting)] if len(places) else []


def propose(gaps: gpd.GeoDataFrame, sites: gpd.GeoDataFrame, terrain: Terrain | None,
            around: Surroundings | None, siting: Siting, *,
            radio: Radio | None = None) -> gpd.GeoDataFrame:
    """Return what could be built for the gaps: SITES with status ``candidate``.

    Parameters
    ----------
    gaps : GeoDataFrame
        POINTS that are not covered today.
    sites : GeoDataFrame
        SITES that stand or are planned: new ones need a feeder to them, and may
        take a new sector.
    terrain : Terrain or None
        The relief; without it there are no hilltops and no satellite terminals.
    around : Surroundings or None
        Roads, power lines, communes, water, protected areas, as far as known.
    siting : Siting
        Ways of finding places, counts, heights, bands, exclusions.
    radio : Radio, optional
        Its presets are the bands.

    Returns
    -------
    GeoDataFrame
        One row for each candidate cell. Rows with the same `site_id` are built
        together; sites with the same ``variant_of`` stand at one place and
        exclude one another. Beyond SITES it has ``variant_of``,
        ``backhaul_distance_m`` to the nearest standing mast with ``backhaul_sight``
        (``clear``, ``blocked``, ``unknown``), and ``sees`` (learners in view, less
        with distance: what places were compared by). ``attrs["left_out"]`` counts
        what was left out and why, ``attrs["notes"]`` says what could not be done.

    Notes
    -----
    Names follow positions (H = hilltop, C = cluster, R = roadside, S = standing
    mast, T = terminal), never the order of rows. Memory grows with the number of
    gaps, never with gaps x places.
    """
    around = Surroundings() if around is None else around
    scene = _Scene(gaps, sites, terrain, around, siting)
    if not len(scene.network):
        scene.notes.append("No standing site: distances to the network are not known, "
                           "no light site can be relayed.")
    parts: list[pd.DataFrame] = []
    if len(scene.gaps.xy):
        radio = Radio() if radio is None else radio
        parts = [*_new_sites(scene, radio), *_new_sectors(scene, radio), *_terminals(scene)]
    parts = [part for part in parts if len(part)]
    if not parts:
        out = empty(SITES, gaps.crs)
    else:
        cells = pd.concat(parts)
        columns = {"status": "candidate", "source": "proposed"}
        named = [c for c in SITES.columns if c in cells.columns]
        extra = ["variant_of", "backhaul_distance_m", "backhaul_sight", "sees"]
        out = gpd.GeoDataFrame(cells[[*named, *extra]].assign(**columns),
                               geometry=gpd.points_from_xy(cells["x"], cells["y"]),
                               crs=gaps.crs).sort_index()
    out.attrs["left_out"] = {k: v for k, v in sorted(scene.left_out.items()) if v}
    out.attrs["notes"] = scene.notes
    return out
