"""People of the pieces of split communes, from a population raster and the old centres."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from rasterio.features import rasterize

from phusong.errors import Fault
from phusong.geo import transform
from phusong.surroundings import Raster
from phusong.units import Crosswalk, Register, holes, overlaps

__all__ = ["examined", "people_of_pieces", "weighed"]

_M_PER_DEG, _FINE_M = 111_195.0, 300.0


def people_of_pieces(walk: Crosswalk, communes: gpd.GeoDataFrame, centres: pd.DataFrame,
                     people: Raster) -> pd.Series:
    """Estimate who lives in each piece of a crosswalk.

    Old outlines are seldom at hand; their centres are.  Each pixel of a new commune goes to the
    nearest centre among the old communes that it was made from.

    Parameters
    ----------
    walk : Crosswalk
        Which old communes each new one was made from.
    communes : GeoDataFrame
        Outlines of the new ones, indexed by code, in any CRS.
    centres : DataFrame
        ``lon``, ``lat`` of the old ones by code, degrees.
    people : Raster
        People per pixel.

    Returns
    -------
    Series
        People indexed by (``old_code``, ``new_code``); pieces of new communes that the raster
        does not reach, or of an old one without a centre, are left out.
    """
    people = _fine(people)
    layer = communes.to_crs(people.crs)
    shapes = [(shape, i + 1) for i, shape in enumerate(layer.geometry)
              if shape is not None and not shape.is_empty]
    owner = rasterize(shapes, out_shape=people.values.shape, transform=people.transform,
                      dtype="int32", fill=0)
    filled = (owner > 0) & np.isfinite(people.values)
    row, column = np.nonzero(filled)
    unit = owner[filled]
    order = np.argsort(unit, kind="stable")
    row, column, unit = row[order], column[order], unit[order]
    heads = people.values[row, column].astype(float)
    grid = people.transform
    x = grid.a * (column + 0.5) + grid.b * (row + 0.5) + grid.c
    y = grid.d * (column + 0.5) + grid.e * (row + 0.5) + grid.f
    lon, lat = transform(x, y, people.crs, 4326)
    starts = np.searchsorted(unit, np.arange(1, len(layer) + 2))
    found: dict[tuple[str, str], float] = {}
    place = {str(code): i for i, code in enumerate(layer.index)}
    where = {str(code): i for i, code in enumerate(centres.index)}
    middle = centres[["lon", "lat"]].to_numpy(float)
    parents: dict[str, list[str]] = {}
    for old, new in zip(walk.pieces["old_code"], walk.pieces["new_code"], strict=True):
        parents.setdefault(str(new), []).append(str(old))
    for new, mine in sorted(parents.items()):
        if new not in place or any(old not in where for old in mine):
            continue
        part = slice(starts[place[new]], starts[place[new] + 1])
        if part.start == part.stop:
            continue
        counts = _nearest(lon[part], lat[part], heads[part], middle[[where[old] for old in mine]])
        found |= {(old, new): count for old, count in zip(mine, counts.tolist(), strict=True)}
    index = pd.MultiIndex.from_tuples(list(found), names=["old_code", "new_code"]) if found else \
        pd.MultiIndex.from_arrays([[], []], names=["old_code", "new_code"])
    return pd.Series(list(found.values()), index=index, dtype=float)


def _fine(people: Raster) -> Raster:
    """Cut pixels wider than 300 m into parts, so that small communes hold some."""
    wide = abs(people.transform.a) * (1.0 if people.crs.is_projected else _M_PER_DEG)
    parts = min(5, max(1, round(wide / _FINE_M)))
    if parts == 1:
        return people
    values = np.repeat(np.repeat(people.values / parts ** 2, parts, axis=0), parts, axis=1)
    return replace(people, values=values, transform=people.transform * people.transform.scale(
        1 / parts))


def _nearest(lon: NDArray[np.float64], lat: NDArray[np.float64], heads: NDArray[np.float64],
             centres: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the people nearest to each centre."""
    squeeze = np.cos(np.radians(lat.mean()))
    away = np.hypot((lon[:, None] - centres[:, 0]) * squeeze, lat[:, None] - centres[:, 1])
    return np.asarray(np.bincount(np.argmin(away, axis=1), heads, len(centres)), dtype=float)


