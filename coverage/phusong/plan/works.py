"""The noun `Works`: crews, lead times, rain, money by quarter; and how long things take."""

from __future__ import annotations

import datetime as dt
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray
from pydantic import Field, field_validator, model_validator
from scipy.special import betaincinv

from phusong.nouns import Noun, Text, nearest

__all__ = ["KIND_OF_WORK", "Duration", "Works", "quarter_start"]

KIND_OF_WORK = MappingProxyType({"macro": "macro", "light": "light", "satellite": "terminal",
                                 "roof": "terminal", "repeater": "light",
                                 "micro": "light"})
"""Which durations an intervention takes; one that is not named is work on a standing mast."""

_SHAPE = 4.0


class Duration(Noun):
    """How long one step takes.

    Parameters
    ----------
    label : Text
        What the step is called.
    low, base, high : float
        Quick, most likely and slow, in `unit`.
    unit : str
        ``days``, ``crew days`` or ``days per km``.
    source, confidence : str
        Where the figures come from; H, M or L as in the register of costs.
    """

    label: Text = Text()
    low: float = Field(ge=0.0)
    base: float = Field(ge=0.0)
    high: float = Field(ge=0.0)
    unit: str = "days"
    source: str = "study file"
    confidence: str = Field(default="", pattern="^[HML]?$")

    @model_validator(mode="after")
    def _in_order(self) -> Duration:
        if not self.low <= self.base <= self.high:
            raise ValueError(f"low {self.low:g}, base {self.base:g}, high {self.high:g}: write "
                             f"them in ascending order")
        return self

    def quantile(self, probability: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the duration that is not exceeded with `probability`, same shape.

        The distribution is beta-PERT between `low` and `high` with its mode at
        `base` and mean ``(low + 4 base + high) / 6`` (Malcolm, Roseboom, Clark,
        Fazar 1959).
        """
        span = self.high - self.low
        if span <= 0.0:
            return np.full(np.shape(probability), self.base)
        first = 1.0 + _SHAPE * (self.base - self.low) / span
        second = 1.0 + _SHAPE * (self.high - self.base) / span
        return np.asarray(self.low + span * betaincinv(first, second, probability), np.float64)


@cache
def _register() -> dict[str, dict[str, Any]]:
    text = files("phusong.plan").joinpath("durations.yml").read_text(encoding="utf-8")
    return dict(yaml.safe_load(text))


def quarter_start(name: str) -> dt.date:
    """Return the first day of a quarter written as ``2022Q1``.

    Raises
    ------
    ValueError
        If it is not written so.
    """
    year, _, number = name.partition("Q")
    if not (len(year) == 4 and year.isdigit() and number in ("1", "2", "3", "4")):
        raise ValueError(f'"{name}" is no quarter; write it like 2022Q1')
    return dt.date(int(year), 3 * int(number) - 2, 1)


class Works(Noun):
    """Who builds, from when, how fast, and with what money.

    Parameters
    ----------
    start : date or None
        First day of work; None = the study's day.
    crews : int
        Crews of every operator that `crews_of` does not name.
    crews_of : dict of str to int
        Crews of single operators; sites of one operator wait for its own crews.
    durations : dict of str to Duration
        What replaces the program's figures (``plan/durations.yml``), by the same names.
    rainy_months : tuple of int
        Months (1 to 12) in which outdoor work is slow; empty = none.
    rainy_pace : float
        Work done on a rainy day, in dry days; 0.5 is a planning assumption.
    budget : dict of str to float
        Money that becomes available at the start of each quarter (``2022Q1: 5e9``),
        in the currency of the costs; unspent money stays. Empty = no limit.
    lockdown_first : bool
        Whether sites that serve localities under distancing go first.
    shared : float
        Share of the variance of each step's duration that all sites have in
        common (a slow office is slow for everybody), 0 to 1; a planning
        assumption. With 0 the delays of many sites cancel out, which they do not
        in the field.
    draws : int
        Monte Carlo draws.
    seed : int
        Of the random stream: the same seed gives the same figures.
    """

    start: dt.date | None = None
    crews: int = Field(default=2, ge=1, le=10_000)
    crews_of: dict[str, int] = Field(default_factory=dict)
    durations: dict[str, Duration] = Field(default_factory=dict)
    rainy_months: tuple[int, ...] = ()
    rainy_pace: float = Field(default=0.5, ge=0.05, le=1.0)
    budget: dict[str, float] = Field(default_factory=dict)
    lockdown_first: bool = True
    shared: float = Field(default=0.3, ge=0.0, le=1.0)
    draws: int = Field(default=2000, ge=100, le=100_000)
    seed: int = Field(default=2021, ge=0)

    @field_validator("durations", mode="before")
    @classmethod
    def _over_the_register(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            raise ValueError("write name: {low: ..., base: ..., high: ...} for each duration")
        known = _register()
        wrong = [f'there is no duration "{name}". {nearest(str(name), known)}' for name in given
                 if name not in known]
        if wrong:
            raise ValueError("; ".join(wrong))
        return {name: value if isinstance(value, Duration) else
                {**known[name], "source": "study file", "confidence": "", **dict(value or {})}
                for name, value in given.items()}

    @field_validator("rainy_months")
    @classmethod
    def _months(cls, given: tuple[int, ...]) -> tuple[int, ...]:
        wrong = [m for m in given if not 1 <= m <= 12]
        if wrong:
            raise ValueError(f"months run from 1 to 12, not {wrong}")
        return tuple(sorted(set(given)))

    @field_validator("crews_of")
    @classmethod
    def _some_crews(cls, given: dict[str, int]) -> dict[str, int]:
        wrong = [name for name, count in given.items() if count < 1]
        if wrong:
            raise ValueError(f"{', '.join(wrong)}: an operator needs at least one crew")
        return given

    @field_validator("budget")
    @classmethod
    def _quarters(cls, given: dict[str, float]) -> dict[str, float]:
        for name, amount in given.items():
            quarter_start(name)
            if not amount >= 0.0:
                raise ValueError(f"{name}: {amount} is no amount of money")
        return dict(sorted(given.items()))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all durations, as in ``plan/durations.yml``."""
        return tuple(_register())

    def duration(self, name: str) -> Duration:
        """Return how long a step takes: the study's figure, else the program's.

        Parameters
        ----------
        name : str
            As in ``plan/durations.yml``, e.g. ``permit.macro``.
        """
        return self.durations.get(name) or Duration.model_validate(_register()[name])
