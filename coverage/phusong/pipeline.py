"""The order of the day: from a study file to a ranked plan and its progress.

`STAGES` is the whole programme as one readable list.  Each stage names what it
makes, what it is made from, and the verb; results are recalled from the store
if nothing they depend on has changed.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import geopandas as gpd
import pandas as pd

from phusong import sources
from phusong.backhaul import Backhaul, feeders, hops, own_feeders
from phusong.cost import price, settle
from phusong.declared import declared, disagreement, disagreement_by_operator
from phusong.geo import to_degrees
from phusong.ledger import Ledger
from phusong.links import link
from phusong.outlook import forecast
from phusong.plan import Goal, Optimised, deadlines, optimise, rank_connected, risks, schedule
from phusong.progress import on_air, snapshot_dates
from phusong.service import assess
from phusong.siting import propose
from phusong.store import Store, file_digest, key_of, program_digest
from phusong.study import Study
from phusong.surroundings import Surroundings
from phusong.tally import Beside, break_down, by_operator, flows, services_of, track
from phusong.terrain import Terrain
from phusong.warming import warm_up

__all__ = ["STAGES", "Results", "Stage", "best_plan", "check", "inputs_digest", "open_book", "read",
           "run"]

Report = Callable[[str, int, int], None]


@dataclass
class Results:
    """Everything a run knows, by name.

    Parameters
    ----------
    study : Study
    points, sites, terrain, around
        What `read` returned; `sites` holds every cell of the files, also those
        not on air on the study's day.
    tables : dict of str to DataFrame
        One table for each stage (``links``, ``service``, ``declared``, ``disagreement``,
        ``disagreement_by_operator``, ``snapshots``, ``progress``, ``breakdown``, ``flows``,
        ``forecast``, ``spots``, ``reach``, ``hops``, ``costs``, ``plan``, ``feeders``,
        ``bills``, ``schedule``, ...); each is also an attribute.  Without operators' footprints
        the three tables about them have no rows. ``costs`` prices every candidate with the
        feeder it would need alone; ``bills`` is the same with the hops that the sites of the
        plan share.
    recalled : list of str
        Stages that were read from the store instead of being computed.
    digest : str
        Hash of inputs, parameters and program: the name of this run.
    warm : bool
        Whether the compiled kernels are loaded.
    cells, registers : dict of date to DataFrame
        SITES on air and the register of gap points by day; empty without operators' reports.
    known_on : date or None
        Day whose knowledge of the reports the run stands on; None = all that is known.
    """

    study: Study
    points: gpd.GeoDataFrame
    sites: gpd.GeoDataFrame
    terrain: Terrain | None
    around: Surroundings
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    recalled: list[str] = field(default_factory=list)
    digest: str = ""
    warm: bool = False
    cells: dict[dt.date, gpd.GeoDataFrame] = field(default_factory=dict)
    registers: dict[dt.date, pd.DataFrame] = field(default_factory=dict)
    known_on: dt.date | None = None

    def __getattr__(self, name: str) -> pd.DataFrame:
        if name.startswith("_") or name not in self.tables:
            raise AttributeError(f"This run has no table {name!r}; it has: "
                                 f"{', '.join(self.tables) or 'none yet'}.")
        return self.tables[name]

    @property
    def standing(self) -> gpd.GeoDataFrame:
        """Cells on air on the study's day."""
        return self.standing_on(self.study.day)

    def standing_on(self, day: dt.date) -> gpd.GeoDataFrame:
        """Return the cells on air on `day`, as the files and the ledger know them."""
        return self.cells[day] if day in self.cells else on_air(self.sites, day)

    @property
    def gaps(self) -> gpd.GeoDataFrame:
        """Points that the goal wants closed: by default those that nobody covers.

        Where the goal counts probabilities they carry that of today.
        """
        found = self.points[self.tables["service"]["status"].isin(self.study.goal.closes)]
        if self.study.goal.counts == "covered":
            return found
        return found.assign(probability=self.tables["service"]["probability"])

    @cached_property
    def backhaul(self) -> Backhaul:
        """Every feeder that could be built, priced."""
        return Backhaul.of(self.tables["spots"], self.standing, self.tables["hops"],
                           self.study.costs, self.study.feeder)

    @property
    def services(self) -> dict[dt.date, dict[str, pd.DataFrame]]:
        """SERVICE by day and by definition, as `track` counts them."""
        return services_of(self.tables["snapshots"])

    @property
    def beside(self) -> Beside:
        """What is known beside the model, and the model operator by operator."""
        snapshots = self.tables["snapshots"]
        operators = sorted(set(snapshots["operator"]) - {""})
        return Beside(registers=self.registers, by_operator={
            name: services_of(snapshots, name) for name in operators})


