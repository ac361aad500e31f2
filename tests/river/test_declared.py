"""Operators' footprints in the river: a table of their own, in the summary and in `explain`."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import phusong as ps
import pytest
import shapely
import yaml
from phusong import pipeline
from phusong.explanation import explain
from phusong.pipeline import Results
from phusong.store import Store
from phusong.summary import summarise
from phusong.tables import DISAGREEMENT, DISAGREEMENT_BY_OPERATOR, SERVICE, check

from tests.river.conftest import Command


def study_with(folder: Path, footprints: gpd.GeoDataFrame | None,
               **about: str) -> ps.Study:
    """The study in `folder` with other footprints, or with none; what else is said of them."""
    written = yaml.safe_load((folder / "study.yml").read_text(encoding="utf-8"))
    written["sources"].pop("footprints", None)
    if footprints is not None:
        path = folder / "ours.gpkg"
        path.unlink(missing_ok=True)
        footprints.astype({"operator": object, "technology": object}).to_file(path)
        written["sources"]["footprints"] = {"file": path.name, **about}
    other = folder / "ours.yml"
    other.write_text(yaml.safe_dump(written, allow_unicode=True), encoding="utf-8")
    return ps.Study.read(other)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return ps.fictional(tmp_path_factory.mktemp("raw") / "small", name="small", size="commune",
                        seed=7).parent


@pytest.fixture(scope="module")
def silent(folder: Path) -> Results:
    return pipeline.run(study_with(folder, None), until="disagreement_by_operator")


@pytest.fixture(scope="module")
def boastful(folder: Path, silent: Results) -> Results:
    """One operator claims every place but those where it is heard."""
    places = silent.points.to_crs("EPSG:4326").geometry.to_numpy()
    heard = (silent.service["status"] == "covered").to_numpy()
    claim = shapely.difference(shapely.buffer(shapely.union_all(places[~heard]), 0.0005),
                               shapely.buffer(shapely.union_all(places[heard]), 0.0002))
    who = silent.service["operators"][heard].iloc[0].split(";")[0]
    area = gpd.GeoDataFrame({"operator": [who], "technology": ["LTE"]}, geometry=[claim],
                            crs="EPSG:4326")
    return pipeline.run(study_with(folder, area), until="disagreement_by_operator")


def test_footprints_say_nothing_of_days_before_they_were_drawn(folder: Path, silent: Results,
                                                               boastful: Results) -> None:
    area, day = boastful.inputs.layer("footprints").to_crs("EPSG:4326"), silent.study.day
    area = area[["operator", "technology", "geometry"]]
    later, on_it = (str(day + dt.timedelta(days=n)) for n in (1, 0))
    for rows, about, counts in ((area.assign(date=later), {}, False),
                                (area.assign(date=on_it), {"date": later}, False),
                                (area.assign(date=later), {"date": on_it}, True)):
        said = pipeline.run(study_with(folder, rows, **about), until="disagreement_by_operator")
        wanted = boastful if counts else silent
        for name in ("declared", "disagreement", "disagreement_by_operator"):
            assert len(said.tables[name]) == len(wanted.tables[name]), (name, about)
        assert (day in said.evidence.declared) == counts


def test_without_footprints_nothing_is_said(silent: Results) -> None:
    for name in ("declared", "disagreement", "disagreement_by_operator"):
        assert silent.tables[name].empty, name
    check(silent.tables["disagreement"], DISAGREEMENT)
    check(silent.tables["disagreement_by_operator"], DISAGREEMENT_BY_OPERATOR)


def test_the_model_is_not_moved_by_a_claim(silent: Results, boastful: Results) -> None:
    pd.testing.assert_frame_equal(silent.service, boastful.service)
    assert set(boastful.service["evidence"]) == {"modelled"}
    assert set(boastful.tables["declared"]["evidence"]) == {"operator_footprint"}
    check(boastful.tables["declared"], SERVICE)


def test_every_contradiction_is_listed(boastful: Results) -> None:
    model, found = boastful.service["status"], boastful.tables["disagreement"]
    check(found, DISAGREEMENT)
    check(boastful.tables["disagreement_by_operator"], DISAGREEMENT_BY_OPERATOR)
    assert set(found.index) == set(model.index[model.isin(["covered", "uncovered"])])
    for kind, status in (("declared_only", "uncovered"), ("modelled_only", "covered")):
        mine = found.index[found["kind"] == kind]
        assert len(mine) == (model == status).sum() > 0
        assert (model[mine] == status).all()


def test_explain_tells_both(boastful: Results) -> None:
    found = boastful.tables["disagreement"]
    point = str(found.index[found["kind"] == "declared_only"][0])
    told = explain(boastful.study, point)
    assert told.as_dict()["contradiction"] == "declared_only"
    assert told.as_dict()["declared"]["evidence"] == "operator_footprint"
    assert told.as_dict()["service"]["status"] == "uncovered"
    assert "Declared by an operator: Covered" in told.text("en")
    assert "mô hình tính không có sóng" in told.text("vi")


def test_the_fictional_study_shows_it(commune: Path, phusong: Command,
                                      done: dict[str, Any]) -> None:
    said = done["declared"]
    assert sum(said["status"].values()) == 2 * said["status"]["all"] == 2 * done["points"]["all"]
    assert all(set(row) == {"declared_only", "modelled_only"}
               for row in said["by_operator"].values())
    table = Store(commune / "data/processed/small").read("disagreement")
    for kind in ("declared_only", "modelled_only"):
        assert said[kind]["points"] == (table["kind"] == kind).sum()
    assert len(table) > 0
    told = phusong("explain", "small", table.index[0], "--home", commune, "--json", "-q")
    assert json.loads(told.stdout)["contradiction"] == table["kind"].iloc[0]


def test_summary_without_footprints(folder: Path) -> None:
    results = pipeline.run(study_with(folder, None))
    assert summarise(results)["declared"] is None
