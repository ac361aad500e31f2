"""Which commune each place lies in, and whether the code that it carries can be true."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from phusong.geo import DEGREES, to_degrees
from phusong.sources.columns import Columns, is_digits

__all__ = ["commune_codes", "commune_of", "communes_in_degrees"]

_NEAR_DEG = 0.005
"""Half a kilometre or so: a school that far outside its commune's outline is not remarked upon."""


def communes_in_degrees(communes: gpd.GeoDataFrame | None) -> gpd.GeoDataFrame | None:
    """Return the layer in degrees; None stays None, and so does an empty one."""
    if communes is None or not len(communes):
        return None
    return communes if communes.crs == DEGREES else to_degrees(communes)


def commune_of(lon: NDArray[np.float64], lat: NDArray[np.float64],
               communes: gpd.GeoDataFrame) -> list[str]:
    """Return the code of the commune each place lies in; empty = none.

    Where outlines overlap, the lowest code is taken.
    """
    there = np.flatnonzero(np.isfinite(lon) & np.isfinite(lat))
    places = shapely.points(lon[there], lat[there])
    tree = shapely.STRtree(np.asarray(communes.geometry.array, dtype=object))
    which, polygon = tree.query(places, predicate="intersects")
    codes = communes.index.to_numpy(object)
    found = [""] * len(lon)
    for place, code in sorted(zip(there[which].tolist(), codes[polygon].tolist(), strict=True),
                              reverse=True):
        found[place] = code
    return found


def commune_codes(columns: Columns, lon: NDArray[np.float64], lat: NDArray[np.float64],
                  communes: gpd.GeoDataFrame | None) -> pd.Series:
    """Return each row's commune code: as written, its zeros restored, else by position.

    Parameters
    ----------
    columns : Columns
        The file; gets the faults and what was assumed.
    lon, lat : (n,) float64
        Degrees.
    communes : GeoDataFrame or None
        In degrees, indexed by code.

    Notes
    -----
    Zeros are put back only where the longer code exists in the layer.  A code that the layer
    does not hold, or whose commune lies elsewhere, is kept and remarked upon: it may belong to
    another year's list.
    """
    codes = columns.code("commune_code")
    if communes is None:
        _shape_of_codes(columns, codes)
        return codes
    known = set(communes.index)
    codes = _zeros_restored(columns, codes, known)
    there = np.array(commune_of(lon, lat, communes), dtype=object)
    written = codes.ne("").to_numpy(bool)
    fill = ~written & (there != "")
    columns.assume("commune_code", fill)
    findings, column = columns.findings, columns.theirs.get("commune_code", "commune_code")
    strange = written & ~codes.isin(known).to_numpy(bool) & ~findings.rejected
    findings.add("unknown_commune", "The communes' layer does not hold this code",
                 "It may belong to another year's list, or to another province.",
                 severity="warning", at=strange, column=column, shown=codes.tolist())
    differs = np.flatnonzero(written & ~strange & (there != "") & (there != codes.to_numpy(object)))
    far = np.zeros(len(codes), dtype=bool)
    if differs.size:
        declared = communes.geometry.loc[codes.iloc[differs]].to_numpy()
        far[differs] = shapely.distance(shapely.points(lon[differs], lat[differs]),
                                        declared) > _NEAR_DEG
    findings.add("outside_commune", "The position lies outside the commune that the code names",
                 "One of the two is wrong.", severity="warning", at=far & ~findings.rejected,
                 column=column, shown=codes.tolist())
    return codes.mask(fill, pd.Series(there, index=codes.index))


def _zeros_restored(columns: Columns, codes: pd.Series, known: set[str]) -> pd.Series:
    width = columns.profile.commune_code_width
    if not width:
        return codes
    padded = codes.str.zfill(width)
    short = np.array([is_digits(c) and len(c) < width for c in codes], bool)
    mend = short & padded.isin(known).to_numpy(bool)
    columns.findings.add("lost_zeros", f"The commune's code lost its leading zeros; they were put "
                         f"back, since that code of {width} digits exists", "Keep codes as text.",
                         severity="warning", at=mend, shown=codes.tolist(), mends=True,
                         column=columns.theirs.get("commune_code", ""))
    return codes.where(~mend, padded)


def _shape_of_codes(columns: Columns, codes: pd.Series) -> None:
    pattern = columns.profile.commune_code_pattern
    if pattern:
        odd = codes.ne("").to_numpy(bool) & ~codes.str.match(pattern).to_numpy(bool)
        columns.findings.add("odd_code", "The commune's code has not the usual form",
                             "Keep codes as text; name a communes layer to have them checked.",
                             severity="warning", at=odd, shown=codes.tolist(),
                             column=columns.theirs.get("commune_code", ""))
