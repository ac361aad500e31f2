"""What the terminal says of reports, in Vietnamese and English, read from ``desk.yml``."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import yaml

__all__ = ["figure", "phrase"]

_SWAPPED = str.maketrans(",.", ".,")


@cache
def _phrases() -> Mapping[str, Mapping[str, str]]:
    text = files("phusong.screen").joinpath("desk.yml").read_text(encoding="utf-8")
    return dict(yaml.safe_load(text))


def phrase(key: str, language: str, **about: object) -> str:
    """Return the words for `key` in ``"vi"`` or ``"en"``, with what they are `about` filled in."""
    return _phrases()[key][language].format(**about)


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
