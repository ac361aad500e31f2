"""Broken inputs each end in one clear message, a non-zero exit and nothing half-written."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import phusong as ps
import pytest
import rasterio
from phusong.cli import app
from typer.testing import CliRunner

Break = Callable[[Path], None]


def _rewrite(file: Path, change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    change(pd.read_csv(file, dtype=str)).to_csv(file, index=False)


def _replace(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def _swapped(folder: Path) -> None:
    def half(table: pd.DataFrame) -> pd.DataFrame:
        some = np.arange(len(table)) % 2 == 0
        table.loc[some, ["vi_do", "kinh_do"]] = table.loc[some, ["kinh_do", "vi_do"]].to_numpy()
        return table
    _rewrite(folder / "schools.csv", half)


def _all_swapped(folder: Path) -> None:
    _rewrite(folder / "schools.csv",
             lambda t: t.rename(columns={"vi_do": "kinh_do", "kinh_do": "vi_do"}))


def _as_it_is(folder: Path) -> None:
    _replace(folder / "study.yml", "file: schools.csv", "file: schools.csv\n      mend: false")


def _moved_terrain(folder: Path) -> None:
    with rasterio.open(folder / "dem.tif", "r+") as raster:
        t = raster.transform
        raster.transform = rasterio.Affine(t.a, t.b, t.c + 5, t.d, t.e, t.f + 5)


def _workbook(folder: Path) -> None:
    (folder / "cells.xlsx").write_bytes(b"PK\x03\x04 this is no workbook")
    _replace(folder / "study.yml", "cells.csv", "cells.xlsx")


BROKEN: dict[str, tuple[Break, tuple[str, ...]]] = {
    "missing column": (lambda f: _rewrite(f / "schools.csv", lambda t: t.drop(columns="vi_do")),
                       ("schools.csv", "vi_do")),
    "half the rows swapped, not to be mended": (
        lambda f: (_swapped(f), _as_it_is(f)), ("schools.csv", "row")),
    "all rows swapped, not to be mended": (
        lambda f: (_all_swapped(f), _as_it_is(f)), ("schools.csv", "mend: true")),
    "wrong CRS": (lambda f: _replace(f / "study.yml", "    - file: villages.csv",
                                     "    - crs: EPSG:32648\n      file: villages.csv"),
                  ("villages.csv",)),
    "no such CRS": (lambda f: _replace(f / "study.yml", "crs: auto", "crs: EPSG:99999"),
                    ("EPSG:99999",)),
    "web mercator": (lambda f: _replace(f / "study.yml", "crs: auto", "crs: EPSG:3857"),
                     ("3857", "metres")),
    "empty file": (lambda f: (f / "cells.csv").write_bytes(b""), ("cells.csv", "empty")),
    "header only": (lambda f: _rewrite(f / "cells.csv", lambda t: t.head(0)), ("cells.csv",)),
    "unreadable workbook": (_workbook, ("cells.xlsx",)),
    "terrain elsewhere": (_moved_terrain, ("terrain", "reach")),
    "terrain is no raster": (lambda f: (f / "dem.tif").write_bytes(b"not a raster"), ("dem.tif",)),
    "missing file": (lambda f: (f / "schools.csv").unlink(), ("schools.csv",)),
    "doubled id": (lambda f: _rewrite(f / "villages.csv", lambda t: pd.concat(
        [t, t.head(1).assign(ten_thon="X", vi_do=t["vi_do"].iloc[-1])])), ("villages.csv", "row")),
    "misspelt key": (lambda f: _replace(f / "study.yml", "need: data\ngoal", "ned: data\ngoal"),
                     ("ned", "need")),
    "misspelt model": (lambda f: _replace(f / "study.yml", "need: data\ngoal",
                                          "need: data\nradio: {model: p1821}\ngoal"),
                       ("p1821", "p1812")),
    "kilometres for metres": (lambda f: _replace(
        f / "study.yml", "need: data\ngoal", "need: data\nradio: {max_range_m: 30}\ngoal"),
        ("max_range_m", "kilometres")),
    "unknown definition": (lambda f: _replace(f / "study.yml", "need: data\ngoal",
                                              "need: dta\ngoal"), ("dta", "data")),
    "key twice": (lambda f: _replace(f / "study.yml", "crs: auto", "crs: auto\ncrs: auto"),
                  ("crs", "twice")),
    "no YAML": (lambda f: (f / "study.yml").write_text("name: [small", encoding="utf-8"),
                ("YAML",)),
}


@pytest.mark.parametrize("case", sorted(BROKEN))
def test_broken(case: str, commune: Path, tmp_path: Path) -> None:
    shutil.copytree(commune / "data/raw", tmp_path / "data/raw")
    damage, words = BROKEN[case]
    damage(tmp_path / "data/raw/small")
    ran = CliRunner().invoke(app, ["run", "small", "--home", str(tmp_path), "-q"])
    assert ran.exit_code == 1, ran.output
    assert ran.exception is None or isinstance(ran.exception, SystemExit)
    assert "Traceback" not in ran.output
    for word in words:
        assert word.lower() in ran.output.lower(), ran.output
    assert not list(tmp_path.glob("maps/**/*.html"))
    assert not list(tmp_path.glob("data/processed/**/*.parquet"))


@pytest.mark.parametrize("damage", [_swapped, _all_swapped], ids=["half", "all"])
def test_swapped_coordinates_are_mended_and_told(damage: Break, commune: Path, tmp_path: Path
                                                 ) -> None:
    shutil.copytree(commune / "data/raw/small", tmp_path / "small")
    damage(tmp_path / "small")
    whole, mended = (ps.read(ps.Study.read(folder / "small/study.yml"))
                     for folder in (commune / "data/raw", tmp_path))
    here = mended[0].loc[whole[0].index]
    assert (here.geometry.distance(whole[0].geometry) < 0.01).all()
    told = mended[3].readings.set_index("file").loc["schools.csv"]
    assert told["mended"] >= 5
    assert told["rows_in"] == told[["accepted", "mended", "rejected"]].sum()


def test_all_faults_are_told_at_once(commune: Path, tmp_path: Path) -> None:
    shutil.copytree(commune / "data/raw", tmp_path / "data/raw")
    folder = tmp_path / "data/raw/small"
    (folder / "schools.csv").unlink()
    (folder / "cells.csv").write_bytes(b"")
    (folder / "roads.gpkg").write_bytes(b"nonsense")
    seen = CliRunner().invoke(app, ["check", "small", "--home", str(tmp_path)])
    assert seen.exit_code == 1
    for file in ("schools.csv", "cells.csv", "roads.gpkg"):
        assert f"error {file}" in seen.output


@pytest.mark.parametrize("layer", ["roads", "power_lines", "population", "lockdowns"])
def test_a_missing_layer_is_no_crash(layer: str, commune: Path, tmp_path: Path) -> None:
    shutil.copytree(commune / "data/raw", tmp_path / "data/raw")
    study = tmp_path / "data/raw/small/study.yml"
    lines = study.read_text(encoding="utf-8").splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith(f"  {layer}:"))
    stop = next(i for i in range(start + 1, len(lines)) if not lines[i].startswith("    "))
    study.write_text("\n".join(lines[:start] + lines[stop:]), encoding="utf-8")
    ran = CliRunner().invoke(app, ["run", "small", "--home", str(tmp_path), "-q", "--no-map"])
    assert ran.exit_code == 0, ran.output
