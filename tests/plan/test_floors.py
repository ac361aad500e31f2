"""Floors against brute force: the optimum, the proof that there is none, the least money."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phusong.errors import InputError
from phusong.plan import floors as room
from phusong.plan.floors import Floors, maximise_with_floors, money_for_floors
from phusong.plan.problem import Problem
from plan_instances import allowed, problems, subsets
from scipy import sparse

quick = settings(max_examples=25, deadline=None, derandomize=True)


@st.composite
def floored(draw) -> tuple[Problem, Floors]:
    """A small problem and one or two floors over parts of its points."""
    problem = draw(problems(max_sites=7, max_points=8, grouped=True))
    rows = draw(st.lists(st.lists(st.integers(0, 9), min_size=problem.points,
                                  max_size=problem.points), min_size=1, max_size=2))
    amounts = sparse.csr_matrix(np.array(rows, float))
    shares = draw(st.lists(st.sampled_from([0.0, 0.3, 0.6, 1.0]), min_size=len(rows),
                           max_size=len(rows)))
    return problem, Floors(amounts, np.array(shares) * np.array(rows).sum(axis=1))


def holds(problem: Problem, floors: Floors, chosen: tuple[int, ...]) -> bool:
    covered = problem.covered(np.array(chosen, np.int64)) > 0
    return not floors.short(covered).any()


def best_of(problem: Problem, floors: Floors, budget: float, most: int | None,
            kept: set[int] = frozenset()) -> float | None:
    return max((value for chosen, cost, value in subsets(problem)
                if cost <= budget and kept <= set(chosen) and holds(problem, floors, chosen)
                and (most is None or len(chosen) <= most)), default=None)


def judge(problem: Problem, floors: Floors, budget: float, most: int | None) -> None:
    found = maximise_with_floors(problem, floors, budget=budget, max_sites=most)
    best = best_of(problem, floors, budget, most)
    if best is None:
        assert found.stopped == "infeasible"
        assert not len(found.sites)
        return
    assert found.stopped == "optimal"
    assert found.value == found.bound == best
    assert holds(problem, floors, tuple(found.sites))
    assert problem.costs[found.sites].sum() <= budget
    assert most is None or len(found.sites) <= most
    assert allowed(problem, tuple(found.sites))


@quick
@given(floored(), st.integers(1, 30), st.sampled_from([None, 1, 3]))
def test_floors_equal_brute_force(case: tuple[Problem, Floors], budget: int,
                                  most: int | None) -> None:
    judge(*case, budget, most)


@settings(max_examples=12, deadline=None, derandomize=True)
@given(floored(), st.integers(1, 30))
def test_priced_floors_equal_brute_force(case: tuple[Problem, Floors], budget: int) -> None:
    """The way of large problems, on small ones: bounds and plans from prices come first."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room, "_SMALL", 0)
        judge(*case, budget, None)


@pytest.mark.slow
@settings(max_examples=1000, deadline=None, derandomize=True)
@given(floored(), st.integers(1, 30), st.sampled_from([None, 1, 3]))
def test_floors_equal_brute_force_many_times(case: tuple[Problem, Floors], budget: int,
                                             most: int | None) -> None:
    judge(*case, budget, most)


@quick
@given(floored(), st.integers(1, 40), st.data())
def test_kept_sites_stay_under_floors(case: tuple[Problem, Floors], budget: int,
                                      data: st.DataObject) -> None:
    problem, floors = case
    kept = data.draw(st.sets(st.integers(0, problem.sites - 1), max_size=1))
    numbers = np.array(sorted(kept), np.int64)
    if problem.costs[numbers].sum() > budget:
        with pytest.raises(InputError):
            maximise_with_floors(problem, floors, budget=budget, kept=numbers)
        return
    found = maximise_with_floors(problem, floors, budget=budget, kept=numbers)
    best = best_of(problem, floors, budget, None, kept)
    assert kept <= set(found.sites)
    if best is None:
        assert found.stopped == "infeasible"
    else:
        assert found.value == found.bound == best


@quick
@given(floored())
def test_money_that_the_floors_need_equals_brute_force(case: tuple[Problem, Floors]) -> None:
    problem, floors = case
    low, high = money_for_floors(problem, floors)
    least = min((cost for chosen, cost, _ in subsets(problem) if holds(problem, floors, chosen)),
                default=np.inf)
    assert low == high == least


def test_points_out_of_reach_are_told_only_where_they_matter() -> None:
    """Nobody reaches 2 and 3; the first floor needs 2, the second can do without 3."""
    problem = Problem.of([0, 1, 2], [0, 1], [1.0, 1.0, 1.0, 1.0], [1.0, 1.0])
    floors = Floors(sparse.csr_matrix([[1.0, 0, 1, 0], [0, 1.0, 0, 1]]), np.array([2.0, 1.0]))
    found = maximise_with_floors(problem, floors, budget=5.0)
    assert found.stopped == "infeasible"
    assert found.unreachable.tolist() == [2]
    assert money_for_floors(problem, floors) == (np.inf, np.inf)


def test_floors_that_do_not_belong_are_refused() -> None:
    with pytest.raises(InputError, match="do not belong together"):
        Floors(sparse.csr_matrix(np.ones((2, 3))), np.ones(1))
    with pytest.raises(InputError, match="not negative"):
        Floors(sparse.csr_matrix(-np.ones((1, 3))), np.ones(1))
