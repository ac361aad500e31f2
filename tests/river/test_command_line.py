"""The river through the public commands, on a small fictional study."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from phusong.pipeline import STAGES

from tests.river.conftest import Command

STATUSES = ("covered", "uncertain", "uncovered", "unknown")


def test_figures_add_up(done: dict[str, Any]) -> None:
    for what in ("points", "learners", "poor_learners"):
        assert sum(done[what][s] for s in STATUSES) == pytest.approx(done[what]["all"])
    assert sum(done["reasons"].values()) == done["points"]["all"]
    assert done["fictional"] is True
    assert done["points"]["covered"] > 0
    assert done["points"]["uncovered"] > 0, "a study without gaps shows nothing"
    gained = [row["students_gained"] for row in done["plan"]]
    assert done["plan"][-1]["cumulative_students"] == pytest.approx(sum(gained))
    assert sum(gained) <= done["learners"]["uncovered"]
    for target in done["targets"]:
        assert sum(target[s] for s in STATUSES) == target["points"]


def test_second_run_recalls_and_says_the_same(commune: Path, phusong: Command,
                                              done: dict[str, Any]) -> None:
    page = commune / "maps/small/index.html"
    before = hashlib.sha256(page.read_bytes()).hexdigest(), page.stat().st_mtime_ns
    again = phusong("run", "small", "--home", commune, "--json")
    assert again.returncode == 0, again.stderr
    said = json.loads(again.stdout)
    assert {k: v for k, v in said.items() if k != "recalled"} == \
           {k: v for k, v in done.items() if k != "recalled"}
    days = {n for n in said["recalled"] if n.startswith("services@")}
    assert len(days) > 3
    assert set(said["recalled"]) == {stage.makes for stage in STAGES} | days
    assert (hashlib.sha256(page.read_bytes()).hexdigest(), page.stat().st_mtime_ns) == before


def test_full_run_gives_the_same_bytes(commune: Path, phusong: Command, done: dict[str, Any],
                                       tmp_path: Path) -> None:
    shutil.copytree(commune / "data/raw", tmp_path / "data/raw")
    fresh = phusong("run", "small", "--home", tmp_path, "--quiet")
    assert fresh.returncode == 0, fresh.stderr
    for first in sorted((commune / "data/processed/small/tables").iterdir()):
        second = tmp_path / "data/processed/small/tables" / first.name
        assert second.read_bytes() == first.read_bytes(), first.name
    assert (tmp_path / "maps/small/index.html").read_bytes() == \
           (commune / "maps/small/index.html").read_bytes()


def test_inputs_are_never_touched(commune: Path, phusong: Command, done: dict[str, Any]) -> None:
    folder = commune / "data/raw/small"
    before = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    proven = phusong("run", "small", "--home", commune, "--full", "--no-map", "--json")
    assert proven.returncode == 0, proven.stderr
    proof = json.loads(proven.stdout)["recomputed"]
    assert not proof["differing"]
    assert {"links", "services", "progress", "plan"} <= set(proof["same"])
    assert {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()} == before


def test_check_computes_nothing(commune: Path, asked: Command, tmp_path: Path) -> None:
    shutil.copytree(commune / "data/raw", tmp_path / "data/raw")
    seen = asked("check", "small", "--home", tmp_path, "--json")
    assert seen.returncode == 0, seen.stdout
    said = json.loads(seen.stdout)
    for row in said["readings"]:
        assert row["rows_in"] == row["accepted"] + row["mended"] + row["rejected"]
    assert said["counts"]["assumption"] > 0
    assert not (tmp_path / "data/processed").exists()
    assert not (tmp_path / "maps").exists()


def test_status_on_an_earlier_day(commune: Path, asked: Command, done: dict[str, Any]) -> None:
    early = asked("status", "small", "--home", commune, "--as-of", "2016-01-01", "--json")
    assert early.returncode == 0, early.stderr
    then = json.loads(early.stdout)
    assert then["as_of"] == "2016-01-01"
    assert then["points"]["covered"] < done["points"]["covered"]
    again = asked("run", "small", "--home", commune, "--json")
    assert json.loads(again.stdout)["points"] == done["points"], "another day changed this one"


def test_explain_agrees_with_the_table(commune: Path, asked: Command,
                                       done: dict[str, Any]) -> None:
    from phusong.store import Store

    service = Store(commune / "data/processed/small").read("service")
    for status in ("covered", "uncovered"):
        point_id = str(service.index[service["status"] == status][0])
        told = asked("explain", "small", point_id, "--home", commune, "--json")
        assert told.returncode == 0, told.stderr
        said = json.loads(told.stdout)
        assert said["service"]["status"] == status
        assert said["service"]["reason"] == service.loc[point_id, "reason"]
        for budget in said["budgets"]:
            if budget["received_dbm"] is not None:
                total = sum(n["sign"] * n["value"] for n in budget["lines"] if n["sign"])
                assert total == pytest.approx(budget["received_dbm"], abs=1e-9)
    text = asked("explain", "small", point_id, "--home", commune, "-q")
    assert "EIRP" in text.stdout
    assert "km" in text.stdout


def test_explain_tells_why_a_site_is_built(commune: Path, asked: Command,
                                           done: dict[str, Any]) -> None:
    first = done["plan"][0]
    told = asked("explain", "small", first["site_id"], "--home", commune, "--json")
    assert told.returncode == 0, told.stderr
    said = json.loads(told.stdout)
    assert (said["rank"], said["site_id"]) == (1, first["site_id"])
    assert said["cost"] == pytest.approx(first["cost_total"])
    assert said["cost_last"] <= said["cost"] <= said["cost_alone"] + 1e-6


def test_explain_tells_why_a_site_is_in_the_best_plan(commune: Path, asked: Command,
                                                      done: dict[str, Any]) -> None:
    """The choice is that of `plan` for the same limits, and the flip is solved again."""
    best = asked("plan", "small", "--home", commune, "--budget", "3e9", "--gap", "0", "--json")
    chosen = json.loads(best.stdout)["sites"]
    told = asked("explain", "small", chosen[0], "--home", commune, "--budget", "3e9", "--json")
    assert told.returncode == 0, told.stderr
    said = json.loads(told.stdout)
    assert (said["plan"], said["site_id"]) == ("optimise", chosen[0])
    assert said["choice"] in ("in", "either")
    assert said["value_with"][0] == json.loads(best.stdout)["value"]
    assert said["flip_cost"][1] is None or said["flip_cost"][1] >= said["cost"]
    words = asked("explain", "small", chosen[0], "--home", commune, "--budget", "3e9", "-q",
                    "--language", "vi")
    assert "phương án tốt nhất" in words.stdout.lower()


def test_schedule_tells_what_the_plan_costs_at_its_dates(commune: Path, asked: Command,
                                                         done: dict[str, Any]) -> None:
    told = asked("schedule", "small", "--home", commune, "--json")
    assert told.returncode == 0, told.stderr
    money = json.loads(told.stdout)["money"]
    assert money["built"] == done["plan_sites"]
    at_once = sum(row["cost_total"] for row in done["plan"])
    assert done["plan_sites"] <= 10
    assert money["at_once"]["base"] == pytest.approx(at_once)
    assert 0.8 * at_once < money["dated"]["base"] < at_once
    assert money["dated"]["low"] < money["dated"]["base"] < money["dated"]["high"]


def test_explain_unknown_point(commune: Path, phusong: Command) -> None:
    told = phusong("explain", "small", "nobody", "--home", commune)
    assert told.returncode == 1
    assert "nobody" in told.stderr


def test_new_refuses_to_overwrite(commune: Path, phusong: Command) -> None:
    again = phusong("new", "small", "--fictional", "--home", commune)
    assert again.returncode == 1
    assert "exists already" in again.stderr


def test_new_writes_a_study_to_fill_in(tmp_path: Path, asked: Command) -> None:
    made = asked("new", "mine", "--profile", "vietnam", "--home", tmp_path)
    assert made.returncode == 0, made.stderr
    seen = asked("check", "mine", "--home", tmp_path)
    assert seen.returncode == 1
    for file in ("schools.csv", "cells.csv", "dem.tif"):
        assert file in seen.stdout, "all missing files are told at once"


@pytest.mark.parametrize("arguments", [("run",), ("frobnicate",), ("run", "x", "--nonsense")])
def test_wrong_usage(arguments: tuple[str, ...], phusong: Command) -> None:
    assert phusong(*arguments).returncode == 2


def test_a_bad_date(commune: Path, phusong: Command) -> None:
    told = phusong("status", "small", "--home", commune, "--as-of", "30/9/2021")
    assert told.returncode == 1
    assert "2021-09-30" in told.stderr


def test_plan_with_other_limits_is_proven(commune: Path, asked: Command,
                                          done: dict[str, Any]) -> None:
    """Two sites, proven to a thousandth; a target that is not there is named."""
    best = asked("plan", "small", "--home", commune, "--sites", "2", "--json")
    assert best.returncode == 0, best.stderr
    said = json.loads(best.stdout)
    assert said["plan_sites"] <= 2
    assert said["stopped"] in ("optimal", "gap")
    assert 0.0 < said["value"] <= said["bound"] <= 1.001 * said["value"]
    assert said["plan"][0]["students_gained"] > 0.0
    lost = asked("plan", "small", "--home", commune, "--cover", "nowhere")
    assert lost.returncode == 1
    assert "nowhere" in lost.stderr


def test_schedule_dates_every_site_of_the_plan(commune: Path, asked: Command,
                                               done: dict[str, Any]) -> None:
    said = asked("schedule", "small", "--home", commune, "--json")
    assert said.returncode == 0, said.stderr
    dates = json.loads(said.stdout)
    assert {r["site_id"] for r in dates["schedule"]} == {r["site_id"] for r in done["plan"]}
    assert all(r["permitted"] <= r["crew_from"] <= r["crew_until"] <= r["on_air"]
               for r in dates["schedule"])
    assert dates["deadlines"] == done["deadlines"]
    assert [r["target"] for r in dates["deadlines"]] == [t["name"] for t in done["targets"]]
    shown = asked("schedule", "small", "--home", commune, "--quiet").stdout
    assert "planning assumptions" in shown
    assert dates["schedule"][0]["on_air"] in shown


def test_a_province_is_wired_and_fetch_says_what_to_do_by_hand(tmp_path: Path,
                                                               asked: Command) -> None:
    made = asked("new", "lc", "--province", "15", "--home", tmp_path)
    assert made.returncode == 0
    assert "15 Lào Cai. Another province of that code or name: 15 Yên Bái" in made.stdout
    told = json.loads(asked("fetch", "lc", "--offline", "--json", "--home", tmp_path).stdout)
    assert {one["state"] for one in told["fetched"]} == {"by_hand"}
    assert all(one["by_hand"] and one["licence"] for one in told["fetched"])
    shown = asked("fetch", "lc", "--offline", "--home", tmp_path)
    assert shown.returncode == 0
    assert "Tiles: N21E103, N21E104" in shown.stdout
    assert asked("fetch", "lc", "--only", "glo3", "--home", tmp_path).returncode == 1
    wrong = asked("new", "x", "--province", "Lao Kai", "--home", tmp_path)
    assert wrong.returncode == 1
    assert 'Did you mean "Lào Cai"?' in wrong.stderr
