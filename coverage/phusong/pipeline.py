"""The order of the day: from a study file to a ranked plan and its progress.

First coverage on every day that matters (`phusong.snapshots`), then `STAGES`, the rest of the
programme as one readable list.  Each stage names what it makes, what it is made from, and the
verb; results are recalled from the store if nothing they depend on has changed.  When all is
ready, results, progress and the ledger's watermark move in one step.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from phusong import sources
from phusong.backhaul import feeders, hops, own_feeders
from phusong.beside import evidence
from phusong.contradictions import contradictions, drawn_on
from phusong.cost import dated, price, settle
from phusong.daily import day_by_day, kept, said_beside
from phusong.days import Days
from phusong.declared import declared, disagreement
from phusong.geo import DEGREES, transform
from phusong.intake import Intake, inputs_digest, read, take_in
from phusong.ledger import Ledger
from phusong.links import link
from phusong.outlook import forecast
from phusong.people import people_by_commune
from phusong.plan import (
    Goal,
    Optimised,
    deadlines,
    dominated,
    optimise_connected,
    rank_connected,
    risks,
    schedule,
    without,
)
from phusong.progress import on_air, snapshot_dates
from phusong.results import Results
from phusong.siting import propose
from phusong.store import Store, content_digest, key_of
from phusong.study import Study
from phusong.surroundings import Surroundings
from phusong.tables import PEOPLE, empty
from phusong.tally import listed
from phusong.warming import warm_up

__all__ = ["STAGES", "Results", "Stage", "best_plan", "cells_on", "check", "inputs_digest",
           "open_book", "read", "run"]

Report = Callable[[str, int, int], None]


class Stage(NamedTuple):
    """One bend of the river: what it makes, from which results and nouns, and how."""

    makes: str
    made_from: tuple[str, ...]
    nouns: tuple[str, ...]
    verb: Callable[[Results, Report | None], pd.DataFrame]


STAGES: tuple[Stage, ...] = (
    Stage("service", ("services",), ("need", "day"),
          lambda r, say: r.days.service(r.study.day, r.study.need.name)),
    Stage("progress", ("services", "registers", "evidence"), ("targets",),
          lambda r, say: day_by_day(r, "progress")),
    Stage("breakdown", ("services", "registers", "evidence"), ("targets",),
          lambda r, say: day_by_day(r, "breakdown")),
    Stage("flows", ("services", "registers"), ("targets",),
          lambda r, say: day_by_day(r, "flows")),
    Stage("forecast", ("progress",), ("targets", "day"),
          lambda r, say: forecast(r.progress, r.study.targets, r.study.day)),
    Stage("people", (), (),
          lambda r, say: _people(r.around)),
    Stage("declared", ("drawn",), ("need",),
          lambda r, say: declared(_judged(r), r.inputs.layer("footprints"), r.study.need)),
    Stage("disagreement", ("service", "declared"), (),
          lambda r, say: disagreement(r.service.loc[r.tables["declared"].index],
                                      r.tables["declared"])),
    Stage("disagreement_by_operator", ("links", "drawn"), ("need",),
          lambda r, say: contradictions(r)),
    Stage("spots", ("links", "service", "cells"), ("siting", "radio", "goal"),
          lambda r, say: propose(r.gaps, r.standing, r.terrain, r.around, r.study.siting,
                                 radio=r.study.radio, need=r.study.goal.need, links=r.links,
                                 covered=r.points[r.service["status"] == "covered"])),
    Stage("reach", ("service", "spots"), ("radio", "goal"),
          lambda r, say: link(r.gaps, r.spots, r.terrain, r.study.radio, progress=say)),
    Stage("hops", ("spots", "cells"), ("feeder",),
          lambda r, say: hops(r.spots, r.standing, r.terrain, r.around, r.study.feeder)),
    Stage("costs", ("spots", "hops", "cells"), ("costs", "feeder"),
          lambda r, say: price(r.spots, r.around, r.study.costs, feeders=own_feeders(r.backhaul))),
    Stage("dominated", ("service", "reach", "costs", "hops", "cells"), ("goal", "feeder"),
          lambda r, say: dominated(r.gaps, *r.joinable, r.costs, r.study.goal)),
    Stage("plan", ("service", "reach", "costs", "dominated", "hops", "cells"),
          ("goal", "costs", "feeder"),
          lambda r, say: _plan(r, say)),
    Stage("feeders", ("plan", "spots", "hops", "cells"), ("costs", "feeder"),
          lambda r, say: feeders(r.plan, r.backhaul)),
    Stage("bills", ("costs", "feeders"), ("costs",),
          lambda r, say: settle(r.costs, r.feeders, r.study.costs)),
    Stage("schedule", ("plan", "reach", "bills"), ("works", "targets", "goal", "day"),
          lambda r, say: schedule(*_planned(r), targets=r.study.targets, feeders=r.feeders,
                                  day=r.study.day)),
    Stage("dated", ("bills", "schedule"), ("costs", "day"),
          lambda r, say: dated(r.bills, r.study.costs, r.schedule["on_air"], r.study.day)),
    Stage("deadlines", ("plan", "reach", "bills", "services"), ("works", "targets", "goal", "day"),
          lambda r, say: deadlines(*_planned(r), **_promised(r))),
    Stage("risks", ("plan", "reach", "bills", "services"), ("works", "targets", "goal", "day"),
          lambda r, say: risks(*_planned(r), **_promised(r))),
)


def check(study: Study) -> Surroundings:
    """Find everything that is wrong with, or assumed about, the inputs; compute nothing.

    Returns
    -------
    Surroundings
        Its ``faults`` and ``readings`` say what was found; errors are listed,
        not raised.
    """
    return sources.inspect(study.sources, folder=study.folder, profile=study.profile,
                           crs=study.crs, radio=study.radio, targets=study.targets)


def run(study: Study, *, store: Store | None = None, until: str = "", book: Path | None = None,
        known_on: dt.date | None = None, full: bool = False,
        progress: Report | None = None) -> Results:
    """Run the river: coverage on each day, then every stage of `STAGES` in its order.

    Parameters
    ----------
    study : Study
        What to run.
    store : Store, optional
        Where results are kept and recalled; None computes everything in memory.
    until : str
        Name of the last stage wanted; empty = all.  What comes after it stays as it was.
    book : Path, optional
        Ledger of operators' reports (`desk.report`); its word on cells counts where it has one.
    known_on : date, optional
        Read the ledger as it was known on this day; None = all that is known.
    full : bool
        Compute every day by itself, from nothing, and recall nothing.
    progress : callable, optional
        Called with (what, done, of all).

    Returns
    -------
    Results
        All tables.  The same inputs give the same tables bit for bit, whether
        computed, recalled, or made from those of other cells.

    Raises
    ------
    LedgerBusyError
        If another process works on the same results for too long.
    """
    with store.alone() if store is not None else nullcontext():
        _say(progress, "read", 0, 1)
        inputs = take_in(study, store)
        _say(progress, "read", 1, 1)
        days = Days(study, inputs, store, snapshot_dates(study.targets, study.day), full=full)
        results = Results(study, inputs, days, known_on=known_on)
        about = _with_reports(results, book, known_on)
        _cover(results, progress)
        made = _stages(results, store, until, progress)
        if store is not None:
            here = store.now
            held = {name: tuple(where) for name, where in here.get("results", {}).items()
                    if "@" not in name and "." not in name
                    and here.get("inputs") == days.inputs}
            store.commit({**held, **inputs.parts, **days.parts, **kept(results), **made},
                         inputs=days.inputs, as_of=study.day.isoformat(), **about)
    return results


def _cover(results: Results, progress: Report | None) -> None:
    """Bring coverage up to date, day by day, the newest first."""
    days = results.days
    warm = False
    for number, day in enumerate(reversed(list(days))):
        _say(progress, "links", number, len(days))
        if not warm and not days.begun and not days.is_known(day):
            warm_up(results.study, progress)
            warm = True

        def say(_: str, done: int, of_all: int, n: int = number) -> None:
            _say(progress, "links", n * of_all + done, len(days) * of_all)

        if days.bring(day, say):
            results.recalled.append(f"services@{day}")
    _say(progress, "links", 1, 1)
    results.digests |= days.digests
    results.digests["services"] = key_of(days.digests)
    results.digests["links"] = days.digests[f"links@{results.study.day}"]
    results.digests["registers"] = days.registers_key
    results.digests["cells"] = days.cells_key(results.study.day)


def _stages(results: Results, store: Store | None, until: str,
            progress: Report | None) -> dict[str, tuple[str, str]]:
    """Make or recall the table of each stage; return where each is kept."""
    made: dict[str, tuple[str, str]] = {}
    study = results.study
    for stage in STAGES:
        if "evidence" in stage.made_from and "evidence" not in results.digests:
            results.evidence = evidence(results)
            results.digests["evidence"] = key_of(said_beside(results.evidence, results.days))
        if "drawn" in stage.made_from:
            results.digests["drawn"] = str(study.day >= drawn_on(results))
        nouns = {noun: _noun(study, noun) for noun in stage.nouns}
        key = key_of(results.days.inputs, stage.makes, nouns,
                     [results.digests[name] for name in stage.made_from])
        table = store.recall(stage.makes, key) if store is not None else None
        if table is not None:
            results.recalled.append(stage.makes)
        else:
            _say(progress, stage.makes, 0, 1)
            table = stage.verb(results, _under(stage.makes, progress))
            if _cut_short(table):
                store = None
            if store is not None:
                table = store.keep(stage.makes, key, table, study=study.name,
                                   made_from=list(stage.made_from), with_nouns=list(stage.nouns),
                                   fictional=study.fictional)
            _say(progress, stage.makes, 1, 1)
        results.tables[stage.makes] = table
        if store is not None:
            made[stage.makes] = (stage.makes, key)
        results.digests[stage.makes] = _said(table, content_digest(table) if store is None else
                                             store.note_of(stage.makes, key)["digest"])
        if stage.makes == until:
            break
    return made


def open_book(book: Path, study: Study, points: gpd.GeoDataFrame,
              sites: gpd.GeoDataFrame) -> Ledger:
    """Open the ledger of operators' reports over the cells that the study's files list."""
    shapes = points.geometry.to_numpy()
    place = np.stack([shapely.get_x(shapes), shapely.get_y(shapes)])
    x, y = place[:, np.isfinite(place).all(axis=0)]
    there = transform(x, y, points.crs, DEGREES)
    box = [float(edge(side)) if len(side) else np.nan for edge in (np.min, np.max)
           for side in there]
    area = (box[0] - 1.0, box[1] - 1.0, box[2] + 1.0, box[3] + 1.0)
    operators = sorted(sites["operator"].dropna().unique()) if "operator" in sites else []
    return Ledger.open(book, crs=points.crs, radio=study.radio, standing=sites,
                       operators=operators, area=area)


def _with_reports(results: Results, book: Path | None, known_on: dt.date | None
                  ) -> dict[str, Any]:
    """Let the ledger have its say on the cells of each day; return what it stood on."""
    if book is None or not book.exists():
        return {}
    with open_book(book, results.study, results.points, results.sites) as ledger:
        today, days = results.study.day, sorted({results.study.day, *results.days})
        results.days.air = ledger.air(known_on)
        results.said = ledger.said(days, known_on)
        results.days.registers = {day: results.said[day]["gap"] for day in results.days}
        results.register_steps = ledger.gap_steps(days[0], today, known_on,
                                                  listed(results.points, results.study.targets))
        return {"watermark": ledger.watermark, "head": ledger.head,
                "known_on": None if known_on is None else known_on.isoformat()}


def cells_on(study: Study, inputs: Intake, day: dt.date, book: Path | None = None
             ) -> gpd.GeoDataFrame:
    """Return SITES on air on `day`, as the files and the ledger `book` know them."""
    if book is None or not book.exists():
        return on_air(inputs.sites, day)
    with open_book(book, study, inputs.points, inputs.sites) as ledger:
        return on_air(ledger.state(day), day)


def _cut_short(table: pd.DataFrame) -> bool:
    """Tell whether someone stopped the search for this plan: it is shown, not kept."""
    return bool(table.attrs.get("certificate", {}).get("stopped") == "interrupted")


def _said(table: pd.DataFrame, digest: str) -> str:
    """Return the hash of a table and, of a plan, of the hops that it chose beside its sites."""
    chosen = table.attrs.get("hops")
    return digest if chosen is None else key_of(digest, chosen)


def _noun(study: Study, name: str) -> Any:
    value = getattr(study, name)
    if isinstance(value, dict):
        return {k: v.model_dump(mode="json") for k, v in sorted(value.items())}
    if isinstance(value, tuple):
        return [v.model_dump(mode="json") for v in value]
    return value.isoformat() if isinstance(value, dt.date) else value.model_dump(mode="json")


def _judged(results: Results) -> gpd.GeoDataFrame:
    """Return the points of which operators' footprints can speak: none before they were drawn."""
    return results.points if results.study.day >= drawn_on(results) else results.points.iloc[:0]


