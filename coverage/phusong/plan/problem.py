"""The covering problem as plain sparse arrays: who reaches whom, at what cost, for what weight."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from phusong.errors import InputError

__all__ = ["Problem", "transpose"]


def transpose(indptr: NDArray[np.int64], indices: NDArray[np.int32], points: int
              ) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Turn "points of each site" into "sites of each point", both in ascending order.

    Parameters
    ----------
    indptr : (sites + 1,) int64
        Where the points of each site begin in `indices`.
    indices : (links,) int32
        Point numbers.
    points : int
        How many points there are.

    Returns
    -------
    indptr : (points + 1,) int64
    indices : (links,) int32
        Site numbers.
    """
    owner = np.repeat(np.arange(len(indptr) - 1, dtype=np.int32), np.diff(indptr))
    order = np.argsort(indices, kind="stable")
    counts = np.bincount(indices, minlength=points)
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), owner[order]


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """Weighted points, priced sites, and which site reaches which point.

    Parameters
    ----------
    indptr : (sites + 1,) int64
        Where the points of each site begin in `indices` (compressed columns).
    indices : (links,) int32
        Point numbers, ascending and each once within a site.
    weights : (points,) float64
        What it is worth to reach a point once; not negative.
    costs : (sites,) float64
        What a site costs; not negative.
    groups : (sites,) int64
        Variants of one another share a number, at most one of them is built; -1 = none.

    Notes
    -----
    Memory is proportional to the number of links; no points x sites matrix is ever made.
    """

    indptr: NDArray[np.int64]
    indices: NDArray[np.int32]
    weights: NDArray[np.float64]
    costs: NDArray[np.float64]
    groups: NDArray[np.int64]
    by_point: tuple[NDArray[np.int64], NDArray[np.int32]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        sites = len(self.costs)
        if len(self.indptr) != sites + 1 or len(self.groups) != sites:
            raise InputError(f"{sites} costs, {len(self.indptr) - 1} columns of links and "
                             f"{len(self.groups)} groups do not belong together.")
        if len(self.indices) != self.indptr[-1]:
            raise InputError(f"The last site ends at link {self.indptr[-1]}, but there are "
                             f"{len(self.indices)} links.")
        if len(self.indices) and not 0 <= self.indices.min() <= self.indices.max() < self.points:
            raise InputError(f"A link names point number {self.indices.max()}, but there are "
                             f"only {self.points} points (numbered from 0).")
        for name, values in (("weights", self.weights), ("costs", self.costs)):
            if not np.isfinite(values).all() or (values < 0).any():
                raise InputError(f"The {name} of a plan must be finite and not negative; "
                                 f"{int((~(values >= 0) | np.isinf(values)).sum())} are not.")
        object.__setattr__(self, "by_point", transpose(self.indptr, self.indices, self.points))

    @classmethod
    def of(cls, indptr: object, indices: object, weights: object, costs: object,
           groups: object = None) -> Problem:
        """Build a problem from array-likes of any integer and float types.

        Links may come in any order and twice; `groups` None means no variants.
        """
        cost = np.asarray(costs, np.float64)
        weight = np.asarray(weights, np.float64)
        matrix = sparse.csc_matrix(
            (np.ones(len(np.asarray(indices)), np.int8), np.asarray(indices),
             np.asarray(indptr)), shape=(len(weight), len(cost)))
        matrix.sum_duplicates()
        matrix.sort_indices()
        group = np.full(len(cost), -1) if groups is None else np.asarray(groups)
        return cls(matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32), weight, cost,
                   group.astype(np.int64))

    @property
    def sites(self) -> int:
        """How many candidate sites there are."""
        return len(self.costs)

    @property
    def points(self) -> int:
        """How many points there are."""
        return len(self.weights)

    @property
    def reachable(self) -> float:
        """Weight of all points that at least one site reaches."""
        return float(self.weights[np.diff(self.by_point[0]) > 0].sum())

    def alone(self) -> NDArray[np.float64]:
        """Return the weight that each site reaches on its own, (sites,)."""
        total = np.concatenate([[0.0], np.cumsum(self.weights[self.indices])])
        return total[self.indptr[1:]] - total[self.indptr[:-1]]

    def covered(self, chosen: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return how many of the `chosen` sites reach each point, (points,)."""
        times = np.zeros(self.points, np.int64)
        for j in chosen:
            times[self.indices[self.indptr[j]:self.indptr[j + 1]]] += 1
        return times

    def value(self, chosen: NDArray[np.int64]) -> float:
        """Return the weight of the points that the `chosen` sites reach together."""
        return float(self.weights[self.covered(chosen) > 0].sum())

    def __repr__(self) -> str:
        return (f"Problem({self.points:,} points, {self.sites:,} sites, "
                f"{len(self.indices):,} links)")
