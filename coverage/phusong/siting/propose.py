"""`propose`: everything that could close the gaps, as rows of SITES."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd

from phusong.radio.budget import Radio
from phusong.service import Need
from phusong.siting.greenfield import new_sites
from phusong.siting.indoors import roofs, terminals
from phusong.siting.scene import Scene
from phusong.siting.settings import Siting
from phusong.siting.standing import new_sectors, retilts
from phusong.surroundings import Surroundings
from phusong.tables import SITES, empty
from phusong.terrain import Terrain

__all__ = ["propose"]


def propose(gaps: gpd.GeoDataFrame, sites: gpd.GeoDataFrame, terrain: Terrain | None,
            around: Surroundings | None, siting: Siting, *,
            radio: Radio | None = None, need: Need | None = None,
            covered: gpd.GeoDataFrame | None = None, links: pd.DataFrame | None = None
            ) -> gpd.GeoDataFrame:
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
        Its presets are the bands; it links what roofs and repeaters hear.
    need : Need, optional
        The definition of covered that roof antennas must meet.
    covered : GeoDataFrame, optional
        POINTS that are covered today; without them no antenna is tilted anew.
    links : DataFrame, optional
        Their LINKS today.

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
    Names follow positions (H = hilltop, C = cluster, R = roadside, P = public land,
    S = standing mast, I = roof, T = terminal), never the order of rows; a tilted
    antenna bears the name of its cell. Memory grows with the number of
    gaps, never with gaps x places.
    """
    around = Surroundings() if around is None else around
    scene = Scene(gaps, sites, terrain, around, siting,
                  Radio() if radio is None else radio, Need() if need is None else need)
    if not len(scene.network):
        scene.notes.append("No standing site: distances to the network are not known, "
                           "no light site can be relayed.")
    parts: list[pd.DataFrame] = []
    if len(scene.gaps.xy):
        parts = [*new_sites(scene), *new_sectors(scene), *retilts(scene, covered, links),
                 *roofs(scene), *terminals(scene)]
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
