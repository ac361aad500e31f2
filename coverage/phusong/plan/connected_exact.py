"""The plan with feeders as a mixed-integer programme over layers of depth: optimum, or a bound.

A place that hangs d microwave hops away from transport is a node of layer d, so
that "at most so many hops" needs no further constraint and no circle can close.
Fibre, which adds no depth, carries a flow that starts at every place it reaches
and ends at standing masts.  Limits, kept sites, floors and full cover are rows of
the same programme.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phusong.plan.aim import Aim
from phusong.plan.connected import Connected, Grown, replay
from phusong.plan.network import Network, Step
from phusong.plan.rows import Answer, Rows, solve_rows
from phusong.plan.solution import grain

__all__ = ["Arcs", "Programme", "Proof", "arcs_of", "prove"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_SIDE = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Proof:
    """What the programme found.

    Parameters
    ----------
    bound : float
        No plan with feeders is better: an upper bound of weight, a lower one of cost.
    grown : Grown or None
        The best plan it found, with its forest; None = none in time.
    infeasible : bool
        Whether no plan keeps all that is asked.
    interrupted : bool
        Whether an interrupt (Ctrl-C) ended it.
    """

    bound: float
    grown: Grown | None
    infeasible: bool = False
    interrupted: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Arcs:
    """Arcs from places towards the network that a best forest may need.

    Parameters
    ----------
    tail, end : (arcs,) int64
        Nodes from and to which each leads.
    cost : (arcs,) float64
        Base present value of the hop.
    hop : (arcs,) int64
        Its number.
    side : (arcs,) bool
        Whether it leads to another place, not to a standing mast.
    """

    tail: Ints
    end: Ints
    cost: Floats
    hop: Ints
    side: NDArray[np.bool_]


def arcs_of(network: Network) -> tuple[Arcs, Arcs]:
    """Return the arcs, first of microwave, then of fibre, that a best forest may need.

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
        out.append(Arcs(tail[keep], head[keep], cost[keep], hop[keep],
                         np.arange(len(keep)) >= len(first)))
        glass = direct
    return out[1], out[0]


def _pairs(keys: Ints, among: Ints) -> tuple[Ints, Ints]:
    """Return all (i, k) with ``keys[i] == among[k]``, as two arrays."""
    order = np.argsort(among, kind="stable")
    low = np.searchsorted(among[order], keys, "left")
    count = np.searchsorted(among[order], keys, "right") - low
    inside = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    return np.repeat(np.arange(len(keys)), count), order[np.repeat(low, count) + inside]


