"""What a site costs, item by item, low, base and high, with the source of every figure."""

from __future__ import annotations

from phusong.cost.price import price, totals
from phusong.cost.register import REGISTERS, Costs, Item

__all__ = ["REGISTERS", "Costs", "Item", "price", "totals"]
