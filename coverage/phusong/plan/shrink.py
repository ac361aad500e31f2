"""The arrays of one node of branch and bound, as small as they can be."""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["cut", "degrees"]


@njit(cache=True, nogil=True)
def _join(indptr, indices, weights, open_sites, covered, marks):
    """Join points with the same open sites; return where each went and the joined weights."""
    points = weights.shape[0]
    one, two = np.zeros(points, np.uint64), np.zeros(points, np.uint64)
    for j in open_sites:
        for m in range(indptr[j], indptr[j + 1]):
            i = indices[m]
            if not covered[i]:
                one[i] += marks[j, 0]
                two[i] += marks[j, 1]
    point_of, joined, count, a = np.full(points, -1, np.int64), np.zeros(points), 0, 0
    order = np.argsort(one)
    while a < points:
        b = a
        while b < points and one[order[b]] == one[order[a]]:
            b += 1
        for p in range(a, b):
            i = order[p]
            if one[i] == 0 and two[i] == 0:
                continue
            for q in range(a, p):
                if two[order[q]] == two[i]:
                    point_of[i] = point_of[order[q]]
                    break
            if point_of[i] < 0:
                point_of[i] = count
                count += 1
            joined[point_of[i]] += weights[i]
        a = b
    return point_of, joined, count


@njit(cache=True, nogil=True)
def _rows_of(open_sites, sites, row_ptr, row_ids, count):
    """Return which sets each open site belongs to, numbered from `count` on."""
    where = np.full(sites, -1, np.int64)
    for k in range(open_sites.shape[0]):
        where[open_sites[k]] = k
    starts = np.zeros(open_sites.shape[0] + 1, np.int64)
    for j in row_ids:
        if where[j] >= 0:
            starts[where[j] + 1] += 1
    starts = np.cumsum(starts)
    fill, by_site = starts[:-1].copy(), np.empty(starts[-1], np.int64)
    for r in range(row_ptr.shape[0] - 1):
        for p in range(row_ptr[r], row_ptr[r + 1]):
            k = where[row_ids[p]]
            if k >= 0:
                by_site[fill[k]] = count + r
                fill[k] += 1
    return starts, by_site


@njit(cache=True, nogil=True)
def cut(indptr, indices, weights, open_sites, covered, marks, row_ptr, row_ids, heavy):
    """Return the arrays of a node of branch and bound, points with the same open sites joined.

    Parameters
    ----------
    indptr, indices, weights : arrays
        The whole problem, as in `phusong.plan.problem.Problem`.
    open_sites : (open,) int32
        Sites that may still be built.
    covered : (points,) bool
        Points that count no more.
    marks : (sites, 2) uint64
        Two random numbers per site. Points whose open sites have the same two
        sums are joined; that others do has a probability below 1e-28.
    row_ptr, row_ids : arrays
        Sets of sites of which one at least must be built.
    heavy : float
        What missing such a set costs.

    Returns
    -------
    indptr, indices, weights : arrays
        The smaller problem; the sets are its last points.
    point_of : (points,) int64
        Where each point went; -1 = nowhere.
    count : int
        How many of the new points are no sets.
    """
    point_of, joined, count = _join(indptr, indices, weights, open_sites, covered, marks)
    starts, by_site = _rows_of(open_sites, marks.shape[0], row_ptr, row_ids, count)
    rows, sites, total = row_ptr.shape[0] - 1, open_sites.shape[0], by_site.shape[0]
    small = np.full(count + rows, heavy)
    small[:count] = joined[:count]
    for j in open_sites:
        total += indptr[j + 1] - indptr[j]
    ptr, ind, at = np.zeros(sites + 1, np.int64), np.empty(total, np.int32), 0
    seen = np.full(count + rows, -1, np.int64)
    for k in range(sites):
        j = open_sites[k]
        for m in range(indptr[j], indptr[j + 1]):
            i = point_of[indices[m]]
            if i >= 0 and seen[i] != k:
                seen[i] = k
                ind[at] = i
                at += 1
        for p in range(starts[k], starts[k + 1]):
            ind[at] = by_site[p]
            at += 1
        ptr[k + 1] = at
    return ptr, ind[:at].copy(), small, point_of, count


@njit(cache=True, nogil=True)
def degrees(indptr, indices, points):
    """Return the reciprocal number of points of each site, and of sites of each point."""
    by_site, by_point = np.ones(indptr.shape[0] - 1), np.zeros(points)
    for j in range(indptr.shape[0] - 1):
        by_site[j] = max(1, indptr[j + 1] - indptr[j])
        for k in range(indptr[j], indptr[j + 1]):
            by_point[indices[k]] += 1.0
    return 1.0 / by_site, 1.0 / np.maximum(by_point, 1.0)
