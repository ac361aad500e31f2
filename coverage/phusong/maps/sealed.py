"""One file that stands alone: nothing is fetched, nothing but our own program may run."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import folium
from branca.element import Element

from phusong.errors import Fault, InputError
from phusong.whole import write_whole

__all__ = ["save", "seal"]

_SCRIPT = re.compile(r"<script\b([^>]*)>(.*?)</script\s*>", re.DOTALL | re.IGNORECASE)
_LINK = re.compile(r"<(?:script|link|img|iframe|source|object|embed)\b[^>]*?"
                   r"\b(?:src|href|data)\s*=\s*[\"']?((?:https?:)?//[^\"'\s>]+)", re.IGNORECASE)
_TILES = re.compile(r"[\"'`](https?://[^\"'`\s]*\{z\}[^\"'`\s]*)[\"'`]")
_ID = re.compile(r"[0-9a-f]{32}")


def seal(drawn: folium.Map, *, language: str = "", online: bool = False) -> str:
    """Return the map as one HTML page that asks nothing of any network.

    Parameters
    ----------
    drawn : folium.Map
        What `phusong.maps.draw` returned, with or without further layers.
    language : str
        Language of the page's text; empty = what `draw` was told.
    online : bool
        Let the page fetch what its layers (tiles, plug-ins) name, from those servers and
        from no others.

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
    outside = _outside(page, root)
    if outside and not online:
        raise InputError.of([_refusal(address) for address in outside])
    spoken = language or getattr(drawn, "language", "") or "vi"
    page = page.replace("<html>", f'<html lang="{spoken}">', 1)
    return page.replace("<head>", f"<head>\n{_policy(page, outside)}", 1)


def save(drawn: folium.Map, path: str | Path, *, online: bool = False) -> Path:
    """Write the sealed map (see `seal`): a reader of `path` never sees half a page.

    Returns
    -------
    Path
        Where it was written.
    """
    return write_whole(Path(path), seal(drawn, online=online).encode("utf-8"))


def _tree(element: Element) -> Iterator[Element]:
    """Every element of a figure in the order of its making."""
    yield element
    parts: list[Any] = [getattr(element, part, None) for part in ("header", "html", "script")]
    for part in [*parts, *element._children.values()]:
        if isinstance(part, Element):
            yield from _tree(part)


def _outside(page: str, root: Element) -> list[str]:
    """Addresses that the page would fetch: of scripts, styles, pictures, tiles."""
    tiles = {str(getattr(e, "tiles", "")) for e in _tree(root)}
    return sorted({found[1] for finder in (_LINK, _TILES) for found in finder.finditer(page)}
                  | {address for address in tiles if address.startswith("http")})


def _refusal(address: str) -> Fault:
    return Fault("outside_resource", f"The map fetches {address}.", "Leave out the layer that "
                 "needs it, or save the map with online=True: then the page asks that server.")


def _policy(page: str, outside: list[str]) -> str:
    """Return a meta tag that allows the page's own scripts, data pictures, and `outside`."""
    hashes = []
    for attributes, text in _SCRIPT.findall(page):
        if "octet-stream" in attributes or not text:
            continue
        digest = base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
        hashes.append(f"'sha256-{digest}'")
    hosts = "".join(f" {host}" for host in dict.fromkeys(map(_host, outside)))
    fonts = f"font-src data:{hosts}; " if hosts else ""
    return ('<meta charset="utf-8">\n<meta http-equiv="Content-Security-Policy" '
            "content=\"default-src 'none'; "
            f"script-src {' '.join(dict.fromkeys(hashes))}{hosts}; "
            f"style-src 'unsafe-inline'{hosts}; {fonts}"
            f"img-src data: blob:{hosts}; base-uri 'none'; form-action 'none'\">")


def _host(address: str) -> str:
    """Scheme and server as a policy names them; ``{s}`` of a tile address stands for any name."""
    address = f"https:{address}" if address.startswith("//") else address
    scheme, _, rest = address.partition("://")
    server = rest.split("/", 1)[0].replace("{s}", "*")
    if not re.fullmatch(r"[\w.*-]+(?::\d+)?", server):
        raise InputError(f'The map names "{server}" as a server, which is none.')
    return f"{scheme}://{server}"
