"""What is wrong, in Vietnamese: sentences by the code of a fault, read from ``faults.yml``."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType

import yaml

from phusong.errors import Fault

__all__ = ["fault_words", "place_in_vietnamese"]


@lru_cache(maxsize=1)
def fault_words() -> Mapping[str, str]:
    """Return code of a fault -> Vietnamese sentence, normalised to NFC."""
    text = (files("phusong") / "faults.yml").read_text(encoding="utf-8")
    return MappingProxyType(yaml.safe_load(unicodedata.normalize("NFC", text)))


def place_in_vietnamese(fault: Fault) -> str:
    """Return where the fault is: ``tệp, dòng 12, cột "lat"``.

    Examples
    --------
    >>> place_in_vietnamese(Fault("voids", "", file="dem.tif", column="z"))
    'dem.tif, cột "z"'
    """
    parts = [fault.file] if fault.file else []
    parts += [f"dòng {fault.row}"] if fault.row is not None else []
    parts += [f'cột "{fault.column}"'] if fault.column else []
    return ", ".join(parts)
