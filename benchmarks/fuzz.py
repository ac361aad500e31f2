"""Mutated files of every family: read with rows that add up, or refused with one clear reason.

    python benchmarks/fuzz.py --cases 10000

Every second case spoils a few bytes of a sound list of six schools (of a workbook also the sheet
inside its archive, of a shapefile one of its files) and reads it as schools or as cells.  Every
other case writes the list with one wrong position whose truth is known.  Counted are ``read``,
``refused``, ``recovered`` (the true place was found) and ``left out`` (the row was refused, or
kept without a position); and what must not happen: ``crashed`` (an exception that is none of the
program's), ``unclear`` (a refusal that does not name file and cure), ``lost`` (rows that do not
add up), ``wrong`` (a wrong position taken) and ``harmed`` (another row changed).
"""

from __future__ import annotations

import argparse
import io
import json
import random
import shutil
import tempfile
import time
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import xlsxwriter
from phusong.errors import PhusongError
from phusong.geo import DEGREES
from phusong.profile import Profile
from phusong.radio.budget import Radio
from phusong.sources.points import read_points
from phusong.sources.sites import read_sites
from phusong.sources.source import Reading, Source
from phusong.tables import POINTS, SITES, faults
from shapely import Point

VIETNAM = Profile.load("vietnam")
BAD = ("crashed", "unclear", "lost", "wrong", "harmed")
SCHOOLS = pd.DataFrame({
    "ma_truong": ["00123", "00124", "00125", "00126", "00127", "00128"],
    "ten_truong": ["Trường Tiểu học A", "Trường THCS B", "Trường TH&THCS C", "Trường D",
                   "Trường THPT E", "Trường Mầm non F"],
    "cap_hoc": ["Tiểu học", "THCS", "tiểu học; THCS", "", "THPT", "Mầm non"],
    "so_hoc_sinh": ["350", "412", "1204", "", "600", "90"],
    "vi_do": ["22.31", "22.32", "22.33", "22.34", "22.35", "22.36"],
    "kinh_do": ["103.81", "103.83", "103.86", "103.87", "103.88", "103.89"]})


def write_csv(path: Path, frame: pd.DataFrame) -> None:
    """Write a text table."""
    frame.to_csv(path, index=False)


def write_xlsx(path: Path, frame: pd.DataFrame) -> None:
    """Write a workbook of text cells, below a title."""
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet("Trường")
        sheet.write(0, 0, "DANH SÁCH TRƯỜNG HỌC")
        sheet.write_row(1, 0, list(frame.columns))
        for i, row in enumerate(frame.to_numpy(), 2):
            sheet.write_row(i, 0, list(row))


def write_layer(path: Path, frame: pd.DataFrame) -> None:
    """Write GeoJSON, GeoPackage or Shapefile; a position that is no number is an empty shape."""
    x = pd.to_numeric(frame["kinh_do"], errors="coerce")
    y = pd.to_numeric(frame["vi_do"], errors="coerce")
    places = [Point(a, b) if np.isfinite(a) and np.isfinite(b) else None
              for a, b in zip(x, y, strict=True)]
    short = frame.drop(columns=["vi_do", "kinh_do"]).rename(columns={"so_hoc_sinh": "so_hs"})
    gpd.GeoDataFrame(short, geometry=places, crs=4326).to_file(path, encoding="utf-8")


def write_kml(path: Path, frame: pd.DataFrame) -> None:
    """Write placemarks; the name carries the key."""
    marks = "".join(
        f"<Placemark><name>{row.ma_truong}</name>"
        + (f"<Point><coordinates>{row.kinh_do},{row.vi_do}</coordinates></Point>"
           if row.kinh_do and row.vi_do else "") + "</Placemark>" for row in frame.itertuples())
    path.write_text('<?xml version="1.0" encoding="UTF-8"?><kml xmlns="http://www.opengis.net/kml/'
                    f'2.2"><Document><Folder><name>a</name>{marks}</Folder></Document></kml>',
                    encoding="utf-8")


FAMILIES: dict[str, Callable[[Path, pd.DataFrame], None]] = {
    "a.csv": write_csv, "a.xlsx": write_xlsx, "a.geojson": write_layer, "a.gpkg": write_layer,
    "a.shp": write_layer, "a.kml": write_kml}
"""File of each family -> what writes it."""

WRONG: dict[str, Callable[[str, str], tuple[str, str]]] = {
    "swapped": lambda lat, lon: (lon, lat),
    "point lost": lambda lat, lon: (lat.replace(".", ""), lon.replace(".", "")),
    "in metres": lambda lat, lon: ("2470000", "380000"),
    "sign lost": lambda lat, lon: ("-" + lat, lon),
    "elsewhere": lambda lat, lon: ("48.85", "2.35"),
    "nowhere": lambda lat, lon: ("0", "0"),
    "half": lambda lat, lon: (lat, ""),
    "beyond": lambda lat, lon: ("223.1", "1038.1"),
    "words": lambda lat, lon: ("phía sau chợ", lon),
    "two marks": lambda lat, lon: ("22.310,5", lon)}
