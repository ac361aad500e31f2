"""Operators' reports enter the river: never lost, never counted twice."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from pathlib import Path

import pandas as pd
import phusong as ps
import pytest
from phusong import desk
from phusong.cli import app
from phusong.nouns import nearest
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


def test_what_is_to_become_known_in_future_is_refused(home: Path, tmp_path: Path) -> None:
    """A slip in the year would hide a report until then."""
    path = tmp_path / "2021-12-01_Viettel.csv"
    path.write_text("site_code;date;lat;lon;technology\nN1;2021-11-20;22.35;103.85;4G\n")
    ran = CliRunner().invoke(app, ["report", "small", str(path), "--home", str(home),
                                   "--recorded-at", "9021-12-01"])
    assert ran.exit_code == 1
    assert "9021-12-01: that day is yet to come" in ran.output
    assert not (home / "data/processed/small" / desk.BOOK).exists()


def test_the_screen_tells_the_file_and_says_nothing_twice(home: Path) -> None:
    head = "action;site_code;effective_date;lat;lon;technology;frequency;height;STT\n"
    for day in ("01", "08"):
        (home / f"2021-12-{day}_Viettel.csv").write_text(
            head + f"new;N{day};2021-11-20;22.35;103.85;4G;1800;30;1\n"
            + f"new;M{day};2021-11-20;22.35;103.85;4G;1800;cao;2\n" * (day == "08"),
            encoding="utf-8")
    files = [str(home / f"2021-12-{day}_Viettel.csv") for day in ("01", "08")]
    told = _report(home, *files, "--dry-run")
    assert "first in 2021-12-08_Viettel.csv, row 3" in told
    assert told.count("Not read") == 1
    assert [line.split() for line in told.splitlines() if line.startswith("together")] == [
        ["together", "3", "2", "0", "1"]]
    said = json.loads(_report(home, *files, "--json"))
    assert [(row["file"], row["row"], row["reason"], row["raw"]["height"])
            for row in said["rejected_rows"]] == [
        ("2021-12-08_Viettel.csv", 3, "bad_number", "cao")]
    assert said["unknown_operators"] == {}
    old = home / "2021-12-15_Viettel.xls"
    old.write_bytes(b"\xd0\xcf\x11\xe0")
    ran = CliRunner().invoke(app, ["report", "small", "--home", str(home), str(old), "--json"])
    assert (ran.exit_code, json.loads(ran.stdout)["files"][0]["refused"]) == (1, "unknown_format")


def test_names_that_nobody_else_has_are_told(home: Path) -> None:
    """A slip in the name of an operator or of a point of the register is not swallowed."""
    study = ps.Study.read(home / "data/raw/small/study.yml")
    point = str(ps.read(study)[0].index[0])
    claims, register = home / "claims.csv", home / "register.csv"
    claims.write_text(f"point;date;operator\n{point};2021-12-01;Vietel\n"
                      f"{point};2021-12-01;Viettel\n", encoding="utf-8")
    register.write_text("point;action;date;reason;into\n"
                        f"{point[1:]};withdraw;2021-12-01;closed;\nN1;open;2021-12-01;;\n"
                        f"{point};merge;2021-12-02;one place;N2\n"
                        "N1;withdraw;2021-12-03;closed;\n", encoding="utf-8")
    for rehearsed in (["--dry-run"], []):
        said = json.loads(_report(home, str(claims), "--about", "claim", "--json", *rehearsed))
        assert said["unknown_operators"] == {"Vietel": "Viettel"}
        assert said["unknown_points"] == {}
        said = json.loads(_report(home, str(register), "--about", "gap", "--json", *rehearsed))
        assert said["unknown_points"] == {point[1:]: point, "N2": ""}
    assert "Vietel (có phải Viettel?)" in _report(home, str(claims), "--about", "claim",
                                                  "--language", "vi")


def test_of_many_known_names_only_some_are_listed() -> None:
    assert nearest("zzz", ["b", "a"]) == "Known: a, b."
    told = nearest("zzz", map(str, range(2041)))
    assert told.endswith(" and 2,001 more.")
    assert told.count(",") == 40
