"""The lower rungs: what stands is used better, what is heard is sent on, what is given is used."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from phusong.cost import Costs, price
from phusong.links import link
from phusong.plan import Goal, rank
from phusong.radio.budget import Radio, reference_offset_db
from phusong.service import Need, assess, serves
from phusong.siting import Siting, propose
from phusong.surroundings import Surroundings
from phusong.tables import SITES, faults
from shapely import Point, box

from tests.siting.test_siting import CRS, NORTH, SIZE, WEST, at, gaps_at, land, masts_at

NEED, RADIO = Need(), Radio()


def ridge(height_m: float = 150.0) -> np.ndarray:
    """A plain at 100 m with a long ridge from north to south, 6 km from the western edge."""
    heights = np.full((SIZE, SIZE), 100.0)
    heights[:, 118:122] += height_m
    return heights


def lte(*places: Point, operator: str = "O", **columns: object) -> gpd.GeoDataFrame:
    return masts_at(*places, technology="LTE", azimuth=90.0).assign(operator=operator, **columns)


def proposed(gaps: gpd.GeoDataFrame, masts: gpd.GeoDataFrame, terrain, *, siting: Siting,
             covered: gpd.GeoDataFrame | None = None, around: Surroundings | None = None
             ) -> gpd.GeoDataFrame:
    links = None if covered is None else link(covered, masts, terrain, RADIO)
    out = propose(gaps, masts, terrain, around, siting, radio=RADIO, need=NEED, covered=covered,
                  links=links)
    if len(out):
        assert faults(pd.DataFrame(out.drop(columns="geometry")), SITES)[0].code == \
            "missing_column"     # nothing but the geometry that was taken off
    return out


def test_a_roof_is_offered_where_the_definition_is_met_up_there_and_only_to_learners() -> None:
    """Behind a low ridge the yard hears too little, the roof enough; a village has no roof."""
    terrain, masts = land(ridge(46.0)), lte(at(1, 10))
    gaps = gaps_at(*(at(e, 10) for e in (7.0, 8.0, 9.0, 10.0, 12.0, 14.0, 16.0)))
    links = link(gaps, masts, terrain, RADIO)
    gaps = gaps[~gaps.index.isin(links.index[serves(links, NEED).to_numpy()]
                                 .get_level_values("point_id"))]
    siting = Siting(methods=("roof",))
    spots = proposed(gaps, masts, terrain, siting=siting)
    raised = link(gaps.assign(antenna_height_m=siting.roof_height_m), masts, terrain, RADIO)
    roof = NEED.model_copy(update={"place": "roof", "gain_dbi": siting.roof_gain_dbi,
                                   "body_loss_db": 0.0})
    heard = raised.index[serves(raised, roof).to_numpy()].get_level_values("point_id").unique()
    assert 0 < len(heard) < len(gaps), "the case must tell roofs that hear from roofs that do not"
    assert len(spots) == len(heard)
    assert spots.attrs["left_out"] == {"roof_hears_too_little": len(gaps) - len(heard)}
    reach = link(gaps, spots, terrain, RADIO)
    closed = reach.index[serves(reach, NEED).to_numpy()].get_level_values("point_id")
    assert set(closed) == set(heard)
    assert not len(proposed(gaps.assign(kind="village"), masts, terrain, siting=siting))
    bill = price(spots, None, Costs())
    assert (bill["capex_base"].groupby("site_id").sum() > 0).all()
    assert "roof_service" in bill.index.get_level_values("item")


def test_a_repeater_sends_on_what_it_hears_and_nothing_where_it_hears_nothing() -> None:
    """Its EIRP is level + donor gain + amplifier + serving antenna, capped by the amplifier."""
    terrain, masts = land(ridge(60.0)), lte(at(1, 10))
    gap = gaps_at(at(9, 10))
    siting = Siting(methods=("cluster",), rungs=("repeater",), repeater_least_eirp_dbm=0.0,
                    repeater_output_dbm=46.0)
    spots = proposed(gap, masts, terrain, siting=siting)
    assert set(spots["intervention"]) == {"repeater"}
    here = gpd.GeoDataFrame({"kind": ["other"], "name": [""],
                             "antenna_height_m": siting.repeater_height_m},
                            geometry=[spots.geometry.iloc[0]], crs=CRS,
                            index=pd.Index(["r"], name="point_id"))
    level = link(here, masts, terrain, RADIO)["received_dbm"].max()
    expected = level + reference_offset_db("LTE", 10.0) + 18.0 + 70.0 + siting.light_gain_dbi
    assert spots["eirp_dbm"].iloc[0] == pytest.approx(expected, abs=1e-9)
    assert spots["frequency_mhz"].iloc[0] == 945.0
    assert spots["operator"].iloc[0] == "O"
    capped = proposed(gap, masts, terrain, siting=siting.model_copy(
        update={"repeater_output_dbm": 5.0}))
    assert capped["eirp_dbm"].iloc[0] == 5.0 + siting.light_gain_dbi
    deaf = proposed(gap, masts.assign(eirp_dbm=10.0), terrain, siting=siting.model_copy(
        update={"repeater_least_eirp_dbm": 30.0}))
    assert not len(deaf)
    assert deaf.attrs["left_out"] == {"repeater_hears_too_little": 1}
    only_2g = proposed(gap, masts_at(at(1, 10)), terrain, siting=siting)
    assert not len(only_2g), "2G does not count by this definition, and is not repeated"


def high_mast(**columns: object) -> tuple:
    """A mast on a plateau of 500 m looks flat over a gap at its foot; the plain is at 100 m."""
    heights = np.full((SIZE, SIZE), 100.0)
    heights[:, :20] = 500.0
    masts = lte(at(0.9, 10), tilt_deg=0.0, beamwidth_deg=65.0, eirp_dbm=47.0, **columns)
    return land(heights), masts


def test_an_antenna_is_tilted_towards_the_gaps_and_the_gain_is_real() -> None:
    terrain, masts = high_mast()
    gap = gaps_at(at(2.6, 10))
    assert assess(gap, link(gap, masts, terrain, RADIO), NEED)["status"].iloc[0] != "covered"
    siting = Siting(methods=("standing",), rungs=("retilt",))
    spots = proposed(gap, masts, terrain, siting=siting, covered=gap.iloc[:0])
    assert spots.index.tolist() == ["m0-1-retilt-1"]
    assert spots["tilt_deg"].iloc[0] == pytest.approx(12.0)     # dip of 14 degrees, at most 12
    assert spots["on_air_from"].isna().all() if "on_air_from" in spots else True
    before, after = (link(gap, cells, terrain, RADIO)["received_dbm"].iloc[0]
                     for cells in (masts, spots))
    assert after > before + 6.0
    assert not len(proposed(gap, masts, terrain, siting=siting)), "nobody can say who would lose"
    flat = proposed(gap, masts.assign(tilt_deg=12.0), terrain, siting=siting, covered=gap.iloc[:0])
    assert not len(flat)
    assert flat.attrs["left_out"] == {"tilt_is_right": 1}


def test_no_antenna_is_tilted_away_from_whom_it_alone_serves() -> None:
    """A school far out is served by the flat antenna alone: tilted, it would lose it."""
    terrain, masts = high_mast()
    gap, siting = gaps_at(at(2.6, 10)), Siting(methods=("standing",), rungs=("retilt",))
    far = gaps_at(*(at(e, 10) for e in np.arange(4.0, 19.0, 1.0)))
    covered = far[(assess(far, link(far, masts, terrain, RADIO), NEED)["status"] == "covered")]
    assert len(covered), "the case needs somebody to lose"
    covered = covered.set_axis([f"far{i}" for i in range(len(covered))]).rename_axis("point_id")
    refused = proposed(gap, masts, terrain, siting=siting, covered=covered)
    assert not len(refused)
    assert refused.attrs["left_out"] == {"retilt_takes_service": 1}
    second = lte(at(0.9, 10), tilt_deg=0.0, beamwidth_deg=360.0, eirp_dbm=60.0, operator="P")
    both = pd.concat([masts, second.set_axis(pd.Index(["n0-1"], name="cell_id")).assign(
        site_id="n0")])
    assert "m0-1-retilt-1" in proposed(gap, both, terrain, siting=siting, covered=covered).index


def test_another_operators_mast_is_shared_with_a_rent() -> None:
    terrain = land(np.full((SIZE, SIZE), 100.0))
    masts = pd.concat([lte(at(3, 10), operator="P"),
                       lte(at(16, 10)).set_axis(pd.Index(["k-1"], name="cell_id")).assign(
                           site_id="k")])
    gaps = gaps_at(at(4, 4), at(15, 4))
    siting = Siting(methods=("standing",), rungs=("sector", "shared_mast"), operator="O")
    spots = proposed(gaps, masts, terrain, siting=siting)
    assert dict(zip(spots["intervention"], spots["operator"], strict=True)) == {
        "shared_mast": "O", "sector": "O"}
    bill = price(spots, None, Costs())["present_value_base"].groupby(level="item").count()
    assert bill["site_rent"] == 1
    assert bill["sector"] == 2
    assert set(proposed(gaps, masts, terrain, siting=siting.model_copy(
        update={"rungs": ("sector",)}))["intervention"]) == {"sector"}


def test_public_land_is_tried_and_named() -> None:
    parcels = gpd.GeoDataFrame(geometry=[
        box(WEST + 9000, NORTH - 11_000, WEST + 11_000, NORTH - 9000), at(3, 3)], crs=CRS)
    around = Surroundings(public_land=parcels)
    spots = propose(gaps_at(at(10, 13)), lte(at(1, 1)), land(), around,
                    Siting(methods=("public_land",), rungs=("macro",)), radio=RADIO)
    assert len(spots)
    assert set(spots["place"]) == {"public_land"}
    assert spots["site_id"].str.startswith("P0").all()
    assert parcels.union_all().buffer(1.0).contains(spots.geometry.union_all())


def test_every_rung_is_priced_and_the_whole_ladder_closes_more_than_its_top() -> None:
    terrain, masts = land(ridge(40.0)), lte(at(1, 10))
    gaps = gaps_at(*(at(e, s) for e in (8.0, 9.0, 10.0, 12.0) for s in (6.0, 10.0, 14.0)))
    spots = proposed(gaps, masts, terrain, siting=Siting(), covered=gaps.iloc[:0])
    assert {"macro", "micro", "light", "roof"} <= set(spots["intervention"])
    costs = price(spots, None, Costs())
    assert set(costs.index.get_level_values("site_id")) == set(spots["site_id"])
    reach = link(gaps, spots, terrain, RADIO)
    money = 3e5
    whole = rank(gaps, spots, reach, costs, Goal(budget=money, max_sites=None))
    macro = rank(gaps, spots, reach, costs, Goal(budget=money, max_sites=None,
                                                 interventions=("macro",)))
    assert whole["students_gained"].sum() >= macro["students_gained"].sum()
    assert whole["cost_total"].sum() <= money
