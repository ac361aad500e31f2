"""Costs: discounting by hand, currency stated, every figure with its source, broken input."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from phusong.cost import REGISTERS, Costs, dated, price, totals
from phusong.cost.access import access_multiplier
from phusong.cost.bill import BILLS
from phusong.errors import InputError
from phusong.tables import COSTS, faults
from pydantic import ValidationError

USD = Costs(currency="USD")


def candidate(**given: object) -> pd.DataFrame:
    """One candidate site of one cell; distances in metres."""
    row = {"site_id": "A", "intervention": "macro", "road_distance_m": 0.0,
           "power_distance_m": 0.0, "backhaul_distance_m": 5000.0, "slope_deg": 0.0,
           "ground_m": 100.0} | given
    return pd.DataFrame([row], index=pd.Index(["A1"], name="cell_id"))


def test_present_value_by_hand() -> None:
    """Annuity of 5 %, 10 years: 7.7217349; a hop lasts 7 years: 1.05^-7 = 0.7106813 to buy it
    again, 4/7 of it left after 10 years, worth 4/7 x 0.6139133 = 0.3508076."""
    rows = price(candidate(), None, USD).loc["A"]
    assert rows.loc["macro_site", "present_value_base"] == 70_000.0
    assert rows.loc["site_operation", "opex_base_per_year"] == pytest.approx(7_000.0)
    assert rows.loc["site_operation", "present_value_base"] == pytest.approx(54_052.144, abs=1e-3)
    assert rows.loc["feeder_operation", "opex_base_per_year"] == pytest.approx(3_000.0)
    hop = rows.loc["microwave_hop_short"]
    assert hop["renewal_base"] == pytest.approx(30_000 * 0.7106813, abs=0.01)
    assert hop["residual_base"] == pytest.approx(30_000 * 0.3508076, abs=0.01)
    assert hop["present_value_base"] == pytest.approx(40_796.21, abs=0.01)
    kwh = 0.840 * 8760
    assert rows.loc["grid_energy", "opex_base_per_year"] == pytest.approx(kwh * 0.14)
    expected = 70_000 + 40_796.21 + 9_000 + 7.7217349 * (10_000 + 1_000 + kwh * 0.14)
    assert totals(rows.assign(site_id="A").reset_index().set_index(["site_id", "item"])
                  )["present_value_base"].loc["A"] == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize(("life", "renewal", "residual"), [
    (None, 0.0, 0.0), (10, 0.0, 0.0), (11, 0.0, 1 / 11), (5, 1 / 2, 0.0), (4, 1 / 2 + 1 / 4, 1 / 2),
    (3, 1 / 2 + 1 / 4 + 1 / 8, 2 / 3), (2, 1 / 2 + 1 / 4 + 1 / 8 + 1 / 16, 0.0)])
def test_renewal_and_residual_by_hand(life: float | None, renewal: float, residual: float) -> None:
    """Ten years in which money loses half its worth in each life: what lasts ten years is never
    bought again at the end of the tenth, and what lasts eleven has one of eleven years left."""
    rate = 2.0 ** (1.0 / life) - 1.0 if life and life < 10 else 0.05
    costs = Costs(currency="USD", discount_rate=rate, items={
        "macro_site": {"base": 100.0, "life_years": life, "life_source": "test"}})
    row = price(candidate(), None, costs).loc[("A", "macro_site")]
    assert row["renewal_base"] == pytest.approx(100 * renewal)
    assert row["residual_base"] == pytest.approx(100 * residual * (1 + rate) ** -10)
    assert row["present_value_base"] == pytest.approx(
        row["capex_base"] + row["renewal_base"] - row["residual_base"])
    without = costs.model_copy(update={"residual_value": False})
    assert price(candidate(), None, without).loc[("A", "macro_site"), "residual_base"] == 0.0


def test_what_is_built_later_is_paid_later() -> None:
    """Two years at 5 %: every present value / 1.1025; capex itself is not spread over the years."""
    two = pd.concat([candidate(), candidate(site_id="B").set_axis(["B1"])]).rename_axis("cell_id")
    now = price(two, None, USD)
    later = price(two, None, USD, on_air_after_years=pd.Series({"B": 2.0}))
    pd.testing.assert_frame_equal(now.loc[["A"]], later.loc[["A"]])
    assert (later.loc["B", "present_value_base"] * 1.1025).to_numpy() == \
        pytest.approx(now.loc["B", "present_value_base"].to_numpy())
    assert (later.loc["B", "capex_base"] == now.loc["B", "capex_base"]).all()
    with pytest.raises(InputError, match="0 or more"):
        price(two, None, USD, on_air_after_years=pd.Series({"B": -1.0}))


def test_bills_at_the_dates_of_a_plan_by_hand() -> None:
    """A on the study's day, B two years (730 days) later, C before its day, D never."""
    cells = [candidate(site_id=name).set_axis([f"{name}1"]) for name in "ABCD"]
    now = price(pd.concat(cells).rename_axis("cell_id"), None, USD)
    day = dt.date(2021, 12, 15)
    on_air = pd.Series(pd.to_datetime(["2021-12-15", "2023-12-15", "2020-01-01", None]),
                       index=pd.Index(list("ABCD"), name="site_id"))
    then = dated(now, USD, on_air, day)
    assert set(then.index.get_level_values("site_id")) == set("ABC")
    pd.testing.assert_frame_equal(then.loc[["A", "C"]], now.loc[["A", "C"]])
    factor = 1.05 ** (-730 / 365.25)
    assert then.loc["B", "present_value_high"].to_numpy() == pytest.approx(
        factor * now.loc["B", "present_value_high"].to_numpy())
    assert not len(dated(now, USD, on_air.iloc[3:], day))


