"""Points, cells and ground as plain arrays, and the level on any pair of them.

This is the only way a level is computed, for a table of links and for the
budget of a single one alike, so that both agree to the last bit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from phusong.errors import InputError
from phusong.geo import DEGREES, is_metric, transform
from phusong.nouns import nearest
from phusong.paths import Paths
from phusong.radio import MODELS, path_loss
from phusong.radio.antenna import elevation_deg, pattern_db
from phusong.radio.bands import band_of
from phusong.radio.budget import TECHNOLOGIES, Radio, received_dbm, reference_offset_db
from phusong.radio.clearance import fresnel_clearance
from phusong.radio.climate import Places, refractivity_at
from phusong.radio.free_space import SPEED_OF_LIGHT_M_PER_S, free_space_loss_db
from phusong.radio.medium import Medium
from phusong.service import LOCAL
from phusong.terrain import SHORTEST_PATH_M, Terrain, sample_counts

__all__ = ["Aim", "Ends", "Scene", "bound_slack_db"]

P1812_ROUNDING_DB = float(free_space_loss_db(1000.0, 1000.0)) - 92.4
"""How much less P.1812 counts for free space than P.525."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CHUNK_SAMPLES = 131_072
"""Terrain samples that are worked on at once: few enough to stay in the cache (2 MiB)."""


def bound_slack_db(radio: Radio) -> float:
    """Return by how much a level may exceed its free-space level, dB.

    P.1812 never gives less than its own free-space loss (4.2) plus multipath
    enhancement, at most ``2.6 log10(50 / p)``; P.526 never less than free
    space.  A millionth of a dB is left for rounding.  The other models promise
    no such bound: +inf.
    """
    if radio.model == "p1812":
        return 1e-6 + 2.6 * float(np.log10(50.0 / radio.time_percent))
    return 1e-6 if radio.model in ("p526", "free_space") else float("inf")


def _free_space_db(model: str, slant_m: Floats, frequency_mhz: Floats) -> Floats:
    """Return the free-space loss as a model counts it, dB.

    P.1812 rounds the constant of P.525 to 92.4 (4.2), 0.048 dB less.
    """
    loss = free_space_loss_db(slant_m, frequency_mhz)
    return loss - P1812_ROUNDING_DB if model == "p1812" else loss


@dataclass(frozen=True, slots=True)
class Ends:
    """One side of many links: places and what stands there.

    Parameters
    ----------
    x, y : (n,) float64
        Position in the working CRS.
    height_m, ground_m : (n,) float64
        Antenna above ground; ground above sea level (NaN = not known).
    column, row : (n,) float64
        Position on the terrain's grid; zeros without terrain.
    latitude_deg : (n,) float64
        Latitude.
    north_deg : (n,) float64
        Direction of true north on the grid of the working CRS, clockwise.
    delta_n, n0 : (n,) float64 or None
        Refractivity, where places are known to interpolate it from.
    """

    x: Floats
    y: Floats
    height_m: Floats
    ground_m: Floats
    column: Floats
    row: Floats
    latitude_deg: Floats
    north_deg: Floats
    delta_n: Floats | None = None
    n0: Floats | None = None

    @classmethod
    def of(cls, x: Floats, y: Floats, height_m: Floats, crs: object,
           terrain: Terrain | None, climate: Places | None = None) -> Ends:
        """Look up everything that follows from the positions."""
        lon, lat = transform(x, y, crs, DEGREES)
        up_x, up_y = transform(lon, lat + 1e-3, DEGREES, crs)
        north = np.degrees(np.arctan2(up_x - x, up_y - y))
        column = row = np.zeros(x.shape[0])
        ground = np.full(x.shape[0], np.nan)
        if terrain is not None and x.size:
            column, row = terrain.to_grid(x, y)
            ground = terrain.sample(x, y)
        air = refractivity_at(lon, lat, climate) if climate and x.size else (None, None)
        return cls(x, y, height_m, ground, column, row, lat, north, *air)

    @property
    def top_m(self) -> Floats:
        """Antenna above sea level."""
        return self.ground_m + self.height_m


