"""`why`: gains by hand, the rival, and flips that really flip."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phusong.errors import UnknownNameError
from phusong.plan import Goal, rank, why
from test_rank import PLAIN, THREE, costs_of, gaps_of, reach_of, spots_of

GAPS = gaps_of({"p": 100.0, "q": 200.0, "r": 50.0})
CASE = (GAPS, spots_of(THREE), reach_of({"A": "pq", "B": "qr", "C": "r"}))
MONEY = {"A": 2e6, "B": 1e6, "C": 4e6}


def test_a_case_worked_by_hand() -> None:
    """One site only: B (250 per million) beats A (150); A takes over when B costs 1.667 million."""
    goal = PLAIN.model_copy(update={"max_sites": 1})
    first = why("B", *CASE, costs_of(MONEY), goal)
    assert (first.rank, first.gained_alone, first.gained_in_turn, first.gained_last) == \
        (1, 250.0, 250.0, 250.0)
    assert (first.rival, first.per_cost, first.rival_per_cost) == ("A", 250.0, 150.0)
    assert first.flip_cost == pytest.approx(250 / 150 * 1e6, rel=1e-5)
    other = why("A", *CASE, costs_of(MONEY), goal)
    assert (other.rank, other.rival, other.gained_in_turn) == (0, "B", 100.0)
    assert other.flip_cost == pytest.approx(300 / 250 * 1e6, rel=1e-5)
    assert "B" in other.text()
    assert "không nằm trong kế hoạch" in other.text("vi")


def test_what_only_it_reaches() -> None:
    last = why("A", *CASE, costs_of(MONEY), PLAIN)
    assert (last.rank, last.gained_in_turn, last.gained_last) == (2, 100.0, 100.0)
    assert last.rival == "", "C reaches nothing new any more"


def test_a_choice_that_nothing_flips_is_said_so() -> None:
    only = why("A", gaps_of({"p": 9.0}), spots_of({"A": (0.0, 0.0)}), reach_of({"A": "p"}),
               costs_of({"A": 1.0}), PLAIN.model_copy(update={"max_sites": 5}))
    assert np.isnan(only.flip_cost)
    assert only.as_dict()["flip_cost"] is None


def test_unknown_site_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="no candidate site"):
        why("Z", *CASE, costs_of(MONEY), Goal())


@settings(max_examples=8, deadline=None, derandomize=True)
@given(st.data())
def test_flips_flip_and_a_little_nearer_they_do_not(data: st.DataObject) -> None:
    points, sites = "pqrstu", "ABCDE"
    gaps = gaps_of({p: float(data.draw(st.integers(1, 90))) for p in points})
    spots = spots_of({s: (700.0 * i, 0.0) for i, s in enumerate(sites)})
    reach = reach_of({s: "".join(sorted(data.draw(st.sets(st.sampled_from(points), min_size=1))))
                      for s in sites})
    money = {s: float(data.draw(st.integers(1, 9))) for s in sites}
    goal = PLAIN.model_copy(update={"max_sites": 2})
    plan = rank(gaps, spots, reach, costs_of(money), goal)
    site = data.draw(st.sampled_from(sites))
    found = why(site, gaps, spots, reach, costs_of(money), goal)
    assert (found.rank > 0) == (site in set(plan["site_id"]))
    if found.rank:
        row = plan.loc[found.rank]
        assert row["weight_gained"] == found.gained_in_turn
    if np.isfinite(found.flip_cost):
        step = 3e-6 * found.flip_cost
        nearer = found.flip_cost + np.clip(money[site] - found.flip_cost, -step, step)
        for cost, flipped in ((found.flip_cost, True), (nearer, False)):
            again = rank(gaps, spots, reach, costs_of(money | {site: cost}), goal)
            assert (site in set(again["site_id"])) == ((found.rank > 0) != flipped)
