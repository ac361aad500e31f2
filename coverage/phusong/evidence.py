"""What is known beside the model: operators' claims, checks on site, measured levels.

Each stands on its own evidence and none ever changes a modelled status.  `field_checks` lists
where an operator says it covers a point and the model of its own cells says it cannot.
"""

from __future__ import annotations

from collections.abc import Collection

import geopandas as gpd
import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from phusong.service import Hearing, Need
from phusong.tables import FIELD_CHECKS, joined

__all__ = ["MEASURED_WITHIN_M", "asserted", "checked", "claimed", "field_checks", "measured_levels"]

MEASURED_WITHIN_M = 250.0
"""A level measured farther from a point says nothing of it (a convention, no standard)."""


def claimed(points: pd.DataFrame, claims: pd.DataFrame, need: Need) -> pd.DataFrame:
    """Say for every point what operators claim of it.

    Parameters
    ----------
    points : DataFrame
        POINTS.
    claims : DataFrame
        As `phusong.ledger.told.claim_table` returns them for a day.
    need : Need
        Its `operators_needed` is looked at; a claim names no level.

    Returns
    -------
    DataFrame
        Aligned to `points`: ``status`` (``covered`` if enough operators claim it, ``uncovered``
        if somebody says that it is not and nobody that it is, else ``unknown``), ``operators``
        that claim it, ``evidence`` ``claimed``.
    """
    yes, no = (claims[(claims["status"] == s).to_numpy(bool)] for s in ("covered", "uncovered"))
    return _by_count(points, yes, no, need.operators_needed, "claimed")


def _by_count(points: pd.DataFrame, yes: pd.DataFrame, no: pd.DataFrame, needed: int,
              evidence: str) -> pd.DataFrame:
    names = yes.index.to_frame(index=False).groupby("point_id")["operator"]
    count = names.nunique().reindex(points.index).fillna(0).to_numpy()
    denied = points.index.isin(no.index.get_level_values("point_id"))
    status = np.where(count >= needed, "covered",
                      np.where(denied & (count == 0), "uncovered", "unknown"))
    who = names.agg(joined).reindex(points.index).fillna("")
    return pd.DataFrame({"status": status.astype(object), "operators": who.to_numpy(object),
                         "evidence": evidence}, index=points.index)


def checked(points: pd.DataFrame, checks: pd.DataFrame, need: Need,
            operators: Collection[str] = ()) -> pd.DataFrame:
    """Say for every point what was found on site.

    Parameters
    ----------
    points : DataFrame
        POINTS.
    checks : DataFrame
        As `phusong.ledger.told.check_table` or `measured_levels` returns them.
    need : Need
        A measured level counts as ``covered`` at or above its `received_dbm` (it is the level
        that the device showed, so no gain, body or wall is taken off); a technology that it does
        not count, or another one than stated, says nothing.
    operators : collection of str
        Who has cells in the study.  ``uncovered`` needs all of them to have been checked, or a
        check that names no operator; else a bad result is ``uncertain``.

    Returns
    -------
    DataFrame
        Aligned to `points`: ``status``, ``operators`` found good, ``evidence`` ``measured``.
    """
    counts = checks["technology"].isin(["", *need.technologies])
    level = checks["rsrp_dbm"]
    good = counts & ((checks["result"] == "covered") | (level >= need.received_dbm))
    bad = counts & ~good & ((checks["result"] == "uncovered") | level.notna())
    found = _by_count(points, checks[good.to_numpy(bool)], checks[bad.to_numpy(bool)],
                      need.operators_needed, "measured")
    seen = checks[bad.to_numpy(bool)].index.to_frame(index=False).groupby("point_id")["operator"]
    whole = [point for point, names in seen
             if "" in set(names) or set(operators) <= set(names)]
    partly = ~points.index.isin(whole)
    found.loc[(found["status"] == "uncovered") & partly, "status"] = "uncertain"
    return found


