"""From the results of a run to the page of a briefing room."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from phusong.errors import UnknownNameError
from phusong.nouns import nearest
from phusong.pipeline import Results
from phusong.store import file_digest, key_of, program_digest, write_whole

__all__ = ["map_of", "write_map"]

LANGUAGES = ("vi", "en")


def map_of(results: Results, *, language: str = "vi") -> Any:
    """Return the `folium.Map` of a run, with everything the run knows on it.

    Parameters
    ----------
    results : Results
        What `pipeline.run` returned.
    language : {"vi", "en"}
        Language the page opens in.
    """
    from phusong.maps import draw

    if language not in LANGUAGES:
        raise UnknownNameError(f'There is no language "{language}". {nearest(language, LANGUAGES)}')
    name = results.study.need.name
    return draw(results.study, results.points, results.service, results.standing, results.plan,
                spots=results.spots, reach=results.reach, costs=results.costs,
                progress=results.tables["progress"], terrain=results.terrain,
                around=results.around,
                services={day: by_name[name] for day, by_name in results.services.items()},
                language=language)  # type: ignore[arg-type]


def write_map(results: Results, path: Path, *, language: str = "vi",
              progress: Callable[[str, int, int], None] | None = None) -> Path:
    """Write the page of a run as one file that opens without internet.

    A note beside the page (``index.json``) says what it was made from; an
    unchanged page is not drawn again.

    Returns
    -------
    Path
        The page.
    """
    key = key_of(results.digest, language, program_digest())
    note = path.with_suffix(".json")
    if _is_current(path, note, key):
        return path
    if progress is not None:
        progress("map", 0, 1)
    from phusong.maps import save

    save(map_of(results, language=language), path)
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
