"""How fast footprints are computed, and how far rays are from every pixel's own path.

    python benchmarks/footprint.py                     # made-up mountains
    python benchmarks/footprint.py --dem heights.tif   # a mast in the middle of a real grid
    python benchmarks/footprint.py --masts 20          # best server of many, too

Every method runs in a process of its own, in turns, three rounds, one thread;
the median of processor seconds is told (so that a busy machine does little
harm) and the peak of memory beyond what the program and the terrain take.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
from affine import Affine
from links import CRS, LEFT, TOP, relief
from phusong.footprints import Method, footprint
from phusong.geo import choose_crs, transform
from phusong.radio.budget import Radio
from phusong.terrain import Terrain
from phusong.workers import THREADS_VARIABLE

METHODS: dict[str, tuple[Method, bool]] = {
    "exact": ("exact", False), "radial": ("radial", False), "radial, fast": ("radial", True)}
ROUNDS = 3
FLOOR_DBM = 62.0 - 30.8 - 160.0
"""Level of a pixel in the main beam at a loss of 160 dB (EIRP 62 dBm, 20 MHz)."""


def land(dem: str) -> Terrain:
    """Return made-up mountains of 70 km at 90 m, or the grid of a file."""
    if not dem:
        return Terrain(relief(780, 1, 500.0), Affine(90.0, 0, LEFT, 0, -90.0, TOP), CRS, CRS)
    with rasterio.open(dem) as file:
        heights = file.read(1).astype(np.float32)
        if file.nodata is not None or heights.min() <= -32_000:
            heights[(heights == file.nodata) | (heights <= -32_000)] = np.nan
        box, crs = file.bounds, file.crs
        lon, lat = transform([0.5 * (box.left + box.right)], [0.5 * (box.bottom + box.top)],
                             crs.to_wkt(), "EPSG:4326")
        return Terrain(heights, file.transform, crs.to_wkt(), choose_crs(lon[0], lat[0]))


def masts_of(terrain: Terrain, count: int) -> gpd.GeoDataFrame:
    """Return omnidirectional cells: the first in the middle, the others near it."""
    left, bottom, right, top = terrain.bounds
    rng = np.random.default_rng(2)
    x = 0.5 * (left + right) + np.concatenate([[0.0], rng.uniform(-15e3, 15e3, count - 1)])
    y = 0.5 * (bottom + top) + np.concatenate([[0.0], rng.uniform(-15e3, 15e3, count - 1)])
    return gpd.GeoDataFrame(
        {"site_id": [f"s{i}" for i in range(count)], "status": "standing", "operator": "A",
         "technology": "LTE", "frequency_mhz": 1840.0, "bandwidth_mhz": 20.0,
         "antenna_height_m": 30.0, "azimuth_deg": np.nan, "tilt_deg": 0.0, "beamwidth_deg": 360.0,
         "eirp_dbm": 62.0}, geometry=gpd.points_from_xy(x, y), crs=terrain.metric_crs,
        index=pd.Index([f"c{i:03d}" for i in range(count)], name="cell_id"))


def one(dem: str, masts: int, step_m: float, name: str, keep: Path) -> None:
    """Run one method once and print what it took as JSON; keep the levels."""
    terrain, method = land(dem), METHODS[name]
    sites, radio = masts_of(terrain, masts), Radio(profile_step_m=step_m, delta_n=50.0, n0=374.0)
    x, y = sites.geometry.x.iloc[0], sites.geometry.y.iloc[0]
    footprint(sites.iloc[:1], terrain, radio, method=method[0], fast=method[1],
              bounds=(x, y, x + 3000.0, y + 3000.0))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.process_time()
    made = footprint(sites, terrain, radio, method=method[0], fast=method[1])
    spent = time.process_time() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    np.save(keep, made.received_dbm)
    print(json.dumps({"cpu_s": spent, "peak_mib": (peak - before) / 1024.0,
                      "pixels": int((made.server >= 0).sum()),
                      "known": int(np.isfinite(made.received_dbm).sum())}))


def compare(arguments: argparse.Namespace, masts: int) -> None:
    """Print one table: all methods in turns."""
    results: dict[str, list[dict[str, float]]] = {name: [] for name in METHODS}
    with tempfile.TemporaryDirectory() as folder:
        kept = {name: Path(folder) / f"{number}.npy" for number, name in enumerate(METHODS)}
        for _ in range(ROUNDS):
            for name in METHODS:
                done = subprocess.run(
                    [sys.executable, __file__, "--dem", arguments.dem, "--masts", str(masts),
                     "--step", str(arguments.step), "--one", name, "--keep", str(kept[name])],
                    env={**os.environ, THREADS_VARIABLE: "1"}, check=True, capture_output=True,
                    text=True)
                results[name].append(json.loads(done.stdout))
        levels = {name: np.load(path) for name, path in kept.items()}
    first = results["exact"][0]
    print(f"\n{masts} cell{'s' if masts > 1 else ''}, 30 km, pixels of 90 m, profile step "
          f"{arguments.step:g} m: {first['pixels']:,} pixels in reach, {first['known']:,} "
          f"known\n")
    print("| method | CPU s | pixels per CPU s | times exact | peak MiB | rms dB | 95 % within dB "
          "| largest dB |\n|---|---|---|---|---|---|---|---|")
    times = {name: float(np.median([r["cpu_s"] for r in rows])) for name, rows in results.items()}
    for name, rows in results.items():
        apart = levels[name] - levels["exact"]
        apart = np.abs(apart[np.isfinite(apart)])
        print(f"| {name} | {times[name]:.2f} | {first['pixels'] / times[name]:,.0f} | "
              f"{times['exact'] / times[name]:.1f} | "
              f"{np.median([r['peak_mib'] for r in rows]):.0f} | "
              f"{np.sqrt(np.mean(apart ** 2)):.2f} | {np.percentile(apart, 95):.2f} | "
              f"{apart.max():.1f} |")
    audible = levels["radial"] >= FLOOR_DBM
    left_out = np.abs(levels["radial"] - levels["radial, fast"])[audible]
    print(f"\nfast against radial where the loss is below 160 dB: largest {left_out.max():.4f} dB, "
          f"95 % within {np.percentile(left_out, 95):.4f} dB")


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dem", default="", help="a raster of heights")
    parser.add_argument("--masts", type=int, default=0, help="also the best server of so many")
    parser.add_argument("--step", type=float, default=90.0, help="spacing of terrain samples, m")
    parser.add_argument("--one", choices=METHODS, help=argparse.SUPPRESS)
    parser.add_argument("--keep", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        one(arguments.dem, arguments.masts, arguments.step, arguments.one, arguments.keep)
        return
    compare(arguments, 1)
    if arguments.masts > 1:
        compare(arguments, arguments.masts)


if __name__ == "__main__":
    main()
