"""What a plan with feeders is asked for: limits, what is kept, floors, or all of some points."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from phusong.plan.floors import Floors

__all__ = ["Aim"]

Ints = NDArray[np.int64]


def _none() -> Ints:
    return np.empty(0, np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Aim:
    """What a plan is asked for.

    Parameters
    ----------
    budget : float
        Greatest cost of all sites and feeders together.
    max_sites : int, optional
        Greatest number of sites.
    kept : (sites,) int64
        Sites that are built in any case, and paid.
    floors : Floors, optional
        What must be covered at least.
    cheapest : bool
        Whether the cost is to be low; if not, covered weight is to be high.
    """

    budget: float = np.inf
    max_sites: int | None = None
    kept: Ints = field(default_factory=_none)
    floors: Floors | None = None
    cheapest: bool = False

    @classmethod
    def covering(cls, points: Ints, count: int, kept: Ints | None = None) -> Aim:
        """Ask for all of some points at least cost.

        Parameters
        ----------
        points : (wanted,) int64
            Those that must be reached.
        count : int
            How many points the problem has.
        kept : (sites,) int64, optional
            Sites that are built in any case.
        """
        rows = sparse.csr_matrix((np.ones(len(points)), (np.arange(len(points)), points)),
                                 shape=(len(points), count))
        return cls(kept=_none() if kept is None else kept, cheapest=True,
                   floors=Floors(rows, np.ones(len(points))))

    def short(self, covered: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Return the floors that are missed."""
        if self.floors is None:
            return _none()
        return np.flatnonzero(self.floors.short(covered))
