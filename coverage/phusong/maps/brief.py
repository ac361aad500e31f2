"""The hand-out: one page of A4 with map, targets, ten best sites and what changed."""

from __future__ import annotations

import base64
import io
import textwrap
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from babel.dates import format_date
from babel.numbers import format_decimal
from matplotlib.axes import Axes
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from PIL import Image

from phusong.geo import to_degrees, transform
from phusong.maps.content import Briefed, Sheets, view
from phusong.maps.figures import number, plan_rows, situation, target_rows
from phusong.maps.pack import clean
from phusong.maps.relief import relief
from phusong.maps.words import Language, sentence, word
from phusong.tables import STATUSES

__all__ = ["Brief", "brief"]

COLOURS: Mapping[str, str] = {"covered": "#0072b2", "uncertain": "#e69f00",
                              "uncovered": "#d55e00", "unknown": "#ffffff"}
_MARKS: Mapping[str, tuple[str, float]] = {"covered": ("o", 9.0), "uncertain": ("D", 10.0),
                                           "uncovered": ("X", 17.0), "unknown": ("s", 9.0)}
_DPI = 160
_FOOT_LINES = 3


@dataclass(frozen=True, slots=True)
class Brief:
    """The hand-out in two forms.

    Parameters
    ----------
    pdf, png : bytes
        Contents of the files; the same input gives the same bytes.
    """

    pdf: bytes
    png: bytes


@dataclass(frozen=True, slots=True)
class _Speech:
    """Words and numbers of one language."""

    language: Language

    def ui(self, name: str) -> str:
        return word("ui", name, self.language)

    def say(self, name: str, **about: object) -> str:
        return sentence(name, self.language, about)

    def number(self, value: Any, decimals: int = 0) -> str:
        if value is None:
            return self.ui("not_known")
        if value == "withheld":
            return self.say("withheld", n=5)
        pattern = "#,##0" + ("." + "#" * decimals if decimals else "")
        return format_decimal(value, format=pattern, locale=self.language).replace("-", "\u2212")

    def day(self, value: Any) -> str:
        if not value:
            return self.ui("not_known")
        style = "d/M/y" if self.language == "vi" else "d MMM y"
        return format_date(pd.Timestamp(value).date(), style, locale=self.language)

    def money(self, value: float | None) -> str:
        if value is None:
            return self.ui("not_known")
        for size, name in ((1e9, "billion"), (1e6, "million")):
            if abs(value) >= size:
                return f"{self.number(value / size, 2)} {self.ui(name)}"
        return self.number(value)


def brief(study: Briefed, sheets: Sheets, *, language: Language = "vi", public: bool = False,
          run: str = "", part: str = "") -> Brief:
    """Draw the one-page hand-out of a study.

    Parameters
    ----------
    study : Briefed
        What is briefed.
    sheets : Sheets
        The tables that the map is drawn from.
    language : {"vi", "en"}
        Language of the page.
    public : bool
        Withhold small counts of poor learners.
    run : str
        Fingerprint of the run.
    part : str
        Name or code of the province, if the tables are those of one.
    """
    speech = _Speech(language)
    figure = Figure(figsize=(8.27, 11.69), dpi=_DPI)
    grid = figure.add_gridspec(4, 2, height_ratios=[0.95, 6.2, 0.95, 3.6], left=0.06, right=0.95,
                               top=0.975, bottom=0.05, hspace=0.13, wspace=0.12)
    _heading(_bare(figure.add_subplot(grid[0, :])), study, sheets, speech, part)
    _map(figure.add_subplot(grid[1, :]), sheets)
    now = situation(sheets.points, sheets.service, public=public)
    _tiles(_bare(figure.add_subplot(grid[2, :])), now, speech)
    _targets(_bare(figure.add_subplot(grid[3, 0])), study, sheets, now, speech, public)
    _plan(_bare(figure.add_subplot(grid[3, 1])), sheets, speech, bool(part))
    _foot(figure, study, sheets, speech, run)
    out = io.BytesIO(), io.BytesIO()
    with warnings.catch_warnings():
        # a letter that the font lacks is drawn as an empty box
        warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)
        _print(figure, out, clean(study.title.in_language(language)))
    return Brief(out[0].getvalue(), out[1].getvalue())


def _print(figure: Figure, out: tuple[io.BytesIO, io.BytesIO], title: str) -> None:
    with PdfPages(out[0], metadata={"CreationDate": None, "ModDate": None, "Producer": "phusong",
                                    "Title": title}) as pdf:
        pdf.savefig(figure)
    figure.savefig(out[1], format="png", metadata={"Software": "phusong"})


