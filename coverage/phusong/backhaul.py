"""Feeders: microwave hops in sight that survive the rain, joined to a forest that can be walked.

`hops` lists every hop that could be built, `feed` joins the sites of a plan to
the network with as few and as short hops as it finds; a hop that several sites
use is there once.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field, field_validator
from scipy.spatial import cKDTree

from phusong.errors import UnknownNameError
from phusong.nouns import Noun, nearest
from phusong.radio.clearance import fresnel_clearance
from phusong.radio.medium import Medium
from phusong.radio.rain import longest_hop_km, rain_attenuation_db
from phusong.terrain import Terrain

__all__ = ["Feeder", "feed", "hops"]

_FED = ("macro",)
_STEPS = 300
_USUAL_MAST_M = 30.0
_CHUNK = 10_000


class Feeder(Noun):
    """What a microwave hop must be like.

    Parameters
    ----------
    bands_ghz : tuple of float
        Bands to choose from; the highest that lasts through the rain is taken,
        because low bands are scarce.
    rain_mm_per_h : float
        Rain rate exceeded 0.01 % of a year (ITU-R P.837): in Vietnam 65 (Ky Son)
        to 104 (Ca Mau), Hanoi 89.
    fade_margin_db : float
        Attenuation by rain that a hop stands; 30 dB is planning practice.
    clearance : float
        Needed clearance in radii of the first Fresnel zone over the earth of
        effective radius (ITU-R P.530-18, 2.2.2.1: 0.6 at k = 4/3).
    max_hop_m : float
        Never longer than this.
    max_hops : int
        Most hops from a site to a standing mast.
    relays : bool
        Whether candidate places that are not in the plan may serve as relays.
    neighbours : int
        How many of the nearest sites and masts are tried from each site.
    """

    bands_ghz: tuple[float, ...] = (7.5, 15.0, 18.0, 23.0)
    rain_mm_per_h: float = Field(default=90.0, ge=0.0, le=300.0)
    fade_margin_db: float = Field(default=30.0, gt=0.0, le=80.0)
    clearance: float = Field(default=0.6, ge=0.0, le=2.0)
    max_hop_m: float = Field(default=30_000.0, ge=100.0, le=60_000.0)
    max_hops: int = Field(default=3, ge=1, le=20)
    relays: bool = True
    neighbours: int = Field(default=12, ge=1, le=200)

    @field_validator("bands_ghz")
    @classmethod
    def _microwave(cls, values: tuple[float, ...]) -> tuple[float, ...]:
        wrong = [v for v in values if not 1.0 <= v <= 100.0]
        if wrong or not values:
            raise ValueError(f"bands_ghz: give bands of 1 to 100 GHz, not {list(values)}")
        return tuple(sorted(values))

    def longest_m(self, band_ghz: float) -> float:
        """Return the longest hop of a band that stands the rain, metres."""
        far = 1000.0 * longest_hop_km(band_ghz, self.rain_mm_per_h, self.fade_margin_db)
        return min(far, self.max_hop_m)

    def band_for(self, distance_m: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the highest band that lasts over each distance, GHz; NaN = none does."""
        out = np.full(len(distance_m), np.nan)
        for band in self.bands_ghz:
            out[distance_m <= self.longest_m(band)] = band
        return out


def _nodes(spots: pd.DataFrame, sites: pd.DataFrame) -> pd.DataFrame:
    """One row for each site that can take a hop: x, y, mast_m, standing; sorted by name."""
    new = spots[spots["intervention"].isin(_FED)]
    rows = []
    for cells, standing in ((new, False), (sites, True)):
        there = cells[~(cells.geometry.isna() | cells.geometry.is_empty)].sort_index()
        grouped = there.groupby("site_id", sort=True)
        first = grouped["geometry"].first()
        rows.append(pd.DataFrame({
            "x": [p.x for p in first], "y": [p.y for p in first],
            "mast_m": grouped["antenna_height_m"].max().fillna(_USUAL_MAST_M).to_numpy(),
            "standing": standing}, index=pd.Index(first.index, name="site_id", dtype="object")))
    return pd.concat(rows)


