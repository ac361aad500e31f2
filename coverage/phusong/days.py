"""Coverage on several days, each recalled, made from the nearest that is known, or made whole."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from phusong.errors import MissingFileError
from phusong.intake import Intake
from phusong.ledger.state import SOURCE, Air
from phusong.pointwise import Pointwise, digest_of, marks_of, places_among
from phusong.progress import on_air
from phusong.relink import changed_cells, links_of
from phusong.snapshots import Snapshot, judge, retake, service_by, take
from phusong.store import POINTER, Store, content_digest, key_of
from phusong.study import Study
from phusong.tally import by_operator, listed

__all__ = ["Days"]

Report = Callable[[str, int, int], None]
_TABLES = ("cells", "counts")
"""Kept as they are; of cells only those that the reports change."""
_SHEETS = {"links": (), "services": ("definition",)}
"""Tables by point, and the columns that tell the rows of a point apart."""
_PARTS = (*_TABLES, *_SHEETS)
_GROWN = 0.25
"""If more of a sheet than this share differs from its base, it is kept whole."""


class Days:
    """Snapshots of coverage by day.

    Parameters
    ----------
    study : Study
        Its radio parameters, definitions of covered and targets.
    inputs : Intake
        Points, cells, terrain.
    store : Store or None
        Where snapshots are kept; None = in memory.
    dates : sequence of date
        The days, oldest first.
    full : bool
        Make every day whole, by itself.

    Attributes
    ----------
    parts, digests : dict
        Where each part of each day is kept, and the hash of what it says.
    operators : dict of date to list of str
        Operators with cells on each day.
    made_from : dict of date to (str, Index, DataFrame)
        Of days that were made from another snapshot: the hash of its links, the points in which
        they differ, and the links of these points (None = there are none).
    air : Air or None
        What operators' reports say; set it before anything is made.
    registers : dict of date to DataFrame
        The register of gap points on each day; the same.
    """

    def __init__(self, study: Study, inputs: Intake, store: Store | None,
                 dates: Sequence[dt.date], *, full: bool = False) -> None:
        self._radio, self._needs, self._targets = study.radio, dict(study.needs), study.targets
        self._from = inputs
        self.store, self._dates, self._full = store, list(dates), full
        self.inputs = inputs.digest
        self.air: Air | None = None
        self.registers: dict[dt.date, pd.DataFrame] = {}
        self.parts: dict[str, tuple[str, str]] = {}
        self.digests: dict[str, str] = {}
        self.operators: dict[dt.date, list[str]] = {}
        self.made_from: dict[dt.date, tuple[str, pd.Index, pd.DataFrame | None]] = {}
        self._before = ""
        self._cells_keys: dict[dt.date, str] = {}
        self._tables: dict[str, Any] = {}
        self._wanted = list(self._needs.values())
        self._marks_before: dict[str, NDArray[np.uint8]] = {}
        self._judged_by = key_of([need.model_dump(mode="json") for need in self._needs.values()])
        self._promised = key_of([target.model_dump(mode="json") for target in self._targets])

    def __iter__(self) -> Iterator[dt.date]:
        return iter(self._dates)

    def __len__(self) -> int:
        return len(self._dates)

    def cells(self, day: dt.date) -> gpd.GeoDataFrame:
        """Return SITES on air on `day`, as the files and the ledger know them."""
        if self.air is None:
            return on_air(self._from.sites, day)
        return on_air(self.air.table(day.isoformat()), day)

    def links(self, day: dt.date) -> pd.DataFrame:
        """Return LINKS on `day`, once `bring` has been called for it."""
        return links_of(*(self._part(part, day) for part in ("links", "counts", "cells")))

    def sheet(self, day: dt.date) -> Pointwise:
        """Return LINKS on `day` by point, without ``cells_considered``."""
        found: Pointwise = self._part("links", day)
        return found

    def links_of(self, day: dt.date, ids: pd.Index) -> pd.DataFrame:
        """Return the links of some points on `day` (without ``cells_considered``)."""
        sheet = self.sheet(day)
        return sheet.take(sheet.rows_of(ids))

    def service(self, day: dt.date, definition: str) -> pd.DataFrame:
        """Return SERVICE on `day` by one definition, once `bring` has been called for it."""
        name = f"service by {definition}@{day}"
        if name not in self._tables:
            self._tables[name] = service_by(self._part("services", day), self._from.points,
                                            definition)
        found: pd.DataFrame = self._tables[name]
        return found

    def services(self, day: dt.date) -> dict[str, pd.DataFrame]:
        """Return SERVICE on `day` by every definition."""
        return {need.name: self.service(day, need.name) for need in self._wanted}

    def services_of(self, day: dt.date, ids: pd.Index) -> dict[str, pd.DataFrame]:
        """Return SERVICE of some points on `day` by definition."""
        sheet: Pointwise = self._part("services", day)
        found = sheet.take(sheet.rows_of(ids))
        definition = found["definition"].to_numpy(object)
        return {need.name: found[definition == need.name] for need in self._wanted}

    def alone(self, day: dt.date) -> dict[str, dict[str, pd.DataFrame]]:
        """Return SERVICE of the targets' points by each operator alone: operator -> definition."""
        found: dict[str, dict[str, pd.DataFrame]] = {}
        for (who, need), rows in self._part("alone", day).groupby(["operator", "definition"]):
            found.setdefault(str(who), {})[str(need)] = rows.drop(columns="operator")
        return found

    @property
    def registers_key(self) -> str:
        """Hash of the register of gap points on every day."""
        return key_of({str(day): content_digest(table) for day, table in self.registers.items()
                       if len(table)})

    def _part(self, part: str, day: dt.date) -> Any:
        name = f"{part}@{day}"
        if name not in self._tables and self.store is not None:
            found = self._recalled(part, self.parts[name])
            if found is None:
                self.store.forget_note(*self.parts[name])
                raise MissingFileError(f"{name} was damaged or removed. Run the same command "
                                       f"again: it will be made anew.")
            self._tables[name] = found
        return self._tables[name]

    def _recalled(self, part: str, where: tuple[str, str]) -> Any:
        assert self.store is not None
        if part in _SHEETS:
            return self.store.recall_pointwise(*where)
        found = self.store.recall(*where)
        return found if part != "cells" or found is None else self._with_files(found)

    def _reported(self, cells: gpd.GeoDataFrame, day: dt.date) -> gpd.GeoDataFrame:
        """Return the cells of a day that the files do not have as they are.

        Its ``attrs`` name the day, the cells of the files that are ``gone``, and the hash of all.
        """
        listed = on_air(self._from.sites, day)
        # what the ledger has no word on is carried over as it is: only the others are compared
        where = places_among(listed.index, cells.index)
        told = (cells["source"] == SOURCE).to_numpy(bool)
        few, many = np.flatnonzero((where < 0) | told[where]), np.flatnonzero(told)
        gone, came = changed_cells(listed.iloc[few], cells.iloc[many])
        found = cells.iloc[many[came]].copy(deep=False)
        found.attrs = {"day": day.isoformat(),
                       "gone": listed.index[few[gone]].astype(str).tolist()}
        found.attrs["digest"] = key_of(content_digest(found), found.attrs["gone"])
        return found

    def _with_files(self, reported: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
        """Return all cells of a day, given those that `_reported` returned."""
        listed = on_air(self._from.sites, dt.date.fromisoformat(reported.attrs["day"]))
        rest = np.flatnonzero(places_among(listed.index, pd.Index(reported.attrs["gone"],
                                                                  dtype="str")) < 0)
        if not len(reported):
            return listed.iloc[rest].sort_index()
        if not len(rest):
            return reported.sort_index()
        whole = pd.concat([listed, reported])
        rows = np.append(rest, np.arange(len(listed), len(whole)))
        return whole.iloc[rows[whole.index.take(rows).argsort()]]

    def cells_key(self, day: dt.date) -> str:
        """Return a hash of all that decides which cells are on air on `day`.

        Days between which no cell of the files goes on or off air, and of which the reports say
        the same, have the same one: what is kept of one is the other's.
        """
        if day not in self._cells_keys:
            reported = "" if self.air is None else self.air.key(day.isoformat())
            self._cells_keys[day] = key_of(self.inputs, self._last_switch(day), reported)
        return self._cells_keys[day]

    def _last_switch(self, day: dt.date) -> str:
        """Return the last moment up to `day` at which a cell of the files went on or off air."""
        sites = self._from.sites
        columns = [sites[name] for name in ("on_air_from", "off_air_from") if name in sites]
        past = [column[column <= pd.Timestamp(day)].max() for column in columns]
        return max((str(when) for when in past if not pd.isna(when)), default="")

    def _key(self, part: str, day: dt.date) -> str:
        also: list[str] = []
        if part == "services":
            also = [self._judged_by]
        if part == "alone":
            register = self.registers.get(day)
            said = register is not None and len(register)
            also = [self._promised, content_digest(register) if said else ""]
        return key_of(self.cells_key(day), part, also)

    @property
    def begun(self) -> bool:
        """Tell whether there is a snapshot to begin with: what it takes has been compiled."""
        return self.store is not None and self.store.now.get("inputs") == self.inputs

    def is_known(self, day: dt.date) -> bool:
        """Tell whether nothing has to be linked for `day`."""
        note = {} if self.store is None else self.store.note_of("links", self._key("links", day))
        return bool(note)

    def bring(self, day: dt.date, progress: Report | None = None) -> bool:
        """Bring the snapshot of `day` up to date; return whether it was already."""
        places = {f"{part}@{day}": (part, self._key(part, day)) for part in (*_PARTS, "alone")}
        if self.store is None:
            made = self._made(day, progress)
            self._tables |= {f"{part}@{day}": getattr(made, part) for part in _PARTS}
            reported = self._reported(made.cells, day)
            self._tables[f"alone@{day}"] = alone = self._judged_alone(day)
            self.operators[day] = sorted(alone["operator"].unique())
            ids = self._from.points.index
            self.digests |= {f"cells@{day}": reported.attrs["digest"],
                             f"counts@{day}": content_digest(made.counts)}
            self.digests |= {f"{part}@{day}": digest_of(_marks(made, part, ids), ids)
                             for part in _SHEETS}
            self.digests[f"alone@{day}"] = content_digest(self._tables[f"alone@{day}"])
            self.parts |= places
            return False
        known = {part: self.store.note_of(part, key).get("key") == key
                 for part, key in places.values()}
        if not all(known[part] for part in _PARTS):
            made = self._made(day, progress)
            self._keep(day, places, made)
            if made.touched is not None:
                self.made_from[day] = self._before, made.touched, made.again.get("links")
        self.parts |= places
        for part in _SHEETS:
            key = self._key(part, day)
            self.parts[f"{part}_marks@{day}"] = (f"{part}_marks", key)
            over = self.store.note_of(part, key).get("over")
            if over:
                self.parts[f"{part}_base@{day}"] = (part, over)
        if not known["alone"]:
            alone = self._judged_alone(day)
            self.store.put(*places[f"alone@{day}"], alone,
                            operators=sorted(alone["operator"].unique()))
        self.operators[day] = self.store.note_of(*places[f"alone@{day}"])["operators"]
        self.digests |= {name: self.store.note_of(*where)["digest"]
                         for name, where in places.items()}
        return all(known.values())

    def _keep(self, day: dt.date, places: Mapping[str, tuple[str, str]], made: Snapshot) -> None:
        """Keep what was made of a day: of sheets only what their base has not."""
        assert self.store is not None
        about = {"day": day.isoformat(), "judged_by": self._judged_by}
        ids = self._from.points.index
        reported = self._reported(made.cells, day)
        self.store.put(*places[f"cells@{day}"], reported, **about,
                        digest=reported.attrs["digest"])
        self.store.put(*places[f"counts@{day}"], made.counts, **about)
        for part in _SHEETS:
            sheet: Pointwise = getattr(made, part)
            if sheet.key == places[f"{part}@{day}"][1]:
                continue  # recalled as it is
            if len(sheet.added) > _GROWN * len(sheet.base):
                sheet = Pointwise.of(made.whole(part).drop(columns="cells_considered",
                                                           errors="ignore"))
            marks = _marks(made, part, ids, self._marks_before.get(part))
            self.store.keep_pointwise(*places[f"{part}@{day}"], sheet, marks, ids, **about)

    def _judged_alone(self, day: dt.date) -> pd.DataFrame:
        points, register = self._from.points, self.registers.get(day)
        here = listed(points, self._targets, register)
        return by_operator(points, self.links_of(day, here), self._targets, register,
                           operators=self.sheet(day).values("operator"))

    def _made(self, day: dt.date, progress: Report | None) -> Snapshot:
        self._marks_before = {}
        if self.store is not None:
            where = {part: (part, self._key(part, day)) for part in ("links", "counts")}
            found = {part: self._recalled(part, at) for part, at in where.items()}
            if all(table is not None for table in found.values()):
                return judge(self._from.points, self.cells(day), found["links"], found["counts"],
                             self._wanted)
        self._from.look_ahead()
        cells, previous = self.cells(day), None if self._full else self._nearest(day)
        given = self._from.points, cells, self._from.terrain, self._radio
        if previous is None:
            return take(*given, self._wanted, progress=progress)
        return retake(previous, *given, self._wanted, progress=progress)

    def _nearest(self, day: dt.date) -> Snapshot | None:
        """Return the snapshot to begin with: of the same day if there is one, else the nearest."""
        known = dict(self.parts)
        if self.store is not None:
            for store in (self.store.at(POINTER), self.store):
                said = store.now
                if said.get("inputs") == self.inputs:
                    known = {**{name: tuple(where) for name, where in said["results"].items()
                                if name.split("@")[0] in _PARTS}, **known}
        days = {dt.date.fromisoformat(name.split("@")[1]) for name in known}
        for other in sorted(days, key=lambda d: (abs((d - day).days), d)):
            found = self._kept({part: known.get(f"{part}@{other}") for part in _PARTS}, other)
            if found is not None:
                return found
        return None

    def _kept(self, where: Mapping[str, Any], other: dt.date) -> Snapshot | None:
        if self.store is None:
            return Snapshot(**{part: self._tables[f"{part}@{other}"] for part in _PARTS})
        if not all(where.values()) or \
                self.store.note_of(*where["services"]).get("judged_by") != self._judged_by:
            return None
        tables = {part: self._recalled(part, at) for part, at in where.items()}
        marks = {part: self.store.recall_array(f"{part}_marks", where[part][1])
                 for part in _SHEETS}
        if any(found is None for found in (*tables.values(), *marks.values())):
            return None
        self._marks_before = {part: np.asarray(found) for part, found in marks.items()}
        self._before = self.store.note_of(*where["links"])["digest"]
        return Snapshot(**tables)


def _marks(made: Snapshot, part: str, ids: pd.Index,
           before: NDArray[np.uint8] | None = None) -> NDArray[np.uint8]:
    """Return the mark of each point: those before, but for the points that were touched."""
    sheet: Pointwise = getattr(made, part)
    if made.touched is None or before is None:
        return marks_of(sheet.whole(), ids, _SHEETS[part])
    marks = before.copy()
    if len(made.touched):
        marks[ids.get_indexer(made.touched)] = marks_of(made.again[part], made.touched,
                                                        _SHEETS[part])
    return marks
