"""The plan with feeders as a mixed-integer programme over layers of depth: optimum, or a bound.

A place that hangs d microwave hops away from transport is a node of layer d, so
that "at most so many hops" needs no further constraint and no circle can close.
Fibre, which adds no depth, carries a flow that starts at every place it reaches
and ends at standing masts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from phusong.plan.connected import Connected, Grown, replay
from phusong.plan.network import Network, Step
from phusong.plan.solution import grain

__all__ = ["Proof", "prove"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Proof:
    """What the programme found.

    Parameters
    ----------
    bound : float
        No plan with feeders gains more weight.
    grown : Grown or None
        The best plan it found, with its forest; None = none in time.
    """

    bound: float
    grown: Grown | None


@dataclass(frozen=True, slots=True, eq=False)
class _Arcs:
    """Arcs from places towards the network that a best forest may need.

    `end` is where an arc leads; `side` whether that is another place, not a standing mast.
    """

    tail: Ints
    end: Ints
    cost: Floats
    hop: Ints
    side: NDArray[np.bool_]


class _Rows:
    """Rows of a sparse matrix, gathered block by block."""

    def __init__(self) -> None:
        self.row: list[Ints] = []
        self.column: list[Ints] = []
        self.value: list[Floats] = []
        self.low: list[Floats] = []
        self.high: list[Floats] = []
        self.count = 0

    def add(self, entries: Sequence[tuple[Ints, Ints, float | Floats]], low: float, high: float,
            rows: int) -> None:
        """Add `rows` rows with entries (row within the block, column, value)."""
        for row, column, value in entries:
            self.row.append(np.asarray(row, np.int64) + self.count)
            self.column.append(np.asarray(column, np.int64))
            self.value.append(np.broadcast_to(np.asarray(value, np.float64), len(row)))
        self.low.append(np.full(rows, low))
        self.high.append(np.full(rows, high))
        self.count += rows

    def constraint(self, columns: int) -> LinearConstraint:
        """Return all rows together."""
        matrix = sparse.csr_matrix(
            (np.concatenate(self.value), (np.concatenate(self.row), np.concatenate(self.column))),
            shape=(self.count, columns))
        return LinearConstraint(matrix, np.concatenate(self.low), np.concatenate(self.high))


def _arcs(network: Network) -> tuple[_Arcs, _Arcs]:
    """Return the arcs of microwave and of fibre that a best forest may need.

    All standing masts are alike, so each place keeps its cheapest hop to any of them. An
    arc to another place that costs no less than that is never better: the place would hang
    on the mast itself, and no deeper. Direct fibre beats microwave that costs no less.
    """
    glass = np.full(network.nodes, np.inf)
    out = []
    for indptr, head, cost, hop in (network.fibre_arcs, network.radio_arcs):
        tail = np.repeat(np.arange(network.nodes), np.diff(indptr))
        up = network.standing[head]
        order = np.lexsort((head, cost, tail))
        first = order[(up & ~network.standing[tail])[order]]
        first = first[np.unique(tail[first], return_index=True)[1]]
        first = first[cost[first] < glass[tail[first]]]
        direct = glass.copy()
        direct[tail[first]] = cost[first]
        side = np.flatnonzero(~network.standing[tail] & ~up & (cost < direct[tail]))
        keep = np.concatenate([first, side])
        out.append(_Arcs(tail[keep], head[keep], cost[keep], hop[keep],
                         np.arange(len(keep)) >= len(first)))
        glass = direct
    return out[1], out[0]


class _Programme:
    """Columns and rows; its public face is `prove`."""

    def __init__(self, case: Connected, budget: float, max_sites: int | None) -> None:
        self.case, self.network, self.problem = case, case.network, case.problem
        self.radio, self.glass = _arcs(case.network)
        depth = case.network.max_hops
        # microwave columns: arcs to a mast in layer 1 only, arcs to places in every layer
        layers = np.where(self.radio.side, depth, 1)
        self.arc = np.repeat(np.arange(len(layers)), layers)
        start = np.concatenate([[0], np.cumsum(layers)]).astype(np.int64)
        self.layer = 1 + np.arange(len(self.arc)) - start[self.arc]
        sizes = {"site": self.problem.sites, "point": self.problem.points,
                 "radio": len(self.arc), "glass": len(self.glass.tail),
                 "sky": self.network.nodes, "relay": self.network.nodes,
                 "mast": self.network.nodes, "flow": len(self.glass.tail)}
        ends = np.cumsum(list(sizes.values()))
        self.at = {name: np.arange(end - size, end) for (name, size), end in
                   zip(sizes.items(), ends, strict=True)}
        self.columns = int(ends[-1])
        self.rows = _Rows()
        self._cover(max_sites)
        self._join()
        self._pass_on()
        self._shine()
        self._pay(budget)

    def _cover(self, max_sites: int | None) -> None:
        """A point counts if a site reaches it; variants exclude one another."""
        problem, at = self.problem, self.at
        site = np.repeat(np.arange(problem.sites), np.diff(problem.indptr))
        points = np.arange(problem.points)
        self.rows.add([(points, at["point"], 1.0),
                       (problem.indices.astype(np.int64), at["site"][site], -1.0)],
                      -np.inf, 0.0, problem.points)
        own = np.flatnonzero(problem.groups >= 0)
        groups, number = np.unique(problem.groups[own], return_inverse=True)
        self.rows.add([(number, at["site"][own], 1.0)], -np.inf, 1.0, len(groups))
        if max_sites is not None:
            self.rows.add([(np.zeros(problem.sites, np.int64), at["site"], 1.0)], -np.inf,
                          float(max_sites), 1)

    def _joined(self, sign: float) -> list[tuple[Ints, Ints, float]]:
        """Return entries (node, column) of everything that joins a node."""
        return [(self.radio.tail[self.arc], self.at["radio"], sign),
                (self.glass.tail, self.at["glass"], sign),
                (np.arange(self.network.nodes), self.at["sky"], sign)]

    def _join(self) -> None:
        """A place is joined once at most; a site stands only where its place is joined."""
        nodes = self.network.nodes
        self.rows.add(self._joined(1.0), -np.inf, 1.0, nodes)
        fed = np.flatnonzero((self.case.node >= 0)
                             & ~self.network.standing[np.maximum(self.case.node, 0)])
        for_node = [np.flatnonzero(self.case.node[fed] == v) for v in range(nodes)]
        entries: list[tuple[Ints, Ints, float]] = [
            (np.arange(len(fed)), self.at["site"][fed], 1.0)]
        for node, column, sign in self._joined(-1.0):
            sites = [for_node[v] for v in node]
            count = [len(each) for each in sites]
            entries.append((np.concatenate([*sites, np.zeros(0, np.int64)]).astype(np.int64),
                            np.repeat(column, count), sign))
        self.rows.add(entries, -np.inf, 0.0, len(fed))

    def _pass_on(self) -> None:
        """An arc of layer d hangs on a place of layer d - 1 that has a mast."""
        radio, at = self.radio, self.at
        side = np.flatnonzero(radio.side[self.arc])
        layer, end = self.layer[side], radio.end[self.arc[side]]
        child, parent = [], []
        for d in range(1, self.network.max_hops + 1):
            mine = np.flatnonzero(layer == d)
            if d == 1:
                tails, columns = self.glass.tail, at["glass"]
            else:
                above = self.layer == d - 1
                tails, columns = radio.tail[self.arc[above]], at["radio"][above]
            order = np.argsort(tails, kind="stable")
            low = np.searchsorted(tails[order], end[mine], "left")
            count = np.searchsorted(tails[order], end[mine], "right") - low
            child.append(np.repeat(mine, count))
            inside = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
            parent.append(columns[order[np.repeat(low, count) + inside]])
        self.rows.add([(np.arange(len(side)), at["radio"][side], 1.0),
                       (np.concatenate(child), np.concatenate(parent), -1.0)], -np.inf, 0.0,
                      len(side))
        arcs, number = np.unique(self.arc[side], return_inverse=True)
        self.rows.add([(number, at["radio"][side], 1.0),
                       (np.arange(len(arcs)), at["mast"][radio.end[arcs]], -1.0)], -np.inf, 0.0,
                      len(arcs))
        fed = np.flatnonzero(self.case.node >= 0)
        every = np.arange(self.network.nodes)
        self.rows.add([(every, at["mast"], 1.0), (every, at["relay"], -1.0),
                       (self.case.node[fed], at["site"][fed], -1.0)], -np.inf, 0.0, len(every))

    def _shine(self) -> None:
        """Fibre hangs on fibre; a flow from every place on fibre must arrive at a mast."""
        glass, at, nodes = self.glass, self.at, self.network.nodes
        side = np.flatnonzero(glass.side)
        pairs = [np.flatnonzero(glass.tail == glass.end[k]) for k in side]
        self.rows.add([(np.arange(len(side)), at["glass"][side], 1.0),
                       (np.repeat(np.arange(len(side)), [len(p) for p in pairs]),
                        at["glass"][np.concatenate([*pairs, np.zeros(0)]).astype(np.int64)],
                        -1.0)], -np.inf, 0.0, len(side))
        every = np.arange(len(glass.tail))
        self.rows.add([(every, at["flow"], 1.0), (every, at["glass"], -float(nodes))], -np.inf,
                      0.0, len(every))
        self.rows.add([(glass.tail, at["flow"], 1.0), (glass.end[side], at["flow"][side], -1.0),
                       (glass.tail, at["glass"], -1.0)], 0.0, 0.0, nodes)

    def _pay(self, budget: float) -> None:
        """Sites, hops, relays and satellite feeders within the money."""
        network, at = self.network, self.at
        if budget == np.inf:
            return
        scale = max(budget, 1.0)

        def money(name: str, cost: Floats) -> tuple[Ints, Ints, Floats]:
            return np.zeros(len(cost), np.int64), at[name], np.where(
                np.isfinite(cost), cost, 0.0) / scale

        self.rows.add([money("site", self.problem.costs),
                       money("radio", self.radio.cost[self.arc]), money("glass", self.glass.cost),
                       money("sky", network.satellite_values[:, 1]),
                       money("relay", network.relay_values[:, 1])], -np.inf, budget / scale, 1)

    def solve(self, seconds: float, gap: float) -> tuple[Floats | None, float]:
        """Return the best values of all columns that were found, and the bound."""
        network, at = self.network, self.at
        high = np.ones(self.columns)
        high[at["flow"]] = float(network.nodes)
        high[at["sky"]] = np.isfinite(network.satellite_values[:, 1])
        high[at["relay"]] = np.isfinite(network.relay_values[:, 1])
        whole = np.zeros(self.columns)
        for name in ("site", "radio", "glass", "sky"):
            whole[at[name]] = 1.0
        price = np.zeros(self.columns)
        price[at["point"]] = -self.problem.weights
        found = milp(price, integrality=whole, bounds=Bounds(0.0, high),
                     constraints=self.rows.constraint(self.columns),
                     options={"time_limit": seconds, "mip_rel_gap": gap})
        least = found.get("mip_dual_bound")
        bound = self.problem.reachable if least is None or not np.isfinite(least) else -least
        return found.x, bound


def _as_grown(programme: _Programme, values: Floats) -> Grown:
    """Read sites and forest from the columns."""
    case, at = programme.case, programme.at
    chosen = np.flatnonzero(values[at["site"]] > 0.5)
    steps = {}
    for arcs, number, on in ((programme.glass, np.arange(len(programme.glass.tail)), "glass"),
                             (programme.radio, programme.arc, "radio")):
        for column in np.flatnonzero(values[at[on]] > 0.5):
            k = number[column]
            steps[int(arcs.tail[k])] = Step(int(arcs.tail[k]), int(arcs.end[k]),
                                            int(arcs.hop[k]), False)
    for node in np.flatnonzero(values[at["sky"]] > 0.5):
        steps[int(node)] = Step(int(node), -1, -1, False)
    return replay(case, chosen, steps)


def prove(case: Connected, *, budget: float = np.inf, max_sites: int | None = None,
          seconds: float = 60.0, gap: float = 0.0) -> Proof:
    """Return the best plan with feeders, or how far any can get, by HiGHS.

    Parameters
    ----------
    case : Connected
        Sites, points and network.
    budget : float
        Money for sites and hops.
    max_sites : int, optional
        Most sites.
    seconds : float
        Ends after so long (wall clock); the bound is valid whenever it ends.
    gap : float
        Ends when plan and bound are so near, as a share of the plan.

    Notes
    -----
    The bound is cut down to the step that all weights are multiples of.
    """
    if not case.problem.sites or case.problem.reachable <= 0.0:
        return Proof(0.0, None)
    programme = _Programme(case, budget, max_sites)
    values, bound = programme.solve(seconds, gap)
    step = grain(case.problem.weights)
    if step:
        bound = np.floor(bound / step + 1e-6) * step
    return Proof(float(min(bound, case.problem.reachable)),
                 None if values is None else _as_grown(programme, values))
