"""Small covering problems for the tests, and their solution by trying everything."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import strategies as st
from phusong.plan.problem import Problem


@st.composite
def problems(draw, max_sites: int = 8, max_points: int = 10, unit_costs: bool = False,
             grouped: bool = False) -> Problem:
    """A random problem small enough to enumerate; weights and costs are whole numbers."""
    sites, points = draw(st.integers(1, max_sites)), draw(st.integers(1, max_points))
    rows = draw(st.lists(st.sets(st.integers(0, points - 1)), min_size=sites, max_size=sites))
    weights = draw(st.lists(st.integers(0, 30), min_size=points, max_size=points))
    costs = ([1] * sites if unit_costs else
             draw(st.lists(st.integers(1, 12), min_size=sites, max_size=sites)))
    groups = (draw(st.lists(st.integers(-1, 2), min_size=sites, max_size=sites))
              if grouped else None)
    indptr = np.concatenate([[0], np.cumsum([len(r) for r in rows])])
    indices = np.array([i for r in rows for i in sorted(r)], np.int64)
    return Problem.of(indptr, indices, weights, costs, groups)


def allowed(problem: Problem, chosen: tuple[int, ...]) -> bool:
    """Tell whether no two of the sites are variants of one another."""
    groups = [g for g in problem.groups[list(chosen)] if g >= 0]
    return len(groups) == len(set(groups))


def subsets(problem: Problem):
    """Every allowed set of sites with its cost and its value."""
    for size in range(problem.sites + 1):
        for chosen in itertools.combinations(range(problem.sites), size):
            if allowed(problem, chosen):
                picked = np.array(chosen, np.int64)
                yield chosen, float(problem.costs[picked].sum()), problem.value(picked)


def optimum(problem: Problem, budget: float = np.inf, max_sites: int | None = None) -> float:
    """The best value that any allowed set reaches, by trying everything."""
    return max(value for chosen, cost, value in subsets(problem)
               if cost <= budget and (max_sites is None or len(chosen) <= max_sites))