@dataclass(frozen=True, slots=True)
class Aim:
    """What is known about pairs before the terrain between them is looked at.

    All arrays are (pairs,).  `ends_known` tells whether the ground under both
    ends is known; where it is not, the antenna is taken to point at the
    receiver in elevation and the slant distance to be the plan distance, so
    that `free_space_dbm` is an upper bound.
    """

    distance_m: Floats
    bearing_deg: Floats
    elevation_deg: Floats
    pattern_db: Floats
    free_space_db: Floats
    free_space_dbm: Floats
    ends_known: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Scene:
    """Points and cells over a terrain, ready to be paired.

    Parameters
    ----------
    points, cells : Ends
        The two sides.
    radio : Radio
        Model, range, air.
    terrain : Terrain or None
        The ground; None = not known anywhere.
    frequency_mhz, eirp_dbm, offset_db, azimuth_deg, tilt_deg, beamwidth_deg, reach_m : (cells,)
        The cells' columns, gaps filled from the presets of `radio`.  The
        offset is that of the reference signal less what calibration adds.
    calibration_db : (cells,)
        What measurements of the band add to every level.
    satellite : (cells,) bool
        Satellite terminals: their small Wi-Fi cell radiates alike all round.
    lowest_m : float
        Lowest ground known; NaN without terrain.
    """

    points: Ends
    cells: Ends
    radio: Radio
    terrain: Terrain | None
    frequency_mhz: Floats
    eirp_dbm: Floats
    offset_db: Floats
    calibration_db: Floats
    azimuth_deg: Floats
    tilt_deg: Floats
    beamwidth_deg: Floats
    reach_m: Floats
    satellite: NDArray[np.bool_]
    lowest_m: float

    @classmethod
    def of(cls, points: gpd.GeoDataFrame, sites: gpd.GeoDataFrame, terrain: Terrain | None,
           radio: Radio) -> Scene:
        """Turn checked tables into arrays, in the order of their rows."""
        same_crs(points, sites, terrain)
        filled = _filled(sites, radio)
        heights = _column(points, "antenna_height_m")
        heights = np.where(np.isnan(heights), radio.receiver_height_m, heights)
        crs = points.crs
        px, py = _xy(points)
        sx, sy = _xy(sites)
        reach = np.fmin(_column(sites, "reach_m"), radio.max_range_m)
        return cls(Ends.of(px, py, heights, crs, terrain, radio.climate),
                   Ends.of(sx, sy, sites["antenna_height_m"].to_numpy(float), crs, terrain,
                           radio.climate),
                   radio, terrain, reach_m=reach,
                   lowest_m=np.nan if terrain is None else terrain.relief_m[0], **filled)

    def strength_dbm(self) -> Floats:
        """Return the level of each cell at 1 m in free space in its main beam."""
        at_one = _free_space_db(self.radio.model, np.ones_like(self.frequency_mhz),
                                self.frequency_mhz)
        return self.eirp_dbm - self.offset_db - at_one

    def aim(self, point: Ints, cell: Ints) -> Aim:
        """Return geometry and free-space level of pairs, (pairs,) each."""
        p, c = self.points, self.cells
        dx, dy = p.x[point] - c.x[cell], p.y[point] - c.y[cell]
        distance = np.sqrt(dx * dx + dy * dy)
        at_least = np.maximum(distance, SHORTEST_PATH_M)
        bearing = (np.degrees(np.arctan2(dx, dy)) - c.north_deg[cell]) % 360.0
        top, low = c.top_m[cell], p.top_m[point]
        known = np.isfinite(top) & np.isfinite(low)
        if not MODELS[self.radio.model].needs_terrain:
            top = np.where(known, top, c.height_m[cell])
            low = np.where(known, low, p.height_m[point])
        rise = np.nan_to_num(low - top, nan=0.0)
        radius = self.medium(point, cell).effective_radius_km
        tilt = self.tilt_deg[cell]
        elevation = elevation_deg(top, low, at_least, radius)
        elevation = np.where(np.isnan(elevation), -tilt, elevation)
        pattern = pattern_db(self.azimuth_deg[cell], tilt, bearing, elevation,
                             pattern=self.radio.pattern,
                             horizontal_beamwidth_deg=self.beamwidth_deg[cell])
        pattern = np.where(self.satellite[cell], 0.0, pattern)
        loss = _free_space_db(self.radio.model, np.hypot(at_least, rise),
                              self.frequency_mhz[cell])
        level = self.received(cell, pattern, loss)
        return Aim(distance, bearing, elevation, pattern, loss, level, known)

    def received(self, cell: Ints, pattern: Floats, loss_db: Floats) -> Floats:
        """Return the level of the reference signal at an isotropic antenna, (pairs,) dBm."""
        return received_dbm(self.eirp_dbm[cell], pattern, loss_db, self.offset_db[cell])

    def losses(self, point: Ints, cell: Ints, distance_m: Floats, *,
               best_case: bool = False) -> Floats:
        """Return the basic transmission loss of pairs, (pairs,) dB; NaN = not known.

        Works on `CHUNK_SAMPLES` terrain samples at a time.  With `best_case`
        unknown ground between the ends is taken to be as low as the lowest
        ground known; still NaN where the ground under an end is not known.
        """
        out = np.full(point.shape[0], np.nan)
        for part, paths in self._profiles(point, cell, distance_m):
            i, j = point[part], cell[part]
            if best_case:
                paths = _filled_up(paths, self.lowest_m)
            out[part] = path_loss(self.radio.model, paths, self.frequency_mhz[j],
                                  self.cells.height_m[j], self.points.height_m[i],
                                  self.medium(i, j))
        return out

    def clearances(self, point: Ints, cell: Ints, distance_m: Floats) -> Floats:
        """Return the least clearance of pairs, (pairs,) radii of the first Fresnel zone.

        NaN where the terrain is not known or the model does not look at it;
        on paths of two samples the clearance at their middle.
        """
        out = np.full(point.shape[0], np.nan)
        if not MODELS[self.radio.model].needs_terrain:
            return out
        for part, paths in self._profiles(point, cell, distance_m):
            i, j = point[part], cell[part]
            f, up, low = self.frequency_mhz[j], self.cells.height_m[j], self.points.height_m[i]
            least = fresnel_clearance(paths, f, up, low, self.medium(i, j))[0]
            zone = np.sqrt(0.25e-6 * SPEED_OF_LIGHT_M_PER_S / f * paths.distance_m)
            out[part] = np.where(np.isinf(least), 0.5 * (up + low) / zone, least)
        return out

    def _profiles(self, point: Ints, cell: Ints,
                  distance_m: Floats) -> Iterator[tuple[slice, Paths]]:
        """Cut the profiles of pairs, some at a time; nothing where no terrain is known."""
        flat = not MODELS[self.radio.model].needs_terrain
        if self.terrain is None and not flat:
            return
        length = np.maximum(distance_m, SHORTEST_PATH_M)
        ends = None if flat else self._three_points(point, cell)
        for part in self._chunks(length, flat):
            yield part, self.paths(point[part], cell[part], length[part],
                                   None if ends is None else ends[part])

    def medium(self, point: Ints, cell: Ints) -> Medium:
        """Return the air of pairs: the mean of both ends."""
        p, c = self.points, self.cells
        middle = 0.5 * (p.latitude_deg[point] + c.latitude_deg[cell])
        if p.delta_n is None or p.n0 is None or c.delta_n is None or c.n0 is None:
            return self.radio.medium(latitude_deg=middle)
        return self.radio.medium(latitude_deg=middle,
                                 delta_n=0.5 * (p.delta_n[point] + c.delta_n[cell]),
                                 n0=0.5 * (p.n0[point] + c.n0[cell]))

    def paths(self, point: Ints, cell: Ints, length_m: Floats,
              ends: Floats | None = None) -> Paths:
        """Return the profiles of pairs, from the cell to the point.

        For a model that does not look at terrain these are two samples each:
        the ground at both ends where it is known, else level ground.
        """
        if self.terrain is not None and MODELS[self.radio.model].needs_terrain:
            ends = self._three_points(point, cell) if ends is None else ends
            return self.terrain.profiles_on_grid(ends, length_m, self.radio.profile_step_m,
                                                 self.radio.clutter.clear_m)
        ground = np.stack([self.cells.ground_m[cell], self.points.ground_m[point]], axis=1)
        ground[np.isnan(ground).any(axis=1)] = 0.0
        along = np.stack([np.zeros_like(length_m), length_m], axis=1)
        return Paths(along.ravel(), ground.ravel(), 2 * np.arange(length_m.shape[0] + 1))

    def _three_points(self, point: Ints, cell: Ints) -> Floats:
        """Return grid coordinates of cell, middle and point, (pairs, 6)."""
        assert self.terrain is not None
        p, c = self.points, self.cells
        middle = self.terrain.to_grid(0.5 * (c.x[cell] + p.x[point]),
                                      0.5 * (c.y[cell] + p.y[point]))
        return np.stack([c.column[cell], c.row[cell], *middle, p.column[point], p.row[point]],
                        axis=1)

    def _chunks(self, length_m: Floats, flat: bool) -> Iterator[slice]:
        counts = np.full(length_m.shape, 2) if flat else sample_counts(length_m,
                                                                       self.radio.profile_step_m)
        total = np.cumsum(counts)
        first = 0
        while first < length_m.shape[0]:
            before = total[first - 1] if first else 0
            last = int(np.searchsorted(total, before + CHUNK_SAMPLES, side="right"))
            last = max(last, first + 1)
            yield slice(first, last)
            first = last


