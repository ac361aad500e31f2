"""Who was covered on one day: made whole, or from the snapshot of other cells.

Every row of LINKS and SERVICE depends on its own point and the cells in reach of it only, so a
snapshot can be made from another one by linking and judging again only the points that the
difference in cells can matter to.  Both ways give the same tables, bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import geopandas as gpd
import numpy as np
import pandas as pd

from phusong.links import link
from phusong.pointwise import Pointwise
from phusong.radio.budget import Radio
from phusong.relink import counts_after, counts_of, differ, links_of, sheet_of
from phusong.service import Hearing, Need
from phusong.terrain import Terrain

__all__ = ["Snapshot", "judge", "retake", "service_by", "take"]

Report = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Snapshot:
    """Coverage on one day.

    Parameters
    ----------
    cells : GeoDataFrame
        SITES on air.
    links : Pointwise
        LINKS of all points to them, without ``cells_considered``.
    counts : DataFrame
        How many cells of each operator are in range of each point.
    services : Pointwise
        SERVICE of all points by each definition.
    touched : Index or None
        Points in which it differs from the snapshot it was made from; None = it was made whole.
    again : dict of str to DataFrame
        The rows of these points in ``links`` and ``services``.
    """

    cells: gpd.GeoDataFrame
    links: Pointwise
    counts: pd.DataFrame
    services: Pointwise
    touched: pd.Index | None = None
    again: Mapping[str, pd.DataFrame] = field(default_factory=dict)

    def whole(self, part: str) -> pd.DataFrame:
        """Return LINKS (``links``) or SERVICE by point and definition (``services``)."""
        if part == "links":
            return links_of(self.links, self.counts, self.cells)
        return self.services.whole()


def take(points: gpd.GeoDataFrame, cells: gpd.GeoDataFrame, terrain: Terrain | None, radio: Radio,
         needs: Sequence[Need], *, progress: Report | None = None) -> Snapshot:
    """Compute everything.

    Parameters
    ----------
    points, cells, terrain, radio
        As `phusong.links.link` takes them.
    needs : sequence of Need
        Definitions of covered.
    progress : callable, optional
        Called with (what, done, of all).
    """
    links = link(points, cells, terrain, radio, progress=progress)
    services = _services(points, links, needs)
    return Snapshot(cells, sheet_of(links), counts_of(links, points), Pointwise.of(services))


def judge(points: gpd.GeoDataFrame, cells: gpd.GeoDataFrame, links: Pointwise,
          counts: pd.DataFrame, needs: Sequence[Need]) -> Snapshot:
    """Judge links that are known by (other) definitions; see `take`.

    Parameters
    ----------
    points, cells, needs
        As for `take`.
    links, counts
        Of a snapshot of these cells.
    """
    services = _services(points, links.whole(), needs)
    return Snapshot(cells, links, counts, Pointwise.of(services))


def retake(previous: Snapshot, points: gpd.GeoDataFrame, cells: gpd.GeoDataFrame,
           terrain: Terrain | None, radio: Radio, needs: Sequence[Need], *,
           progress: Report | None = None) -> Snapshot:
    """Compute only what differs from a snapshot of other cells; see `take`.

    Parameters
    ----------
    previous : Snapshot
        Of the same points, terrain, radio and definitions.
    """
    found = differ(previous.links, points, previous.cells, cells, terrain, radio,
                   progress=progress)
    counts = counts_after(previous.counts, found.more)
    if not len(found.touched):
        return Snapshot(cells, previous.links, counts, previous.services, found.touched)
    links = previous.links.changed(found.drop, found.links)
    mine = links.take(links.rows_of(found.touched))
    again = points[found.touched.get_indexer(points.index) >= 0]
    after = _services(again, mine, needs)
    drop = previous.services.rows_of(found.touched)
    return Snapshot(cells, links, counts, previous.services.changed(drop, after), found.touched,
                    {"links": mine, "services": after})


def _services(points: gpd.GeoDataFrame, links: pd.DataFrame,
              needs: Sequence[Need]) -> pd.DataFrame:
    hearing = Hearing(points, links)
    return pd.concat([hearing.by(need) for need in needs])


def service_by(services: Pointwise, points: gpd.GeoDataFrame, definition: str) -> pd.DataFrame:
    """Return SERVICE of all points, in their order, by one definition."""
    mine = services.rows_of(pd.Index([definition]), "definition")
    rows = np.empty(len(points), np.int64)
    rows[services.places("point_id", points.index, mine)] = mine
    # one index for all: what looks up points in it makes its table of ids once
    return services.take(rows).set_axis(points.index)
