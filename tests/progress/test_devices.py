"""Devices: nothing lost, nobody over need, the order of tiers, the known paradox."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hand_made import START, points, service
from hypothesis import given, settings
from hypothesis import strategies as st
from phusong.devices import TIERS, allocate, largest_remainder
from phusong.errors import InputError
from phusong.tables import DEVICES, check

NEEDS = st.lists(st.integers(0, 400), min_size=1, max_size=12).map(
    lambda found: np.array(found, np.int64))


@settings(max_examples=200, deadline=None)
@given(NEEDS, st.integers(0, 2000))
def test_largest_remainder(need: np.ndarray, devices: int) -> None:
    given_out = largest_remainder(need, devices)
    total = int(need.sum())
    assert given_out.sum() == min(devices, total)
    assert ((given_out >= 0) & (given_out <= need)).all()
    for mine, got in zip(need, given_out, strict=True):
        share = Fraction(int(mine) * min(devices, total), max(total, 1))
        assert abs(int(got) - share) < 1, "within one device of the exact share"
    for i, j in zip(*np.where(need[:, None] > need[None, :]), strict=True):
        assert given_out[i] >= given_out[j], "who needs more never gets fewer"


def test_the_alabama_paradox_is_real() -> None:
    """The textbook case: with one seat more the smallest of three loses one."""
    need = np.array([60, 60, 20], np.int64)
    assert largest_remainder(need, 10).tolist() == [4, 4, 2]
    assert largest_remainder(need, 11).tolist() == [5, 5, 1]


def test_large_numbers_stay_exact() -> None:
    # exact shares 999,998.5000005, 999,999.5 and 0.9999995: the first has the larger remainder
    need = np.array([999_999, 1_000_000, 1], np.int64)
    assert largest_remainder(need, 1_999_999).tolist() == [999_999, 999_999, 1]
    million = np.full(43_000, 40, np.int64)
    assert largest_remainder(million, 1_000_000).sum() == 1_000_000


@st.composite
def cases(draw: st.DrawFn) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, int]:
    count = draw(st.integers(1, 10))
    here = points(count)
    some = st.one_of(st.none(), st.integers(0, 30).map(float))
    for column in ("learners_poor", "learners_near_poor", "devices"):
        here[column] = pd.array(draw(st.lists(some, min_size=count, max_size=count)),
                                dtype="Float64").to_numpy(float, na_value=np.nan)
    judged = service(here, draw(st.text("ctun", min_size=count, max_size=count)))
    came = draw(st.dictionaries(st.sampled_from(list(here.index)), st.integers(-5, 20)))
    delivered = pd.DataFrame({"delivered": pd.Series(came, dtype="int64")})
    return here, judged, delivered, draw(st.integers(0, 400))


@settings(max_examples=60, deadline=None)
@given(cases(), st.randoms(use_true_random=False))
def test_allocation(case: tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, int],
                    chance: object) -> None:
    here, judged, delivered, devices = case
    found = allocate(here, judged, devices, delivered=delivered, day=START)
    check(found, DEVICES)
    need = found["need"].fillna(0)
    assert found["allocated"].sum() == min(devices, need.sum())
    assert (found["allocated"] <= need).all()
    assert (found["missing"].dropna() == (need - found["allocated"])[found["need"].notna()]).all()
    unknown = here["learners_poor"].isna() & here["learners_near_poor"].isna()
    assert (found["need"].isna() == unknown).all(), "an unknown need is no zero"
    assert ((found["tier"] == 0) == (need == 0)).all()
    for number in range(1, len(TIERS)):
        later = found.loc[found["tier"] > number, "allocated"].sum()
        short = found.loc[found["tier"] == number, "missing"].sum()
        assert not (later and short), "a later tier gets nothing while an earlier one lacks any"
    order = list(here.index)
    chance.shuffle(order)  # type: ignore[attr-defined]
    other = allocate(here.loc[order], judged, devices, delivered=delivered, day=START)
    pd.testing.assert_frame_equal(other.loc[here.index], found)
    more = allocate(here, judged, devices + 1, delivered=delivered, day=START)
    by_tier = [t.groupby("tier")["allocated"].sum() for t in (found, more)]
    assert (by_tier[1] >= by_tier[0]).all(), "a tier as a whole never gets fewer"


def test_who_comes_first() -> None:
    """Covered before uncovered, distancing before others; what is held is taken off."""
    here = points(6)
    here["learners_poor"], here["learners_near_poor"], here["devices"] = 6.0, 4.0, [3.0] * 6
    judged = service(here, "uccctn")
    delivered = pd.DataFrame({"delivered": [2, 99]}, index=["P001", "P004"])
    found = allocate(here, judged, 20, delivered=delivered, day=START)
    assert found["held"].tolist() == [3, 5, 3, 3, 102, 3]
    assert found["need"].tolist() == [7, 5, 7, 7, 0, 7]
    assert found["locked"].tolist() == [True, False, False, True, False, False]
    assert found["tier"].tolist() == [7, 2, 2, 1, 0, 6]
    assert found["allocated"].tolist() == [0, 5, 7, 7, 0, 1]
    assert found["missing"].sum() == 7 + 6
    kept = allocate(here, judged, 20, delivered=delivered, day=START, covered_only=True)
    assert kept["allocated"].sum() == 19
    after = allocate(here, judged, 20, delivered=delivered)
    assert not after["locked"].any()


@pytest.mark.parametrize("devices", [-1, 2.5])
def test_what_cannot_be_split(devices: float) -> None:
    here = points(2)
    with pytest.raises(InputError, match="whole number"):
        allocate(here, service(here, "cc"), devices)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="different points"):
        allocate(here, service(points(3), "ccc"), 1)
