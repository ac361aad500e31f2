"""Large plans with feeders in parts: money has a price, and at that price the map falls apart.

At a price of money (weight per unit) a plan is worth its weight less the price of all it
costs; a budget only adds ``price x budget`` to the bound (Lagrangian relaxation).  Sites that
cannot pay at the price, and places over which no hop can pay, drop out; what is left falls into
parts that share neither points nor hops.  Each is solved exactly by the programme over layers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from phusong.plan.aim import Aim
from phusong.plan.connected import Connected, Grown, grow, replay
from phusong.plan.connected_exact import Arcs, Programme, arcs_of
from phusong.plan.network import Network, Step
from phusong.plan.reduce import part_of
from phusong.plan.solution import Clock

__all__ = ["Part", "Priced", "at_price", "between", "parts_of", "search_price"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_TURNS = 12
_ENOUGH = 1e-4
_STRIDE = 1.25


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Sites, points and places that have nothing to do with the others.

    Parameters
    ----------
    case : Connected
        The part as a case of its own.
    kept : (sites,) int64
        Its sites that are built in any case.
    site_of, node_of, hop_of : int64 arrays
        Numbers of its sites, nodes and hops in the whole.
    """

    case: Connected
    kept: Ints
    site_of: Ints
    node_of: Ints
    hop_of: Ints


Piece = tuple[Part, Ints, dict[int, Step]]


@dataclass(frozen=True, slots=True, eq=False)
class Priced:
    """The best plan at a price of money, part by part.

    Parameters
    ----------
    price : float
        Weight per unit of money.
    bound : float
        No plan within the budget gains more weight.
    plan : Grown
        What all parts build together.
    cost : float
        What that costs.
    pieces : tuple of (Part, sites, steps)
        The same part by part, in the numbers of the whole.
    whole : bool
        Whether every part was solved to the end.
    """

    price: float
    bound: float
    plan: Grown
    cost: float
    pieces: tuple[Piece, ...] = field(repr=False)
    whole: bool


def _useful(case: Connected, sites: NDArray[np.bool_], relay: Floats,
            both: tuple[Arcs, Arcs]) -> NDArray[np.bool_]:
    """Tell which places a best forest of the kept sites may need.

    A place without a site only passes hops on. What it saves those that would hang on it, beside
    hanging on a mast directly, must exceed the mast and the cheapest hop that leads on.
    """
    nodes = case.network.nodes
    own = np.zeros(nodes, bool)
    own[case.node[sites & (case.node >= 0)]] = True
    direct = np.full(nodes, np.inf)
    last = case.network.last_hop()
    for arcs in both:
        up = ~arcs.side
        np.minimum.at(direct, arcs.tail[up], arcs.cost[up])
    useful = own | np.isfinite(last)
    while True:
        saved = np.zeros((2, nodes))
        for k, arcs in enumerate(both):
            on = arcs.side & useful[arcs.tail] & useful[arcs.end]
            np.add.at(saved[k], arcs.end[on], direct[arcs.tail[on]] - arcs.cost[on])
        now = own | (useful & ((saved[0] > relay + last) | (saved[1] > last)
                               | (saved[0] + saved[1] > relay + last)))
        if (now == useful).all():
            return useful
        useful = now


def parts_of(case: Connected, aim: Aim, price: float) -> list[Part]:
    """Return the parts into which a case falls at a price of money.

    Parameters
    ----------
    case : Connected
        Sites, points and network; every site has a way.
    aim : Aim
        Its kept sites stay. For the cheapest plan the price is left aside and every site stays.
    price : float
        Weight per unit of money.

    Notes
    -----
    A site that gains less than its own cost at the price is never built for its gain; it may
    still be the cheapest mast to pass hops on, so its place takes the difference as the price
    of a relay if that is less. One on which nothing can hang pays its last hop as well.
    """
    problem, network = case.problem, case.network
    both = arcs_of(network)
    keep, relay = np.ones(problem.sites, bool), network.relay_values.copy()
    if not aim.cheapest and price > 0.0:
        gain, fed = problem.alone() / price, case.node >= 0
        passing = np.zeros(network.nodes + 1, bool)
        for arcs in both:
            passing[arcs.end[arcs.side]] = True
        last = np.concatenate([network.last_hop(), [0.0]])[case.node]
        free = np.where(passing[case.node], 0.0, last / _sharing(case))
        keep = gain > problem.costs + free
        keep[aim.kept] = True
        out = ~keep & fed
        np.minimum.at(relay[:, 1], case.node[out], np.maximum(problem.costs - gain, 0.0)[out])
    used = _useful(case, keep, relay[:, 1], both)
    label = _labels(case, keep, used, both)
    lean = Network(network.standing, network.ends, network.fibre, network.hop_values, relay,
                   network.satellite_values, network.max_hops)
    return [_part(case, lean, aim, both, sites, nodes) for sites, nodes in
            _members(case, keep, used, label)]


