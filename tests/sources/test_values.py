"""Numbers, days and angles as people write them."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phusong.profile import Profile
from phusong.sources.angles import angle, coordinates, pair
from phusong.sources.lines import volts
from phusong.sources.values import dates, numbers, tidied, tidy

quick = settings(max_examples=60, deadline=None, derandomize=True)
GENERIC, VIETNAM = Profile.load("generic"), Profile.load("vietnam")


def column(*cells: str) -> pd.Series:
    return pd.Series(list(cells), dtype="str")


@pytest.mark.parametrize(("text", "grouped", "value"), [
    ("30,509", True, 30509), ("30.509", True, 30509), ("1.234.567", True, 1234567),
    ("30,509", False, 30.509), ("35,2", False, 35.2), ("352.0", True, 352), ("-5", False, -5),
    ("1e3", False, 1000), ("12 500", True, 12500)])
def test_numbers_are_read(text: str, grouped: bool, value: float) -> None:
    values, bad = numbers(column(text), GENERIC, grouped=grouped)
    assert not bad[0]
    assert values[0] == pytest.approx(value)


@pytest.mark.parametrize("text", ["1.234,5", "abc", "12 m", "1,2,3", "0x10", "1_000", "١٢x", "inf",
                                  "1e999"])
def test_what_is_no_number_is_bad_and_unknown(text: str) -> None:
    values, bad = numbers(column(text), GENERIC)
    assert bad[0]
    assert np.isnan(values[0])


@pytest.mark.parametrize("text", ["", "-", "N/A", "đang cập nhật", "Chưa có", "null"])
def test_words_for_nothing_are_unknown_but_not_bad(text: str) -> None:
    values, bad = numbers(column(text), VIETNAM)
    assert not bad[0]
    assert np.isnan(values[0])


@pytest.mark.parametrize(("text", "day"), [
    ("2021-09-30", "2021-09-30"), ("30/09/2021", "2021-09-30"), ("30.9.2021", "2021-09-30"),
    ("2021/9/30", "2021-09-30"), ("20210930", "2021-09-30"), ("44469", "2021-09-30"),
    ("1633000000", "2021-09-30"), ("2021-09-30T12:00:00", "2021-09-30"),
    ("03/04/2021", "2021-04-03")])
def test_days_are_read(text: str, day: str) -> None:
    values, bad = dates(column(text), VIETNAM)
    assert not bad[0]
    assert values[0] == pd.Timestamp(day)


@pytest.mark.parametrize("text", ["31/02/2021", "2021", "0001-01-01", "soon", "09/30/2021",
                                  "30/09/21"])
def test_what_is_no_day_is_bad(text: str) -> None:
    values, bad = dates(column(text), VIETNAM)
    assert bad[0]
    assert pd.isna(values[0])


@pytest.mark.parametrize(("text", "degrees", "way"), [
    ("22°20'15\"N", 22.3375, "N"), ("N22 20 15", 22.3375, "N"), ("22:20:15", 22.3375, ""),
    ("22°20'15,5\" Bắc", 22.3376389, "N"), ("103°50'Đ", 103.8333333, "E"), ("12.5W", -12.5, "W"),
    ("33.9S", -33.9, "S"), ("-22.5", -22.5, ""), ("104,2", 104.2, ""), ("103d50m24s", 103.84, "")])
def test_angles_are_read(text: str, degrees: float, way: str) -> None:
    found, direction = angle(text, VIETNAM)
    assert found == pytest.approx(degrees, abs=1e-6)
    assert direction == way


@pytest.mark.parametrize("text", ["22°70'", "1.234,5", "abc", "", "22°20'61\"", "-22 S", "22.5.3",
                                  "1 2 3 4", "22.5°20'", "N22E"])
def test_what_is_no_angle_is_nothing(text: str) -> None:
    assert math.isnan(angle(text, GENERIC)[0])


@pytest.mark.parametrize("text", ["(22.5, 103.5)", "22,5; 103,5", "22,5, 103,5", "22.5 103.5",
                                  "N22.5 E103.5", "103.5E, 22.5N", "POINT (103.5 22.5)",
                                  "22°30'N 103°30'E"])
def test_pairs_are_longitude_then_latitude(text: str) -> None:
    assert pair(text, GENERIC) == pytest.approx((103.5, 22.5))


@given(st.integers(-89, 89), st.integers(0, 59), st.integers(0, 59))
@quick
def test_degrees_minutes_seconds_survive_writing(d: int, m: int, s: int) -> None:
    text = f"{abs(d)}°{m:02d}'{s:02d}\"{'S' if d < 0 else 'N'}"
    value = (abs(d) + m / 60 + s / 3600) * (-1 if d < 0 else 1)
    assert angle(text, GENERIC)[0] == pytest.approx(value, abs=1e-9)


@given(st.text(alphabet="0123456789.,°'\"NSEWabc- ;()", max_size=20))
@quick
def test_no_text_breaks_the_readers_of_angles(text: str) -> None:
    assert isinstance(angle(text, GENERIC)[0], float)
    assert len(pair(text, GENERIC)) == 2
    values, bad = coordinates(column(text), GENERIC, "lat")
    assert not (bad[0] and np.isfinite(values[0]))


def test_a_letter_of_the_other_axis_is_refused() -> None:
    values, bad = coordinates(column("22.5N"), GENERIC, "lon")
    assert bad[0]
    assert np.isnan(values[0])


def test_voltage() -> None:
    found = volts(column("110000;20000", "35 kV", "22", "", "unknown"))
    assert found[:3].tolist() == [110000, 35000, 22000]
    assert np.isnan(found[3:]).all()


@quick
@given(st.lists(st.text(alphabet="ab \t\u00a0\u0301e\x00\x1f9", max_size=6), max_size=5))
def test_a_row_is_tidied_as_its_cells_are(cells: list[str]) -> None:
    assert tidied(cells) == [tidy(cell) for cell in cells]


@quick
@given(st.lists(st.sampled_from(["12", "1.5", "30,509", "30.509", "007", "+4", "", "n/a", "x", "٣",
                                 "1e3", "−5"]), max_size=8), st.booleans())
def test_numbers_do_not_depend_on_their_neighbours(cells: list[str], grouped: bool) -> None:
    profile = GENERIC
    values, bad = numbers(pd.Series(cells, dtype=object), profile, grouped=grouped)
    for i, cell in enumerate(cells):
        one, wrong = numbers(pd.Series([cell], dtype=object), profile, grouped=grouped)
        assert np.array_equal(one[0], values[i], equal_nan=True)
        assert wrong[0] == bad[i]
