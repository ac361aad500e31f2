"""The plan: which sites, in which order, for how many students per cost, and how far from the best.

Sparse arrays in, an order and a bound out.
"""

from __future__ import annotations

from phusong.plan.connected import rank_connected
from phusong.plan.connected_optimise import optimise_connected
from phusong.plan.demands import Demand
from phusong.plan.dominated import dominated, without
from phusong.plan.goal import Floor, Goal, weights
from phusong.plan.optimise import Optimised, optimise
from phusong.plan.problem import Problem
from phusong.plan.rank import curve, rank
from phusong.plan.reach import covering_problem
from phusong.plan.schedule import deadlines, risks, schedule
from phusong.plan.tenants import tenants, tenants_nodes
from phusong.plan.why import Why, why
from phusong.plan.why_best import why_best
from phusong.plan.why_words import WhyBest
from phusong.plan.works import Duration, Works

__all__ = [
    "Demand", "Duration", "Floor", "Goal", "Optimised", "Problem", "Why", "WhyBest", "Works",
    "covering_problem", "curve", "deadlines", "dominated", "optimise",
    "optimise_connected", "rank", "rank_connected", "risks", "schedule", "tenants",
    "tenants_nodes", "weights", "why", "why_best", "without",
]
