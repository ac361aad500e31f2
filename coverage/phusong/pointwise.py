"""Tables whose rows belong to points: a whole one, and the rows in which another differs from it.

Coverage of one day is mostly that of the day before.  So what a day has of its own is kept beside
a whole table of another day: which of its rows no longer hold, and which came.  The columns stay
where they are (on disk, mapped into memory) until somebody looks at their rows.

A hash for each point vouches for its rows; the hash of all of them is that of the table.  It is
brought up to date by hashing the rows of a few points again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

__all__ = ["MARK_BYTES", "Pointwise", "digest_of", "marks_of", "packed", "places_among"]

Ints = NDArray[np.int64]
Piece = tuple[pa.Table, NDArray[np.bool_], Ints]

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
    _noted: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)
    """What was worked out of `base`: worked out once for all that stand on it."""

    @classmethod
    def of(cls, frame: pd.DataFrame) -> Pointwise:
        """Take a table as it is."""
        return cls.of_base(packed(frame))

    @classmethod
    def of_base(cls, base: pa.Table, key: str = "") -> Pointwise:
        """Take a packed table as it is, kept under `key`."""
        return cls(base, np.empty(0, np.int64), base.slice(0, 0), key)

    def beside(self, dropped: Ints, added: pa.Table) -> Pointwise:
        """Return the same base with other rows dropped and added; see the class."""
        return replace(self, dropped=dropped, added=added)

    def __len__(self) -> int:
        return len(self.base) - len(self.dropped) + len(self.added)

    @property
    def is_whole(self) -> bool:
        """Whether all rows are those of `base`."""
        return not len(self.dropped) and not len(self.added)

    def _once(self, what: str, work: Callable[[], Any]) -> Any:
        """Return what `work` finds out about `base`; it is called once."""
        if what not in self._noted:
            self._noted[what] = work()
        return self._noted[what]

    def numbers(self, name: str, rows: Ints | None = None) -> NDArray[Any]:
        """Return a column of numbers: of what holds of `base`, then of `added`.

        Only of some rows, by their number, if they are given.
        """
        pieces = self._split(np.arange(len(self)) if rows is None else rows)
        return _in_place(np.concatenate([_numbers(table, name)[at] for table, _, at in pieces]),
                         pieces)

    def _texts_of(self, table: pa.Table, name: str) -> pa.Array:
        """Return the different texts of a column."""
        def look() -> pa.Array:
            return _column(table, name).dictionary.cast(pa.large_string())
        return self._once(f"texts of {name}", look) if table is self.base else look()

    def places(self, name: str, ids: pd.Index, rows: Ints | None = None) -> Ints:
        """Return the place of each row's text or key among `ids`, row by row; -1 = not there.

        Only of some rows, by their number, if they are given.
        """
        pieces = self._split(np.arange(len(self)) if rows is None else rows)
        found = [np.append(place, -1)[_codes(table, name)[at]]
                 for place, (table, _, at) in zip(self._among(name, ids), pieces, strict=True)]
        return _in_place(np.concatenate(found), pieces)

    def _among(self, name: str, ids: pd.Index) -> list[Ints]:
        """Return the place among `ids` of each different text of `base` and of `added`."""
        texts = [self._texts_of(table, name) for table in (self.base, self.added)]
        return np.split(_places(pa.concat_arrays(texts), ids), [len(texts[0])])

    def _split(self, rows: Ints) -> list[Piece]:
        """Return `base` and `added` with which of some rows are theirs, and where there."""
        few = len(self.base) - len(self.dropped)
        later = rows >= few
        of_base = rows[~later]
        if len(self.dropped):
            # as many of them lie before a row as before the place it would have without them
            of_base = of_base + np.searchsorted(self.dropped - np.arange(len(self.dropped)),
                                                of_base, side="right")
        return [(self.base, ~later, of_base), (self.added, later, rows[later] - few)]

    def rows_of(self, ids: pd.Index, name: str = "") -> Ints:
        """Return the numbers of the rows of some points, rising; or of another key `name`."""
        name = name or self.base.schema.metadata[b"keys"].decode().split(",")[0]
        few = len(self.base) - len(self.dropped)
        first, then = (self._holding(table, name, np.append(place >= 0, False)) for table, place
                       in zip((self.base, self.added), self._among(name, ids), strict=True))
        before = np.searchsorted(self.dropped, first)
        if len(self.dropped):
            stays = self.dropped[np.minimum(before, len(self.dropped) - 1)] != first
            first, before = first[stays], before[stays]
        return np.concatenate([first - before, then + few])

    def _holding(self, table: pa.Table, name: str, wanted: NDArray[np.bool_]) -> Ints:
        """Return the rows of a table whose text is `wanted` (False for none), rising."""
        begin = self._once(f"runs of {name}", lambda: _runs(_codes(table, name), len(wanted) - 1)
                           ) if table is self.base else None
        if begin is None:
            return np.flatnonzero(wanted[_codes(table, name)])
        first = begin[:-1][wanted[:-1]]
        rows = begin[1:][wanted[:-1]] - first
        return np.asarray(np.repeat(first - np.cumsum(rows) + rows, rows) + np.arange(rows.sum()))

    def values(self, name: str) -> pd.Index:
        """Return the different texts in a column, sorted."""
        counts = self._once(f"counts of {name}", lambda: _counts(
            _codes(self.base, name), len(self._texts_of(self.base, name))))
        left = counts - _counts(_codes(self.base, name)[self.dropped], len(counts))
        came = np.unique(_codes(self.added, name))
        there = {*self._texts_of(self.base, name).filter(pa.array(left > 0)).to_pylist(),
                 *self._texts_of(self.added, name).take(pa.array(came[came >= 0])).to_pylist()}
        return pd.Index(sorted(there), dtype="str")

    def take(self, rows: Ints) -> pd.DataFrame:
        """Return rows by their number, in the order of `numbers`."""
        pieces = self._split(rows)
        names = self.base.schema.metadata[b"keys"].decode().split(",")
        columns = {name: _taken(pieces, name) for name in self.base.column_names
                   if name not in names}
        return pd.DataFrame(columns, index=self._keys(names, pieces), copy=False)

    def _keys(self, names: list[str], pieces: list[Piece]) -> pd.Index:
        """Return the index of some rows; its levels hold only what is there."""
        levels, codes = [], []
        for name in names:
            texts: list[pa.Array] = []
            numbers: list[Ints] = []
            for table, _, at in pieces:
                number, used = pd.factorize(_codes(table, name)[at])
                numbers.append(number + sum(len(known) for known in texts))
                texts.append(self._texts_of(table, name).take(pa.array(used)))
            both = pa.concat_arrays(texts).dictionary_encode()
            code = both.indices.to_numpy(zero_copy_only=False)
            codes.append(_in_place(code[np.concatenate(numbers)], pieces))
            levels.append(pd.Index(both.dictionary.to_pandas(), dtype="str"))
        if len(names) == 1:
            return pd.Index(levels[0][codes[0]], name=names[0], dtype="str")
        return pd.MultiIndex(levels=levels, codes=codes, names=names, verify_integrity=False)

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
        return self.beside(np.union1d(self.dropped, mine), added)


def _in_place(values: NDArray[Any], pieces: list[Piece]) -> NDArray[Any]:
    """Put what was taken piece by piece in the order of the rows that were asked for."""
    order = _order(pieces)
    return values if order is None else values[order]


def _order(pieces: list[Piece]) -> Ints | None:
    """Return where each row asked for stands among the pieces; None = in their order."""
    (_, of_base, _), (_, later, _) = pieces
    if not (later[:-1] & of_base[1:]).any():
        return None
    found = np.empty(len(later), np.int64)
    found[of_base], found[later] = np.split(np.arange(len(later)), [of_base.sum()])
    return found


def _taken(pieces: list[Piece], name: str) -> Any:
    """Return some rows of a column as pandas has them."""
    if not pa.types.is_dictionary(pieces[0][0].schema.field(name).type):
        return _in_place(np.concatenate([_numbers(table, name)[at] for table, _, at in pieces]),
                         pieces)
    texts = pa.concat_arrays([_column(table, name).take(pa.array(at)).dictionary_decode()
                              .cast(pa.large_string())
                              for table, _, at in pieces])
    order = _order(pieces)
    return pd.array(texts if order is None else texts.take(pa.array(order)), dtype="str")


def _numbers(table: pa.Table, name: str) -> NDArray[Any]:
    return np.asarray(_column(table, name).to_numpy(zero_copy_only=False))


def _counts(codes: NDArray[np.int32], texts: int) -> Ints:
    """Return how many rows have each text."""
    return np.bincount(codes + 1, minlength=texts + 1)[1:]


def _runs(codes: NDArray[np.int32], texts: int) -> Ints | None:
    """Return where the rows of each text begin, and their end; None = they lie scattered."""
    if (codes[1:] < codes[:-1]).any():
        return None
    new = np.ones(len(codes), bool)
    new[1:] = codes[1:] != codes[:-1]
    starts = np.flatnonzero(new)
    at = np.append(starts, len(codes))
    return np.asarray(at[np.searchsorted(codes[starts], np.arange(texts + 1))])


def places_among(keys: pd.Index, ids: pd.Index) -> Ints:
    """Return the place of each key among `ids`; -1 = it is not there."""
    return _places(pa.array(keys, pa.large_string()), ids)


def _places(texts: pa.Array, ids: pd.Index) -> Ints:
    found = pc.index_in(texts, value_set=pa.array(ids, pa.large_string()))
    return np.asarray(found.fill_null(-1), np.int64)


def _column(table: pa.Table, name: str) -> pa.Array:
    """Return a column in one piece: where it is, if it is one already."""
    column = table.column(name)
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _codes(table: pa.Table, name: str) -> NDArray[np.int32]:
    """Return the number of each row's text among those of its column; -1 = it has none."""
    codes = _column(table, name).indices
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
    columns = {name: _series(_column(table, name)) for name in table.column_names
               if name not in names}
    keys = [_column(table, name) for name in names]
    if len(keys) == 1:
        index = pd.Index(keys[0].dictionary_decode().to_pandas(), name=names[0], dtype="str")
    else:
        index = pd.MultiIndex(levels=[pd.Index(k.dictionary.to_pandas(), dtype="str")
                                      for k in keys],
                              codes=[k.indices.to_numpy(zero_copy_only=False) for k in keys],
                              names=names, verify_integrity=False)
    return pd.DataFrame(columns, index=index, copy=False)


def _series(whole: pa.Array) -> Any:
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
