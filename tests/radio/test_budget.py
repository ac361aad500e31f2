"""Budget, antennas, entry loss and probability."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phusong.errors import UnknownNameError
from phusong.radio.antenna import (
    PATTERNS,
    UNKNOWN_AZIMUTH_DB,
    elevation_deg,
    f1336_sector_db,
    off_axis_deg,
    pattern_db,
)
from phusong.radio.budget import (
    PRESETS,
    RECEIVERS,
    SERVICE_LEVELS,
    Preset,
    Radio,
    Receiver,
    eirp_dbm,
    received_dbm,
    reference_offset_db,
    resource_blocks,
)
from phusong.radio.entry import entry_loss_db, quantiles, wall_loss_db
from phusong.radio.probability import (
    coverage_probability,
    margin_for_probability_db,
    total_sigma_db,
)
from phusong.radio.variability import inverse_normal, location_sigma_db
from pydantic import ValidationError

few = settings(max_examples=50, deadline=None, derandomize=True)
bearings = st.floats(0.0, 360.0)


def test_budget_of_the_notebook_example() -> None:
    """900 MHz, 40 W per port, 10 MHz, 15 dBi, 0.5 dB feeder: -105 dBm after 3 dB body at
    a loss of 134.7 dB."""
    power = 10.0 * np.log10(40e3)
    level = received_dbm(eirp_dbm(power, 15.0, 0.5), 0.0, 134.74,
                         reference_offset_db("LTE", 10.0)) - 3.0
    assert float(level) == pytest.approx(-105.0, abs=0.01)


def test_signs_of_the_budget() -> None:
    base = float(received_dbm(60.0, 0.0, 120.0, 28.0))
    assert received_dbm(60.0, -10.0, 120.0, 28.0) == base - 10.0
    assert received_dbm(60.0, 0.0, 121.0, 28.0) == base - 1.0
    assert received_dbm(60.0, 0.0, 120.0, 29.0) == base - 1.0
    assert np.isnan(received_dbm(60.0, 0.0, np.nan, 28.0))


def test_reference_offsets() -> None:
    assert reference_offset_db("GSM", 0.2) == 0.0
    assert reference_offset_db("UMTS", 5.0) == 10.0
    assert reference_offset_db("LTE", 20.0) == pytest.approx(30.79, abs=0.01)
    assert reference_offset_db("NR", 100.0) == pytest.approx(35.15, abs=0.01)
    assert (resource_blocks("LTE", 9.0), resource_blocks("NR", 20.0)) == (50, 106)
    with pytest.raises(UnknownNameError, match='Did you mean "UMTS"'):
        reference_offset_db("UMT", 5.0)
    with pytest.raises(UnknownNameError, match="no resource blocks"):
        resource_blocks("GSM", 0.2)


def test_presets_are_complete_and_sourced() -> None:
    for name, preset in PRESETS.items():
        assert preset.source, name
        assert name.split()[0] == preset.technology
        band = float(name.split()[1])
        assert 0.85 < preset.frequency_mhz / band < 1.12, name
    assert all(level.source for level in SERVICE_LEVELS.values())
    assert "regulation" in SERVICE_LEVELS["voice"].source
    assert PRESETS["LTE 1800"].eirp_dbm == pytest.approx(62.5)
    assert RECEIVERS["outdoor_handset"].net_db == -3.0


def test_nearest_preset() -> None:
    radio = Radio()
    assert radio.preset("LTE", 900.0) is radio.presets["LTE 900"]
    assert radio.preset("LTE", 1805.0) is radio.presets["LTE 1800"]
    assert radio.preset("LTE") is radio.presets["LTE 700"]
    assert radio.preset("LTE", float("nan")) is radio.presets["LTE 700"]
    with pytest.raises(UnknownNameError, match='no preset for "SAT"'):
        radio.preset("SAT", 12_000.0)


def test_own_presets_join_the_built_in_ones() -> None:
    mine = Preset(technology="LTE", frequency_mhz=450.0, bandwidth_mhz=5.0, port_power_dbm=46.0,
                  gain_dbi=12.0, antenna_height_m=40.0, source="mine")
    radio = Radio(presets={"LTE 450": mine})
    assert radio.preset("LTE", 460.0) == mine
    assert radio.preset("LTE", 1800.0) == PRESETS["LTE 1800"]
    assert "LTE 450" not in PRESETS
    assert "LTE 450" not in Radio().presets


@pytest.mark.parametrize(("values", "words"), [
    ({"model": "p1821"}, 'Did you mean "p1812"'),
    ({"max_range_m": 30}, "did you write kilometres"),
    ({"max_range_m": float("nan")}, "max_range_m"),
    ({"max_range_m": 200_000}, "no handset is heard"),
    ({"profile_step_m": 1}, "profile_step_m"),
    ({"profile_step": 30}, 'Did you mean "profile_step_m"'),
    ({"time_percent": 95}, "time_percent"),
    ({"polarisation": "circular"}, "polarisation"),
    ({"presets": {"x": {"technology": "5G"}}}, "technology"),
])
def test_a_study_that_cannot_be_meant(values: dict, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Radio(**values)


def test_radio_makes_the_medium() -> None:
    air = Radio(delta_n=50.0, n0=374.0, polarisation="slant").medium(latitude_deg=22.3)
    assert (air.delta_n, air.n0, air.latitude_deg, air.polarisation) == (50.0, 374.0, 22.3, "slant")
    assert air.effective_radius_km == pytest.approx(6371.0 * 157.0 / 107.0)
    there = Radio().medium(delta_n=np.array([43.0, 54.0]), n0=np.array([362.0, 381.0]))
    assert np.shape(there.effective_radius_km) == (2,)


def test_receiver_refuses_nonsense() -> None:
    with pytest.raises(ValidationError):
        Receiver(height_m=1.5, building="igloo")  # type: ignore[arg-type]


# Antennas

@few
@given(bearings, bearings, st.floats(-60.0, 30.0), st.floats(0.0, 10.0),
       st.sampled_from(sorted(PATTERNS)))
def test_patterns_never_gain(azimuth: float, bearing: float, up: float, tilt: float,
                             pattern: str) -> None:
    gain = float(pattern_db(azimuth, tilt, bearing, up, pattern=pattern))
    assert -70.0 < gain <= 1e-9
    turned = float(pattern_db(azimuth + 360.0, tilt, bearing - 360.0, up, pattern=pattern))
    assert turned == pytest.approx(gain, abs=1e-6)


@pytest.mark.parametrize("pattern", sorted(PATTERNS))
def test_main_beam_half_power_and_mirror(pattern: str) -> None:
    assert float(pattern_db(90.0, 4.0, 90.0, -4.0, pattern=pattern)) == pytest.approx(0.0,
                                                                                       abs=1e-9)
    edge = pattern_db(90.0, 0.0, [57.5, 122.5], 0.0, pattern=pattern,
                      horizontal_beamwidth_deg=65.0)
    assert edge == pytest.approx([-3.0, -3.0], abs=1e-9)
    assert float(pattern_db(0.0, 0.0, 180.0, 0.0, pattern=pattern)) < -20.0


def test_north_is_not_a_border() -> None:
    assert float(off_axis_deg(1.0, 359.0)) == 2.0
    assert pattern_db(359.0, 0.0, 1.0, 0.0) == pytest.approx(float(pattern_db(0.0, 0.0, 2.0, 0.0)))


def test_unknown_azimuth_and_omni() -> None:
    nan = float("nan")
    unknown = pattern_db(nan, 0.0, [0.0, 77.0, 180.0], 0.0)
    assert unknown.tolist() == [UNKNOWN_AZIMUTH_DB] * 3
    omni = pattern_db([nan, 120.0], 0.0, 300.0, 0.0, horizontal_beamwidth_deg=360.0)
    assert omni.tolist() == [0.0, 0.0]
    assert np.isnan(pattern_db(0.0, nan, 0.0, 0.0))


def test_unknown_pattern() -> None:
    with pytest.raises(UnknownNameError, match='Did you mean "tr36814"'):
        pattern_db(0.0, 0.0, 0.0, 0.0, pattern="tr36184")


def test_f1336_has_no_steps() -> None:
    """Both side-lobe laws are continuous where their pieces meet, back lobe included."""
    up = np.linspace(0.0, 90.0, 90_001)
    for average in (False, True):
        gain = f1336_sector_db(0.0, up, k_vertical=0.0, average=average)
        assert np.abs(np.diff(gain)).max() < 0.2
        full = f1336_sector_db(0.0, up, average=average)
        assert np.abs(np.diff(full[up > 20.0])).max() < 0.01


def test_looking_down() -> None:
    assert float(elevation_deg(100.0, 0.0, 1000.0)) == pytest.approx(-5.714, abs=0.01)
    assert elevation_deg(0.0, 0.0, 30_000.0) < 0.0


# Entry loss and probability

def test_entry_loss_grows_with_probability_and_sees_its_range() -> None:
    losses = entry_loss_db(1800.0, [0.1, 0.5, 0.9])
    assert np.all(np.diff(losses) > 0.0)
    assert entry_loss_db(1800.0, building="thermally_efficient") > losses[1] + 10.0
    assert np.isnan(entry_loss_db([10.0, 200_000.0])).all()
    assert np.isnan(entry_loss_db(900.0, [0.0, 1.0])).all()
    with pytest.raises(UnknownNameError, match="no building type"):
        entry_loss_db(900.0, building="bamboo")
    with pytest.raises(UnknownNameError, match="no kind of wall"):
        wall_loss_db(900.0, "thin")


def test_quantiles_have_the_right_median_and_shape() -> None:
    table = quantiles(np.array([700.0, 2600.0]), count=101)
    assert table.shape == (2, 101)
    assert table[:, 50] == pytest.approx(entry_loss_db([700.0, 2600.0]))


@few
@given(st.floats(-20.0, 20.0), st.floats(2.0, 12.0), st.floats(700.0, 3500.0))
def test_sixteen_quantiles_are_enough(margin: float, sigma: float, f: float) -> None:
    """The integral over buildings changes by less than a hundredth with 1,024 slices."""
    coarse, fine = (coverage_probability(-100.0 + margin + 15.0, -100.0, sigma,
                                         entry_db=quantiles(f, count=count))
                    for count in (16, 1024))
    assert coarse == pytest.approx(fine, abs=0.01)
    assert coarse <= coverage_probability(-100.0 + margin + 15.0 + 3.1, -100.0, sigma)


def test_probability_edges() -> None:
    assert coverage_probability(-100.0, -100.0, 8.0) == 0.5
    assert coverage_probability([-100.0, -100.1], -100.0, 0.0).tolist() == [1.0, 0.0]
    assert np.isnan(coverage_probability(np.nan, -100.0, 8.0))
    assert np.isnan(coverage_probability(-90.0, -100.0, -1.0))
    assert np.isnan(coverage_probability(np.nan, -100.0, 8.0, entry_db=[1.0, 2.0]))
    margin = margin_for_probability_db([0.75, 0.9, 0.95], 8.0)
    assert margin == pytest.approx([5.4, 10.25, 13.16], abs=0.01)
    assert coverage_probability(margin, 0.0, 8.0) == pytest.approx([0.75, 0.9, 0.95])
    assert float(total_sigma_db(6.0, 8.0)) == 10.0


def test_location_variability_and_inverse_normal() -> None:
    assert location_sigma_db(1800.0, 100.0, 1.5, 15.0) == pytest.approx(2.045, abs=0.01)
    assert location_sigma_db(1800.0, 100.0, 12.0, 2.0) == 0.0
    assert inverse_normal(0.9) == -inverse_normal(0.1)
    assert inverse_normal(0.0) == inverse_normal(1e-6)
