"""The register of gap points: why the denominator moved."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from phusong.ledger import Ledger

HEADER = ("mã điểm", "hành động", "ngày", "lý do", "gộp vào")


def test_the_register(ledger: Ledger, csv: Callable[..., Path]) -> None:
    first = csv("g1.csv", [("P1", "mở", "2021-09-01", "", ""), ("P2", "mở", "2021-09-01", "", ""),
                           ("P3", "mở", "2021-09-01", "", ""), ("P4", "đóng", "2021-09-01", "", ""),
                           ("P5", "gộp", "2021-09-01", "trùng", "P5"), ("", "mở", "2021-09-01",
                                                                        "", "")], HEADER)
    outcome = ledger.report([first], subject="gap", recorded_at="2021-09-02")
    assert outcome.rows["reason"].tolist() == ["", "", "", "missing_value", "merged_into_itself",
                                               "missing_value"]
    second = csv("g2.csv", [("P1", "rút", "2021-10-01", "đã có sóng Vinaphone", ""),
                            ("P2", "gộp", "2021-10-01", "một bản hai tên", "P3"),
                            ("P6", "mở", "2021-10-02", "giáo viên báo", "")], HEADER)
    ledger.report([second], subject="gap", recorded_at="2021-10-03")
    third = csv("g3.csv", [("P1", "mở lại", "2021-11-01", "đo lại: không có sóng", "")], HEADER)
    ledger.report([third], subject="gap", recorded_at="2021-11-03")

    def is_open(*days: str) -> list[str]:
        table = ledger.gaps(*days)
        return table.index[table["status"] == "open"].tolist()

    assert is_open("2021-09-15") == ["P1", "P2", "P3"]
    assert is_open("2021-10-15") == ["P3", "P6"]
    assert is_open("2021-10-15", "2021-10-01") == ["P1", "P2", "P3"]
    assert is_open("2021-12-15") == ["P1", "P3", "P6"]
    assert ledger.gaps("2021-10-15").loc["P2", "merged_into"] == "P3"
    steps = ledger.gap_steps("2021-09-15", "2021-12-15")
    assert steps[["point_id", "action", "counts"]].values.tolist() == [
        ["P1", "withdraw", -1], ["P2", "merge", -1], ["P6", "open", 1], ["P1", "reopen", 1]]
    assert (steps["reason"] != "").all()
    assert steps["counts"].sum() == len(is_open("2021-12-15")) - len(is_open("2021-09-15"))
    assert ledger.state().empty
    assert ledger.verify() == []
    mark = ledger.watermark
    for path in (third, first, second):
        ledger.report([path], subject="gap", recorded_at="2022-01-01")
    assert ledger.watermark == mark


def test_an_empty_register(ledger: Ledger) -> None:
    assert ledger.gaps().empty
    assert ledger.gap_steps("2021-01-01").empty


def test_points_of_a_list_count_before_the_register_speaks(
        ledger: Ledger, csv: Callable[..., Path]) -> None:
    """A school of the study's list that is withdrawn takes one away, and comes back as one."""
    ledger.report([csv("g.csv", [("S1", "rút", "2021-10-01", "trường đã đóng", ""),
                                 ("S1", "mở lại", "2021-11-01", "mở lại trường", ""),
                                 ("S2", "mở", "2021-10-01", "", ""),
                                 ("X1", "rút", "2021-10-01", "nhầm", "")], HEADER)],
                  subject="gap", recorded_at="2021-12-01")
    steps = ledger.gap_steps("2021-09-01", listed=("S1", "S2"))
    assert steps[["point_id", "counts"]].values.tolist() == [
        ["S1", -1], ["S2", 0], ["X1", 0], ["S1", 1]]
    assert ledger.gap_steps("2021-09-01")["counts"].tolist() == [0, 1, 0, 1]
