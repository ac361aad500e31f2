"""What is said of the inputs as a whole: licences, systems that are on no Earth, alike faults."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import pytest
import rasterio
from phusong.errors import Fault
from phusong.profile import Profile
from phusong.screen import Screen
from phusong.sources import inspect
from phusong.sources.source import Source
from shapely import LineString, Point, box
from small_register import Place, write_dem

VIETNAM = Profile.load("vietnam")
MOON = ('GEOGCS["GCS_Moon_2000",DATUM["D_Moon_2000",SPHEROID["Moon_2000",1737400.0,0.0]],'
        'PRIMEM["Reference_Meridian",0.0],UNIT["Degree",0.0174532925199433]]')


def looked_at(place: Place, **said: Any) -> tuple[Fault, ...]:
    return inspect(place.sources(**said), folder=place.folder, profile=VIETNAM).faults


@pytest.mark.parametrize("wkt", [MOON, 'LOCAL_CS["wall",UNIT["metre",1]]'])
def test_a_system_that_is_not_on_earth_is_refused_everywhere(place: Place, wkt: str) -> None:
    """A foreign .prj, or a plan without a place: one fault for each file, no traceback."""
    for name, shape in (("areas", box(103.8, 22.2, 104.0, 22.4)), ("schools", Point(103.9, 22.3)),
                        ("roads", LineString([(103.8, 22.3), (104.0, 22.3)]))):
        gpd.GeoDataFrame({"code": ["02647"]}, geometry=[shape], crs=4326).to_file(
            place.folder / f"{name}.shp")
        (place.folder / f"{name}.prj").write_text(wkt)
    write_dem(place.folder / "dem.tif", crs=rasterio.crs.CRS.from_wkt(wkt))
    faults = looked_at(place, points=(Source(file="schools.shp", kind="school"),), sites=(),
                       roads=Source(file="roads.shp"), population=Source(file="dem.tif"),
                       communes=Source(file="areas.shp", columns={"commune_code": "code"}))
    refused = [f for f in faults if f.code == "unknown_crs"]
    assert {f.file for f in refused} == {"areas.shp", "dem.tif", "roads.shp", "schools.shp"}
    assert all(f.severity == "error" and "no known place on Earth" in f.what for f in refused)


def test_a_system_stated_in_the_study_file_helps(place: Place) -> None:
    gpd.GeoDataFrame({"code": ["02647"]}, geometry=[box(103.8, 22.2, 104.0, 22.4)],
                     crs=4326).to_file(place.folder / "areas.shp")
    (place.folder / "areas.prj").write_text(MOON)
    faults = looked_at(place, communes=Source(file="areas.shp", crs="EPSG:4326",
                                              columns={"commune_code": "code"}))
    assert not [f for f in faults if f.severity == "error"]


def test_files_without_a_licence_are_told_once(place: Place) -> None:
    bare, = [f for f in looked_at(place) if f.code == "no_licence"]
    assert (bare.severity, bare.count) == ("warning", 4)
    assert "communes.gpkg, schools.csv, cells.csv, dem.tif" in bare.what
    some = looked_at(place, terrain=(Source(file="dem.tif", licence="CC-BY-4.0"),))
    bare, = [f for f in some if f.code == "no_licence"]
    assert bare.count == 3
    assert "dem.tif" not in bare.what


def test_the_same_remark_on_several_files_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    alike = [Fault("datum_unproven", "Not proven.", "Ask.", "assumption", file, column="lat")
             for file in ("a.csv", "b.csv")]
    rows = [Fault("bad_number", "No number.", "Mend it.", "warning", file, 3, "n", 2)
            for file in ("a.csv", "b.csv")]
    Screen().faults((*alike, *rows, Fault("voids", "9 of 10 pixels.", "", "warning", count=9)))
    shown = " ".join(capsys.readouterr().out.split())
    assert 'a.csv, b.csv, column "lat": Not proven.' in shown
    assert shown.count("(2 rows)") == 2, "rows that are named stand each for itself"
    assert "9 rows" not in shown, "pixels are no rows"
