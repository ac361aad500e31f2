"""What a dry run says of points, and that it leaves no trace."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import phusong as ps
import pytest
from phusong import desk, foresight
from phusong.cli import app
from phusong.store import Store
from typer.testing import CliRunner

DAY = "2021-12-10"


@pytest.fixture(scope="module")
def home(commune: Path, done: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home of its own, run once."""
    assert done["points"]["all"] > 0
    here = tmp_path_factory.mktemp("foresight")
    shutil.copytree(commune, here / "home")
    return here / "home"


def _said(*arguments: object) -> Any:
    ran = CliRunner().invoke(app, [str(a) for a in arguments])
    assert ran.exit_code == 0, ran.output
    return json.loads(ran.stdout)


def _traces(folder: Path) -> dict[str, str]:
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
            for p in sorted(folder.rglob("*")) if p.is_file()}


def _beside_a_gap(home: Path, folder: Path) -> Path:
    study = ps.Study.read(home / "data/raw/small/study.yml")
    store = Store(home / "data/processed/small")
    points = ps.read(study)[0].to_crs(4326)
    service = store.read("service")
    gap = points[(service["status"] == "uncovered").to_numpy(bool)].geometry.iloc[0]
    path = folder / f"{DAY}_Viettel.csv"
    path.write_text("action;site_code;effective_date;lat;lon;technology;frequency;height\n"
                    f"new;FORE1;{DAY};{gap.y + 0.001:.6f};{gap.x:.6f};LTE;900;40\n")
    return path


def test_a_dry_run_says_what_the_report_then_does_and_writes_nothing(
        home: Path, tmp_path: Path) -> None:
    path = _beside_a_gap(home, tmp_path)
    before = _traces(home)
    told = _said("report", "small", path, "--home", home, "--dry-run", "--json")
    assert _traces(home) == before
    assert (told["accepted"], told["changed_cells"]) == (1, 1)
    foreseen = told["would_change"]
    assert foreseen["changes"]["won"]["points"] >= 1
    assert foreseen["after"]["with_report"]

    first = _said("status", "small", "--home", home, "--json")
    assert "would_change" not in _said("report", "small", path, "--home", home, "--json")
    then = _said("status", "small", "--home", home, "--json")
    won = then["points"]["covered"] - first["points"]["covered"]
    assert won == foreseen["changes"]["won"]["points"] - foreseen["changes"]["lost"]["points"]
    assert (then["learners"]["covered"] - first["learners"]["covered"] ==
            pytest.approx(foreseen["changes"]["won"]["learners"]
                          - foreseen["changes"]["lost"]["learners"]))
    again = _said("report", "small", path, "--home", home, "--dry-run", "--json")
    assert again["duplicate"] == 1
    assert again["would_change"]["rows"] == []


def test_of_a_study_that_was_never_run_no_points_are_told(
        commune: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(commune / "data/raw", home / "data/raw")
    path = tmp_path / f"{DAY}_Viettel.csv"
    path.write_text("site_code;effective_date;lat;lon;technology\nA;2021-12-01;22.1;104.2;4G\n")
    told = _said("report", "small", path, "--home", home, "--dry-run", "--json")
    assert told["would_change"] is None
    assert not (home / "data/processed").exists()
    ran = CliRunner().invoke(app, ["report", "small", str(path), "--home", str(home), "--dry-run"])
    assert "once the study has been run" in ran.output


def test_what_would_be_said_of_points(home: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "register.csv"
    sheet.write_text("point_id;action;effective_date;reason\nX1;open;2021-10-01;\n"
                     "X2;open;2021-10-01;\n")
    _said("report", "small", sheet, "--about", "gap", "--home", home, "--json")
    sheet.write_text("point_id;action;effective_date;reason\nX1;withdraw;2021-11-01;closed\n"
                     "X3;open;2021-11-01;\nX2;open;2021-10-01;\n")
    before = _traces(home)
    told = _said("report", "small", sheet, "--about", "gap", "--home", home, "--dry-run", "--json")
    assert _traces(home) == before
    assert [(r["point_id"], r["change"], r["status"]) for r in told["would_change"]] == [
        ("X1", "altered", "withdrawn"), ("X3", "appeared", "open")]


def test_a_mirror_keeps_what_is_written_to_itself(tmp_path: Path) -> None:
    store = Store(tmp_path / "real")
    store.keep("a", "1", pd.DataFrame({"n": [1]}))
    store.commit({"a": ("a", "1")})
    before = _traces(tmp_path / "real")
    with foresight.mirrored(store) as mirror:
        assert mirror is not None
        assert mirror.read("a")["n"].tolist() == [1]
        mirror.keep("a", "1", pd.DataFrame({"n": [2]}))
        mirror.keep("b", "1", pd.DataFrame({"n": [3]}))
        mirror.commit({"b": ("b", "1")})
    after = _traces(tmp_path / "real")
    after.pop("results.lock", None)
    before.pop("results.lock", None)
    assert after == before
    with foresight.mirrored(Store(tmp_path / "none")) as mirror:
        assert mirror is None
    assert desk.BOOK == "ledger.sqlite"
