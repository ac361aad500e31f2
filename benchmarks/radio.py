"""How fast losses are computed, beside programs that anyone can install.

    python benchmarks/radio.py                  # kernels, extraction, area, start
    PHUSONG_PEERS=/venv/bin/python python benchmarks/radio.py

PHUSONG_PEERS names a Python that has pycraf and itmlogic (``pip install pycraf
itmlogic`` in an environment of their own; pycraf is GPL and never a
dependency).  SPLAT! and gdal_viewshed are run when they are on the PATH.
Whatever is absent is left out with a word.

Every contestant runs in a process of its own, in turns, several rounds; the
median is told.  Profiles are cut from a made-up mountain relief.  The table is
Markdown; only processor seconds count, so that a busy machine does no harm.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
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
from phusong.footprints import footprint
from phusong.radio import Medium, path_loss
from phusong.radio.budget import Radio
from phusong.terrain import Terrain

STEP_M = 90.0
SIZES = {74: 4000, 221: 2000, 664: 700}
"""Samples of a profile -> how many profiles; peers get a fiftieth."""
KERNELS = ("p1812", "p526", "itm", "hata", "rma", "free_space")
PEERS = {"pycraf P.452-16": "pycraf", "itmlogic ITM 1.2.2": "itmlogic"}
ROUNDS = 3


def land() -> Terrain:
    """Return 100 km of made-up mountains at 90 m."""
    return Terrain(relief(1112, 1, 500.0), Affine(90.0, 0, LEFT, 0, -90.0, TOP), CRS, CRS)


def paths_of(terrain: Terrain, samples: int, count: int) -> tuple[np.ndarray, ...]:
    """Return the ends of paths that have exactly so many samples."""
    rng = np.random.default_rng(samples)
    length = (samples - 1.5) * STEP_M
    middle_x, middle_y = LEFT + 50_000.0, TOP - 50_000.0
    reach = max(48_000.0 - 0.5 * length, 1000.0)
    turn = rng.uniform(0, 2 * np.pi, count)
    x = middle_x + rng.uniform(-reach, reach, count)
    y = middle_y + rng.uniform(-reach, reach, count)
    dx, dy = 0.5 * length * np.sin(turn), 0.5 * length * np.cos(turn)
    return x - dx, y - dy, x + dx, y + dy


def peers() -> tuple[str, list[str]]:
    """Return the Python of the peers, and which of them it has."""
    python = os.environ.get("PHUSONG_PEERS", "")
    if not python:
        print("pycraf and itmlogic: left out, PHUSONG_PEERS names no Python that has them\n")
        return "", []
    found = []
    for name, module in PEERS.items():
        done = subprocess.run([python, "-c", f"import {module}"], capture_output=True, check=False)
        if done.returncode:
            print(f"{name}: left out, {python} has no {module}\n")
        else:
            found.append(name)
    return python, found


def run(python: str, name: str, file: Path) -> dict:
    """Run one contestant once."""
    done = subprocess.run([python, "-W", "ignore", str(Path(__file__).with_name("contestants.py")),
                           name, str(file)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{name} failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def kernels(rounds: int) -> None:
    """Print paths per processor second of every contestant at three sizes."""
    terrain, (python, others) = land(), peers()
    rows, losses = [], {}
    with tempfile.TemporaryDirectory() as folder:
        for samples, count in SIZES.items():
            heights = terrain.profiles(*paths_of(terrain, samples, count), STEP_M).heights_m
            heights = heights.reshape(count, samples)
            files = {}
            for which, rows_of in (("all", count), ("few", max(count // 50, 10))):
                files[which] = Path(folder) / f"{samples}_{which}.npz"
                np.savez(files[which], heights=heights[:rows_of], step_m=STEP_M)
            every = [(sys.executable, f"phusong {m}", files["all"]) for m in KERNELS]
            every += [(python, name, files["few"]) for name in others]
            for _ in range(rounds):
                for which, name, file in every:
                    found = run(which, name, file)
                    rows.append({"contestant": name, "samples": samples,
                                 "rate": found["paths"] / found["cpu_s"],
                                 "peak": found["peak_mib"]})
                    losses[name, samples] = np.array(found["loss_db"])
    table = pd.DataFrame(rows).pivot_table(["rate", "peak"], "contestant", "samples", "median",
                                           sort=False)
    print("Kernels alone, paths per processor second (one core), and peak memory of the process\n")
    print("| contestant | " + " | ".join(f"{s} samples" for s in SIZES) + " | peak MiB |")
    print("|---|" + "---|" * (len(SIZES) + 1))
    for name, row in table.iterrows():
        cells = " | ".join(f"{row['rate', s]:,.0f}" for s in SIZES)
        print(f"| {name} | {cells} | {max(row['peak', s] for s in SIZES):.0f} |")
    print()
    for name, own in (("pycraf P.452-16", "phusong p1812"), ("itmlogic ITM 1.2.2", "phusong itm")):
        for samples in SIZES if name in others else ():
            few = losses[name, samples]
            away = few - losses[own, samples][:len(few)]
            away = away[np.isfinite(away)]
            print(f"{name} less {own}, {samples} samples: median {np.median(away):+.2f} dB, "
                  f"95 % within {np.quantile(np.abs(away), 0.95):.2f} dB ({len(away)} paths)")


def extraction(rounds: int) -> None:
    """Print paths per processor second of P.1812 with its profiles cut from the terrain."""
    terrain, air = land(), Medium(delta_n=50.0, n0=374.0)

    def both(ends: tuple[np.ndarray, ...]) -> None:
        path_loss("p1812", terrain.profiles(*ends, STEP_M), 1840.0, 40.0, 1.5, air)

    print("\nP.1812 exact, profiles cut from the terrain (bilinear), one core\n")
    print("| samples | paths per CPU s | M samples per CPU s |\n|---|---|---|")
    for samples, count in SIZES.items():
        ends = paths_of(terrain, samples, count)
        both(tuple(v[:10] for v in ends))
        spent = []
        for _ in range(3 * rounds):
            began = time.process_time()
            both(ends)
            spent.append(time.process_time() - began)
        rate = count / np.median(spent)
        print(f"| {samples} | {rate:,.0f} | {rate * samples / 1e6:.0f} |")


def children_s(command: list[str], folder: Path) -> float:
    """Return the processor seconds of a command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(f"{command[0]} failed:\n{done.stdout[-500:]}{done.stderr[-500:]}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def splat_input(folder: Path) -> list[str]:
    """Write one degree of relief, a mast and its parameters for SPLAT!; return its command."""
    heights = relief(1200, 1, 500.0).round().astype(int)
    head = "101\n20\n100\n21\n"
    (folder / "20:21:100:101.sdf").write_text(head + "\n".join(map(str, heights.ravel())) + "\n")
    (folder / "tx.qth").write_text("tx\n20.5\n100.5\n40.0 meters\n")
    (folder / "tx.lrp").write_text("15.0\n0.005\n374.0\n1840.0\n1\n1\n0.5\n0.5\n")
    return ["splat", "-t", "tx.qth", "-L", "1.5", "-R", "30", "-metric", "-d", str(folder), "-N",
            "-olditm", "-o", "out.ppm"]


def area(rounds: int) -> None:
    """Print processor seconds for one cell's footprint of 30 km at 90 m."""
    terrain = land()
    site = gpd.GeoDataFrame(
        {"site_id": ["s"], "status": ["standing"], "operator": ["A"], "technology": ["LTE"],
         "frequency_mhz": [1840.0], "bandwidth_mhz": [20.0], "antenna_height_m": [40.0],
         "eirp_dbm": [62.0]}, crs=CRS, index=pd.Index(["c"], name="cell_id"),
        geometry=gpd.points_from_xy([LEFT + 50_000.0], [TOP - 50_000.0]))
    radio = Radio(profile_step_m=STEP_M, max_range_m=30_000.0)
    box = (LEFT + 49_000.0, TOP - 51_000.0, LEFT + 51_000.0, TOP - 49_000.0)
    for method in ("radial", "exact"):
        footprint(site, terrain, radio, bounds=box, method=method)
    found: dict[str, list[float]] = {}
    pixels = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        others = {}
        if shutil.which("splat"):
            others["SPLAT! (ITM), whole program"] = splat_input(folder)
        else:
            print("\nSPLAT!: left out, no splat on the PATH")
        if shutil.which("gdal_viewshed"):
            with rasterio.open(folder / "dem.tif", "w", driver="GTiff", dtype="float32", count=1,
                               width=terrain.shape[1], height=terrain.shape[0], crs=CRS,
                               transform=terrain.transform) as file:
                file.write(terrain.heights, 1)
            others["gdal_viewshed (line of sight only)"] = [
                "gdal_viewshed", "-ox", str(LEFT + 50_000.0), "-oy", str(TOP - 50_000.0), "-oz",
                "40", "-tz", "1.5", "-md", "30000", "dem.tif", "seen.tif"]
        else:
            print("\ngdal_viewshed: left out, it is not on the PATH")
        for _ in range(rounds):
            for method, title in (("radial", "phusong p1812, along rays"),
                                  ("exact", "phusong p1812, every pixel along its own profile")):
                began = time.process_time()
                made = footprint(site, terrain, radio, pixel_m=90.0, method=method)
                found.setdefault(title, []).append(time.process_time() - began)
            pixels = int((made.server >= 0).sum())
            for title, command in others.items():
                found.setdefault(title, []).append(children_s(command, folder))
    print(f"\nOne cell, 30 km, 90 m ({pixels:,} pixels in range), processor seconds\n")
    print("| contestant | CPU s |\n|---|---|")
    for title, spent in found.items():
        print(f"| {title} | {np.median(spent):.2f} |")


START = """
import time
t = time.perf_counter()
from links import country
from phusong.links import link
from phusong.radio.budget import Radio
points, cells, terrain = country(20, 60, 1, 500.0)
link(points, cells, terrain, Radio())
print(time.perf_counter() - t, time.process_time())
"""


def start(rounds: int) -> None:
    """Print how long a fresh process takes to its first P.1812 link, kernels cached."""
    runs = [subprocess.run([sys.executable, "-c", START], capture_output=True, text=True,
                           check=True, cwd=Path(__file__).parent).stdout.split()
            for _ in range(rounds + 1)][1:]
    wall, cpu = np.median(np.array(runs, float), axis=0)
    print(f"\nSecond start (kernels cached): first link after {cpu:.1f} CPU s, {wall:.1f} s wall "
          f"at a load of {os.getloadavg()[0]:.1f}")


PARTS = {"kernels": kernels, "extraction": extraction, "area": area, "start": start}


def main(arguments: list[str]) -> None:
    """Run the parts that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", help=f"any of {', '.join(PARTS)}; default all")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    given = parser.parse_args(arguments)
    wrong = [part for part in given.parts if part not in PARTS]
    if wrong:
        parser.error(f"there is no part {', '.join(wrong)}; known: {', '.join(PARTS)}")
    for part in given.parts or PARTS:
        PARTS[part](given.rounds)


if __name__ == "__main__":
    main(sys.argv[1:])
