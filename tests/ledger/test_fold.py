"""What was on air on a day, as known on another: a function of the set, not of the order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from phusong.errors import InputError
from phusong.ledger import Ledger, compare
from phusong.tables import SITES, check

Make = Callable[..., Ledger]


def row(action: str, date: str, site: str = "A", cell: str = "A-1", lat: object = 22.35,
        lon: object = 103.84, technology: str = "4G", frequency: object = 1800,
        height: object = 30, azimuth: object = 90) -> tuple[object, ...]:
    return (action, site, cell, date, lat, lon, technology, frequency, height, azimuth)


def bare(action: str, date: str, site: str = "A", cell: str = "", **said: object
         ) -> tuple[object, ...]:
    empty = dict.fromkeys(("lat", "lon", "technology", "frequency", "height", "azimuth"), "")
    return row(action, date, site, cell, **(empty | said))  # type: ignore[arg-type]


@pytest.fixture
def told(in_memory: Make, csv: Callable[..., Path]) -> Callable[..., Ledger]:
    """A ledger that was told weekly reports: day known -> rows."""

    def tell(reports: dict[str, Sequence[Sequence[object]]], operator: str = "X",
             standing: gpd.GeoDataFrame | None = None) -> Ledger:
        ledger = in_memory(standing)
        for place, (known, rows) in enumerate(reports.items()):
            path = csv(f"r{place}.csv", rows)
            outcome = ledger.report([path], operator=operator, recorded_at=known)
            assert outcome.counts["rejected"] == 0, outcome.rows["message_en"].tolist()
        return ledger

    return tell


def heights(ledger: Ledger, *args: object) -> dict[str, float]:
    state = ledger.state(*args)  # type: ignore[arg-type]
    check(state, SITES)
    return {str(k): float(v) for k, v in state["antenna_height_m"].items()}


def test_a_life(told: Callable[..., Ledger]) -> None:
    ledger = told({"2021-10-08": [row("new", "2021-10-05")],
                   "2021-10-15": [bare("change", "2021-10-12", cell="A-1", height=45)],
                   "2021-10-22": [bare("move", "2021-10-20", lat=22.40, lon=103.90)],
                   "2021-10-29": [bare("decommission", "2021-10-27")]})
    seen = {day: heights(ledger, f"2021-10-{day}") for day in ("04", "05", "11", "12", "26", "27")}
    assert seen == {"04": {}, "05": {"A-1": 30.0}, "11": {"A-1": 30.0}, "12": {"A-1": 45.0},
                    "26": {"A-1": 45.0}, "27": {}}
    there = ledger.state("2021-10-26").to_crs(4326).geometry.iloc[0]
    assert (there.x, there.y) == pytest.approx((103.90, 22.40), abs=1e-7)
    assert heights(ledger, "2021-10-26", "2021-10-14") == {"A-1": 30.0}
    assert heights(ledger, "2021-10-28", "2021-10-22") == {"A-1": 45.0}
    assert heights(ledger, "2021-10-28", "2021-10-07") == {}
    assert ledger.troubles().empty
    assert ledger.history("X", "a")["action"].tolist() == ["new", "change", "move", "decommission"]


def test_a_correction_replaces_what_was_said_before(told: Callable[..., Ledger]) -> None:
    ledger = told({"2021-10-08": [row("new", "2021-10-05")],
                   "2021-10-15": [row("new", "2021-10-05", height=48)],
                   "2021-10-22": [row("new", "2021-10-11", height=48)]})
    assert heights(ledger, "2021-10-12", "2021-10-10") == {"A-1": 30.0}
    assert heights(ledger, "2021-10-12", "2021-10-16") == {"A-1": 48.0}
    assert heights(ledger, "2021-10-10", "2021-10-16") == {"A-1": 48.0}
    assert heights(ledger, "2021-10-10") == {}
    assert heights(ledger, "2021-10-12") == {"A-1": 48.0}


def test_a_second_life_after_the_first(told: Callable[..., Ledger]) -> None:
    ledger = told({"2021-10-08": [row("new", "2021-10-01"), bare("decommission", "2021-10-05")],
                   "2021-10-15": [row("new", "2021-10-10", height=60)]})
    assert [heights(ledger, f"2021-10-{d}") for d in ("02", "06", "11")] == [
        {"A-1": 30.0}, {}, {"A-1": 60.0}]


def test_a_corrected_end(told: Callable[..., Ledger]) -> None:
    ledger = told({"2021-10-08": [row("new", "2021-10-01"), bare("decommission", "2021-10-05")],
                   "2021-10-15": [bare("decommission", "2021-10-09")]})
    assert heights(ledger, "2021-10-07", "2021-10-08") == {}
    assert heights(ledger, "2021-10-07") == {"A-1": 30.0}
    assert heights(ledger, "2021-10-09") == {}


def test_retractions(told: Callable[..., Ledger]) -> None:
    ledger = told({"2021-10-08": [row("new", "2021-10-05"), row("new", "2021-10-05", "B", "B-1")],
                   "2021-10-15": [bare("change", "2021-10-12", height=45)],
                   "2021-10-22": [bare("retract", "2021-10-05", "B"),
                                  bare("retract", "2021-10-12", "A")]})
    assert heights(ledger, "2021-10-20", "2021-10-16") == {"A-1": 45.0, "B-1": 30.0}
    assert heights(ledger, "2021-10-20") == {"A-1": 30.0}


def test_retracted_and_said_anew(told: Callable[..., Ledger]) -> None:
    ledger = told({"2021-10-08": [row("new", "2021-10-05")],
                   "2021-10-15": [bare("retract", "2021-10-05"),
                                  row("new", "2021-10-05", height=36)]})
    assert heights(ledger, "2021-10-20") == {"A-1": 36.0}


def test_the_same_words_after_a_retraction_are_pointed_out(in_memory: Make,
                                                           csv: Callable[..., Path]) -> None:
    ledger = in_memory()
    first = row("new", "2021-10-05")
    ledger.report([csv("a.csv", [first])], operator="X", recorded_at="2021-10-08")
    ledger.report([csv("b.csv", [bare("retract", "2021-10-05")])], operator="X",
                  recorded_at="2021-10-15")
    again = ledger.report([csv("c.csv", [first, row("new", "2021-11-05", "C", "C-1")])],
                          operator="X", recorded_at="2021-10-22")
    assert again.rows["reason"].tolist() == ["superseded_statement", ""]
    assert heights(ledger, "2021-10-20") == {}
    dated = ledger.report([csv("2021-10-29.csv", [first])], operator="X", recorded_at="2021-10-29")
    assert dated.counts["duplicate"] == 1
    assert dated.rows["reason"].tolist() == ["said_again"], "it is told that it holds again"
    assert len(dated.changes) == 1
    assert heights(ledger, "2021-10-20") == {"A-1": 30.0}


def test_three_sectors_without_codes(told: Callable[..., Ledger]) -> None:
    ledger = told({"2021-10-08": [row("new", "2021-10-05", cell="", azimuth=a)
                                  for a in (30, 150, 270)],
                   "2021-10-15": [bare("change", "2021-10-12", technology="4G", azimuth=150,
                                       height=45)],
                   "2021-10-22": [bare("change", "2021-10-20", technology="LTE", azimuth=90)],
                   "2021-10-29": [bare("decommission", "2021-10-28", technology="2G")]})
    state = ledger.state("2021-10-25")
    assert dict(zip(state["azimuth_deg"], state["antenna_height_m"], strict=True)) == {
        30.0: 30.0, 150.0: 45.0, 270.0: 30.0}
    assert ledger.troubles()["code"].tolist() == ["ambiguous_change", "no_such_cell"]


def test_one_cell_without_a_code_is_corrected(told: Callable[..., Ledger]) -> None:
    ledger = told({"2021-10-08": [row("new", "2021-10-05", cell="", azimuth=30)],
                   "2021-10-15": [row("new", "2021-10-05", cell="", azimuth=60)]})
    assert ledger.state("2021-10-10")["azimuth_deg"].tolist() == [60.0]


def test_words_about_what_nobody_knows_wait_for_a_person(told: Callable[..., Ledger]) -> None:
    ledger = told({"2021-10-08": [bare("change", "2021-10-05", height=20),
                                  bare("retract", "2021-10-05", "Z"),
                                  bare("decommission", "2021-10-06", "Y")]})
    assert ledger.troubles()[["code", "site_code"]].values.tolist() == [
        ["no_such_cell", "A"], ["no_such_cell", "Y"], ["nothing_to_retract", "Z"]]
    assert ledger.state().empty
    check(ledger.state(), SITES)


def test_suspected_duplicates_wait_and_are_settled(in_memory: Make, csv: Callable[..., Path]
                                                   ) -> None:
    ledger = in_memory()
    near = row("new", "2021-10-06", "B", "B-1", lat=22.3502, height=50)
    first = ledger.report([csv("a.csv", [row("new", "2021-10-05"), near])], operator="X",
                          recorded_at="2021-10-08")
    ledger.report([csv("b.csv", [row("new", "2021-10-05", "S", "S-1")])], operator="Y",
                  recorded_at="2021-10-08")
    assert first.suspects[["site_code", "other_site_code"]].values.tolist() == [["A", "B"]]
    assert first.suspects["distance_m"].iloc[0] == pytest.approx(22.15, abs=0.1)
    assert len(ledger.suspects()) == 1, "operators share masts: never suspected"
    with pytest.raises(InputError, match="verdict"):
        ledger.settle("X", "A", "B", verdict="sam", reason="")
    ledger.settle("X", "B", "A", verdict="distinct", reason="two masts", recorded_at="2021-10-09")
    assert ledger.suspects().empty
    assert len(ledger.suspects(known_on="2021-10-08")) == 1
    ledger.settle("X", "b", "A", verdict="same", reason="one mast", recorded_at="2021-10-10")
    state = ledger.state()
    assert sorted(set(state["site_id"])) == ["A", "S"]
    assert sorted(state.index) == ["A-1", "A/B-1", "S-1"]
    assert ledger.suspects().empty
    assert set(ledger.state(known_on="2021-10-09")["site_id"]) == {"A", "B", "S"}


def test_one_code_two_operators(in_memory: Make, csv: Callable[..., Path]) -> None:
    ledger = in_memory()
    path = csv("a.csv", [row("new", "2021-10-05")])
    ledger.report([path], operator="X", recorded_at="2021-10-08")
    before = ledger.state()
    assert before.index.tolist() == ["A-1"]
    mark = ledger.watermark
    ledger.report([path], operator="Y", recorded_at="2021-10-09")
    after = ledger.state()
    assert after["site_id"].tolist() == ["X/A", "Y/A"]
    pd.testing.assert_frame_equal(ledger.changes(mark), compare(before, after))


@pytest.fixture
def inventory() -> gpd.GeoDataFrame:
    lon = [103.84, 103.84, 104.0]
    return gpd.GeoDataFrame(
        {"site_id": ["A", "A", "Q"], "status": "standing", "operator": "X",
         "technology": ["LTE", "GSM", "LTE"], "frequency_mhz": [1800.0, 900.0, 1800.0],
         "antenna_height_m": [30.0, 30.0, 42.0], "azimuth_deg": [90.0, 90.0, float("nan")],
         "eirp_dbm": 61.0, "capacity_mbps": 75.0, "assumed": ["", "antenna_height_m", ""],
         "on_air_from": pd.to_datetime(["2016-01-01", None, "2021-11-01"]).astype("datetime64[s]"),
         "source": "register"},
        index=pd.Index(["A-1", "A-2", "Q-1"], name="cell_id"),
        geometry=gpd.points_from_xy(lon, [22.35] * 3, crs=4326)).to_crs("EPSG:32648")


def test_reports_change_the_inventory(told: Callable[..., Ledger], inventory: gpd.GeoDataFrame
                                      ) -> None:
    ledger = told({"2021-10-08": [bare("change", "2021-10-05", cell="a-1", height=45)],
                   "2021-10-15": [bare("decommission", "2021-10-12", technology="2G"),
                                  row("new", "2021-10-12", "N", "N-1")]}, standing=inventory)
    kept = inventory.copy()
    assert heights(ledger, "2021-10-01") == {"A-1": 30.0, "A-2": 30.0}
    assert heights(ledger, "2021-10-06") == {"A-1": 45.0, "A-2": 30.0}
    assert heights(ledger, "2021-11-06") == {"A-1": 45.0, "N-1": 30.0, "Q-1": 42.0}
    state = ledger.state("2021-10-06")
    assert state.loc["A-1", "eirp_dbm"] == 61.0
    assert state.loc["A-1", "capacity_mbps"] == 75.0
    assert ledger.troubles().empty
    pd.testing.assert_frame_equal(inventory, kept)


def test_a_register_that_holds_the_news_already(told: Callable[..., Ledger],
                                                inventory: gpd.GeoDataFrame) -> None:
    ledger = told({"2021-10-08": [row("new", "2016-01-01"), row("new", "2016-01-01", cell="")]},
                  standing=inventory)
    assert ledger.state("2021-10-06").index.tolist() == ["A-1", "A-2"]


def test_the_same_bytes_entered_later_as_known_earlier(in_memory: Make,
                                                       csv: Callable[..., Path]) -> None:
    """A file found in an old mailbox, that came in again since: it was known from then on."""
    path = csv("h.csv", [row("new", "2021-10-01")])
    one, two = in_memory(), in_memory()
    for ledger, days in ((one, ("2021-10-08", "2021-10-02")), (two, ("2021-10-02", "2021-10-08"))):
        for day in days:
            ledger.report([path], operator="X", recorded_at=day)
        assert len(ledger.state("2021-10-04", known_on="2021-10-03")) == 1
        assert not len(ledger.state("2021-10-04", known_on="2021-10-01"))
        assert ledger.verify() == []
    mark = one.watermark, two.watermark
    for ledger in (one, two):
        for day in ("2021-10-02", "2021-10-08", "2021-10-09"):
            ledger.report([path], operator="X", recorded_at=day)
    assert (one.watermark, two.watermark) == mark


ACTIONS = st.sampled_from(["new", "new", "change", "move", "decommission", "retract"])


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[str, str, list[tuple[object, ...]]]]:
    """Weekly reports of two operators about few sites, so that everything collides."""
    reports = []
    for week in range(draw(st.integers(2, 4))):
        rows = []
        for _ in range(draw(st.integers(1, 4))):
            rows.append(row(draw(ACTIONS), f"2021-10-{draw(st.integers(1, 5)):02d}",
                            draw(st.sampled_from("AB")), draw(st.sampled_from(["", "1", "2"])),
                            lat=draw(st.sampled_from([22.35, 22.3501, 22.4])),
                            technology=draw(st.sampled_from(["2G", "4G"])), frequency="",
                            height=draw(st.sampled_from([30, 45])),
                            azimuth=draw(st.sampled_from(["", 90]))))
        known = f"2021-10-{draw(st.integers(1, 3)) + 7 * week:02d}"
        reports.append((draw(st.sampled_from(["X", "Y"])), known, rows))
    return reports


def _tell(make: Make, csv: Callable[..., Path],
          reports: Sequence[tuple[str, str, list[tuple[object, ...]]]]) -> Ledger:
    ledger = make()
    for place, (operator, known, rows) in enumerate(reports):
        ledger.report([csv(f"h{place}.csv", rows)], operator=operator, recorded_at=known)
    return ledger


def _order_independent(in_memory: Make, csv: Callable[..., Path], data: st.DataObject) -> None:
    reports = data.draw(histories())
    shuffled = data.draw(st.permutations(reports))
    one, two = _tell(in_memory, csv, reports), _tell(in_memory, csv, shuffled)
    for known in (None, "2021-10-02", "2021-10-09", "2021-10-16"):
        assert one._fold(known_on=known)[0] == two._fold(known_on=known)[0]
    pd.testing.assert_frame_equal(one.state("2021-10-04"), two.state("2021-10-04"))
    pd.testing.assert_frame_equal(one.troubles().drop(columns="seq"),
                                  two.troubles().drop(columns="seq"))
    assert one.verify() == two.verify() == []
    mark = one.watermark
    for place, (operator, known, rows) in enumerate(reports):
        one.report([csv(f"h{place}.csv", rows)], operator=operator, recorded_at=known)
    assert one.watermark == mark
    pd.testing.assert_frame_equal(one.changes(mark // 2, as_of="2021-10-04"), compare(
        one.state("2021-10-04", seq=mark // 2), one.state("2021-10-04")))


@settings(derandomize=True, deadline=None, max_examples=4,
          suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_the_order_of_arrival_does_not_matter(in_memory: Make, csv: Callable[..., Path],
                                              data: st.DataObject) -> None:
    _order_independent(in_memory, csv, data)


@pytest.mark.slow
@settings(deadline=None, max_examples=1000,
          suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_the_order_of_arrival_never_matters(in_memory: Make, csv: Callable[..., Path],
                                            data: st.DataObject) -> None:
    _order_independent(in_memory, csv, data)
