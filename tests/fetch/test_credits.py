"""Licences travel: from the record of a download into tables, page, brief and workbook."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest
from phusong.sources.credits import RECORD, changed, credited, note, recorded, records_of
from phusong.sources.source import Source

ENTRY = {"licence": "CC-BY-4.0", "attribution": "Office of Maps", "date": "2021-06-01", "bytes": 3}


def test_the_record_fills_what_the_study_leaves_open(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    note(tmp_path / "open/a.tif", ENTRY)
    source = credited(Source(file="open/a.tif"), tmp_path)
    assert source.credit == "open/a.tif; CC-BY-4.0; Office of Maps; 2021-06-01"
    own = credited(Source(file="open/a.tif", licence="by letter", date=dt.date(2020, 1, 1)),
                   tmp_path)
    assert own.credit == "open/a.tif; by letter; Office of Maps; 2020-01-01"
    assert credited(Source(file="open/b.tif"), tmp_path) == Source(file="open/b.tif")


def test_tiles_of_one_pattern_join_their_licences(tmp_path: Path) -> None:
    note(tmp_path / "a.tif", ENTRY)
    note(tmp_path / "b.tif", {**ENTRY, "licence": "ODbL-1.0", "date": "2019-01-01"})
    note(tmp_path / "c.tif", {"absent": True, "licence": "none"})
    source = credited(Source(file="*.tif"), tmp_path)
    assert (source.licence, source.attribution) == ("CC-BY-4.0 / ODbL-1.0", "Office of Maps")
    assert source.date == dt.date(2019, 1, 1)


@pytest.mark.parametrize("text", ["", "[", "[]", '{"a.tif": 3}', '{"a.tif": {"date": "soon"}}'])
def test_a_record_that_is_none_says_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / RECORD).write_text(text)
    assert credited(Source(file="a.tif"), tmp_path) == Source(file="a.tif")
    note(tmp_path / "b.tif", ENTRY)
    assert recorded(tmp_path)["b.tif"] == ENTRY


def test_a_file_that_is_no_longer_the_one_fetched_is_told(tmp_path: Path) -> None:
    note(tmp_path / "a.tif", ENTRY)
    source = Source(file="a.tif")
    (tmp_path / "a.tif").write_bytes(b"abc")
    assert changed(source, tmp_path) == []
    (tmp_path / "a.tif").write_bytes(b"abcd")
    (fault,) = changed(source, tmp_path)
    assert (fault.code, fault.severity) == ("changed_file", "warning")
    assert "has 4 bytes; the record of its download says 3" in fault.what


def test_notes_of_two_files_stand_side_by_side(tmp_path: Path) -> None:
    note(tmp_path / "b", ENTRY)
    note(tmp_path / "a", ENTRY)
    assert list(json.loads((tmp_path / RECORD).read_text())) == ["a", "b"]
    assert records_of([tmp_path / "a", tmp_path / "b"]) == {tmp_path / RECORD}