class Stage(NamedTuple):
    """One bend of the river: what it makes, from which stages and nouns, and how."""

    makes: str
    stages: tuple[str, ...]
    nouns: tuple[str, ...]
    verb: Callable[[Results, Report | None], pd.DataFrame]


STAGES: tuple[Stage, ...] = (
    Stage("links", (), ("radio", "day"),
          lambda r, say: link(r.points, r.standing, r.terrain, r.study.radio, progress=say)),
    Stage("service", ("links",), ("need",),
          lambda r, say: assess(r.points, r.links, r.study.need)),
    Stage("declared", (), ("need",),
          lambda r, say: declared(_judged(r), r.around.footprints, r.study.need)),
    Stage("disagreement", ("service", "declared"), (),
          lambda r, say: disagreement(r.service.loc[r.tables["declared"].index],
                                      r.tables["declared"])),
    Stage("disagreement_by_operator", ("links",), ("need",),
          lambda r, say: disagreement_by_operator(r.points, r.links, r.around.footprints,
                                                  r.study.need)),
    Stage("snapshots", ("links",), ("targets", "needs", "radio", "day"),
          lambda r, say: _snapshots(r, say)),
    Stage("progress", ("snapshots",), ("targets",),
          lambda r, say: track(r.points, r.services, r.study.targets, beside=r.beside)),
    Stage("breakdown", ("snapshots",), ("targets",),
          lambda r, say: break_down(r.points, r.services, r.study.targets, beside=r.beside)),
    Stage("flows", ("snapshots",), ("targets",),
          lambda r, say: flows(r.points, r.services, r.study.targets, beside=r.beside)),
    Stage("forecast", ("progress",), ("targets", "day"),
          lambda r, say: forecast(r.progress, r.study.targets, r.study.day)),
    Stage("spots", ("links", "service"), ("siting", "radio", "goal"),
          lambda r, say: propose(r.gaps, r.standing, r.terrain, r.around, r.study.siting,
                                 radio=r.study.radio, need=r.study.goal.need, links=r.links,
                                 covered=r.points[r.service["status"] == "covered"])),
    Stage("reach", ("spots",), ("radio",),
          lambda r, say: link(r.gaps, r.spots, r.terrain, r.study.radio, progress=say)),
    Stage("hops", ("spots",), ("feeder",),
          lambda r, say: hops(r.spots, r.standing, r.terrain, r.around, r.study.feeder)),
    Stage("costs", ("spots", "hops"), ("costs", "feeder"),
          lambda r, say: price(r.spots, r.around, r.study.costs, feeders=own_feeders(r.backhaul))),
    Stage("plan", ("reach", "costs", "hops"), ("goal", "costs", "feeder"),
          lambda r, say: _plan(r, say)),
    Stage("feeders", ("plan", "hops"), ("costs", "feeder"),
          lambda r, say: feeders(r.plan["site_id"], r.backhaul)),
    Stage("bills", ("costs", "feeders"), ("costs",),
          lambda r, say: settle(r.costs, r.feeders, r.study.costs)),
    Stage("schedule", ("plan", "bills"), ("works", "targets", "day"),
          lambda r, say: schedule(*_planned(r), targets=r.study.targets, day=r.study.day)),
    Stage("deadlines", ("plan", "bills", "snapshots"), ("works", "targets", "day"),
          lambda r, say: deadlines(*_planned(r), **_promised(r))),
    Stage("risks", ("plan", "bills", "snapshots"), ("works", "targets", "day"),
          lambda r, say: risks(*_planned(r), **_promised(r))),
)


