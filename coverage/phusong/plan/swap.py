"""Tabu search by single swaps, for plans of few sites.

Each step takes one site of the plan away and builds the one that then wins most,
the best of all such pairs that are not forbidden, even if the plan gets worse;
what was swapped is forbidden for a few steps (Glover 1989). Now and then a
random site goes first. What money or number of sites is left is filled up
greedily. On plans of a dozen sites it finds what annealing misses.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from phusong.plan.problem import Problem
from phusong.plan.search import below, change, enter, leave

__all__ = ["swap"]

_OUT, _IN = 12, 6
_KICK = 25


@njit(cache=True, nogil=True)
def _best_in(gains, costs, groups, closed, chosen, left, barred, turn, least):
    """Return the site that wins most and may be built; a barred one only if it wins `least`."""
    best, most = -1, 0.0
    for j in range(gains.shape[0]):
        if gains[j] <= most or chosen[j] or costs[j] > left:
            continue
        if groups[j] >= 0 and closed[groups[j]]:
            continue
        if barred[j] > turn and gains[j] <= least:
            continue
        best, most = j, gains[j]
    return best


@njit(cache=True, nogil=True)
def _swaps(indptr, indices, by_indptr, by_indices, weights, costs, groups, gains, start, budget,
           max_sites, rounds, state):
    sites, points = costs.shape[0], weights.shape[0]
    chosen, times = np.zeros(sites, np.bool_), np.zeros(points, np.int64)
    closed = np.zeros(max(groups.max() + 1, 1), np.bool_)
    listed, where = np.empty(sites, np.int64), np.zeros(sites, np.int64)
    barred, held = np.zeros(sites, np.int64), np.zeros(sites, np.int64)
    count, value, spent = 0, 0.0, 0.0
    for j in start:
        value += change(j, 1, indptr, indices, by_indptr, by_indices, weights, times, gains)
        count, spent = enter(j, groups, chosen, closed, listed, where, count), spent + costs[j]
    best, kept = value, listed[:count].copy()
    for turn in range(1, rounds + 1):
        out, into, most = -1, -1, -np.inf
        if count > 1 and below(state, _KICK) == 0:
            j = listed[below(state, count)]
            value -= change(j, -1, indptr, indices, by_indptr, by_indices, weights, times, gains)
            count, spent = leave(j, groups, chosen, closed, listed, where, count), spent - costs[j]
            barred[j] = turn + 1 + below(state, _OUT)
        for n in range(count):
            j = listed[n]
            if held[j] > turn:
                continue
            lost = change(j, -1, indptr, indices, by_indptr, by_indices, weights, times, gains)
            chosen[j] = False
            if groups[j] >= 0:
                closed[groups[j]] = False
            old, barred[j] = barred[j], turn + 1
            k = _best_in(gains, costs, groups, closed, chosen, budget - spent + costs[j], barred,
                         turn, best - value + lost)
            barred[j], chosen[j] = old, True
            if groups[j] >= 0:
                closed[groups[j]] = True
            won = 0.0 if k < 0 else gains[k]
            change(j, 1, indptr, indices, by_indptr, by_indices, weights, times, gains)
            if won - lost > most:
                most, out, into = won - lost, j, k
        if out >= 0:
            value -= change(out, -1, indptr, indices, by_indptr, by_indices, weights, times, gains)
            count = leave(out, groups, chosen, closed, listed, where, count)
            spent -= costs[out]
            barred[out] = turn + 2 + below(state, _OUT)
        while count < max_sites:
            if into < 0:
                into = _best_in(gains, costs, groups, closed, chosen, budget - spent, barred, turn,
                                best - value)
                if into < 0:
                    break
            value += change(into, 1, indptr, indices, by_indptr, by_indices, weights, times, gains)
            count = enter(into, groups, chosen, closed, listed, where, count)
            spent += costs[into]
            held[into], into = turn + 1 + below(state, _IN), -1
        if value > best:
            best, kept = value, listed[:count].copy()
    return np.sort(kept)


def swap(problem: Problem, start: NDArray[np.int64], *, rounds: int, state: NDArray[np.uint64],
         budget: float = np.inf, max_sites: int | None = None) -> NDArray[np.int64]:
    """Return a plan that covers at least as much weight as `start`, ascending.

    Parameters
    ----------
    problem : Problem
        Exact if its weights are multiples of 1/1024.
    start : (chosen,) int64
        A plan that keeps the limits and the groups.
    rounds : int
        Number of swaps; each looks at every site of the plan.
    state : (1,) uint64
        Random stream as `phusong.plan.search.seeded` gives it; moved on in place.
    budget : float
        Greatest cost in all.
    max_sites : int, optional
        Greatest number of sites.

    Notes
    -----
    Of two equal swaps the one found first counts: sites of the plan in the order
    in which they were built, new sites by number.
    """
    start = np.sort(np.asarray(start, np.int64))
    if not problem.sites or not problem.points or not rounds:
        return start
    return _swaps(problem.indptr, problem.indices, *problem.by_point, problem.weights,
                  problem.costs, problem.groups, problem.alone(), start, float(budget),
                  problem.sites if max_sites is None else max_sites, rounds, state)
