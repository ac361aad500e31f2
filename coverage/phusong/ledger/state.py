"""Folded cells -> SITES on any day in the working CRS, and what differs between two of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from operator import itemgetter
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from shapely import points

from phusong.geo import DEGREES, transform
from phusong.ledger.events import canonical, site_key
from phusong.ledger.fold import Cell
from phusong.ledger.inventory import Inventory, Unit
from phusong.ledger.keep import sha256
from phusong.radio.budget import Preset, Radio
from phusong.tables import SITES, joined, split

__all__ = ["CHANGES", "SOURCE", "Air", "compare", "sites_table", "standing_cells"]

SOURCE = "ledger"
"""What SITES say of cells that were reported; all others are carried over as they are."""

CHANGES = ("change", "operator", "columns", "old_x", "old_y", "new_x", "new_y")
"""Columns of what `compare` returns; coordinates in the working CRS, metres."""

_VALUES = ("technology", "frequency_mhz", "bandwidth_mhz", "antenna_height_m", "azimuth_deg",
           "tilt_deg", "beamwidth_deg", "gain_dbi", "eirp_dbm")
_NUMBERS = _VALUES[1:]
_COLUMNS = ("site_id", "status", "operator", *_VALUES, "on_air_from", "off_air_from", "assumed",
            "source")


@dataclass(frozen=True)
class Air:
    """What is on air on any day, as far as it was known: every statement, folded once.

    Parameters
    ----------
    sites : mapping of (operator, site) to list of Cell
        As `fold_sites` returns them.
    before : mapping of (operator, site) to list of Cell
        What the inventory says of the same sites.
    crs, radio, inventory
        As `sites_table` takes them.
    shared : set of str
        Site codes that several operators use.
    """

    sites: Mapping[tuple[str, str], list[Cell]]
    before: Mapping[tuple[str, str], list[Cell]]
    crs: Any
    radio: Radio
    inventory: Inventory
    shared: set[str]

    def differing(self, as_of: str) -> list[tuple[str, str]]:
        """Return the sites of which the reports say something else than the inventory.

        `as_of` is an ISO day.  A site that changes later is not among them.
        """
        def said(cells: Iterable[Cell]) -> list[tuple[str, Mapping[str, Any]]]:
            return [(c.part, c.at(as_of)) for c in cells if c.on_air(as_of)]

        return [key for key in sorted(self.sites)
                if said(self.sites[key]) != said(self.before.get(key, ()))]

    def key(self, as_of: str) -> str:
        """Return a hash of all that the reports change on an ISO day: same hash, same `table`."""
        said = [[*key, key[1] in self.shared,
                 [[c.part, c.on_air_from, c.off_air_from, c.at(as_of)] for c in self.sites[key]
                  if c.on_air(as_of)]] for key in self.differing(as_of)]
        return sha256(canonical(said).encode()) if said else ""

    def table(self, as_of: str) -> gpd.GeoDataFrame:
        """Return SITES on an ISO day, as `sites_table` does."""
        keys = self.differing(as_of) if self.inventory.sites is not None else sorted(self.sites)
        cells = [cell for key in keys for cell in self.sites[key]]
        return sites_table(cells, as_of, self.crs, self.radio, self.inventory, keys, self.shared)


def standing_cells(inventory: Inventory) -> dict[tuple[str, str], list[Cell]]:
    """Return the cells of an inventory by (operator, site code), as the fold takes them.

    Each cell's code is its ``cell_id``.
    """
    found: dict[tuple[str, str], list[Cell]] = defaultdict(list)
    sites = inventory.sites
    if sites is None or sites.empty:
        return found
    lon, lat = transform(sites.geometry.x, sites.geometry.y, sites.crs, DEGREES)
    columns = [c for c in _VALUES if c in sites.columns]
    table = pd.DataFrame(sites.drop(columns="geometry"))
    keys: list[Unit] = [inventory.units[unit] for unit in inventory.unit]
    records = zip(keys, sites.index, table.to_dict("records"), lon, lat, strict=True)
    for key, cell_id, row, east, north in records:
        guessed = set(split(row.get("assumed")))
        values = {c: row[c] for c in columns if not pd.isna(row[c]) and c not in guessed}
        values |= {"lon": float(east), "lat": float(north)}
        found[key].append(Cell(*key, site_key(str(cell_id)), _day(row.get("on_air_from")),
                               _day(row.get("off_air_from")), (("", values),)))
    return found


def _day(value: Any) -> str:
    return "" if value is None or pd.isna(value) else str(pd.Timestamp(value).date())


def sites_table(cells: Iterable[Cell], as_of: str, crs: Any, radio: Radio,
                inventory: Inventory, gone: Iterable[tuple[str, str]] = (),
                shared: Collection[str] = ()) -> gpd.GeoDataFrame:
    """Return SITES: the cells on air on a day, holes filled by the radio presets.

    Parameters
    ----------
    cells : iterable of Cell
        As `fold_sites` returns them.
    as_of : str
        ISO day.
    crs : CRS
        Working CRS.
    radio : Radio
        Its presets fill what is not said; `assumed` names what was filled.
    inventory : Inventory
        In any CRS: its sites of which nothing was reported are carried over, its ids stay the
        ids of its cells, and its further columns stay.
    gone : iterable of (operator, site)
        Sites of which something was said and nothing is left.
    shared : collection of str
        Site codes that several operators use: there the operator's name goes before the code.
    """
    cells = list(cells)
    names = inventory.names_of({(cell.operator, cell.site) for cell in cells})
    ids = inventory.ids if cells else {}
    records: dict[str, dict[str, Any]] = {}
    preset = cache(radio.preset)
    touched: set[tuple[str, str]] = set(gone)
    for cell in sorted(cells, key=lambda c: (c.operator, c.site, c.part, c.on_air_from)):
        touched.add((cell.operator, cell.site))
        if not cell.on_air(as_of):
            continue
        own = f"{cell.operator}/{cell.site}" if cell.site in shared else cell.site
        site_id = names.get((cell.operator, cell.site), own)
        full = _is_full(cell) and cell.site not in shared
        cell_id = ids.get(cell.part) or (cell.part if full else f"{site_id}/{cell.part}")
        while cell_id in records:
            cell_id += "'"
        records[cell_id] = {"site_id": site_id, "status": "standing", "operator": cell.operator,
                            "on_air_from": cell.on_air_from or None,
                            "off_air_from": cell.off_air_from or None,
                            **_filled(dict(cell.at(as_of)), preset), "source": SOURCE}
    table = _frame(records, crs)
    return table if inventory.sites is None else _with_standing(table, inventory, touched, as_of)


def _is_full(cell: Cell) -> bool:
    """Tell whether the code of the cell begins with that of its site, as in ``LC012-L18-1``."""
    rest = cell.part.removeprefix(cell.site)
    return rest != cell.part and not rest[:1].isalnum()


def _with_standing(table: gpd.GeoDataFrame, inventory: Inventory,
                   touched: set[tuple[str, str]], as_of: str) -> gpd.GeoDataFrame:
    """Carry over the inventory's other sites, and the other columns of its changed cells."""
    assert inventory.sites is not None
    base = inventory.sites if inventory.sites.crs == table.crs else \
        inventory.sites.to_crs(table.crs)
    known = base.reindex(table.index) if len(table) else base.iloc[:0]
    for name in [c for c in base.columns if c not in table.columns]:
        table[name] = known[name]
    held = base.index.get_indexer(table.index) >= 0
    guesses = [set(split(a)) if h else set() for a, h in zip(table["assumed"], held, strict=True)]
    for name in [c for c in _VALUES if c in base.columns]:
        guess = np.array([name in g for g in guesses], bool)
        if guess.any():
            table.loc[guess, name] = known[name][guess]
    other = ~inventory.rows_of(touched)
    day = pd.Timestamp(as_of)
    for name, on_air in (("on_air_from", lambda d: d <= day), ("off_air_from", lambda d: d > day)):
        if name in base.columns:
            days = pd.to_datetime(base[name])
            other &= (days.isna() | on_air(days)).to_numpy()
    if table.empty:
        return base[other].sort_index()
    if not other.any():
        return table
    whole = pd.concat([base, table[[*base.columns, *(
        c for c in table.columns if c not in base.columns)]]])
    rows = np.flatnonzero(np.append(other, np.ones(len(table), bool)))
    rows = rows[whole.index.take(rows).argsort()]
    return gpd.GeoDataFrame(whole.iloc[rows], geometry="geometry", crs=table.crs)


