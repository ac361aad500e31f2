"""Operators on shared masts: the same tables, one row for each operator's customers and equipment.

An operator's customers are served by that operator's equipment only. A mast may
carry the equipment of several: it is paid once, each further operator pays for
antennas and radios. Both are put into rows of the usual tables, variants of a
mast that exclude one another, so that `rank`, `optimise` and `why` need to know
nothing about it.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import numpy as np
import pandas as pd

from phusong.errors import InputError

__all__ = ["TENANT", "tenants", "tenants_nodes"]

TENANT = "further_operators"
"""Item of COSTS: equipment of every operator of a mast but the first."""

_MOST = 4
_ENDS = ("low", "base", "high")


def tenants(gaps: pd.DataFrame, spots: pd.DataFrame, reach: pd.DataFrame, costs: pd.DataFrame,
            operators: Mapping[str, float], *, equipment: tuple[float, float, float],
            share_masts: bool = True
            ) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return the tables of a plan in which each operator must serve its own customers.

    Parameters
    ----------
    gaps, spots, reach, costs
        As for `phusong.plan.rank`; candidates open to every operator.
    operators : mapping of str to float
        Share of the learners that are customers of each operator, above 0, in
        all at most 1.
    equipment : (float, float, float)
        Present value, low, base and high, of a further operator's equipment on a
        mast, in the currency of the costs; the register's item ``sector`` is such
        a figure.
    share_masts : bool
        Whether a mast may carry several operators. If not, each builds its own,
        even at the same place; the difference between both optima is what
        sharing is worth.

    Returns
    -------
    gaps, spots, reach, costs
        Points are called ``point|operator``, sites ``site|operator+operator``.
        Satellite terminals belong to nobody and serve everybody.

    Raises
    ------
    InputError
        If shares or equipment are no such numbers, or there are more than four operators.
    """
    _check(operators, equipment)
    names = sorted(operators)
    sky = (spots["technology"] == "SAT").groupby(spots["site_id"]).transform("all")
    sets = [c for k in range(1, len(names) + 1) for c in itertools.combinations(names, k)
            if share_masts or k == 1]
    wanted = dict.fromkeys(sets, spots[~sky])
    wanted[tuple(names)] = pd.concat([wanted.get(tuple(names), spots[:0]), spots[sky]])
    out_gaps = pd.concat([_customers(gaps, name, operators[name]) for name in names])
    out_spots, out_reach, out_costs = [], [], []
    for own, cells in wanted.items():
        tag = "+".join(own)
        place = _place(cells) + ("" if share_masts else f"|{tag}")
        free = (cells["technology"] == "SAT").groupby(cells["site_id"]).all()
        out_spots.append(cells.assign(site_id=cells["site_id"] + f"|{tag}", variant_of=place)
                         .rename(index=lambda name, tag=tag: f"{name}|{tag}"))
        links = reach[reach.index.get_level_values("cell_id").isin(cells.index)]
        for name in own:
            out_reach.append(_renamed(links, f"|{name}", f"|{tag}"))
        bills = costs[costs.index.get_level_values("site_id").isin(free.index)]
        out_costs.append(_renamed_sites(bills, tag))
        if len(own) > 1:
            masts = free.index[~free.to_numpy(bool)]
            out_costs.append(_further(costs, masts, tag, len(own) - 1, equipment))
    return out_gaps, pd.concat(out_spots), pd.concat(out_reach), pd.concat(out_costs)


def tenants_nodes(node_of: pd.Series, spots: pd.DataFrame) -> pd.Series:
    """Return where the sites of `tenants` are joined to the network, by their names.

    Parameters
    ----------
    node_of : Series
        By site_id of the sites before: node, -1 = none needed, -2 = no way.
    spots : DataFrame
        Candidates as `tenants` returned them. Hops are shared by all operators, as masts are.

    Raises
    ------
    InputError
        If a site is not among those before.
    """
    names = pd.Index(spots["site_id"].unique(), name="site_id")
    before = names.str.rsplit("|", n=1).str[0]
    lost = before.difference(node_of.index)
    if len(lost):
        raise InputError(f"{len(lost)} sites of the tenants are not in the network, first "
                         f"{lost[0]!r}. Give the nodes of the candidates that tenants was given.")
    return pd.Series(node_of.loc[before].to_numpy(np.int64), index=names, name=node_of.name)


