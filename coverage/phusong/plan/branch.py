"""Branch and bound on small problems, every node bounded by the first-order relaxation.

A node is a set of sites still open, sites built, and sets of sites of which at
least one must be built. Each node is made smaller (sites that cannot be part of
a better plan go, points that the same open sites reach become one), bounded,
and split by a set S of sites of which the relaxation builds a part: either none
of S or at least one. "At least one of S" is a further point that only S
reaches, with so much weight that missing it cannot pay.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from phusong.plan.problem import Problem
from phusong.plan.relax import outward, relax_arrays
from phusong.plan.search import improve
from phusong.plan.shrink import cut, degrees

__all__ = ["Branching", "branch_and_bound"]

_PROBES = 2
_POINTS = 0
_PROBE_ROUNDS = 60
_NARROWED = 6
"""How often a node is bounded and narrowed before it is split."""


@dataclass(frozen=True, slots=True, eq=False)
class Branching:
    """What branch and bound has found.

    Parameters
    ----------
    bound : float
        No plan is worth more.
    value : float
        Worth of the best plan.
    sites : (chosen,) int64
        That plan, ascending.
    nodes : int
        Nodes looked at.
    """

    bound: float
    value: float
    sites: NDArray[np.int64]
    nodes: int


@dataclass(frozen=True, slots=True, eq=False)
class _Node:
    bound: float
    open_sites: NDArray[np.int32]
    built: tuple[int, ...]
    rows: tuple[NDArray[np.int32], ...]
    worth: NDArray[np.float64]
    share: NDArray[np.float64]
    plan: NDArray[np.float64]
    step: float
    depth: int


@dataclass(slots=True, eq=False)
class _Small:
    """The problem of a node as plain arrays; `point_of` tells where each point went."""

    indptr: NDArray[np.int64]
    indices: NDArray[np.int32]
    weights: NDArray[np.float64]
    point_of: NDArray[np.int64]
    points: int
    offset: float
    budget: float
    most: float
    ids: NDArray[np.int32] = field(repr=False)


class _Tree:
    """The search itself; its only public face is `branch_and_bound`."""

    def __init__(self, problem: Problem, prices: NDArray[np.float64], costs: NDArray[np.float64],
                 budget: float, most: float, slack: float, state: NDArray[np.uint64],
                 found: Callable[[NDArray[np.int64]], None] | None) -> None:
        self.problem, self.prices, self.costs = problem, prices, costs
        self.budget, self.most, self.slack, self.state = budget, most, slack, state
        self.found = found
        self.marks = np.random.default_rng(1).integers(1, 2 ** 63, (problem.sites, 2), np.uint64)
        self.value, self.best = 0.0, np.empty(0, np.int64)
        self.done = -np.inf
        self.nodes = 0
        self.heap: list[tuple[float, int, _Node]] = []
        self.order = 0

    def worth_of(self, sites: NDArray[np.int64]) -> float:
        return self.problem.value(sites) - float(self.prices[sites].sum())

    def offer(self, sites: NDArray[np.int64]) -> None:
        value = self.worth_of(sites)
        if value > self.value:
            self.value, self.best = value, np.sort(sites)
            if self.found:
                self.found(self.best)

    @property
    def goal(self) -> float:
        return self.value + self.slack

    def small(self, node: _Node, heavy: float) -> _Small:
        """Build the arrays of a node."""
        p = self.problem
        built = np.array(node.built, np.int64)
        covered = p.covered(built) > 0 if len(built) else np.zeros(p.points, bool)
        ptr = np.concatenate([[0], np.cumsum([len(r) for r in node.rows])]).astype(np.int64)
        ids = np.concatenate(node.rows) if node.rows else np.empty(0, np.int32)
        indptr, indices, weights, point_of, points = cut(
            p.indptr, p.indices, p.weights, node.open_sites, covered, self.marks, ptr,
            ids.astype(np.int32), heavy)
        gained = float(p.weights[covered].sum() - self.prices[built].sum())
        return _Small(indptr, indices, weights, point_of, points,
                      gained - heavy * len(node.rows), self.budget - self.costs[built].sum(),
                      self.most - len(built), node.open_sites)

    def relax(self, node: _Node, rounds: int, aim: float
              ) -> tuple[_Node, NDArray[np.float64]]:
        """Bound a node; return it with new multipliers, and the profits of its sites."""
        p, heavy = self.problem, 2.0 * max(node.bound - self.value, 1.0)
        s = self.small(node, heavy)
        ids = node.open_sites
        prices, costs, groups = self.prices[ids], self.costs[ids], p.groups[ids]
        inside = s.point_of >= 0
        total = np.bincount(s.point_of[inside], node.worth[:p.points][inside], len(s.weights))
        total[s.points:] = node.worth[p.points:]
        tau, sigma = degrees(s.indptr, s.indices, len(s.weights))
        share = node.share.copy()
        bound, _, worth, plan, price, toll, step, share, last = relax_arrays(
            s.indptr, s.indices, s.weights, prices, costs, groups, s.budget, s.most, share,
            np.minimum(total, s.weights), 0.0, node.step, rounds, self.goal - s.offset, aim,
            tau, sigma)
        profit, off = outward(s.indptr, s.indices, s.weights, prices, costs, worth, price, toll,
                              s.budget, s.most)
        bound = min(node.bound, bound + s.offset + off + abs(s.offset) * 1e-14)
        back = np.zeros(p.points + len(node.rows))
        ratio = np.divide(last, s.weights, out=np.zeros_like(last), where=s.weights > 0)
        back[:p.points][inside] = p.weights[inside] * ratio[s.point_of[inside]]
        back[p.points:] = last[s.points:]
        return replace(node, bound=bound, worth=back, share=share, plan=plan, step=step), profit

    def tighten(self, node: _Node, rounds: int) -> _Node | None:
        """Bound a node and leave out what no better plan holds, again and again."""
        for _ in range(_NARROWED):
            if not len(node.open_sites):
                break
            aim = 0.02 * max(node.bound - self.value, 0.0)
            node, profit = self.relax(node, rounds, aim)
            if node.bound <= self.goal:
                self.done = max(self.done, node.bound)
                return None
            room = node.bound - self.goal
            fits = self.costs[node.open_sites] <= self.budget - self.costs[list(node.built)].sum()
            keep = (profit > -room) & fits
            must = (profit > room) & (self.problem.groups[node.open_sites] < 0)
            if keep.all() and not must.any():
                return node
            shrunk = (~keep).mean() + must.mean()
            node = self.narrowed(node, keep & ~must, node.open_sites[must])
            if shrunk < 0.1 and not must.any():
                break
            rounds = max(_PROBE_ROUNDS, rounds // 2)
        if len(node.open_sites):
            return node
        self.finish(node)
        return None

    def narrowed(self, node: _Node, keep: NDArray[np.bool_], must: NDArray[np.int32]) -> _Node:
        """Return the node with fewer open sites and with more sites built."""
        rows = [k for k, row in enumerate(node.rows) if not np.isin(row, must).any()]
        first = self.problem.points
        kept = np.concatenate([np.arange(first), first + np.array(rows, np.int64)])
        return replace(node, open_sites=node.open_sites[keep], share=node.share[keep],
                       plan=node.plan[keep], built=node.built + tuple(int(j) for j in must),
                       rows=tuple(node.rows[k] for k in rows), worth=node.worth[kept])

    def finish(self, node: _Node) -> None:
        """Take a node without open sites as the plan it is."""
        built = np.array(node.built, np.int64)
        if self.costs[built].sum() <= self.budget and len(built) <= self.most:
            self.offer(built)

    def without(self, node: _Node, group: NDArray[np.int32]) -> _Node:
        keep = ~np.isin(node.open_sites, group)
        return replace(self.narrowed(node, keep, node.open_sites[:0]), depth=node.depth + 1)

    def with_one(self, node: _Node, group: NDArray[np.int32]) -> _Node | None:
        """Return the node in which one of the group is built; None if none can be."""
        if len(group) > 1:
            return replace(node, rows=(*node.rows, group), depth=node.depth + 1,
                           worth=np.append(node.worth, 0.0))
        j = int(group[0])
        mates = self.problem.groups[node.open_sites] == self.problem.groups[j]
        keep = (node.open_sites != j) & ~(mates & (self.problem.groups[j] >= 0))
        child = replace(self.narrowed(node, keep, group), depth=node.depth + 1)
        built = list(child.built)
        if self.costs[built].sum() > self.budget or len(built) > self.most:
            return None
        return child

    def candidates(self, node: _Node) -> list[NDArray[np.int32]]:
        """List sets of sites of which the relaxation builds a part."""
        s = self.small(node, 1.0)
        share, ids = node.plan, node.open_sites
        by = np.repeat(np.arange(len(ids)), np.diff(s.indptr))
        reach = np.bincount(s.indices, share[by], len(s.weights))
        half = np.abs(reach - 0.5)
        found: list[NDArray[np.int32]] = []
        score = np.where(half < 0.4, s.weights * (0.5 - half), 0.0)
        score[s.points:] = 0.0
        for i in np.argsort(-score, kind="stable")[:_POINTS]:
            if score[i] > 0.0:
                found.append(ids[np.unique(by[s.indices == i])])
        length = np.bincount(by, s.weights[s.indices], len(ids))
        score = np.where((share > 0.02) & (share < 0.999), np.minimum(share, 1.2 - share) * length,
                         0.0)
        for k in np.argsort(-score, kind="stable")[:_PROBES - len(found)]:
            if score[k] > 0.0:
                found.append(ids[k:k + 1])
        return found

    def probe(self, node: _Node) -> tuple[_Node | None, _Node | None]:
        """Return the two children of the split that lowers the bound most."""
        best: tuple[float, _Node | None, _Node | None] = (-1.0, None, None)
        room = node.bound - self.goal
        for group in self.candidates(node) or [node.open_sites[:1]]:
            children, falls = [], []
            for child in (self.without(node, group), self.with_one(node, group)):
                if child is not None and len(child.open_sites):
                    child = self.relax(child, _PROBE_ROUNDS, 0.0)[0]
                    falls.append(min(node.bound - child.bound, room))
                elif child is not None:
                    self.finish(child)
                    child = None
                    falls.append(room)
                else:
                    falls.append(room)
                if child is not None and child.bound <= self.goal:
                    self.done = max(self.done, child.bound)
                    child = None
                children.append(child)
            score = max(falls[0], 0.01 * room) * max(falls[1], 0.01 * room)
            if score > best[0]:
                best = (score, children[0], children[1])
        return best[1], best[2]

    def complete(self, node: _Node, rounds: int) -> None:
        """Turn a node's shares into a plan and better it."""
        plan, spent = list(node.built), float(self.costs[list(node.built)].sum())
        taken = {int(g) for g in self.problem.groups[plan] if g >= 0}
        for k in np.argsort(-node.plan, kind="stable"):
            j = int(node.open_sites[k])
            if node.plan[k] < 0.25 or len(plan) >= self.most:
                break
            if spent + self.costs[j] <= self.budget and self.problem.groups[j] not in taken:
                plan.append(j)
                spent += float(self.costs[j])
                if self.problem.groups[j] >= 0:
                    taken.add(int(self.problem.groups[j]))
        self.better(np.array(plan, np.int64), rounds)

    def better(self, plan: NDArray[np.int64], rounds: int) -> None:
        p, priced = self.problem, bool(self.prices.any())
        paid = Problem(p.indptr, p.indices, p.weights, self.prices if priced else self.costs,
                       p.groups) if priced or self.costs is not p.costs else p
        most = None if self.most == np.inf else int(self.most)
        self.offer(improve(paid, plan, rounds=rounds, state=self.state, priced=priced,
                           budget=np.inf if priced else self.budget, max_sites=most, hot=0.1,
                           cold=0.003))

    def push(self, node: _Node) -> None:
        self.order += 1
        heapq.heappush(self.heap, (-node.bound, self.order, node))

    @property
    def bound(self) -> float:
        top = -self.heap[0][0] if self.heap else -np.inf
        return max(self.value, self.done, top)


