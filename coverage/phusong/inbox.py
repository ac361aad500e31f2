"""A watched folder: what arrives there is reported once it is whole."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from phusong.ledger import Outcome

__all__ = ["ENDINGS", "FOREIGN", "watch"]

ENDINGS = (".csv", ".tsv", ".txt", ".xlsx", ".xlsm", ".geojson", ".json", ".gpkg")
"""What is read as a report."""
FOREIGN = (".xls", ".xlsb", ".ods", ".doc", ".docx", ".kml", ".kmz", ".shp", ".zip", ".rar", ".7z")
"""What operators send as a report, though it cannot be read: it is refused with a word, so that it
is not lost.  Everything else in the folder is left alone."""

State = tuple[int, int]


def _seen(folder: Path) -> dict[Path, State]:
    """Return size and time of change of every file that may be a report."""
    found: dict[Path, State] = {}
    for path in sorted(folder.iterdir()):
        if path.name.startswith((".", "~$")) or path.suffix.lower() not in ENDINGS + FOREIGN:
            continue
        try:
            about = path.stat()
        except FileNotFoundError:
            continue
        if path.is_file() and about.st_size:
            found[path] = about.st_size, about.st_mtime_ns
    return found


def watch(folder: Path, enter: Callable[[list[Path]], Outcome], *, every_s: float = 5.0,
          once: bool = False, pause: Callable[[float], None] = time.sleep
          ) -> Iterator[Outcome]:
    """Yield what became of the files that arrive in a folder, batch by batch.

    A file whose size or time of change differs from one look to the next is still being
    written, and is left until it rests.  The ledger knows what it has, so that a file that is
    looked at again is not counted again: the watch can be stopped and begun at any time.

    Parameters
    ----------
    folder : Path
        The inbox.
    enter : callable
        Reports files; `phusong.desk.report` with all but the files filled in.
    every_s : float
        Seconds between two looks.
    once : bool
        Take what rests between two looks, then end.
    pause : callable
        Waits for a number of seconds.
    """
    done: dict[Path, State] = {}
    before = _seen(folder)
    while True:
        pause(every_s)
        now = _seen(folder)
        ready = [path for path, state in now.items()
                 if before.get(path) == state and done.get(path) != state]
        if ready:
            yield enter(ready)
            done |= {path: now[path] for path in ready}
        if once:
            return
        before = now
