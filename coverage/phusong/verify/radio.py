"""All checks of the radio room over a folder of reference values."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from phusong.errors import InputError, MissingFileError
from phusong.verify.checks import Check
from phusong.verify.closed_forms import (
    check_antenna,
    check_entry,
    check_hata,
    check_link_budget,
    check_numerics,
)
from phusong.verify.longley_rice import check_itm
from phusong.verify.terrain_models import check_delta_bullington, check_p452, check_p1812

__all__ = ["FOLDERS", "verify_radio"]

FOLDERS: dict[str, Callable[[Path], list[Check]]] = {
    "p1812": check_p1812,
    "p452": check_p452,
    "delta_bullington": check_delta_bullington,
    "itm": check_itm,
    "hata": check_hata,
    "antenna": check_antenna,
    "clutter_bel": check_entry,
    "numerics": check_numerics,
    "link_budget": check_link_budget,
}
"""Which folder of reference values is read by which checks."""


def verify_radio(folder: Path) -> list[Check]:
    """Compare the radio room with the reference values below `folder`.

    Parameters
    ----------
    folder : Path
        Holds any of the folders named in `FOLDERS`; what is not there is not
        checked.

    Raises
    ------
    MissingFileError
        If there is no such folder.
    InputError
        If none of the known folders is there, or a file cannot be read.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise MissingFileError(f"There is no folder {folder}. Give the folder that holds p1812/, "
                               f"hata/, antenna/ ...")
    checks = [check for name, run in FOLDERS.items() if (folder / name).is_dir()
              for check in run(folder / name)]
    if not checks:
        raise InputError(f"{folder} holds none of {', '.join(FOLDERS)} with reference values in "
                         f"it. Give the folder above them.")
    return checks
