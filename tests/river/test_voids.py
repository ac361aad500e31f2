"""A new tower behind a void of the terrain: unknown is honest, uncovered is sure, both are told."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from phusong.difference import count, differences
from phusong.links import link
from phusong.radio.budget import Radio
from phusong.screen import Screen
from phusong.service import DEFINITIONS, assess
from phusong.terrain import Terrain

from tests.links.landscape import LEFT, TOP, cell_table, ground, hills, school_table

NEED = DEFINITIONS["data"]
RADIO = Radio(model="p526", max_range_m=9000.0, profile_step_m=60.0)
POINTS = school_table(*(a.ravel() for a in np.meshgrid(
    LEFT + np.arange(600.0, 11_500.0, 800.0), TOP - np.arange(600.0, 11_500.0, 800.0))),
    learners=10.0)
OLD = cell_table([LEFT + 500.0], [TOP - 500.0], antenna_height_m=15.0, eirp_dbm=45.0)
NEW = cell_table([LEFT + 6000.0, LEFT + 9000.0], [TOP - 6000.0, TOP - 9500.0], ids=["n1", "n2"])


def _run(links: pd.DataFrame) -> Any:
    """As much of a run as `differences` looks at."""
    study = SimpleNamespace(name="s", fictional=True, day=dt.date(2021, 12, 1), targets=[],
                            need=NEED)
    days = SimpleNamespace(registers={}, links_of=lambda _, ids: links.loc[
        links.index.get_level_values(0).isin(ids)])
    return SimpleNamespace(study=study, service=assess(POINTS, links, NEED), points=POINTS,
                           known_on=None, days=days)


def _punched(seed: int) -> tuple[Terrain, Terrain]:
    """Hills, and the same with holes that spare points and cells."""
    heights = hills(11, relief=260.0)
    rng, torn = np.random.default_rng(seed), heights.copy()
    for row, column in rng.integers(0, 197, (160, 2)):
        torn[row:row + 3, column:column + 3] = np.nan
    for table in (POINTS, OLD, NEW):
        column = ((table.geometry.x - LEFT) / 60.0).astype(int).to_numpy()
        row = ((TOP - table.geometry.y) / 60.0).astype(int).to_numpy()
        for y in (-1, 0, 1):
            for x in (-1, 0, 1):
                torn[row + y, column + x] = heights[row + y, column + x]
    return ground(heights), ground(torn)


def test_what_turns_unknown_might_be_covered_and_the_rest_is_not() -> None:
    both = pd.concat([OLD, NEW]).rename_axis("cell_id")
    turned = in_truth = sure = 0
    for seed in range(3):
        whole, torn = _punched(seed)
        before, after = (_run(link(POINTS, cells, torn, RADIO)) for cells in (OLD, both))
        truth = assess(POINTS, link(POINTS, both, whole, RADIO), NEED)["status"]
        new = (before.service["status"] == "uncovered") & (after.service["status"] == "unknown")
        assert (truth[after.service["status"] == "uncovered"] == "uncovered").all()
        assert (truth[after.service["status"] == "covered"] == "covered").all()
        sure += int((after.service["status"] == "uncovered").sum())
        turned += int(new.sum())
        in_truth += int((truth[new] != "uncovered").sum())
        table = differences(before, after)
        mine = table[(table["was_status"] == "uncovered") & (table["is_status"] == "unknown")]
        assert set(mine.index) == set(POINTS.index[new])
        assert set(mine["might_cell_id"]) <= {"n1", "n2"}
        assert set(mine["is_reason"]) == {"no_elevation"}
        assert (table.drop(mine.index)["might_cell_id"] == "").all()
    assert turned > 20
    assert sure > 20
    assert in_truth > turned / 2, "to call these uncovered would have been wrong"


@pytest.mark.parametrize("language", ["en", "vi"])
def test_the_screen_says_which_cell_and_why(language: str, capsys: pytest.CaptureFixture[str]
                                            ) -> None:
    both = pd.concat([OLD, NEW]).rename_axis("cell_id")
    torn = _punched(0)[1]
    before, after = (_run(link(POINTS, cells, torn, RADIO)) for cells in (OLD, both))
    table = differences(before, after)
    table = table[table["might_cell_id"] != ""]
    figures = count(table, before, after)
    Screen().differences(figures, language)
    said = capsys.readouterr().out
    assert {"en": "ground that nobody knows", "vi": "thiếu độ cao địa hình"}[language] in said
    assert table["might_cell_id"].iloc[0] in said
