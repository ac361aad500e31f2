"""`price`: what each candidate costs, and `totals`: one figure for each site."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

from phusong.cost.bill import BILLS
from phusong.cost.feeders import assumed_hops, price_hops
from phusong.cost.register import Costs
from phusong.cost.rows import CASES, rows_of
from phusong.errors import InputError
from phusong.nouns import nearest
from phusong.surroundings import Surroundings
from phusong.tables import COSTS, empty

__all__ = ["dated", "price", "settle", "totals"]

_DAYS_PER_YEAR = 365.25

_READ = ("intervention", "road_distance_m", "power_distance_m", "road_grade", "slope_deg",
         "ground_m",
         "backhaul_distance_m", "backhaul_sight")
_FED = ("macro", "micro")


def _sites(spots: pd.DataFrame) -> pd.DataFrame:
    """One row for each site with the number of its cells, in alphabetical order."""
    if "intervention" not in spots.columns:
        raise InputError('The candidates have no column "intervention". Known rungs: '
                         f"{', '.join(BILLS)}.")
    cells = spots.sort_index(kind="stable")
    wanted = [c for c in _READ if c in cells.columns]
    grouped = cells.groupby("site_id", sort=True)
    sites = grouped[wanted].first().assign(cells=grouped.size())
    wrong = sites.loc[~sites["intervention"].isin(list(BILLS)), "intervention"]
    if len(wrong):
        raise InputError(f"{len(wrong)} candidate sites have an intervention that has no bill, "
                         f"first {wrong.index[0]!r}: {wrong.iloc[0]!r}. "
                         f"{nearest(str(wrong.iloc[0]), BILLS)}")
    return sites


def price(spots: pd.DataFrame, around: Surroundings | None, costs: Costs, *,
          feeders: pd.DataFrame | None = None,
          on_air_after_years: pd.Series | None = None) -> pd.DataFrame:
    """Return what each candidate site costs, item by item: COSTS.

    ``present_value = capex + sum of opex / (1 + r)^t, t = 1 ... horizon
    + renewal - residual``: capex is paid on day 0 and not discounted; what does
    not last is bought again at the end of its life, never at the end of the
    horizon; what is left of it then is taken off in a straight line.

    Power is a line from the grid or solar with battery, whichever has the lower
    present value; where the distance to the grid is not known it is solar, and
    the note says so. What the distance to roads, height and slope add is an
    item of its own.

    Parameters
    ----------
    spots : DataFrame
        SITES (candidates): intervention, and where known road_distance_m,
        road_grade, power_distance_m, backhaul_distance_m, slope_deg, ground_m. Rows with the
        same `site_id` are built together and priced once.
    around : Surroundings or None
        What lies around; its distances stand in the columns of `spots`.
    costs : Costs
        Unit costs, currency, discounting.
    feeders : DataFrame, optional
        FEEDERS of each site on its own, as `phusong.backhaul.own_feeders` finds
        them; sites without a row need none. Without the table, macro sites are
        given microwave hops of equal length to the nearest standing site, and
        the notes say that this is assumed.
    on_air_after_years : Series, optional
        By site_id: years from the study's day until the site is built. Its
        capex then falls on that day and its years of operation after it; all
        present values are discounted to the study's day. Sites without an
        entry are built on day 0.

    Returns
    -------
    DataFrame
        COSTS, indexed by (site_id, item), with a column `note`.

    Raises
    ------
    InputError
        If an intervention has no bill.
    """
    del around
    if not len(spots):
        return empty(COSTS)
    sites = _sites(spots)
    parts = []
    for intervention, bill in BILLS.items():
        mine = sites[sites["intervention"] == intervention]
        if len(mine):
            parts += [rows_of(line, mine.index, costs) for line in bill(costs, mine)]
    if feeders is None:
        hops = assumed_hops(sites[sites["intervention"].isin(_FED)], costs)
    else:
        hops = _told(feeders.reset_index())
        hops = hops[hops["site_id"].isin(sites.index)]
    if len(hops):
        parts.append(price_hops(hops, costs).reset_index())
    out = pd.concat(parts).set_index(["site_id", "item"]).sort_index()
    return out if on_air_after_years is None else _later(out, costs, on_air_after_years)


def settle(rows: pd.DataFrame, feeders: pd.DataFrame, costs: Costs) -> pd.DataFrame:
    """Return COSTS with the feeders that a plan builds in the place of each site's own.

    Parameters
    ----------
    rows : DataFrame
        COSTS of all candidates, each with the feeder it would need alone.
    feeders : DataFrame
        FEEDERS of the plan. A hop stands on the bill of the site that pays it;
        all sites with rows here are those of the plan that need a feeder.
    costs : Costs
        As for `price`.
    """
    if not len(feeders):
        return rows
    mine = rows.index.get_level_values("site_id").isin(feeders.index.get_level_values("site_id"))
    kept = rows[~(mine & rows["feeder"].to_numpy(bool))]
    hops = _told(feeders.reset_index())
    hops = hops[(hops["paid_by"] == hops["site_id"]).to_numpy(bool)]
    return pd.concat([kept, price_hops(hops, costs)]).sort_index() if len(hops) else kept


def dated(rows: pd.DataFrame, costs: Costs, on_air: pd.Series, day: dt.date) -> pd.DataFrame:
    """Return COSTS of the sites that are built, each discounted from the day it is built on.

    Capex falls on the day on which a site goes on air, its years of operation after it; every
    present value is that of the study's day. A hop is built with the site that pays for it.

    Parameters
    ----------
    rows : DataFrame
        COSTS, as `settle` or `price` returned them; what sites cost that are built today.
    costs : Costs
        Its discount rate is read.
    on_air : Series of datetime
        By site_id: SCHEDULE's day of each site; empty = it is never built, and has no row.
    day : date
        The study's day. What is on air before it is paid on it.
    """
    when = on_air.dropna()
    mine = rows[rows.index.get_level_values("site_id").isin(when.index)]
    if not len(mine):
        return rows.iloc[:0]
    years = (when - pd.Timestamp(day)).dt.days.clip(lower=0) / _DAYS_PER_YEAR
    return _later(mine, costs, years)


def _told(hops: pd.DataFrame) -> pd.DataFrame:
    """Say in words what each hop of FEEDERS is."""
    band = [f"{b:g} GHz, " if np.isfinite(b) else "" for b in hops["band_ghz"].astype("float64")]
    far = [f"{m / 1000.0:.1f} km to {to}" if np.isfinite(m) else "to a satellite"
           for m, to in zip(hops["length_m"].astype("float64"), hops["to_id"], strict=True)]
    return hops.assign(note=[b + f for b, f in zip(band, far, strict=True)])


def _later(rows: pd.DataFrame, costs: Costs, years: pd.Series) -> pd.DataFrame:
    """Discount every present value of COSTS by the years until its site is built."""
    waits = years.reindex(rows.index.get_level_values("site_id")).fillna(0.0).to_numpy(np.float64)
    if (waits < 0.0).any() or np.isinf(waits).any():
        raise InputError("on_air_after_years must hold years from the study's day on, 0 or more; "
                         f"the least is {waits.min():g}.")
    names = [f"{what}_{case}" for what in ("renewal", "residual", "present_value")
             for case in CASES]
    worth = (1.0 + costs.discount_rate) ** -waits
    return rows.assign(**{name: rows[name] * worth for name in names})


def totals(costs: pd.DataFrame) -> pd.DataFrame:
    """Return the sums of COSTS for each site, indexed by site_id, with the currency.

    Columns: capex, yearly opex and present value, each low, base and high.
    """
    names = [f"capex_{c}" for c in CASES] + [f"opex_{c}_per_year" for c in CASES]
    names += [f"present_value_{c}" for c in CASES]
    sums = costs.sort_index().groupby(level="site_id")[names].sum()
    foreign = costs["foreign"].astype(bool) * costs["present_value_base"]
    share = foreign.groupby(level="site_id").sum() / sums["present_value_base"]
    return sums.assign(foreign_share=share.reindex(sums.index),
                       currency=str(costs["currency"].iloc[0]) if len(costs) else "")


