"""What the terminal says, in Vietnamese and English, read from ``desk.yml`` and ``steps.yml``."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

__all__ = ["phrase", "step", "word"]


def _read(*path: str) -> Mapping[str, Any]:
    text = files("phusong").joinpath(*path).read_text(encoding="utf-8")
    return dict(yaml.safe_load(unicodedata.normalize("NFC", text)))


@cache
def _phrases() -> Mapping[str, Mapping[str, str]]:
    return _read("screen", "desk.yml")


@cache
def _steps() -> Mapping[str, Mapping[str, str]]:
    return _read("screen", "steps.yml")


@cache
def _words() -> Mapping[str, Mapping[str, Mapping[str, str]]]:
    return _read("maps", "words.yml")  # the file alone: the room of the maps takes long to load


def phrase(key: str, language: str, **about: object) -> str:
    """Return the words for `key` in ``"vi"`` or ``"en"``, with what they are `about` filled in."""
    return _phrases()[key][language].format(**about)


def step(what: str, language: str) -> str:
    """Return what is being done, for a bar of progress; what has no words stands for itself."""
    words = _steps().get(what)
    return words[language] if words else what


def word(group: str, name: str, language: str) -> str:
    """Return the word that the page has for a value of a table, ``maps/words.yml``.

    Parameters
    ----------
    group : str
        ``kind``, ``reason_short``, ``evidence``, ``device`` ...
    name : str
        The value; one without a word stands for itself.
    language : {"vi", "en"}
        Wanted language.

    Examples
    --------
    >>> word("kind", "branch_school", "vi"), word("kind", "lighthouse", "vi")
    ('Điểm trường', 'lighthouse')
    """
    words = _words()[group].get(name)
    return words[language] if words else name
