"""Names of administrative units: equal spellings found equal, different names kept apart."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache

from phusong.profile import fold

__all__ = ["match_names", "name_key", "same_name", "without_kind"]

_TONES = {"\u0300": "1", "\u0301": "2", "\u0303": "3", "\u0309": "4", "\u0323": "5"}
_D = str.maketrans({"Ð": "Đ", "ð": "đ", "Ɖ": "Đ", "ɖ": "đ"})
_WORD = re.compile(r"(?:[^\W\d_]|[\ue001-\ue005])+")
_QUOTES = str.maketrans({"’": "'", "‘": "'", "`": "'", "´": "'", "–": "-", "—": "-"})


@lru_cache(maxsize=65536)
def name_key(text: str) -> str:
    """Return the key that equal spellings of one name share.

    Unicode composition, case, spaces, the three look-alikes of Đ, and the place of the tone
    mark within a syllable (Hoà, Hòa) do not matter; every accent does.

    Examples
    --------
    >>> name_key("Xã  Xuân Hoà") == name_key("xã Xuân Hòa")
    True
    >>> name_key("Thuỷ Ðông") == name_key("Thủy Đông"), name_key("Tân Lập") == name_key("Tân Lạp")
    (True, False)
    """
    plain = unicodedata.normalize("NFD", str(text).translate(_D).translate(_QUOTES).casefold())
    toned = _WORD.sub(_tone_last, unicodedata.normalize("NFC", _tones_apart(plain)))
    return " ".join(toned.split())


def _tones_apart(plain: str) -> str:
    """Put digits in private use for tone marks, so that composing does not hide them."""
    return "".join(chr(0xE000 + int(_TONES[c])) if c in _TONES else c for c in plain)


def _tone_last(word: re.Match[str]) -> str:
    letters = [c for c in word[0] if not "\ue001" <= c <= "\ue005"]
    tones = [c for c in word[0] if "\ue001" <= c <= "\ue005"]
    return "".join(letters + sorted(tones))


def without_kind(name: str, kinds: Iterable[str]) -> str:
    """Return a name without the word for what the unit is ("Xã", "Phường", "Thị trấn").

    Examples
    --------
    >>> without_kind("Phường Sa Pa", ["xã", "phường"])
    'sa pa'
    """
    key = name_key(name)
    for kind in sorted((name_key(k) for k in kinds), key=len, reverse=True):
        if key.startswith(f"{kind} "):
            return key[len(kind) + 1:]
    return key


def _loose(name: str, kinds: Iterable[str]) -> str:
    words = [fold(word) for word in str(name).split()]
    spelt = {tuple(fold(word) for word in kind.split()) for kind in kinds}
    for kind in sorted(spelt, key=len, reverse=True):
        if tuple(words[:len(kind)]) == kind and len(words) > len(kind):
            words = words[len(kind):]
            break
    return "".join(words).replace("y", "i")


def same_name(one: str, other: str, kinds: Iterable[str] = ()) -> bool:
    """Tell whether two names are one: with or without their kind, with or without accents.

    Names that both carry accents must agree in them.

    Examples
    --------
    >>> same_name("Xã Xuân Hoà", "Xuân Hòa", ["xã"]), same_name("xuan hoa", "Xuân Hòa")
    (True, True)
    >>> same_name("Tân Lập", "Tân Lạp")
    False
    """
    if without_kind(one, kinds) == without_kind(other, kinds):
        return True
    plain = str(one).isascii() or str(other).isascii()
    return plain and _loose(one, kinds) == _loose(other, kinds)


def match_names(names: Sequence[str], groups: Sequence[str], units: Mapping[str, tuple[str, str]],
                kinds: Iterable[str] = ()) -> tuple[list[str], list[str]]:
    """Find the unit that each name names.

    Three keys are tried in turn: the whole name, the name without its kind, and the name without
    accents; within one key a name counts only if it names a single unit.

    Parameters
    ----------
    names : sequence of str
        Names as a file writes them; empty = none.
    groups : sequence of str
        Name or code of the greater unit (province) each lies in; empty = not known.
    units : mapping of code to (name, group)
        The register; its groups are compared as names, without their kind.
    kinds : iterable of str
        Words for kinds of units, which names may or may not carry.

    Returns
    -------
    codes : list of str
        Code of the unit; empty where none, or several, would fit.
    how : list of str
        ``exact``, ``bare``, ``loose``, ``ambiguous``, ``unmatched``; empty for an empty name.
    """
    kinds = tuple(kinds)
    keys: tuple[Callable[[str], str], ...] = (
        name_key, lambda text: without_kind(text, kinds), lambda text: _loose(text, kinds))
    tables: list[dict[tuple[str, str], set[str]]] = []
    for key in keys:
        table: dict[tuple[str, str], set[str]] = {}
        for code, (name, group) in units.items():
            for where in {"", _loose(group, kinds)}:
                table.setdefault((key(name), where), set()).add(code)
        tables.append(table)
    listed = {_loose(group, kinds) for _, group in units.values()}
    codes, how = [], []
    for name, group in zip(names, groups, strict=True):
        code, way = "", "unmatched" if name else ""
        where = _loose(group, kinds) if group else ""
        where = where if where in listed else ""
        for key, table, said in zip(keys, tables, ("exact", "bare", "loose"), strict=True):
            found = table.get((key(name), where), set()) if name else set()
            if len(found) == 1:
                code, way = next(iter(found)), said
                break
            way = "ambiguous" if len(found) > 1 else way
        codes.append(code)
        how.append(way)
    return codes, how
