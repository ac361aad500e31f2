"""The errand: which open data a study names, what of it is there, and how the rest is brought."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import hashlib
import io
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from phusong.errors import InputError, StudyError
from phusong.sources.coordinates import Box
from phusong.sources.credits import note, recorded
from phusong.sources.fetch.catalogue import Catalogue, Offer, Place, tiles
from phusong.sources.fetch.download import (
    AbsentError,
    Got,
    Manners,
    UnreachableError,
    download,
    read_small,
)
from phusong.sources.fetch.overpass import download_osm
from phusong.whole import write_whole

__all__ = ["WAYS", "Fetched", "fetch"]

Report = Callable[[str, int, int], None]
_CELLS = ("radio", "mcc", "mnc", "area", "cid", "unit", "lon", "lat", "range", "samples",
          "changeable", "created", "updated", "average_signal")
"""Columns of an OpenCelliD export; ``net`` and ``cell`` of its own header are mnc and cid."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """What became of one row of the catalogue.

    Parameters
    ----------
    offer : Offer
        The row.
    state : {"there", "fetched", "absent", "failed", "by_hand"}
        ``absent``: the publisher has nothing there (a tile of open sea).
    detail : str
        In words: how much, resumed where, or why not.
    size : int
        Bytes brought.
    by_hand : str
        How to get it without this program.
    """

    offer: Offer
    state: str
    detail: str = ""
    size: int = 0
    by_hand: str = ""

    def as_dict(self, folder: Path) -> dict[str, Any]:
        """Return it as plain values, with where the file is to lie in `folder`."""
        return {"name": self.offer.name, "file": self.offer.file, "state": self.state,
                "detail": self.detail, "bytes": self.size, "licence": self.offer.licence,
                "attribution": self.offer.attribution, "by_hand": self.by_hand,
                "path": str(folder / self.offer.file)}


@dataclass(slots=True, eq=False)
class _Errand:
    """One offer on its way."""

    offer: Offer
    folder: Path
    box: Box
    words: dict[str, str]
    again: bool
    manners: Manners
    progress: Report | None
    size: int = 0
    said: list[str] = field(default_factory=list)

    @property
    def secret(self) -> str:
        return self.words.get("key", "")

    def url(self, template: str) -> str:
        return template.format(**self.words)

    def shown(self, url: str) -> str:
        return url.replace(self.secret, "KEY") if self.secret else url

    def download(self, url: str, path: Path, md5: str = "") -> Got:
        got = download(url, path, holds=self.offer.holds, md5=md5, secret=self.secret,
                       most_bytes=self.offer.most_mib << 20, manners=self.manners,
                       progress=self.progress)
        self.size += got.size
        if got.resumed_at:
            self.said.append(f"went on after {got.resumed_at:,} bytes")
        return got

    def _day(self) -> dt.date | None:
        """Return the day the data speak of: today for what is live, else what the row says."""
        live = self.offer.version in ("live", "daily")
        return self.offer.date or (dt.datetime.now(dt.UTC).date() if live else None)

    def record(self, path: Path, url: str, got: Got | None = None,
               more: Mapping[str, Any] | None = None) -> None:
        offer, content = self.offer, path.read_bytes() if got is None else b""
        note(path, {
            "offer": offer.name, "title": offer.title.en, "url": self.shown(url),
            "version": offer.version, "date": self._day(),
            "fetched": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
            "licence": offer.licence, "licence_url": offer.licence_url,
            "attribution": offer.attribution, "box": [round(v, 5) for v in self.box],
            "bytes": len(content) if got is None else got.size,
            "sha256": hashlib.sha256(content).hexdigest() if got is None else got.sha256,
            **({"edition": got.edition} if got is not None and got.edition else {}),
            **(more or {})})


def fetch(files: Iterable[str], folder: Path, place: Place | None, *, range_m: float = 0.0,
          only: Iterable[str] = (), again: bool = False, offline: bool = False,
          catalogue: Catalogue | None = None, manners: Manners | None = None,
          progress: Report | None = None) -> list[Fetched]:
    """Bring the open data that a study names and that are not there yet.

    Parameters
    ----------
    files : iterable of str
        Files that the study names.
    folder : Path
        The study's folder.
    place : Place or None
        Its box and country.
    range_m : float
        How far beyond the box cells and terrain matter: the range of a cell.
    only : iterable of str
        Names of catalogue rows; empty = all that the study names.
    again : bool
        Fetch also what is there.
    offline : bool
        Ask nobody; list what is missing.
    catalogue, manners : optional
        Instead of the program's own.
    progress : callable, optional
        Called with (name of the row, done, of all).

    Returns
    -------
    list of Fetched
        One for each row wanted, in the order of the catalogue; a row that fails does not keep
        the others from coming.

    Raises
    ------
    StudyError
        If something is wanted and the study does not say where it lies.
    UnknownNameError
        If `only` names no row of the catalogue.
    """
    book = catalogue or Catalogue.load()
    named = [book[name] for name in only]
    wanted = named or book.wanted(files)
    if wanted and place is None:
        raise StudyError('The study file does not say where the study lies. Add e.g. "place: '
                         '{box: [103.5, 21.3, 105.1, 22.9], country: VNM}" (west, south, east, '
                         'north in degrees).')
    out: list[Fetched] = []
    closed: set[str] = set()
    for offer in wanted:
        assert place is not None
        box = place.widened(range_m if offer.margin else 0.0)
        errand = _Errand(offer, Path(folder), box, book.words(place), again,
                         manners or Manners(), _named(progress, offer.name))
        done = _brought(errand, place, offline, closed)
        out.append(replace(done, by_hand=_by_hand(errand)))
    return out


def _named(progress: Report | None, name: str) -> Report | None:
    return None if progress is None else lambda _, done, of_all: progress(name, done, of_all)


def _brought(errand: _Errand, place: Place, offline: bool, closed: set[str]) -> Fetched:
    """Bring one offer; whatever goes wrong becomes a state with its reason."""
    offer = errand.offer
    if not errand.again and _complete(errand):
        return Fetched(offer, "there", "is there already")
    if offer.how == "by_hand" or offline:
        return Fetched(offer, "by_hand", "not there yet.")
    if offer.wants_country and (gap := _gap(offer, errand.words)):
        return Fetched(offer, "failed", f'The address needs "{gap}", which the catalogue does not '
                       f'know for the country "{place.country}".')
    if offer.key:
        errand.words["key"] = os.environ.get(offer.key, "")
        if not errand.words["key"]:
            return Fetched(offer, "by_hand", f"wants a key: set {offer.key} in the environment.")
    host = urlsplit(offer.url).netloc
    if host in closed:
        return Fetched(offer, "failed", f"{host} could not be reached")
    try:
        WAYS[offer.how](errand)
    except AbsentError as error:
        return Fetched(offer, "absent", _said(error))
    except UnreachableError as error:
        closed.add(host)
        return Fetched(offer, "failed", _said(error))
    except InputError as error:
        return Fetched(offer, "failed", _said(error), errand.size)
    if errand.progress is not None:
        errand.progress("", 1, 1)
    return Fetched(offer, "fetched", "; ".join(errand.said), errand.size)


def _said(error: InputError) -> str:
    return " ".join(fault.what for fault in error.faults) or str(error)


def _by_hand(errand: _Errand) -> str:
    """Return what to do without this program; of tiles, which ones."""
    offer = errand.offer
    said = offer.by_hand.replace("{mcc}", errand.words.get("mcc", "?"))
    if offer.how == "tiles":
        lacking = [path.stem for path, _ in _tiles(errand) if not path.is_file()]
        said += f" Tiles: {', '.join(lacking[:12])}{', ...' if len(lacking) > 12 else ''}."
    return said


def _gap(offer: Offer, words: dict[str, str]) -> str:
    marks = ("ISO3", "iso3", "mcc", "region")
    return next((m for m in marks if f"{{{m}}}" in offer.url and not words.get(m)), "")


def _complete(errand: _Errand) -> bool:
    """Tell whether everything of an offer is there: the file, or every tile that exists."""
    if errand.offer.how != "tiles":
        return (errand.folder / errand.offer.file).is_file()
    known = recorded((errand.folder / errand.offer.file).parent)
    return all(path.is_file() or known.get(path.name, {}).get("absent")
               for path, _ in _tiles(errand))


def _tiles(errand: _Errand) -> Iterator[tuple[Path, str]]:
    """Yield where each tile lands and its address."""
    for corner in tiles(errand.box, errand.offer.tile_deg):
        name = errand.offer.file.replace("*", corner["lat"] + corner["lon"])
        yield errand.folder / name, errand.offer.url.format(**{**errand.words, **corner})


def _bring_file(errand: _Errand) -> None:
    url, path = errand.url(errand.offer.url), errand.folder / errand.offer.file
    if errand.offer.cut:
        _bring_cells(errand, url, path)
        return
    md5 = ""
    if errand.offer.checksum:
        said = read_small(errand.url(errand.offer.checksum), manners=errand.manners)
        md5 = (said.decode("ascii", "replace").split() or [""])[0]
    got = errand.download(url, path, md5)
    errand.record(path, url, got)


def _bring_cells(errand: _Errand, url: str, path: Path) -> None:
    """Bring a country's cells and keep those in the box."""
    packed = path.with_name(f".{path.name}.gz")
    got = errand.download(url, packed)
    rows, kept = _cut(packed, path, errand.box)
    errand.said.append(f"{kept:,} of {rows:,} cells lie in the box")
    errand.record(path, url, None, {"rows_of_the_country": rows, "rows": kept,
                                    "edition": got.edition, "sha256_of_the_download": got.sha256})
    packed.unlink(missing_ok=True)


