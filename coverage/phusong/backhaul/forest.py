"""From possible hops to the feeders of sites: priced, walked, shared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from phusong.backhaul.places import FED, RELAYED, place_of, places
from phusong.backhaul.settings import Feeder
from phusong.cost import Costs, hop_values
from phusong.errors import InputError, UnknownNameError
from phusong.nouns import nearest
from phusong.plan.network import Forest, Network, Step
from phusong.tables import FEEDERS, empty

__all__ = ["Backhaul", "feeders", "own_feeders"]

_TERRESTRIAL = ("microwave", "fibre")
_OF_A_HOP = ("medium", "band_ghz", "length_m", "clearance", "rain_db", "along_road",
             "access_factor")


@dataclass(frozen=True, slots=True, eq=False)
class Backhaul:
    """Every feeder that could be built, priced, with the names behind its numbers.

    Parameters
    ----------
    network : Network
        Nodes and hops as arrays.
    nodes : DataFrame
        The places, in the order of the network: x, y, standing, access_factor.
    hops : DataFrame
        The hops, in the order of the network, with what is known of each.
    node_of : Series
        By site_id: the node that the site must be joined at; -1 = it needs no
        feeder that costs anything; -2 = it has no feeder at all.
    relayed : DataFrame
        By site_id: the hop of each light site to the mast it relays.
    currency : str
        Of all costs.
    satellite_mbps : float
        What a satellite feeder carries.
    """

    network: Network
    nodes: pd.DataFrame
    hops: pd.DataFrame
    node_of: pd.Series
    relayed: pd.DataFrame
    currency: str
    satellite_mbps: float

    @classmethod
    def of(cls, spots: pd.DataFrame, sites: pd.DataFrame, possible: pd.DataFrame, costs: Costs,
           feeder: Feeder | None = None) -> Backhaul:
        """Price every possible hop.

        Parameters
        ----------
        spots, sites : GeoDataFrame
            Candidates and standing sites, as given to `phusong.backhaul.hops`.
        possible : DataFrame
            HOPS, as it returned them.
        costs : Costs
            Unit costs and discounting.
        feeder : Feeder, optional
            ``max_hops``, ``relays`` and ``satellite`` are read.

        Raises
        ------
        UnknownNameError
            If a hop names a place that is neither a candidate's nor a standing mast.
        """
        feeder = Feeder() if feeder is None else feeder
        nodes = places(spots, sites, feeder)
        rows = possible.reset_index()
        ground = rows[rows["medium"].isin(_TERRESTRIAL)].reset_index(drop=True)
        a, b = (nodes.index.get_indexer(ground[end]) for end in ("from_id", "to_id"))
        sky = nodes.index.get_indexer(rows.loc[rows["medium"] == "satellite", "from_id"])
        lost = [*ground["from_id"][a < 0], *ground["to_id"][b < 0]]
        if lost or (sky < 0).any():
            raise UnknownNameError(f'There is no place "{(lost or ["of a satellite feeder"])[0]}". '
                                   f"Price the hops of the same candidates and sites.")
        factor = nodes["access_factor"].to_numpy(np.float64)
        ground = ground.assign(a=a, b=b, access_factor=np.maximum(factor[a], factor[b]))
        relayed = rows[rows["medium"] == "relay"].set_index("from_id").rename_axis("site_id")
        one = spots.sort_index(kind="stable").drop_duplicates("site_id").set_index("site_id")
        node = nodes.index.get_indexer(place_of(spots, sites).reindex(one.index))
        fed = one["intervention"].isin(FED).to_numpy()
        lost_light = one["intervention"].isin(RELAYED).to_numpy() & ~one.index.isin(relayed.index)
        node = np.where(fed, node, np.where(lost_light, -2, -1))
        network = _priced(nodes, ground, sky, costs, feeder)
        alone = network.alone()
        node = np.where((node >= 0) & ~np.isfinite(alone[np.maximum(node, 0)]), -2, node)
        return cls(network, nodes, ground, pd.Series(node, one.index).sort_index(), relayed,
                        costs.currency, costs.item("satellite_backhaul_capacity").base)


def _priced(nodes: pd.DataFrame, hops: pd.DataFrame, sky: np.ndarray, costs: Costs,
            feeder: Feeder) -> Network:
    """Return the network of hops whose ends are the columns a and b."""
    masts = pd.DataFrame({"medium": "mast", "length_m": 0.0, "relay": True,
                          "access_factor": nodes["access_factor"]})
    relays = hop_values(masts, costs)
    standing = nodes["standing"].to_numpy(bool)
    if not feeder.relays:
        relays[:] = np.inf
    relays[standing] = 0.0
    satellites = np.full((len(nodes), 3), np.inf)
    satellites[sky] = hop_values(pd.DataFrame({"medium": ["satellite"], "length_m": [np.nan]}),
                                 costs)
    network = Network(standing, hops[["a", "b"]].to_numpy(np.int64).reshape(-1, 2),
                      (hops["medium"] == "fibre").to_numpy(bool), hop_values(hops, costs), relays,
                      np.full_like(satellites, np.inf), feeder.max_hops)
    if feeder.satellite == "last":
        satellites[np.isfinite(network.alone())] = np.inf
    return Network(network.standing, network.ends, network.fibre, network.hop_values,
                   network.relay_values, satellites, network.max_hops)


def _row(net: Backhaul, step: Step, named: Mapping[int, str]) -> dict[str, object]:
    """Return what FEEDERS says of one hop; nodes are called by `named`, or else by their place."""
    nodes, names = net.nodes, net.nodes.index
    x, y = nodes["x"].to_numpy(), nodes["y"].to_numpy()
    low, base, high = net.network.values((step,))
    row: dict[str, object] = {
        "from_id": named.get(step.start, names[step.start]), "from_x": x[step.start],
        "from_y": y[step.start], "relay": step.relay, "cost_low": low, "cost": base,
        "cost_high": high}
    if step.hop < 0:
        return row | {"to_id": "", "medium": "satellite", "along_road": False,
                      "capacity_mbps": net.satellite_mbps}
    end = step.end
    row |= {"to_id": named.get(end, names[end]), "to_x": x[end], "to_y": y[end],
            "relay_access_factor": nodes["access_factor"].iloc[end]}
    return row | net.hops.iloc[step.hop][list(_OF_A_HOP)].to_dict()


def _relay_row(net: Backhaul, site_id: str) -> dict[str, object]:
    """Return what FEEDERS says of a light site: its price holds the hop."""
    hop = net.relayed.loc[site_id]
    return hop.drop("to_standing").to_dict() | {
        "from_id": site_id, "relay": False, "cost_low": 0.0, "cost": 0.0, "cost_high": 0.0}


def _table(net: Backhaul, walks: Mapping[str, list[dict[str, object]]]) -> pd.DataFrame:
    """Return FEEDERS of the hops of each site, in the order of the walks."""
    rows = [{"site_id": site, "hop": number, **row} for site, walk in walks.items()
            for number, row in enumerate(walk, 1)]
    if not rows:
        return empty(FEEDERS)
    out = pd.DataFrame(rows).reindex(columns=[*FEEDERS.index, *FEEDERS.columns, "access_factor",
                                              "relay_access_factor"])
    out["currency"] = net.currency
    out["cost_share"] = out["cost"] / out["sites"]
    out["along_road"] = out["along_road"].eq(True)
    for name in ("access_factor", "relay_access_factor"):
        out[name] = out[name].astype("float64").fillna(1.0)
    for name, column in FEEDERS.columns.items():
        if column.kind == "float":
            out[name] = out[name].astype("float64")
    return out.set_index(list(FEEDERS.index))


def own_feeders(net: Backhaul) -> pd.DataFrame:
    """Return the cheapest feeder of every candidate as if it were built alone: FEEDERS.

    Sites that have no feeder at all have no row, nor have those that need none.
    """
    forest, walks = Forest(net.network), {}
    found: dict[int, tuple[Step, ...]] = {}
    for site, node in zip(net.node_of.index, net.node_of.to_numpy(np.int64), strict=True):
        if node >= 0:
            if node not in found:
                found[node] = forest.trace(node)
            walks[site] = [_row(net, step, {node: site}) | {"paid_by": site, "sites": 1}
                           for step in found[node]]
        elif site in net.relayed.index:
            walks[site] = [_relay_row(net, site) | {"paid_by": site, "sites": 1}]
    return _table(net, walks)


def feeders(plan: Iterable[str] | pd.DataFrame, net: Backhaul) -> pd.DataFrame:
    """Return how each site of a plan reaches the network, hop by hop: FEEDERS.

    Parameters
    ----------
    plan : DataFrame or iterable of str
        PLAN, or its `site_id`, in the order of building. A hop is paid by the first site that
        needs it, and is there for those after it. Where the planner chose a forest of its own
        (``attrs["hops"]``) it is taken; else one site after the other is joined by its
        cheapest way.
    net : Backhaul
        What could be built, as `Backhaul.of` priced it.

    Raises
    ------
    UnknownNameError
        If the plan names a site that is no candidate.
    InputError
        If a site of the plan has no way to the network.
    """
    chosen = plan.attrs.get("hops") if isinstance(plan, pd.DataFrame) else None
    order = list(dict.fromkeys(plan["site_id"] if isinstance(plan, pd.DataFrame) else plan))
    for site in order:
        if site not in net.node_of.index:
            raise UnknownNameError(f'There is no candidate site "{site}". '
                                   f"{nearest(site, net.node_of.index)}")
    forest = Forest(net.network)
    for start, end, hop, relay in chosen or ():
        forest.towards[start] = Step(start, end, hop, bool(relay))
    node_of = net.node_of.loc[order].to_numpy(np.int64)
    named: dict[int, str] = {}
    for site, node in zip(order, node_of, strict=True):
        if node == -2:
            raise InputError(f"The site {site} has no way to the network: no hop leads to it "
                             f"that is clear, short enough and within {net.network.max_hops} "
                             f"hops. Plan with feeders, so that it is left out.")
        if node >= 0:
            named.setdefault(node, site)
            if chosen is None:
                forest.join(node)
    ways = {site: forest.way(node) for site, node in zip(order, node_of, strict=True) if node >= 0}
    users = Counter(step for way in ways.values() for step in way)
    payer: dict[Step, str] = {}
    walks: dict[str, list[dict[str, object]]] = {}
    for site in order:
        if site in ways:
            walks[site] = [_row(net, step, named) | {
                "paid_by": payer.setdefault(step, site), "sites": users[step]}
                for step in ways[site]]
        elif site in net.relayed.index:
            walks[site] = [_relay_row(net, site) | {"paid_by": site, "sites": 1}]
    return _table(net, walks)
