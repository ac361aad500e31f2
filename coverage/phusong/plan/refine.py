"""A full cover made cheaper region by region: some sites are freed, their region is covered anew.

Everything else stays as it is, so that each region is a small set-cover problem
(large-neighbourhood search, Shaw 1998), repaired by the weighted local search
of `phusong.plan.cover`. A region is compact: the sites that share most of what
the sites around its centre reach. All sites may enter, not only those that the
relaxation favours.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numba import njit
from numpy.typing import NDArray

from phusong.plan.cover import search_cover
from phusong.plan.problem import Problem
from phusong.plan.search import below
from phusong.plan.solution import Clock

__all__ = ["refine_cover"]


@njit(cache=True, nogil=True)
def _region(seed, most, indptr, indices, by_indptr, by_indices, plan):
    """Return `seed` and the sites of the plan nearest to it by what both nearly reach.

    Of two equally near the one of lower number comes first.
    """
    near, touch = np.zeros(indptr.shape[0] - 1), np.zeros(by_indptr.shape[0] - 1)
    for k in range(indptr[seed], indptr[seed + 1]):
        i = indices[k]
        for m in range(by_indptr[i], by_indptr[i + 1]):
            near[by_indices[m]] += 1.0
    for j in range(near.shape[0]):
        if near[j] > 0.0:
            for k in range(indptr[j], indptr[j + 1]):
                touch[indices[k]] += near[j]
    overlap = np.zeros(plan.shape[0])
    for n in range(plan.shape[0]):
        p, total = plan[n], 0.0
        for k in range(indptr[p], indptr[p + 1]):
            total += touch[indices[k]]
        overlap[n] = np.inf if p == seed else total / max(1, indptr[p + 1] - indptr[p])
    order, count = np.argsort(-overlap, kind="mergesort"), 0
    while count < min(most, plan.shape[0]) and overlap[order[count]] > 0.0:
        count += 1
    return plan[order[:count]]


@njit(cache=True, nogil=True)
def _opened(freed, indptr, indices, by_indptr, by_indices, times):
    """Return the small problem of the points that only the `freed` sites reach.

    Its sites (their numbers come first), its links by site and by point, and
    where each site of the whole problem went (-1 = nowhere).
    """
    own, points = np.zeros(times.shape[0], np.int64), np.empty(times.shape[0], np.int64)
    rows = 0
    for j in freed:
        for k in range(indptr[j], indptr[j + 1]):
            i = indices[k]
            own[i] += 1
            if own[i] == times[i]:
                points[rows] = i
                rows += 1
    where, sites = np.full(indptr.shape[0] - 1, -1, np.int64), 0
    ids = np.empty(indptr.shape[0] - 1, np.int64)
    row_ptr = np.zeros(rows + 1, np.int64)
    for r in range(rows):
        i = points[r]
        row_ptr[r + 1] = row_ptr[r] + by_indptr[i + 1] - by_indptr[i]
        for m in range(by_indptr[i], by_indptr[i + 1]):
            if where[by_indices[m]] < 0:
                where[by_indices[m]], ids[sites] = sites, by_indices[m]
                sites += 1
    row_ids, ptr = np.empty(row_ptr[rows], np.int32), np.zeros(sites + 1, np.int64)
    for r in range(rows):
        for m in range(by_indptr[points[r]], by_indptr[points[r] + 1]):
            j = where[by_indices[m]]
            row_ids[row_ptr[r] + m - by_indptr[points[r]]] = j
            ptr[j + 1] += 1
    ptr = np.cumsum(ptr)
    fill, ids_of = ptr[:-1].copy(), np.empty(row_ptr[rows], np.int32)
    for r in range(rows):
        for a in range(row_ptr[r], row_ptr[r + 1]):
            j = row_ids[a]
            ids_of[fill[j]] = r
            fill[j] += 1
    return ids[:sites].copy(), ptr, ids_of, row_ptr, row_ids, where


def refine_cover(problem: Problem, plan: NDArray[np.int64], *, size: int = 12, rounds: int = 2000,
                 often: int = 6, seconds: float = np.inf, state: NDArray[np.uint64],
                 better: Callable[[NDArray[np.int64]], None] | None = None) -> NDArray[np.int64]:
    """Return a full cover that costs no more than `plan`, ascending.

    Parameters
    ----------
    problem : Problem
        Every point has a site, every site costs more than zero; no groups.
    plan : (chosen,) int64
        A full cover.
    size : int
        Sites freed at a time.
    rounds : int
        Steps of the local search in each region.
    often : int
        Ends when each site of the plan has been the centre of so many regions since it came.
    seconds : float
        CPU time to spend.
    state : (1,) uint64
        Random stream; moved on in place.
    better : callable, optional
        Called with every cheaper cover.
    """
    clock, plan = Clock(seconds), np.sort(np.asarray(plan, np.int64))
    arrays = (problem.indptr, problem.indices, *problem.by_point)
    times = problem.covered(plan)
    tried = np.zeros(problem.sites, np.int64)
    while clock.left > 0.0 and len(plan):
        fewest = int(tried[plan].min())
        if fewest >= often:
            break
        least = plan[tried[plan] == fewest]
        centre = int(least[below(state, len(least))])
        tried[centre] += 1
        freed = _region(centre, size, *arrays, plan)
        ids, ptr, points, row_ptr, row_ids, where = _opened(freed, *arrays, times)
        start = where[freed]
        new = search_cover(ptr, points, row_ptr, row_ids, problem.costs[ids], problem.groups[ids],
                           start[start >= 0], rounds, 0.0, state)
        if problem.costs[ids[new]].sum() < problem.costs[freed].sum():
            new = ids[new].astype(np.int64)
            plan = np.sort(np.concatenate([np.setdiff1d(plan, freed), new]))
            times = problem.covered(plan)
            tried[new] = 0
            if better:
                better(plan)
    return plan
