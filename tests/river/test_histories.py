"""Random histories of reports: what is made step by step is what is made from nothing.

Operators report new, changed, moved, dismantled and retracted cells, late, twice, in batches of
any size and in any order.  After each batch the snapshot of one of two days is made from the
snapshot before it; at the end it equals, bit for bit, the one made from nothing with another
number of workers, and a second book that got the same files in another order says the same of
every day.  Books and files are kept in memory, so that a thousand histories take minutes.
"""

from __future__ import annotations

import datetime as dt
import functools
import os
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)
from phusong import links_search
from phusong.geo import DEGREES, transform
from phusong.ledger import Ledger
from phusong.ledger.book import Book
from phusong.ledger.filing import Filing
from phusong.ledger.form import Form
from phusong.ledger.inventory import Inventory
from phusong.ledger.reports import read_filing
from phusong.ledger.values import moment
from phusong.links_scene import Scene
from phusong.radio.budget import Radio
from phusong.service import DEFINITIONS
from phusong.snapshots import Snapshot, retake, take
from phusong.store import content_digest
from phusong.workers import THREADS_VARIABLE

from tests.links.landscape import CRS, LEFT, TOP, country

HEADER = "operator;action;site_code;cell_code;date;reported_on;lat;lon;technology;frequency;height"
DAYS = ("2021-10-08", "2021-10-22")
RADIO = Radio(model="p526", max_range_m=9000.0, profile_step_m=90.0, best_per_operator=1)
"""One link of each group is kept: many a changed cell matters to few points or to none."""
NEEDS = (DEFINITIONS["data"],)
FORM = Form(operators=("A", "B"))
POINTS_AT_ONCE = 4
"""So few points make one unit of work here, that two workers have something to share."""
SITES = st.sampled_from([f"c{i:03d}" for i in range(6)] + ["N1", "N2", "N3"])
OPERATORS = st.sampled_from(["A", "B"])
DATES = st.integers(1, 28).map(lambda day: f"2021-10-{day:02d}")
PLACES = st.tuples(st.integers(-2000, 14_000), st.integers(-2000, 14_000))

POINTS, CELLS, TERRAIN = country(5, points=8, cells=40)
CELLS = CELLS.assign(site_id=CELLS.index, operator=[("A", "B")[i % 2] for i in range(len(CELLS))])


@functools.cache
def before(machine: type[Histories]) -> Snapshot:
    """The snapshot of any day before anything is reported."""
    return take(POINTS, machine.cells, TERRAIN, machine.radio, NEEDS)


def digest(snapshot: Snapshot) -> tuple[str, str]:
    services = snapshot.whole("services").sort_index(kind="stable")
    return content_digest(snapshot.whole("links")), content_digest(
        services.sort_values("definition", kind="stable"))


