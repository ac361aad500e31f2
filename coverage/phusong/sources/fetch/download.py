"""One file over HTTP, whole or not at all: resumed, retried, measured, and looked at.

The bytes go to ``.NAME.part`` beside the wanted file, with ``.NAME.part.json`` saying which
edition of which address they belong to; a killed download goes on from there.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import email.utils
import hashlib
import http.client
import json
import os
import shutil
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from phusong.errors import Fault, InputError
from phusong.sources.fetch.formats import look

__all__ = ["AGENT", "AbsentError", "Got", "Manners", "UnreachableError", "download", "read_small",
           "seconds_of"]

AGENT = "phusong (open-source coverage planning; https://pypi.org/project/phusong)"
_CHUNK = 1 << 16
_MOST_CONNECTIONS = 500
_BUSY = {408, 425, 429, 500, 502, 503, 504}
Report = Callable[[str, int, int], None]


class AbsentError(InputError):
    """The server says that there is no such file (404, 410)."""


class UnreachableError(InputError):
    """The server cannot be reached at all: no network, no such host, refused."""


@dataclass(frozen=True, slots=True)
class Manners:
    """How patiently to ask.

    Parameters
    ----------
    attempts : int
        How often in all.
    timeout_s : float
        How long a server may stay silent.
    pause_s : float
        First pause; it doubles each time.
    longest_pause_s : float
        A server that wants a longer pause (``Retry-After``) is told of, not waited for.
    sleep : callable
        Waits.
    """

    attempts: int = 5
    timeout_s: float = 60.0
    pause_s: float = 2.0
    longest_pause_s: float = 120.0
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True, slots=True)
class Got:
    """A finished download.

    Parameters
    ----------
    path : Path
        The file.
    size : int
        Bytes.
    sha256 : str
        Of its bytes.
    resumed_at : int
        Bytes that an earlier, interrupted download had brought; 0 = none.
    edition : str
        The server's ETag or its date of the file.
    """

    path: Path
    size: int
    sha256: str
    resumed_at: int
    edition: str


@dataclass(slots=True)
class _Part:
    """The unfinished file and what is known of it."""

    path: Path
    url: str
    edition: str = ""
    total: int = -1

    @property
    def note(self) -> Path:
        return self.path.with_name(f"{self.path.name}.json")

    @property
    def size(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0

    def recall(self) -> None:
        """Take over an earlier part if it belongs to this address and can be told apart."""
        try:
            said = json.loads(self.note.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            said = {}
        if isinstance(said, dict) and said.get("url") == _known_as(self.url) \
                and said.get("edition"):
            self.edition, self.total = str(said["edition"]), int(said.get("total", -1))
        else:
            self.forget()

    def keep(self) -> None:
        self.note.write_text(json.dumps({"url": _known_as(self.url), "edition": self.edition,
                                         "total": self.total}), encoding="utf-8")

    def forget(self) -> None:
        self.path.unlink(missing_ok=True)
        self.note.unlink(missing_ok=True)
        self.edition, self.total = "", -1


def _known_as(url: str) -> str:
    """Return a hash of the address: the part's note holds no key of the user."""
    return hashlib.sha256(url.encode()).hexdigest()


def download(url: str, path: Path, *, holds: str = "", most_bytes: int = 1 << 32,
             md5: str = "", secret: str = "", manners: Manners | None = None,
             progress: Report | None = None) -> Got:
    """Bring one file.

    Parameters
    ----------
    url : str
        ``http`` or ``https``.
    path : Path
        Where to; it appears when all is there and has been looked at.
    holds : str
        What must be in it (`phusong.sources.fetch.formats.look`); empty = anything.
    most_bytes : int
        A larger file is refused.
    md5 : str
        Checksum its publisher names; empty = none.
    secret : str
        A key in the address that no message may show.
    manners : Manners, optional
        Time-outs and pauses.
    progress : callable, optional
        Called with (what, done, of all), bytes.

    Raises
    ------
    AbsentError
        If the server has no such file.
    UnreachableError
        If there is no way to the server.
    InputError
        If it gives something else, or gives up half-way again and again.
    """
    manners = manners or Manners()
    shown = url.replace(secret, "…") if secret else url
    path.parent.mkdir(parents=True, exist_ok=True)
    part = _Part(path.with_name(f".{path.name}.part"), url)
    part.recall()
    begun = part.size
    _whole(part, shown, most_bytes, manners, progress)
    try:
        _compare(part, md5, shown)
        look(part.path, holds, shown)
    except InputError:
        part.forget()
        raise
    size, digest, edition = part.size, _digest(part.path, "sha256"), part.edition
    with part.path.open("rb") as file:
        os.fsync(file.fileno())
    os.chmod(part.path, 0o644)
    os.replace(part.path, path)
    part.forget()
    return Got(path, size, digest, min(begun, size), edition)


