"""What can be reported about a point: gaps, claims of coverage, field checks, devices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["POINT_SUBJECTS", "REQUIRED", "PointSubject"]


@dataclass(frozen=True, slots=True)
class PointSubject:
    """The columns of a report about points.

    Parameters
    ----------
    default : str
        Action where the file has no such column; empty = the column is needed.
    needed : mapping of action to tuple of str
        Columns that must be filled for an action.
    texts : tuple of str
        Columns taken over as they stand.
    numbers : mapping of str to (float, float)
        Columns that hold numbers, and their range.
    whole : tuple of str
        Numbers that must be whole.
    operator : {"no", "may", "must"}
        Whether a row names who says so.
    part : str
        Column whose code tells statements about one point and day apart; empty = none.
    """

    default: str
    needed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    texts: tuple[str, ...] = ("reason",)
    numbers: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    whole: tuple[str, ...] = ()
    operator: str = "no"
    part: str = ""


POINT_SUBJECTS: Mapping[str, PointSubject] = {
    "gap": PointSubject(
        default="open", texts=("reason", "merged_into", "name", "target"),
        needed={"merge": ("merged_into", "reason"), "withdraw": ("reason",),
                "reopen": ("reason",)}),
    "claim": PointSubject(default="covers", operator="must"),
    "check": PointSubject(
        default="", texts=("reason", "checked_by"), operator="may",
        numbers={"rsrp_dbm": (-160.0, -20.0)}, needed={"measured": ("rsrp_dbm",)}),
    "device": PointSubject(
        default="deliver", texts=("reason",), operator="may", part="delivery_code",
        numbers={"devices": (1.0, 100_000.0)}, whole=("devices",),
        needed={"deliver": ("devices",), "take": ("devices",)}),
}
"""Every subject that is about a point, by name."""

REQUIRED: Mapping[str, tuple[str, ...]] = {
    "site": ("site_code", "effective_date"),
    **dict.fromkeys(POINT_SUBJECTS, ("point_id", "effective_date"))}
"""Columns that every file about a subject must have; the first one is the key."""
