"""How a number, a day and a moment are written in each language of the house."""

from __future__ import annotations

import re
from string import Formatter
from typing import Any

__all__ = ["day", "figure", "filled", "moment"]

_SWAPPED = str.maketrans(",.", ".,")
_DAY = re.compile(r"(\d{4})-(\d\d)-(\d\d)")


def figure(value: float, language: str, form: str = ",.0f") -> str:
    """Return a number as a language writes it.

    Parameters
    ----------
    value : float
        The number.
    language : {"vi", "en"}
        Vietnamese writes a comma before decimals, and dots between thousands.
    form : str
        As `format` takes it.

    Examples
    --------
    >>> figure(1058.5, "en", ",.1f"), figure(1058.5, "vi", ",.1f")
    ('1,058.5', '1.058,5')
    """
    text = format(value, form)
    return text.translate(_SWAPPED) if language == "vi" else text


def day(text: str, language: str) -> str:
    """Return a day as a language writes it.

    Parameters
    ----------
    text : str
        The day as ISO 8601; what is none stands for itself.
    language : {"vi", "en"}
        Vietnamese writes the day first.

    Examples
    --------
    >>> day("2021-09-30", "en"), day("2021-09-30", "vi"), day("", "vi")
    ('2021-09-30', '30/09/2021', '')
    """
    found = _DAY.fullmatch(text)
    return "/".join(found.groups()[::-1]) if found and language == "vi" else text


def moment(text: str, language: str) -> str:
    """Return a moment, to the minute, as a language writes it.

    Parameters
    ----------
    text : str
        Day and time as ISO 8601.
    language : {"vi", "en"}
        As for `day`.

    Examples
    --------
    >>> moment("2021-09-30T08:05:11+00:00", "vi")
    '30/09/2021 08:05'
    """
    return f"{day(text[:10], language)} {text[11:16]}".rstrip()


class _Filler(Formatter):
    """Fills the places of a sentence; numbers are written as the language does."""

    def __init__(self, language: str) -> None:
        self.language = language

    def format_field(self, value: Any, format_spec: str) -> Any:
        """Write one value."""
        if isinstance(value, int | float) and not isinstance(value, bool):
            return figure(value, self.language, format_spec)
        return format(value, format_spec)


def filled(words: str, language: str, **about: object) -> str:
    """Return a sentence with its ``{places}`` filled, numbers as a language writes them.

    Parameters
    ----------
    words : str
        The sentence; places may say how a number is shown, as ``{cost:,.0f}``.
    language : {"vi", "en"}
        As for `figure`.
    **about : object
        What stands in the places.

    Examples
    --------
    >>> filled("{cost:,.1f} VND ({change:+.1%})", "vi", cost=1058.5, change=0.004)
    '1.058,5 VND (+0,4%)'
    """
    return _Filler(language).format(words, **about)
