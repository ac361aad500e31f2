"""A new study: an empty one to fill in, a province's open data, or a whole fictional province."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from pathlib import Path

from phusong.errors import InputError, StudyError
from phusong.nouns import nearest
from phusong.profile import Profile
from phusong.provinces import find_province
from phusong.whole import write_whole

__all__ = ["make", "make_province"]

SIZES = ("commune", "province", "country")
TEMPLATES = Path(__file__).parent / "templates"
COUNTRIES = {"vietnam": "VNM"}
"""Profile -> ISO 3166-1 alpha-3 code of its country."""
COMMUNES = {"vietnam": """\
  # communes: {file: open/communes_vn.gpkg}         # by hand: phusong fetch --only communes_vn
"""}
"""Profile -> what its study file says of communes."""


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
    _free(folder, name)
    if fictional:
        if size not in SIZES:
            raise InputError(f'There is no size "{size}". {nearest(size, SIZES)}')
        from phusong.sources.fictional import fictional as make_fictional

        return make_fictional(folder / name, name=name, size=size,  # type: ignore[arg-type]
                              seed=seed, progress=progress)
    Profile.load(profile)
    text = (TEMPLATES / "study.yml").read_text(encoding="utf-8").format(name=name, profile=profile)
    return write_whole(folder / name / "study.yml", text.encode())


def make_province(folder: Path, name: str, province: str, *, fictional: bool = False,
                  profile: str = "vietnam", day: dt.date | None = None) -> tuple[Path, str]:
    """Make the folder of a new study of a province, its study file wired to open data.

    Parameters
    ----------
    folder : Path
        The folder of all studies, ``data/raw``.
    name : str
        Name of the new one.
    province : str
        Code or name, of today's provinces or of former ones.
    fictional : bool
        Refused: a study is of a real province or fictional.
    profile : str
        The country's.
    day : date, optional
        Day whose list of provinces is meant; None = today.

    Returns
    -------
    path : Path
        The new ``study.yml``.
    said : str
        Which province it is, and which other one has the same code or name at another time.

    Raises
    ------
    StudyError
        If there is such a study already, or the name is no name.
    UnknownNameError
        If there is no such province.
    """
    if fictional:
        raise InputError("A study is of a real province or fictional: take --province or "
                         "--fictional.")
    _free(folder, name)
    found, other = find_province(profile, province, day or dt.date.today())
    text = (TEMPLATES / "province.yml").read_text(encoding="utf-8").format(
        name=name, profile=profile, title=found.name, code=found.code, said=str(found),
        box=", ".join(f"{v:g}" for v in found.box), country=COUNTRIES[profile],
        communes=COMMUNES[profile])
    said = str(found) + (f". Another province of that code or name: {other}; for it take --as-of."
                         if other else "")
    return write_whole(folder / name / "study.yml", text.encode()), said


def _free(folder: Path, name: str) -> None:
    """Refuse a name that is none, or that is taken."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", name):
        raise StudyError(f'"{name}" cannot be the name of a study: use letters, digits, "-", "_" '
                         f'and ".", beginning with a letter or digit.')
    if (folder / name).exists():
        raise StudyError(f"{folder / name} exists already. Take another name, or remove that "
                         f"folder first.")