def _near_pairs(nodes: pd.DataFrame, feeder: Feeder) -> NDArray[np.int64]:
    """Pairs (a, b), a < b, of near nodes of which at least one is new, each once."""
    xy = nodes[["x", "y"]].to_numpy(np.float64)
    new = np.flatnonzero(~nodes["standing"].to_numpy(bool))
    count = min(feeder.neighbours + 1, len(xy))
    if not len(new) or count < 2:
        return np.zeros((0, 2), np.int64)
    found = []
    for group in (new, np.flatnonzero(nodes["standing"].to_numpy(bool))):
        if len(group):
            k = min(count, len(group))
            distance, near = cKDTree(xy[group]).query(
                xy[new], k=k, distance_upper_bound=feeder.max_hop_m)
            distance, near = distance.reshape(len(new), k), near.reshape(len(new), k)
            row, column = np.nonzero(np.isfinite(distance))
            found.append(np.column_stack([new[row], group[near[row, column]]]))
    pairs = np.sort(np.concatenate(found), axis=1)
    return np.unique(pairs[pairs[:, 0] != pairs[:, 1]], axis=0)


def hops(spots: pd.DataFrame, sites: pd.DataFrame, terrain: Terrain | None,
         feeder: Feeder | None = None) -> pd.DataFrame:
    """Return every microwave hop that could be built between candidates and to standing masts.

    Parameters
    ----------
    spots : GeoDataFrame
        SITES (candidates); macro sites need a feeder.
    sites : GeoDataFrame
        SITES that stand: the network.
    terrain : Terrain or None
        The relief; without it nothing is known to be in sight and no hop is listed.
    feeder : Feeder, optional
        Bands, rain, clearance.

    Returns
    -------
    DataFrame
        Indexed by (from_site, to_site), each pair once: distance_m, clearance
        (Fresnel radii over terrain), band_ghz, rain_db (exceeded 0.01 % of a year).
    """
    feeder = Feeder() if feeder is None else feeder
    nodes = _nodes(spots, sites)
    pairs = _near_pairs(nodes, feeder)
    if terrain is None:
        pairs = pairs[:0]
    xy, mast = nodes[["x", "y"]].to_numpy(np.float64), nodes["mast_m"].to_numpy(np.float64)
    distance = np.hypot(*(xy[pairs[:, 0]] - xy[pairs[:, 1]]).T)
    band = feeder.band_for(distance)
    lasts = ~np.isnan(band)
    pairs, distance, band = pairs[lasts], distance[lasts], band[lasts]
    clearance = np.full(len(pairs), np.nan)
    for first in range(0, len(pairs), _CHUNK):
        part = slice(first, first + _CHUNK)
        a, b = pairs[part].T
        assert terrain is not None
        step = max(terrain.resolution_m, feeder.max_hop_m / _STEPS)
        paths = terrain.profiles(xy[a, 0], xy[a, 1], xy[b, 0], xy[b, 1], step)
        clearance[part], _ = fresnel_clearance(paths, 1000.0 * band[part], mast[a], mast[b],
                                               Medium())
    good = clearance >= feeder.clearance
    names = nodes.index.to_numpy(object)
    index = pd.MultiIndex.from_arrays([names[pairs[good, 0]], names[pairs[good, 1]]],
                                      names=["from_site", "to_site"])
    rain = rain_attenuation_db(distance[good] / 1000.0, band[good], feeder.rain_mm_per_h) \
        if good.any() else np.zeros(0)
    out = pd.DataFrame({"distance_m": distance[good], "clearance": clearance[good],
                        "band_ghz": band[good], "rain_db": rain}, index=index)
    return out.sort_index()


