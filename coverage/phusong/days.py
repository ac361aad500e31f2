"""Coverage on several days, each recalled, made from the nearest that is known, or made whole."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import geopandas as gpd
import pandas as pd

from phusong.intake import Intake
from phusong.ledger.state import Air
from phusong.progress import on_air
from phusong.service import assess
from phusong.snapshots import Snapshot, retake, take
from phusong.store import POINTER, Store, content_digest, key_of
from phusong.study import Study
from phusong.tally import by_operator

__all__ = ["Days"]

Report = Callable[[str, int, int], None]
_PARTS = ("cells", "links", "services")


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
    air : Air or None
        What operators' reports say; set it before anything is made.
    registers : dict of date to DataFrame
        The register of gap points on each day; the same.
    """

    def __init__(self, study: Study, inputs: Intake, store: Store | None,
                 dates: Sequence[dt.date], *, full: bool = False) -> None:
        self._radio, self._needs, self._targets = study.radio, dict(study.needs), study.targets
        self._from = inputs
        self._store, self._dates, self._full = store, list(dates), full
        self.inputs = inputs.digest
        self.air: Air | None = None
        self.registers: dict[dt.date, pd.DataFrame] = {}
        self.parts: dict[str, tuple[str, str]] = {}
        self.digests: dict[str, str] = {}
        self._memory: dict[str, pd.DataFrame] = {}
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
        return self._part("links", day)

    def services(self, day: dt.date) -> dict[str, pd.DataFrame]:
        """Return SERVICE on `day` by definition, once `bring` has been called for it."""
        table = self._part("services", day)
        count = len(self._from.points)
        return {name: table.iloc[n * count:(n + 1) * count] for n, name in enumerate(self._needs)}

    def alone(self, day: dt.date) -> dict[str, dict[str, pd.DataFrame]]:
        """Return SERVICE of the targets' points by each operator alone: operator -> definition."""
        found: dict[str, dict[str, pd.DataFrame]] = {}
        for (name, need), rows in self._part("alone", day).groupby(["operator", "definition"]):
            found.setdefault(str(name), {})[str(need)] = rows.drop(columns="operator")
        return found

    @property
    def registers_key(self) -> str:
        """Hash of the register of gap points on every day."""
        return key_of({str(day): content_digest(table) for day, table in self.registers.items()})

    def _part(self, part: str, day: dt.date) -> pd.DataFrame:
        name = f"{part}@{day}"
        if name not in self._memory and self._store is not None:
            found = self._store.recall(*self.parts[name])
            if found is None:
                raise FileNotFoundError(f"{name} was damaged or removed while it was needed. Run "
                                        f"the same command again.")
            if part == "links":
                return found
            self._memory[name] = found
        return self._memory[name]

    def cells_key(self, day: dt.date) -> str:
        """Return a hash of all that decides which cells are on air on `day`."""
        reported = "" if self.air is None else self.air.key(day.isoformat())
        return key_of(self.inputs, day.isoformat(), reported)

    def _key(self, part: str, day: dt.date) -> str:
        also: list[str] = []
        if part == "services":
            also = [self._judged_by]
        if part == "alone":
            register = self.registers.get(day)
            also = [self._promised, "" if register is None else content_digest(register)]
        return key_of(self.cells_key(day), part, also)

    def is_known(self, day: dt.date) -> bool:
        """Tell whether nothing has to be linked for `day`."""
        note = {} if self._store is None else self._store.note_of("links", self._key("links", day))
        return bool(note)

    def bring(self, day: dt.date, progress: Report | None = None) -> bool:
        """Bring the snapshot of `day` up to date; return whether it was already."""
        places = {f"{part}@{day}": (part, self._key(part, day)) for part in (*_PARTS, "alone")}
        if self._store is None:
            made = self._made(day, progress)
            tables = (*made, self._judged_alone(made.links, day))
            self._memory |= dict(zip(places, tables, strict=True))
            self.digests |= {name: content_digest(self._memory[name]) for name in places}
            self.parts |= places
            return False
        known = {part: self._store.note_of(part, key).get("key") == key
                 for part, key in places.values()}
        if not all(known[part] for part in _PARTS):
            for table, where in zip(self._made(day, progress), places.values(), strict=False):
                self._store.keep(*where, table, day=day.isoformat(), judged_by=self._judged_by)
        self.parts |= places
        if not known["alone"]:
            self._store.keep(*places[f"alone@{day}"], self._judged_alone(self.links(day), day))
        self.digests |= {name: self._store.note_of(*where)["digest"]
                         for name, where in places.items()}
        return all(known.values())

    def _judged_alone(self, links: pd.DataFrame, day: dt.date) -> pd.DataFrame:
        return by_operator(self._from.points, links, self._targets, self.registers.get(day))

    def _made(self, day: dt.date, progress: Report | None) -> Snapshot:
        given = self._from.points, self.cells(day), self._from.terrain, self._radio
        needs = list(self._needs.values())
        linked = None if self._store is None else self._store.recall(
            "links", self._key("links", day))
        if linked is not None:
            judged = [assess(self._from.points, linked, need) for need in needs]
            return Snapshot(given[1], linked, pd.concat(judged))
        previous = None if self._full else self._nearest(day)
        if previous is None:
            return take(*given, needs, progress=progress)
        return retake(previous, *given, needs, progress=progress)

    def _nearest(self, day: dt.date) -> Snapshot | None:
        """Return the snapshot to begin with: of the same day if there is one, else the nearest."""
        known = dict(self.parts)
        if self._store is not None:
            for store in (self._store.at(POINTER), self._store):
                said = store.now
                if said.get("inputs") == self.inputs:
                    known = {**{name: tuple(where) for name, where in said["results"].items()
                                if name.split("@")[0] in _PARTS}, **known}
        days = {dt.date.fromisoformat(name.split("@")[1]) for name in known}
        for other in sorted(days, key=lambda d: (abs((d - day).days), d)):
            found = self._snapshot({part: known.get(f"{part}@{other}") for part in _PARTS}, other)
            if found is not None:
                return found
        return None

    def _snapshot(self, where: Mapping[str, Any], day: dt.date) -> Snapshot | None:
        if self._store is None:
            return Snapshot(*(self._memory[f"{part}@{day}"] for part in _PARTS))  # type: ignore[arg-type]
        if not all(where.values()) or \
                self._store.note_of(*where["services"]).get("judged_by") != self._judged_by:
            return None
        tables = [self._store.recall(*where[part]) for part in _PARTS]
        return None if any(t is None for t in tables) else Snapshot(*tables)  # type: ignore[arg-type]
