"""Swaps of few sites: limits kept, never worse, and the optimum on small problems."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phusong.plan.greedy import greedy
from phusong.plan.problem import Problem
from phusong.plan.search import seeded
from phusong.plan.swap import swap
from plan_instances import allowed, optimum, problems

quick = settings(max_examples=60, deadline=None, derandomize=True)


@quick
@given(problems(grouped=True), st.integers(0, 30), st.integers(0, 4))
def test_swaps_keep_every_limit(problem: Problem, budget: int, most: int) -> None:
    start = greedy(problem, budget=float(budget), max_sites=most)[0]
    found = swap(problem, start, rounds=100, state=seeded(3), budget=float(budget), max_sites=most)
    assert allowed(problem, tuple(found))
    assert problem.costs[found].sum() <= budget
    assert len(found) == len(set(found.tolist())) <= most
    assert problem.value(start) <= problem.value(found) <= optimum(problem, float(budget), most)


@quick
@given(problems(unit_costs=True), st.integers(1, 4))
def test_swaps_find_the_best_few_sites(problem: Problem, most: int) -> None:
    found = swap(problem, greedy(problem, max_sites=most)[0], rounds=400, state=seeded(5),
                 max_sites=most)
    assert problem.value(found) == optimum(problem, max_sites=most)


def test_swaps_leave_a_trap_that_greedy_falls_into() -> None:
    """The middle site wins most alone; the two beside it together win all."""
    trap = Problem.of([0, 3, 6, 10], [0, 1, 2, 3, 4, 5, 1, 2, 3, 4], np.full(6, 10.0),
                      np.ones(3))
    start = greedy(trap, max_sites=2)[0]
    assert trap.value(start) == 50.0
    found = swap(trap, start, rounds=20, state=seeded(0), max_sites=2)
    assert found.tolist() == [0, 1]
    assert trap.value(found) == 60.0


@pytest.mark.parametrize("start", [[], [0]])
def test_no_rounds_change_nothing(start: list[int]) -> None:
    problem = Problem.of([0, 1, 2], [0, 1], [1.0, 2.0], [1.0, 1.0])
    assert swap(problem, np.array(start, np.int64), rounds=0, state=seeded(0)).tolist() == start


def test_equal_seeds_give_equal_plans() -> None:
    numbers = np.random.default_rng(4)
    reach = numbers.random((200, 80)) < 0.06
    problem = Problem.of(np.concatenate([[0], np.cumsum(reach.sum(axis=0))]),
                         np.nonzero(reach.T)[1], numbers.integers(1, 90, 200), np.ones(80))
    plans = [swap(problem, np.arange(8), rounds=300, state=seeded(11), max_sites=8)
             for _ in range(2)]
    assert plans[0].tolist() == plans[1].tolist()
    assert problem.value(plans[0]) > problem.value(np.arange(8))
