"""SITES: what a register does not say is assumed, named and counted; nothing is lost."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from phusong.geo import DEGREES
from phusong.profile import Profile
from phusong.radio.budget import Radio
from phusong.sources.sites import UNKNOWN_OPERATOR, read_sites
from phusong.sources.source import Reading, Source
from phusong.tables import SITES, check
from small_register import CELLS, Place

VIETNAM, GENERIC = Profile.load("vietnam"), Profile.load("generic")


def read(place: Place, frame: pd.DataFrame | None = None, **said: Any) -> Reading:
    if frame is not None:
        place.write("cells.csv", frame)
    return read_sites(Source(file="cells.csv", **said), place.folder, 32648, VIETNAM, Radio())


def fault(reading: Reading, code: str) -> Any:
    return next(f for f in reading.faults if f.code == code)


def test_a_register_with_gaps(place: Place) -> None:
    cells = read(place).table
    check(cells, SITES)
    assert cells["technology"].tolist() == ["LTE", "LTE", "GSM", "NR"]
    assert cells["frequency_mhz"].tolist() == [1840, 900, 945, 3750]
    assert cells["operator"].tolist() == ["Viettel", "Viettel", "VNPT", UNKNOWN_OPERATOR]
    preset = Radio().preset("GSM", 945)
    assert cells["antenna_height_m"].tolist()[:3] == [42, 42, preset.antenna_height_m]
    assert cells["azimuth_deg"].tolist()[:2] == [0, 120]
    assert np.isnan(cells["azimuth_deg"].to_numpy()[2:]).all()
    assert cells["eirp_dbm"].tolist()[0] == 62
    assert cells.loc["c2", "eirp_dbm"] == Radio().preset("LTE", 900).eirp_dbm
    assert "eirp_dbm" in cells.loc["c2", "assumed"].split(";")
    assert "eirp_dbm" not in cells.loc["c1", "assumed"].split(";")
    assert {"antenna_height_m", "azimuth_deg"} <= set(cells.loc["c3", "assumed"].split(";"))


def test_what_was_assumed_is_counted(place: Place) -> None:
    reading = read(place)
    said = {f.code: f.count for f in reading.faults if f.severity == "assumption"}
    assert said == {"antenna_height_m_assumed": 2, "eirp_dbm_assumed": 2,
                    "azimuth_deg_assumed": 2, "operator_assumed": 1}


def test_eirp_from_power_gain_and_feeder(place: Place) -> None:
    frame = CELLS.drop(columns="eirp_dbm").assign(
        power_w=["20", "", "", ""], power_dbm=["", "40", "", ""], gain=["15", "16", "", ""],
        feeder_loss_db=["1", "", "", ""])
    cells = read(place, frame).table
    assert cells.loc["c1", "eirp_dbm"] == pytest.approx(10 * np.log10(20_000) + 15 - 1)
    assert cells.loc["c2", "eirp_dbm"] == pytest.approx(40 + 16 - 0.5)


def test_masts_of_one_operator_at_one_place_are_one_site_in_any_order(place: Place) -> None:
    frame = CELLS.drop(columns=["site_id", "cell_id"])
    first, second = read(place, frame).table, read(place, frame.iloc[::-1]).table
    assert first["site_id"].nunique() == 3
    pd.testing.assert_frame_equal(first, second)


def test_repeated_rows_and_two_rows_with_one_key(place: Place) -> None:
    reading = read(place, pd.concat([CELLS, CELLS.iloc[[0]], CELLS.iloc[[1]].assign(lat="22.4")]))
    assert fault(reading, "repeated_row").row == 6
    assert fault(reading, "duplicate_key").severity == "error"
    assert (reading.rows_in, reading.rejected) == (6, 2)


def test_cells_without_a_place_are_left_out_and_said(place: Place) -> None:
    reading = read(place, CELLS.assign(lat=["", "0", "22.35", "48.8"],
                                       lon=["", "0", "103.88", "2.3"]))
    assert reading.table.index.tolist() == ["c3"]
    assert reading.rejected == 3
    assert not reading.failed
    assert {f.code for f in reading.faults} >= {"null_island", "no_location", "outside_country"}


def test_crowd_sourced_cells_are_never_called_a_list_of_sites(place: Place) -> None:
    (place.folder / "cells.csv").write_text(
        "GSM,452,1,100,200,0,103.0005,22.0005,500,10,1,,,\n"
        "LTE,452,4,101,201,0,103.0020,22.0020,1000,50,1,,,\n"
        "UMTS,452,99,102,202,0,103.0500,22.0500,800,1,1,,,\n")
    reading = read(place)
    cells = reading.table
    assert cells.index.tolist() == ["GSM-452-1-100-200", "LTE-452-4-101-201",
                                    "UMTS-452-99-102-202"]
    assert cells["operator"].tolist() == ["452-1", "452-4", "452-99"]
    assert all("geometry" in cell.split(";") for cell in cells["assumed"])
    assert cells["reach_m"].isna().all()
    assert fault(reading, "unknown_range").count == 2
    assert fault(reading, "estimated_positions").severity == "warning"
    assert fault(reading, "no_header").severity == "assumption"


@pytest.mark.parametrize(("file", "rows", "columns"), [
    ("towers_opencellid_lesotho/LesothoCellTowersData.csv", 1936, {}),
    ("towers_anfr_france/2022_09_30_Etat reseaux.csv", 9447, {}),
    ("towers_ised_canada/YT_towers.csv.gz", 2020, {"cell_id": "", "power_dbm": "tx_power"}),
    ("planning_itu_ibiza/cell-sites.csv", 100, {"antenna_height_m": "tower_height"}),
    ("coverage_sapa_vmm/osm_masts.geojson", 16, {})])
def test_real_registers_lose_no_row(shared: Any, file: str, rows: int,
                                    columns: dict[str, str]) -> None:
    reading = read_sites(Source(file=file, columns=columns), shared / "data", DEGREES, GENERIC,
                         Radio())
    assert reading.rows_in == rows == len(reading.table) + reading.rejected
    assert not reading.failed
    check(reading.table, SITES)


def test_crowd_sourced_cells_are_grouped_to_sites_with_their_uncertainty(place: Place) -> None:
    """Two sectors of one LTE node, a GSM neighbour beside another, one cell of unknown range."""
    rows = ["LTE,452,4,9,2561,0,103.8000,22.3000,3000,30,1",
            "LTE,452,4,9,2562,0,103.8100,22.3000,2000,10,1",
            "GSM,452,1,7,11,0,103.9000,22.3000,5000,5,1",
            "UMTS,452,1,7,12,0,103.9010,22.3000,1000,1,1",
            "GSM,452,1,7,13,0,103.9500,22.3000,1000,1,1",
            "GSM,452,2,7,14,0,103.9000,22.3000,900,4,1"]
    (place.folder / "cells.csv").write_text("\n".join(rows) + "\n")
    reading = read(place)
    cells = reading.table
    assert cells["site_id"].nunique() == 4, "operators are never joined"
    node = cells.loc[["LTE-452-4-9-2561", "LTE-452-4-9-2562"]]
    assert len(set(node["site_id"])) == 1
    assert node["uncertainty_m"].tolist() == [2000.0, 2000.0]
    lon = node.to_crs(4326).geometry.x
    assert lon.tolist() == pytest.approx([103.8025] * 2, abs=1e-6), "weighted by samples: 30 to 10"
    assert cells.loc["UMTS-452-1-7-12", "uncertainty_m"] == 5000.0
    assert np.isnan(cells.loc["GSM-452-1-7-13", "uncertainty_m"])
    assert cells["assumed"].str.contains("geometry").all()
    assert fault(reading, "grouped_cells").severity == "assumption"


def test_a_register_that_lists_every_carrier_of_a_cell_is_kept_whole(place: Place) -> None:
    frame = pd.DataFrame({"cell_id": [f"c{i // 3}" for i in range(30)], "site_id": "s",
                          "lat": "22.3", "lon": "103.8", "technology": "4G",
                          "azimuth": [str(120 * (i % 3)) for i in range(30)]})
    reading = read(place, frame)
    assert len(reading.table) == 30
    assert fault(reading, "shared_cell_id").count == 30


def test_an_answer_of_a_service_in_json(place: Place) -> None:
    (place.folder / "cells.json").write_text(
        '{"count": 1, "cells": [{"lat": 22.303, "lon": 103.775, "mcc": 452, "mnc": 4, "radio": '
        '"UMTS", "range": 1000, "samples": 1}]}')
    reading = read_sites(Source(file="cells.json"), place.folder, 32648, VIETNAM, Radio())
    assert reading.accepted == 1
    assert reading.table["operator"].tolist() == ["452-4"]
