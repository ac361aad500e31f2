"""`why`: what a candidate gains, whom it beat or lost to, and what would flip the choice.

With a network every price is that of the shared bill: a site and the hops that nobody
before it has built.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from phusong.errors import UnknownNameError
from phusong.nouns import nearest
from phusong.plan.connected import Connected, connected_problem, grow
from phusong.plan.goal import GRAIN, Goal
from phusong.plan.network import Forest, Network
from phusong.plan.problem import Problem
from phusong.plan.rank import decide
from phusong.plan.reach import SitesAndPoints, covering_problem
from phusong.written import filled

__all__ = ["Why", "why"]

_HALVINGS = 40
_FARTHEST = 1e4
_MILLION = 1e6


@dataclass(frozen=True, slots=True)
class Why:
    """Why a candidate is, or is not, in the plan.

    Parameters
    ----------
    site_id : str
        The candidate.
    rank : int
        Its place in the plan; 0 = not in it.
    cost, currency
        Present value in its turn; with a network, of the site and of the hops that nobody
        before it has built.
    cost_alone, cost_last : float
        The same if nothing else stood, and if all others of the plan stood.
    gained_alone, gained_in_turn, gained_last : float
        Weight that it reaches on its own; that it adds in its turn (after those
        before it; for one that is not in the plan, after the whole plan); that
        only it adds to all others of the plan.
    per_cost : float
        Weight that it adds in its turn, per million of the currency.
    rival : str
        The best other candidate in that turn; for one that is not in the plan,
        the variant that excludes it or the last site of the plan. Empty = none.
    rival_per_cost : float
        The same figure of the rival in the same turn, at its price there.
    flip_cost : float
        The cost nearest to its own at which the choice was found to flip; NaN =
        at no cost between a ten-thousandth and ten thousand times its own. Hops keep their
        price: only what the site itself costs is changed, down to nothing.
    flip_weight : float
        The factor on the weight of the points it reaches, nearest to 1, at which
        the choice was found to flip; NaN = none.

    Notes
    -----
    Both flips are found by solving again with the changed figure: at the figure
    given the choice is the other one, a millionth nearer it is not.
    """

    site_id: str
    rank: int
    cost: float
    currency: str
    cost_alone: float
    cost_last: float
    gained_alone: float
    gained_in_turn: float
    gained_last: float
    per_cost: float
    rival: str
    rival_per_cost: float
    flip_cost: float
    flip_weight: float

    @property
    def margin(self) -> float:
        """By how much it beat its rival, or lost to it (negative): weight per million."""
        return self.per_cost - self.rival_per_cost

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain JSON values; what is not known becomes null."""
        return {"plan": "greedy"} | {
            key: None if isinstance(v, float) and not np.isfinite(v) else v
            for key, v in asdict(self).items()}

    def text(self, language: str = "en") -> str:
        """Say it in words, ``"en"`` or ``"vi"``."""
        language = "vi" if language == "vi" else "en"
        words, about = _WORDS[language], asdict(self)

        def say(key: str, change: float = 0.0) -> str:
            return filled(words[key], language, **about, change=change)

        lines = [say("in" if self.rank else "out"), say("gains")]
        if self.cost_alone != self.cost or self.cost_last != self.cost:
            lines.append(say("shared"))
        if self.rival:
            lines.append(say("beat" if self.rank else "lost"))
        if np.isfinite(self.flip_cost):
            lines.append(say("cost", self.flip_cost / self.cost - 1.0))
        if np.isfinite(self.flip_weight):
            lines.append(say("weight", self.flip_weight - 1.0))
        if not np.isfinite(self.flip_cost) and not np.isfinite(self.flip_weight):
            lines.append(say("never"))
        return "\n".join(lines)


