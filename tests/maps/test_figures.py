"""Numbers of the page: sums of what is known, unknown never read as nothing, pace and deadline."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phusong.maps.figures import (
    assumed,
    day_text,
    number,
    plan_rows,
    poor,
    situation,
    target_rows,
    withheld,
)
from phusong.maps.gains import gains
from phusong.tables import REASONS, STATUSES
from small_study import InventedStudy


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.sampled_from(STATUSES), st.sampled_from(REASONS),
                          st.one_of(st.none(), st.integers(0, 900))), min_size=1, max_size=30))
def test_parts_add_up_to_the_whole(rows: list[tuple[str, str, int | None]]) -> None:
    points = pd.DataFrame({"kind": "school", "learners": [r[2] for r in rows]}).astype(
        {"learners": "float64"})
    service = pd.DataFrame({"status": [r[0] for r in rows], "reason": [r[1] for r in rows]})
    out = situation(points, service)
    parts = [out["status"][s] for s in STATUSES]
    total = out["status"]["total"]
    assert sum(p["points"] for p in parts) == total["points"] == len(rows)
    assert sum(p["learners"] or 0 for p in parts) == (total["learners"] or 0)
    assert sum(p["learners_missing"] for p in parts) == total["learners_missing"]
    assert sum(out["kinds"]["school"].values()) == len(rows)
    assert sum(r["points"] for r in out["reasons"]) == sum(r[0] != "covered" for r in rows)


def test_nothing_known_is_not_nought() -> None:
    points = pd.DataFrame({"kind": ["school"], "learners": [np.nan]})
    service = pd.DataFrame({"status": ["uncovered"], "reason": ["terrain_blocked"]})
    counts = situation(points, service)["status"]
    assert counts["uncovered"]["learners"] is None
    assert counts["uncovered"]["poor"] is None
    assert counts["covered"]["learners"] == 0   # there is no such place


def test_a_point_without_a_verdict_is_unknown() -> None:
    points = pd.DataFrame({"kind": ["school", "school"]}, index=["a", "b"])
    service = pd.DataFrame({"status": ["covered"], "reason": ["covered"]}, index=["a"])
    assert situation(points, service)["status"]["unknown"]["points"] == 1


def test_poor_and_near_poor_together() -> None:
    points = pd.DataFrame({"learners_poor": [3.0, np.nan, np.nan],
                           "learners_near_poor": [2.0, 4.0, np.nan]})
    assert poor(points).tolist()[:2] == [5.0, 4.0]
    assert np.isnan(poor(points)[2])


def test_small_counts_are_withheld_in_public_only() -> None:
    assert [withheld(v, True) for v in (0, 1, 4, 5, None)] == [0, "withheld", "withheld", 5, None]
    assert withheld(3, False) == 3


def test_numbers_for_json() -> None:
    assert number(3.0) == 3
    assert isinstance(number(3.0), int)
    assert number(0.1) == 0.1
    assert number(np.nan) is number(np.inf) is number(None) is None
    assert day_text(pd.NaT) is None
    assert day_text("2021-12-15") == "2021-12-15"


def test_pace_and_deadline(small: dict[str, Any]) -> None:
    rows = {r["name"]: r for r in target_rows(small["progress"], InventedStudy().targets)}
    assert list(rows) == ["first", "second"]
    last = rows["second"]["dates"]["2021-12-15"]
    first = rows["second"]["dates"]["2021-07-01"]
    assert last["days_left"] == 47
    assert rows["first"]["dates"]["2021-12-15"]["days_left"] == -76
    assert first["pace"] is None
    months = 167 / 30.4375
    assert last["pace"] == pytest.approx((last["covered"] - first["covered"]) / months)
    assert last["pace_needed"] == pytest.approx(last["short"] / (47 / 30.4375))


def test_unknown_poor_learners_are_no_gain_of_nought(small: dict[str, Any]) -> None:
    assert plan_rows(small["plan"], poor_known=False)[0]["poor_students_gained"] is None
    rows = target_rows(small["progress"], (), poor_known=False)
    assert rows[0]["dates"]["2021-12-15"]["learners_poor_uncovered"] is None


def test_assumed_columns_are_counted() -> None:
    frame = pd.DataFrame({"assumed": ["b;a", "a", "", None]})
    assert assumed(frame) == {"a": 2, "b": 1}
    assert assumed(pd.DataFrame()) == {}


def test_gains_are_those_of_the_plan(small: dict[str, Any]) -> None:
    found = gains(small["plan"], small["points"], small["spots"], small["reach"], small["costs"],
                  small["study"].goal)
    assert found.faults == ()
    named = [p for rank in small["plan"].index for p in found.new[rank]]
    assert len(named) == len(set(named)) == small["plan"]["cumulative_points"].iloc[-1]
    learners = small["points"].loc[named, "learners"].sum()
    assert learners == small["plan"]["cumulative_students"].iloc[-1]


def test_a_plan_for_other_points_is_told(small: dict[str, Any]) -> None:
    wrong = small["plan"].assign(points_gained=99)
    found = gains(wrong, small["points"], small["spots"], small["reach"], small["costs"],
                  small["study"].goal)
    assert found.new == {}
    assert found.faults[0].severity == "warning"
    assert str(len(wrong)) in found.faults[0].what
