"""Candidates at the point itself: satellite terminals, antennas on the roof."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from phusong.service import serves
from phusong.siting.ladder import roof_cells, satellite_cells
from phusong.siting.scene import Scene, named
from phusong.siting.surround import describe, open_sky

__all__ = ["roofs", "terminals"]

_NO_ROOF = ("commune", "village")


def terminals(scene: Scene) -> list[pd.DataFrame]:
    """Return a satellite terminal for each gap under open sky."""
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
    places = named("T", found)
    return [satellite_cells(places, scene.siting)] if len(places) else []


def roofs(scene: Scene) -> list[pd.DataFrame]:
    """Return an antenna on the roof with Wi-Fi inside, where a cell on air suffices up there.

    The same definition of covered is asked, with an antenna on the roof
    (`phusong.service.Need`, place ``roof``). Only places of learning have a roof of theirs.
    """
    siting = scene.siting
    if "roof" not in siting.methods or "roof" not in siting.rungs:
        return []
    points = scene.points[~(scene.points.geometry.isna() | scene.points.geometry.is_empty)]
    points = points[~points["kind"].isin(_NO_ROOF)].sort_index()
    if scene.terrain is None and len(points):
        scene.notes.append("No terrain: what a roof antenna would receive is not known.")
    heard = scene.heard(points, siting.roof_height_m)
    need = scene.need.model_copy(update={"place": "roof", "gain_dbi": siting.roof_gain_dbi,
                                         "body_loss_db": 0.0})
    good = heard.index[serves(heard, need).to_numpy(bool)].get_level_values("point_id")
    here = points[points.index.isin(good)]
    scene.left_out["roof_hears_too_little"] += len(points) - len(here)
    xy = np.column_stack([here.geometry.x, here.geometry.y]).reshape(-1, 2)
    learners = _learners(here)
    found = describe(xy, scene.terrain, scene.around).assign(
        place="point", sees=np.maximum(learners, 1.0), operator=siting.operator,
        backhaul_distance_m=np.nan, backhaul_sight="")
    return [roof_cells(named("I", found), siting)] if len(found) else []


def _learners(points: pd.DataFrame) -> NDArray[np.float64]:
    if "learners" not in points.columns:
        return np.zeros(len(points))
    return np.nan_to_num(points["learners"].to_numpy(np.float64))
