"""What is packed comes back as it was; the same content gives the same bytes."""

from __future__ import annotations

import base64
import gzip
import json

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from phusong.errors import InputError
from phusong.maps.pack import MISSING, Block, clean, varints, zigzag

quick = settings(max_examples=80, deadline=None, derandomize=True)


def _raw(block: Block) -> tuple[dict, bytes]:
    raw = gzip.decompress(base64.b64decode(block.sealed({"x": 1})))
    size = int.from_bytes(raw[:4], "little")
    return json.loads(raw[4:4 + size]), raw[4 + size:]


def _unvarints(raw: bytes) -> list[int]:
    out, value, shift = [], 0, 0
    for byte in raw:
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            out.append(value)
            value, shift = 0, 0
    return out


@quick
@given(st.lists(st.integers(0, 2**35 - 1), max_size=40))
def test_varints_come_back(values: list[int]) -> None:
    assert _unvarints(varints(np.array(values, np.uint64))) == values


def test_a_coordinate_that_is_none_is_refused() -> None:
    with pytest.raises(InputError, match="CRS"):
        varints(np.array([2**35], np.uint64))


@quick
@given(st.lists(st.integers(-(2**40), 2**40), max_size=40))
def test_zigzag_keeps_small_numbers_small(values: list[int]) -> None:
    out = zigzag(np.array(values, np.int64))
    assert [int(u) for u in out] == [2 * v if v >= 0 else -2 * v - 1 for v in values]


@quick
@given(st.lists(st.one_of(st.none(), st.floats(-1e5, 1e5)), max_size=30), st.integers(0, 3))
def test_numbers_come_back_rounded_and_the_unknown_stays_unknown(values: list[float | None],
                                                                 decimals: int) -> None:
    block = Block()
    spec = block.numbers(pd.Series(values, dtype="float64"), decimals)
    raw = _raw(block)[1][spec["at"]:spec["at"] + spec["bytes"]]
    whole = np.frombuffer(raw, np.uint8).reshape(4, -1).T.copy().view("<i4").ravel()
    for back, value in zip(whole, values, strict=True):
        if value is None:
            assert back == MISSING
        else:
            assert back / 10**decimals == pytest.approx(value, abs=0.5000001 * 10**-decimals)


def test_large_numbers_keep_every_digit() -> None:
    block = Block()
    spec = block.numbers([2_400_000_001.0, np.nan])
    back = np.frombuffer(_raw(block)[1], "<f8")
    assert spec["as"] == "f64"
    assert back[0] == 2_400_000_001.0
    assert np.isnan(back[1])


@quick
@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=12), max_size=300))
def test_categories_come_back(values: list[str]) -> None:
    block = Block()
    spec = block.categories(values)
    raw = np.frombuffer(_raw(block)[1], np.uint8)
    codes = raw if spec["as"] == "u8" else raw.reshape(2, -1).T.copy().view("<u2").ravel()
    assert [spec["words"][c] for c in codes] == [clean(v) for v in values]


def test_more_than_255_words() -> None:
    block = Block()
    spec = block.categories([f"{i:05d}" for i in range(300)])
    assert spec["as"] == "u16"
    assert spec["words"][1] == "00000"


def test_texts_come_back_whatever_they_hold() -> None:
    texts = ['a\nb', '"', "\u2028", "</script>", "\x00", "Ho\u0300a", None, "00123"]
    block = Block()
    spec = block.texts(texts)
    back = json.loads(_raw(block)[1][spec["at"]:spec["at"] + spec["bytes"]])
    assert back == ["a\nb", '"', "\u2028", "</script>", "\x00", "Hòa", "", "00123"]


def test_a_lone_surrogate_becomes_a_question() -> None:
    assert clean("a\ud800b") == "a?b"


def test_positions_are_kept_to_a_metre() -> None:
    block = Block()
    spec = block.positions([103.123456, 103.5, -70.0], [22.0, -33.45678, 0.000004])
    raw = _raw(block)[1]
    lon = np.cumsum([(u >> 1) ^ -(u & 1) for u in _unvarints(raw[:spec["split"]])]) / 1e5
    lat = np.cumsum([(u >> 1) ^ -(u & 1) for u in _unvarints(raw[spec["split"]:])]) / 1e5
    assert lon == pytest.approx([103.12346, 103.5, -70.0])
    assert lat == pytest.approx([22.0, -33.45678, 0.0])


def test_outlines_keep_holes_and_parts() -> None:
    hole = shapely.Polygon([(0, 0), (4, 0), (4, 4), (0, 4)], [[(1, 1), (1, 2), (2, 2)]])
    many = shapely.MultiPolygon([shapely.box(5, 5, 6, 6), shapely.box(7, 7, 8, 8)])
    block = Block()
    spec = block.outlines([hole, many])
    raw = _raw(block)[1]
    cut = {name: raw[spec[name]["at"]:spec[name]["at"] + spec[name]["bytes"]]
           for name in ("rings", "sizes")}
    assert _unvarints(cut["rings"]) == [2, 2]
    assert _unvarints(cut["sizes"]) == [5, 4, 5, 5]
    assert spec["xy"]["n"] == 19


def test_the_same_columns_give_the_same_bytes() -> None:
    def packed() -> str:
        block = Block()
        return block.sealed({"a": block.numbers([1, 2]), "b": block.texts(["é"])})

    assert packed() == packed()