class Programme:
    """Columns and rows of one case.

    Parameters
    ----------
    case : Connected
        Sites, points and network.
    aim : Aim
        What is asked for.
    """

    def __init__(self, case: Connected, aim: Aim) -> None:
        self.case, self.aim = case, aim
        self.network, self.problem = case.network, case.problem
        self.radio, self.glass = arcs_of(case.network)
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
        self.at: dict[str, Ints] = {name: np.arange(end - size, end) for (name, size), end in
                                    zip(sizes.items(), ends, strict=True)}
        self.columns = int(ends[-1])
        self.rows = Rows()
        self._cover()
        self._join()
        self._pass_on()
        self._shine()
        self._limit()

    def _cover(self) -> None:
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

    def _joined(self, sign: float) -> list[tuple[Ints, Ints, float]]:
        """Return entries (node, column) of everything that joins a node."""
        return [(self.radio.tail[self.arc], self.at["radio"], sign),
                (self.glass.tail, self.at["glass"], sign),
                (np.arange(self.network.nodes), self.at["sky"], sign)]

    def _join(self) -> None:
        """A place is joined once at most; sites stand only where their place is joined.

        The variants of one place, of which at most one is built, share a row.
        """
        nodes, groups, node = self.network.nodes, self.problem.groups, self.case.node
        self.rows.add(self._joined(1.0), -np.inf, 1.0, nodes)
        fed = np.flatnonzero(~np.append(self.network.standing, True)[node])
        key = np.where(groups[fed] >= 0, groups[fed], groups.max(initial=-1) + 1 + fed)
        together, number = np.unique(np.column_stack([node[fed], key]), axis=0,
                                     return_inverse=True)
        entries: list[tuple[Ints, Ints, float]] = [
            (number.ravel(), self.at["site"][fed], 1.0)]
        for where, column, sign in self._joined(-1.0):
            row, k = _pairs(together[:, 0], where)
            entries.append((row, column[k], sign))
        self.rows.add(entries, -np.inf, 0.0, len(together))

    def _pass_on(self) -> None:
        """An arc of layer d hangs on a place of layer d - 1 that has a mast, not back on its own.
        """
        radio, at = self.radio, self.at
        side = np.flatnonzero(radio.side[self.arc])
        layer, end = self.layer[side], radio.end[self.arc[side]]
        tail = radio.tail[self.arc[side]]
        child, parent = [], []
        for d in range(1, self.network.max_hops + 1):
            mine = np.flatnonzero(layer == d)
            if d == 1:
                tails, ends, columns = self.glass.tail, self.glass.end, at["glass"]
            else:
                above = self.layer == d - 1
                arcs = self.arc[above]
                tails, ends, columns = radio.tail[arcs], radio.end[arcs], at["radio"][above]
            i, k = _pairs(end[mine], tails)
            on = ends[k] != tail[mine[i]]
            child.append(mine[i[on]])
            parent.append(columns[k[on]])
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
        i, k = _pairs(glass.end[side], glass.tail)
        on = glass.end[k] != glass.tail[side[i]]
        self.rows.add([(np.arange(len(side)), at["glass"][side], 1.0),
                       (i[on], at["glass"][k[on]], -1.0)], -np.inf, 0.0, len(side))
        every = np.arange(len(glass.tail))
        self.rows.add([(every, at["flow"], 1.0), (every, at["glass"], -float(nodes))], -np.inf,
                      0.0, len(every))
        self.rows.add([(glass.tail, at["flow"], 1.0), (glass.end[side], at["flow"][side], -1.0),
                       (glass.tail, at["glass"], -1.0)], 0.0, 0.0, nodes)

    def money(self) -> Floats:
        """Return what each column costs, (columns,): sites, hops, relays, satellite feeders."""
        network, out = self.network, np.zeros(self.columns)
        for name, cost in (("site", self.problem.costs), ("radio", self.radio.cost[self.arc]),
                           ("glass", self.glass.cost), ("sky", network.satellite_values[:, 1]),
                           ("relay", network.relay_values[:, 1])):
            out[self.at[name]] = np.where(np.isfinite(cost), cost, 0.0)
        return out

    def _limit(self) -> None:
        """Number of sites, money, floors."""
        aim, at = self.aim, self.at
        none = np.zeros(self.problem.sites, np.int64)
        if aim.max_sites is not None:
            self.rows.add([(none, at["site"], 1.0)], -np.inf, float(aim.max_sites), 1)
        if aim.budget < np.inf:
            scale, money = max(aim.budget, 1.0), self.money()
            used = np.flatnonzero(money)
            self.rows.add([(np.zeros(len(used), np.int64), used, money[used] / scale)], -np.inf,
                          aim.budget / scale * (1.0 + _SIDE), 1)
        if aim.floors is not None and len(aim.floors.least):
            amounts = aim.floors.amounts.tocoo()
            scale = np.maximum(np.asarray(abs(aim.floors.amounts).max(axis=1).todense()).ravel(),
                               1e-300)
            self.rows.add([(amounts.row, at["point"][amounts.col],
                            amounts.data / scale[amounts.row])],
                          aim.floors.least / scale * (1.0 - _SIDE), np.inf, len(scale))

    def solve(self, seconds: float, gap: float, *, start: Grown | None = None,
              price: float = 0.0) -> Answer:
        """Let HiGHS look for the best values of all columns.

        Parameters
        ----------
        seconds : float
            CPU seconds.
        gap : float
            As a share of the value.
        start : Grown, optional
            A plan to begin with; its hops are chosen anew.
        price : float
            Weight that one unit of money is worth: taken off what a plan gains.
        """
        network, at, aim = self.network, self.at, self.aim
        low, high = np.zeros(self.columns), np.ones(self.columns)
        low[at["site"][aim.kept]] = 1.0
        high[at["flow"]] = float(network.nodes)
        high[at["sky"]] = np.isfinite(network.satellite_values[:, 1])
        high[at["relay"]] = np.isfinite(network.relay_values[:, 1])
        whole = np.zeros(self.columns, bool)
        for name in ("site", "radio", "glass", "sky"):
            whole[at[name]] = True
        if aim.cheapest:
            worth = -self.money()
        else:
            worth = -price * self.money()
            worth[at["point"]] = self.problem.weights
        given = None
        if start is not None:
            known = np.zeros(self.problem.sites)
            known[start.order] = 1.0
            given = (at["site"], known)
        return solve_rows(self.rows, worth, low, high, whole, start=given, gap=gap,
                          seconds=seconds)

    def chosen(self, values: Floats) -> tuple[Ints, dict[int, Step]]:
        """Read sites, and the hop that leads on from each place, from the columns."""
        at, steps = self.at, {}
        chosen = np.flatnonzero(values[at["site"]] > 0.5)
        for arcs, number, on in ((self.glass, np.arange(len(self.glass.tail)), "glass"),
                                 (self.radio, self.arc, "radio")):
            for column in np.flatnonzero(values[at[on]] > 0.5):
                k = number[column]
                steps[int(arcs.tail[k])] = Step(int(arcs.tail[k]), int(arcs.end[k]),
                                                int(arcs.hop[k]), False)
        for node in np.flatnonzero(values[at["sky"]] > 0.5):
            steps[int(node)] = Step(int(node), -1, -1, False)
        return chosen, steps


