"""How much any plan of the same cost could gain at most: a bound for every prefix of an order.

Put a price ``u`` between 0 and its weight on every point. Whoever reaches the
point collects the price; the rest of its weight is given away to everybody.
Then no plan of cost C gains more than ::

    sum(weight - u)  +  the prices that single sites collect, packed by
                        collection per cost until C is spent, the last in part

(Lagrangian relaxation of "a point counts once"; fractional knapsack, Dantzig
1957). Every u gives a valid bound for every C at once. ``u = 0`` on the points
that a greedy prefix reaches and the full weight elsewhere is the classic bound
of submodular functions (Nemhauser, Wolsey, Fisher 1978); subgradient steps
from there come near the linear programme's.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from phusong.plan.problem import Problem

__all__ = ["prefix_bounds"]

_SNAPSHOTS = 32
_TUNED = 12
_WORK = 400_000_000
_MOST_STEPS = 300


@njit(cache=True, nogil=True)
def _collected(indptr, indices, price, out):
    """Fill `out` with what each site collects at the prices."""
    for j in range(out.shape[0]):
        total = 0.0
        for k in range(indptr[j], indptr[j + 1]):
            total += price[indices[k]]
        out[j] = total


@njit(cache=True, nogil=True)
def _pack(order, collected, costs, budget, share):
    """Return the fractional knapsack over sites that fit one by one; fill their shares."""
    left, total = budget, 0.0
    share[:] = 0.0
    for j in order:
        if collected[j] <= 0.0 or costs[j] > budget:
            continue
        if costs[j] <= left:
            share[j] = 1.0
            total += collected[j]
            left -= costs[j]
        else:
            share[j] = left / costs[j]
            total += collected[j] * share[j]
            break
    return total


@njit(cache=True, nogil=True)
def _value(indptr, indices, weights, costs, price, budget, collected, share):
    """Return the bound that the prices give for one budget; fill `collected` and `share`."""
    _collected(indptr, indices, price, collected)
    order = np.argsort(-collected / np.maximum(costs, 1e-300))
    given = 0.0
    for i in range(weights.shape[0]):
        given += weights[i] - price[i]
    return given + _pack(order, collected, costs, budget, share)


@njit(cache=True, nogil=True)
def _improve(indptr, indices, weights, costs, price, budget, reached, steps):
    """Return the best prices that `steps` subgradient steps find for one budget.

    Polyak's step towards `reached`, the weight of a known plan, shortened by
    half whenever ten steps bring nothing.
    """
    points, sites = weights.shape[0], costs.shape[0]
    collected, share = np.empty(sites), np.empty(sites)
    cover = np.empty(points)
    best, best_price = np.inf, price.copy()
    here, length, since = price.copy(), 1.0, 0
    for _ in range(steps):
        value = _value(indptr, indices, weights, costs, here, budget, collected, share)
        since += 1
        if value < best * (1.0 - 1e-9):
            best, since = value, 0
            best_price[:] = here
        if since >= 10:
            length, since = 0.5 * length, 0
            here[:] = best_price
            value = _value(indptr, indices, weights, costs, here, budget, collected, share)
        cover[:] = -1.0
        for j in range(sites):
            if share[j] > 0.0:
                for k in range(indptr[j], indptr[j + 1]):
                    cover[indices[k]] += share[j]
        norm = 0.0
        for i in range(points):
            if (here[i] <= 0.0 and cover[i] > 0.0) or (here[i] >= weights[i] and cover[i] < 0.0):
                cover[i] = 0.0
            norm += cover[i] * cover[i]
        if norm <= 0.0 or value <= reached or length < 1e-3:
            break
        step = length * (value - reached) / norm
        for i in range(points):
            here[i] = min(max(here[i] - step * cover[i], 0.0), weights[i])
    return best_price


@njit(cache=True, nogil=True)
def _lower(indptr, indices, weights, costs, price, budgets, bounds):
    """Lower each bound to what the prices give for its budget."""
    collected, share = np.empty(costs.shape[0]), np.empty(costs.shape[0])
    given = _value(indptr, indices, weights, costs, price, 0.0, collected, share)
    order = np.argsort(-collected / np.maximum(costs, 1e-300))
    for k in range(budgets.shape[0]):
        if given < bounds[k]:
            total = given + _pack(order, collected, costs, budgets[k], share)
            bounds[k] = min(bounds[k], total)


def _prices_after(problem: Problem, chosen: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.where(problem.covered(chosen) > 0, 0.0, problem.weights)


_Links = tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float64], NDArray[np.float64]]


def _one(links: _Links, price: NDArray[np.float64], budget: float) -> float:
    bound = np.array([np.inf])
    _lower(*links, price, np.array([budget]), bound)
    return float(bound[0])


def _spread(count: int) -> NDArray[np.int64]:
    """Return up to 12 numbers below `count`, close together at first, ascending."""
    if count <= _TUNED:
        return np.arange(count)
    even = np.linspace(0, count - 1, _TUNED // 2)
    early = np.geomspace(1, count, _TUNED - _TUNED // 2) - 1
    return np.unique(np.concatenate([even, early]).round().astype(np.int64))


def prefix_bounds(problem: Problem, chosen: NDArray[np.int64],
                  budgets: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return for each budget a weight that no plan of that cost exceeds, (budgets,).

    Parameters
    ----------
    problem : Problem
        The covering problem. Groups are left aside, which keeps the bound valid.
    chosen : (sites,) int64
        An order, best the whole greedy order.
    budgets : (budgets,) float64
        Money, e.g. the cumulative costs of a plan.

    Notes
    -----
    Up to 32 prefixes of `chosen` give prices; for up to 12 of the budgets they
    are improved by as many steps as about 1.5e8 looks at links allow, a number
    that depends on the size of the problem only, so that the same input gives
    the same bound. The result is raised by a part in 1e12 for rounding.
    """
    budgets = np.asarray(budgets, np.float64)
    chosen = np.asarray(chosen, np.int64)
    bounds = np.full(len(budgets), problem.reachable)
    if not len(budgets) or not len(chosen):
        return bounds
    links: _Links = (problem.indptr, problem.indices, problem.weights, problem.costs)
    stops = np.unique(np.linspace(0, len(chosen), min(len(chosen), _SNAPSHOTS) + 1).round())
    for stop in stops.astype(np.int64):
        _lower(*links, _prices_after(problem, chosen[:stop]), budgets, bounds)
    tuned = _spread(len(budgets))
    size = len(problem.indices) + 25 * problem.sites + problem.points
    steps = min(_MOST_STEPS, _WORK // (size * len(tuned)))
    spent = np.cumsum(problem.costs[chosen])
    last = _prices_after(problem, chosen)
    for k in tuned:
        within = chosen[:int(np.searchsorted(spent, budgets[k], side="right"))]
        reached = problem.value(within)
        if steps and bounds[k] > reached:
            starts = (_prices_after(problem, within), last)
            first = min(starts, key=lambda price: _one(links, price, budgets[k]))
            last = _improve(*links, first, budgets[k], reached, steps)
            _lower(*links, last, budgets, bounds)
    return np.minimum(bounds * (1.0 + 1e-12), problem.reachable)
