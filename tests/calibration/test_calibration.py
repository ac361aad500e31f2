"""Calibration: known offsets are found again, groups never leak, few is refused."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from phusong.calibration import MINIMUM_GROUPS, MINIMUM_ROWS, calibrate, fit_groups
from phusong.errors import InputError
from phusong.links import budget, link
from phusong.profile import Profile
from phusong.radio.budget import Radio
from phusong.service import DEFINITIONS
from phusong.sources.measurements import read_measurements
from phusong.sources.source import Source
from phusong.surroundings import Raster
from phusong.terrain import Terrain
from pydantic import ValidationError

CRS = "EPSG:32648"
LEFT, TOP = 500_000.0, 2_000_000.0
RADIO = Radio(profile_step_m=90.0)


def drawn(rng: np.random.Generator, groups: int, rows: int, offset: float, between: float,
          within: float) -> tuple[np.ndarray, np.ndarray]:
    """Residuals with a known offset, scatter of groups and scatter within them."""
    group = np.repeat(np.arange(groups), rng.integers(rows // 2, rows + 1, groups))
    shift = rng.normal(0.0, between, groups)
    return offset + shift[group] + rng.normal(0.0, within, group.size), group


@pytest.mark.parametrize("groups", [8, 30])
def test_known_offset_and_scatter_lie_in_their_intervals(groups: int) -> None:
    """95 % intervals hold the truth in at least 88 % of 120 draws, and are not endless."""
    rng = np.random.default_rng(7)
    offset_in = sigma_in = 0
    widths = []
    for draw in range(120):
        residual, group = drawn(rng, groups, 60, -6.0, 3.0, 7.0)
        found, _ = fit_groups(residual, group, seed=draw)
        offset_in += found["offset_low_db"] <= -6.0 <= found["offset_high_db"]
        sigma_in += found["sigma_low_db"] <= np.hypot(3.0, 7.0) <= found["sigma_high_db"]
        widths.append(found["offset_high_db"] - found["offset_low_db"])
    assert offset_in >= 106
    assert sigma_in >= 106
    standard = 2 * 1.96 * np.sqrt((9.0 + 49.0 / 45.0) / groups)
    assert 0.7 * standard < np.median(widths) < 2.0 * standard


@settings(max_examples=15, deadline=None, derandomize=True)
@given(st.integers(MINIMUM_GROUPS, 40), st.integers(2, 9), st.integers(0, 10**6),
       st.floats(-20.0, 20.0))
def test_folds_hold_whole_groups_and_offsets_shift(groups: int, folds: int, seed: int,
                                                   shift: float) -> None:
    residual, group = drawn(np.random.default_rng(seed), groups, 12, 2.0, 3.0, 6.0)
    found, fold = fit_groups(residual, group, folds=folds, seed=seed)
    assert fold.shape == (groups,)
    assert set(fold) == set(range(min(folds, groups)))
    moved, same = fit_groups(residual + shift, group, folds=folds, seed=seed)
    assert (fold == same).all()
    assert moved["offset_db"] - found["offset_db"] == pytest.approx(shift, abs=1e-9)
    assert moved["sigma_db"] == pytest.approx(found["sigma_db"], abs=1e-9)
    assert moved["validated_error_db"] == pytest.approx(found["validated_error_db"], abs=1e-9)


def test_validation_sees_what_a_random_split_would_hide() -> None:
    """Where groups differ and rows of one do not, the error on unseen groups is the truth."""
    group = np.repeat(np.arange(12), 40)
    residual = np.where(group % 2, 8.0, -8.0) + np.random.default_rng(1).normal(0, 0.5, 480)
    found, fold = fit_groups(residual, group)
    assert found["validated_error_db"] > 8.0
    assert found["between_groups_db"] == pytest.approx(8.36, abs=0.1)
    assert found["sigma_db"] == pytest.approx(np.hypot(8.36, 0.5), abs=0.1)
    by_hand = [residual[(fold[group] == k)] - np.mean(
        [residual[group == g].mean() for g in range(12) if fold[g] != k]) for k in range(5)]
    assert found["validated_error_db"] == pytest.approx(
        np.sqrt(np.mean(np.concatenate(by_hand) ** 2)), abs=0.01)


def landscape() -> Terrain:
    u, v = np.meshgrid(np.linspace(0, 9, 200), np.linspace(0, 9, 200))
    return Terrain(200.0 + 150.0 * np.sin(u) * np.cos(1.3 * v),
                   Affine(60, 0, LEFT, 0, -60, TOP), CRS, CRS)


def masts(count: int = 8, mhz: float = 1840.0) -> gpd.GeoDataFrame:
    rng = np.random.default_rng(3)
    return gpd.GeoDataFrame(
        {"site_id": [f"s{i}" for i in range(count)], "status": "standing", "operator": "A",
         "technology": "LTE", "frequency_mhz": mhz, "bandwidth_mhz": 20.0,
         "antenna_height_m": 40.0, "azimuth_deg": np.nan, "tilt_deg": 0.0,
         "beamwidth_deg": 360.0, "eirp_dbm": 60.0},
        geometry=gpd.points_from_xy(LEFT + rng.uniform(2000, 10_000, count),
                                    TOP - rng.uniform(2000, 10_000, count)),
        crs=CRS, index=pd.Index([f"c{i}" for i in range(count)], name="cell_id"))


def measured(sites: gpd.GeoDataFrame, each: int, offset: float = -4.0, sigma: float = 6.0,
             seed: int = 5) -> gpd.GeoDataFrame:
    """What a drive round each mast would log, were the model right but for offset and scatter."""
    rng = np.random.default_rng(seed)
    cell = np.repeat(np.arange(len(sites)), each)
    x = sites.geometry.x.to_numpy()[cell] + rng.uniform(-1800, 1800, cell.size)
    y = sites.geometry.y.to_numpy()[cell] + rng.uniform(-1800, 1800, cell.size)
    frame = gpd.GeoDataFrame(
        {"cell_id": sites.index.to_numpy(object)[cell], "group": "", "kind": "other", "name": ""},
        geometry=gpd.points_from_xy(x, y), crs=CRS,
        index=pd.Index([f"m{i:05d}" for i in range(cell.size)], name="measurement_id"))
    every = RADIO.model_copy(update={"best_per_operator": 100})
    levels = link(frame.rename_axis("point_id"), sites, landscape(), every)["received_dbm"]
    mine = levels.loc[list(zip(frame.index, frame["cell_id"], strict=True))].to_numpy()
    return frame.drop(columns=["kind", "name"]).assign(
        rsrp_dbm=mine + offset + rng.normal(0.0, sigma, cell.size))


@pytest.fixture(scope="module")
def logged() -> gpd.GeoDataFrame:
    return measured(masts(), 25)


def test_the_whole_way_finds_offset_and_scatter_and_carries_them_on(logged: gpd.GeoDataFrame) \
        -> None:
    sites, terrain = masts(), landscape()
    before = logged.copy(deep=True)
    found = calibrate(logged, sites, terrain, RADIO, seed=1)
    row = found.table.loc[(1800, "")]
    assert row["offset_low_db"] <= -4.0 <= row["offset_high_db"]
    assert row["sigma_low_db"] <= 6.0 <= row["sigma_high_db"]
    assert (row["measurements"], row["cells"], row["sites"], row["groups"]) == (200, 8, 8, 8)
    assert row["validated_error_db"] < row["uncalibrated_error_db"]
    assert 0.8 < row["validated_share"] < 0.97
    assert found.residuals.groupby("group")["fold"].nunique().max() == 1
    pd.testing.assert_frame_equal(logged, before)

    radio, need = found.radio(RADIO), found.need(DEFINITIONS["data"])
    assert need.sigma_model_db == pytest.approx(row["sigma_db"], abs=0.01)
    assert need.pixel_width_m == 0.0, "what was measured holds the scatter inside pixels too"
    points = logged.iloc[:20].rename_axis("point_id").assign(kind="school", name="")
    plain, corrected = (link(points, sites, terrain, each) for each in (RADIO, radio))
    pd.testing.assert_series_equal(corrected["loss_db"], plain["loss_db"])
    change = corrected["received_dbm"] - plain["received_dbm"]
    assert np.allclose(change, row["offset_db"], atol=0.006)
    unpruned = link(points, sites, terrain, radio, prune=False)
    pd.testing.assert_frame_equal(corrected, unpruned)
    lines = budget("m00000", "c0", points, sites, terrain, radio).lines()
    assert sum(x.sign * x.value for x in lines) == pytest.approx(
        {x.key: x.value for x in lines}["received_dbm"], abs=1e-9)
    assert "calibration_db" in {x.key for x in lines}
    again = calibrate(logged, sites, terrain, radio, seed=1)
    pd.testing.assert_frame_equal(again.table, found.table)
    assert "calibration_db: {1800:" in found.study_text()


def test_order_of_rows_changes_nothing(logged: gpd.GeoDataFrame) -> None:
    shuffled = logged.sample(frac=1.0, random_state=2)
    one, two = (calibrate(each, masts(), landscape(), RADIO) for each in (logged, shuffled))
    pd.testing.assert_frame_equal(one.table, two.table)
    pd.testing.assert_frame_equal(one.residuals, two.residuals.loc[logged.index])


def test_land_cover_gets_its_own_rows(logged: gpd.GeoDataFrame) -> None:
    east = np.zeros((200, 200))
    east[:, 100:] = 10.0
    classes = Raster(east, Affine(60, 0, LEFT, 0, -60, TOP), CRS)
    in_trees = (logged.geometry.x - LEFT > 6000).to_numpy()
    shadowed = logged.assign(rsrp_dbm=logged["rsrp_dbm"] - 9.0 * in_trees)
    table = calibrate(shadowed, masts(), landscape(), RADIO, land_cover=classes).table
    fitted = table[table["refused"] == ""]["offset_db"]
    if {(1800, "0"), (1800, "10")} <= set(fitted.index):
        assert fitted[1800, "0"] - fitted[1800, "10"] == pytest.approx(9.0, abs=4.0)
    else:
        assert table.loc[(1800, "10"), "refused"]
    assert table.loc[(1800, "0"), "measurements"] + table.loc[(1800, "10"), "measurements"] == 200


@pytest.mark.parametrize(("take", "said"), [
    (slice(0, MINIMUM_ROWS - 1), "49 measurements, at least 50"),
    (slice(0, 100), "4 independent groups, at least 6")])
def test_too_few_are_refused(logged: gpd.GeoDataFrame, take: slice, said: str) -> None:
    with pytest.raises(InputError, match=said):
        calibrate(logged.iloc[take], masts(), landscape(), RADIO)


def test_what_cannot_serve_is_said(logged: gpd.GeoDataFrame) -> None:
    with pytest.raises(InputError, match="a group of its own"):
        calibrate(logged.assign(group=logged.index), masts(), landscape(), RADIO)
    with pytest.raises(InputError, match="positions of the masts"):
        calibrate(logged.assign(cell_id="x"), masts(), landscape(), RADIO)
    with pytest.raises(InputError, match="no elevation"):
        calibrate(logged, masts(), None, RADIO)
    few = logged.assign(cell_id=np.where(np.arange(200) < 20, "strange", logged["cell_id"]))
    found = calibrate(few, masts(), landscape(), RADIO)
    assert (found.residuals["unused_because"] == "cell_not_among_sites").sum() == 20
    assert any("20 of 200" in note for note in found.notes)


def test_a_radio_refuses_what_is_no_calibration() -> None:
    with pytest.raises(ValidationError, match='Did you mean "1800"'):
        Radio(calibration_db={1801: -3.0})
    with pytest.raises(ValidationError, match="wrong power, height or position"):
        Radio(calibration_db={1800: 55.0})


def test_reader_rejects_with_reasons(tmp_path: Path) -> None:
    (tmp_path / "drive.csv").write_text(
        "Longitude;Latitude;Cell;RSRP;Track;Date\n105,85;21,03;452-1;-97;d1;2021-05-03\n"
        "105,86;21,03;;-98;d1;2021-05-03\n105,86;21,04;452-1;-400;d1;2021-05-03\n"
        ";;452-1;-99;d1;2021-05-03\n", encoding="utf-8")
    reading = read_measurements(Source(file="drive.csv"), tmp_path, CRS, Profile.load("vietnam"))
    assert reading.table.shape[0] == 1
    row = reading.table.iloc[0]
    assert (row["cell_id"], row["rsrp_dbm"], row["group"]) == ("452-1", -97.0, "d1")
    assert {"no_cell", "no_level", "no_location"} <= {fault.code for fault in reading.faults}
    assert reading.rejected == 3


def flights(shared: Path) -> pd.DataFrame:
    """The serving cell's level on flights at a stated height; positions carried to the next row."""
    frames = []
    with zipfile.ZipFile(shared / "data" / "meas_uav_lte" / "raw_dataset.zip") as archive:
        for height in (20, 30, 40, 50, 60, 70, 90, 110, 130, 150):
            text = archive.read(f"Measured Data/{height}m.csv")
            raw = pd.read_csv(io.BytesIO(text), usecols=[
                "Latitude", "Longitude", "Physical cell identity (LTE pcell)",
                "RSRP (LTE pcell)"])
            raw[["Latitude", "Longitude"]] = raw[["Latitude", "Longitude"]].ffill()
            raw.columns = ["lat", "lon", "cell_id", "rsrp_dbm"]
            frames.append(raw.dropna().iloc[::10].assign(group=f"flight {height} m",
                                                         antenna_height_m=height))
    found = pd.concat(frames)
    return found.assign(cell_id=found["cell_id"].astype(int).astype(str))


