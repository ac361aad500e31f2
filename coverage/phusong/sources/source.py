"""`Source`: where rows come from and how to read them; `Reading`: what came of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator, model_validator

from phusong.errors import Fault, Severity
from phusong.nouns import Noun

__all__ = ["Change", "CommunesSource", "CrosswalkSource", "Findings", "Reading", "Source"]

_LISTED = 5


class Source(Noun):
    """One input file and how it is to be read.

    Parameters
    ----------
    file : str
        Path from the study's folder; terrain may be a pattern (``tiles/*.hgt``).
    layer : str
        Layer of a GeoPackage; empty = the only one, or the first.
    sheet : str
        Sheet of a workbook; empty = the first that has rows.
    kind : str
        Kind of the points where no column says so (``school``, ``village`` ...).
    crs : str
        Coordinate system of the coordinates; empty = what the file says, else degrees (WGS 84).
    header : bool
        Whether the file has a header row; without one columns are named ``1``, ``2``, ...
    columns : dict of our name to theirs
        Columns whose header is no known spelling.
    defaults : dict of our name to value
        Values for columns that the file lacks or leaves empty; recorded as assumed.
    where : dict of their name to value or list of values
        Only rows that hold these values are read; the others are counted as set aside.
    mend : bool
        Whether positions and codes that the evidence (declared communes, the country) allows to
        mend shall be mended, each with a record of what it was; else they are errors.
    vintage : date or None
        Day whose list of communes the file's codes belong to; None = as its rows show.
    licence, attribution, date : str, str, date
        Travel with every row into maps and briefs.
    """

    file: str = Field(min_length=1)
    layer: str = ""
    sheet: str = ""
    kind: str = ""
    crs: str = ""
    header: bool = True
    columns: dict[str, str] = Field(default_factory=dict)
    defaults: dict[str, str | float | int | bool | dt.date] = Field(default_factory=dict)
    where: dict[str, Any] = Field(default_factory=dict)
    mend: bool = True
    vintage: dt.date | None = None
    licence: str = ""
    attribution: str = ""
    date: dt.date | None = None

    @model_validator(mode="before")
    @classmethod
    def _accept_a_file_name(cls, values: Any) -> Any:
        return {"file": values} if isinstance(values, str) else values

    @property
    def credit(self) -> str:
        """File, licence, attribution and date in one line."""
        parts = [self.file, self.licence, self.attribution,
                 self.date.isoformat() if self.date else ""]
        return "; ".join(part for part in parts if part)


class CrosswalkSource(Source):
    """A table that says which old communes became which new ones.

    Parameters
    ----------
    before : date
        Day whose codes it starts from.
    after : date or None
        Day whose codes it leads to; None = the next crosswalk's `before`, or the layer's vintage.
    list : Source or None
        The list of units of `before`: codes, names and perhaps centres; lost zeros are restored,
        and names understood, by it.
    partial : bool
        Whether units that it does not name stay as they are.
    """

    before: dt.date
    after: dt.date | None = None
    list: Source | None = None
    partial: bool = False


class CommunesSource(Source):
    """The layer of communes, and what led to them.

    Parameters
    ----------
    crosswalk : tuple of CrosswalkSource
        From earlier lists of communes to the layer's; `vintage` is the day of the layer's codes.
    """

    crosswalk: tuple[CrosswalkSource, ...] = ()

    @field_validator("crosswalk", mode="before")
    @classmethod
    def _one_or_many(cls, given: Any) -> Any:
        return [given] if isinstance(given, dict) else given


class Change(NamedTuple):
    """One mended cell: the row as a person counts it, what stood there, what stands now, why."""

    row: int
    column: str
    was: str
    now: str
    why: str


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """What came of reading one input.

    Parameters
    ----------
    table : Any
        The checked table (or raster) that was read; None if nothing could be.
    faults : tuple of Fault
        Everything that is wrong, was mended or was assumed.
    rows_in : int
        Rows of the file that `Source.where` lets through.
    accepted, mended, rejected : int
        Rows taken as they are, taken after a value was altered or discarded, and left out;
        they always add up to `rows_in`.
    set_aside : int
        Rows of the file that `Source.where` leaves out.
    file, role, credit : str
        The file as the study names it, what it is read as, and its licence line.
    changes : tuple of Change
        What was mended, cell by cell, from what to what.
    columns : mapping of our name to theirs
        Which of the file's columns was taken for which of ours.
    unused : tuple of str
        Columns of the file that nothing was read from.
    """

    table: Any
    faults: tuple[Fault, ...] = ()
    rows_in: int = 0
    accepted: int = 0
    mended: int = 0
    rejected: int = 0
    set_aside: int = 0
    file: str = ""
    role: str = ""
    credit: str = ""
    changes: tuple[Change, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    unused: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.rows_in != self.accepted + self.mended + self.rejected:
            raise AssertionError(f"{self.file}: {self.rows_in} rows in, but {self.accepted} "
                                 f"accepted + {self.mended} mended + {self.rejected} rejected")

    @property
    def failed(self) -> bool:
        """Whether any fault is an error."""
        return any(fault.severity == "error" for fault in self.faults)


@dataclass(slots=True, eq=False)
class Findings:
    """Collects faults of one file and remembers which rows were mended or rejected.

    Parameters
    ----------
    file : str
        The file as the study names it.
    rows : (n,) int array
        Row number of each record as a person counts it.
    sheets : sequence of str
        Sheet of each record, where several sheets were read; else empty.
    """

    file: str
    rows: NDArray[np.int64]
    faults: list[Fault] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    sheets: Sequence[str] = ()
    mended: NDArray[np.bool_] = field(init=False)
    rejected: NDArray[np.bool_] = field(init=False)

    def __post_init__(self) -> None:
        self.mended = np.zeros(len(self.rows), dtype=bool)
        self.rejected = np.zeros(len(self.rows), dtype=bool)

    def add(self, code: str, what: str, cure: str = "", *, severity: Severity = "error",
            column: str = "", at: Any = None, shown: Sequence[object] | None = None,
            now: Sequence[object] | None = None, mends: bool = False,
            rejects: bool = False) -> None:
        """Add one fault about the whole file, or about the records where `at` holds.

        Parameters
        ----------
        code, what, cure, severity, column
            As in `Fault`; the sentence gets the rows concerned appended.
        at : (n,) bool array, optional
            The records concerned; nothing is added if it holds nowhere.
        shown : sequence, optional
            What the cells hold, for the first record concerned.
        now : sequence, optional
            What was put in their place; each such record goes into `changes`.
        mends, rejects : bool
            Whether these records count as mended, or as rejected.
        """
        if at is None:
            self.faults.append(Fault(code, what, cure, severity, self.file, column=column))
            return
        where = np.flatnonzero(np.asarray(at, dtype=bool))
        if not where.size:
            return
        self.mended[where] |= mends
        self.rejected[where] |= rejects
        first = int(where[0])
        said = f' ("{shown[first]}")' if shown is not None and str(shown[first]) else ""
        if shown is not None and now is not None:
            said = f' ("{shown[first]}" -> "{now[first]}")'
            self.changes += [Change(int(self.rows[i]), column, str(shown[i]), str(now[i]), code)
                             for i in where.tolist()]
        more = ""
        if where.size > 1:
            rows = ", ".join(str(self.rows[i]) for i in where[:_LISTED])
            more = f" Rows {rows}{', ...' if where.size > _LISTED else '.'}"
        file = f"{self.file} [{self.sheets[first]}]" if len(self.sheets) else self.file
        self.faults.append(Fault(code, f"{what}{said}.{more}", cure, severity, file,
                                 int(self.rows[first]), column, int(where.size)))

    def counts(self) -> dict[str, Any]:
        """Rows in, accepted, mended and rejected, as `Reading` wants them."""
        rejected = int(self.rejected.sum())
        mended = int((self.mended & ~self.rejected).sum())
        total = len(self.rows)
        return {"rows_in": total, "accepted": total - mended - rejected, "mended": mended,
                "rejected": rejected}
