"""`Register`: every list of units that a study knows, and the crosswalks between them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from phusong.errors import InputError
from phusong.units.audit import UnitList
from phusong.units.crosswalk import Crosswalk, chain

__all__ = ["Register"]


@dataclass(frozen=True, slots=True, eq=False)
class Register:
    """Lists of units by their days, and what leads from one to the next.

    Parameters
    ----------
    lists : tuple of UnitList
        In the order of their days; the last is the study's own.
    walks : tuple of Crosswalk
        In the order of their days.
    """

    lists: tuple[UnitList, ...] = ()
    walks: tuple[Crosswalk, ...] = ()

    @property
    def now(self) -> UnitList | None:
        """The newest list; None if there is none."""
        return self.lists[-1] if self.lists else None

    def on(self, day: dt.date) -> UnitList:
        """Return the list that was in force on a day: the latest that is not later.

        Raises
        ------
        InputError
            If the first list is later than the day.
        """
        past = [listed for listed in self.lists if listed.day <= day]
        if not past:
            raise InputError(f"There is no list of units for {day}; the first is of "
                             f"{self.lists[0].day if self.lists else 'no day'}.")
        return past[-1]

    def between(self, start: dt.date, end: dt.date) -> Crosswalk:
        """Return what leads from one list to another, forward or back.

        Raises
        ------
        InputError
            If no chain of crosswalks does.
        """
        if start > end:
            return self.between(end, start).reversed()
        found = [walk for walk in self.walks if start <= walk.before and walk.after <= end]
        whole = chain(found)
        if whole.before != start or whole.after != end:
            raise InputError(f"The crosswalks lead from {whole.before} to {whole.after}, not from "
                             f"{start} to {end}. Name the missing one in the study file.")
        return whole

    def __repr__(self) -> str:
        return "Register(" + "; ".join([f"{x.day}: {len(x):,} units" for x in self.lists]
                                       + [repr(walk) for walk in self.walks]) + ")"