def test_flights_round_one_known_mast(shared: Path, tmp_path: Path) -> None:
    """Real levels: free space plus an offset fits better than free space.

    No test of terrain: the drones flew in sight of one mast, whose power and
    carrier are not known (43 dBm, 15 dBi and 1,840 MHz are taken).
    """
    flights(shared).to_csv(tmp_path / "flights.csv", index=False)
    reading = read_measurements(Source(file="flights.csv"), tmp_path, "EPSG:32648",
                                Profile.load("generic"))
    listed = pd.read_csv(shared / "data" / "meas_uav_lte" / "derived_serving_cells.csv")
    places = gpd.points_from_xy(listed["lon"], listed["lat"], crs="EPSG:4326").to_crs(CRS)
    sites = gpd.GeoDataFrame(
        {"site_id": "mast", "status": "standing", "operator": "A", "technology": "LTE",
         "frequency_mhz": 1840.0, "bandwidth_mhz": 20.0, "antenna_height_m": 30.0,
         "azimuth_deg": np.nan, "tilt_deg": 0.0, "beamwidth_deg": 360.0, "eirp_dbm": 58.0,
         "assumed": "azimuth_deg;eirp_dbm;antenna_height_m"},
        geometry=places, crs=CRS, index=pd.Index(listed["cell_id"].astype(str), name="cell_id"))
    found = calibrate(reading.table, sites, None, Radio(model="free_space", max_range_m=2000.0))
    row = found.table.loc[(1800, "")]
    assert (row["sites"], row["groups"]) == (1, 10)
    assert row["measurements"] > 500
    assert 3.0 < row["sigma_db"] < 15.0
    assert row["validated_error_db"] < row["uncalibrated_error_db"]
    assert row["validated_error_db"] == pytest.approx(row["sigma_db"], rel=0.3)
    said = repr(found)
    assert "1 site: the offset holds the error in the power" in said
    assert "looked at no terrain" in said


def test_walks_without_masts_cannot_serve(shared: Path) -> None:
    folder = shared / "data" / "meas_ottawa_walk"
    file = sorted(folder.glob("*.csv"))[0].name
    reading = read_measurements(Source(file=file, columns={"cell_id": "cellid"}), folder,
                                "EPSG:32618", Profile.load("generic"))
    assert len(reading.table) > 100
    with pytest.raises(InputError, match="positions of the masts"):
        calibrate(reading.table, masts().to_crs("EPSG:32618"), None, Radio(model="free_space"))
