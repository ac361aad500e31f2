"""Verdicts as arrays against the definition, worked out point by point in plain Python."""

from __future__ import annotations

import math
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st
from landscape import LEFT, TOP, school_table
from phusong.service import Hearing, Need, assess, assess_alone, levels

OPERATORS = ("A", "B", "C", "")
dbm = st.integers(-130, -60).map(float)
link_rows = st.tuples(
    st.sampled_from(OPERATORS), st.sampled_from(("LTE", "GSM", "SAT")),
    st.one_of(dbm, st.just(math.nan)), dbm, dbm, st.floats(-2.0, 2.0), st.booleans())
needs = st.builds(Need, operators_needed=st.integers(1, 3), received_dbm=st.just(-100.0),
                  site_list=st.sampled_from(("complete", "partial")),
                  probability=st.sampled_from((0.5, 0.9)))


@st.composite
def heard(draw: st.DrawFn) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """Some points, one without a place, and links from any of them to any cell, in any order."""
    count = draw(st.integers(1, 4))
    points = school_table(np.arange(count) + LEFT, np.full(count, TOP),
                          ids=[f"p{n}" for n in range(count)])
    if draw(st.booleans()):
        points.loc["p0", "geometry"] = None
    keys = draw(st.lists(st.tuples(st.integers(0, count), st.integers(0, 5)), unique=True,
                         max_size=12))
    rows = [(f"p{point}", f"c{cell}", *draw(link_rows)) for point, cell in keys]
    frame = pd.DataFrame(rows, columns=["point_id", "cell_id", "operator", "technology",
                                        "received_dbm", "free_space_dbm", "best_case_dbm",
                                        "clearance", "no_ground"])
    frame["unknown_because"] = np.where(frame.pop("no_ground").astype(bool), "no_elevation", "")
    frame = frame.assign(frequency_mhz=1840.0, distance_m=np.arange(len(rows)) + 1000.0)
    texts = dict.fromkeys(("operator", "technology", "unknown_because"), "str")
    return points, frame.astype(texts).set_index(["point_id", "cell_id"])


def worked_out(point: str, there: bool, links: pd.DataFrame, need: Need) -> dict[str, Any]:
    """Return the verdict on one point, straight from what the definition says."""
    judged = pd.concat([links, levels(links, need)], axis=1)
    judged = judged[(judged.index.get_level_values(0) == point) & judged["counts"].to_numpy(bool)]
    rows = [dict(row, cell=key[1]) for key, row in judged.to_dict("index").items()]

    def nth(chance: Any) -> float:
        best: dict[str, float] = {}
        for row in rows:
            if not math.isnan(chance(row)):
                best[row["operator"]] = max(best.get(row["operator"], 0.0), chance(row))
        ranked = sorted(best.values(), reverse=True)
        return ranked[need.operators_needed - 1] if len(ranked) >= need.operators_needed else 0.0

    lost = [row for row in rows if math.isnan(row["probability"])]
    decisive = nth(lambda row: row["probability"])
    hope = nth(lambda row: row["best_case_probability"] if math.isnan(row["probability"])
               else row["probability"])
    if not there:
        status, reason = "unknown", "no_location"
    elif decisive >= need.probability:
        status, reason = "covered", "covered"
    elif decisive >= need.gap_probability:
        status, reason = "uncertain", "margin_too_thin"
    elif lost and hope >= need.gap_probability:
        status = "unknown"
        reason = "no_elevation" if any(row["unknown_because"] for row in lost) \
            else "out_of_model_range"
    elif need.site_list == "partial":
        status, reason = "unknown", "no_site_data"
    else:
        status = "uncovered"
        cut_off = [row for row in rows if row["free_space_probability"] >= need.probability
                   and not row["probability"] >= need.probability and (
                       row["clearance"] < 0.0 or (math.isnan(row["probability"]) and
                                                  row["best_case_probability"]
                                                  < need.gap_probability))]
        reason = "no_site_in_range" if len({row["operator"] for row in rows}) \
            < need.operators_needed else "terrain_blocked" if cut_off else "signal_too_weak"
    covering = {row["operator"] for row in rows if row["probability"] >= need.probability} - {""}
    best = min(rows, key=lambda row: (
        *(math.inf if math.isnan(row[name]) else -row[name]
          for name in ("probability", "level_dbm", "free_space_dbm")), row["cell"]), default=None)
    return {"status": status, "reason": reason, "operators": ";".join(sorted(covering)),
            "best_cell_id": None if best is None else best["cell"],
            "distance_m": None if best is None else best["distance_m"],
            "probability": None if status == "unknown" else decisive}


@settings(deadline=None, max_examples=150)
@given(heard(), needs)
def test_every_verdict_is_what_its_definition_says(
        case: tuple[gpd.GeoDataFrame, pd.DataFrame], need: Need) -> None:
    points, links = case
    found = assess(points, links, need)
    for point, row in found.iterrows():
        there = points.geometry[point] is not None
        for name, expected in worked_out(str(point), there, links, need).items():
            given_value = None if pd.isna(row[name]) else row[name]
            assert given_value == expected, (point, name)


@settings(deadline=None, max_examples=80)
@given(heard(), needs)
def test_operators_judged_together_are_judged_as_if_alone(
        case: tuple[gpd.GeoDataFrame, pd.DataFrame], need: Need) -> None:
    points, links = case
    together = assess_alone(points, links, need, ["C", "A", "nobody"])
    one = need.model_copy(update={"operators_needed": 1})
    apart = [assess(points, links[(links["operator"] == name).to_numpy(bool)], one)
             .assign(operator=name) for name in ("C", "A", "nobody")]
    pd.testing.assert_frame_equal(together, pd.concat(apart), check_exact=True)


@settings(deadline=None, max_examples=25)
@given(heard(), st.lists(st.builds(
    lambda need, dbm, names: need.model_copy(update={"received_dbm": dbm, "technologies": names}),
    needs, st.sampled_from((-110.0, -100.0, -80.0)),
    st.sampled_from((("LTE",), ("GSM", "LTE", "SAT")))), min_size=2, max_size=4), st.data())
def test_a_hearing_answers_every_need_as_a_fresh_one_would(
        case: tuple[gpd.GeoDataFrame, pd.DataFrame], asked: list[Need],
        data: st.DataObject) -> None:
    points, links = case
    hearing = Hearing(points, links)
    for _ in range(5):
        need = data.draw(st.sampled_from(asked))
        pd.testing.assert_frame_equal(hearing.by(need), assess(points, links, need),
                                      check_exact=True)
        pd.testing.assert_frame_equal(hearing.alone(need, ["B", "A"]),
                                      assess_alone(points, links, need, ["B", "A"]),
                                      check_exact=True)
