"""The installed engine against published reference values.

Trust is something one can run: ``phusong verify radio --vectors DIR``.
"""

from __future__ import annotations

from phusong.verify.checks import Check
from phusong.verify.radio import verify_radio

__all__ = ["Check", "verify_radio"]
