"""A small invented study for the tests of the maps: every table, nothing computed by a model."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from affine import Affine
from phusong.declared import declared, disagreement
from phusong.errors import Fault
from phusong.nouns import Text
from phusong.outlook import forecast
from phusong.plan import Goal, rank
from phusong.progress import Target
from phusong.service import Need
from phusong.surroundings import Surroundings
from phusong.tables import FIELD_CHECKS, REASONS
from phusong.tally import track

CRS = "EPSG:32648"
WEST, SOUTH = 330_000.0, 2_480_000.0
SIDE = 40_000.0
KINDS = ("school", "branch_school", "commune", "village", "vocational")
NEED = Need(name="data", label=Text(en="Lessons online", vi="Học trực tuyến"))
SOURCE = "schools.csv (invented, CC0-1.0)"


@dataclass(frozen=True)
class InventedStudy:
    """What `draw` asks of a study."""

    name: str = "small"
    title: Text = field(default_factory=lambda: Text(en="Small province", vi="Tỉnh nhỏ"))
    fictional: bool = True
    day: dt.date = dt.date(2021, 12, 15)
    need: Need = NEED
    goal: Goal = field(default_factory=lambda: Goal(max_sites=12, need=NEED))
    targets: tuple[Target, ...] = (
        Target(name="first", label=Text(en="First list", vi="Danh sách 1"),
               deadline=dt.date(2021, 9, 30), goal=12, need=NEED),
        Target(name="second", label=Text(en="Second list", vi="Danh sách 2"),
               deadline=dt.date(2022, 1, 31), goal=40, need=NEED))


@dataclass(frozen=True)
class InventedTerrain:
    """Heights on a grid in degrees, with a void."""

    heights: Any
    transform: Affine
    crs: str = "EPSG:4326"
    source: str = "dem.tif (invented)"


def terrain(size: int = 240) -> InventedTerrain:
    """Return fractal hills around the study, with a hole."""
    rng = np.random.default_rng(7)
    heights = np.zeros((size, size))
    for octave in range(1, 7):
        coarse = rng.normal(size=(2**octave + 2, 2**octave + 2))
        at = np.linspace(0, 2**octave, size)
        i, u = at.astype(int), at % 1
        u = u * u * (3 - 2 * u)
        rows = coarse[i] * (1 - u)[:, None] + coarse[i + 1] * u[:, None]
        heights += (rows[:, i] * (1 - u) + rows[:, i + 1] * u) * 900 / 1.9**octave
    heights += 1200
    heights[20:28, 200:212] = np.nan
    step = 0.46 / size
    return InventedTerrain(heights, Affine(step, 0, 103.30, 0, -step, 22.84))


def points(n: int = 60, names: list[str] | None = None, seed: int = 3) -> gpd.GeoDataFrame:
    """Return POINTS; every seventh has no number of learners, the last one has no place."""
    rng = np.random.default_rng(seed)
    x, y = WEST + rng.uniform(0.05, 0.95, n) * SIDE, SOUTH + rng.uniform(0.05, 0.95, n) * SIDE
    learners = rng.integers(20, 700, n).astype(float)
    learners[::7] = np.nan
    column = ((x - WEST) // 8000).astype(int) + 5 * ((y - SOUTH) // 8000).astype(int)
    given = names or [f"Trường Tiểu học Bản Phủ {i}" for i in range(n)]
    geometry = [shapely.Point(a, b) for a, b in zip(x, y, strict=True)]
    geometry[-1] = None
    return gpd.GeoDataFrame({
        "kind": [KINDS[i % len(KINDS)] for i in range(n)],
        "name": [given[i % len(given)] for i in range(n)],
        "level": "primary;secondary", "commune_code": [f"{c + 3001:05d}" for c in column],
        "commune_name": [f"Xã {c}" for c in column], "learners": learners,
        "learners_poor": np.floor(learners * 0.3), "learners_near_poor": np.floor(learners * 0.1),
        "targets": ["first;second" if i % 5 == 0 else "second" if i % 2 else "" for i in range(n)],
        "lockdown_from": pd.to_datetime(["2021-08-01" if i % 9 == 0 else None for i in range(n)]),
        "lockdown_to": pd.to_datetime(["2021-12-31" if i % 9 == 0 else None for i in range(n)]),
        "assumed": ["learners" if i % 11 == 0 else "" for i in range(n)], "source": SOURCE,
    }, geometry=geometry, crs=CRS, index=pd.Index([f"{i:05d}" for i in range(n)],
                                                   name="point_id"))


def sites(n: int = 18, seed: int = 5) -> gpd.GeoDataFrame:
    """Return SITES that stand: three operators, three technologies, some sectors."""
    rng = np.random.default_rng(seed)
    rows, places = [], []
    for s in range(n):
        east, north = rng.uniform(0.1, 0.9, 2) * SIDE
        spot = shapely.Point(WEST + east, SOUTH + north)
        for c, technology in enumerate(("GSM", "UMTS", "LTE")[: 1 + s % 3]):
            rows.append({
                "cell_id": f"S{s:03d}-{c}", "site_id": f"S{s:03d}", "status": "standing",
                "operator": ("Alpha", "Beta", "Gamma")[s % 3], "technology": technology,
                "frequency_mhz": (900.0, 2100.0, 1800.0)[c], "antenna_height_m": 42.0,
                "azimuth_deg": float(120 * c) if s % 2 else np.nan, "eirp_dbm": 60.0,
                "on_air_from": pd.Timestamp(2015 + s % 7, 3, 1), "off_air_from": pd.NaT,
                "assumed": "antenna_height_m;eirp_dbm" if s % 4 == 0 else "",
                "source": "cells.csv (invented)"})
            places.append(spot)
    return gpd.GeoDataFrame(rows, geometry=places, crs=CRS).set_index("cell_id")


def service(at: gpd.GeoDataFrame, cells: gpd.GeoDataFrame, share: float = 0.55,
            seed: int = 11) -> pd.DataFrame:
    """Return SERVICE with every status and every reason at least once."""
    draw = np.random.default_rng(seed).permutation(len(at)) / len(at)
    status = np.select([draw < share, draw < share + 0.1, draw < 0.9],
                       ["covered", "uncertain", "uncovered"], "unknown")
    status[-1] = "unknown"
    why = {"covered": ("covered",), "uncertain": ("margin_too_thin",),
           "uncovered": ("no_site_in_range", "terrain_blocked", "signal_too_weak"),
           "unknown": ("no_elevation", "no_site_data", "out_of_model_range")}
    reason = [why[s][i % len(why[s])] for i, s in enumerate(status)]
    reason[-1] = "no_location"
    assert set(reason) <= set(REASONS)
    near = cells.iloc[np.arange(len(at)) % len(cells)]
    margin = np.where(status == "covered", 14.26, np.where(status == "uncertain", 2.04, -9.75))
    known = status != "unknown"
    return pd.DataFrame({
        "status": status, "reason": reason,
        "best_cell_id": np.where(known, near.index, None), "best_operator":
            np.where(known, near["operator"], None),
        "received_dbm": np.where(known, -110 + margin, np.nan),
        "margin_db": np.where(known, margin, np.nan),
        "probability": np.where(known, np.clip(0.5 + margin / 40, 0, 1), np.nan),
        "operators": np.where(status == "covered", "Alpha;Beta", None),
        "distance_m": np.where(known, 1234.0 + 310 * np.arange(len(at)), np.nan),
        "evidence": "modelled", "definition": "data"}, index=at.index)


def candidates(gaps: gpd.GeoDataFrame, n: int = 30) -> tuple[gpd.GeoDataFrame, pd.DataFrame,
                                                              pd.DataFrame]:
    """Return SITES (candidates), their LINKS to `gaps` and their COSTS."""
    rng = np.random.default_rng(23)
    placed = gaps[gaps.geometry.notna()]
    chosen = placed.iloc[rng.integers(0, len(placed), n)]
    spots = gpd.GeoDataFrame({
        "site_id": [f"H{i:04d}" for i in range(n)], "status": "candidate", "operator": "shared",
        "technology": "LTE", "frequency_mhz": 900.0, "antenna_height_m": 42.0, "eirp_dbm": 61.0,
        "intervention": [("macro", "light")[i % 2] for i in range(n)],
        "place": [("hilltop", "cluster", "roadside")[i % 3] for i in range(n)],
        "ground_m": 800.0 + np.arange(n), "road_distance_m": 120.0 * np.arange(n),
    }, geometry=[shapely.Point(p.x + 350 + i, p.y - 200) for i, p in enumerate(chosen.geometry)],
        crs=CRS, index=pd.Index([f"H{i:04d}-1" for i in range(n)], name="cell_id"))
    rows = []
    for cell, spot in zip(spots.index, spots.geometry, strict=True):
        for point, place in zip(placed.index, placed.geometry, strict=True):
            far = spot.distance(place)
            if far < 9000:
                level = -78.0 - far / 250.0
                rows.append((point, cell, "shared", "LTE", 900.0, far, 0.6, 120.0 + far / 250.0,
                             level, level + 5, "invented", 1))
    reach = pd.DataFrame(rows, columns=["point_id", "cell_id", "operator", "technology",
                                        "frequency_mhz", "distance_m", "clearance", "loss_db",
                                        "received_dbm", "free_space_dbm", "model",
                                        "cells_considered"]).set_index(["point_id", "cell_id"])
    price = {"macro": 2.4e9, "light": 0.9e9}
    bills = pd.DataFrame([{
        "site_id": s, "item": item, "quantity": 1.0, "unit": "site",
        "capex_low": 0.5 * share * base,
        "capex_base": share * base, "capex_high": 2 * share * base, "opex_low_per_year": 0.0,
        "opex_base_per_year": 0.0, "opex_high_per_year": 0.0,
        "present_value_low": 0.5 * share * base, "present_value_base": share * base,
        "present_value_high": 2 * share * base, "currency": "VND", "source": "invented",
        "foreign": False}
        for i, (s, kind) in enumerate(zip(spots["site_id"], spots["intervention"], strict=True))
        for base in [price[kind] + 1e6 * i] for item, share in (("mast", 0.7), ("power", 0.3))])
    return spots, reach, bills.set_index(["site_id", "item"])


def surroundings() -> Surroundings:
    """Return 25 square communes, a cross of roads, a power line and some assumptions."""
    boxes, codes = [], []
    for j in range(5):
        for i in range(5):
            boxes.append(shapely.box(WEST + 8000 * i, SOUTH + 8000 * j, WEST + 8000 * (i + 1),
                                     SOUTH + 8000 * (j + 1)))
            codes.append(f"{3001 + i + 5 * j:05d}")
    communes = gpd.GeoDataFrame({"name": [f"Xã Mường {c}" for c in codes], "population": 4321.0,
                                 "province_code": ["01" if i % 5 < 2 else "08"
                                                   for i in range(len(codes))],
                                 "province_name": ["" if i % 5 < 2 else "Tỉnh Đông"
                                                   for i in range(len(codes))]},
                                geometry=boxes, crs=CRS, index=pd.Index(codes, name="commune_code"))
    wave = np.linspace(0, SIDE, 200)
    roads = gpd.GeoDataFrame({"highway": ["primary", "track"]}, geometry=[
        shapely.LineString(np.c_[WEST + wave, SOUTH + 20_000 + 1500 * np.sin(wave / 2500)]),
        shapely.LineString(np.c_[WEST + 20_000 + 900 * np.sin(wave / 1800), SOUTH + wave])],
        crs=CRS)
    power = gpd.GeoDataFrame(geometry=[shapely.LineString([(WEST, SOUTH), (WEST + SIDE,
                                                                        SOUTH + SIDE)])], crs=CRS)
    faults = (Fault("no_learners", "9 schools give no number of learners.", "Ask the department.",
                    severity="assumption", file="schools.csv", column="so_hoc_sinh", count=9),)
    readings = pd.DataFrame([{"file": "schools.csv", "role": "points", "rows_in": 61,
                              "accepted": 60, "mended": 1, "rejected": 1, "licence": "CC0-1.0"}])
    middle = shapely.Point(WEST + SIDE / 2, SOUTH + SIDE / 2)
    footprints = gpd.GeoDataFrame({"operator": ["Alpha", "Beta"], "technology": "LTE"}, geometry=[
        middle.buffer(9000), shapely.box(WEST, SOUTH, WEST + 9000, SOUTH + 9000)], crs=CRS)
    return Surroundings(communes=communes, roads=roads, power_lines=power, faults=faults,
                        readings=readings, footprints=footprints)


def feeders(plan: list[str], spots: gpd.GeoDataFrame, cells: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return FEEDERS: the first site over a relay, the second by the first, the third in space."""
    relay = next(f"H{i:04d}" for i in range(30) if f"H{i:04d}" not in plan)
    place = {**spots.set_index("site_id").geometry.to_dict(),
             "S000": cells.geometry.iloc[0]}
    hops = [(plan[0], 1, plan[0], relay, "microwave", True),
            (plan[0], 2, relay, "S000", "fibre", False),
            (plan[1], 1, plan[1], plan[0], "microwave", False),
            (plan[1], 2, plan[0], relay, "microwave", True),
            (plan[1], 3, relay, "S000", "fibre", False),
            (plan[2], 1, plan[2], "", "satellite", False)]
    rows = []
    for site, hop, start, end, medium, passes in hops:
        a, b = place[start], place.get(end)
        rows.append({
            "site_id": site, "hop": hop, "from_id": start, "to_id": end, "from_x": a.x,
            "from_y": a.y, "to_x": b.x if b else np.nan, "to_y": b.y if b else np.nan,
            "medium": medium, "band_ghz": 15.0 if medium == "microwave" else np.nan,
            "length_m": a.distance(b) if b else np.nan, "clearance": 0.8, "relay": passes,
            "cost": 1.5e8})
    return pd.DataFrame(rows).set_index(["site_id", "hop"])


