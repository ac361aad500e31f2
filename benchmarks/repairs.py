"""How often are wrong coordinates and codes recovered, refused, or taken wrongly?

Places are drawn inside communes, written down wrongly in a known way, and read back through the
public reader.  ``right`` = within 1 m of the truth; ``refused`` = an error that names the file,
or a row left out; ``kept`` = taken as written because nothing spoke against it; ``wrong`` =
mended to a place that is not the true one.

    python benchmarks/repairs.py                       # communes of the fictional province
    python benchmarks/repairs.py --communes FILE.gpkg  # real ones
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from phusong.geo import DEGREES, transform
from phusong.profile import Profile
from phusong.sources.fictional import fictional
from phusong.sources.points import read_points
from phusong.sources.polygons import read_communes
from phusong.sources.source import Source

VIETNAM = Profile.load("vietnam")
ZONES = [crs for crs in VIETNAM.crs_candidates if crs not in ("EPSG:5899",)]


def draw(communes: gpd.GeoDataFrame, rows: int, chance: np.random.Generator,
         noise_m: float) -> pd.DataFrame:
    """Draw places inside communes, weighted towards their middle as villages are not: evenly."""
    chosen = communes.iloc[chance.integers(0, len(communes), rows)]
    lon, lat = np.empty(rows), np.empty(rows)
    for i, shape in enumerate(chosen.geometry):
        west, south, east, north = shape.bounds
        while True:
            x, y = chance.uniform(west, east), chance.uniform(south, north)
            if shapely.contains_xy(shape, x, y):
                lon[i], lat[i] = x, y
                break
    shift = chance.normal(0, noise_m, (2, rows)) / 111_195
    return pd.DataFrame({"ma": [f"T{i:05d}" for i in range(rows)], "ten": "Trường",
                         "ma_xa": chosen.index.to_numpy(), "lon": lon + shift[0],
                         "lat": lat + shift[1]})


def written(truth: pd.DataFrame, how: str, chance: np.random.Generator) -> tuple[pd.DataFrame, str]:
    """Write places down in a wrong way; return the file and the CRS that the study states."""
    frame, stated = truth.copy(), ""
    near = int(np.argmin([abs(float(m) - truth["lon"].median()) for m in MERIDIANS]))
    zone = list(MERIDIANS.values())[near]
    if how == "VN-2000 degrees":
        frame["lon"], frame["lat"] = transform(truth["lon"], truth["lat"], DEGREES, "EPSG:4756")
    elif how in ("TM-3 metres", "TM-3 metres, swapped"):
        frame["lon"], frame["lat"] = transform(truth["lon"], truth["lat"], DEGREES, zone)
    elif how == "UTM 48N metres, VN-2000":
        frame["lon"], frame["lat"] = transform(truth["lon"], truth["lat"], DEGREES, "EPSG:3405")
    elif how == "wrong meridian stated":
        frame["lon"], frame["lat"] = transform(truth["lon"], truth["lat"], DEGREES, zone)
        stated = str(chance.choice([z for z in MERIDIANS.values() if z != zone]))
    elif how == "two zones in one file":
        other = list(MERIDIANS.values())[near + (1 if near + 1 < len(MERIDIANS) else -1)]
        half = chance.random(len(truth)) < 0.5
        for crs, rows in ((zone, half), (other, ~half)):
            x, y = transform(truth["lon"][rows], truth["lat"][rows], DEGREES, crs)
            frame.loc[rows, "lon"], frame.loc[rows, "lat"] = x, y
    elif how == "one row in ten swapped":
        rows = chance.random(len(truth)) < 0.1
        frame.loc[rows, ["lon", "lat"]] = frame.loc[rows, ["lat", "lon"]].to_numpy()
    if how.endswith("swapped") and how != "one row in ten swapped":
        frame[["lon", "lat"]] = frame[["lat", "lon"]].to_numpy()
    if how == "codes without zeros":
        frame["ma_xa"] = frame["ma_xa"].str.lstrip("0")
    return frame, stated


MERIDIANS = dict(zip((103.0, 104.0, 104.5, 104.75, 105.0, 105.5, 105.75, 106.0, 106.25, 106.5,
                      107.25, 107.75, 108.25, 108.5),
                     (f"EPSG:{9205 + i}" for i in range(14)), strict=True))
"""Central meridians of the provincial zones, read from the EPSG registry."""
WAYS = ("right as it is", "VN-2000 degrees", "degrees, swapped", "one row in ten swapped",
        "TM-3 metres", "TM-3 metres, swapped", "UTM 48N metres, VN-2000", "wrong meridian stated",
        "two zones in one file", "codes without zeros")


def judged(folder: Path, truth: pd.DataFrame, frame: pd.DataFrame, stated: str,
           communes: gpd.GeoDataFrame) -> Counter[str]:
    """Read the file and count what became of its rows."""
    frame.astype(str).to_csv(folder / "a.csv", index=False)
    reading = read_points(Source(file="a.csv", kind="school", crs=stated, columns={
        "point_id": "ma", "name": "ten", "commune_code": "ma_xa"}), folder, DEGREES, VIETNAM,
        communes)
    mended = {change.row for change in reading.changes}
    table, found = reading.table, Counter[str]()
    for i, row in enumerate(truth.itertuples()):
        place = table.geometry.get(row.ma)
        if place is None or place.is_empty:
            found["refused"] += 1
            continue
        off = np.hypot((place.x - row.lon) * np.cos(np.radians(row.lat)), place.y - row.lat)
        code = table.loc[row.ma, "commune_code"] == row.ma_xa
        if off * 111_195 < 1.0 and code:
            found["right"] += 1
        else:
            found["wrong" if i + 2 in mended else "kept"] += 1
    return found


def main() -> None:
    """Print the table of rates."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--communes", type=Path)
    parser.add_argument("--rows", type=int, nargs="+", default=[1, 10, 100, 1000])
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--noise-m", type=float, default=20.0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = asked.communes
        if path is None:
            made = fictional(folder / "demo", name="demo", size="province", seed=2021)
            path = made.parent / "communes.gpkg"
        communes = read_communes(Source(file=path.name), path.parent, DEGREES, VIETNAM).table
        print(f"{len(communes)} communes of {path.name}, median area "
              f"{communes.to_crs(32648).area.median() / 1e6:.0f} km2, positions good to "
              f"{asked.noise_m:g} m, {asked.draws} files each")
        print(f"{'written as':26s} {'rows':>5s} {'right':>7s} {'refused':>8s} {'kept':>7s} "
              f"{'wrong':>7s}")
        for how in WAYS:
            for rows in asked.rows:
                total: Counter[str] = Counter()
                for seed in range(asked.draws):
                    chance = np.random.default_rng([seed, rows, WAYS.index(how)])
                    truth = draw(communes, rows, chance, asked.noise_m)
                    frame, stated = written(truth, how, chance)
                    total += judged(folder, truth, frame, stated, communes)
                whole = sum(total.values())
                shares = " ".join(f"{100 * total[k] / whole:6.1f}%" for k in
                                  ("right", "refused", "kept", "wrong"))
                print(f"{how:26s} {rows:5d} {shares}", flush=True)


if __name__ == "__main__":
    main()