def _bare(axes: Axes) -> Axes:
    axes.set_axis_off()
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    return axes


def _plain(text: object) -> str:
    """Text that matplotlib shows as it is: a dollar sign never opens a formula."""
    return clean(text).replace("\\", "\u2216").replace("$", "\\$").replace("\n", " ")


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most - 1]}…"


def _foot(figure: Figure, study: Briefed, sheets: Sheets, speech: _Speech, run: str) -> None:
    """What "covered" means and where the data come from, in small print."""
    need = study.need
    said = []
    if getattr(need, "received_dbm", None) is not None:
        technologies = ", ".join(word("technology", t, speech.language)
                                 for t in getattr(need, "technologies", ()))
        said.append(speech.say("definition_level", level=speech.number(need.received_dbm),
                               place=word("assess_place", str(need.place), speech.language),
                               technologies=technologies))
    said.append(speech.ui("definition_evidence"))
    licences = _credits(sheets)
    edition = f"{speech.ui('run_hash')}: {run[:16]}" if run else ""
    rest = textwrap.wrap("  ·  ".join(filter(None, [
        edition, f"{speech.ui('sources')}: {'; '.join(licences)}" if licences else ""])), 190)
    if len(rest) > _FOOT_LINES:     # what does not fit stands whole in the workbook and the page
        rest = [*rest[:_FOOT_LINES - 1], f"{rest[_FOOT_LINES - 1][:160]}… (tables.xlsx: sources)"]
    for i, text in enumerate([_short(" ".join(said), 175), *rest]):
        figure.text(0.06, 0.0285 - 0.0085 * i, _plain(text), fontsize=5.8 if i == 0 else 5.3,
                    color="#555555")


def _credits(sheets: Sheets) -> list[str]:
    """Return who is to be credited under which licence, each once."""
    readings = None if sheets.around is None else sheets.around.readings
    if readings is None:
        return []
    names = [[clean(cell) for cell in readings[c]] if c in readings else [""] * len(readings)
             for c in ("attribution", "licence")]
    return list(dict.fromkeys(f"{who} ({terms})" if who and terms else who or terms
                              for who, terms in zip(*names, strict=True) if who or terms))


def _heading(axes: Axes, study: Briefed, sheets: Sheets, speech: _Speech, part: str) -> None:
    title = study.title.in_language(speech.language) or study.name
    if part:
        named = any(c.isalpha() for c in part)   # else it is a code
        title = f"{part if named else speech.ui('province') + ' ' + part} – {title}"
    axes.text(0, 0.92, _plain(_short(title, 110)), fontsize=17 if len(title) < 56 else 12,
              weight="bold", va="top", wrap=True)
    known = (f", {speech.say('known_on', date=speech.day(sheets.known_on))}"
             if sheets.known_on else "")
    axes.text(0, 0.42, f"{speech.say('as_of', date=speech.day(study.day))}{known}   ·   "
              f"{speech.ui('product')}", fontsize=9.5, color="#555555", va="top")
    if study.fictional:
        axes.text(0, 0.02, speech.ui("fictional"), fontsize=9, weight="bold", color="#3d2b00",
                  bbox={"facecolor": "#ffe08a", "edgecolor": "#b58900", "pad": 3})


def _mercator(frame: gpd.GeoDataFrame) -> gpd.GeoSeries:
    return gpd.GeoSeries(frame.geometry, crs=frame.crs).to_crs(3857)


def _map(axes: Axes, sheets: Sheets) -> None:
    area = view(sheets)
    x, y = transform([area[0], area[2]], [area[1], area[3]], "EPSG:4326", "EPSG:3857")
    if sheets.terrain is not None and (drawn := relief(sheets.terrain, area, longest_px=1100)):
        picture = Image.open(io.BytesIO(base64.b64decode(drawn.uri.split(",", 1)[1])))
        axes.imshow(np.asarray(picture), extent=(x[0], x[1], y[0], y[1]), interpolation="bilinear")
    around = sheets.around
    if around is not None and around.communes is not None:
        # thousands of outlines are lighter as a picture than as lines
        _mercator(around.communes).boundary.plot(ax=axes, color="#5a4c40", linewidth=0.35,
                                                 rasterized=len(around.communes) > 500)
    if around is not None and around.roads is not None and len(around.roads):
        main = around.roads[around.roads["highway"].astype(str).str.removesuffix("_link").isin(
            ("motorway", "trunk", "primary", "secondary"))]
        if len(main):
            _mercator(main).plot(ax=axes, color="#8a6f55", linewidth=0.7)
    _places(axes, sheets)
    if sheets.plan is not None and sheets.spots is not None and len(sheets.plan):
        first = sheets.spots.drop_duplicates("site_id").set_index("site_id")
        for rank, site in sheets.plan["site_id"].head(10).items():
            if site in first.index:
                place = _mercator(first.loc[[site]]).iloc[0]
                axes.annotate(str(rank), (place.x, place.y), ha="center", va="center", fontsize=7,
                              color="white", weight="bold", zorder=6,
                              bbox={"boxstyle": "circle,pad=0.22", "facecolor": "#1b1b1b",
                                    "edgecolor": "white", "linewidth": 1.2})
    axes.set_xlim(*x)
    axes.set_ylim(*y)
    axes.set_aspect("equal")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_xlabel("")
    axes.set_ylabel("")
    axes.set_facecolor("#dfe6e8")
    _scale(axes, sheets, area)