def _filled(said: dict[str, Any], preset_of: Callable[..., Preset]) -> dict[str, Any]:
    """Fill what an operator did not say from the preset of its technology and band."""
    preset = preset_of(said.get("technology", "LTE"), said.get("frequency_mhz"))
    defaults: dict[str, Any] = {
        "technology": preset.technology, "frequency_mhz": preset.frequency_mhz,
        "bandwidth_mhz": preset.bandwidth_mhz, "tilt_deg": preset.tilt_deg,
        "antenna_height_m": preset.antenna_height_m, "gain_dbi": preset.gain_dbi}
    if "azimuth_deg" in said:
        defaults["beamwidth_deg"] = preset.horizontal_beamwidth_deg
    gain = said.get("gain_dbi", preset.gain_dbi)
    loss = said.get("feeder_loss_db", preset.feeder_loss_db)
    power = said.get("port_power_dbm")
    if power is not None and "eirp_dbm" not in said:
        said = said | {"eirp_dbm": power + gain - loss}
    defaults["eirp_dbm"] = preset.port_power_dbm + gain - loss
    every = defaults | said
    found = {name: every.get(name) for name in ("lon", "lat", *_VALUES)}
    found["assumed"] = ";".join(sorted(name for name in defaults if name not in said))
    return found


def _frame(records: Mapping[str, Mapping[str, Any]], crs: Any) -> gpd.GeoDataFrame:
    ids = sorted(records)
    rows = zip(*map(itemgetter(*_COLUMNS), map(records.__getitem__, ids)), strict=True)
    data: dict[str, Any] = {}
    for name, values in zip(_COLUMNS, rows if ids else [()] * len(_COLUMNS), strict=True):
        if name in _NUMBERS:
            data[name] = np.array([np.nan if v is None else v for v in values], np.float64)
        elif name.endswith("_from"):
            data[name] = np.array([v or "NaT" for v in values], "datetime64[s]")
        else:
            data[name] = pd.array(values, dtype="str")
    x, y = transform([records[i]["lon"] for i in ids], [records[i]["lat"] for i in ids], DEGREES,
                     crs)
    data["geometry"] = gpd.array.from_shapely(points(x, y), crs=crs)
    index = pd.Index(ids, name="cell_id", dtype="str")
    return gpd.GeoDataFrame(data, index=index, geometry="geometry", crs=crs)