def _sharing(case: Connected) -> Floats:
    """Return how many sites could stand together at the place of each, at least 1."""
    key = np.where(case.problem.groups >= 0, case.problem.groups,
                   case.problem.groups.max(initial=-1) + 1 + np.arange(case.problem.sites))
    pairs = np.unique(np.column_stack([case.node, key]), axis=0)
    count = np.bincount(pairs[:, 0] + 1, minlength=case.network.nodes + 1)
    return np.maximum(count[case.node + 1], 1).astype(np.float64)


def _labels(case: Connected, keep: NDArray[np.bool_], used: NDArray[np.bool_],
            both: tuple[Arcs, Arcs]) -> Ints:
    """Number the parts: of sites, then points, nodes and groups of variants."""
    problem = case.problem
    sites, points, nodes = problem.sites, problem.points, case.network.nodes
    owner = np.repeat(np.arange(sites), np.diff(problem.indptr))
    reach = keep[owner]
    fed = np.flatnonzero(keep & (case.node >= 0))
    grouped = np.flatnonzero(keep & (problem.groups >= 0))
    rows = [owner[reach].astype(np.int64), fed, grouped]
    columns = [sites + problem.indices[reach].astype(np.int64), sites + points + case.node[fed],
               sites + points + nodes + problem.groups[grouped]]
    for arcs in both:
        on = arcs.side & used[arcs.tail] & used[arcs.end]
        rows.append(sites + points + arcs.tail[on])
        columns.append(sites + points + arcs.end[on])
    size = sites + points + nodes + int(problem.groups.max(initial=-1)) + 1
    row, column = np.concatenate(rows), np.concatenate(columns)
    graph = sparse.coo_matrix((np.ones(len(row), np.int8), (row, column)), shape=(size, size))
    return np.asarray(connected_components(graph, directed=False)[1], np.int64)


def _members(case: Connected, keep: NDArray[np.bool_], used: NDArray[np.bool_], label: Ints
             ) -> list[tuple[Ints, Ints]]:
    """Return sites and nodes of each part that has a site."""
    sites = np.flatnonzero(keep)
    first = case.problem.sites + case.problem.points
    nodes = np.flatnonzero(used)
    of_node = label[first + nodes]
    order, of_site = np.argsort(label[sites], kind="stable"), np.sort(label[sites])
    turn = np.argsort(of_node, kind="stable")
    cuts = np.flatnonzero(np.diff(of_site)) + 1
    found = []
    for mine in np.split(sites[order], cuts) if len(sites) else []:
        low, high = np.searchsorted(of_node[turn], [label[mine[0]], label[mine[0]] + 1])
        found.append((np.sort(mine), np.sort(nodes[turn[low:high]])))
    return found


def _part(case: Connected, lean: Network, aim: Aim, both: tuple[Arcs, Arcs], sites: Ints,
          nodes: Ints) -> Part:
    """Cut one part out: its places, and the masts on which they may hang."""
    inside = np.zeros(lean.nodes, bool)
    inside[nodes] = True
    hops = [arcs.hop[inside[arcs.tail] & (inside[arcs.end] | ~arcs.side)] for arcs in both]
    hop_of = np.unique(np.concatenate(hops)).astype(np.int64)
    node_of = np.unique(np.concatenate([nodes, lean.ends[hop_of].ravel()])).astype(np.int64)
    network = Network(lean.standing[node_of], np.searchsorted(node_of, lean.ends[hop_of]),
                      lean.fibre[hop_of], lean.hop_values[hop_of], lean.relay_values[node_of],
                      lean.satellite_values[node_of], lean.max_hops)
    problem, chosen = case.problem, np.zeros(case.problem.sites, bool)
    chosen[sites] = True
    points = np.zeros(problem.points, bool)
    for j in sites:
        points[problem.indices[problem.indptr[j]:problem.indptr[j + 1]]] = True
    node = case.node[sites]
    small = Connected(part_of(problem, chosen, points), network,
                      np.where(node >= 0, np.searchsorted(node_of, np.maximum(node, 0)), -1))
    return Part(small, np.flatnonzero(np.isin(sites, aim.kept)), sites, node_of, hop_of)


def _solved(part: Part, price: float, gap: float, seconds: float
            ) -> tuple[float, Ints, dict[int, Step], bool]:
    """Return the bound of a part's worth at a price, its sites and hops, and whether it is done."""
    programme = Programme(part.case, Aim(kept=part.kept))
    found = programme.solve(seconds, gap, price=price)
    if found.interrupted:
        raise KeyboardInterrupt
    nothing = 0.0 if not len(part.kept) else -np.inf
    if found.values is None:
        return max(found.bound, nothing), np.empty(0, np.int64), {}, False
    sites, steps = programme.chosen(found.values)
    node = part.node_of
    walked = {int(node[s.start]): Step(int(node[s.start]), -1 if s.end < 0 else int(node[s.end]),
                                       -1 if s.hop < 0 else int(part.hop_of[s.hop]), False)
              for s in steps.values()}
    return max(found.bound, nothing), part.site_of[sites], walked, True


