"""OpenStreetMap live: Overpass asked through osmnx, its faults told, its answer kept as a layer.

osmnx cuts a large box into parts; finished parts stay in a folder beside the wanted file until
all are there, so an interrupted download goes on.  Two faults of Overpass pass osmnx unseen and
are caught here: an answer cut short by the server's own time limit (a ``remark`` in it), and
endless waiting on "too many requests".
"""

from __future__ import annotations

import shutil
import socket
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd

from phusong.errors import Fault, InputError
from phusong.geo import DEGREES
from phusong.sources.coordinates import Box
from phusong.sources.fetch.download import AGENT, AbsentError, Manners, UnreachableError, seconds_of
from phusong.sources.roads_osm import Selection, selection_of
from phusong.sources.values import tidy

__all__ = ["ENDPOINT", "download_osm"]

ENDPOINT = "https://overpass-api.de/api"
_BUSY = {429, 502, 503, 504}
_BY_HAND = ("Download an extract of the region by hand (download.geofabrik.de), put it beside the "
            "study file and name it: {role}: {{file: region.osm.pbf}}.")


class _RefusedError(Exception):
    """What the server said instead of an answer; `pause_s` if it is worth asking again."""

    def __init__(self, why: str, pause_s: float | None = None) -> None:
        super().__init__(why)
        self.pause_s = pause_s


def download_osm(role: str, box: Box, path: Path, *, endpoint: str = ENDPOINT,
                 manners: Manners | None = None) -> Path:
    """Ask Overpass for one part of a study, and keep the answer as a GeoPackage.

    Parameters
    ----------
    role : str
        A key of `phusong.sources.roads_osm.SELECTIONS`.
    box : (west, south, east, north)
        Degrees.
    path : Path
        File to write (``.gpkg``); it appears whole or not at all.
    endpoint : str
        Address of the Overpass server, without ``/interpreter``.
    manners : Manners, optional
        Time-outs and pauses.

    Raises
    ------
    AbsentError
        If OpenStreetMap holds no such object there.
    UnreachableError
        If there is no way to the server.
    InputError
        If it does not answer, or answers something else; says what to do by hand.
    """
    chosen = selection_of(role)
    by_hand = _BY_HAND.format(role=role)
    kept = path.with_name(f".{path.name}.answers")
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = _of_features(_asked(chosen, box, kept, endpoint, manners or Manners(), role, by_hand),
                        chosen)
    if not len(rows):
        shutil.rmtree(kept, ignore_errors=True)
        raise _said(AbsentError, f"OpenStreetMap holds no {role} there.", by_hand)
    part = path.with_name(f".{path.stem}.part.gpkg")
    part.unlink(missing_ok=True)
    rows.to_file(part, layer=role, driver="GPKG")
    part.replace(path)
    shutil.rmtree(kept, ignore_errors=True)
    return path


def _said(kind: type[InputError], what: str, by_hand: str) -> InputError:
    error = kind.of([Fault("no_answer", what, by_hand)])
    assert isinstance(error, InputError)
    return error


def _asked(chosen: Selection, box: Box, kept: Path, endpoint: str, manners: Manners, role: str,
           by_hand: str) -> gpd.GeoDataFrame:
    """Return what Overpass holds, asking again while it is busy."""
    import osmnx

    wanted: dict[str, bool | str | list[str]] = {k: list(v) or True for k, v in
                                                 chosen.tags.items()}
    why = ""
    for tried in range(manners.attempts):
        pause = manners.pause_s * 2.0 ** tried
        try:
            with _settings(osmnx, endpoint, kept, manners):
                return osmnx.features_from_bbox(box, wanted)
        except _RefusedError as error:
            why = str(error)
            if error.pause_s is None or error.pause_s > manners.longest_pause_s:
                break
            pause = max(pause, error.pause_s)
        except Exception as error:
            # osmnx, requests and urllib3 each raise their own kinds
            if type(error).__name__ == "InsufficientResponseError":
                if "No matching features" in str(error) or "No data elements" in str(error):
                    raise _said(AbsentError, f"OpenStreetMap holds no {role} there.",
                                by_hand) from error
                why = tidy(error)[:200]
                break
            why = f"{type(error).__name__}: {tidy(error)[:200]}"
            if _no_way(error) and tried >= 1:
                raise _said(UnreachableError, f"Overpass ({endpoint}) cannot be reached.",
                            by_hand) from error
        if tried + 1 < manners.attempts:
            manners.sleep(pause)
    raise _said(InputError, f"OpenStreetMap's Overpass gave no {role} ({why}).", by_hand)


