"""From a line on many bills to rows of COSTS."""

from __future__ import annotations

import numpy as np
import pandas as pd

from phusong.cost.bill import Line
from phusong.cost.register import Costs

__all__ = ["CASES", "FEEDER_ITEMS", "rows_of"]

CASES = ("low", "base", "high")

FEEDER_ITEMS = ("microwave_hop_short", "microwave_hop_medium", "microwave_hop_long", "relay_mast",
                "fibre", "fibre_operation", "satellite_backhaul_terminal",
                "satellite_backhaul_service", "satellite_backhaul_operation", "feeder_surcharge",
                "feeder_operation")
"""Items that pay for the way from a site to the network; several sites may share them."""

_SURCHARGE_SOURCE = "onsset/onsset.py (OnSSET), penalty classes, hard ground scoring 5"
_TRACK_SOURCE = ("Assumption, chosen here: the grade of the nearest road counts in the penalty of "
                 "OnSSET with the weight of the road's distance; grades as OpenStreetMap defines "
                 "tracktype")


def rows_of(line: Line, index: pd.Index, costs: Costs) -> pd.DataFrame:
    """Return the rows of COSTS that a line stands for, without those that cost nothing.

    Parameters
    ----------
    line : Line
        One item for each name of `index`.
    index : Index
        Whose bills they are; becomes the column ``site_id``.
    costs : Costs
        Register, currency, discounting.
    """
    value, key = line.present_value(costs), line.keys[0]
    surcharge = line.item.endswith("_surcharge")
    data = {"site_id": index.to_numpy(), "item": line.item, "quantity": line.quantity,
            "unit": "share of capex" if surcharge else costs.item(key).unit}
    for name, money in (("capex_{}", line.capex), ("opex_{}_per_year", line.opex),
                        ("renewal_{}", line.renewal(costs)), ("residual_{}", line.residual(costs)),
                        ("present_value_{}", value)):
        data |= {name.format(case): money[:, k] for k, case in enumerate(CASES)}
    year = costs.item(key).year
    source = "; ".join(dict.fromkeys(costs.source(each) for each in line.keys))
    out = pd.DataFrame({
        **data, "currency": costs.currency, "money_year": np.nan if year is None else float(year),
        "source": (_TRACK_SOURCE if line.item == "track_surcharge" else
                   _SURCHARGE_SOURCE if surcharge else source),
        "foreign": surcharge or any(costs.item(each).foreign for each in line.keys),
        "feeder": line.item in FEEDER_ITEMS, "note": line.note})
    return out[value[:, 2] > 0.0]
