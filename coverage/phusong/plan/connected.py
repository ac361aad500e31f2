"""`rank_connected`: students per cost where a site pays only for the hops that are not yet built.

The first site of a valley pays for the way to the network; those that follow
hang on it.  A site's price therefore falls as others are built, and the order of
the most students per cost is another than with every feeder paid alone.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from phusong.errors import Fault, InputError
from phusong.plan.bound import prefix_bounds
from phusong.plan.goal import GRAIN, Goal
from phusong.plan.greedy import greedy, reach_newly
from phusong.plan.network import Forest, Network, NoWayFoundError, Step, walk, with_relays
from phusong.plan.problem import Problem
from phusong.plan.rank import table
from phusong.plan.reach import SitesAndPoints, covering_problem

__all__ = ["Connected", "Grown", "as_plan", "connected_problem", "grow", "rank_connected",
           "replay", "share_free"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Connected:
    """A covering problem whose sites must be joined to a network.

    Parameters
    ----------
    problem : Problem
        Its costs are those of the sites without their feeders.
    network : Network
        What could join them.
    node : (sites,) int64
        Where each site hangs on the network; -1 = it needs no feeder.
    """

    problem: Problem
    network: Network
    node: Ints

    def __post_init__(self) -> None:
        if len(self.node) != self.problem.sites:
            raise InputError(f"{len(self.node)} nodes and {self.problem.sites} sites do not "
                             f"belong together.")
        if len(self.node) and not -1 <= self.node.min() <= self.node.max() < self.network.nodes:
            raise InputError(f"A site hangs on node number {self.node.max()}, but there are only "
                             f"{self.network.nodes} nodes (-1 = it needs none).")

    def prices(self, forest: Forest) -> Floats:
        """Return what each site costs now, the hops that exist left aside; inf = no way."""
        way = np.concatenate([forest.prices(), [0.0]])
        return self.problem.costs + way[self.node]

    def cost(self, forest: Forest, sites: Ints) -> float:
        """Return what sites cost together with all hops of a forest."""
        return float(self.problem.costs[sites].sum()
                     + self.network.values(tuple(forest.towards.values()))[1])


@dataclass(frozen=True, slots=True, eq=False)
class Grown:
    """Sites in the order of building, and the forest that joins them.

    Parameters
    ----------
    order : (chosen,) int64
        Site numbers.
    gains : (chosen,) float64
        Weight that each adds to those before it.
    hops : (chosen, 3) float64
        What the hops cost that each needs first: low, base, high.
    forest : Forest
        All hops together.
    """

    order: Ints
    gains: Floats
    hops: Floats
    forest: Forest

    @property
    def value(self) -> float:
        """Weight of all points reached."""
        return float(self.gains.sum())


def _best(gains: Floats, prices: Floats, may: NDArray[np.bool_]) -> int:
    """Return the site of the most weight per cost; ties: gain, then cost, then number."""
    number = np.flatnonzero(may)
    with np.errstate(divide="ignore"):
        rate = gains[number] / prices[number]
    number = number[rate == rate.max()]
    number = number[gains[number] == gains[number].max()]
    return int(number[np.argmin(prices[number])])


def grow(case: Connected, *, budget: float = np.inf, max_sites: int | None = None,
         must: Ints | None = None, first: Ints | None = None, rates: Floats | None = None,
         start: Grown | None = None,
         until: Callable[[NDArray[np.bool_]], bool] | None = None) -> Grown:
    """Build site after site, always the one of the most new weight per new money.

    New money is the site and the hops that nobody before it has built. Sites of one
    group exclude one another. It stops when nothing affordable gains any more.

    Parameters
    ----------
    case : Connected
        Sites, points and network.
    budget : float
        Never spent over.
    max_sites : int, optional
        Stop after so many sites.
    must : (sites,) int64, optional
        Built before all else, whatever they gain and cost.
    first : (sites,) int64, optional
        Built before all others, in this order; those that do not fit are left out.
    rates : (sites,) float64, optional
        Factors on the weight per cost by which sites are compared (a search shakes the
        order with them); default 1.
    start : Grown, optional
        What stands already, whose costs count towards the budget.
    until : callable, optional
        Is asked before each site, with (points,) bool of those that are reached; True ends it.
    """
    problem = case.problem
    work = _begun(case, start, [] if must is None else must.tolist())
    left, limit = budget - work.spent, problem.sites if max_sites is None else max_sites
    queue = [] if first is None else [int(j) for j in first[::-1]]
    while len(work.order) < limit and not (until and until(work.reached)):
        prices = case.prices(work.forest)
        fits = work.may & (work.gains > 0.0) & (prices <= left) & np.isfinite(prices)
        if queue:
            j = queue.pop()
            if not fits[j]:
                continue
        elif fits.any():
            j = _best(work.gains if rates is None else work.gains * rates, prices, fits)
        else:
            break
        left -= work.join(j)
    return work.done()


def _begun(case: Connected, start: Grown | None, must: list[int]) -> _Work:
    """Build sites in any case; one that those before it leave without a way goes before them."""
    for _ in range(len(must) + 1):
        work = _Work(case, start)
        for j in must:
            if j in work.order:
                continue
            if not np.isfinite(case.prices(work.forest)[j]):
                must = [j, *(k for k in must if k != j)]
                break
            work.join(j)
        else:
            return work
    raise NoWayFoundError("No order was found in which all kept sites can be joined; keep fewer.")


class _Work:
    """Sites being built one after the other."""

    def __init__(self, case: Connected, start: Grown | None) -> None:
        problem = case.problem
        self.case, self.forest = case, Forest(case.network)
        self.gains, self.reached = problem.alone(), np.zeros(problem.points, bool)
        self.may = np.ones(problem.sites, bool)
        self.order: list[int] = []
        self.won: list[float] = []
        self.hops: list[Floats] = []
        self.spent = 0.0
        if start is not None:
            self.forest = start.forest.copy()
            for j, hops in zip(start.order, start.hops, strict=True):
                self.build(int(j), hops)

    def join(self, j: int) -> float:
        """Build a site and the hops it needs, by its cheapest way; return what all cost."""
        node = int(self.case.node[j])
        new = self.forest.join(node) if node >= 0 else ()
        return self.build(j, self.case.network.values(new))

    def build(self, j: int, hops: Floats) -> float:
        """Build a site whose new hops cost `hops`; return what both cost."""
        problem = self.case.problem
        self.order.append(j)
        self.won.append(float(self.gains[j]))
        self.hops.append(hops)
        self.may[j] = False
        if problem.groups[j] >= 0:
            self.may &= problem.groups != problem.groups[j]
        reach_newly(j, problem.indptr, problem.indices, *problem.by_point, problem.weights,
                    self.reached, self.gains)
        cost = float(problem.costs[j] + hops[1])
        self.spent += cost
        return cost

    def done(self) -> Grown:
        """Return what was built."""
        return Grown(np.array(self.order, np.int64), np.array(self.won),
                     np.array(self.hops).reshape(len(self.order), 3), self.forest)


def replay(case: Connected, sites: Ints, towards: Mapping[int, Step]) -> Grown:
    """Build given sites over given hops, as one plan: no relay where a site of it stands.

    Hops that no site needs are left out. The order is that of the most new weight per new
    money; the first site that needs a hop pays for it and for the relay at its end.

    Parameters
    ----------
    case : Connected
        Sites, points and network.
    sites : (chosen,) int64
        Sites to build.
    towards : mapping of int to Step
        For each node that is joined, the hop that leads from it towards the network.
    """
    line = _Line(case, sites, towards)
    while len(line.ways):
        line.build_next()
    return line.work.done()


class _Line:
    """Sites that wait to be built over given hops; whose rate has changed is looked at again."""

    def __init__(self, case: Connected, sites: Ints, towards: Mapping[int, Step]) -> None:
        self.case, self.network, self.work = case, case.network, _Work(case, None)
        node = case.node[sites]
        fed = node[node >= 0]
        self.masts = set(fed.tolist()) | set(np.flatnonzero(self.network.standing).tolist())
        self.work.forest.mast[fed] = True
        self.work.forest.touch()
        self.ways = {int(j): walk(towards, int(case.node[j])) for j in sites}
        self.users: dict[int, list[int]] = {}
        for j, way in self.ways.items():
            for step in way:
                for at in {step.start, step.end}:
                    self.users.setdefault(at, []).append(j)
        self.turn = dict.fromkeys(self.ways, 0)
        self.heap = [(*self.rate(j), 0) for j in self.ways]
        heapq.heapify(self.heap)

    def steps(self, j: int) -> tuple[Step, ...]:
        """Return the hops that a site is the first to need."""
        new = [step for step in self.ways[j] if step.start not in self.work.forest.towards]
        return with_relays(self.network, new, self.masts)

    def rate(self, j: int) -> tuple[float, float, float, int]:
        """Return what sites are compared by, the least first: weight per money, gain, cost."""
        cost = float(self.case.problem.costs[j] + self.network.values(self.steps(j))[1])
        gain = float(self.work.gains[j])
        return -gain / cost if cost > 0.0 else -np.inf, -gain, cost, j

    def build_next(self) -> None:
        """Build the site of the most new weight per new money."""
        *_, j, turn = heapq.heappop(self.heap)
        if j not in self.ways or turn != self.turn[j]:
            return
        told, problem = self.steps(j), self.case.problem
        self.masts |= {step.end for step in told if step.relay}
        mine = problem.indices[problem.indptr[j]:problem.indptr[j + 1]]
        fresh = mine[~self.work.reached[mine]]
        self.work.forest.add(told)
        self.work.build(j, self.network.values(told))
        del self.ways[j]
        changed = {k for step in told for at in (step.start, step.end)
                   for k in self.users.get(at, ())}
        by_indptr, by_indices = problem.by_point
        for i in fresh:
            changed.update(by_indices[by_indptr[i]:by_indptr[i + 1]].tolist())
        for k in changed & self.ways.keys():
            self.turn[k] += 1
            heapq.heappush(self.heap, (*self.rate(k), self.turn[k]))


def share_free(case: Connected) -> Problem:
    """Return the plain covering problem that no plan with feeders can beat.

    Every site that is joined has a hop, or a satellite feeder, into its own place
    that no other place shares; it costs at least the cheapest one there. What may
    be shared, all hops behind it and all relays, is left out. A bound of this
    problem for some money therefore bounds every plan with feeders of that money.
    Sites that could stand at one place together share the hop into it.
    """
    problem, node = case.problem, case.node
    fed = node >= 0
    least = np.zeros(problem.sites)
    least[fed] = case.network.last_hop()[node[fed]]
    # at one node at most so many sites: each group counts once, each site without a group once
    key = np.where(problem.groups >= 0, problem.groups, problem.groups.max(initial=-1) + 1
                   + np.arange(problem.sites))
    pairs = np.unique(np.column_stack([node[fed], key[fed]]), axis=0)
    together = np.bincount(pairs[:, 0], minlength=case.network.nodes)
    least[fed] /= np.maximum(together[node[fed]], 1)
    keep = np.isfinite(least)
    return Problem(problem.indptr, problem.indices, problem.weights,
                   problem.costs + np.where(keep, least, problem.costs.sum() + 1.0),
                   problem.groups)


def connected_problem(gaps: pd.DataFrame, spots: pd.DataFrame, reach: pd.DataFrame,
                      costs: pd.DataFrame, goal: Goal, network: Network, node_of: pd.Series
                      ) -> tuple[SitesAndPoints, Connected]:
    """Build the covering problem of a plan with feeders.

    Parameters
    ----------
    gaps, spots, reach, costs, goal
        As for `phusong.plan.rank`; of the costs those marked ``feeder`` are left
        aside, because the network prices them.
    network : Network
        What feeders could be built.
    node_of : Series
        By site_id: the node where the site must be joined; -1 = it needs no
        feeder, -2 = it has none and cannot be built.

    Returns
    -------
    case : SitesAndPoints
        The problem with costs without feeders, and its names.
    connected : Connected
        The same with the network.

    Raises
    ------
    InputError
        If the tables do not belong together.
    """
    lost = pd.Index(spots["site_id"].unique()).difference(node_of.index)
    if len(lost):
        raise InputError.of([Fault("no_node", f"{len(lost)} candidate sites are not in the "
                                   f"network, first {lost[0]!r}.",
                                   "Price the feeders of the same candidates that you rank.")])
    can = spots["site_id"].map(node_of).to_numpy(np.int64) != -2
    spots = spots[can]
    reach = reach[reach.index.get_level_values("cell_id").isin(spots.index)]
    named = costs.index.get_level_values("site_id").isin(spots["site_id"])
    own = costs[named & ~costs["feeder"].to_numpy(bool)]
    case = covering_problem(gaps, spots, reach, own, goal)
    node = node_of.reindex(case.sites.index).to_numpy(np.int64)
    return case, Connected(case.problem, network, node)


def rank_connected(gaps: pd.DataFrame, spots: pd.DataFrame, reach: pd.DataFrame,
                   costs: pd.DataFrame, goal: Goal, network: Network, node_of: pd.Series
                   ) -> pd.DataFrame:
    """Return the sites to build in the order of weight gained per new money: PLAN.

    As `phusong.plan.rank`, but the cost of a site holds only the hops and relays
    that no site before it in the plan has built, and sites without any way to the
    network are left out.

    Parameters
    ----------
    gaps, spots, reach, costs, goal, network, node_of
        As for `connected_problem`.

    Returns
    -------
    DataFrame
        PLAN, indexed by rank from 1. ``bound``: no plan with feeders of that
        cumulative cost gains more weight (`share_free`).
    """
    case, connected = connected_problem(gaps, spots, reach, costs, goal, network, node_of)
    budget = np.inf if goal.budget is None else goal.budget
    return as_plan(case, connected, grow(connected, budget=budget, max_sites=goal.max_sites))


def as_plan(case: SitesAndPoints, connected: Connected, grown: Grown) -> pd.DataFrame:
    """Return PLAN of sites that were grown with their feeders."""
    problem, order = case.problem, grown.order
    costs, sites = problem.costs.copy(), case.sites.copy()
    costs[order] += grown.hops[:, 1]
    names = case.sites.index[order]
    for name, column in (("cost_low", 0), ("cost_total", 1), ("cost_high", 2)):
        sites.loc[names, name] += grown.hops[:, column]
    paid = replace(case, sites=sites, problem=Problem(
        problem.indptr, problem.indices, problem.weights, costs, problem.groups))
    out = table(paid, order, grown.gains, np.zeros(0, np.int64))
    if not len(out):
        return out
    free = share_free(connected)
    whole, _ = greedy(free)
    bound = prefix_bounds(free, whole, out["cumulative_cost"].to_numpy(np.float64))
    return out.assign(bound=np.floor(bound * GRAIN + 1e-4) / GRAIN)
