"""Compiled search for the cells in range of points, strongest first.

Points and cells are plain numbers here.  A *stack* is a set of cells at one
place and height, on one carrier and in one group: its sectors share one loss.
Stacks lie in square buckets; those in range of a point fall into *segments*,
one for each group of cells that compete with each other, and each segment is
a heap whose top is the stack with the strongest possible level.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

__all__ = ["count_in_range", "fill_segments", "insert_levels", "take_strongest"]


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _span(value, reach, origin, size, count):
    """Return the first and the last bucket that a range may touch, along one axis."""
    low = max(math.floor((value - reach - origin) / size), 0)
    high = min(math.floor((value + reach - origin) / size), count - 1)
    if high < low:
        return 0, -1
    return low, high


@njit(cache=True, nogil=True, error_model="numpy")
def count_in_range(px, py, sx, sy, reach_m, grid, starts, counts):
    """Count the stacks within their own reach of each point.

    Parameters
    ----------
    px, py : (points,) float64
        Positions of the points, metres.
    sx, sy, reach_m : (stacks,) float64
        Positions and reach of the stacks, sorted by bucket.
    grid : (5,) float64
        Left and lower edge, bucket size, number of columns, number of rows.
    starts : (buckets + 1,) int64
        Where each bucket begins, row by row.
    counts : (points,) int64
        Filled.
    """
    size, columns, rows = grid[2], int(grid[3]), int(grid[4])
    far = reach_m.max()
    for p in range(px.shape[0]):
        i0, i1 = _span(py[p], far, grid[1], size, rows)
        j0, j1 = _span(px[p], far, grid[0], size, columns)
        found = 0
        for i in range(i0, i1 + 1):
            for c in range(starts[i * columns + j0], starts[i * columns + j1 + 1]):
                dx = px[p] - sx[c]
                dy = py[p] - sy[c]
                if math.sqrt(dx * dx + dy * dy) <= reach_m[c]:
                    found += 1
        counts[p] = found


@njit(cache=True, nogil=True, error_model="numpy")
def _sift_down(levels, stacks, a, size, at):
    """Restore the heap order of ``levels[a:a + size]`` below position `at`."""
    level = levels[a + at]
    stack = stacks[a + at]
    while True:
        child = 2 * at + 1
        if child >= size:
            break
        if child + 1 < size and levels[a + child + 1] > levels[a + child]:
            child += 1
        if levels[a + child] <= level:
            break
        levels[a + at] = levels[a + child]
        stacks[a + at] = stacks[a + child]
        at = child
    levels[a + at] = level
    stacks[a + at] = stack


@njit(cache=True, nogil=True, error_model="numpy")
def _count_groups(x, y, sx, sy, reach_m, group, span, columns, starts, held, touched):
    """Count the stacks in range of one place by group; return how many groups there are."""
    kinds = 0
    for i in range(span[0], span[1] + 1):
        for c in range(starts[i * columns + span[2]], starts[i * columns + span[3] + 1]):
            dx = x - sx[c]
            dy = y - sy[c]
            if math.sqrt(dx * dx + dy * dy) <= reach_m[c]:
                g = group[c]
                if held[g] == 0:
                    touched[kinds] = g
                    kinds += 1
                held[g] += 1
    return kinds


@njit(cache=True, nogil=True, error_model="numpy")
def _place_stacks(x, y, sx, sy, reach_m, strength_dbm, group, span, columns, starts, held,
                  levels, stacks):
    """Write the stacks in range of one place where `held` says for each group."""
    for i in range(span[0], span[1] + 1):
        for c in range(starts[i * columns + span[2]], starts[i * columns + span[3] + 1]):
            dx = x - sx[c]
            dy = y - sy[c]
            distance = math.sqrt(dx * dx + dy * dy)
            if distance <= reach_m[c]:
                at = held[group[c]]
                levels[at] = strength_dbm[c] - 20.0 * math.log10(max(distance, 1.0))
                stacks[at] = c
                held[group[c]] = at + 1


@njit(cache=True, nogil=True, error_model="numpy")
def fill_segments(px, py, sx, sy, reach_m, strength_dbm, group, cells, held, grid, starts, offsets,
                  levels, stacks, segments):
    """Collect the stacks in range of each point, group by group, as heaps.

    Parameters
    ----------
    px, py, sx, sy, reach_m, grid, starts
        As in `count_in_range`.
    strength_dbm : (stacks,) float64
        Level of the strongest cell at 1 m in free space, in the main beam.
    group, cells : (stacks,) int64
        Group of each stack, and how many cells it has.
    held : (groups,) int64
        Zeros to write on.
    offsets : (points + 1,) int64
        Where the stacks of each point begin.
    levels, stacks : (pairs,) float64, int64
        Filled: the strongest possible level, and the stack.
    segments : (pairs, 5) int64
        Filled: point, group, first pair, number of pairs and number of cells
        of each segment.

    Returns
    -------
    int
        How many segments were filled.
    """
    size, columns, rows = grid[2], int(grid[3]), int(grid[4])
    far = reach_m.max()
    touched = np.empty(held.shape[0], np.int64)
    number = 0
    for p in range(px.shape[0]):
        span = (*_span(py[p], far, grid[1], size, rows), *_span(px[p], far, grid[0], size, columns))
        kinds = _count_groups(px[p], py[p], sx, sy, reach_m, group, span, columns, starts, held,
                              touched)
        at = offsets[p]
        for k in range(kinds):
            g = touched[k]
            row = segments[number + k]
            row[0], row[1], row[2], row[3] = p, g, at, held[g]
            held[g] = at
            at += row[3]
        _place_stacks(px[p], py[p], sx, sy, reach_m, strength_dbm, group, span, columns, starts,
                      held, levels, stacks)
        for k in range(kinds):
            held[touched[k]] = 0
            a, count = segments[number + k, 2], segments[number + k, 3]
            total = 0
            for i in range(a, a + count):
                total += cells[stacks[i]]
            segments[number + k, 4] = total
            for top in range(count // 2 - 1, -1, -1):
                _sift_down(levels, stacks, a, count, top)
        number += kinds
    return number


@njit(cache=True, nogil=True, error_model="numpy")
def take_strongest(levels, stacks, first, left, floor_dbm, most, taken_segment, taken_stack):
    """Take stacks off the heaps as long as they may reach their segment's floor.

    Parameters
    ----------
    levels, stacks : (pairs,) arrays
        The heaps.
    first, left : (segments,) int64
        Where each heap begins and how many stacks it still holds; `left` is changed.
    floor_dbm : (segments,) float64
        A stack that cannot reach this level is of no use.
    most : int
        How many stacks to take from one segment.
    taken_segment, taken_stack : arrays
        Filled.

    Returns
    -------
    int
        How many were taken.
    """
    number = 0
    for s in range(first.shape[0]):
        a = first[s]
        for _ in range(most):
            size = left[s]
            if size == 0:
                break
            if levels[a] < floor_dbm[s]:
                left[s] = 0
                break
            taken_segment[number] = s
            taken_stack[number] = stacks[a]
            number += 1
            left[s] = size - 1
            levels[a] = levels[a + size - 1]
            stacks[a] = stacks[a + size - 1]
            if size > 2:
                _sift_down(levels, stacks, a, size - 1, 0)
    return number


@njit(cache=True, nogil=True, error_model="numpy")
def insert_levels(segment, received_dbm, best):
    """Keep the best known levels of each segment.

    Parameters
    ----------
    segment : (n,) int64
        Segment of each new level.
    received_dbm : (n,) float64
        New levels; NaN is passed over.
    best : (segments, k) float64
        Best levels so far, falling; -inf where there is none.  Changed.
    """
    last = best.shape[1] - 1
    for i in range(segment.shape[0]):
        level = received_dbm[i]
        row = best[segment[i]]
        if not level > row[last]:
            continue
        at = last
        while at > 0 and row[at - 1] < level:
            row[at] = row[at - 1]
            at -= 1
        row[at] = level