def _filled_up(paths: Paths, lowest_m: float) -> Paths:
    """Return the paths with unknown ground between their ends as low as `lowest_m`, and bare."""
    heights = np.where(np.isnan(paths.heights_m), lowest_m, paths.heights_m)
    for end in (paths.offsets[:-1], paths.offsets[1:] - 1):
        heights[end] = paths.heights_m[end]
    bare = None if paths.clutter_m is None else np.nan_to_num(paths.clutter_m, nan=0.0)
    return replace(paths, heights_m=heights, clutter_m=bare)


def _xy(frame: gpd.GeoDataFrame) -> tuple[Floats, Floats]:
    shapes = frame.geometry.to_numpy()
    return np.asarray(shapely.get_x(shapes)), np.asarray(shapely.get_y(shapes))


def _column(frame: pd.DataFrame, name: str) -> Floats:
    if name not in frame:
        return np.full(len(frame), np.nan)
    return frame[name].to_numpy(dtype=float, na_value=np.nan)


def _filled(sites: gpd.GeoDataFrame, radio: Radio) -> dict[str, NDArray]:
    """Return the cells' radio columns; bandwidth, tilt and beamwidth from presets where empty."""
    technology = sites["technology"].to_numpy(object)
    frequency = _column(sites, "frequency_mhz")
    wrong = sorted({str(t) for t in technology} - {*TECHNOLOGIES, *LOCAL})
    if wrong:
        raise InputError("; ".join(f'there are cells of technology "{name}". '
                                   f"{nearest(name, (*TECHNOLOGIES, *LOCAL))}"
                                   for name in wrong))
    gaps = {name: _column(sites, name).copy()
            for name in ("bandwidth_mhz", "tilt_deg", "beamwidth_deg")}
    offset = np.zeros(len(sites))
    kinds = pd.DataFrame({"t": technology, "f": frequency, "b": gaps["bandwidth_mhz"]})
    for (name, mhz, width), rows in kinds.groupby(["t", "f", "b"], dropna=False).indices.items():
        if name in LOCAL:
            continue
        preset = radio.preset(name, mhz)
        offset[rows] = reference_offset_db(name, preset.bandwidth_mhz if np.isnan(width) else width)
        for column, usual in (("tilt_deg", preset.tilt_deg),
                              ("beamwidth_deg", preset.horizontal_beamwidth_deg)):
            mine = gaps[column][rows]
            gaps[column][rows] = np.where(np.isnan(mine), usual, mine)
    added = np.zeros(len(sites))
    if radio.calibration_db and len(sites):
        added += np.array([radio.calibration_db.get(int(b), 0.0) for b in band_of(frequency)])
        added[np.isin(technology, LOCAL)] = 0.0
    return {"frequency_mhz": frequency, "eirp_dbm": _column(sites, "eirp_dbm"),
            "offset_db": offset - added, "calibration_db": added,
            "azimuth_deg": _column(sites, "azimuth_deg"),
            "tilt_deg": np.nan_to_num(gaps["tilt_deg"], nan=0.0),
            "beamwidth_deg": np.nan_to_num(gaps["beamwidth_deg"], nan=360.0),
            "satellite": np.isin(technology, LOCAL)}


def same_crs(points: gpd.GeoDataFrame, sites: gpd.GeoDataFrame, terrain: Terrain | None) -> None:
    """Raise `InputError` unless everything stands in one working CRS that counts in metres."""
    systems = {"the points": points.crs, "the cells": sites.crs}
    if terrain is not None:
        systems["the terrain"] = terrain.metric_crs
    for name, crs in systems.items():
        if crs is None or not is_metric(crs):
            raise InputError(f"Links need metres: {name} stand in "
                             f"{'no CRS' if crs is None else crs.to_string()}. Carry them to the "
                             f"study's working CRS with phusong.geo.to_metric.")
    if any(crs != points.crs for crs in systems.values()):
        said = ", ".join(f"{name} in {crs.to_string()}" for name, crs in systems.items())
        raise InputError(f"Links need one working CRS, but there are: {said}. Carry all to one "
                         f"with phusong.geo.to_metric.")