def _check(operators: Mapping[str, float], equipment: tuple[float, float, float]) -> None:
    shares = np.array(list(operators.values()), np.float64)
    if not 1 <= len(shares) <= _MOST:
        raise InputError(f"Masts are shared by 1 to {_MOST} operators; {len(shares)} are given.")
    if not ((shares > 0.0).all() and shares.sum() <= 1.0 + 1e-9):
        raise InputError(f"The operators' shares are above 0 and sum up to at most 1; they are "
                         f"{', '.join(f'{k} {v:g}' for k, v in operators.items())}.")
    if not 0.0 <= equipment[0] <= equipment[1] <= equipment[2] < np.inf:
        raise InputError(f"A further operator's equipment costs low <= base <= high, not "
                         f"negative; it is given as {equipment}.")


def _customers(gaps: pd.DataFrame, name: str, share: float) -> pd.DataFrame:
    """Return an operator's part of the gaps."""
    out = gaps.copy()
    known = (gaps["learners"].fillna(0.0) > 0.0) if "learners" in gaps.columns else pd.Series(
        False, gaps.index)
    for column in ("learners", "learners_poor", "learners_near_poor"):
        if column in out.columns:
            out[column] = out[column] * share
    priority = (out["priority"].fillna(1.0) if "priority" in out.columns
                else pd.Series(1.0, out.index))
    out["priority"] = priority.where(known, priority * share)
    out.index = pd.Index([f"{point}|{name}" for point in gaps.index], name="point_id")
    return out


def _place(cells: pd.DataFrame) -> pd.Series:
    here = pd.Series([f"at {p.x:.0f} {p.y:.0f}" for p in cells.geometry], cells.index, dtype=object)
    if "variant_of" not in cells.columns:
        return here
    return cells["variant_of"].astype("object").where(cells["variant_of"].notna(), here)


def _renamed(links: pd.DataFrame, point: str, cell: str) -> pd.DataFrame:
    order = list(links.index.names)
    pairs = [links.index.get_level_values(level).astype(str) + tail
             for level, tail in zip(order, (point, cell) if order[0] == "point_id"
                                    else (cell, point), strict=True)]
    return links.set_axis(pd.MultiIndex.from_arrays(pairs, names=order))


def _renamed_sites(bills: pd.DataFrame, tag: str) -> pd.DataFrame:
    names = bills.index.get_level_values("site_id").astype(str) + f"|{tag}"
    return bills.set_axis(pd.MultiIndex.from_arrays(
        [names, bills.index.get_level_values("item")], names=["site_id", "item"]))


def _further(costs: pd.DataFrame, masts: pd.Index, tag: str, count: int,
             equipment: tuple[float, float, float]) -> pd.DataFrame:
    """Return the item of the further operators for each mast."""
    rows = pd.DataFrame(0.0, columns=[c for c in costs.columns if c.startswith((
        "capex_", "opex_", "present_value_"))], index=pd.MultiIndex.from_product(
            [[f"{m}|{tag}" for m in masts], [TENANT]], names=["site_id", "item"]))
    for end, money in zip(_ENDS, equipment, strict=True):
        for column in (f"capex_{end}", f"present_value_{end}"):
            if column in rows.columns:
                rows[column] = count * money
    given = {"quantity": float(count), "unit": "operator", "source": "given by the caller",
             "foreign": False, "feeder": False, "currency": str(costs["currency"].iloc[0])}
    return rows.assign(**{name: value for name, value in given.items() if name in costs.columns})
