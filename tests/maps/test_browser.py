"""What a reader sees in a real browser without a network: no error, no request, right figures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from phusong.maps.figures import poor

pytestmark = pytest.mark.browser

FIGURES = """() => Object.fromEntries([...document.querySelectorAll("[data-figure]")].map(
  (e) => [e.dataset.figure, [e.dataset.value, e.textContent]]))"""


def _figures(page: Any) -> dict[str, list[str]]:
    return page.evaluate(FIGURES)


def _read(text: str) -> float:
    """A number as a Vietnamese reader reads it."""
    return float(text.replace(".", "").replace(",", ".").replace("\u2212", "-"))


def _expected(study: dict[str, Any], service: pd.DataFrame) -> dict[str, float]:
    points = study["points"].join(service)
    points["poor"] = poor(points)
    at: dict[str, float] = {"total.points": len(points), "total.learners": points.learners.sum(),
                            "total.learners_missing": points.learners.isna().sum()}
    for status, group in points.groupby("status"):
        at[f"{status}.points"] = len(group)
        if status != "covered":
            at[f"{status}.learners"] = group.learners.sum(min_count=1)
    at["uncovered.poor"] = points.loc[points.status == "uncovered", "poor"].sum(min_count=1)
    out = {f"situation.status.{name}": value for name, value in at.items()}
    for (kind, status), group in points.groupby(["kind", "status"]):
        out[f"situation.kinds.{kind}.{status}"] = len(group)
    for (status, reason), group in points[points.status != "covered"].groupby(
            ["status", "reason"]):
        out[f"situation.reasons.{status}.{reason}.points"] = len(group)
        out[f"situation.reasons.{status}.{reason}.learners"] = group.learners.sum(min_count=1)
    return out


def _same(shown: dict[str, list[str]], expected: dict[str, float]) -> None:
    for name, value in expected.items():
        assert name in shown, name
        bare, text = shown[name]
        if np.isnan(value):   # nothing known is not nought
            assert (bare, text) == ("", "chưa rõ"), name
            continue
        assert float(bare) == value, name
        assert _read(text) == pytest.approx(value, abs=5e-4), name


def test_no_error_and_no_request(opened: Callable, small_page: Path) -> None:
    seen = opened(small_page)
    assert seen.errors == []
    assert [r for r in seen.requests if not r.startswith("data:")] == [small_page.as_uri()]


def test_every_figure_equals_the_tables(opened: Callable, small: dict[str, Any],
                                        small_page: Path) -> None:
    shown = _figures(opened(small_page).page)
    _same(shown, _expected(small, small["service"]))
    for rank, row in small["plan"].head(10).iterrows():
        for name in ("students_gained", "cost_total", "students_per_cost"):
            assert float(shown[f"plan.{rank}.{name}"][0]) == row[name]
    last = small["plan"].iloc[-1]
    for name in ("cumulative_students", "cumulative_points", "cumulative_cost"):
        assert float(shown[f"plan.so_far.{name}"][0]) == last[name]
    today = small["progress"].xs(pd.Timestamp("2021-12-15"), level="date")
    for target, row in today.iterrows():
        _same(shown, {f"targets.{target}.{name}": row[name] for name in
                      ("goal", "points", "covered", "uncertain", "uncovered", "unknown",
                       "learners_poor_uncovered")})
        assert float(shown[f"targets.{target}.short"][0]) == max(0, row.goal - row.covered)


def test_the_plan_slider_buys_one_site_after_the_other(opened: Callable, small: dict[str, Any],
                                                       small_page: Path) -> None:
    page = opened(small_page).page
    for rank in (1, 3):
        page.locator("#plan-slider").fill(str(rank))
        shown = _figures(page)
        assert float(shown["plan.so_far.cumulative_students"][0]) == \
            small["plan"].loc[rank, "cumulative_students"]
    page.locator("#plan-slider").fill("0")
    assert "plan.so_far.cumulative_students" not in _figures(page)


def test_the_time_slider_shows_each_snapshot(opened: Callable, small: dict[str, Any],
                                             small_page: Path) -> None:
    page = opened(small_page).page
    for step, (day, service) in enumerate(sorted(small["services"].items())):
        if step % 2 == 0:
            page.locator("#time-slider").fill(str(step))
            _same(_figures(page), {k: v for k, v in _expected(small, service).items()
                                   if ".status." in k})
            drawn = page.evaluate("[...phusong.page.state.statuses()]")
            counts = np.bincount(drawn, minlength=4)
            assert counts[0] == (service.status == "covered").sum(), day


def test_every_point_says_what_the_tables_say(opened: Callable, small: dict[str, Any],
                                              small_page: Path) -> None:
    page = opened(small_page).page
    back = page.evaluate("""() => {
      const { points } = phusong.page.all, out = [];
      for (let i = 0; i < points.n; i++) out.push([points.id[i],
        ...["name", "kind", "reason", "best_cell_id", "commune_code"].map((c) =>
          points.columns[c].of(i)), points.columns.learners.of(i), points.columns.margin_db.of(i),
        points.at.lon[i] ?? null, points.at.lat[i] ?? null]);
      return out; }""")
    degrees = small["points"].to_crs(4326)
    assert sorted(row[0] for row in back) == sorted(small["points"].index)
    for code, name, kind, reason, cell, commune, learners, margin, lon, lat in back:
        point, verdict = small["points"].loc[code], small["service"].loc[code]
        assert (name, kind, commune) == (point["name"], point["kind"], point["commune_code"])
        best = verdict["best_cell_id"]
        assert (reason, cell) == (verdict["reason"], "" if pd.isna(best) else best)
        assert learners == point["learners"] or np.isnan(point["learners"])
        if not np.isnan(verdict["margin_db"]):
            assert margin == pytest.approx(verdict["margin_db"], abs=0.051)
        if point.geometry is None:
            assert lon is None
        else:
            assert lon == pytest.approx(degrees.geometry[code].x, abs=6e-6)
            assert lat == pytest.approx(degrees.geometry[code].y, abs=6e-6)


def test_codes_keep_their_zeros_on_the_card(opened: Callable, small_page: Path) -> None:
    page = opened(small_page).page
    page.locator("#search").fill("00010")
    page.keyboard.press("Enter")
    card = page.locator(".card").inner_text()
    assert "00010" in card
    assert "Trường Tiểu học Bản Phủ 10" in card


def test_search_needs_no_accents_and_no_mouse(opened: Callable, small_page: Path) -> None:
    page = opened(small_page).page
    page.locator("#search").fill("truong tieu hoc ban phu 17")
    assert page.locator("#found li .name").first.inner_text() == "Trường Tiểu học Bản Phủ 17"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert page.locator(".card h3").inner_text() == "Trường Tiểu học Bản Phủ 17"
    page.keyboard.press("Escape")
    page.wait_for_selector(".card", state="detached")


def test_the_language_can_be_switched(opened: Callable, small_page: Path) -> None:
    page = opened(small_page).page
    assert page.evaluate("document.documentElement.lang") == "vi"
    assert "1/12/2021" not in page.title()
    page.locator("button[lang=en]").click()
    text = page.locator(".panel").inner_text()
    assert page.evaluate("document.documentElement.lang") == "en"
    assert page.title().startswith("Small province")
    assert "15 Dec 2021" in text
    assert "FICTIONAL DATA" in text
    for word in ("Tình hình", "Đã phủ sóng", "học sinh", "Chi phí"):
        assert word not in text


def _pixels(page: Any) -> dict[str, int]:
    """How many pixels of the canvas have about the colour of each status."""
    return page.evaluate("""() => {
      const c = document.querySelector("canvas.scene"), seen = {};
      const wanted = { covered: [0, 114, 178], uncertain: [230, 159, 0], uncovered: [213, 94, 0] };
      const d = c.getContext("2d").getImageData(0, 0, c.width, c.height).data;
      for (let i = 0; i < d.length; i += 4) for (const [name, rgb] of Object.entries(wanted)) {
        if (rgb.every((v, k) => Math.abs(d[i + k] - v) < 14)) seen[name] = (seen[name] || 0) + 1;
      }
      return seen; }""")


def test_the_canvas_holds_every_status_and_a_layer_can_be_put_out(opened: Callable,
                                                                  small_page: Path) -> None:
    page = opened(small_page).page
    before = _pixels(page)
    for status in ("covered", "uncertain", "uncovered"):
        assert before.get(status, 0) > 20, status
    page.locator(".legend label.tick").first.locator("input").uncheck()
    assert _pixels(page).get("covered", 0) == 0


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (390, 844)])
def test_nothing_runs_over_the_edge(opened: Callable, small_page: Path, width: int, height: int
                                    ) -> None:
    page = opened(small_page, width, height).page
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    over = page.evaluate("""() => [...document.querySelectorAll(".panel *")].filter((e) =>
      e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== "inline" &&
      !e.closest(".hidden")).map((e) => `${e.tagName}.${e.className} ${e.textContent.slice(0, 40)}`)
    """)
    assert over == []


def test_on_paper_the_whole_area_is_drawn(opened: Callable, small_page: Path) -> None:
    page = opened(small_page).page
    page.evaluate("phusong.page.map.setZoom(15, {animate: false})")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    inside = page.evaluate("""() => {
      const { map, state } = phusong.page;
      return map.getBounds().contains(state.header.area) &&
        document.querySelector("canvas.scene").width > 1200; }""")
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert inside
    assert page.evaluate("phusong.page.map.getZoom()") == 15
    assert page.pdf().startswith(b"%PDF")


def test_a_public_page_withholds_small_counts(opened: Callable, small: dict[str, Any],
                                              tmp_path: Path) -> None:
    from phusong.maps import draw, save

    few = small["points"].assign(learners_poor=3.0, learners_near_poor=0.0)
    arguments = {**small, "points": few, "terrain": None, "audience": "public"}
    page = opened(save(draw(**arguments), tmp_path / "public.html")).page
    poor_values = page.evaluate("""() => Array.from({ length: phusong.page.all.points.n },
      (_, i) => phusong.page.all.points.columns.learners_poor.of(i))""")
    assert set(poor_values) == {-1}
    page.evaluate("phusong.page.state.show({ kind: 'point', i: 4 })")
    assert "dưới 5" in page.locator(".card").inner_text()


def test_each_cost_item_shows_what_it_may_cost_at_least_and_at_most(
        opened: Callable, small: dict[str, Any], small_page: Path) -> None:
    page = opened(small_page).page
    for rank, row in small["plan"].iterrows():
        mine = small["costs"].xs(row["site_id"], level="site_id").sort_index()
        items = page.evaluate(f"phusong.page.all.header.plan.rows[{rank - 1}].items")
        for end, name in (("low", "low"), ("cost", "base"), ("high", "high")):
            assert [item[end] for item in items] == mine[f"present_value_{name}"].tolist()
    page.evaluate("""() => { const { all, state } = phusong.page;
      state.show({ kind: "spot", i: all.header.plan.rows[0].spot }); }""")
    ranges = page.locator(".card .items td.n .soft").all_inner_texts()
    first = small["costs"].xs(small["plan"]["site_id"].iloc[0], level="site_id")
    wide = first["present_value_low"] != first["present_value_high"]
    assert len(ranges) == wide.sum() > 0
    assert all(" – " in text for text in ranges)
