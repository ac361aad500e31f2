"""Layers over the plain map: changes, feeders, disagreement, provinces, evidence, target lists."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from phusong.maps import draw, save

pytestmark = pytest.mark.browser

FIGURES = """() => Object.fromEntries([...document.querySelectorAll("[data-figure]")].map(
  (e) => [e.dataset.figure, e.dataset.value]))"""
ALIKE = """([x, y, z]) => {
  const c = document.querySelector("canvas.scene"), d = c.getContext("2d").getImageData(0, 0,
    c.width, c.height).data;
  let n = 0;
  for (let i = 0; i < d.length; i += 4) n += Math.abs(d[i] - x) < 10 &&
    Math.abs(d[i + 1] - y) < 10 && Math.abs(d[i + 2] - z) < 10;
  return n; }"""
LOST, FEEDER, DOUBT = [178, 24, 43], [91, 58, 140], [142, 1, 82]


@pytest.fixture
def page(opened: Callable, small_page: Path) -> Any:
    """The small study in the browser; no error may have been told when the test is over."""
    seen = opened(small_page)
    yield seen.page
    # reading the canvas back is what these tests do; the browser remarks on it
    assert [e for e in seen.errors if "willReadFrequently" not in e] == []


def _layers(page: Any, **on: bool) -> None:
    page.evaluate("""(on) => { Object.assign(phusong.page.state.on, on);
      phusong.page.state.redraw(); }""", on)


def test_changes_are_counted_and_marked_from_the_chosen_date(page: Any, small: dict[str, Any]
                                                             ) -> None:
    days = [*sorted(small["services"]), small["study"].day]
    covered = {d: (small["services"].get(d, small["service"])["status"] == "covered")
               for d in days}
    for since, step in ((0, 6), (3, 6), (2, 4)):
        page.locator("#time-slider").fill(str(step))
        page.locator("#since").select_option(str(since))
        shown = page.evaluate(FIGURES)
        now, then = covered[days[step]], covered[days[since]]
        assert int(shown["situation.gained"]) == (now & ~then).sum()
        assert int(shown["situation.lost"]) == (then & ~now).sum()
        drawn = page.evaluate("phusong.page.state.on.changes")
        assert drawn
    counts = page.evaluate("phusong.page.state.header.time")
    table = np.array([[(covered[a] & ~covered[b]).sum() for b in days] for a in days])
    assert (np.array(counts["gained"]) == table).all()
    assert (np.array(counts["lost"]) == table.T).all()


def test_a_place_that_lost_its_coverage_is_marked(page: Any) -> None:
    """The study only gains; read backwards it loses."""
    assert page.evaluate(ALIKE, LOST) == 0
    page.evaluate("""() => { const { state, all } = phusong.page;
      all.steps[0] = all.steps[6].map((s) => 0); state.on.changes = true; state.redraw(); }""")
    assert page.evaluate(ALIKE, LOST) > 50


def test_feeder_hops_follow_the_plan(page: Any, small: dict[str, Any]) -> None:
    table = small["feeders"]
    first, second, third = small["plan"]["site_id"].iloc[:3]
    relay = table.loc[(first, 1), "to_id"]
    used = """(built) => { const { feeders } = phusong.page.all;
      return [...feeders.usedBy(built)].map((i) => feeders.columns.from_id.of(i)).sort(); }"""
    assert page.evaluate(used, 0) == []
    assert page.evaluate(used, 1) == sorted([first, relay])
    assert page.evaluate(used, 9) == sorted([first, relay, second, third])
    assert page.evaluate(ALIKE, FEEDER) > 100
    page.locator("#plan-slider").fill("0")
    assert page.evaluate(ALIKE, FEEDER) == 0
    spot = page.evaluate("(id) => phusong.page.all.spots.id.indexOf(id)", second)
    page.evaluate("(i) => phusong.page.state.show({ kind: 'spot', i })", spot)
    hops = page.locator(".card .hops li").all_inner_texts()
    assert [h.split(",")[0] for h in hops] == [f"vi ba → {first}", f"vi ba → {relay}",
                                               "cáp quang → S000"]
    assert f"{table.loc[(second, 1), 'length_m'] / 1000:.0f} km" in hops[0]
    assert "15 GHz" in hops[0]


def test_the_card_tells_what_both_sides_say(page: Any, small: dict[str, Any]) -> None:
    table = small["disagreement"]
    assert {"declared_only", "modelled_only"} <= set(table["kind"])
    before = page.evaluate(ALIKE, DOUBT)
    _layers(page, disagreement=True, feeders=False)
    assert page.evaluate(ALIKE, DOUBT) >= before + 10
    order = page.evaluate("phusong.page.all.points.id")
    for kind, words in (("declared_only", ("Chưa phủ sóng", "bên trong ranh vùng phủ")),
                        ("modelled_only", ("Đã phủ sóng", "ngoài vùng phủ gần nhất"))):
        row = table[table["kind"] == kind].iloc[0]
        page.evaluate("(i) => phusong.page.state.show({ kind: 'point', i })",
                      order.index(row.name))
        said = page.locator(".card .unequal").inner_text()
        for word in words:
            assert word in said
    checks = small["field_checks"]
    claim = checks[checks["claimed_by"] == "claim"].index[0][0]
    page.evaluate("(i) => phusong.page.state.show({ kind: 'point', i })", order.index(claim))
    said = page.locator(".card .unequal").last.inner_text()
    assert "Claimant" in said
    assert "Nhà mạng báo cáo điểm này có sóng, mô hình tính không có sóng" in said
    legend = page.locator("fieldset", has_text="Mô hình và nhà mạng")
    assert "báo cáo điểm này" in legend.inner_text()
    held = page.evaluate("[...phusong.page.all.disagreement.byPoint.keys()]")
    assert set(held) == {order.index(i) for i in (*table.index, claim)}


def test_provinces_stand_for_communes_from_afar(page: Any, small: dict[str, Any]) -> None:
    assert not page.evaluate("phusong.page.scene.provincial()")
    page.evaluate("""() => { const { map, state } = phusong.page; map.setMinZoom(1);
      map.setZoom(state.homeZoom - 4, { animate: false }); }""")
    assert page.evaluate("phusong.page.scene.provincial()")
    counts = page.evaluate("""() => { const { all, state } = phusong.page;
      return [all.provinces.code, [...provinceCountsOf(all, state)]];
      function provinceCountsOf() { const out = []; for (let i = 0; i < all.provinces.n; i++) {
        state.show({ kind: "province", i }); out.push(document.querySelector(".card").innerText); }
        return out; } }""")
    communes = small["around"].communes["province_code"]
    province = small["points"]["commune_code"].map(communes)
    status = small["service"]["status"]
    assert counts[0] == ["01", "08"]
    words = {"covered": "Đã phủ sóng", "uncertain": "Chưa chắc chắn", "uncovered": "Chưa phủ sóng",
             "unknown": "Chưa rõ"}
    for code, card in zip(*counts, strict=True):
        lines = [line for line in card.split("\n") if line]
        for name, word in words.items():
            told = lines[lines.index(word) + 1]
            assert int(told) == ((province == code) & (status == name)).sum(), (code, name)
        assert lines[0] == {"01": "Tỉnh 01", "08": "Tỉnh Đông"}[code]
        assert code in lines[1]


def test_only_the_places_of_one_list(page: Any, small: dict[str, Any]) -> None:
    page.locator(".legend input[name=target]").nth(1).check()
    wanted = page.evaluate("""() => { const { all, state } = phusong.page;
      return all.points.id.filter((_, i) => state.visible(i)); }""")
    listed = small["points"]["targets"].str.split(";").map(lambda names: "first" in names)
    assert sorted(wanted) == sorted(small["points"].index[listed])
    assert page.locator(".target button[aria-pressed=true]").count() == 1


def test_evidence_can_be_told_apart(opened: Callable, small: dict[str, Any], tmp_path: Path
                                    ) -> None:
    service = small["service"].copy()
    service["evidence"] = ["measured" if i % 3 == 0 else "modelled" for i in range(len(service))]
    bare = {n: small[n] for n in ("study", "points", "sites")}
    page = opened(save(draw(**bare, service=service), tmp_path / "page.html")).page
    page.locator(".tick", has_text="Đo kiểm tại chỗ").locator("input").uncheck()
    left = page.evaluate("""() => { const { all, state } = phusong.page;
      return all.points.id.filter((_, i) => state.visible(i)); }""")
    assert sorted(left) == sorted(service.index[service["evidence"] == "modelled"])


def test_the_headline_says_the_figures_of_the_tables(page: Any, small: dict[str, Any]) -> None:
    shown = page.evaluate(FIGURES)
    gaps = small["points"][small["service"]["status"] == "uncovered"]
    last = small["plan"].iloc[-1]
    expected = {"uncovered": len(gaps), "total": len(small["points"]),
                "learners": gaps["learners"].sum(), "sites": len(small["plan"]),
                "gain": last["cumulative_students"], "cost": last["cumulative_cost"]}
    assert {n: float(shown[f"headline.{n}"]) for n in expected} == expected
    for name in ("students_gained", "points_gained", "cost_total"):
        assert float(shown[f"plan.last.{name}"]) == last[name]
    share = last["bound"] / last["cumulative_weight"] - 1
    assert float(shown["plan.so_far.bound_share"]) == max(0.0, share)
    text = page.locator(".panel").inner_text()
    assert "theo thông tin có tại ngày 10/12/2021" in text


def test_the_pace_is_that_of_the_tables(page: Any, small: dict[str, Any]) -> None:
    shown = page.evaluate(FIGURES)
    rows = small["progress"].xs("second", level="target")
    first, last = rows.iloc[0], rows.iloc[-1]
    months = (rows.index[-1] - rows.index[0]).days / 30.4375
    assert float(shown["targets.second.pace"]) == (last.covered - first.covered) / months
    outlook = small["forecast"].loc["second"]
    assert outlook["reason"] == ""
    told = page.locator(".target").nth(1).inner_text()
    for day in ("date_low", "date_median", "date_high"):
        assert f"{outlook[day].day}/{outlook[day].month}/{outlook[day].year}" in told
    assert float(shown["targets.second.chance_by_deadline"]) == outlook["chance_by_deadline"]
    left = (pd.Timestamp(last.deadline) - rows.index[-1]).days / 30.4375
    assert float(shown["targets.second.pace_needed"]) == (last.goal - last.covered) / left


def test_without_a_mouse(page: Any) -> None:
    """Tab reaches the map, arrows move it, Enter opens a card, Escape gives the focus back."""
    page.evaluate("document.querySelector('.folium-map').focus()")
    before = page.evaluate("phusong.page.map.getCenter()")
    page.keyboard.press("ArrowRight")
    page.wait_for_function("(x) => phusong.page.map.getCenter().lng > x", arg=before["lng"])
    page.evaluate("""() => { const { map, all } = phusong.page; map.stop();
      map.setView([all.points.at.lat[7], all.points.at.lon[7]], map.getZoom(), {animate: false});
    }""")
    page.keyboard.press("Enter")
    assert page.locator(".card").count() == 1
    assert page.evaluate("document.activeElement.closest('.leaflet-popup') !== null")
    page.keyboard.press("Escape")
    page.wait_for_selector(".card", state="detached")
    assert page.evaluate("document.activeElement.classList.contains('folium-map')")
    reached = set()
    page.evaluate("document.activeElement.blur()")
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.id || document.activeElement.className"))
        unseen = page.evaluate("""document.activeElement !== document.body &&
          getComputedStyle(document.activeElement).outlineStyle === 'none'""")
        assert not unseen, reached
    assert {"search", "time-slider", "plan-slider", "since"} <= reached


def test_every_layer_can_be_put_out_and_on(page: Any) -> None:
    """Each tick of the legend changes the picture, and back again."""
    picture = "document.querySelector('canvas.scene').toDataURL()"
    page.evaluate("""() => { for (const k of ["spots", "power", "footprints", "lockdown", "changes",
      "disagreement"]) phusong.page.state.on[k] = true; phusong.page.state.built = 3;
      phusong.page.state.changed(); phusong.page.state.legend(); }""")
    full = page.evaluate(picture)
    unchanged = page.evaluate("""() => { const out = [], c = document.querySelector("canvas.scene");
      const full = c.toDataURL();
      for (const box of document.querySelectorAll(".legend input[type=checkbox]")) {
        box.click();
        if (c.toDataURL() === full) out.push(box.parentNode.textContent);
        box.click();
        if (c.toDataURL() !== full) out.push(`${box.parentNode.textContent} is not undone`);
      }
      return out; }""")
    assert full == page.evaluate(picture)
    assert unchanged == []