def _cheapest(goals: set[str], network: Mapping[str, int],
              ways: Mapping[str, list[tuple[str, float]]], passable: set[str],
              max_hops: int) -> list[str]:
    """Return the path, network first, to the goal that is cheapest to reach; empty = none.

    Cost is (hops, metres); labels carry their depth so that no path is deeper
    than `max_hops`. Ties are settled by name.
    """
    queue: list[tuple[int, float, str, tuple[str, ...]]] = [
        (0, 0.0, name, (name,)) for name in sorted(network)]
    heapq.heapify(queue)
    seen: dict[str, int] = {}
    while queue:
        count, metres, name, path = heapq.heappop(queue)
        depth = network[path[0]] + count
        if name in goals:
            return list(path)
        if seen.get(name, max_hops + 1) <= depth:
            continue
        seen[name] = depth
        if depth >= max_hops:
            continue
        for other, far in ways.get(name, ()):
            if other not in network and other in passable:
                heapq.heappush(queue, (count + 1, metres + far, other, (*path, other)))
    return []


def feed(plan: Iterable[str], spots: pd.DataFrame, sites: pd.DataFrame, possible: pd.DataFrame,
         feeder: Feeder | None = None) -> pd.DataFrame:
    """Join the sites of a plan to the network: a forest with one row for each hop.

    The site that is cheapest to reach (fewest new hops, then fewest metres) is
    joined first; what it passes is network from then on, so that hops are
    shared (shortest-path heuristic for Steiner trees, Takahashi and Matsuyama
    1980).

    Parameters
    ----------
    plan : iterable of str
        `site_id` of the sites to build; those that need no microwave feeder
        (light sites, sectors, terminals) are passed over.
    spots, sites : GeoDataFrame
        Candidates and standing sites, as given to `hops`.
    possible : DataFrame
        What `hops` returned.
    feeder : Feeder, optional
        `max_hops` and `relays` are read.

    Returns
    -------
    DataFrame
        Indexed by site_id (sites of the plan and relays): towards (next site on
        the way to the network; empty = no feeder was found), mast (the standing
        mast at the end), hops (to it), distance_m, band_ghz, clearance, relay
        (whether it is only a relay).

    Raises
    ------
    UnknownNameError
        If the plan names a site that is no candidate.
    """
    feeder = Feeder() if feeder is None else feeder
    wanted, known = list(dict.fromkeys(plan)), set(spots["site_id"])
    for name in wanted:
        if name not in known:
            raise UnknownNameError(f'There is no candidate site "{name}". {nearest(name, known)}')
    fed = set(spots.loc[spots["intervention"].isin(_FED), "site_id"])
    goals = {name for name in wanted if name in fed}
    ways: dict[str, list[tuple[str, float]]] = {}
    for (a, b), far in zip(possible.index, possible["distance_m"], strict=True):
        ways.setdefault(a, []).append((b, float(far)))
        ways.setdefault(b, []).append((a, float(far)))
    standing = sorted(set(sites["site_id"]) & set(ways))
    network = dict.fromkeys(standing, 0)
    roots = {name: name for name in standing}
    rows: dict[str, dict[str, object]] = {}
    passable = fed if feeder.relays else goals
    left = set(goals)
    while left:
        path = _cheapest(left, network, ways, passable, feeder.max_hops)
        if not path:
            break
        for near, far in pairwise(path):
            network[far], roots[far] = network[near] + 1, roots[near]
            key = (near, far) if (near, far) in possible.index else (far, near)
            hop = possible.loc[key]
            rows[far] = {"towards": near, "mast": roots[far], "hops": network[far],
                         "distance_m": float(hop["distance_m"]),
                         "band_ghz": float(hop["band_ghz"]),
                         "clearance": float(hop["clearance"]), "relay": far not in goals}
            left.discard(far)
    for name in left:
        rows[name] = {"towards": "", "mast": "", "hops": 0, "distance_m": np.nan,
                      "band_ghz": np.nan, "clearance": np.nan, "relay": False}
    columns = ["towards", "mast", "hops", "distance_m", "band_ghz", "clearance", "relay"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis(
        "site_id").sort_index()
