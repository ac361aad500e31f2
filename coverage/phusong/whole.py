"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

__all__ = ["put_whole", "sync_folder", "write_whole"]


def sync_folder(folder: Path) -> None:
    """Make new names in `folder` survive a power cut."""
    if os.name == "nt":  # pragma: no cover - Windows has no handle of a folder
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_whole(path: Path, content: bytes) -> Path:
    """Write `content` so that a reader sees the old file or the new one, never half.

    The bytes go to a temporary neighbour, are synced to disk, and take the name in one step
    that is synced too; the folder is made where there is none.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o644)
        os.replace(name, path)
        sync_folder(path.parent)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return path


def put_whole(part: Path, path: Path) -> Path:
    """Give a finished file its name in one step, synced; `part` lies on the same disk."""
    with part.open("rb+") as file:
        os.fsync(file.fileno())
    os.chmod(part, 0o644)
    os.replace(part, path)
    sync_folder(path.parent)
    return path
