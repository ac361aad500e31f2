"""Feeders: every hop clear, every site walks to the network, shared hops are there once."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from phusong.backhaul import Feeder, feed, hops
from phusong.errors import UnknownNameError
from phusong.terrain import Terrain
from pydantic import ValidationError
from shapely import Point

CRS = "EPSG:32648"
WEST, NORTH, STEP, SIZE = 500_000.0, 2_420_000.0, 200.0, 400


def land(heights: np.ndarray | None = None) -> Terrain:
    """80 x 80 km at 200 m, flat unless told."""
    flat = np.full((SIZE, SIZE), 50.0) if heights is None else heights
    return Terrain(flat, Affine(STEP, 0, WEST, 0, -STEP, NORTH), CRS, CRS)


def masts(places: dict[str, tuple[float, float]], status: str, intervention: str = "macro"
          ) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        {"site_id": list(places), "status": status, "intervention": intervention,
         "antenna_height_m": 60.0},
        geometry=[Point(WEST + 1000 * x, NORTH - 1000 * y) for x, y in places.values()], crs=CRS,
        index=pd.Index([f"{n}-1" for n in places], name="cell_id"))


LINE = {"A": (20.0, 40.0), "B": (30.0, 40.0), "C": (40.0, 40.0)}
NETWORK = masts({"N": (10.0, 40.0)}, "standing")
CHAIN = Feeder(bands_ghz=(7.5,), max_hop_m=12_000.0)


def walk(forest: pd.DataFrame, site: str) -> list[str]:
    path = [site]
    while path[-1] in forest.index:
        assert len(path) <= len(forest) + 1, "a circle"
        path.append(str(forest.loc[path[-1], "towards"]))
    return path


def test_a_chain_walks_to_the_network_and_shares_its_hops() -> None:
    spots = masts(LINE, "candidate")
    possible = hops(spots, NETWORK, land(), CHAIN)
    assert len(possible) == 3
    forest = feed(["A", "C", "B"], spots, NETWORK, possible, CHAIN)
    assert walk(forest, "C") == ["C", "B", "A", "N"]
    assert forest["hops"].tolist() == [1, 2, 3]
    assert len(forest) == 3, "three sites, three hops"
    assert not forest["relay"].any()


def test_relays_are_named_and_may_be_forbidden() -> None:
    spots = masts(LINE, "candidate")
    possible = hops(spots, NETWORK, land(), CHAIN)
    forest = feed(["C"], spots, NETWORK, possible, CHAIN)
    assert forest["relay"].to_dict() == {"A": True, "B": True, "C": False}
    alone = feed(["C"], spots, NETWORK, possible, CHAIN.model_copy(update={"relays": False}))
    assert alone["towards"].to_dict() == {"C": ""}
    short = feed(["C"], spots, NETWORK, possible, CHAIN.model_copy(update={"max_hops": 2}))
    assert short["towards"].to_dict() == {"C": ""}


def test_a_wall_or_a_void_in_the_way_is_no_hop() -> None:
    spots = masts({"A": LINE["A"]}, "candidate")
    assert len(hops(spots, NETWORK, land(), CHAIN)) == 1
    wall = np.full((SIZE, SIZE), 50.0)
    wall[:, 75] = 400.0
    assert len(hops(spots, NETWORK, land(wall), CHAIN)) == 0
    void = np.full((SIZE, SIZE), 50.0)
    void[:, 75] = np.nan
    assert len(hops(spots, NETWORK, land(void), CHAIN)) == 0
    assert len(hops(spots, NETWORK, None, CHAIN)) == 0


def test_bands_by_rain_and_length() -> None:
    feeder = Feeder()
    band = feeder.band_for(np.array([2000.0, 4300.0, 8000.0, 25_000.0, 31_000.0]))
    assert band[:4].tolist() == [23.0, 18.0, 15.0, 7.5]
    assert np.isnan(band[4])
    dry = Feeder(rain_mm_per_h=20.0).band_for(np.array([8000.0]))
    assert dry[0] == 23.0


def test_only_masts_need_a_feeder_and_unknown_sites_are_refused() -> None:
    spots = pd.concat([masts({"A": LINE["A"]}, "candidate"),
                       masts({"L": (20.0, 42.0)}, "candidate", "light")])
    possible = hops(spots, NETWORK, land(), CHAIN)
    assert feed(["A", "L"], spots, NETWORK, possible, CHAIN).index.tolist() == ["A"]
    with pytest.raises(UnknownNameError, match="Z9"):
        feed(["Z9"], spots, NETWORK, possible, CHAIN)
    with pytest.raises(ValidationError, match="GHz"):
        Feeder(bands_ghz=(7500.0,))


@settings(max_examples=20, deadline=None, derandomize=True)
@given(st.data())
def test_forest_properties(data: st.DataObject) -> None:
    """Everybody fed walks to a standing mast within the limit, over hops that are possible."""
    at = st.tuples(st.integers(5, 75), st.integers(5, 75))
    places = data.draw(st.lists(at, min_size=3, max_size=14, unique=True))
    number = data.draw(st.integers(1, 2))
    standing = masts({f"N{i}": p for i, p in enumerate(places[:number])}, "standing")
    spots = masts({f"H{i:02d}": p for i, p in enumerate(places[number:])}, "candidate")
    feeder = Feeder(max_hops=data.draw(st.integers(1, 4)))
    hills = 50.0 + 150.0 * np.sin(np.arange(SIZE) / 20.0)[:, None] * np.ones((1, SIZE))
    possible = hops(spots, standing, land(hills), feeder)
    assert (possible["clearance"] >= 0.6).all()
    assert (possible["rain_db"] <= feeder.fade_margin_db + 1e-9).all()
    wanted = sorted(data.draw(st.sets(st.sampled_from(sorted(spots["site_id"])), min_size=1)))
    forest = feed(wanted, spots, standing, possible, feeder)
    assert set(wanted) <= set(forest.index)
    for site, row in forest.iterrows():
        if row["towards"]:
            path = walk(forest, str(site))
            assert path[-1] == row["mast"]
            assert path[-1] in set(standing["site_id"])
            assert row["hops"] == len(path) - 1 <= feeder.max_hops
            pair = (site, row["towards"])
            assert pair in possible.index or pair[::-1] in possible.index
    again = feed(wanted[::-1], spots.iloc[::-1], standing.iloc[::-1],
                 hops(spots.iloc[::-1], standing.iloc[::-1], land(hills), feeder), feeder)
    pd.testing.assert_frame_equal(forest, again)
