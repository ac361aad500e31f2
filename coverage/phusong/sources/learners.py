"""Enrolment that is not known: a stated assumption, never a silent zero."""

from __future__ import annotations

import numpy as np
import pandas as pd

from phusong.errors import Fault
from phusong.profile import Profile
from phusong.tables import joined, split

__all__ = ["fill_learners"]

_ENOUGH = 5
_LIKE = "taken to have the median of their like in the study"
_STATED = 'given a figure of the profile "{profile}" that nobody counted there'
_NONE = "counted without learners: their children are counted at school"


def fill_learners(points: pd.DataFrame, profile: Profile, *,
                  assumed: dict[str, float] | None = None) -> tuple[pd.DataFrame, list[Fault]]:
    """Fill in how many learners there are where the files do not say.

    The median of known places of the same kind and level in the study if there are five, else of
    the same kind if there are five, else the profile's assumption for the kind.  Communes and
    villages without a figure have none: their children are counted at school.

    Parameters
    ----------
    points : DataFrame
        POINTS; left as it is.
    profile : Profile
        For `Profile.learners_assumed`.
    assumed : dict of kind to float, optional
        Figures of the study, before those of the profile.

    Returns
    -------
    points : DataFrame
        The same with every ``learners`` filled and ``learners`` written into ``assumed``.
    faults : list of Fault
        One assumption for each way of filling in: its sentence tells every kind and level.
    """
    known = points["learners"].notna()
    if known.all():
        return points.copy(), []
    stated = {**profile.learners_assumed, **(assumed or {})}
    values = points["learners"].to_numpy(float).copy()
    told: dict[str, list[tuple[str, float, int, str]]] = {}
    level = points["level"] if "level" in points else pd.Series("", index=points.index)
    groups = points.loc[~known].groupby([points["kind"][~known], level[~known].fillna("")])
    for (kind, levels), rows in sorted(groups.groups.items()):
        alike = known & (points["kind"] == kind)
        closer = alike & (level == levels)
        name, of = f"{kind} ({levels})" if levels else str(kind), ""
        if not stated.get(kind, 0.0):
            name, value, how = str(kind), 0.0, _NONE
        elif closer.sum() >= _ENOUGH:
            value, how = float(np.floor(points.loc[closer, "learners"].median() + 0.5)), _LIKE
            of = f", as {closer.sum()} like them"
        elif alike.sum() >= _ENOUGH:
            value, how = float(np.floor(points.loc[alike, "learners"].median() + 0.5)), _LIKE
            of = f", as {alike.sum()} of that kind"
        else:
            name, value, how = str(kind), stated[kind], _STATED
        values[points.index.isin(rows)] = value
        told.setdefault(how, []).append((name, value, len(rows), of))
    words = points["assumed"] if "assumed" in points else pd.Series("", index=points.index)
    noted = np.where(known, words, [joined([*split(w), "learners"]) for w in words])
    return points.assign(learners=values, assumed=pd.Series(noted, index=points.index,
                                                            dtype="str")), [
        _fault(how, told[how], profile) for how in (_LIKE, _STATED, _NONE) if how in told]


def _fault(how: str, rows: list[tuple[str, float, int, str]], profile: Profile) -> Fault:
    """Tell one way of filling in, with every kind and level it was used for."""
    parts: dict[tuple[str, float, str], int] = {}
    for name, value, count, of in rows:
        parts[name, value, of] = parts.get((name, value, of), 0) + count
    listed = "; ".join(f"{count:,} x {name}" + (f": {value:,g} each{of}" if how != _NONE else "")
                       for (name, value, of), count in parts.items())
    number = sum(parts.values())
    return Fault("learners_assumed", f"{number:,} place{'s' if number > 1 else ''} without "
                 f"enrolment {how.format(profile=profile.name)} ({listed}).",
                 "Fill in the enrolment.", "assumption", column="learners", count=number)
