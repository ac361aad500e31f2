"""One walk along a ray gives what the packed profiles give, receiver by receiver."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phusong.errors import OutOfRangeError
from phusong.paths import Paths, pack
from phusong.radio.layer import _time_loss
from phusong.radio.medium import Medium
from phusong.radio.p526 import p526
from phusong.radio.p1812 import p1812
from phusong.radio.radial import Receivers, radial_loss, time_loss_floor_db

QUICK = settings(max_examples=25, deadline=None, derandomize=True)
ROUGHNESS = {"mountains": 40.0, "hills": 8.0, "plain": 0.2, "level": 0.0}


def ray(seed: int, kind: str, step: float,
        own: int = 3) -> tuple[np.ndarray, np.ndarray, Receivers, Paths]:
    """A ray with 40 receivers, `own` samples before each its own, and the same as packed paths."""
    rng = np.random.default_rng(seed)
    count = int(rng.integers(int(800.0 / step) + own + 3, 330))
    along = np.arange(count) * step
    height = 900.0 + np.cumsum(rng.normal(0.0, ROUGHNESS[kind], count)) + rng.uniform(-0.02,
                                                                                     0.02) * along
    distance = np.sort(rng.uniform(max(260.0, (own + 1) * step), along[-1] + (own + 1.4) * step,
                                   40))
    spacing = step * rng.uniform(0.8, 1.0)
    begin = distance - own * spacing
    before = np.clip(np.floor(begin / step - 0.4).astype(np.int64) + 1, 1, count)
    ground = np.interp(distance, along, height) + rng.normal(0.0, ROUGHNESS[kind] / 4.0, 40)
    near = distance[:, None] - spacing * np.arange(own, 0, -1)
    heights = np.interp(near, along, height) + rng.normal(0.0, ROUGHNESS[kind] / 4.0, near.shape)
    receivers = Receivers(np.array([0, 40]), before, distance, ground, np.full(40, 21.0),
                          np.full(40, spacing), heights)
    parts = list(zip(before, near, heights, distance, ground, strict=True))
    packed = pack([np.concatenate([along[:b], x, [d]]) for b, x, _, d, _ in parts],
                  [np.concatenate([height[:b], y, [g]]) for b, _, y, _, g in parts])
    return along, height, receivers, packed


@QUICK
@given(st.integers(0, 2 ** 32 - 1), st.sampled_from(sorted(ROUGHNESS)),
       st.sampled_from([30.0, 90.0, 500.0]), st.sampled_from([450.0, 945.0, 1840.0, 5900.0]),
       st.floats(3.0, 120.0), st.sampled_from([1.5, 8.0]), st.sampled_from([50.0, 20.0]),
       st.sampled_from(["vertical", "horizontal", "slant"]), st.sampled_from([0, 1, 4]))
def test_a_ray_equals_the_packed_paths_along_it(seed: int, kind: str, step: float, mhz: float,
                                                up: float, low: float, share: float,
                                                turn: str, own: int) -> None:
    along, height, receivers, packed = ray(seed, kind, step, own)
    medium = Medium(delta_n=50.0, n0=374.0, location_percent=share, polarisation=turn)
    offsets = np.array([0, along.size])
    for name, model in (("p1812", p1812), ("p526", p526)):
        found = radial_loss(name, along, height, offsets, receivers, mhz, up, low, medium)
        expected = model(packed, mhz, up, low, medium)
        assert np.isfinite(expected).all()
        assert np.abs(found - expected).max() < 1e-9


@QUICK
@given(st.integers(0, 2 ** 32 - 1), st.sampled_from(sorted(ROUGHNESS)),
       st.sampled_from([768.0, 1840.0, 2655.0]))
def test_the_fast_mode_keeps_its_promise(seed: int, kind: str, mhz: float) -> None:
    along, height, receivers, _ = ray(seed, kind, 90.0)
    medium, offsets = Medium(delta_n=50.0, n0=374.0), np.array([0, along.size])
    exact, quick = (radial_loss("p1812", along, height, offsets, receivers, mhz, 30.0, 1.5, medium,
                                fast=fast) for fast in (False, True))
    audible = exact < 160.0
    apart = np.abs(quick - exact)[audible]
    assert apart.size == 0 or apart.max() < 0.2
    assert (quick >= exact - 1e-9).all(), "what is left out only ever lowers the loss"


def test_an_unknown_height_hides_what_lies_behind_it() -> None:
    along, height, receivers, _ = ray(7, "hills", 90.0)
    whole = radial_loss("p1812", along, height, np.array([0, along.size]), receivers, 945.0, 30.0,
                        1.5, Medium())
    gap = int(receivers.before[20])
    height[gap] = np.nan
    holed = radial_loss("p1812", along, height, np.array([0, along.size]), receivers, 945.0, 30.0,
                        1.5, Medium())
    behind = receivers.before > gap
    assert behind.any()
    assert not behind.all()
    assert np.isnan(holed[behind]).all()
    assert np.array_equal(holed[~behind], whole[~behind])
    receivers.ground_m[3] = receivers.approach_m[5, 0] = np.nan
    alone = radial_loss("p1812", along, height, np.array([0, along.size]), receivers, 945.0, 30.0,
                        1.5, Medium())
    assert np.flatnonzero(np.isnan(alone) & ~np.isnan(holed)).tolist() == [3, 5]


def test_several_rays_do_not_touch_each_other() -> None:
    parts = [ray(seed, "hills", 90.0) for seed in (1, 2, 3)]
    offsets = np.cumsum([0, *(p[0].size for p in parts)])
    together = Receivers(np.arange(4) * 40, *(np.concatenate([getattr(p[2], name) for p in parts])
                                              for name in ("before", "distance_m", "ground_m",
                                                           "latitude_deg", "spacing_m",
                                                           "approach_m")))
    found = radial_loss("p1812", np.concatenate([p[0] for p in parts]),
                        np.concatenate([p[1] for p in parts]), offsets, together, 945.0, 30.0, 1.5,
                        Medium())
    alone = [radial_loss("p1812", p[0], p[1], np.array([0, p[0].size]), p[2], 945.0, 30.0, 1.5,
                         Medium()) for p in parts]
    assert np.array_equal(found, np.concatenate(alone))


def test_ducting_is_left_out_only_where_its_floor_is_above() -> None:
    for latitude in (0.0, 9.0, 42.5, 70.0, 85.0):
        cap = 10.0 ** (1.67 - 0.015 * min(latitude, 70.0))
        floor = time_loss_floor_db(latitude, 100.0)
        for distance in np.geomspace(0.25, 100.0, 12):
            for beta in cap * np.geomspace(1e-50, 1.0, 200):
                assert _time_loss(50.0, beta, distance) >= floor - 1e-9


@pytest.mark.parametrize(("model", "percent"), [("hata", 50.0), ("p1812", 10.0)])
def test_what_cannot_be_walked_is_refused(model: str, percent: float) -> None:
    along, height, receivers, _ = ray(7, "hills", 90.0)
    with pytest.raises(OutOfRangeError, match="every path by itself"):
        radial_loss(model, along, height, np.array([0, along.size]), receivers, 945.0, 30.0, 1.5,
                    Medium(time_percent=percent))
