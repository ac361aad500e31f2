"""What operators declare stands beside the model and never inside it."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from landscape import CRS, LEFT, TOP, cell_table, ground, school_table
from phusong.declared import declared, disagreement, disagreement_by_operator
from phusong.errors import InputError
from phusong.links import link
from phusong.radio.budget import Radio
from phusong.service import Need, assess
from phusong.tables import SERVICE, check

NEED = Need(technologies=("LTE", "NR"))
QUICK = settings(max_examples=40, deadline=None, derandomize=True)


def areas(*rows: tuple[object, object, float, float, float]) -> gpd.GeoDataFrame:
    """Squares: operator, technology, left, bottom, side (from LEFT, TOP - 10 km)."""
    return gpd.GeoDataFrame(
        {"operator": [r[0] for r in rows], "technology": [r[1] for r in rows]},
        geometry=[shapely.box(LEFT + r[2], TOP - 10_000 + r[3], LEFT + r[2] + r[4],
                              TOP - 10_000 + r[3] + r[4]) for r in rows], crs=CRS)


def at(*places: tuple[float, float]) -> gpd.GeoDataFrame:
    return school_table([LEFT + x for x, _ in places], [TOP - 10_000 + y for _, y in places])


def test_inside_outside_and_on_the_edge() -> None:
    said = declared(at((500, 500), (1000, 500), (1300, 500)), areas(("A", "LTE", 0, 0, 1000)), NEED)
    check(said, SERVICE)
    assert said["status"].tolist() == ["covered", "covered", "uncovered"]
    assert said["reason"].tolist() == ["covered", "covered", "outside_footprints"]
    assert said["edge_m"].tolist() == pytest.approx([500.0, 0.0, -300.0])
    assert said["operators"].tolist() == ["A", "A", ""]
    assert set(said["evidence"]) == {"operator_footprint"}
    assert said[["received_dbm", "margin_db", "probability"]].isna().all(axis=None), \
        "a polygon names no level"


def test_only_technologies_of_the_definition_count() -> None:
    points = at((500, 500))
    for technology, status, reason in (("LTE", "covered", "covered"),
                                       ("GSM", "unknown", "no_site_data"),
                                       ("", "unknown", "no_site_data"),
                                       (None, "unknown", "no_site_data")):
        said = declared(points, areas(("A", technology, 0, 0, 1000)), NEED)
        assert (said["status"].iloc[0], said["reason"].iloc[0]) == (status, reason)
    both = areas(("A", "GSM", 0, 0, 1000), ("A", "NR", 5000, 0, 1000))
    assert declared(points, both, NEED)["status"].iloc[0] == "uncovered"
    both.loc[0, "technology"] = None
    assert declared(points, both, NEED)["status"].iloc[0] == "unknown", \
        "a footprint of no stated technology might be the right one"


def test_silence_is_no_evidence() -> None:
    points = at((500, 500), (5000, 5000))
    for nothing in (None, areas().iloc[:0]):
        assert set(declared(points, nothing, NEED)["status"]) == {"unknown"}
    one = areas(("A", "LTE", 0, 0, 1000))
    two_needed = NEED.model_copy(update={"operators_needed": 2})
    assert set(declared(points, one, two_needed)["status"]) == {"unknown"}
    two = areas(("A", "LTE", 0, 0, 1000), ("B", "LTE", 0, 0, 700))
    assert declared(points, two, two_needed)["status"].tolist() == ["covered", "uncovered"]
    partial = NEED.model_copy(update={"site_list": "partial"})
    assert declared(points, one, partial)["status"].tolist() == ["covered", "unknown"]
    nowhere = points.set_geometry([None, points.geometry.iloc[1]], crs=CRS)
    assert declared(nowhere, one, NEED)["reason"].tolist() == ["no_location", "outside_footprints"]


SQUARE = st.tuples(st.sampled_from(["A", "B", "C", None]), st.sampled_from(["LTE", "GSM", None]),
                   st.integers(0, 9).map(float), st.integers(0, 9).map(float),
                   st.integers(1, 5).map(float))
PLACE = st.tuples(st.integers(0, 12).map(float), st.integers(0, 12).map(float))


@QUICK
@given(st.lists(SQUARE, max_size=6), SQUARE, st.lists(PLACE, min_size=1, max_size=8),
       st.integers(1, 2), st.randoms(use_true_random=False))
def test_properties(rows: list, more: tuple, places: list, needed: int, random: object) -> None:
    points, need = at(*places), NEED.model_copy(update={"operators_needed": needed})
    shapes = areas(*rows)
    said = declared(points, shapes, need)
    check(said, SERVICE)
    mixed = list(range(len(rows)))
    random.shuffle(mixed)
    pd.testing.assert_frame_equal(said, declared(points, shapes.iloc[mixed], need))
    backwards = declared(points.iloc[::-1], shapes, need)
    pd.testing.assert_frame_equal(said, backwards.loc[said.index])
    doubled = pd.concat([shapes, shapes]) if len(shapes) else shapes
    pd.testing.assert_frame_equal(said, declared(points, doubled, need))
    grown = declared(points, areas(*rows, more), need)
    was = (said["status"] == "covered").to_numpy()
    assert (grown["status"] == "covered").to_numpy()[was].all(), "more never uncovers"
    for place, (x, y) in zip(said.index, places, strict=True):
        true = {"" if o is None else o for o, t, a, b, side in rows
                if t == "LTE" and a <= x <= a + side and b <= y <= b + side}
        assert (said.loc[place, "status"] == "covered") == (len(true) >= needed)
        assert said.loc[place, "operators"] == ";".join(sorted(true - {""}))


@QUICK
@given(st.lists(st.tuples(st.sampled_from(["covered", "uncertain", "uncovered", "unknown"]),
                          st.sampled_from(["covered", "uncovered", "unknown"])), max_size=12))
def test_only_contradictions_are_listed(pairs: list) -> None:
    points = at(*[(500.0, 500.0)] * len(pairs))
    base = declared(points, None, NEED)
    model = base.drop(columns=["technologies", "edge_m"]).assign(
        status=[a for a, _ in pairs], evidence="modelled")
    said = base.assign(status=[b for _, b in pairs])
    before = model.copy()
    found = disagreement(model, said.iloc[::-1])
    expected = [p for p, pair in zip(points.index, pairs, strict=True)
                if set(pair) == {"covered", "uncovered"}]
    assert found.index.tolist() == expected
    assert ((found["kind"] == "declared_only") == (found["declared"] == "covered")).all()
    pd.testing.assert_frame_equal(model, before)


def test_a_hill_between_the_mast_and_what_is_declared() -> None:
    heights = np.full((200, 200), 50.0)
    heights[:, 100:104] = 400.0
    terrain = ground(heights)
    cells = cell_table([LEFT + 3000, LEFT + 3000], [TOP - 6000] * 2, operator=["A", "B"],
                       eirp_dbm=[62.0, 62.0])
    points = school_table([LEFT + 4000, LEFT + 9000], [TOP - 6000] * 2)
    links = link(points, cells, terrain, Radio(profile_step_m=60.0))
    need = Need(technologies=("LTE",), sigma_model_db=2.0)
    model = assess(points, links, need)
    kept = model.copy()
    assert model["status"].tolist() == ["covered", "uncovered"]
    shapes = areas(("A", "LTE", 0, 0, 10_000), ("B", "LTE", 8000, 3000, 1500))
    said = declared(points, shapes, need)
    found = disagreement(model, said)
    pd.testing.assert_frame_equal(model, kept)
    assert found.index.tolist() == ["p001"]
    assert found.loc["p001", ["kind", "operators", "reason"]].tolist() == [
        "declared_only", "A;B", "terrain_blocked"]
    assert found.loc["p001", "margin_db"] < 0
    each = disagreement_by_operator(points, links, shapes, need)
    assert each.index.tolist() == [("p001", "A"), ("p000", "B"), ("p001", "B")]
    assert each["kind"].tolist() == ["declared_only", "modelled_only", "declared_only"]
    none = disagreement_by_operator(points, links, None, need)
    assert none.empty
    assert none.index.names == ["point_id", "operator"]


def test_broken_input_is_said() -> None:
    points = at((500, 500))
    shapes = areas(("A", "LTE", 0, 0, 1000))
    with pytest.raises(InputError, match="missing: technology"):
        declared(points, shapes.drop(columns="technology"), NEED)
    with pytest.raises(InputError, match="different CRS"):
        declared(points, shapes.to_crs("EPSG:4326"), NEED)
    said = declared(points, shapes, NEED)
    with pytest.raises(InputError, match="different points"):
        disagreement(said, declared(at((1, 1), (2, 2)), shapes, NEED))
