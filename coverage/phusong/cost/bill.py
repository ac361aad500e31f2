"""The bill of one site: which items, how many of each, and why.

A `Line` holds one item for many sites at once.  Capex is paid on day 0, opex
at the end of each year of the horizon; what does not last is bought again, and
what is left of it at the end is taken off.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from phusong.cost.access import access_multiplier, track_multiplier
from phusong.cost.register import Costs

__all__ = ["BILLS", "Line", "capital", "upkeep", "yearly"]

_DAYS = 365.0
_HOURS = 8760.0


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """One item on the bills of many sites.

    Parameters
    ----------
    item : str
        Name of the item in COSTS.
    keys : tuple of str
        Rows of the register whose sources it cites; the first gives the label.
    quantity : (sites,) float64
        How many units (base case).
    capex, opex : (sites, 3) float64
        Low, base and high, in the study's currency; opex a year.
    note : (sites,) object
        Why it is so many, in words.
    """

    item: str
    keys: tuple[str, ...]
    quantity: NDArray[np.float64]
    capex: NDArray[np.float64]
    opex: NDArray[np.float64]
    note: NDArray[np.object_]

    def times(self, wanted: NDArray[np.bool_]) -> Line:
        """Return the line with nothing on the bills that do not want it."""
        keep = wanted[:, None].astype(np.float64)
        return Line(self.item, self.keys, self.quantity * keep[:, 0], self.capex * keep,
                    self.opex * keep, self.note)

    def renewal(self, costs: Costs) -> NDArray[np.float64]:
        """Return the present value of buying it again within the horizon, (sites, 3)."""
        return self.capex * costs.renewal(self.keys[0])

    def residual(self, costs: Costs) -> NDArray[np.float64]:
        """Return the present value of what is left of it at the end of the horizon, (sites, 3)."""
        return self.capex * costs.residual(self.keys[0])

    def present_value(self, costs: Costs) -> NDArray[np.float64]:
        """Return capex + discounted opex + renewal - residual value, (sites, 3)."""
        return (self.capex + self.opex * costs.annuity + self.renewal(costs)
                - self.residual(costs))


def _known(sites: pd.DataFrame, column: str) -> NDArray[np.float64]:
    if column not in sites.columns:
        return np.full(len(sites), np.nan)
    return sites[column].to_numpy(np.float64)


def _notes(count: int, text: str = "") -> NDArray[np.object_]:
    return np.full(count, text, dtype=object)


def capital(costs: Costs, key: str, quantity: NDArray[np.float64], note: str = "") -> Line:
    """Return a line that is paid once (and again when its life is over)."""
    money = quantity[:, None] * costs.figures(key)
    return Line(key, (key,), quantity, money, np.zeros_like(money), _notes(len(quantity), note))


def yearly(costs: Costs, key: str, quantity: NDArray[np.float64], note: str = "") -> Line:
    """Return a line that is paid every year."""
    money = quantity[:, None] * costs.figures(key)
    return Line(key, (key,), quantity, np.zeros_like(money), money, _notes(len(quantity), note))


def upkeep(costs: Costs, key: str, capex: NDArray[np.float64], note: str, item: str = "") -> Line:
    """Return a line that is a yearly share of capex, called `item` (default: its key)."""
    money = capex * costs.figures(key)
    share = np.full(len(capex), costs.item(key).base)
    return Line(item or key, (key,), share, np.zeros_like(money), money,
                _notes(len(capex), note))


def _energy(costs: Costs, load: str, count: NDArray[np.float64]) -> Line:
    kwh = count[:, None] * costs.figures(load) * _HOURS / 1000.0
    money = kwh * costs.figures("grid_energy")
    return Line("grid_energy", ("grid_energy", load), kwh[:, 1], np.zeros_like(money), money,
                _notes(len(count), f"{costs.item(load).base:g} W day and night"))


def _grid(costs: Costs, sites: pd.DataFrame, *, low_voltage: bool) -> list[Line]:
    km = np.nan_to_num(_known(sites, "power_distance_m")) / 1000.0
    line, joint = ("lv_line", "lv_connection") if low_voltage else ("mv_line", "transformer")
    return [capital(costs, line, km, "straight over the ground to the nearest line"),
            capital(costs, joint, np.ones(len(sites)))]


def _solar(costs: Costs, load: str, count: int) -> list[Line]:
    kwh_day = costs.figures(load) * 24.0 / 1000.0
    panels = kwh_day / costs.figures("solar_yield") * 1000.0
    battery = kwh_day * costs.figures("battery_days") / costs.figures("battery_depth")
    ones = np.ones((count, 1))
    note = (f"{costs.item(load).base:g} W day and night, "
            f"{costs.item('solar_yield').base:g} kWh per kW and day, "
            f"{costs.item('battery_days').base:g} days of battery")
    lines = []
    for key, units, extra in (("solar_panel", panels, "solar_yield"),
                              ("battery", battery, "battery_days")):
        money = ones * (units * costs.figures(key))
        lines.append(Line(key, (key, load, extra), np.full(count, units[1]), money,
                          np.zeros_like(money), _notes(count, note)))
    return [*lines, upkeep(costs, "solar_operation", lines[0].capex + lines[1].capex,
                            "on panels and battery")]


def _power(costs: Costs, sites: pd.DataFrame, load: str, *, low_voltage: bool = False
           ) -> list[Line]:
    """Grid or solar, whichever has the lower base present value; solar if the grid is unknown."""
    count = len(sites)
    grid = [*_grid(costs, sites, low_voltage=low_voltage), _energy(costs, load, np.ones(count))]
    solar = _solar(costs, load, count)
    price_grid = sum(line.present_value(costs)[:, 1] for line in grid)
    price_solar = sum(line.present_value(costs)[:, 1] for line in solar)
    known = np.isfinite(_known(sites, "power_distance_m"))
    by_grid = known & (price_grid <= price_solar)
    why = np.where(known, "cheaper than a power line over this distance",
                   "distance to the power grid not known: solar")
    solar = [Line(s.item, s.keys, s.quantity, s.capex, s.opex,
                  np.array([f"{n}; {w}" for n, w in zip(s.note, why, strict=True)], object))
             for s in solar]
    return [*(g.times(by_grid) for g in grid), *(s.times(~by_grid) for s in solar)]


def _track(costs: Costs, sites: pd.DataFrame) -> Line:
    metres = _known(sites, "road_distance_m")
    km = np.nan_to_num(metres)[:, None] / 1000.0 * costs.figures("track_detour")
    money = km * costs.figures("access_track")
    note = np.where(np.isfinite(metres), "straight over the ground to the nearest road x detour",
                    "distance to a road not known: no track counted")
    return Line("access_track", ("access_track", "track_detour"), km[:, 1], money,
                np.zeros_like(money), note.astype(object))


def _surcharges(sites: pd.DataFrame, lines: list[Line], keys: tuple[str, ...]) -> list[Line]:
    """Return two items: what difficult access adds, and what a bad road adds to that."""
    capex = sum((line.capex for line in lines), np.zeros((len(sites), 3)))
    factor = access_multiplier(sites)
    track = factor * (track_multiplier(sites) - 1.0)
    grade = _known(sites, "road_grade")
    told = np.array([f"the nearest road is of grade {g:g} (1 solid, 5 soft); its weight is an "
                     "assumption" if np.isfinite(g) else "" for g in grade], object)
    return [Line(item, keys, share, capex * share[:, None], np.zeros_like(capex), note)
            for item, share, note in (
                ("access_surcharge", factor - 1.0, _notes(
                    len(sites), "road distance, height and slope (form and bins of OnSSET)")),
                ("track_surcharge", track, told))]


def _macro(costs: Costs, sites: pd.DataFrame) -> list[Line]:
    ones = np.ones(len(sites))
    site = capital(costs, "macro_site", ones)
    power = _power(costs, sites, "load_macro")
    return [site, *power, _track(costs, sites),
            *_surcharges(sites, [site, *power], ("macro_site",)),
            upkeep(costs, "site_operation", site.capex, "on mast and radio"),
            yearly(costs, "site_rent", ones)]


def _light(costs: Costs, sites: pd.DataFrame) -> list[Line]:
    site = capital(costs, "light_site", np.ones(len(sites)),
                    "power and relay included; carried by hand, no track")
    return [site, *_surcharges(sites, [site], ("light_site",)),
            upkeep(costs, "site_operation", site.capex, "on the site")]


def _sector(costs: Costs, sites: pd.DataFrame) -> list[Line]:
    cells = sites["cells"].to_numpy(np.float64)
    site = capital(costs, "sector", cells, "mast, power and backhaul are there")
    return [site, _energy(costs, "load_sector", cells),
            upkeep(costs, "site_operation", site.capex, "on the new equipment")]


def _satellite(costs: Costs, sites: pd.DataFrame) -> list[Line]:
    ones = np.ones(len(sites))
    terminal = capital(costs, "satellite_terminal", ones)
    monthly = costs.item("satellite_service").unit == "month"
    much = 12.0 if monthly else costs.item("satellite_capacity").base
    return [terminal, yearly(costs, "satellite_service", ones * much),
            *_power(costs, sites, "load_satellite", low_voltage=True),
            upkeep(costs, "satellite_operation", terminal.capex, "on the terminal")]


def _repeater(costs: Costs, sites: pd.DataFrame) -> list[Line]:
    site = capital(costs, "repeater", np.ones(len(sites)),
                   "power and relay included; carried by hand, no track")
    return [site, *_surcharges(sites, [site], ("repeater",)),
            upkeep(costs, "site_operation", site.capex, "on the site")]


def _shared_mast(costs: Costs, sites: pd.DataFrame) -> list[Line]:
    return [*_sector(costs, sites), yearly(costs, "site_rent", np.ones(len(sites)),
                                           "to the owner of the mast")]


def _retilt(costs: Costs, sites: pd.DataFrame) -> list[Line]:
    return [capital(costs, "retilt", sites["cells"].to_numpy(np.float64), "the antenna is there")]


def _roof(costs: Costs, sites: pd.DataFrame) -> list[Line]:
    ones = np.ones(len(sites))
    terminal = capital(costs, "roof_terminal", ones)
    return [terminal, yearly(costs, "roof_service", ones * costs.item("satellite_capacity").base,
                             "the 20 Mbit/s that a satellite terminal has too"),
            upkeep(costs, "roof_operation", terminal.capex, "on the antenna")]


BILLS: Mapping[str, Callable[[Costs, pd.DataFrame], list[Line]]] = MappingProxyType({
    "macro": _macro,
    "light": _light,
    "micro": _light,
    "repeater": _repeater,
    "sector": _sector,
    "shared_mast": _shared_mast,
    "retilt": _retilt,
    "roof": _roof,
    "satellite": _satellite,
})
"""What stands on the bill of each intervention, its way to the network left aside."""
