"""Claims, field checks and deliveries: in the same book, by the same rules."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from phusong.ledger import Ledger
from phusong.ledger.events import Event, Statement
from phusong.ledger.told import delivery_table

CLAIMS = ("mã điểm", "nhà mạng", "tình trạng", "từ ngày", "ngày báo cáo")
DEVICES = ("mã trường", "đơn vị tài trợ", "nội dung", "ngày giao", "số máy", "số biên bản")


def test_claims_come_go_and_are_taken_back(ledger: Ledger, csv: Callable[..., Path]) -> None:
    first = csv("c1.csv", [("P1", "Viettel", "đã phủ sóng", "01/10/2021", ""),
                           ("P1", "VNPT", "đã phủ sóng", "05/10/2021", ""),
                           ("P2", "Viettel", "phủ", "01/10/2021", ""),
                           ("P3", "", "phủ", "01/10/2021", ""),
                           ("P4", "Viettel", "có lẽ", "01/10/2021", "")], CLAIMS)
    out = ledger.report([first], subject="claim", recorded_at="2021-10-06")
    assert out.rows["reason"].tolist() == ["", "", "", "no_operator", "unknown_action"]
    assert ledger.report([first], subject="claim").counts["accepted"] == 0
    ledger.report([csv("c2.csv", [("P1", "Viettel", "mất sóng", "2021-11-01", ""),
                                  ("P2", "Viettel", "rút lại", "2021-10-01", "")], CLAIMS)],
                  subject="claim", recorded_at="2021-11-02")

    def claimed(as_of: str, known_on: str | None = None) -> dict[tuple[str, str], str]:
        return ledger.told("claim", as_of, known_on)["status"].to_dict()

    assert claimed("2021-09-30") == {}
    assert claimed("2021-10-20", "2021-10-20") == {
        ("P1", "VNPT"): "covered", ("P1", "Viettel"): "covered", ("P2", "Viettel"): "covered"}
    assert claimed("2021-10-20") == {("P1", "VNPT"): "covered", ("P1", "Viettel"): "covered"}
    assert claimed("2021-11-20") == {("P1", "VNPT"): "covered", ("P1", "Viettel"): "uncovered"}
    assert claimed("2021-11-20", "2021-10-05") == {}
    assert ledger.state().empty, "a claim is no tower"
    assert ledger.verify() == []
    days = [dt.date(2021, 9, 30) + dt.timedelta(days=n) for n in (*range(8), 40)]
    for known_on in (None, dt.date(2021, 10, 20)):
        for day, tables in ledger.said(days, known_on).items():
            for subject, table in tables.items():
                pd.testing.assert_frame_equal(table, ledger.told(subject, day, known_on))


def test_field_checks(ledger: Ledger, csv: Callable[..., Path]) -> None:
    header = ("mã điểm", "kết quả", "ngày đo", "nhà mạng", "mức thu (dBm)", "công nghệ")
    out = ledger.report([csv("k.csv", [
        ("P1", "không có sóng", "2021-11-05", "Viettel", "", ""),
        ("P1", "đo", "2021-11-20", "Viettel", "-104,5", "4G"),
        ("P2", "có sóng", "2021-11-06", "", "", ""), ("P3", "đo", "2021-11-06", "", "", ""),
        ("P4", "đo", "2021-11-06", "", "104", ""), ("P5", "", "2021-11-06", "", "", "")],
        header)], subject="check", recorded_at="2021-11-21")
    assert out.rows["reason"].tolist() == ["", "", "", "missing_value", "out_of_range",
                                           "missing_value"]
    early, late = (ledger.told("check", day) for day in ("2021-11-10", "2021-11-30"))
    assert early["result"].to_dict() == {("P1", "Viettel"): "uncovered", ("P2", ""): "covered"}
    assert late.loc[("P1", "Viettel"), ["result", "rsrp_dbm", "technology"]].tolist() == [
        "measured", -104.5, "LTE"]


def test_deliveries_are_counted_once(ledger: Ledger, csv: Callable[..., Path]) -> None:
    first = csv("d1.csv", [("P1", "Quỹ A", "giao", "2021-10-01", 20, "BB1"),
                           ("P1", "Quỹ A", "giao", "2021-10-01", 20, "BB2"),
                           ("P1", "Quỹ B", "giao", "2021-10-01", 5, ""),
                           ("P2", "Quỹ A", "giao", "2021-10-01", "2,5", "BB3"),
                           ("P2", "Quỹ A", "giao", "2021-10-01", 0, "BB4"),
                           ("P2", "Quỹ A", "giao", "2021-10-01", "", "BB5")], DEVICES)
    out = ledger.report([first], subject="device", recorded_at="2021-10-02")
    assert out.rows["reason"].tolist() == ["", "", "", "not_whole", "out_of_range",
                                           "missing_value"]
    again = csv("d2.csv", [("P1", "Quỹ A", "giao", "2021-10-01", 20, "bb1"),
                           ("P1", "Quỹ A", "giao", "2021-10-01", 18, "BB2"),
                           ("P1", "Quỹ B", "hỏng", "2021-12-01", 2, "")], DEVICES)
    out = ledger.report([again], subject="device", recorded_at="2021-12-02")
    assert out.rows["outcome"].tolist() == ["duplicate", "accepted", "accepted"]

    def held(*days: str) -> int:
        return int(ledger.told("device", *days)["delivered"].get("P1", 0))

    assert held("2021-09-30") == 0
    assert held("2021-10-31", "2021-10-31") == 20 + 20 + 5
    assert held("2021-10-31") == 20 + 18 + 5, "another number for one receipt corrects it"
    assert held("2021-12-31") == 20 + 18 + 5 - 2
    ledger.report([csv("d3.csv", [("P1", "Quỹ A", "rút lại", "2021-10-01", "", "BB1")], DEVICES)],
                  subject="device", recorded_at="2021-12-05")
    assert held("2021-12-31") == 18 + 5 - 2
    assert ledger.verify() == []


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.sampled_from("AB"), st.sampled_from(["P1", "P2"]),
                          st.sampled_from(["1", "2", ""]), st.integers(1, 3), st.integers(1, 9)),
                max_size=10), st.randoms(use_true_random=False))
def test_order_of_arrival_counts_for_nothing(said: list[tuple[str, str, str, int, int]],
                                             chance: object) -> None:
    statements = []
    for number, (who, point, part, day, count) in enumerate(said):
        event = Event("device", who, "deliver", point, part, f"2021-10-{day:02d}",
                      {"devices": float(count)})
        statements.append(Statement(event, event.key, f"2021-11-{number + 1:02d}",
                                    f"2021-11-{number + 1:02d}T00:00:00", number))
    table = delivery_table(statements, "2021-12-31")
    shuffled = list(statements)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert delivery_table(shuffled, "2021-12-31").equals(table)
    last: dict[tuple[str, ...], int] = {}
    for who, point, part, day, count in said:
        last[who, point, part or f"on {day}"] = count
    wanted: Counter[str] = Counter()
    for key, count in last.items():
        wanted[key[1]] += count
    assert table["delivered"].to_dict() == dict(wanted)


@pytest.mark.parametrize("subject", ["claim", "check", "device"])
def test_nothing_said(ledger: Ledger, subject: str) -> None:
    table = ledger.told(subject, dt.date(2021, 12, 1))
    assert table.empty
    assert table.index.names[0] == "point_id"


def test_a_retraction_of_nothing_said_of_a_point_waits_for_a_person(
        ledger: Ledger, csv: Callable[..., Path]) -> None:
    ledger.report([csv("c1.csv", [("P1", "Viettel", "phủ", "01/10/2021", "")], CLAIMS)],
                  subject="claim", recorded_at="2021-10-02")
    ledger.report([csv("c2.csv", [("P1", "VNPT", "rút lại", "01/10/2021", ""),
                                  ("P1", "Viettel", "rút lại", "01/10/2021", "")], CLAIMS)],
                  subject="claim", recorded_at="2021-10-09")
    ledger.report([csv("d.csv", [("P2", "X", "rút lại", "05/10/2021", "", "BB9")], DEVICES)],
                  subject="device", recorded_at="2021-10-10")
    named = ["code", "operator", "action", "site_code", "cell_code"]
    assert ledger.troubles()[named].values.tolist() == [
        ["nothing_to_retract", "VNPT", "retract", "P1", ""],
        ["nothing_to_retract", "X", "retract", "P2", "BB9"]]
    assert ledger.troubles("2021-10-09")["site_code"].tolist() == ["P1"]
    assert ledger.troubles("2021-10-08").empty
