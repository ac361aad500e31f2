"""`dominated`: candidates that another one beats whatever else is built."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import sparse

from phusong.plan.goal import Goal
from phusong.plan.reach import covering_problem
from phusong.tables import DOMINATED, empty

__all__ = ["dominated", "without"]


def dominated(gaps: pd.DataFrame, spots: pd.DataFrame, reach: pd.DataFrame, costs: pd.DataFrame,
              goal: Goal) -> pd.DataFrame:
    """Return the candidate sites that no plan needs, and which one stands for each: DOMINATED.

    Site b stands for site a if it serves every gap that a serves, costs no more
    (feeders left aside), and can be built wherever a can: it stands at the same
    place and needs a feeder only if a does, or it needs no feeder and excludes
    nothing. Of two alike the one stays whose `site_id` comes first. A site that
    serves no gap is listed with no other beside it.

    Parameters
    ----------
    gaps, spots, reach, costs, goal
        As given to `phusong.plan.rank`.

    Notes
    -----
    Whatever a plan with a gains, it gains with b for no more money, shared feeders
    included; the best plan is as good without the sites listed here.
    """
    case = covering_problem(gaps, spots, reach, costs, goal)
    problem, names = case.problem, case.sites.index
    if not len(names):
        return empty(DOMINATED)
    bill = costs.sort_index()
    feeder = bill["feeder"].to_numpy(bool) if "feeder" in bill else np.zeros(len(bill), bool)
    site = bill.index.get_level_values("site_id")
    own = bill["present_value_base"].where(~feeder, 0.0).groupby(site).sum().loc[names]
    fed = pd.Series(feeder, site).groupby(level=0).any().loc[names].to_numpy(bool)
    serves = sparse.csc_matrix((np.ones(len(problem.indices), np.int32), problem.indices,
                                problem.indptr), shape=(problem.points, problem.sites)).T.tocsr()
    size = np.diff(serves.indptr)
    both = (serves @ serves.T).tocoo()
    a, b = both.row, both.col
    money = own.to_numpy(np.float64)
    here = (problem.groups[a] == problem.groups[b]) & (problem.groups[a] >= 0) & (fed[a] | ~fed[b])
    free = ~fed[b] & (problem.groups[b] < 0)
    less = (money[b] < money[a]) | (size[b] > size[a]) | (fed[a] & ~fed[b]) | (b < a)
    beats = (a != b) & (both.data == size[a]) & (money[b] <= money[a]) & (here | free) & less
    rows = pd.DataFrame({"a": a[beats], "b": b[beats], "cost": money[b[beats]]})
    return _listed(rows, names, size == 0)


def _listed(rows: pd.DataFrame, names: pd.Index, idle: np.ndarray) -> pd.DataFrame:
    """Choose for each dominated site the cheapest that stands for it and is not dominated."""
    lost = set(rows["a"])
    best = rows[~rows["b"].isin(lost)].sort_values(["a", "cost", "b"]).drop_duplicates("a")
    found = pd.Series(names[best["b"]], index=names[best["a"]], dtype=object)
    nobody = pd.Series("", index=names[idle], dtype=object)
    out = pd.concat([found, nobody]).sort_index()
    return pd.DataFrame({"by": out.to_numpy(object)}, index=pd.Index(out.index, name="site_id"))


def without(spots: pd.DataFrame, reach: pd.DataFrame, sites: pd.Index
            ) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return candidates and their reach with some sites left out."""
    gone = spots.index[spots["site_id"].isin(sites)]
    return spots.drop(index=gone), reach[~reach.index.get_level_values("cell_id").isin(gone)]
