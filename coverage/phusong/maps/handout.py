"""Everything to hand out, in one archive: page, one-page brief, and the tables as a workbook."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

import pandas as pd

from phusong.maps.brief import brief
from phusong.maps.content import Briefed, Sheets
from phusong.maps.draw import draw_sheets
from phusong.maps.figures import WITHHELD_BELOW
from phusong.maps.sealed import seal
from phusong.maps.words import Language, sentence
from phusong.maps.workbook import workbook
from phusong.whole import write_whole

__all__ = ["LARGEST_ARCHIVE", "hand_out"]

LARGEST_ARCHIVE = 10_000_000
"""Bytes that a mail gateway lets through; what does not fit is left out of the archive."""

_WHEN = (1980, 1, 1, 0, 0, 0)
_POOR = ("learners_poor", "learners_near_poor", "poor_students_gained", "learners_poor_uncovered")
_WEIGHTS = ("weight_gained", "cumulative_weight", "bound")


def hand_out(study: Briefed, sheets: Sheets, folder: str | Path, *, language: Language = "vi",
             audience: Literal["internal", "public"] = "internal", run: str = "",
             provinces: Mapping[str, tuple[str, Sheets]] | None = None,
             progress: Callable[[str, int, int], None] | None = None) -> dict[str, Path]:
    """Write page, brief and workbook of a study, and an archive of all of them.

    Many mail gateways strip ``.html``; the archive goes through.

    Parameters
    ----------
    study : Briefed
        What is briefed.
    sheets : Sheets
        The tables.
    folder : path
        Where to write; made if it is not there.
    language : {"vi", "en"}
        Language of brief and workbook, and the one the page opens in.
    audience : {"internal", "public"}
        A public edition withholds counts of poor learners from 1 to 4.
    run : str
        Fingerprint of the run, shown on the page.
    provinces : mapping of str to (str, Sheets), optional
        Code -> name and tables of each province that gets a brief of its own.
    progress : callable, optional
        Called with (what, done, of all).

    Returns
    -------
    dict of str to Path
        ``html``, ``pdf``, ``png``, ``xlsx``, ``zip`` and, for each province, ``pdf CODE`` and
        ``png CODE``.  Each file appears whole or not at all; the same input gives the
        same bytes.  The archive stays below `LARGEST_ARCHIVE`: what does not fit is
        left out, and ``CONTENTS.txt`` in it says so.
    """
    folder, public, parts = Path(folder), audience == "public", dict(provinces or {})
    steps = len(parts) + 3

    def say(done: int) -> None:
        if progress is not None:
            progress("brief", done, steps)

    say(0)
    page = seal(draw_sheets(study, sheets, language=language, audience=audience, run=run))
    say(1)
    short = brief(study, sheets, language=language, public=public, run=run)
    book = workbook(study, _tables(sheets, public), language=language)
    say(3)
    made = {"html": ("index.html", page.encode("utf-8")), "pdf": ("brief.pdf", short.pdf),
            "png": ("brief.png", short.png), "xlsx": ("tables.xlsx", book)}
    for done, (code, (name, tables)) in enumerate(sorted(parts.items()), start=4):
        short = brief(study, tables, language=language, public=public, run=run, part=name)
        safe = "".join(c if c.isalnum() else "_" for c in code)
        made |= {f"pdf {code}": (f"brief-{safe}.pdf", short.pdf),
                 f"png {code}": (f"brief-{safe}.png", short.png)}
        say(done)
    made["zip"] = (f"{study.name}.zip", _archive(study.name, list(made.values()), language))
    return {kind: write_whole(folder / name, raw) for kind, (name, raw) in made.items()}


def _sources(sheets: Sheets) -> pd.DataFrame | None:
    """Return each file with its licence, attribution and date, and what came of its rows."""
    readings = None if sheets.around is None else sheets.around.readings
    if readings is None or not len(readings):
        return None
    wanted = ("file", "role", "licence", "attribution", "date", "rows_in", "accepted", "mended",
              "rejected", "set_aside")
    return readings[[c for c in wanted if c in readings]].set_index("file")


def _tables(sheets: Sheets, public: bool) -> dict[str, pd.DataFrame | None]:
    snapshots = {day: table["status"] for day, table in (sheets.services or {}).items()}
    tables: dict[str, pd.DataFrame | None] = {
        "points": sheets.points, "service": sheets.service, "sites": sheets.sites,
        "spots": sheets.spots, "reach": sheets.reach, "plan": sheets.plan, "costs": sheets.costs,
        "progress": sheets.progress, "feeders": sheets.feeders,
        "disagreement": sheets.disagreement, "field_checks": sheets.field_checks,
        "snapshots": pd.DataFrame({day.isoformat(): snapshots[day] for day in sorted(snapshots)})
        if snapshots else None,
        "sources": _sources(sheets)}
    if not public:
        return tables
    out: dict[str, pd.DataFrame | None] = {}
    for name, frame in tables.items():
        if frame is not None:
            # weights of a goal may be counts of poor learners in disguise
            frame = frame.drop(columns=[c for c in _WEIGHTS if c in frame.columns])
            for column in _POOR:
                if column in frame.columns:
                    small = (frame[column] > 0) & (frame[column] < WITHHELD_BELOW)
                    frame[column] = frame[column].astype("float64").where(~small)
        out[name] = frame
    return out


def _archive(study: str, files: list[tuple[str, bytes]], language: Language) -> bytes:
    """Pack the files in their order as long as they fit; a list of contents comes last."""
    out, listed = io.BytesIO(), []
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, raw in files:
            packed = io.BytesIO()
            with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as trial:
                trial.writestr(_entry(name), raw)
            fits = out.tell() + len(packed.getvalue()) + 40_000 < LARGEST_ARCHIVE
            if fits:
                archive.writestr(_entry(f"{study}/{name}"), raw)
            listed.append(f"{name}  {len(raw):,} B" if fits else
                          sentence("left_out_of_archive", language, {"name": name}))
        archive.writestr(_entry(f"{study}/CONTENTS.txt"), "\r\n".join(listed).encode("utf-8"))
    return out.getvalue()


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _WHEN)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    return entry
