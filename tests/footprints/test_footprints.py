"""Footprints: every pixel is a link, and the best of many is the best of each."""

from __future__ import annotations

import numpy as np
import pytest
from landscape import LEFT, TOP, cell_table, country, ground, school_table
from phusong import footprints
from phusong.errors import InputError
from phusong.footprints import footprint
from phusong.links import link
from phusong.radio.budget import Radio

FAST = Radio(model="p526", profile_step_m=120.0, max_range_m=4000.0, best_per_operator=2)
BOX = (LEFT + 1000.0, TOP - 7000.0, LEFT + 7000.0, TOP - 3000.0)


def test_every_pixel_is_the_best_link_of_its_centre(monkeypatch: pytest.MonkeyPatch) -> None:
    _, cells, terrain = country(3, cells=25)
    monkeypatch.setattr(footprints, "TILE", 7)
    map_ = footprint(cells, terrain, FAST, pixel_m=300.0, bounds=BOX, method="exact")
    rows, columns = np.indices(map_.server.shape)
    x, y = (columns + 0.5) * 300.0 + map_.transform.c, map_.transform.f - (rows + 0.5) * 300.0
    names = [f"{i:05d}" for i in range(x.size)]
    found = link(school_table(x.ravel(), y.ravel(), ids=names), cells, terrain, FAST).reset_index()
    best = found.sort_values(["point_id", "received_dbm", "free_space_dbm", "cell_id"],
                             ascending=[True, False, False, True]).drop_duplicates("point_id")
    best = best.set_index("point_id").reindex(names)
    expected = best["received_dbm"].to_numpy(np.float32).reshape(x.shape)
    assert np.array_equal(map_.received_dbm, expected, equal_nan=True)
    served = best["cell_id"].notna().to_numpy()
    assert np.array_equal(map_.server.ravel() >= 0, served)
    servers = [map_.cell_ids[i] for i in map_.server.ravel()[served]]
    assert servers == best["cell_id"][served].tolist()
    assert 0 < np.isfinite(map_.received_dbm).mean() <= 1


def test_footprints_of_one_pixel_size_lie_on_each_other() -> None:
    _, cells, terrain = country(3, cells=6)
    whole = footprint(cells, terrain, FAST, pixel_m=400.0)
    for name in cells.index:
        alone = footprint(cells.loc[[name]], terrain, FAST, pixel_m=400.0)
        column = round((alone.transform.c - whole.transform.c) / 400.0)
        row = round((whole.transform.f - alone.transform.f) / 400.0)
        rows, columns = alone.server.shape
        part = whole.received_dbm[row:row + rows, column:column + columns]
        known = np.isfinite(alone.received_dbm)
        assert (part[known] >= alone.received_dbm[known]).all()
        mine = whole.server[row:row + rows, column:column + columns] == cells.index.get_loc(name)
        mine &= np.isfinite(part)
        assert np.array_equal(part[mine], alone.received_dbm[mine])


def test_a_plain_gives_a_disc_of_its_reach() -> None:
    terrain = ground(np.full((200, 200), 50.0))
    cell = cell_table(LEFT + 6000, TOP - 6000, reach_m=2500.0)
    map_ = footprint(cell, terrain, FAST, pixel_m=50.0)
    area = np.isfinite(map_.received_dbm).sum() * 0.05 ** 2
    assert area == pytest.approx(np.pi * 2.5 ** 2, rel=0.01)
    assert map_.area_km2(-300.0) == pytest.approx(area)
    middle = map_.received_dbm[map_.server.shape[0] // 2, map_.server.shape[1] // 2]
    assert middle > np.nanpercentile(map_.received_dbm, 50)


def test_a_void_leaves_a_server_but_no_level() -> None:
    heights = np.full((200, 200), 50.0)
    heights[90:110, 120] = np.nan
    map_ = footprint(cell_table(LEFT + 6000, TOP - 6000), ground(heights), FAST, pixel_m=100.0)
    unknown = (map_.server >= 0) & np.isnan(map_.received_dbm)
    assert unknown.any()
    assert not unknown[:, :map_.server.shape[1] // 2].any(), "only behind the void"


def test_nothing_to_draw_is_said() -> None:
    _, cells, terrain = country(3, cells=2)
    with pytest.raises(InputError, match="at least one cell"):
        footprint(cells.iloc[:0], terrain, FAST)
    with pytest.raises(InputError, match="order of its numbers"):
        footprint(cells, terrain, FAST, bounds=(9.0, 0.0, 1.0, 5.0))
    with pytest.raises(InputError, match="in metres"):
        footprint(cells, terrain, FAST, pixel_m=0.03)
