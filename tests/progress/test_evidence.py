"""Claims, checks and measurements: each on its own, and the list of places to go to."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hand_made import points
from phusong.evidence import checked, claimed, field_checks, measured_levels
from phusong.service import Need
from phusong.tables import FIELD_CHECKS, check

NEED = Need(name="data", received_dbm=-110.0)


def _claims(rows: dict[tuple[str, str], tuple[str, str]]) -> pd.DataFrame:
    index = pd.MultiIndex.from_tuples(list(rows), names=["point_id", "operator"])
    return pd.DataFrame({"status": [s for s, _ in rows.values()],
                         "since": pd.to_datetime([d for _, d in rows.values()]),
                         "known_at": pd.Timestamp("2021-11-01"), "reason": ""}, index=index)


def _checks(rows: dict[tuple[str, str], tuple[str, float, str, str]]) -> pd.DataFrame:
    index = pd.MultiIndex.from_tuples(list(rows), names=["point_id", "operator"])
    frame = pd.DataFrame([*rows.values()], columns=["result", "rsrp_dbm", "technology", "since"],
                         index=index)
    return frame.assign(since=pd.to_datetime(frame["since"]),
                        rsrp_dbm=frame["rsrp_dbm"].astype(float))


def _links(rows: dict[tuple[str, str, str], float]) -> pd.DataFrame:
    """LINKS of (point, cell, operator) -> received level, LTE at 1,800 MHz."""
    return pd.DataFrame([{
        "point_id": p, "cell_id": c, "operator": o, "technology": "LTE", "frequency_mhz": 1800.0,
        "distance_m": 5000.0, "clearance": -0.4, "loss_db": 150.0, "received_dbm": level,
        "free_space_dbm": level + 70, "best_case_dbm": level, "model": "p1812",
        "cells_considered": 1, "bearing_deg": 0.0, "pattern_db": 0.0, "unknown_because": ""}
        for (p, c, o), level in rows.items()]).set_index(["point_id", "cell_id"])


def test_claims() -> None:
    here = points(4)
    said = _claims({("P000", "A"): ("covered", "2021-10-01"),
                    ("P000", "B"): ("uncovered", "2021-10-01"),
                    ("P001", "B"): ("uncovered", "2021-10-01"),
                    ("P002", "A"): ("covered", "2021-10-01"),
                    ("P002", "B"): ("covered", "2021-10-01"),
                    ("ZZZ", "A"): ("covered", "2021-10-01")})
    found = claimed(here, said, NEED)
    assert found["status"].tolist() == ["covered", "uncovered", "covered", "unknown"]
    assert found["operators"].tolist() == ["A", "", "A;B", ""]
    two = claimed(here, said, NEED.model_copy(update={"operators_needed": 2}))
    assert two["status"].tolist() == ["unknown", "uncovered", "covered", "unknown"]


def test_checks_on_site() -> None:
    here = points(7)
    nan = float("nan")
    found = checked(here, _checks({
        ("P000", "A"): ("measured", -110.0, "LTE", "2021-11-01"),
        ("P001", "A"): ("measured", -110.1, "LTE", "2021-11-01"),
        ("P002", "A"): ("measured", -120.0, "", "2021-11-01"),
        ("P002", "B"): ("uncovered", nan, "", "2021-11-01"),
        ("P003", ""): ("uncovered", nan, "", "2021-11-01"),
        ("P004", "A"): ("measured", -80.0, "GSM", "2021-11-01"),
        ("P005", ""): ("covered", nan, "", "2021-11-01")}), NEED, ("A", "B"))
    assert found["status"].tolist() == ["covered", "uncertain", "uncovered", "uncovered",
                                        "unknown", "covered", "unknown"]
    assert (found["evidence"] == "measured").all()


def test_measured_levels_near_a_point() -> None:
    """Median by cell, best cell by operator, nothing from afar or from an unknown cell."""
    here = points(2)
    x, y = here.geometry.x.iloc[0], here.geometry.y.iloc[0]
    rows = [("a1", -100.0, 0), ("a1", -90.0, 100), ("a1", -95.0, 200), ("a2", -94.0, 10),
            ("b1", -70.0, 251), ("b1", -130.0, 249), ("zz", -60.0, 0)]
    drive = gpd.GeoDataFrame({
        "cell_id": [r[0] for r in rows], "rsrp_dbm": [r[1] for r in rows],
        "time": pd.to_datetime(["2021-11-01"] * 3 + ["2021-12-01"] + ["2021-11-01"] * 3)},
        geometry=[shapely.Point(x + r[2], y) for r in rows], crs=here.crs)
    sites = pd.DataFrame({"operator": ["A", "A", "B"], "technology": "LTE"},
                         index=["a1", "a2", "b1"])
    found = measured_levels(here, drive, sites)
    assert found["rsrp_dbm"].to_dict() == {("P000", "A"): -94.0, ("P000", "B"): -130.0}
    early = measured_levels(here, drive, sites, day=pd.Timestamp("2021-11-15"))
    assert early["rsrp_dbm"].to_dict() == {("P000", "A"): -95.0, ("P000", "B"): -130.0}
    assert measured_levels(here, drive, sites, day=pd.Timestamp("2020-01-01")).empty
    assert checked(here, early, NEED, ("A", "B"))["status"].tolist() == ["covered", "unknown"]
    nothing = measured_levels(here, drive.iloc[:0], sites)
    assert (checked(here, nothing, NEED)["status"] == "unknown").all()


def test_the_list_of_places_to_go_to() -> None:
    here = points(6)
    here["learners"] = [50.0, 300.0, 20.0, 80.0, 80.0, 10.0]
    links = _links({("P000", "a1", "A"): -140.0, ("P000", "b1", "B"): -80.0,
                    ("P001", "a1", "A"): -150.0, ("P002", "a1", "A"): -80.0,
                    ("P003", "a1", "A"): -104.0, ("P004", "a1", "A"): -140.0})
    said = _claims({**{(f"P00{i}", "A"): ("covered", "2021-10-01") for i in range(5)},
                    ("P005", "C"): ("covered", "2021-10-05"),
                    ("P004", "B"): ("uncovered", "2021-10-01"),
                    ("gone", "A"): ("covered", "2021-10-01")})
    drawn = pd.DataFrame({"kind": ["declared_only", "modelled_only"]},
                         index=pd.MultiIndex.from_tuples([("P001", "A"), ("P002", "A")],
                                                         names=["point_id", "operator"]))
    found = field_checks(here, links, NEED, claims=said, disputed=drawn)
    check(found, FIELD_CHECKS)
    assert found.index.tolist() == [("P001", "A"), ("P004", "A"), ("P000", "A"), ("P005", "C")]
    first, last = found.loc[("P001", "A")], found.loc[("P005", "C")]
    assert first["claimed_by"] == "claim;footprint"
    assert (first["reason"], first["best_cell_id"]) == ("terrain_blocked", "a1")
    assert first["margin_db"] == pytest.approx(-150.0 + NEED.device_db + 110.0)
    assert (last["reason"], last["best_cell_id"]) == ("no_site_in_range", "")
    assert np.isnan(last["margin_db"])
    assert found.loc[("P000", "A"), "others"] == "B"
    assert (found["status"] == "uncovered").all()
    been = _checks({("P001", "A"): ("covered", -100.0, "", "2021-11-11"),
                    ("P004", "A"): ("uncovered", -130.0, "", "2021-09-01"),
                    ("P000", ""): ("uncovered", -130.0, "", "2021-10-01")})
    left = field_checks(here, links, NEED, claims=said, disputed=drawn, checks=been)
    assert left.index.tolist() == [("P004", "A"), ("P005", "C")], "an older check settles nothing"
    assert field_checks(here, links, NEED).empty
    only = field_checks(here, links, NEED, disputed=drawn)
    assert only.index.tolist() == [("P001", "A")]
    assert only["claimed_from"].isna().all()