def read(study: Study) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame, Terrain | None, Surroundings]:
    """Read and check every input of a study.

    Parameters
    ----------
    study : Study
        As `Study.read` returns it.

    Returns
    -------
    points, sites, terrain, around
        POINTS, SITES (standing), `Terrain` (None if the study names none) and
        `Surroundings`, everything in the study's working CRS.

    Raises
    ------
    InputError
        With all faults of all files at once.
    """
    return sources.collect(study.sources, folder=study.folder, profile=study.profile,
                           crs=study.crs, radio=study.radio, targets=study.targets)


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
        known_on: dt.date | None = None, progress: Report | None = None) -> Results:
    """Run the river: every stage of `STAGES` in its order.

    Parameters
    ----------
    study : Study
        What to run.
    store : Store, optional
        Where results are kept and recalled; None computes everything in memory.
    until : str
        Name of the last stage wanted; empty = all.
    book : Path, optional
        Ledger of operators' reports (`desk.report`); its word on cells counts where it has one.
    known_on : date, optional
        Read the ledger as it was known on this day; None = all that is known.
    progress : callable, optional
        Called with (what, done, of all).

    Returns
    -------
    Results
        All tables.  The same inputs give the same tables bit for bit, whether
        computed or recalled.
    """
    _say(progress, "read", 0, 1)
    points, sites, terrain, around = read(study)
    _say(progress, "read", 1, 1)
    results = Results(study, points, sites, terrain, around, known_on=known_on)
    inputs = key_of(inputs_digest(study), _with_reports(results, book, known_on))
    keys: dict[str, str] = {}
    for stage in STAGES:
        made_from = [keys[name] for name in stage.stages]
        nouns = {noun: _noun(study, noun) for noun in stage.nouns}
        keys[stage.makes] = key_of(inputs, stage.makes, made_from, nouns)
        results.tables[stage.makes] = _stage(stage, keys[stage.makes], results, store, progress)
        if stage.makes == until:
            break
    results.digest = key_of(inputs, keys)
    return results


def open_book(book: Path, study: Study, points: gpd.GeoDataFrame,
              sites: gpd.GeoDataFrame) -> Ledger:
    """Open the ledger of operators' reports over the cells that the study's files list."""
    box = to_degrees(points[points.geometry.notna()]).total_bounds
    area = (box[0] - 1.0, box[1] - 1.0, box[2] + 1.0, box[3] + 1.0)
    operators = sorted(set(sites["operator"].dropna())) if "operator" in sites else []
    return Ledger.open(book, crs=points.crs, radio=study.radio, standing=sites,
                       operators=operators, area=area)


def _with_reports(results: Results, book: Path | None, known_on: dt.date | None) -> str:
    """Put the ledger's state on every day that matters into `results`; return what it stood on."""
    if book is None or not book.exists():
        return ""
    study = results.study
    with open_book(book, study, results.points, results.sites) as ledger:
        for day in {study.day, *snapshot_dates(study.targets, study.day)}:
            results.cells[day] = ledger.state(day, known_on)
            results.registers[day] = ledger.gaps(day, known_on)
        return key_of(ledger.head, str(known_on))


def _stage(stage: Stage, key: str, results: Results, store: Store | None,
           progress: Report | None) -> pd.DataFrame:
    if store is not None:
        found = store.recall(stage.makes, key)
        if found is not None:
            results.recalled.append(stage.makes)
            return found
    if "radio" in stage.nouns and not results.warm:
        warm_up(results.study, progress)
        results.warm = True

    def say(_: str, done: int, of_all: int) -> None:
        _say(progress, stage.makes, done, of_all)

    say("", 0, 1)
    table = stage.verb(results, say)
    say("", 1, 1)
    if store is None or _cut_short(table):
        return table
    return store.keep(stage.makes, key, table, study=results.study.name,
                      made_from=list(stage.stages), with_nouns=list(stage.nouns),
                      fictional=results.study.fictional)


