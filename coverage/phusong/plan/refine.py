"""A full cover made cheaper region by region: some sites are freed, their region solved exactly.

Everything else stays as it is, so that each region is a small set-cover problem
(large-neighbourhood search, Shaw 1998, with branch and bound as its repair).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from phusong.plan.branch import branch_and_bound
from phusong.plan.problem import Problem
from phusong.plan.reduce import reduce_problem
from phusong.plan.search import below
from phusong.plan.solution import Clock

__all__ = ["refine_cover"]

_NODES = 60


def _region(rows: sparse.csr_matrix, columns: sparse.csc_matrix, plan: NDArray[np.int64],
            seed: int, most: int) -> NDArray[np.int64]:
    """Return `seed` and the sites of the plan nearest to it by what both nearly reach."""
    mine = columns.indices[columns.indptr[seed]:columns.indptr[seed + 1]]
    near = np.asarray(rows[mine].sum(axis=0)).ravel()
    touch = columns @ near
    reached = (columns[:, plan].T @ touch)
    overlap = np.asarray(reached).ravel() / np.maximum(np.diff(columns.indptr)[plan], 1)
    overlap[plan == seed] = np.inf
    first = np.argsort(-overlap, kind="stable")[:most]
    return plan[first[overlap[first] > 0.0]]


def refine_cover(problem: Problem, plan: NDArray[np.int64], *, size: int = 10, regions: int = 100,
                 seconds: float = np.inf, state: NDArray[np.uint64],
                 better: Callable[[NDArray[np.int64]], None] | None = None) -> NDArray[np.int64]:
    """Return a full cover that costs no more than `plan`, ascending.

    Parameters
    ----------
    problem : Problem
        Of the sites that a good cover may hold; every point has one; no groups.
    plan : (chosen,) int64
        A full cover.
    size : int
        Sites freed at a time.
    regions : int
        How many regions are tried.
    seconds : float
        CPU time to spend.
    state : (1,) uint64
        Random stream; moved on in place.
    better : callable, optional
        Called with every cheaper cover.
    """
    clock, plan = Clock(seconds), np.sort(np.asarray(plan, np.int64))
    columns = sparse.csc_matrix((np.ones(len(problem.indices)), problem.indices, problem.indptr),
                                shape=(problem.points, problem.sites))
    rows = columns.tocsr()
    times = problem.covered(plan)
    tried = np.zeros(problem.sites, np.int64)
    for _ in range(regions):
        if clock.left <= 0.0 or not len(plan):
            break
        least = plan[tried[plan] == tried[plan].min()]
        freed = _region(rows, columns, plan, int(least[below(state, len(least))]), size)
        tried[freed] += 1
        own = np.asarray(columns[:, freed].sum(axis=1)).ravel()
        open_points = np.flatnonzero((own > 0) & (times == own))
        new = _solve(problem, rows[open_points], freed, state)
        if problem.costs[new].sum() < problem.costs[freed].sum():
            plan = np.sort(np.concatenate([np.setdiff1d(plan, freed), new]))
            times = problem.covered(plan)
            tried[new] = 0
            if better:
                better(plan)
    return plan


def _solve(problem: Problem, part: sparse.csr_matrix, freed: NDArray[np.int64],
           state: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Return the cheapest sites found that reach all rows of a region."""
    sites, column = np.unique(part.indices, return_inverse=True)
    links = sparse.csr_matrix((part.data, column, part.indptr),
                              shape=(part.shape[0], len(sites))).tocsc()
    whole = Problem.of(links.indptr, links.indices, np.ones(part.shape[0]), problem.costs[sites])
    kept = reduce_problem(whole, cover=True)
    small = kept.problem
    if not small.sites:
        return freed
    weights = np.minimum.reduceat(small.costs[small.by_point[1]], small.by_point[0][:-1])
    priced = Problem(small.indptr, small.indices, weights, small.costs, small.groups)
    start = np.flatnonzero(np.isin(sites[kept.site_of], freed))
    paid = float(problem.costs[freed].sum())
    slack = max(float(small.costs.min()) * 1e-6, 1e-9)
    tree = branch_and_bound(priced, prices=priced.costs, slack=slack, state=state, nodes=_NODES,
                            rounds=400, heuristic=300, start=start,
                            stop=lambda bound, value: weights.sum() - bound >= paid - slack)
    chosen = list(tree.sites)
    for i in np.flatnonzero(small.covered(tree.sites) == 0):
        near = small.by_point[1][small.by_point[0][i]:small.by_point[0][i + 1]]
        chosen.append(near[np.argmin(small.costs[near])])
    return sites[kept.site_of[np.unique(np.array(chosen, np.int64))]].astype(np.int64)
