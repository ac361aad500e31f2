"""The upper hull of a growing profile: what stands highest, seen from any later receiver.

Samples arrive from the transmitter outwards.  The steepest of them seen from
a receiver farther out lies on the upper convex hull of those before it, and
the hull of a longer profile follows from the shorter one by taking vertices
off its end (a monotone stack).  Over the curved Earth the same holds for
heights lowered by ``500 d^2 / a_e``: what that adds to the slope towards a
receiver at ``D`` is ``D + d`` times 500 / a_e, of which the part with ``D`` is
the same for all samples.  Compiled; distances in km, heights in m.
"""

from __future__ import annotations

from phusong.radio.compiled import compiled

__all__ = ["highest_vertex", "push_vertex", "steepest_vertex"]

STEPS = 8
"""Vertices looked at one by one before halving what is left."""


@compiled
def push_vertex(stack, size, d, y, i):
    """Append sample `i`, beyond all others, to the hull in `stack`; return its new size."""
    while size >= 2:
        a, b = stack[size - 2], stack[size - 1]
        if (y[b] - y[a]) * (d[i] - d[a]) > (y[i] - y[a]) * (d[b] - d[a]):
            break
        size -= 1
    stack[size] = i
    return size + 1


@compiled
def _steeper(stack, k, d, y, x, z):
    """Tell whether vertex k - 1 stands steeper than vertex k, seen from (x, z)."""
    a, b = stack[k - 1], stack[k]
    return (y[a] - z) * (x - d[b]) > (y[b] - z) * (x - d[a])


@compiled
def steepest_vertex(stack, size, d, y, x, z):
    """Return the place in `stack` of the vertex steepest seen from (x, z); of equals the nearest.

    Parameters
    ----------
    stack, size : (samples,) int64, int
        The hull, `size` at least 1.
    d, y : (samples,) float64
        Distances and (lowered) heights.
    x, z : float
        The receiver, beyond all vertices.
    """
    k = size - 1
    while k > 0 and size - k <= STEPS:
        if not _steeper(stack, k, d, y, x, z):
            return k
        k -= 1
    low = 0
    while k > low:
        middle = (low + k + 1) // 2
        if _steeper(stack, middle, d, y, x, z):
            k = middle - 1
        else:
            low = middle
    return k


@compiled
def highest_vertex(stack, k, d, y, tilt):
    """Return the place in `stack`, `k` or before, of the vertex highest above a slope `tilt`."""
    low = 0
    while k > low:
        middle = (low + k + 1) // 2
        a, b = stack[middle - 1], stack[middle]
        if y[b] - y[a] < tilt * (d[b] - d[a]):
            k = middle - 1
        else:
            low = middle
    return k
