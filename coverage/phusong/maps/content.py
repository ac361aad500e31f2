"""Everything that a page holds, as one header and one block of columns."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Protocol

import geopandas as gpd
import numpy as np
import pandas as pd

from phusong.errors import Fault
from phusong.fault_words import fault_words, place_in_vietnamese
from phusong.geo import to_degrees
from phusong.maps.figures import (
    WITHHELD_BELOW,
    assumed,
    changes,
    day_text,
    number,
    plan_rows,
    poor,
    situation,
    target_rows,
)
from phusong.maps.gains import Gains, gains
from phusong.maps.overlays import disagreement_columns, feeder_columns, province_columns
from phusong.maps.pack import Block, clean
from phusong.maps.relief import Heights, relief, surrounding
from phusong.maps.rows import (
    cell_columns,
    commune_columns,
    footprint_columns,
    line_columns,
    point_columns,
    snapshot_columns,
    spot_columns,
)
from phusong.maps.words import LANGUAGES, words
from phusong.nouns import Text
from phusong.surroundings import Surroundings
from phusong.tables import STATUSES

__all__ = ["Briefed", "Sheets", "content", "view"]


class Briefed(Protocol):
    """What a page needs of a study (`phusong.study.Study` has it).

    Attributes
    ----------
    name : str
        Short name.
    title : Text
        Heading in both languages.
    fictional : bool
        Whether the data are invented.
    day : date
        Day that the page speaks of.
    need : Need
        Definition of covered that `service` was judged by.
    goal : Goal
        What the plan was made for.
    targets : sequence of Target
        Dated promises.
    """

    @property
    def name(self) -> str: ...
    @property
    def title(self) -> Text: ...
    @property
    def fictional(self) -> bool: ...
    @property
    def day(self) -> dt.date: ...
    @property
    def need(self) -> Any: ...
    @property
    def goal(self) -> Any: ...
    @property
    def targets(self) -> Sequence[Any]: ...


@dataclass(frozen=True, slots=True, eq=False)
class Sheets:
    """The tables that a page is made from; see `phusong.maps.draw` for each of them."""

    points: gpd.GeoDataFrame
    service: pd.DataFrame
    sites: gpd.GeoDataFrame
    plan: pd.DataFrame | None = None
    spots: gpd.GeoDataFrame | None = None
    reach: pd.DataFrame | None = None
    costs: pd.DataFrame | None = None
    progress: pd.DataFrame | None = None
    terrain: Heights | None = None
    around: Surroundings | None = None
    services: Mapping[dt.date, pd.DataFrame] | None = None
    feeders: pd.DataFrame | None = None
    disagreement: pd.DataFrame | None = None
    known_on: dt.date | None = None
    forecast: pd.DataFrame | None = None
    field_checks: pd.DataFrame | None = None


def view(sheets: Sheets) -> tuple[float, float, float, float]:
    """Return (west, south, east, north) in degrees of all that a page shows, with a margin."""
    frames = [f for f in (sheets.points, sheets.sites, sheets.spots,
                          sheets.around.communes if sheets.around else None)
              if f is not None and len(f)]
    found = [to_degrees(gpd.GeoDataFrame(geometry=f.geometry)).total_bounds for f in frames]
    boxes = np.array([b for b in found if np.isfinite(b).all()])
    if not len(boxes):
        return (-170.0, -60.0, 170.0, 75.0)
    west, south = boxes[:, :2].min(axis=0)
    east, north = boxes[:, 2:].max(axis=0)
    margin = max(0.04 * max(east - west, north - south), 0.005)
    return (float(west - margin), float(max(south - margin, -85.0)),
            float(east + margin), float(min(north + margin, 85.0)))


def content(study: Briefed, sheets: Sheets, *, language: str, public: bool, run: str
            ) -> tuple[dict[str, Any], Block]:
    """Return the header of a page (words, numbers, descriptions of columns) and its columns.

    Parameters
    ----------
    study : Briefed
        What is briefed.
    sheets : Sheets
        The tables.
    language : {"vi", "en"}
        Language the page opens in.
    public : bool
        Withhold small counts of poor learners.
    run : str
        Fingerprint of the run; empty = a fingerprint of the page's own columns.
    """
    block = Block()
    around = sheets.around or Surroundings()
    area = view(sheets)
    header: dict[str, Any] = {
        "format": 1, "language": language, "languages": list(LANGUAGES), "statuses": STATUSES,
        "words": {g: {n: dict(t) for n, t in names.items()} for g, names in words().items()},
        "area": [[area[1], area[0]], [area[3], area[2]]],
        "withheld_below": WITHHELD_BELOW if public else 0,
    }
    header["points"], order = point_columns(block, sheets.points, sheets.service, public=public)
    header["cells"] = cell_columns(block, sheets.sites)
    if around.communes is not None and len(around.communes):
        header["communes"], simpler = commune_columns(block, around.communes)
        header["provinces"] = province_columns(block, simpler)
    if around.roads is not None and len(around.roads):
        header["roads"] = line_columns(block, around.roads, class_column="highway")
    if around.power_lines is not None and len(around.power_lines):
        header["power"] = line_columns(block, around.power_lines)
    if around.footprints is not None and len(around.footprints):
        header["footprints"] = footprint_columns(block, around.footprints)
    if sheets.terrain is not None:
        picture = relief(sheets.terrain, surrounding(sheets.terrain, area), longest_px=1700)
        header["relief"] = None if picture is None else {"uri": picture.uri,
                                                         "bounds": picture.bounds}
    header["time"] = _time(block, study, sheets, order, public)
    told: list[Fault] = list(around.faults)
    if sheets.plan is not None:
        header["plan"], more = _plan(block, study, sheets, order, public)
        told += more
    if sheets.feeders is not None and len(sheets.feeders):
        header["feeders"] = feeder_columns(block, sheets.feeders, sheets.points.crs)
    header["disagreement"] = disagreement_columns(block, sheets.disagreement, order,
                                                  field_checks=sheets.field_checks)
    if sheets.progress is not None and len(sheets.progress):
        header["targets"] = target_rows(sheets.progress, study.targets, public=public,
                                        poor_known=_poor_known(sheets), forecast=sheets.forecast)
    header["faults"] = [_fault(f) for f in told if f.severity != "error"]
    header["assumed"] = {"points": assumed(sheets.points), "sites": assumed(sheets.sites)}
    header["sources"] = _sources(around, sheets.terrain)
    header["study"] = {**_study(study), "known_on": day_text(sheets.known_on),
                       "run": run or _fingerprint(header, block)}
    return header, block


def _study(study: Briefed) -> dict[str, Any]:
    need = study.need
    try:
        program = version("phusong")
    except PackageNotFoundError:
        program = ""
    label = getattr(need, "label", None) or Text(en=need.name, vi=need.name)
    return {
        "name": study.name, "title": {lang: clean(study.title.in_language(lang)) or study.name
                                      for lang in LANGUAGES},
        "fictional": bool(study.fictional), "day": study.day.isoformat(),
        "program": f"phusong {program}".strip(),
        "definition": {
            "name": need.name,
            "label": {lang: clean(label.in_language(lang)) or need.name for lang in LANGUAGES},
            "technologies": [str(t) for t in getattr(need, "technologies", ())],
            "received_dbm": number(getattr(need, "received_dbm", None)),
            "place": str(getattr(need, "place", "") or ""),
            "probability": number(getattr(need, "probability", None)),
            "gap_probability": number(getattr(need, "gap_probability", None)),
            "operators_needed": int(getattr(need, "operators_needed", 1) or 1),
            "partial": getattr(need, "site_list", "complete") == "partial",
            "source": clean(getattr(need, "source", "") or "")},
    }


def _time(block: Block, study: Briefed, sheets: Sheets, order: pd.Index, public: bool
          ) -> dict[str, Any]:
    """All dates up to the day of the page; the last one is `service` itself."""
    today = study.day
    given = sheets.services or {}
    days = sorted(day for day in given if pd.Timestamp(day) < pd.Timestamp(today))
    tables = [given[day] for day in days] + [sheets.service]
    steps = [{"day": day_text(day), **situation(sheets.points, table, public=public)}
             for day, table in zip([*days, today], tables, strict=True)]
    gained, lost = changes([t["status"].reindex(sheets.points.index) for t in tables])
    return {"steps": steps, "gained": gained, "lost": lost,
            "statuses": snapshot_columns(block, order, tables)}


def _plan(block: Block, study: Briefed, sheets: Sheets, order: pd.Index, public: bool
          ) -> tuple[dict[str, Any], list[Fault]]:
    plan = sheets.plan if sheets.plan is not None else pd.DataFrame()
    rows = plan_rows(plan, public=public, poor_known=_poor_known(sheets))
    currency = str(plan["currency"].iloc[0]) if len(plan) and "currency" in plan.columns else ""
    out: dict[str, Any] = {"rows": rows, "currency": currency}
    served = Gains({}, pd.Series(dtype="float64"))
    spots, costs = sheets.spots, sheets.costs
    if spots is not None and sheets.reach is not None and costs is not None and len(plan):
        served = gains(plan, sheets.points, spots, sheets.reach, costs, study.goal)
    if spots is not None and len(spots):
        price = (costs.groupby(level="site_id")["present_value_base"].sum()
                 if costs is not None else pd.Series(dtype="float64"))
        out["spots"], names = spot_columns(block, spots, price, served.alone,
                                             served.people)
    else:
        names = pd.Index([])
    place = pd.Series(np.arange(len(order)), order)
    for cells, (rank, row) in zip(rows, plan.iterrows(), strict=True):
        site = row["site_id"]
        cells["site_id"] = clean(site)
        cells["spot"] = int(names.get_indexer([site])[0])
        cells["intervention"] = clean(row.get("intervention"))
        cells["place"] = clean(row.get("place"))
        cells["gained"] = [int(place[p]) for p in served.new.get(int(str(rank)), ())]
        cells["items"] = _items(costs, site)
    return out, list(served.faults)


def _poor_known(sheets: Sheets) -> bool:
    return bool(poor(sheets.points).notna().any())


def _items(costs: pd.DataFrame | None, site: str) -> list[dict[str, Any]]:
    if costs is None or site not in costs.index.get_level_values("site_id"):
        return []
    mine = costs.xs(site, level="site_id").sort_index()
    return [{"item": clean(item), "quantity": number(row["quantity"]), "unit": clean(row["unit"]),
             "cost": number(row["present_value_base"]),
             **{end: number(row[f"present_value_{end}"]) for end in ("low", "high")
                if f"present_value_{end}" in mine.columns}, "source": clean(row["source"]),
             "foreign": bool(row["foreign"]) if "foreign" in mine.columns
             and pd.notna(row["foreign"]) else False}
            for item, row in mine.iterrows()]


def _fault(fault: Fault) -> dict[str, Any]:
    return {"severity": fault.severity, "what": clean(fault.what), "cure": clean(fault.cure),
            "vi": fault_words().get(fault.code, ""), "count": fault.count,
            "place": {"en": clean(fault.place), "vi": clean(place_in_vietnamese(fault))}}


def _sources(around: Surroundings, terrain: Any) -> list[dict[str, Any]]:
    """Files with role, rows and licence, in the order of the study file."""
    out: list[dict[str, Any]] = []
    if around.readings is not None:
        for _, row in around.readings.iterrows():
            out.append({name: (number(row[name]) if name in ("rows_in", "accepted", "mended",
                                                            "rejected") else clean(row[name]))
                        for name in ("file", "role", "licence", "attribution", "date", "rows_in",
                                     "accepted", "mended", "rejected") if name in row.index})
    named = {entry.get("file") for entry in out}
    for what, thing in (("terrain", terrain), ("population", around.population)):
        source = clean(getattr(thing, "source", "") or "")
        if source and source not in named:
            out.append({"file": source, "role": what, "licence": ""})
    return out


def _fingerprint(header: Mapping[str, Any], block: Block) -> str:
    return hashlib.sha256(block.raw(dict(header))).hexdigest()