@pytest.mark.parametrize("rate", [0.0, 0.02, 0.10])
def test_capex_is_not_spread_before_discounting(rate: float) -> None:
    """Money paid on day 0 is worth itself at every rate; money paid later is worth less."""
    rows = price(candidate(), None, USD.model_copy(update={"discount_rate": rate}))
    capex, value = rows["capex_base"], rows["present_value_base"]
    value = value - rows["renewal_base"] + rows["residual_base"]
    once = rows["opex_base_per_year"] == 0
    assert value[once].to_numpy() == pytest.approx(capex[once].to_numpy(), rel=1e-12)
    later = (value - capex)[~once] / rows["opex_base_per_year"][~once]
    assert later.to_numpy() == pytest.approx(sum((1 + rate) ** -t for t in range(1, 11)))


def test_table_is_as_declared_for_every_intervention() -> None:
    spots = pd.concat([candidate(site_id=name, intervention=name) for name in BILLS])
    spots.index = pd.Index([f"{n}1" for n in BILLS], name="cell_id")
    rows = price(spots, None, Costs(currency="VND", register="vietnam"))
    assert faults(rows, COSTS) == []
    assert (rows["source"].str.len() > 0).all()
    for kind in ("capex_{}", "opex_{}_per_year", "present_value_{}"):
        low, base, high = (rows[kind.format(c)] for c in ("low", "base", "high"))
        assert (low <= base).all()
        assert (base <= high).all()
    assert (totals(rows)["present_value_base"] > 0).all(), "nothing is free, satellite least"


def test_conversion_is_stated_and_right() -> None:
    here = price(candidate(), None, Costs(currency="VND"))
    there = price(candidate(), None, USD)
    assert (here["present_value_base"] / there["present_value_base"]).to_numpy() == \
        pytest.approx(22_814.0)
    assert "22,814 VND" in here.loc[("A", "macro_site"), "source"]
    assert "VietnamPlus" in here.loc[("A", "macro_site"), "source"]
    own = Costs(currency="VND", per_usd=25_000, rate_source="Bank", rate_date="2026-01-02")
    said = price(candidate(), None, own).loc[("A", "macro_site"), "source"]
    assert "25,000 VND (Bank, 2026-01-02)" in said


def test_vietnamese_figures_are_not_foreign_and_stay_as_published() -> None:
    rows = price(candidate(intervention="satellite"), None,
                 Costs(currency="VND", register="vietnam")).loc["A"]
    assert rows.loc["satellite_terminal", "capex_base"] == 10_848_800
    assert rows.loc["satellite_service", "opex_base_per_year"] == 12 * 1_131_990
    assert not rows.loc["satellite_terminal", "foreign"]
    assert "vietnamnet.vn" in rows.loc["satellite_terminal", "source"]
    assert price(candidate(), None, USD)["foreign"].all()


def test_the_cheaper_power_wins_and_an_unknown_grid_means_solar() -> None:
    near = price(candidate(power_distance_m=10.0), None, USD).loc["A"]
    far = price(candidate(power_distance_m=9000.0), None, USD).loc["A"]
    unknown = price(candidate(power_distance_m=np.nan), None, USD).loc["A"]
    assert "transformer" in near.index
    assert "battery" not in near.index
    assert "battery" in far.index
    assert "transformer" not in far.index
    assert "not known" in unknown.loc["battery", "note"]
    assert far["present_value_base"].sum() == unknown["present_value_base"].sum()


