"""Least-cost full cover by local search on the sites, steered by weights of the points.

Points that stay uncovered gain weight, so that the search is driven out of
where it is stuck (after Gao, Weise, Li 2015, Swarm and Evolutionary
Computation; here with costs and groups). One step takes the sites away that
lose least weight per cost and covers open points again by what wins most
weight per cost, never at the cost of the best cover so far.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from phusong.plan.problem import Problem
from phusong.plan.search import below

__all__ = ["improve_cover", "no_redundant", "search_cover"]

_TRIED = 64


@njit(cache=True, nogil=True)
def _add(j, now, indptr, indices, by_indptr, by_indices, pressure, times, owner, score, where,
         listed, open_rows, place, size, stamp):
    """Build site j; size = (sites built, open points, changes so far)."""
    gone = 0.0
    size[2] += 1
    for k in range(indptr[j], indptr[j + 1]):
        i = indices[k]
        stamp[i] = size[2]
        if times[i] == 0:
            last = open_rows[size[1] - 1]
            open_rows[place[i]], place[last] = last, place[i]
            size[1] -= 1
            gone += pressure[i]
            for m in range(by_indptr[i], by_indptr[i + 1]):
                score[by_indices[m]] -= pressure[i]
        elif times[i] == 1:
            score[owner[i]] -= pressure[i]
        times[i] += 1
        owner[i] += j
    score[j] = gone
    listed[size[0]], where[j] = j, size[0]
    size[0] += 1


@njit(cache=True, nogil=True)
def _drop(j, indptr, indices, by_indptr, by_indices, pressure, times, owner, score, where, listed,
          open_rows, place, size, stamp):
    """Take site j away."""
    size[2] += 1
    last = listed[size[0] - 1]
    listed[where[j]], where[last] = last, where[j]
    where[j] = -1
    size[0] -= 1
    score[j] = 0.0
    for k in range(indptr[j], indptr[j + 1]):
        i = indices[k]
        stamp[i] = size[2]
        times[i] -= 1
        owner[i] -= j
        if times[i] == 0:
            open_rows[size[1]], place[i] = i, size[1]
            size[1] += 1
            for m in range(by_indptr[i], by_indptr[i + 1]):
                score[by_indices[m]] += pressure[i]
        elif times[i] == 1:
            score[owner[i]] += pressure[i]


@njit(cache=True, nogil=True)
def _least(listed, count, score, costs, moved, banned, state):
    """Return the site built whose loss per cost is least; ties: moved longest ago."""
    best, rate, tries = -1, np.inf, count
    start = 0
    if count > 400:
        tries, start = 100, below(state, count)
    for n in range(tries):
        j = listed[n] if tries == count else listed[below(state, count)]
        if j == banned:
            continue
        own = score[j] / costs[j]
        if own < rate or (own == rate and moved[j] < moved[best]):
            best, rate = j, own
    if best < 0 and count:
        best = listed[start % count]
    return best


@njit(cache=True, nogil=True)
def _touched(j, indptr, indices, stamp, since):
    """Tell whether a point of site j was covered or opened after `since`."""
    found, k = False, indptr[j]
    while k < indptr[j + 1] and not found:
        found = stamp[indices[k]] > since
        k += 1
    return found


@njit(cache=True, nogil=True)
def _winner(i, indptr, indices, by_indptr, by_indices, score, costs, moved, stamp, gone, groups,
            closed, left, tried):
    """Return the site that covers point i and wins most per cost, or -1.

    A site whose surroundings are as they were when it was taken away comes last.
    """
    count, first = 0, -1
    while True:
        best, rate = -1, -1.0
        for m in range(by_indptr[i], by_indptr[i + 1]):
            j = by_indices[m]
            if costs[j] >= left or (groups[j] >= 0 and closed[groups[j]]):
                continue
            own = score[j] / costs[j]
            if own > rate or (own == rate and moved[j] < moved[best]):
                known = False
                for n in range(count):
                    known = known or tried[n] == j
                if not known:
                    best, rate = j, own
        if best < 0:
            return first
        if first < 0:
            first = best
        if _touched(best, indptr, indices, stamp, gone[best]):
            return best
        if count == tried.shape[0]:
            return first
        tried[count] = best
        count += 1


@njit(cache=True, nogil=True)
def _press(open_rows, count, by_indptr, by_indices, pressure, score):
    """Give every open point more weight."""
    for n in range(count):
        i = open_rows[n]
        pressure[i] += 1.0
        for m in range(by_indptr[i], by_indptr[i + 1]):
            score[by_indices[m]] += 1.0


@njit(cache=True, nogil=True)
def search_cover(indptr, indices, by_indptr, by_indices, costs, groups, start, rounds, floor,
                 state):
    """Search on plain arrays; see `improve_cover`, whose kernel this is."""
    sites, points = costs.shape[0], by_indptr.shape[0] - 1
    pressure, times = np.ones(points), np.zeros(points, np.int64)
    owner, place = np.zeros(points, np.int64), np.arange(points)
    score, where = np.zeros(sites), np.full(sites, -1, np.int64)
    listed, open_rows = np.empty(sites, np.int64), np.arange(points)
    moved, gone = np.zeros(sites, np.int64), np.full(sites, -1, np.int64)
    stamp, tried = np.zeros(points, np.int64), np.empty(_TRIED, np.int64)
    closed = np.zeros(max(groups.max() + 1, 1), np.bool_)
    size = np.array([0, points, 0])
    for j in range(sites):
        score[j] = indptr[j + 1] - indptr[j]
    spent = 0.0
    for j in start:
        _add(j, 0, indptr, indices, by_indptr, by_indices, pressure, times, owner, score, where,
             listed, open_rows, place, size, stamp)
        spent += costs[j]
        if groups[j] >= 0:
            closed[groups[j]] = True
    best, kept, fresh = np.inf, start.copy(), -1
    for turn in range(1, rounds + 1):
        cut = 0
        while cut < 1 or (size[1] == 0 and size[0] > 0):
            if size[1] == 0 and spent < best:
                best, kept = spent, listed[:size[0]].copy()
                if best <= floor:
                    return np.sort(kept)
            if size[0] == 0:
                break
            full = size[1] == 0
            j = _least(listed, size[0], score, costs, moved, -1 if full else fresh, state)
            _drop(j, indptr, indices, by_indptr, by_indices, pressure, times, owner, score, where,
                  listed, open_rows, place, size, stamp)
            spent -= costs[j]
            moved[j] = turn
            if groups[j] >= 0:
                closed[groups[j]] = False
            gone[j] = size[2]
            cut += 0 if full else 1
        while size[1] > 0:
            i = open_rows[below(state, size[1])]
            j = _winner(i, indptr, indices, by_indptr, by_indices, score, costs, moved, stamp, gone,
                        groups, closed, best - spent, tried)
            if j < 0:
                break
            _add(j, turn, indptr, indices, by_indptr, by_indices, pressure, times, owner, score,
                 where, listed, open_rows, place, size, stamp)
            spent += costs[j]
            moved[j], fresh = turn, j
            if groups[j] >= 0:
                closed[groups[j]] = True
            _press(open_rows, size[1], by_indptr, by_indices, pressure, score)
        if size[1] == 0 and spent < best:
            best, kept = spent, listed[:size[0]].copy()
    return np.sort(kept)


def improve_cover(problem: Problem, start: NDArray[np.int64], *, rounds: int,
                  state: NDArray[np.uint64], floor: float = 0.0) -> NDArray[np.int64]:
    """Return a full cover that costs no more than `start`, in ascending order of site number.

    Parameters
    ----------
    problem : Problem
        Every point is reached by some site; every site costs more than zero.
    start : (chosen,) int64
        A full cover.
    rounds : int
        Number of steps.
    state : (1,) uint64
        Random stream as `phusong.plan.search.seeded` gives it; moved on in place.
    floor : float
        A cover that costs no more than this is returned at once.
    """
    start = np.asarray(start, np.int64)
    if not problem.points or not rounds:
        return np.sort(start)
    found = search_cover(problem.indptr, problem.indices, *problem.by_point, problem.costs,
                    problem.groups, start, rounds, floor, state)
    better = problem.costs[found].sum() < problem.costs[start].sum()
    return found if better else np.sort(start)


def no_redundant(problem: Problem, chosen: NDArray[np.int64]) -> NDArray[np.int64]:
    """Take away sites without which all their points stay covered, the dearest first."""
    times = problem.covered(chosen)
    kept = []
    for j in sorted(chosen, key=lambda k: (-problem.costs[k], k)):
        mine = problem.indices[problem.indptr[j]:problem.indptr[j + 1]]
        if (times[mine] > 1).all():
            times[mine] -= 1
        else:
            kept.append(j)
    return np.sort(np.array(kept, np.int64))
