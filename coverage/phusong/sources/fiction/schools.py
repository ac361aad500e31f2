"""Places of learning and villages, with learners, poor households and target lists."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from phusong.sources.fiction.names import school_names
from phusong.sources.fiction.places import Ground
from phusong.sources.fiction.sizes import Scale

__all__ = ["LISTS", "make_learning", "make_lockdowns", "make_villages", "put_on_lists"]

LISTS = ("lockdown_2021_09", "others_2022_01")
"""Names of the two dated target lists."""

_LEARNERS = {"mầm non": 205, "tiểu học": 290, "THCS": 255, "tiểu học;THCS": 330, "THPT": 470,
             "THCS;THPT": 510, "điểm trường": 24, "GDNN": 340, "GDTX": 210, "TTHTCĐ": 80}
_SPREAD_M = {"điểm trường": 120.0}


def make_learning(ground: Ground, scale: Scale, communes: pd.DataFrame, hamlets: pd.DataFrame,
                  rng: np.random.Generator) -> pd.DataFrame:
    """Make all places of learning of a study.

    Returns
    -------
    DataFrame
        ``code`` (text: commune code and a running number), ``name``, ``level`` (a key of
        `Scale.learning`), ``commune`` and ``hamlet`` (rows of those tables), ``row``, ``column``
        (planning grid), ``learners`` (NaN where the list has a gap), ``poor``, ``near_poor``,
        ``parent`` (code of the main school of a branch school, else empty).
    """
    size = hamlets.groupby("commune").size().reindex(range(len(communes)), fill_value=1).to_numpy()
    first = np.searchsorted(hamlets["commune"].to_numpy(), np.arange(len(communes)))
    parts = []
    for level, count in scale.learning.items():
        if level == "điểm trường":
            chosen = _remote_hamlets(hamlets, count, rng)
            parts.append(pd.DataFrame({"level": level, "hamlet": chosen, "repeat": 0}))
            continue
        commune, repeat = _allot(communes, count, rng)
        step = np.where(repeat == 0, 0, 1 + (repeat * 2 + len(level)) % np.maximum(
            size[commune] - 1, 1))
        parts.append(pd.DataFrame({"level": level, "repeat": repeat,
                                   "hamlet": first[commune] + np.minimum(step, size[commune] - 1)}))
    frame = pd.concat(parts, ignore_index=True)
    frame["commune"] = hamlets["commune"].to_numpy()[frame["hamlet"]]
    frame["order"] = frame["level"].map({level: i for i, level in enumerate(scale.learning)})
    frame = frame.sort_values(["commune", "order", "repeat", "hamlet"], kind="stable",
                              ignore_index=True)
    number = (frame.groupby("commune").cumcount() + 1).astype(str).str.zfill(3)
    frame["code"] = communes["code"].to_numpy()[frame["commune"]] + number.to_numpy(object)
    frame["name"] = _names(frame, communes, hamlets)
    frame["parent"] = _parents(frame)
    _place(frame, ground, hamlets, rng)
    _enrol(frame, scale, communes, hamlets, rng)
    return frame.drop(columns=["order", "repeat"])


def _allot(communes: pd.DataFrame, count: int, rng: np.random.Generator
           ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Spread `count` schools over communes: evenly first, the rest to the populous ones."""
    n = len(communes)
    each, rest = divmod(count, n)
    people = communes["population"].to_numpy() * np.where(communes["town"], 4.0, 1.0)
    key = np.log(people) + 0.7 * rng.gumbel(size=n)
    extra = np.argsort(-key, kind="stable")[:rest]
    commune = np.concatenate([np.repeat(np.arange(n), each), extra])
    repeat = np.concatenate([np.tile(np.arange(each), n), np.full(rest, each)])
    return commune, repeat


def _remote_hamlets(hamlets: pd.DataFrame, count: int, rng: np.random.Generator
                    ) -> NDArray[np.int64]:
    """Hamlets, not centres, the remote ones more often."""
    key = 2.2 * np.log(hamlets["remote"].to_numpy()) + rng.gumbel(size=len(hamlets))
    key[hamlets["rank"].to_numpy() == 0] = -np.inf
    return np.sort(np.argsort(-key, kind="stable")[:count])


def _names(frame: pd.DataFrame, communes: pd.DataFrame, hamlets: pd.DataFrame
           ) -> NDArray[np.object_]:
    commune = communes["name"].str.replace(r"^(Xã|Thị trấn) ", "", regex=True).to_numpy(object)
    place = np.where(frame["level"] == "điểm trường",
                     hamlets["name"].to_numpy(object)[frame["hamlet"]],
                     commune[frame["commune"]])
    return school_names(frame["level"].to_numpy(object), place, frame["repeat"].to_numpy())


def _parents(frame: pd.DataFrame) -> NDArray[np.object_]:
    """Main school of each branch: the preschool or primary school of its commune."""
    main = frame[frame["level"].isin(["mầm non", "tiểu học", "tiểu học;THCS"])]
    preschool = main[main["level"] == "mầm non"].groupby("commune")["code"].first()
    primary = main[main["level"] != "mầm non"].groupby("commune")["code"].first()
    wants_primary = frame["hamlet"].to_numpy() % 5 < 2
    one = frame["commune"].map(primary if len(primary) else preschool)
    two = frame["commune"].map(preschool if len(preschool) else primary)
    parent = one.where(wants_primary, two).fillna(one).fillna(two)
    return np.where(frame["level"] == "điểm trường", parent.fillna(""), "").astype(object)


