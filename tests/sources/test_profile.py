"""Profiles: spellings fold, words are found whole, nothing else knows a country."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phusong.errors import UnknownNameError
from phusong.profile import Profile, fold


@pytest.mark.parametrize(("a", "b"), [
    ("Tên trường*", "ten_truong"), ("Hoà", "Hòa"), ("Đà Nẵng", "Ða Nang"),
    ("MÃ  XÃ", "ma_xa"), ("Tên Trường", "TÊN TRƯỜNG")])
def test_spellings_of_one_name_fold_together(a: str, b: str) -> None:
    assert fold(a) == fold(b)


@given(st.text(max_size=30))
@settings(max_examples=100, deadline=None, derandomize=True)
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


def test_vietnam_extends_generic(vietnam: Profile, generic: Profile) -> None:
    assert vietnam.currency == "VND"
    assert vietnam.languages == ("vi", "en")
    assert round(3_000e9 / vietnam.currency_per_usd / 1e6, 1) == 131.5
    for role, columns in generic.aliases.items():
        for column, spelt in columns.items():
            assert set(spelt) <= set(vietnam.aliases[role][column])


@pytest.mark.parametrize(("text", "levels"), [
    ("Trường PTDTBT Tiểu học và THCS số 2", {"primary", "lower_secondary"}),
    ("TH&THCS Nậm Pung", {"primary", "lower_secondary"}),
    ("Trường THPT Chuyên", {"upper_secondary"}),
    ("Trung học cơ sở", {"lower_secondary"}),
    ("Thanh Hoá", set())])
def test_levels_are_a_set_found_by_whole_words(vietnam: Profile, text: str,
                                               levels: set[str]) -> None:
    assert set(vietnam.values_in("levels", text)) == levels


def test_unknown_profile_offers_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match='Did you mean "vietnam"'):
        Profile.load("vietnm")


def test_no_spelling_names_two_columns_of_one_role(vietnam: Profile) -> None:
    for role, columns in vietnam.aliases.items():
        owner: dict[str, str] = {}
        for column, spelt in columns.items():
            for word in {fold(s) for s in (column, *spelt)}:
                assert owner.setdefault(word, column) == column, (role, word)


def test_readers_know_no_country(root: Path) -> None:
    folder = root / "coverage/phusong/sources"
    words = re.compile(r"vietnam|viettel|\bVND\b|EPSG:(34|92|58|48)", re.IGNORECASE)
    for path in folder.glob("*.py"):
        if path.name.startswith("fictional"):
            continue
        code = [line for line in path.read_text().splitlines() if not re.search(r'"""|#|>>>', line)]
        assert not [line for line in code if words.search(line)], path.name
