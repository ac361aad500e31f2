"""One file that stands alone: nothing is fetched, nothing but our own program may run."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import folium
from branca.element import Element

from phusong.errors import Fault, InputError

__all__ = ["save", "seal", "write_whole"]

_SCRIPT = re.compile(r"<script\b([^>]*)>(.*?)</script\s*>", re.DOTALL | re.IGNORECASE)
_LINK = re.compile(r"<(?:script|link|img|iframe|source|object|embed)\b[^>]*?"
                   r"\b(?:src|href|data)\s*=\s*[\"']?((?:https?:)?//[^\"'\s>]+)", re.IGNORECASE)
_ID = re.compile(r"[0-9a-f]{32}")


def seal(drawn: folium.Map, *, language: str = "") -> str:
    """Return the map as one HTML page that asks nothing of any network.

    Parameters
    ----------
    drawn : folium.Map
        What `phusong.maps.draw` returned, with or without further layers.
    language : str
        Language of the page's text; empty = what `draw` was told.

    Returns
    -------
    str
        The page, with a content security policy that names every script by
        its SHA-256.  The same map content gives the same bytes, although
        folium draws its names by lot.

    Raises
    ------
    InputError
        If a layer wants to fetch something (tiles, a plug-in's library): the
        message names each of them.
    """
    root = drawn.get_root()
    page = root.render()
    names = {element._id: f"{i:032x}" for i, element in enumerate(_tree(root), start=1)}
    page = _ID.sub(lambda found: names.get(found[0], found[0]), page)
    _refuse_outside(page, root)
    spoken = language or getattr(drawn, "language", "") or "vi"
    page = page.replace("<html>", f'<html lang="{spoken}">', 1)
    return page.replace("<head>", f"<head>\n{_policy(page)}", 1)


def save(drawn: folium.Map, path: str | Path) -> Path:
    """Write the sealed map; a reader of `path` sees the old page or the new one, never half.

    Returns
    -------
    Path
        Where it was written.
    """
    return write_whole(Path(path), seal(drawn).encode("utf-8"))


def write_whole(path: Path, content: bytes) -> Path:
    """Write `content` so that a reader of `path` sees the old file or the new one, never half."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return path


def _tree(element: Element) -> Iterator[Element]:
    """Every element of a figure in the order of its making."""
    yield element
    parts: list[Any] = [getattr(element, part, None) for part in ("header", "html", "script")]
    for part in [*parts, *element._children.values()]:
        if isinstance(part, Element):
            yield from _tree(part)


def _refuse_outside(page: str, root: Element) -> None:
    outside = sorted({found[1] for found in _LINK.finditer(page)})
    tiles = sorted({str(getattr(e, "tiles", "")) for e in _tree(root)
                    if str(getattr(e, "tiles", "")).startswith("http")})
    if outside or tiles:
        raise InputError.of(
            [Fault("outside_resource", f"The map fetches {url}.", "Leave out the layer that "
                   "needs it, or save the map unsealed with folium's own save().")
             for url in [*outside, *tiles]])


def _policy(page: str) -> str:
    """Return a meta tag that allows the page's own scripts, data pictures, and nothing else."""
    hashes = []
    for attributes, text in _SCRIPT.findall(page):
        if "octet-stream" in attributes:
            continue
        digest = base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
        hashes.append(f"'sha256-{digest}'")
    return ('<meta charset="utf-8">\n<meta http-equiv="Content-Security-Policy" '
            "content=\"default-src 'none'; "
            f"script-src {' '.join(dict.fromkeys(hashes))}; style-src 'unsafe-inline'; "
            "img-src data: blob:; base-uri 'none'; form-action 'none'\">")
