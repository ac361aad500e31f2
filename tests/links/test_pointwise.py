"""Tables by point: what is dropped and added reads as if the table had been written whole."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phusong.pointwise import Pointwise, digest_of, marks_of, places_among
from phusong.store import Store, content_digest

IDS = pd.Index([f"p{n}" for n in range(7)])


def rows(seed: int, count: int) -> pd.DataFrame:
    """Rows of a table by point and cell: numbers with gaps, text with gaps."""
    rng = np.random.default_rng(seed)
    keys = sorted({(f"p{rng.integers(7)}", f"c{rng.integers(5)}") for _ in range(count)})
    index = pd.MultiIndex.from_tuples(keys, names=["point_id", "cell_id"]) if keys else \
        pd.MultiIndex.from_arrays([[], []], names=["point_id", "cell_id"])
    level = rng.normal(size=len(keys)).round(3)
    level[rng.random(len(keys)) < 0.2] = np.nan
    text = np.array([[None, "", "x", "yz"][n] for n in rng.integers(0, 4, len(keys))], object)
    return pd.DataFrame({"level": level, "count": np.arange(len(keys)), "text": text}, index=index)


def sorted_digest(frame: pd.DataFrame) -> str:
    return content_digest(frame.reset_index().sort_values(["point_id", "cell_id"]).set_index(
        ["point_id", "cell_id"]))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 4), st.data())
def test_changes_upon_changes(seed: int, steps: int, data: st.DataObject) -> None:
    frame = rows(seed, 30)
    if data.draw(st.booleans()):  # rows of a point need not lie together
        frame = frame.sample(frac=1.0, random_state=seed)
    sheet = Pointwise.of(frame)
    for step in range(steps):
        stays = np.array(data.draw(st.lists(st.booleans(), min_size=len(sheet),
                                            max_size=len(sheet))), bool)
        add = rows(seed + step + 1, 6)
        held = sheet.whole()
        add = add[~add.index.isin(held.index[stays])]
        sheet = sheet.changed(np.flatnonzero(~stays), add)
        frame = pd.concat([part for part in (held[stays], add) if len(part)] or [add])
        assert len(sheet) == len(frame)
        assert sorted_digest(sheet.whole()) == sorted_digest(frame)
        np.testing.assert_array_equal(sheet.numbers("level"), sheet.whole()["level"])
        place = sheet.places("point_id", IDS)
        assert (IDS[place] == sheet.whole().index.get_level_values(0)).all()
        assert sheet.rows_of(IDS[2:4]).tolist() == np.flatnonzero(
            sheet.whole().index.get_level_values(0).isin(IDS[2:4])).tolist()
        some = np.random.default_rng(seed).permutation(len(sheet))[:9]
        np.testing.assert_array_equal(sheet.places("point_id", IDS, some), place[some])
        np.testing.assert_array_equal(sheet.numbers("level", some), sheet.numbers("level")[some])
        twice = pd.Index(["p3", "nowhere", "p0", "p3"])
        assert sheet.rows_of(twice).tolist() == np.flatnonzero(
            sheet.whole().index.get_level_values(0).isin(twice)).tolist()
        texts = sheet.values("text")[::-1]
        np.testing.assert_array_equal(sheet.places("text", texts, some),
                                      sheet.places("text", texts)[some])
        cell = sheet.whole().index.get_level_values("cell_id")
        assert sheet.rows_of(cell[:2].unique(), "cell_id").tolist() == np.flatnonzero(
            cell.isin(cell[:2])).tolist()
        assert sheet.values("text").tolist() == sorted(set(frame["text"].dropna()))
        few = np.random.default_rng(seed).permutation(len(sheet))[:5]
        assert content_digest(sheet.take(few)) == content_digest(sheet.whole().iloc[few])


def test_a_table_kept_as_changes_is_read_back_from_both_files(tmp_path: Path) -> None:
    store = Store(tmp_path)
    first = rows(1, 30)
    base = store.keep_pointwise("links", "a" * 40, Pointwise.of(first), marks_of(first, IDS), IDS)
    changed = base.changed(np.array([0, 3]), rows(2, 4).rename(index=lambda c: f"{c}x", level=1))
    whole = changed.whole()
    store.keep_pointwise("links", "b" * 40, changed, marks_of(whole, IDS), IDS)
    found = Store(tmp_path).recall_pointwise("links", "b" * 40)
    assert found is not None
    assert content_digest(found.whole()) == content_digest(whole)
    assert store.holds("links", "b" * 40)
    assert store.holds("links_marks", "b" * 40)
    size = {p.name[6]: p.stat().st_size for p in (tmp_path / "tables").glob("links-*.arrow")}
    assert size["b"] < size["a"]
    path = next((tmp_path / "tables").glob("links-a*.arrow"))
    path.write_bytes(path.read_bytes()[:-9])
    assert Store(tmp_path).recall_pointwise("links", "b" * 40) is None, "its base is damaged"
    assert not Store(tmp_path).holds("links", "b" * 40)


@given(st.lists(st.integers(0, 12), max_size=9), st.permutations(range(13)))
def test_places_among_are_those_of_pandas(keys: list[int], ids: list[int]) -> None:
    wanted, there = (pd.Index([f"p{n}" for n in some], dtype="str") for some in (keys, ids[:7]))
    np.testing.assert_array_equal(places_among(wanted, there), there.get_indexer(wanted))


def test_marks_name_the_points_that_differ() -> None:
    frame = rows(3, 30)
    marks = marks_of(frame, IDS)
    other = frame.copy()
    other.iloc[4, 0] = -0.0 if other.iloc[4, 0] != 0.0 else 1.0
    differ = IDS[(marks != marks_of(other, IDS)).any(axis=1)]
    assert differ.tolist() == [frame.index[4][0]]
    assert digest_of(marks, IDS) != digest_of(marks_of(other, IDS), IDS)
    assert (marks_of(frame.iloc[::-1], IDS) == marks).all(), "order says nothing"
    few = IDS[2:5]
    assert (marks_of(frame[frame.index.get_level_values(0).isin(few)], few) == marks[2:5]).all()


@pytest.mark.parametrize(("a", "b", "same"), [(0.0, -0.0, False), (np.nan, -np.nan, True),
                                              (1.0, np.nextafter(1.0, 2.0), False)])
def test_the_last_bit_counts(a: float, b: float, same: bool) -> None:
    one, two = (pd.DataFrame({"x": [v]}, index=pd.Index(["p0"], name="point_id")) for v in (a, b))
    assert (marks_of(one, IDS[:1]) == marks_of(two, IDS[:1])).all() == same
