"""What is known beside the model on every day of a run: the evidence that progress counts."""

from __future__ import annotations

import datetime as dt

import pandas as pd

from phusong.contradictions import declared_by, drawn_on
from phusong.evidence import checked, claimed, measured_levels
from phusong.results import Results
from phusong.store import content_digest
from phusong.tally import Beside

__all__ = ["evidence"]

Services = dict[dt.date, dict[str, pd.DataFrame]]


def evidence(results: Results) -> Beside:
    """Return what claims, footprints, checks and measured levels say on every day of a run.

    Each table carries its hash in ``attrs``.  A kind of evidence has tables from the first day on
    which there is any: before it nothing was claimed or checked, and no figure is given.
    """
    study, points, sites, told = results.study, results.points, results.sites, results.said
    needs = {t.need.name: t.need for t in study.targets}
    drive, prints = map(results.inputs.layer, ("measurements", "footprints"))
    since = drawn_on(results)
    operators = set(sites["operator"].dropna().unique()) - {""} if "operator" in sites else set()
    claims: Services = {}
    checks: Services = {}
    declarations: Services = {}
    said = {} if prints is None else {name: _noted(declared_by(results, need))
                                      for name, need in needs.items()}
    begun = {kind: min((day for day, tables in told.items() if len(tables.get(kind, ()))),
                       default=dt.date.max) for kind in ("claim", "check")}
    for day in results.days:
        claim, check = told.get(day, {}).get("claim"), told.get(day, {}).get("check")
        levels = None if drive is None else measured_levels(points, drive, sites,
                                                            day=pd.Timestamp(day))
        found = _newest(check, levels)
        for name, need in needs.items():
            if claim is not None and day >= begun["claim"]:
                claims.setdefault(day, {})[name] = _noted(claimed(points, claim, need))
            if found is not None and (drive is not None or day >= begun["check"]):
                checks.setdefault(day, {})[name] = _noted(
                    checked(points, found, need, operators))
            if prints is not None and day >= since:
                declarations.setdefault(day, {})[name] = said[name]
    return Beside(claimed=claims, measured=checks, declared=declarations)


def _noted(table: pd.DataFrame) -> pd.DataFrame:
    """Note the hash of a table in it: it is looked at day by day."""
    if "digest" not in table.attrs:
        table.attrs["digest"] = content_digest(table)
    return table


def _newest(*tables: pd.DataFrame | None) -> pd.DataFrame | None:
    """Put field checks and measured levels together: the newest word on a point and operator."""
    there = [t[["result", "rsrp_dbm", "technology", "since"]] for t in tables
             if t is not None and len(t)]
    if not there:
        return next((t for t in tables if t is not None), None)
    whole = pd.concat(there).sort_values("since", kind="stable")
    return whole[~whole.index.duplicated(keep="last")].sort_index()