def _whole(part: _Part, shown: str, most_bytes: int, manners: Manners,
           progress: Report | None) -> None:
    """Ask until the part is whole; each attempt goes on where the last one stopped."""
    tried, why = 0, ""
    for _ in range(_MOST_CONNECTIONS):
        before = part.size
        pause = manners.pause_s * 2.0 ** tried
        try:
            _attempt(part, shown, most_bytes, manners, progress)
            return
        except urllib.error.HTTPError as error:
            why = f"status {error.code} {error.reason}"
            pause = max(pause, _wanted_pause(error, shown, manners))
        except (OSError, http.client.HTTPException) as error:
            cause = getattr(error, "reason", error)
            why = f"{type(cause).__name__}: {cause}"
            if _no_way(cause) and (tried >= 1 or manners.attempts == 1):
                raise UnreachableError(f"{shown} cannot be reached ({cause}). Is there a way to "
                                       f"the internet, or a proxy to set (HTTPS_PROXY)?") from error
        # a connection that brought something is no failed attempt
        tried = 0 if part.size > before else tried + 1
        if tried >= manners.attempts:
            break
        manners.sleep(min(pause, manners.longest_pause_s))
    raise InputError(f"{shown} gave up {manners.attempts} times ({why}); {part.size:,} bytes are "
                     f"kept and the next try goes on from there.")


def _no_way(cause: object) -> bool:
    return isinstance(cause, (socket.gaierror, ConnectionRefusedError))


def _wanted_pause(error: urllib.error.HTTPError, shown: str, manners: Manners) -> float:
    """Return how long the server wants one to wait; raise if asking again is of no use."""
    if error.code in (404, 410):
        raise AbsentError(f"{shown}: there is no such file (status {error.code}).") from error
    if error.code not in _BUSY:
        raise InputError(f"{shown} is refused (status {error.code} {error.reason}). Look at the "
                         f"address and at your key.") from error
    wanted = seconds_of(error.headers.get("Retry-After", ""))
    if wanted > manners.longest_pause_s:
        raise InputError(f"{shown} is busy and wants to be asked again in {wanted:.0f} s (status "
                         f"{error.code}). Run the command again then.") from error
    return wanted


def seconds_of(text: str) -> float:
    """Read ``Retry-After``: seconds, or a day and time; 0 if it says neither."""
    if text.strip().isdigit():
        return float(text)
    with contextlib.suppress(TypeError, ValueError):
        when = email.utils.parsedate_to_datetime(text)
        return max(0.0, (when - dt.datetime.now(dt.UTC)).total_seconds())
    return 0.0


def _attempt(part: _Part, shown: str, most_bytes: int, manners: Manners,
             progress: Report | None) -> None:
    have = part.size
    if have and have == part.total:
        return
    request = _request(part.url)
    if have and part.edition:
        request.add_header("Range", f"bytes={have}-")
        request.add_header("If-Range", part.edition)
    with contextlib.closing(_opened(request, part, manners)) as answer:
        start = _start_of(answer, have)
        if start != have or not start:
            part.path.unlink(missing_ok=True)
            start = 0
        length = answer.headers.get("Content-Length", "")
        total = start + int(length) if length.isdigit() else -1
        if max(total, start) > most_bytes:
            part.forget()
            raise InputError(f"{shown} holds {total:,} bytes; more than {most_bytes:,} are not "
                             f"fetched here.")
        _room_for(part.path, total - start, shown)
        part.edition, part.total = _edition(answer.headers), total
        part.keep()
        _poured(answer, part, start, most_bytes, shown, progress)
    if part.total >= 0 and part.size != part.total:
        raise http.client.IncompleteRead(b"", part.total - part.size)


