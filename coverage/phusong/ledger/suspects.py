"""Suspected duplicates: sites of one operator with different codes that stand too near."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from phusong.errors import InputError
from phusong.geo import DEGREES, transform
from phusong.ledger.events import VERDICTS, Event, Statement, canonical, site_key
from phusong.ledger.filing import Filing, Row, raw_text
from phusong.ledger.fold import Cell
from phusong.ledger.inventory import Inventory
from phusong.nouns import nearest

__all__ = ["SUSPICIOUS_M", "Masts", "decision", "settled_pairs", "suspected_pairs"]

SUSPICIOUS_M = 50.0
"""Two sites of one operator nearer than this may be one site with two codes, metres."""


@dataclass(frozen=True)
class Masts:
    """Where sites stand: one row per site, coordinates in one CRS, metres.

    Parameters
    ----------
    keys : tuple of (operator, site code)
        Whose, and which.
    x, y : (n,) float64
        Position.
    """

    keys: tuple[tuple[str, str], ...]
    x: NDArray[np.float64]
    y: NDArray[np.float64]

    def without(self, keys: Collection[tuple[str, str]]) -> Masts:
        """Return all masts but those of `keys`."""
        rest = np.array([key not in keys for key in self.keys], bool)
        return Masts(tuple(k for k, r in zip(self.keys, rest, strict=True) if r), self.x[rest],
                     self.y[rest])

    @classmethod
    def of_inventory(cls, inventory: Inventory, crs: Any) -> Masts:
        """Return the masts of an inventory, each where its first cell (by id) stands."""
        sites = inventory.sites
        if sites is None or sites.empty:
            return cls((), np.empty(0), np.empty(0))
        first: dict[tuple[str, str], int] = {}
        for place in np.argsort(sites.index.to_numpy(object).astype(str), kind="stable"):
            first.setdefault(inventory.units[inventory.unit[place]], int(place))
        rows = list(first.values())
        x, y = transform(sites.geometry.x.to_numpy()[rows], sites.geometry.y.to_numpy()[rows],
                         sites.crs, crs)
        return cls(tuple(first), x, y)

    @classmethod
    def of_cells(cls, cells: Iterable[Cell], as_of: str, crs: Any) -> Masts:
        """Return the masts of the cells on air on a day, each where its first cell stands."""
        first: dict[tuple[str, str], Mapping[str, Any]] = {}
        for cell in sorted(cells, key=lambda c: (c.operator, c.site, c.part)):
            if cell.on_air(as_of):
                first.setdefault((cell.operator, cell.site), cell.at(as_of))
        x, y = transform([v["lon"] for v in first.values()], [v["lat"] for v in first.values()],
                         DEGREES, crs)
        return cls(tuple(first), x, y)


def suspected_pairs(told: Masts, standing: Masts, settled: Collection[tuple[str, str, str]],
                    within_m: float = SUSPICIOUS_M) -> pd.DataFrame:
    """Return pairs of sites of one operator that stand suspiciously near to each other.

    Parameters
    ----------
    told : Masts
        Sites of which something was reported.
    standing : Masts
        The other sites.
    settled : collection of (operator, code, code)
        Pairs that a person has settled, codes in alphabetical order.
    within_m : float
        Nearer than this is suspicious, metres.

    Returns
    -------
    DataFrame
        Columns operator, site_code, other_site_code, distance_m; sorted; at least one of the
        two was reported.  Operators are never compared with each other: they share masts.
    """
    rows: set[tuple[str, str, str, float]] = set()
    keys = [*told.keys, *standing.keys]
    where = np.column_stack([np.r_[told.x, standing.x], np.r_[told.y, standing.y]])
    near = cKDTree(where).query_ball_point(where[:len(told.keys)], within_m) if keys else []
    for place, others in enumerate(near):
        operator, code = keys[place]
        for other in others:
            pair = (code, keys[other][1]) if code < keys[other][1] else (keys[other][1], code)
            if keys[other][0] == operator and pair[0] != pair[1] and (
                    (operator, *pair) not in settled):
                distance = float(np.hypot(*(where[place] - where[other])))
                rows.add((operator, *pair, round(distance, 2)))
    return pd.DataFrame(sorted(rows), columns=["operator", "site_code", "other_site_code",
                                               "distance_m"])


def decision(operator: str, code: str, other: str, *, verdict: str, reason: str,
             recorded_at: str, known: Collection[tuple[str, str]]) -> Filing:
    """Return a person's word on two suspected site codes as it enters the book.

    Parameters
    ----------
    operator, code, other, verdict, reason
        As `Ledger.settle` takes them.
    recorded_at : str
        ISO time.
    known : collection of (operator, site code)
        Every site of which something was said, or that stands in an inventory.

    Raises
    ------
    InputError
        If there is no such verdict, operator or site, no reason, or the codes are not two.
    """
    if verdict not in VERDICTS:
        raise InputError(f'There is no verdict "{verdict}". {nearest(verdict, VERDICTS)}')
    if site_key(code) == site_key(other) or not code.strip() or not other.strip():
        raise InputError(f'"{code}" and "{other}" are not two site codes.')
    if not reason.strip():
        raise InputError("A word on two sites needs a reason: who says so, and why.")
    mine = {here for who, here in known if who == operator}
    if not mine:
        raise InputError(f'There is no site of "{operator}". '
                         f"{nearest(operator, {who for who, _ in known})}")
    strange = [name for name in (code, other) if site_key(name) not in mine]
    if strange:
        raise InputError(" ".join(f'{operator} has no site "{name}". '
                                  f"{_nearest_site(site_key(name), mine)}" for name in strange))
    event = Event.plain("decision", operator, verdict, site_key(code), "", recorded_at[:10],
                        {"other": site_key(other), "reason": reason})
    row = Row(1, "accepted", raw_text({"decision": event.body}), event)
    return Filing("decision", canonical({"event": event.body, "at": recorded_at}).encode(),
                  "decision", operator, "", recorded_at, (row,))


def _nearest_site(code: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(code, sorted(known), n=1)
    return f'Did you mean "{near[0]}"?' if near else "See the list of sites."


def settled_pairs(decisions: Iterable[Statement]) -> set[tuple[str, str, str]]:
    """Return (operator, code, other code) of the pairs that a person has settled."""
    pairs = {(s.event.operator, s.event.code, str(s.event.values["other"])) for s in decisions}
    return {(operator, min(a, b), max(a, b)) for operator, a, b in pairs}