def _cut_short(table: pd.DataFrame) -> bool:
    """Tell whether someone stopped the search for this plan: it is shown, not kept."""
    return bool(table.attrs.get("certificate", {}).get("stopped") == "interrupted")


def _noun(study: Study, name: str) -> Any:
    value = getattr(study, name)
    if isinstance(value, dict):
        return {k: v.model_dump(mode="json") for k, v in sorted(value.items())}
    if isinstance(value, tuple):
        return [v.model_dump(mode="json") for v in value]
    return value.isoformat() if isinstance(value, dt.date) else value.model_dump(mode="json")


def inputs_digest(study: Study) -> str:
    """Return a hash of the program, of how the study reads its files, and of their bytes."""
    files = sources.files(study.sources, folder=study.folder, targets=study.targets)
    named = [(Path(os.path.relpath(path, study.folder)).as_posix(), file_digest(path))
             for path in _all_files(files)]
    return key_of(program_digest(), study.sources.model_dump(mode="json"), study.crs,
                  study.profile.model_dump(mode="json"), _noun(study, "radio"),
                  _noun(study, "targets"), sorted(named))


def _all_files(paths: Iterable[Path]) -> list[Path]:
    found: set[Path] = set()
    for path in paths:
        # a shapefile is several files; all of them count
        found |= set(path.parent.glob(f"{path.stem}.*")) if path.suffix == ".shp" else {path}
    return sorted(p for p in found if p.is_file())


def _judged(results: Results) -> gpd.GeoDataFrame:
    """Return the points of which operators' footprints can speak: none without footprints."""
    around = results.around
    return results.points if around.footprints is not None else results.points.iloc[:0]


def _plan(results: Results, say: Report | None) -> pd.DataFrame:
    if results.study.goal.method == "optimise":
        return best_plan(results, results.study.goal, progress=say).plan
    return rank_connected(results.gaps, results.spots, results.reach, results.costs,
                          results.study.goal, results.backhaul.network, results.backhaul.node_of)


def best_plan(results: Results, goal: Goal, *, progress: Report | None = None) -> Optimised:
    """Optimise on the candidates of a run that has reached ``costs``; each feeder is paid alone."""
    lost = (results.spots["site_id"].map(results.backhaul.node_of) == -2).to_numpy(bool)
    cells = results.reach.index.get_level_values("cell_id")
    reach = results.reach[~cells.isin(results.spots.index[lost])]
    return optimise(results.gaps, results.spots[~lost], reach, results.costs, goal,
                    progress=progress)


def _snapshots(results: Results, say: Report | None) -> pd.DataFrame:
    study = results.study
    days = snapshot_dates(study.targets, study.day)
    frames = []
    before: tuple[pd.Index, pd.DataFrame] | None = (results.standing.index, results.links)
    for number, day in enumerate(reversed(days)):
        _say(say, "snapshots", number, len(days))
        cells = results.standing_on(day)
        if before is None or not before[0].equals(cells.index):
            before = (cells.index, link(results.points, cells, results.terrain, study.radio))
        for need in study.needs.values():
            frames.append(assess(results.points, before[1], need).assign(date=pd.Timestamp(day),
                                                                         operator=""))
        frames.append(by_operator(results.points, before[1], study.targets,
                                  results.registers.get(day)).assign(date=pd.Timestamp(day)))
    return pd.concat(frames[::-1])


def _planned(results: Results) -> tuple[Any, ...]:
    return (results.plan, results.points, results.spots, results.reach, results.bills,
            results.study.goal, results.study.works)


def _promised(results: Results) -> dict[str, Any]:
    study = results.study
    return {"targets": study.targets, "services": results.services[study.day], "day": study.day}


def _say(progress: Report | None, what: str, done: int, of_all: int) -> None:
    if progress is not None:
        progress(what, done, of_all)
