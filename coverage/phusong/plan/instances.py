"""Readers of published covering instances.

Three forms are read: ``.npz`` (compressed columns), OR-Library set-cover text
(plain or gzipped; Beasley 1990, J. Opl. Res. Soc. 41), and coordinate lists of
the p-centre and maximal-covering literature (``n p S``, then ``x y w``).
"""

from __future__ import annotations

import gzip
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from phusong.errors import InputError, MissingFileError
from phusong.plan.problem import Problem

__all__ = ["Instance", "read_coordinates", "read_instance", "read_npz", "read_set_cover"]

_NPZ = ("indptr", "indices", "w", "cost")


@dataclass(frozen=True, slots=True, eq=False)
class Instance:
    """A covering problem as it was published.

    Parameters
    ----------
    name : str
        File name without its endings.
    problem : Problem
        Points, sites and links.
    budget : float or None
        What may be spent, if the file says so.
    max_sites : int or None
        How many sites may be built, if the file says so.
    cover : bool
        Whether every reachable point must be covered at least cost; if not,
        the weight of the covered points is to be as high as possible.
    """

    name: str
    problem: Problem
    budget: float | None = None
    max_sites: int | None = None
    cover: bool = False


def _name(path: Path) -> str:
    return path.name.removesuffix(".gz").rsplit(".", 1)[0]


def _numbers(path: Path) -> NDArray[np.float64]:
    """Return every number of a text file, in order."""
    try:
        raw = path.read_bytes()
        text = gzip.decompress(raw) if path.suffix == ".gz" else raw
        words = text.split()
        values = np.array(words, dtype=np.float64) if words else np.empty(0)
    except FileNotFoundError as error:
        raise MissingFileError(f"There is no instance {path}.") from error
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path} cannot be unpacked: {error}. Copy the file again.") from error
    except ValueError as error:
        raise InputError(f"{path} holds something that is no number: {error}.") from error
    if not np.isfinite(values).all():
        raise InputError(f"{path} holds a number that is not finite.")
    return values


def _whole(path: Path, value: float, what: str) -> int:
    if value != int(value) or value < 0:
        raise InputError(f"{path}: {what} is {value:g}, which is no count.")
    return int(value)


def read_npz(path: Path) -> Instance:
    """Read ``indptr``, ``indices`` (columns = sites), ``w``, ``cost`` from an ``.npz``.

    ``budget``, ``max_sites`` and ``groups`` are read where they are there.

    Raises
    ------
    MissingFileError, InputError
        If there is no such file, or it lacks an array.
    """
    path = Path(path)
    if not path.is_file():
        raise MissingFileError(f"There is no instance {path}.")
    try:
        with np.load(path, allow_pickle=False) as data:
            lost = [name for name in _NPZ if name not in data]
            if lost:
                raise InputError(f"{path} has no array {', '.join(lost)}; it needs "
                                 f"{', '.join(_NPZ)}.")
            problem = Problem.of(data["indptr"], data["indices"], data["w"], data["cost"],
                                 data.get("groups", None))
            return Instance(_name(path), problem,
                            float(data["budget"]) if "budget" in data else None,
                            int(data["max_sites"]) if "max_sites" in data else None)
    except (OSError, EOFError, zipfile.BadZipFile, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path} cannot be read as an instance: {error}.") from error


def read_set_cover(path: Path) -> Instance:
    """Read an OR-Library set-cover text: rows, columns, costs, then the columns of each row.

    Raises
    ------
    MissingFileError, InputError
        If there is no such file, or it ends early, late, or names a column
        that does not exist.
    """
    path = Path(path)
    values = _numbers(path)
    if len(values) < 2:
        raise InputError(f"{path} is empty; a set-cover text begins with rows and columns.")
    rows, columns = (_whole(path, v, "the size") for v in values[:2])
    costs, at = values[2:2 + columns], 2 + columns
    owners, members = [], []
    for row in range(rows):
        if at >= len(values):
            raise InputError(f"{path} ends at row {row + 1} of {rows}. Copy the file again.")
        count = _whole(path, values[at], f"the length of row {row + 1}")
        line = values[at + 1:at + 1 + count].astype(np.int64) - 1
        if len(line) < count or (count and not 0 <= line.min() <= line.max() < columns):
            raise InputError(f"{path}: row {row + 1} is cut short or names a column outside "
                             f"1 to {columns}.")
        members.append(line)
        owners.append(np.full(count, row))
        at += 1 + count
    if at != len(values):
        raise InputError(f"{path} goes on after its last row ({len(values) - at} numbers more).")
    column = np.concatenate(members) if rows else np.empty(0, np.int64)
    order = np.argsort(column, kind="stable")
    indptr = np.concatenate([[0], np.cumsum(np.bincount(column, minlength=columns))])
    row_of = np.concatenate(owners)[order] if rows else column
    return Instance(_name(path), Problem.of(indptr, row_of, np.ones(rows), costs), cover=True)


def read_coordinates(path: Path) -> Instance:
    """Read a coordinate list: ``n p S``, then ``x y w`` for each of n points.

    Every point is also a place for a site, which reaches what lies within the
    distance S (Euclidean, the edge included); p sites of equal cost are built.

    Raises
    ------
    MissingFileError, InputError
        If there is no such file, or it does not hold n triples.
    """
    path = Path(path)
    values = _numbers(path)
    if len(values) < 3:
        raise InputError(f"{path} is empty; a coordinate list begins with n, p and S.")
    count = _whole(path, values[0], "the number of points")
    if len(values) != 3 + 3 * count:
        raise InputError(f"{path} should hold {count} triples x y w after its head; it holds "
                         f"{len(values) - 3} numbers.")
    table = values[3:].reshape(count, 3)
    reach = cKDTree(table[:, :2]).query_ball_point(table[:, :2], values[2], return_sorted=True)
    indptr = np.concatenate([[0], np.cumsum([len(r) for r in reach])])
    indices = np.concatenate([np.asarray(r, np.int64) for r in reach]) if count else np.empty(0)
    return Instance(_name(path), Problem.of(indptr, indices, table[:, 2], np.ones(count)),
                    max_sites=_whole(path, values[1], "the number of sites"))


def read_instance(path: Path) -> Instance:
    """Read an instance in whichever of the three forms it comes.

    A text with ``1 + 2 + 3 n`` numbers whose first is n is a coordinate list,
    any other text set cover.
    """
    path = Path(path)
    if path.suffix == ".npz":
        return read_npz(path)
    values = _numbers(path)
    if len(values) >= 3 and len(values) == 3 + 3 * values[0]:
        return read_coordinates(path)
    return read_set_cover(path)
