"""What differs between two days, or between what was known on two days."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from phusong.progress import on_list
from phusong.results import Results
from phusong.service import levels
from phusong.standing import records

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
        received_dbm and reason what it ``was_`` and ``is_``; ``might_cell_id``: where a point
        has become unknown, the cell that would cover it if the ground on the way were low
        enough; and what POINTS says.  A point that nobody covers on either day counts only if
        its status changed.
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
    fresh = (new["status"] == "unknown") & (old["status"] != "unknown")
    might = _might(after, points.index[fresh.to_numpy(bool)])
    table["might_cell_id"] = might.reindex(points.index).fillna("")
    for name in _CARRIED:
        if name in points.columns:
            table[name] = points[name]
    table = table[table["change"] != ""]
    order = table["change"].map({name: n for n, name in enumerate(CHANGES)})
    learners = table.get("learners", pd.Series(0.0, index=table.index)).fillna(0.0)
    return table.iloc[np.lexsort((table.index.to_numpy(object).astype(str),
                                  -learners.to_numpy(float), order.to_numpy(int)))]


def _might(run: Results, ids: pd.Index) -> pd.Series:
    """Return for points of unknown status the cell that gives most hope of covering them."""
    if not len(ids):
        return pd.Series(dtype=object)
    links = run.days.links_of(run.study.day, ids)
    hope = levels(links, run.study.need)["best_case_probability"]
    open_ = links["loss_db"].isna().to_numpy(bool) & (
        hope >= run.study.need.gap_probability).to_numpy(bool)
    found = hope[open_].reset_index().sort_values(
        ["point_id", "best_case_probability", "cell_id"], ascending=[True, False, True])
    return found.drop_duplicates("point_id").set_index("point_id")["cell_id"].astype(object)


def count(table: pd.DataFrame, before: Results, after: Results) -> dict[str, Any]:
    """Return the figures of a table of differences; JSON can write them.

    Returns
    -------
    dict
        ``study``, ``fictional``, ``definition``; ``before`` and ``after`` (``as_of``,
        ``known_on``); ``changes`` (change -> ``points`` and ``learners``), the same
        ``by_target`` (whoever is on the list on the second day, by whatever rule, as
        `phusong.progress.on_list` says) and ``by_province``, and ``rows``.
    """
    def counted(rows: pd.DataFrame) -> dict[str, dict[str, float]]:
        learners = rows["learners"].fillna(0.0) if "learners" in rows else pd.Series(
            0.0, index=rows.index)
        return {name: {"points": int(here.sum()), "learners": float(learners[here].sum())}
                for name in CHANGES for here in [(rows["change"] == name).to_numpy(bool)]}

    study = after.study
    register = after.days.registers.get(study.day)
    province = table["province_code"].fillna("") if "province_code" in table else None
    return {
        "study": study.name, "fictional": study.fictional, "definition": study.need.name,
        **{when: {"as_of": r.study.day.isoformat(),
                  "known_on": None if r.known_on is None else r.known_on.isoformat()}
           for when, r in (("before", before), ("after", after))},
        "changes": counted(table),
        "by_target": {target.name: counted(table[table.index.isin(
            on_list(after.points, target, register))]) for target in study.targets},
        "by_province": {} if province is None else {
            str(code): counted(rows) for code, rows in table.groupby(province, sort=True)},
        "rows": records(table),
    }
