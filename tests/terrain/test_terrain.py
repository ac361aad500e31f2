"""Terrain: heights where they are known, NaN where they are not, lines where they lie."""

from __future__ import annotations

import numpy as np
import pytest
import rasterio
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from phusong import geo
from phusong.errors import TerrainError
from phusong.terrain import Terrain, sample_counts
from pyproj import Geod

UTM = "EPSG:32648"
NORTH_UP = Affine(30, 0, 500_000, 0, -30, 2_000_000)


def carried(matrix: Affine, u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(column, row) of pixel corners to (x, y)."""
    a, b, c, d, e, f = tuple(matrix)[:6]
    return a * u + b * v + c, d * u + e * v + f


def plane(matrix: Affine, shape: tuple[int, int] = (60, 80), crs: object = UTM) -> Terrain:
    """Height = 0.1 east + 0.2 north of (500,000, 1,999,000), whatever way the grid runs."""
    rows, columns = np.indices(shape)
    x, y = carried(matrix, columns + 0.5, rows + 0.5)
    heights = 0.1 * (x - 500_000) + 0.2 * (y - 1_999_000)
    return Terrain(heights, matrix, crs, UTM)


@pytest.mark.parametrize("matrix", [
    NORTH_UP,
    Affine(30, 0, 500_000, 0, 30, 1_998_200),
    Affine(-30, 0, 502_400, 0, -30, 2_000_000),
    Affine(-30, 0, 502_400, 0, 30, 1_998_200),
    Affine(25, 16, 499_500, 16, -25, 1_999_100),
], ids=["north up", "south up", "mirrored", "turned round", "rotated"])
def test_any_sign_of_transform_gives_the_same_plane(matrix: Affine) -> None:
    terrain = plane(matrix)
    x = np.array([500_700.0, 501_234.5, 501_300.0])
    y = np.array([1_998_900.0, 1_999_100.1, 1_999_000.0])
    expected = 0.1 * (x - 500_000) + 0.2 * (y - 1_999_000)
    assert np.allclose(terrain.sample(x, y), expected, atol=1e-3)
    slope = np.degrees(np.arctan(np.hypot(0.1, 0.2)))
    assert np.allclose(terrain.slope_deg(x, y), slope, atol=1e-2)
    inner = terrain.hillshade()[5:-5, 5:-5]
    lit = np.sin(np.pi / 4) - np.cos(np.pi / 4) * (0.1 * np.sin(np.radians(315))
                                                   + 0.2 * np.cos(np.radians(315)))
    assert np.allclose(inner, lit / np.sqrt(1 + 0.05), atol=1e-4)


def test_profile_of_a_plane_is_a_straight_ramp_with_stated_spacing() -> None:
    terrain = plane(NORTH_UP)
    paths = terrain.profiles(500_100.0, 1_998_500.0, [501_100.0, 500_100.0], 1_998_500.0, 45.0)
    first = paths.one(0)
    assert len(first.along_m) == 24  # ceil(1000 / 45) + 1
    assert np.allclose(np.diff(first.along_m), 1000 / 23)
    assert np.allclose(first.heights_m, first.heights_m[0] + 0.1 * first.along_m, atol=1e-3)
    short = paths.one(1)
    assert short.along_m.tolist() == [0.0, 1.0], "a path of no length is stretched to 1 m"


def test_ends_of_a_profile_are_exactly_the_sampled_heights() -> None:
    rng = np.random.default_rng(1)
    terrain = Terrain(rng.uniform(0, 900, (60, 80)), Affine(0.001, 0, 104.9, 0, -0.001, 18.1),
                      4326, UTM)
    left, bottom, right, top = terrain.bounds
    x, y = rng.uniform(left, right, (2, 50)), rng.uniform(bottom, top, (2, 50))
    paths = terrain.profiles(x[0], y[0], x[1], y[1], 30.0)
    for end, at in ((0, paths.offsets[:-1]), (1, paths.offsets[1:] - 1)):
        assert np.array_equal(terrain.sample(x[end], y[end]), paths.heights_m[at], equal_nan=True)


def test_a_void_is_unknown_and_never_sea_level() -> None:
    heights = np.full((20, 20), 100.0)
    heights[10, 10] = np.nan
    terrain = Terrain(heights, NORTH_UP, UTM, UTM)
    x, y = 500_000 + 30 * 10.5, 2_000_000 - 30 * 10.5
    dx, dy = np.meshgrid([-29, 0, 29], [-29, 0, 29])
    assert np.isnan(terrain.sample(x + dx.ravel(), y + dy.ravel())).all()
    assert terrain.sample(x + 31, y)[0] == 100.0
    assert terrain.share_known == pytest.approx(1 - 1 / 400)
    paths = terrain.profiles(x - 200, y, x + 200, y, 30.0)
    assert np.isnan(paths.heights_m).any()
    assert np.isfinite(paths.heights_m[[0, -1]]).all()


def test_outside_the_grid_nothing_is_known() -> None:
    terrain = plane(NORTH_UP)
    left, bottom, right, top = terrain.bounds
    assert (left, bottom, right, top) == (500_000, 1_998_200, 502_400, 2_000_000)
    inside = terrain.sample([left + 0.1, right - 0.1], [bottom + 0.1, top - 0.1])
    outside = terrain.sample([left - 0.1, right + 0.1, left + 9], [top - 9, top - 9, top + 0.1])
    assert np.isfinite(inside).all()
    assert np.isnan(outside).all()
    assert np.isnan(terrain.sample(np.nan, np.nan)).all()


@pytest.mark.parametrize(("lat", "crs"), [(21.0, 32648), (42.5, 32631)])
def test_30_km_over_a_grid_of_degrees_stay_on_the_geodesic(lat: float, crs: int) -> None:
    central = 105.0 if crs == 32648 else 3.0
    size = 1 / 120
    # the height is the latitude or the longitude itself, scaled
    rows, columns = np.indices((240, 600))
    matrix = Affine(size, 0, central - 2.5, 0, -size, lat + 1)
    rng = np.random.default_rng(3)
    lon, la = central + rng.uniform(-2, 2, 200), lat + rng.uniform(-0.5, 0.5, 200)
    geod = Geod(ellps="WGS84")
    azimuth = rng.uniform(0, 360, 200)
    ends = geod.fwd(lon, la, azimuth, np.full(200, 30_000.0))
    middle = geod.fwd(lon, la, azimuth, np.full(200, 15_000.0))
    x0, y0 = geo.transform(lon, la, 4326, crs)
    x1, y1 = geo.transform(ends[0], ends[1], 4326, crs)
    found = []
    for axis in (columns, rows):
        paths = Terrain(axis.astype(float), matrix, 4326, crs).profiles(x0, y0, x1, y1, 15_100.0)
        found.append(paths.heights_m.reshape(-1, 3)[:, 1] + 0.5)
    seen_lon, seen_lat = carried(matrix, found[0], found[1])
    off = geod.inv(seen_lon, seen_lat, middle[0], middle[1])[2]
    assert off.max() < 1.5, f"{off.max():.2f} m off the geodesic"


def test_horizon_of_one_ridge_with_curvature() -> None:
    heights = np.zeros((401, 401))
    heights[:, 300] = 500.0  # a ridge 3 km east of the middle
    terrain = Terrain(heights, NORTH_UP, UTM, UTM)
    x, y = 500_000 + 30 * 200.5, 2_000_000 - 30 * 200.5
    east, west = terrain.horizon_deg(x, y, 2.0, [90.0, 270.0], 5000.0, 10.0)[0]
    drop = 3000.0 ** 2 / (2 * 6_371_000 * 4 / 3)
    assert east == pytest.approx(np.degrees(np.arctan((498.0 - drop) / 3000.0)), abs=1e-3)
    assert -0.1 < west < 0.0, "over a plain one looks slightly down"
    beyond = terrain.horizon_deg(x, y, 2.0, [90.0], 9000.0)
    assert np.isnan(beyond).all(), "beyond the grid nothing is known"


def test_window_keeps_every_height_where_it_was() -> None:
    rng = np.random.default_rng(5)
    terrain = Terrain(rng.uniform(0, 900, (60, 80)), NORTH_UP, UTM, UTM)
    part = terrain.window((500_500, 1_998_800, 501_000, 1_999_300))
    assert part.heights.size < terrain.heights.size / 4
    x, y = rng.uniform(500_500, 501_000, 30), rng.uniform(1_998_800, 1_999_300, 30)
    assert np.allclose(part.sample(x, y), terrain.sample(x, y), atol=1e-4)
    with pytest.raises(TerrainError, match="lies outside"):
        terrain.window((0.0, 0.0, 10.0, 10.0))


def test_nonsense_is_refused_in_words() -> None:
    with pytest.raises(TerrainError, match="2 x 2"):
        Terrain(np.zeros(5), NORTH_UP, UTM, UTM)
    with pytest.raises(TerrainError, match="no size"):
        Terrain(np.zeros((5, 5)), Affine(0, 0, 0, 0, 0, 0), UTM, UTM)
    with pytest.raises(TerrainError, match="metres"):
        Terrain(np.zeros((5, 5)), NORTH_UP, UTM, 4326)
    with pytest.raises(ValueError, match="read-only"):
        plane(NORTH_UP).heights[0, 0] = 3.0


def test_the_input_array_stays_writable_and_untouched() -> None:
    heights = np.zeros((5, 5), np.float32)
    Terrain(heights, NORTH_UP, UTM, UTM)
    heights[0, 0] = 1.0
    assert heights.sum() == 1.0


@settings(deadline=None, derandomize=True, max_examples=60)
@given(st.floats(0, 2e5), st.floats(5, 500))
def test_spacing_never_exceeds_the_step(distance: float, step: float) -> None:
    count = int(sample_counts(distance, step))
    assert count >= 2
    assert distance / (count - 1) <= step * (1 + 1e-12)
    assert count == 2 or distance / (count - 2) > step * (1 - 1e-12)


def test_it_shows_itself() -> None:
    terrain = Terrain(np.zeros((500, 700)), NORTH_UP, UTM, UTM, source="<b>file</b>")
    assert "500 x 700, 30 m" in repr(terrain)
    html = terrain._repr_html_()
    assert "data:image/png;base64," in html
    assert "<b>file</b>" not in html


def test_real_terrain_with_voids(shared) -> None:
    with rasterio.open(shared / "data/study_area/andorra/dem_srtm3_with_voids.tif") as file:
        band = file.read(1).astype("float32")
        band[band == file.nodata] = np.nan
        terrain = Terrain(band, file.transform, file.crs, "EPSG:32631")
    assert np.isnan(terrain.heights).sum() == 1104
    assert terrain.relief_m == (712.0, 3100.0)
    assert 75 < terrain.resolution_m < 85
    # Coma Pedrosa, 2,942 m, the highest summit of Andorra (42.5917 N, 1.4447 E)
    (x,), (y,) = geo.transform([1.4447], [42.5917], 4326, 32631)
    summit = terrain.window((x - 400, y - 400, x + 400, y + 400)).relief_m[1]
    assert summit == pytest.approx(2942, abs=60)
