"""The inventory that reports change: its cells by operator and site code, as the fold writes them.

An inventory of a country has a hundred thousand cells; what is asked of it again and again (whose
codes, which rows, which codes several operators use) is worked out once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from phusong.ledger.events import site_key

__all__ = ["Inventory", "Unit", "shared_codes", "site_keys"]

Unit = tuple[str, str]
"""Operator and site code."""


@dataclass(frozen=True, eq=False)
class Inventory:
    """SITES by operator and site code.

    Parameters
    ----------
    sites : GeoDataFrame or None
        SITES with status ``standing``; None = there is no inventory.
    units : tuple of (operator, site code)
        Each once.
    unit : (cells,) int64
        Number of the unit of each cell.
    """

    sites: gpd.GeoDataFrame | None
    units: tuple[Unit, ...]
    unit: NDArray[np.int64]

    @classmethod
    def of(cls, sites: gpd.GeoDataFrame | None) -> Inventory:
        """Number the sites of a table."""
        if sites is None or sites.empty:
            return cls(sites, (), np.empty(0, np.int64))
        operator, operators = pd.factorize(sites["operator"], use_na_sentinel=False)
        site, names = pd.factorize(sites["site_id"], use_na_sentinel=False)
        same, codes = pd.factorize(np.array(site_keys([*map(str, names)]), object))
        pair, unit = np.unique(operator * np.int64(len(codes)) + same[site], return_inverse=True)
        whose, which = np.divmod(pair, len(codes))
        by_name = [str(name) for name in operators]
        return cls(sites, tuple(zip((by_name[n] for n in whose), codes[which], strict=True)),
                   unit.reshape(-1).astype(np.int64))

    def __len__(self) -> int:
        return len(self.unit)

    @cached_property
    def _number(self) -> dict[Unit, int]:
        return {unit: number for number, unit in enumerate(self.units)}

    def rows_of(self, units: Iterable[Unit]) -> NDArray[np.bool_]:
        """Tell which cells belong to some units."""
        wanted = np.zeros(len(self.units) + 1, bool)
        wanted[[self._number.get(unit, len(self.units)) for unit in units]] = True
        return np.asarray(wanted[:-1][self.unit])

    def only(self, units: Iterable[Unit]) -> Inventory:
        """Return the cells of some units alone."""
        if self.sites is None:
            return self
        rows = self.rows_of(units)
        return Inventory(self.sites[rows], self.units, self.unit[rows])

    def names_of(self, units: Collection[Unit]) -> dict[Unit, str]:
        """Return the ``site_id`` of some units, of those that the inventory has."""
        if self.sites is None or not len(self):
            return {}
        rows = np.flatnonzero(self.rows_of(units))
        names = self.sites["site_id"].iloc[rows].tolist()
        return {self.units[unit]: name for unit, name in zip(self.unit[rows], names, strict=True)}

    @cached_property
    def ids(self) -> dict[str, str]:
        """``cell_id`` of every cell by its code."""
        if self.sites is None:
            return {}
        ids = self.sites.index.to_numpy(object).astype(str).tolist()
        return dict(zip(site_keys(ids), ids, strict=True))

    @cached_property
    def _owner(self) -> dict[str, str]:
        return {code: operator for operator, code in self.units}

    @cached_property
    def _shared(self) -> set[str]:
        return shared_codes(self.units)

    def shared_with(self, units: Collection[Unit]) -> set[str]:
        """Return the codes that several operators use, here or among `units`."""
        also = {code for operator, code in units if self._owner.get(code, operator) != operator}
        return self._shared | also | shared_codes(units)


def shared_codes(units: Iterable[Unit]) -> set[str]:
    """Return the site codes that more than one operator uses."""
    owners: dict[str, set[str]] = defaultdict(set)
    for operator, code in units:
        owners[code].add(operator)
    return {code for code, mine in owners.items() if len(mine) > 1}


def site_keys(codes: Sequence[str]) -> list[str]:
    """Return `site_key` of many codes; plain ones are treated all at once."""
    text = "\n".join(codes).upper()
    lines = text.split("\n")
    if text.isascii() and lines == text.split() and len(lines) == len(codes):
        return lines
    return [site_key(code) for code in codes]
