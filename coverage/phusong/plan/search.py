"""Ruin and recreate: take a few neighbouring sites away, fill up again greedily, keep what is good.

The move was shown to give nearly everything on covering problems of this kind
(Schrimpf, Schneider, Stamm-Wilbrandt, Dueck 2000); worse plans are accepted
with falling probability (simulated annealing). The same kernel serves the
problem under a budget and the priced problem, in which sites are paid from the
weight they bring. Its random numbers are its own (xorshift64*), so that a seed
and a number of rounds give the same plan on every machine.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from phusong.plan.problem import Problem

__all__ = ["below", "change", "enter", "improve", "leave", "seeded"]

_MOST = 24
_NOISE = 0.35


def seeded(seed: int) -> NDArray[np.uint64]:
    """Return the state of a random stream, (1,) uint64."""
    return np.random.SeedSequence(seed).generate_state(1, np.uint64) | np.uint64(1)


@njit(cache=True, nogil=True)
def below(state, limit):
    """Return a random whole number in 0 ... limit - 1 and move `state` on."""
    x = state[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    state[0] = x
    return np.int64((x * np.uint64(2685821657736338717)) >> np.uint64(33)) % limit


@njit(cache=True, nogil=True)
def _share(state):
    return below(state, 1 << 30) / (1 << 30)


@njit(cache=True, nogil=True)
def change(j, step, indptr, indices, by_indptr, by_indices, weights, times, gains):
    """Build (step = 1) or take away (-1) site j; return the covered weight won or lost."""
    change = 0.0
    for k in range(indptr[j], indptr[j + 1]):
        i = indices[k]
        before = times[i]
        times[i] = before + step
        if (step > 0 and before == 0) or (step < 0 and before == 1):
            change += weights[i]
            for m in range(by_indptr[i], by_indptr[i + 1]):
                gains[by_indices[m]] -= step * weights[i]
    return change


@njit(cache=True, nogil=True)
def _alone(j, indptr, indices, weights, times):
    total = 0.0
    for k in range(indptr[j], indptr[j + 1]):
        if times[indices[k]] == 1:
            total += weights[indices[k]]
    return total


@njit(cache=True, nogil=True)
def _victims(wanted, listed, count, chosen, indptr, indices, by_indptr, by_indices, weights, costs,
             times, state, out):
    """Pick up to `wanted` sites of the plan that stand near one another."""
    seed = listed[below(state, count)]
    if _share(state) < 0.5:
        for _ in range(2):
            other = listed[below(state, count)]
            if (_alone(other, indptr, indices, weights, times) * costs[seed]
                    < _alone(seed, indptr, indices, weights, times) * costs[other]):
                seed = other
    out[0], found = seed, 1
    for _ in range(12 * wanted):
        if found == wanted:
            break
        start = out[below(state, found)]
        i = indices[indptr[start] + below(state, indptr[start + 1] - indptr[start])]
        j = by_indices[by_indptr[i] + below(state, by_indptr[i + 1] - by_indptr[i])]
        i = indices[indptr[j] + below(state, indptr[j + 1] - indptr[j])]
        if times[i] == 0:
            continue
        for m in range(by_indptr[i], by_indptr[i + 1]):
            j = by_indices[m]
            if chosen[j]:
                known = False
                for n in range(found):
                    known = known or out[n] == j
                if not known:
                    out[found] = j
                    found += 1
                    break
    return found


@njit(cache=True, nogil=True)
def _next(gains, costs, groups, closed, chosen, left, priced, noise, banned, state):
    """Return the site with the most gain per cost that may be built, or -1."""
    best, best_rate, offset = -1, 0.0, below(state, 1 << 20)
    for j in range(gains.shape[0]):
        gain = gains[j]
        if gain <= 0.0 or chosen[j] or costs[j] > left or j == banned:
            continue
        if groups[j] >= 0 and closed[groups[j]]:
            continue
        if priced and gain <= costs[j]:
            continue
        rate = gain / max(costs[j], 1e-9)
        if noise > 0.0:
            if rate * (1.0 + noise) <= best_rate:
                continue
            mixed = (np.uint64(j + offset) * np.uint64(11400714819323198485)) >> np.uint64(40)
            rate *= 1.0 + noise * (np.float64(mixed) / 16777216.0)
        if rate > best_rate:
            best, best_rate = j, rate
    return best


@njit(cache=True, nogil=True)
def _start(start, indptr, indices, by_indptr, by_indices, weights, groups, gains, chosen, closed,
           times, listed, where):
    """Build the sites of a plan to begin with; return their number and their weight."""
    count, value = 0, 0.0
    for j in start:
        value += change(j, 1, indptr, indices, by_indptr, by_indices, weights, times, gains)
        chosen[j], listed[count], where[j] = True, j, count
        count += 1
        if groups[j] >= 0:
            closed[groups[j]] = True
    return count, value


@njit(cache=True, nogil=True)
def enter(j, groups, chosen, closed, listed, where, count):
    """Put site j into the list of the plan; return how many it holds."""
    chosen[j], listed[count], where[j] = True, j, count
    if groups[j] >= 0:
        closed[groups[j]] = True
    return count + 1


@njit(cache=True, nogil=True)
def leave(j, groups, chosen, closed, listed, where, count):
    """Take site j off the list of the plan; return how many it holds."""
    chosen[j] = False
    last = listed[count - 1]
    listed[where[j]], where[last] = last, where[j]
    if groups[j] >= 0:
        closed[groups[j]] = False
    return count - 1


@njit(cache=True, nogil=True)
def _search(indptr, indices, by_indptr, by_indices, weights, costs, groups, gains, start, budget,
            max_sites, priced, rounds, hot, cold, state):
    sites = costs.shape[0]
    chosen = np.zeros(sites, np.bool_)
    closed = np.zeros(max(groups.max() + 1, 1), np.bool_)
    times, where = np.zeros(weights.shape[0], np.int64), np.zeros(sites, np.int64)
    listed, out, new = np.empty(sites, np.int64), np.empty(8, np.int64), np.empty(_MOST, np.int64)
    count, value = _start(start, indptr, indices, by_indptr, by_indices, weights, groups, gains,
                          chosen, closed, times, listed, where)
    spent = costs[start].sum()
    best = value - (spent if priced else 0.0)
    kept = listed[:count].copy()
    for turn in range(rounds):
        heat = hot * (cold / hot) ** (turn / rounds)
        old_value, old_spent, gone, added = value, spent, 0, 0
        if count and _share(state) < 0.98:
            wanted = min(count, 1 + below(state, 2 + below(state, 5)))
            gone = _victims(wanted, listed, count, chosen, indptr, indices, by_indptr, by_indices,
                            weights, costs, times, state, out)
        for n in range(gone):
            value -= change(out[n], -1, indptr, indices, by_indptr, by_indices, weights, times,
                          gains)
            spent -= costs[out[n]]
            count = leave(out[n], groups, chosen, closed, listed, where, count)
        noise = _NOISE if _share(state) < 0.7 else 0.0
        banned = out[0] if gone and _share(state) < 0.6 else -1
        while added < _MOST and count < max_sites:
            j = _next(gains, costs, groups, closed, chosen, budget - spent, priced, noise, banned,
                      state)
            if j < 0:
                break
            value += change(j, 1, indptr, indices, by_indptr, by_indices, weights, times, gains)
            spent += costs[j]
            count = enter(j, groups, chosen, closed, listed, where, count)
            new[added] = j
            added += 1
        score = value - (spent if priced else 0.0)
        before = old_value - (old_spent if priced else 0.0)
        if score > best:
            best, kept = score, listed[:count].copy()
        if score < before and _share(state) >= np.exp((score - before) / heat):
            for n in range(added):
                change(new[n], -1, indptr, indices, by_indptr, by_indices, weights, times, gains)
                count = leave(new[n], groups, chosen, closed, listed, where, count)
            for n in range(gone):
                change(out[n], 1, indptr, indices, by_indptr, by_indices, weights, times, gains)
                count = enter(out[n], groups, chosen, closed, listed, where, count)
            value, spent = old_value, old_spent
    return np.sort(kept)


def improve(problem: Problem, start: NDArray[np.int64], *, rounds: int, state: NDArray[np.uint64],
            budget: float = np.inf, max_sites: int | None = None, priced: bool = False,
            hot: float = 0.05, cold: float = 0.0005) -> NDArray[np.int64]:
    """Return a plan at least as good as `start`, in ascending order of site number.

    Parameters
    ----------
    problem : Problem
        Exact if its weights are multiples of 1/1024.
    start : (chosen,) int64
        A plan that keeps the budget and the groups.
    rounds : int
        Number of moves.
    state : (1,) uint64
        Random stream as `seeded` gives it; moved on in place.
    budget : float
        Greatest cost in all.
    max_sites : int, optional
        Greatest number of sites.
    priced : bool
        Whether weight minus cost is wanted, not weight under a budget.
    hot, cold : float
        Heat of the annealing at its begin and end, as a share of the weight
        that one site brings on average.
    """
    if not problem.sites or not problem.points:
        return np.sort(np.asarray(start, np.int64))
    start = np.asarray(start, np.int64)
    value = problem.value(start) if len(start) else float(problem.alone().max())
    typical = max(value / max(len(start), 1), 1e-9)
    return _search(problem.indptr, problem.indices, *problem.by_point, problem.weights,
                   problem.costs, problem.groups, problem.alone(), start, float(budget),
                   problem.sites if max_sites is None else max_sites, priced, rounds,
                   hot * typical, cold * typical, state)
