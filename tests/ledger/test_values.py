"""Cells of reports: what is read, and what is refused because it could mean two things."""

from __future__ import annotations

import contextlib
import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phusong.errors import InputError
from phusong.ledger.events import SUBJECTS
from phusong.ledger.values import CellError, angle, clean, date_in_name, day, moment, number, pair
from phusong.ledger.words import (
    action_of,
    actions_in_vietnamese,
    fold,
    match_headers,
    technology_of,
)


@pytest.mark.parametrize(("text", "value"), [
    ("30", 30.0), ("30,5", 30.5), ("30.5 m", 30.5), ("-7", -7.0), ("1800 MHz", 1800.0),
    ("3e1", 30.0), ("−3", -3.0), ("٣", 3.0)])
def test_numbers(text: str, value: float) -> None:
    assert number(text) == value


def test_a_frequency_says_its_unit() -> None:
    for text, value in (("3,5 GHz", 3500.0), ("2.6GHz", 2600.0), ("900000 kHz", 900.0),
                        ("1800 MHz", 1800.0), ("1800", 1800.0), ("0,9ghz.", 900.0)):
        assert number(text, mhz=True) == value
    for text in ("GHz", "3.5 GHz x", "3.5 THz", "3 5 GHz", "1800 GHz MHz"):
        with pytest.raises(CellError, match="number"):
            number(text, mhz=True)
    with pytest.raises(CellError, match="bad_number"):
        number("3,5 GHz")


@pytest.mark.parametrize(("text", "code"), [
    ("1.234,5", "ambiguous_number"), ("1,234.5", "ambiguous_number"),
    ("1.234.567", "ambiguous_number"), ("", "bad_number"), ("abc", "bad_number"),
    ("nan", "bad_number"), ("inf", "bad_number"), ("1e99", "1e99"), ("30;5", "bad_number"),
    ("=1+1", "bad_number"), ("30m50", "bad_number")])
def test_numbers_that_are_none(text: str, code: str) -> None:
    if code == "1e99":
        assert number(text) == 1e99
        return
    with pytest.raises(CellError) as caught:
        number(text)
    assert caught.value.code == code


@pytest.mark.parametrize(("text", "iso"), [
    ("2021-10-05", "2021-10-05"), ("5/10/2021", "2021-10-05"), ("05.10.2021", "2021-10-05"),
    ("2021-10-05 00:00:00", "2021-10-05"), ("2021-10-05T07:30:00Z", "2021-10-05"),
    ("29/02/2020", "2020-02-29")])
def test_days_are_read_day_first(text: str, iso: str) -> None:
    assert day(text) == iso


@pytest.mark.parametrize("text", ["10/25/2021", "29/02/2021", "44475", "2021-10", "5/10/21",
                                  "1970-01-01", "0000-00-00", "hôm qua", "", "2021-10-05x"])
def test_days_that_are_none(text: str) -> None:
    with pytest.raises(CellError):
        day(text)


@pytest.mark.parametrize(("text", "axis", "degrees"), [
    ("22.35", "lat", 22.35), ("22,35", "lat", 22.35), ("22°21'00\"N", "lat", 22.35),
    ("N22 21 00", "lat", 22.35), ("22°21′00″B", "lat", 22.35), ("103 50 24", "lon", 103.84),
    ("103°50.4'E", "lon", 103.84), ("103°50'24,0\" Đ", "lon", 103.84), ("W103.84", "lon", -103.84),
    ("-22 21 00", "lat", -22.35), ("22° 21' S", "lat", -22.35)])
def test_angles(text: str, axis: str, degrees: float) -> None:
    assert angle(text, axis) == pytest.approx(degrees, abs=1e-9)


@pytest.mark.parametrize(("text", "axis"), [
    ("22°61'00\"", "lat"), ("22E", "lat"), ("103N", "lon"), ("N22S", "lat"), ("-22°S", "lat"),
    ("1.234,5", "lat"), ("", "lat"), ("22°21'75\"", "lat"), ("a°b'", "lat")])
def test_angles_that_are_none(text: str, axis: str) -> None:
    with pytest.raises(CellError) as caught:
        angle(text, axis)
    assert caught.value.code == "bad_coordinate"


