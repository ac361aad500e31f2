"""What an optimiser hands back: a plan, what it is worth, and what is proven about it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

__all__ = ["PROMISE", "Clock", "Incumbent", "Solution", "grain"]

PROMISE = 0.985
"""Share of the seconds asked for that a search plans with: no step of it can be cut at once."""

STOPS = ("optimal", "gap", "time", "interrupted", "unfinished", "infeasible")
"""Why a search ended; `unfinished`: it had nothing left to try, the gap is not closed."""


def grain(values: NDArray[np.float64]) -> float:
    """Return the largest step of 1, 1/2, ... 1/1024 that all values are multiples of, or 0."""
    for power in range(11):
        if np.all(values * 2.0 ** power == np.rint(values * 2.0 ** power)):
            return 2.0 ** -power
    return 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """A plan and its certificate.

    Parameters
    ----------
    sites : (chosen,) int64
        Sites to build, ascending; the kept ones are among them.
    value : float
        Covered weight (to be as high as possible) or cost of the full cover
        (to be as low as possible).
    bound : float
        No plan is better than this: not above `value` if cost is counted, not
        below it if weight is.
    seconds : float
        CPU time spent.
    stopped : str
        One of `STOPS`.
    cost : float
        What all sites of the plan cost.
    nodes : int
        Nodes of branch and bound.
    unreachable : (points,) int64
        Under full cover: the points that stand in the way, since no site that
        may be built reaches them. `value` then covers all others.
    steps : tuple of str
        What was done, one line each.
    """

    sites: NDArray[np.int64]
    value: float
    bound: float
    seconds: float
    stopped: str
    cost: float
    nodes: int = 0
    unreachable: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    steps: tuple[str, ...] = ()

    @property
    def gap(self) -> float:
        """How far bound and value are apart, as a share of the value."""
        apart = abs(self.bound - self.value)
        return apart / abs(self.value) if self.value else (0.0 if apart == 0.0 else math.inf)

    def as_dict(self) -> dict[str, str | int | float | list[int] | None]:
        """Return the certificate as plain JSON values."""
        return {"value": self.value, "bound": self.bound,
                "gap": self.gap if math.isfinite(self.gap) else None, "cost": self.cost,
                "seconds": self.seconds, "stopped": self.stopped, "nodes": self.nodes,
                "sites": self.sites.tolist(), "unreachable": self.unreachable.tolist()}

    def __str__(self) -> str:
        return (f"{self.value:,.10g}, bound {self.bound:,.10g} (gap {100 * self.gap:.2f} %), "
                f"{len(self.sites)} sites, {self.seconds:.1f} CPU-s, {self.stopped}")


class Clock:
    """CPU time of a search, and whether it is over."""

    def __init__(self, seconds: float) -> None:
        self.begun, self.seconds = time.process_time(), seconds

    @property
    def spent(self) -> float:
        """CPU seconds since the clock was made."""
        return time.process_time() - self.begun

    @property
    def left(self) -> float:
        """CPU seconds that remain, never below 0."""
        return max(0.0, self.seconds - self.spent)


class Incumbent:
    """The best plan and the best bound so far, for something that is to be high.

    Parameters
    ----------
    clock : Clock
        Time of the search.
    gap : float
        Share of the value at which the search may end.
    step : float
        Values are multiples of this (0 = of nothing): bounds are cut down to it.
    progress : callable, optional
        Called with what is done, the gap closed in thousandths, and 1000.
    """

    def __init__(self, clock: Clock, gap: float, step: float,
                 progress: Callable[[str, int, int], None] | None = None) -> None:
        self.clock, self.aim, self.step, self.progress = clock, gap, step, progress
        self.value, self.bound = -math.inf, math.inf
        self.sites = np.empty(0, np.int64)
        self.nodes = 0
        self.scale = 0.0
        self.cut = False
        self.said: list[str] = []

    def offer(self, sites: NDArray[np.int64], value: float) -> None:
        """Take a plan if it is better than the best so far."""
        if value > self.value:
            self.sites, self.value = np.sort(np.asarray(sites, np.int64)), value

    def prove(self, bound: float) -> None:
        """Take a bound if it is tighter than the best so far."""
        if self.step and math.isfinite(bound):
            bound = math.floor(bound / self.step * (1.0 + 2e-16) + 1e-12) * self.step
        self.bound = max(min(self.bound, bound), self.value)

    @property
    def room(self) -> float:
        """By how much a better plan may exceed the value before it counts."""
        if math.isinf(self.value):
            return 0.0
        return max(self.aim * abs(self.scale or self.value), 0.999 * self.step)

    @property
    def closed(self) -> bool:
        """Whether bound and value are as near as was asked."""
        if math.isinf(self.value):
            return False
        return self.bound - self.value <= self.aim * abs(self.scale or self.value)

    @property
    def over(self) -> bool:
        """Whether the search has reached its gap or its time."""
        return self.closed or self.clock.left <= 0.0

    def tell(self, what: str) -> None:
        """Note one line of what was done."""
        self.said.append(f"{self.clock.spent:.1f} s {what}: {abs(self.value):,.10g}, bound "
                         f"{abs(self.bound):,.10g}")
        if self.progress:
            apart = self.bound - self.value
            whole = abs(self.scale or self.value) or 1.0
            self.progress(what, int(1000 * max(0.0, 1.0 - min(1.0, apart / whole))), 1000)

    def why(self, interrupted: bool) -> str:
        """Say why the search ended."""
        if interrupted:
            return "interrupted"
        if self.bound <= self.value:
            return "optimal"
        if self.closed:
            return "gap"
        return "time" if self.clock.left <= 0.0 or self.cut else "unfinished"