def weighed(register: Register, communes: gpd.GeoDataFrame | None,
            people: Raster | None) -> tuple[Register, str]:
    """Divide split communes by the people in their pieces, where the crosswalk counts none.

    Parameters
    ----------
    register : Register
        Its last crosswalk leads to the layer; its list of before gives centres.
    communes : GeoDataFrame or None
        The layer.
    people : Raster or None
        People per pixel.

    Returns
    -------
    register : Register
        With the last crosswalk's shares by people where they can be estimated.
    why : str
        Why the raster divides nothing, or not everything; empty if nothing was left for it.
    """
    walk = register.walks[-1] if register.walks else None
    if walk is None:
        return register, ""
    before = next((listed for listed in register.lists if listed.day == walk.before), None)
    split = walk.pieces["old_code"].isin(walk.split)
    if not (split & (walk.pieces["basis"] == "equal")).any():
        return register, ""
    if people is None:
        return register, "the study names no population raster"
    if communes is None or register.now is None or walk.after != register.now.day:
        return register, "the communes' layer is not that of the crosswalk's last day"
    if before is None or before.centres is None or not len(before.centres):
        return register, f"no list gives the centres of the units of {walk.before}"
    known = people_of_pieces(walk, communes, before.centres, people)
    pairs = walk.pieces[["old_code", "new_code", "people"]].copy()
    keys = pd.MultiIndex.from_frame(pairs[["old_code", "new_code"]])
    pairs["people"] = pairs["people"].fillna(pd.Series(known.reindex(keys).to_numpy(),
                                                       index=pairs.index))
    better = Crosswalk.of(pairs, before=walk.before, after=walk.after, partial=walk.partial)
    return replace(register, walks=(*register.walks[:-1], better)), \
        "the raster does not reach a part, counts nobody in it, or a centre is missing"


def _divided(given: Register, done: Register, why: str) -> list[Fault]:
    """Say for each crosswalk how its split communes are divided, case by case."""
    found = []
    for n, (was, walk) in enumerate(zip(given.walks, done.walks, strict=True)):
        own, now = ({basis: int(walk_.pieces.loc[walk_.pieces["basis"] == basis,
                                                 "old_code"].nunique())
                     for basis in ("people", "area", "equal")} for walk_ in (was, walk))
        raster, even = now["people"] - own["people"], now["equal"]
        last = n == len(done.walks) - 1
        parts = [f"{own['people']:,} by the people that the crosswalk counts in each part"
                 if own["people"] else "",
                 f"{now['area']:,} by area" if now["area"] else "",
                 f"{raster:,} by the population raster (each pixel goes to the nearest centre "
                 f"among the old communes there)" if raster else "",
                 f"{even:,} evenly, since {why if last else 'a raster divides the last only'}"
                 if even else ""]
        if walk.split:
            found.append(Fault(
                "split_communes", f"People and learners of the {len(walk.split):,} communes of "
                f"{walk.before} that were split are divided: "
                f"{'; '.join(p for p in parts if p)}.",
                "Give people for each part in the crosswalk to use your own." if raster or even
                else "", "assumption", count=len(walk.split)))
    return found


def examined(layers: dict[str, Any]) -> list[Fault]:
    """Say where outlines of communes overlap, and divide split communes by people.

    Parameters
    ----------
    layers : dict
        Layers of a study by name, in its working CRS; ``units`` is replaced by one whose split
        communes are weighed.
    """
    communes = layers.get("communes")
    found = [] if communes is None else _overlapping(communes)
    if "units" in layers:
        given: Register = layers["units"]
        layers["units"], why = weighed(given, communes, layers.get("population"))
        found += _divided(given, layers["units"], why)
    return found


def _overlapping(communes: gpd.GeoDataFrame) -> list[Fault]:
    said = _torn(communes)
    if shapely.coverage_is_valid(np.asarray(communes.geometry.array, dtype=object)):
        return said
    pairs = overlaps(communes)
    if not len(pairs):
        return said
    first = pairs.iloc[0]
    return [*said, Fault(
        "overlapping_communes", f"The outlines of {_counted(len(pairs), 'pair')} of communes "
                  f"overlap by 1 ha or more, {pairs['area_m2'].sum() / 1e6:,.2f} km2 in all, the "
                  f"most between {first['one']} and {first['other']} "
                  f"({first['area_m2'] / 1e6:,.2f} km2).",
                  "A place there is taken to lie in the commune that it declares; mend the layer.",
                  "warning", column="geometry", count=len(pairs))]


def _torn(communes: gpd.GeoDataFrame) -> list[Fault]:
    torn = holes(communes)
    if not len(torn):
        return []
    first = torn.iloc[0].representative_point()
    return [Fault("torn_communes", f"The communes surround {_counted(len(torn), 'piece')} of "
                  f"ground of 1 ha or more that belong to none, {torn.area.sum() / 1e6:,.2f} km2 "
                  f"in all, the largest about x {first.x:,.0f}, y {first.y:,.0f} (working CRS).",
                  "A place there has the commune that it declares, else none; mend the layer.",
                  "warning", column="geometry", count=len(torn))]


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