_WORDS = {
    "en": {
        "in": "{site_id} is number {rank} in the order of weight per cost; it costs {cost:,.0f} "
              "{currency}.",
        "out": "{site_id} is not in the plan that the order of weight per cost gives; it would "
               "cost {cost:,.0f} {currency}.",
        "gains": "Weight: {gained_alone:,.0f} alone, {gained_in_turn:,.0f} in its turn, "
                 "{gained_last:,.0f} that nobody else in the plan reaches.",
        "shared": "Its cost with feeders: {cost_alone:,.0f} {currency} if it stood alone, "
                  "{cost:,.0f} in its turn, {cost_last:,.0f} after all others of the plan.",
        "beat": "In its turn it adds {per_cost:,.4g} per million, the next best, {rival}, "
                "{rival_per_cost:,.4g}.",
        "lost": "It would add {per_cost:,.4g} per million; {rival}, which is in the plan, "
                "{rival_per_cost:,.4g}.",
        "cost": "The choice flips at a cost of {flip_cost:,.0f} {currency} ({change:+.1%}).",
        "weight": "The choice flips if the points it reaches count {flip_weight:.3g} times as much "
                  "({change:+.1%}).",
        "never": "No change of its cost or of its points' weight that was tried flips the choice.",
    },
    "vi": {
        "in": "{site_id} đứng thứ {rank} theo trọng số trên chi phí; chi phí {cost:,.0f} "
              "{currency}.",
        "out": "{site_id} không nằm trong kế hoạch theo trọng số trên chi phí; chi phí sẽ là "
               "{cost:,.0f} {currency}.",
        "gains": "Trọng số: {gained_alone:,.0f} nếu xây riêng, {gained_in_turn:,.0f} khi đến lượt, "
                 "{gained_last:,.0f} mà không trạm nào khác trong kế hoạch phủ tới.",
        "shared": "Chi phí kể cả đường truyền: {cost_alone:,.0f} {currency} nếu xây riêng, "
                  "{cost:,.0f} khi đến lượt, {cost_last:,.0f} sau mọi trạm khác trong kế hoạch.",
        "beat": "Khi đến lượt, trạm thêm {per_cost:,.4g} trên một triệu; ứng viên kế tiếp {rival} "
                "thêm {rival_per_cost:,.4g}.",
        "lost": "Trạm sẽ thêm {per_cost:,.4g} trên một triệu; {rival} trong kế hoạch thêm "
                "{rival_per_cost:,.4g}.",
        "cost": "Lựa chọn đổi khi chi phí là {flip_cost:,.0f} {currency} ({change:+.1%}).",
        "weight": "Lựa chọn đổi nếu các điểm trạm phủ tới được tính gấp {flip_weight:.3g} lần "
                  "({change:+.1%}).",
        "never": "Đã thử mà không thay đổi nào về chi phí hay trọng số làm đổi lựa chọn.",
    },
}