def _cut(packed: Path, path: Path, box: Box) -> tuple[int, int]:
    """Write the rows of an OpenCelliD export that lie in a box; return rows read and written."""
    west, south, east, north = box
    out, rows, kept = io.StringIO(), 0, 0
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_CELLS)
    with gzip.open(packed, "rt", encoding="utf-8", errors="replace", newline="") as stream:
        for cells in csv.reader(stream):
            if not cells or cells[0] == "radio":
                continue
            rows += 1
            try:
                inside = west <= float(cells[6]) <= east and south <= float(cells[7]) <= north
            except (ValueError, IndexError):
                inside = True      # the reader is to see it and to say what is wrong with it
            if inside:
                writer.writerow(cells[:len(_CELLS)])
                kept += 1
    if not rows:
        raise InputError(f"{packed.name}: the export holds no cells.")
    write_whole(path, out.getvalue().encode())
    return rows, kept


def _bring_tiles(errand: _Errand) -> None:
    everything = list(_tiles(errand))
    sea, there = 0, 0
    whole, errand.progress = errand.progress, None
    for number, (path, url) in enumerate(everything):
        if whole is not None:
            whole("", number, len(everything))
        if path.is_file() and not errand.again:
            there += 1
            continue
        try:
            got = errand.download(url, path)
        except AbsentError:
            sea += 1
            note(path, {"absent": True, "url": url, "offer": errand.offer.name,
                        "fetched": dt.datetime.now(dt.UTC).isoformat(timespec="seconds")})
            continue
        errand.record(path, url, got)
    errand.progress = whole
    if sea == len(everything):
        raise AbsentError(f"{errand.offer.name}: the publisher has no tile of the study's box.")
    errand.said.append(f"{len(everything) - sea - there} tiles"
                       + (f", {there} were there" if there else "")
                       + (f", {sea} do not exist (open sea)" if sea else ""))