@contextmanager
def _settings(osmnx: Any, endpoint: str, kept: Path, manners: Manners) -> Iterator[None]:
    """Set osmnx up for one question, and leave it (and the resolver it alters) as it was."""
    ours = {"overpass_url": endpoint, "use_cache": True, "cache_folder": kept,
            "requests_timeout": manners.timeout_s, "overpass_rate_limit": False,
            "doh_url_template": None, "http_user_agent": AGENT,
            "requests_kwargs": {"hooks": {"response": _checked}}}
    before = {name: getattr(osmnx.settings, name) for name in ours}
    resolver = socket.getaddrinfo
    try:
        for name, value in ours.items():
            setattr(osmnx.settings, name, value)
        with warnings.catch_warnings():
            # a province is larger than osmnx expects; it is asked for in parts
            warnings.filterwarnings("ignore", "This area is", UserWarning)
            yield
    finally:
        for name, value in before.items():
            setattr(osmnx.settings, name, value)
        socket.getaddrinfo = resolver


def _checked(answer: Any, *_: Any, **__: Any) -> None:
    """Refuse what osmnx would wait for without end, or take for a whole answer."""
    if answer.is_redirect:
        return
    if answer.status_code in _BUSY:
        raise _RefusedError(f"the server is busy: status {answer.status_code}",
                       seconds_of(answer.headers.get("Retry-After", "")))
    if not answer.ok:
        raise _RefusedError(f"status {answer.status_code} {answer.reason}")
    body = answer.content
    if body.lstrip()[:1] != b"{":
        raise _RefusedError(f'no JSON, but: "{tidy(body[:200].decode("utf-8", "replace"))[:120]}"')
    if b'"remark"' in body:
        remark = tidy(answer.json().get("remark", ""))
        if "error" in remark.lower() or "timed out" in remark.lower():
            raise _RefusedError(f"the answer is cut short: {remark[:150]}", 0.0)


def _no_way(error: BaseException | None) -> bool:
    seen = 0
    while error is not None and seen < 12:
        if isinstance(error, (socket.gaierror, ConnectionRefusedError)):
            return True
        inner = next((a for a in error.args if isinstance(a, BaseException)), None)
        error = inner or getattr(error, "reason", None) or error.__cause__ or error.__context__
        error = error if isinstance(error, BaseException) else None
        seen += 1
    return False


def _of_features(found: gpd.GeoDataFrame, chosen: Selection) -> gpd.GeoDataFrame:
    types = {"node": ("Point",), "way": ("LineString",), "area": ("Polygon", "MultiPolygon")}
    allowed = [name for shape in chosen.shapes for name in types[shape]]
    # a way across two parts of a large box comes with both
    found = found[~found.index.duplicated()]
    kept = found[found.geometry.geom_type.isin(allowed)]
    tags = kept.drop(columns="geometry").astype(object)
    taken = [chosen.takes({str(k): str(v) for k, v in row.items() if pd.notna(v)})
             for row in tags.to_dict("records")]
    kept = kept[taken]
    ids = [f"{kind}/{number}" for kind, number in kept.index]
    columns = {k: kept[k].fillna("").map(tidy) if k in kept else "" for k in chosen.keys}
    rows = gpd.GeoDataFrame({"osm_id": ids, **columns}, geometry=kept.geometry.to_numpy(),
                            crs=DEGREES)
    if "place" in rows:
        rows["kind"] = rows["amenity"].where(rows["amenity"].ne(""), rows["place"])
    return rows.sort_values("osm_id", ignore_index=True)
