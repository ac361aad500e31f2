"""What a site costs, item by item, low, base and high, with the source of every figure."""

from __future__ import annotations

from phusong.cost.access import access_multiplier
from phusong.cost.feeders import hop_values, price_hops
from phusong.cost.price import dated, price, settle, totals
from phusong.cost.register import REGISTERS, Costs, Item
from phusong.cost.rows import FEEDER_ITEMS

__all__ = ["FEEDER_ITEMS", "REGISTERS", "Costs", "Item", "access_multiplier", "dated", "hop_values",
           "price", "price_hops", "settle", "totals"]
