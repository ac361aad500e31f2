"""What must hold for the whole river, whatever the study."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import phusong as ps
import pytest
from affine import Affine
from phusong.pipeline import Results
from phusong.terrain import Terrain

RESULTS = ("links", "service", "spots", "reach", "costs", "plan", "progress",
           "breakdown", "flows", "forecast")


@pytest.fixture(scope="module")
def river(commune: Path) -> Results:
    return ps.run(ps.Study.read(commune / "data/raw/small/study.yml"))


def test_shuffled_rows_change_nothing(commune: Path, tmp_path: Path, river: Results) -> None:
    folder = tmp_path / "small"
    shutil.copytree(commune / "data/raw/small", folder)
    rng = np.random.default_rng(5)
    for file in folder.glob("*.csv"):
        table = pd.read_csv(file, dtype=str, keep_default_na=False)
        table.iloc[rng.permutation(len(table))].to_csv(file, index=False)
    shuffled = ps.run(ps.Study.read(folder / "study.yml"))
    for name in RESULTS:
        one, two = (getattr(results, name) for results in (river, shuffled))
        if name == "service":
            two = two.loc[one.index]
        drop = [c for c in ("source",) if c in one.columns]
        pd.testing.assert_frame_equal(one.drop(columns=drop), two.drop(columns=drop),
                                      check_exact=True)


def test_one_more_tower_uncovers_nobody(river: Results) -> None:
    study, sites = river.study, river.standing
    other = sites.iloc[[0]].copy()
    other.index = pd.Index(["ONE_MORE"], name="cell_id")
    other["geometry"] = [river.gaps.geometry.iloc[0]]
    other["site_id"] = "ONE_MORE"
    more = pd.concat([sites, other])
    links = ps.link(river.points, more, river.terrain, study.radio)
    after = ps.assess(river.points, links, study.need)
    was = river.service["status"] == "covered"
    assert (after.loc[was, "status"] == "covered").all()


def test_a_mountain_between_tower_and_school(river: Results) -> None:
    """A wall across the path of a covered point turns it, with the reason said."""
    study, terrain = river.study, river.terrain
    covered = river.service[(river.service["status"] == "covered")
                            & (river.service["distance_m"] > 2000)]
    point_id = covered.index[0]
    cell_id = covered.loc[point_id, "best_cell_id"]
    point, cell = river.points.loc[[point_id]], river.standing.loc[[cell_id]]
    alone = ps.assess(point, ps.link(point, cell, terrain, study.radio), study.need)
    assert alone["status"].iloc[0] == "covered"
    a, b = point.geometry.iloc[0], cell.geometry.iloc[0]
    column, row = terrain.to_grid(np.array([a.x / 2 + b.x / 2]), np.array([a.y / 2 + b.y / 2]))
    heights = np.array(terrain.heights, copy=True)
    rows, columns = np.mgrid[:heights.shape[0], :heights.shape[1]]
    near = np.hypot(rows - row[0], columns - column[0]) * terrain.resolution_m < 600
    heights[near] += 1500
    walled = Terrain(heights, Affine(*terrain.transform[:6]), terrain.crs, terrain.metric_crs)
    after = ps.assess(point, ps.link(point, cell, walled, study.radio), study.need)
    assert after["status"].iloc[0] == "uncovered"
    assert after["reason"].iloc[0] == "terrain_blocked"


def test_no_student_is_counted_twice(river: Results) -> None:
    """Incremental students are those of points that no earlier site serves."""
    from phusong.service import serves

    study, plan = river.study, river.plan
    good = river.reach[serves(river.reach, study.goal.need)]
    site = river.spots["site_id"].reindex(good.index.get_level_values("cell_id")).to_numpy()
    served: set[str] = set()
    for _, row in plan.iterrows():
        mine = set(good.index.get_level_values("point_id")[site == row["site_id"]]) - served
        learners = river.gaps.loc[sorted(mine), "learners"].fillna(0).sum()
        assert row["students_gained"] == pytest.approx(learners)
        assert row["points_gained"] == len(mine)
        served |= mine


def test_nobody_already_covered_is_gained(river: Results) -> None:
    assert set(river.reach.index.get_level_values("point_id")) <= set(river.gaps.index)
    assert (river.service.loc[river.gaps.index, "status"] == "uncovered").all()


def test_every_cost_has_a_source(river: Results) -> None:
    assert (river.costs["source"].str.len() > 0).all()
    assert (river.costs["present_value_low"] <= river.costs["present_value_base"]).all()
    assert (river.costs["present_value_base"] <= river.costs["present_value_high"]).all()
    assert set(river.plan["site_id"]) <= set(river.costs.index.get_level_values("site_id"))


def test_satellite_is_never_free(river: Results) -> None:
    terminals = river.spots[river.spots["intervention"] == "satellite"]
    assert len(terminals)
    total = river.costs["present_value_base"].groupby("site_id").sum()
    assert (total.reindex(terminals["site_id"]) > 0).all()
