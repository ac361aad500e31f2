"""The relief: light from the north-west, nothing where nothing is known, in the right place."""

from __future__ import annotations

import base64
import io
from dataclasses import replace

import numpy as np
import pytest
from affine import Affine
from phusong.maps.relief import hillshade, relief, tint
from PIL import Image
from small_study import InventedTerrain, terrain


def test_a_plain_is_lit_evenly() -> None:
    light = hillshade(np.full((5, 5), 100.0), 30.0, 30.0)
    assert light == pytest.approx(np.sqrt(0.5))


def test_a_slope_that_faces_north_west_is_brighter_than_its_back() -> None:
    row, column = np.mgrid[0:20, 0:20]
    facing = hillshade(10.0 * (row + column), 30.0, 30.0)   # rises to the south-east
    back = hillshade(-10.0 * (row + column), 30.0, 30.0)
    assert facing.min() > np.sqrt(0.5) > back.max()


def test_unknown_heights_are_clear_and_known_ones_are_not() -> None:
    heights = np.array([[1.0, np.nan], [900.0, 2500.0]])
    colours = tint(heights, np.full((2, 2), 0.7))
    assert colours[..., 3].tolist() == [[255, 0], [255, 255]]
    assert colours[..., :3][colours[..., 3] > 0].min() > 100


def _picture(uri: str) -> Image.Image:
    kind, data = uri.split(",", 1)
    assert kind == "data:image/webp;base64"
    return Image.open(io.BytesIO(base64.b64decode(data)))


def test_the_void_lies_where_it_is() -> None:
    ground = terrain()
    drawn = relief(ground, (103.30, 22.38, 103.76, 22.84), longest_px=240)
    assert drawn is not None
    picture = np.asarray(_picture(drawn.uri).convert("RGBA"))
    rows, columns = picture.shape[:2]
    clear = picture[..., 3] < 128
    assert clear[int(24.0 / 240 * rows), int(206.0 / 240 * columns)]
    assert clear.mean() < 0.01


def test_a_grid_from_south_to_north_gives_the_same_picture() -> None:
    ground = terrain()
    t = ground.transform
    turned = replace(ground, heights=ground.heights[::-1],
                     transform=Affine(t.a, 0, t.c, 0, -t.e, t.f + 240 * t.e))
    area = (103.35, 22.45, 103.7, 22.8)
    assert relief(ground, area, longest_px=200) == relief(turned, area, longest_px=200)


def test_terrain_elsewhere_gives_no_picture() -> None:
    assert relief(terrain(), (0.0, 40.0, 1.0, 41.0), longest_px=100) is None


def test_a_projected_grid_lies_in_the_same_place() -> None:
    from phusong.geo import transform

    x0, y0 = transform([103.4], [22.7], "EPSG:4326", "EPSG:32648")
    heights = np.zeros((100, 100))
    heights[:, 50:] = 3000.0
    ground = InventedTerrain(heights, Affine(100, 0, float(x0[0]), 0, -100, float(y0[0])),
                             "EPSG:32648")
    middle = transform([float(x0[0]) + 5000], [float(y0[0]) - 5000], "EPSG:32648", "EPSG:4326")
    lon, lat = float(middle[0][0]), float(middle[1][0])
    drawn = relief(ground, (lon - 0.02, lat - 0.02, lon + 0.02, lat + 0.02), longest_px=100)
    assert drawn is not None
    row = np.asarray(_picture(drawn.uri).convert("L"), float)[50]
    assert abs(int(np.abs(np.diff(row)).argmax()) - 50) <= 4   # the cliff is 2.4 pixels wide
