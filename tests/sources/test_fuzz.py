"""Mutated files: each ends in a reading whose rows add up, or in one clear refusal."""

from __future__ import annotations

import io
import random
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from phusong.errors import Fault, PhusongError
from phusong.geo import DEGREES
from phusong.profile import Profile
from phusong.radio.budget import Radio
from phusong.sources.points import read_points
from phusong.sources.rasters import read_terrain
from phusong.sources.sites import read_sites
from phusong.sources.source import Source
from phusong.tables import POINTS, SITES, faults
from small_register import SCHOOLS, Place, write_dem

VIETNAM = Profile.load("vietnam")
QUICK, SLOW = 60, 2000


def mutated(data: bytes, chance: random.Random) -> bytes:
    """Flip, cut, repeat or overwrite a few bytes."""
    out = bytearray(data)
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(out)) if out else 0
        how = chance.randrange(5)
        if how == 0 and out:
            out[at] = chance.randrange(256)
        elif how == 1:
            del out[at:at + chance.randint(1, 40)]
        elif how == 2:
            out[at:at] = out[at:at + chance.randint(1, 40)]
        elif how == 3:
            out[at:at] = chance.choice([b'"', b",", b"\n", b"\x00", b"\xff", b"1e999", b"-", b";"])
        elif chance.random() < 0.1:
            del out[at:]
    return bytes(out)


def workbook(path: Path) -> None:
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet("Trường")
        sheet.write_row(0, 0, list(SCHOOLS.columns))
        for i, row in enumerate(SCHOOLS.to_numpy(), 1):
            sheet.write_row(i, 0, list(row))


def layer(path: Path) -> None:
    gpd.GeoDataFrame(SCHOOLS, geometry=gpd.points_from_xy(
        SCHOOLS["kinh_do"].astype(float), SCHOOLS["vi_do"].astype(float)), crs=4326).to_file(path)


MAKERS: dict[str, Callable[[Path], Any]] = {
    "a.csv": lambda path: SCHOOLS.to_csv(path, index=False), "a.xlsx": workbook,
    "a.geojson": layer, "a.gpkg": layer, "a.tif": lambda path: write_dem(path, pixels=40)}


def judge(folder: Path, name: str) -> str:
    """Read a file in each part it can play; return what became of it."""
    if name.endswith("tif"):
        terrain, readings = read_terrain([Source(file=name)], folder, 32648)
        assert terrain is not None or any(r.failed for r in readings)
        return "refused" if terrain is None else "read"
    said: tuple[Fault, ...] | None = None
    try:
        points = read_points(Source(file=name, kind="school"), folder, DEGREES, VIETNAM)
        sites = read_sites(Source(file=name), folder, DEGREES, VIETNAM, Radio())
    except PhusongError as error:
        said = error.faults
    if said is not None:
        assert said
        assert all(fault.file == name and fault.cure for fault in said)
        return "refused"
    for reading, table in ((points, POINTS), (sites, SITES)):
        assert len(reading.table) == reading.accepted + reading.mended
        assert not faults(reading.table, table)
    placed = points.table[~points.table.geometry.isna()]
    assert placed.geometry.x.between(102.1, 109.9).all()
    assert placed.geometry.y.between(7.9, 23.5).all()
    return "read"


def spoilt(data: bytes, name: str, chance: random.Random) -> bytes:
    """Mutate a file; of a workbook mostly the sheet within the archive, which stays sound."""
    if not name.endswith("xlsx") or chance.random() < 0.2:
        return mutated(data, chance)
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for item in old.namelist():
            body = old.read(item)
            inner = "sheet1" in item or "sharedStrings" in item
            new.writestr(item, mutated(body, chance) if inner else body)
    return out.getvalue()


def fuzz(folder: Path, name: str, cases: int) -> set[str]:
    MAKERS[name](folder / name)
    data = (folder / name).read_bytes()
    ends = set()
    for case in range(cases):
        (folder / name).write_bytes(spoilt(data, name, random.Random(f"{name} {case}")))
        ends.add(judge(folder, name))
    return ends


@pytest.mark.parametrize("name", list(MAKERS))
@pytest.mark.filterwarnings("default")
def test_mutated_files(tmp_path: Path, name: str) -> None:
    assert "refused" in fuzz(tmp_path, name, QUICK) or name == "a.csv"


@pytest.mark.slow
@pytest.mark.parametrize("name", list(MAKERS))
@pytest.mark.filterwarnings("default")
def test_ten_thousand_mutated_files(tmp_path: Path, name: str) -> None:
    assert fuzz(tmp_path, name, SLOW) == {"read", "refused"}


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
