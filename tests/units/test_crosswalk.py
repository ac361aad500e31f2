"""Crosswalks: people are conserved to the unit over any chain of reforms; the real one is whole."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phusong.errors import InputError
from phusong.units import BASES, Crosswalk, apportion, carry, chain, recode

DAY = dt.date(2021, 7, 1)


def walk(*pairs: tuple[object, ...], step: int = 0, partial: bool = False) -> Crosswalk:
    frame = pd.DataFrame(list(pairs), columns=["old_code", "new_code", "people"][:len(pairs[0])])
    return Crosswalk.of(frame, before=DAY + dt.timedelta(days=step), partial=partial,
                        after=DAY + dt.timedelta(days=step + 1))


@st.composite
def reforms(draw: st.DrawFn) -> tuple[list[str], list[Crosswalk]]:
    """A few units, and one to four reforms that merge, split and rename them."""
    units = [f"u{i}" for i in range(draw(st.integers(1, 7)))]
    first, walks = list(units), []
    for step in range(draw(st.integers(1, 4))):
        news = [f"{'abcd'[step]}{i}" for i in range(draw(st.integers(1, 6)))]
        kept = draw(st.booleans())
        pairs = []
        for unit in units:
            into = draw(st.lists(st.sampled_from(news), min_size=1, max_size=3, unique=True))
            if kept and draw(st.booleans()):
                into = [unit]                       # some codes live on
            people = st.one_of(st.integers(0, 9000), st.just(float("nan")))
            pairs += [(unit, new, draw(people)) for new in into]
        walks.append(walk(*pairs, step=step))
        units = sorted({pair[1] for pair in pairs})
    return first, walks


@given(reforms(), st.data())
@settings(max_examples=40, deadline=None, derandomize=True)
def test_people_and_learners_are_conserved_over_any_chain(made: tuple[list[str], list[Crosswalk]],
                                                          data: st.DataObject) -> None:
    units, walks = made
    whole = st.integers(0, 2 ** 36)
    counts = pd.DataFrame({"people": [data.draw(whole) for _ in units],
                           "learners": [data.draw(st.integers(0, 2000)) for _ in units]},
                          index=units)
    through = carry(counts, chain(walks))
    assert (through.values[["people", "learners"]].sum() == counts.sum()).all()
    assert through.unmatched.empty
    stepwise = counts
    for one in walks:
        stepwise = carry(stepwise, one).values[["people", "learners"]]
    assert (stepwise.sum() == counts.sum()).all()
    assert set(stepwise.index) == set(through.values.index)
    back = carry(through.values[["people", "learners"]], chain(walks).reversed())
    assert (back.values[["people", "learners"]].sum() == counts.sum()).all()
    assert set(back.values.index) <= set(units)


@given(reforms())
@settings(max_examples=25, deadline=None, derandomize=True)
def test_a_chain_is_itself_a_crosswalk(made: tuple[list[str], list[Crosswalk]]) -> None:
    units, walks = made
    joined = chain(reversed(walks))
    assert joined.olds == set(units)
    assert joined.news == set(walks[-1].news) & set(joined.news)
    shares = joined.pieces.groupby("old_code")["share"].sum()
    assert np.allclose(shares, 1.0, atol=1e-12)
    assert joined.pieces["basis"].isin(BASES).all()
    assert (joined.pieces["share"].ge(0)).all()


@given(reforms(), st.randoms(use_true_random=False))
@settings(max_examples=15, deadline=None, derandomize=True)
def test_the_order_of_rows_decides_nothing(made: tuple[list[str], list[Crosswalk]],
                                           chance: object) -> None:
    units, walks = made
    counts = pd.Series(range(1, len(units) + 1), index=units)
    shuffled = list(units)
    chance.shuffle(shuffled)                        # type: ignore[attr-defined]
    turned = Crosswalk.of(walks[0].pieces.iloc[::-1][["old_code", "new_code", "people"]],
                          before=walks[0].before, after=walks[0].after)
    pd.testing.assert_frame_equal(carry(counts, walks[0]).values,
                                  carry(counts[shuffled], turned).values)


@given(st.integers(0, 10 ** 12), st.lists(st.floats(0, 1), min_size=1, max_size=12))
@settings(max_examples=200, deadline=None, derandomize=True)
def test_a_total_is_split_to_the_unit_and_within_one_of_its_quota(total: int,
                                                                  weights: list[float]) -> None:
    groups = np.zeros(len(weights), np.int64)
    shares = apportion_shares(weights)
    parts = apportion([total], groups, shares)
    assert parts.sum() == total
    assert (np.abs(parts - total * shares) < 1 + 1e-3).all()


def apportion_shares(weights: list[float]) -> np.ndarray:
    from phusong.units.apportion import shares_of

    return shares_of(np.array(weights), np.zeros(len(weights), np.int64))


def test_largest_remainder_by_hand() -> None:
    """10 over 3 equal parts: 4, 3, 3, the tie to the first code; 7 over 0.5, 0.3, 0.2: 4, 2, 1."""
    equal = walk(("o", "a"), ("o", "b"), ("o", "c"))
    assert carry({"o": 10}, equal).values["count"].to_dict() == {"a": 4, "b": 3, "c": 3}
    given_people = walk(("o", "a", 50), ("o", "b", 30), ("o", "c", 20))
    assert carry({"o": 7}, given_people).values["count"].to_dict() == {"a": 4, "b": 2, "c": 1}


def test_unknown_is_not_zero_and_unmatched_is_not_lost() -> None:
    merged = walk(("1", "A"), ("2", "A"), ("3", "B"))
    done = carry(pd.DataFrame({"learners": [5, float("nan"), 7, 11]}, index=["1", "2", "3", "9"]),
                 merged)
    assert done.values.to_dict("index") == {"A": {"learners": 5, "unknown_from": 1},
                                            "B": {"learners": 7, "unknown_from": 0}}
    assert done.unmatched["learners"].to_dict() == {"9": 11}


def test_units_that_a_partial_reform_does_not_name_stay() -> None:
    first = walk(("1", "A", 10), ("1", "B", 30), partial=True)
    second = walk(("2", "C"), ("A", "C"), step=1, partial=True)
    both = chain([second, first])
    done = carry({"1": 100, "2": 3, "7": 1}, both)
    assert done.values["count"].to_dict() == {"7": 1, "B": 75, "C": 28}
    assert both.partial


def test_chains_with_a_hole_are_refused() -> None:
    first, second = walk(("1", "A"), ("2", "B")), walk(("A", "X"), step=1)
    with pytest.raises(InputError, match="first: B"):
        first.then(second)
    with pytest.raises(InputError, match="order of their days"):
        second.then(first)


@pytest.mark.parametrize("totals", [[1.5], [-1], [float("inf")]])
def test_only_whole_known_numbers_are_split(totals: list[float]) -> None:
    with pytest.raises(InputError, match="whole numbers"):
        apportion(totals, np.zeros(2, np.int64), np.array([0.5, 0.5]))


def test_faults_of_a_crosswalk_are_told_at_once() -> None:
    frame = pd.DataFrame({"old_code": ["1", ""], "new_code": [None, "A"], "people": [-1, 2]})
    with pytest.raises(InputError) as error:
        Crosswalk.of(frame, before=DAY, after=DAY)
    assert [f.code for f in error.value.faults] == ["empty_cell", "empty_cell", "too_low",
                                                    "backward_dates"]


def test_the_way_back_divides_by_people() -> None:
    merged = walk(("1", "A", 30), ("2", "A", 10), ("3", "B", 5))
    back = carry({"A": 8, "B": 5}, merged.reversed())
    assert back.values["count"].to_dict() == {"1": 6, "2": 2, "3": 5}
    assert set(merged.reversed().pieces["basis"]) == {"people", "whole"}
    assert set(walk(("1", "A"), ("2", "A")).reversed().pieces["basis"]) == {"equal"}


def test_recode_names_every_fate() -> None:
    change = walk(("1", "1", 1), ("2", "1", 1), ("3", "5", 10), ("3", "4", 30))
    seen = recode(["1", "2", "3", "8", ""], change)
    assert seen["status"].tolist() == ["same", "changed", "split", "unmatched", "empty"]
    assert seen["code"].tolist() == ["1", "1", "", "", ""]
    assert seen["candidates"].tolist()[2] == "4;5"


def real_crosswalk(shared: Path) -> tuple[Crosswalk, set[str]]:
    folder = shared / "data/admin_vn"
    rows = pd.read_csv(folder / "crosswalk_legacy_to_2025.csv.gz", dtype=str).dropna(
        subset=["wardCode"])
    olds = set(pd.read_csv(folder / "gso_wards_legacy_10035_utf8bom.csv", dtype=str)["Mã"])
    codes = rows["wardCode"].str.replace(r"\.0$", "", regex=True).str.zfill(5)
    pairs = pd.DataFrame({"old_code": codes, "new_code": rows["newWardCode"]})
    return Crosswalk.of(pairs, before=dt.date(2025, 3, 1), after=dt.date(2025, 7, 1)), olds


def test_the_real_reform_of_2025_is_covered_and_conserves(shared: Path) -> None:
    change, olds = real_crosswalk(shared)
    assert change.olds == olds
    assert len(olds) == 10_035
    assert len(change.split) == 471
    assert max(len(change.successors(code)) for code in change.split) == 5
    assert len(change.news) == 3_321 - 5            # five island districts had no communes before
    people = pd.Series(np.random.default_rng(7).integers(0, 40_000, len(olds)),
                       index=sorted(olds))
    there = carry(people, change)
    assert there.values["count"].sum() == people.sum()
    assert there.unmatched.empty
    assert 0 < there.estimated < 0.15
    back = carry(there.values["count"], change.reversed())
    assert back.values["count"].sum() == people.sum()
    assert set(back.values.index) == olds
