"""Tables whose rows belong to points: a whole one, and the rows in which another differs from it.

Coverage of one day is mostly that of the day before.  So what a day has of its own is kept beside
a whole table of another day: which of its rows no longer hold, and which came.  The columns stay
where they are (on disk, mapped into memory) until somebody looks at their rows.

A hash for each point vouches for its rows; the hash of all of them is that of the table.  It is
brought up to date by hashing the rows of a few points again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

__all__ = ["MARK_BYTES", "Pointwise", "digest_of", "marks_of", "packed"]

Ints = NDArray[np.int64]

MARK_BYTES = 16
"""How much is kept of the SHA-256 of the rows of one point."""

_ROWS_AT_ONCE = 500_000
"""Rows that are made ready for hashing together."""


def packed(frame: pd.DataFrame) -> pa.Table:
    """Return a table as Arrow columns: text and keys as codes, numbers as they are (NaN stays)."""
    columns: dict[str, pa.Array] = {}
    for number, name in enumerate(frame.index.names):
        if isinstance(frame.index, pd.MultiIndex):
            codes, values = frame.index.codes[number], frame.index.levels[number]
        else:
            codes, values = pd.factorize(frame.index)
        columns[str(name)] = _coded(codes, values)
    for name in frame.columns:
        column = frame[name]
        if pd.api.types.is_numeric_dtype(column):
            columns[str(name)] = pa.array(np.ascontiguousarray(column.to_numpy()))
        else:
            columns[str(name)] = _coded(*pd.factorize(column))
    keys = ",".join(map(str, frame.index.names))
    return pa.table(columns).replace_schema_metadata({"keys": keys})


def _coded(codes: Any, values: Any) -> pa.DictionaryArray:
    codes = np.asarray(codes, np.int32)
    return pa.DictionaryArray.from_arrays(
        pa.array(codes, mask=codes < 0), pa.array(pd.Index(values).to_numpy(object), pa.string()))


@dataclass(frozen=True)
class Pointwise:
    """Rows of `base` but for some, and rows beside them.

    Parameters
    ----------
    base : pyarrow.Table
        As `packed` returns it, in one piece.
    dropped : (n,) int64
        Rows of `base` that do not hold, rising.
    added : pyarrow.Table
        Rows that hold beside them; the same columns.
    key : str
        Under which `base` is kept; empty = it is not yet.
    """

    base: pa.Table
    dropped: Ints
    added: pa.Table
    key: str = ""
    _texts: dict[str, pd.Index] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, frame: pd.DataFrame) -> Pointwise:
        """Take a table as it is."""
        return cls.of_base(packed(frame))

    @classmethod
    def of_base(cls, base: pa.Table, key: str = "") -> Pointwise:
        """Take a packed table as it is, kept under `key`."""
        return cls(base, np.empty(0, np.int64), base.slice(0, 0), key)

    def __len__(self) -> int:
        return len(self.base) - len(self.dropped) + len(self.added)

    @property
    def is_whole(self) -> bool:
        """Whether all rows are those of `base`."""
        return not len(self.dropped) and not len(self.added)

    @cached_property
    def _held(self) -> NDArray[np.bool_]:
        held = np.ones(len(self.base), bool)
        held[self.dropped] = False
        return held

    @cached_property
    def _held_rows(self) -> Ints:
        return np.flatnonzero(self._held)

    def numbers(self, name: str) -> NDArray[Any]:
        """Return a column of numbers: of what holds of `base`, then of `added`."""
        first, then = (table.column(name).combine_chunks().to_numpy(zero_copy_only=False)
                       for table in (self.base, self.added))
        return first if self.is_whole else np.concatenate([first[self._held], then])

    def _texts_of(self, table: pa.Table, name: str) -> pd.Index:
        """Return the different texts of a column; those of `base` are looked up once."""
        if table is not self.base:
            return pd.Index(table.column(name).combine_chunks().dictionary.to_pandas())
        if name not in self._texts:
            self._texts[name] = pd.Index(table.column(name).combine_chunks().dictionary.to_pandas())
        return self._texts[name]

    def places(self, name: str, ids: pd.Index, rows: Ints | None = None) -> Ints:
        """Return the place of each row's text or key among `ids`, row by row; -1 = not there.

        Only of some rows, by their number, if they are given.
        """
        if rows is None:
            first, then = (_coded_as(table, name, ids.get_indexer(self._texts_of(table, name)), -1)
                           for table in (self.base, self.added))
            return first if self.is_whole else np.concatenate([first[self._held], then])
        found = np.empty(len(rows), np.int64)
        for table, mine, at in self._split(rows):
            codes, texts = _codes(table, name)[at], self._texts_of(table, name)
            there = np.zeros(len(texts) + 1, bool)
            there[codes] = True
            place = np.full(len(texts) + 1, -1, np.int64)
            place[:-1][there[:-1]] = ids.get_indexer(texts[there[:-1]])
            found[mine] = place[codes]
        return found

    def _split(self, rows: Ints) -> list[tuple[pa.Table, NDArray[np.bool_], Ints]]:
        """Return `base` and `added` with which of some rows are theirs, and where there."""
        few = len(self.base) - len(self.dropped)
        of_base = rows[rows < few]
        if len(self.dropped):
            of_base = self._held_rows[of_base]
        return [(self.base, rows < few, of_base), (self.added, rows >= few,
                                                   rows[rows >= few] - few)]

    def rows_of(self, ids: pd.Index, name: str = "") -> Ints:
        """Return the numbers of the rows of some points, rising; or of another key `name`."""
        name = name or self.base.schema.metadata[b"keys"].decode().split(",")[0]
        first, then = (self._among(table, name, ids) for table in (self.base, self.added))
        return np.flatnonzero(first if self.is_whole else np.concatenate([
            first[self._held], then]))

    def _among(self, table: pa.Table, name: str, ids: pd.Index) -> NDArray[np.bool_]:
        texts = self._texts_of(table, name)
        wanted, place = np.zeros(len(texts), bool), texts.get_indexer(ids)
        wanted[place[place >= 0]] = True
        return np.asarray(_coded_as(table, name, wanted, False), bool)

    def values(self, name: str) -> pd.Index:
        """Return the different texts in a column, sorted."""
        ids = self._texts_of(self.base, name).union(self._texts_of(self.added, name), sort=True)
        there = np.bincount(self.places(name, ids) + 1, minlength=len(ids) + 1)[1:] > 0
        return ids[there]

    def take(self, rows: Ints) -> pd.DataFrame:
        """Return rows by their number, in the order of `numbers`."""
        (_, _, of_base), (_, later, of_added) = self._split(rows)
        first = _compact(self.base.take(pa.array(of_base)))
        if not len(self.added):
            return _frame(first)
        both = _joined(first, self.added.take(pa.array(of_added)))
        place = np.empty(len(rows), np.int64)
        place[np.argsort(later, kind="stable")] = np.arange(len(rows))
        return _frame(both.take(pa.array(place)))

    def whole(self) -> pd.DataFrame:
        """Return all rows: what holds of `base`, then `added`."""
        if self.is_whole:
            return _frame(self.base)
        return self.take(np.arange(len(self)))

    def changed(self, drop: Ints, add: pd.DataFrame) -> Pointwise:
        """Return the table without the rows `drop` (by their number) and with `add`."""
        (_, _, mine), (_, _, theirs) = self._split(drop)
        stays = np.ones(len(self.added), bool)
        stays[theirs] = False
        added = self.added.take(pa.array(np.flatnonzero(stays)))
        if len(add):
            added = _joined(added, packed(add).select(self.base.column_names))
        return Pointwise(self.base, np.union1d(self.dropped, mine), added, self.key, self._texts)


def _coded_as(table: pa.Table, name: str, values: NDArray[Any], nothing: Any) -> NDArray[Any]:
    """Return for each row of a column of text what stands for its text; `nothing` = it has none."""
    return np.asarray(np.append(values, nothing)[_codes(table, name)])


def _codes(table: pa.Table, name: str) -> NDArray[np.int32]:
    """Return the number of each row's text among those of its column; -1 = it has none."""
    codes = table.column(name).combine_chunks().indices
    return np.asarray((codes.fill_null(-1) if codes.null_count else codes).to_numpy(
        zero_copy_only=False))


