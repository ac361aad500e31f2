"""What is counted, and against what: identities that no history may break."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest
from hand_made import START, WEEK, points, service
from hypothesis import given, settings
from hypothesis import strategies as st
from phusong.progress import Target, members, on_list
from phusong.service import Need
from phusong.tables import BREAKDOWN, FLOWS, PROGRESS, STATUSES, check
from phusong.tally import Beside, break_down, flows, track

END = dt.date(2022, 1, 31)
NEED = Need(name="data")


def _target(**more: object) -> Target:
    return Target(**{"name": "list", "deadline": END, "start": START, "need": NEED, **more})


def _register(rows: dict[str, tuple[str, str, str]]) -> pd.DataFrame:
    return pd.DataFrame([(s, pd.Timestamp(START), why, "", "", t) for s, t, why in rows.values()],
                        columns=["status", "since", "reason", "merged_into", "name", "target"],
                        index=pd.Index(list(rows), name="point_id", dtype="str"))


def test_a_week_counted_by_hand() -> None:
    """Five points, two snapshots: every figure worked out on paper."""
    here = points(5)
    days = [START, START + WEEK]
    services = {day: {"data": service(here, said)}
                for day, said in zip(days, ("ccuun", "cucut"), strict=True)}
    found = track(here, services, [_target()])
    check(found, PROGRESS)
    first, second = (found.loc[("list", pd.Timestamp(d))] for d in days)
    assert (first["covered"], first["uncertain"], first["uncovered"], first["unknown"]) == \
        (2, 0, 2, 1)
    assert (second["covered"], second["won"], second["lost"]) == (2, 1, 1)
    assert first["learners"] == 10 + 11 + 12 + 13 + 14
    assert second["learners_covered"] == 10 + 12
    assert second["learners_uncovered"] == 11 + 13
    assert second["poor_uncovered"] == 1 + 3
    assert second["near_poor_uncovered"] == 1 + 0
    assert second["learners_poor_uncovered"] == 5
    assert pd.isna(first["since"])
    assert second["since"] == pd.Timestamp(days[0])
    assert (second["locked"], second["locked_uncovered"]) == (2, 1)     # P000 and P003
    listed = flows(here, services, [_target()])
    check(listed, FLOWS)
    assert listed["change"].to_dict() == {("list", pd.Timestamp(days[1]), "P001"): "lost",
                                          ("list", pd.Timestamp(days[1]), "P002"): "won"}
    lost = listed.xs("P001", level="point_id").iloc[0]
    assert (lost["was_cell_id"], lost["reason"]) == ("A-1", "signal_too_weak")


@st.composite
def histories(draw: st.DrawFn) -> tuple[int, list[str], list[dict[str, tuple[str, str, str]]]]:
    """Statuses and a register for every snapshot."""
    count = draw(st.integers(1, 9))
    weeks = draw(st.integers(1, 4))
    statuses = [draw(st.text("ctun", min_size=count, max_size=count)) for _ in range(weeks)]
    names = [f"P{i:03d}" for i in range(count)] + ["X1", "X2"]
    entry = st.tuples(st.sampled_from(["open", "withdrawn", "merged"]),
                      st.sampled_from(["", "list", "other"]), st.just("vì sao"))
    registers = [draw(st.dictionaries(st.sampled_from(names), entry, max_size=5))
                 for _ in range(weeks)]
    return count, statuses, registers


@settings(max_examples=25, deadline=None)
@given(histories())
def test_the_books_balance(history: tuple[int, list[str], list[dict[str, tuple[str, str, str]]]]
                           ) -> None:
    count, statuses, registers = history
    here = points(count, ["list" if i % 4 else "" for i in range(count)])
    days = [START + n * WEEK for n in range(len(statuses))]
    services = {d: {"data": service(here, s)} for d, s in zip(days, statuses, strict=True)}
    beside = Beside(registers={d: _register(r) for d, r in zip(days, registers, strict=True)})
    target = _target()
    found = track(here, services, [target], beside=beside)
    check(found, PROGRESS)
    assert (found[list(STATUSES)].sum(axis=1) == found["points"]).all()
    assert (found["goal"] == found["points"]).all(), "a goal that is the list grows with it"
    for group in ("learners",):
        whole = found[[f"{group}_{s}" for s in STATUSES]].sum(axis=1)
        assert (whole == found[group]).all()
    before = found.shift(1)
    later = found.iloc[1:]
    moved = later["joined"] - later["left"]
    assert (later["points"] == before["points"].iloc[1:] + moved).all()
    net = later["won"] - later["lost"] + later["joined_covered"] - later["left_covered"]
    assert (later["covered"] == before["covered"].iloc[1:] + net).all()
    listed = flows(here, services, [target], beside=beside)
    check(listed, FLOWS)
    for change in ("won", "lost", "joined", "left"):
        assert (listed["change"] == change).sum() == found[change].sum()
    parts = break_down(here, services, [target], beside=beside)
    check(parts, BREAKDOWN)
    for by in ("province", "commune", "kind"):
        if by in parts.index.get_level_values("by"):
            total = parts.xs(by, level="by").groupby(level=["target", "date"]).sum(
                numeric_only=True).reindex(found.index, fill_value=0)
            for column in ("points", *STATUSES, "won", "lost", "joined", "left", "learners",
                           "poor_uncovered", "locked"):
                assert (total[column] == found[column]).all(), (by, column)


@settings(max_examples=8, deadline=None)
@given(st.permutations(range(7)), st.text("ctun", min_size=7, max_size=7))
def test_row_order_counts_for_nothing(order: list[int], statuses: str) -> None:
    here = points(7)
    other = here.iloc[order]
    table = service(here, statuses)
    one = track(here, {START: {"data": table}}, [_target()])
    two = track(other, {START: {"data": table.loc[other.index]}}, [_target()])
    pd.testing.assert_frame_equal(one, two)
    pd.testing.assert_frame_equal(break_down(here, {START: {"data": table}}, [_target()]),
                                  break_down(other, {START: {"data": table}}, [_target()]))


def test_the_register_moves_the_denominator() -> None:
    here = points(4, ["list", "list", "", "list"])
    target = _target()
    assert list(on_list(here, target)) == ["P000", "P001", "P003"]
    register = _register({"P000": ("withdrawn", "", "đã có sóng"), "P002": ("open", "list", "mới"),
                          "P003": ("merged", "other", "gộp"), "Z9": ("open", "list", "mới"),
                          "Z8": ("open", "", "không rõ danh sách")})
    assert list(on_list(here, target, register)) == ["P001", "P002", "P003", "Z9"]
    services = {day: {"data": service(here, "cccc")} for day in (START, START + WEEK)}
    beside = Beside(registers={START + WEEK: register})
    found = track(here, services, [target], beside=beside)
    last = found.iloc[-1]
    assert (last["points"], last["covered"], last["unknown"]) == (4, 3, 1)
    assert (last["joined"], last["joined_covered"], last["left"], last["left_covered"]) == \
        (2, 1, 1, 1)
    reasons = flows(here, services, [target], beside=beside)["reason"]
    assert reasons.droplevel(["target", "date"]).to_dict() == {
        "P000": "đã có sóng", "P002": "mới", "Z9": "mới"}


def test_evidence_stands_beside_and_is_never_mixed() -> None:
    here = points(4)
    model = {START: {"data": service(here, "cutu")}}
    claimed = service(here, "nccn", {"P001": "B", "P002": "A;B"})
    measured = service(here, "cnnu")
    beside = Beside(claimed={START: {"data": claimed}}, measured={START: {"data": measured}},
                    by_operator={"A": model, "B": {START: {"data": service(here, "uuuu")}}})
    bare, full = (track(here, model, [_target()], beside=b).iloc[0] for b in (None, beside))
    shared = [c for c in PROGRESS.columns if "claimed" not in c and "measured" not in c
              and c not in ("disputed", "declared_covered", "declared_uncovered",
                            "learners_declared")]
    pd.testing.assert_series_equal(bare[shared], full[shared])
    assert bare["disputed"] == 0
    assert pd.isna(bare["claimed_covered"]), "no such evidence is no zero"
    assert (full["claimed_covered"], full["claimed_uncovered"], full["disputed"]) == (2, 0, 1)
    assert full["learners_claimed"] == 11 + 12
    assert (full["measured_covered"], full["measured_uncovered"]) == (1, 1)
    assert pd.isna(full["declared_covered"])
    by = break_down(here, model, [_target()], beside=beside, by=("operator",))
    by = by.xs("operator", level="by").droplevel(["target", "date"])
    assert by.loc["A", ["covered", "claimed_covered", "disputed"]].tolist() == [1, 1, 0]
    assert by.loc["B", ["covered", "claimed_covered", "disputed"]].tolist() == [0, 2, 2]


def test_lists_by_rule() -> None:
    here = points(12, "")
    by_kind = members(here, _target(kinds=("school",)))
    assert list(here.index[by_kind]) == [f"P{i:03d}" for i in range(0, 12, 2)]
    here_and_there = _target(kinds=("school",), provinces=("02",))
    assert list(here.index[members(here, here_and_there)]) == ["P002", "P008"]
    locked = _target(lockdown_on=dt.date(2021, 9, 20))
    assert list(here.index[members(here, locked)]) == ["P000", "P003", "P006", "P009"]
    after = _target(lockdown_on=dt.date(2021, 10, 2))
    assert list(here.index[members(here, after)]) == ["P003", "P009"], "an open spell goes on"
    assert not members(here, _target()).any()
    with pytest.raises(ValueError, match="lockdown_off"):
        _target(lockdown_off=START)


def test_poor_learners_that_nobody_counted_are_no_zero() -> None:
    here = points(3).drop(columns="learners_near_poor")
    here["learners_poor"] = float("nan")
    row = track(here, {START: {"data": service(here, "cuu")}}, [_target()]).iloc[0]
    assert row[["poor_covered", "poor_uncovered", "near_poor_uncovered",
                "learners_poor_uncovered"]].isna().all()
    assert row["learners_uncovered"] == 11 + 12
    half = points(3).drop(columns="learners_near_poor")
    row = track(half, {START: {"data": service(half, "cuu")}}, [_target()]).iloc[0]
    assert (row["poor_uncovered"], row["learners_poor_uncovered"]) == (3, 3)


def test_nothing_to_count() -> None:
    here = points(3, "")
    table = {START: {"data": service(here, "ccc")}}
    assert track(here, table, []).empty
    assert list(track(here, table, []).columns) == list(PROGRESS.columns)
    row = track(here, table, [_target()]).iloc[0]
    assert (row["points"], row["goal"], row["learners"]) == (0, 0, 0)
    assert flows(here, table, [_target()]).empty
    assert break_down(here, table, [_target()]).empty
