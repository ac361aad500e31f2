"""`price`: what each candidate costs, and `totals`: one figure for each site."""

from __future__ import annotations

import pandas as pd

from phusong.cost.bill import BILLS, Line
from phusong.cost.register import Costs
from phusong.errors import InputError
from phusong.nouns import nearest
from phusong.surroundings import Surroundings
from phusong.tables import COSTS, empty

__all__ = ["price", "totals"]

_CASES = ("low", "base", "high")
_READ = ("intervention", "road_distance_m", "power_distance_m", "slope_deg", "ground_m",
         "backhaul_distance_m", "backhaul_sight")


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


def _rows(line: Line, sites: pd.DataFrame, costs: Costs) -> pd.DataFrame:
    value = line.present_value(costs)
    data = {"site_id": sites.index.to_numpy(), "item": line.item, "quantity": line.quantity,
            "unit": costs.item(line.keys[0]).unit if line.item != "access_surcharge"
            else "share of capex"}
    for k, case in enumerate(_CASES):
        data[f"capex_{case}"] = line.capex[:, k]
    for k, case in enumerate(_CASES):
        data[f"opex_{case}_per_year"] = line.opex[:, k]
    for k, case in enumerate(_CASES):
        data[f"present_value_{case}"] = value[:, k]
    source = "; ".join(dict.fromkeys(costs.source(key) for key in line.keys))
    if line.item == "access_surcharge":
        source = "onsset/onsset.py (OnSSET), penalty classes, hard ground scoring 5"
    foreign = line.item == "access_surcharge" or any(costs.item(k).foreign for k in line.keys)
    out = pd.DataFrame({**data, "currency": costs.currency, "source": source,
                        "foreign": foreign, "note": line.note})
    return out[value[:, 2] > 0.0]


def price(spots: pd.DataFrame, around: Surroundings | None, costs: Costs) -> pd.DataFrame:
    """Return what each candidate site costs, item by item: COSTS.

    ``present_value = capex + sum of opex / (1 + r)^t, t = 1 ... horizon``:
    capex is paid on day 0 and not discounted.

    Power is a line from the grid or solar with battery, whichever has the lower
    present value; where the distance to the grid is not known it is solar, and
    the note says so. Backhaul is microwave in hops of equal length to the
    nearest standing site. What the distance to roads, height and slope add is an
    item of its own.

    Parameters
    ----------
    spots : DataFrame
        SITES (candidates): intervention, and where known road_distance_m,
        power_distance_m, backhaul_distance_m, slope_deg, ground_m. Rows with the
        same `site_id` are built together and priced once.
    around : Surroundings or None
        What lies around; its distances stand in the columns of `spots`.
    costs : Costs
        Unit costs, currency, discounting.

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
            parts += [_rows(line, mine, costs) for line in bill(costs, mine)]
    return pd.concat(parts).set_index(["site_id", "item"]).sort_index()


def totals(costs: pd.DataFrame) -> pd.DataFrame:
    """Return the sums of COSTS for each site, indexed by site_id, with the currency.

    Columns: capex, yearly opex and present value, each low, base and high.
    """
    names = [f"capex_{c}" for c in _CASES] + [f"opex_{c}_per_year" for c in _CASES]
    names += [f"present_value_{c}" for c in _CASES]
    sums = costs.sort_index().groupby(level="site_id")[names].sum()
    foreign = costs["foreign"].astype(bool) * costs["present_value_base"]
    share = foreign.groupby(level="site_id").sum() / sums["present_value_base"]
    return sums.assign(foreign_share=share.reindex(sums.index),
                       currency=str(costs["currency"].iloc[0]) if len(costs) else "")


