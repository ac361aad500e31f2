"""Rivers that carve: compiled kernels on a grid of heights.

The landscape model is the detachment-limited stream-power law
``dz/dt = u - k A^0.5 S`` (Whipple & Tucker 1999, doi:10.1029/1999JB900120), solved by the
implicit scheme in the order of the drainage tree (Braun & Willett 2013,
doi:10.1016/j.geomorph.2012.10.008).  The tree comes from a priority flood
from the rim (Barnes et al. 2014, doi:10.1016/j.cageo.2013.04.024), so that no pit is left.
"""

from __future__ import annotations

import heapq
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["as_grid", "carve", "drain", "spread_cost", "thin"]


@njit(cache=True, nogil=True)
def drain(heights):  # type: ignore[no-untyped-def]
    """Return the drainage tree of a grid: every cell flows to the rim.

    Parameters
    ----------
    heights : (rows, columns) float32 array
        Heights, metres.

    Returns
    -------
    order : (cells,) int64 array
        Cells from the rim upstream: each comes after the cell it flows to.
    receiver : (cells,) int64 array
        The cell each cell flows to; rim cells flow to themselves.
    """
    rows, columns = heights.shape
    flat = heights.ravel()
    receiver = np.full(rows * columns, -1, np.int64)
    order = np.empty(rows * columns, np.int64)
    heap = [(flat[0], np.int64(0))]
    receiver[0] = 0
    for k in range(1, rows * columns):
        r, c = k // columns, k % columns
        if r == 0 or c == 0 or r == rows - 1 or c == columns - 1:
            receiver[k] = k
            heapq.heappush(heap, (flat[k], np.int64(k)))
    settled = np.zeros(rows * columns, np.bool_)
    done = 0
    while len(heap) > 0:
        level, i = heapq.heappop(heap)
        order[done] = i
        done += 1
        settled[i] = True
        r, c = i // columns, i % columns
        if receiver[i] != i:
            steepest = 0.0
            for dr in range(-1, 2):
                for dc in range(-1, 2):
                    rr, cc = r + dr, c + dc
                    j = rr * columns + cc
                    if settled[j] and j != i:
                        fall = (flat[i] - flat[j]) / np.sqrt(dr * dr + dc * dc)
                        if fall > steepest:
                            steepest = fall
                            receiver[i] = j
        for dr in range(-1, 2):
            for dc in range(-1, 2):
                rr, cc = r + dr, c + dc
                if rr < 0 or cc < 0 or rr >= rows or cc >= columns:
                    continue
                j = rr * columns + cc
                if receiver[j] < 0:
                    receiver[j] = i
                    heapq.heappush(heap, (max(flat[j], level), np.int64(j)))
    return order, receiver


@njit(cache=True, nogil=True)
def carve(heights, uplift_m, erodibility, cell_m, steps):  # type: ignore[no-untyped-def]
    """Return heights after `steps` of uplift and stream-power erosion, and the drained area.

    Parameters
    ----------
    heights, uplift_m : (rows, columns) float32 array
        Heights and uplift per step, metres.  The rim keeps its heights.
    erodibility : (rows, columns) float32 array
        k times the length of a step; with the area in square metres.
    cell_m : float
        Edge of a cell, metres.
    steps : int
        How many steps.

    Returns
    -------
    heights : (rows, columns) float32 array
    area_m2 : (rows, columns) float32 array
        Area that drains through each cell, square metres.
    """
    rows, columns = heights.shape
    z = heights.copy()
    flat = z.ravel()
    rise = uplift_m.ravel()
    soft = erodibility.ravel()
    area = np.empty(rows * columns, np.float64)
    for _ in range(max(steps, 1)):
        order, receiver = drain(z)
        area[:] = cell_m * cell_m
        for k in range(rows * columns - 1, -1, -1):
            i = order[k]
            if receiver[i] != i:
                area[receiver[i]] += area[i]
        if steps == 0:
            break
        for k in range(rows * columns):
            i = order[k]
            j = receiver[i]
            if i == j:
                continue
            straight = i // columns == j // columns or i % columns == j % columns
            length = cell_m if straight else cell_m * 1.4142135623730951
            pull = soft[i] * np.sqrt(area[i]) / length
            lower = min(flat[j], flat[i] + rise[i])
            flat[i] = (flat[i] + rise[i] + pull * lower) / (1.0 + pull)
    return z, area.astype(np.float32).reshape(rows, columns)


