"""How much any plan of the same cost could gain at most: a bound for every prefix of an order.

For a set S of sites already built, no set T of cost C gains more than
``f(S)`` plus the gains that single sites would add to S, packed by gain per
cost until C is spent, the last one in part (f is submodular; Nemhauser,
Wolsey, Fisher 1978, with the fractional knapsack of Dantzig 1957). Any S will
do, so the least value over several S is taken.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from phusong.plan.greedy import reach_newly
from phusong.plan.problem import Problem

__all__ = ["prefix_bounds"]

_SNAPSHOTS = 64


@njit(cache=True, nogil=True)
def _packed(order, gains, costs, capacity, cap):
    """Return the fractional knapsack over sites that fit one by one, never above `cap`."""
    left, total = capacity, 0.0
    for j in order:
        if gains[j] <= 0.0 or costs[j] > capacity:
            continue
        if costs[j] <= left:
            total += gains[j]
            left -= costs[j]
        else:
            total += gains[j] * (left / costs[j])
            left = 0.0
        if left <= 0.0 or total >= cap:
            break
    return min(total, cap)


@njit(cache=True, nogil=True)
def _bounds(indptr, indices, by_indptr, by_indices, weights, costs, gains, chosen, snapshots,
            budgets, reachable):
    reached = np.zeros(weights.shape[0], np.bool_)
    best = np.full(budgets.shape[0], reachable)
    so_far, step = 0.0, 0
    for stop in snapshots:
        while step < stop:
            so_far += gains[chosen[step]]
            reach_newly(chosen[step], indptr, indices, by_indptr, by_indices, weights, reached,
                        gains)
            step += 1
        order = np.argsort(-gains / np.maximum(costs, 1e-300))
        for k in range(budgets.shape[0]):
            if best[k] > so_far:
                room = _packed(order, gains, costs, budgets[k], best[k] - so_far)
                best[k] = min(best[k], so_far + room)
    return best


def prefix_bounds(problem: Problem, chosen: NDArray[np.int64],
                  budgets: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return for each budget a weight that no plan of that cost exceeds, (budgets,).

    Parameters
    ----------
    problem : Problem
        The covering problem. Groups are left aside, which keeps the bound valid.
    chosen : (sites,) int64
        An order, best the whole greedy order; up to 64 of its prefixes are
        tried as S (every one, if it is not longer).
    budgets : (budgets,) float64
        Money, e.g. the cumulative costs of a plan.
    """
    count = len(chosen)
    snapshots = np.unique(np.linspace(0, count, min(count, _SNAPSHOTS) + 1).round()
                          ).astype(np.int64)
    return _bounds(problem.indptr, problem.indices, *problem.by_point, problem.weights,
                   problem.costs, problem.alone(), np.asarray(chosen, np.int64), snapshots,
                   np.asarray(budgets, np.float64), problem.reachable)
