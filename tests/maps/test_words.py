"""Every value that a table may hold has a word in both languages."""

from __future__ import annotations

import ast
import re
import string
import unicodedata
from importlib.resources import files
from pathlib import Path

import pytest
from phusong.cost import FEEDER_ITEMS, REGISTERS
from phusong.cost.bill import BILLS
from phusong.errors import Fault, UnknownNameError
from phusong.fault_words import fault_words, place_in_vietnamese
from phusong.maps.words import LANGUAGES, sentence, word, words
from phusong.tables import (
    EVIDENCE,
    POINT_KINDS,
    POINTS,
    REASONS,
    SITE_STATUSES,
    SITES,
    STATUSES,
)

GROUPS = {"status": STATUSES, "status_note": STATUSES, "reason": REASONS, "reason_short": REASONS,
          "evidence": EVIDENCE, "kind": POINT_KINDS, "site_status": SITE_STATUSES,
          "intervention": tuple(BILLS), "column": (*POINTS.columns, *SITES.columns),
          "technology": ("GSM", "UMTS", "LTE", "NR", "SAT"),
          "assess_place": ("outdoor", "classroom", "roof")}


@pytest.mark.parametrize("group", GROUPS)
def test_every_value_of_the_tables_has_words(group: str) -> None:
    assert set(GROUPS[group]) <= set(words()[group])


def test_every_word_is_there_in_both_languages_and_in_normal_form() -> None:
    for group, names in words().items():
        for name, texts in names.items():
            assert set(texts) == set(LANGUAGES), (group, name)
            for text in texts.values():
                assert text.strip() == text != "", (group, name)
                assert unicodedata.is_normalized("NFC", text)


def test_both_languages_take_the_same_values() -> None:
    for name, texts in words()["ui"].items():
        places = [{field for _, field, _, _ in string.Formatter().parse(t) if field}
                  for t in texts.values()]
        assert places[0] == places[1], name


def test_the_page_asks_only_for_words_that_are_there() -> None:
    asked = set()
    for file in (files("phusong.maps") / "page").iterdir():
        if file.name.endswith(".js"):
            text = file.read_text(encoding="utf-8")
            asked |= set(re.findall(r'word\("ui", "(\w+)"\)', text))
            asked |= set(re.findall(r'\b(?:say|ui|sentenceWith)\("(\w+)"', text))
            asked |= set(re.findall(r'layerTick\(state, "\w+", "(\w+)"', text))
    assert len(asked) > 80
    assert asked <= set(words()["ui"])


def test_a_value_with_braces_is_not_read_as_a_place() -> None:
    assert sentence("one_of", "en", {"n": "{total}", "total": "7"}) == "{total} of 7 here"


def test_unknown_names() -> None:
    assert word("kind", "observatory", "vi") == "observatory"
    with pytest.raises(UnknownNameError, match="deadline"):
        word("ui", "deadlin", "en")
    with pytest.raises(UnknownNameError, match="status"):
        word("statos", "covered", "en")


def test_costs_have_words() -> None:
    items = {name for register in REGISTERS.values() for name in register}
    figures = {"load_macro", "load_sector", "load_satellite", "solar_yield", "battery_days",
               "battery_depth", "hop_range", "fibre_detour", "satellite_backhaul_capacity"}
    assert (items - figures) | set(FEEDER_ITEMS) <= set(words()["cost_item"])


def test_no_word_is_told_twice() -> None:
    """The later of two words of one name would win, and nobody would see it."""
    group, seen = "", set()
    text = (files("phusong.maps") / "words.yml").read_text(encoding="utf-8")
    for line in text.splitlines():
        if line and not line.startswith((" ", "#")):
            group = line
        elif found := re.match(r'  ("[^"]+"|\w+):', line):
            assert (group, found[1]) not in seen, (group, found[1])
            seen.add((group, found[1]))


def _codes_told() -> set[str]:
    """Codes of every fault that reading the inputs of a study can tell."""
    found = set()
    for file in sorted((Path(str(files("phusong"))) / "sources").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                said = node.args[0].value
                many = len(node.args) > 1
                if (name == "Fault" or (name == "add" and many)) and str(said).isidentifier():
                    found.add(said)
    return found


def test_faults_have_vietnamese_words() -> None:
    """A fault without them is told in English; that must stay the exception."""
    told = _codes_told()
    assert len(told) > 50
    assert len(told - set(fault_words())) <= len(told) // 10, told - set(fault_words())
    for text in fault_words().values():
        assert text.endswith(".")
        assert unicodedata.is_normalized("NFC", text)
    assert place_in_vietnamese(Fault("voids", "", file="a.csv", row=3)) == "a.csv, dòng 3"
