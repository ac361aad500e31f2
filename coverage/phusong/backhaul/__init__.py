"""Feeders: how a new site reaches the network, over hops that exist, shared and paid once.

`hops` lists every feeder that could be built, `Backhaul.of` prices them, `own_feeders`
gives each candidate its cheapest way alone, `feeders` the forest of a plan.
"""

from __future__ import annotations

from phusong.backhaul.forest import Backhaul, feeders, own_feeders
from phusong.backhaul.hops import hops
from phusong.backhaul.settings import Feeder

__all__ = ["Backhaul", "Feeder", "feeders", "hops", "own_feeders"]
