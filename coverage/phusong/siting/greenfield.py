"""Candidates on new ground: hilltops, clusters of gaps, roadsides, public land."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from phusong.siting import places as find
from phusong.siting.donors import donors
from phusong.siting.ladder import (
    light_cells,
    macro_cells,
    micro_cells,
    presets_of,
    repeater_cells,
)
from phusong.siting.scene import Scene, numbered, score_of, xy_of
from phusong.siting.sight import called_for, spaced
from phusong.siting.surround import allowed, describe
from phusong.siting.tracks import drivable

__all__ = ["new_sites"]

_NEAREST = 40
_NEAREST_CHOSEN = 64
_MICROWAVE_MHZ, _MICROWAVE_CLEARANCE = 7500.0, 0.6

Array = NDArray[np.float64]


def _best(scene: Scene, found: pd.DataFrame, seen: pd.DataFrame, per_gap: int) -> pd.DataFrame:
    """Keep the places that the gaps call for, spaced, with what they see as `sees`."""
    xy = xy_of(found)
    score = score_of(seen, len(found))
    chosen, rank = called_for(seen, score, xy, per_gap)
    order = chosen[np.lexsort((xy[chosen, 1], xy[chosen, 0], -score[chosen], rank))]
    kept = spaced(xy, order, scene.siting.spacing_m, scene.siting.places_limit)
    scene.left_out["beside_a_better_one"] += len(order) - len(kept)
    return found.assign(sees=score).iloc[kept]


def _hilltops(scene: Scene) -> pd.DataFrame:
    if scene.terrain is None:
        scene.notes.append("No terrain: no hilltops, and no line of sight is checked.")
        return scene.open_places(np.zeros((0, 2)), "hilltop").assign(sees=0.0)
    fine, coarse = find.hilltops(scene.terrain, scene.gaps, scene.siting.view_m)
    a, b = (scene.open_places(xy, "hilltop") for xy in (_without(fine, coarse), coarse))
    seen_a, seen_b = scene.view(xy_of(a)), scene.view(xy_of(b))
    seen = pd.concat([seen_a, seen_b.assign(place=seen_b["place"] + len(a))], ignore_index=True)
    return _best(scene, pd.concat([a, b], ignore_index=True), seen, scene.siting.hilltops_per_gap)


def _without(some: Array, others: Array) -> Array:
    """Return the rows of `some` that are not among `others`."""
    both = np.vstack([others, some])
    _, first = np.unique(both, axis=0, return_index=True)
    return both[np.sort(first[first >= len(others)])]


def _clusters(scene: Scene) -> pd.DataFrame:
    labels = find.clusters(scene.gaps, scene.siting.cluster_m)
    xy, cluster = find.cluster_places(scene.gaps, labels)
    found = describe(xy, scene.terrain, scene.around).assign(place="cluster",
                                                                          cluster=cluster)
    good = allowed(found, scene.around, scene.siting, scene.terrain, Counter())
    lost = len(np.unique(cluster)) - len(np.unique(cluster[good]))
    scene.left_out["cluster_without_ground"] += lost
    found = found[good].reset_index(drop=True)
    seen = scene.view(xy_of(found), nearest=9 * _NEAREST)
    score = score_of(seen, len(found))
    best = found.assign(sees=score).sort_values(["cluster", "sees", "x", "y"],
                                                ascending=[True, False, True, True])
    best = best.drop_duplicates("cluster").sort_values(["sees", "x", "y"],
                                                       ascending=[False, True, True])
    return best.drop(columns="cluster").head(scene.siting.places_limit)


def _roadsides(scene: Scene) -> pd.DataFrame:
    roads = None if scene.around.roads is None else drivable(scene.around.roads)
    if roads is None or not len(roads):
        scene.notes.append("No roads: no roadside places, and distances to roads are not known.")
        return scene.open_places(np.zeros((0, 2)), "roadside").assign(sees=0.0)
    siting = scene.siting
    xy = find.roadsides(roads, scene.gaps, 0.6 * siting.view_m, siting.road_step_m)
    found = scene.open_places(xy, "roadside")
    return _best(scene, found, scene.view(xy_of(found)), siting.roadsides_per_gap)


def _public_land(scene: Scene) -> pd.DataFrame:
    """Points of a grid over the land that the user gave, and the middle of each parcel."""
    land = scene.around.public_land
    if land is None or not len(land):
        return scene.open_places(np.zeros((0, 2)), "public_land").assign(sees=0.0)
    xy = find.on_land(land, scene.gaps, scene.siting.view_m, scene.siting.spacing_m)
    found = scene.open_places(xy, "public_land")
    return _best(scene, found, scene.view(xy_of(found)), scene.siting.roadsides_per_gap)


_NEW = {"hilltop": _hilltops, "cluster": _clusters, "roadside": _roadsides,
        "public_land": _public_land}
"""Ways of finding a place for a new mast."""


def new_sites(scene: Scene) -> list[pd.DataFrame]:
    """Return the cells of everything that may be built on new ground, rung by rung."""
    siting = scene.siting
    methods = [m for m in _NEW if m in siting.methods]
    rungs = [r for r in ("macro", "light", "micro", "repeater") if r in siting.rungs]
    if not methods or not rungs:
        return []
    found = pd.concat([_NEW[m](scene) for m in methods], ignore_index=True)
    xy = xy_of(found)
    order = np.lexsort((xy[:, 1], xy[:, 0], -found["sees"].to_numpy()))
    kept = spaced(xy, order, siting.spacing_m, len(found))
    scene.left_out["beside_a_better_one"] += len(order) - len(kept)
    places = numbered(found.iloc[np.sort(kept)])
    if not len(places):
        return []
    presets, out = presets_of(siting, scene.radio), []
    if "macro" in rungs:
        seen = scene.view(xy_of(places), _NEAREST_CHOSEN)
        fed = scene.fed(places, min(siting.macro_heights_m), _MICROWAVE_MHZ, _MICROWAVE_CLEARANCE)
        out.append(macro_cells(fed, seen, scene.gaps, siting, presets))
    carrier = next(iter(presets.values())).frequency_mhz
    if "light" in rungs:
        fed = scene.fed(places, siting.light_height_m, carrier, 0.0)
        out.append(light_cells(fed, siting, presets, scene.left_out))
    if "micro" in rungs:
        fed = scene.fed(places, siting.micro_height_m, _MICROWAVE_MHZ, _MICROWAVE_CLEARANCE)
        out.append(micro_cells(fed, siting, presets))
    if "repeater" in rungs:
        fed = scene.fed(places, siting.repeater_height_m, carrier, 0.0)
        out.append(repeater_cells(fed, donors(scene, places), siting, scene.left_out))
    return [cells if "operator" in cells else cells.assign(operator=siting.operator)
            for cells in out if len(cells)]
