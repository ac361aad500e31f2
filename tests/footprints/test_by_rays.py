"""Footprints by rays: close to every pixel's own path, whatever order, box or thread count."""

from __future__ import annotations

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from landscape import CRS, LEFT, TOP, cell_table, country, ground, hills
from phusong import footprint_radial
from phusong.errors import InputError
from phusong.footprint_radial import radial_levels
from phusong.footprint_rays import Grid
from phusong.footprints import footprint
from phusong.radio.budget import Radio
from phusong.workers import THREADS_VARIABLE

RADIO = Radio(profile_step_m=90.0, max_range_m=6000.0, delta_n=50.0)
MIDDLE = (LEFT + 6000.0, TOP - 6000.0)


def same(a: object, b: object) -> bool:
    return bool(np.array_equal(a.received_dbm, b.received_dbm, equal_nan=True)
                and np.array_equal(a.server, b.server))


@pytest.mark.parametrize("model", ["p1812", "p526"])
def test_rays_come_close_to_every_pixels_own_path(model: str) -> None:
    radio = RADIO.model_copy(update={"model": model})
    terrain = ground(hills(11, relief=500.0))
    cell = cell_table(*MIDDLE, azimuth_deg=70.0, beamwidth_deg=65.0)
    rays, own = (footprint(cell, terrain, radio, pixel_m=60.0, method=m)
                 for m in ("radial", "exact"))
    assert (rays.method, own.method) == ("radial", "exact")
    assert np.array_equal(rays.server, own.server)
    assert np.array_equal(np.isnan(rays.received_dbm), np.isnan(own.received_dbm))
    apart = (rays.received_dbm - own.received_dbm)[np.isfinite(own.received_dbm)]
    assert apart.size > 20_000
    assert np.sqrt(np.mean(apart ** 2)) < 0.3
    assert np.percentile(np.abs(apart), 95) < 0.5
    assert abs(apart.mean()) < 0.02


def test_on_a_real_mountain_country(shared: object) -> None:
    """Andorra, from a mast in the valley: rms at most 0.6 dB, 95 % within 1.5 dB."""
    from phusong.sources import Source
    from phusong.sources.rasters import read_terrain

    folder = shared / "data" / "study_area" / "andorra"
    terrain, _ = read_terrain([Source(file="dem_srtm3_filled.tif")], folder, "EPSG:32631")
    masts = pd.read_csv(folder / "towers.csv")
    masts = masts[masts["is_telecom_candidate"].astype(bool)]
    place = gpd.GeoSeries(gpd.points_from_xy(masts["lon"], masts["lat"]),
                          crs="EPSG:4326").to_crs("EPSG:32631").iloc[3]
    cell = cell_table(place.x, place.y).set_crs("EPSG:32631", allow_override=True)
    radio = Radio(profile_step_m=90.0, delta_n=50.0, n0=370.0)
    rays, own = (footprint(cell, terrain, radio, pixel_m=180.0, method=m)
                 for m in ("radial", "exact"))
    known = np.isfinite(own.received_dbm) & np.isfinite(rays.received_dbm)
    assert known.mean() > 0.9
    apart = (rays.received_dbm - own.received_dbm)[known]
    assert np.sqrt(np.mean(apart ** 2)) < 0.6
    assert np.percentile(np.abs(apart), 95) < 1.5
    for mhz in (768.0, 2655.0):
        cell["frequency_mhz"] = mhz
        exact, quick = (footprint(cell, terrain, radio, pixel_m=180.0, fast=fast)
                        for fast in (False, True))
        # EIRP 60 dBm, 20 MHz: 30.8 dB to the level of one resource element
        audible = exact.received_dbm > 60.0 - 30.8 - 160.0
        left_out = np.abs(exact.received_dbm - quick.received_dbm)[audible]
        assert audible.sum() > 1000
        assert left_out.max() < 0.2
        assert np.percentile(left_out, 95) < 0.01
        assert np.percentile(left_out, 95) < 0.01


def test_nothing_depends_on_box_pruning_threads_or_the_order_of_rows(
        monkeypatch: pytest.MonkeyPatch) -> None:
    _, cells, terrain = country(3, cells=20)
    whole = footprint(cells, terrain, RADIO, pixel_m=200.0)
    assert same(whole, footprint(cells.iloc[::-1], terrain, RADIO, pixel_m=200.0))
    monkeypatch.setattr(footprint_radial, "RAYS_AT_ONCE", 37)
    for threads in ("1", "3"):
        monkeypatch.setenv(THREADS_VARIABLE, threads)
        assert same(whole, footprint(cells, terrain, RADIO, pixel_m=200.0))
    box = (LEFT + 3130.0, TOP - 8000.0, LEFT + 7000.0, TOP - 2999.0)
    part = footprint(cells, terrain, RADIO, pixel_m=200.0, bounds=box)
    row = round((whole.transform.f - part.transform.f) / 200.0)
    column = round((part.transform.c - whole.transform.c) / 200.0)
    where = (slice(row, row + part.server.shape[0]), slice(column, column + part.server.shape[1]))
    assert np.array_equal(part.server, whole.server[where])
    assert np.allclose(part.received_dbm, whole.received_dbm[where], rtol=0, atol=1e-4,
                       equal_nan=True)
    grid = Grid.over(box, 200.0)
    ordered = cells.sort_index()
    pruned, every = (radial_levels(ordered, terrain, RADIO, grid, prune=p) for p in (True, False))
    assert np.array_equal(pruned[0], every[0], equal_nan=True)
    assert np.array_equal(pruned[1], every[1])