def claims(now: pd.DataFrame) -> pd.DataFrame:
    """An operator claims by name the last two places that the model finds uncovered."""
    gaps = now[now["status"] == "uncovered"].tail(2)
    columns = {"claimed_from": pd.Timestamp("2021-11-20"), "claimed_by": ["claim", "footprint"],
               "known_at": pd.Timestamp("2021-11-25"), "others": "", "learners": 40.0,
               "learners_poor": 3.0, "targets": "", "name": "", "commune_code": ""}
    kept = [c for c in FIELD_CHECKS.columns if c in gaps.columns]
    table = gaps[kept].assign(operator="Claimant", **columns)
    return table.set_index("operator", append=True)[list(FIELD_CHECKS.columns)]


def small_study(n: int = 60, names: list[str] | None = None) -> dict[str, Any]:
    """Return all arguments of `draw` by name."""
    study, here, cells = InventedStudy(), points(n, names), sites()
    days = [dt.date(2021, m, 1) for m in range(7, 13)]
    services = {day: service(here, cells, 0.25 + 0.05 * i) for i, day in enumerate(days)}
    now = service(here, cells)
    spots, reach, costs = candidates(here[now["status"] == "uncovered"])
    gaps = here[now["status"] == "uncovered"]
    chosen = rank(gaps, spots, reach, costs, study.goal)
    around = surroundings()
    counted = track(here, {day: {"data": table} for day, table in {**services,
                                                                   study.day: now}.items()},
                    study.targets)
    return {"study": study, "points": here, "service": now, "sites": cells,
            "plan": chosen, "spots": spots, "reach": reach, "known_on": dt.date(2021, 12, 10),
            "costs": costs, "terrain": terrain(), "around": around, "services": services,
            "feeders": feeders(list(chosen["site_id"]), spots, cells),
            "disagreement": disagreement(now, declared(here, around.footprints, study.need)),
            "progress": counted, "forecast": forecast(counted, study.targets, study.day),
            "field_checks": claims(now)}
