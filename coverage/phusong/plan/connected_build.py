"""Plans with feeders, built site after site and bettered by taking out and building again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from phusong.plan.aim import Aim
from phusong.plan.connected import Connected, Grown, grow, replay
from phusong.plan.problem import Problem
from phusong.plan.solution import Clock

__all__ = ["build", "improve_connected", "money", "within", "worth"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_ROUNDS = 1000
_PER_SITE = 10
_REMOVED = 5
_SHAKE = 0.3
_HEAT = 0.005


def money(case: Connected, plan: Grown) -> float:
    """Return what a plan costs, every hop once."""
    return case.cost(plan.forest, plan.order)


def worth(case: Connected, aim: Aim, plan: Grown) -> float:
    """Return what is to be high: covered weight, or cost with a minus before it."""
    return -money(case, plan) if aim.cheapest else plan.value


def within(case: Connected, aim: Aim, plan: Grown) -> bool:
    """Tell whether a plan keeps all that is asked."""
    return (money(case, plan) <= aim.budget
            and (aim.max_sites is None or len(plan.order) <= aim.max_sites)
            and bool(np.isin(aim.kept, plan.order).all())
            and not len(aim.short(case.problem.covered(plan.order) > 0)))


def _weighted(case: Connected, weights: Floats) -> Connected:
    old = case.problem
    return replace(case, problem=Problem(old.indptr, old.indices, weights, old.costs, old.groups))


def _meet(case: Connected, aim: Aim, plan: Grown, rates: Floats | None) -> Grown | None:
    """Build what the floors lack, the most of it per new money, until they hold; None = cannot."""
    floors = aim.floors
    if floors is None:
        return plan
    many = np.diff(floors.amounts.indptr) > 1
    while True:
        covered = case.problem.covered(plan.order) > 0
        short = aim.short(covered)
        if not len(short):
            return plan
        lack = floors.least[short] - floors.amounts[short] @ covered.astype(np.float64)
        weights = floors.amounts[short].T @ (1.0 / lack)
        left = int(many[short].sum())

        def fewer(reached: NDArray[np.bool_], before: int = left) -> bool:
            now = aim.short(reached)
            return not len(now) or int(many[now].sum()) < before

        more = grow(_weighted(case, weights), budget=aim.budget, max_sites=aim.max_sites,
                    rates=rates, start=plan, until=fewer)
        if len(more.order) == len(plan.order):
            return None
        plan = more


def _pruned(case: Connected, aim: Aim, plan: Grown) -> Grown:
    """Leave out, the dearest first, sites that no floor needs; and the hops nobody needs then."""
    times = case.problem.covered(plan.order)
    keep = np.ones(len(plan.order), bool)
    price = case.problem.costs[plan.order] + plan.hops[:, 1]
    problem = case.problem
    for k in np.argsort(-price, kind="stable"):
        j = plan.order[k]
        mine = problem.indices[problem.indptr[j]:problem.indptr[j + 1]]
        if j in aim.kept:
            continue
        times[mine] -= 1
        if (times[mine] == 0).any() and len(aim.short(times > 0)):
            times[mine] += 1
        else:
            keep[k] = False
    return replay(case, plan.order[keep], plan.forest.towards)


def build(case: Connected, aim: Aim, *, first: Ints | None = None, rates: Floats | None = None
          ) -> Grown | None:
    """Build a plan that keeps all that is asked, or None if this way finds none.

    Kept sites, then `first` as far as it fits, then what floors need, then the most weight per
    new money; the whole is then joined as one plan, and what that saves buys more sites.

    Parameters
    ----------
    case : Connected
        Sites, points and network; every site has a way.
    aim : Aim
        What is asked for.
    first : (sites,) int64, optional
        Sites to begin with.
    rates : (sites,) float64, optional
        Factors on the weight per cost by which sites are compared.
    """
    led = case
    if aim.floors is not None:
        asked = np.asarray(aim.floors.amounts.sum(axis=0)).ravel()
        led = _weighted(case, asked if aim.cheapest else case.problem.weights + asked)
    first = np.empty(0, np.int64) if first is None else first[~np.isin(first, aim.kept)]
    limit = len(first) + len(aim.kept)
    plan = grow(led, budget=aim.budget, must=aim.kept, first=first, rates=rates,
                max_sites=limit if aim.max_sites is None else min(limit, aim.max_sites))
    met = _meet(case, aim, plan, rates)
    if met is None:
        return None
    if aim.cheapest:
        met = _pruned(case, aim, met)
    else:
        met = grow(case, budget=aim.budget, max_sites=aim.max_sites, rates=rates, start=met)
        met = grow(case, budget=aim.budget, max_sites=aim.max_sites,
                   start=replay(case, met.order, met.forest.towards))
    return met if within(case, aim, met) else None


def _removed(case: Connected, aim: Aim, plan: Grown, chance: np.random.Generator) -> Ints:
    """Return the sites of a plan without a few: any one to five, or those that share its hops."""
    count = len(plan.order)
    gone = chance.permutation(count)[:chance.integers(1, min(count, _REMOVED) + 1)]
    if chance.random() < 0.3:
        node = int(case.node[plan.order[gone[0]]])
        hops = {step.start for step in plan.forest.way(node)} if node >= 0 else set()
        gone = np.array([k for k, j in enumerate(plan.order) if k == gone[0] or (
            case.node[j] >= 0 and hops & {s.start for s in plan.forest.way(int(case.node[j]))})])
    rest = np.delete(plan.order, gone)
    return chance.permutation(rest) if chance.random() < 0.2 else rest


def improve_connected(case: Connected, aim: Aim, *, starts: tuple[Ints, ...] = (),
                      rounds: int | None = None, seed: int = 0, clock: Clock | None = None,
                      found: Callable[[Grown], None] | None = None) -> Grown | None:
    """Return the best plan that a search by taking out and building again finds; None = none.

    It sets out from the best of the greedy plan and the plans of `starts`. Each round takes
    sites out, with the hops that only they need, and builds the plan again with shaken rates;
    one that is a little worse is sometimes kept to go on from.

    Parameters
    ----------
    case : Connected
        Sites, points and network; every site has a way.
    aim : Aim
        What is asked for.
    starts : tuple of (sites,) int64
        Sites of plans to begin with.
    rounds : int, optional
        How often. None = ten for each site, at most 1,000: the few plans of a handful of sites
        are soon all seen.
    seed : int
        Equal seeds give equal plans, unless the clock ends the search.
    clock : Clock, optional
        Ends the search.
    found : callable, optional
        Is given every plan that is better than all before it.
    """
    tell = found or (lambda plan: None)
    rounds = min(_ROUNDS, _PER_SITE * case.problem.sites) if rounds is None else rounds
    chance = np.random.default_rng(seed)
    made = [build(case, aim, first=first) for first in (None, *starts)]
    whole = [plan for plan in made if plan is not None]
    if not whole:
        return None
    here = max(whole, key=lambda plan: (worth(case, aim, plan), -money(case, plan)))
    best, top = here, (worth(case, aim, here), -money(case, here))
    at = top
    tell(best)
    for number in range(rounds if len(here.order) > len(aim.kept) else 0):
        if clock is not None and clock.left <= 0.0:
            break
        rates = np.exp(chance.normal(0.0, _SHAKE, case.problem.sites))
        tried = build(case, aim, first=_removed(case, aim, here, chance), rates=rates)
        if tried is None:
            continue
        score = (worth(case, aim, tried), -money(case, tried))
        heat = _HEAT * abs(top[0]) * (1.0 - number / rounds)
        if score >= at or (heat > 0.0 and chance.random() < np.exp((score[0] - at[0]) / heat)
                           and score[0] < at[0]):
            here, at = tried, score
        if score > top:
            best, top = tried, score
            tell(best)
    return best