def _places(axes: Axes, sheets: Sheets) -> None:
    status = sheets.service["status"].reindex(sheets.points.index).fillna("unknown")
    there = sheets.points.geometry.notna()
    size = float(np.clip(1.6 - 0.28 * np.log10(max(len(status), 1)), 0.12, 1.2))
    for name in ("covered", "unknown", "uncertain", "uncovered"):
        rows = sheets.points[there & (status == name)].sort_index()
        if len(rows):
            spot = to_degrees(rows).to_crs(3857).geometry
            marker, side = _MARKS[name]
            axes.scatter(spot.x, spot.y, s=side * size, marker=marker, c=COLOURS[name],
                         edgecolors="#1b1b1b", linewidths=0.35, zorder=4)


def _scale(axes: Axes, sheets: Sheets, area: tuple[float, float, float, float]) -> None:
    left, right = axes.get_xlim()
    low, high = axes.get_ylim()
    shrink = float(np.cos(np.radians((area[1] + area[3]) / 2.0)))
    wanted = (right - left) * shrink / 4.0
    step = 10.0 ** np.floor(np.log10(wanted))
    length = step * max(f for f in (1, 2, 5) if f * step <= wanted)
    x0, y0 = left + 0.03 * (right - left), low + 0.03 * (high - low)
    axes.plot([x0, x0 + length / shrink], [y0, y0], color="#1b1b1b", linewidth=2.5, zorder=7,
              solid_capstyle="butt")
    axes.text(x0, y0 + 0.008 * (high - low),
              f"{length / 1000:g} km" if length >= 1000 else f"{length:g} m", fontsize=8, zorder=7)


def _tiles(axes: Axes, now: Mapping[str, Any], speech: _Speech) -> None:
    counts = now["status"]
    for i, status in enumerate(STATUSES):
        x = i * 0.125
        marker, _ = _MARKS[status]
        axes.scatter([x + 0.016], [0.78], s=70, marker=marker, c=COLOURS[status],
                     edgecolors="#1b1b1b", linewidths=0.8, clip_on=False)
        axes.text(x + 0.042, 0.78, speech.number(counts[status]["points"]), fontsize=13,
                  weight="bold", va="center")
        axes.text(x, 0.4, word("status", status, speech.language), fontsize=7.6, color="#555555")
    facts = [(speech.ui("students_without"), f"{speech.number(counts['uncovered']['learners'])} "
              f"/ {speech.number(counts['total']['learners'])}"),
             (speech.ui("poor_without"), speech.number(counts["uncovered"]["poor"]))]
    for i, (what, value) in enumerate(facts):
        axes.text(1.0, 0.80 - 0.36 * i, value, fontsize=12 - 2 * i, weight="bold", ha="right",
                  va="center")
        axes.text(0.775, 0.80 - 0.36 * i, what, fontsize=7.6, color="#555555", ha="right",
                  va="center")
    left = 0.0
    for status in STATUSES:
        share = counts[status]["points"] / max(counts["total"]["points"], 1)
        axes.add_patch(Rectangle((left, 0.04), share, 0.16, facecolor=COLOURS[status],
                                 edgecolor="#1b1b1b", linewidth=0.6))
        left += share