def _people(around: Surroundings) -> pd.DataFrame:
    """Return PEOPLE: nobody where communes or a population raster are missing."""
    communes, raster = around.communes, around.population
    if communes is None or raster is None:
        return empty(PEOPLE)
    counted = people_by_commune(communes, raster).people
    return pd.DataFrame({"people": counted, "population": communes["population"]})


def _plan(results: Results, say: Report | None) -> pd.DataFrame:
    if results.study.goal.method == "optimise":
        return best_plan(results, results.study.goal, progress=say).plan
    spots, reach = without(*results.joinable, results.dominated.index)
    return rank_connected(results.gaps, spots, reach, results.costs, results.study.goal,
                          results.backhaul.network, results.backhaul.node_of)


def best_plan(results: Results, goal: Goal, *, progress: Report | None = None) -> Optimised:
    """Optimise on the candidates of a run that has reached ``dominated``."""
    net = results.backhaul
    spots, reach = without(*results.joinable, results.dominated.index.difference(goal.kept))
    return optimise_connected(results.gaps, spots, reach, results.costs, goal, net.network,
                              net.node_of, progress=progress)


def _planned(results: Results) -> tuple[Any, ...]:
    return (results.plan, results.points, results.spots, results.reach, results.bills,
            results.study.goal, results.study.works)


def _promised(results: Results) -> dict[str, Any]:
    study = results.study
    return {"targets": study.targets, "services": results.services[study.day],
            "feeders": results.feeders, "day": study.day}


def _under(name: str, progress: Report | None) -> Report:
    """Return a callback that reports whatever it is told under one name."""
    return lambda _, done, of_all: _say(progress, name, done, of_all)


def _say(progress: Report | None, what: str, done: int, of_all: int) -> None:
    if progress is not None:
        progress(what, done, of_all)
