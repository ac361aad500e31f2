"""Vietnamese text from before Unicode: TCVN3 (ABC) and VNI, converted only where it scores better.

Such text was typed in fonts that draw other letters in the places of Western ones: "Trường" is
stored as "Tr-êng" (with a soft hyphen) or "Tröôøng".  A file is judged as a whole: each way of
reading it is scored by how many of its words with special letters could be syllables.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable

__all__ = ["CHARSETS", "converted", "score", "tcvn3", "vni"]

_TCVN = ("ĂÂÊÔƠƯĐăâêôơưđẶ\u0300\u0309\u0303\u0301\u0323àảãáạẲằẳẵắẴẮẦẨẪẤỀặầẩẫấậèỂẻẽéẹềểễếệìỉỄẾ"
         "ỒĩíịòỔỏõóọồổỗốộờởỡớợùỖủũúụừửữứựỳỷỹýỵ")
"""Letters of the bytes 0xA1 to 0xFE (TCVN 5712-1; TCVN3 fonts draw the small ones)."""
_VNI_MARKS = {"ù": "\u0301", "ø": "\u0300", "û": "\u0309", "õ": "\u0303", "ï": "\u0323",
              "â": "\u0302", "á": "\u0302\u0301", "à": "\u0302\u0300", "å": "\u0302\u0309",
              "ã": "\u0302\u0303", "ä": "\u0302\u0323", "ê": "\u0306", "é": "\u0306\u0301",
              "è": "\u0306\u0300", "ú": "\u0306\u0309", "ü": "\u0306\u0303", "ë": "\u0306\u0323"}
"""What VNI writes behind a vowel -> the marks it stands for."""
_VNI_LETTERS = {"ñ": "đ", "ö": "ư", "ô": "ơ", "í": "í", "ì": "ì", "æ": "ỉ", "ó": "ĩ", "ò": "ị",
                "î": "ỵ"}
"""What VNI writes for a whole letter."""

_ONSET = r"(?:ngh|ng|nh|gh|gi|ch|kh|ph|qu|th|tr|[bcdđghklmnpqrstvx])?"
_OPEN = ("iêu|yêu|ươi|ươu|uôi|oai|oay|oao|oeo|uây|uyu|uya|uêu|ai|ao|au|âu|ay|ây|eo|êu|ia|iu|oi|ôi|"
         "ơi|ua|ui|ưa|ưi|ưu|oa|oe|uê|uơ|uy|ya|a|e|ê|i|o|ô|ơ|u|ư|y")
_CLOSED = "iê|yê|uyê|uô|ươ|oa|oă|oe|uâ|uê|uy|oo|a|ă|â|e|ê|i|o|ô|ơ|u|ư|y"
_SYLLABLE = re.compile(rf"{_ONSET}(?:(?:{_OPEN})|(?:{_CLOSED})(?:(?P<stop>ch|c|p|t)|ng|nh|m|n))")
_TONES = {"\u0300": "grave", "\u0301": "acute", "\u0303": "tilde", "\u0309": "hook",
          "\u0323": "dot"}
_WORD = re.compile(r"[^\W\d_]+(?:\u00ad[^\W\d_]*)*")
_ENOUGH, _BETTER, _WORDS, _HEARD = 0.75, 0.25, 3, 2000


def _syllable(word: str) -> bool:
    """Tell whether a word could be one Vietnamese syllable."""
    apart = unicodedata.normalize("NFD", word.casefold())
    tones = [_TONES[c] for c in apart if c in _TONES]
    plain = unicodedata.normalize("NFC", "".join(c for c in apart if c not in _TONES))
    found = _SYLLABLE.fullmatch(plain)
    if found is None or len(tones) > 1:
        return False
    return found["stop"] is None or (bool(tones) and tones[0] in ("acute", "dot"))


def score(texts: Iterable[str]) -> tuple[float, int]:
    """Return the share of words with special letters that could be Vietnamese, and their number.

    Examples
    --------
    >>> score(["Trường Tiểu học", "school"])
    (1.0, 3)
    """
    special, good = 0, 0
    for text in texts:
        if text.isascii():
            continue
        for word in re.findall(r"[^\s\d,.;:()\[\]/\\\"'&+-]+", text):
            if not word.isascii():
                special += 1
                good += _syllable(word)
    return (good / special if special else 0.0), special


def tcvn3(text: str) -> str:
    """Return text whose bytes were TCVN3 and were read as Western (Windows-1252 or Latin 1).

    Examples
    --------
    >>> tcvn3("Tr\\xadêng TiÓu häc")
    'Trường Tiểu học'
    """
    letters = (_western(c) for c in text)
    plain = "".join(_TCVN[byte - 0xA1] if byte is not None and 0xA1 <= byte <= 0xFE else c
                    for c, byte in zip(text, letters, strict=True))
    return unicodedata.normalize("NFC", plain)


def vni(text: str) -> str:
    """Return text whose bytes were VNI and were read as Western.

    Examples
    --------
    >>> vni("Tröôøng Tieåu hoïc")
    'Trường Tiểu học'
    """
    out: list[str] = []
    for c in text:
        low = c.lower()
        if low in _VNI_MARKS and out and _takes(out[-1], _VNI_MARKS[low]):
            out[-1] = unicodedata.normalize("NFC", out[-1] + _VNI_MARKS[low])
        elif low in _VNI_LETTERS:
            letter = _VNI_LETTERS[low]
            out.append(letter.upper() if c != low else letter)
        else:
            out.append(c)
    return "".join(out)


def _takes(letter: str, marks: str) -> bool:
    """Tell whether a vowel can carry these marks as one letter."""
    return letter.lower() in "aeoươuy" and len(unicodedata.normalize("NFC", letter + marks)) == 1


def _western(letter: str) -> int | None:
    try:
        return letter.encode("cp1252")[0]
    except UnicodeEncodeError:
        return ord(letter) if ord(letter) < 0x100 else None


CHARSETS: dict[str, Callable[[str], str]] = {"TCVN3": tcvn3, "VNI": vni}
"""Name of an old way of writing -> what converts it."""


def converted(texts: list[str]) -> tuple[str, list[str]]:
    """Return texts converted from the old charset that they are written in, and its name.

    The name is empty, and the texts are the same, unless another way of reading makes at least
    three quarters of the words with special letters possible syllables, a quarter more
    than the texts as they are, and there are three such words.
    """
    step = max(1, len(texts) // _HEARD)
    heard = texts[::step]
    as_is, words = score(heard)
    if words < _WORDS:
        return "", texts
    best, name, chosen = as_is + _BETTER, "", texts
    for charset, convert in CHARSETS.items():
        share, there = score(text if text.isascii() else convert(text) for text in heard)
        if share >= max(best, _ENOUGH) and there >= _WORDS:
            best, name = share, charset
    if name:
        chosen = [text if text.isascii() else CHARSETS[name](text) for text in texts]
    return name, chosen
