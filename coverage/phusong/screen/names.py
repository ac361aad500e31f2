"""What a study calls its definitions of covered and its targets, for people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from phusong.nouns import Text

__all__ = ["Names"]


@dataclass(frozen=True, slots=True)
class Names:
    """Labels by key; a key without a label stands for itself.

    Parameters
    ----------
    definitions, targets : mapping of str to Text
        The labels.
    """

    definitions: Mapping[str, Text] = field(default_factory=dict)
    targets: Mapping[str, Text] = field(default_factory=dict)

    @classmethod
    def of(cls, study: Any) -> Names:
        """Return the names of a study."""
        return cls({name: need.label for name, need in study.needs.items()},
                   {target.name: target.label for target in study.targets})

    def definition(self, key: str, language: str) -> str:
        """Return the label of a definition with its key, as the study file writes it, behind."""
        label = self.definitions.get(key, Text()).in_language(language)
        return f"{label} [{key}]" if label else key

    def target(self, key: str, language: str) -> str:
        """Return the label of a target."""
        return self.targets.get(key, Text()).in_language(language) or key
