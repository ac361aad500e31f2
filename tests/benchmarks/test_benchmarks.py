"""Benchmarks run, measure what they say, and say what they leave out."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from phusong.paths import pack
from phusong.radio import MODELS, Medium, path_loss


@pytest.fixture
def folder(root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.syspath_prepend(str(root / "benchmarks"))
    yield root / "benchmarks"
    for name in ("contestants", "radio", "links", "reports"):
        sys.modules.pop(name, None)


def loaded(name: str) -> ModuleType:
    return __import__(name)


def test_a_contestant_computes_what_the_program_computes(
        folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    contestants = loaded("contestants")
    heights = np.random.default_rng(1).uniform(0.0, 300.0, (7, 41))
    np.savez(tmp_path / "p.npz", heights=heights, step_m=90.0)
    contestants.main("phusong p526", str(tmp_path / "p.npz"))
    told = json.loads(capsys.readouterr().out)
    along = [90.0 * np.arange(41)] * 7
    loss = path_loss("p526", pack(along, list(heights)), contestants.FREQUENCY_MHZ,
                     contestants.TX_M, contestants.RX_M,
                     Medium(delta_n=contestants.DELTA_N, n0=contestants.N0))
    assert told["loss_db"] == loss.tolist()
    assert told["paths"] == 7
    assert told["cpu_s"] > 0.0
    assert {n.removeprefix("phusong ") for n in contestants.CONTESTANTS
            if n.startswith("phusong ")} <= set(MODELS)


def test_paths_have_the_samples_they_are_said_to_have(folder: Path) -> None:
    radio = loaded("radio")
    assert folder.name == "benchmarks"
    for samples in radio.SIZES:
        paths = radio.land().profiles(*radio.paths_of(radio.land(), samples, 5), radio.STEP_M)
        assert set(np.diff(paths.offsets)) == {samples}
        assert np.isfinite(paths.heights_m).all()


def test_absent_peers_are_said(folder: Path, monkeypatch: pytest.MonkeyPatch,
                               capsys: pytest.CaptureFixture[str]) -> None:
    radio = loaded("radio")
    monkeypatch.delenv("PHUSONG_PEERS", raising=False)
    assert radio.peers() == ("", [])
    assert "left out" in capsys.readouterr().out
    monkeypatch.setenv("PHUSONG_PEERS", sys.executable)
    monkeypatch.setattr(radio, "PEERS", {"nobody": "no_such_module_anywhere"})
    assert radio.peers() == (sys.executable, [])
    assert "has no no_such_module_anywhere" in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["csv", "xlsx", "geojson", "gpkg"])
def test_the_report_of_the_benchmark_says_the_same_in_every_format(
        folder: Path, tmp_path: Path, kind: str) -> None:
    reports = loaded("reports")
    rows = reports.lines(300)
    told = reports.enter(reports.write(tmp_path, kind, rows), tmp_path)
    assert told["rows"] == 300 == told["accepted"] + told["duplicate"] + told["rejected"]
    assert min(told["duplicate"], told["rejected"], told["changes"]) > 0
    assert told["cpu_s"] > 0.0
    assert told["peak_mib"] > 10.0
