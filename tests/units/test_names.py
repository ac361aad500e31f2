"""Names and codes: equal spellings meet, different names do not; the list of a code is proven."""

from __future__ import annotations

import datetime as dt
import unicodedata
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phusong.units import UnitList, match_names, name_key, restore_zeros, same_name, vintage_of

KINDS = ("xã", "phường", "thị trấn", "tỉnh", "thành phố")
OLD = UnitList(dt.date(2025, 3, 1), {"00004": ("Phường Trúc Bạch", "01"),
                                     "00001": ("Phường Phúc Xá", "01"),
                                     "03043": ("Xã Tả Van", "10")}, KINDS)
NEW = UnitList(dt.date(2025, 7, 1), {"00004": ("Phường Ba Đình", "01"),
                                     "03043": ("Xã Tả Van", "15"),
                                     "06978": ("Xã Ba Chẽ", "22")}, KINDS)


@pytest.mark.parametrize(("one", "other"), [
    ("Xuân Hoà", "Xuân Hòa"), ("Thuỷ Ðông", "Thủy Đông"), ("Hoài Đức", "HOÀI ĐỨC"),
    ("Quý Hoá", "Quý Hóa"), ("Nậm  Xé ", "nậm xé"), ("Ea H’leo", "Ea H'leo"),
    ("Khuôn Hà", unicodedata.normalize("NFD", "Khuôn Hà"))])
def test_one_name_spelt_in_two_ways(one: str, other: str) -> None:
    assert name_key(one) == name_key(other)
    assert same_name(f"Xã {one}", other, KINDS)


@pytest.mark.parametrize(("one", "other"), [("Tân Lập", "Tân Lạp"), ("Hòa Bình", "Hóa Bình"),
                                            ("Mường Khoa", "Mường Khoá"), ("Đông Du", "Dông Du")])
def test_different_names_stay_apart(one: str, other: str) -> None:
    assert name_key(one) != name_key(other)
    assert not same_name(one, other)


@given(st.text(alphabet="aăâbcdđeêghioôơuưxy àáảãạằắẳẵặềếểễệồốộớợừứ", max_size=20))
@settings(max_examples=100, deadline=None, derandomize=True)
def test_composition_and_case_never_matter(text: str) -> None:
    assert name_key(text) == name_key(unicodedata.normalize("NFD", text).upper())
    assert name_key(name_key(text)) == name_key(text)


def test_a_name_counts_only_if_it_names_one_unit() -> None:
    units = {"1": ("Xã Xuân Hòa", "Tỉnh Lào Cai"), "2": ("Xã Xuân Hòa", "Tỉnh Sóc Trăng"),
             "3": ("Phường Mỹ Lộc", "Tỉnh Nam Định"), "4": ("Xã Bát Xát", "Tỉnh Lào Cai")}
    names = ["Xuân Hoà", "xã Xuân Hoà", "My Loc", "Mĩ Lộc", "Xa Bat Xat", "Bát Xát", "Sa Pa", ""]
    groups = ["", "Lào Cai", "", "nam dinh", "", "Hà Nội", "", ""]
    codes, how = match_names(names, groups, units, KINDS)
    assert codes == ["", "1", "3", "3", "4", "4", "", ""]
    assert how == ["ambiguous", "exact", "loose", "loose", "loose", "bare", "unmatched", ""]


def test_zeros_come_back_only_where_the_code_exists() -> None:
    given_codes = ["1", "4", "97", "00004", "", "3043", "1.0", "x4"]
    assert restore_zeros(given_codes, OLD.units, 5) == ["00001", "00004", "97", "00004", "",
                                                        "03043", "1.0", "x4"]


def test_a_code_in_one_list_only_proves_it_and_the_rest_follow() -> None:
    found = vintage_of(["00001", "00004", "03043", ""], ["", "", "", ""], [OLD, NEW])
    assert found.counts == {OLD.day: 1, NEW.day: 0}
    assert not found.mixed
    assert found.days.astype(str).tolist() == ["2025-03-01"] * 3 + ["NaT"]
    assert found.proven.tolist() == [True, False, False, False]


def test_mixed_vintages_are_detected_by_code_and_by_name() -> None:
    """Of 3,321 codes of 2025, 3,315 were codes of other communes before: names tell them apart."""
    found = vintage_of(["00001", "06978", "03043"], ["", "", ""], [OLD, NEW])
    assert found.mixed
    assert np.isnat(found.days[2])
    named = vintage_of(["00004", "00004", "03043"], ["Ba Đình", "phường Trúc Bạch", "Tả Van"],
                       [OLD, NEW])
    assert named.mixed
    assert named.days.astype(str).tolist() == ["2025-07-01", "2025-03-01", "NaT"]


def test_a_declared_day_speaks_for_rows_without_proof_only() -> None:
    found = vintage_of(["03043", "00004"], ["", "Trúc Bạch"], [OLD, NEW], declared=NEW.day)
    assert found.days.astype(str).tolist() == ["2025-07-01", "2025-03-01"]
    assert found.counts == {OLD.day: 1, NEW.day: 0}


def test_every_predecessor_of_the_real_lists_is_named_once(shared: Path) -> None:
    """Population table and polygons spell 3,321 names by different rules of tone placement."""
    folder = shared / "data/admin_vn"
    people = pd.read_csv(folder / "communes_2025_population_predecessors.csv.gz", dtype=str)
    rows = pd.read_csv(folder / "crosswalk_legacy_to_2025.csv.gz", dtype=str)
    units = {code: (name, province) for code, name, province in zip(
        rows["newWardCode"], rows["newWard"], rows["newProvince"], strict=True)}
    names = (people["loai"] + " " + people["tenhc"]).tolist()
    codes, how = match_names(names, people["tentinh"].tolist(), units,
                             (*KINDS, "đặc khu", "thủ đô"))
    assert len(set(codes) - {""}) >= 3_300
    assert len([c for c in codes if c]) == len(set(codes) - {""}), "no unit is named twice"
    assert how.count("unmatched") + how.count("ambiguous") == len(names) - len(set(codes) - {""})
