"""Links after a change of cells are the links of a full computation, bit for bit."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phusong.links import link
from phusong.radio.budget import Radio
from phusong.relink import changed_cells, relink
from shapely import Point

from tests.links.landscape import LEFT, TOP, cell_table, country, school_table

RADIO = Radio(model="p526", max_range_m=9000.0)


def changed(cells: gpd.GeoDataFrame, seed: int, changes: int) -> gpd.GeoDataFrame:
    """Some cells gone, moved, altered, some new."""
    rng = np.random.default_rng(seed)
    out = cells.copy()
    for number in range(changes):
        kind, name = rng.integers(4), str(rng.choice(out.index))
        place = Point(LEFT + rng.uniform(-4000, 14000), TOP - rng.uniform(-3000, 14000))
        if kind == 0:
            out = out.drop(index=name)
        elif kind == 1:
            out.loc[name, "geometry"] = place
        elif kind == 2:
            column = str(rng.choice(["eirp_dbm", "azimuth_deg", "antenna_height_m", "reach_m"]))
            out.loc[name, column] = {"eirp_dbm": 50.0, "azimuth_deg": np.nan, "reach_m": 4000.0,
                                     "antenna_height_m": 60.0}[column]
        else:
            row = out.loc[[name]].set_axis([f"c{rng.integers(1000):03d}x{number}"])
            row["geometry"] = place
            row["operator"] = str(rng.choice(["A", "B", "D"]))
            out = pd.concat([out, row])
    return out.rename_axis("cell_id")


def same(a: pd.DataFrame, b: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(a, b, check_exact=True)
    for name in ("received_dbm", "loss_db", "clearance", "best_case_dbm"):
        assert a[name].to_numpy().tobytes() == b[name].to_numpy().tobytes(), name


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 8), st.sampled_from(["p526", "hata", "free_space"]))
def test_as_if_linked_anew(seed: int, changes: int, model: str) -> None:
    radio = Radio(model=model, max_range_m=9000.0)
    points, cells, terrain = country(seed % 7)
    new = changed(cells, seed, changes)
    before = link(points, cells, terrain, radio)
    found, touched = relink(before, points, cells, new, terrain, radio)
    wanted = link(points, new, terrain, radio)
    same(found, wanted)
    for name in points.index.difference(touched):
        mine = (t.loc[[name]].drop(columns="cells_considered") if name in t.index.levels[0]
                and name in t.index.get_level_values(0) else t.iloc[:0] for t in (before, wanted))
        a, b = (frame.reset_index() for frame in mine)
        if len(a) or len(b):
            pd.testing.assert_frame_equal(a, b, check_exact=True)


@pytest.mark.parametrize("threads", ["1", "2"])
def test_a_chain_of_changes_with_one_and_two_workers(threads: str,
                                                     monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHUSONG_THREADS", threads)
    radio = Radio(model="p1812", max_range_m=9000.0)
    points, cells, terrain = country(3)
    links = link(points, cells, terrain, radio)
    for seed in range(6):
        new = changed(cells, seed, 3)
        links, _ = relink(links, points, cells, new, terrain, radio)
        cells = new
    same(links, link(points, cells, terrain, radio))


def test_from_the_first_cell_and_to_the_last() -> None:
    points, cells, terrain = country(1)
    none = cells.iloc[:0]
    every = link(points, cells, terrain, RADIO)
    same(relink(link(points, none, terrain, RADIO), points, none, cells, terrain, RADIO)[0], every)
    assert not len(relink(every, points, cells, none, terrain, RADIO)[0])


def test_only_what_it_matters_to_is_linked_again() -> None:
    """A weak far cell behind strong near ones touches nobody, but is counted."""
    points = school_table(LEFT + np.array([2000.0, 9000.0]), TOP - np.array([2000.0, 9000.0]))
    near = cell_table(LEFT + 2000.0 + 50.0 * np.arange(4), np.full(4, TOP - 2100.0))
    weak = cell_table([LEFT + 6000.0], [TOP - 2000.0], ids=["w"], eirp_dbm=20.0, reach_m=4500.0)
    both = pd.concat([near, weak]).rename_axis("cell_id")
    radio = Radio(model="free_space", max_range_m=9000.0, best_per_operator=3)
    before = link(points, near, None, radio)
    after, touched = relink(before, points, near, both, None, radio)
    assert not len(touched)
    assert (after.loc["p000", "cells_considered"] == 5).all()
    same(after, link(points, both, None, radio))


@pytest.mark.parametrize("best", [1, 2, 3])
def test_cells_that_are_alike_are_told_apart_by_their_ids(best: int) -> None:
    """Of cells of one level the first by id stay, whether they stood before or came."""
    points = school_table(LEFT + np.array([2000.0, 2500.0]), TOP - np.array([2000.0, 2500.0]))
    radio = Radio(model="free_space", max_range_m=9000.0, best_per_operator=best)
    names = [f"c{n}" for n in range(4)]
    alike = cell_table(np.full(4, LEFT + 2200.0), np.full(4, TOP - 2300.0), ids=names)
    far = cell_table([LEFT + 6000.0, LEFT + 6100.0], [TOP - 2000.0] * 2, ids=["a0", "z9"])
    every = pd.concat([alike, far]).rename_axis("cell_id")
    for before in range(2 ** 4):
        old = every[[(before >> int(name[1])) & 1 == 1 if name in names else True
                     for name in every.index]]
        found, _ = relink(link(points, old, None, radio), points, old, every, None, radio)
        same(found, link(points, every, None, radio))


def test_what_no_link_is_made_from_changes_nothing() -> None:
    _, cells, _ = country(1)
    gone, came = changed_cells(cells, cells.assign(source="another file", assumed="tilt_deg"))
    assert not gone.any()
    assert not came.any()
    gone, came = changed_cells(cells, cells.assign(a_new_column=1.0))
    assert gone.all(), "a column that nobody knows may matter"
    assert came.all()