@dataclass(frozen=True, slots=True, eq=False)
class _Case:
    """Who is chosen in which order, and what everybody costs after some have been built."""

    names: SitesAndPoints
    problem: Problem
    goal: Goal
    shared: Connected | None

    def order(self) -> NDArray[np.int64]:
        """Return the sites that `rank`, or `rank_connected`, builds."""
        if self.shared is None:
            return decide(self.problem, self.goal)[0]
        budget = np.inf if self.goal.budget is None else self.goal.budget
        return grow(self.connected(), budget=budget, max_sites=self.goal.max_sites).order

    def connected(self) -> Connected:
        """Return the problem as it is now, with its network."""
        assert self.shared is not None
        return replace(self.shared, problem=self.problem)

    def prices(self, built: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return what each site costs after those that are built, (sites,); inf = no way."""
        if self.shared is None:
            return self.problem.costs
        case = self.connected()
        if not len(built):
            return case.prices(Forest(case.network))
        return case.prices(grow(case, must=built, max_sites=len(built)).forest)

    def with_cost(self, site: int, factor: float, price: float) -> _Case:
        """Change what a site itself costs so that its price is `factor` times as high."""
        costs = self.problem.costs.copy()
        costs[site] = max(costs[site] + price * (factor - 1.0), 0.0)
        return replace(self, problem=replace(self.problem, costs=costs))

    def with_weight(self, site: int, factor: float) -> _Case:
        """Change what the points that a site reaches count."""
        p, weights = self.problem, self.problem.weights.copy()
        mine = p.indices[p.indptr[site]:p.indptr[site + 1]]
        weights[mine] = np.round(weights[mine] * factor * GRAIN) / GRAIN
        return replace(self, problem=replace(p, weights=weights))


def why(site_id: str, gaps: pd.DataFrame, spots: pd.DataFrame, reach: pd.DataFrame,
        costs: pd.DataFrame, goal: Goal, network: Network | None = None,
        node_of: pd.Series | None = None) -> Why:
    """Return why a candidate is, or is not, among the sites that are built by weight per cost.

    For the best plan see `phusong.plan.why_best`.

    Parameters
    ----------
    site_id : str
        Any candidate site.
    gaps, spots, reach, costs, goal
        As given to `phusong.plan.rank.rank`.
    network, node_of : Network and Series, optional
        As given to `phusong.plan.rank_connected`: hops are then shared, and paid by the first
        site that needs them. Without them every site costs what its own bill says.

    Raises
    ------
    UnknownNameError
        If there is no such candidate, or the goal rules it out, or it has no way to the network.
    """
    if network is None or node_of is None:
        names = covering_problem(gaps, spots, reach, costs, goal)
        case = _Case(names, names.problem, goal, None)
    else:
        names, shared = connected_problem(gaps, spots, reach, costs, goal, network, node_of)
        case = _Case(names, names.problem, goal, shared)
    if site_id not in names.sites.index:
        raise UnknownNameError(f'There is no candidate site "{site_id}" in this plan\'s problem. '
                               f"{nearest(site_id, names.sites.index)}")
    return _told(case, int(names.sites.index.get_loc(site_id)))


def _told(case: _Case, site: int) -> Why:
    problem, names = case.problem, case.names.sites.index
    order = case.order()
    chosen = site in order
    turn = int(np.flatnonzero(order == site)[0]) if chosen else len(order)
    gains, prices = _gains_after(problem, order[:turn]), case.prices(order[:turn])
    rival = _rival(case, order, turn, site, gains, prices)
    others = order[order != site]
    price = float(prices[site])
    theirs, at = (gains, prices) if chosen or rival < 0 else (
        _gains_after(problem, order[order != rival]), case.prices(order[order != rival]))
    flips = [_flip(case, site, chosen, change, worse) for change, worse in (
        (lambda factor: case.with_cost(site, factor, price), chosen),
        (lambda factor: case.with_weight(site, factor), not chosen))]
    return Why(
        site_id=str(names[site]), rank=turn + 1 if chosen else 0, cost=price,
        currency=str(case.names.sites["currency"].iloc[site]),
        cost_alone=float(case.prices(order[:0])[site]), cost_last=float(case.prices(others)[site]),
        gained_alone=float(problem.alone()[site]), gained_in_turn=float(gains[site]),
        gained_last=float(_gains_after(problem, others)[site]),
        per_cost=float(_per_cost(gains, prices)[site]),
        rival="" if rival < 0 else str(names[rival]),
        rival_per_cost=float("nan") if rival < 0 else float(_per_cost(theirs, at)[rival]),
        flip_cost=flips[0] * price, flip_weight=flips[1])


def _gains_after(problem: Problem, built: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return what each site would add to those that are built, (sites,)."""
    left = np.where(problem.covered(built) > 0, 0.0, problem.weights)
    return replace(problem, weights=left).alone()


def _per_cost(gains: NDArray[np.float64], costs: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(gains * _MILLION, costs, out=np.full(len(costs), np.inf), where=costs > 0.0)


def _rival(case: _Case, order: NDArray[np.int64], turn: int, site: int,
           gains: NDArray[np.float64], prices: NDArray[np.float64]) -> int:
    """Return the site that stood against `site`, or -1."""
    problem, goal = case.problem, case.goal
    if site not in order:
        same = [j for j in order if problem.groups[j] == problem.groups[site] >= 0]
        return int(same[0]) if same else int(order[-1]) if len(order) else -1
    left = np.inf if goal.budget is None else goal.budget - sum(
        case.prices(order[:k])[order[k]] for k in range(turn))
    taken = problem.groups[order[:turn]]
    closed = np.isin(problem.groups, taken[taken >= 0])
    free = (gains > 0.0) & (prices <= left) & ~closed & np.isfinite(prices)
    free[order[:turn]] = False
    free[site] = False
    if not free.any():
        return -1
    key = np.lexsort((np.arange(problem.sites), prices, -gains, -_per_cost(gains, prices)))
    return int(key[free[key]][0])


def _flip(case: _Case, site: int, inside: bool, change: Callable[[float], _Case], upwards: bool
          ) -> float:
    """Return the factor nearest to 1 at which the choice of `site` was found to be the other one.

    The factor is pushed away from 1 by doublings until the choice flips, then
    halved back. Every figure that is given was solved.
    """
    def chosen(factor: float) -> bool:
        return site in change(factor).order()

    near, far, step = 1.0, np.nan, 1e-6
    while step < 2.0 * _FARTHEST:
        factor = 1.0 + min(step, _FARTHEST) if upwards else 1.0 / (1.0 + min(step, _FARTHEST))
        if chosen(factor) != inside:
            far = factor
            break
        near, step = factor, 2.0 * step
    for _ in range(_HALVINGS if np.isfinite(far) else 0):
        if abs(far / near - 1.0) <= 1e-6:
            break
        middle = 0.5 * (near + far)
        near, far = (near, middle) if chosen(middle) != inside else (middle, far)
    return float(far)
