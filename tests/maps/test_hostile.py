"""No name can run a script, in whatever column it stands, and each is shown as it was written."""

from __future__ import annotations

import io
import unicodedata
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from phusong.maps import Sheets, brief, draw, save, workbook
from phusong.maps.figures import situation
from phusong.nouns import Text
from python_calamine import CalamineWorkbook
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
        "../../etc/passwd", "<svg><script>window.harmed=1</script></svg>",
        "#{window.harmed=1}", "<%= window.harmed=1 %>", "[[constructor.constructor('harmed=1')()]]",
        "{{constructor.constructor('window.harmed=1')()}}", "onerror=window.harmed=1",
        "\u2066Trường\u2069", "\u061c", "\u200b", "\u00ad", "=1+1", "=SUM(A1:A9)", "\t=1+1",
        "+cmd|' /C calc'!A0", "<plaintext>", "<noscript><p title=\"</noscript><img src onerror=x>",
        "CON", "'; DROP TABLE points; --", "￿￾", "ﷺ" * 4, "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘G̴̻͈͍͔̹̑͗̎̅͛́Ǫ̵̹̻̝̳͂̌̌͘")
HOSTILE = [t.format(x="window.harmed=1") for t in (*_TAGS, *_BREAKS)] + list(_ODD)
TEXT_OF_POINTS = ("name", "level", "commune_name", "targets", "parent_id", "location_source",
                  "assumed", "source")
TEXT_OF_SITES = ("site_id", "operator", "technology", "status", "assumed", "source")
TEXT_OF_VERDICTS = ("best_cell_id", "best_operator", "operators", "definition", "reason",
                    "evidence")

pytestmark = pytest.mark.browser


