"""How large the page of a whole country is, how fast it is made, opened and moved.

    python benchmarks/maps.py                        # beside plain Folium and explore
    python benchmarks/maps.py --points 4300 --alone  # this map only, smaller
    python benchmarks/maps.py --handout              # also PDF, PNG, workbook and archive

The country is made up: 43,000 points, 10,603 communes (Voronoi cells with ragged
edges) in 63 provinces, 40,000 cells and 3,000 candidates scattered evenly over
331,000 km2, twelve snapshots.  Reported: bytes of the file, processor seconds
and seconds to draw and save, and from an installed Chromium: seconds until the
page is ready, processor seconds of the renderer (compare these: they hardly
change with the load of the machine), and milliseconds of a step of the time slider.

In the same run, unless ``--alone``: the same communes, points, cells and
candidates with plain Folium (`GeoJson`, `CircleMarker` on canvas; neither
relief, panel nor slider), and the points alone with `GeoDataFrame.explore`
(needs mapclassify).  Their Leaflet comes from disk, other files of theirs from nowhere.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import folium
import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "maps"))
from phusong.maps import Sheets, draw, hand_out, part, province_names, seal
from phusong.surroundings import Surroundings
from small_study import CRS, InventedStudy, service, terrain

WEST, SOUTH, WIDE, HIGH = 250_000.0, 1_000_000.0, 400_000.0, 827_500.0


def scattered(n: int, seed: int) -> np.ndarray:
    """Return n positions over the country."""
    return np.random.default_rng(seed).uniform((WEST, SOUTH), (WEST + WIDE, SOUTH + HIGH), (n, 2))


def communes(n: int) -> gpd.GeoDataFrame:
    """Return a gapless partition with about fifty vertices for each commune."""
    frame = shapely.box(WEST, SOUTH, WEST + WIDE, SOUTH + HIGH)
    seeds = shapely.MultiPoint(scattered(n, 1))
    parts = np.array(shapely.voronoi_polygons(seeds, extend_to=frame).geoms)
    cells = shapely.segmentize(shapely.intersection(parts, frame), 500.0)

    def ragged(xy: np.ndarray) -> np.ndarray:
        return xy + 220.0 * np.c_[np.sin(xy[:, 1] / 700) + np.sin(xy[:, 1] / 190),
                                  np.sin(xy[:, 0] / 800) + np.sin(xy[:, 0] / 230)]

    codes = [f"{i + 1:05d}" for i in range(len(cells))]
    middle = shapely.centroid(cells)
    seat = shapely.STRtree(shapely.points(scattered(63, 8))).nearest(middle)
    return gpd.GeoDataFrame({"province_code": [f"{p + 1:02d}" for p in seat],
                             "name": [f"Xã Mường {c}" for c in codes],
                             "population": np.arange(n) % 9000 + 800.0},
                            geometry=shapely.transform(cells, ragged), crs=CRS,
                            index=pd.Index(codes, name="commune_code"))


def country(n_points: int, n_communes: int, n_cells: int, n_spots: int) -> dict[str, Any]:
    """Return the arguments of `draw`."""
    rng = np.random.default_rng(4)
    around = Surroundings(communes=communes(n_communes))
    xy = scattered(n_points, 2)
    learners = rng.integers(20, 900, n_points).astype(float)
    nearest = shapely.STRtree(shapely.points(scattered(n_communes, 1))).nearest(shapely.points(xy))
    points = gpd.GeoDataFrame({
        "kind": np.array(["school", "branch_school", "vocational"])[rng.integers(0, 3, n_points)],
        "name": [f"Trường Tiểu học Mường {i % 977} số {i}" for i in range(n_points)],
        "commune_code": around.communes.index.to_numpy()[nearest], "learners": learners,
        "learners_poor": np.floor(learners * rng.uniform(0, .5, n_points)),
        "learners_near_poor": np.floor(learners * .1), "source": "schools.csv"},
        geometry=shapely.points(xy), crs=CRS,
        index=pd.Index([f"{i:08d}" for i in range(n_points)], name="point_id"))
    mast = scattered(n_cells // 3 + 1, 3)[np.arange(n_cells) // 3]
    cells = gpd.GeoDataFrame({
        "site_id": [f"S{i // 3:06d}" for i in range(n_cells)], "status": "standing",
        "operator": np.array(["Viettel", "VNPT", "MobiFone"])[np.arange(n_cells) // 3 % 3],
        "technology": np.array(["GSM", "UMTS", "LTE"])[np.arange(n_cells) % 3],
        "frequency_mhz": 900.0, "antenna_height_m": 42.0,
        "azimuth_deg": 120.0 * (np.arange(n_cells) % 3), "eirp_dbm": 61.5},
        geometry=shapely.points(mast), crs=CRS,
        index=pd.Index([f"C{i:07d}" for i in range(n_cells)], name="cell_id"))
    spots = gpd.GeoDataFrame({
        "site_id": [f"H{i:05d}" for i in range(n_spots)], "status": "candidate",
        "technology": "LTE", "intervention": "macro", "place": "hilltop",
        "antenna_height_m": 42.0}, geometry=shapely.points(scattered(n_spots, 5)), crs=CRS,
        index=pd.Index([f"H{i:05d}-1" for i in range(n_spots)], name="cell_id"))
    now = service(points, cells, 0.6)
    days = pd.date_range("2021-01-01", periods=12, freq="MS").date
    return {"study": InventedStudy(name="country"), "points": points, "service": now,
            "sites": cells, "spots": spots, "around": around, "terrain": terrain(),
            "services": {d: service(points, cells, 0.3 + 0.025 * i) for i, d in enumerate(days)}}


def renderer_seconds(session: Any) -> float:
    """Return the processor seconds of the page's renderer."""
    found = {m["name"]: m["value"] for m in session.send("Performance.getMetrics")["metrics"]}
    return found["ProcessTime"]


