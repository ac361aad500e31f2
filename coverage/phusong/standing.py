"""How far each target is, as figures: what `phusong status` prints and its JSON carries."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from phusong.errors import InputError
from phusong.nouns import nearest
from phusong.pipeline import Results
from phusong.tables import BREAKDOWN, BY, FORECAST, PROGRESS, STATUSES

__all__ = ["check_by", "plain", "records", "standing", "target_figures"]


def check_by(by: str) -> None:
    """Raise `InputError` unless `by` is empty or something that progress is broken down by."""
    if by and by not in BY:
        raise InputError(f'Progress is not broken down by "{by}". {nearest(by, BY)}')


def plain(value: Any) -> Any:
    """Return a cell as JSON writes it: dates as ISO days, no figure as None, whole numbers whole.

    Examples
    --------
    >>> plain(float("nan")), plain(pd.Timestamp("2021-09-30")), plain("x")
    (None, '2021-09-30', 'x')
    """
    if isinstance(value, str | bool):
        return value
    if value is None or pd.isna(value):
        return None
    if isinstance(value, pd.Timestamp):
        return value.date().isoformat()
    number = float(value)
    return int(number) if number.is_integer() and math.isfinite(number) else number


def _record(row: pd.Series, columns: Any) -> dict[str, Any]:
    return {name: plain(row[name]) for name in columns}


def target_figures(results: Results) -> list[dict[str, Any]]:
    """Return every target with its newest snapshot, its forecast and what changed before it.

    Returns
    -------
    list of dict
        In the order of the study: ``name``, ``label``, ``definition``, ``deadline``,
        ``days_to_deadline``, all columns of PROGRESS, and ``forecast`` with those of FORECAST.
    """
    found = []
    for target in results.study.targets:
        row = results.progress.loc[target.name].sort_index().iloc[-1]
        found.append({
            "name": target.name, "label": target.label.model_dump(),
            "definition": target.need.name, "source": target.source,
            "days_to_deadline": (target.deadline - results.study.day).days,
            **_record(row, PROGRESS.columns),
            "forecast": _record(results.forecast.loc[target.name], FORECAST.columns)})
    return found


def standing(results: Results) -> dict[str, Any]:
    """Return everything that is known of the progress of a study on its day.

    Parameters
    ----------
    results : Results
        A run at least until ``forecast``.

    Returns
    -------
    dict
        ``study``, ``title``, ``as_of``, ``fictional``, ``definition``, ``points`` and
        ``learners`` by status, ``targets`` (`target_figures`), ``breakdown`` (by province,
        commune, operator and kind: rows of BREAKDOWN on the day), ``progress`` (all snapshots)
        and ``flows`` (every point won, lost, joined or left).  JSON can write it.
    """
    study, service = results.study, results.service
    learners = results.points["learners"].fillna(0.0) if "learners" in results.points else \
        pd.Series(0.0, index=results.points.index)
    today = pd.Timestamp(study.day)
    rows = results.breakdown.reset_index()
    rows = rows[(rows["date"] == today).to_numpy(bool)]
    columns = ["target", "value", *BREAKDOWN.columns]
    return {
        "study": study.name, "title": study.title.model_dump(), "as_of": study.day.isoformat(),
        "fictional": study.fictional, "definition": study.need.name,
        "points": {"all": len(service), **{s: int((service["status"] == s).sum())
                                           for s in STATUSES}},
        "learners": {"all": float(learners.sum()), **{
            s: float(learners[service["status"] == s].sum()) for s in STATUSES}},
        "targets": target_figures(results),
        "breakdown": {str(by): records(part.set_index("target")[columns[1:]])
                      for by, part in rows.groupby("by", sort=True)},
        "progress": records(results.progress), "flows": records(results.flows)}


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return a table, index and all, as records that JSON can write."""
    flat = table.reset_index()
    names = list(flat.columns)
    columns = [_plain_column(flat[name]) for name in names]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def _plain_column(column: pd.Series) -> list[Any]:
    """Return a column as `plain` writes its cells."""
    if pd.api.types.is_float_dtype(column):
        return [None if x != x else int(x) if x.is_integer() else x
                for x in column.to_numpy(float).tolist()]
    codes, different = pd.factorize(column)
    words = [*map(plain, different.tolist()), None]
    return [words[code] for code in codes.tolist()]
