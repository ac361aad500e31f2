"""Bounds: the linear relaxation by a first-order method, and what it proves.

For every u with 0 <= u <= weights, no plan is worth more than

    sum(weights - u) + max over plans of sum over their sites (u(j) - price_j),

where u(j) sums u over the points of site j and the maximum keeps the budget,
the number of sites and the groups in the sense of their own relaxation
(Lagrangian duality, Geoffrion 1974). A good u is found by primal-dual hybrid
gradient with diagonal steps (Chambolle, Pock 2011; Pock, Chambolle 2011) that
restarts from its average (Applegate et al. 2021); whether it has converged
does not matter for the proof. The bound is rounded outwards by the largest
error that floating-point sums of this length can have (Higham 2002, section 4.2).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from phusong.plan.problem import Problem

__all__ = ["Relaxation", "outward", "relax", "relax_arrays"]

_EVERY = 40
_UNIT = 2.0 ** -52


@dataclass(frozen=True, slots=True, eq=False)
class Relaxation:
    """What the relaxation proves, and where it stands.

    Parameters
    ----------
    bound : float
        No plan is worth more.
    value : float
        Worth of the best fractional plan found, groups left aside; without
        groups the linear bound lies between the two.
    worth : (points,) float64
        Multiplier u of each point.
    profit : (sites,) float64
        u(j) less everything site j costs at the multipliers. A plan with a site
        of profit -d is worth at most bound - d; one without a site of profit
        d > 0 (that is in no group) at most bound - d.
    price, toll : float
        Multipliers of the budget and of the number of sites.
    share : (sites,) float64
        The fractional plan.
    step : float
        Weight between primal and dual steps, for a warm start.
    """

    bound: float
    value: float
    worth: NDArray[np.float64]
    profit: NDArray[np.float64]
    price: float
    toll: float
    share: NDArray[np.float64]
    step: float


@njit(cache=True, nogil=True)
def _sums(indptr, indices, worth, out):
    for j in range(out.shape[0]):
        total = 0.0
        for k in range(indptr[j], indptr[j + 1]):
            total += worth[indices[k]]
        out[j] = total


@njit(cache=True, nogil=True)
def _reach(indptr, indices, share, out):
    out[:] = 0.0
    for j in range(share.shape[0]):
        if share[j] != 0.0:
            for k in range(indptr[j], indptr[j + 1]):
                out[indices[k]] += share[j]


@njit(cache=True, nogil=True)
def _under(wish, tau, costs, budget, toll, active):
    """Return the least price of money at which the box keeps the budget, and the sites it takes."""
    spent, high = 0.0, 0.0
    for j in active:
        left = wish[j] - toll * tau[j]
        spent += costs[j] * min(1.0, max(0.0, left))
        if left > 0.0 and costs[j] > 0.0:
            high = max(high, left / (tau[j] * costs[j]))
    low = 0.0
    if spent <= budget:
        high = 0.0
    for _ in range(40 if high > 0.0 else 0):
        middle, spent = 0.5 * (low + high), 0.0
        for j in active:
            left = wish[j] - (toll + middle * costs[j]) * tau[j]
            spent += costs[j] * min(1.0, max(0.0, left))
        if spent > budget:
            low = middle
        else:
            high = middle
    count = 0.0
    for j in active:
        count += min(1.0, max(0.0, wish[j] - (toll + high * costs[j]) * tau[j]))
    return high, count


@njit(cache=True, nogil=True)
def _project(wish, tau, costs, budget, most, out):
    """Move `wish` to the nearest plan that keeps budget and number of sites; return the toll.

    Near is meant in the norm of the steps.
    """
    out[:] = 0.0
    active = np.flatnonzero(wish > 0.0)
    if budget == np.inf and most == np.inf:
        for j in active:
            out[j] = min(1.0, wish[j])
        return 0.0
    toll, high = 0.0, 0.0
    price, count = _under(wish, tau, costs, budget, toll, active)
    if count > most:
        for j in active:
            high = max(high, wish[j] / tau[j])
        low = 0.0
        for _ in range(30):
            toll = 0.5 * (low + high)
            if _under(wish, tau, costs, budget, toll, active)[1] > most:
                low = toll
            else:
                high = toll
        toll = high
        price, count = _under(wish, tau, costs, budget, toll, active)
    for j in active:
        out[j] = min(1.0, max(0.0, wish[j] - (toll + price * costs[j]) * tau[j]))
    return toll


@njit(cache=True, nogil=True)
def _packed(sums, prices, costs, groups, price, best):
    """Return profit and cost of the sites that pay at a price, at most one of each group."""
    best[:] = -1
    profit, spent = 0.0, 0.0
    for j in range(sums.shape[0]):
        own = sums[j] - prices[j] - price * costs[j]
        if own <= 0.0:
            continue
        g = groups[j]
        if g >= 0:
            k = best[g]
            if k >= 0:
                other = sums[k] - prices[k] - price * costs[k]
                if other >= own:
                    continue
                profit -= other
                spent -= costs[k]
            best[g] = j
        profit += own
        spent += costs[j]
    return profit, spent


@njit(cache=True, nogil=True)
def _dual(weights, prices, costs, groups, budget, toll, most, worth, sums, best):
    """Return the Lagrangian bound of `worth` and the price of the budget that gives it."""
    base = 0.0
    for i in range(weights.shape[0]):
        base += weights[i] - worth[i]
    if toll > 0.0:
        base += toll * most
        prices = prices + toll
    profit, spent = _packed(sums, prices, costs, groups, 0.0, best)
    if spent <= budget:
        return base + profit, 0.0
    low, high = 0.0, 0.0
    for j in range(sums.shape[0]):
        if costs[j] > 0.0:
            high = max(high, (sums[j] - prices[j]) / costs[j])
    for _ in range(46):
        middle = 0.5 * (low + high)
        if _packed(sums, prices, costs, groups, middle, best)[1] > budget:
            low = middle
        else:
            high = middle
    profit = _packed(sums, prices, costs, groups, high, best)[0]
    return base + profit + high * budget, high


@njit(cache=True, nogil=True)
def _primal(weights, prices, share, reach):
    """Return the worth of a fractional plan."""
    won = 0.0
    for i in range(weights.shape[0]):
        won += weights[i] * min(1.0, reach[i])
    for j in range(share.shape[0]):
        won -= prices[j] * share[j]
    return won


@njit(cache=True, nogil=True)
def _weigh(share, share0, tau, worth, worth0, sigma, step):
    """Return a new weight between primal and dual steps from how far both have moved."""
    along, across = 0.0, 0.0
    for j in range(share.shape[0]):
        along += (share[j] - share0[j]) ** 2 / tau[j]
    for i in range(worth.shape[0]):
        across += (worth[i] - worth0[i]) ** 2 / sigma[i]
    if along > 1e-20 and across > 1e-20:
        return np.exp(0.25 * np.log(across / along) + 0.5 * np.log(step))
    return step


@njit(cache=True, nogil=True)
def _steps(count, indptr, indices, weights, prices, costs, budget, most, step, tau, sigma, share,
           worth, sums, reach, mean, mean_worth):
    """Take `count` steps in place; return the last toll and the sum of all of them."""
    wish, ahead = np.empty(share.shape[0]), np.empty(worth.shape[0])
    toll, tolls = 0.0, 0.0
    for _ in range(count):
        for j in range(share.shape[0]):
            wish[j] = share[j] + tau[j] / step * (sums[j] - prices[j])
        toll = step * _project(wish, tau, costs, budget, most, share)
        tolls += toll
        _reach(indptr, indices, share, ahead)
        for i in range(worth.shape[0]):
            move = step * sigma[i] * (2.0 * ahead[i] - reach[i] - 1.0)
            worth[i] = min(weights[i], max(0.0, worth[i] - move))
            reach[i] = ahead[i]
            mean_worth[i] += worth[i]
        for j in range(share.shape[0]):
            mean[j] += share[j]
        _sums(indptr, indices, worth, sums)
    return toll, tolls


@njit(cache=True, nogil=True)
def relax_arrays(indptr, indices, weights, prices, costs, groups, budget, most, share, worth, toll,
                 step, rounds, stop_at, aim, tau, sigma):
    """Run the method on plain arrays; see `relax` for their meaning.

    Returns
    -------
    tuple
        bound, value, worth, share, price, toll, step, and the last iterates of
        share and worth, from which a neighbouring problem starts best; the
        bound is not yet rounded outwards.
    """
    sums, reach = np.empty(share.shape[0]), np.empty(worth.shape[0])
    other, spread = np.empty(share.shape[0]), np.empty(worth.shape[0])
    mean, mean_worth, tolls = np.zeros(share.shape[0]), np.zeros(worth.shape[0]), 0.0
    best_of = np.empty(max(groups.max() + 1, 1), np.int64)
    share0, worth0 = share.copy(), worth.copy()
    _sums(indptr, indices, worth, sums)
    _reach(indptr, indices, share, reach)
    bound, price = _dual(weights, prices, costs, groups, budget, toll, most, worth, sums, best_of)
    value, kept, kept_toll = 0.0, worth.copy(), toll
    plan = np.zeros(share.shape[0])
    last = bound - _primal(weights, prices, share, reach)
    before, since, turn = last, 0, 0
    while turn < rounds and bound > stop_at and (bound - value > aim or value > bound):
        count = min(_EVERY, rounds - turn)
        toll, more = _steps(count, indptr, indices, weights, prices, costs, budget, most, step,
                            tau, sigma, share, worth, sums, reach, mean, mean_worth)
        tolls, turn, since = tolls + more, turn + count, since + count
        gap, average = np.inf, False
        for trial in range(2):
            x, u, t = share, worth, toll
            if trial:
                x, u, t = mean / since, mean_worth / since, tolls / since
            _sums(indptr, indices, u, other)
            _reach(indptr, indices, x, spread)
            d, p = _dual(weights, prices, costs, groups, budget, t, most, u, other, best_of)
            v = _primal(weights, prices, x, spread)
            if d < bound:
                bound, price, kept, kept_toll = d, p, u.copy(), t
            if v > value:
                value, plan = v, x.copy()
            if d - v < gap:
                gap, average = d - v, trial == 1
        if (gap <= 0.2 * last or (gap <= 0.8 * last and gap > before)
                or since >= max(2 * _EVERY, 0.36 * turn)):
            if average:
                share, worth = mean / since, mean_worth / since
                _sums(indptr, indices, worth, sums)
                _reach(indptr, indices, share, reach)
            step = _weigh(share, share0, tau, worth, worth0, sigma, step)
            share0, worth0 = share.copy(), worth.copy()
            mean[:], mean_worth[:] = 0.0, 0.0
            tolls, since, last = 0.0, 0, gap
        before = gap
    return bound, value, kept, plan, price, kept_toll, step, share, worth


@njit(cache=True, nogil=True)
def outward(indptr, indices, weights, prices, costs, worth, price, toll, budget, most):
    """Return each site's profit at the multipliers, and how far rounding may be off the bound.

    The second figure bounds the error of every floating-point sum behind the bound.
    """
    profit = np.empty(costs.shape[0])
    _sums(indptr, indices, worth, profit)
    longest, size = 0, weights.sum() + worth.sum()
    for j in range(profit.shape[0]):
        longest = max(longest, indptr[j + 1] - indptr[j])
        paid = prices[j] + price * costs[j] + toll
        size += 2.0 * (profit[j] + paid)
        profit[j] -= paid
    if price > 0.0:
        size += price * budget
    if toll > 0.0:
        size += toll * most
    terms = weights.shape[0] + costs.shape[0] + longest + 16
    return profit, 2.0 * terms * _UNIT * size


def relax(problem: Problem, *, budget: float = np.inf, max_sites: int | None = None,
          prices: NDArray[np.float64] | None = None, rounds: int = 1000, stop_at: float = -np.inf,
          aim: float = 0.0, warm: Relaxation | None = None) -> Relaxation:
    """Bound the covered weight, less the prices of the sites, from above.

    Parameters
    ----------
    problem : Problem
        Points, sites, groups.
    budget : float
        Greatest summed cost of a plan.
    max_sites : int, optional
        Greatest number of sites.
    prices : (sites,) float64, optional
        What each site takes from the worth of a plan; None = nothing.
    rounds : int
        Steps of the method.
    stop_at : float
        Ends as soon as the bound is not higher than this.
    aim : float
        Ends as soon as bound and fractional value are so near.
    warm : Relaxation, optional
        Of a problem with the same points and sites, to start from.
    """
    if prices is None:
        prices = np.zeros(problem.sites)
    costs, most = problem.costs, np.inf if max_sites is None else float(max_sites)
    if budget == np.inf and max_sites is not None:
        costs, budget, most = np.ones(problem.sites), float(max_sites), np.inf
    by_site = np.maximum(np.diff(problem.indptr), 1).astype(np.float64)
    by_point = np.maximum(np.diff(problem.by_point[0]), 1).astype(np.float64)
    if warm is None:
        share, toll = np.zeros(problem.sites), 0.0
        worth = problem.weights * 0.5 if budget < np.inf else problem.weights / by_point
        step = 0.5 * np.sqrt((problem.weights ** 2 * by_point).sum() / max(problem.points, 1))
    else:
        share, worth = warm.share.copy(), np.minimum(warm.worth, problem.weights)
        toll, step = warm.toll, warm.step
    bound, value, worth, plan, price, toll, step, _, _ = relax_arrays(
        problem.indptr, problem.indices, problem.weights, prices, costs, problem.groups,
        float(budget), most, share, worth, toll, max(step, 1e-9), rounds, stop_at, aim,
        1.0 / by_site, 1.0 / by_point)
    profit, off = outward(problem.indptr, problem.indices, problem.weights, prices, costs, worth,
                          price, toll, float(budget), most)
    return Relaxation(bound + off, value, worth, profit, price, toll, plan, step)
