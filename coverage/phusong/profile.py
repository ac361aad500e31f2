"""What a country adds: words, spellings, code pattern, currency.

All of it is data in ``profiles/*.yml``; nothing else in the house knows a
country.  A profile may extend another one: lists of words are joined, plain
values replaced.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import cached_property, lru_cache
from importlib import resources
from typing import Any

import yaml
from pydantic import Field

from phusong.errors import UnknownNameError
from phusong.nouns import Noun, nearest

__all__ = ["Profile", "fold"]

_APART = str.maketrans({"đ": "d", "Đ": "d", "ð": "d", "Ð": "d", "ø": "o", "Ø": "o", "ł": "l",
                        "Ł": "l", "ß": "ss", "æ": "ae", "Æ": "ae", "œ": "oe", "Œ": "oe"})

Words = dict[str, tuple[str, ...]]

_WORD_LISTS = ("kinds", "kinds_in_names", "levels", "technologies", "statuses", "operators",
               "compass")


@lru_cache(maxsize=65536)
def fold(text: str) -> str:
    """Return `text` without case, accents and punctuation: the key that spellings are matched on.

    Examples
    --------
    >>> fold("Tên trường*")
    'tentruong'
    >>> fold("Hoà") == fold("Hòa"), fold("Đ") == fold("Ð")
    (True, True)
    """
    apart = unicodedata.normalize("NFKD", str(text).translate(_APART))
    return "".join(c for c in apart if c.isalnum()).casefold()


class Profile(Noun):
    """What a country adds to the program.

    Parameters
    ----------
    name : str
        Name of the file in ``profiles/``.
    languages : tuple of str
        Languages of maps and briefs, the first ones first.
    default_language : str
        Language where none is asked for.
    currency : str
        ISO 4217 code.
    currency_per_usd : float
        How many units of it one US dollar is worth.
    currency_source : str
        Where that rate comes from.
    commune_code_pattern : str
        Regular expression that a commune's code matches; empty = any.
    commune_code_width : int
        Digits of a code that lost its leading zeros; 0 = codes are not restored.
    unit_kinds : tuple of str
        Words for what an administrative unit is, which names may or may not carry.
    bounds : (west, south, east, north) or None
        Box around the country, degrees; finds swapped and foreign coordinates.
    crs_candidates : tuple of str
        Coordinate systems that metres in this country usually are in.
    crs_degrees : tuple of str
        Systems that degrees in this country may be in, beside WGS 84.
    day_first : bool
        Whether 03/04/2021 is the third of April.
    aliases : dict of role to dict of column to spellings
        How headers write our columns; roles are ``points``, ``sites``, ``communes``, ...
    kinds, levels, technologies, statuses, operators : dict of value to words
        How cells write our values.
    kinds_in_names : dict of value to words
        How names of places of learning say their kind, where no column does.
    totals : tuple of str
        How lists head the rows that add others up.
    compass : dict of N, S, E, W to words
        How coordinates write the four directions.
    missing : tuple of str
        What people write where they know nothing.
    place_kinds : tuple of str
        Kinds of points that are places where people live, not schools.
    learners_assumed : dict of kind to float
        Learners at a point of which nothing at all is known; an assumption.
    technology_assumed : str
        Technology of a mast of which nothing is known; an assumption.
    frequency_assumed_mhz : dict of technology to float
        Carrier of a cell of which only the technology is known; an assumption.
    assumptions_source : str
        What the assumed values stand on.
    radio_climate : dict of place to (longitude, latitude, delta_n, n0)
        Median refractivity of the air (N-units/km, N-units) where it is
        known; studies that do not state theirs interpolate it.
    radio_climate_source : str
        Where those values come from.
    rain : dict of place to (longitude, latitude, mm/h)
        Rain rate exceeded 0.01 % of a year (ITU-R P.837) where it is known;
        feeders that do not state theirs interpolate it.
    rain_source : str
        Where those values come from.
    """

    name: str
    extends: str = ""
    languages: tuple[str, ...] = ("en",)
    default_language: str = "en"
    currency: str = Field(default="USD", pattern=r"^[A-Z]{3}$")
    currency_per_usd: float = Field(default=1.0, gt=0)
    currency_source: str = ""
    commune_code_pattern: str = ""
    commune_code_width: int = Field(default=0, ge=0, le=20)
    unit_kinds: tuple[str, ...] = ()
    bounds: tuple[float, float, float, float] | None = None
    crs_candidates: tuple[str, ...] = ()
    crs_degrees: tuple[str, ...] = ()
    day_first: bool = True
    aliases: dict[str, Words] = Field(default_factory=dict)
    kinds_in_names: Words = Field(default_factory=dict)
    totals: tuple[str, ...] = ()
    kinds: Words = Field(default_factory=dict)
    levels: Words = Field(default_factory=dict)
    technologies: Words = Field(default_factory=dict)
    statuses: Words = Field(default_factory=dict)
    operators: Words = Field(default_factory=dict)
    compass: Words = Field(default_factory=dict)
    missing: tuple[str, ...] = ()
    place_kinds: tuple[str, ...] = ("commune", "village", "other")
    learners_assumed: dict[str, float] = Field(default_factory=dict)
    technology_assumed: str = "LTE"
    frequency_assumed_mhz: dict[str, float] = Field(default_factory=dict)
    assumptions_source: str = ""
    radio_climate: dict[str, tuple[float, float, float, float]] = Field(default_factory=dict)
    radio_climate_source: str = ""
    rain: dict[str, tuple[float, float, float]] = Field(default_factory=dict)
    rain_source: str = ""

    @staticmethod
    def names() -> tuple[str, ...]:
        """Names of the profiles that come with the program."""
        folder = resources.files("phusong") / "profiles"
        return tuple(sorted(p.name.removesuffix(".yml") for p in folder.iterdir()
                            if p.name.endswith(".yml")))

    @classmethod
    def load(cls, name: str) -> Profile:
        """Read a profile by its name.

        Raises
        ------
        UnknownNameError
            If there is none of that name; the nearest spelling is offered.
        """
        return _load(str(name))

    def spellings(self, role: str) -> Words:
        """Return how headers write each column of a role (the column's own name among them)."""
        if role not in self.aliases:
            raise UnknownNameError(f'The profile "{self.name}" has no aliases for "{role}". '
                                   f"{nearest(role, self.aliases)}")
        return self.aliases[role]

    def value(self, words: str, text: str) -> str:
        """Return which value of ``kinds``, ``technologies`` ... a cell names; empty = none.

        Parameters
        ----------
        words : {"kinds", "levels", "technologies", "statuses", "operators", "compass"}
            The list of words to look in.
        text : str
            The cell, as a whole.
        """
        return self._lookups[words].get(fold(text), "")

    def values_in(self, words: str, text: str) -> tuple[str, ...]:
        """Return every value whose words occur in a longer text, longest words first.

        ``"Trường Tiểu học và THCS"`` holds two levels.  A stretch of text that one word has
        used up is not matched again, and words are matched whole.
        """
        plain, found = " ".join(_pieces(text)), []
        for pattern, value in self._phrases[words]:
            plain, hits = pattern.subn("|", plain)
            if hits and value not in found:
                found.append(value)
        return tuple(found)

    @cached_property
    def _lookups(self) -> dict[str, dict[str, str]]:
        return {name: _lookup(getattr(self, name)) for name in _WORD_LISTS}

    @cached_property
    def _phrases(self) -> dict[str, tuple[tuple[re.Pattern[str], str], ...]]:
        return {name: _phrases(getattr(self, name)) for name in _WORD_LISTS}


def _merge(base: Any, above: Any) -> Any:
    if isinstance(base, Mapping) and isinstance(above, Mapping):
        keys = [*base, *(k for k in above if k not in base)]
        return {k: _merge(base[k], above[k]) if k in base and k in above
                else (above[k] if k in above else base[k]) for k in keys}
    if isinstance(base, list) and isinstance(above, list):
        return base + [word for word in above if word not in base]
    return above


def _text_of(name: str) -> dict[str, Any]:
    known = Profile.names()
    if name not in known:
        raise UnknownNameError(f'There is no profile "{name}". {nearest(name, known)}')
    text = (resources.files("phusong") / "profiles" / f"{name}.yml").read_text("utf-8")
    values: dict[str, Any] = yaml.safe_load(text)
    base = values.get("extends", "")
    if not base:
        return values
    plain = {k: values[k] for k in ("languages", "crs_candidates", "place_kinds") if k in values}
    return {**_merge(_text_of(base), values), **plain}


@lru_cache(maxsize=16)
def _load(name: str) -> Profile:
    return Profile.model_validate(_text_of(name))


def _lookup(table: Words) -> dict[str, str]:
    found = {fold(word): value for value, spelt in table.items() for word in spelt}
    return {**found, **{fold(value): value for value in table}}


def _pieces(text: str) -> Iterable[str]:
    return (fold(piece) for piece in re.split(r"[\W_]+", str(text)) if piece)


def _phrases(table: Words) -> tuple[tuple[re.Pattern[str], str], ...]:
    pairs = {(" ".join(_pieces(w)), v) for v, spelt in table.items() for w in (*spelt, v)}
    ordered = sorted(pairs, key=lambda pair: (-len(pair[0]), pair))
    return tuple((re.compile(rf"(?<!\w){re.escape(word)}(?!\w)"), v) for word, v in ordered)
