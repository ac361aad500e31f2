"""OpenStreetMap: extracts through osmium; live data are tested in `tests/fetch`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from phusong.errors import InputError, UnknownNameError
from phusong.geo import DEGREES
from phusong.profile import Profile
from phusong.radio.budget import Radio
from phusong.sources import READERS, Source
from phusong.sources.roads_osm import SELECTIONS, read_answer, read_extract

GENERIC = Profile.load("generic")
XML = """<?xml version="1.0"?><osm version="0.6">
<node id="1" lat="22.30" lon="103.80" version="1"/>
<node id="2" lat="22.31" lon="103.81" version="1"/>
<node id="3" lat="22.32" lon="103.80" version="1"/>
<node id="4" lat="22.33" lon="103.82" version="1"><tag k="amenity" v="school"/>
<tag k="name" v="Trường A"/></node>
<node id="5" lat="22.34" lon="103.83" version="1"><tag k="man_made" v="mast"/></node>
<node id="6" lat="22.34" lon="103.83" version="1"><tag k="man_made" v="tower"/></node>
<way id="10" version="1"><nd ref="1"/><nd ref="2"/><tag k="highway" v="track"/></way>
<way id="11" version="1"><nd ref="1"/><nd ref="2"/><tag k="highway" v="footway"/></way>
<way id="12" version="1"><nd ref="1"/><nd ref="3"/><tag k="power" v="line"/>
<tag k="voltage" v="110000"/></way>
<way id="13" version="1"><nd ref="1"/><nd ref="2"/><nd ref="3"/><nd ref="1"/>
<tag k="boundary" v="administrative"/><tag k="name" v="Xã A"/></way>
<way id="14" version="1"><nd ref="1"/><nd ref="99"/><tag k="highway" v="track"/></way></osm>"""


@pytest.fixture
def extract(tmp_path: Path) -> Path:
    (tmp_path / "a.osm").write_text(XML, encoding="utf-8")
    return tmp_path


def test_each_part_takes_its_own_objects(extract: Path) -> None:
    found = {role: read_extract(extract / "a.osm", Source(file="a.osm"), role).frame["osm_id"]
             .tolist() for role in ("roads", "power_lines", "points", "sites", "communes")}
    assert found == {"roads": ["way/10"], "power_lines": ["way/12"], "points": ["node/4"],
                     "sites": ["node/5"], "communes": ["way/13"]}


def test_an_extract_reads_like_any_other_file(extract: Path) -> None:
    source = Source(file="a.osm")
    roads = READERS["roads"](source, extract, DEGREES, GENERIC).table
    assert roads["highway"].tolist() == ["track"]
    lines = READERS["power_lines"](source, extract, DEGREES, GENERIC).table
    assert lines["voltage_v"].tolist() == [110_000]
    points = READERS["points"](source, extract, DEGREES, GENERIC).table
    assert points.loc["node/4", ["kind", "name"]].tolist() == ["school", "Trường A"]
    sites = READERS["sites"](source, extract, DEGREES, GENERIC, Radio()).table
    assert sites["site_id"].tolist() == ["node/5"]
    communes = READERS["communes"](Source(file="a.osm", columns={"commune_code": "osm_id"}),
                                   extract, DEGREES, GENERIC).table
    assert communes["name"].to_dict() == {"way/13": "Xã A"}


def test_an_extract_without_the_part_says_so(extract: Path) -> None:
    with pytest.raises(InputError, match="holds no areas"):
        read_extract(extract / "a.osm", Source(file="a.osm"), "areas")
    with pytest.raises(UnknownNameError, match='Did you mean "roads"'):
        read_extract(extract / "a.osm", Source(file="a.osm"), "road")


def test_andorra_twice(shared: Path) -> None:
    folder = shared / "data/osm_andorra"
    lengths = {}
    for day in ("20130528", "20210622"):
        source = Source(file=f"andorra-{day}.osm.pbf")
        reading = READERS["roads"](source, folder, 32631, GENERIC)
        assert not reading.failed
        lengths[day] = reading.table.length.sum() / 1000
    assert 400 < lengths["20130528"] < lengths["20210622"] < 1750
    communes = READERS["communes"](Source(file="andorra-20210622.osm.pbf", where={
        "admin_level": 7}, columns={"commune_code": "osm_id"}), folder, 32631, GENERIC)
    assert len(communes.table) == 7


def test_every_selection_has_columns_that_its_readers_know() -> None:
    for role, chosen in SELECTIONS.items():
        spelt = {s for names in GENERIC.spellings(role).values() for s in names}
        assert spelt & {*chosen.keys, "osm_id"}, role


def test_a_saved_answer_of_overpass_reads_like_an_extract(tmp_path: Path) -> None:
    elements = [{"type": "node", "id": 4, "lat": 22.33, "lon": 103.82,
                 "tags": {"amenity": "school", "name": "Trường A"}},
                {"type": "way", "id": 9, "center": {"lat": 22.3, "lon": 103.8},
                 "tags": {"amenity": "school"}}, {"type": "way", "id": 10, "nodes": [1],
                                                  "tags": {"amenity": "school"}},
                {"type": "node", "id": 5, "lat": 1, "lon": 1, "tags": {"shop": "yes"}}]
    (tmp_path / "a.json").write_text(json.dumps({"version": 0.6, "elements": elements}))
    points = READERS["points"](Source(file="a.json"), tmp_path, DEGREES, GENERIC).table
    assert points.index.tolist() == ["node/4", "way/9"]
    with pytest.raises(InputError, match="out center"):
        read_answer([], Source(file="a.json"), "points")


def test_a_street_graph_of_osmnx_reads_as_roads_each_once(tmp_path: Path) -> None:
    import networkx
    import osmnx

    graph = networkx.MultiDiGraph(crs="epsg:4326")
    for node, x in ((1, 103.8), (2, 103.81), (3, 103.82)):
        graph.add_node(node, x=x, y=22.3)
    for u, v, way in ((1, 2, 10), (2, 1, 10), (2, 3, [11, 12])):
        graph.add_edge(u, v, osmid=way, length=1.0, name="Đường A",
                       highway="track" if way == 10 else ["primary", "trunk"])
    osmnx.save_graphml(graph, tmp_path / "a.graphml")
    roads = READERS["roads"](Source(file="a.graphml"), tmp_path, DEGREES, GENERIC).table
    assert sorted(roads["highway"]) == ["primary", "track"]
    with pytest.raises(InputError, match="roads only"):
        READERS["points"](Source(file="a.graphml"), tmp_path, DEGREES, GENERIC)
    (tmp_path / "b.graphml").write_text("<graphml>")
    with pytest.raises(InputError, match="cannot be read"):
        READERS["roads"](Source(file="b.graphml"), tmp_path, DEGREES, GENERIC)
