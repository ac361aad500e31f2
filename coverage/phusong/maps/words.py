"""The words of a page, in English and in Vietnamese, read from ``words.yml``."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Literal

import yaml

from phusong.errors import UnknownNameError
from phusong.nouns import nearest

__all__ = ["LANGUAGES", "Language", "sentence", "word", "words"]

Language = Literal["vi", "en"]
LANGUAGES: tuple[Language, ...] = ("vi", "en")


@lru_cache(maxsize=1)
def words() -> Mapping[str, Mapping[str, Mapping[str, str]]]:
    """Return all words as group -> name -> language -> text, normalised to NFC."""
    text = (files("phusong.maps") / "words.yml").read_text(encoding="utf-8")
    read = yaml.safe_load(unicodedata.normalize("NFC", text))
    return MappingProxyType({group: MappingProxyType(
        {name: MappingProxyType(texts) for name, texts in names.items()})
        for group, names in read.items()})


def word(group: str, name: str, language: Language) -> str:
    """Return one word; a name that a table holds and no group knows stands for itself.

    Parameters
    ----------
    group : str
        ``status``, ``reason``, ``kind``, ``evidence``, ``technology``, ``column``, ``ui`` ...
    name : str
        Value in the table.
    language : {"vi", "en"}
        Wanted language.

    Raises
    ------
    UnknownNameError
        If there is no such group, or no such sentence of the page (group ``ui``).
    """
    if group not in words():
        raise UnknownNameError(f'There is no group of words "{group}". {nearest(group, words())}')
    known = words()[group]
    if name in known:
        return known[name][language]
    if group == "ui":
        raise UnknownNameError(f'The page has no word "{name}". {nearest(name, known)}')
    return name


def sentence(name: str, language: Language, values: Mapping[str, object]) -> str:
    """Return a sentence of the page with its ``{places}`` filled from `values`.

    Values are put in as they are: braces in a value are never read as places.
    """
    text = word("ui", name, language)
    parts = text.split("{")
    out = [parts[0]]
    for part in parts[1:]:
        place, _, rest = part.partition("}")
        out += [str(values[place]), rest]
    return "".join(out)
