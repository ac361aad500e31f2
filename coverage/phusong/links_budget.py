"""The budget of one link, line by line, with the terrain under it."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray

from phusong.errors import UnknownNameError
from phusong.links_scene import Scene
from phusong.nouns import Text, nearest
from phusong.radio import MODELS, models_used
from phusong.radio.budget import Radio
from phusong.radio.clearance import fresnel_clearance
from phusong.radio.free_space import SPEED_OF_LIGHT_M_PER_S
from phusong.tables import POINTS, SITES, check
from phusong.terrain import SHORTEST_PATH_M, Terrain

__all__ = ["Budget", "Line", "budget"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a budget.

    Parameters
    ----------
    key : str
        Stable name in snake case.
    label : Text
        What it is, for people.
    value : float
        The number; NaN = not known.
    unit : str
        ``dBm``, ``dB``, ``m``, ...
    sign : int
        +1 = starts or adds, -1 = is taken off, 0 = for information.
    """

    key: str
    label: Text
    value: float
    unit: str
    sign: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Budget:
    """Everything behind one row of LINKS.

    Parameters
    ----------
    point_id, cell_id, operator, technology, model : str
        Which link, and the model that gave its loss.
    frequency_mhz, distance_m, bearing_deg, elevation_deg : float
        Carrier, plan distance, and direction from the cell to the point.
    tx_height_m, rx_height_m : float
        Antennas above ground.
    eirp_dbm, offset_db, pattern_db, free_space_loss_db, loss_db : float
        ``received_dbm = eirp_dbm + pattern_db - offset_db - loss_db``.
    calibration_db : float
        What measurements of the band add; already taken off `offset_db`.
    received_dbm, free_space_dbm, clearance : float
        As in LINKS, to the last bit.
    clearance_at_m : float
        Where the path is narrowest, from the cell.
    unknown_because : str
        Why the loss is not known; empty if it is.
    in_range : bool
        Whether `link` would look at the pair at all.
    along_m, ground_m : (samples,) float64
        Terrain profile from the cell to the point.
    sight_m : (samples,) float64
        Height of the straight line between the antennas, above sea level.
    bulge_m : (samples,) float64
        What the curved Earth (of effective radius) adds to the ground.
    fresnel_m : (samples,) float64
        Radius of the first Fresnel zone.
    """

    point_id: str
    cell_id: str
    operator: str
    technology: str
    model: str
    frequency_mhz: float
    distance_m: float
    bearing_deg: float
    elevation_deg: float
    tx_height_m: float
    rx_height_m: float
    eirp_dbm: float
    offset_db: float
    calibration_db: float
    pattern_db: float
    free_space_loss_db: float
    loss_db: float
    received_dbm: float
    free_space_dbm: float
    clearance: float
    clearance_at_m: float
    unknown_because: str
    in_range: bool
    along_m: Floats
    ground_m: Floats
    sight_m: Floats
    bulge_m: Floats
    fresnel_m: Floats

    @property
    def blocked(self) -> bool:
        """Whether terrain cuts the straight line between the antennas."""
        return self.clearance < 0.0

    def lines(self) -> tuple[Line, ...]:
        """Return the budget as lines whose signed sum is the received level."""
        def line(key: str, en: str, vi: str, value: float, unit: str, sign: int = 0) -> Line:
            return Line(key, Text(en=en, vi=vi), float(value), unit, sign)

        beyond = self.loss_db - self.free_space_loss_db
        measured = (line("calibration_db", "Correction from measurements of this band",
                         "Hiệu chỉnh theo đo kiểm của băng tần", self.calibration_db, "dB", 1),)
        return (
            line("eirp_dbm", "EIRP of one antenna port in the main beam",
                 "EIRP một cổng anten theo búp chính", self.eirp_dbm, "dBm", 1),
            line("offset_db", "Share of the measured reference signal",
                 "Phần của tín hiệu tham chiếu được đo", self.offset_db + self.calibration_db,
                 "dB", -1),
            *(measured if self.calibration_db else ()),
            line("pattern_db", "Antenna pattern towards the point",
                 "Giản đồ anten về phía điểm", self.pattern_db, "dB", 1),
            line("free_space_loss_db", "Free-space loss", "Suy hao không gian tự do",
                 self.free_space_loss_db, "dB", -1),
            line("beyond_free_space_db", "Loss beyond free space (terrain, curved Earth, air)",
                 "Suy hao thêm (địa hình, độ cong Trái Đất, khí quyển)", beyond, "dB", -1),
            line("received_dbm", "Level outdoors at an isotropic antenna",
                 "Mức thu ngoài trời tại anten đẳng hướng", self.received_dbm, "dBm"),
            line("clearance", "Least clearance, in radii of the first Fresnel zone",
                 "Khoảng hở nhỏ nhất, theo bán kính miền Fresnel thứ nhất", self.clearance, "F1"),
        )