def _joined(first: pa.Table, then: pa.Table) -> pa.Table:
    """Return the rows of both, texts coded alike."""
    both = pa.concat_tables([_compact(first), _compact(then).cast(first.schema)])
    return both.unify_dictionaries().combine_chunks()


def _compact(table: pa.Table) -> pa.Table:
    """Return a table whose texts are coded anew where fewer rows than texts are left."""
    for number, column in enumerate(table.columns):
        if pa.types.is_dictionary(column.type) and column.num_chunks and (
                len(column.chunk(0).dictionary) > len(table)):
            again = column.combine_chunks().dictionary_decode().dictionary_encode()
            table = table.set_column(number, table.field(number), again.cast(column.type))
    return table


def _frame(table: pa.Table) -> pd.DataFrame:
    """Return the rows of a packed table as pandas has them."""
    names = table.schema.metadata[b"keys"].decode().split(",")
    columns = {name: _series(table.column(name)) for name in table.column_names
               if name not in names}
    keys = [table.column(name).combine_chunks() for name in names]
    if len(keys) == 1:
        index = pd.Index(keys[0].dictionary_decode().to_pandas(), name=names[0], dtype="str")
    else:
        index = pd.MultiIndex(levels=[pd.Index(k.dictionary.to_pandas(), dtype="str")
                                      for k in keys],
                              codes=[k.indices.to_numpy(zero_copy_only=False) for k in keys],
                              names=names, verify_integrity=False)
    return pd.DataFrame(columns, index=index, copy=False)