@settings(derandomize=True, deadline=None, max_examples=150)
@given(st.floats(-180, 180, allow_nan=False))
def test_degrees_minutes_seconds_come_back(degrees: float) -> None:
    whole = abs(degrees)
    d, m = int(whole), int((whole - int(whole)) * 60)
    s = (whole - d - m / 60) * 3600
    text = f"{d}°{m:02d}'{max(s, 0.0):07.4f}\"{'E' if degrees >= 0 else 'W'}"
    if s < 59.9999:
        assert angle(text, "lon") == pytest.approx(degrees, abs=1e-7)


def test_pairs() -> None:
    assert pair("(22.35, 103.84)") == ("22.35", "103.84")
    assert pair("22,35; 103,84") == ("22,35", "103,84")
    with pytest.raises(CellError):
        pair("22.35")


@settings(derandomize=True, deadline=None, max_examples=300)
@given(st.text(max_size=40))
def test_any_text_gives_a_value_or_a_word(text: str) -> None:
    for parse in (number, day, pair, clean, lambda t: angle(t, "lat"), lambda t: angle(t, "lon")):
        with contextlib.suppress(CellError):
            parse(text)
    assert isinstance(fold(text), str)
    action_of(text, "site")
    technology_of(text)


def test_invisible_characters_do_not_make_another_code() -> None:
    assert clean("\ufeffVT\u200b-001 ") == "VT-001"
    assert clean("Ho\u0300a") == "Hòa"
    with pytest.raises(CellError):
        clean("a\x07b")


@pytest.mark.parametrize(("text", "ours"), [
    ("4G", "LTE"), ("LTE 1800", "LTE"), ("eNodeB", "LTE"), ("2g", "GSM"), ("3G/4G", None),
    ("WCDMA", "UMTS"), ("6G", None), ("", None)])
def test_technologies(text: str, ours: str | None) -> None:
    assert technology_of(text) == ours


@pytest.mark.parametrize(("text", "ours"), [
    ("Mới", "new"), ("THÁO DỠ", "decommission"), ("off", "decommission"), ("di dời", "move"),
    ("Đính chính", "change"), ("rút lại", "retract"), ("xóa", None)])
def test_actions_in_two_languages(text: str, ours: str | None) -> None:
    assert action_of(text, "site") == ours


@pytest.mark.parametrize("subject", [name for name in SUBJECTS if name != "decision"])
def test_an_operator_is_told_words_that_are_understood(subject: str) -> None:
    told = actions_in_vietnamese(subject)
    assert tuple(action_of(word, subject) for word in told) == SUBJECTS[subject]
    assert not set(told) & set(SUBJECTS[subject])


def test_headers_in_two_languages_and_the_operators_own() -> None:
    headers = ["Mã trạm", "Ngày hiệu lực", "VĨ ĐỘ", "Kinh độ", "CODE_X", "Ghi chú"]
    found = match_headers(headers, "site", {"cell_code": "code x"})
    assert found == {"cell_code": "CODE_X", "site_code": "Mã trạm", "lat": "VĨ ĐỘ",
                     "effective_date": "Ngày hiệu lực", "lon": "Kinh độ", "reason": "Ghi chú"}
    with pytest.raises(InputError, match="site_code"):
        match_headers(headers, "site", {"sitecode": "x"})


def test_days_in_file_names() -> None:
    assert date_in_name("2021-10-08_VNPT.csv") == "2021-10-08"
    assert date_in_name("bao_cao_20211008.xlsx") == "2021-10-08"
    assert date_in_name("2021-10-08_to_2021-10-15.csv") == ""
    assert date_in_name("1234567890.csv") == date_in_name("tuan_40.csv") == ""


def test_moments() -> None:
    assert moment("2021-10-05") == "2021-10-05T00:00:00"
    assert moment(dt.date(2021, 10, 5)) == "2021-10-05T00:00:00"
    assert moment(dt.datetime(2021, 10, 5, 17, 30, 1, 999)) == "2021-10-05T17:30:01"
    with pytest.raises(InputError, match="no time"):
        moment("last week")
