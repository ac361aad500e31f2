"""From the results of a run to the page of a briefing room."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from phusong.errors import UnknownNameError
from phusong.maps import Sheets, draw_sheets, hand_out, save
from phusong.nouns import nearest
from phusong.pipeline import Results
from phusong.store import file_digest, key_of, program_digest, write_whole

__all__ = ["map_of", "sheets_of", "write_brief", "write_map"]

LANGUAGES = ("vi", "en")
AUDIENCES = ("internal", "public")


def sheets_of(results: Results) -> Sheets:
    """Return everything that a map or a brief shows of a run, as one noun."""
    name = results.study.need.name
    return Sheets(results.points, results.service, results.standing, results.plan,
                  spots=results.spots, reach=results.reach, costs=results.bills,
                  progress=results.tables["progress"], terrain=results.terrain,
                  around=results.around,
                  services={day: by_name[name] for day, by_name in results.services.items()})


def map_of(results: Results, *, language: str = "vi", audience: str = "internal") -> Any:
    """Return the `folium.Map` of a run, with everything the run knows on it.

    Parameters
    ----------
    results : Results
        What `pipeline.run` returned.
    language : {"vi", "en"}
        Language the page opens in.
    audience : {"internal", "public"}
        A public page withholds small counts of poor learners.
    """
    _chosen("language", language, LANGUAGES)
    _chosen("audience", audience, AUDIENCES)
    return draw_sheets(results.study, sheets_of(results),
                       language=language, audience=audience,  # type: ignore[arg-type]
                       run=results.digest)


def write_brief(results: Results, folder: Path, *, language: str = "vi",
                audience: str = "internal",
                progress: Callable[[str, int, int], None] | None = None) -> dict[str, Path]:
    """Write page, one-page PDF and PNG, workbook of all tables, and a ZIP of all of them.

    Returns
    -------
    dict
        ``html``, ``pdf``, ``png``, ``xlsx`` and ``zip`` to the path of each.
    """
    _chosen("language", language, LANGUAGES)
    _chosen("audience", audience, AUDIENCES)
    if progress is not None:
        progress("brief", 0, 1)
    written = hand_out(results.study, sheets_of(results), folder,
                       language=language, audience=audience,  # type: ignore[arg-type]
                       run=results.digest)
    if progress is not None:
        progress("brief", 1, 1)
    return written


def _chosen(what: str, given: str, known: tuple[str, ...]) -> None:
    if given not in known:
        raise UnknownNameError(f'There is no {what} "{given}". {nearest(given, known)}')


def write_map(results: Results, path: Path, *, language: str = "vi", audience: str = "internal",
              progress: Callable[[str, int, int], None] | None = None) -> Path:
    """Write the page of a run as one file that opens without internet.

    A note beside the page (``index.json``) says what it was made from; an
    unchanged page is not drawn again.

    Returns
    -------
    Path
        The page.
    """
    key = key_of(results.digest, language, audience, program_digest())
    note = path.with_suffix(".json")
    if _is_current(path, note, key):
        return path
    if progress is not None:
        progress("map", 0, 1)
    save(map_of(results, language=language, audience=audience), path)
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