def _place(frame: pd.DataFrame, ground: Ground, hamlets: pd.DataFrame,
           rng: np.random.Generator) -> None:
    """Put each place of learning near its hamlet, on the gentlest of three spots tried."""
    spread = frame["level"].map(_SPREAD_M).fillna(260.0).to_numpy() / ground.cell_m
    limit = max(0.9, 260.0 / ground.cell_m)
    tries = rng.uniform(-1, 1, (3, 2, len(frame))) * np.minimum(1.6 * spread, limit)
    row = np.clip(hamlets["row"].to_numpy()[frame["hamlet"]] + tries[:, 0], 1, ground.shape[0] - 2)
    column = np.clip(hamlets["column"].to_numpy()[frame["hamlet"]] + tries[:, 1], 1,
                     ground.shape[1] - 2)
    steep = ground.slope[row.astype(int), column.astype(int)]
    steep = steep + 90.0 * ~ground.inside[row.astype(int), column.astype(int)]
    best = np.argmin(steep, axis=0)
    frame["row"] = row[best, np.arange(len(frame))]
    frame["column"] = column[best, np.arange(len(frame))]


def _enrol(frame: pd.DataFrame, scale: Scale, communes: pd.DataFrame, hamlets: pd.DataFrame,
           rng: np.random.Generator) -> None:
    """Enrol learners; the share of the poor rises with remoteness."""
    people = communes["population"].to_numpy()
    large = (people / people.mean())[frame["commune"]] ** 0.35
    national = 1.75 if scale.provinces > 1 else 1.0
    typical = frame["level"].map(_LEARNERS).to_numpy() * large * national
    learners = np.maximum(6, np.rint(typical * rng.lognormal(0, 0.33, len(frame))))
    remote = hamlets["remote"].to_numpy()[frame["hamlet"]]
    poor = np.clip(0.05 + 0.8 * remote ** 1.4 + rng.normal(0, 0.05, len(frame)), 0.005, 0.85)
    near = np.clip(0.04 + 0.13 * remote + rng.normal(0, 0.02, len(frame)), 0.0, 0.3)
    near = np.minimum(near, 0.97 - poor)
    gap = rng.random(len(frame)) < 0.015
    frame["learners"] = np.where(gap, np.nan, learners)
    frame["poor"] = np.where(gap, np.nan, np.rint(learners * poor))
    frame["near_poor"] = np.where(gap, np.nan, np.floor(learners * near))


def make_villages(communes: pd.DataFrame, hamlets: pd.DataFrame, scale: Scale,
                  rng: np.random.Generator) -> pd.DataFrame:
    """Choose the hamlets that the province lists as having trouble with signal.

    Returns
    -------
    DataFrame
        ``code``, ``name``, ``commune``, ``hamlet``, ``row``, ``column``, ``households``,
        ``people``, ``poor_households``.
    """
    chosen = _remote_hamlets(hamlets, scale.villages, rng)
    part = hamlets.iloc[chosen].reset_index(drop=True)
    number = (part.groupby("commune").cumcount() + 1).astype(str).str.zfill(2).to_numpy(object)
    households = np.rint(np.clip(rng.lognormal(3.9, 0.45, len(part)), 12, 260)).astype(int)
    poor = np.rint(households * np.clip(0.05 + 0.8 * part["remote"] ** 1.4, 0, 0.9)).astype(int)
    return pd.DataFrame({
        "code": communes["code"].to_numpy()[part["commune"]] + "T" + number,
        "name": part["name"], "commune": part["commune"], "hamlet": chosen, "row": part["row"],
        "column": part["column"], "households": households,
        "people": np.rint(households * rng.uniform(4.0, 5.2, len(part))).astype(int),
        "poor_households": poor})


def make_lockdowns(communes: pd.DataFrame, scale: Scale, rng: np.random.Generator
                   ) -> pd.DataFrame:
    """Put communes under distancing in summer and autumn 2021: ``commune``, ``from``, ``to``.

    Dates are days; a commune may come twice.
    """
    count = max(2, round(scale.lockdown_share * len(communes)))
    hit = np.sort(rng.permutation(len(communes))[:count])
    again = hit[rng.random(count) < 0.2]
    start = np.datetime64("2021-07-19") + rng.integers(0, 50, count).astype("timedelta64[D]")
    stop = np.datetime64("2021-09-20") + rng.integers(0, 40, count).astype("timedelta64[D]")
    second = np.datetime64("2021-11-08") + rng.integers(0, 30, len(again)).astype("timedelta64[D]")
    frame = pd.DataFrame({"commune": np.concatenate([hit, again]),
                          "from": np.concatenate([start, second]),
                          "to": np.concatenate([stop, second + np.timedelta64(20, "D")])})
    return frame.sort_values(["commune", "from"], kind="stable", ignore_index=True)


def put_on_lists(guess_dbm: NDArray[np.float64], under_lockdown: NDArray[np.bool_],
                 lengths: tuple[int, int], rng: np.random.Generator) -> NDArray[np.object_]:
    """Put places without signal on the two target lists.

    Parameters
    ----------
    guess_dbm : (points,) float64 array
        Rough level at each point.
    under_lockdown : (points,) bool array
        Whether the point's commune is under distancing; the first list takes only these.
    lengths : (int, int)
        How many points each list has.
    rng : numpy Generator
        Source of chance.

    Returns
    -------
    (points,) array of str
        Name of the list, or ``""``.
    """
    key = guess_dbm + rng.normal(0, 6.0, len(guess_dbm))
    lists = np.full(len(guess_dbm), "", object)
    order = np.argsort(key, kind="stable")
    first = order[under_lockdown[order]][:lengths[0]]
    lists[first] = LISTS[0]
    rest = order[lists[order] == ""][:lengths[1]]
    lists[rest] = LISTS[1]
    return lists
