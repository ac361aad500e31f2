"""The installed engine against published reference values.

Trust is something one can run: ``phusong verify radio --vectors DIR``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from phusong.errors import UnknownNameError
from phusong.nouns import nearest
from phusong.verify.checks import Check
from phusong.verify.plan import PlanCheck, verify_plan
from phusong.verify.radio import verify_radio

__all__ = ["ENGINES", "Check", "PlanCheck", "verify", "verify_plan", "verify_radio"]

ENGINES: dict[str, Callable[[Path], Sequence[Check | PlanCheck]]] = {
    "plan": verify_plan,
    "radio": verify_radio,
}
"""What can be verified, and by which function."""


def verify(what: str, folder: Path, *, only: tuple[str, ...] = (), seconds: float = 60.0,
           gap: float = 0.0, tell: Callable[[Check | PlanCheck], None] | None = None
           ) -> Sequence[Check | PlanCheck]:
    """Compare an engine with the reference values below `folder`.

    Parameters
    ----------
    what : str
        A key of `ENGINES`.
    folder : Path
        Folder of reference values.
    only, seconds, gap
        For ``plan``: as in `verify_plan`.
    tell : callable, optional
        Called with each check as soon as it is known.

    Raises
    ------
    UnknownNameError
        If there is no such engine.
    """
    if what not in ENGINES:
        raise UnknownNameError(f'There is nothing called "{what}" to verify. '
                               f"{nearest(what, ENGINES)}")
    if what == "plan":
        return verify_plan(Path(folder), only=only, seconds=seconds, gap=gap, tell=tell)
    checks = ENGINES[what](Path(folder))
    if tell:
        for check in checks:
            tell(check)
    return checks
