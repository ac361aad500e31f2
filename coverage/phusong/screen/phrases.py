"""What the terminal says of reports, in Vietnamese and English, read from ``desk.yml``."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import yaml

__all__ = ["phrase"]


@cache
def _phrases() -> Mapping[str, Mapping[str, str]]:
    text = files("phusong.screen").joinpath("desk.yml").read_text(encoding="utf-8")
    return dict(yaml.safe_load(text))


def phrase(key: str, language: str, **about: object) -> str:
    """Return the words for `key` in ``"vi"`` or ``"en"``, with what they are `about` filled in."""
    return _phrases()[key][language].format(**about)
