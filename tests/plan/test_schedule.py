"""Dates for a plan: hand-worked lines, rain, money, crews, Monte Carlo, broken input."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phusong.errors import InputError
from phusong.plan import Goal, Works, deadlines, rank, risks, schedule
from phusong.plan.crews import assign, work_done
from phusong.plan.works import Duration
from phusong.progress import Target
from phusong.tables import DEADLINES, RISKS, SCHEDULE, faults
from pydantic import ValidationError

from tests.plan.test_rank import gaps_of, reach_of, spots_of

DAY = dt.date(2022, 1, 1)
GOAL = Goal(poor_weight=0.0, near_poor_weight=0.0, max_sites=None)
FIXED = {name: {"low": days, "base": days, "high": days} for name, days in {
    "permit.macro": 10, "power.line": 5, "power.km": 2, "road.km": 3, "build.macro": 20,
    "commission.site": 4}.items()}


def bill_of(sites: dict[str, dict[str, float]]) -> pd.DataFrame:
    """`sites`: site -> {item: quantity}; every item costs 100 a unit, the mast too."""
    rows = [(s, item, q) for s, items in sites.items() for item, q in {"macro_site": 1.0,
                                                                       **items}.items()]
    index = pd.MultiIndex.from_tuples([r[:2] for r in rows], names=["site_id", "item"])
    money = 100.0 * np.array([r[2] for r in rows])
    return pd.DataFrame({"quantity": [r[2] for r in rows], "capex_base": money,
                         **{f"present_value_{c}": money for c in ("low", "base", "high")},
                         "currency": "USD"}, index=index)


class Case:
    """Three sites A, B, C for points a, b, c; more learners at a than at b than at c."""

    def __init__(self, works: Works, bills: dict[str, dict[str, float]] | None = None,
                 **columns: object) -> None:
        points = gaps_of({"a": 300.0, "b": 200.0, "c": 100.0}, **columns)
        self.spots = spots_of({"A": (0, 0), "B": (5000, 0), "C": (9000, 0)}, operator="shared")
        self.reach = reach_of({"A": "a", "B": "b", "C": "c"})
        self.costs = bill_of(bills or {"A": {}, "B": {}, "C": {}})
        self.points, self.works = points, works
        self.plan = rank(points, self.spots, self.reach, self.costs, GOAL)
        self.given = (self.plan, points, self.spots, self.reach, self.costs, GOAL, works)

    def schedule(self, **options: object) -> pd.DataFrame:
        out = schedule(*self.given, day=DAY, **options)  # type: ignore[arg-type]
        assert faults(out, SCHEDULE) == []
        return out

    def service(self, covered: str = "") -> pd.DataFrame:
        return pd.DataFrame({"status": ["covered" if p in covered else "uncovered"
                                        for p in self.points.index]}, index=self.points.index)


def test_a_line_worked_by_hand() -> None:
    """One crew: permit 10, then 20 days each in turn; A first waits 5 + 7 x 5 days for power."""
    fixed = {**FIXED, "power.km": {"low": 7, "base": 7, "high": 7}}
    case = Case(Works(crews=1, durations=fixed), {"A": {"mv_line": 5.0}, "B": {},
                                                  "C": {"access_track": 1.0}})
    assert case.plan["site_id"].tolist() == ["B", "A", "C"]
    dates = case.schedule()
    days = (dates[["permitted", "crew_from", "crew_until", "on_air"]] - pd.Timestamp(DAY))
    assert days.loc["B"].dt.days.tolist() == [10, 10, 30, 34]
    # at day 30 A (10 + 40) cannot begin yet; C (10 + 3), behind it in the line, can
    assert days.loc["C"].dt.days.tolist() == [10, 30, 50, 54]
    assert days.loc["A"].dt.days.tolist() == [10, 50, 70, 74]
    assert dates["on_air_p10"].equals(dates["on_air_p90"])


def test_two_crews_work_side_by_side_and_operators_wait_for_their_own() -> None:
    case = Case(Works(crews=2, durations=FIXED))
    assert (case.schedule()["on_air"] - pd.Timestamp(DAY)).dt.days.tolist() == [34, 34, 54]
    case.spots["operator"] = ["x", "x", "y"]
    dates = case.schedule()
    assert (dates["on_air"] - pd.Timestamp(DAY)).dt.days.tolist() == [34, 34, 34]
    one = Case(Works(crews=2, crews_of={"x": 1}, durations=FIXED))
    one.spots["operator"] = ["x", "x", "y"]
    assert (one.schedule()["on_air"] - pd.Timestamp(DAY)).dt.days.tolist() == [34, 54, 34]


def test_money_goes_down_the_line_and_never_comes_back_up() -> None:
    """A, B, C cost 100 each: 150 in the first quarter pays A, 100 more in the third B, none C."""
    case = Case(Works(crews=3, durations=FIXED, budget={"2022Q1": 150.0, "2022Q3": 60.0}))
    dates = case.schedule()
    assert dates["funded"].dt.strftime("%Y-%m-%d").tolist()[:2] == ["2022-01-01", "2022-07-01"]
    assert dates.loc["C", ["funded", "crew_from", "on_air", "on_air_p50"]].isna().all()
    assert dates.loc["B", "crew_from"] == pd.Timestamp(2022, 7, 1)
    target = Target(name="t", deadline=dt.date(2022, 12, 31), kinds=("school",))
    found = deadlines(*case.given, targets=[target], services={"data": case.service()}, day=DAY)
    assert faults(found, DEADLINES) == []
    assert found.loc["t", ["probability", "reason"]].tolist() == [0.0, "no_money"]


def test_lockdown_goes_first_then_the_earliest_deadline_then_the_rank() -> None:
    locked = {"lockdown_from": pd.to_datetime([None, None, "2021-12-01"]),
              "targets": ["late", "soon", ""]}
    targets = [Target(name="late", deadline=dt.date(2022, 12, 1)),
               Target(name="soon", deadline=dt.date(2022, 6, 1)),
               Target(name="gone", deadline=dt.date(2021, 9, 30), kinds=("school",))]
    case = Case(Works(crews=1, durations=FIXED), **locked)
    dates = case.schedule(targets=targets)
    assert dates.index.tolist() == ["C", "B", "A"]
    assert dates["first_because"].tolist() == ["lockdown", "deadline", "deadline"]
    assert Case(Works(lockdown_first=False, durations=FIXED), **locked).schedule(
        targets=targets).index.tolist() == ["B", "A", "C"]
    ended = Case(Works(durations=FIXED), lockdown_from=locked["lockdown_from"],
                 lockdown_to=pd.to_datetime([None, None, "2021-12-20"]))
    assert ended.schedule().index.tolist() == ["A", "B", "C"]


def test_rain_slows_outdoor_work_only() -> None:
    """Half pace from March: 20 days of work begun on 19 February need 10 dry and 20 wet days."""
    works = Works(crews=1, durations={**FIXED, "permit.macro": {"low": 49, "base": 49, "high": 49}},
                  rainy_months=(3, 4, 5), rainy_pace=0.5)
    dates = Case(works).schedule()
    first = dates.loc["A"]
    assert first["permitted"] == first["crew_from"] == pd.Timestamp(2022, 2, 19)
    assert first["crew_until"] == pd.Timestamp(2022, 3, 21)
    assert first["on_air"] == pd.Timestamp(2022, 3, 25)


def test_a_site_is_on_air_when_those_that_its_feeder_runs_over_are() -> None:
    """A hangs on C, which is last in the plan: C goes first, and A waits for it."""
    works = Works(crews=1, durations=FIXED)
    index = pd.MultiIndex.from_tuples([("A", 1), ("A", 2), ("C", 1)], names=["site_id", "hop"])
    feeders = pd.DataFrame({"paid_by": ["A", "C", "C"]}, index=index)
    dates = Case(works).schedule(feeders=feeders)
    assert dates.index.tolist() == ["C", "A", "B"]
    assert (dates["on_air"] - pd.Timestamp(DAY)).dt.days.tolist() == [34, 54, 74]
    slow = {**FIXED, "power.line": {"low": 90, "base": 90, "high": 90}}
    late = Case(Works(crews=1, durations=slow), {"A": {}, "B": {}, "C": {"mv_line": 0.5}})
    waits = late.schedule(feeders=feeders)
    assert waits.loc["A", "crew_until"] < waits.loc["A", "on_air"] == waits.loc["C", "on_air"]


def test_one_uncertain_step_meets_the_deadline_as_often_as_its_distribution_says() -> None:
    """One site, one uncertain step: the probability is the beta-PERT distribution function."""
    uncertain = Duration(low=30, base=60, high=180)
    fixed = {**FIXED, "permit.macro": uncertain.model_dump()}
    works = Works(crews=3, durations=fixed, draws=20_000)
    case = Case(works)
    target = Target(name="t", deadline=DAY + dt.timedelta(days=24 + 90), goal=1, kinds=("school",))
    one = deadlines(*case.given, targets=[target], services={"data": case.service("bc")}, day=DAY)
    assert one.loc["t", "reason"] == "reached"
    target = target.model_copy(update={"goal": 3})
    found = deadlines(*case.given, targets=[target], services={"data": case.service("bc")}, day=DAY)
    grid = np.linspace(0.0, 1.0, 200_001)
    expected = np.interp(90.0, uncertain.quantile(grid), grid)
    assert found.loc["t", "probability"] == pytest.approx(expected, abs=0.01)
    mean = uncertain.quantile((np.arange(20_000) + 0.5) / 20_000).mean()
    assert mean == pytest.approx((30 + 4 * 60 + 180) / 6, rel=1e-4)


def test_what_all_share_does_not_cancel_out() -> None:
    """Ten permits must all come: sure to be late apart, together only as often as one is."""
    names = "abcdefghij"
    fixed = {**FIXED, "permit.macro": {"low": 30, "base": 60, "high": 180}}
    points = gaps_of(dict.fromkeys(names, 100.0))
    sites = {n.upper(): (5000.0 * i, 0.0) for i, n in enumerate(names)}
    spots = spots_of(sites, operator="shared")
    reach = reach_of({n.upper(): n for n in names})
    costs = bill_of({n.upper(): {} for n in names})
    plan = rank(points, spots, reach, costs, GOAL)
    target = Target(name="t", deadline=DAY + dt.timedelta(days=24 + 75), kinds=("school",))
    service = pd.DataFrame({"status": "uncovered"}, index=points.index)
    one = np.interp(75.0, Duration(low=30, base=60, high=180).quantile(np.linspace(0, 1, 100_001)),
                    np.linspace(0, 1, 100_001))
    for shared, expected in ((0.0, one ** 10), (1.0, one)):
        works = Works(crews=20, durations=fixed, draws=20_000, shared=shared)
        found = deadlines(plan, points, spots, reach, costs, GOAL, works, targets=[target],
                          services={"data": service}, day=DAY)
        assert found.loc["t", "probability"] == pytest.approx(expected, abs=0.01)


def test_the_job_that_carries_the_risk_is_named_first() -> None:
    """C alone needs a power line of uncertain length in time; certain jobs carry nothing."""
    fixed = {**FIXED, "power.km": {"low": 1, "base": 4, "high": 40}}
    case = Case(Works(crews=3, durations=fixed), {"A": {}, "B": {}, "C": {"mv_line": 5.0}})
    target = Target(name="t", deadline=dt.date(2022, 3, 15), kinds=("school",))
    found = risks(*case.given, targets=[target], services={"data": case.service()}, day=DAY)
    assert faults(found, RISKS) == []
    assert found["site_id"].tolist() == ["C"]
    assert found["days_won"].iloc[0] > 0
    assert found["probability_won"].iloc[0] > 0
    for covered, why in (("abc", "reached"), ("", "plan_closes_too_few")):
        wanted = target.model_copy(update={"goal": 3 if covered else 4})
        verdict = deadlines(*case.given, targets=[wanted], day=DAY,
                            services={"data": case.service(covered)})
        assert verdict.loc["t", "reason"] == why
        assert not len(risks(*case.given, targets=[wanted], day=DAY,
                             services={"data": case.service(covered)}))


def test_same_seed_same_dates_whatever_the_order_of_rows() -> None:
    case = Case(Works())
    again = Case(Works())
    again.given = (again.plan, again.points.iloc[::-1], again.spots.iloc[::-1],
                   again.reach.iloc[::-1], again.costs.iloc[::-1], GOAL, again.works)
    pd.testing.assert_frame_equal(case.schedule(), again.schedule())
    other = Case(Works(seed=7)).schedule()
    assert not case.schedule()["on_air_p90"].equals(other["on_air_p90"])


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 12), st.integers(1, 3), st.integers(0, 2**31), st.booleans())
def test_crews_never_overlap_and_never_idle_while_work_waits(jobs: int, crews: int, seed: int,
                                                             rain: bool) -> None:
    random = np.random.default_rng(seed)
    ready = random.integers(0, 60, (1, jobs)).astype(float)
    outdoor = random.integers(0, 30, (1, jobs)).astype(float)
    work = random.integers(1, 40, (1, jobs)).astype(float)
    done = work_done(DAY, (2, 3) if rain else (), 0.25)
    team = np.zeros(jobs, np.int64)
    begin, finish, crew = assign(ready, outdoor, work, team, np.array([crews]), done)
    can = np.array([_slow_after(r, o, done) for r, o in zip(ready[0], outdoor[0], strict=True)])
    assert (begin[0] >= can - 1e-9).all()
    assert crew.max() < crews
    for j in range(jobs):
        assert finish[0, j] == pytest.approx(_slow_after(begin[0, j], work[0, j], done))
        mine = [i for i in range(jobs) if crew[0, i] == crew[0, j] and i != j]
        assert all(finish[0, i] <= begin[0, j] + 1e-9 or begin[0, i] >= finish[0, j] - 1e-9
                   for i in mine)
        # a job before it in the line that begins later could not have begun then
        assert all(can[i] > begin[0, j] - 1e-9 or begin[0, i] <= begin[0, j] + 1e-9
                   for i in range(j))


def _slow_after(begin: float, work: float, done: np.ndarray) -> float:
    days = np.arange(len(done), dtype=float)
    goal = np.interp(begin, days, done) + work
    return max(begin, float(np.interp(goal, done, days)))


def test_broken_input_says_what_is_wrong() -> None:
    case = Case(Works())
    with pytest.raises(InputError, match="not among the candidates"):
        schedule(case.plan, case.points, case.spots.iloc[:1], case.reach.iloc[:0], case.costs,
                 GOAL, case.works, day=DAY)
    with pytest.raises(InputError, match="priced sites"):
        schedule(case.plan, case.points, case.spots, case.reach, case.costs.iloc[:1], GOAL,
                 case.works, day=DAY)
    for wrong, said in (({"durations": {"permit.makro": {"base": 1}}}, 'mean "permit.macro"'),
                        ({"durations": {"permit.macro": {"low": 90}}}, "ascending order"),
                        ({"budget": {"2022-1": 5.0}}, "write it like 2022Q1"),
                        ({"budget": {"2022Q1": -5.0}}, "no amount of money"),
                        ({"rainy_months": (13,)}, "from 1 to 12"),
                        ({"crews_of": {"x": 0}}, "at least one crew")):
        with pytest.raises(ValidationError, match=said):
            Works(**wrong)


def test_an_empty_plan_has_no_dates_and_closes_nothing() -> None:
    case = Case(Works())
    nothing = (case.plan.iloc[:0], *case.given[1:])
    assert not len(schedule(*nothing, day=DAY))
    target = Target(name="t", deadline=dt.date(2022, 3, 15), kinds=("school",))
    found = deadlines(*nothing, targets=[target], services={"data": case.service("a")}, day=DAY)
    assert found.loc["t", ["covered", "needed", "closable", "reason"]].tolist() == [
        1, 2, 0, "plan_closes_too_few"]
