"""Whole numbers split over parts so that nothing is lost: the method of the largest remainder."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from phusong.errors import InputError

__all__ = ["apportion", "shares_of"]

Array = NDArray[np.float64]


def shares_of(weights: Array, groups: NDArray[np.int64]) -> Array:
    """Return weights divided by the sum of their group; a group of zeros is divided evenly.

    Parameters
    ----------
    weights : (m,) float array
        Not negative, known.
    groups : (m,) int array
        Group of each weight, 0 ... n-1.
    """
    if not len(groups):
        return np.zeros(0)
    number = int(groups.max()) + 1
    total = np.bincount(groups, weights, number)
    size = np.bincount(groups, minlength=number)
    even = total[groups] <= 0
    return np.where(even, 1.0 / size[groups], weights / np.where(even, 1.0, total[groups]))


def apportion(totals: Any, groups: NDArray[np.int64], shares: Array) -> NDArray[np.int64]:
    """Split whole numbers over parts; the parts of each group add up to its total exactly.

    Each part gets its quota rounded down; what is left goes, one each, to the parts with the
    largest remainders.  Ties go to the larger share, then to the part that stands first: callers
    sort parts by their code, so the order of rows decides nothing.

    Parameters
    ----------
    totals : (n,) array of whole numbers
        One for each group; not negative.
    groups : (m,) int array
        Group of each part, 0 ... n-1, in ascending order; every group has a part.
    shares : (m,) float array
        Add up to 1 in each group.

    Raises
    ------
    InputError
        If a total is negative, not known or no whole number.
    """
    given = np.asarray(totals, dtype=float)
    if not (np.isfinite(given).all() and (given >= 0).all() and (given == np.floor(given)).all()):
        raise InputError("Only whole numbers that are known and not negative can be split; round "
                         "or leave out the others first.")
    whole = given.astype(np.int64)
    quota = whole[groups] * shares
    # a quota that floats made a hair too large must not be rounded up over the total
    hair = np.maximum(1e-3, whole[groups] * 2e-15)
    parts = np.floor(np.maximum(quota - hair, 0.0)).astype(np.int64)
    left = whole - np.bincount(groups, parts, len(whole)).astype(np.int64)
    # remainders that differ only by rounding of floats are ties
    order = np.lexsort((np.arange(len(groups)), -np.round(shares, 9),
                        -np.round(quota - parts, 6), groups))
    starts = np.searchsorted(groups, np.arange(len(whole)))
    rank = np.empty(len(groups), np.int64)
    rank[order] = np.arange(len(groups)) - starts[groups[order]]
    return parts + (rank < left[groups])
