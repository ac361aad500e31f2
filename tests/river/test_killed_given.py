"""A command killed after its results were kept and before its figures were recorded.

Nobody has seen those figures: the next command that tells any, of whatever kind, records them, as
given when that command gave them.  The point is found by the first system call on the record.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import phusong as ps
import pytest
from phusong.cli import app
from phusong.ledger import GIVEN, Given
from phusong.ledger.values import moment
from phusong.store import Store
from typer.testing import CliRunner

pytestmark = pytest.mark.slow
COMMANDS = [
    pytest.param(["status", "small"], id="status"),
    pytest.param(["status", "small", "--field-checks"], id="field-checks"),
    pytest.param(["watch", "small", "--folder", "inbox", "--once", "--every", "0.1"], id="watch"),
    pytest.param(["run", "small", "--no-map"], id="run"),
    pytest.param(["map", "small"], id="map"),
    pytest.param(["batch", "small"], id="batch"),
]


def _record(home: Path) -> Given:
    return Given(home / "data/processed/small" / GIVEN)


def _targets(home: Path) -> dict[str, Any]:
    """What was given last of each target."""
    return {target: said for (what, target, _), (_, said) in _record(home).at().items()
            if what == "target"}


@pytest.fixture(scope="module")
def killed(commune: Path, done: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home where a tower was reported, and the status after it was killed on its way out."""
    if shutil.which("strace") is None or sys.platform != "linux":
        pytest.skip("needs strace (Linux): install it to run the kill tests")
    home = tmp_path_factory.mktemp("killed") / "home"
    shutil.copytree(commune, home)
    study = ps.Study.read(home / "data/raw/small/study.yml")
    target = study.targets[0].name
    points = ps.read(study)[0].to_crs(4326)
    store = Store(home / "data/processed/small")
    gap = points[(store.read("service")["status"] == "uncovered").to_numpy(bool)
                 & points["targets"].str.contains(target).to_numpy(bool)].geometry.iloc[0]
    (home / "2021-12-10_Viettel.csv").write_text(
        "action;site_code;effective_date;lat;lon;technology;frequency;height\n"
        f"new;LATE1;2021-12-01;{gap.y + 0.001:.6f};{gap.x:.6f};4G;900;40\n")
    before = store.now, _targets(home)
    ran = CliRunner().invoke(app, ["report", "small", str(home / "2021-12-10_Viettel.csv"),
                                   "--home", str(home)])
    assert ran.exit_code == 0, ran.output
    lock = store.folder / Path(GIVEN).with_suffix(".lock")
    ended = subprocess.run(
        ["strace", "-f", "-o", os.devnull, "-P", str(lock), "-e", "trace=openat",
         "-e", "inject=openat:signal=SIGKILL:when=1", sys.executable, "-m", "phusong", "status",
         "small", "--home", str(home), "--json"], capture_output=True, text=True, check=False)
    assert ended.returncode != 0
    assert ended.stdout == "", "nobody has seen a figure"
    assert store.now["watermark"] != before[0].get("watermark"), "the results were kept"
    assert _targets(home) == before[1], "and not recorded"
    return home


@pytest.mark.parametrize("command", COMMANDS)
def test_the_next_command_records_what_it_gives(killed: Path, tmp_path: Path,
                                                command: list[str]) -> None:
    home = tmp_path / "home"
    shutil.copytree(killed, home)
    (home / "inbox").mkdir()
    shutil.copy(home / "2021-12-10_Viettel.csv", home / "inbox")  # the watch needs a file
    words = [str(home / word) if word == "inbox" else word for word in command]
    before, since = _targets(home), moment(None)
    ran = CliRunner().invoke(app, [*words, "--home", str(home), "--json"])
    assert ran.exit_code == 0, ran.output
    until = moment(None)
    after = _targets(home)
    assert after != before
    said = json.loads(ran.stdout).get("targets")
    if said is not None:
        assert {t["name"]: t["covered"] for t in said} == {
            name: t["covered"] for name, t in after.items()}
    record = _record(home)
    assert record.verify() == []
    fresh = {when for key, rows in record.history().items() for when, _ in rows
             if key[0] == "target" and len(rows) > 1 and when == rows[-1][0]}
    assert fresh
    assert all(since <= when <= until for when in fresh), "given now, not when it was computed"
    day = datetime.fromisoformat(since).date().isoformat()
    ran = CliRunner().invoke(app, ["status", "small", "--home", str(home), "--json",
                                   "--known-on", day])
    given = json.loads(ran.stdout)
    assert given["given_on"] in fresh
    assert {t["name"]: t for t in given["targets"]} == after
