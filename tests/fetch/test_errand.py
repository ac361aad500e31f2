"""Every row of the catalogue brought from a server that answers as its publisher does."""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs

import geopandas as gpd
import numpy as np
import pytest
from affine import Affine
from phusong import pipeline
from phusong.errors import InputError, StudyError, UnknownNameError
from phusong.geo import DEGREES
from phusong.maps.brief import _credits
from phusong.maps.content import _sources as listed_sources
from phusong.maps.handout import _sources as sheet_of_sources
from phusong.newcomer import make_province
from phusong.profile import Profile
from phusong.radio.budget import Radio
from phusong.sources import READERS, Source, named
from phusong.sources.credits import RECORD, credited, note
from phusong.sources.fetch import Catalogue, Place, download_osm, fetch
from phusong.sources.fetch.catalogue import tiles
from phusong.sources.fetch.download import AbsentError, Manners, UnreachableError
from phusong.study import Study
from rasterio.io import MemoryFile
from web import Web

PLACE = Place(box=(103.6, 21.7, 104.4, 22.3), country="VNM", province="15")
OSM: dict[str, Any] = {"version": 0.6, "osm3s": {}, "elements": [
    {"type": "node", "id": 1, "lat": 22.00, "lon": 103.80},
    {"type": "node", "id": 2, "lat": 22.01, "lon": 103.81},
    {"type": "node", "id": 3, "lat": 22.02, "lon": 103.82,
     "tags": {"amenity": "school", "name": "Trường Tiểu học A"}},
    {"type": "node", "id": 4, "lat": 22.03, "lon": 103.83, "tags": {"place": "village",
                                                                    "name": "Bản B"}},
    {"type": "node", "id": 5, "lat": 22.04, "lon": 103.84,
     "tags": {"man_made": "mast", "tower:type": "communication"}},
    {"type": "way", "id": 10, "nodes": [1, 2], "tags": {"highway": "track", "surface": "dirt"}},
    {"type": "way", "id": 11, "nodes": [2, 1], "tags": {"power": "line", "voltage": "35000"}}]}
CELLS = ("LTE,452,4,101,201,0,103.80,22.00,1000,1,1,,,0\n"
         "GSM,452,1,101,202,0,103.90,22.10,900,12,1,,,0\n"
         "UMTS,452,2,101,203,0,109.00,12.00,900,12,1,,,0\n")


def raster(west: float, north: float, value: float, size: int = 40, step: float = 0.025,
           kind: str = "float32") -> bytes:
    with MemoryFile() as memory:
        with memory.open(driver="GTiff", dtype=kind, count=1, width=size, height=size,
                         crs="EPSG:4326", transform=Affine(step, 0, west, 0, -step, north)) as d:
            d.write(np.full((size, size), value).astype(kind), 1)
        return bytes(memory.getbuffer())


def local(web: Web) -> Catalogue:
    """The program's own catalogue with every publisher moved to 127.0.0.1, paths unchanged."""
    text = json.dumps(Catalogue.load().model_dump(mode="json"))
    moved = json.loads(re.sub(r'("(?:url|checksum)": ")https://', rf"\g<1>{web.url}/", text))
    return Catalogue.model_validate(moved)


@pytest.fixture
def world(web: Web) -> Web:
    for lat in (21, 22):
        for lon in (103, 104):
            name = f"Copernicus_DSM_COG_10_N{lat}_00_E{lon}_00_DEM"
            web.put(f"/copernicus-dem-30m.s3.amazonaws.com/{name}/{name}.tif",
                    raster(lon, lat + 1, 500 + lat))
    for tile in ("N21E102", "N21E105", "N18E102"):
        web.put(f"/esa-worldcover.s3.eu-central-1.amazonaws.com/v200/2021/map/"
                f"ESA_WorldCover_10m_2021_v200_{tile}_Map.tif",
                raster(float(tile[4:]), float(tile[1:3]) + 3, 10, 30, 0.1, "uint8"))
    web.put("/data.worldpop.org/GIS/Population/Global_2000_2020_1km_UNadj/2020/VNM/"
            "vnm_ppp_2020_1km_Aggregated_UNadj.tif", raster(103.0, 23.0, 2.0))
    web.put("/opencellid.org/ocid/downloads", gzip.compress(CELLS.encode()))
    web.put("/overpass-api.de/api/interpreter", lambda request: json.dumps(OSM).encode())
    layer = {"type": "FeatureCollection", "features": [
        {"type": "Feature", "properties": {"shapeID": "7B", "shapeName": "Ta Phin"},
         "geometry": {"type": "Polygon", "coordinates": [[[103.7, 21.8], [104, 21.8],
                                                          [104, 22.2], [103.7, 21.8]]]}}]}
    address = web.put("/raw/VNM_ADM3.geojson", json.dumps(layer).encode())
    web.put("/www.geoboundaries.org/api/current/gbOpen/VNM/ADM3/", json.dumps(
        {"boundaryID": "VNM-ADM3-1", "boundaryYearRepresented": "2020", "boundaryLicense":
         "CC BY 3.0 IGO", "licenseSource": "https://example.org/licence", "boundarySource":
         "Office", "gjDownloadURL": address}).encode())
    extract = b"\0\0\0\x0d\x0a\x09OSMHeader" + b"0" * 500
    web.put("/download.geofabrik.de/asia/vietnam-latest.osm.pbf", extract)
    web.put("/download.geofabrik.de/asia/vietnam-latest.osm.pbf.md5",
            f"{hashlib.md5(extract).hexdigest()}  vietnam-latest.osm.pbf\n".encode())
    return web


