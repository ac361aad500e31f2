"""Candidates on masts that stand: new sectors, shared masts, antennas tilted anew."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd

from phusong.links import link
from phusong.service import serves
from phusong.siting.ladder import presets_of, sector_cells
from phusong.siting.scene import Scene, numbered, score_of, xy_of
from phusong.siting.sectors import sector_tilts
from phusong.siting.settings import Siting
from phusong.siting.sight import called_for
from phusong.siting.surround import describe

__all__ = ["new_sectors", "retilts"]

_NEAREST_CHOSEN = 64
_LEAST_CHANGE_DEG = 1.0
_AHEAD_DEG = 60.0
_OF_THE_OLD = ("on_air_from", "off_air_from", "assumed")


def new_sectors(scene: Scene) -> list[pd.DataFrame]:
    """Return a new sector for masts that see gaps, on other operators' masts as a shared one."""
    rungs = {"sector", "shared_mast"} & set(scene.siting.rungs)
    if "standing" not in scene.siting.methods or not rungs:
        return []
    masts = scene.masts.groupby("site_id", sort=True).agg(
        operator=("operator", "first"), mast_m=("antenna_height_m", "max"))
    found = describe(scene.network, scene.terrain, scene.around).assign(
        place="standing", mast=masts.index.to_numpy(), mast_m=masts["mast_m"].to_numpy(),
        operator=masts["operator"].to_numpy(), backhaul_distance_m=0.0, backhaul_sight="clear")
    seen = scene.view(xy_of(found))
    score = score_of(seen, len(found))
    chosen, _ = called_for(seen, score, xy_of(found), scene.siting.standing_per_gap)
    chosen = chosen[score[chosen] > 0.0]
    places = numbered(found.assign(sees=score).iloc[chosen].head(scene.siting.places_limit))
    if not len(places):
        return []
    again = scene.view(xy_of(places), _NEAREST_CHOSEN)
    presets = presets_of(scene.siting, scene.radio)
    cells = sector_cells(places, again, scene.gaps, scene.masts, presets, scene.left_out)
    return [_shared(cells.drop(columns="mast_m"), scene.siting)]


def _shared(cells: pd.DataFrame, siting: Siting) -> pd.DataFrame:
    """Make a mast of another operator one that is shared: its own rung, with a rent."""
    if siting.operator != "shared":
        foreign = (cells["operator"] != siting.operator).to_numpy(bool)
        cells = cells.assign(
            intervention=np.where(foreign, "shared_mast", cells["intervention"]),
            site_id=np.where(foreign, cells["site_id"].str.replace("-sector", "-shared"),
                             cells["site_id"]), operator=siting.operator)
        cells = cells.set_axis(pd.Index([f"{s}-1" for s in cells["site_id"]], name="cell_id"))
    return cells[cells["intervention"].isin(siting.rungs)]


def retilts(scene: Scene, covered: gpd.GeoDataFrame | None, links: pd.DataFrame | None
            ) -> list[pd.DataFrame]:
    """Return standing cells with a new tilt, where no covered point loses its only service.

    The new tilt is the mean dip of the gaps that the antenna looks at. A cell is
    left out if it is the only one known to serve some covered point that
    the tilted one would not serve.
    """
    siting = scene.siting
    if "standing" not in siting.methods or "retilt" not in siting.rungs:
        return []
    if covered is None or links is None or scene.terrain is None:
        scene.notes.append("No antenna is tilted anew: it takes the terrain, the points that are "
                           "covered today and their links to see that nobody loses service.")
        return []
    cells = _turned(scene)
    if not len(cells):
        return []
    lost = _losers(scene, cells, covered, links)
    scene.left_out["retilt_takes_service"] += len(lost)
    return [cells.drop(index=lost).drop(columns="before")]


def _turned(scene: Scene) -> pd.DataFrame:
    """Return the sector antennas that gaps call for, with the tilt that suits those."""
    masts = scene.masts
    sector = masts["technology"].isin(scene.need.technologies) & masts["azimuth_deg"].notna()
    if "beamwidth_deg" in masts:
        sector &= ~(masts["beamwidth_deg"] >= 360.0)
    old = masts[sector]
    if not len(old):
        return old
    xy = np.column_stack([old.geometry.x, old.geometry.y])
    place, where = np.unique(xy, axis=0, return_inverse=True)
    seen_there = scene.view(place)
    seen = seen_there.merge(pd.DataFrame({"place": where, "cell": np.arange(len(old))}), on="place")
    shift = scene.gaps.xy[seen["gap"]] - xy[seen["cell"]]
    bearing = np.degrees(np.arctan2(shift[:, 0], shift[:, 1]))
    azimuth = old["azimuth_deg"].to_numpy(np.float64)
    off = np.abs((bearing - azimuth[seen["cell"]] + 180.0) % 360.0 - 180.0)
    seen = seen[off <= _AHEAD_DEG].assign(place=lambda s: s["cell"])
    score = score_of(seen, len(old))
    chosen, _ = called_for(seen, score, xy, scene.siting.standing_per_gap)
    chosen = np.sort(chosen[score[chosen] > 0.0])[:scene.siting.places_limit]
    tilt = sector_tilts(seen, xy, scene.gaps, azimuth, 0.0)[chosen]
    now = old["tilt_deg"].fillna(0.0).to_numpy(np.float64)[chosen]
    move = np.abs(tilt - now) >= _LEAST_CHANGE_DEG
    scene.left_out["tilt_is_right"] += int((~move).sum())
    chosen, tilt = chosen[move], tilt[move]
    found = describe(xy[chosen], scene.terrain, scene.around)
    kept = old.iloc[chosen].drop(columns=["geometry", *_OF_THE_OLD], errors="ignore")
    out = kept.assign(
        **{c: found[c].to_numpy() for c in found}, before=kept.index, tilt_deg=tilt,
        site_id=[f"{c}-retilt" for c in kept.index], place="standing", intervention="retilt",
        variant_of=[f"{c}-retilt" for c in kept.index], sees=score[chosen],
        backhaul_distance_m=0.0, backhaul_sight="clear")
    return out.set_axis(pd.Index([f"{c}-retilt-1" for c in kept.index], name="cell_id"))


def _losers(scene: Scene, cells: pd.DataFrame, covered: gpd.GeoDataFrame, links: pd.DataFrame
            ) -> list[str]:
    """Return the tilted cells without which some covered point would have no service."""
    mine = links[links.index.get_level_values("point_id").isin(covered.index)]
    good = mine.index[serves(mine, scene.need).to_numpy(bool)].to_frame(index=False)
    alone = good[~good["point_id"].duplicated(keep=False)]
    alone = alone.merge(pd.DataFrame({"cell_id": cells["before"].to_numpy(),
                                      "tilted": cells.index}), on="cell_id")
    if not len(alone):
        return []
    spots = gpd.GeoDataFrame(cells.assign(status="candidate"), crs=covered.crs,
                             geometry=gpd.points_from_xy(cells["x"], cells["y"]))
    spots = spots[spots.index.isin(alone["tilted"])]
    points = covered[covered.index.isin(alone["point_id"])]
    after = link(points, spots, scene.terrain, scene.radio)
    still = set(after.index[serves(after, scene.need).to_numpy(bool)])
    return sorted({t for p, t in zip(alone["point_id"], alone["tilted"], strict=True)
                   if (p, t) not in still})
