"""Small networks to join sites to, and every forest of them by brute force."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import strategies as st
from phusong.plan.aim import Aim
from phusong.plan.connected import Connected
from phusong.plan.network import Network
from phusong.plan.problem import Problem

__all__ = ["all_forests", "best_for", "best_value", "connected_cases", "every_plan", "keeps",
           "networks"]

_FAR = 99


@st.composite
def networks(draw: st.DrawFn, most_places: int = 4) -> Network:
    """Two standing masts and up to four places, hops of both media, dear and cheap relays."""
    places = draw(st.integers(1, most_places))
    nodes = places + 2
    pairs = [(a, b) for a in range(nodes) for b in range(a + 1, nodes) if a < places]
    chosen = draw(st.lists(st.sampled_from(pairs), min_size=1, max_size=8, unique=True))
    fibre = draw(st.lists(st.booleans(), min_size=len(chosen), max_size=len(chosen)))
    money = st.integers(0, 9).map(float)
    cost = draw(st.lists(money, min_size=len(chosen), max_size=len(chosen)))
    relay = draw(st.lists(st.sampled_from([0.0, 1.0, 3.0, np.inf]), min_size=places,
                          max_size=places))
    sky = draw(st.lists(st.sampled_from([4.0, np.inf, np.inf]), min_size=places,
                        max_size=places))

    def three(values: list[float]) -> np.ndarray:
        return np.array(values)[:, None] * np.array([0.5, 1.0, 2.0])

    return Network(np.arange(nodes) >= places, np.array(chosen), np.array(fibre), three(cost),
                   three([*relay, 0.0, 0.0]), three([*sky, np.inf, np.inf]),
                   draw(st.integers(1, 3)))


@st.composite
def connected_cases(draw: st.DrawFn, most_places: int = 4) -> Connected:
    """Up to five sites on the places of a small network, some at one place, some without need."""
    network = draw(networks(most_places))
    places = int((~network.standing).sum())
    sites, points = draw(st.integers(1, 5)), draw(st.integers(1, 6))
    node = draw(st.lists(st.integers(-1, places - 1), min_size=sites, max_size=sites))
    reach = [sorted(draw(st.sets(st.integers(0, points - 1)))) for _ in range(sites)]
    groups = [n if n >= 0 and draw(st.booleans()) else -1 for n in node]
    problem = Problem.of(np.cumsum([0, *map(len, reach)]), [p for r in reach for p in r],
                         draw(st.lists(st.integers(0, 5), min_size=points, max_size=points)),
                         draw(st.lists(st.integers(1, 5), min_size=sites, max_size=sites)), groups)
    return Connected(problem, network, np.array(node))


def all_forests(network: Network) -> list[tuple[float, list[int], list[int]]]:
    """Return (money for hops, nodes joined, nodes that need a mast) of every forest there is.

    Every place hangs on one hop, on the satellite, or on nothing; written without a look at how
    the program walks.
    """
    places = np.flatnonzero(~network.standing)
    ways: list[list[tuple[str, int, int]]] = []
    for v in places:
        own = [("none", -1, -1)]
        if np.isfinite(network.satellite_values[v, 1]):
            own.append(("sky", -1, -1))
        for hop, (a, b) in enumerate(network.ends):
            if v in (a, b):
                own.append(("fibre" if network.fibre[hop] else "radio", int(b if v == a else a),
                            hop))
        ways.append(own)
    found = []
    for choice in itertools.product(*ways):
        depth = {int(v): _FAR for v in places} | {int(v): 0 for v in
                                                  np.flatnonzero(network.standing)}
        for _ in places:
            for v, (medium, end, _) in zip(places, choice, strict=True):
                if medium == "fibre" and depth[end] == 0:
                    depth[int(v)] = 0
                elif medium == "radio" and depth[end] < network.max_hops:
                    depth[int(v)] = depth[end] + 1
        joined = [int(v) for v, (medium, _, _) in zip(places, choice, strict=True)
                  if medium == "sky" or depth[int(v)] <= network.max_hops]
        if len(joined) != sum(medium != "none" for medium, _, _ in choice):
            continue
        money = sum(network.satellite_values[v, 1] if medium == "sky"
                    else network.hop_values[hop, 1]
                    for v, (medium, _, hop) in zip(places, choice, strict=True)
                    if medium != "none")
        masts = sorted({end for medium, end, _ in choice
                        if medium == "radio" and not network.standing[end]})
        found.append((float(money), joined, masts))
    return found


def cheapest_joins(case: Connected, sites: tuple[int, ...],
                   forests: list[tuple[float, list[int], list[int]]]) -> float:
    """Return the least that a set of sites costs with any forest that joins them; inf = none."""
    nodes = {int(n) for n in case.node[list(sites)] if n >= 0}
    own = float(case.problem.costs[list(sites)].sum())
    return min((own + money + sum(case.network.relay_values[m, 1] for m in masts
                                  if m not in nodes)
                for money, joined, masts in forests if nodes <= set(joined)), default=np.inf)


def every_plan(case: Connected):
    """Every set of sites that do not exclude one another, with its value and least cost."""
    forests = all_forests(case.network)
    for count in range(case.problem.sites + 1):
        for sites in itertools.combinations(range(case.problem.sites), count):
            groups = [g for g in case.problem.groups[list(sites)] if g >= 0]
            if len(groups) == len(set(groups)):
                cost = cheapest_joins(case, sites, forests)
                if np.isfinite(cost):
                    yield sites, case.problem.value(np.array(sites, np.int64)), cost


def keeps(case: Connected, aim: Aim, sites: tuple[int, ...], cost: float) -> bool:
    """Tell whether a set of sites keeps all that is asked."""
    covered = case.problem.covered(np.array(sites, np.int64)) > 0
    return (set(aim.kept.tolist()) <= set(sites) and cost <= aim.budget
            and (aim.max_sites is None or len(sites) <= aim.max_sites)
            and (aim.floors is None or not aim.floors.short(covered).any()))


def best_for(case: Connected, aim: Aim) -> float | None:
    """Return the least cost, or the most weight, of all plans that keep what is asked."""
    worth = [-cost if aim.cheapest else value for sites, value, cost in every_plan(case)
             if keeps(case, aim, sites, cost)]
    return None if not worth else (-max(worth) if aim.cheapest else max(worth))


def best_value(case: Connected, budget: float, max_sites: int) -> float:
    """Return the most weight that any plan with any forest gains for the money."""
    return best_for(case, Aim(budget=budget, max_sites=max_sites)) or 0.0
