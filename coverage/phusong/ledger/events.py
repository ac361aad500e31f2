"""What an operator (or the register of gap points) can say, in one canonical form.

An `Event` is a statement about the world: *from this day on, this is true*.
Its key is the hash of its content, so the same statement said twice is one
event.  When it was said, and when it became known, is not part of the content:
that stands in its `Statement`.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from phusong.errors import InputError

__all__ = ["GAP_ACTIONS", "SITE_ACTIONS", "STATED", "SUBJECTS", "VERDICTS", "Event", "Statement",
           "canonical", "site_key"]

SITE_ACTIONS = ("new", "change", "move", "decommission", "retract")
GAP_ACTIONS = ("open", "withdraw", "merge", "reopen")
CLAIM_ACTIONS = ("covers", "ends", "retract")
CHECK_ACTIONS = ("covered", "uncovered", "measured", "retract")
DEVICE_ACTIONS = ("deliver", "take", "retract")
VERDICTS = ("same", "distinct")
SUBJECTS: Mapping[str, tuple[str, ...]] = {
    "site": SITE_ACTIONS,
    "gap": GAP_ACTIONS,
    "claim": CLAIM_ACTIONS,
    "check": CHECK_ACTIONS,
    "device": DEVICE_ACTIONS,
    "decision": VERDICTS,
}
"""What the book is about, and what can be said about each."""
STATED = ("operator", "action", "site_code", "cell_code", "effective_date", "known_at", "seq")
"""Columns of a table of statements."""
_NUMBERS = frozenset({int, float})
_ENCODER = json.JSONEncoder(sort_keys=True, ensure_ascii=False, allow_nan=False,
                            separators=(",", ":"))


def canonical(content: object) -> str:
    """Return `content` as JSON that is the same text for the same meaning.

    Keys are sorted, numbers are floats rounded to 7 decimals (a centimetre in
    degrees), -0.0 is 0.0, and a number that is not finite is refused.

    Examples
    --------
    >>> canonical({"b": 30, "a": -0.0})
    '{"a":0.0,"b":30.0}'
    """
    return _ENCODER.encode(_plain(content))


def _plain(value: object) -> object:
    kind = type(value)
    if kind is dict or (kind not in _NUMBERS and isinstance(value, Mapping)):
        return {str(k): v if type(v) is str else _plain(v)
                for k, v in value.items() if v is not None}  # type: ignore[attr-defined]
    if kind not in _NUMBERS:
        if value is None or isinstance(value, str | bool):
            return value
        if isinstance(value, list | tuple):
            return [_plain(v) for v in value]
    number = float(value)  # type: ignore[arg-type]
    if not math.isfinite(number):
        raise InputError(f"{value!r} is not a finite number and cannot enter the ledger.")
    return round(number, 7) + 0.0


def site_key(code: str) -> str:
    """Return the form of a site or cell code that decides whether two are the same.

    Case and inner blanks do not matter; zeros and punctuation do.

    Examples
    --------
    >>> site_key(" vt-001  a")
    'VT-001 A'
    """
    return " ".join(code.split()).upper()


@dataclass(frozen=True)
class Event:
    """One statement about the world.

    Parameters
    ----------
    subject : {"site", "gap", "claim", "check", "device", "decision"}
        What it is about.
    operator : str
        Who runs the site, claims the point, was checked or delivers; for a gap point the
        keeper of the register.
    action : str
        One of `SUBJECTS[subject]`.
    code : str
        The operator's own code of the site, or the ``point_id``.
    part : str
        Code of the cell (empty = the whole site) or of a delivery.
    effective_date : str
        ISO day from which it is true in the world.
    values : mapping
        What is said: ``lon``, ``lat`` (WGS 84 degrees), ``technology``,
        ``frequency_mhz``, ``reason`` ...  Absent = nothing is said.
    """

    subject: str
    operator: str
    action: str
    code: str
    part: str
    effective_date: str
    values: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def body(self) -> str:
        """The whole content as canonical JSON."""
        return canonical({**self._head, "values": self.values})

    @property
    def _head(self) -> dict[str, str]:
        return {"subject": self.subject, "operator": self.operator, "action": self.action,
                "code": self.code, "part": self.part, "effective_date": self.effective_date}

    @cached_property
    def key(self) -> str:
        """SHA-256 of `body`: the same statement has the same key."""
        return hashlib.sha256(self.body.encode()).hexdigest()

    @classmethod
    def plain(cls, subject: str, operator: str, action: str, code: str, part: str,
              effective_date: str, values: Mapping[str, Any]) -> Event:
        """Return the event as its `body` says it: what is not said is gone, numbers are rounded.

        Raises
        ------
        InputError
            If a number is not finite.
        """
        said = {name: value if type(value) is str else _plain(value)
                for name, value in sorted(values.items()) if value is not None}
        event = cls(subject, operator, action, code, part, effective_date, said)
        event.__dict__["body"] = _ENCODER.encode({**event._head, "values": said})
        return event

    @classmethod
    def from_body(cls, body: str) -> Event:
        """Return the event whose `body` this is."""
        return cls(**json.loads(body))


@dataclass(frozen=True, slots=True)
class Statement:
    """An event, and when it was said.

    Parameters
    ----------
    event : Event
        What was said.
    key : str
        Key of the event.
    said_on : str
        ISO day on which it was (last) said on purpose: the latest report date
        that a row states, else the day of `known_at`.
    known_at : str
        ISO time at which it first became known to us.
    seq : int
        Place in the book.
    """

    event: Event
    key: str
    said_on: str
    known_at: str
    seq: int

    @property
    def told(self) -> tuple[str, str, str, str, str, str, int]:
        """What `STATED` names."""
        event = self.event
        return (event.operator, event.action, event.code, event.part, event.effective_date,
                self.known_at, self.seq)

    @property
    def order(self) -> tuple[str, str, str, str]:
        """Sort key of the fold: effective date, date said, time known, content."""
        return (self.event.effective_date, self.said_on, self.known_at, self.key)

    @property
    def said(self) -> tuple[str, str, str]:
        """Sort key by which a later word replaces an earlier one."""
        return (self.said_on, self.known_at, self.key)