def branch_and_bound(problem: Problem, *, prices: NDArray[np.float64] | None = None,
                     budget: float = np.inf, max_sites: int | None = None, slack: float = 0.0,
                     start: NDArray[np.int64] | None = None, nodes: int = 100_000,
                     rounds: int = 1500, heuristic: int = 5000, state: NDArray[np.uint64],
                     stop: Callable[[float, float], bool] | None = None,
                     found: Callable[[NDArray[np.int64]], None] | None = None) -> Branching:
    """Find the best plan of a small problem and prove it.

    Parameters
    ----------
    problem : Problem
        Points, sites, groups.
    prices : (sites,) float64, optional
        What each site takes from the worth of a plan. Priced problems have no budget.
    budget, max_sites : float, int
        Limits of a plan.
    slack : float
        A plan better by no more than this is not looked for.
    start : (chosen,) int64, optional
        A plan to begin with.
    nodes, rounds, heuristic : int
        Greatest number of nodes; steps of the relaxation at the root; moves of
        the search for better plans at the root.
    state : (1,) uint64
        Random stream; moved on in place.
    stop : callable, optional
        Called with bound and value before each node; ends the search if true.
    found : callable, optional
        Called with every better plan.
    """
    prices = np.zeros(problem.sites) if prices is None else prices
    costs, most = problem.costs, np.inf if max_sites is None else float(max_sites)
    if budget == np.inf and max_sites is not None:
        costs, budget, most = np.ones(problem.sites), float(max_sites), np.inf
    if prices.any():
        costs = np.zeros(problem.sites)
    tree = _Tree(problem, prices, costs, budget, most, slack, state, found)
    if start is not None:
        tree.offer(np.asarray(start, np.int64))
    if heuristic:
        tree.better(tree.best, heuristic)
    length = np.maximum(np.diff(problem.by_point[0]), 1)
    step = 0.5 * float(np.sqrt((problem.weights ** 2 * length).sum() / max(problem.points, 1)))
    root = _Node(float(problem.weights.sum()), np.arange(problem.sites, dtype=np.int32), (), (),
                 problem.weights / (2.0 if budget < np.inf else length), np.zeros(problem.sites),
                 np.zeros(problem.sites), max(step, 1e-9), 0)
    tree.push(root)
    here: _Node | None = None
    while tree.heap or here is not None:
        if here is None:
            here = heapq.heappop(tree.heap)[2]
        top = max(tree.bound, here.bound)
        if top <= tree.goal or tree.nodes >= nodes or (stop and stop(top, tree.value)):
            tree.push(here)
            break
        tree.nodes += 1
        node = tree.tighten(here, rounds if not here.depth else 2 * _PROBE_ROUNDS)
        here = None
        if node is None:
            continue
        if heuristic and (tree.nodes == 1 or tree.nodes % 25 == 0):
            tree.complete(node, heuristic if tree.nodes == 1 else 600)
        children = [c for c in tree.probe(node) if c is not None]
        if children:
            here = max(children, key=lambda c: c.bound)
            for child in children:
                if child is not here:
                    tree.push(child)
    return Branching(max(tree.bound, tree.value), tree.value, tree.best, tree.nodes)
