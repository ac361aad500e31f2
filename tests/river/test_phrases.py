"""What the terminal says has two languages, with the same things filled in."""

from __future__ import annotations

import ast
import json
import string
from pathlib import Path
from typing import Any

import pytest
from phusong.cli import app
from phusong.ledger import SUBJECTS
from phusong.ledger.words import actions_in_vietnamese
from phusong.screen import phrases
from phusong.screen.phrases import phrase
from typer.testing import CliRunner


def _slots(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_every_phrase_has_both_languages_and_the_same_slots() -> None:
    for key, words in phrases._phrases().items():
        assert set(words) == {"en", "vi"}, key
        assert _slots(words["en"]) == _slots(words["vi"]), key
        assert words["en"] != words["vi"], key
    with pytest.raises(KeyError):
        phrase("no such words", "en")


def test_every_phrase_is_used_and_every_one_that_is_used_is_there() -> None:
    """Keys stand in the code of the screen as they are, but for what tables and files name."""
    folder = Path(phrases.__file__).parent
    said = {node.value for path in folder.glob("*.py")
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    named_by_tables = {  # status, change, reason of a forecast or a trouble
        "uncertain", "uncovered", "unknown", "other_status", "other_operator", "other_cell",
        "reached", "no_window", "too_few", "no_such_cell", "nothing_to_retract",
        "ambiguous_change", "might_no_elevation", "might_out_of_model_range", "would_appeared",
        "would_disappeared", "would_altered", "settled_same", "settled_distinct", "action_new",
        "action_change", "action_move", "action_decommission", "action_retract", "error_one",
        "error_many", "warning_one", "warning_many", "assumption_one", "assumption_many"}
    keys = set(phrases._phrases())
    assert named_by_tables <= keys
    assert keys - said <= named_by_tables


def test_status_in_vietnamese(commune: Path, done: dict[str, Any]) -> None:
    ask = ["status", "small", "--home", str(commune), "-q"]
    shown = {language: CliRunner().invoke(app, [*ask, "--language", language]).output
             for language in ("en", "vi")}
    figures = json.loads(CliRunner().invoke(app, [*ask, "--json"]).output)
    for target in figures["targets"]:
        assert target["label"]["vi"] in shown["vi"]
        assert target["label"]["en"] in shown["en"]
    assert "chưa phủ sóng" in shown["vi"]
    year, month, day = figures["as_of"].split("-")
    assert f"đến ngày {day}/{month}/{year}" in shown["vi"]
    assert len(shown["vi"].splitlines()) == len(shown["en"].splitlines())
    for word in ("covered", "students", "deadline"):
        assert word in shown["en"]
        assert word not in shown["vi"]


def test_what_was_done_to_a_site_is_called_as_the_workbook_that_goes_back_calls_it() -> None:
    told = dict(zip(SUBJECTS["site"], actions_in_vietnamese("site"), strict=True))
    assert {name: phrase(f"action_{name}", "vi") for name in told} == told
