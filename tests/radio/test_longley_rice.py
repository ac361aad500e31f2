"""Longley-Rice: what is particular to it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phusong.paths import Paths, pack
from phusong.radio.itm import itm, itm_intermediates
from phusong.radio.itm_terrain import _select
from phusong.radio.medium import Medium

from .profiles import rolling

AIR = Medium(n0=360.0, climate=3)


def test_flat_land_in_sight() -> None:
    """i0000 of the in-regime set, computed with NTIA's own program: 510 m of flat land."""
    paths = pack([np.linspace(0.0, 510.0, 18)], [np.full(18, 5.0)])
    air = Medium(n0=360.0, climate=3, variability_mode=33, permittivity=15.0,
                 conductivity_s_per_m=0.005)
    assert itm(paths, 2600.0, 42.0, 3.0, air)[0] == pytest.approx(94.90077594346813, abs=1e-5)
    found = itm_intermediates(paths, 2600.0, 42.0, 3.0, air)
    assert found["d_hzn_tx_m"][0] == pytest.approx(28624.916650312436)
    assert found["n_s"][0] == pytest.approx(359.8097754337535)
    assert (found["delta_h_m"][0], found["mode"][0]) == (0.0, 1.0)


def test_uneven_samples_are_interpolated() -> None:
    """On a plane that slopes evenly, where the samples lie does not matter."""
    even = np.linspace(0.0, 9000.0, 61)
    uneven = even.copy()
    uneven[1:-1] += np.random.default_rng(2).uniform(-60.0, 60.0, 59)
    paths = pack([even, uneven], [100.0 + 0.01 * even, 100.0 + 0.01 * uneven])
    loss = itm(paths, 900.0, 30.0, 3.0, AIR)
    assert loss[1] == pytest.approx(loss[0], abs=1e-6)


def test_more_reliability_costs_more() -> None:
    paths = rolling(4, 200, 40_000.0, 8.0)
    losses = [itm(paths, 900.0, 30.0, 3.0, Medium(n0=360.0, situation_percent=q))[0]
              for q in (10.0, 50.0, 90.0)]
    assert losses[0] < losses[1] < losses[2]


def test_long_paths_scatter() -> None:
    paths = pack([np.linspace(0.0, 400e3, 800)], [np.full(800, 3.0)])
    found = itm_intermediates(paths, 900.0, 30.0, 10.0, AIR)
    assert found["mode"][0] == 3.0
    assert 60.0 < found["a_ref_db"][0] < 120.0


@pytest.mark.parametrize("n0", [200.0, 500.0, float("nan")])
def test_air_that_does_not_exist_is_unknown(n0: float) -> None:
    paths = rolling(4, 50, 5000.0, 2.0)
    assert np.isnan(itm(paths, 900.0, 30.0, 3.0, Medium(n0=n0))).all()


def test_two_samples_suffice() -> None:
    paths = pack([np.array([0.0, 1500.0])], [np.array([10.0, 10.0])])
    assert np.isfinite(itm(paths, 900.0, 30.0, 3.0, AIR)).all()


def test_slant_is_the_mean() -> None:
    paths: Paths = rolling(4, 50, 15_000.0, 6.0)
    turns = [itm(paths, 100.0, 30.0, 3.0, Medium(n0=360.0, polarisation=turn))[0]
             for turn in ("vertical", "horizontal", "slant")]
    assert turns[2] == pytest.approx(0.5 * (turns[0] + turns[1]))
    assert turns[0] != turns[1]


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(st.floats(-100.0, 100.0) | st.integers(-3, 3).map(float), min_size=1, max_size=245),
       st.data())
def test_deciles_by_selection_equal_sorting(values: list[float], data: st.DataObject) -> None:
    k = data.draw(st.integers(0, len(values) - 1))
    room = np.array(values)
    assert _select(room, 0, k) == sorted(values)[k]
    if k + 1 < len(values):
        later = data.draw(st.integers(k + 1, len(values) - 1))
        assert _select(room, k + 1, later) == sorted(values)[later]
