"""Administrative units through time: lists of codes, crosswalks between them, names, audits.

Codes are text.  A code without its day is half a key: most codes of the communes of 2025 were
the codes of other, smaller communes before.
"""

from __future__ import annotations

from phusong.units.apportion import apportion
from phusong.units.areal import Overlay, holes, overlaps, overlay
from phusong.units.audit import UnitList, Vintages, recode, restore_zeros, vintage_of
from phusong.units.crosswalk import BASES, Carried, Crosswalk, carry, chain
from phusong.units.names import match_names, name_key, same_name, without_kind
from phusong.units.register import Register

__all__ = ["BASES", "Carried", "Crosswalk", "Overlay", "Register", "UnitList", "Vintages",
           "apportion", "carry", "chain", "holes", "match_names", "name_key", "overlaps", "overlay",
           "recode", "restore_zeros", "same_name", "vintage_of", "without_kind"]