def measured_levels(points: gpd.GeoDataFrame, measurements: gpd.GeoDataFrame,
                    sites: gpd.GeoDataFrame, *, day: pd.Timestamp | None = None,
                    within_m: float = MEASURED_WITHIN_M) -> pd.DataFrame:
    """Return what a file of measured levels says of the points near by.

    Parameters
    ----------
    points : GeoDataFrame
        POINTS in the working CRS.
    measurements : GeoDataFrame
        MEASUREMENTS in the same CRS.
    sites : GeoDataFrame
        SITES: whose cell it was, of which technology.
    day : Timestamp, optional
        Later measurements are left out; so are undated ones.  None = all.
    within_m : float
        Farther ones say nothing of a point, metres.

    Returns
    -------
    DataFrame
        As `checked` takes it: for each point and operator the best cell by the median of its
        levels.  Cells that `sites` does not list are left out.
    """
    columns = ["result", "rsrp_dbm", "technology", "since"]
    index = pd.MultiIndex.from_arrays([[], []], names=["point_id", "operator"])
    rows = measurements[measurements["cell_id"].isin(sites.index)]
    if day is not None:
        rows = rows[(rows["time"] <= day).to_numpy(bool)]
    here = points[~(points.geometry.isna() | points.geometry.is_empty)]
    if rows.empty or here.empty:
        empty = pd.DataFrame(columns=columns, index=index)
        return empty.astype({"rsrp_dbm": "float64"})
    tree = cKDTree(np.c_[rows.geometry.x, rows.geometry.y])
    near = tree.query_ball_point(np.c_[here.geometry.x, here.geometry.y], within_m)
    at = np.concatenate([np.asarray(found, np.int64) for found in near])
    cells = rows["cell_id"].to_numpy(object)[at]
    told = pd.DataFrame({
        "point_id": np.repeat(here.index.to_numpy(object), [len(found) for found in near]),
        "cell_id": cells, "rsrp_dbm": rows["rsrp_dbm"].to_numpy(float)[at],
        "since": rows["time"].to_numpy()[at]})
    each = told.groupby(["point_id", "cell_id"], sort=True).agg(
        rsrp_dbm=("rsrp_dbm", "median"), since=("since", "max")).reset_index()
    each["operator"] = sites["operator"].reindex(each["cell_id"]).fillna("").to_numpy(object)
    each["technology"] = sites["technology"].reindex(each["cell_id"]).to_numpy(object)
    best = each.sort_values(["rsrp_dbm", "cell_id"], ascending=[False, True], kind="stable")
    best = best.drop_duplicates(["point_id", "operator"]).assign(result="measured")
    return best.set_index(["point_id", "operator"]).sort_index()[columns]


