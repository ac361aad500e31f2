"""When a target may be reached, if the pace of the last weeks goes on: said with its uncertainty.

The model is the plainest that is honest about few data.  In the window, points are won one
*batch* (tower) after another at random times: a Poisson process whose rate is not known and
gets the posterior Gamma(n + 1/2) of Jeffreys' prior, n = points won / batch size.  The batch
size is the variance of points won a week over their mean, at least 1.  Then the time until the
last of m batches is that window times m-fold Gamma over Gamma: a beta prime distribution,
closed form.  Where points are also lost, or the goal is a list that grows, the number left
wanders up and down; the same two rates, drawn from their posteriors, are then simulated day by
day (`DRAWS` runs, fixed seed).

It is an extrapolation, no plan: weather, lockdowns, money and the hardest points left for last
are not in it.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from phusong.progress import Target
from phusong.tables import FORECAST, empty

__all__ = ["DRAWS", "FEWEST", "HORIZON_WEEKS", "QUANTILES", "Pace", "batch_size",
           "closing_weeks", "forecast", "pace"]

DRAWS = 4000
"""How many courses are simulated where the closed form does not hold."""
FEWEST = 3
"""Fewer points won in the window than these give no forecast."""
HORIZON_WEEKS = 520
"""A completion later than ten years is not given as a date."""
QUANTILES = (0.1, 0.5, 0.9)
"""Probabilities of date_low, date_median and date_high: an 80 % interval."""
_SEED = 20210912


@dataclass(frozen=True, slots=True)
class Pace:
    """What happened in the window.

    Parameters
    ----------
    weeks : float
        Its length.
    won : int
        Points won in it.
    set_back : int
        Points lost, or added to a goal that is the whole list.
    batch, batch_back : float
        Variance over mean of points won (set back) a week, at least 1.
    """

    weeks: float
    won: int
    set_back: int = 0
    batch: float = 1.0
    batch_back: float = 1.0


def batch_size(counts: Iterable[float], weeks: Iterable[float]) -> float:
    """Return how many points come at once: variance over mean of counts, at least 1.

    Parameters
    ----------
    counts : iterable of float
        Points won in each interval.
    weeks : iterable of float
        Length of each interval.

    Returns
    -------
    float
        Pearson's chi-square over its degrees of freedom, for one rate over all intervals; 1
        with fewer than three intervals, or where nothing was counted.
    """
    seen, lengths = np.asarray(list(counts), float), np.asarray(list(weeks), float)
    if len(seen) < 3 or seen.sum() <= 0:
        return 1.0
    expected = seen.sum() * lengths / lengths.sum()
    return max(1.0, float(((seen - expected) ** 2 / expected).sum() / (len(seen) - 1)))


def pace(rows: pd.DataFrame, day: pd.Timestamp, target: Target) -> Pace:
    """Return the pace of one target over its window.

    Parameters
    ----------
    rows : DataFrame
        Its rows of PROGRESS, indexed by date, oldest first.
    day : Timestamp
        Last day of the window.
    target : Target
        Its `window_weeks`; where its `goal` is None, points that join uncovered set it back and
        uncovered points that leave the list count as won.
    """
    first = day - pd.Timedelta(weeks=target.window_weeks)
    inside = rows[(rows.index > first) & (rows.index <= day) & rows["since"].notna()]
    inside = inside[(inside["since"] >= first).to_numpy(bool)]
    weeks = (inside.index - pd.DatetimeIndex(inside["since"])).days.to_numpy() / 7.0
    if target.goal is None:
        up = inside["won"] + inside["left"] - inside["left_covered"]
        down = inside["lost"] + inside["joined"] - inside["joined_covered"]
    else:
        up, down = inside["won"] + inside["joined_covered"], inside["lost"] + inside["left_covered"]
    return Pace(float(weeks.sum()), int(up.sum()), int(down.sum()), batch_size(up, weeks),
                batch_size(down, weeks))


def closing_weeks(remaining: int, seen: Pace, *, draws: int = DRAWS, seed: int = _SEED
                  ) -> tuple[Any, str]:
    """Return the distribution of the weeks until `remaining` more points are covered.

    Parameters
    ----------
    remaining : int
        Points still to be covered, at least 1.
    seen : Pace
        What happened in the window; `seen.won` at least 1.
    draws : int
        Courses to simulate, where there are set-backs.
    seed : int
        Of the simulation.

    Returns
    -------
    distribution
        With ``ppf(probability)`` and ``cdf(weeks)``; infinite where a course never ends within
        `HORIZON_WEEKS`.
    method : str
        In words.

    Notes
    -----
    Without set-backs the weeks are ``seen.weeks`` times BetaPrime(m, n + 1/2), with
    m = remaining / batch and n = won / batch: Gamma(m) batches at a rate of posterior
    Gamma(n + 1/2) / weeks.
    """
    batches, won = remaining / seen.batch, seen.won / seen.batch
    if not seen.set_back:
        return (_BetaPrime(batches, won + 0.5, seen.weeks),
                "gamma-Poisson pace, closed form")
    rng = np.random.default_rng(seed)
    up = rng.gamma(won + 0.5, 1.0, draws) / seen.weeks
    down = rng.gamma(seen.set_back / seen.batch_back + 0.5, 1.0, draws) / seen.weeks
    return _Simulated(_courses(remaining, up, down, seen, rng)), \
        "gamma-Poisson pace with set-backs, simulated"


def _courses(remaining: int, up: NDArray[np.float64], down: NDArray[np.float64], seen: Pace,
             rng: np.random.Generator) -> NDArray[np.float64]:
    """Return the week in which each course first has nothing left (infinite = never)."""
    left = np.full(len(up), float(remaining))
    done = np.full(len(up), np.inf)
    step = max(1.0 / 7.0, seen.weeks / 60.0)
    at, running = 0.0, np.arange(len(up))
    while len(running) and at < HORIZON_WEEKS:
        gain = rng.poisson(up[running] * step) * seen.batch
        loss = rng.poisson(down[running] * step) * seen.batch_back
        change = gain - loss
        reached = left[running] - change <= 1e-9
        share = np.divide(left[running], change, out=np.ones(len(running)), where=reached)
        done[running[reached]] = at + step * np.clip(share[reached], 0.0, 1.0)
        left[running] -= change
        running = running[~reached]
        at += step
        step *= 1.02
    return done


@dataclass(frozen=True, slots=True)
class _BetaPrime:
    """`scale` times the ratio of Gamma(a) to Gamma(b); `scipy.stats` would take long to load."""

    a: float
    b: float
    scale: float

    def ppf(self, probability: float) -> float:
        # by the complement, so that a share close to 1 loses no digits
        rest = float(special.betaincinv(self.b, self.a, 1.0 - probability))
        return self.scale * (1.0 - rest) / rest if rest > 0.0 else math.inf

    def cdf(self, weeks: float) -> float:
        return float(special.betainc(self.a, self.b, weeks / (weeks + self.scale)))


@dataclass(frozen=True, slots=True)
class _Simulated:
    weeks: NDArray[np.float64]

    def ppf(self, probability: float) -> float:
        return float(np.quantile(self.weeks, probability, method="inverted_cdf"))

    def cdf(self, weeks: float) -> float:
        return float((self.weeks <= weeks).mean())


def forecast(progress: pd.DataFrame, targets: Iterable[Target], day: dt.date) -> pd.DataFrame:
    """Say for every target when it may be reached, or why nothing can be said.

    Parameters
    ----------
    progress : DataFrame
        PROGRESS.
    targets : iterable of Target
        Their goals, deadlines and windows.
    day : date
        Day on which the forecast is made; later rows are not looked at.

    Returns
    -------
    DataFrame
        FORECAST, in the order of `targets`: dates by which the goal is reached with 10, 50 and
        90 % probability if the pace of the window goes on, and the probability of meeting the
        deadline.  ``reason`` says why there is none: ``reached``, ``no_window`` (fewer than two
        weeks of snapshots), ``too_few`` (fewer than `FEWEST` points won in it).
    """
    rows = []
    for target in targets:
        if target.name not in progress.index.get_level_values("target"):
            continue
        own = progress.xs(target.name, level="target").sort_index()
        own = own[own.index <= pd.Timestamp(day)]
        if len(own):
            rows.append(_row(target, own, pd.Timestamp(day)))
    if not rows:
        return empty(FORECAST)
    kinds: Mapping[str, str] = {"int": "int64", "float": "float64", "text": "str",
                                "date": "datetime64[s]"}
    return pd.DataFrame(rows).set_index("target")[list(FORECAST.columns)].astype(
        {c.name: kinds[c.kind] for c in FORECAST.columns.values()})


def _row(target: Target, own: pd.DataFrame, day: pd.Timestamp) -> dict[str, Any]:
    last, seen = own.iloc[-1], pace(own, day, target)
    remaining = max(0, int(last["goal"]) - int(last["covered"]))
    left = (pd.Timestamp(target.deadline) - day).days / 7.0
    found: dict[str, Any] = {
        "target": target.name, "as_of": day, "goal": int(last["goal"]), "remaining": remaining,
        "window_from": day - pd.Timedelta(days=round(7 * seen.weeks)), "window_weeks": seen.weeks,
        "won": seen.won, "set_back": seen.set_back,
        "pace_per_week": (seen.won - seen.set_back) / seen.weeks if seen.weeks else math.nan,
        "pace_needed_per_week": remaining / left if left > 0 else math.nan, "batch": seen.batch,
        "date_low": pd.NaT, "date_median": pd.NaT, "date_high": pd.NaT,
        "chance_by_deadline": math.nan, "deadline": pd.Timestamp(target.deadline), "method": "",
        "reason": "reached" if not remaining else "no_window" if seen.weeks < 2.0 else
        "too_few" if seen.won < FEWEST else ""}
    if found["reason"]:
        return found
    weeks, method = closing_weeks(remaining, seen)
    for name, probability in zip(("date_low", "date_median", "date_high"), QUANTILES, strict=True):
        ahead = float(weeks.ppf(probability))
        if ahead <= HORIZON_WEEKS:
            found[name] = day + pd.Timedelta(days=math.ceil(7.0 * ahead))
    return found | {"method": method, "chance_by_deadline": float(weeks.cdf(left)) if left > 0
                    else 0.0}