def at_price(case: Connected, aim: Aim, price: float, parts: list[Part], *, gap: float,
             clock: Clock) -> Priced:
    """Solve every part at a price of money.

    Parameters
    ----------
    case : Connected
        The whole.
    aim : Aim
        With a budget.
    price : float
        Weight per unit of money.
    parts : list of Part
        Of `parts_of` at the same price.
    gap : float
        Each part ends at this share of its worth.
    clock : Clock
        What is left is shared among the parts by their number of sites.
    """
    total, whole = price * aim.budget, True
    pieces: list[Piece] = []
    left = sum(len(part.site_of) for part in parts)
    for part in sorted(parts, key=lambda p: len(p.site_of)):
        share = 4.0 * clock.left * len(part.site_of) / max(left, 1)
        worth, sites, steps, done = _solved(part, price, gap, max(share, 0.05))
        left -= len(part.site_of)
        total += worth
        whole &= done
        pieces.append((part, sites, steps))
    plan = _together(case, pieces)
    return Priced(price, total, plan, case.cost(plan.forest, plan.order), tuple(pieces), whole)


def _together(case: Connected, pieces: list[Piece]) -> Grown:
    sites = np.concatenate([np.empty(0, np.int64), *(sites for _, sites, _ in pieces)])
    towards: dict[int, Step] = {}
    for _, _, steps in pieces:
        towards |= steps
    return replay(case, np.sort(sites), towards)


def between(case: Connected, cheap: Priced, dear: Priced, budget: float) -> Grown:
    """Return the cheaper plan with those parts of the dearer one that gain most and still fit.

    Parameters
    ----------
    case : Connected
        The whole.
    cheap, dear : Priced
        At a higher and at a lower price of money: every part of the first lies within one of
        the second. The first costs no more than the budget.
    budget : float
        Not spent over.
    """
    problem = case.problem
    towards = dict(cheap.plan.forest.towards)
    chosen = np.zeros(problem.sites, bool)
    chosen[cheap.plan.order] = True
    offers = []
    for part, sites, steps in dear.pieces:
        old = part.site_of[chosen[part.site_of]]
        mine = {v: towards[v] for v in part.node_of.tolist() if v in towards}
        now, before = replay(case, sites, steps), replay(case, old, mine)
        more = case.cost(now.forest, now.order) - case.cost(before.forest, before.order)
        gain = now.value - before.value
        if gain > 0.0:
            offers.append((gain / max(more, 1e-9), more, part, sites, steps))
    left = budget - cheap.cost
    for _, more, part, sites, steps in sorted(offers, key=lambda o: -o[0]):
        if more <= left:
            left -= more
            chosen[part.site_of] = False
            chosen[sites] = True
            for v in part.node_of.tolist():
                towards.pop(v, None)
            towards |= steps
    return replay(case, np.flatnonzero(chosen), towards)


def search_price(case: Connected, aim: Aim, price: float, *, gap: float, clock: Clock,
                 offer: Callable[[Grown], None], prove: Callable[[float], bool]) -> None:
    """Look for the price of money at which a plan costs the budget; offer plans, prove bounds.

    Parameters
    ----------
    case : Connected
        Sites, points and network; every site has a way.
    aim : Aim
        With a budget; without floors or a number of sites.
    price : float
        Weight per unit of money, to begin with.
    gap : float
        Share of its worth at which each part may end.
    clock : Clock
        Ends the search.
    offer : callable
        Is given plans within the budget.
    prove : callable
        Is given bounds; returns whether that is near enough.
    """
    cheap: Priced | None = None
    dear: Priced | None = None
    for _ in range(_TURNS):
        now = at_price(case, aim, price, parts_of(case, aim, price), gap=gap, clock=clock)
        if now.cost <= aim.budget:
            cheap = now
            offer(grow(case, budget=aim.budget, start=now.plan))
        else:
            dear = now
        if cheap is not None and dear is not None:
            mixed = between(case, cheap, dear, aim.budget)
            offer(grow(case, budget=aim.budget, start=mixed))
        if prove(now.bound) or clock.left <= 0.0:
            return
        if cheap is None or dear is None:
            price *= _STRIDE if cheap is None else 1.0 / _STRIDE
            continue
        apart = dear.cost - cheap.cost
        price = (dear.plan.value - cheap.plan.value) / apart if apart > 0.0 else price
        if not dear.price * (1.0 + _ENOUGH) < price < cheap.price * (1.0 - _ENOUGH):
            return