def _study() -> dict[str, Any]:
    """A study in which every text of every table is hostile."""
    n = len(HOSTILE)
    out = small_study(n)
    points, sites, spots = out["points"].copy(), out["sites"].copy(), out["spots"].copy()
    for k, column in enumerate(TEXT_OF_POINTS):
        points[column] = [HOSTILE[(i + k) % n] for i in range(n)]
    points["kind"] = [HOSTILE[(i + 9) % n] for i in range(n)]
    sites = pd.concat([sites.assign(again=k) for k in range(1 + n // len(sites))]).iloc[:n]
    sites.index = pd.Index([f"{HOSTILE[i]}{i}" for i in range(n)], name="cell_id")
    for k, column in enumerate(TEXT_OF_SITES):
        sites[column] = [HOSTILE[(3 * i + k) % n] for i in range(n)]
    for k, column in enumerate(("intervention", "place", "technology")):
        spots[column] = [HOSTILE[(5 * i + k) % n] for i in range(len(spots))]
    service = out["service"].copy()
    for k, column in enumerate(TEXT_OF_VERDICTS):
        service[column] = [HOSTILE[(7 * i + k) % n] for i in range(n)]
    communes = out["around"].communes.copy()
    communes["name"] = [HOSTILE[(11 * i) % n] for i in range(len(communes))]
    communes["province_name"] = [HOSTILE[(13 * i) % n] for i in range(len(communes))]
    communes["province_code"] = [f"{i % 9}{HOSTILE[i % 9]}" for i in range(len(communes))]
    communes.index = pd.Index([f"{c}{HOSTILE[i]}" for i, c in enumerate(communes.index)],
                              name="commune_code")
    faults = tuple(replace(out["around"].faults[0], what=h, cure=h, file=h) for h in HOSTILE)
    readings = pd.DataFrame([{"file": h, "role": h, "rows_in": 1, "accepted": 1, "mended": 0,
                              "rejected": 0, "licence": h} for h in HOSTILE])
    footprints = out["around"].footprints.assign(operator=HOSTILE[1], technology=HOSTILE[2])
    around = replace(out["around"], communes=communes, faults=faults, readings=readings,
                     footprints=footprints)
    bad = HOSTILE[1]
    targets = tuple(t.model_copy(update={"name": HOSTILE[k], "source": bad,
                                         "label": Text(en=HOSTILE[k + 2], vi=HOSTILE[k + 2])})
                    for k, t in enumerate(InventedStudy().targets))
    need = InventedStudy().need.model_copy(update={
        "name": bad, "source": bad, "label": Text(en=bad, vi=bad)})
    study = InventedStudy(name=bad, title=Text(en=bad, vi=bad), targets=targets, need=need)
    progress = out["progress"].rename(index={"first": HOSTILE[0], "second": HOSTILE[1]})
    costs = out["costs"].assign(unit=HOSTILE[3], source=HOSTILE[4], currency=HOSTILE[5])
    costs.index = costs.index.set_levels([f"{i}{HOSTILE[6]}" for i in costs.index.levels[1]],
                                         level=1)
    plan = out["plan"].assign(currency=HOSTILE[5])
    for k, column in enumerate(("intervention", "place")):
        plan[column] = [HOSTILE[(17 * i + k) % n] for i in range(len(plan))]
    feeders = out["feeders"].assign(medium=HOSTILE[7])
    disagreement = out["disagreement"].assign(operators=HOSTILE[8], modelled=HOSTILE[9],
                                              declared=HOSTILE[10])
    checks = out["field_checks"].rename(index={"Claimant": HOSTILE[11]}, level="operator")
    return {**out, "field_checks": checks, "points": points, "sites": sites, "spots": spots,
            "service": service, "around": around, "study": study, "terrain": None,
            "progress": progress, "costs": costs, "plan": plan, "feeders": feeders,
            "disagreement": disagreement, "forecast": None, "reach": None}


@pytest.fixture(scope="module")
def hostile_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The hostile study as a page."""
    return save(draw(**_study()), tmp_path_factory.mktemp("hostile") / "page.html")


def test_there_are_at_least_a_hundred() -> None:
    assert len(set(HOSTILE)) == len(HOSTILE) >= 100
    study = _study()
    assert situation(study["points"], study["service"])["status"]["total"]["points"] >= 100


OPEN_ALL = """() => {
  const { state, all } = phusong.page, out = { points: {}, masts: [], cells: [], communes: [],
    provinces: [], spots: [] };
  const head = () => document.querySelector(".card h3").textContent;
  const text = () => document.querySelector(".card").textContent;
  for (let i = 0; i < all.points.n; i++) {
    state.show({ kind: "point", i });
    out.points[all.points.id[i]] = [head(), text()];
  }
  all.masts.forEach((m, i) => { state.show({ kind: "mast", i }); out.masts.push([m.site, head()]);
    out.cells.push([m.cells.map((c) => all.cells.id[c]), text()]); });
  for (let i = 0; i < all.spots.n; i++) { state.show({ kind: "spot", i }); out.spots.push(text()); }
  for (let i = 0; i < all.communes.n; i++) { state.show({ kind: "commune", i });
    out.communes.push([all.communes.columns.name.of(i), head(), all.communes.code[i], text()]); }
  for (let i = 0; i < all.provinces.n; i++) { state.show({ kind: "province", i });
    out.provinces.push([all.provinces.code[i], text()]); }
  return out; }"""


def test_nothing_runs_and_every_name_is_shown_as_written(opened: Callable, hostile_page: Path
                                                         ) -> None:
    seen, study = opened(hostile_page), _study()
    page = seen.page
    shown = page.evaluate(OPEN_ALL)
    assert len(shown["points"]) == len(HOSTILE)
    for i, text in enumerate(HOSTILE):
        # A card without a name is headed by the code.
        head, card = shown["points"][f"{i:05d}"]
        assert head == (unicodedata.normalize("NFC", text) or f"{i:05d}")
        for column in ("commune_name", "parent_id", "location_source", "source"):
            assert unicodedata.normalize("NFC", study["points"][column].iloc[i]) in card, column
        best = study["service"]["best_cell_id"].iloc[i]
        assert unicodedata.normalize("NFC", best) in card
    assert {m[0] for m in shown["masts"]} == {unicodedata.normalize("NFC", t) for t in
                                              study["sites"]["site_id"]}
    assert all(site == head for site, head in shown["masts"])
    assert all(c in text for ids, text in shown["cells"] for c in ids[:24])
    assert all(name == head for name, head, _, _ in shown["communes"] if name)
    assert all(code in text for _, _, code, text in shown["communes"])
    assert all(code in text for code, text in shown["provinces"])
    assert any(unicodedata.normalize("NFC", HOSTILE[6]) in text for text in shown["spots"])
    _use_everything(page)
    assert page.evaluate("window.harmed") is None
    assert seen.errors == []
    assert [r for r in seen.requests if not r.startswith("data:")] == [hostile_page.as_uri()]
    tags = page.evaluate("""() => [...new Set([...document.querySelectorAll(".panel *, .card *," +
      ".legend *, .search *, .tip *, .heading *")].map((e) => e.tagName.toLowerCase()))]""")
    strange = set(tags) & {"script", "img", "iframe", "svg", "object", "embed", "base", "link",
                           "form", "style", "math", "video", "a", "body", "meta", "plaintext"}
    assert strange == set()


def _use_everything(page: Any) -> None:
    """Legend, search box, tooltips, both languages, every folded part, paper."""
    for language in ("en", "vi"):
        page.locator(f"button[lang={language}]").click()
    legend = page.evaluate("document.querySelector('.legend').textContent")
    for operator in {unicodedata.normalize("NFC", t) for t in _study()["sites"]["operator"]}:
        assert operator in legend
    for text in HOSTILE[::9]:
        wanted = unicodedata.normalize("NFC", text).strip().split("\n")[0][:60]
        page.locator("#search").fill(wanted)
        found = page.locator("#found .name").all_text_contents()
        assert not wanted or any(wanted in name for name in found) or len(found) == 12, wanted
    page.evaluate("document.querySelector('#search').blur()")
    for _ in range(6):
        at = page.evaluate("""(i) => { const { all, map, scene } = phusong.page;
          const p = map.latLngToContainerPoint([all.points.at.lat[i], all.points.at.lon[i]]);
          return [p.x, p.y]; }""", _ * 7)
        page.mouse.move(*at)
        page.wait_for_timeout(40)
    page.evaluate("""() => { document.querySelectorAll("details").forEach((d) => (d.open = true));
      for (const box of document.querySelectorAll(".legend input")) box.click();
      window.dispatchEvent(new Event("beforeprint")); window.dispatchEvent(new Event("afterprint"));
    }""")
    page.wait_for_timeout(200)


def test_every_sheet_of_the_workbook_holds_the_texts_as_written() -> None:
    study = _study()
    names = ("points", "service", "sites", "spots", "plan", "costs", "progress", "feeders")
    raw = workbook(study["study"], {name: study[name] for name in names})
    book = CalamineWorkbook.from_filelike(io.BytesIO(raw))
    with zipfile.ZipFile(io.BytesIO(raw)) as packed:
        for name in packed.namelist():
            if name.startswith("xl/worksheets/sheet"):
                sheet = packed.read(name).decode()
                assert "<f>" not in sheet
                assert "<hyperlink" not in sheet, name
    for name, columns in (("points", TEXT_OF_POINTS), ("sites", TEXT_OF_SITES),
                          ("service", TEXT_OF_VERDICTS), ("spots", ("intervention", "place"))):
        rows = book.get_sheet_by_name(name).to_python()
        for column in columns:
            shown = [str(row[rows[0].index(column)]) for row in rows[2:]]
            for text, given in zip(shown, study[name][column], strict=True):
                wanted = unicodedata.normalize("NFC", given).replace("\r\n", "\n")
                assert text.replace("\r\n", "\n").strip() == _as_excel_holds(wanted), column


def _as_excel_holds(text: str) -> str:
    """Control characters cannot stand in XML; the workbook shows U+FFFD for them."""
    return "".join("\ufffd" if (c < " " and c not in "\t\n\r") or c in "\ufffe\uffff" else c
                   for c in text).strip()


def test_the_brief_of_hostile_texts_is_drawn() -> None:
    """Matplotlib reads dollars and backslashes; no text may be a formula or stop the page."""
    study = _study()
    sheets = Sheets(**{k: v for k, v in study.items() if k not in ("study", "terrain")})
    made = brief(study["study"], sheets, language="vi", run="x", part=HOSTILE[24])
    assert made.pdf.startswith(b"%PDF")
    assert b"/JavaScript" not in made.pdf
    assert b"/URI" not in made.pdf


def test_the_panel_shows_faults_and_sources_as_written(opened: Callable, hostile_page: Path
                                                       ) -> None:
    text = opened(hostile_page).page.evaluate("document.querySelector('.panel').textContent")
    for hostile in HOSTILE:
        assert unicodedata.normalize("NFC", hostile) in text, hostile
