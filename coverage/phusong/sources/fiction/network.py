"""Masts and cells of three operators, dated, with the gaps that real registers have."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from phusong.sources.fiction.places import Ground

__all__ = ["OPERATORS", "doubled", "make_cells", "make_locations", "mar_register",
           "on_high_ground"]

OPERATORS = {"Viettel": ("VTL", 0.86), "VNPT": ("VNP", 0.52), "MobiFone": ("MBF", 0.38)}
"""Operator: prefix of its site codes, share of the locations it uses.  Only the names are real."""

Carrier = tuple[str, int, str, float, float, float, float]
_CARRIERS: tuple[Carrier, ...] = (
    ("GSM", 900, "G09", 0.2, 43.0, 16.5, 0.90),
    ("UMTS", 2100, "U21", 5.0, 43.0, 17.5, 0.66),
    ("LTE", 1800, "L18", 20.0, 46.0, 17.5, 0.86),
    ("LTE", 900, "L09", 5.0, 46.0, 16.5, 0.12),
    ("LTE", 700, "L07", 10.0, 46.0, 16.0, 0.02),
)
"""Technology, MHz, code, bandwidth (MHz), power of one port (dBm), gain (dBi), share of masts."""

_FEEDER_DB = 2.0


def on_high_ground(ground: Ground, cells: NDArray[np.int64], reach_m: float
                   ) -> NDArray[np.int64]:
    """Move each cell to the best high ground within `reach_m`: height counts, distance costs."""
    reach = max(1, int(reach_m / ground.cell_m))
    r, c = ground.row_column(cells)
    best, best_score = cells.copy(), np.full(len(cells), -np.inf)
    for dr in range(-reach, reach + 1):
        for dc in range(-reach, reach + 1):
            if dr * dr + dc * dc > reach * reach:
                continue
            rr = np.clip(r + dr, 1, ground.shape[0] - 2)
            cc = np.clip(c + dc, 1, ground.shape[1] - 2)
            score = ground.heights[rr, cc] - 0.12 * ground.cell_m * np.hypot(dr, dc)
            better = (score > best_score) & ground.inside[rr, cc]
            best[better] = (rr * ground.shape[1] + cc)[better]
            best_score[better] = score[better]
    return best


def make_locations(ground: Ground, communes: pd.DataFrame, hamlets: pd.DataFrame, count: int,
                   rng: np.random.Generator) -> pd.DataFrame:
    """Choose where masts stood before autumn 2021: towns, commune centres, larger hamlets.

    Returns
    -------
    DataFrame
        ``row``, ``column`` (planning grid), ``from`` (first day of service), ``light`` (a small
        mast with one omnidirectional antenna), ``importance`` (0-1).
    """
    people = communes["population"].to_numpy()[hamlets["commune"]].astype(float)
    size = hamlets.groupby("commune")["rank"].transform("size").to_numpy()
    town = communes["town"].to_numpy()[hamlets["commune"]]
    draw = people / size * np.where(hamlets["rank"] == 0, 4.0, 1.0) * np.where(town, 1.7, 1.0)
    draw *= np.exp(-3.5 * hamlets["remote"].to_numpy())
    key = np.log(draw) + rng.gumbel(size=len(draw)) * 0.8
    order = np.argsort(-key, kind="stable")
    r, c = hamlets["row"].to_numpy(), hamlets["column"].to_numpy()
    free = np.zeros(ground.shape, bool)
    picked: list[int] = []
    apart = max(1, int(1100 / ground.cell_m))
    for i in order:
        at = int(r[i]), int(c[i])
        if free[at]:
            continue
        low = max(0, at[0] - apart), max(0, at[1] - apart)
        free[low[0]:at[0] + apart + 1, low[1]:at[1] + apart + 1] = True
        picked.append(i)
        if len(picked) == count:
            break
    chosen = np.array(picked)
    cells = on_high_ground(ground, hamlets["cell"].to_numpy()[chosen], 650)
    rr, cc = ground.row_column(cells)
    importance = 1 - np.arange(len(chosen)) / len(chosen)
    days = 2300 * (1 - importance) ** 0.8 * rng.uniform(0.3, 1.0, len(chosen))
    return pd.DataFrame({
        "row": rr + rng.uniform(0.2, 0.8, len(chosen)),
        "column": cc + rng.uniform(0.2, 0.8, len(chosen)),
        "from": np.datetime64("2015-03-02") + days.astype("timedelta64[D]"),
        "light": rng.random(len(chosen)) > 0.55 + 0.5 * importance, "importance": importance})


def make_cells(ground: Ground, locations: pd.DataFrame, rng: np.random.Generator, *,
               programme: bool = False, first: int = 1) -> pd.DataFrame:
    """Equip masts: which operators, technologies, sectors, powers, heights, dates.

    Parameters
    ----------
    ground : Ground
        The planning grid.
    locations : DataFrame
        As from `make_locations`.
    rng : numpy Generator
        Source of chance.
    programme : bool
        True for masts of the programme of autumn 2021: one operator each, LTE on all.
    first : int
        Number of the first location in site codes.

    Returns
    -------
    DataFrame
        The truth without gaps, one row per cell, in the order of ``cell_id``.
    """
    n = len(locations)
    share = np.array([share for _, share in OPERATORS.values()])
    uses = rng.random((n, 3)) < share * (0.75 + 0.5 * locations["importance"].to_numpy()[:, None])
    if programme:
        uses = np.zeros((n, 3), bool)
        uses[np.arange(n), rng.choice(3, n, p=[0.5, 0.3, 0.2])] = True
    uses[~uses.any(axis=1), 0] = True
    at, who = np.nonzero(uses)
    m = len(at)
    light = locations["light"].to_numpy()[at]
    height = np.where(light, rng.integers(4, 8, m) * 3.0, rng.integers(10, 17, m) * 3.0)
    lag = (rng.integers(0, 420, m) * (who > 0) * (not programme)).astype("timedelta64[D]")
    latest = np.datetime64("2022-06-30" if programme else "2021-08-27")
    start = np.minimum(locations["from"].to_numpy().astype("datetime64[D]")[at] + lag, latest)
    prefix = np.array([code for code, _ in OPERATORS.values()], object)[who]
    number = pd.Series(at + first).astype(str).str.zfill(5 if n + first > 9999 else 4)
    site = prefix + number.to_numpy(object)
    chance = rng.random((m, len(_CARRIERS)))
    limits = np.array([c[6] for c in _CARRIERS])
    has = chance < limits
    if programme:
        has[:, 2] = True
    has[~has[:, 2:].any(axis=1), 0] = True
    base = np.asarray(rng.integers(0, 12, m) * 10.0, np.float64)
    near = rng.normal(0, 0.12, (m, 2)) * (60 / ground.cell_m)
    lon, lat = ground.lonlat(locations["row"].to_numpy()[at] + near[:, 0],
                             locations["column"].to_numpy()[at] + near[:, 1])
    mast, carrier = np.nonzero(has)
    sectors = np.where(light[mast], 1, 3)
    row = np.repeat(np.arange(len(mast)), sectors)
    sector = np.arange(len(row)) - np.repeat(np.cumsum(sectors) - sectors, sectors)
    mast, carrier = mast[row], carrier[row]
    frame = _rows(mast, carrier, sector, light[mast], base, height, rng)
    frame.insert(0, "site_id", site[mast])
    frame.insert(0, "cell_id", site[mast] + "-" + np.array([c[2] for c in _CARRIERS],
                                                           object)[carrier]
                 + "-" + (sector + 1).astype(str).astype(object))
    frame.insert(2, "operator", np.array(list(OPERATORS), object)[who[mast]])
    frame.insert(3, "lon", np.round(lon[mast], 6))
    frame.insert(4, "lat", np.round(lat[mast], 6))
    later = np.where(carrier >= 2, np.maximum(0, 700 - (start[mast] - np.datetime64("2015-03-02"))
                                              .astype(int)), 0).astype("timedelta64[D]")
    frame["on_air_from"] = start[mast] + (later if not programme else np.timedelta64(0, "D"))
    frame["off_air_from"] = np.datetime64("NaT", "D")
    frame["programme"] = programme
    return frame.sort_values("cell_id", kind="stable", ignore_index=True)


def _rows(mast: NDArray[np.int64], carrier: NDArray[np.int64], sector: NDArray[np.int64],
          light: NDArray[np.bool_], base: NDArray[np.float64], height: NDArray[np.float64],
          rng: np.random.Generator) -> pd.DataFrame:
    """Radio columns of the cells; an omnidirectional cell has no azimuth."""
    table = np.array([(c[1], c[3], c[4], c[5]) for c in _CARRIERS], float)[carrier]
    gain = np.where(light, 10.5, table[:, 3])
    power = table[:, 2] - np.where(light, 6.0, 0.0) + rng.choice([0.0, 0.0, 0.0, -3.0], len(mast))
    return pd.DataFrame({
        "technology": np.array([c[0] for c in _CARRIERS], object)[carrier],
        "frequency_mhz": table[:, 0], "bandwidth_mhz": table[:, 1],
        "antenna_height_m": height[mast],
        "azimuth_deg": np.where(light, np.nan, (base[mast] + 120.0 * sector) % 360),
        "tilt_deg": np.where(light, 0.0, rng.integers(0, 6, len(mast)).astype(float)),
        "beamwidth_deg": np.where(light, 360.0, 65.0), "gain_dbi": gain,
        "eirp_dbm": power + gain - _FEEDER_DB})


def mar_register(cells: pd.DataFrame, rng: np.random.Generator) -> tuple[pd.DataFrame,
                                                                          dict[str, int]]:
    """Return the register as it is sent: with gaps, placeholders and doubled rows; and how many.

    Heights go missing mast by mast, the rest cell by cell.
    """
    sent = cells.drop(columns=["programme"]).copy()
    mast, first = np.unique(sent["site_id"].to_numpy(object).astype(str), return_inverse=True)
    draw = rng.random(len(mast))[first]
    sent.loc[draw < 0.07, "antenna_height_m"] = np.nan
    sent.loc[(draw >= 0.07) & (draw < 0.095), "antenna_height_m"] = 1.0
    no_power = rng.random(len(sent)) < 0.09
    sent.loc[no_power, "eirp_dbm"] = np.nan
    lost = (rng.random(len(sent)) < 0.05) & sent["azimuth_deg"].notna().to_numpy()
    sent.loc[lost, "azimuth_deg"] = np.nan
    counts = {"cells": len(sent), "missing_height": int(sent["antenna_height_m"].isna().sum()),
              "placeholder_height": int((sent["antenna_height_m"] == 1.0).sum()),
              "missing_power": int(no_power.sum()), "missing_azimuth": int(lost.sum())}
    return sent, counts


def doubled(sent: pd.DataFrame, count: int, rng: np.random.Generator) -> pd.DataFrame:
    """Return `sent` with `count` rows written twice, the copies at the end."""
    again = np.sort(rng.choice(len(sent), count, replace=False))
    return pd.concat([sent, sent.iloc[again]], ignore_index=True)

