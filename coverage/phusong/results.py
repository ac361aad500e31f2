"""Everything a run knows, by name."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import geopandas as gpd
import pandas as pd

from phusong.backhaul import Backhaul
from phusong.days import Days
from phusong.intake import Intake
from phusong.plan import without
from phusong.store import key_of
from phusong.study import Study
from phusong.surroundings import Surroundings
from phusong.tally import Beside, listed
from phusong.terrain import Terrain

__all__ = ["Results"]

_KEPT = 4
"""Of how many sets of days the counted tables stay at hand."""


@dataclass
class Results:
    """Everything a run knows, by name.

    Parameters
    ----------
    study : Study
    inputs : Intake
        What was read; also as `points`, `sites`, `terrain`, `around`.
    days : Days
        Coverage on each day that matters.
    tables : dict of str to DataFrame
        One table for each stage (``service``, ``progress``, ``breakdown``, ``flows``,
        ``forecast``, ``declared``, ``disagreement``, ``disagreement_by_operator``, ``spots``,
        ``reach``, ``hops``, ``costs``, ``dominated``, ``plan``, ``feeders``, ``bills``,
        ``schedule``, ...);
        each is also an attribute, and so is ``links``.  Without operators' footprints the three
        tables about them have no rows.  ``costs`` prices every candidate with the feeder it
        would need alone; ``bills`` is the same with the hops that the sites of the plan share.
    recalled : list of str
        What was read from the store instead of being computed.
    digests : dict of str to str
        Hash of what each result says.
    known_on : date or None
        Day whose knowledge of the reports the run stands on; None = all that is known.
    said : dict of date to dict of str to DataFrame
        What the ledger says of points on each day: claims, field checks, deliveries, the
        register of gap points (`phusong.ledger.told`); empty = there is no ledger.
    evidence : Beside
        What claims, footprints and measurements say of the points on each day.
    register_steps : DataFrame or None
        Every step of that register from the first day to the study's, with its reason.
    """

    study: Study
    inputs: Intake
    days: Days
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    recalled: list[str] = field(default_factory=list)
    digests: dict[str, str] = field(default_factory=dict)
    known_on: dt.date | None = None
    said: dict[dt.date, dict[str, pd.DataFrame]] = field(default_factory=dict)
    evidence: Beside = field(default_factory=Beside)
    register_steps: pd.DataFrame | None = None
    _counted: dict[tuple[dt.date, ...], Any] = field(default_factory=dict, repr=False)

    def __getattr__(self, name: str) -> pd.DataFrame:
        if name.startswith("_") or name not in self.tables:
            raise AttributeError(f"This run has no table {name!r}; it has: "
                                 f"{', '.join(self.tables) or 'none yet'}.")
        return self.tables[name]

    @property
    def points(self) -> gpd.GeoDataFrame:
        """POINTS."""
        return self.inputs.points

    @property
    def sites(self) -> gpd.GeoDataFrame:
        """SITES: every cell of the files, also those not on air on the study's day."""
        return self.inputs.sites

    @property
    def terrain(self) -> Terrain | None:
        """The ground."""
        return self.inputs.terrain

    @property
    def around(self) -> Surroundings:
        """Everything else that was read."""
        return self.inputs.around

    @property
    def links(self) -> pd.DataFrame:
        """LINKS on the study's day."""
        return self.days.links(self.study.day)

    @cached_property
    def standing(self) -> gpd.GeoDataFrame:
        """Cells on air on the study's day."""
        return self.standing_on(self.study.day)

    def standing_on(self, day: dt.date) -> gpd.GeoDataFrame:
        """Return the cells on air on `day`, as the files and the ledger know them."""
        return self.days.cells(day)

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
    def joinable(self) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
        """Candidates that have a way to the network, and what they reach."""
        lost = self.backhaul.node_of.index[self.backhaul.node_of == -2]
        return without(self.tables["spots"], self.tables["reach"], lost)

    @property
    def services(self) -> dict[dt.date, dict[str, pd.DataFrame]]:
        """SERVICE by day and by definition, as `track` counts them."""
        return {day: self.days.services(day) for day in self.days}

    def counted_on(self, days: Sequence[dt.date]) -> tuple[dict[dt.date, dict[str, pd.DataFrame]],
                                                           Beside]:
        """Return SERVICE of the points that a target lists, and what stands beside it.

        All that is counted of some days is counted of the same tables: they are put together
        once.
        """
        key = tuple(days)
        if key not in self._counted:
            if len(self._counted) == _KEPT:  # a study of many days would fill the memory
                del self._counted[next(iter(self._counted))]
            here = self.points.index[:0]
            for day in days:
                here = here.union(listed(self.points, self.study.targets,
                                         self.days.registers.get(day)))
            self._counted[key] = ({day: self.days.services_of(day, here) for day in days},
                                  self._beside_on(days))
        return self._counted[key]

    def _beside_on(self, days: Sequence[dt.date]) -> Beside:
        """Return the evidence of all days, and the model operator by operator on some."""
        alone = {day: self.days.alone(day) for day in days}
        operators = sorted({name for by_name in alone.values() for name in by_name})
        return replace(self.evidence, registers=self.days.registers, by_operator={
            name: {day: by_name.get(name, {}) for day, by_name in alone.items()}
            for name in operators})

    @property
    def digest(self) -> str:
        """Hash of inputs, parameters, program and results: the name of this run."""
        return key_of(self.days.inputs, self.study.model_dump(mode="json"), self.digests)
