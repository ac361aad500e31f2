"""CSV and its cousins: encoding, delimiter and quotes found, every record kept."""

from __future__ import annotations

import csv
import gzip
import io
import re
import zlib
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from phusong.errors import Fault, InputError
from phusong.profile import fold
from phusong.sources.old_text import converted
from phusong.sources.records import RawTable, Record, table_of
from phusong.sources.source import Source

__all__ = ["MAX_BYTES", "read_delimited"]

MAX_BYTES = 400 * 2**20
"""Larger text files are refused before they are read."""
_LONGEST_CELL = 100_000
_LINES_IN_A_CELL = 20
_DELIMITERS = (",", ";", "\t", "|")


def read_delimited(path: Path, source: Source, known: Collection[str]) -> RawTable:
    """Read a text table (``.csv``, ``.tsv``, ``.txt``, also gzipped).

    UTF-8 with or without a mark, UTF-16 with one; anything else is read as Windows-1258 with a
    warning.  The delimiter is whichever of comma, semicolon, tab and bar makes the most known
    headers, then the most columns.

    Raises
    ------
    InputError
        If it is empty, no text, too large, or has a quotation that never ends.
    """
    data = _bytes(path, source.file)
    if not data.strip(b"\xef\xbb\xbf \t\r\n\x00"):
        raise _refused("empty_file", "The file is empty.", "Export it again.", source.file)
    text, faults = _decoded(data, source.file)
    records = _parsed(text, _delimiter(text, source, known), source.file)
    table = table_of(records, source, known)
    return replace(table, faults=(*faults, *table.faults))


def _bytes(path: Path, file: str) -> bytes:
    if path.stat().st_size > MAX_BYTES:
        raise _refused("too_large", f"The file is larger than {MAX_BYTES // 2**20} MiB.",
                       "Split it by province.", file)
    if path.suffix.lower() != ".gz":
        return path.read_bytes()
    try:
        with gzip.open(path) as stream:
            data = stream.read(MAX_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise _refused("unreadable_file", f"It cannot be unpacked ({error}).",
                       "Download or pack it again.", file) from error
    if len(data) > MAX_BYTES:
        raise _refused("too_large", f"Unpacked it is larger than {MAX_BYTES // 2**20} MiB.",
                       "Split it by province.", file)
    return data


def _refused(code: str, what: str, cure: str, file: str, row: int | None = None) -> InputError:
    error = InputError.of([Fault(code, what, cure, file=file, row=row)])
    assert isinstance(error, InputError)
    return error


def _decoded(data: bytes, file: str) -> tuple[str, list[Fault]]:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        try:
            return data.decode("utf-16"), []
        except UnicodeDecodeError as error:
            raise _refused("no_text", f"It begins like UTF-16 text but is none ({error.reason}).",
                           "Save it as CSV UTF-8.", file) from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        _refuse_damaged_utf8(data, error.start, file)
    else:
        if text.count("\x00") <= 8:
            return text.replace("\x00", ""), []
        raise _refused("no_text", "This is no text file (it is full of zero bytes).",
                       "Save the table as CSV UTF-8, or give the file its true ending.", file)
    western = data.decode("cp1252", errors="replace")
    charset, _ = converted(sorted(set(re.split(r"[\n\t,;|]", western[:400_000]))))
    if charset and "\ufffd" not in western:
        return western, [Fault("encoding", "The file is not UTF-8; it was read byte by byte.", "",
                               "warning", file)]
    try:
        text = data.decode("cp1258")
    except UnicodeDecodeError as error:
        raise _refused("no_text", "This is neither UTF-8 nor Windows-1258 text.", "Save the table "
                       "as CSV UTF-8, or give the file its true ending.", file,
                       data[:error.start].count(b"\n") + 1) from error
    odd = sum(1 for c in text[:20_000] if ord(c) < 32 and c not in "\t\r\n")
    if odd > max(8, len(text[:20_000]) // 200):
        raise _refused("no_text", "This is no text file.", "Save the table as CSV UTF-8, or give "
                       "the file its true ending.", file)
    return text, [Fault("encoding", "The file is not UTF-8; it was read as Windows-1258.",
                        "Look at the names; if they are wrong, save the table as CSV UTF-8.",
                        "warning", file)]


def _refuse_damaged_utf8(data: bytes, at: int, file: str) -> None:
    """Refuse UTF-8 with a few broken bytes; read as anything else all its accents were wrong."""
    sample = data[:2_000_000].decode("utf-8", errors="replace")
    broken = sample.count("\ufffd")
    sound = sum(1 for c in sample if ord(c) > 127) - broken
    if sound > 4 * broken:
        raise _refused("damaged_text", "The text is UTF-8, but broken in this row.",
                       "Mend the name in it, or export the file again.", file,
                       data[:at].count(b"\n") + 1)


def _delimiter(text: str, source: Source, known: Collection[str]) -> str:
    wanted = set(known) | {fold(theirs) for theirs in source.columns.values()}
    lines = [line for line in text[:100_000].splitlines()[:40] if line.strip()]

    def score(mark: str) -> tuple[int, int, int]:
        rows = list(csv.reader(lines, delimiter=mark))
        names = max((sum(fold(cell) in wanted for cell in row if cell) for row in rows), default=0)
        widths = [len(row) for row in rows]
        common = max(set(widths), key=lambda w: (widths.count(w), w)) if widths else 1
        return names, common, -_DELIMITERS.index(mark)

    csv.field_size_limit(max(csv.field_size_limit(), _LONGEST_CELL * 10))
    try:
        return max(_DELIMITERS, key=score)
    except csv.Error:
        return ","


def _parsed(text: str, mark: str, file: str) -> list[Record]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark)
    records: list[Record] = []
    try:
        for number, cells in enumerate(reader, 1):
            longest = max(cells, key=len, default="")
            if len(longest) > _LONGEST_CELL or longest.count("\n") > _LINES_IN_A_CELL:
                raise _refused("open_quote", "A quotation begins in this row and does not end.",
                               'Remove the stray ", or double it.', file, number)
            records.append((number, cells))
    except csv.Error as error:
        raise _refused("unreadable_file", f"The row cannot be read ({error}).",
                       "Save the table as CSV UTF-8 again.", file, reader.line_num) from error
    return records
