"""The map is a folium.Map: it takes what folium has, sealed or, by choice, online."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import folium
import numpy as np
import pytest
from folium.plugins import MeasureControl, MiniMap
from phusong.errors import InputError
from phusong.maps import Tiles, draw, escaped, save, seal

NAME = "<b>Bản ${1} `Phủ`</b>"
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360f8"
    "cfc0f01f00050001ff56c72f0d0000000049454e44ae426082")


@pytest.fixture
def flat(small: dict[str, Any]) -> dict[str, Any]:
    """The small study without its relief, which takes the longest to draw."""
    return {name: table for name, table in small.items() if name != "terrain"}


@pytest.mark.browser
def test_markers_groups_pictures_and_a_layer_control_in_a_sealed_page(
        opened: Callable, flat: dict[str, Any], tmp_path: Path) -> None:
    drawn = draw(**flat)
    group = folium.FeatureGroup("Visits").add_to(drawn)
    folium.Marker((22.62, 103.55), popup=folium.Popup(escaped(NAME)),
                  tooltip=escaped(NAME)).add_to(group)
    folium.raster_layers.ImageOverlay(
        np.zeros((2, 2, 4)), bounds=[[22.50, 103.40], [22.52, 103.42]]).add_to(drawn)
    folium.GeoJson({"type": "Feature", "properties": {}, "geometry": {
        "type": "LineString", "coordinates": [[103.4, 22.5], [103.6, 22.7]]}}).add_to(drawn)
    folium.LayerControl(collapsed=False).add_to(drawn)
    seen = opened(save(drawn, tmp_path / "page.html"))
    seen.page.locator(".leaflet-marker-icon").click()
    seen.page.wait_for_selector(".leaflet-popup-content")
    assert seen.page.locator(".leaflet-popup-content").inner_text().strip() == NAME
    seen.page.locator(".leaflet-control-layers input").first.uncheck()
    assert seen.page.locator(".leaflet-marker-icon").count() == 0
    assert seen.errors == []
    assert [r for r in seen.requests if not r.startswith("data:")] == [seen.page.url]


def test_plug_ins_are_refused_sealed_and_named_in_the_policy_online(flat: dict[str, Any]) -> None:
    drawn = draw(**flat)
    MiniMap(tile_layer=folium.TileLayer("https://{s}.tiles.example/{z}/{x}/{y}.png",
                                        attr="x")).add_to(drawn)
    MeasureControl().add_to(drawn)
    with pytest.raises(InputError, match=r"(?s)measure.*tiles\.example|tiles\.example.*measure"):
        seal(drawn)
    page = seal(drawn, online=True)
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)
    assert policy is not None
    rules = dict(rule.strip().split(" ", 1) for rule in policy[1].split(";"))
    for rule in ("script-src", "style-src", "img-src"):
        assert "https://cdn.jsdelivr.net" in rules[rule]
    assert "https://*.tiles.example" in rules["img-src"]
    assert rules["default-src"] == "'none'"
    assert "unsafe-inline" not in rules["script-src"]


@pytest.fixture
def server() -> Iterator[tuple[str, list[str]]]:
    """A server of tiles on this machine, and what it was asked for."""
    asked: list[str] = []

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Type", "image/png")
            self.end_headers()
            self.wfile.write(PIXEL)

        def log_message(self, *about: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Answer) as listening:
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{listening.server_port}", asked
        listening.shutdown()


@pytest.mark.browser
def test_tiles_by_choice(chromium: Any, server: tuple[str, list[str]], small: dict[str, Any],
                         tmp_path: Path) -> None:
    """Only the named server is asked; the reader can go back to the relief."""
    host, asked = server
    drawn = draw(**small, tiles=Tiles(f"{host}/{{z}}/{{x}}/{{y}}.png", "© <b>Somebody"))
    with pytest.raises(InputError, match=r"127\.0\.0\.1"):
        seal(drawn)
    path = save(drawn, tmp_path / "page.html", online=True)
    context = chromium.new_context(viewport={"width": 1000, "height": 700})
    page, told = context.new_page(), []
    page.on("console", lambda m: told.append(m.text))
    page.goto(path.as_uri())
    page.wait_for_selector("body[data-ready]")
    page.wait_for_selector(".leaflet-tile-loaded")
    assert asked
    assert all(re.fullmatch(r"/\d+/\d+/\d+\.png", path) for path in asked)
    assert "© <b>Somebody" in page.locator(".leaflet-control-attribution").inner_text()
    assert "tên gọi và ranh giới trên nền là của nhà cung cấp" in page.evaluate(
        "document.querySelector('.panel').textContent")
    shown = "getComputedStyle(document.querySelector('.leaflet-tile-pane')).display"
    assert page.evaluate(shown) == "block"
    page.locator(".tick", has_text="Nền bản đồ từ internet").locator("input").uncheck()
    assert page.evaluate(shown) == "none"
    assert told == []
    context.close()


def test_a_template_of_tiles_is_looked_at() -> None:
    for url in ("ftp://x/{z}/{x}/{y}", "https://x/{z}/{x}.png", "https://x y/{z}/{x}/{y}",
                "https://x/{z}/{x}/{y}\"><script>", "javascript:{x}{y}{z}"):
        with pytest.raises(InputError, match="template"):
            Tiles(url, "")