@pytest.mark.parametrize(("metres", "hops", "relays"), [
    (100.0, 1, 0), (15_000.0, 1, 0), (15_001.0, 2, 1), (44_000.0, 3, 2)])
def test_hops(metres: float, hops: int, relays: int) -> None:
    rows = price(candidate(backhaul_distance_m=metres), None, USD).loc["A"]
    assert rows.loc["microwave_hop_short", "quantity"] == hops
    assert (rows.loc["relay_mast", "quantity"] if "relay_mast" in rows.index else 0) == relays


def test_cost_never_falls_with_distance_or_slope() -> None:
    for column, values in (("road_distance_m", [0, 900, 7000, 30_000]),
                           ("power_distance_m", [0, 500, 5000]), ("slope_deg", [0, 12, 25, 41]),
                           ("backhaul_distance_m", [1e3, 2e4, 5e4])):
        money = [totals(price(candidate(**{column: v}), None, USD))["present_value_base"].iloc[0]
                 for v in values]
        assert money == sorted(money), column


def test_access_multiplier_values() -> None:
    """Hardest ground in all three: 1 + (e^3.4 - 1) / 100; unknown ground: 1."""
    hard = pd.DataFrame({"road_distance_m": [6e4], "ground_m": [3500.0], "slope_deg": [45.0]})
    assert access_multiplier(hard)[0] == pytest.approx(1 + (np.exp(3.4) - 1) / 100)
    assert access_multiplier(hard * np.nan)[0] == 1.0
    assert access_multiplier(pd.DataFrame(index=[0, 1])).tolist() == [1.0, 1.0]


def test_cells_of_one_site_are_priced_once_and_rows_may_come_in_any_order() -> None:
    one = candidate()
    two = pd.concat([one, one.set_axis(["A2"])]).rename_axis("cell_id")
    both = pd.concat([two, candidate(site_id="B", slope_deg=22.0).set_axis(["B1"])]
                     ).rename_axis("cell_id")
    rows = price(both, None, USD)
    pd.testing.assert_frame_equal(rows, price(both.iloc[::-1], None, USD))
    pd.testing.assert_frame_equal(rows.loc[["A"]], price(one, None, USD))
    sector = price(two.assign(intervention="sector"), None, USD).loc["A"]
    assert sector.loc["sector", "quantity"] == 2


def test_study_overrules_the_register() -> None:
    costs = Costs(currency="VND", items={"macro_site": {"base": 2e9, "currency": "VND",
                                                       "source": "Viettel 2026"}},
                  multipliers={"macro_site": 1.5})
    assert price(candidate(intervention="satellite"), None, USD).loc[
        ("A", "satellite_terminal"), "source"].endswith("after 5 years)")
    row = price(candidate(), None, costs).loc[("A", "macro_site")]
    assert row["capex_low"] == row["capex_base"] == 3e9
    assert not row["foreign"]
    assert "Viettel 2026" in row["source"]
    assert "x 1.5" in row["source"]


@pytest.mark.parametrize(("given", "said"), [
    ({"items": {"macro_sit": {"base": 1}}}, 'Did you mean "macro_site"'),
    ({"multipliers": {"batery": 2}}, 'Did you mean "battery"'),
    ({"currency": "EUR"}, "no exchange rate for EUR"),
    ({"register": "vietnm"}, 'Did you mean "vietnam"'),
    ({"discount": 0.1}, 'Did you mean "discount_rate"'),
    ({"items": {"macro_site": {"low": 3, "base": 2, "high": 4}}}, "not in this order")])
def test_broken_costs_are_refused_with_a_cure(given: dict, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Costs(**given)


def test_unknown_intervention_is_refused() -> None:
    with pytest.raises(InputError, match='Did you mean "macro"'):
        price(candidate(intervention="marco"), None, USD)


def test_no_candidates_no_costs() -> None:
    assert price(candidate().iloc[:0], None, USD).empty


@pytest.mark.parametrize("register", list(REGISTERS))
def test_every_row_of_the_register_is_complete(register: str) -> None:
    for key, item in REGISTERS[register].items():
        assert item.source, key
        assert item.unit, key
        assert item.label.en, key
        assert item.label.vi, key
        assert item.label.vi != item.label.en, key