def _targets(axes: Axes, study: Briefed, sheets: Sheets, now: Mapping[str, Any],
             speech: _Speech, public: bool) -> None:
    rows = (target_rows(sheets.progress, study.targets, public=public)
            if sheets.progress is not None and len(sheets.progress) else [])
    if rows:
        axes.text(0, 0.99, speech.ui("targets"), fontsize=11.5, weight="bold", va="top")
    y = 0.89 if rows else 0.99
    for target in rows[:3]:
        latest = target["dates"][max(target["dates"])]
        axes.text(0, y, _plain(target["label"][speech.language])[:58], fontsize=9, weight="bold",
                  va="top")
        said = (f"{speech.ui('goal')} {speech.number(latest['goal'])}  ·  {speech.ui('deadline')} "
                f"{speech.day(target['deadline'])}",
                f"{speech.number(latest['covered'])} {speech.ui('done')}, "
                f"{speech.say('to_goal', n=speech.number(latest['short']))}")
        for line, text in enumerate(said):
            axes.text(0, y - 0.05 - 0.046 * line, text, fontsize=7.6, color="#444444", va="top")
        left = 0.0
        for status in STATUSES:
            share = latest[status] / max(latest["points"], 1)
            axes.add_patch(Rectangle((left, y - 0.185), share, 0.03, facecolor=COLOURS[status],
                                     edgecolor="#1b1b1b", linewidth=0.5))
            left += share
        y -= 0.235
    axes.text(0, y, speech.ui("by_reason"), fontsize=10, weight="bold", va="top")
    for reason in sorted(now["reasons"], key=lambda r: -r["points"])[:4]:
        y -= 0.05
        text = word("reason_short", reason["reason"], speech.language)
        axes.text(0, y - 0.012, f"{speech.number(reason['points'])}  {text}", fontsize=8, va="top")
    _changes(axes, sheets, speech, y - 0.075)


def _changes(axes: Axes, sheets: Sheets, speech: _Speech, y: float) -> None:
    days = sorted(day for day in (sheets.services or {}))
    if not days or sheets.services is None:
        return
    index = sheets.points.index
    before = sheets.services[days[0]]["status"].reindex(index) == "covered"
    after = sheets.service["status"].reindex(index) == "covered"
    said = [speech.say("changed_since", n=speech.number(int((after & ~before).sum())),
                       date=speech.day(days[0]))]
    if (before & ~after).any():
        said.append(speech.say("lost_since", n=speech.number(int((before & ~after).sum()))))
    axes.text(0, y, "; ".join(said), fontsize=8, va="top", color="#444444")


def _plan(axes: Axes, sheets: Sheets, speech: _Speech, provincial: bool) -> None:
    axes.text(0, 0.99, speech.ui("plan"), fontsize=11.5, weight="bold", va="top")
    if sheets.plan is None or not len(sheets.plan):
        axes.text(0, 0.9, speech.ui("no_plan" if sheets.plan is None else "empty_plan"),
                  fontsize=8, va="top", wrap=True)
        return
    currency = str(sheets.plan["currency"].iloc[0]) if "currency" in sheets.plan.columns else ""
    stops = ((0.0, "#", "left"), (0.06, speech.ui("site"), "left"),
             (0.74, speech.ui("students"), "right"),
             (1.0, f"{speech.ui('cost')} {currency}", "right"))
    for x, text, side in stops:
        axes.text(x, 0.9, text, fontsize=7.5, color="#555555", ha=side, va="top")
    y = 0.85
    for cells, (_, row) in zip(plan_rows(sheets.plan.head(10)), sheets.plan.head(10).iterrows(),
                               strict=True):
        what = word("intervention", clean(row.get("intervention")), speech.language)
        shown = (str(cells["rank"]), _short(f"{clean(row['site_id'])}  {what}", 31),
                 f"+{speech.number(cells['students_gained'])}", speech.money(cells["cost_total"]))
        for (x, _, side), text in zip(stops, shown, strict=True):
            axes.text(x, y, _plain(text), fontsize=7.8, ha=side, va="top",
                      weight="bold" if x == 0.0 else "normal")
        y -= 0.062
    listed = sheets.plan.head(10)
    last = plan_rows(listed)[-1]
    # sites of one province are not the first of the plan: their own figures are added up
    told = (speech.ui("plan_listed") if provincial else speech.say("plan_first", n=last["rank"]))
    students, cost = ((number(listed["students_gained"].sum()), number(listed["cost_total"].sum()))
                      if provincial else (last["cumulative_students"], last["cumulative_cost"]))
    axes.text(0, y - 0.02, f"{told}:", fontsize=8.2, weight="bold", va="top")
    axes.text(0, y - 0.075, f"+{speech.number(students)} {speech.ui('students')}, "
              f"{speech.money(cost)} {currency}", fontsize=8.2, weight="bold", va="top")
    axes.text(0, y - 0.14, speech.ui("plan_order"), fontsize=6.6, color="#555555", va="top")