def bring(web: Web, folder: Path, manners: Manners, *names: str, **said: Any) -> dict[str, Any]:
    found = fetch([], folder, said.pop("place", PLACE), only=names, catalogue=local(web),
                  manners=manners, **said)
    return {one.offer.name: one for one in found}


def test_every_row_of_the_catalogue(tmp_path: Path, world: Web, manners: Manners,
                                    monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENCELLID_KEY", "geheim")
    book = Catalogue.load()
    names = [o.name for o in book.offers if o.name not in ("communes_vn", "glo90")]
    found = bring(world, tmp_path, manners, *names)
    assert {n: (one.state, one.detail) for n, one in found.items()
            if one.state != "fetched"} == {}
    assert "2 of 3 cells" in found["opencellid"].detail
    record = json.loads((tmp_path / "open" / RECORD).read_text(encoding="utf-8"))
    assert record["osm_roads.gpkg"]["licence"] == "ODbL-1.0"
    assert record["communes.geojson"]["licence"] == "CC BY 3.0 IGO"
    assert record["communes.geojson"]["date"] == "2020-01-01"
    assert record["country.osm.pbf"]["sha256"] == hashlib.sha256(
        (tmp_path / "open/country.osm.pbf").read_bytes()).hexdigest()
    assert "geheim" not in json.dumps(record)
    for name, entry in record.items():
        assert entry["bytes"] == (tmp_path / "open" / name).stat().st_size
    again = bring(world, tmp_path, manners, *names)
    assert {one.state for one in again.values()} == {"there"}


def test_what_comes_can_be_read(tmp_path: Path, world: Web, manners: Manners,
                                monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENCELLID_KEY", "geheim")
    bring(world, tmp_path, manners, "osm_points", "osm_roads", "osm_power_lines", "osm_sites",
          "opencellid", "worldpop", "geoboundaries", "glo30")
    profile = Profile.load("vietnam")

    def read(role: str, file: str, *more: Any, **said: Any) -> Any:
        source = credited(Source(file=file, **said), tmp_path)
        return READERS[role](source, tmp_path, DEGREES, profile, *more)

    schools = read("points", "open/osm_points.gpkg", columns={"kind": "amenity"},
                   where={"amenity": ["school"]})
    assert schools.table["name"].tolist() == ["Trường Tiểu học A"]
    assert "ODbL-1.0; OpenStreetMap contributors" in schools.table["source"].iloc[0]
    assert read("roads", "open/osm_roads.gpkg").table["highway"].tolist() == ["track"]
    assert read("power_lines", "open/osm_power_lines.gpkg").table["voltage_v"].tolist() == [35000]
    assert len(read("sites", "open/osm_sites.gpkg", Radio()).table) == 1
    cells = read("sites", "open/opencellid.csv", Radio())
    assert sorted(cells.table["technology"]) == ["GSM", "LTE"]
    assert "CC-BY-SA-4.0" in cells.credit
    communes = read("communes", "open/communes.geojson", columns={"commune_code": "shapeID"})
    assert communes.credit.startswith("open/communes.geojson; CC BY 3.0 IGO")
    terrain, readings = READERS["terrain"](
        [credited(Source(file="open/glo30/*.tif"), tmp_path)], tmp_path, 32648)
    assert terrain.shape == (80, 80)
    assert "WorldDEM-30" in readings[0].credit
    people = READERS["population"](credited(Source(file="open/worldpop.tif"), tmp_path), tmp_path)
    assert "CC-BY-4.0; WorldPop" in people.table.source


def test_a_tile_of_open_sea_is_no_failure_and_not_asked_twice(tmp_path: Path, world: Web,
                                                              manners: Manners) -> None:
    world.pages = {k: v for k, v in world.pages.items() if "E104" not in k}
    one = bring(world, tmp_path, manners, "glo30")["glo30"]
    assert (one.state, one.detail) == ("fetched", "2 tiles, 2 do not exist (open sea)")
    before = len(world.asked)
    assert bring(world, tmp_path, manners, "glo30")["glo30"].state == "there"
    assert len(world.asked) == before
    none = bring(world, tmp_path, manners, "glo90")["glo90"]
    assert none.state == "absent"


def test_tiles_that_are_there_are_not_brought_again(tmp_path: Path, world: Web,
                                                    manners: Manners) -> None:
    bring(world, tmp_path, manners, "glo30")
    (tmp_path / "open/glo30/N21E103.tif").unlink()
    before = len(world.asked)
    one = bring(world, tmp_path, manners, "glo30")["glo30"]
    assert one.detail == "1 tiles, 3 were there"
    assert len(world.asked) == before + 1


def test_one_that_fails_keeps_no_other_from_coming(tmp_path: Path, world: Web,
                                                   manners: Manners) -> None:
    world.put("/overpass-api.de/api/interpreter", b"", *[504] * 9)
    found = bring(world, tmp_path, manners, "osm_roads", "worldpop")
    assert found["worldpop"].state == "fetched"
    assert found["osm_roads"].state == "failed"
    assert "geofabrik" in found["osm_roads"].by_hand
    assert not (tmp_path / "open/osm_roads.gpkg").exists()


def test_offline_says_what_to_do_and_asks_nobody(tmp_path: Path, world: Web,
                                                 manners: Manners) -> None:
    found = bring(world, tmp_path, manners, "glo30", "worldpop", "communes_vn", offline=True)
    assert {one.state for one in found.values()} == {"by_hand"}
    assert "Tiles: N21E103, N21E104, N22E103, N22E104." in found["glo30"].by_hand
    assert not world.asked
    assert list(tmp_path.iterdir()) == []


def test_an_unreachable_publisher_is_asked_once(tmp_path: Path, manners: Manners,
                                                web: Web) -> None:
    book = local(web)
    shut = json.loads(json.dumps(book.model_dump(mode="json")).replace(
        f":{web.port}/overpass", ":9/overpass"))
    found = fetch([], tmp_path, PLACE, only=["osm_roads", "osm_sites"], manners=manners,
                  catalogue=Catalogue.model_validate(shut))
    assert [one.state for one in found] == ["failed", "failed"]
    assert "could not be reached" in found[1].detail


def test_a_key_is_asked_for_and_a_wrong_one_is_told(tmp_path: Path, world: Web, manners: Manners,
                                                    monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENCELLID_KEY", raising=False)
    one = bring(world, tmp_path, manners, "opencellid")["opencellid"]
    assert (one.state, one.detail) == ("by_hand",
                                       "wants a key: set OPENCELLID_KEY in the environment.")
    assert "mobile country code 452" in one.by_hand
    monkeypatch.setenv("OPENCELLID_KEY", "geheim")
    world.put("/opencellid.org/ocid/downloads", b'{"status":"error","message":"INVALID_TOKEN"}')
    one = bring(world, tmp_path, manners, "opencellid")["opencellid"]
    assert one.state == "failed"
    assert "INVALID_TOKEN" in one.detail
    assert "geheim" not in one.detail


def test_a_country_the_catalogue_does_not_know(tmp_path: Path, world: Web,
                                               manners: Manners) -> None:
    place = Place(box=(0, 0, 1, 1), country="XXX")
    found = bring(world, tmp_path, manners, "osm_extract", place=place)
    assert found["osm_extract"].state == "failed"
    assert '"region"' in found["osm_extract"].detail


def test_a_study_wants_what_it_names(tmp_path: Path, world: Web, manners: Manners) -> None:
    book = local(world)
    found = fetch(["schools.csv", "open/worldpop.tif"], tmp_path, PLACE, catalogue=book,
                  manners=manners)
    assert [one.offer.name for one in found] == ["worldpop"]
    assert fetch(["schools.csv"], tmp_path, None, catalogue=book) == []
    with pytest.raises(StudyError, match=r"place: \{box"):
        fetch(["open/worldpop.tif"], tmp_path, None, catalogue=book)
    with pytest.raises(UnknownNameError, match='Did you mean "worldpop"'):
        fetch([], tmp_path, PLACE, only=["worldpopp"], catalogue=book)


def test_a_layer_without_address_and_a_pointer_instead_of_a_layer(
        tmp_path: Path, world: Web, manners: Manners) -> None:
    world.put("/raw/VNM_ADM3.geojson", b"version https://git-lfs.github.com/spec/v1\n")
    assert "Git LFS" in bring(world, tmp_path, manners, "geoboundaries")["geoboundaries"].detail
    world.put("/www.geoboundaries.org/api/current/gbOpen/VNM/ADM3/", b"[]")
    one = bring(world, tmp_path, manners, "geoboundaries")["geoboundaries"]
    assert "does not name a layer" in one.detail


# -- Overpass ---------------------------------------------------------------------------------

AT = "/overpass-api.de/api/interpreter"


def ask(web: Web, folder: Path, manners: Manners, role: str = "roads") -> Path:
    return download_osm(role, PLACE.box, folder / "a.gpkg", manners=manners,
                        endpoint=f"{web.url}/overpass-api.de/api")


def test_overpass_is_asked_for_tags_in_the_box(tmp_path: Path, world: Web,
                                               manners: Manners) -> None:
    asked: list[str] = []

    def answer(request: Any) -> bytes:
        asked.append(parse_qs(request.posted.decode())["data"][0])
        return json.dumps(OSM).encode()

    world.put(AT, answer)
    assert gpd.read_file(ask(world, tmp_path, manners))["osm_id"].tolist() == ["way/10"]
    assert "'highway'='track'" in asked[0]
    assert "out:json" in asked[0]
    assert [p.name for p in tmp_path.iterdir()] == ["a.gpkg"]


def test_overpass_is_waited_for(tmp_path: Path, world: Web, manners: Manners,
                                pauses: list[float]) -> None:
    world.put(AT, json.dumps(OSM).encode(), ("wait", 429, 9), 504)
    assert ask(world, tmp_path, manners).exists()
    assert pauses == [9.0, 2.0]


@pytest.mark.parametrize(("body", "said"), [
    (b'{"elements": [], "remark": "runtime error: Query timed out in \\"query\\""}',
     "cut short.*timed out"),
    (b"<html><body>rate limited</body></html>", "no JSON.*rate limited"),
    (b'["nonsense"]', "no JSON")])
def test_what_osmnx_would_take_for_an_answer_is_refused(tmp_path: Path, world: Web,
                                                        manners: Manners, body: bytes,
                                                        said: str) -> None:
    world.put(AT, body)
    with pytest.raises(InputError, match=said):
        ask(world, tmp_path, manners)
    assert not (tmp_path / "a.gpkg").exists()


def test_overpass_has_nothing_or_is_nowhere(tmp_path: Path, world: Web,
                                            manners: Manners) -> None:
    import osmnx

    before = osmnx.settings.overpass_url
    world.put(AT, b'{"version": 0.6, "elements": []}')
    with pytest.raises(AbsentError, match=r"holds no roads there.*by hand"):
        ask(world, tmp_path, manners)
    with pytest.raises(UnreachableError, match="cannot be reached"):
        download_osm("roads", PLACE.box, tmp_path / "a.gpkg", manners=manners,
                     endpoint="http://127.0.0.1:9/api")
    assert osmnx.settings.overpass_url == before


def test_finished_parts_of_a_large_box_are_not_asked_for_again(
        tmp_path: Path, world: Web, manners: Manners) -> None:
    wide = (103.0, 21.5, 104.2, 22.5)
    asked: list[str] = []

    def answer(request: Any) -> bytes:
        asked.append(request.posted.decode())
        return json.dumps(OSM).encode()

    world.put(AT, answer, None, *[403] * 3)
    end = f"{world.url}/overpass-api.de/api"
    with pytest.raises(InputError, match="403"):
        download_osm("roads", wide, tmp_path / "a.gpkg", manners=manners, endpoint=end)
    first = len(asked)
    world.put(AT, answer)
    download_osm("roads", wide, tmp_path / "a.gpkg", manners=manners, endpoint=end)
    assert first == 1
    assert len(asked) == len(set(asked)) > 2
    # each part answered with the same way: it stands in the layer once
    assert gpd.read_file(tmp_path / "a.gpkg")["osm_id"].tolist() == ["way/10"]


# -- the catalogue itself ---------------------------------------------------------------------

def test_the_catalogue_is_whole() -> None:
    book = Catalogue.load()
    names = [offer.name for offer in book.offers]
    assert len(set(names)) == len(names)
    assert len({offer.file for offer in book.offers}) == len(names)
    for offer in book.offers:
        assert offer.title.en
        assert offer.title.vi
        assert offer.url.startswith("https://") or offer.how == "by_hand"
        assert ("*" in offer.file) == (offer.how == "tiles")
        assert bool(offer.key) == ("{key}" in offer.url)
        words = {**book.words(PLACE), "key": "k", "lat": "N22", "lon": "E103"}
        assert "{" not in offer.url.format(**words)


@pytest.mark.parametrize("box", [(1, 1, 1, 2), (5, 1, 2, 2), (0, -90, 1, 1), (0, 0, 400, 1)])
def test_a_box_that_is_none(box: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="no box of degrees"):
        Place(box=box)


def test_tiles_cover_the_box_and_no_more() -> None:
    names = [t["lat"] + t["lon"] for t in tiles((-1.0, -1.0, 1.0, 1.0), 3)]
    assert names == ["S03W003", "S03E000", "N00W003", "N00E000"]
    assert len(list(tiles((103.0, 21.0, 104.0, 22.0), 1))) == 1


def test_widening_reaches_the_range_on_every_side() -> None:
    west, south, east, north = PLACE.widened(30_000)
    from phusong.geo import geodesic_m

    for a, b in (((west, 22.0), (103.6, 22.0)), ((east, 22.0), (104.4, 22.0)),
                 ((104, south), (104, 21.7)), ((104, north), (104, 22.3))):
        assert 30_000 <= geodesic_m(*a, *b) <= 31_000


def test_the_cells_of_the_country_file_are_kept_by_place(tmp_path: Path, world: Web,
                                                         manners: Manners,
                                                         monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENCELLID_KEY", "k")
    head = "radio,mcc,net,area,cell,unit,lon,lat,range,samples,changeable,created,updated,av\n"
    world.put("/opencellid.org/ocid/downloads",
              gzip.compress((head + CELLS + "LTE,452,4,1,9,0,x,y,,,,,,\n").encode()))
    bring(world, tmp_path, manners, "opencellid")
    lines = (tmp_path / "open/opencellid.csv").read_text().splitlines()
    assert [row["cid"] for row in csv.DictReader(lines)] == ["201", "202", "9"]
    assert not list(tmp_path.glob("open/.*"))


def test_from_a_province_to_a_checked_study_with_its_licences(tmp_path: Path, world: Web,
                                                              manners: Manners) -> None:
    """The whole errand: new --province, fetch, check; credits reach brief and workbook."""
    path, _ = make_province(tmp_path, "lc", "15")
    study = Study.read(path)
    found = fetch(named(study.sources), study.folder, study.place, catalogue=local(world),
                  range_m=study.radio.max_range_m, manners=manners)
    assert [(one.offer.name, one.detail) for one in found if one.state != "fetched"] == []
    around = pipeline.check(study)
    assert [fault for fault in around.faults if fault.severity == "error"] == []
    readings = around.readings
    assert readings is not None
    assert set(readings["file"]) == set(named(study.sources))
    assert (readings["rows_in"] > 0).all()
    assert readings["licence"].ne("").all()
    assert readings["attribution"].ne("").all()
    assert around.population is not None
    assert "WorldPop" in around.population.source
    before = pipeline.inputs_digest(study)
    note(study.folder / "open/worldpop.tif", {"licence": "another"})
    assert pipeline.inputs_digest(study) != before, "another licence is another result"

    sheets = SimpleNamespace(around=around)
    credits = _credits(sheets)  # type: ignore[arg-type]
    assert "OpenStreetMap contributors (ODbL-1.0)" in credits
    assert len(credits) == len(set(credits)) == 3
    sheet = sheet_of_sources(sheets)  # type: ignore[arg-type]
    assert sheet is not None
    assert sheet.loc["open/worldpop.tif", "licence"] == "CC-BY-4.0"
    listed = listed_sources(around, None)
    assert {"licence", "attribution", "date"} <= set(listed[0])
