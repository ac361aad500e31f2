"""A new study: an empty one to fill in, or a whole fictional province."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from phusong.errors import InputError, StudyError
from phusong.nouns import nearest
from phusong.profile import Profile
from phusong.store import write_whole

__all__ = ["make"]

SIZES = ("commune", "province", "country")
TEMPLATE = Path(__file__).parent / "templates" / "study.yml"


def make(folder: Path, name: str, *, fictional: bool = False, size: str = "province",
         seed: int = 2021, profile: str = "generic",
         progress: Callable[[str, int, int], None] | None = None) -> Path:
    """Make the folder of a new study.

    Parameters
    ----------
    folder : Path
        The folder of all studies, ``data/raw``.
    name : str
        Name of the new one.
    fictional : bool
        Make a whole province from `seed`; else write a study file to fill in.
    size : {"commune", "province", "country"}
        How much of it.
    seed : int
        The same seed gives the same bytes.
    profile : str
        Profile of an empty study.
    progress : callable, optional
        Called with (what, done, of all).

    Returns
    -------
    Path
        The new ``study.yml``.

    Raises
    ------
    StudyError
        If there is such a study already, or the name is no name.
    InputError
        If the size or the profile is not known.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", name):
        raise StudyError(f'"{name}" cannot be the name of a study: use letters, digits, "-", "_" '
                         f'and ".", beginning with a letter or digit.')
    if (folder / name).exists():
        raise StudyError(f"{folder / name} exists already. Take another name, or remove that "
                         f"folder first.")
    if fictional:
        if size not in SIZES:
            raise InputError(f'There is no size "{size}". {nearest(size, SIZES)}')
        from phusong.sources.fictional import fictional as make_fictional

        return make_fictional(folder / name, name=name, size=size,  # type: ignore[arg-type]
                              seed=seed, progress=progress)
    Profile.load(profile)
    text = TEMPLATE.read_text(encoding="utf-8").format(name=name, profile=profile)
    return write_whole(folder / name / "study.yml", text.encode())
