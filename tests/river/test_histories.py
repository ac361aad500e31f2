"""Random histories of reports: what is made step by step is what is made from nothing.

Operators report new, changed, moved, dismantled and retracted cells, late, twice, in batches of
any size and in any order.  After each batch the snapshots of two days are made from those
before it; at the end they equal, bit for bit, snapshots made from nothing with another number of
workers, and a second book that got the same files in another order says the same.
"""

from __future__ import annotations

import datetime as dt
import os
import random
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from phusong.geo import DEGREES, transform
from phusong.ledger import Ledger
from phusong.radio.budget import Radio
from phusong.service import DEFINITIONS
from phusong.snapshots import Snapshot, retake, take
from phusong.store import content_digest
from phusong.workers import THREADS_VARIABLE

from tests.links.landscape import CRS, LEFT, TOP, country

HEADER = "operator;action;site_code;cell_code;date;reported_on;lat;lon;technology;frequency;height"
DAYS = ("2021-10-08", "2021-10-22")
RADIO = Radio(model="p526", max_range_m=9000.0, profile_step_m=90.0)
NEEDS = (DEFINITIONS["data"],)
SITES = st.sampled_from([f"c{i:03d}" for i in range(6)] + ["N1", "N2", "N3"])
OPERATORS = st.sampled_from(["A", "B"])
DATES = st.integers(1, 28).map(lambda day: f"2021-10-{day:02d}")
PLACES = st.tuples(st.integers(-2000, 14_000), st.integers(-2000, 14_000))

POINTS, CELLS, TERRAIN = country(5, points=12, cells=18)
CELLS = CELLS.assign(site_id=CELLS.index, operator=[("A", "B")[i % 2] for i in range(len(CELLS))])


BEFORE = take(POINTS, CELLS, TERRAIN, RADIO, NEEDS)
"""The snapshot of any day before anything is reported."""


def digest(snapshot: Snapshot) -> tuple[str, str]:
    return content_digest(snapshot.links), content_digest(snapshot.services)


class Histories(RuleBasedStateMachine):
    """One history: rows are gathered, sent in batches, and the snapshots follow."""

    @initialize(seed=st.integers(0, 2**32 - 1))
    def begin(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.workers = ("1", "2") if seed % 2 else ("2", "1")
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name)
        self.rows: list[str] = []
        self.sent: list[Path] = []
        self.days: list[dt.date] = []
        self.ledger = self.book("a")
        self.snapshots = dict.fromkeys(DAYS, BEFORE)

    def book(self, name: str) -> Ledger:
        return Ledger.open(self.path / name / "ledger.sqlite", crs=CRS, radio=RADIO,
                           standing=CELLS, operators=("A", "B"))

    def taken(self, day: str, **previous: Snapshot) -> Snapshot:
        """The snapshot of a day: from `previous` if there is one, else from nothing."""
        os.environ[THREADS_VARIABLE] = self.workers[0 if previous else 1]
        given = POINTS, self.ledger.state(day), TERRAIN, RADIO, NEEDS
        return retake(previous["previous"], *given) if previous else take(*given)

    def say(self, action: str, operator: str, site: str, date: str, place: tuple[int, int] | None,
            **said: Any) -> None:
        lat = lon = ""
        if place is not None:
            east, north = transform([LEFT + place[0]], [TOP - place[1]], CRS, DEGREES)
            lat, lon = f"{north[0]:.6f}", f"{east[0]:.6f}"
        self.rows.append(";".join(str(x) for x in (
            operator, action, site, said.get("cell", ""), date, said.get("on", ""), lat, lon,
            said.get("technology", ""), said.get("frequency", ""), said.get("height", ""))))
        if len(self.rows) >= self.rng.randint(1, 4):
            self.send(self.rng.randint(1, 2))

    @rule(operator=OPERATORS, site=SITES, date=DATES, place=PLACES,
          technology=st.sampled_from(["4G", "3G"]), height=st.integers(15, 60))
    def new(self, operator: str, site: str, date: str, place: tuple[int, int], technology: str,
            height: int) -> None:
        self.say("new", operator, site, date, place, technology=technology, height=height)

    @rule(operator=OPERATORS, site=SITES, date=DATES, height=st.integers(15, 60))
    def change(self, operator: str, site: str, date: str, height: int) -> None:
        self.say("change", operator, site, date, None, height=height)

    @rule(operator=OPERATORS, site=SITES, date=DATES, place=PLACES)
    def move(self, operator: str, site: str, date: str, place: tuple[int, int]) -> None:
        self.say("move", operator, site, date, place)

    @rule(operator=OPERATORS, site=SITES, date=DATES)
    def decommission(self, operator: str, site: str, date: str) -> None:
        self.say("decommission", operator, site, date, None)

    @rule(operator=OPERATORS, site=SITES, date=DATES, on=DATES)
    def retract(self, operator: str, site: str, date: str, on: str) -> None:
        self.say("retract", operator, site, date, None, on=on)

    @rule(operator=OPERATORS, site=SITES, height=st.integers(15, 60))
    def late(self, operator: str, site: str, height: int) -> None:
        """True since before the first snapshot, said after the last."""
        self.say("change", operator, site, "2021-10-01", None, on="2021-10-28", height=height)

    @precondition(lambda self: self.rows)
    @rule()
    def duplicate(self) -> None:
        self.rows.append(self.rng.choice(self.rows))
        self.send(1)

    def send(self, files: int) -> None:
        """Send what was gathered as some files in any order; now and then an old one again."""
        self.rng.shuffle(self.rows)
        batch = [self.path / f"{len(self.sent) + n}.csv" for n in range(files)]
        for n, path in enumerate(batch):
            path.write_text("\n".join([HEADER, *self.rows[n::files]]) + "\n", encoding="utf-8")
        self.rows = []
        self.sent += batch
        self.days += [dt.date(2021, 11, 1) + dt.timedelta(days=len(self.sent))] * files
        self.ledger.report([*batch, self.rng.choice(self.sent)], recorded_at=self.days[-1])
        for day in DAYS:
            self.snapshots[day] = self.taken(day, previous=self.snapshots[day])

    def teardown(self) -> None:
        if not hasattr(self, "folder"):
            return
        if self.rows:
            self.send(1)
        states = [content_digest(self.ledger.state(day)) for day in DAYS]
        for day in DAYS:
            assert digest(self.snapshots[day]) == digest(self.taken(day)), day
        head = self.ledger.head
        assert self.ledger.report(self.sent).counts["accepted"] == 0, "nothing counts twice"
        assert self.ledger.head == head
        other = self.book("b")
        for n in self.rng.sample(range(len(self.sent)), len(self.sent)):
            other.report([self.sent[n]], recorded_at=self.days[n])
        assert [content_digest(other.state(day)) for day in DAYS] == states
        other.close()
        self.ledger.close()
        self.folder.cleanup()


def histories(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(THREADS_VARIABLE, "1")
    from hypothesis.stateful import run_state_machine_as_test

    run_state_machine_as_test(Histories, settings=settings(
        max_examples=count, stateful_step_count=10, deadline=None, derandomize=True,
        suppress_health_check=list(HealthCheck)))


def test_some_histories(monkeypatch: pytest.MonkeyPatch) -> None:
    histories(4, monkeypatch)


@pytest.mark.slow
def test_a_thousand_histories(monkeypatch: pytest.MonkeyPatch) -> None:
    histories(1000, monkeypatch)
