"""What `why_best` found, and how it is said in words."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from phusong.written import figure, filled

__all__ = ["WhyBest"]

_NEAR = 1e-6
_MOST = 5


@dataclass(frozen=True, slots=True)
class WhyBest:
    """Why a candidate is, or is not, in the best plan.

    Parameters
    ----------
    site_id : str
        The candidate.
    objective : {"weight", "cost"}
        Whether a plan is to gain much weight or to cost little (full cover).
    kept : bool
        Whether it is ordered already, and built in any case.
    value_with, value_without : (float, float)
        Between which figures the best plan that must hold it, and the best one that must
        not, are worth; infinite = there is no such plan. Weight, or cost.
    currency : str
        Of all costs.
    cost : float
        What the site itself costs, its feeder left aside.
    cost_alone, cost_in_turn, cost_last : float
        Site and feeders if nothing else stood; in its turn in the best plan with it; and what
        that plan would cost less without it.
    gained_alone, gained_in_turn, gained_last : float
        Weight that it reaches; that it adds in its turn; that only it reaches there.
    rivals : tuple of str
        Sites of the best plan without it that the best plan with it does not hold.
    partners : tuple of str
        Other sites that only the best plan with it holds.
    flip_cost : (float, float)
        Between which costs of the site itself the choice flips: up to the first it is in a best
        plan, above the second in none. Below 0: not even for nothing. Infinite: at any
        cost, since without it nothing keeps what is asked. NaN: its cost does not count.
    flip_weight : (float, float)
        Between which factors on the weight of its points the choice flips: below the first it
        is in no best plan, from the second on it is in one. 0 = it is in at any weight,
        infinite = at none. NaN: weight does not count.
    solved_again : bool
        Whether the flip of the cost was confirmed by solving anew, a few millionths above and
        below.
    seconds : float
        CPU seconds.
    interrupted : bool
        Whether an interrupt ended it; the intervals hold all the same.

    Notes
    -----
    Factors are good to a few millionths of the plan's weight.
    """

    site_id: str
    objective: str
    kept: bool
    value_with: tuple[float, float]
    value_without: tuple[float, float]
    currency: str
    cost: float
    cost_alone: float
    cost_in_turn: float
    cost_last: float
    gained_alone: float
    gained_in_turn: float
    gained_last: float
    rivals: tuple[str, ...]
    partners: tuple[str, ...]
    flip_cost: tuple[float, float]
    flip_weight: tuple[float, float]
    solved_again: bool
    seconds: float
    interrupted: bool = False

    @property
    def choice(self) -> str:
        """``kept``, ``in``, ``out``, ``either`` (as good with as without), ``open`` or ``none``."""
        (a, b), (c, d) = self.value_with, self.value_without
        if self.kept:
            return "kept"
        if self.objective == "cost":
            a, b, c, d = -b, -a, -d, -c
        if a == b == c == d:
            return "none" if np.isinf(a) else "either"
        return "in" if a >= d else "out" if b < c else "open"

    @property
    def margin(self) -> tuple[float, float]:
        """Between which figures the best plan with it is better; negative = it is worse."""
        (a, b), (c, d) = self.value_with, self.value_without
        if self.objective == "cost":
            a, b, c, d = -b, -a, -d, -c
        with np.errstate(invalid="ignore"):
            return float(np.subtract(a, d)), float(np.subtract(b, c))

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain JSON values; what is not known, or infinite, becomes null."""
        def plain(value: Any) -> Any:
            if isinstance(value, tuple):
                return [plain(v) for v in value]
            return None if isinstance(value, float) and not np.isfinite(value) else value

        found = {key: plain(value) for key, value in asdict(self).items()}
        return {**found, "plan": "optimise", "choice": self.choice, "margin": plain(self.margin)}

    def text(self, language: str = "en") -> str:
        """Say it in words, ``"en"`` or ``"vi"``."""
        say = _Speech("vi" if language == "vi" else "en")
        unit = say("of_weight") if self.objective == "weight" else self.currency
        lines = [say(self.choice, site=self.site_id),
                 say("with", value=say.between(self.value_with), unit=unit)]
        if not self.kept:
            lines.append(say("without", value=say.between(self.value_without), unit=unit))
        if self.rivals:
            lines.append(say("rivals", names=_list(self.rivals)))
        if self.partners:
            lines.append(say("partners", names=_list(self.partners)))
        lines += [say("gains", **asdict(self)), say("costs", **asdict(self))]
        if not self.kept:
            lines += [self._cost_line(say), self._weight_line(say)]
            if np.isfinite(self.flip_cost).any():
                lines.append(say("again" if self.solved_again else "not_again"))
        if self.interrupted:
            lines.append(say("interrupted"))
        return "\n".join(line for line in lines if line)

    def _cost_line(self, say: _Speech) -> str:
        low, high = self.flip_cost
        if np.isnan(low) and np.isnan(high):
            return say("cost_none")
        if high < 0.0:
            return say("cost_never")
        if low == np.inf:
            return say("cost_any")
        if not low >= 0.0 or high == np.inf:
            return say("cost_open" if not low >= 0.0 else "cost_from", high=high, low=low,
                       currency=self.currency)
        change = say.number(low / self.cost - 1.0, "+.1%") if self.cost else "-"
        return say("cost", at=say.between(self.flip_cost, 0), change=change, cost=self.cost,
                   currency=self.currency)

    def _weight_line(self, say: _Speech) -> str:
        low, high = self.flip_weight
        if np.isnan(low) or np.isnan(high):
            return ""
        if low == np.inf:
            return say("weight_never")
        if high == 0.0:
            return say("weight_any")
        return say("weight", at=say.between(self.flip_weight, 4),
                   change=say.number(low - 1.0, "+.1%"))

    def __repr__(self) -> str:
        return self.text()


