"""A bound for large problems: neighbourhoods solved exactly, at prices they share.

The problem must be priced: weight of the covered points less what the sites
cost. Its points are parted into neighbourhoods and the price of every site is
parted among those it reaches, in proportion to the multipliers of the linear
relaxation. Each neighbourhood is then a small problem of its own, and the sum
of their optima is an upper bound of the whole (Lagrangian decomposition,
Guignard, Kim 1987): never weaker than the relaxation, stronger wherever a
neighbourhood has an integrality gap of its own.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from phusong.plan.branch import branch_and_bound
from phusong.plan.problem import Problem
from phusong.plan.reduce import components, part_of, reduce_problem
from phusong.plan.relax import relax

__all__ = ["Decomposition", "decompose", "neighbourhoods"]

_ROUNDING, _PER_LINK = 2.0 ** -50, 3e-9


@dataclass(frozen=True, slots=True, eq=False)
class Decomposition:
    """What the neighbourhoods prove.

    Parameters
    ----------
    bound : float
        No plan of the priced problem is worth more.
    parts, proven : int
        How many neighbourhoods there were, and how many were solved to the end.
    """

    bound: float
    parts: int
    proven: int


def _matrix(problem: Problem) -> sparse.csc_matrix:
    return sparse.csc_matrix((np.ones(len(problem.indices)), problem.indices, problem.indptr),
                             shape=(problem.points, problem.sites))


def _homes(problem: Problem, matrix: sparse.csc_matrix, worth: NDArray[np.float64],
           plan: NDArray[np.int64]) -> NDArray[np.int64]:
    """Give each point to a site of the plan, or of its greedy continuation."""
    home = np.full(problem.points, -1, np.int64)
    order = list(plan)
    for number in range(problem.points + len(order)):
        free = home < 0
        if not free.any():
            break
        if number < len(order):
            j = int(order[number])
        else:
            j = int(np.argmax((matrix.T @ (worth * free)) / np.maximum(problem.costs, 1e-9)))
        mine = problem.indices[problem.indptr[j]:problem.indptr[j + 1]]
        home[mine[free[mine]]] = number
    return np.unique(home, return_inverse=True)[1]


def neighbourhoods(problem: Problem, worth: NDArray[np.float64], profit: NDArray[np.float64],
                   plan: NDArray[np.int64], most: float) -> NDArray[np.int64]:
    """Part the points into neighbourhoods that few useful sites straddle.

    Parameters
    ----------
    problem : Problem
        A priced problem (its costs are its prices); each point has a site.
    worth : (points,) float64
        Multipliers of the relaxation, all positive.
    profit : (sites,) float64
        Profits of the relaxation.
    plan : (chosen,) int64
        A good plan; neighbourhoods are grown from its sites.
    most : float
        Greatest summed multiplier of a neighbourhood that is grown together.

    Returns
    -------
    (points,) int64
        Number of the neighbourhood of each point.
    """
    matrix = _matrix(problem)
    home = _homes(problem, matrix, worth, plan)
    count = int(home.max()) + 1
    member = sparse.csr_matrix((np.ones(problem.points), (home, np.arange(problem.points))),
                               shape=(count, problem.points))
    scale = 0.2 * float(problem.costs[plan].mean()) if len(plan) else 1.0
    mass = sparse.csr_matrix(member @ sparse.diags(worth) @ matrix)
    whole = np.asarray(mass.sum(axis=0)).ravel()
    useful = np.exp(np.minimum(profit, 0.0) / max(scale, 1e-9)) / np.maximum(whole, 1e-300)
    link = (mass @ sparse.diags(useful) @ mass.T).toarray()
    size = np.asarray(member @ worth).ravel()
    label = np.arange(count)
    while len(size) > 1:
        np.fill_diagonal(link, 0.0)
        rate = link / np.sqrt(np.outer(size, size))
        rate[size[:, None] + size[None, :] > most] = 0.0
        mate = rate.argmax(axis=1)
        pairs = (mate[mate] == np.arange(len(size))) & (rate[np.arange(len(size)), mate] > 0.0)
        if not pairs.any():
            break
        into = np.where(pairs, np.minimum(np.arange(len(size)), mate), np.arange(len(size)))
        _, new = np.unique(into, return_inverse=True)
        join = sparse.csr_matrix((np.ones(len(new)), (new, np.arange(len(new)))))
        link, size, label = join @ (join @ link).T, join @ size, new[label]
    return label[home]


def _parted(problem: Problem, worth: NDArray[np.float64], part: NDArray[np.int64]
            ) -> list[Problem]:
    """Return the problem of each neighbourhood; prices of a site sum to no more than its own."""
    by_indptr, by_indices = problem.by_point
    whole = np.maximum(_matrix(problem).T @ worth, 1e-300)
    order = np.argsort(part, kind="stable")
    ends = np.searchsorted(part[order], np.arange(int(part.max()) + 2))
    out = []
    for start, stop in itertools.pairwise(ends):
        mine = order[start:stop]
        length = by_indptr[mine + 1] - by_indptr[mine]
        row = np.repeat(np.arange(len(mine)), length)
        first = np.repeat(by_indptr[mine] - np.cumsum(length) + length, length)
        sites, column = np.unique(by_indices[first + np.arange(len(row))], return_inverse=True)
        share = np.bincount(column, worth[mine][row], len(sites)) / whole[sites]
        price = np.maximum(problem.costs[sites] * share * (1.0 - 64 * _ROUNDING), 0.0)
        by_site = np.argsort(column, kind="stable")
        ptr = np.concatenate([[0], np.cumsum(np.bincount(column, minlength=len(sites)))])
        out.append(Problem.of(ptr, row[by_site], problem.weights[mine], price,
                              problem.groups[sites]))
    return out


def _component(problem: Problem, plan: NDArray[np.int64], size: float, rounds: int
               ) -> list[tuple[Problem, float]]:
    """Return the neighbourhoods of a connected problem, with their linear bounds."""
    found = relax(problem, prices=problem.costs, rounds=rounds)
    typical = float(problem.costs[plan].mean()) if len(plan) else float(problem.costs.mean())
    if found.worth.sum() <= size * typical or problem.sites < 30:
        return [(problem, found.bound)]
    worth = found.worth + 1e-6 * max(float(found.worth.max()), 1e-9)
    part = neighbourhoods(problem, worth, found.profit, plan, size * typical)
    if part.max() == 0:
        return [(problem, found.bound)]
    return [(small, np.inf) for small in _parted(problem, worth, part)]


def decompose(problem: Problem, plan: NDArray[np.int64], *, size: float = 6.0, slack: float = 1e-3,
              cover: bool = False, seconds: float = np.inf, state: NDArray[np.uint64],
              rounds: int = 3000, stop: Callable[[float], bool] | None = None) -> Decomposition:
    """Bound a priced problem from above by its neighbourhoods.

    Parameters
    ----------
    problem : Problem
        Its costs are prices: what a site takes from the worth of a plan.
    plan : (chosen,) int64
        A good plan.
    size : float
        Greatest neighbourhood, in sites of the plan.
    slack : float
        Share of a neighbourhood's optimum that need not be looked for.
    cover : bool
        Whether the problem is a full cover, priced as in `phusong.plan.least`: each
        neighbourhood is then bounded by its own cheapest cover, which needs fewer points.
    seconds : float
        CPU time to spend; a neighbourhood that is cut short counts with the
        bound it has reached.
    state : (1,) uint64
        Random stream; moved on in place.
    rounds : int
        Steps of the relaxation of each connected part.
    stop : callable, optional
        Called with the bound after each neighbourhood; ends if true.
    """
    begun = time.process_time()
    if seconds < np.inf:
        per_round = max(len(problem.indices), 1) * _PER_LINK
        rounds = int(min(rounds, max(50.0, 0.2 * seconds / per_round)))
    chosen = np.zeros(problem.sites, bool)
    chosen[plan] = True
    kept = reduce_problem(problem)
    small, chosen = kept.problem, chosen[kept.site_of]
    point_part, site_part = components(small)
    parts: list[tuple[Problem, float]] = []
    for number in range(int(point_part.max(initial=-1)) + 1):
        inside = site_part == number
        piece = part_of(small, inside, point_part == number)
        parts += _component(piece, np.flatnonzero(chosen[inside]), size, rounds)
    ceilings = [min(bound, float(piece.weights.sum())) for piece, bound in parts]
    order = sorted(range(len(parts)), key=lambda k: (parts[k][0].sites, k))
    left = sum(len(parts[k][0].indices) for k in order) + 1
    proven = 0
    for k in order:
        piece = parts[k][0]
        links = len(piece.indices)
        share = max(0.0, seconds - (time.process_time() - begun)) * 1.5 * links / left
        left -= links
        bound, done = _solve(piece, slack, share, state, cover)
        proven += done
        ceilings[k] = min(ceilings[k], bound)
        if stop and stop(float(sum(ceilings))):
            break
    total = float(np.sum(ceilings))
    return Decomposition(total + len(parts) * _ROUNDING * abs(total), len(parts), proven)


def _solve(piece: Problem, slack: float, seconds: float, state: NDArray[np.uint64], cover: bool
           ) -> tuple[float, bool]:
    """Bound one neighbourhood; return the bound and whether it was solved to the end."""
    small, lost = reduce_problem(piece, cover=cover).problem, 0.0
    if cover and small.sites:
        by_indptr, by_indices = small.by_point
        weights = np.minimum.reduceat(small.costs[by_indices], by_indptr[:-1])
        lost = float(piece.weights.sum() - weights.sum())
        small = Problem(small.indptr, small.indices, weights, small.costs, small.groups)
    if not small.sites:
        return 0.0, True
    if small.sites == 1:
        return lost + max(0.0, float(small.weights.sum() - small.costs[0])), True
    until = time.process_time() + seconds
    over = slack * min(float(small.weights.sum()), 4.0 * float(small.costs.mean()))
    found = branch_and_bound(small, prices=small.costs, slack=over, state=state, rounds=600,
                             heuristic=min(4000, 40 * small.sites),
                             stop=lambda bound, value: time.process_time() > until)
    return lost + found.bound, found.bound <= found.value + over + 1e-9
