"""Every value that a table may hold has a word in both languages."""

from __future__ import annotations

import re
import string
import unicodedata
from importlib.resources import files

import pytest
from phusong.cost import FEEDER_ITEMS, REGISTERS
from phusong.cost.bill import BILLS
from phusong.errors import UnknownNameError
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
