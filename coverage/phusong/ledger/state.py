"""Folded cells -> SITES in the working CRS, and what differs between two of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from phusong.geo import DEGREES, transform
from phusong.ledger.events import site_key
from phusong.ledger.fold import Cell
from phusong.radio.budget import Radio
from phusong.tables import SITES, empty, joined, split

__all__ = ["CHANGES", "compare", "sites_table", "standing_cells", "suspected_pairs"]

CHANGES = ("change", "operator", "columns", "old_x", "old_y", "new_x", "new_y")
"""Columns of what `compare` returns; coordinates in the working CRS, metres."""

_VALUES = ("technology", "frequency_mhz", "bandwidth_mhz", "antenna_height_m", "azimuth_deg",
           "tilt_deg", "beamwidth_deg", "gain_dbi", "eirp_dbm")
_NUMBERS = _VALUES[1:]


def standing_cells(sites: gpd.GeoDataFrame | None) -> dict[tuple[str, str], list[Cell]]:
    """Return the cells of an inventory by (operator, site code), as the fold takes them.

    Parameters
    ----------
    sites : GeoDataFrame or None
        SITES with status ``standing``; each cell's code is its ``cell_id``.
    """
    found: dict[tuple[str, str], list[Cell]] = defaultdict(list)
    if sites is None or sites.empty:
        return found
    lon, lat = transform(sites.geometry.x, sites.geometry.y, sites.crs, DEGREES)
    columns = [c for c in _VALUES if c in sites.columns]
    assumed = sites["assumed"] if "assumed" in sites.columns else pd.Series("", index=sites.index)
    for place, (cell_id, row) in enumerate(sites.iterrows()):
        guessed = set(split(assumed.iloc[place]))
        values = {c: row[c] for c in columns if not pd.isna(row[c]) and c not in guessed}
        values |= {"lon": lon[place], "lat": lat[place]}
        cell = Cell(str(row["operator"]), site_key(str(row["site_id"])), site_key(str(cell_id)),
                    _day(row.get("on_air_from")), _day(row.get("off_air_from")), (("", values),))
        found[cell.operator, cell.site].append(cell)
    return found


def _day(value: Any) -> str:
    return "" if value is None or pd.isna(value) else str(pd.Timestamp(value).date())


def sites_table(cells: Iterable[Cell], as_of: str, crs: Any, radio: Radio,
                standing: gpd.GeoDataFrame | None = None,
                gone: Iterable[tuple[str, str]] = ()) -> gpd.GeoDataFrame:
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
    standing : GeoDataFrame, optional
        The inventory, in any CRS: its sites of which nothing was reported are carried over, its
        ids stay the ids of its cells, and its further columns stay.
    gone : iterable of (operator, site)
        Sites of which something was said and nothing is left.
    """
    names: dict[tuple[str, str], str] = {}
    ids: dict[str, str] = {}
    if standing is not None:
        names = {(str(o), site_key(str(s))): str(s) for o, s in
                 zip(standing["operator"], standing["site_id"], strict=True)}
        ids = {site_key(str(i)): str(i) for i in standing.index}
    records: dict[str, dict[str, Any]] = {}
    touched: set[tuple[str, str]] = set(gone)
    for cell in sorted(cells, key=lambda c: (c.operator, c.site, c.part, c.on_air_from)):
        touched.add((cell.operator, cell.site))
        if not cell.on_air(as_of):
            continue
        site_id = names.get((cell.operator, cell.site), f"{cell.operator}/{cell.site}")
        cell_id = ids.get(cell.part) or f"{site_id}/{cell.part}".rstrip("/")
        while cell_id in records:
            cell_id += "'"
        records[cell_id] = {"site_id": site_id, "status": "standing", "operator": cell.operator,
                            "on_air_from": cell.on_air_from or None,
                            "off_air_from": cell.off_air_from or None,
                            **_filled(dict(cell.at(as_of)), radio), "source": "ledger"}
    table = _frame(records, crs)
    return table if standing is None else _with_standing(table, standing, touched, as_of)


def _with_standing(table: gpd.GeoDataFrame, standing: gpd.GeoDataFrame,
                   touched: set[tuple[str, str]], as_of: str) -> gpd.GeoDataFrame:
    """Carry over the inventory's other sites, and the other columns of its changed cells."""
    base = standing.to_crs(table.crs)
    for name in [c for c in base.columns if c not in table.columns]:
        table[name] = base[name].reindex(table.index)
    for name in _VALUES:
        if name in base.columns:
            guess = np.array([name in split(a) for a in table["assumed"]], bool)
            guess &= table.index.isin(base.index)
            held = base[name].reindex(table.index)
            table.loc[guess, name] = held[guess]
    keys = zip(base["operator"].astype(str), base["site_id"].astype(str), strict=True)
    other = np.array([(o, site_key(s)) not in touched for o, s in keys], bool)
    day = pd.Timestamp(as_of)
    for name, on_air in (("on_air_from", lambda d: d <= day), ("off_air_from", lambda d: d > day)):
        if name in base.columns:
            days = pd.to_datetime(base[name])
            other &= (days.isna() | on_air(days)).to_numpy()
    rest = base[other]
    if table.empty:
        return rest.sort_index()
    if rest.empty:
        return table
    whole = pd.concat([rest, table[[*rest.columns, *(
        c for c in table.columns if c not in rest.columns)]]])
    return gpd.GeoDataFrame(whole, geometry="geometry", crs=table.crs).sort_index()


