"""The reports of the fictional province against what is true in it."""

from __future__ import annotations

import random
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
from phusong.ledger import Ledger
from phusong.sources.fictional import fictional

AREA = (103.0, 20.5, 106.5, 23.0)
CRS = "EPSG:32648"


@pytest.fixture(scope="module", params=["commune", pytest.param("province",
                                                                 marks=pytest.mark.slow)])
def province(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fictional study with three months of reports."""
    folder = tmp_path_factory.mktemp("fiction") / str(request.param)
    return fictional(folder, name="fiction", size=request.param, seed=11).parent


@pytest.fixture(scope="module")
def truth(province: Path) -> pd.DataFrame:
    return pd.read_csv(province / "truth" / "truth.csv", parse_dates=["valid_from", "valid_to"])


@pytest.fixture(scope="module")
def sent(province: Path) -> pd.DataFrame:
    rows = pd.read_csv(province / "truth" / "report_rows.csv", dtype="str",
                       keep_default_na=False)
    return rows.astype({"row": "int64"}).sort_values(["file", "row"], ignore_index=True)


def on(truth: pd.DataFrame, day: str) -> pd.DataFrame:
    date = pd.Timestamp(day)
    there = (truth["valid_from"] <= date) & ~(truth["valid_to"] <= date)
    return truth[there].drop_duplicates("cell_id", keep="last").set_index("cell_id").sort_index()


@pytest.fixture(scope="module")
def inventory(truth: pd.DataFrame) -> gpd.GeoDataFrame:
    """What stood before the first report."""
    base = on(truth, "2021-09-23")
    table = base.drop(columns=["valid_from", "valid_to", "lon", "lat", "source"])
    return gpd.GeoDataFrame(table.assign(status="standing", eirp_dbm=60.0),
                            geometry=gpd.points_from_xy(base["lon"], base["lat"], crs=4326)
                            ).to_crs(CRS)


def digested(province: Path, inventory: gpd.GeoDataFrame, path: Path, seed: int | None) -> Ledger:
    files = sorted((province / "reports").iterdir())
    if seed is not None:
        random.Random(seed).shuffle(files)
    ledger = Ledger.open(path, crs=CRS, area=AREA, standing=inventory)
    for file in files:
        ledger.report([file], operator=file.stem.split("_")[1], recorded_at=file.name[:10])
    return ledger


@pytest.fixture(scope="module")
def ledger(province: Path, inventory: gpd.GeoDataFrame,
           tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    return digested(province, inventory, tmp_path_factory.mktemp("book") / "ledger.sqlite", None)


def test_each_fault_finds_its_outcome(ledger: Ledger, sent: pd.DataFrame) -> None:
    files = ledger.files().sort_values("name")
    rows = [(f.name, row.outcome, row.code) for f in files.itertuples()
            for row in ledger.rows(int(f.seq))]
    assert [name for name, _, _ in rows] == sent["file"].tolist(), "no row is lost or made up"
    expected = {"missing_code": "missing_value", "swapped": "swapped_coordinates",
                "duplicate": "same_statement"}
    for (name, outcome, code), said in zip(rows, sent.itertuples(), strict=True):
        wanted = expected.get(said.fault, "")
        far_off = said.fault == "wrong_coordinates" and code == "outside_area"
        assert far_off or code == wanted, (name, said.row, said.fault, outcome, code)
    assert (files["rows"] == files["accepted"] + files["duplicate"] + files["rejected"]).all()


@pytest.mark.parametrize("day", ["2021-10-15", "2021-11-10", "2021-12-15", "2021-12-31"])
def test_the_state_is_the_truth_as_far_as_it_was_reported(
        ledger: Ledger, truth: pd.DataFrame, sent: pd.DataFrame, day: str) -> None:
    right = sent[sent["fault"].isin(["", "late", "corrected", "duplicate"])]
    reported = set(zip(right["cell_code"], right["date"], strict=True))
    days = pd.concat([truth[["cell_id", name]].set_axis(["cell_id", "day"], axis=1)
                      for name in ("valid_from", "valid_to")]).dropna()
    recent = days[(days["day"] > "2021-09-23") & (days["day"] <= day)]
    silent = {c for c, d in zip(recent["cell_id"], recent["day"].dt.strftime("%Y-%m-%d"),
                                strict=True) if (c, d) not in reported}
    state, real = ledger.state(day), on(truth, day)
    state, real = state[~state.index.isin(silent)], real[~real.index.isin(silent)]
    assert state.index.tolist() == real.index.tolist()
    assert 0 < len(real) <= len(state)
    assert len(silent & set(real.index)) < 0.2 * len(real)
    places = state.to_crs(4326).geometry
    for ours, theirs in ((places.x, real["lon"]), (places.y, real["lat"])):
        assert (ours - theirs).abs().max() < 2e-6
    for name in ("technology", "frequency_mhz", "antenna_height_m", "azimuth_deg", "operator",
                 "site_id"):
        same = (state[name] == real[name]) | (state[name].isna() & real[name].isna())
        assert same.all(), name


def test_any_order_gives_the_same(ledger: Ledger, province: Path, inventory: gpd.GeoDataFrame,
                                  tmp_path: Path) -> None:
    with digested(province, inventory, tmp_path / "ledger.sqlite", 3) as other:
        for days in ((None, None), ("2021-11-15", "2021-11-20")):
            pd.testing.assert_frame_equal(ledger.state(*days), other.state(*days))
        assert other.verify() == []
    mark = ledger.watermark
    digested(province, inventory, Path(str(ledger._book.path)), 5).close()
    assert ledger.watermark == mark
    assert ledger.verify() == []