def budget(point_id: str, cell_id: str, points: gpd.GeoDataFrame, sites: gpd.GeoDataFrame,
           terrain: Terrain | None, radio: Radio) -> Budget:
    """Compute the link between one point and one cell, and show everything behind it.

    Parameters
    ----------
    point_id, cell_id : str
        Which point, which cell.
    points, sites, terrain, radio
        As for `phusong.links.link`; the numbers are the same to the last bit.

    Raises
    ------
    UnknownNameError
        If there is no such point or cell.
    InputError
        If the tables are not as declared or not in one metric CRS.
    """
    for name, table, kind in ((point_id, points, "point"), (cell_id, sites, "cell")):
        if name not in table.index:
            raise UnknownNameError(f'There is no {kind} "{name}". '
                                   f"{nearest(str(name), table.index[:10_000])}")
    check(points.loc[[point_id]], POINTS)
    check(sites.loc[[cell_id]], SITES)
    cell_row = sites.loc[[cell_id]]
    scene = Scene.of(points.loc[[point_id]], cell_row, terrain, radio)
    only = np.zeros(1, np.int64)
    aim = scene.aim(only, only)
    loss = scene.losses(only, only, aim.distance_m)
    clearance = scene.clearances(only, only, aim.distance_m)
    length = np.maximum(aim.distance_m, SHORTEST_PATH_M)
    paths = scene.paths(only, only, length)
    frequency, air = scene.frequency_mhz, scene.medium(only, only)
    up, low = scene.cells.height_m, scene.points.height_m
    at = fresnel_clearance(paths, frequency, up, low, air)[1]
    along, ground, total = paths.along_m, paths.heights_m, float(length[0])
    radius = 1000.0 * float(np.max(air.effective_radius_km))
    top, bottom = ground[0] + up[0], ground[-1] + low[0]
    wavelength = 1e-6 * SPEED_OF_LIGHT_M_PER_S / frequency[0]
    needs = MODELS[radio.model].needs_terrain
    why = "no_elevation" if needs and np.isnan(clearance[0]) else "out_of_model_range"
    operator = cell_row["operator"].fillna("").iloc[0] if "operator" in cell_row else ""
    return Budget(
        point_id, cell_id, str(operator), str(cell_row["technology"].iloc[0]),
        str(models_used(radio.model, length)[0]), float(frequency[0]), float(aim.distance_m[0]),
        float(aim.bearing_deg[0]), float(aim.elevation_deg[0]), float(up[0]), float(low[0]),
        float(scene.eirp_dbm[0]), float(scene.offset_db[0]), float(scene.calibration_db[0]),
        float(aim.pattern_db[0]),
        float(aim.free_space_db[0]), float(loss[0]),
        float(scene.received(only, aim.pattern_db, loss)[0]), float(aim.free_space_dbm[0]),
        float(clearance[0]), float(at[0]), why if np.isnan(loss[0]) else "",
        bool(aim.distance_m[0] <= scene.reach_m[0]), along, ground,
        top + (bottom - top) * along / total, along * (total - along) / (2.0 * radius),
        np.sqrt(wavelength * along * (total - along) / total))
