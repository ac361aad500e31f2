"""Rain attenuation against figures computed elsewhere (P.837, P.838, P.530; rounded to 1 dB)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phusong.errors import OutOfRangeError
from phusong.radio.rain import longest_hop_km, rain_attenuation_db, specific_attenuation_db_per_km

HOPS = ((7.5, 15), (7.5, 30), (11, 15), (15, 10), (18, 5), (18, 10), (23, 5), (23, 10))
PLACES = {"Muong Nhe": (74, (8, 11, 20, 26, 21, 33, 28, 45)),
          "Meo Vac": (68, (7, 10, 18, 24, 19, 31, 26, 41)),
          "Ky Son": (65, (7, 10, 18, 23, 19, 30, 25, 40)),
          "Ha Noi": (89, (9, 14, 24, 31, 24, 38, 33, 51)),
          "Tra My": (93, (10, 15, 25, 32, 25, 40, 34, 53)),
          "Kon Tum": (82, (8, 13, 22, 28, 23, 36, 31, 48)),
          "Ca Mau": (104, (11, 17, 27, 35, 28, 44, 37, 58))}


@pytest.mark.parametrize("place", list(PLACES))
def test_seven_places_in_vietnam(place: str) -> None:
    """Rain rates are rounded to 1 mm/h and losses to 1 dB there: within 0.7 dB."""
    rain, expected = PLACES[place]
    ours = [float(rain_attenuation_db(d, f, rain)) for f, d in HOPS]
    assert ours == pytest.approx(expected, abs=0.7)


def test_coefficients_of_p838_at_10_ghz() -> None:
    """Table 5 of P.838-3: k_V 0.01129, alpha_V 1.2156, k_H 0.01217, alpha_H 1.2571."""
    for polarisation, k, alpha in (("vertical", 0.01129, 1.2156), ("horizontal", 0.01217, 1.2571)):
        for rain in (1.0, 50.0):
            assert float(specific_attenuation_db_per_km(10.0, rain, polarisation)) == \
                pytest.approx(k * rain ** alpha, rel=1e-3)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.floats(2.0, 40.0), st.floats(20.0, 120.0), st.floats(1.0, 50.0))
def test_more_rain_is_never_less_loss(frequency: float, rain: float, distance: float) -> None:
    one = float(rain_attenuation_db(distance, frequency, rain))
    assert one >= 0.0
    assert float(rain_attenuation_db(distance, frequency, rain * 1.1)) >= one
    assert float(rain_attenuation_db(distance, frequency * 1.05, rain)) >= one


def test_longest_hop_just_fits() -> None:
    far = longest_hop_km(15.0, 90.0, 30.0)
    assert float(rain_attenuation_db(far, 15.0, 90.0)) <= 30.0
    assert float(rain_attenuation_db(far + 0.1, 15.0, 90.0)) > 30.0
    assert longest_hop_km(23.0, 90.0, 30.0) < far < longest_hop_km(7.5, 90.0, 30.0)


def test_gigahertz_for_megahertz_is_refused() -> None:
    with pytest.raises(OutOfRangeError, match="GHz"):
        rain_attenuation_db(10.0, 15_000.0, 90.0)
    assert np.isfinite(rain_attenuation_db(10.0, 1.0, 0.0))
