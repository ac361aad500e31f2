"""On which days progress is measured, and which days share what is kept of them."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phusong.days import Days
from phusong.progress import Target, snapshot_dates

START, TODAY = dt.date(2021, 9, 12), dt.date(2021, 12, 15)
MOMENTS = st.one_of(st.none(), st.integers(0, 40).map(
    lambda n: dt.datetime(2021, 9, 1) + dt.timedelta(hours=8 * n)))


def _target(every: Any = "month", start: dt.date | None = START) -> Target:
    return Target(name="t", start=start, deadline=dt.date(2021, 9, 30), every=every)


def test_every_week_and_every_day() -> None:
    month, week, day = (snapshot_dates([_target(every)], TODAY) for every in (
        "month", "week", "day"))
    assert month == [START, dt.date(2021, 9, 30), *(dt.date(2021, m, 1) for m in (10, 11, 12)),
                     TODAY]
    assert day == [START + dt.timedelta(days=n) for n in range(95)]
    assert set(month) < set(week) < set(day)
    assert max(b - a for a, b in pairwise(week)) == dt.timedelta(days=7)
    assert snapshot_dates([_target("day", None)], TODAY) == [dt.date(2021, 9, 30), TODAY]
    assert snapshot_dates([_target("day")], START) == [START]
    early = dt.date(2021, 9, 1)
    assert snapshot_dates([_target("day")], early) == [early]
    with pytest.raises(ValueError, match="every"):
        _target("hour")


@given(st.lists(st.tuples(MOMENTS, MOMENTS), max_size=6))
def test_days_share_what_is_kept_just_if_the_same_cells_are_on_air(
        spells: list[tuple[dt.datetime | None, dt.datetime | None]]) -> None:
    """A cell that goes on and off air at once parts two days that are alike: no harm is done."""
    sites = pd.DataFrame({"status": "standing",
                          "on_air_from": pd.to_datetime([a for a, _ in spells]),
                          "off_air_from": pd.to_datetime([b for _, b in spells])})
    every: Any = [dt.date(2021, 8, 30) + dt.timedelta(days=n) for n in range(20)]
    study: Any = SimpleNamespace(radio=None, needs={}, targets=())
    inputs: Any = SimpleNamespace(digest="x", sites=sites)
    days = Days(study, inputs, None, every)
    on_air = {day: tuple(days.cells(day).index) for day in every}
    for day, there in on_air.items():
        midnight = dt.datetime.combine(day, dt.time())
        assert there == tuple(n for n, (a, b) in enumerate(spells) if (a is None or a <= midnight)
                              and (b is None or midnight < b))
    for one, other in pairwise(every):
        if days.cells_key(one) == days.cells_key(other):
            assert on_air[one] == on_air[other]
        begun = [m for spell in spells for m in spell if m is not None
                 and dt.datetime.combine(one, dt.time()) < m <= dt.datetime.combine(other,
                                                                                    dt.time())]
        assert (days.cells_key(one) == days.cells_key(other)) == (not begun)
