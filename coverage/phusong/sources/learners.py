"""Enrolment that is not known: a stated assumption, never a silent zero."""

from __future__ import annotations

import numpy as np
import pandas as pd

from phusong.errors import Fault
from phusong.profile import Profile
from phusong.tables import joined, split

__all__ = ["fill_learners"]

_ENOUGH = 5


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
        One assumption for each kind (and level) that was filled.
    """
    known = points["learners"].notna()
    if known.all():
        return points.copy(), []
    stated = {**profile.learners_assumed, **(assumed or {})}
    values = points["learners"].to_numpy(float).copy()
    found: list[Fault] = []
    level = points["level"] if "level" in points else pd.Series("", index=points.index)
    groups = points.loc[~known].groupby([points["kind"][~known], level[~known].fillna("")])
    for (kind, levels), rows in sorted(groups.groups.items()):
        alike = known & (points["kind"] == kind)
        closer = alike & (level == levels)
        if not stated.get(kind, 0.0):
            value, why = 0.0, "their children are counted at school"
        elif closer.sum() >= _ENOUGH:
            value = float(np.floor(points.loc[closer, "learners"].median() + 0.5))
            why = f"the median of {closer.sum()} like them in the study"
        elif alike.sum() >= _ENOUGH:
            value = float(np.floor(points.loc[alike, "learners"].median() + 0.5))
            why = f"the median of {alike.sum()} of that kind in the study"
        else:
            value, why = stated[kind], f"an assumption of the profile \"{profile.name}\""
        values[points.index.isin(rows)] = value
        found.append(Fault("learners_assumed", f"{len(rows)} x {kind}"
                           f"{f' ({levels})' if levels else ''} without enrolment: {value:g} "
                           f"learners each, {why}.", "Fill in the enrolment.", "assumption",
                           column="learners", count=len(rows)))
    words = points["assumed"] if "assumed" in points else pd.Series("", index=points.index)
    noted = np.where(known, words, [joined([*split(w), "learners"]) for w in words])
    return points.assign(learners=values, assumed=pd.Series(noted, index=points.index,
                                                            dtype="str")), found
