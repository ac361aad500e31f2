"""Text from before Unicode: recognised, converted where it reads better, left alone elsewhere."""

from __future__ import annotations

import shutil
import subprocess
import unicodedata
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest
from phusong.geo import DEGREES
from phusong.profile import Profile
from phusong.sources.old_text import converted, score, tcvn3, vni
from phusong.sources.points import read_points
from phusong.sources.source import Source
from small_register import SCHOOLS, Place

VIETNAM = Profile.load("vietnam")
VNI = {"Trường Tiểu học Nguyễn Huệ": "Tröôøng Tieåu hoïc Nguyeãn Hueä",
       "Xin chào các bạn": "Xin chaøo caùc baïn", "ĐƯỜNG ĐÈO Ô QUY HỒ": "ÑÖÔØNG ÑEØO OÂ QUY HOÀ",
       "Mỹ Đức, Lý Sơn, Vĩnh Phúc": "Myõ Ñöùc, Lyù Sôn, Vónh Phuùc"}


def in_tcvn(text: str) -> bytes:
    """Write text in TCVN by the system's own table, which is not the program's."""
    if shutil.which("iconv") is None:
        pytest.skip("no iconv on this machine to write TCVN with")
    done = subprocess.run(["iconv", "-f", "UTF-8", "-t", "TCVN5712-1"], capture_output=True,
                          input=unicodedata.normalize("NFC", text).encode(), check=True)
    return done.stdout


@pytest.mark.parametrize(("modern", "old"), VNI.items())
def test_vni_by_published_examples(modern: str, old: str) -> None:
    assert vni(old) == unicodedata.normalize("NFC", modern)


def test_every_small_letter_of_tcvn_by_the_systems_table() -> None:
    letters = "àảãáạằẳẵắặầẩẫấậèẻẽéẹềểễếệìỉĩíịòỏõóọồổỗốộờởỡớợùủũúụừửữứựỳỷỹýỵăâêôơưđ"
    assert tcvn3(in_tcvn(letters).decode("latin-1")) == letters


def test_a_whole_list_in_tcvn(place: Place) -> None:
    text = SCHOOLS.to_csv(index=False).lower()
    (place.folder / "a.csv").write_bytes(in_tcvn(text))
    reading = read_points(Source(file="a.csv", kind="school"), place.folder, DEGREES, VIETNAM)
    assert reading.table["name"].tolist() == [name.lower() for name in SCHOOLS["ten_truong"]]
    fault = next(f for f in reading.faults if f.code == "old_charset")
    assert "TCVN3" in fault.what
    assert "->" in fault.what


def test_a_vni_header_is_understood_in_a_unicode_file(place: Place) -> None:
    frame = SCHOOLS.rename(columns={"ten_truong": "Teân tröôøng", "cap_hoc": "Caáp hoïc"})
    frame["Teân tröôøng"] = ["Tröôøng Tieåu hoïc Baéc Haø"] * 6
    place.write("a.csv", frame)
    reading = read_points(Source(file="a.csv", kind="school"), place.folder, DEGREES, VIETNAM)
    assert set(reading.table["name"]) == {"Trường Tiểu học Bắc Hà"}
    assert set(reading.table["level"]) == {"primary", "lower_secondary", "upper_secondary",
                                           "preschool", "lower_secondary;primary"}


@pytest.mark.parametrize("texts", [
    ["Lycée français", "École élémentaire", "Évêque"], ["España", "Ñuñoa", "Año", "Cañón"],
    ["Escola Sant Julià de Lòria", "Ordino", "Encamp", "Canòlich", "Nagòl"],
    ["Trường Tiểu học", "Đắk Lắk", "Xã Ngọk Réo"], ["Größe", "Straße", "Mühl"], []])
def test_other_text_is_left_alone(texts: list[str]) -> None:
    assert converted(texts) == ("", texts)


def test_3321_real_names_there_and_back(shared: Path) -> None:
    names = gpd.read_file(shared / "data/admin_vn/communes_2025_simplified.gpkg",
                          ignore_geometry=True)["name"].tolist()
    assert score(names)[0] > 0.98
    assert converted(names)[0] == ""
    small = [unicodedata.normalize("NFC", name.lower()) for name in names]
    old = in_tcvn("\n".join(small)).decode("cp1252", errors="replace").split("\n")
    charset, back = converted(old)
    assert charset == "TCVN3"
    assert pd.Series(back).eq(pd.Series(small)).all()


def test_layers_are_converted_too(place: Place) -> None:
    frame: Any = gpd.GeoDataFrame(
        {"Teân": ["Tröôøng Tieåu hoïc", "Tröôøng Maàm non", "Ñieåm tröôøng"]},
        geometry=gpd.points_from_xy([103.8] * 3, [22.3, 22.31, 22.32]), crs=4326)
    frame.to_file(place.folder / "a.gpkg")
    reading = read_points(Source(file="a.gpkg", kind="school"), place.folder, DEGREES, VIETNAM)
    assert sorted(reading.table["name"]) == ["Trường Mầm non", "Trường Tiểu học", "Điểm trường"]
