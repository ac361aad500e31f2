"""The register of unit costs, and the noun that says how they are used."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Self

import numpy as np
import yaml
from pydantic import ConfigDict, Field, field_validator, model_validator

from phusong.nouns import Noun, Text, nearest
from phusong.profile import Profile

__all__ = ["REGISTERS", "Costs", "Item", "Rate"]


class Item(Noun):
    """One row of the register: a unit cost, or a figure that a quantity is computed from.

    Parameters
    ----------
    label : Text
        What it is, in words.
    unit : str
        What one unit is.
    low, base, high : float
        The cheap, the usual and the dear case.
    currency : str
        Of the three; empty = a plain figure, no money.
    year : int or None
        Year of the money, where the source tells. No inflation is applied.
    source : str
        Where the figure comes from.
    confidence : {"H", "M", "L"}
        Primary source; secondary source or one step of arithmetic; indirect or chosen.
    foreign : bool
        Whether it comes from another country than the one that is planned for.
    life_years : float or None
        After so many years it is bought again; None = it outlasts the horizon
        and is worth nothing at its end (the cautious reading where no source
        tells its life).
    life_source : str
        Who says how long it lasts.
    """

    label: Text = Text()
    unit: str = ""
    low: float = Field(ge=0.0)
    base: float = Field(ge=0.0)
    high: float = Field(ge=0.0)
    currency: str = ""
    year: int | None = None
    source: str = "the study file"
    confidence: str = Field(default="M", pattern="^[HML]$")
    foreign: bool = False
    life_years: float | None = Field(default=None, ge=1.0, le=100.0)
    life_source: str = ""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.currency and not self.low <= self.base <= self.high:
            raise ValueError(f"low, base, high = {self.low:g}, {self.base:g}, {self.high:g} are "
                             f"not in this order")
        return self


class Rate(Noun):
    """How many units of a currency one US dollar buys, and who says so."""

    per_usd: float = Field(gt=0.0)
    date: dt.date | None = None
    source: str = ""


@lru_cache(maxsize=1)
def _file() -> dict[str, Any]:
    return yaml.safe_load((files("phusong.cost") / "costs.yml").read_text(encoding="utf-8"))


def _registers() -> Mapping[str, Mapping[str, Item]]:
    held = {name: rows for name, rows in _file().items() if name != "rates"}
    generic = {key: Item(**row) for key, row in held["generic"].items()}
    return MappingProxyType({
        name: MappingProxyType(generic | {key: Item(**row) for key, row in rows.items()})
        for name, rows in held.items()})


REGISTERS: Mapping[str, Mapping[str, Item]] = _registers()
"""Unit costs by register and key; a country's register stands on the generic one."""

_RATES = {name: Rate(**row) for name, row in _file()["rates"].items()}