"""Wrong positions -> (latitude, longitude) as written; the last two cannot be put in a shape."""


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


def spoilt(path: Path, sound: dict[str, bytes], chance: random.Random) -> None:
    """Write a family's files back with one of them mutated."""
    for name, data in sound.items():
        (path.parent / name).write_bytes(data)
    name = chance.choice(sorted(sound))
    data = sound[name]
    if not name.endswith("xlsx") or chance.random() < 0.2:
        (path.parent / name).write_bytes(mutated(data, chance))
        return
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for item in old.namelist():
            inner = "sheet1" in item or "sharedStrings" in item
            new.writestr(item, mutated(old.read(item), chance) if inner else old.read(item))
    path.write_bytes(out.getvalue())


def read(path: Path, as_cells: bool = False) -> Reading:
    """Read the file as schools or as cells; KML carries the key in the name."""
    source = Source(file=path.name, kind="" if as_cells else "school",
                    columns={"point_id": "Name"} if path.suffix == ".kml" and not as_cells else {})
    if as_cells:
        return read_sites(source, path.parent, DEGREES, VIETNAM, Radio())
    return read_points(source, path.parent, DEGREES, VIETNAM)


def spoilt_case(path: Path, sound: dict[str, bytes], chance: random.Random) -> str:
    """Spoil bytes, read, and return what became of the file."""
    spoilt(path, sound, chance)
    as_cells = chance.random() < 0.5
    try:
        reading = read(path, as_cells)
    except PhusongError as error:
        clear = error.faults and all(f.file == path.name and f.cure for f in error.faults)
        return "refused" if clear else "unclear"
    except Exception as error:      # what must not happen is counted, and shown
        print(f"{path.name}: {type(error).__name__}: {error}"[:300])
        return "crashed"
    table, declared = reading.table, SITES if as_cells else POINTS
    if len(table) != reading.accepted + reading.mended or faults(table, declared):
        return "lost"
    placed = table[~table.geometry.isna()].geometry
    west, south, east, north = VIETNAM.bounds
    inside = placed.x.between(west, east) & placed.y.between(south, north)
    return "read" if inside.all() else "wrong"


def seeded_case(path: Path, write: Callable[[Path, pd.DataFrame], None],
                chance: random.Random) -> str:
    """Write one wrong position, read, and return what became of it."""
    row = chance.randrange(len(SCHOOLS))
    kinds = list(WRONG)[:None if path.suffix in (".csv", ".xlsx") else -2]
    frame = SCHOOLS.copy()
    lat, lon = SCHOOLS.loc[row, ["vi_do", "kinh_do"]]
    frame.loc[row, ["vi_do", "kinh_do"]] = WRONG[chance.choice(kinds)](lat, lon)
    write(path, frame)
    try:
        table = read(path).table
    except PhusongError:
        return "refused"
    except Exception as error:      # what must not happen is counted, and shown
        print(f"{path.name}: {type(error).__name__}: {error}"[:300])
        return "crashed"
    for i, (key, y, x) in enumerate(zip(SCHOOLS["ma_truong"], SCHOOLS["vi_do"].astype(float),
                                        SCHOOLS["kinh_do"].astype(float), strict=True)):
        place = table.geometry.get(key)
        there = place is not None and not place.is_empty
        right = there and abs(place.x - x) < 1e-9 and abs(place.y - y) < 1e-9
        if i == row:
            outcome = "recovered" if right else "wrong" if there else "left out"
        elif not right:
            return "harmed"
    return outcome


def fuzz(folder: Path, name: str, cases: int, first: int = 0) -> Counter[str]:
    """Run cases of one family and count their ends."""
    path, write = folder / name, FAMILIES[name]
    write(path, SCHOOLS)
    sound = {p.name: p.read_bytes() for p in folder.glob(f"{path.stem}.*")
             if p.suffix == path.suffix or (path.suffix == ".shp" and p.suffix in (
                 ".dbf", ".shx", ".prj", ".cpg"))}
    ends: Counter[str] = Counter()
    for case in range(first, first + cases):
        chance = random.Random(f"{name} {case}")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if case % 2:
                for other in sound:
                    (folder / other).unlink(missing_ok=True)
                ends[seeded_case(path, write, chance)] += 1
            else:
                ends[spoilt_case(path, sound, chance)] += 1
    return ends


def main() -> None:
    """Print the table of ends; exit with 1 if one of them must not happen."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--families", nargs="+", default=list(FAMILIES))
    asked = parser.parse_args()
    worst = 0
    for name in asked.families:
        folder = Path(tempfile.mkdtemp())
        began = time.process_time()
        ends = fuzz(folder, name, asked.cases)
        shutil.rmtree(folder)
        worst += sum(ends[bad] for bad in BAD)
        print(json.dumps({"family": name.removeprefix("a."), "cases": asked.cases,
                          **dict(sorted(ends.items())),
                          "cpu_s": round(time.process_time() - began, 1)}), flush=True)
    raise SystemExit(1 if worst else 0)


if __name__ == "__main__":
    main()
