"""One check of the installed engine against published reference values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from phusong.errors import InputError

__all__ = ["Check", "compare", "read_vectors"]


@dataclass(frozen=True, slots=True)
class Check:
    """How far the program is from a set of reference values.

    Parameters
    ----------
    name : str
        ``folder/file`` and what was compared.
    cases : int
        Number of values compared.
    max_abs_error_db : float
        Largest absolute difference; NaN if a value is missing on our side.
    tolerance_db : float
        Largest difference that is accepted.
    ok : bool
        Whether every value is within the tolerance.
    """

    name: str
    cases: int
    max_abs_error_db: float
    tolerance_db: float
    ok: bool

    def __str__(self) -> str:
        mark = "ok  " if self.ok else "FAIL"
        return (f"{mark} {self.name}: {self.cases} cases, off by at most "
                f"{self.max_abs_error_db:.2g} dB (allowed {self.tolerance_db:g})")

    def as_dict(self) -> dict[str, str | int | float | bool | None]:
        """Return the check as plain JSON values; a missing error becomes null."""
        error = self.max_abs_error_db
        return {"name": self.name, "cases": self.cases,
                "max_abs_error_db": error if np.isfinite(error) else None,
                "tolerance_db": self.tolerance_db, "ok": self.ok}


def compare(name: str, ours: ArrayLike, reference: ArrayLike, tolerance_db: float) -> Check:
    """Return the check of `ours` against `reference`, element by element.

    A reference that is NaN is not a case; one of ours that is NaN fails.
    """
    a, b = np.asarray(ours, float).ravel(), np.asarray(reference, float).ravel()
    told = ~np.isnan(b)
    error = np.abs(a[told] - b[told])
    worst = float(error.max()) if error.size else float("nan")
    return Check(name, int(told.sum()), worst, tolerance_db,
                 bool(error.size and np.all(error <= tolerance_db)))


def read_vectors(folder: Path, *names: str) -> Iterator[pd.DataFrame]:
    """Yield the tables `names` of `folder`.

    Raises
    ------
    InputError
        If a file cannot be read as a table.
    """
    for name in names:
        path = folder / name
        try:
            yield pd.read_csv(path)
        except (OSError, UnicodeDecodeError, pd.errors.ParserError,
                pd.errors.EmptyDataError) as error:
            raise InputError(f'{path} cannot be read as a table of reference values: {error}. '
                             f'Copy the file again, or take its folder away.') from error
