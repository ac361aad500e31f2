"""Layers laid over each other: areas are shared out whole, gaps and overlaps are said."""

from __future__ import annotations

import datetime as dt

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from affine import Affine
from phusong.errors import InputError
from phusong.sources.pieces import examined, people_of_pieces
from phusong.surroundings import Raster
from phusong.units import Crosswalk, Register, UnitList, carry, holes, overlaps, overlay
from shapely import box

THEN, NOW = dt.date(2025, 3, 1), dt.date(2025, 7, 1)


def layer(**shapes: object) -> gpd.GeoDataFrame:
    index = pd.Index(list(shapes), name="commune_code")
    return gpd.GeoDataFrame(geometry=list(shapes.values()), index=index, crs=32648)


OLD = layer(a=box(0, 0, 1000, 1000), b=box(1000, 0, 2000, 1000))
NEW = layer(x=box(0, 0, 1500, 1000), y=box(1400, 0, 2000, 900))
"""x and y overlap by 100 m x 900 m; a strip of 500 m x 100 m in the corner is in neither."""


def test_shares_by_area_add_up_with_gaps_and_overlaps() -> None:
    found = overlay(OLD, NEW, before=THEN, after=NOW)
    shares = found.walk.pieces.set_index(["old_code", "new_code"])["share"]
    assert shares["a", "x"] == 1.0
    assert shares["b", "x"] == pytest.approx(0.50 / 1.04)
    assert shares["b", "y"] == pytest.approx(0.54 / 1.04)
    assert found.uncovered.to_dict() == pytest.approx({"a": 0.0, "b": 0.05})
    assert found.doubled.to_dict() == pytest.approx({"a": 0.0, "b": 0.09})
    carried = carry({"a": 10, "b": 1001}, found.walk).values["count"]
    assert carried.sum() == 1011
    assert set(found.walk.pieces["basis"]) == {"whole", "area"}


def test_slivers_are_no_successors() -> None:
    new = layer(x=box(0, 0, 1001, 1000), y=box(1001, 0, 2000, 1000))
    assert overlay(OLD, new, before=THEN, after=NOW).walk.split == ()


def test_layers_that_do_not_meet_are_refused() -> None:
    with pytest.raises(InputError, match="first: b"):
        overlay(OLD, layer(x=box(0, 0, 1000, 1000)), before=THEN, after=NOW)
    with pytest.raises(InputError, match="metres"):
        overlay(OLD.to_crs(4326), NEW.to_crs(4326), before=THEN, after=NOW)


def test_overlaps_are_listed_and_told() -> None:
    pairs = overlaps(NEW)
    assert pairs.iloc[0].tolist() == ["x", "y", 90_000.0]
    assert overlaps(OLD).empty
    assert [f.code for f in examined({"communes": NEW})] == ["overlapping_communes"]
    assert examined({"communes": OLD}) == []


def test_people_of_pieces_go_to_the_nearest_old_centre() -> None:
    """Two old communes; one was split. 10 people live in every pixel of 100 m."""
    values = np.full((10, 20), 10.0)
    people = Raster(values, Affine(100, 0, 0, 0, -100, 1000), OLD.crs)
    new = layer(x=box(0, 0, 1500, 1000), y=box(1500, 0, 2000, 1000))
    middle = gpd.GeoSeries(OLD.geometry.centroid, crs=32648).to_crs(4326)
    centres = pd.DataFrame({"lon": middle.x, "lat": middle.y})
    walk = Crosswalk.of(pd.DataFrame({"old_code": ["a", "b", "b"], "new_code": ["x", "x", "y"]}),
                        before=THEN, after=NOW)
    counts = people_of_pieces(walk, new, centres, people)
    assert counts.to_dict() == {("a", "x"): 1000.0, ("b", "x"): 500.0, ("b", "y"): 500.0}
    register = Register((UnitList(THEN, {"a": ("", ""), "b": ("", "")}, (), centres),
                         UnitList(NOW, {"x": ("", ""), "y": ("", "")})), (walk,))
    layers = {"communes": new, "units": register, "population": people}
    said = examined(dict(layers))
    assert [(f.code, f.count) for f in said] == [("split_communes", 1)]
    assert "1 communes" in said[0].what or "1 commune" in said[0].what
    assert "1 by the population raster" in said[0].what
    assert "evenly" not in said[0].what
    bare, = examined({name: layers[name] for name in ("communes", "units")})
    assert "1 evenly, since the study names no population raster" in bare.what
    counted = Crosswalk.of(walk.pieces.assign(people=[1.0, 2.0, 3.0]), before=THEN, after=NOW)
    own, = examined({**layers, "units": Register(register.lists, (counted,))})
    assert "1 by the people that the crosswalk counts" in own.what
    assert "raster" not in own.what
    examined(layers)
    done = carry({"b": 7}, layers["units"].walks[-1]).values["count"]
    assert done.to_dict() == {"x": 4, "y": 3}


def test_ground_between_communes_that_belongs_to_none_is_told() -> None:
    """A ring of communes round a square of 300 m; the open corner at the rim is no hole."""
    torn = layer(n=box(0, 600, 900, 900), s=box(0, 0, 900, 300), w=box(0, 300, 300, 600),
                 e=box(600, 300, 900, 600))
    found = holes(torn)
    assert found.area.tolist() == pytest.approx([90_000.0])
    assert holes(torn, least_m2=1e5).empty
    assert holes(torn.drop(index="e")).empty
    said = examined({"communes": torn})
    assert [(f.code, f.count) for f in said] == [("torn_communes", 1)]
    assert "0.09 km2" in str(said[0])
