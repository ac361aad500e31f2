"""What the way from a site to the network costs, hop by hop."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from phusong.cost.access import access_multiplier
from phusong.cost.bill import Line, capital, upkeep, yearly
from phusong.cost.register import Costs
from phusong.cost.rows import CASES, rows_of

__all__ = ["assumed_hops", "hop_values", "price_hops"]

_CLASSES = (("microwave_hop_short", -1.0, 15.0), ("microwave_hop_medium", 15.0, 30.0),
            ("microwave_hop_long", 30.0, np.inf))
_SUMMED = ("quantity", *(f"{what}_{case}{tail}" for what, tail in (
    ("capex", ""), ("opex", "_per_year"), ("renewal", ""), ("residual", ""),
    ("present_value", "")) for case in CASES))

Array = NDArray[np.float64]


def _flags(hops: pd.DataFrame, column: str) -> Array:
    if column not in hops.columns:
        return np.zeros(len(hops))
    return hops[column].to_numpy(bool).astype(np.float64)


def _lines(costs: Costs, hops: pd.DataFrame) -> list[Line]:
    medium, km = hops["medium"].to_numpy(object), hops["length_m"].to_numpy(np.float64) / 1000.0
    radio, glass, sky = ((medium == m).astype(np.float64)
                         for m in ("microwave", "fibre", "satellite"))
    out = [capital(costs, key, np.where((km > low) & (km <= high), radio, 0.0))
           for key, low, high in _CLASSES]
    out.append(capital(costs, "relay_mast", _flags(hops, "relay"),
                       "a mast that only carries hops; its power is counted in the high case only"))
    detour = np.where(_flags(hops, "along_road")[:, None] > 0.0, 1.0,
                      costs.figures("fibre_detour"))
    laid = glass * np.nan_to_num(km)
    money = laid[:, None] * detour * costs.figures("fibre")
    fibre = Line("fibre", ("fibre", "fibre_detour"), laid * detour[:, 1], money,
                 np.zeros_like(money), capital(costs, "fibre", laid).note)
    factor = hops["access_factor"].fillna(1.0).to_numpy(np.float64) - 1.0 \
        if "access_factor" in hops.columns else np.zeros(len(hops))
    hard = sum((line.capex for line in out), np.zeros((len(hops), 3))) * factor[:, None]
    built = sum((line.capex for line in out), np.zeros((len(hops), 3)))
    terminal = capital(costs, "satellite_backhaul_terminal", sky)
    mbps = costs.item("satellite_backhaul_capacity").base
    surcharge = Line("feeder_surcharge", ("relay_mast",), np.where(hard[:, 1] > 0.0, factor, 0.0),
                     hard, np.zeros_like(hard),
                     np.full(len(hops), "road distance, height and slope (form and bins of "
                             "OnSSET)", object))
    notes = hops["note"].to_numpy(object) if "note" in hops.columns else None
    told = [line if notes is None else Line(line.item, line.keys, line.quantity, line.capex,
                                            line.opex, notes)
            for line in (*out[:3], fibre, terminal)]
    return [*told, out[3], surcharge,
            upkeep(costs, "site_operation", built, "on hops and relays", "feeder_operation"),
            upkeep(costs, "fibre_operation", fibre.capex, "on the fibre"),
            yearly(costs, "satellite_backhaul_service", sky * mbps),
            upkeep(costs, "satellite_operation", terminal.capex, "on the terminal",
                   "satellite_backhaul_operation")]


def hop_values(hops: pd.DataFrame, costs: Costs) -> Array:
    """Return the present value of each hop, low, base and high, (hops, 3).

    Parameters
    ----------
    hops : DataFrame
        ``medium`` (``microwave``, ``fibre``, ``satellite``, ``relay``), ``length_m`` and, where
        they are there, ``relay`` (whether the hop needs a mast of its own to leave from),
        ``along_road`` (whether the length is that of a road), ``access_factor`` (how much dearer
        building is there) and ``note``.
    costs : Costs
        Unit costs and discounting.
    """
    return np.asarray(sum((line.present_value(costs) for line in _lines(costs, hops)),
                          np.zeros((len(hops), 3))))


def price_hops(hops: pd.DataFrame, costs: Costs) -> pd.DataFrame:
    """Return what the hops of each site cost, item by item: COSTS.

    Parameters
    ----------
    hops : DataFrame
        As in `hop_values`, and ``site_id``: who pays for the hop. With
        ``relay_access_factor`` (FEEDERS) a relay is priced at the place where it stands.
    costs : Costs
        Unit costs and discounting.

    Returns
    -------
    DataFrame
        COSTS, indexed by (site_id, item); all items are among `FEEDER_ITEMS`. What several
        hops of one site cost is added up.
    """
    hops = _with_masts(hops)
    index = pd.Index(hops["site_id"].to_numpy(object), name="site_id")
    rows = pd.concat([rows_of(line, index, costs) for line in _lines(costs, hops)])
    grouped = rows.groupby(["site_id", "item"], sort=True)
    out = grouped.first()
    out[list(_SUMMED)] = grouped[list(_SUMMED)].sum()
    share = out["unit"].str.startswith("share")
    out.loc[share, "quantity"] = grouped["quantity"].max()[share]
    out["note"] = grouped["note"].agg(lambda notes: "; ".join(dict.fromkeys(notes)))
    return out


def _with_masts(hops: pd.DataFrame) -> pd.DataFrame:
    """Give masts that only pass a hop on a row of their own, at the place where they stand."""
    if "relay_access_factor" not in hops.columns:
        return hops
    masts = hops[hops["relay"].to_numpy(bool)]
    return pd.concat([hops.assign(relay=False), masts.assign(
        medium="mast", length_m=0.0, access_factor=masts["relay_access_factor"])])


def assumed_hops(sites: pd.DataFrame, costs: Costs) -> pd.DataFrame:
    """Return hops that are only assumed: of equal length to the nearest standing mast.

    For whoever prices candidates without looking for their feeders. Between two
    hops stands a relay; a site that sees no standing mast takes one relay, and
    so one hop, more.

    Parameters
    ----------
    sites : DataFrame
        Macro sites, indexed by site_id: backhaul_distance_m and backhaul_sight where known.
    costs : Costs
        ``hop_range`` is read.
    """
    reach = float(costs.item("hop_range").base)
    km = (sites["backhaul_distance_m"].to_numpy(np.float64) / 1000.0
          if "backhaul_distance_m" in sites.columns else np.full(len(sites), np.nan))
    known = np.isfinite(km)
    blocked = ((sites["backhaul_sight"] == "blocked").to_numpy(bool)
               if "backhaul_sight" in sites.columns else np.zeros(len(sites), bool))
    far = np.where(known, np.maximum(np.ceil(km / reach), 1.0), 1.0)
    count = (far + blocked).astype(np.int64)
    why = np.where(known, [f"assumed: {k:.1f} km to the network"
                           + (", not in sight: one relay more" if b else "")
                           for k, b in zip(km, blocked, strict=True)],
                   "distance to the network not known: one hop assumed")
    row = np.repeat(np.arange(len(sites)), count)
    first = np.concatenate([[True], row[1:] != row[:-1]]) if len(row) else np.zeros(0, bool)
    return pd.DataFrame({
        "site_id": sites.index.to_numpy()[row], "medium": "microwave",
        "length_m": 1000.0 * (np.where(known, km, 0.0) / count)[row], "relay": ~first,
        "access_factor": access_multiplier(sites)[row], "note": why[row]})
