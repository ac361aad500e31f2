"""OpenStreetMap: which objects play which part, and how an extract is read.

A local extract (``.osm.pbf``, ``.osm``) is read with osmium like any other file; how live data
come is told in `phusong.sources.fetch.overpass`.
OpenStreetMap data are (c) OpenStreetMap contributors, ODbL 1.0.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import osmium
import pandas as pd
import shapely

from phusong.errors import Fault, InputError, UnknownNameError
from phusong.geo import DEGREES
from phusong.nouns import nearest
from phusong.sources.records import RawTable
from phusong.sources.source import Source
from phusong.sources.values import tidy

__all__ = ["ENDINGS", "SELECTIONS", "Selection", "read_answer", "read_extract",
           "read_graph", "selection_of"]

ENDINGS = (".osm.pbf", ".osm", ".osm.gz", ".osm.bz2", ".pbf")
_ROADS = ("motorway", "trunk", "primary", "secondary", "tertiary", "unclassified", "residential",
          "living_street", "service", "track", "road", "motorway_link", "trunk_link",
          "primary_link", "secondary_link", "tertiary_link")


@dataclass(frozen=True, slots=True)
class Selection:
    """Which objects of OpenStreetMap play a part in a study.

    Parameters
    ----------
    tags : mapping of key to values
        An object is taken if one of its tags is listed; no values = any value.
    shapes : tuple of {"node", "way", "area"}
        As what kinds of object.
    keys : tuple of str
        Tags that become columns.
    also : mapping of key to values
        A taken object must carry one of these tags too, if any is listed.
    """

    tags: Mapping[str, tuple[str, ...]]
    shapes: tuple[str, ...]
    keys: tuple[str, ...]
    also: Mapping[str, tuple[str, ...]]

    def takes(self, tags: Mapping[str, str]) -> bool:
        """Tell whether an object with these tags is taken."""
        hit = any(k in tags and (not v or tags[k] in v) for k, v in self.tags.items())
        return hit and (not self.also or any(tags.get(k) in v for k, v in self.also.items()))


SELECTIONS: dict[str, Selection] = {
    "roads": Selection({"highway": _ROADS}, ("way",),
                       ("highway", "name", "ref", "surface", "tracktype", "smoothness", "bridge",
                        "tunnel"), {}),
    "power_lines": Selection({"power": ("line", "minor_line", "cable")}, ("way",),
                             ("power", "voltage", "operator", "cables"), {}),
    "points": Selection({"amenity": ("school", "college", "university", "kindergarten"),
                         "place": ("city", "town", "village", "hamlet", "isolated_dwelling")},
                        ("node", "area"), ("amenity", "place", "name", "name:vi", "population",
                                           "isced:level", "capacity"), {}),
    "sites": Selection({"man_made": ("mast", "tower", "communications_tower"),
                        "tower:type": ("communication",)}, ("node", "area"),
                       ("man_made", "tower:type", "operator", "height", "name", "ref"),
                       {"tower:type": ("communication",), "man_made": ("mast",
                                                                       "communications_tower"),
                        "communication:mobile_phone": ("yes",)}),
    "communes": Selection({"boundary": ("administrative",)}, ("area",),
                          ("name", "ref", "admin_level", "population", "wikidata"), {}),
    "areas": Selection({"natural": ("water", "wetland"), "landuse": ("reservoir",),
                        "boundary": ("protected_area", "national_park"),
                        "leisure": ("nature_reserve",)}, ("area",),
                       ("name", "natural", "landuse", "boundary", "protect_class"), {}),
}
"""Part in a study -> which objects of OpenStreetMap play it."""


def selection_of(role: str) -> Selection:
    """Return the selection for a role; an unknown one is refused with the nearest spelling."""
    if role not in SELECTIONS:
        raise UnknownNameError(f'OpenStreetMap has nothing for "{role}". '
                               f"{nearest(role, SELECTIONS)}")
    return SELECTIONS[role]


def read_extract(path: Path, source: Source, role: str) -> RawTable:
    """Read one part of a study from an OpenStreetMap extract.

    Parameters
    ----------
    path : Path
        An ``.osm.pbf`` or ``.osm`` file.
    source : Source
        For its name.
    role : str
        A key of `SELECTIONS`.

    Returns
    -------
    RawTable
        One row for each object, with ``osm_id`` (``way/1234``) and the selection's tags, sorted
        by id.

    Raises
    ------
    InputError
        If it cannot be read, or holds no such object.
    """
    chosen = selection_of(role)
    try:
        rows = sorted(_objects(path, chosen), key=lambda row: row[0])
    except (RuntimeError, OSError, ValueError) as error:
        raise InputError.of([Fault("unreadable_file", f"The extract cannot be read "
                                   f"({tidy(error)[:200]}).", "Download it again.",
                                   file=source.file)]) from error
    if not rows:
        raise InputError.of([Fault("empty_file", f"The extract holds no {role.replace('_', ' ')}.",
                                   "Take a larger extract.", file=source.file)])
    shapes = shapely.from_wkb([bytes.fromhex(wkb) for _, _, wkb in rows])
    return _table([(key, tags) for key, tags, _ in rows], shapes, chosen)


def _table(rows: Sequence[tuple[str, Mapping[str, Any]]], shapes: Any,
           chosen: Selection) -> RawTable:
    """Return objects as text: their ids, the selection's tags, and what kind of place they are."""
    frame = pd.DataFrame([(key, *(tidy(tags.get(k, "")) for k in chosen.keys))
                          for key, tags in rows], columns=["osm_id", *chosen.keys], dtype=object)
    if "place" in frame:
        frame["kind"] = frame["amenity"].where(frame["amenity"].ne(""), frame["place"])
    return RawTable(frame, np.arange(1, len(rows) + 1, dtype=np.int64),
                    gpd.GeoSeries(shapes, crs=DEGREES), DEGREES)


