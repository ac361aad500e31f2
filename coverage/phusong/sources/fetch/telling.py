"""What became of an errand, in words: a table, and what is left to do by hand."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from phusong.sources.fetch.errand import Fetched

__all__ = ["told"]


def told(found: Iterable[Fetched], folder: Path,
         language: str = "en") -> tuple[list[tuple[str, ...]], list[str]]:
    """Return the rows of a table and the lines below it.

    Parameters
    ----------
    found : iterable of Fetched
        As `fetch` returns them.
    folder : Path
        The study's folder.
    language : {"en", "vi"}
        Of the data's titles.

    Returns
    -------
    rows : list of (name, file, state, size, licence, detail)
    lines : list of str
        Why something is not there; then, by hand, what to do and where to put it.
    """
    listed = list(found)
    if not listed:
        return [], ["The study names no file of the catalogue of open data."]
    rows: list[tuple[str, ...]] = [
            (one.offer.name, one.offer.file, one.state.replace("_", " "),
             f"{one.size / 2**20:,.1f} MiB" if one.size else "", one.offer.licence,
             one.detail if one.state in ("fetched", "there") else "") for one in listed]
    left = [one for one in listed if one.state not in ("fetched", "there")]
    lines = [f"{one.state.replace('_', ' ')}: {one.offer.name}, "
             f"{one.offer.title.in_language(language)}: {one.detail}" for one in left]
    ways: dict[str, list[Fetched]] = {}
    for one in left:
        if one.state != "absent":
            ways.setdefault(one.by_hand, []).append(one)
    if ways:
        lines.append("By hand:")
    for what, some in ways.items():
        lines.append(f"  {', '.join(one.offer.name for one in some)}: {what}")
        lines += [f"    to {folder / one.offer.file}" for one in some
                  if one.offer.how != "overpass"]
    return rows, lines
