"""Which commune each place lies in, and whether the one that it declares can be true."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from phusong.geo import DEGREES, to_degrees
from phusong.sources.columns import Columns
from phusong.sources.vintages import Declared

__all__ = ["commune_codes", "communes_in_degrees", "communes_of", "outlines_of"]

_NEAR_DEG = 0.005
"""Half a kilometre or so: a school that far outside its commune's outline is not remarked upon."""


def communes_in_degrees(communes: gpd.GeoDataFrame | None) -> gpd.GeoDataFrame | None:
    """Return the layer in degrees; None stays None, and so does an empty one."""
    if communes is None or not len(communes):
        return None
    return communes if communes.crs == DEGREES else to_degrees(communes)


def outlines_of(codes: pd.Series, layer: gpd.GeoDataFrame | None) -> NDArray[Any]:
    """Return the outline of each row's commune, degrees; None where it is not known."""
    if layer is None:
        return np.full(len(codes), None, dtype=object)
    return np.asarray(layer.geometry.reindex(codes).array, dtype=object)


def communes_of(lon: NDArray[np.float64], lat: NDArray[np.float64],
                communes: gpd.GeoDataFrame) -> list[tuple[str, ...]]:
    """Return the codes of the communes that each place lies in, in ascending order."""
    there = np.flatnonzero(np.isfinite(lon) & np.isfinite(lat))
    places = shapely.points(lon[there], lat[there])
    tree = shapely.STRtree(np.asarray(communes.geometry.array, dtype=object))
    which, polygon = tree.query(places, predicate="intersects")
    codes = communes.index.to_numpy(object)
    found: list[tuple[str, ...]] = [()] * len(lon)
    for place, code in sorted(zip(there[which].tolist(), codes[polygon].tolist(), strict=True)):
        found[place] = (*found[place], code)
    return found


def commune_codes(columns: Columns, declared: Declared, lon: NDArray[np.float64],
                  lat: NDArray[np.float64], communes: gpd.GeoDataFrame | None) -> pd.Series:
    """Return each row's commune code by the study's list: as declared, else by position.

    Parameters
    ----------
    columns : Columns
        The file; gets the faults and what was assumed.
    declared : Declared
        What the rows say.
    lon, lat : (n,) float64
        Degrees.
    communes : GeoDataFrame or None
        In degrees, indexed by code.

    Notes
    -----
    A code that the layer does not hold, or whose commune lies elsewhere, is kept and remarked
    upon.  Of several communes that overlap at a place the declared one is taken, else the one
    with the lowest code.
    """
    codes = declared.codes
    if communes is None:
        _shape_of_codes(columns, codes)
        return codes
    findings, column = columns.findings, columns.theirs.get("commune_code", "commune_code")
    inside = communes_of(lon, lat, communes)
    empty = codes.eq("").to_numpy(bool)
    there = _by_position(declared, inside)
    divided = np.array([bool(parts) for parts in declared.candidates], bool)
    fill = empty & (there != "")
    columns.assume("commune_code", fill)
    findings.add("split_commune", "The commune was split since, and the position lies in none of "
                 "its parts: which of them is meant cannot be said", "Fill in the position, or "
                 "today's code.", severity="warning", at=divided & ~fill & ~findings.rejected,
                 column=column, shown=[";".join(parts) for parts in declared.candidates])
    strange = ~empty & ~codes.isin(communes.index).to_numpy(bool) & ~findings.rejected
    findings.add("unknown_commune", "The communes' layer does not hold this code",
                 "It may belong to another year's list, or to another province.",
                 severity="warning", at=strange, column=column, shown=codes.tolist())
    two = np.array([len(found) > 1 for found in inside], bool)
    findings.add("in_two_communes", "The outlines of two communes overlap at this place; the "
                 "declared one is taken, else the one with the lower code", "Mend the layer of "
                 "communes.", severity="warning", at=two & empty & ~findings.rejected,
                 shown=[";".join(found) for found in inside])
    differs = np.flatnonzero(~empty & ~strange & np.isfinite(lon) & np.array(
        [code not in found for code, found in zip(codes, inside, strict=True)], bool)
        & ~findings.rejected)
    far = np.zeros(len(codes), dtype=bool)
    if differs.size:
        outlines = communes.geometry.loc[codes.iloc[differs]].to_numpy()
        far[differs] = shapely.distance(shapely.points(lon[differs], lat[differs]),
                                        outlines) > _NEAR_DEG
    findings.add("outside_commune", "The position lies outside the commune that the row names",
                 "One of the two is wrong.", severity="warning", at=far & ~findings.rejected,
                 column=column, shown=codes.tolist())
    return codes.mask(fill, pd.Series(there, index=codes.index))


def _by_position(declared: Declared, inside: list[tuple[str, ...]]) -> NDArray[Any]:
    """Return the commune at each place; of a split commune only its own parts count."""
    found = []
    for parts, at in zip(declared.candidates, inside, strict=True):
        own = [code for code in at if code in parts] if parts else list(at)
        found.append(own[0] if own else "")
    return np.array(found, dtype=object)


def _shape_of_codes(columns: Columns, codes: pd.Series) -> None:
    pattern = columns.profile.commune_code_pattern
    if pattern:
        odd = codes.ne("").to_numpy(bool) & ~codes.str.match(pattern).to_numpy(bool)
        columns.findings.add("odd_code", "The commune's code has not the usual form",
                             "Keep codes as text; name a communes layer to have them checked.",
                             severity="warning", at=odd, shown=codes.tolist(),
                             column=columns.theirs.get("commune_code", ""))