def from_disk(route: Any) -> None:
    """Give plain Folium its Leaflet from disk; what it needs beside that is not timed."""
    name = route.request.url.rsplit("/", 1)[-1]
    known = name in ("leaflet.js", "leaflet.css")
    route.fulfill(body=(files("phusong.maps") / "vendor" / name).read_text() if known else "")


def looked_at(path: Path, ready: str) -> dict[str, float]:
    """Open a page in Chromium and measure it."""
    from playwright.sync_api import sync_playwright

    binary = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=binary, args=["--no-sandbox",
                                                                       "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1280, "height": 720})
        page.route(re.compile("^https?:"), from_disk)
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable")
        start = time.perf_counter()
        page.set_default_timeout(600_000)
        page.goto(path.as_uri())
        page.wait_for_selector(ready)
        page.evaluate("new Promise((f) => requestAnimationFrame(() => requestAnimationFrame(f)))")
        out = {"ready_s": time.perf_counter() - start, "renderer_s": renderer_seconds(session)}
        if page.locator("#time-slider").count():
            out["slider_ms"] = page.evaluate("""async () => {
              const slider = document.querySelector("#time-slider"), took = [];
              for (let t = 0; t < 12; t++) {
                const start = performance.now();
                slider.value = t;
                slider.dispatchEvent(new Event("input"));
                await new Promise((f) => requestAnimationFrame(f));
                took.push(performance.now() - start);
              }
              return took.sort((a, b) => a - b)[6]; }""")
        browser.close()
    return out


def measured(name: str, make: Callable[[], str], folder: Path, ready: str) -> None:
    """Print one line: size, seconds to make, and what the browser says."""
    start, cpu = time.perf_counter(), time.process_time()
    path = folder / f"{name.replace(' ', '_')}.html"
    path.write_text(make(), encoding="utf-8")
    took, used = time.perf_counter() - start, time.process_time() - cpu
    seen = looked_at(path, ready)
    print(f"{name:<30}{path.stat().st_size / 1e6:7.2f} MB  made {used:6.2f} CPU-s ({took:.2f} s)  "
          + "  ".join(f"{key} {value:.2f}" for key, value in seen.items()), flush=True)


def plain(tables: dict[str, Any]) -> str:
    """Draw communes, points, cells and candidates as plain Folium does, on canvas."""
    drawn = folium.Map((16, 107), zoom_start=6, prefer_canvas=True, tiles=None)
    communes = tables["around"].communes[["name", "geometry"]].to_crs(4326)
    folium.GeoJson(communes.to_json(), style_function=None,
                   tooltip=folium.GeoJsonTooltip(["name"])).add_to(drawn)
    for layer, label, colour in (("points", "name", "blue"), ("sites", "site_id", "black"),
                                 ("spots", "site_id", "green")):
        degrees = tables[layer].to_crs(4326)
        for x, y, name in zip(degrees.geometry.x, degrees.geometry.y, degrees[label], strict=True):
            folium.CircleMarker((y, x), radius=3, color=colour, tooltip=name).add_to(drawn)
    return drawn.get_root().render()


def explored(points: gpd.GeoDataFrame) -> str:
    """Draw the points alone with `GeoDataFrame.explore`, coloured by status."""
    drawn = points[["name", "status", "geometry"]].explore(column="status", tiles=None)
    return drawn.get_root().render()


def handed_out(tables: dict[str, Any], folder: Path) -> None:
    """Print what the hand-out of the country weighs and takes."""
    start = time.process_time()
    sheets = Sheets(**{name: table for name, table in tables.items() if name != "study"})
    one = next(iter(province_names(sheets)))
    made = hand_out(tables["study"], sheets, folder / "handout",
                    provinces={one: (one, part(sheets, one))})
    print(f"hand-out with one province: {time.process_time() - start:.1f} CPU-s; " + ", ".join(
        f"{kind} {path.stat().st_size / 1e6:.2f} MB" for kind, path in made.items()), flush=True)


def main() -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for name, default in (("points", 43_000), ("communes", 10_603), ("cells", 40_000),
                          ("spots", 3_000)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--alone", action="store_true", help="no plain Folium, no explore")
    parser.add_argument("--handout", action="store_true", help="PDF, PNG, workbook, archive too")
    parser.add_argument("--keep", type=Path, help="folder for the pages")
    given = parser.parse_args()
    folder = given.keep or Path(tempfile.mkdtemp())
    folder.mkdir(parents=True, exist_ok=True)
    tables = country(given.points, given.communes, given.cells, given.spots)
    measured("phusong", lambda: seal(draw(**tables)), folder, "body[data-ready]")
    if given.handout:
        handed_out(tables, folder)
    if given.alone:
        return
    measured("plain Folium, the same", lambda: plain(tables), folder, "canvas")
    if find_spec("mapclassify") is None:
        print("GeoDataFrame.explore needs mapclassify: pip install mapclassify")
        return
    points = tables["points"].assign(status=tables["service"]["status"])
    measured("GeoDataFrame.explore, points", lambda: explored(points), folder, "path, canvas")


if __name__ == "__main__":
    main()
