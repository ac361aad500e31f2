"""Small plans of every kind, with and without feeders, and their optimum by trying everything.

A `Small` holds plain numbers. `Small.tables` turns them into the tables that the program reads;
`Truth` tries every set of sites and every forest with numpy alone: nothing of the program is used.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations

import numpy as np
import pandas as pd
from phusong.plan import Floor, Goal, tenants, tenants_nodes
from phusong.plan.network import Network
from phusong.service import Need, levels
from test_optimise_tables import tables

__all__ = ["DBM", "Small", "Truth", "all_ways"]

DBM = (-116.0, -103.0, -98.0, -96.0, -80.0)
OPERATORS = {"Mobi": 0.25, "Viettel": 0.5}
NEEDED = 0.9
_NEAR = 1e-8


def _chances() -> dict[tuple[str, float], float]:
    """Return the probability that goes with each level of a mast and of a terminal."""
    given = tables({"p": 1.0}, {f"S{k}": ("p", 1.0) for k in range(2 * len(DBM))})[2]
    kinds = np.repeat(["LTE", "SAT"], len(DBM))
    links = given.assign(received_dbm=[*DBM, *DBM], technology=kinds)
    found = levels(links, Need())["probability"].to_numpy(float)
    return {(kind, dbm): float(p) for kind, dbm, p in zip(kinds, [*DBM, *DBM], found, strict=True)}


CHANCE = _chances()


@dataclass(frozen=True)
class Small:
    """A plan's problem in plain numbers; places come first among the nodes, then two masts."""

    learners: list[int]
    priority: list[int]
    today: list[float]
    province: list[str]
    listed: list[bool]
    reach: list[dict[int, float]]
    cost: list[int]
    node: list[int]
    group: list[int]
    terminal: list[bool]
    ends: list[tuple[int, int]]
    fibre: list[bool]
    hop: list[float]
    relay: list[float]
    sky: list[float]
    max_hops: int
    operators: bool
    share_masts: bool
    equipment: float
    fed: bool

    @cached_property
    def nodes(self) -> list[int]:
        """Return where each site hangs; -2 = it has no way of its own, as `Backhaul` says."""
        if not self.fed:
            return [-1] * len(self.cost)
        _, joined, mast = all_ways(self)
        bad = mast & np.isinf(self.relay)
        can = {v for v in range(len(self.relay))
               if (joined[:, v] & ~np.delete(bad, v, axis=1).any(axis=1)).any()}
        return [n if n < 0 or n >= len(self.relay) or n in can else -2 for n in self.node]

    def network(self) -> Network:
        """Return the hops; low and high are half and twice the price."""
        places = len(self.relay)
        three = np.array([0.5, 1.0, 2.0])
        return Network(np.arange(places + 2) >= places, np.array(self.ends, int).reshape(-1, 2),
                       np.array(self.fibre, bool), np.outer(self.hop, three),
                       np.outer([*self.relay, 0.0, 0.0], three),
                       np.outer([*self.sky, np.inf, np.inf], three), self.max_hops)

    def tables(self) -> tuple[tuple[pd.DataFrame, ...], tuple]:
        """Return gaps, spots, reach and costs, and network and nodes if there are feeders."""
        sites = [f"S{j}" for j in range(len(self.cost))]
        points = "pqrstu"[:len(self.learners)]
        gaps, spots, reach, costs = tables(
            dict(zip(points, map(float, self.learners), strict=True)),
            {s: ("".join(points[i] for i in sorted(self.reach[j])), float(self.cost[j]))
             for j, s in enumerate(sites)})
        gaps = gaps.assign(priority=np.array(self.priority, float), probability=self.today,
                           province_code=self.province,
                           targets=["list" if on else "" for on in self.listed])
        kind = np.where(self.terminal, "SAT", "LTE")
        spots = spots.assign(technology=kind, variant_of=[
            f"g{g}" if g >= 0 else s for g, s in zip(self.group, sites, strict=True)])
        dbm = [self.reach[j][i] for j in range(len(sites)) for i in sorted(self.reach[j])]
        reach = reach.assign(received_dbm=dbm, technology=[
            kind[j] for j in range(len(sites)) for _ in self.reach[j]])
        costs = costs.assign(feeder=False)
        nodes = pd.Series(self.nodes, index=pd.Index(sites, name="site_id"), dtype=np.int64)
        if self.fed:
            wild = costs.assign(feeder=True, present_value_base=1000.0).rename(
                index={"site": "hops"}, level="item")
            costs = pd.concat([costs, wild])
        made = (gaps, spots, reach, costs)
        if self.operators:
            own = (self.equipment,) * 3
            made = tenants(*made, OPERATORS, equipment=own, share_masts=self.share_masts)
            nodes = tenants_nodes(nodes, made[1])
        return made, (self.network(), nodes) if self.fed else ()