def field_checks(points: gpd.GeoDataFrame, links: pd.DataFrame, need: Need, *,
                 claims: pd.DataFrame | None = None, disputed: pd.DataFrame | None = None,
                 checks: pd.DataFrame | None = None) -> pd.DataFrame:
    """List the points that an operator says it covers and that its cells cannot, by the model.

    Parameters
    ----------
    points : GeoDataFrame
        POINTS.
    links : DataFrame
        LINKS of the day.
    need : Need
        The definition; one operator is enough.
    claims : DataFrame, optional
        As `phusong.ledger.told.claim_table` returns them for the day.
    disputed : DataFrame, optional
        DISAGREEMENT_BY_OPERATOR: footprints against the model.
    checks : DataFrame, optional
        As `phusong.ledger.told.check_table` returns them: a point that was checked for the
        operator (or for nobody in particular) since the claim is settled and left out.

    Returns
    -------
    DataFrame
        FIELD_CHECKS: most learners first, then by point and operator.  Points of which the
        model is not sure are left out: nothing there speaks against the operator.
    """
    alone = need.model_copy(update={"operators_needed": 1})
    said = asserted(claims, disputed)
    said = said[points.index.get_indexer(said.index.get_level_values("point_id")) >= 0]
    frames = []
    where = said.index.get_level_values("point_id").unique()
    here = points[where.get_indexer(points.index) >= 0]
    hearing = Hearing(here, links)
    everybody = hearing.by(alone)["operators"]
    names = sorted(set(said.index.get_level_values("operator")))
    modelled = hearing.alone(alone, names)
    for number, (operator, rows) in enumerate(said.groupby(level="operator", sort=True)):
        ids = rows.index.get_level_values("point_id")
        service = modelled[number * len(here):(number + 1) * len(here)]
        service = service[(service["status"] == "uncovered").to_numpy(bool)
                          & (ids.get_indexer(service.index) >= 0)]
        about = rows.droplevel("operator").loc[service.index]
        who = points.loc[service.index]
        frames.append(pd.DataFrame({
            "operator": operator, "claimed_from": about["since"], "claimed_by": about["how"],
            "known_at": about["known_at"],
            **{c: service[c] for c in ("status", "reason", "received_dbm", "margin_db",
                                       "best_cell_id", "definition")},
            "others": everybody.loc[service.index], "learners": _number(who, "learners"),
            "learners_poor": _number(who, "learners_poor") + _number(who, "learners_near_poor"),
            **{c: who.get(c, "") for c in ("targets", "name", "commune_code")}}))
    kinds = {"text": "str", "float": "float64", "date": "datetime64[s]"}
    whole = pd.concat(frames) if frames else pd.DataFrame(
        columns=["operator", *FIELD_CHECKS.columns])
    whole.index.name = "point_id"
    whole = whole[~_settled(whole, checks)].reset_index()
    whole = whole.sort_values(["learners", "point_id", "operator"], ascending=[False, True, True],
                              kind="stable").set_index(list(FIELD_CHECKS.index))
    texts = [c.name for c in FIELD_CHECKS.columns.values() if c.kind == "text"]
    whole[texts] = whole[texts].fillna("")
    return whole[list(FIELD_CHECKS.columns)].astype(
        {c.name: kinds[c.kind] for c in FIELD_CHECKS.columns.values()})


def asserted(claims: pd.DataFrame | None, disputed: pd.DataFrame | None) -> pd.DataFrame:
    """Return who says that it covers which point: since when, and how.

    Parameters
    ----------
    claims, disputed : DataFrame, optional
        As for `field_checks`.

    Returns
    -------
    DataFrame
        By (``point_id``, ``operator``): ``since``, ``known_at``, ``how`` (``claim``,
        ``footprint`` or both, joined by ';').
    """
    none = pd.DataFrame({"since": pd.Series([], dtype="datetime64[s]"),
                         "known_at": pd.Series([], dtype="datetime64[s]")},
                        index=pd.MultiIndex.from_arrays([[], []], names=["point_id", "operator"]))
    said = none if claims is None else claims.loc[(claims["status"] == "covered").to_numpy(bool),
                                                  ["since", "known_at"]]
    drawn = none.index if disputed is None else disputed.index[
        (disputed["kind"] == "declared_only").to_numpy(bool)]
    every = said.index.union(drawn)
    by_claim, by_footprint = (index.get_indexer(every) >= 0 for index in (said.index, drawn))
    how = np.array(["", "claim", "footprint", "claim;footprint"], object)
    return said.reindex(every).assign(how=how[by_claim + 2 * by_footprint])


def _settled(rows: pd.DataFrame, checks: pd.DataFrame | None) -> np.ndarray:
    if checks is None or checks.empty:
        return np.zeros(len(rows), bool)
    days = checks["since"].to_dict()
    return np.array([any(
        (point, who) in days and not (days[point, who] < since) for who in (operator, ""))
        for point, operator, since in zip(rows.index, rows["operator"], rows["claimed_from"],
                                          strict=True)], bool)


def _number(points: pd.DataFrame, column: str) -> pd.Series:
    if column not in points.columns:
        return pd.Series(0.0, index=points.index)
    return points[column].astype("float64").fillna(0.0)