@njit(cache=True, nogil=True)
def spread_cost(cost, inside, seeds, diagonal):  # type: ignore[no-untyped-def]
    """Spread from many seeds at once over a grid of costs (Dijkstra).

    Parameters
    ----------
    cost : (rows, columns) float32 array
        Cost of crossing a cell, per cell width.
    inside : (rows, columns) bool array
        Where one may go.
    seeds : (seeds,) int64 array
        Flat cell numbers.
    diagonal : bool
        Whether steps to the four diagonal neighbours are allowed.

    Returns
    -------
    owner : (cells,) int32 array
        Which seed is nearest by cost, -1 where none can come.
    previous : (cells,) int64 array
        The next cell on the way to that seed; a seed points to itself.
    total : (cells,) float32 array
        Cost of that way.
    """
    rows, columns = cost.shape
    price = cost.ravel()
    free = inside.ravel()
    owner = np.full(rows * columns, -1, np.int32)
    previous = np.full(rows * columns, -1, np.int64)
    total = np.full(rows * columns, np.inf, np.float32)
    heap = [(np.float32(0.0), np.int64(seeds[0]))]
    for k in range(seeds.shape[0]):
        i = seeds[k]
        owner[i], previous[i], total[i] = k, i, 0.0
        if k > 0:
            heapq.heappush(heap, (np.float32(0.0), np.int64(i)))
    while len(heap) > 0:
        so_far, i = heapq.heappop(heap)
        if so_far > total[i]:
            continue
        r, c = i // columns, i % columns
        for dr in range(-1, 2):
            for dc in range(-1, 2):
                rr, cc = r + dr, c + dc
                if rr < 0 or cc < 0 or rr >= rows or cc >= columns:
                    continue
                if (not diagonal) and dr != 0 and dc != 0:
                    continue
                j = rr * columns + cc
                if not free[j]:
                    continue
                length = 1.0 if dr == 0 or dc == 0 else 1.4142135623730951
                there = np.float32(so_far + 0.5 * length * (price[i] + price[j]))
                if there < total[j]:
                    total[j], owner[j], previous[j] = there, owner[i], i
                    heapq.heappush(heap, (there, np.int64(j)))
    return owner, previous, total


@njit(cache=True, nogil=True)
def thin(order, columns, rows, radius, wanted, taken):  # type: ignore[no-untyped-def]
    """Take cells in the given order, none nearer to another than `radius` cells.

    Parameters
    ----------
    order : (candidates,) int64 array
        Flat cell numbers, best first.
    columns, rows : int
        Shape of the grid.
    radius : float
        Least distance, in cells.
    wanted : int
        Stop after so many.
    taken : (rows * columns,) bool array
        Cells already closed; changed in place.

    Returns
    -------
    (found,) int64 array
        The cells taken, best first.
    """
    found = np.empty(wanted, np.int64)
    count = 0
    reach = int(radius)
    for i in order:
        if count == wanted:
            break
        if taken[i]:
            continue
        found[count] = i
        count += 1
        r, c = i // columns, i % columns
        for rr in range(max(0, r - reach), min(rows, r + reach + 1)):
            for cc in range(max(0, c - reach), min(columns, c + reach + 1)):
                if (rr - r) ** 2 + (cc - c) ** 2 <= radius * radius:
                    taken[rr * columns + cc] = True
    return found[:count]


def as_grid(values: NDArray[Any]) -> NDArray[np.float32]:
    """Return `values` as the kernels want them: float32, contiguous, writable."""
    return np.require(values, np.float32, ["C", "W"])
