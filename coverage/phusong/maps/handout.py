"""Everything to hand out, in one archive: page, one-page brief, and the tables as a workbook."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Literal

import pandas as pd

from phusong.maps.brief import brief
from phusong.maps.content import Briefed, Sheets
from phusong.maps.draw import draw_sheets
from phusong.maps.figures import WITHHELD_BELOW
from phusong.maps.sealed import seal, write_whole
from phusong.maps.words import Language
from phusong.maps.workbook import workbook

__all__ = ["hand_out"]

_WHEN = (1980, 1, 1, 0, 0, 0)
_POOR = ("learners_poor", "learners_near_poor", "poor_students_gained", "learners_poor_uncovered")


def hand_out(study: Briefed, sheets: Sheets, folder: str | Path, *, language: Language = "vi",
             audience: Literal["internal", "public"] = "internal", run: str = ""
             ) -> dict[str, Path]:
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

    Returns
    -------
    dict of str to Path
        ``html``, ``pdf``, ``png``, ``xlsx`` and ``zip``.  Each file appears
        whole or not at all; the same input gives the same bytes.
    """
    folder = Path(folder)
    page = seal(draw_sheets(study, sheets, language=language, audience=audience, run=run))
    short = brief(study, sheets, language=language, public=audience == "public")
    contents = {"html": page.encode("utf-8"), "pdf": short.pdf, "png": short.png,
                "xlsx": workbook(study, _tables(sheets, audience == "public"),
                                 language=language)}
    names = {"html": "index.html", "pdf": "brief.pdf", "png": "brief.png", "xlsx": "tables.xlsx"}
    contents["zip"] = _archive({f"{study.name}/{names[kind]}": raw
                                for kind, raw in contents.items()})
    names["zip"] = f"{study.name}.zip"
    return {kind: write_whole(folder / names[kind], raw) for kind, raw in contents.items()}


def _tables(sheets: Sheets, public: bool) -> dict[str, pd.DataFrame | None]:
    tables: dict[str, pd.DataFrame | None] = {
        "points": sheets.points, "service": sheets.service, "sites": sheets.sites,
        "spots": sheets.spots, "plan": sheets.plan, "costs": sheets.costs,
        "progress": sheets.progress}
    if not public:
        return tables
    out: dict[str, pd.DataFrame | None] = {}
    for name, frame in tables.items():
        if frame is not None:
            frame = frame.copy()
            for column in _POOR:
                if column in frame.columns:
                    small = (frame[column] > 0) & (frame[column] < WITHHELD_BELOW)
                    frame[column] = frame[column].astype("float64").where(~small)
        out[name] = frame
    return out


def _archive(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, raw in files.items():
            entry = zipfile.ZipInfo(name, _WHEN)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, raw)
    return out.getvalue()