def _filled(said: dict[str, Any], radio: Radio) -> dict[str, Any]:
    """Fill what an operator did not say from the preset of its technology and band."""
    preset = radio.preset(said.get("technology", "LTE"), said.get("frequency_mhz"))
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
    return {name: every.get(name) for name in ("lon", "lat", *_VALUES)} | {
        "assumed": joined(name for name in defaults if name not in said)}


def _frame(records: Mapping[str, Mapping[str, Any]], crs: Any) -> gpd.GeoDataFrame:
    names = ("site_id", "status", "operator", *_VALUES, "on_air_from", "off_air_from", "assumed",
             "source")
    if not records:
        return gpd.GeoDataFrame(empty(SITES, crs))[[*names, "geometry"]]
    ids = sorted(records)
    table = pd.DataFrame([records[i] for i in ids], index=pd.Index(ids, name="cell_id",
                                                                   dtype="str"))
    for name in names:
        if name in _NUMBERS:
            table[name] = pd.to_numeric(table[name]).astype("float64")
        elif name.endswith("_from"):
            table[name] = pd.to_datetime(table[name]).astype("datetime64[s]")
        else:
            table[name] = table[name].astype("str")
    x, y = transform(table["lon"], table["lat"], DEGREES, crs)
    return gpd.GeoDataFrame(table[[*names]], geometry=gpd.points_from_xy(x, y, crs=crs))


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
    rows = []
    both = [c for c in SITES.columns if c not in ("geometry", "source") and c in new.columns
            and c in old.columns]
    for cell_id in sorted(set(old.index) | set(new.index)):
        was: Any = old.loc[cell_id] if cell_id in old.index else None
        now: Any = new.loc[cell_id] if cell_id in new.index else None
        moved = (was is not None and now is not None
                 and (was.geometry.x, was.geometry.y) != (now.geometry.x, now.geometry.y))
        columns = ([] if was is None or now is None
                   else [c for c in both if not _same(was[c], now[c])])
        if was is not None and now is not None and not moved and not columns:
            continue
        change = ("appeared" if was is None else "disappeared" if now is None
                  else "moved" if moved else "altered")
        rows.append((cell_id, change, (was if now is None else now)["operator"],
                     joined(columns + ["geometry"] * moved), *_xy(was), *_xy(now)))
    frame = pd.DataFrame(rows, columns=["cell_id", *CHANGES]).set_index("cell_id")
    return frame.astype(dict.fromkeys(CHANGES[3:], "float64") | dict.fromkeys(CHANGES[:3], "str"))


def _xy(row: Any) -> tuple[float, float]:
    return (np.nan, np.nan) if row is None else (float(row.geometry.x), float(row.geometry.y))


def _same(a: Any, b: Any) -> bool:
    return bool(a == b) or bool(pd.isna(a) and pd.isna(b))


def suspected_pairs(sites: gpd.GeoDataFrame, within_m: float,
                    settled: Iterable[tuple[str, str, str]]) -> pd.DataFrame:
    """Return pairs of sites of one operator that stand suspiciously near to each other.

    Parameters
    ----------
    sites : GeoDataFrame
        SITES on air.
    within_m : float
        Nearer than this is suspicious, metres.
    settled : iterable of (operator, code, code)
        Pairs that a person has settled, codes in alphabetical order.

    Returns
    -------
    DataFrame
        Columns operator, site_id, other_site_id, distance_m; sorted.  Operators are never
        compared with each other: they share masts.
    """
    done = set(settled)
    rows: list[tuple[str, str, str, float]] = []
    for operator, mine in sites.groupby("operator", sort=True):
        masts = mine.sort_index().drop_duplicates("site_id").sort_values("site_id")
        points = np.column_stack([masts.geometry.x, masts.geometry.y])
        codes: Sequence[str] = masts["site_id"].tolist()
        for a, b in sorted(cKDTree(points).query_pairs(within_m)):
            pair = tuple(sorted((_code(codes[a], str(operator)), _code(codes[b], str(operator)))))
            if (str(operator), *pair) not in done:
                distance = float(np.hypot(*(points[a] - points[b])))
                rows.append((str(operator), codes[a], codes[b], distance))
    return pd.DataFrame(rows, columns=["operator", "site_id", "other_site_id", "distance_m"])


def _code(site_id: str, operator: str) -> str:
    return site_key(site_id.removeprefix(f"{operator}/"))
