"""What can go wrong, said so that a person can mend it.

Every exception raised on purpose is a `PhusongError` *and* a builtin, so that
``except ValueError`` in a notebook works as expected.  A `Fault` is one thing
wrong with one input: it names the thing, the place and the cure.  Checks
collect faults and tell them all at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

__all__ = [
    "Fault",
    "InputError",
    "MissingFileError",
    "OutOfRangeError",
    "PhusongError",
    "StudyError",
    "TerrainError",
    "UnknownNameError",
]

Severity = Literal["error", "warning", "assumption"]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with, or was assumed about, an input.

    Parameters
    ----------
    code : str
        Short stable name in snake case, e.g. ``"swapped_coordinates"``.
    what : str
        One sentence: what is the matter.
    cure : str
        One sentence: what the reader should do about it.
    severity : {"error", "warning", "assumption"}
        ``error`` stops a run, ``warning`` does not, ``assumption`` records a
        value that the file did not hold and that the program filled in.
    file : str
        File name as the study gives it; empty if no file is concerned.
    row : int or None
        Row in the file as a person counts it (header = row 1), if one is.
    column : str
        Column name as it stands in the file, if one is concerned.
    count : int
        How many rows are concerned (1 unless the fault speaks for many).
    """

    code: str
    what: str
    cure: str = ""
    severity: Severity = "error"
    file: str = ""
    row: int | None = None
    column: str = ""
    count: int = 1

    @property
    def place(self) -> str:
        """Where the fault is: ``file, row 12, column "lat"``."""
        parts = [self.file] if self.file else []
        if self.row is not None:
            parts.append(f"row {self.row}")
        if self.column:
            parts.append(f'column "{self.column}"')
        return ", ".join(parts)

    def __str__(self) -> str:
        head = f"{self.place}: {self.what}" if self.place else self.what
        return f"{head} {self.cure}".rstrip()


class PhusongError(Exception):
    """Base of every exception that phusong raises on purpose.

    Parameters
    ----------
    message : str
        What is wrong, where, and the cure.
    faults : iterable of Fault
        All faults found, if the message stands for several.
    """

    def __init__(self, message: str, faults: Iterable[Fault] = ()) -> None:
        super().__init__(message)
        self.faults: tuple[Fault, ...] = tuple(faults)

    @classmethod
    def of(cls, faults: Iterable[Fault]) -> PhusongError:
        """Build one exception that tells all `faults` at once."""
        listed = tuple(faults)
        lines = "\n".join(f"  - {fault}" for fault in listed)
        noun = "fault" if len(listed) == 1 else "faults"
        return cls(f"{len(listed)} {noun} found:\n{lines}", listed)


class InputError(PhusongError, ValueError):
    """An input file or table does not hold what it must."""


class MissingFileError(PhusongError, FileNotFoundError):
    """A file that the study names is not there."""


class StudyError(PhusongError, ValueError):
    """The study file says something that cannot be followed."""


class TerrainError(PhusongError, ValueError):
    """The terrain does not reach, or is no terrain."""


class OutOfRangeError(PhusongError, ValueError):
    """A physical argument lies outside the declared range of a formula."""


class UnknownNameError(PhusongError, KeyError):
    """A name (of a model, a point, a column ...) is not known."""

    def __str__(self) -> str:
        return str(self.args[0])