@dataclass(frozen=True, slots=True)
class _Speech:
    """The sentences in one language, with numbers as it writes them."""

    language: str

    def __call__(self, key: str, **about: object) -> str:
        return filled(_WORDS[self.language][key], self.language, **about)

    def number(self, value: float, form: str) -> str:
        return figure(value, self.language, form)

    def between(self, span: tuple[float, float], digits: int | None = None) -> str:
        """Say one figure, or two where nothing better is proven."""
        low, high = span
        if np.isinf(low) and low == high:
            return self("no_plan")
        show = [self.number(v, ",.10g" if digits is None else f",.{digits}f") for v in span]
        if high - low <= _NEAR * max(abs(high), 1e-9):
            return show[0]
        return self("between", low=show[0] if np.isfinite(low) else "?",
                    high=show[1] if np.isfinite(high) else "?")


def _list(names: tuple[str, ...]) -> str:
    more = f" (+{len(names) - _MOST})" if len(names) > _MOST else ""
    return ", ".join(names[:_MOST]) + more


_WORDS = {
    "en": {
        "kept": "{site} is ordered already: every plan holds it, whatever it gains.",
        "in": "{site} is in the best plan (optimised, not the greedy order).",
        "out": "{site} is not in the best plan (optimised, not the greedy order).",
        "either": "The best plan is as good with {site} as without it.",
        "none": "No plan keeps what is asked, with {site} or without it.",
        "open": "Whether the best plan holds {site} is not proven in this time.",
        "of_weight": "of weight", "no_plan": "none", "between": "{low} to {high}",
        "with": "The best plan with it: {value} {unit}.",
        "without": "The best plan without it: {value} {unit}.",
        "rivals": "Without it the best plan would build {names}.",
        "partners": "Only with it the best plan builds {names}.",
        "gains": "Weight: {gained_alone:,.0f} alone, {gained_in_turn:,.0f} in its turn, "
                 "{gained_last:,.0f} that nobody else in the plan reaches.",
        "costs": "Its cost with feeders: {cost_alone:,.0f} {currency} if it stood alone, "
                 "{cost_in_turn:,.0f} in its turn, {cost_last:,.0f} after all others of the plan.",
        "cost": "The site itself costs {cost:,.0f} {currency}; the choice flips at {at} "
                "({change}).",
        "cost_none": "Without a budget its cost does not count.",
        "cost_never": "Not even for nothing would the site itself be in a best plan.",
        "cost_any": "It is in at any cost: without it no plan keeps what is asked.",
        "cost_from": "It is in a best plan up to a cost of the site itself of {low:,.0f} "
                     "{currency}; above, nothing is proven.",
        "cost_open": "At what cost of the site itself it comes in is not proven; above {high:,.0f} "
                     "{currency} it is in no best plan.",
        "weight": "The choice flips if the points it reaches count {at} times as much "
                  "({change}).",
        "weight_never": "However much the points it reaches count, it is in no best plan.",
        "weight_any": "However little the points it reaches count, it is in a best plan.",
        "again": "Solved again a few millionths above and below that cost: the choice flips there.",
        "not_again": "Solving again at that cost did not prove the flip in this time.",
        "interrupted": "Interrupted: the intervals hold, but more time would narrow them.",
    },
    "vi": {
        "kept": "{site} đã được đặt hàng: mọi phương án đều có trạm này.",
        "in": "{site} nằm trong phương án tốt nhất (tối ưu, không phải thứ tự tham lam).",
        "out": "{site} không nằm trong phương án tốt nhất (tối ưu, không phải thứ tự tham lam).",
        "either": "Phương án tốt nhất có hay không có {site} đều tốt như nhau.",
        "none": "Có hay không có {site}, không phương án nào đạt yêu cầu.",
        "open": "Trong thời gian này chưa chứng minh được {site} có nằm trong phương án tốt nhất "
                "hay không.",
        "of_weight": "trọng số", "no_plan": "không có", "between": "từ {low} đến {high}",
        "with": "Phương án tốt nhất có trạm này: {value} {unit}.",
        "without": "Phương án tốt nhất không có trạm này: {value} {unit}.",
        "rivals": "Không có trạm này, phương án tốt nhất sẽ xây {names}.",
        "partners": "Chỉ khi có trạm này, phương án tốt nhất mới xây {names}.",
        "gains": "Trọng số: {gained_alone:,.0f} nếu xây riêng, {gained_in_turn:,.0f} khi đến lượt, "
                 "{gained_last:,.0f} mà không trạm nào khác trong phương án phủ tới.",
        "costs": "Chi phí kể cả đường truyền: {cost_alone:,.0f} {currency} nếu xây riêng, "
                 "{cost_in_turn:,.0f} khi đến lượt, {cost_last:,.0f} sau mọi trạm khác.",
        "cost": "Riêng trạm tốn {cost:,.0f} {currency}; lựa chọn đổi ở mức {at} ({change}).",
        "cost_none": "Không có giới hạn ngân sách nên chi phí của trạm không ảnh hưởng.",
        "cost_never": "Dù riêng trạm không tốn gì, nó cũng không nằm trong phương án tốt nhất.",
        "cost_any": "Trạm luôn được chọn: không có nó thì không phương án nào đạt yêu cầu.",
        "cost_from": "Trạm nằm trong phương án tốt nhất khi riêng trạm tốn đến {low:,.0f} "
                     "{currency}; trên mức đó chưa chứng minh được gì.",
        "cost_open": "Chưa chứng minh được trạm được chọn ở mức chi phí nào; trên {high:,.0f} "
                     "{currency} thì không có phương án tốt nhất nào có trạm này.",
        "weight": "Lựa chọn đổi nếu các điểm trạm phủ tới được tính gấp {at} lần ({change}).",
        "weight_never": "Dù các điểm trạm phủ tới được tính nhiều đến đâu, trạm vẫn không được "
                        "chọn.",
        "weight_any": "Dù các điểm trạm phủ tới được tính ít đến đâu, trạm vẫn được chọn.",
        "again": "Đã giải lại ở mức cao hơn và thấp hơn vài phần triệu: lựa chọn đổi tại đó.",
        "not_again": "Giải lại ở mức chi phí đó chưa chứng minh được sự thay đổi trong thời gian "
                     "này.",
        "interrupted": "Đã ngắt: các khoảng vẫn đúng, nhưng thêm thời gian sẽ thu hẹp chúng.",
    },
}
