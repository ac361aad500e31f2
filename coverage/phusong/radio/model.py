"""What is known about a propagation model: its edition and where it may be used."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phusong.paths import Paths
from phusong.radio.medium import Medium, Number, spread

__all__ = ["LossFunction", "Model"]

LossFunction = Callable[[Paths, Number, Number, Number, Medium], NDArray[np.float64]]
"""``function(paths, frequency_mhz, tx_height_m, rx_height_m, medium) -> loss_db``."""


@dataclass(frozen=True, slots=True)
class Model:
    """A propagation model and the range in which it may be believed.

    Parameters
    ----------
    function : callable
        ``function(paths, frequency_mhz, tx_height_m, rx_height_m, medium)``
        returns the basic transmission loss in dB, (paths,), positive; NaN
        where it is not known or an argument is out of range.
    title, edition : str
        What the model is, and which edition of which document it follows.
    frequency_mhz, distance_m, tx_height_m, rx_height_m : (float, float)
        Range of validity, ends included; heights above ground.
    needs_terrain : bool
        Whether the terrain between the two ends matters.
    nearer : str
        Name of the model that takes over below the shortest distance;
        empty = none, the loss is unknown there.
    note : str
        One sentence on when to use it.
    """

    function: LossFunction
    title: str
    edition: str
    frequency_mhz: tuple[float, float]
    distance_m: tuple[float, float]
    tx_height_m: tuple[float, float]
    rx_height_m: tuple[float, float]
    needs_terrain: bool
    nearer: str = ""
    note: str = ""

    def out_of_range(self, distance_m: Number, frequency_mhz: Number, tx_height_m: Number,
                     rx_height_m: Number) -> NDArray[np.str_]:
        """Say for each path which argument leaves the valid range.

        Returns
        -------
        (paths,) array of str
            ``""`` where all is well, else the name of the first argument that
            is out of range: ``"distance_m"``, ``"frequency_mhz"``,
            ``"tx_height_m"`` or ``"rx_height_m"``.
        """
        count = np.size(distance_m)
        out = np.full(count, "", dtype="<U16")
        for name, values in (("rx_height_m", rx_height_m), ("tx_height_m", tx_height_m),
                             ("frequency_mhz", frequency_mhz), ("distance_m", distance_m)):
            low, high = getattr(self, name)
            column = spread(values, count)
            out[~((column >= low) & (column <= high))] = name
        return out

    def in_range(self, distance_m: NDArray[np.float64], frequency_mhz: NDArray[np.float64],
                 tx_height_m: NDArray[np.float64],
                 rx_height_m: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Tell for each path whether all its arguments lie in the valid range, (paths,)."""
        inside = np.ones(distance_m.shape, bool)
        for values, (low, high) in ((distance_m, self.distance_m),
                                    (frequency_mhz, self.frequency_mhz),
                                    (tx_height_m, self.tx_height_m),
                                    (rx_height_m, self.rx_height_m)):
            inside &= (values >= low) & (values <= high)
        return inside