def test_the_best_of_many_is_the_best_of_each() -> None:
    _, cells, terrain = country(5, cells=7)
    box = (LEFT + 2000.0, TOP - 9000.0, LEFT + 9000.0, TOP - 2000.0)
    whole = footprint(cells, terrain, RADIO, pixel_m=250.0, bounds=box)
    each = [footprint(cells.loc[[name]], terrain, RADIO, pixel_m=250.0, bounds=box)
            for name in whole.cell_ids]
    levels = np.stack([one.received_dbm for one in each])
    best = np.fmax.reduce(levels)
    assert np.array_equal(whole.received_dbm, best, equal_nan=True)
    known = np.isfinite(best)
    chosen = np.take_along_axis(levels, np.maximum(whole.server, 0)[None], 0)[0]
    assert np.array_equal(chosen[known], best[known])
    assert np.array_equal(whole.server >= 0, np.any([one.server >= 0 for one in each], axis=0))


def test_what_lies_behind_a_void_is_not_known() -> None:
    heights = np.full((200, 200), 50.0)
    heights[97:103, 120] = np.nan
    map_ = footprint(cell_table(*MIDDLE), ground(heights), RADIO, pixel_m=60.0)
    unknown = (map_.server >= 0) & np.isnan(map_.received_dbm)
    columns = np.nonzero(unknown)[1]
    assert unknown.any()
    middle = map_.server.shape[1] // 2
    assert columns.min() >= middle + 18, "nothing before the void is lost"
    row = map_.server.shape[0] // 2
    inside = map_.server[row] >= 0
    inside[:middle + 22] = False
    assert unknown[row][inside].all(), "everything behind it is"


def test_a_fine_grid_of_few_pixels_and_a_mast_off_the_terrain() -> None:
    terrain = ground(hills(2))
    aside = footprint(cell_table(LEFT - 2000.0, TOP - 3000.0), terrain, RADIO, pixel_m=300.0)
    assert (aside.server >= 0).any()
    assert np.isnan(aside.received_dbm).all(), "the ground under the mast is not known"
    x, y = MIDDLE
    small = footprint(cell_table(x, y), terrain, RADIO, pixel_m=5.0,
                      bounds=(x - 20.0, y - 20.0, x + 20.0, y + 20.0))
    own = footprint(cell_table(x, y), terrain, RADIO, pixel_m=5.0, method="exact",
                    bounds=(x - 20.0, y - 20.0, x + 20.0, y + 20.0))
    assert np.isfinite(small.received_dbm).all()
    assert np.allclose(small.received_dbm, own.received_dbm, rtol=0, atol=1e-3)


def test_a_grid_of_degrees_is_interpolated_to_centimetres() -> None:
    from affine import Affine
    from phusong.terrain import Terrain

    terrain = Terrain(np.zeros((1200, 1200)), Affine(1 / 1200, 0, 104.5, 0, -1 / 1200, 18.5),
                      "EPSG:4326", CRS)
    grid = Grid.over((480_000.0, 1_980_000.0, 510_000.0, 2_010_000.0), 90.0)
    column, row, latitude = grid.places(terrain)
    x, y = np.meshgrid(*grid.centres())
    true_column, true_row = (v.reshape(x.shape) for v in terrain.to_grid(x.ravel(), y.ravel()))
    assert 90.0 * np.hypot(column - true_column, row - true_row).max() < 0.2
    assert abs(latitude.mean() - 18.05) < 0.1


def test_the_air_is_that_of_the_mast() -> None:
    terrain, cell = ground(hills(11)), cell_table(*MIDDLE)
    places = {"west": (104.0, 18.0, 40.0, 350.0), "east": (106.0, 18.0, 60.0, 390.0)}
    radio = RADIO.model_copy(update={"climate": places})
    rays, own = (footprint(cell, terrain, radio, pixel_m=120.0, method=m)
                 for m in ("radial", "exact"))
    apart = (rays.received_dbm - own.received_dbm)[np.isfinite(own.received_dbm)]
    assert np.sqrt(np.mean(apart ** 2)) < 0.3
    plain = footprint(cell, terrain, RADIO, pixel_m=120.0)
    assert not same(plain, rays)


def test_what_a_method_cannot_do_is_said() -> None:
    _, cells, terrain = country(3, cells=2)
    late = RADIO.model_copy(update={"time_percent": 10.0})
    with pytest.raises(InputError, match='method = "exact"'):
        footprint(cells, terrain, late, pixel_m=900.0, method="radial")
    assert footprint(cells, terrain, late, pixel_m=900.0).method == "exact"
    wooded = replace(terrain, clutter=np.full(terrain.shape, 10.0))
    assert footprint(cells, wooded, RADIO, pixel_m=900.0).method == "exact"
    with pytest.raises(InputError, match="terrain with clutter"):
        footprint(cells, wooded, RADIO, pixel_m=900.0, method="radial")
    with pytest.raises(InputError, match="There is no method"):
        footprint(cells, terrain, RADIO, method="quick")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="fast = True"):
        footprint(cells, terrain, RADIO, method="exact", fast=True)
