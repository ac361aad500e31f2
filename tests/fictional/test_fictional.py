"""The fictional study: the same bytes every time, whole or not there, true to its own README."""

from __future__ import annotations

import hashlib
import shutil
import unicodedata
import zipfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
import yaml
from phusong.errors import InputError, StudyError
from phusong.sources.fictional import fictional

TEXT = {"dtype": str, "keep_default_na": False}


def digests(folder: Path) -> dict[str, str]:
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
            for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.fixture(scope="module")
def commune(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fictional(tmp_path_factory.mktemp("raw") / "small", name="small", size="commune",
                     seed=7).parent


@pytest.fixture(scope="module")
def province(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fictional(tmp_path_factory.mktemp("raw") / "demo", name="demo", seed=2021).parent


def tables(folder: Path) -> pd.DataFrame:
    """All points but the commune centres, as text."""
    names = ["schools", "branch_schools", "vocational", "continuing_education",
             "community_learning_centres", "villages"]
    parts = [pd.read_csv(folder / f"{n}.csv", **TEXT).rename(columns={"ma_thon": "ma_truong"})
             for n in names if (folder / f"{n}.csv").exists()]
    return pd.concat(parts, keys=range(len(parts)))


def test_same_seed_same_bytes(commune: Path, tmp_path: Path) -> None:
    again = fictional(tmp_path / "small", name="small", size="commune", seed=7).parent
    first, second = digests(commune), digests(again)
    assert len(first) > 15
    assert first == second


def test_another_seed_is_another_place(commune: Path, tmp_path: Path) -> None:
    other = digests(fictional(tmp_path / "small", name="small", size="commune", seed=8).parent)
    mine = digests(commune)
    for name in ("dem.tif", "communes.gpkg", "schools.csv", "cells.csv", "truth/truth.csv"):
        assert mine[name] != other[name], name


def test_refuses_an_existing_folder_and_leaves_it_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/work.txt").write_text("years of work")
    with pytest.raises(StudyError, match="mine exists already"):
        fictional(tmp_path / "mine", name="mine", size="commune")
    assert [p.name for p in tmp_path.iterdir()] == ["mine"]
    assert (tmp_path / "mine/work.txt").read_text() == "years of work"


def test_nothing_half_written_when_stopped(tmp_path: Path) -> None:
    def stop(what: str, done: int, total: int) -> None:
        assert 0 <= done <= total
        if what.startswith("masts"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fictional(tmp_path / "x", name="x", size="commune", progress=stop)
    assert list(tmp_path.iterdir()) == []


def test_refuses_unknown_size_and_negative_seed(tmp_path: Path) -> None:
    with pytest.raises(InputError, match='Did you mean "province"'):
        fictional(tmp_path / "x", name="x", size="provence")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="negative"):
        fictional(tmp_path / "x", name="x", seed=-1)
    assert list(tmp_path.iterdir()) == []


def test_labelled_everywhere(province: Path) -> None:
    for path in province.rglob("*.csv"):
        first = path.read_text(encoding="utf-8").splitlines()[1]
        assert "fictional" in first, path.name
    assert "FICTIONAL" in (province / "README.txt").read_text(encoding="utf-8")
    assert yaml.safe_load((province / "study.yml").read_text(encoding="utf-8"))["fictional"] is True
    for name in ("dem.tif", "population.tif"):
        with rasterio.open(province / name) as raster:
            assert "FICTIONAL" in raster.tags()["TIFFTAG_IMAGEDESCRIPTION"]
            assert "TIFFTAG_DATETIME" not in raster.tags()
    books = list((province / "reports").glob("*.xlsx"))
    assert books
    for book in books:
        with zipfile.ZipFile(book) as inside:
            assert b"FICTIONAL" in inside.read("docProps/core.xml")


def test_terrain_is_a_mountain_province(province: Path) -> None:
    with rasterio.open(province / "dem.tif") as raster:
        heights = raster.read(1)
        assert raster.crs.to_epsg() == 4326
        assert raster.dtypes == ("int16",)
        assert raster.block_shapes[0] == (256, 256)
        assert raster.compression.value == "DEFLATE"
        void = heights == raster.nodata
    known = heights[~void]
    assert 0 < void.mean() < 0.005
    assert known.min() >= 50
    assert known.max() <= 3000
    assert known.max() - known.min() > 2000
    dy, dx = np.gradient(np.where(void, np.median(known), heights).astype(float), 60.0)
    slope = np.degrees(np.arctan(np.hypot(dx, dy)))[~void]
    assert 10 < np.median(slope) < 30
    assert (slope < 5).mean() > 0.03


def test_communes_partition_the_land(province: Path) -> None:
    communes = gpd.read_file(province / "communes.gpkg")
    assert len(communes) == 60
    assert communes["ma_xa"].str.fullmatch(r"0\d{4}").all()
    assert communes["ma_xa"].is_unique
    assert communes.is_valid.all()
    assert shapely.coverage_is_valid(communes.geometry.to_numpy())
    whole = communes.union_all()
    pieces = shapely.area(communes.geometry.to_numpy())
    assert whole.area == pytest.approx(pieces.sum(), rel=1e-9)
    assert shapely.get_num_interior_rings(whole) == 0
    assert all(unicodedata.is_normalized("NFC", name) for name in communes["ten_xa"])
    centres = pd.read_csv(province / "commune_centres.csv", **TEXT).set_index("ma_xa")
    at = gpd.GeoSeries(gpd.points_from_xy(centres["kinh_do"].astype(float),
                                          centres["vi_do"].astype(float)),
                       centres.index, "EPSG:4326")
    assert communes.set_index("ma_xa").loc[centres.index].contains(at).mean() > 0.98


def test_people_add_up_to_communes(province: Path) -> None:
    communes = gpd.read_file(province / "communes.gpkg")
    with rasterio.open(province / "population.tif") as raster:
        people = raster.read(1, masked=True)
    assert float(people.sum(dtype=float)) == communes["dan_so"].sum()
    assert float(people.min()) >= 0


def test_points_are_sound(province: Path) -> None:
    points = tables(province)
    codes = pd.concat([points["ma_truong"],
                       pd.read_csv(province / "commune_centres.csv", **TEXT)["ma_xa"]])
    assert codes.is_unique
    communes = gpd.read_file(province / "communes.gpkg").set_index("ma_xa")
    at = gpd.GeoSeries(gpd.points_from_xy(points["kinh_do"].astype(float),
                                          points["vi_do"].astype(float)), crs="EPSG:4326")
    home = communes.loc[points["ma_xa"]].geometry.reset_index(drop=True)
    assert home.contains(at).mean() > 0.97
    assert home.to_crs(32648).distance(at.to_crs(32648)).max() < 400
    learners = pd.to_numeric(points["so_hoc_sinh"], errors="coerce")
    poor = pd.to_numeric(points["so_hs_ho_ngheo"], errors="coerce")
    near = pd.to_numeric(points["so_hs_can_ngheo"], errors="coerce")
    known = learners.notna()
    assert (poor[known] + near[known] <= learners[known]).all()
    assert learners.max() < 3000


def test_branch_schools_have_parents_and_are_poorer(province: Path) -> None:
    schools = pd.read_csv(province / "schools.csv", **TEXT)
    branches = pd.read_csv(province / "branch_schools.csv", **TEXT)
    assert set(branches["ma_truong_chinh"]) <= set(schools["ma_truong"])
    parent = schools.set_index("ma_truong").loc[branches["ma_truong_chinh"], "ma_xa"].to_numpy()
    assert (parent == branches["ma_xa"].to_numpy()).all()

    def poor_share(frame: pd.DataFrame) -> float:
        known = frame[frame["so_hoc_sinh"] != ""].astype(
            {"so_hoc_sinh": float, "so_hs_ho_ngheo": float})
        return float(known["so_hs_ho_ngheo"].sum() / known["so_hoc_sinh"].sum())

    assert poor_share(branches) > 1.2 * poor_share(schools)
    assert any(";" in level for level in schools["cap_hoc"])


def test_target_lists_in_proportion(province: Path) -> None:
    points = tables(province)
    counts = points["danh_sach"].value_counts()
    first, second = counts["lockdown_2021_09"], counts["others_2022_01"]
    assert second == round(first * 1910 / 283)
    closed = set(pd.read_csv(province / "lockdowns.csv", **TEXT)["ma_xa"])
    assert set(points.loc[points["danh_sach"] == "lockdown_2021_09", "ma_xa"]) <= closed
    targets = yaml.safe_load((province / "study.yml").read_text(encoding="utf-8"))["targets"]
    assert [t["goal"] for t in targets] == [first, second]


def test_register_has_the_gaps_it_confesses(province: Path) -> None:
    cells = pd.read_csv(province / "cells.csv")
    readme = " ".join((province / "README.txt").read_text(encoding="utf-8").split())
    distinct = cells.drop_duplicates()
    assert 600 <= len(distinct) <= 1000
    assert distinct["cell_id"].is_unique
    assert f"{len(distinct)} cells" in readme
    assert f"{len(cells) - len(distinct)} rows stand twice" in readme
    for column in ("antenna_height_m", "eirp_dbm"):
        missing = distinct[column].isna()
        assert 0.01 < missing.mean() < 0.2
        assert f"{missing.sum()} ({missing.mean():.1%})" in readme
    assert (distinct["antenna_height_m"] == 1.0).any()
    assert set(distinct["operator"]) == {"Viettel", "VNPT", "MobiFone"}
    assert set(distinct["technology"]) == {"GSM", "UMTS", "LTE"}
    dates = pd.to_datetime(distinct["on_air_from"])
    assert dates.min() >= pd.Timestamp("2015-01-01")
    assert pd.Timestamp("2021-10-01") < dates.max() <= pd.Timestamp("2021-12-15")
    omni = distinct["beamwidth_deg"] == 360
    assert distinct.loc[omni, "azimuth_deg"].isna().all()
    power = distinct.loc[(distinct["technology"] == "LTE") & ~omni, "eirp_dbm"].dropna()
    assert power.between(56, 63).all()


def test_reports_tell_the_truth_in_the_end(province: Path) -> None:
    """Leaving the faulty rows out, what the reports say is what really happened."""
    truth = pd.read_csv(province / "truth/truth.csv", parse_dates=["valid_from", "valid_to"])
    rows = pd.read_csv(province / "truth/report_rows.csv", keep_default_na=False)
    faults = set(rows["fault"])
    assert {"duplicate", "late", "corrected", "retracted"} <= faults
    assert {"swapped", "missing_code", "wrong_coordinates"} & faults
    good = rows[rows["fault"].isin(["", "late", "corrected"])]
    new = good[good["action"] == "new"].drop_duplicates("cell_code")
    began = truth.drop_duplicates("cell_id").set_index("cell_id")
    assert len(new) > 20
    merged = new.join(began, on="cell_code", suffixes=(None, "_true"))
    assert (pd.to_datetime(merged["date"]) == merged["valid_from"]).all()
    assert np.allclose(merged["lat"].astype(float), merged["lat_true"])
    ghosts = rows[rows["fault"] == "retracted"]
    assert not set(ghosts["site_code"]) & set(truth["site_id"])
    assert set(ghosts["action"]) == {"new", "retract"}
    files = {p.name for p in (province / "reports").iterdir()}
    assert set(rows["file"]) == files


def test_truth_has_one_state_at_a_time(province: Path) -> None:
    truth = pd.read_csv(province / "truth/truth.csv", parse_dates=["valid_from", "valid_to"])
    truth = truth.sort_values(["cell_id", "valid_from"])
    next_from = truth.groupby("cell_id")["valid_from"].shift(-1)
    moved = next_from.notna()
    assert moved.any()
    assert (truth.loc[moved, "valid_to"] == next_from[moved]).all()


def test_report_files_hold_what_is_listed(province: Path) -> None:
    rows = pd.read_csv(province / "truth/report_rows.csv", keep_default_na=False, dtype=str)
    for name, part in rows.groupby("file"):
        if str(name).endswith(".csv"):
            separator = ";" if "VNPT" in str(name) else ","
            sent = pd.read_csv(province / "reports" / str(name), sep=separator, **TEXT)
            assert list(sent["cell_code"]) == list(part["cell_code"])
            if "VNPT" in str(name):
                assert sent["lat"].str.contains(",").all()
                assert sent["date"].str.fullmatch(r"\d\d/\d\d/\d{4}").all()


def test_roads_join_all_communes(province: Path) -> None:
    roads = gpd.read_file(province / "roads.gpkg").to_crs(32648)
    assert {"primary", "secondary", "tertiary", "track"} <= set(roads["highway"])
    assert roads.is_valid.all()
    main = roads[roads["highway"].isin(["primary", "secondary", "tertiary"])]
    centres = pd.read_csv(province / "commune_centres.csv", **TEXT)
    at = gpd.GeoSeries(gpd.points_from_xy(centres["kinh_do"].astype(float),
                                          centres["vi_do"].astype(float)),
                       crs="EPSG:4326").to_crs(32648)
    assert (at.distance(main.union_all()) < 150).all()
    joined = shapely.get_parts(shapely.union_all(main.buffer(30).to_numpy()))
    assert len(joined) == 1
    power = gpd.read_file(province / "power_lines.gpkg")
    assert {"22000", "35000", "110000"} == set(power["voltage"])


def test_study_file_reads(province: Path) -> None:
    study = pytest.importorskip("phusong.study").Study.read(province / "study.yml")
    assert study.fictional
    assert study.name == "demo"
    assert [t.goal for t in study.targets] == [12, 81]
    for source in (*study.sources.points, *study.sources.sites, *study.sources.terrain):
        assert (province / source.file).exists()


@pytest.mark.slow
def test_country_counts(tmp_path: Path) -> None:
    folder = fictional(tmp_path / "land", name="land", size="country").parent
    points = tables(folder)
    assert (points.index.get_level_values(0) < 5).sum() == 43_000
    counts = points["danh_sach"].value_counts()
    assert (counts["lockdown_2021_09"], counts["others_2022_01"]) == (283, 1910)
    communes = gpd.read_file(folder / "communes.gpkg")
    assert len(communes) == 10_603
    assert shapely.coverage_is_valid(communes.geometry.to_numpy())
    assert communes.to_crs("ESRI:54034").area.sum() / 1e6 == pytest.approx(331_000, rel=0.03)
    assert pd.read_csv(folder / "cells.csv")["cell_id"].nunique() == 100_000
    shutil.rmtree(folder)


def test_operators_claim_too_much_here_and_there(province: Path) -> None:
    areas = gpd.read_file(province / "footprints.gpkg").set_index("nha_mang")
    assert set(areas.index) == {"Viettel", "VNPT", "MobiFone"}
    assert areas.is_valid.all()
    assert set(areas["cong_nghe"]) == {"LTE"}
    communes = gpd.read_file(province / "communes.gpkg").set_index("ma_xa")
    land = communes.union_all().buffer(0.01)
    truth = pd.read_csv(province / "truth/claims.csv", **TEXT)
    assert set(truth["claim"]) == {"whole", "forgotten"}
    for _, row in truth.iterrows():
        mine = areas.geometry.loc[row["operator"]]
        commune = communes.geometry.loc[row["commune_code"]]
        share = mine.intersection(commune).area / commune.area
        assert share > 0.9 if row["claim"] == "whole" else share < 0.1
    share = areas.geometry.to_numpy()
    assert all(shapely.within(one, land) for one in share)
    assert all(0.1 < one.area / land.area < 0.9 for one in share)
