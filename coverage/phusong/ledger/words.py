"""The words that operators write, and the words that go back to them, read from ``words.yml``."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

import yaml

from phusong import profile
from phusong.errors import InputError
from phusong.nouns import Text, nearest

__all__ = ["Aliases", "action_of", "actions_in_vietnamese", "column_names", "fold",
           "known_headers", "labels", "match_headers", "message", "side_of", "technology_of",
           "words_for"]

Aliases = Mapping[str, str | Iterable[str]]
"""Our column -> the operator's own name(s) for it."""


@lru_cache(maxsize=4096)
def fold(text: str) -> str:
    """Return `text` in lower case without accents and punctuation, for comparing words.

    Examples
    --------
    >>> fold("  Độ cao_anten (m)")
    'do cao anten m'
    """
    plain = text.replace("Đ", "D").replace("đ", "d").replace("Ð", "D").replace("ð", "d")
    plain = "".join(c for c in unicodedata.normalize("NFKD", plain)
                    if not unicodedata.combining(c) and unicodedata.category(c) != "Cf")
    return " ".join("".join(c if c.isalnum() else " " for c in plain.casefold()).split())


@cache
def _words() -> Mapping[str, Any]:
    text = files("phusong.ledger").joinpath("words.yml").read_text(encoding="utf-8")
    return dict(yaml.load(text, Loader=yaml.BaseLoader))  # "off" is a word here, no boolean


@cache
def _index(family: str, subject: str = "") -> Mapping[str, str]:
    listed = _words()[family][subject] if subject else _words()[family]
    return {fold(word): ours for ours, theirs in listed.items() for word in [ours, *theirs]}


def column_names(subject: str) -> tuple[str, ...]:
    """Return our names of the columns that a report about `subject` can hold."""
    return tuple(_words()["headers"][subject])


def match_headers(headers: Iterable[str], subject: str, aliases: Aliases) -> dict[str, str]:
    """Return which of our columns stands under which of `headers`: ours -> theirs.

    Parameters
    ----------
    headers : iterable of str
        Column names of the file.
    subject : str
        What the report is about.
    aliases : mapping
        The operator's own names; they go before the built-in ones.

    Raises
    ------
    InputError
        If an alias is for a column that reports do not have.
    """
    known = column_names(subject)
    wrong = [ours for ours in aliases if ours not in known]
    if wrong:
        raise InputError("; ".join(f'aliases: there is no column "{ours}". {nearest(ours, known)}'
                                   for ours in wrong))
    found: dict[str, str] = {}
    listed = [h for h in headers if h]
    for index in (_own(aliases), _index("headers", subject)):
        for header in listed:
            ours = index.get(fold(header))
            if ours and ours not in found and header not in found.values():
                found[ours] = header
    return found


def _own(aliases: Aliases) -> dict[str, str]:
    return {fold(name): ours for ours, names in aliases.items()
            for name in ([names] if isinstance(names, str) else names)}


def words_for(subject: str, aliases: Aliases) -> dict[str, str]:
    """Return every known column name, folded -> our column; an operator's own go before."""
    return {**_index("headers", subject), **_own(aliases)}


def known_headers(subject: str, aliases: Aliases) -> frozenset[str]:
    """Return every known column name, folded as `phusong.profile.fold` folds."""
    own = {name for names in aliases.values()
           for name in ([names] if isinstance(names, str) else names)}
    return frozenset(profile.fold(word) for word in own | set(_index("headers", subject)))


@lru_cache(maxsize=4096)
def action_of(text: str, subject: str) -> str | None:
    """Return our word for an action, or None if it is not known."""
    return _index("actions", subject).get(fold(text))


def actions_in_vietnamese(subject: str) -> tuple[str, ...]:
    """Return a Vietnamese word for every action of a subject, in the order of ours."""
    found: Mapping[str, str] = _words()["actions_vi"][subject]
    return tuple(found.values())


@lru_cache(maxsize=4096)
def technology_of(text: str) -> str | None:
    """Return GSM, UMTS, LTE or NR for what an operator calls it, or None if it is not known."""
    index = _index("technologies")
    folded = fold(text)
    if folded in index:
        return index[folded]
    found = {index[word] for word in folded.split() if word in index}
    digits = [word for word in folded.split() if word not in index]
    return found.pop() if len(found) == 1 and all(w.isdigit() for w in digits) else None


def side_of(letter: str) -> str:
    """Return N, S, E or W for a letter behind a coordinate; an unknown letter gives itself."""
    return str(_words()["sides"].get(letter.upper(), letter))


def message(code: str, **about: object) -> Text:
    """Return the words for `code` in Vietnamese and English, with what it is `about` filled in."""
    words = _words()["messages"][code]
    return Text(en=words["en"].format(**about), vi=words["vi"].format(**about))


def labels(language: str) -> Mapping[str, str]:
    """Return the headings of the workbook of rejected rows."""
    found: Mapping[str, str] = _words()["labels"][language]
    return found
