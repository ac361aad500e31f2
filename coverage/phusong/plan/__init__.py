"""The plan: which sites, in which order, for how many students per cost, and how far from the best.

Sparse arrays in, an order and a bound out.
"""

from __future__ import annotations

from phusong.plan.goal import Goal, weights
from phusong.plan.optimise import Optimised, optimise
from phusong.plan.problem import Problem
from phusong.plan.rank import curve, rank
from phusong.plan.reach import covering_problem
from phusong.plan.why import Why, why

__all__ = [
    "Goal", "Optimised", "Problem", "Why", "covering_problem", "curve", "optimise", "rank",
    "weights", "why",
]