def all_ways(small: Small) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return money (forests,), places joined and places that need a mast (forests, places).

    Every place hangs on one hop, on the satellite, or on nothing; what does not lead to a mast
    is no forest.
    """
    places = len(small.relay)
    ways: list[list[tuple[int, int, float]]] = []
    for v in range(places):
        own = [(0, -1, 0.0)]
        if np.isfinite(small.sky[v]):
            own.append((3, -1, small.sky[v]))
        own += [(2 if glass else 1, b if v == a else a, money) for (a, b), glass, money in
                zip(small.ends, small.fibre, small.hop, strict=True) if v in (a, b)]
        ways.append(own)
    choice = np.indices([len(own) for own in ways]).reshape(places, -1)
    count = choice.shape[1]
    medium, end = np.zeros((count, places), int), np.zeros((count, places), int)
    money = np.zeros(count)
    for v, own in enumerate(ways):
        table = np.array(own)
        medium[:, v], end[:, v] = table[choice[v], 0], table[choice[v], 1]
        money += table[choice[v], 2]
    far = small.max_hops + 1
    depth = np.full((count, places + 2), far)
    depth[:, places:] = 0
    row = np.arange(count)
    for _ in range(places):
        for v in range(places):
            up = depth[row, end[:, v]]
            depth[:, v] = np.where(medium[:, v] == 1, np.minimum(up + 1, far), np.where(
                (medium[:, v] == 2) & (up == 0), 0, far))
    joined = (depth[:, :places] < far) | (medium == 3)
    whole = (joined == (medium > 0)).all(axis=1)
    mast = np.zeros((count, places + 2), bool)
    for v in range(places):
        mast[row[medium[:, v] == 1], end[medium[:, v] == 1, v]] = True
    return money[whole], joined[whole], mast[whole, :places]


@dataclass
class Truth:
    """Everything that could be built: each row is a set of sites with the cheapest forest."""

    small: Small
    goal: Goal
    names: list[str] = field(init=False)
    points: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self._list_points()
        self._list_sites()
        self._try_everything()

    def _list_points(self) -> None:
        small = self.small
        shares = OPERATORS if small.operators else {"": 1.0}
        own = [(i, name, share) for name, share in sorted(shares.items())
               for i in range(len(small.learners))]
        self.points = ["pqrstu"[i] + (f"|{name}" if name else "") for i, name, _ in own]
        self.gap = np.array([i for i, _, _ in own])
        self.operator = [name for _, name, _ in own]
        self.learners = np.array([small.learners[i] * share for i, _, share in own])
        self.weight = self.learners * np.array(small.priority)[self.gap]
        self.today = np.array(small.today)[self.gap]
        self.listed = np.array(small.listed)[self.gap]
        self.province = np.array(small.province)[self.gap]

    def _list_sites(self) -> None:
        small, found = self.small, []
        for j, money in enumerate(small.cost):
            if small.nodes[j] == -2 or (small.terminal[j] and self.goal.satellite == "never"):
                continue
            place = f"g{small.group[j]}" if small.group[j] >= 0 else f"S{j}"
            if not small.operators:
                found.append((f"S{j}", j, float(money), place, {""}))
                continue
            every = sorted(OPERATORS)
            sets = [tuple(every)] if small.terminal[j] else [
                c for k in (1, 2) for c in combinations(every, k) if small.share_masts or k == 1]
            for own in sets:
                more = 0.0 if small.terminal[j] else small.equipment * (len(own) - 1)
                tag = "+".join(own)
                found.append((f"S{j}|{tag}", j, money + more,
                              place if small.share_masts else f"{place}|{tag}", set(own)))
        self.names = [f[0] for f in found]
        self.site = np.array([f[1] for f in found], int)
        self.own = np.array([f[2] for f in found])
        self.place = [f[3] for f in found]
        self.node = np.array(small.nodes, int)[self.site] if len(found) else np.zeros(0, int)
        chance = np.zeros((len(found), len(self.points)))
        for k, (_, j, _, _, serves) in enumerate(found):
            kind = "SAT" if small.terminal[j] else "LTE"
            for q, (i, name) in enumerate(zip(self.gap, self.operator, strict=True)):
                if name in serves and i in small.reach[j]:
                    chance[k, q] = CHANCE[kind, small.reach[j][i]]
        sky = np.array(small.terminal, bool)[self.site] if len(found) else np.zeros(0, bool)
        if self.goal.satellite == "last":
            chance[np.ix_(sky, (chance[~sky] >= NEEDED).any(axis=0))] = 0.0
        expected = self.goal.counts == "expected" and not self.goal.cover
        self.level = np.floor(chance * 20.0 + 1e-9) / 20.0 if expected else (
            chance >= NEEDED).astype(float)
        self.before = self.today if expected else np.zeros(len(self.points))

    def _try_everything(self) -> None:
        places = len(self.small.relay)
        best, cost = np.zeros((1, len(self.points))), np.zeros(1)
        built, hang = np.zeros((1, 0), bool), np.zeros(1, int)
        for k in range(len(self.names)):
            best = np.concatenate([best, np.maximum(best, self.level[k])])
            cost = np.concatenate([cost, cost + self.own[k]])
            here = 1 << int(self.node[k]) if 0 <= self.node[k] < places else 0
            hang = np.concatenate([hang, hang | here])
            built = np.concatenate([np.column_stack([built, np.zeros(len(built), bool)]),
                                    np.column_stack([built, np.ones(len(built), bool)])])
        may = np.ones(len(built), bool)
        for name in set(self.place):
            may &= built[:, [p == name for p in self.place]].sum(axis=1) <= 1
        hops = self._hops()[hang]
        may &= np.isfinite(hops)
        self.built, self.best, self.cost = built[may], best[may], (cost + hops)[may]
        self.count = self.built.sum(axis=1)
        self.more = np.maximum(self.best - self.before, 0.0)
        self.value = np.round(self.more @ self.weight * 1024.0) / 1024.0

    def _hops(self) -> np.ndarray:
        """Return the least that hops and relays cost for each set of places with a site."""
        places = len(self.small.relay)
        out = np.zeros(1 << places)
        if not self.small.fed:
            return out
        money, joined, mast = all_ways(self.small)
        for mask in range(len(out)):
            here = (mask >> np.arange(places) & 1).astype(bool)
            relay = np.where(mast & ~here, np.array(self.small.relay), 0.0).sum(axis=1)
            total = np.where(joined[:, here].all(axis=1), money + relay, np.inf)
            out[mask] = total.min()
        return out

    def row(self, names: set[str]) -> int:
        """Return the row of a set of sites, -1 = it may not be built."""
        wanted = np.array([n in names for n in self.names], bool)
        found = np.flatnonzero((self.built == wanted).all(axis=1))
        return int(found[0]) if len(found) and wanted.sum() == len(names) else -1

    @cached_property
    def held(self) -> np.ndarray:
        """Return which rows hold the kept sites."""
        return self.built[:, [n in self.goal.kept for n in self.names]].all(axis=1)

    @cached_property
    def within(self) -> np.ndarray:
        """Return which rows hold the kept sites and keep budget and number of sites."""
        goal = self.goal
        out = self.held & (self.cost <= (np.inf if goal.budget is None else goal.budget))
        return out & (self.count <= (len(self.names) if goal.max_sites is None
                                     else goal.max_sites))

    @cached_property
    def meets(self) -> np.ndarray:
        """Return which rows keep the floors."""
        rows, asked, first = [], [], []
        for floor in self.goal.floors:
            amount = self.learners if floor.of == "learners" else np.ones(len(self.points))
            for value in floor.only or sorted(set(self.province)):
                own = amount * (self.province == value)
                top = np.maximum(self.level.max(axis=0, initial=0.0) - self.before, 0.0)
                near = floor.within_reach or floor.first
                rows.append(self.more @ own)
                asked.append(floor.share * float(own @ top if near else own.sum()))
                first.append(floor.first)
        if any(first):
            one = sum(r for r, f in zip(rows, first, strict=True) if f)
            most = one[self.within].max(initial=0.0)
            if most < sum(a for a, f in zip(asked, first, strict=True) if f) * (1.0 - 1e-9):
                rows = [r for r, f in zip(rows, first, strict=True) if not f] + [one]
                asked = [a for a, f in zip(asked, first, strict=True) if not f] + [most]
        out = np.ones(len(self.built), bool)
        for reached, least in zip(rows, asked, strict=True):
            out &= reached >= least - _NEAR * max(least, 1.0)
        return out


def goal_of(floors: list[Floor], **given: object) -> Goal:
    """Return a goal for the optimiser that counts every learner once."""
    return Goal(**{"method": "optimise", "max_sites": None, "poor_weight": 0.0,
                   "near_poor_weight": 0.0, "floors": tuple(floors), **given})
