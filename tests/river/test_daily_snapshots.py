"""A tower that goes on air on the third is seen on the third, where progress is measured daily."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import phusong as ps
import pytest
from phusong.cli import app
from phusong.store import Store
from typer.testing import CliRunner


@pytest.mark.slow
def test_what_was_won_is_won_on_its_day(commune: Path, done: dict[str, Any],
                                        tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(commune / "data", home / "data")
    path = home / "data/raw/small/study.yml"
    path.write_text(path.read_text().replace("start: 2021-09-12", "start: 2021-12-01\n"
                                             "    every: day").replace(
        "deadline: 2021-09-30", "deadline: 2021-12-31"))
    study = ps.Study.read(path)
    service = Store(home / "data/processed/small").read("service")
    points = ps.read(study)[0].to_crs(4326)
    listed = {t.name: points["targets"].str.contains(t.name) for t in study.targets}
    name, here = next((n, on & (service["status"] == "uncovered")) for n, on in listed.items()
                      if (on & (service["status"] == "uncovered")).any())
    gap = points[here.to_numpy(bool)].iloc[0]
    report = tmp_path / "2021-12-10_Viettel.csv"
    report.write_text(
        "site_code;date;lat;lon;technology;frequency;height\n"
        f"DAY1;2021-12-03;{gap.geometry.y + 0.001:.6f};{gap.geometry.x:.6f};4G;900;40\n")

    def call(*arguments: str) -> Any:
        ran = CliRunner().invoke(app, [arguments[0], "small", "--home", str(home), "--json",
                                       *arguments[1:]])
        assert ran.exit_code == 0, ran.output
        return json.loads(ran.stdout)

    assert call("report", str(report))["accepted"] == 1
    said = call("status")
    rows = {r["date"]: r for r in said["progress"] if r["target"] == name}
    assert sorted(rows) == [f"2021-12-{n:02d}" for n in range(1, 16)]
    assert rows["2021-12-03"]["since"] == "2021-12-02"
    assert rows["2021-12-03"]["won"] >= 1
    assert [f["date"] for f in said["flows"] if f["point_id"] == gap.name
            and f["target"] == name and f["change"] == "won"] == ["2021-12-03"]
