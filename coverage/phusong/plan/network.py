"""What feeders can be built, as plain arrays, and the forest that is built from them.

Nodes are places: standing masts, and places where a mast may be put up.  A hop
joins two of them, by microwave or by fibre.  A node hangs `depth` microwave hops
away from transport: standing masts and whatever fibre reaches have depth 0.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from phusong.errors import InputError

__all__ = ["Forest", "Network", "NoWayFoundError", "Step", "walk", "with_relays"]

_FAR = 1_000_000
_HERE, _CARRIED = -1, -2

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class NoWayFoundError(InputError):
    """No way was found to join the sites that must be built; there may be one all the same."""


def _arcs(ends: Ints, which: Ints, cost: Floats, nodes: int) -> tuple[Ints, Ints, Floats, Ints]:
    """Return hops as arcs both ways, sorted by tail, head, cost: indptr, head, cost, hop."""
    tail = np.concatenate([ends[which, 0], ends[which, 1]])
    head = np.concatenate([ends[which, 1], ends[which, 0]])
    hop = np.concatenate([which, which])
    order = np.lexsort((hop, cost[hop], head, tail))
    counts = np.bincount(tail, minlength=nodes)
    return (np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), head[order],
            cost[hop[order]], hop[order])


class Step(NamedTuple):
    """One hop on the way from a node to the network.

    Parameters
    ----------
    start, end : int
        Nodes; `end` is nearer to the network, -1 = the satellite.
    hop : int
        Number of the hop, -1 = a satellite feeder.
    relay : bool
        Whether a mast is put up at `end` only to pass this hop on.
    """

    start: int
    end: int
    hop: int
    relay: bool


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """Feeders that could be built.

    Parameters
    ----------
    standing : (nodes,) bool
        Masts of the network that exists.
    ends : (hops, 2) int64
        The two nodes of each hop.
    fibre : (hops,) bool
        Whether the hop is fibre; else it is microwave.
    hop_values : (hops, 3) float64
        Present value of each hop: low, base, high.
    relay_values : (nodes, 3) float64
        Present value of a mast that only passes hops on; inf = none may be put up.
    satellite_values : (nodes, 3) float64
        Present value of a satellite feeder; inf = none to be had. Nobody else hangs on it.
    max_hops : int
        Most microwave hops from a node to transport.
    """

    standing: NDArray[np.bool_]
    ends: Ints
    fibre: NDArray[np.bool_]
    hop_values: Floats
    relay_values: Floats
    satellite_values: Floats
    max_hops: int
    radio_arcs: tuple[Ints, Ints, Floats, Ints] = field(init=False, repr=False)
    fibre_arcs: tuple[Ints, Ints, Floats, Ints] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        nodes = len(self.standing)
        if len(self.relay_values) != nodes or len(self.satellite_values) != nodes:
            raise InputError(f"{nodes} nodes, {len(self.relay_values)} relays and "
                             f"{len(self.satellite_values)} satellite feeders do not belong "
                             f"together.")
        if len(self.ends) and not 0 <= self.ends.min() <= self.ends.max() < nodes:
            raise InputError(f"A hop names node number {self.ends.max()}, but there are only "
                             f"{nodes} nodes (numbered from 0).")
        for name, values in (("hops", self.hop_values), ("relays", self.relay_values),
                             ("satellite feeders", self.satellite_values)):
            if (values < 0.0).any() or np.isnan(values).any():
                raise InputError(f"The costs of {name} must not be negative or missing.")
        base = self.hop_values[:, 1]
        for name, which in (("radio_arcs", np.flatnonzero(~self.fibre)),
                            ("fibre_arcs", np.flatnonzero(self.fibre))):
            object.__setattr__(self, name, _arcs(self.ends, which, base, nodes))

    @property
    def nodes(self) -> int:
        """How many nodes there are."""
        return len(self.standing)

    def alone(self) -> Floats:
        """Return what it costs to join each node to the network that stands, (nodes,)."""
        return Forest(self).prices()

    def last_hop(self) -> Floats:
        """Return the least that the hop into each node can cost, (nodes,); 0 for standing masts.

        In every forest each node that is joined has a hop, or a satellite feeder,
        of its own that leads towards the network.
        """
        out = self.satellite_values[:, 1].copy()
        for indptr, _, cost, _ in (self.radio_arcs, self.fibre_arcs):
            tail = np.repeat(np.arange(self.nodes), np.diff(indptr))
            np.minimum.at(out, tail, cost)
        out[self.standing] = 0.0
        return out

    def values(self, steps: tuple[Step, ...]) -> Floats:
        """Return what hops cost with the masts that only pass them on: low, base, high, (3,)."""
        total = np.zeros(3)
        for step in steps:
            total += (self.hop_values[step.hop] if step.hop >= 0
                      else self.satellite_values[step.start])
            if step.relay:
                total += self.relay_values[step.end]
        return total

    def __repr__(self) -> str:
        return (f"Network({int(self.standing.sum()):,} standing masts, "
                f"{int((~self.standing).sum()):,} places, {len(self.ends):,} hops, "
                f"{int(self.fibre.sum()):,} of them fibre)")


@njit(cache=True, nogil=True)
def _labels(depth, mast, relay, r_ptr, r_head, r_cost, f_ptr, f_head, f_cost, dist, came):
    """Fill `dist` and `came` (layers, nodes): what it costs to join each node within so many hops.

    `came` is the arc that leads towards the network; -1 = the node is joined,
    -2 = as in the layer before.
    """
    layers, nodes = dist.shape
    dist[:] = np.inf
    came[:] = _HERE
    for v in range(nodes):
        for d in range(depth[v], layers):
            dist[d, v] = 0.0
    if f_head.shape[0]:
        heap = [(0.0, 0)]
        heap.pop()
        for v in range(nodes):
            if dist[0, v] == 0.0 and f_ptr[v + 1] > f_ptr[v]:
                heap.append((0.0, v))
        heapq.heapify(heap)
        while len(heap):
            far, u = heapq.heappop(heap)
            if far > dist[0, u]:
                continue
            for a in range(f_ptr[u], f_ptr[u + 1]):
                v = f_head[a]
                if depth[v] > 0 and depth[v] < _FAR:
                    continue
                if far + f_cost[a] < dist[0, v]:
                    dist[0, v] = far + f_cost[a]
                    for b in range(f_ptr[v], f_ptr[v + 1]):
                        if f_head[b] == u:
                            came[0, v] = b
                            break
                    heapq.heappush(heap, (dist[0, v], v))
    for d in range(1, layers):
        for v in range(nodes):
            if depth[v] < _FAR:
                continue
            best, way = dist[d - 1, v], _CARRIED
            for a in range(r_ptr[v], r_ptr[v + 1]):
                u = r_head[a]
                if dist[d - 1, u] + r_cost[a] < best:
                    far = dist[d - 1, u] + r_cost[a]
                    if not mast[u]:
                        far += relay[u]
                    if far < best:
                        best, way = far, a
            dist[d, v], came[d, v] = best, way


class Forest:
    """What has been built of a network.

    Parameters
    ----------
    network : Network
        What could be built.
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        self.depth = np.where(network.standing, 0, _FAR).astype(np.int64)
        self.mast = network.standing.copy()
        self.sky = np.zeros(network.nodes, bool)
        self.towards: dict[int, Step] = {}
        shape = (network.max_hops + 1, network.nodes)
        self._dist, self._came = np.empty(shape), np.empty(shape, np.int64)
        self._fresh = False

    def _look(self) -> None:
        if not self._fresh:
            _labels(self.depth, self.mast, self.network.relay_values[:, 1],
                    *self.network.radio_arcs[:3], *self.network.fibre_arcs[:3], self._dist,
                    self._came)
            self._fresh = True

    def prices(self) -> Floats:
        """Return what it would cost to join each node now, hops already built free, (nodes,)."""
        self._look()
        price = np.minimum(self._dist[-1], self.network.satellite_values[:, 1])
        return np.where(self.sky, 0.0, price)

    def trace(self, node: int) -> tuple[Step, ...]:
        """Return the hops that would join a node now by its cheapest way; nothing is built.

        Ties: fewer microwave hops, then the lower node number. A joined node needs none.

        Raises
        ------
        InputError
            If there is no way.
        """
        return tuple(step for step, _ in self._trace(node))

    def _trace(self, node: int) -> list[tuple[Step, int]]:
        self._look()
        network, far = self.network, self._dist[-1, node]
        if self.sky[node] or self.depth[node] < _FAR:
            return []
        if network.satellite_values[node, 1] < far:
            return [(Step(node, -1, -1, False), _FAR)]
        if not np.isfinite(far):
            raise InputError(f"Node {node} has no way to the network.")
        layer, here = network.max_hops, node
        found: list[tuple[Step, int]] = []
        while True:
            arc = self._came[layer, here]
            if arc == _CARRIED:
                layer -= 1
                continue
            if arc == _HERE:
                return found
            _, heads, _, hops = network.radio_arcs if layer else network.fibre_arcs
            end = int(heads[arc])
            found.append((Step(here, end, int(hops[arc]), bool(layer and not self.mast[end])),
                          layer))
            here, layer = end, max(layer - 1, 0)

    def join(self, node: int) -> tuple[Step, ...]:
        """Build the hops that join a node by its cheapest way, and return them.

        A mast stands on the node from then on.

        Raises
        ------
        InputError
            If there is no way.
        """
        found = self._trace(node)
        for step, layer in found:
            self.towards[step.start] = step
            if step.hop == -1:
                self.sky[step.start] = True
            else:
                self.depth[step.start] = layer
            self.mast[step.end] |= step.relay
        self.mast[node] = True
        self._fresh = False
        return tuple(step for step, _ in found)

    def way(self, node: int) -> tuple[Step, ...]:
        """Return every hop from a node to a standing mast, or to the satellite."""
        return walk(self.towards, node)

    def add(self, steps: Iterable[Step]) -> None:
        """Build hops of a way that leads to the network, given from the node outwards."""
        for step in reversed(tuple(steps)):
            self.towards[step.start] = step
            if step.hop == -1:
                self.sky[step.start] = True
            else:
                radio = not self.network.fibre[step.hop]
                self.depth[step.start] = self.depth[step.end] + radio
                self.mast[step.end] |= step.relay
        self._fresh = False

    def touch(self) -> None:
        """Look at everything anew at the next question: masts were put up from outside."""
        self._fresh = False

    def copy(self) -> Forest:
        """Return the same forest, to be built on apart from this one."""
        other = Forest(self.network)
        other.depth, other.mast, other.sky = self.depth.copy(), self.mast.copy(), self.sky.copy()
        other.towards = dict(self.towards)
        return other


def walk(towards: Mapping[int, Step], node: int) -> tuple[Step, ...]:
    """Return every hop from a node to where none leads on."""
    out = []
    while node in towards:
        out.append(towards[node])
        node = towards[node].end
    return tuple(out)


def with_relays(network: Network, steps: list[Step], masts: set[int]) -> tuple[Step, ...]:
    """Say of each hop whether a mast is put up at its end only to pass it on."""
    return tuple(step._replace(relay=bool(step.hop >= 0 and not network.fibre[step.hop]
                                          and step.end not in masts)) for step in steps)
