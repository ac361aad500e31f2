"""Lazy greedy: again and again the site that gains the most weight per cost.

Two facts make it quick. A site's gain never grows as others are built, so a
stale figure is an upper bound and most of the heap is never looked at. And
when a point is reached for the first time, exactly the sites that reach it
lose its weight, so that over a whole order every link is walked once.
"""

from __future__ import annotations

import heapq

import numpy as np
from numba import njit
from numpy.typing import NDArray

from phusong.plan.problem import Problem

__all__ = ["best_single", "greedy", "reach_newly"]


@njit(cache=True, nogil=True)
def reach_newly(site, indptr, indices, by_indptr, by_indices, weights, reached, gains):
    """Mark the points of `site` as reached and take their weight from every gain.

    Parameters
    ----------
    site : int
        The site that is built now.
    indptr, indices, by_indptr, by_indices, weights : arrays
        As in `phusong.plan.problem.Problem`.
    reached : (points,) bool
        Changed in place.
    gains : (sites,) float64
        Weight that each site would still add; changed in place.
    """
    for k in range(indptr[site], indptr[site + 1]):
        point = indices[k]
        if not reached[point]:
            reached[point] = True
            for m in range(by_indptr[point], by_indptr[point + 1]):
                gains[by_indices[m]] -= weights[point]


@njit(cache=True, nogil=True)
def _per_cost(gain, cost):
    if cost > 0.0:
        return gain / cost
    return np.inf


@njit(cache=True, nogil=True)
def _greedy(indptr, indices, by_indptr, by_indices, weights, costs, groups, gains, first, budget,
            max_sites):
    sites = costs.shape[0]
    reached = np.zeros(weights.shape[0], np.bool_)
    closed = np.zeros(max(groups.max() + 1 if sites else 0, 1), np.bool_)
    order = np.empty(min(sites, max_sites), np.int64)
    won = np.empty(order.shape[0], np.float64)
    count, spent = 0, 0.0
    heap = [(0.0, 0.0, 0.0, 0)]
    heap.pop()
    for j in range(sites):
        if gains[j] > 0.0 and costs[j] <= budget:
            heap.append((-_per_cost(gains[j], costs[j]), -gains[j], costs[j], j))
    heapq.heapify(heap)
    while count < order.shape[0] and (first >= 0 or len(heap)):
        if first >= 0:
            j, first = first, -1
        else:
            _, gain, cost, j = heapq.heappop(heap)
            if groups[j] >= 0 and closed[groups[j]]:
                continue
            if gains[j] != -gain:
                if gains[j] > 0.0:
                    again = (-_per_cost(gains[j], cost), -gains[j], cost, j)
                    heapq.heappush(heap, again)
                continue
        if gains[j] <= 0.0 or spent + costs[j] > budget:
            continue
        order[count], won[count] = j, gains[j]
        count += 1
        spent += costs[j]
        if groups[j] >= 0:
            closed[groups[j]] = True
        reach_newly(j, indptr, indices, by_indptr, by_indices, weights, reached, gains)
    return order[:count].copy(), won[:count].copy()


def greedy(problem: Problem, *, budget: float = np.inf, max_sites: int | None = None,
           first: int | None = None) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return sites in the order of most new weight per cost, and what each one adds.

    Ties are settled by the higher gain, then the lower cost, then the lower
    site number. A site that no longer fits into what is left of the budget is
    passed over for good. Sites of one group exclude one another. It stops when
    nothing gains any more.

    Parameters
    ----------
    problem : Problem
        Exact if its weights are multiples of 1/1024 (as `goal.weights` gives):
        then no sum is ever rounded.
    budget : float
        The order never costs more in all.
    max_sites : int, optional
        Stop after so many sites.
    first : int, optional
        A site that is built before all others.

    Returns
    -------
    order : (chosen,) int64
        Site numbers.
    gains : (chosen,) float64
        Weight that each adds to those before it.

    Notes
    -----
    With equal costs the order is within 1 - 1/e of the best for every number of
    sites (Nemhauser, Wolsey, Fisher 1978). Under a budget the better of this
    order and the `best_single` site is within 1 - 1/sqrt(e) (Khuller, Moss,
    Naor 1999). With groups the guarantee is 1/2 of the best for equal costs.
    """
    limit = problem.sites if max_sites is None else max_sites
    return _greedy(problem.indptr, problem.indices, *problem.by_point, problem.weights,
                   problem.costs, problem.groups, problem.alone(),
                   -1 if first is None else first, float(budget), limit)


def best_single(problem: Problem, budget: float = np.inf) -> int | None:
    """Return the one affordable site that reaches the most weight, or None.

    Ties: lower cost, then lower site number.
    """
    alone = np.where(problem.costs <= budget, problem.alone(), 0.0)
    if not len(alone) or alone.max() <= 0.0:
        return None
    return int(np.lexsort((np.arange(problem.sites), problem.costs, -alone))[0])
