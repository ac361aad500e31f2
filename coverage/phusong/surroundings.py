"""What lies around points and sites: communes, roads, power, people, and what was assumed.

Every part may be missing; a room that needs one says in its result that it
went without (law 12: a "no" has a reason).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from affine import Affine
from numpy.typing import NDArray

from phusong.errors import Fault
from phusong.units import Register

__all__ = ["Raster", "Surroundings"]


@dataclass(frozen=True, slots=True, eq=False)
class Raster:
    """A grid of numbers with its place on earth.

    Parameters
    ----------
    values : (rows, columns) float array
        NaN where nothing is known.
    transform : Affine
        From (column, row) of a pixel's upper left corner to (x, y) in `crs`.
    crs : CRS
        Of the grid itself; need not be the working CRS.
    source : str
        File and licence.
    """

    values: NDArray[Any]
    transform: Affine
    crs: Any
    source: str = ""

    def __repr__(self) -> str:
        rows, columns = self.values.shape
        known = np.isfinite(self.values).mean() if self.values.size else 0.0
        return f"Raster({rows} x {columns}, {known:.1%} known, {self.source or 'no source'})"


@dataclass(frozen=True, slots=True, eq=False)
class Surroundings:
    """Optional layers of a study, all in the working CRS except `population`.

    Parameters
    ----------
    communes : GeoDataFrame or None
        Polygons indexed by ``commune_code`` with ``name`` (and ``population``, ``province_code``
        where known).
    roads : GeoDataFrame or None
        Lines with ``highway`` (class of the road).
    power_lines : GeoDataFrame or None
        Lines, with ``voltage_v`` where known.
    population : Raster or None
        People per pixel.
    water, protected, public_land : GeoDataFrame or None
        Polygons where nothing may be built, or where building is welcome.
    footprints : GeoDataFrame or None
        Coverage polygons as operators declare them (``operator``, ``technology``).
    measurements : GeoDataFrame or None
        MEASUREMENTS: levels measured at places, each of one cell.
    reports : tuple of str
        Files of operators' reports, in the order of the study file.
    faults : tuple of Fault
        Everything that reading found, warned about or assumed.
    readings : DataFrame or None
        One row for each input: file, role, rows_in, accepted, mended, rejected, licence, and
        ``columns`` (our name -> theirs) with those ``unused``.
    mends : DataFrame or None
        One row for each mended cell: file, row, column, was, now, why.
    units : Register or None
        Lists of communes and the crosswalks between them.
    """

    communes: gpd.GeoDataFrame | None = None
    roads: gpd.GeoDataFrame | None = None
    power_lines: gpd.GeoDataFrame | None = None
    population: Raster | None = None
    water: gpd.GeoDataFrame | None = None
    protected: gpd.GeoDataFrame | None = None
    public_land: gpd.GeoDataFrame | None = None
    footprints: gpd.GeoDataFrame | None = None
    measurements: gpd.GeoDataFrame | None = None
    reports: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()
    readings: pd.DataFrame | None = field(default=None)
    mends: pd.DataFrame | None = field(default=None)
    units: Register | None = None

    def __repr__(self) -> str:
        there = [f"{name}={len(getattr(self, name))}" for name in
                 ("communes", "roads", "power_lines", "water", "protected", "footprints")
                 if getattr(self, name) is not None]
        if self.population is not None:
            there.append(f"population={self.population!r}")
        return f"Surroundings({', '.join(there) or 'nothing'}; {len(self.faults)} faults)"
