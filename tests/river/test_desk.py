"""The operations desk: what differs between days, many studies, a watched folder."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import phusong as ps
import pytest
from phusong import inbox
from phusong.cli import app
from phusong.difference import CHANGES, count, differences
from phusong.progress import Target
from phusong.service import DEFINITIONS
from typer.testing import CliRunner


def _run(day: str, status: list[str], operator: list[str], cell: list[str]) -> Any:
    """As much of a run as `differences` looks at."""
    index = pd.Index(["a", "b", "c"], name="point_id")
    study = SimpleNamespace(name="s", fictional=True, day=dt.date.fromisoformat(day), targets=[
        Target(name="first", deadline=dt.date(2022, 1, 1)),
        Target(name="by rule", deadline=dt.date(2022, 1, 1), provinces=("01",))],
        need=DEFINITIONS["data"])
    service = pd.DataFrame({"status": status, "best_operator": operator, "best_cell_id": cell,
                            "operators": operator, "received_dbm": -100.0, "reason": "covered"},
                           index=index)
    points = pd.DataFrame({"name": "x", "kind": "school", "province_code": ["01", "01", "02"],
                           "targets": ["first", "", "first"], "learners": [10.0, 20.0, 5.0]},
                          index=index)
    levels = pd.DataFrame({"technology": "LTE", "frequency_mhz": 1800.0, "received_dbm": np.nan,
                           "free_space_dbm": -60.0, "best_case_dbm": [-70.0, -60.0, -150.0],
                           "loss_db": np.nan}, index=pd.MultiIndex.from_tuples(
                               [("b", "b0"), ("b", "b1"), ("b", "b2")],
                               names=["point_id", "cell_id"]))
    return SimpleNamespace(study=study, service=service, points=points, known_on=None,
                           days=SimpleNamespace(registers={}, links_of=lambda _, ids: levels[
                               levels.index.get_level_values(0).isin(ids)]))


def test_each_kind_of_difference() -> None:
    before = _run("2021-10-01", ["uncovered", "covered", "covered"], ["", "A", "A"],
                  ["", "a1", "a1"])
    after = _run("2021-10-08", ["covered", "covered", "uncertain"], ["A", "B", "A"],
                 ["a2", "b1", "a1"])
    table = differences(before, after)
    assert table["change"].to_dict() == {"a": "won", "c": "lost", "b": "other_operator"}
    said = count(table, before, after)
    assert said["changes"]["won"] == {"points": 1, "learners": 10.0}
    assert said["by_target"]["first"]["lost"] == {"points": 1, "learners": 5.0}
    assert said["by_target"]["first"]["other_operator"]["points"] == 0
    assert said["by_target"]["by rule"]["other_operator"]["points"] == 1
    assert said["by_target"]["by rule"]["lost"]["points"] == 0
    assert said["by_province"]["01"]["other_operator"]["points"] == 1
    assert said["before"]["as_of"] == "2021-10-01"
    json.dumps(said)
    assert not len(differences(after, after))


def test_who_won_must_have_lost_the_other_way() -> None:
    before = _run("2021-10-01", ["uncovered", "uncertain", "covered"], ["", "A", "A"],
                  ["", "a1", "a1"])
    after = _run("2021-10-08", ["covered", "unknown", "covered"], ["A", "A", "A"],
                 ["a2", "a1", "a2"])
    there, back = differences(before, after), differences(after, before)
    assert there["might_cell_id"].to_dict() == {"a": "", "b": "b1", "c": ""}
    assert (back["might_cell_id"] == "").all()
    other = {"won": "lost", "lost": "won"}
    assert back["change"].to_dict() == {k: other.get(v, v) for k, v in
                                        there["change"].to_dict().items()}
    assert set(there["change"]) == {"won", "other_status", "other_cell"} <= set(CHANGES)


def test_files_are_left_until_they_rest(tmp_path: Path) -> None:
    """Half-written, hidden, empty and foreign files wait; what was taken is not taken twice.

    An old workbook cannot be read, and is told rather than passed over.
    """
    taken: list[list[str]] = []
    steps = iter([
        lambda: (tmp_path / "a.csv").write_text("half"),
        lambda: (tmp_path / "a.csv").write_text("half and the rest"),
        lambda: None,
        lambda: None,
        lambda: (tmp_path / "b.xlsx").write_bytes(b"x"),
        lambda: None,
    ])
    for name in (".a.csv", "~$b.xlsx", "readme.pdf", "OLD.XLS"):
        (tmp_path / name).write_text("x")
    (tmp_path / "empty.csv").touch()
    (tmp_path / "folder.csv").mkdir()

    def pause(_: float) -> None:
        step = next(steps, None)
        if step is None:
            raise KeyboardInterrupt
        step()

    def enter(files: list[Path]) -> Any:
        taken.append([path.name for path in files])
        return taken[-1]

    with pytest.raises(KeyboardInterrupt):
        list(inbox.watch(tmp_path, enter, pause=pause))
    assert taken == [["OLD.XLS"], ["a.csv"], ["b.xlsx"]]


def test_a_file_that_is_written_anew_is_read_anew(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("one")
    steps = iter([None, None, "other bytes", None, None])
    seen = []

    def pause(_: float) -> None:
        text = next(steps)
        if text is not None:
            (tmp_path / "a.csv").write_text(text)

    def enter(files: list[Path]) -> Any:
        seen.append(files[0].read_text())

    with pytest.raises(RuntimeError):       # no more looks
        list(inbox.watch(tmp_path, enter, pause=pause))
    assert seen == ["one", "other bytes"]


def test_watch_batch_and_diff_through_the_commands(commune: Path, tmp_path: Path) -> None:
    raw = tmp_path / "data/raw"
    shutil.copytree(commune / "data/raw/small", raw / "small")
    study = ps.Study.read(raw / "small/study.yml")
    points = ps.read(study)[0].to_crs(4326)
    spot = points.geometry.iloc[0]
    (tmp_path / "inbox").mkdir()
    (tmp_path / "inbox/2021-12-01_Viettel.csv").write_text(
        "action;site_code;effective_date;lat;lon;technology;frequency;height\n"
        f"new;NEW1;2021-11-20;{spot.y:.6f};{spot.x:.6f};4G;1800;30\n", encoding="utf-8")

    def ask(*words: str) -> Any:
        ran = CliRunner().invoke(app, [*words, "--home", str(tmp_path), "--json"])
        return ran.exit_code, json.loads(ran.stdout)

    watched = ("watch", "small", "--folder", str(tmp_path / "inbox"), "--once", "--every", "0.1",
               "--operator", "Viettel")
    code, first = ask(*watched)
    assert (code, first["accepted"], first["changed_cells"]) == (0, 1, 1)
    code, again = ask(*watched)
    assert (code, again["accepted"], again["duplicate"]) == (0, 0, 1)
    assert again["targets"] == first["targets"]
    code, found = ask("diff", "small", "2021-11-19", "2021-11-20")
    assert code == 0
    near = {row["point_id"]: row for row in found["rows"]}
    assert near[points.index[0]]["is_best_cell_id"].startswith("NEW1")
    assert sum(part["points"] for part in found["changes"].values()) == len(near)
    code, rows = ask("batch", "nowhere", str(raw / "small/nothing.yml"), "--jobs", "2")
    assert code == 1
    assert [row["ok"] for row in rows["studies"]] == [False, False]
    assert "nowhere" in rows["studies"][0]["error"]


def test_a_damaged_table_is_told_once_and_made_anew(
        commune: Path, done: dict[str, Any], tmp_path: Path) -> None:
    shutil.copytree(commune / "data", tmp_path / "data")
    ask = ["status", "small", "--home", str(tmp_path), "--json"]
    before = json.loads(CliRunner().invoke(app, ask).stdout)
    for path in (tmp_path / "data/processed/small/tables").glob("links-*.arrow"):
        path.write_bytes(path.read_bytes()[:-100])
    refused = CliRunner().invoke(app, ask)
    assert refused.exit_code == 1
    assert "damaged or removed. Run the same command again" in json.loads(refused.stdout)["error"]
    again = CliRunner().invoke(app, ask)
    assert again.exit_code == 0, again.output
    after = json.loads(again.stdout)
    assert {**after, "restated": []} == {**before, "restated": []}
