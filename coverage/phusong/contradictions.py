"""Operators' footprints against the model of their own cells, kept up to date.

What footprints say of the points follows from the files alone and is worked out once.  Where they
contradict the model is worked out again only at points whose links differ.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd

from phusong.declared import declared, disagreement, disagreement_by_operator
from phusong.results import Results
from phusong.service import Need, assess_alone
from phusong.store import key_of

__all__ = ["contradictions", "declared_by", "drawn_on"]


def declared_by(results: Results, need: Need, operator: str = "") -> pd.DataFrame:
    """Return what the footprints of the study say of its points, recalled if that is known.

    If it is kept its ``attrs`` hold its ``digest``.

    Parameters
    ----------
    results : Results
        A run.
    need : Need
        The definition.
    operator : str
        Whose footprints; empty = everybody's.
    """
    key = key_of(results.days.inputs, need.model_dump(mode="json"), operator)
    name, store = f"footprints_{key[:20]}", results.days.store
    found = None if store is None else store.recall("footprints_say", key)
    if found is None:
        drawn = results.inputs.layer("footprints")
        if operator and drawn is not None:
            drawn = drawn[(drawn["operator"] == operator).to_numpy(bool)]
        found = declared(results.points, drawn, need)
        if store is not None:
            found = store.keep("footprints_say", key, found)
    if store is not None:
        results.days.parts[name] = ("footprints_say", key)
        found.attrs["digest"] = store.note_of("footprints_say", key)["digest"]
    return found


def drawn_on(results: Results) -> dt.date:
    """Return the day from which footprints count; the last of all days if there are none.

    That is the ``date`` of the source, else the newest in their rows, else the study's day.
    """
    source, drawn = results.study.sources.footprints, results.inputs.layer("footprints")
    if drawn is None or not len(drawn):
        return dt.date.max
    newest = drawn["date"].max() if "date" in drawn else pd.NaT
    stated = source.date if source is not None and source.date else None
    return stated or (results.study.day if pd.isna(newest) else newest.date())


def contradictions(results: Results) -> pd.DataFrame:
    """Return DISAGREEMENT_BY_OPERATOR; see `phusong.declared.disagreement_by_operator`.

    Its ``attrs`` tell of which links it speaks, so that the next one can begin with it.
    """
    study, drawn, points = results.study, results.inputs.layer("footprints"), results.points
    alone = study.need.model_copy(update={"operators_needed": 1})
    if drawn is None or study.day < drawn_on(results):
        return disagreement_by_operator(points.iloc[:0], results.days.links_of(
            study.day, points.index[:0]), None, alone)
    counts = drawn["technology"].isin(alone.technologies).to_numpy(bool)
    names = sorted((set(drawn.loc[counts, "operator"].dropna().unique()) - {""})
                   & set(results.days.sheet(study.day).values("operator")))
    about = {"of_links": results.days.digests[f"links@{study.day}"], "names": names,
             "by": key_of(results.days.inputs, alone.model_dump(mode="json"))}
    before, again, links = _before(results, about), points.index, None
    if before is not None:
        _, again, links = results.days.made_from[study.day]
    if links is None:
        links = results.days.links_of(study.day, again)
    found = _found(results, again, links, names, alone)
    if before is not None:
        stays = again.get_indexer(before.index.get_level_values(0)) < 0
        found = pd.concat([part for part in (before[stays], found) if len(part)] or [found])
        order = np.lexsort((points.index.get_indexer(found.index.get_level_values(0)),
                            pd.Index(names).get_indexer(found.index.get_level_values(1))))
        found = found.iloc[order]
    found.attrs = about
    return found


def _before(results: Results, about: dict[str, Any]) -> pd.DataFrame | None:
    """Return the table of the links that today's were made from, if it is known."""
    store, day = results.days.store, results.study.day
    said = None if store is None else store.now.get("results", {}).get("disagreement_by_operator")
    if store is None or said is None or day not in results.days.made_from:
        return None
    table = store.recall(*said)
    if table is None or table.attrs != about | {"of_links": results.days.made_from[day][0]}:
        return None
    return table


def _found(results: Results, ids: pd.Index, links: pd.DataFrame, names: list[str],
           alone: Need) -> pd.DataFrame:
    """Return the table of some points, given their links."""
    here = results.points[ids.get_indexer(results.points.index) >= 0]
    modelled = assess_alone(here, links, alone, names)
    tables = [disagreement(modelled[number * len(here):(number + 1) * len(here)],
                           declared_by(results, alone, name).loc[here.index]).assign(operator=name)
              for number, name in enumerate(names)]
    if not tables:
        return disagreement_by_operator(here.iloc[:0], links.iloc[:0], None, alone)
    return pd.concat(tables).set_index("operator", append=True)