def read_answer(elements: Sequence[Mapping[str, Any]], source: Source, role: str) -> RawTable:
    """Read a saved answer of Overpass (JSON): nodes, and ways and relations with a ``center``.

    Raises
    ------
    InputError
        If it holds no such object with a position.
    """
    chosen = selection_of(role)
    rows = []
    for thing in elements:
        tags, at = thing.get("tags") or {}, thing.get("center") or thing
        if isinstance(tags, dict) and chosen.takes(tags) and "lat" in at and "lon" in at:
            rows.append((f"{thing.get('type')}/{thing.get('id')}", tags,
                         (float(at["lon"]), float(at["lat"]))))
    rows.sort(key=lambda row: row[0])
    if not rows:
        raise InputError.of([Fault("empty_file", "The answer of Overpass holds no "
                                   f"{role.replace('_', ' ')} with a position.", "Ask for "
                                   '"out center;", or take an .osm.pbf extract.',
                                   file=source.file)])
    return _table([(key, tags) for key, tags, _ in rows],
                  shapely.points([place for _, _, place in rows]), chosen)


def read_graph(path: Path, source: Source, role: str) -> RawTable:
    """Read a street graph that osmnx has saved (``.graphml``) as roads, each street once.

    A street that can be driven both ways has two edges of one way and one shape; it is one road.

    Raises
    ------
    InputError
        If it is no such graph, or other than roads are wanted.
    """
    import osmnx

    if role != "roads":
        raise InputError.of([Fault("unknown_format", "A street graph holds roads only.",
                                   "Name it under roads:.", file=source.file)])
    try:
        graph = osmnx.convert.to_undirected(osmnx.io.load_graphml(path))
        edges = osmnx.convert.graph_to_gdfs(graph, nodes=False)
    except Exception as error:
        # an XML parser, networkx and osmnx each raise their own kinds
        raise InputError.of([Fault("unreadable_file", f"The graph cannot be read "
                                   f"({tidy(error)[:200]}).", "Save it again with "
                                   "osmnx.save_graphml.", file=source.file)]) from error
    edges = edges.to_crs(DEGREES).reset_index()
    rows = [(f"edge/{u}-{v}-{k}", {"highway": _first(highway), "name": _first(name)})
            for u, v, k, highway, name in zip(
                edges["u"], edges["v"], edges["key"], edges["highway"],
                edges.get("name", pd.Series("", index=edges.index)), strict=True)]
    return _table(rows, edges.geometry.to_numpy(), selection_of(role))


def _first(value: Any) -> str:
    """Return a tag of an edge that was joined from several ways: the first of its values."""
    value = value[0] if isinstance(value, list) and value else value
    return "" if isinstance(value, float) or value is None else str(value)


def _objects(path: Path, chosen: Selection) -> Iterator[tuple[str, dict[str, str], str]]:
    """Yield (id, tags, shape as WKB in hexadecimal) of each object taken."""
    wkb = osmium.geom.WKBFactory()
    keys = osmium.filter.KeyFilter(*chosen.tags)
    stream: Any = osmium.FileProcessor(str(path)).with_locations()
    if "area" in chosen.shapes:
        stream = stream.with_areas(osmium.filter.KeyFilter(*chosen.tags))
    for thing in stream.with_filter(keys):
        shape = "area" if thing.is_area() else "node" if thing.is_node() else \
            "way" if thing.is_way() else ""
        if shape not in chosen.shapes:
            continue
        tags = {tag.k: tag.v for tag in thing.tags}
        if not chosen.takes(tags):
            continue
        try:
            if shape == "node":
                yield f"node/{thing.id}", tags, wkb.create_point(thing)
            elif shape == "way":
                yield f"way/{thing.id}", tags, wkb.create_linestring(thing)
            else:
                kind = "way" if thing.from_way() else "relation"
                yield f"{kind}/{thing.orig_id()}", tags, wkb.create_multipolygon(thing)
        except (RuntimeError, osmium.InvalidLocationError):
            continue    # an object cut off at the edge of the extract has no shape
