"""Links after a change where a decibel or half a metre decides: at the floor, at the edge of reach.

What is right follows from the numbers alone: flat ground, levels that differ by a known amount,
points at known distances.  `link` is asked as well.
"""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from phusong.links import link
from phusong.radio.budget import Radio
from phusong.relink import relink
from phusong.terrain import Terrain
from shapely import Point

from tests.links.landscape import LEFT, TOP, cell_table, ground, school_table
from tests.links.test_relink import same

X, Y = LEFT + 6000.0, TOP - 6000.0
REACH_M = 3000.0
FLAT = ground(np.zeros((200, 260)))
STEPS_DB = (-1.5, -0.5, -0.05, 0.05, 0.5, 1.5)
EDGES_M = (-1.5, -0.5, 0.0, 0.5, 1.5)


def after(points: gpd.GeoDataFrame, old: gpd.GeoDataFrame, new: gpd.GeoDataFrame,
          radio: Radio, terrain: Terrain | None = FLAT) -> tuple[pd.DataFrame, pd.Index]:
    """The links after a change, which are those of `link`, and the points that were touched."""
    before = link(points, old, terrain, radio)
    found, touched = relink(before, points, old, new, terrain, radio)
    same(found, link(points, new, terrain, radio))
    return found, touched


def both(*tables: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    return pd.concat(tables).rename_axis("cell_id")


@pytest.mark.parametrize("model", ["free_space", "p526", "p1812", "hata"])
@pytest.mark.parametrize("step_db", STEPS_DB)
def test_a_cell_that_comes_a_little_stronger_or_weaker_than_the_last_that_is_kept(
        model: str, step_db: float) -> None:
    """It stands as far to the west as the weakest kept one to the east: the power decides."""
    radio = Radio(model=model, max_range_m=9000.0, best_per_operator=2)
    points = school_table([X], [Y])
    old = cell_table([X, X + 2000.0], [Y + 1000.0, Y], ids=["strong", "last"],
                     eirp_dbm=[62.0, 60.0], frequency_mhz=900.0)
    new = cell_table([X - 2000.0], [Y], ids=["new"], eirp_dbm=60.0 + step_db, frequency_mhz=900.0)
    found, touched = after(points, old, both(old, new), radio)
    kept = found.index.get_level_values("cell_id").tolist()
    assert kept == ["strong", "new" if step_db > 0 else "last"]
    assert list(touched) == (["p000"] if step_db > 0 else [])
    level = found["received_dbm"].to_numpy()
    was = link(points, old, FLAT, radio)["received_dbm"].to_numpy()
    assert level[1] - was[1] == pytest.approx(max(step_db, 0.0), abs=1e-6)


@pytest.mark.parametrize("step_db", STEPS_DB)
def test_a_cell_behind_a_hill_that_is_strong_in_free_space_alone(step_db: float) -> None:
    """Beside the best known link stands the best in free space: there, too, half a dB decides."""
    heights = np.zeros((200, 200))
    heights[:, 113:116] = heights[:, 84:87] = 400.0     # ridges east and west, alike
    radio = Radio(model="p526", max_range_m=9000.0, best_per_operator=1)
    points = school_table([LEFT + 6000.0], [Y])
    old = cell_table([LEFT + 6000.0, LEFT + 8000.0], [Y + 3000.0, Y], ids=["clear", "east"],
                     eirp_dbm=[40.0, 60.0])
    new = cell_table([LEFT + 4000.0], [Y], ids=["west"], eirp_dbm=60.0 + step_db)
    found, _ = after(points, old, both(old, new), radio, ground(heights))
    kept = found.index.get_level_values("cell_id").tolist()
    assert kept == ["clear", "west" if step_db > 0 else "east"]


@pytest.mark.parametrize("step_db", STEPS_DB)
def test_a_cell_behind_a_void_that_might_be_a_little_stronger_or_not(step_db: float) -> None:
    """Its loss is not known; at best it is that of its mirror image, and the power decides.

    North of a ridge stands the strongest in free space, so that it is not kept for that.
    """
    heights = np.zeros((200, 260))
    heights[:, 84:87] = np.nan
    heights[70:73] = 500.0
    radio = Radio(model="p526", max_range_m=9000.0, best_per_operator=1)
    points = school_table([X], [Y])
    old = cell_table([X + 2000.0, X], [Y, Y + 3000.0], ids=["east", "north"], eirp_dbm=[60., 70.])
    new = cell_table([X - 2000.0], [Y], ids=["west"], eirp_dbm=60.0 + step_db)
    found, touched = after(points, old, both(old, new), radio, ground(heights))
    kept = found.index.get_level_values("cell_id").tolist()
    assert kept == ["east", "north", *(["west"] if step_db > 0 else [])]
    assert len(touched) == (step_db > 0)
    assert (found["unknown_because"].to_numpy()[2:] == "no_elevation").all()
    # and the other way round: it was kept, and what comes is a little stronger than its best case
    weak = old.assign(eirp_dbm=[50.0, 70.0])
    held = both(weak, new.assign(eirp_dbm=60.0))
    came = old.iloc[:1].set_axis(["came"]).assign(eirp_dbm=60.0 + step_db)
    found, _ = after(points, held, both(held, came), radio, ground(heights))
    kept = found.index.get_level_values("cell_id").tolist()
    assert kept == ["came", "north", *(["west"] if step_db < 0 else [])]


def at_the_edges(x: float) -> gpd.GeoDataFrame:
    """Points east and west of `x`, at the reach of a cell there and a little nearer and farther."""
    offsets = [side * (REACH_M + step) for side in (-1, 1) for step in EDGES_M]
    return school_table([x + offset for offset in offsets], [Y] * len(offsets))


@pytest.mark.parametrize("move_m", [0.5, 1.0, 1000.0, 2 * REACH_M])
@pytest.mark.parametrize("model", ["free_space", "p526"])
def test_a_move_at_the_edge_of_reach_of_the_old_and_the_new_place(model: str, move_m: float
                                                                  ) -> None:
    radio = Radio(model=model, max_range_m=20_000.0, best_per_operator=1)
    points = pd.concat([at_the_edges(X), at_the_edges(X + move_m)])
    points.index = pd.Index([f"p{i:03d}" for i in range(len(points))], name="point_id")
    old = cell_table([X, X], [Y, Y], ids=["moving", "weak"], reach_m=[REACH_M, 12_000.0],
                     eirp_dbm=[60.0, 20.0], azimuth_deg=[np.nan, np.nan])
    new = old.copy()
    new.loc["moving", "geometry"] = Point(X + move_m, Y)
    found, touched = after(points, old, new, radio)
    distance = np.abs(points.geometry.x - (X + move_m))
    inside = distance <= REACH_M
    count = found["cells_considered"].groupby(level="point_id").first()
    assert (count == 1 + inside.reindex(count.index)).all()
    assert len(count) == len(points), "the weak cell reaches all"
    best = found.groupby(level="point_id").head(1).reset_index("cell_id")["cell_id"]
    assert ((best == "moving") == inside.reindex(best.index)).all()
    was = np.abs(points.geometry.x - X) <= REACH_M
    assert set(touched) == set(points.index[was | inside])


@pytest.mark.parametrize("short_m", EDGES_M)
def test_who_stands_in_for_a_cell_that_is_gone_at_the_edge_of_its_own_reach(short_m: float) -> None:
    """The stand-in reaches just so far, or not quite; another of its group reaches nowhere near."""
    radio = Radio(model="free_space", max_range_m=9000.0, best_per_operator=1)
    points = school_table([X, X + 40.0], [Y, Y])
    old = cell_table([X, X + REACH_M + short_m, X - 5000.0], [Y + 500.0, Y, Y],
                     ids=["best", "other", "small"], reach_m=[REACH_M, REACH_M, 300.0],
                     eirp_dbm=[60.0, 60.0, 70.0])
    found, touched = after(points, old, old.drop(index="best"), radio, None)
    served = set(found.index.get_level_values("point_id"))
    assert served == ({"p001"} if short_m > 0 else {"p000", "p001"})
    assert set(touched) == {"p000", "p001"}
    found, _ = after(points.iloc[:1], old, old.drop(index="best"), radio, None)
    assert len(found) == (0 if short_m > 0 else 1)


@pytest.mark.parametrize("step_m", EDGES_M)
def test_a_reach_that_is_altered_by_half_a_metre(step_m: float) -> None:
    radio = Radio(model="free_space", max_range_m=9000.0)
    points = at_the_edges(X)
    old = cell_table([X], [Y], reach_m=REACH_M)
    found, _ = after(points, old, old.assign(reach_m=REACH_M + step_m), radio, None)
    assert len(found) == 2 * sum(edge <= step_m for edge in EDGES_M)
