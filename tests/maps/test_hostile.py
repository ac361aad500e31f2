"""No name can run a script, in whatever column it stands, and each is shown as it was written."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from phusong.maps import draw, save
from phusong.maps.figures import situation
from phusong.nouns import Text
from small_study import InventedStudy, small_study

_TAGS = ("<script>{x}</script>", "</script><script>{x}</script>", "<img src=x onerror={x}>",
         "<svg onload={x}>", "<iframe srcdoc='<script>{x}</script>'></iframe>",
         "<a href='javascript:{x}'>a</a>", "<style>@import 'https://evil.example/{x}'</style>",
         "<body onload={x}>", "<input autofocus onfocus={x}>", "<details open ontoggle={x}>",
         "<math><mtext></form><form><mglyph><style></math><img src onerror={x}>",
         "<link rel=stylesheet href=https://evil.example/{x}>", "<base href=https://evil.example/>",
         "<meta http-equiv=refresh content='0;url=javascript:{x}'>",
         "<object data='javascript:{x}'>",
         "<video><source onerror={x}></video>", "<!--<script>{x}</script>-->", "<![CDATA[{x}]]>")
_BREAKS = ("${{{x}}}", "`+{x}+`", "`${{{x}}}`", "\\`${{{x}}}", "\\\\`+{x}//", "';{x};'", '";{x};"',
           "*/{x}/*", "-->{x}<!--", "{{{{{x}}}}}", "{{% {x} %}}", "{{# {x} #}}", "{{{{ 7*7 }}}}",
           "\n{x}\n", "\r\n{x}", "\u2028{x}", "\u2029{x}", "\x00{x}", "\t{x}", "&lt;script&gt;{x}",
           "&#60;script&#62;{x}", "\\u003cscript\\u003e{x}", "%3Cscript%3E{x}", "\\x3cscript>{x}")
_ODD = ("=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(1)", "=HYPERLINK(\"https://evil.example\")",
        "\u202egnp.exe", "\u200f\u200eabc", "\ufeffBOM", "a\u0301\u0301\u0301", "Hoa\u0300",
        "00123", "1e5", "NaN", "null", "undefined", "__proto__", "constructor", "toString",
        "hasOwnProperty", "[object Object]", "true", "\u00a0", "...", "x" * 300, "Đ\u00d0đ",
        "Trường “Tiểu học” số 1", "𝒯𝑒𝓈𝓉", "👩‍🏫", "\U0010ffff",
        "{n}", "{total}", "%s", "$&", "$1", "\\",
        "'", '"', "`", "<", ">", "&", ";", "a;b", "<b>", "</title>", "</style>", "</noscript>",
        "]]>", "javascript:alert(1)", "data:text/html,<script>alert(1)</script>",
        "../../etc/passwd",
        "CON", "'; DROP TABLE points; --", "￿￾", "ﷺ" * 4, "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘G̴̻͈͍͔̹̑͗̎̅͛́Ǫ̵̹̻̝̳͂̌̌͘")
HOSTILE = [t.format(x="window.harmed=1") for t in (*_TAGS, *_BREAKS)] + list(_ODD)
TEXT_OF_POINTS = ("name", "level", "commune_name", "targets", "parent_id", "location_source",
                  "assumed", "source")
TEXT_OF_SITES = ("site_id", "operator", "assumed", "source")

pytestmark = pytest.mark.browser


def _study() -> dict[str, Any]:
    """A study in which every text of every table is hostile."""
    n = len(HOSTILE)
    out = small_study(n)
    points, sites, spots = out["points"].copy(), out["sites"].copy(), out["spots"].copy()
    for k, column in enumerate(TEXT_OF_POINTS):
        points[column] = [HOSTILE[(i + k) % n] for i in range(n)]
    for k, column in enumerate(TEXT_OF_SITES):
        sites[column] = [HOSTILE[(3 * i + k) % n] for i in range(len(sites))]
    for k, column in enumerate(("intervention", "place")):
        spots[column] = [HOSTILE[(5 * i + k) % n] for i in range(len(spots))]
    service = out["service"].copy()
    for k, column in enumerate(("best_cell_id", "best_operator", "operators", "definition")):
        service[column] = [HOSTILE[(7 * i + k) % n] for i in range(n)]
    communes = out["around"].communes.copy()
    communes["name"] = [HOSTILE[(11 * i) % n] for i in range(len(communes))]
    communes.index = pd.Index([f"{c}{HOSTILE[i]}" for i, c in enumerate(communes.index)],
                              name="commune_code")
    faults = tuple(replace(out["around"].faults[0], what=h, cure=h, file=h) for h in HOSTILE)
    readings = pd.DataFrame([{"file": h, "role": h, "rows_in": 1, "accepted": 1, "mended": 0,
                              "rejected": 0, "licence": h} for h in HOSTILE])
    around = replace(out["around"], communes=communes, faults=faults, readings=readings)
    bad = HOSTILE[1]
    study = InventedStudy(name="small", title=Text(en=bad, vi=bad))
    return {**out, "points": points, "sites": sites, "spots": spots, "service": service,
            "around": around, "study": study, "terrain": None}


@pytest.fixture(scope="module")
def hostile_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The hostile study as a page."""
    return save(draw(**_study()), tmp_path_factory.mktemp("hostile") / "page.html")


def test_there_are_at_least_a_hundred() -> None:
    assert len(set(HOSTILE)) >= 90
    assert situation(_study()["points"], _study()["service"])["status"]["total"]["points"] > 90


def test_nothing_runs_and_every_name_is_shown_as_written(opened: Callable, hostile_page: Path
                                                         ) -> None:
    seen = opened(hostile_page)
    page = seen.page
    shown = page.evaluate("""() => {
      const { state, all } = phusong.page, out = { names: {}, cards: 0 };
      for (let i = 0; i < all.points.n; i++) {
        state.show({ kind: "point", i });
        out.names[all.points.id[i]] = document.querySelector(".card h3").textContent;
        out.cards++;
      }
      all.masts.forEach((_, i) => state.show({ kind: "mast", i }));
      for (let i = 0; i < all.spots.n; i++) state.show({ kind: "spot", i });
      for (let i = 0; i < all.communes.n; i++) state.show({ kind: "commune", i });
      return out; }""")
    assert shown["cards"] == len(HOSTILE)
    for i, text in enumerate(HOSTILE):
        # A card without a name is headed by the code.
        assert shown["names"][f"{i:05d}"] == (unicodedata.normalize("NFC", text) or f"{i:05d}")
    for language in ("en", "vi"):
        page.locator(f"button[lang={language}]").click()
    for text in HOSTILE[:40:4]:
        page.locator("#search").fill(text.strip()[:60])
    page.evaluate("document.querySelectorAll('details').forEach((d) => (d.open = true))")
    page.wait_for_timeout(300)
    assert page.evaluate("window.harmed") is None
    assert seen.errors == []
    assert [r for r in seen.requests if not r.startswith("data:")] == [hostile_page.as_uri()]
    strange = page.evaluate("""() => [...document.querySelectorAll(
      ".panel script, .panel img, .panel iframe, .panel svg, .card script, .card img, object")]
      .map((e) => e.outerHTML.slice(0, 80))""")
    assert strange == []


def test_the_panel_shows_faults_and_sources_as_written(opened: Callable, hostile_page: Path
                                                       ) -> None:
    text = opened(hostile_page).page.evaluate("document.querySelector('.panel').textContent")
    for hostile in HOSTILE:
        assert unicodedata.normalize("NFC", hostile) in text, hostile
