"""Andorra and Lào Cai, from check to map, through a study file and the public commands only."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from phusong.store import Store

from tests.river.conftest import Command

STUDIES = Path(__file__).parents[1] / "studies"
STATUSES = ("covered", "uncertain", "uncovered", "unknown")


def _ran(name: str, home: Path, shared: Path, phusong: Command) -> dict[str, Any]:
    study = STUDIES / f"{name}.yml"
    seen = phusong("check", study, "--inputs", shared, "--home", home, "--json")
    assert seen.returncode == 0, seen.stdout + seen.stderr
    ran = phusong("run", study, "--inputs", shared, "--home", home, "--json")
    assert ran.returncode == 0, ran.stderr
    return {"check": json.loads(seen.stdout), "run": json.loads(ran.stdout),
            "store": Store(home / "data/processed" / name)}


@pytest.fixture(scope="module")
def andorra(tmp_path_factory: pytest.TempPathFactory, shared: Path,
            phusong: Command) -> dict[str, Any]:
    return _ran("andorra", tmp_path_factory.mktemp("andorra"), shared, phusong)


@pytest.fixture(scope="module")
def lao_cai(tmp_path_factory: pytest.TempPathFactory, shared: Path,
            phusong: Command) -> dict[str, Any]:
    return _ran("lao_cai", tmp_path_factory.mktemp("lao_cai"), shared, phusong)


def _codes(study: dict[str, Any], severity: str) -> set[str]:
    return {f["code"] for f in study["check"]["faults"] if f["severity"] == severity}


def _rows(study: dict[str, Any], file: str) -> dict[str, Any]:
    return next(r for r in study["check"]["readings"] if r["file"].endswith(file))


def test_andorra_is_read_whole(andorra: dict[str, Any]) -> None:
    for file, rows in (("schools.csv", 15), ("places.csv", 64), ("towers.csv", 11),
                       ("roads.gpkg", 4806), ("power_lines.gpkg", 22), ("parishes.gpkg", 7)):
        assert _rows(andorra, file)["rows_in"] == rows
        assert _rows(andorra, file)["accepted"] == rows
    assert "voids" in json.dumps(andorra["check"]["faults"])


def test_andorra_assumptions_are_recorded(andorra: dict[str, Any]) -> None:
    """No enrolment, 9 of 11 masts without height, 8 without operator, none with a technology."""
    counted = andorra["run"]["assumptions"]
    assert counted["points.learners"] == 79
    assert counted["sites.antenna_height_m"] == 9
    assert counted["sites.operator"] == 8
    assert counted["sites.technology"] == 11
    assert andorra["run"]["poor_learners"] is None, "nobody counted them: unknown, not zero"


def test_andorra_says_unknown_where_the_list_is_partial(andorra: dict[str, Any]) -> None:
    points = andorra["run"]["points"]
    assert points["all"] == 79
    assert points["uncovered"] == 0, "an absent tower is no evidence"
    assert points["covered"] > 20
    assert set(andorra["run"]["reasons"]) <= {"covered", "margin_too_thin", "no_site_data",
                                              "no_elevation"}


def test_andorra_plan(andorra: dict[str, Any]) -> None:
    plan = andorra["run"]["plan"]
    assert 1 <= len(plan) <= 5
    assert {row["currency"] for row in plan} == {"USD"}
    assert andorra["store"].read("costs")["foreign"].any()
    assert Path(andorra["run"]["map"]).stat().st_size > 100_000


def test_lao_cai_degrades_with_clear_words(lao_cai: dict[str, Any]) -> None:
    warnings = _codes(lao_cai, "warning")
    assert {"no_roads", "no_power_lines"} <= warnings
    told = " ".join(f["what"] for f in lao_cai["check"]["faults"])
    assert "too coarse" in told
    assert "does not reach" in told
    assert lao_cai["check"]["counts"]["error"] == 0


def test_lao_cai_keeps_codes_and_text(lao_cai: dict[str, Any]) -> None:
    service = lao_cai["store"].read("service")
    assert {"01108", "02647", "03006"} <= set(service.index), "codes keep their zeros"
    told = json.dumps(lao_cai["check"]["faults"], ensure_ascii=False)
    assert "Liên cấp" in told


def test_lao_cai_no_road_means_no_roadside(lao_cai: dict[str, Any]) -> None:
    spots = lao_cai["store"].read("spots")
    assert len(spots)
    assert "roadside" not in set(spots["place"])
    assert spots["road_distance_m"].isna().all()
    assert (lao_cai["store"].read("costs")["present_value_base"] >= 0).all()


@pytest.mark.parametrize("study", ["andorra", "lao_cai"])
def test_figures_add_up(study: str, request: pytest.FixtureRequest) -> None:
    run = request.getfixturevalue(study)["run"]
    assert sum(run["points"][s] for s in STATUSES) == run["points"]["all"]
    assert run["fictional"] is False