def _bring_osm(errand: _Errand) -> None:
    path = errand.folder / errand.offer.file
    download_osm(errand.offer.role, errand.box, path, endpoint=errand.offer.url,
                 manners=errand.manners)
    errand.size += path.stat().st_size
    errand.record(path, errand.offer.url)


def _bring_boundaries(errand: _Errand) -> None:
    """Bring a layer whose address, licence and year its publisher's interface names."""
    url = errand.url(errand.offer.url)
    try:
        said = json.loads(read_small(url, manners=errand.manners))
        said = said[0] if isinstance(said, list) else said
        address = str(said["gjDownloadURL"])
    except (ValueError, LookupError, TypeError) as error:
        raise InputError(f"{url} does not name a layer to download.") from error
    path = errand.folder / errand.offer.file
    got = errand.download(address, path)
    more = {"licence": said.get("boundaryLicense") or errand.offer.licence,
            "licence_url": said.get("licenseSource") or errand.offer.licence_url,
            "attribution": f"{errand.offer.attribution}; {said.get('boundarySource', '')}",
            "version": said.get("boundaryID") or errand.offer.version}
    year = str(said.get("boundaryYearRepresented", ""))[:4]
    if year.isdigit():
        more["date"] = f"{year}-01-01"
    errand.record(path, address, got, more)
    errand.said.append(f"{more['licence']}, as of {year or 'an unknown year'}")


WAYS: dict[str, Callable[[_Errand], None]] = {
    "file": _bring_file, "tiles": _bring_tiles, "overpass": _bring_osm,
    "geoboundaries": _bring_boundaries}
"""How an offer comes -> what brings it."""
