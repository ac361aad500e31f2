"""Days kept on disk as what differs from others say what the same days say when made whole."""

from __future__ import annotations

import datetime as dt
import shutil
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from geopandas.testing import assert_geodataframe_equal
from hypothesis import strategies as st
from hypothesis.stateful import initialize
from phusong.days import Days
from phusong.intake import Intake
from phusong.store import Store

from tests.river.test_histories import CELLS, DAYS, NEEDS, POINTS, TERRAIN, Histories, histories


class KeptDays(Histories):
    """Histories in which every step is a run of its own: it knows only what the store holds.

    Some cells of the inventory come or go between the two days by themselves.
    """

    cells = CELLS.assign(
        status="standing", source="inventory.csv",
        on_air_from=pd.to_datetime(["2021-10-15" if i % 9 == 4 else None for i in range(40)]),
        off_air_from=pd.to_datetime(["2021-10-20" if i % 11 == 3 else None for i in range(40)]))

    @initialize(first=st.sampled_from(DAYS))
    def nothing_kept(self, first: str) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.kept: Days | None = None
        self.day = first

    def days(self, store: Store | None) -> Days:
        study: Any = SimpleNamespace(radio=self.radio, needs={n.name: n for n in NEEDS},
                                     targets=())
        found = Days(study, Intake(POINTS, self.cells, TERRAIN, None, "the same inputs"), store,
                     [dt.date.fromisoformat(self.day)])
        found.air = self.air
        found.bring(dt.date.fromisoformat(self.day))
        return found

    def follow(self, known: str) -> None:
        self.air = self.ledger.air()
        store = Store(self.folder)
        self.kept = self.days(store)
        store.commit(self.kept.parts, inputs=self.kept.inputs)

    def judge(self) -> None:
        assert self.kept is not None
        day, whole = dt.date.fromisoformat(self.day), self.days(None)
        assert whole.digests == self.kept.digests
        again = self.days(Store(self.folder))  # another process: all is recalled
        for found in (self.kept, again):
            pd.testing.assert_frame_equal(found.links(day), whole.links(day), check_exact=True)
        assert_geodataframe_equal(again._part("cells", day), again.cells(day), check_dtype=False)

    def teardown(self) -> None:
        super().teardown()
        if hasattr(self, "folder"):  # a history may end before it begins
            shutil.rmtree(self.folder, ignore_errors=True)


def test_some_histories_of_days_that_are_kept() -> None:
    histories(KeptDays, 10)


@pytest.mark.slow
def test_many_histories_of_days_that_are_kept() -> None:
    histories(KeptDays, 150)
