"""What a switch-off would cost: points that lose signal when a technology goes off air."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import geopandas as gpd
import pandas as pd

from phusong.errors import InputError
from phusong.nouns import nearest
from phusong.radio.budget import TECHNOLOGIES
from phusong.service import Need, assess
from phusong.tables import SWITCH_OFF, empty

__all__ = ["switch_off"]


def switch_off(points: gpd.GeoDataFrame, links: pd.DataFrame, needs: Iterable[Need],
               technologies: Sequence[str], *, operator: str = "") -> pd.DataFrame:
    """List the points that are no longer covered once cells of some technologies are off.

    Parameters
    ----------
    points, links
        As for `phusong.service.assess`, on the day of the switch-off.
    needs : iterable of Need
        Definitions of covered.  One that does not count the technologies loses nothing.
    technologies : sequence of str
        What goes off: GSM, UMTS, LTE, NR.
    operator : str
        Whose; empty = everybody's.

    Returns
    -------
    DataFrame
        SWITCH_OFF: one row for each definition and point that was covered and is not any more,
        by definition, then most learners first, then by point.

    Raises
    ------
    InputError
        If there is no such technology.

    Notes
    -----
    No path is computed again: LINKS keep the best cells of each operator, technology and carrier
    apart, so those of the others are there already.  Neighbouring cells are left as they are:
    nobody moves a carrier or raises a tower.
    """
    wrong = [t for t in technologies if t not in TECHNOLOGIES]
    if wrong or not technologies:
        raise InputError("; ".join(f'There is no technology "{t}" to switch off. '
                                   f"{nearest(t, TECHNOLOGIES)}" for t in wrong)
                         or "Name the technologies to switch off.")
    off = links["technology"].isin(technologies).to_numpy(bool)
    if operator:
        off = off & (links["operator"] == operator).to_numpy(bool)
    frames = []
    for need in {n.name: n for n in needs}.values():
        was, now = assess(points, links, need), assess(points, links[~off], need)
        lost = ((was["status"] == "covered") & (now["status"] != "covered")).to_numpy(bool)
        here = points[lost]
        frame = pd.DataFrame({
            "definition": need.name, "now": now["status"][lost], "reason": now["reason"][lost],
            "was_operators": was["operators"][lost], "was_cell_id": was["best_cell_id"][lost],
            "margin_db": now["margin_db"][lost], "learners": _number(here, "learners"),
            "learners_poor": _number(here, "learners_poor") + _number(here, "learners_near_poor"),
            **{c: here.get(c, "") for c in ("targets", "name", "commune_code")}})
        frame.index.name = "point_id"
        frames.append(frame.reset_index().sort_values(["learners", "point_id"],
                                                      ascending=[False, True], kind="stable"))
    if not frames:
        return empty(SWITCH_OFF)
    kinds = {"text": "str", "float": "float64"}
    whole = pd.concat(frames).set_index(list(SWITCH_OFF.index))[list(SWITCH_OFF.columns)]
    texts = [c.name for c in SWITCH_OFF.columns.values() if c.kind == "text"]
    whole[texts] = whole[texts].fillna("")
    return whole.astype({c.name: kinds[c.kind] for c in SWITCH_OFF.columns.values()})


def _number(points: pd.DataFrame, column: str) -> pd.Series:
    if column not in points.columns:
        return pd.Series(0.0, index=points.index)
    return points[column].astype("float64").fillna(0.0)
