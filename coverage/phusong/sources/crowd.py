"""Crowd-sourced cells (OpenCelliD, Mozilla): estimates grouped to sites, with their uncertainty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from phusong.sources.columns import Columns

__all__ = ["Crowd", "grouped", "is_crowd", "judge_crowd"]

Array = NDArray[np.float64]

DEFAULT_RANGE_M, DEFAULT_SAMPLES = 1000.0, 1.0
"""What these exports hold where nothing is known: a range of 1,000 m, one sample."""
BESIDE_M = 300.0
"""Estimates of one operator this close together are taken as one site."""
SAME_NODE_M = 5_000.0
"""LTE cells of one base station (eNodeB) are one site if their estimates lie this close."""
_CELLS_OF_NODE = 256    # 3GPP TS 36.413: an E-UTRAN cell identity is 20 bits of eNodeB, 8 of cell
_M_PER_DEG = 111_195.0


@dataclass(frozen=True, slots=True, eq=False)
class Crowd:
    """What is known of each crowd-sourced cell.

    Parameters
    ----------
    samples : (n,) float64
        Observations; NaN = not stated.
    range_m : (n,) float64
        Estimated range; NaN = not known (the default value, or seen once only).
    """

    samples: Array
    range_m: Array


def is_crowd(columns: Columns) -> bool:
    """Tell whether a file is a crowd-sourced list: network and cell identities, no masts."""
    return "cell_id" not in columns and {"mcc", "mnc"} <= set(columns.theirs) and bool(
        {"cid", "samples", "range_m"} & set(columns.theirs))


def judge_crowd(columns: Columns) -> Crowd:
    """Say what a crowd-sourced list of cells is, and is not; record it."""
    every = np.ones(len(columns.table), bool)
    columns.assume("geometry", every)
    samples, range_m = columns.number("samples", low=0), columns.number("range_m", low=0)
    vague = (samples <= DEFAULT_SAMPLES) | (range_m == DEFAULT_RANGE_M)
    kept = ~columns.findings.rejected
    columns.findings.add("estimated_positions", "Crowd-sourced cells: positions are estimates from "
                         "phones, and this is no operator's list of sites", "Ask the operators; "
                         "set site_list: partial in the definition of covered.",
                         severity="warning", at=every & kept)
    columns.findings.add("unknown_range", "Seen once only, or with the default range of 1,000 m: "
                         "how far the cell reaches is not known, and its range is not used",
                         severity="assumption", at=vague & kept)
    return Crowd(samples, np.where(vague | (range_m <= 0), np.nan, range_m))


def grouped(columns: Columns, crowd: Crowd, operator: list[str], technology: NDArray[Any],
            lon: Array, lat: Array) -> tuple[Array, Array, Array]:
    """Group cells to sites: LTE cells of one eNodeB, and estimates that lie side by side.

    Parameters
    ----------
    columns : Columns
        The file.
    crowd : Crowd
        As `judge_crowd` returns it.
    operator, technology : list of str, array of str
        Of each cell.
    lon, lat : (n,) float64
        Estimates, degrees.

    Returns
    -------
    lon, lat : (n,) float64
        Place of each cell's site: the mean of its estimates, weighted by their samples.
    uncertainty_m : (n,) float64
        The mast may be this far away: the smallest known range among the site's cells (a phone
        that heard the cell stood that close), but not less than the spread of its estimates;
        NaN where no range is known.
    """
    rows = np.flatnonzero(np.isfinite(lon) & np.isfinite(lat) & ~columns.findings.rejected)
    out_x, out_y = lon.copy(), lat.copy()
    uncertainty = np.full(len(lon), np.nan)
    if not rows.size:
        return out_x, out_y, uncertainty
    squeeze = np.cos(np.radians(lat[rows]))
    flat = np.column_stack([lon[rows] * squeeze, lat[rows]]) * _M_PER_DEG
    label = _sites(columns, np.asarray(operator, object)[rows], technology[rows], rows, flat)
    weight = np.nan_to_num(np.maximum(crowd.samples[rows], 1.0), nan=1.0)
    total = np.bincount(label, weight)
    mean_x = np.bincount(label, weight * lon[rows]) / total
    mean_y = np.bincount(label, weight * lat[rows]) / total
    out_x[rows], out_y[rows] = mean_x[label], mean_y[label]
    east = (lon[rows] - mean_x[label]) * squeeze
    away = np.hypot(east, lat[rows] - mean_y[label]) * _M_PER_DEG
    spread = np.sqrt(np.bincount(label, weight * away ** 2) / total)
    least = np.full(len(total), np.inf)
    np.fmin.at(least, label, np.nan_to_num(crowd.range_m[rows], nan=np.inf))
    site = np.where(np.isfinite(least), np.maximum(least, spread), np.nan)
    uncertainty[rows] = site[label]
    sizes = np.bincount(label)
    known = site[np.isfinite(site)]
    off = f"is known to {np.median(known):,.0f} m (median) for {len(known):,} of the sites, and " \
        f"not known for the others" if len(known) else "is not known"
    columns.findings.add("grouped_cells", f"{len(rows):,} cells were grouped to {len(total):,} "
                         f"sites, {int((sizes > 1).sum()):,} of several cells (LTE cells of one "
                         f"base station within {SAME_NODE_M / 1000:g} km; other cells of one "
                         f"operator within {BESIDE_M:g} m); how far off their estimated places "
                         f"are {off}.", severity="assumption")
    return out_x, out_y, uncertainty


def _sites(columns: Columns, operator: NDArray[Any], technology: NDArray[Any],
           rows: NDArray[np.int64], flat: Array) -> NDArray[np.int64]:
    """Return a label for the site of each cell."""
    cid = columns.number("cid", low=0)[rows]
    node = np.where((technology == "LTE") & np.isfinite(cid), np.floor(cid / _CELLS_OF_NODE), -1.0)
    area = columns.code("area_code").to_numpy(object)[rows]
    keys, _ = pd.factorize(pd.Series([f"{o}|{a}|{n:.0f}" if n >= 0 else "" for o, a, n in
                                      zip(operator, area, node, strict=True)]))
    owner, _ = pd.factorize(pd.Series(operator))
    lonely = node < 0
    near = cKDTree(flat).query_pairs(BESIDE_M, output_type="ndarray")
    near = near[owner[near[:, 0]] == owner[near[:, 1]]]
    links = [near[lonely[near[:, 0]] & lonely[near[:, 1]]]]
    order = np.flatnonzero(~lonely)[np.argsort(keys[~lonely], kind="stable")]
    for part in np.split(order, np.flatnonzero(np.diff(keys[order])) + 1):
        if len(part) > 1:
            close = cKDTree(flat[part]).query_pairs(SAME_NODE_M, output_type="ndarray")
            links.append(part[close])
    pairs = np.concatenate([link.reshape(-1, 2) for link in links])
    graph = coo_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), (len(rows),) * 2)
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)