def prove(case: Connected, aim: Aim, *, seconds: float = 60.0, gap: float = 0.0,
          start: Grown | None = None) -> Proof:
    """Return the best plan with feeders, or how far any can get, by HiGHS.

    Parameters
    ----------
    case : Connected
        Sites, points and network.
    aim : Aim
        What is asked for.
    seconds : float
        Ends after so much CPU time; the bound is valid whenever it ends.
    gap : float
        Ends when plan and bound are so near, as a share of the plan.
    start : Grown, optional
        A plan that keeps all that is asked, to begin with.

    Notes
    -----
    The bound is moved outwards by HiGHS's tolerance and then inwards to the step that all
    weights, or costs, are multiples of.
    """
    problem = case.problem
    if not problem.sites or (not aim.cheapest and problem.reachable <= 0.0 and not len(aim.kept)
                             and aim.floors is None):
        return Proof(0.0, None)
    programme = Programme(case, aim)
    found = programme.solve(seconds, gap, start=start)
    if found.infeasible:
        return Proof(np.inf if aim.cheapest else -np.inf, None, infeasible=True)
    grown = None if found.values is None else replay(case, *programme.chosen(found.values))
    if aim.cheapest:
        return Proof(_up(-found.bound, _steps_of(case)), grown, interrupted=found.interrupted)
    step = grain(problem.weights)
    bound = np.floor(found.bound / step + 1e-6) * step if step else found.bound
    return Proof(float(min(bound, problem.reachable)), grown, interrupted=found.interrupted)


def _steps_of(case: Connected) -> float:
    """Return the step that all costs of a case are multiples of, or 0."""
    network = case.network
    parts = [case.problem.costs, network.hop_values[:, 1], network.relay_values[:, 1],
             network.satellite_values[:, 1]]
    return grain(np.concatenate([p[np.isfinite(p)] for p in parts]))


def _up(bound: float, step: float) -> float:
    bound = max(bound, 0.0)
    return float(np.ceil(bound / step - 1e-6) * step) if step and np.isfinite(bound) else bound