def _series(column: pa.ChunkedArray) -> Any:
    whole = column.combine_chunks()
    if pa.types.is_dictionary(whole.type):
        return pd.array(whole.dictionary_decode().cast(pa.large_string()), dtype="str")
    return whole.to_numpy(zero_copy_only=False)


def marks_of(frame: pd.DataFrame, ids: pd.Index, keys: Sequence[str] = ()) -> NDArray[np.uint8]:
    """Return the hash of the rows of each point, (points, MARK_BYTES).

    Parameters
    ----------
    frame : DataFrame
        The first level of its index names the point.
    ids : Index
        The points, each once.
    keys : sequence of str
        Columns that tell the rows of one point apart, beside the other levels of the index.
        In which order the rows stand makes no difference.
    """
    point = ids.get_indexer(frame.index.get_level_values(0))
    columns = [_words(frame.index.levels[n])[frame.index.codes[n]] for n in
               range(1, frame.index.nlevels)] if isinstance(frame.index, pd.MultiIndex) else []
    columns += [_words(frame[name]) for name in (*keys, *(
        name for name in frame.columns if name not in keys))]
    few = frame.index.nlevels - 1 + len(keys)
    order = np.lexsort((*columns[:few][::-1], point))
    begin = np.searchsorted(point[order], np.arange(len(ids) + 1))
    marks = np.zeros((len(ids), MARK_BYTES), np.uint8)
    first = 0
    while first < len(ids):
        last = int(np.searchsorted(begin, begin[first] + _ROWS_AT_ONCE, side="right")) - 1
        last = min(max(last, first + 1), len(ids))
        rows = order[begin[first]:begin[last]]
        words = np.stack([column[rows] for column in columns], axis=1)
        for number in range(first, last):
            part = words[begin[number] - begin[first]:begin[number + 1] - begin[first]]
            marks[number] = np.frombuffer(hashlib.sha256(part).digest()[:MARK_BYTES], np.uint8)
        first = last
    return marks


def _words(values: Any) -> NDArray[np.uint64]:
    """Return every value as 64 bits: numbers as they are, text hashed."""
    if not pd.api.types.is_numeric_dtype(values):
        codes, different = pd.factorize(values)
        hashed = pd.util.hash_array(np.asarray(different, object), categorize=False)
        return np.append(hashed, np.uint64(0))[codes]
    numbers = np.asarray(values)
    if numbers.dtype.kind == "f":
        numbers = np.where(np.isnan(numbers), np.nan, numbers.astype(np.float64))
        return np.ascontiguousarray(numbers).view(np.uint64)
    return numbers.astype(np.int64).view(np.uint64)


def digest_of(marks: NDArray[np.uint8], ids: pd.Index) -> str:
    """Return the hash of a table of which every point has its mark."""
    found = hashlib.sha256("\n".join(ids.astype(str).tolist()).encode())
    found.update(np.ascontiguousarray(marks))
    return found.hexdigest()
