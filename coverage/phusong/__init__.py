"""Phủ Sóng: find the gaps of mobile coverage, say why, and plan the sites that close them.

The verbs and nouns of a planner, in the order of the river::

    import phusong as ps
    study = ps.Study.read("data/raw/demo/study.yml")
    points, sites, terrain, around = ps.read(study)
    links = ps.link(points, sites, terrain, study.radio)
    service = ps.assess(points, links, study.need)

Names are loaded when they are first used, so that ``import phusong`` is quick.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_ROOMS = {
    "Backhaul": "phusong.backhaul",
    "Costs": "phusong.cost",
    "Crosswalk": "phusong.units",
    "Feeder": "phusong.backhaul",
    "Floor": "phusong.plan",
    "Goal": "phusong.plan",
    "Need": "phusong.service",
    "PhusongError": "phusong.errors",
    "Profile": "phusong.profile",
    "Radio": "phusong.radio.budget",
    "Siting": "phusong.siting",
    "Store": "phusong.store",
    "Study": "phusong.study",
    "Surroundings": "phusong.surroundings",
    "Target": "phusong.progress",
    "Terrain": "phusong.terrain",
    "Works": "phusong.plan",
    "assess": "phusong.service",
    "break_down": "phusong.tally",
    "calibrate": "phusong.calibration",
    "carry": "phusong.units",
    "chain": "phusong.units",
    "check": "phusong.pipeline",
    "curve": "phusong.plan",
    "deadlines": "phusong.plan",
    "declared": "phusong.declared",
    "disagreement": "phusong.declared",
    "draw": "phusong.maps",
    "explain": "phusong.explanation",
    "feeders": "phusong.backhaul",
    "fictional": "phusong.sources.fictional",
    "flows": "phusong.tally",
    "footprint": "phusong.footprints",
    "forecast": "phusong.outlook",
    "hops": "phusong.backhaul",
    "link": "phusong.links",
    "on_air": "phusong.progress",
    "optimise": "phusong.plan",
    "own_feeders": "phusong.backhaul",
    "people_by_commune": "phusong.people",
    "people_nearest": "phusong.people",
    "people_within": "phusong.people",
    "price": "phusong.cost",
    "propose": "phusong.siting",
    "rank": "phusong.plan",
    "rank_connected": "phusong.plan",
    "read": "phusong.pipeline",
    "risks": "phusong.plan",
    "run": "phusong.pipeline",
    "save": "phusong.maps",
    "schedule": "phusong.plan",
    "track": "phusong.tally",
}

__all__ = ["__version__", *sorted(_ROOMS)]

if TYPE_CHECKING:
    from phusong.backhaul import Backhaul, Feeder, feeders, hops, own_feeders
    from phusong.calibration import calibrate
    from phusong.cost import Costs, price
    from phusong.declared import declared, disagreement
    from phusong.errors import PhusongError
    from phusong.explanation import explain
    from phusong.footprints import footprint
    from phusong.links import link
    from phusong.maps import draw, save
    from phusong.outlook import forecast
    from phusong.people import people_by_commune, people_nearest, people_within
    from phusong.pipeline import check, read, run
    from phusong.plan import (
        Floor,
        Goal,
        Works,
        curve,
        deadlines,
        optimise,
        rank,
        rank_connected,
        risks,
        schedule,
    )
    from phusong.profile import Profile
    from phusong.progress import Target, on_air
    from phusong.radio.budget import Radio
    from phusong.service import Need, assess
    from phusong.siting import Siting, propose
    from phusong.sources.fictional import fictional
    from phusong.store import Store
    from phusong.study import Study
    from phusong.surroundings import Surroundings
    from phusong.tally import break_down, flows, track
    from phusong.terrain import Terrain
    from phusong.units import Crosswalk, carry, chain


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"module 'phusong' has no attribute {name!r}")
    value = getattr(importlib.import_module(_ROOMS[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
