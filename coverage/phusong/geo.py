"""The one place that knows a coordinate reference system.

Inside the house every geometry is in metres, in the *working CRS* of the
study.  Degrees stop at the door: readers call `to_metric`, writers call
`to_degrees`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray
from pyproj import CRS, Geod, Transformer
from pyproj.aoi import AreaOfInterest
from pyproj.database import query_utm_crs_info
from pyproj.exceptions import CRSError, ProjError

from phusong.errors import Fault, InputError

__all__ = ["DEGREES", "choose_crs", "earth_crs", "geodesic_m", "is_metric", "parse_crs",
           "to_degrees", "to_metric", "transform"]

DEGREES = CRS.from_epsg(4326)
_GEOD = Geod(ellps="WGS84")


def parse_crs(text: Any) -> CRS:
    """Return the CRS that `text` (EPSG code, WKT, PROJ string or CRS) names.

    Raises
    ------
    InputError
        If no such CRS is known.
    """
    try:
        return CRS.from_user_input(text)
    except CRSError as error:
        raise InputError(f'"{text}" names no coordinate reference system that PROJ knows. '
                         f'Write e.g. "EPSG:4326" or "EPSG:3405".') from error


def earth_crs(text: Any, file: str = "") -> CRS:
    """Return the CRS that `text` names, if it can be carried to longitude and latitude on Earth.

    Parameters
    ----------
    text : str, int or CRS
        As for `parse_crs`.
    file : str
        Whose CRS it is, for the fault.

    Raises
    ------
    InputError
        With one fault, ``unknown_crs``, if no such CRS is known, or it is that of a plan without
        a place or of another celestial body (a broken ``.prj`` does that).
    """
    what = ""
    try:
        crs = parse_crs(text)
        what = "" if _on_earth(crs.to_wkt()) else (
            f'The coordinate system "{crs.name}" has no known place on Earth.')
    except InputError as error:
        what = str(error).split(". ")[0] + "."
    if what:
        raise InputError.of([Fault("unknown_crs", what, 'State the right one in the study file, '
                                   'e.g. crs: "EPSG:4326" or crs: "EPSG:3405".', file=file)])
    return crs


@lru_cache(maxsize=64)
def _on_earth(wkt: str) -> bool:
    try:
        Transformer.from_crs(CRS.from_wkt(wkt), DEGREES, always_xy=True)
    except ProjError:
        return False
    return True


def is_metric(crs: Any) -> bool:
    """Tell whether `crs` is projected and counts in metres."""
    parsed = parse_crs(crs)
    return parsed.is_projected and all(a.unit_name == "metre" for a in parsed.axis_info[:2])


def choose_crs(lon: float, lat: float, given: str = "auto") -> CRS:
    """Return the working CRS of a study: the given one, or the UTM zone of a place.

    Parameters
    ----------
    lon, lat : float
        Centre of the study, degrees (WGS 84).
    given : str
        ``"auto"`` or a CRS that counts in metres.  Web Mercator is refused:
        its metres are not metres on the ground.

    Raises
    ------
    InputError
        If the given CRS does not count in true metres, or the place is no place.
    """
    if given != "auto":
        crs = parse_crs(given)
        if not is_metric(crs) or crs.to_epsg() in (3857, 3785, 900913):
            raise InputError(f'"{given}" cannot be the working CRS: distances in it are not '
                             f'metres on the ground. Use "auto" or a UTM zone.')
        return crs
    if not (-180 <= lon <= 180 and -80 <= lat <= 84):
        raise InputError(f"The study lies at longitude {lon:.3f}, latitude {lat:.3f}: no UTM zone "
                         f"there. Check the CRS of the input files.")
    found = query_utm_crs_info("WGS 84", AreaOfInterest(lon, lat, lon, lat))
    return CRS.from_epsg(int(found[0].code))


@lru_cache(maxsize=64)
def _transformer(source: str, target: str) -> Transformer:
    return Transformer.from_crs(CRS.from_user_input(source), CRS.from_user_input(target),
                                always_xy=True)


def transform(x: Any, y: Any, source: Any, target: Any) -> tuple[NDArray[np.float64],
                                                                   NDArray[np.float64]]:
    """Carry coordinates from one CRS to another, always in the order (x or lon, y or lat).

    Parameters
    ----------
    x, y : array_like
        Coordinates in `source`.
    source, target : CRS, str or int
        Anything `parse_crs` understands.

    Returns
    -------
    x, y : ndarray of float64
        Coordinates in `target`.
    """
    a, b = parse_crs(source), parse_crs(target)
    x = np.asarray(x, dtype=np.float64)
    y = np.asarray(y, dtype=np.float64)
    if a == b:
        return x, y
    out = _transformer(a.to_wkt(), b.to_wkt()).transform(x, y)
    return np.asarray(out[0], dtype=np.float64), np.asarray(out[1], dtype=np.float64)


def to_metric(frame: gpd.GeoDataFrame, crs: Any) -> gpd.GeoDataFrame:
    """Return `frame` in the working CRS `crs`; the input is left as it is."""
    if frame.crs is None:
        raise InputError("The table has no coordinate reference system. State it in the study "
                         'file, e.g. "crs: EPSG:4326".')
    return frame.to_crs(parse_crs(crs))


def to_degrees(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return `frame` in longitude and latitude (EPSG:4326); the input is left as it is."""
    return to_metric(frame, DEGREES)


def geodesic_m(lon1: Any, lat1: Any, lon2: Any, lat2: Any) -> NDArray[np.float64]:
    """Return geodesic distances on the WGS 84 ellipsoid in metres, element by element."""
    return np.asarray(_GEOD.inv(np.asarray(lon1, float), np.asarray(lat1, float),
                                np.asarray(lon2, float), np.asarray(lat2, float))[2])
