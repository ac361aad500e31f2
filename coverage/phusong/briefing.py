"""From the results of a run to the page of a briefing room."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from phusong.errors import UnknownNameError
from phusong.maps import (
    OPENSTREETMAP,
    Sheets,
    Tiles,
    draw_sheets,
    hand_out,
    part,
    province_names,
    save,
)
from phusong.nouns import nearest
from phusong.pipeline import Results
from phusong.store import file_digest, key_of, program_digest
from phusong.whole import write_whole

__all__ = ["map_of", "sheets_of", "write_brief", "write_map"]

LANGUAGES = ("vi", "en")
AUDIENCES = ("internal", "public")


def sheets_of(results: Results) -> Sheets:
    """Return everything that a map or a brief shows of a run, as one noun."""
    name = results.study.need.name
    around, people = results.around, results.tables.get("people")
    if around.communes is not None and people is not None and len(people):
        around = replace(around, communes=around.communes.assign(people=people["people"]))
    return Sheets(results.points, results.service, results.standing, results.plan,
                  spots=results.spots, reach=results.reach, costs=results.bills,
                  progress=results.tables["progress"], terrain=results.terrain,
                  around=around,
                  services={day: by_name[name] for day, by_name in results.services.items()},
                  feeders=results.tables.get("feeders"),
                  disagreement=results.tables.get("disagreement"),
                  known_on=results.known_on, forecast=results.tables.get("forecast"),
                  field_checks=results.tables.get("field_checks"))


def map_of(results: Results, *, language: str = "vi", audience: str = "internal",
           tiles: Tiles | None = None) -> Any:
    """Return the `folium.Map` of a run, with everything the run knows on it.

    Parameters
    ----------
    results : Results
        What `pipeline.run` returned.
    language : {"vi", "en"}
        Language the page opens in.
    audience : {"internal", "public"}
        A public page withholds small counts of poor learners.
    tiles : Tiles, optional
        Background from the internet.
    """
    _chosen("language", language, LANGUAGES)
    _chosen("audience", audience, AUDIENCES)
    return draw_sheets(results.study, sheets_of(results),
                       language=language, audience=audience,  # type: ignore[arg-type]
                       run=results.digest, tiles=tiles)


def write_brief(results: Results, folder: Path, *, language: str = "vi",
                audience: str = "internal",
                progress: Callable[[str, int, int], None] | None = None) -> dict[str, Path]:
    """Write page, one-page PDF and PNG, workbook of all tables, and a ZIP of all of them.

    Returns
    -------
    dict
        ``html``, ``pdf``, ``png``, ``xlsx`` and ``zip`` to the path of each; where the communes
        make up several provinces, also ``pdf CODE`` and ``png CODE`` of each.
    """
    _chosen("language", language, LANGUAGES)
    _chosen("audience", audience, AUDIENCES)
    sheets = sheets_of(results)
    return hand_out(results.study, sheets, folder,
                    language=language, audience=audience,  # type: ignore[arg-type]
                    run=results.digest, progress=progress,
                    provinces={code: (name, _province(results, sheets, code))
                               for code, name in province_names(sheets).items()})


def _province(results: Results, sheets: Sheets, code: str) -> Sheets:
    """Return the tables of a province; its goal is the whole of its share of each list."""
    rows = results.breakdown.reset_index()
    mine = rows[(rows["by"] == "province") & (rows["value"] == code) & (rows["points"] > 0)]
    deadlines = {t.name: pd.Timestamp(t.deadline) for t in results.study.targets}
    counted = mine.assign(goal=mine["points"], deadline=mine["target"].map(deadlines))
    return replace(part(sheets, code), progress=counted.set_index(["target", "date"]))


def _chosen(what: str, given: str, known: tuple[str, ...]) -> None:
    if given not in known:
        raise UnknownNameError(f'There is no {what} "{given}". {nearest(given, known)}')


def write_map(results: Results, path: Path, *, language: str = "vi", audience: str = "internal",
              online: bool = False, tiles: str = "", attribution: str = "",
              progress: Callable[[str, int, int], None] | None = None) -> Path:
    """Write the page of a run as one file that opens without internet.

    With `online` it fetches background tiles: those of the template `tiles`
    (credited to `attribution`), or by default those of openstreetmap.org.

    A note beside the page (``index.json``) says what it was made from; an
    unchanged page is not drawn again.

    Returns
    -------
    Path
        The page.
    """
    background = None
    if online or tiles:
        background = Tiles(tiles, attribution) if tiles else OPENSTREETMAP
    key = key_of(results.digest, str(results.known_on), language, audience, str(background),
                 program_digest())
    note = path.with_suffix(".json")
    if _is_current(path, note, key):
        return path
    if progress is not None:
        progress("map", 0, 1)
    save(map_of(results, language=language, audience=audience, tiles=background), path,
         online=background is not None)
    content = {"key": key, "sha256": file_digest(path), "study": results.study.name,
               "as_of": results.study.day.isoformat(), "run": results.digest}
    write_whole(note, json.dumps(content, indent=1).encode())
    if progress is not None:
        progress("map", 1, 1)
    return path


def _is_current(path: Path, note: Path, key: str) -> bool:
    try:
        known = json.loads(note.read_text(encoding="utf-8"))
        return bool(known["key"] == key and known["sha256"] == file_digest(path))
    except (FileNotFoundError, json.JSONDecodeError, KeyError):
        return False
