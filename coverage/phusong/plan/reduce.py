"""Smaller problems with the same optimum.

Each step keeps at least one best plan of the problem before it, exactly:

* points without weight or without a site count nothing;
* points that the same sites reach are one point of their summed weight;
* a site that reaches nothing, or does not fit the budget, is not needed;
* a site is not needed if another one costs no more, reaches all it reaches and
  excludes no further site (of two alike the lower number stays);
* under full cover, a point is covered whenever another one is whose sites all
  reach it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from phusong.plan.problem import Problem

__all__ = ["Reduction", "components", "part_of", "reduce_problem"]

_ROUNDS = 6


@dataclass(frozen=True, slots=True, eq=False)
class Reduction:
    """A problem made smaller without loss.

    Parameters
    ----------
    problem : Problem
        The smaller problem.
    site_of : (sites,) int64
        Number in the original problem of each site that is left.
    merged, dominated_sites, dominated_points : int
        How many points were joined to others, sites and points left out.
    """

    problem: Problem
    site_of: NDArray[np.int64]
    merged: int
    dominated_sites: int
    dominated_points: int


@njit(cache=True, nogil=True)
def _same(indptr, indices, a, b):
    if indptr[a + 1] - indptr[a] != indptr[b + 1] - indptr[b]:
        return False
    for k in range(indptr[a + 1] - indptr[a]):
        if indices[indptr[a] + k] != indices[indptr[b] + k]:
            return False
    return True


@njit(cache=True, nogil=True)
def _twins(indptr, indices, keys, order):
    """Return for each row the lowest row that is equal to it."""
    rows = keys.shape[0]
    first = np.arange(rows)
    start = 0
    while start < rows:
        stop = start + 1
        while stop < rows and keys[order[stop]] == keys[order[start]]:
            stop += 1
        for a in range(start, stop):
            if first[order[a]] != order[a]:
                continue
            for b in range(a + 1, stop):
                if first[order[b]] == order[b] and _same(indptr, indices, order[a], order[b]):
                    first[order[b]] = order[a]
        start = stop
    return first


@njit(cache=True, nogil=True)
def _contains(indptr, indices, big, small):
    """Tell whether the sorted row `small` is a part of the sorted row `big`."""
    k, end = indptr[big], indptr[big + 1]
    if end - k < indptr[small + 1] - indptr[small]:
        return False
    for m in range(indptr[small], indptr[small + 1]):
        wanted = indices[m]
        while k < end and indices[k] < wanted:
            k += 1
        if k == end or indices[k] != wanted:
            return False
        k += 1
    return True


@njit(cache=True, nogil=True)
def _dominated_sites(indptr, indices, by_indptr, by_indices, costs, groups):
    sites = costs.shape[0]
    out = np.zeros(sites, np.bool_)
    for j in range(sites):
        if indptr[j] == indptr[j + 1]:
            out[j] = True
            continue
        rare, least = -1, np.int64(2 ** 62)
        for m in range(indptr[j], indptr[j + 1]):
            degree = by_indptr[indices[m] + 1] - by_indptr[indices[m]]
            if degree < least:
                least, rare = degree, indices[m]
        for m in range(by_indptr[rare], by_indptr[rare + 1]):
            k = by_indices[m]
            if k == j or out[k] or costs[k] > costs[j]:
                continue
            if groups[k] >= 0 and groups[k] != groups[j]:
                continue
            if not _contains(indptr, indices, k, j):
                continue
            alike = (costs[k] == costs[j] and groups[k] == groups[j]
                     and indptr[k + 1] - indptr[k] == indptr[j + 1] - indptr[j])
            if not alike or k < j:
                out[j] = True
                break
    return out


@njit(cache=True, nogil=True)
def _dominated_points(indptr, indices, by_indptr, by_indices):
    """Mark points that are covered whenever some other point is (full cover only)."""
    points = by_indptr.shape[0] - 1
    out = np.zeros(points, np.bool_)
    for i in range(points):
        if out[i] or by_indptr[i] == by_indptr[i + 1]:
            continue
        lean, least = -1, np.int64(2 ** 62)
        for m in range(by_indptr[i], by_indptr[i + 1]):
            j = by_indices[m]
            if indptr[j + 1] - indptr[j] < least:
                least, lean = indptr[j + 1] - indptr[j], j
        for m in range(indptr[lean], indptr[lean + 1]):
            other = indices[m]
            if other == i or out[other]:
                continue
            if _contains(by_indptr, by_indices, other, i):
                out[other] = True
    return out


def _keys(indptr: NDArray[np.int64], indices: NDArray[np.int32], columns: int
          ) -> NDArray[np.int64]:
    """Return one number per row that equal rows share."""
    marks = np.random.default_rng(0).integers(-2 ** 62, 2 ** 62, columns, np.int64)
    total = np.concatenate([np.zeros(1, np.int64), np.cumsum(marks[indices])])
    return total[indptr[1:]] - total[indptr[:-1]]


def _part(problem: Problem, sites: NDArray[np.bool_], row_of: NDArray[np.int64],
          weights: NDArray[np.float64]) -> Problem:
    """Return the problem of some sites, its points renumbered (-1 = left out)."""
    length = np.diff(problem.indptr)
    owner = np.repeat(np.arange(problem.sites), length)
    keep = sites[owner] & (row_of[problem.indices] >= 0)
    counts = np.bincount(owner[keep], minlength=problem.sites)[sites]
    return Problem.of(np.concatenate([[0], np.cumsum(counts)]), row_of[problem.indices[keep]],
                      weights, problem.costs[sites], problem.groups[sites])


def _merge(problem: Problem, cover: bool) -> tuple[Problem, int]:
    """Join points with the same sites; leave out those that count nothing."""
    by_indptr, by_indices = problem.by_point
    keys = _keys(by_indptr, by_indices, problem.sites)
    first = _twins(by_indptr, by_indices, keys, np.argsort(keys, kind="stable"))
    weights = np.bincount(first, problem.weights, problem.points)
    counts = (first == np.arange(problem.points)) & (np.diff(by_indptr) > 0)
    if not cover:
        counts &= weights > 0
    row_of = np.where(counts, np.cumsum(counts) - 1, -1)
    small = _part(problem, np.ones(problem.sites, bool), row_of, weights[counts])
    return small, problem.points - int(counts.sum())


def reduce_problem(problem: Problem, *, budget: float = np.inf, cover: bool = False
                   ) -> Reduction:
    """Return a smaller problem with the same optimum, and how its sites were called.

    Parameters
    ----------
    problem : Problem
        The problem.
    budget : float
        Sites that cost more are left out.
    cover : bool
        Whether every reachable point must be covered (weights then count
        nothing); if not, covered weight is wanted.

    Notes
    -----
    Weights of merged points are summed; with weights in multiples of 1/1024
    (as `phusong.plan.goal.weights` gives) the sums are exact.
    """
    site_of = np.flatnonzero(problem.costs <= budget)
    everywhere = np.arange(problem.points)
    small = _part(problem, problem.costs <= budget, everywhere, problem.weights)
    merged = left_out = poor = 0
    for _ in range(_ROUNDS):
        small, joined = _merge(small, cover)
        merged += joined
        out = _dominated_sites(small.indptr, small.indices, *small.by_point, small.costs,
                               small.groups)
        left_out += int(out.sum())
        site_of = site_of[~out]
        small = _part(small, ~out, np.arange(small.points), small.weights)
        weak = np.zeros(small.points, bool)
        if cover:
            weak = _dominated_points(small.indptr, small.indices, *small.by_point)
            row_of = np.where(~weak, np.cumsum(~weak) - 1, -1)
            small = _part(small, np.ones(small.sites, bool), row_of, small.weights[~weak])
            poor += int(weak.sum())
        if not out.any() and not weak.any():
            break
    return Reduction(small, site_of, merged, left_out, poor)


def part_of(problem: Problem, sites: NDArray[np.bool_], points: NDArray[np.bool_]) -> Problem:
    """Return the problem of some sites and some points, both in their old order."""
    row_of = np.where(points, np.cumsum(points) - 1, -1)
    return _part(problem, sites, row_of, problem.weights[points])


def components(problem: Problem) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Split a problem where nothing connects its parts.

    Returns
    -------
    point_part, site_part : (points,) and (sites,) int64
        Number of the part, in the order of its lowest point; sites that reach
        nothing are -1. Sites of one group belong to one part.
    """
    from scipy import sparse
    from scipy.sparse.csgraph import connected_components

    points, sites = problem.points, problem.sites
    groups = int(problem.groups.max(initial=-1)) + 1
    owner = np.repeat(np.arange(sites), np.diff(problem.indptr)) + points
    grouped = np.flatnonzero(problem.groups >= 0)
    start = np.concatenate([problem.indices, grouped + points])
    stop = np.concatenate([owner, problem.groups[grouped] + points + sites])
    graph = sparse.coo_matrix((np.ones(len(start), np.int8), (start, stop)),
                              shape=(points + sites + groups,) * 2)
    _, labels = connected_components(graph, directed=False)
    _, lowest, number = np.unique(labels, return_index=True, return_inverse=True)
    rank = np.argsort(np.argsort(lowest))
    part = rank[number].astype(np.int64)
    site_part = part[points:points + sites]
    return part[:points], np.where(np.diff(problem.indptr) > 0, site_part, -1)
