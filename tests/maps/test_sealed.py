"""The file: it stands alone, the same each time, appears whole, and refuses what it cannot hold."""

from __future__ import annotations

import base64
import hashlib
import os
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import folium
import pytest
from folium.plugins import MarkerCluster
from phusong.errors import InputError, UnknownNameError
from phusong.maps import draw, escaped, save, seal
from phusong.maps.layer import Verbatim
from phusong.nouns import Text
from small_study import InventedStudy

VENDOR = files("phusong.maps") / "vendor"


def test_vendored_files_are_the_pinned_ones() -> None:
    pinned = dict(reversed(line.split()) for line in
                  (VENDOR / "SHA256SUMS").read_text(encoding="ascii").splitlines())
    assert set(pinned) == {"leaflet.js", "leaflet.css", "leaflet-icons.js",
                           "LICENSE.leaflet.txt"}
    for name, digest in pinned.items():
        assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == digest, name


@pytest.fixture(scope="module")
def flat(small: dict[str, Any]) -> dict[str, Any]:
    """The small study without its relief, which takes the longest to draw."""
    return {name: table for name, table in small.items() if name != "terrain"}


def test_the_same_input_gives_the_same_bytes(small: dict[str, Any], small_page: Path) -> None:
    assert seal(draw(**small)) == small_page.read_text(encoding="utf-8")


def test_the_order_of_rows_does_not_matter(flat: dict[str, Any]) -> None:
    turned = dict(flat)
    for name in ("points", "service", "sites", "spots", "reach", "costs"):
        turned[name] = flat[name].iloc[::-1]
    assert seal(draw(**turned)) == seal(draw(**flat))


def test_nothing_is_written_into_the_input(flat: dict[str, Any]) -> None:
    before = {name: flat[name].copy() for name in ("points", "service", "sites", "plan")}
    draw(**flat)
    for name, frame in before.items():
        assert frame.equals(flat[name]), name


def test_the_page_names_no_address_that_a_browser_would_fetch(small_page: Path) -> None:
    page = small_page.read_text(encoding="utf-8")
    assert not re.findall(r"<(?:script|link|img|iframe)[^>]+(?:src|href)=", page)
    assert "sourceMappingURL" not in page
    assert "@import" not in page
    assert not re.findall(r"url\((?!data:|#|\s*\"?data:)[^)]", page.split("<script>")[0])


def test_every_script_is_named_by_its_hash(small_page: Path) -> None:
    page = small_page.read_text(encoding="utf-8")
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)
    assert policy is not None
    assert "default-src 'none'" in policy[1]
    assert "unsafe-inline" not in policy[1].split("script-src")[1].split(";")[0]
    scripts = [text for kind, text in re.findall(r"<script([^>]*)>(.*?)</script>", page, re.S)
               if "octet" not in kind]
    assert len(scripts) >= 3
    for text in scripts:
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy[1]


def test_licence_of_leaflet_goes_with_the_page(small_page: Path) -> None:
    page = small_page.read_text(encoding="utf-8")
    assert "Redistribution and use in source and binary forms" in page


def test_further_folium_layers_are_sealed_with_it(flat: dict[str, Any]) -> None:
    drawn = draw(**flat)
    folium.CircleMarker((22.6, 103.5), tooltip=escaped("<b>${x}`")).add_to(drawn)
    page = seal(drawn)
    assert "L.circleMarker" in page
    assert "&#60;b&#62;&#36;&#123;x&#125;&#96;" in page


def test_what_needs_a_network_is_refused_by_name(flat: dict[str, Any]) -> None:
    drawn = draw(**flat)
    folium.TileLayer("https://tiles.example/{z}/{x}/{y}.png", attr="x").add_to(drawn)
    MarkerCluster().add_to(drawn)
    with pytest.raises(InputError, match="markercluster") as told:
        seal(drawn)
    assert "tiles.example" in str(told.value)


def test_a_notebook_shows_the_map_without_a_network(flat: dict[str, Any]) -> None:
    drawn = draw(**flat)
    shown = drawn._repr_html_()
    assert isinstance(drawn, folium.Map)
    assert "<iframe" in shown
    assert not re.findall(r"&lt;(?:script|link)[^&]+(?:src|href)=", shown)


def test_verbatim_text_is_no_template() -> None:
    assert Verbatim("{{ 1 + 1 }} {% x %}").render() == "{{ 1 + 1 }} {% x %}"


def test_a_failed_write_leaves_the_old_page(flat: dict[str, Any], tmp_path: Path,
                                            monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "index.html"
    page.write_text("old", encoding="utf-8")

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="space"):
        save(draw(**flat), page)
    assert page.read_text(encoding="utf-8") == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["index.html"]


def test_tables_that_do_not_belong_together_are_refused(flat: dict[str, Any]) -> None:
    stranger = flat["service"].rename(index={flat["service"].index[0]: "99999"})
    with pytest.raises(InputError, match="99999"):
        draw(**{**flat, "service": stranger})
    with pytest.raises(InputError, match="coordinate reference"):
        draw(**{**flat, "points": flat["points"].set_crs(None, allow_override=True)})
    with pytest.raises(UnknownNameError, match="vi"):
        draw(**{**flat, "language": "fr"})


def test_a_study_with_nothing_but_points(flat: dict[str, Any]) -> None:
    bare = {name: flat[name] for name in ("study", "points", "service", "sites")}
    assert len(seal(draw(**{**bare, "sites": bare["sites"].iloc[:0]}))) > 100_000


def test_a_title_cannot_leave_its_place(flat: dict[str, Any]) -> None:
    study = InventedStudy(title=Text(en="</title><script>alert(1)</script>", vi=""))
    page = seal(draw(**{**flat, "study": study}))
    assert "<script>alert(1)" not in page
