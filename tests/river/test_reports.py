"""Operators' reports enter the river: never lost, never counted twice."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

import pandas as pd
import phusong as ps
import pytest
from phusong import desk
from phusong.cli import app
from phusong.store import Store
from typer.testing import CliRunner


@pytest.fixture
def home(commune: Path, tmp_path: Path) -> Path:
    shutil.copytree(commune / "data/raw", tmp_path / "data/raw")
    return tmp_path


def _report(home: Path, *arguments: str) -> str:
    ran = CliRunner().invoke(app, ["report", "small", "--home", str(home), *arguments])
    assert ran.exit_code == 0, ran.output
    return ran.output


def test_the_inbox_twice_is_the_inbox_once(home: Path) -> None:
    study = ps.Study.read(home / "data/raw/small/study.yml")
    book = home / "data/processed/small" / desk.BOOK
    first = desk.report(study, book, recorded_at=dt.date(2021, 12, 31)).counts
    again = desk.report(study, book, recorded_at=dt.date(2022, 1, 1)).counts
    for counts in (first, again):
        assert counts["rows"] == counts["accepted"] + counts["duplicate"] + counts["rejected"]
    assert first["accepted"] > 0
    assert first["rejected"] > 0
    assert again["accepted"] == 0
    assert (again["rows"], again["rejected"]) == (first["rows"], first["rejected"])


def test_a_dry_run_writes_nothing(home: Path) -> None:
    _report(home, "--dry-run")
    study = ps.Study.read(home / "data/raw/small/study.yml")
    after = desk.report(study, home / "data/processed/small" / desk.BOOK)
    assert after.counts["accepted"] > 0, "the dry run had entered the rows already"
    assert not (home / "data/processed/small/rejected").exists()


def test_a_reported_tower_covers_a_gap(home: Path) -> None:
    """One new tower beside a gap: the gap is covered from its day on, and not a day earlier."""
    study = ps.Study.read(home / "data/raw/small/study.yml")
    store = Store(home / "data/processed/small")
    book = store.folder / desk.BOOK
    before = ps.run(study, store=store, until="service", book=book)
    gap = before.gaps.to_crs(4326).iloc[0]
    sheet = home / "2021-12-10_Viettel.csv"
    pd.DataFrame({"action": ["new"], "site_code": ["NEW1"], "effective_date": ["2021-12-08"],
                  "lat": [f"{gap.geometry.y:.6f}"], "lon": [f"{gap.geometry.x:.6f}"],
                  "technology": ["LTE"], "frequency_mhz": ["1800"],
                  "antenna_height_m": ["30"]}).to_csv(sheet, index=False)
    told = _report(home, str(sheet), "--operator", "Viettel", "--recorded-at", "2021-12-12")
    assert "Cells that differ from before: 1;" in told
    after = ps.run(study, store=store, until="service", book=book)
    assert before.service.loc[gap.name, "status"] == "uncovered"
    assert after.service.loc[gap.name, "status"] == "covered"
    was = before.service["status"] == "covered"
    assert (after.service.loc[was, "status"] == "covered").all()
    earlier = ps.run(study.on(dt.date(2021, 12, 7)), until="service", book=book)
    assert earlier.service.loc[gap.name, "status"] == "uncovered"
    unknown_yet = ps.run(study, until="service", book=book, known_on=dt.date(2021, 12, 11))
    assert unknown_yet.service.loc[gap.name, "status"] == "uncovered"


def test_reports_that_are_not_there(home: Path) -> None:
    ran = CliRunner().invoke(app, ["report", "small", "nowhere.csv", "--home", str(home)])
    assert ran.exit_code == 1
    assert "nowhere.csv" in ran.output