def _request(url: str) -> urllib.request.Request:
    if urlsplit(url).scheme not in ("http", "https"):
        raise InputError(f"{url} is no address of the web (http, https).")
    return urllib.request.Request(url, headers={"User-Agent": AGENT, "Accept-Encoding":
                                                "identity"})


def _opened(request: urllib.request.Request, part: _Part, manners: Manners) -> Any:
    try:
        return urllib.request.urlopen(request, timeout=manners.timeout_s)
    except urllib.error.HTTPError as error:
        if error.code == 416:      # what is there does not fit the file of today: begin anew
            part.forget()
            raise ConnectionError("the part no longer fits the file") from error
        raise


def _start_of(answer: Any, have: int) -> int:
    """Return at which byte the answer begins: 206 may, 200 begins at nought."""
    if answer.status != 206:
        return 0
    said = answer.headers.get("Content-Range", "")
    first = said.removeprefix("bytes ").split("-")[0]
    if not first.isdigit() or int(first) != have:
        raise http.client.HTTPException(f'the server answers with "{said}" to bytes={have}-')
    return have


def _edition(headers: Any) -> str:
    """Return what tells this edition of the file from another; empty = it cannot be resumed."""
    tag = headers.get("ETag", "")
    return tag if tag and not tag.startswith("W/") else headers.get("Last-Modified", "")


def _room_for(path: Path, more: int, shown: str) -> None:
    free = shutil.disk_usage(path.parent).free
    if more > free:
        raise InputError(f"{shown} needs {more:,} bytes; the disk of {path.parent} has {free:,} "
                         f"left. Make room.")


def _poured(answer: Any, part: _Part, start: int, most_bytes: int, shown: str,
            progress: Report | None) -> None:
    done = start
    with part.path.open("ab" if start else "wb") as file:
        while chunk := answer.read(_CHUNK):
            file.write(chunk)
            done += len(chunk)
            if done > most_bytes:
                part.forget()
                raise InputError(f"{shown} does not end after {most_bytes:,} bytes; more are not "
                                 f"fetched here.")
            if progress is not None:
                progress("", min(done, part.total - 1) if part.total > 0 else 0,
                         max(part.total, 1))


def _compare(part: _Part, md5: str, shown: str) -> None:
    if md5 and _digest(part.path, "md5") != md5.lower():
        raise InputError.of([Fault("wrong_checksum", f"{shown}: the bytes are not those that its "
                                   f"publisher's checksum speaks of (MD5 {md5}).",
                                   "Fetch it again.")])


def _digest(path: Path, how: str) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(
            file, lambda: hashlib.new(how, usedforsecurity=False)).hexdigest()


def read_small(url: str, *, most_bytes: int = 1 << 20, secret: str = "",
               manners: Manners | None = None) -> bytes:
    """Return a short answer (a checksum, a description) with the same patience."""
    manners = manners or Manners()
    shown = url.replace(secret, "…") if secret else url
    for tried in range(manners.attempts):
        pause = manners.pause_s * 2.0 ** tried
        try:
            with urllib.request.urlopen(_request(url), timeout=manners.timeout_s) as answer:
                body = bytes(answer.read(most_bytes + 1))
            if len(body) <= most_bytes:
                return body
            raise InputError(f"{shown}: the answer is longer than {most_bytes:,} bytes.")
        except urllib.error.HTTPError as error:
            pause = max(pause, _wanted_pause(error, shown, manners))
            why: object = f"status {error.code}"
        except (OSError, http.client.HTTPException) as error:
            why = getattr(error, "reason", error)
            if _no_way(why) and tried >= 1:
                raise UnreachableError(f"{shown} cannot be reached ({why}).") from error
        if tried + 1 < manners.attempts:
            manners.sleep(pause)
    raise InputError(f"{shown} gave up {manners.attempts} times ({why}).")