class Costs(Noun):
    """Unit costs, currency and discounting of a study.

    Parameters
    ----------
    currency : str
        Currency of every figure that comes out.
    per_usd : float or None
        Units of `currency` for one US dollar; None = the register's own rate,
        if it has one.
    rate_source, rate_date
        Where the rate comes from, and of which day it is.
    register_name : str
        Which register the items come from; in a study file ``register``.
    discount_rate : float
        Real rate a year: 0.05 as in pytal and pobis (3.5 % dice, 8 % OnSSET).
    horizon_years : int
        Years of operation that are paid for (10: ITU CPP, pytal).
    residual_value : bool
        Whether what is left of an item's life at the end of the horizon is
        taken off, in a straight line, discounted from there.
    items : dict of str to Item
        Figures that replace those of the register; low, base, high and source at least.
    multipliers : dict of str to float
        Factors on the money of single items, e.g. ``{"macro_site": 1.2}``.

    Examples
    --------
    >>> Costs(currency="USD").item("macro_site").base
    70000.0
    """

    model_config = ConfigDict(populate_by_name=True)

    currency: str = Field(default="USD", pattern="^[A-Z]{3}$")
    per_usd: float | None = Field(default=None, gt=0.0)
    rate_source: str = ""
    rate_date: dt.date | None = None
    register_name: str = Field(default="generic", alias="register")
    discount_rate: float = Field(default=0.05, ge=0.0, lt=1.0)
    horizon_years: int = Field(default=10, ge=1, le=50)
    residual_value: bool = True
    items: dict[str, Item] = Field(default_factory=dict)
    multipliers: dict[str, float] = Field(default_factory=dict)

    @field_validator("items", mode="before")
    @classmethod
    def _complete(cls, values: Any) -> Any:
        """Fill an item of the study file up from the register; unknown keys are refused."""
        if not isinstance(values, Mapping):
            return values
        cls._known(values)
        out: dict[str, Any] = {}
        for key, row in values.items():
            if isinstance(row, Mapping):
                old = REGISTERS["generic"][key]
                mine = {"label": old.label, "unit": old.unit, "currency": old.currency,
                        "life_years": old.life_years, "life_source": old.life_source}
                if "base" in row:
                    mine |= {"low": row["base"], "high": row["base"]}
                row = mine | dict(row)
            out[key] = row
        return out

    @field_validator("multipliers")
    @classmethod
    def _positive(cls, values: dict[str, float]) -> dict[str, float]:
        cls._known(values)
        wrong = {k: v for k, v in values.items() if not 0.0 < v < 1000.0}
        if wrong:
            raise ValueError(f"multipliers must lie between 0 and 1000: {wrong}")
        return values

    @staticmethod
    def _known(values: Mapping[str, Any]) -> None:
        known = REGISTERS["generic"]
        said = "; ".join(f'no cost item "{k}". {nearest(str(k), known)}' for k in values
                         if k not in known)
        if said:
            raise ValueError(said)

    @model_validator(mode="after")
    def _convertible(self) -> Self:
        if self.register_name not in REGISTERS:
            raise ValueError(f'no register of costs "{self.register_name}". '
                             f"{nearest(self.register_name, REGISTERS)}")
        used = {item.currency for item in self.table.values() if item.currency}
        unknown = sorted(c for c in used | {self.currency} if not self._has_rate(c))
        if unknown:
            raise ValueError(f"no exchange rate for {', '.join(unknown)}. Give per_usd (units of "
                             f"{self.currency} for one US dollar) and rate_source")
        return self

    def _has_rate(self, currency: str) -> bool:
        return currency in _RATES or (currency == self.currency and self.per_usd is not None)

    @classmethod
    def of_profile(cls, profile: Profile) -> dict[str, Any]:
        """Return the values that a country's profile settles, for a study file to overrule.

        The register is the one named like the profile or like the profile it
        extends, if there is one.
        """
        named = [name for name in (profile.name, profile.extends) if name in REGISTERS]
        return {"currency": profile.currency, "per_usd": profile.currency_per_usd,
                "rate_source": profile.currency_source,
                "register": named[0] if named else "generic"}

    @property
    def table(self) -> dict[str, Item]:
        """Every item in use: the register, overruled by the study's own."""
        return dict(REGISTERS[self.register_name]) | self.items

    def item(self, key: str) -> Item:
        """Return the item called `key`."""
        return self.table[key]

    def rate(self, currency: str) -> Rate:
        """Return the rate of a currency to the US dollar that this study uses."""
        if currency == self.currency and self.per_usd is not None:
            return Rate(per_usd=self.per_usd, date=self.rate_date, source=self.rate_source)
        return _RATES[currency]

    def figures(self, key: str) -> np.ndarray:
        """Return low, base and high of an item, money in the study's currency, (3,)."""
        item = self.table[key]
        values = np.array([item.low, item.base, item.high]) * self.multipliers.get(key, 1.0)
        if not item.currency or item.currency == self.currency:
            return values
        return values / self.rate(item.currency).per_usd * self.rate(self.currency).per_usd

    def source(self, key: str) -> str:
        """Return the source of an item, with the conversion and the multiplier, if any."""
        item = self.table[key]
        said = item.source
        if item.currency and item.currency != self.currency:
            mine, theirs = self.rate(self.currency), self.rate(item.currency)
            rate = mine if mine.per_usd != 1.0 else theirs
            when = f", {rate.date}" if rate.date else ""
            said += (f"; {item.currency} converted at {mine.per_usd / theirs.per_usd:,.6g} "
                     f"{self.currency} ({rate.source or 'rate of the study file'}{when})")
        if key in self.multipliers:
            said += f"; x {self.multipliers[key]:g} by the study file"
        if item.life_years is not None:
            said += f"; lasts {item.life_years:g} years ({item.life_source or 'the study file'})"
        return said

    @property
    def annuity(self) -> float:
        """Present value of 1 paid at the end of each year of the horizon."""
        years = np.arange(1, self.horizon_years + 1)
        return float(((1.0 + self.discount_rate) ** -years).sum())

    def renewal(self, key: str) -> float:
        """Present value of buying an item again, per unit of its capex.

        It is bought again whenever its life is over before the horizon is; never
        at the end of the horizon, where nobody would use it any more.
        """
        return float(sum((1.0 + self.discount_rate) ** -when for when in self._bought_again(key)))

    def residual(self, key: str) -> float:
        """Present value of what is left of an item at the end of the horizon, per unit of capex."""
        life = self.table[key].life_years
        if life is None or not self.residual_value:
            return 0.0
        last = ([0.0, *self._bought_again(key)])[-1]
        left = (last + life - self.horizon_years) / life
        return float(left * (1.0 + self.discount_rate) ** -self.horizon_years)

    def _bought_again(self, key: str) -> list[float]:
        life = self.table[key].life_years
        if life is None:
            return []
        times = np.arange(1, int(self.horizon_years / life) + 1) * life
        return [float(t) for t in times if t < self.horizon_years - 1e-9]
