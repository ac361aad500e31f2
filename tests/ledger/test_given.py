"""What was given stays as it was given."""

from __future__ import annotations

import sqlite3
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phusong.ledger import Given, LedgerBusyError, LedgerError
from phusong.ledger.keep import locked

KEY = ("progress", "list", "2021-12-01")


@pytest.fixture
def record(tmp_path: Path) -> Given:
    return Given(tmp_path / "sub" / "given.sqlite")


def test_a_restatement_is_a_new_row(record: Given) -> None:
    assert record.at() == {}
    first, second = {"covered": 25, "note": "xã"}, {"covered": 24, "note": "xã"}
    assert record.keep({KEY: first}, known_on="2021-12-02T09:00:00") == 1
    assert record.keep({KEY: first}, known_on="2021-12-03T09:00:00") == 0, "nothing new was said"
    assert record.keep({KEY: second}, known_on="2021-12-20T09:00:00") == 1
    assert record.at("2021-12-01") == {}
    assert record.at("2021-12-02")[KEY] == ("2021-12-02T09:00:00", first)
    assert record.at("2021-12-02T08:59:59") == {}
    assert record.at("2021-12-19")[KEY][1] == first
    assert record.at()[KEY] == ("2021-12-20T09:00:00", second)
    assert [said for _, said in record.history()[KEY]] == [first, second]
    assert record.keep({KEY: first}, known_on="2021-12-21T09:00:00") == 1, "put right again"
    assert record.verify() == []


@settings(max_examples=15, deadline=None)
@given(said=st.lists(st.dictionaries(st.sampled_from("ab"), st.integers(0, 2), min_size=1),
                     min_size=1, max_size=6))
def test_every_moment_can_be_asked_for(said: list[dict[str, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        _ask_for_every_moment(Given(Path(folder) / "given.sqlite"), said)


def _ask_for_every_moment(record: Given, said: list[dict[str, int]]) -> None:
    now: dict[tuple[str, str, str], int] = {}
    moments = []
    for number, figures in enumerate(said, 1):
        keyed = {("progress", name, "2021-12-01"): value for name, value in figures.items()}
        record.keep(keyed, known_on=f"2021-12-{number:02d}T12:00:00")
        now |= keyed
        moments.append(dict(now))
    for number, wanted in enumerate(moments, 1):
        asked = record.at(f"2021-12-{number:02d}")
        assert {key: value for key, (_, value) in asked.items()} == wanted
    assert record.verify() == []


def test_it_cannot_be_rewritten(record: Given) -> None:
    record.keep({KEY: {"covered": 25}}, known_on="2021-12-02")
    db = sqlite3.connect(record.path)
    for change in ("UPDATE given SET body='{}'", "DELETE FROM given",
                   "INSERT OR REPLACE INTO given SELECT * FROM given"):
        with pytest.raises(sqlite3.DatabaseError, match="given"):
            db.execute(change)
    db.executescript("DROP TRIGGER given_update; UPDATE given SET body='{\"covered\":26}'")
    db.close()
    assert any("does not say what it said" in fault for fault in record.verify())


def test_nothing_half_written(record: Given) -> None:
    record.keep({KEY: 1}, known_on="2021-12-02")
    with pytest.raises(ValueError, match="JSON"):
        record.keep({("progress", "a", "2021-12-01"): 1, KEY: float("nan")}, known_on="2021-12-03")
    assert list(record.at()) == [KEY], "all of a bulletin or none of it"


def test_another_file_and_another_writer(tmp_path: Path, record: Given) -> None:
    strange = tmp_path / "x.sqlite"
    strange.write_bytes(b"no database at all, but long enough to be looked at" * 20)
    with pytest.raises(LedgerError):
        Given(strange).keep({KEY: 1})
    other = tmp_path / "y.sqlite"
    db = sqlite3.connect(other)
    db.execute("CREATE TABLE t (x)")
    db.close()
    with pytest.raises(LedgerError, match="no record"):
        Given(other).at()
    record.keep({KEY: 1}, known_on="2021-12-02")
    with locked(record.path.with_suffix(".lock")), pytest.raises(LedgerBusyError):
        Given(record.path, wait_s=0.1).keep({KEY: 2})