class Histories(RuleBasedStateMachine):
    """One history: rows are gathered, sent in batches, and the snapshots follow."""

    radio, cells = RADIO, CELLS

    @initialize(seed=st.integers(0, 2**32 - 1))
    def begin(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.workers = ("1", "2") if seed % 2 else ("2", "1")
        self.rows: list[str] = []
        self.sent: list[Filing] = []
        self.book, self.ledger = self.opened()
        self.day, self.snapshot = DAYS[0], before(type(self))

    def opened(self) -> tuple[Book, Ledger]:
        """An empty book in memory, and the ledger that reads it."""
        book = Book.copy_of(Path("absent.sqlite"))
        return book, Ledger(book, FORM, CRS, self.radio, Inventory.of(self.cells))

    def say(self, action: str, operator: str, site: str, date: str, place: tuple[int, int] | None,
            **said: Any) -> None:
        lat = lon = ""
        if place is not None:
            east, north = transform([LEFT + place[0]], [TOP - place[1]], CRS, DEGREES)
            lat, lon = f"{north[0]:.6f}", f"{east[0]:.6f}"
        self.rows.append(";".join(str(x) for x in (
            operator, action, site, said.get("cell", ""), date, said.get("on", ""), lat, lon,
            said.get("technology", ""), said.get("frequency", ""), said.get("height", ""))))
        if len(self.rows) >= self.rng.randint(2, 9):
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
        """The same row twice, in one file or in two."""
        self.rows.append(self.rng.choice(self.rows))

    def send(self, files: int) -> None:
        """Send what was gathered as some files in any order; now and then an old one again."""
        self.rng.shuffle(self.rows)
        first = len(self.sent)
        known = moment(dt.date(2021, 11, 1) + dt.timedelta(days=first))
        self.sent += [read_filing("\n".join([HEADER, *self.rows[n::files]]).encode(),
                                  f"{first + n}.csv", FORM, known) for n in range(files)]
        self.rows = []
        for filing in (*self.sent[first:], self.rng.choice(self.sent)):
            self.book.append(filing)
        self.day = self.rng.choice(DAYS)
        self.follow(known)

    def follow(self, known: str) -> None:
        """The snapshot of the day, from the one before it."""
        os.environ[THREADS_VARIABLE] = self.workers[0]
        self.air = self.ledger.air()
        self.snapshot = retake(self.snapshot, POINTS, self.air.table(self.day), TERRAIN,
                               self.radio, NEEDS)

    def teardown(self) -> None:
        if not hasattr(self, "sent"):
            return
        if self.rows:
            self.send(1)
        if self.sent:
            self.judge()
        self.ledger.close()

    def shuffled(self) -> list[Filing]:
        return self.rng.sample(self.sent, len(self.sent))

    def replay(self) -> None:
        """Whatever was sent is sent again: nothing counts twice."""
        head = self.ledger.head
        for _ in range(3):
            for filing in self.shuffled():
                self.book.append(filing)
        assert self.ledger.head == head

    def judge(self) -> None:
        os.environ[THREADS_VARIABLE] = self.workers[1]
        cells = self.snapshot.cells
        whole = take(POINTS, cells, TERRAIN, self.radio, NEEDS)
        assert digest(self.snapshot) == digest(whole), self.day
        self.replay()
        book, other = self.opened()
        for filing in self.shuffled():
            book.append(filing)
        air = other.air()
        other.close()
        assert air.sites == self.air.sites, "another order says something else of some day"
        assert content_digest(air.table(self.day)) == content_digest(cells)
        assert cells.index.is_monotonic_increasing


class Carriers(Histories):
    """Histories of one operator whose cells change carrier: who competes with whom changes.

    Two links of each group are kept, some ground is not known, and some cells are out of the
    model's range, so that unknown losses are kept and lost too.
    """

    radio = Radio(model="hata", max_range_m=9000.0, profile_step_m=90.0, best_per_operator=2)
    cells = CELLS.assign(operator="A", technology=[("LTE", "UMTS")[i % 2] for i in range(40)],
                         antenna_height_m=[(28.0, 45.0)[i % 2] for i in range(40)])

    @rule(site=SITES, date=DATES, frequency=st.sampled_from([800, 900, 1800, 2600]))
    def retune(self, site: str, date: str, frequency: int) -> None:
        self.say("change", "A", site, date, None, frequency=frequency)

    @rule(site=SITES, date=DATES, place=PLACES, frequency=st.sampled_from([900, 1800]))
    def another(self, site: str, date: str, place: tuple[int, int], frequency: int) -> None:
        self.say("new", "A", site, date, place, technology="4G", frequency=frequency, height=40,
                 cell=f"{site}-{frequency}")


class Givens(Histories):
    """Histories in which every state that was given is asked for again at the end."""

    @initialize()
    def nothing_given(self) -> None:
        self.given: dict[tuple[str, str], str] = {}

    def follow(self, known: str) -> None:
        pair = self.day, known[:10]
        self.given[pair] = content_digest(self.ledger.state(*pair))

    def judge(self) -> None:
        self.replay()
        for pair, table in self.given.items():
            assert content_digest(self.ledger.state(*pair)) == table, pair


def histories(machine: type[Histories], count: int) -> None:
    run_state_machine_as_test(machine, settings=settings(
        max_examples=count, stateful_step_count=10, deadline=None, derandomize=True,
        suppress_health_check=list(HealthCheck)))


@pytest.fixture(autouse=True)
def small_units(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(THREADS_VARIABLE, "1")
    monkeypatch.setattr(links_search, "POINTS_AT_ONCE", POINTS_AT_ONCE)


def test_two_workers_have_something_to_share() -> None:
    search = links_search.Search.of(Scene.of(POINTS, CELLS, TERRAIN, RADIO), CELLS, True)
    assert [len(unit) for unit in search.units()] == [4, 4]


def test_some_histories() -> None:
    histories(Histories, 10)


def test_some_histories_of_carriers() -> None:
    histories(Carriers, 10)


def test_some_states_are_given_again() -> None:
    histories(Givens, 15)


@pytest.mark.slow
def test_a_thousand_histories() -> None:
    histories(Histories, 1000)


@pytest.mark.slow
def test_hundreds_of_histories_of_carriers() -> None:
    histories(Carriers, 200)


@pytest.mark.slow
def test_many_states_are_given_again() -> None:
    histories(Givens, 200)
