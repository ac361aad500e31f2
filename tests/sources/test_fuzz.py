"""Mutated files: each ends in a reading whose rows add up, or in one clear refusal."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from phusong.geo import DEGREES
from phusong.profile import Profile
from phusong.sources.points import read_points
from phusong.sources.rasters import read_terrain
from phusong.sources.source import Source
from small_register import SCHOOLS, Place, write_dem

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))

import fuzz

VIETNAM = Profile.load("vietnam")
QUICK, SLOW = 40, 500
"""Cases of each family here; `python benchmarks/fuzz.py --cases 10000` runs them all."""


@pytest.mark.parametrize("name", list(fuzz.FAMILIES))
@pytest.mark.filterwarnings("default")
def test_mutated_files(tmp_path: Path, name: str) -> None:
    ends = fuzz.fuzz(tmp_path, name, QUICK)
    assert not {end: ends[end] for end in fuzz.BAD if ends[end]}
    assert ends["left out"], "seeded wrong positions are seen"


@pytest.mark.slow
@pytest.mark.parametrize("name", list(fuzz.FAMILIES))
@pytest.mark.filterwarnings("default")
def test_many_mutated_files(tmp_path: Path, name: str) -> None:
    ends = fuzz.fuzz(tmp_path, name, SLOW, first=10_000)
    assert not {end: ends[end] for end in fuzz.BAD if ends[end]}
    assert {"read", "refused", "recovered", "left out"} <= set(ends)


def raster_end(folder: Path, chance: random.Random) -> str:
    """Spoil a raster, read it, and return what became of it."""
    data = (folder / "sound.tif").read_bytes()
    (folder / "a.tif").write_bytes(fuzz.mutated(data, chance))
    terrain, readings = read_terrain([Source(file="a.tif")], folder, 32648)
    assert terrain is not None or any(r.failed for r in readings)
    return "refused" if terrain is None else "read"


@pytest.mark.parametrize("cases", [40, pytest.param(1500, marks=pytest.mark.slow)])
@pytest.mark.filterwarnings("default")
def test_mutated_rasters(tmp_path: Path, cases: int) -> None:
    write_dem(tmp_path / "sound.tif", pixels=40)
    ends = {raster_end(tmp_path, random.Random(f"a.tif {case}")) for case in range(cases)}
    assert ends == {"read", "refused"}


WRONG: dict[str, Callable[[str, str], tuple[str, str]]] = {
    "swapped": lambda lat, lon: (lon, lat),
    "point lost": lambda lat, lon: (lat.replace(".", ""), lon.replace(".", "")),
    "in metres": lambda lat, lon: ("2470000", "380000"),
    "sign lost": lambda lat, lon: ("-" + lat, lon),
    "words": lambda lat, lon: ("phía sau chợ", lon),
    "two marks": lambda lat, lon: ("22.310,5", lon),
    "elsewhere": lambda lat, lon: ("48.85", "2.35"),
    "nowhere": lambda lat, lon: ("0", "0"),
    "half": lambda lat, lon: (lat, "")}


@given(row=st.integers(0, 5), wrong=st.sampled_from(sorted(WRONG)))
@settings(max_examples=25, deadline=None, derandomize=True,
          suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_seeded_wrong_position_is_never_taken(place: Place, row: int, wrong: str) -> None:
    frame = SCHOOLS.copy()
    lat, lon = WRONG[wrong](frame.loc[row, "vi_do"], frame.loc[row, "kinh_do"])
    frame.loc[row, ["vi_do", "kinh_do"]] = [lat, lon]
    place.write("schools.csv", frame)
    reading = read_points(Source(file="schools.csv", kind="school"), place.folder, DEGREES, VIETNAM)
    key = frame.loc[row, "ma_truong"]
    kept = key in reading.table.index
    if wrong == "swapped":          # the country tells: swapped back, and said from what to what
        assert reading.changes[0].row == row + 2
        assert kept
        assert reading.table.geometry[key].x == float(SCHOOLS.loc[row, "kinh_do"])
        assert reading.table.geometry[key].y == float(SCHOOLS.loc[row, "vi_do"])
        return
    assert not kept or reading.table.geometry.isna()[key]
    assert any(fault.row == row + 2 for fault in reading.faults)
    others = reading.table.drop(index=key, errors="ignore")
    truth = SCHOOLS.set_index("ma_truong").drop(index=key)
    assert np.allclose(others.geometry.x, truth["kinh_do"].astype(float))
    assert np.allclose(others.geometry.y, truth["vi_do"].astype(float))