def compare(old: gpd.GeoDataFrame, new: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return what differs between two SITES tables, cell by cell.

    Parameters
    ----------
    old, new : GeoDataFrame
        SITES in the same CRS.

    Returns
    -------
    DataFrame
        Index ``cell_id`` (sorted), columns `CHANGES`: ``change`` is ``appeared``,
        ``disappeared``, ``moved`` or ``altered``; ``columns`` names what differs; old and
        new position, metres: whatever lies within reach of either must be linked again.
    """
    both = [c for c in SITES.columns if c not in ("geometry", "source") and c in new.columns
            and c in old.columns]
    shared = old.index.intersection(new.index)
    a, b = old.loc[shared], new.loc[shared]
    moves = ((a.geometry.x.to_numpy() != b.geometry.x.to_numpy())
             | (a.geometry.y.to_numpy() != b.geometry.y.to_numpy()))
    differs = {c: ~((a[c] == b[c]) | (a[c].isna() & b[c].isna())).fillna(False).to_numpy(bool)
               for c in both} | {"geometry": moves}
    quiet = ~np.any(list(differs.values()), axis=0)
    ids = pd.Index(sorted((set(old.index) | set(new.index)) - set(shared[quiet])), dtype="str",
                   name="cell_id")
    was, now = old.index.get_indexer(ids), new.index.get_indexer(ids)
    columns = np.full(len(ids), "", object)
    change = np.where(was < 0, "appeared", "disappeared").astype(object)
    for place in np.flatnonzero((was >= 0) & (now >= 0)):
        at = shared.get_loc(ids[place])
        columns[place] = joined(c for c, differ in differs.items() if differ[at])
        change[place] = "moved" if moves[at] else "altered"
    operators = [table["operator"].reindex(ids).to_numpy(object) for table in (old, new)]
    frame = pd.DataFrame({"change": change, "operator": np.where(now < 0, *operators),
                          "columns": columns}, index=ids)
    for when, table, rows in (("old", old, was), ("new", new, now)):
        for axis in ("x", "y"):
            values = getattr(table.geometry, axis).to_numpy(float)
            frame[f"{when}_{axis}"] = np.append(values, np.nan)[rows]
    return frame.astype(dict.fromkeys(CHANGES[3:], "float64") | dict.fromkeys(CHANGES[:3], "str"))
