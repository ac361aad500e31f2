"""The inventory by operator and site code, against the same said row by row."""

from __future__ import annotations

import geopandas as gpd
from hypothesis import given, settings
from hypothesis import strategies as st
from phusong.ledger.events import site_key
from phusong.ledger.inventory import Inventory, shared_codes, site_keys
from shapely import Point

texts = st.one_of(st.text(max_size=4), st.sampled_from(
    ["A-1", "a-1", " a-1", "B", "", "b c", "B  C", "Ánh", "ß", "x\ny"]))
operators = st.sampled_from(["Viettel", "VNPT", "MobiFone"])


def table(rows: list[tuple[str, str]]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        {"operator": [who for who, _ in rows], "site_id": [code for _, code in rows]},
        geometry=[Point(0, 0)] * len(rows), index=[f"c{n}" for n in range(len(rows))], crs=32648)


@given(st.lists(texts, max_size=6))
def test_many_codes_are_keyed_as_one_by_one(codes: list[str]) -> None:
    assert site_keys(codes) == [site_key(code) for code in codes]


@settings(deadline=None)
@given(st.lists(st.tuples(operators, texts), max_size=8),
       st.lists(st.tuples(operators, texts.map(site_key)), max_size=4))
def test_an_inventory_says_what_its_rows_say(rows: list[tuple[str, str]],
                                             units: list[tuple[str, str]]) -> None:
    inventory = Inventory.of(table(rows))
    keys = [(who, site_key(code)) for who, code in rows]
    assert [inventory.units[unit] for unit in inventory.unit] == keys
    assert len(set(inventory.units)) == len(inventory.units)
    assert inventory.shared_with(units) == shared_codes([*keys, *units])
    among = [key in set(units) for key in keys]
    assert inventory.rows_of(units).tolist() == among
    only = inventory.only(units)
    assert only.sites is not None
    assert only.sites.index.tolist() == [f"c{n}" for n, there in enumerate(among) if there]
    assert inventory.names_of(units) == {
        key: code for key, (_, code) in zip(keys, rows, strict=True) if key in set(units)}
    assert inventory.ids == {f"C{n}": f"c{n}" for n in range(len(rows))}


def test_no_inventory_has_nothing() -> None:
    nothing = Inventory.of(None)
    assert len(nothing) == 0
    assert nothing.only([("A", "X")]).sites is None
    assert nothing.ids == {}
    assert nothing.shared_with([("A", "X"), ("B", "X")]) == {"X"}
