"""How fast links are computed, and in how much memory.

    python benchmarks/links.py                       # 4,300 points x 10,000 cells
    python benchmarks/links.py --points 43000 --cells 100000
    python benchmarks/links.py --all-pairs --step 30
    python benchmarks/links.py --one-core            # exact paths per second, extraction included
    python benchmarks/links.py --sizes               # a district, a region, a country: a table

The country is made up: rough fractal relief, points and three-sector masts of
three operators scattered evenly (real masts stand where the points are, which
is quicker).  The density is that of 43,000 points and 100,000 cells on
331,000 km2.  Reported: wall and processor seconds, paths computed, peak memory.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time

import geopandas as gpd
import numpy as np
import pandas as pd
from affine import Affine
from phusong.links import link
from phusong.links_scene import Scene
from phusong.radio.budget import Radio
from phusong.terrain import Terrain
from phusong.workers import THREADS_VARIABLE, thread_count

CRS = "EPSG:32648"
LEFT, TOP = 300_000.0, 2_500_000.0

SIZES = {"district": (430, 1_000), "region": (4_300, 10_000), "country": (43_000, 100_000)}
"""Size -> points and cells, at the density of a whole country."""


def relief(side: int, seed: int, roughness_m: float) -> np.ndarray:
    """Return fractal heights (power spectrum k^-3.7), (side, side) float32."""
    size = min(1 << (side - 1).bit_length(), 4096)
    rng = np.random.default_rng(seed)
    k = np.fft.fftfreq(size)[:, None] ** 2 + np.fft.rfftfreq(size)[None] ** 2
    k[0, 0] = 1.0
    waves = (rng.normal(size=k.shape) + 1j * rng.normal(size=k.shape)) * k ** -0.925
    waves[0, 0] = 0.0
    heights = np.fft.irfft2(waves, s=(size, size))
    heights = (1000.0 + roughness_m * heights / heights.std()).astype(np.float32)
    times = -(-side // size)
    return np.tile(heights, (times, times))[:side, :side]


def country(points: int, cells: int, seed: int,
            roughness_m: float) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame, Terrain]:
    """Return points, cells and terrain at the density of a whole country."""
    width = 575_000.0 * np.sqrt(points / 43_000.0)
    rng = np.random.default_rng(seed)
    terrain = Terrain(relief(int(width / 90.0) + 1, seed, roughness_m),
                      Affine(90.0, 0.0, LEFT, 0.0, -90.0, TOP), CRS, CRS)

    def places(count: int) -> tuple[np.ndarray, np.ndarray]:
        return LEFT + rng.uniform(0, width, count), TOP - rng.uniform(0, width, count)

    schools = gpd.GeoDataFrame(
        {"kind": "school", "name": ""}, geometry=gpd.points_from_xy(*places(points)), crs=CRS,
        index=pd.Index([f"p{i:06d}" for i in range(points)], name="point_id"))
    masts = -(-cells // 3)
    mast = np.arange(3 * masts)[:cells] // 3
    x, y = places(masts)
    sectors = gpd.GeoDataFrame(
        {"site_id": [f"s{i:06d}" for i in mast], "status": "standing",
         "operator": np.array(["A", "B", "C"])[mast % 3], "technology": "LTE",
         "frequency_mhz": 1840.0, "bandwidth_mhz": 20.0, "antenna_height_m": 40.0,
         "azimuth_deg": np.tile([0.0, 120.0, 240.0], masts)[:cells], "tilt_deg": 3.0,
         "beamwidth_deg": 65.0, "eirp_dbm": 62.0},
        geometry=gpd.points_from_xy(x[mast], y[mast]), crs=CRS,
        index=pd.Index([f"c{i:06d}" for i in range(cells)], name="cell_id"))
    return schools, sectors, terrain


class Count:
    """Counts what the models are asked for."""

    def __init__(self) -> None:
        self.paths = self.samples = 0
        self._losses = Scene._profiles

    def __enter__(self) -> Count:
        counted = self

        def profiles(scene, point, cell, distance_m):  # type: ignore[no-untyped-def]
            for part, paths in counted._losses(scene, point, cell, distance_m):
                counted.paths += len(paths)
                counted.samples += paths.along_m.size
                yield part, paths

        Scene._profiles = profiles  # type: ignore[method-assign]
        return self

    def __exit__(self, *_: object) -> None:
        Scene._profiles = self._losses  # type: ignore[method-assign]


def one_core(model: str, paths: int) -> None:
    """Print exact paths per processor second at 221 samples, extraction included."""
    _, sectors, terrain = country(2000, 600, 1, 300.0)
    width = sectors.total_bounds[2] - LEFT
    inside = np.maximum((sectors.geometry.x - LEFT - width / 2).abs(),
                        (sectors.geometry.y - TOP + width / 2).abs()) < width / 4
    middle = sectors[inside]
    rng = np.random.default_rng(0)
    cell = np.sort(rng.integers(0, len(middle), paths))
    turn, length = rng.uniform(0, 2 * np.pi, paths), 219.5 * 90.0
    schools = gpd.GeoDataFrame(
        {"kind": "school", "name": ""}, crs=CRS, index=pd.RangeIndex(paths, name="point_id"),
        geometry=gpd.points_from_xy(middle.geometry.x.to_numpy()[cell] + length * np.sin(turn),
                                    middle.geometry.y.to_numpy()[cell] + length * np.cos(turn)))
    scene = Scene.of(schools, middle, terrain, Radio(model=model, profile_step_m=90.0))
    point, distance = np.arange(paths), np.full(paths, length)
    scene.losses(point[:9], cell[:9], distance[:9])
    spent = []
    for _ in range(5):
        began = time.process_time()
        scene.losses(point, cell, distance)
        spent.append(time.process_time() - began)
    print(f"{model}: {paths:,} paths of 221 samples, extraction included: "
          f"{paths / np.median(spent):,.0f} paths per processor second")


def sizes(names: list[str], options: list[str]) -> None:
    """Print a table with one row for each size, each computed in a process of its own."""
    print("| size | points | cells | pairs in range | paths computed | CPU s | wall s | "
          "peak GiB |\n|---|---|---|---|---|---|---|---|")
    for name in names:
        points, cells = SIZES[name]
        done = subprocess.run([sys.executable, __file__, "--points", str(points), "--cells",
                               str(cells), "--json", *options], capture_output=True, text=True,
                              check=False)
        if done.returncode:
            raise SystemExit(done.stderr)
        row = json.loads(done.stdout.splitlines()[-1])
        print(f"| {name} | {points:,} | {cells:,} | {row['pairs']:,} | {row['paths']:,} | "
              f"{row['cpu_s']:.1f} | {row['wall_s']:.1f} | {row['peak_gib']:.2f} |", flush=True)


def main(arguments: list[str]) -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=4_300)
    parser.add_argument("--cells", type=int, default=10_000)
    parser.add_argument("--best", type=int, default=1)
    parser.add_argument("--step", type=float, default=90.0)
    parser.add_argument("--model", default="p1812")
    parser.add_argument("--roughness", type=float, default=700.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--all-pairs", action="store_true")
    parser.add_argument("--one-core", action="store_true")
    parser.add_argument("--sizes", nargs="*", choices=SIZES, help="table of sizes; none = all")
    parser.add_argument("--json", action="store_true", help="one line of JSON at the end")
    given = parser.parse_args(arguments)
    if given.sizes is not None:
        sizes(given.sizes or list(SIZES), [
            "--best", str(given.best), "--step", str(given.step), "--model", given.model,
            "--roughness", str(given.roughness), "--seed", str(given.seed),
            *(["--all-pairs"] if given.all_pairs else [])])
        return
    if given.one_core:
        one_core(given.model, 5_000)
        return
    points, cells, terrain = country(given.points, given.cells, given.seed, given.roughness)
    radio = Radio(model=given.model, profile_step_m=given.step, best_per_operator=given.best)
    link(points.iloc[:20], cells.iloc[:200], terrain, radio)
    print(f"{len(points):,} points x {len(cells):,} cells, {terrain}\n"
          f"{radio.model}, step {radio.profile_step_m:g} m, best {given.best} per operator, "
          f"{'every pair' if given.all_pairs else 'pruned'}, {thread_count()} threads "
          f"({THREADS_VARIABLE}), load before {os.getloadavg()[0]:.1f}", flush=True)
    with Count() as count:
        wall, cpu = time.perf_counter(), time.process_time()
        found = link(points, cells, terrain, radio, prune=not given.all_pairs)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    in_range = found.groupby([found.index.get_level_values(0), "operator"])["cells_considered"]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 ** 2
    print(f"{in_range.first().sum():,} pairs in range, {count.paths:,} paths computed "
          f"({count.samples / max(count.paths, 1):.0f} samples each), {len(found):,} links kept\n"
          f"{wall:.1f} s wall, {cpu:.1f} s processor, {count.paths / cpu:,.0f} paths and "
          f"{count.samples / cpu / 1e6:.1f} M samples per processor second\n"
          f"peak memory {peak:.2f} GiB (terrain {terrain.heights.nbytes / 1024 ** 3:.2f} GiB)")
    if given.json:
        print(json.dumps({"pairs": int(in_range.first().sum()), "paths": count.paths,
                          "cpu_s": cpu, "wall_s": wall, "peak_gib": peak}))


if __name__ == "__main__":
    main(sys.argv[1:])
