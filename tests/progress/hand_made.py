"""Points and SERVICE written by hand: no terrain, no links."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import geopandas as gpd
import pandas as pd
import shapely
from phusong.tables import SERVICE, STATUSES

START = dt.date(2021, 9, 12)
WEEK = dt.timedelta(days=7)


def points(count: int, targets: str | Sequence[str] = "list") -> gpd.GeoDataFrame:
    """Return schools P000, P001 ... in two provinces, three communes and two kinds."""
    at = range(count)
    named = [targets] * count if isinstance(targets, str) else list(targets)
    return gpd.GeoDataFrame({
        "kind": [("school", "branch_school")[i % 2] for i in at],
        "name": [f"Trường {i}" for i in at],
        "commune_code": [f"0000{i % 3}" for i in at],
        "commune_name": [f"Xã {i % 3}" for i in at],
        "province_code": [("01", "02")[i % 3 == 2] for i in at],
        "learners": [float(10 + i) for i in at], "learners_poor": [float(i % 4) for i in at],
        "learners_near_poor": [float(i % 3) for i in at], "targets": named,
        "lockdown_from": pd.to_datetime(["2021-09-01" if i % 3 == 0 else None for i in at]),
        "lockdown_to": pd.to_datetime(["2021-10-01" if i % 6 == 0 else None for i in at])},
        geometry=[shapely.Point(500_000 + 1000 * i, 2_000_000) for i in at], crs="EPSG:32648",
        index=pd.Index([f"P{i:03d}" for i in at], name="point_id"))


def service(where: gpd.GeoDataFrame, statuses: Sequence[str],
            operators: Mapping[str, str] | None = None) -> pd.DataFrame:
    """Return SERVICE with these statuses (``c``, ``t``, ``u``, ``n`` for short), by cell A-1."""
    short = dict(zip("ctun", STATUSES, strict=True))
    full = [short.get(s, s) for s in statuses]
    who = operators or {}
    return pd.DataFrame({
        "status": full, "reason": ["covered" if s == "covered" else "signal_too_weak"
                                   for s in full],
        "best_cell_id": ["A-1" if s == "covered" else "" for s in full], "best_operator": "A",
        "received_dbm": -100.0, "margin_db": [6.0 if s == "covered" else -9.0 for s in full],
        "probability": 0.5,
        "operators": [who.get(i, "A") if s == "covered" else ""
                      for i, s in zip(where.index, full, strict=True)],
        "distance_m": 1000.0, "evidence": "modelled", "definition": "data"},
        index=where.index)[list(SERVICE.columns)]
