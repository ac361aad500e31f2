"""A `folium.Map` with our own layer: one block of columns, drawn on one canvas by ``page/*.js``."""

from __future__ import annotations

import html
from functools import lru_cache
from importlib.resources import files
from typing import Any

import folium
from branca.element import Element, Figure, MacroElement

__all__ = ["BriefingLayer", "BriefingMap", "Verbatim", "escaped", "page_script", "page_style"]

SCRIPTS = ("unpack.js", "words.js", "signs.js", "data.js", "ground.js", "overlays.js", "scene.js",
           "cards.js", "numbers.js", "plan.js", "panel.js", "legend.js", "search.js", "open.js")
"""Files of ``page/`` in the order in which they are joined."""

_UNSAFE = {ord(c): f"&#{ord(c)};" for c in "&<>\"'`$\\{}"}


def escaped(text: object) -> str:
    """Return `text` safe for any place that folium or branca writes it to.

    Folium writes popups, tooltips and names into HTML and into JavaScript
    template literals, and escapes for neither.  Ten characters become
    entities; the reader sees them as they were.

    Examples
    --------
    >>> escaped("<b>${x}")
    '&#60;b&#62;&#36;&#123;x&#125;'
    """
    return str(text).translate(_UNSAFE)


class Verbatim(Element):
    """Text that goes into the page as it is: it never passes through a template.

    Parameters
    ----------
    text : str
        HTML, safe by its making.
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self._name = "Verbatim"
        self.text = text

    def render(self, **about: Any) -> str:
        """Return the text."""
        return self.text


def _read(*path: str) -> str:
    place = files("phusong.maps")
    for part in path:
        place = place / part
    return place.read_text(encoding="utf-8").replace("\r\n", "\n")


@lru_cache(maxsize=1)
def page_script() -> str:
    """Return the program of the page: one closed function that gives out ``phusong.open``."""
    parts = "\n".join(_read("page", name) for name in SCRIPTS)
    return f'var phusong = (function () {{\n"use strict";\n{parts}\nreturn {{open: open}};\n}})();'


@lru_cache(maxsize=1)
def page_style() -> str:
    """Return the style of the page."""
    return _read("page", "page.css")


@lru_cache(maxsize=1)
def _leaflet() -> tuple[str, str, str]:
    """Leaflet's program (without the pointer to a source map), style and licence."""
    program = _read("vendor", "leaflet.js").split("//# sourceMappingURL")[0]
    program += _read("vendor", "leaflet-icons.js") + _read("page", "popup.js")
    return program, _read("vendor", "leaflet.css"), _read("vendor", "LICENSE.leaflet.txt")


class BriefingLayer(MacroElement):
    """Everything that a briefing shows, as one compressed block.

    Parameters
    ----------
    block : str
        base64 of gzip, as `phusong.maps.pack.Block.sealed` makes it.
    title : str
        Title of the page, not yet escaped.
    notice : str
        What a browser without JavaScript shows, not yet escaped.
    """

    def __init__(self, block: str, title: str, notice: str) -> None:
        super().__init__()
        self._name = "BriefingLayer"
        self.block, self.title, self.notice = block, title, notice

    def render(self, **about: Any) -> str:
        """Write style and program into the figure's head, the block into its body."""
        figure = self.get_root()
        if not isinstance(figure, Figure) or self._parent is None:
            raise TypeError("A BriefingLayer must be added to a map before it is drawn.")
        name, block = self.get_name(), f"{self.get_name()}_block"
        figure.header.add_child(Verbatim(f"<title>{html.escape(self.title)}</title>"),
                                name="phusong_title")
        figure.header.add_child(Verbatim(f"<style>\n{page_style()}</style>"),
                                name="phusong_style")
        figure.header.add_child(Verbatim(f"<script>\n{page_script()}\n</script>"),
                                name="phusong_script")
        figure.html.add_child(Verbatim(
            f'<noscript><p>{html.escape(self.notice)}</p></noscript>\n'
            f'<script type="application/octet-stream" id="{block}">{self.block}</script>'),
            name=name)
        figure.script.add_child(Verbatim(
            f'phusong.open({self._parent.get_name()}, document.getElementById("{block}"));'),
            name=name)
        return super().render(**about) or ""


class BriefingMap(folium.Map):
    """A `folium.Map` that carries Leaflet with it instead of fetching it.

    Further folium layers can be added as usual; those that need more than
    Leaflet (plug-ins, tiles) work in a notebook that is online, and are saved
    with ``online=True``.
    """

    default_js: list[tuple[str, str]] = []  # noqa: RUF012
    default_css: list[tuple[str, str]] = []  # noqa: RUF012

    def __init__(self, location: tuple[float, float], language: str = "vi", *,
                 credited: bool = False) -> None:
        super().__init__(location=location, zoom_start=8, tiles=None,
                         control_scale=False, zoom_control=False, prefer_canvas=True,
                         maxZoom=18, minZoom=2, zoomSnap=0.25, attributionControl=credited,
                         fadeAnimation=False)
        self.language = language

    def render(self, **about: Any) -> str:
        """Write Leaflet into the figure's head, then the map."""
        figure = self.get_root()
        if not isinstance(figure, Figure):
            raise TypeError("A map is drawn as part of a figure.")
        program, style, licence = _leaflet()
        figure.header.add_child(Verbatim(
            '<meta name="referrer" content="no-referrer">\n'
            f"<!-- Leaflet 1.9.4\n{licence.replace('--', '- -')}-->\n"
            f"<style>\n{style}</style>\n<script>\n{program}</script>"), name="phusong_leaflet")
        return super().render(**about) or ""
