"""Candidates that another one beats: the best plan is as good without them."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st
from phusong.plan import Goal, dominated, without
from phusong.plan.reach import covering_problem
from phusong.tables import DOMINATED, faults

from tests.plan.test_rank import costs_of, gaps_of, reach_of, spots_of

FREE = Goal(poor_weight=0.0, near_poor_weight=0.0, max_sites=None)


def test_a_case_worked_by_hand() -> None:
    """B reaches less than A for more; C as much for the same; D serves nobody; E has its own."""
    gaps = gaps_of(dict.fromkeys("pqr", 100.0))
    spots = spots_of({n: (1000.0 * i, 0.0) for i, n in enumerate("ABCDE")})
    reach = reach_of({"A": "pq", "B": "p", "C": "pq", "D": "", "E": "r"})
    costs = costs_of({"A": 2.0, "B": 3.0, "C": 2.0, "D": 1.0, "E": 9.0})
    found = dominated(gaps, spots, reach, costs, FREE)
    assert faults(found, DOMINATED) == []
    assert found["by"].to_dict() == {"B": "A", "C": "A", "D": ""}
    left, links = without(spots, reach, found.index)
    assert left["site_id"].tolist() == ["A", "E"]
    assert set(links.index.get_level_values("cell_id")) == {"A-1", "E-1"}


def test_a_feeder_of_its_own_protects_from_sites_elsewhere_but_not_from_its_own_place() -> None:
    gaps = gaps_of(dict.fromkeys("pq", 100.0))
    spots = spots_of({"A": (0.0, 0.0), "B": (9000.0, 0.0), "C": (9000.0, 0.0)},
                     variant_of=["a", "b", "b"])
    reach = reach_of({"A": "pq", "B": "pq", "C": "p"})
    bill = costs_of({"A": 1.0, "B": 2.0, "C": 2.0}).assign(feeder=False)
    hop = costs_of({"A": 5.0, "B": 5.0, "C": 5.0}).rename(index={"site": "hop"})
    costs = pd.concat([bill, hop.assign(feeder=True)])
    # A costs less than B and reaches as much, but its hop may be the dearer one to share
    assert dominated(gaps, spots, reach, costs, FREE)["by"].to_dict() == {"C": "B"}
    free = dominated(gaps, spots, reach, costs.drop(index=("A", "hop")), FREE)
    assert free["by"].to_dict() == {"B": "A", "C": "A"}


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 2**31), st.integers(2, 7), st.integers(1, 5), st.booleans())
def test_the_best_plan_is_as_good_without_them(seed: int, sites: int, points: int,
                                               shared: bool) -> None:
    random = np.random.default_rng(seed)
    gaps = gaps_of({f"p{i}": float(random.integers(1, 9)) for i in range(points)})
    names = [f"S{i}" for i in range(sites)]
    place = [f"v{random.integers(0, 3)}" if shared else f"v{i}" for i in range(sites)]
    spots = spots_of({n: (1.0 * i, 0.0) for i, n in enumerate(names)}, variant_of=place)
    pairs = [(f"p{p}", f"{n}-1") for n in names for p in range(points) if random.random() < 0.5]
    if not pairs:
        return
    index = pd.MultiIndex.from_tuples(pairs, names=["point_id", "cell_id"])
    reach = pd.DataFrame({"operator": "shared", "technology": "LTE", "frequency_mhz": 945.0,
                          "received_dbm": -80.0, "free_space_dbm": -80.0}, index=index)
    costs = costs_of({n: float(random.integers(1, 6)) for n in names})
    budget = float(random.integers(1, 15))
    lost = dominated(gaps, spots, reach, costs, FREE)
    assert not set(lost["by"]) & set(lost.index)
    left, links = without(spots, reach, lost.index)
    assert _best(gaps, spots, reach, costs, budget) == _best(gaps, left, links, costs, budget)


def _best(gaps: pd.DataFrame, spots: pd.DataFrame, reach: pd.DataFrame, costs: pd.DataFrame,
          budget: float) -> float:
    problem = covering_problem(gaps, spots, reach, costs, FREE).problem
    best = 0.0
    for count in range(problem.sites + 1):
        for plan in itertools.combinations(range(problem.sites), count):
            chosen = np.array(plan, np.int64)
            group = problem.groups[chosen]
            if problem.costs[chosen].sum() > budget or len(set(group[group >= 0])) < (
                    group >= 0).sum():
                continue
            best = max(best, float(problem.weights[problem.covered(chosen) > 0].sum()))
    return best
