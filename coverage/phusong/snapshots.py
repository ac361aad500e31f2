"""Who was covered on one day: made whole, or from the snapshot of other cells.

Every row of LINKS and SERVICE depends on its own point and the cells in reach of it only, so a
snapshot can be made from another one by linking and judging again only the points that the
difference in cells can matter to.  Both ways give the same tables, bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import geopandas as gpd
import pandas as pd

from phusong.links import link
from phusong.radio.budget import Radio
from phusong.relink import relink
from phusong.service import Need, assess
from phusong.terrain import Terrain

__all__ = ["Snapshot", "retake", "take"]

Report = Callable[[str, int, int], None]


class Snapshot(NamedTuple):
    """Coverage on one day.

    Parameters
    ----------
    cells : GeoDataFrame
        SITES on air.
    links : DataFrame
        LINKS of all points to them.
    services : DataFrame
        SERVICE of all points by each definition, one after the other.
    """

    cells: gpd.GeoDataFrame
    links: pd.DataFrame
    services: pd.DataFrame


def take(points: gpd.GeoDataFrame, cells: gpd.GeoDataFrame, terrain: Terrain | None, radio: Radio,
         needs: Iterable[Need], *, progress: Report | None = None) -> Snapshot:
    """Compute everything.

    Parameters
    ----------
    points, cells, terrain, radio
        As `phusong.links.link` takes them.
    needs : iterable of Need
        Definitions of covered.
    progress : callable, optional
        Called with (what, done, of all).
    """
    links = link(points, cells, terrain, radio, progress=progress)
    return Snapshot(cells, links, pd.concat([assess(points, links, need) for need in needs]))


def retake(previous: Snapshot, points: gpd.GeoDataFrame, cells: gpd.GeoDataFrame,
           terrain: Terrain | None, radio: Radio, needs: Iterable[Need], *,
           progress: Report | None = None) -> Snapshot:
    """Compute only what differs from a snapshot of other cells; see `take`.

    Parameters
    ----------
    previous : Snapshot
        Of the same points, terrain, radio and definitions.
    """
    links, touched = relink(previous.links, points, previous.cells, cells, terrain, radio,
                            progress=progress)
    if not len(touched):
        return Snapshot(cells, links, previous.services)
    again = points.index.isin(touched)
    few = points[again]
    mine = links[links.index.get_level_values(0).isin(touched)]
    services = []
    for need in needs:
        before = previous.services[(previous.services["definition"] == need.name).to_numpy()]
        after = pd.concat([before[~before.index.isin(touched)], assess(few, mine, need)])
        services.append(after.loc[points.index])
    return Snapshot(cells, links, pd.concat(services))
