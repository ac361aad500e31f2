"""Files that must survive a power cut, and the lock that keeps two writers apart."""

from __future__ import annotations

import contextlib
import hashlib
import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from phusong.errors import PhusongError
from phusong.whole import sync_folder

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows
    fcntl = None  # type: ignore[assignment]
    import msvcrt

__all__ = ["LedgerBusyError", "LedgerError", "in_words", "keep", "locked", "make_folder", "sha256",
           "sweep"]

_TEMPORARY = ".part"


class LedgerError(PhusongError, RuntimeError):
    """The ledger is not what it must be: foreign, damaged or tampered with."""


class LedgerBusyError(PhusongError, TimeoutError):
    """Another process is writing into the ledger."""


@contextlib.contextmanager
def in_words(what: str) -> Iterator[None]:
    """Turn what the disk or SQLite says into a `LedgerError`; `what` says what did not happen.

    Raises
    ------
    LedgerError
        With the cure.
    """
    try:
        yield
    except PhusongError:
        raise
    except (OSError, sqlite3.Error) as error:
        raise LedgerError(f"{what} ({error}). Mend the disk (full? read-only?), then run the same "
                          f"command again: what is entered already is not counted "
                          f"twice.") from error


def sha256(data: bytes) -> str:
    """Return the SHA-256 of `data` as 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def make_folder(folder: Path) -> None:
    """Make `folder` and its parents so that they survive a power cut."""
    missing = [p for p in (folder, *folder.parents) if not p.exists()]
    for path in reversed(missing):
        with contextlib.suppress(FileExistsError):
            path.mkdir()
        sync_folder(path.parent)


def keep(folder: Path, data: bytes) -> Path:
    """Keep `data` under its SHA-256 in `folder`: written, synced, renamed, folder synced.

    Parameters
    ----------
    folder : Path
        Exists already.
    data : bytes
        What to keep.

    Returns
    -------
    Path
        ``folder/<sha256>``; a file that is there already and whole is left alone.
    """
    digest = sha256(data)
    target = folder / digest
    if target.is_file() and sha256(target.read_bytes()) == digest:
        return target
    part = folder / f".{digest}.{os.getpid()}{_TEMPORARY}"
    try:
        with part.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(target)
    except OSError:
        with contextlib.suppress(OSError):
            part.unlink()
        raise
    sync_folder(folder)
    return target


def sweep(folder: Path) -> int:
    """Remove what a killed process left half-written; call it with the lock held.

    Returns
    -------
    int
        How many files were removed.
    """
    left = [p for p in folder.glob(f".*{_TEMPORARY}") if p.is_file()]
    for path in left:
        path.unlink(missing_ok=True)
    return len(left)


def _try_lock(handle: int) -> bool:
    try:
        if fcntl is not None:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        else:  # pragma: no cover - Windows
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
    except OSError:
        return False
    return True


@contextlib.contextmanager
def locked(path: Path, *, wait_s: float = 60.0) -> Iterator[None]:
    """Hold the lock file `path`; the system releases it if the process dies.

    Parameters
    ----------
    path : Path
        Lock file; it is made if absent and stays.
    wait_s : float
        How long to wait for another process before refusing, seconds.

    Raises
    ------
    LedgerBusyError
        If another process still holds it after `wait_s`.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        until = time.monotonic() + wait_s
        while not _try_lock(handle):
            if time.monotonic() >= until:
                raise LedgerBusyError(f"{path.name}: another process has been writing into this "
                                      f"ledger for more than {wait_s:g} s. Wait until it has "
                                      f"ended, then run the same command again.")
            time.sleep(0.02)
        yield
    finally:
        os.close(handle)
