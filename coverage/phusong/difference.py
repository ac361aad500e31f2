"""What differs between two days, or between what was known on two days."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from phusong.results import Results
from phusong.standing import records
from phusong.tables import split

__all__ = ["CHANGES", "count", "differences"]

CHANGES = ("won", "lost", "other_status", "other_operator", "other_cell")
"""How a point can differ: newly covered, no longer covered, another status, covered by another
operator, covered by another cell of the same operator."""

_COMPARED = ("status", "best_operator", "best_cell_id", "operators", "received_dbm", "reason")
_CARRIED = ("name", "kind", "province_code", "commune_code", "targets", "learners")


def differences(before: Results, after: Results) -> pd.DataFrame:
    """List every point that changed hands, status or best server between two runs.

    Parameters
    ----------
    before, after : Results
        Runs of one study at least until ``service``, on two days or as known on two days.

    Returns
    -------
    DataFrame
        Sorted by change (in the order of `CHANGES`), falling learners and ``point_id``: the
        column ``change``; of each of status, best_operator, best_cell_id, operators,
        received_dbm and reason what it ``was_`` and ``is_``; and what POINTS says.  A point
        that nobody covers on either day counts only if its status changed.
    """
    old, new = (r.service.reindex(after.points.index) for r in (before, after))
    held = (new["status"] == "covered").to_numpy(bool)
    was = (old["status"] == "covered").to_numpy(bool)

    def moved(column: str) -> Any:
        return (old[column].fillna("") != new[column].fillna("")).to_numpy(bool)

    change = np.select([held & ~was, was & ~held, moved("status"),
                        held & moved("best_operator"), held & moved("best_cell_id")],
                       CHANGES, default="")
    points = after.points
    table = pd.DataFrame({"change": change.astype(object)}, index=points.index)
    for name in _COMPARED:
        table[f"was_{name}"], table[f"is_{name}"] = old[name], new[name]
    for name in _CARRIED:
        if name in points.columns:
            table[name] = points[name]
    table = table[table["change"] != ""]
    order = table["change"].map({name: n for n, name in enumerate(CHANGES)})
    learners = table.get("learners", pd.Series(0.0, index=table.index)).fillna(0.0)
    return table.iloc[np.lexsort((table.index.to_numpy(object).astype(str),
                                  -learners.to_numpy(float), order.to_numpy(int)))]


def count(table: pd.DataFrame, before: Results, after: Results) -> dict[str, Any]:
    """Return the figures of a table of differences; JSON can write them.

    Returns
    -------
    dict
        ``study``, ``fictional``, ``definition``; ``before`` and ``after`` (``as_of``,
        ``known_on``); ``changes`` (change -> ``points`` and ``learners``), the same
        ``by_target`` and ``by_province``, and ``rows``.
    """
    def counted(rows: pd.DataFrame) -> dict[str, dict[str, float]]:
        learners = rows["learners"].fillna(0.0) if "learners" in rows else pd.Series(
            0.0, index=rows.index)
        return {name: {"points": int(here.sum()), "learners": float(learners[here].sum())}
                for name in CHANGES for here in [(rows["change"] == name).to_numpy(bool)]}

    study = after.study
    listed = table["targets"].fillna("").map(split) if "targets" in table else None
    province = table["province_code"].fillna("") if "province_code" in table else None
    return {
        "study": study.name, "fictional": study.fictional, "definition": study.need.name,
        **{when: {"as_of": r.study.day.isoformat(),
                  "known_on": None if r.known_on is None else r.known_on.isoformat()}
           for when, r in (("before", before), ("after", after))},
        "changes": counted(table),
        "by_target": {} if listed is None else {
            target.name: counted(table[listed.map(lambda names, t=target: t.name in names)
                                       .to_numpy(bool)])
            for target in study.targets},
        "by_province": {} if province is None else {
            str(code): counted(rows) for code, rows in table.groupby(province, sort=True)},
        "rows": records(table),
    }
