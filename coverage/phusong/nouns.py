"""What every small frozen noun (`Radio`, `Need`, `Siting`, ...) has in common.

Parameters travel through the house as frozen pydantic models.  An unknown key
is refused, and the nearest spelling is offered.
"""

from __future__ import annotations

import difflib
import html
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator

__all__ = ["Noun", "Text", "nearest"]

_MOST = 40
"""So many known names are listed: whoever reads more of them is looking in the wrong place."""


def nearest(name: str, known: Iterable[str]) -> str:
    """Return ``'Did you mean "x"?'`` for the closest known spelling, or the first of all.

    Parameters
    ----------
    name : str
        What was written.
    known : iterable of str
        What could have been written.
    """
    options = [str(k) for k in known]
    close = difflib.get_close_matches(str(name), options, n=1, cutoff=0.6)
    if close:
        return f'Did you mean "{close[0]}"?'
    listed = sorted(options)
    more = f" and {len(listed) - _MOST:,} more" if len(listed) > _MOST else ""
    return "Known: " + ", ".join(listed[:_MOST]) + more + "."


class Noun(BaseModel):
    """A frozen set of parameters that refuses keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown_keys(cls, values: Any) -> Any:
        if isinstance(values, dict):
            known = set(cls.model_fields)
            known |= {f.alias for f in cls.model_fields.values() if f.alias}
            wrong = [key for key in values if key not in known]
            if wrong:
                said = "; ".join(f'unknown key "{k}". {nearest(k, known)}' for k in wrong)
                raise ValueError(said)
        return values

    def _repr_html_(self) -> str:
        """Show the noun in a notebook: one row for each parameter."""
        rows = "".join(f"<tr><th style='text-align:left'>{html.escape(name)}</th>"
                       f"<td style='text-align:left'>{html.escape(str(getattr(self, name)))}</td>"
                       f"</tr>" for name in type(self).model_fields)
        return f"<b>{type(self).__name__}</b><table>{rows}</table>"


class Text(Noun):
    """A text in the languages of the house.

    Parameters
    ----------
    en, vi : str
        The same words in English and in Vietnamese.  Where one is empty the
        other stands in for it.
    """

    en: str = ""
    vi: str = ""

    @model_validator(mode="before")
    @classmethod
    def _accept_plain_text(cls, values: Any) -> Any:
        return {"en": values, "vi": values} if isinstance(values, str) else values

    def in_language(self, language: str) -> str:
        """Return the text in `language` (``"vi"`` or ``"en"``), or in the other one."""
        if language == "vi":
            return self.vi or self.en
        return self.en or self.vi
