"""The forecast: against closed forms, and against histories whose end is known."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from phusong.outlook import (
    DRAWS,
    HORIZON_WEEKS,
    Pace,
    batch_size,
    closing_weeks,
    forecast,
)
from phusong.progress import Target
from phusong.tables import FORECAST, PROGRESS, check
from scipy import integrate, stats

DAY = pd.Timestamp("2021-12-06")


def _progress(won: list[int], covered: int, points: int, **columns: list[int]) -> pd.DataFrame:
    """Weekly snapshots that end on `DAY`; the first row has nothing before it."""
    days = pd.date_range(end=DAY, periods=len(won) + 1, freq="7D")
    frame = pd.DataFrame(0, index=pd.MultiIndex.from_product([["list"], days],
                                                             names=["target", "date"]),
                         columns=list(PROGRESS.columns)).astype(object)
    frame["won"] = [0, *won]
    for name, values in columns.items():
        frame[name] = [0, *values]
    frame["points"] = frame["goal"] = points
    frame["covered"] = covered
    frame["since"] = [pd.NaT, *days[:-1]]
    return frame


def _target(**more: object) -> Target:
    return Target(**{"name": "list", "deadline": dt.date(2022, 1, 31), "goal": 100, **more})


def test_against_the_integral() -> None:
    """The closed form is the gamma waiting time mixed over the posterior of the rate."""
    seen, remaining = Pace(weeks=8.0, won=11), 7
    found, method = closing_weeks(remaining, seen)
    assert "closed form" in method
    for weeks in (1.0, 4.0, 6.5, 20.0):
        wanted, _ = integrate.quad(
            lambda rate, weeks=weeks: stats.poisson.sf(remaining - 1, rate * weeks)
            * stats.gamma.pdf(rate, seen.won + 0.5, scale=1 / seen.weeks), 0, 20)
        assert found.cdf(weeks) == pytest.approx(wanted, abs=1e-7)


def test_set_backs_against_event_by_event() -> None:
    """The course of days against an exact simulation, one event after another."""
    seen, remaining = Pace(weeks=10.0, won=30, set_back=8), 12
    rng, ends = np.random.default_rng(3), []
    for _ in range(1500):
        up, down = rng.gamma(seen.won + 0.5) / 10.0, rng.gamma(seen.set_back + 0.5) / 10.0
        left, at = remaining, 0.0
        while left and at < HORIZON_WEEKS:
            at += rng.exponential(1.0 / (up + down))
            left += -1 if rng.random() < up / (up + down) else 1
        ends.append(at if not left else np.inf)
    weeks, method = closing_weeks(remaining, seen)
    assert "simulated" in method
    for probability in (0.1, 0.5, 0.9):
        exact = np.quantile(ends, probability)
        spread = 4 * np.sqrt(probability * (1 - probability) * (1 / 1500 + 1 / DRAWS))
        assert weeks.cdf(exact) == pytest.approx(probability, abs=spread)


def test_set_backs_put_the_day_off() -> None:
    last = 0.0
    for back in (0, 2, 5, 8):
        weeks, _ = closing_weeks(20, Pace(weeks=8.0, won=12, set_back=back))
        assert weeks.ppf(0.5) > last
        last = weeks.ppf(0.5)
    never, _ = closing_weeks(200, Pace(weeks=8.0, won=5, set_back=40))
    assert never.ppf(0.5) > HORIZON_WEEKS
    again, _ = closing_weeks(20, Pace(weeks=8.0, won=12, set_back=8))
    assert again.ppf(0.5) == last, "the same data give the same forecast"


@pytest.mark.parametrize(("rate", "batch", "remaining"), [(3.0, 1, 25), (6.0, 4, 60), (1.2, 1, 8)])
def test_the_interval_holds_what_it_promises(rate: float, batch: int, remaining: int) -> None:
    """Towers come by chance, each wins `batch` points; 80 % of the ends lie in the interval."""
    rng = np.random.default_rng(7)
    inside = told = 0
    for _ in range(400):
        seen = batch * rng.poisson(rate / batch, 12)
        if seen.sum() < 3:
            continue
        weeks, _ = closing_weeks(remaining, Pace(12.0, int(seen.sum()),
                                                 batch=batch_size(seen, np.ones(12))))
        true = rng.gamma(np.ceil(remaining / batch), batch / rate)
        told += 1
        inside += weeks.ppf(0.1) <= true <= weeks.ppf(0.9)
    share = inside / told
    assert told > 300
    assert 0.72 <= share <= 0.90, share


def test_batches() -> None:
    assert batch_size([4, 0, 4, 0, 4, 0], [1] * 6) == pytest.approx(2.4)
    assert batch_size([2, 2, 2, 2], [1] * 4) == 1.0, "steadier than chance is still chance"
    assert batch_size([1, 2, 4], [1, 2, 4]) == 1.0, "longer intervals hold more"
    assert batch_size([], []) == batch_size([5, 0], [1, 1]) == batch_size([0, 0, 0], [1] * 3) == 1


def test_what_is_said_when_nothing_can_be() -> None:
    many = [4, 3, 5, 2, 4, 6, 3, 4]
    cases = {"": (many, 60), "reached": (many, 100), "too_few": ([0, 0, 1, 0, 0, 1, 0, 0], 60),
             "no_window": ([9], 60)}
    for reason, (won, covered) in cases.items():
        found = forecast(_progress(won, covered, 100), [_target()], DAY.date())
        check(found, FORECAST)
        row = found.loc["list"]
        assert row["reason"] == reason
        assert pd.isna(row["date_median"]) == bool(reason)
        assert (row["method"] == "") == bool(reason)
        if not reason:
            assert DAY < row["date_low"] < row["date_median"] < row["date_high"]
            assert row["pace_per_week"] == pytest.approx(sum(won) / 8)
            assert row["pace_needed_per_week"] == pytest.approx(40 / 8)
            assert 0 < row["chance_by_deadline"] < 1
    assert forecast(_progress(many, 60, 100), [], DAY.date()).empty


def test_a_goal_that_is_the_list_grows_with_it() -> None:
    won, joined = [4, 3, 5, 2, 4, 6, 3, 4], [3, 0, 5, 2, 0, 4, 2, 2]
    rows = _progress(won, 60, 100, joined=joined)
    fixed, growing = (forecast(rows, [_target(goal=goal)], DAY.date()).loc["list"]
                      for goal in (100, None))
    assert (fixed["set_back"], growing["set_back"]) == (0, 18)
    assert "simulated" in growing["method"]
    assert growing["date_median"] > fixed["date_median"]


def test_only_the_window_counts() -> None:
    won = [50, 50, 50, 1, 0, 2, 1, 1]
    found = forecast(_progress(won, 60, 100), [_target(window_weeks=5)], DAY.date()).loc["list"]
    assert (found["won"], found["window_weeks"]) == (5, 5.0)
    early = forecast(_progress(won, 60, 100), [_target(window_weeks=3)],
                     (DAY - pd.Timedelta(weeks=5)).date()).loc["list"]
    assert (early["won"], early["window_weeks"]) == (150, 3.0)


def test_a_past_deadline_has_no_chance() -> None:
    row = forecast(_progress([4] * 8, 60, 100), [_target(deadline=dt.date(2021, 9, 30))],
                   DAY.date()).loc["list"]
    assert row["chance_by_deadline"] == 0.0
    assert pd.isna(row["pace_needed_per_week"])
    assert pd.notna(row["date_median"])
