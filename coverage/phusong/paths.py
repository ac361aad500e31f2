"""Packed terrain profiles: the only word that geography and physics share.

Many profiles of different lengths lie one behind the other in flat arrays;
`Paths.offsets` says where each begins.  Plain numpy arrays, nothing else, so
that compiled kernels take them as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from phusong.errors import InputError

__all__ = ["COASTAL", "INLAND", "SEA", "Paths", "pack"]

SEA, COASTAL, INLAND = 1, 3, 4
"""Radio-climatic zones as P.1812 numbers them (Table 3 of Annex 1)."""


@dataclass(frozen=True, slots=True)
class Paths:
    """Terrain profiles from transmitter to receiver, packed one behind the other.

    Parameters
    ----------
    along_m : (samples,) float64
        Distance of each sample from the transmitter, metres; starts at 0 and
        increases strictly within each path.
    heights_m : (samples,) float64
        Ground height above sea level, metres.  NaN = not known.
    offsets : (paths + 1,) int64
        Path ``i`` owns samples ``offsets[i]:offsets[i + 1]``.
    clutter_m : (samples,) float64 or None
        Representative clutter height above ground, metres; None = none anywhere.
    zones : (samples,) int8 or None
        `SEA`, `COASTAL` or `INLAND`; None = inland everywhere.

    Notes
    -----
    Every path holds at least two samples: its two ends.
    """

    along_m: NDArray[np.float64]
    heights_m: NDArray[np.float64]
    offsets: NDArray[np.int64]
    clutter_m: NDArray[np.float64] | None = field(default=None)
    zones: NDArray[np.int8] | None = field(default=None)

    def __post_init__(self) -> None:
        samples = self.along_m.shape[0]
        if self.heights_m.shape != (samples,) or self.offsets[-1] != samples:
            raise InputError(f"Packed profiles disagree: {samples} distances, "
                             f"{self.heights_m.shape[0]} heights, last offset {self.offsets[-1]}.")
        if len(self) and np.diff(self.offsets).min() < 2:
            raise InputError("Every terrain profile needs at least two samples, its two ends.")

    def __len__(self) -> int:
        return int(self.offsets.shape[0] - 1)

    @property
    def distance_m(self) -> NDArray[np.float64]:
        """(paths,) length of each path, metres."""
        return self.along_m[self.offsets[1:] - 1]

    def one(self, index: int) -> Paths:
        """Return path number `index` alone (views, no copies)."""
        a, b = int(self.offsets[index]), int(self.offsets[index + 1])
        return Paths(self.along_m[a:b], self.heights_m[a:b], np.array([0, b - a], np.int64),
                     None if self.clutter_m is None else self.clutter_m[a:b],
                     None if self.zones is None else self.zones[a:b])

    def reversed(self) -> Paths:
        """Return the same paths walked from receiver to transmitter."""
        order = np.concatenate([np.arange(b - 1, a - 1, -1)
                                for a, b in zip(self.offsets[:-1], self.offsets[1:], strict=True)])
        lengths = np.repeat(self.distance_m, np.diff(self.offsets))
        return Paths((lengths - self.along_m)[order], self.heights_m[order], self.offsets,
                     None if self.clutter_m is None else self.clutter_m[order],
                     None if self.zones is None else self.zones[order])


def pack(along_m: Sequence[NDArray[np.float64]], heights_m: Sequence[NDArray[np.float64]],
         clutter_m: Sequence[NDArray[np.float64]] | None = None,
         zones: Sequence[NDArray[np.int8]] | None = None) -> Paths:
    """Pack separate profiles into one `Paths`.

    Parameters
    ----------
    along_m, heights_m : sequences of 1-D arrays
        One pair of equally long arrays for each path, metres.
    clutter_m, zones : sequences of 1-D arrays, optional
        As in `Paths`.

    Examples
    --------
    >>> import numpy as np
    >>> paths = pack([np.array([0.0, 500.0, 1000.0])], [np.array([10.0, 80.0, 12.0])])
    >>> len(paths), float(paths.distance_m[0])
    (1, 1000.0)
    """
    offsets = np.concatenate([[0], np.cumsum([len(a) for a in along_m])]).astype(np.int64)
    return Paths(np.concatenate(along_m).astype(np.float64),
                 np.concatenate(heights_m).astype(np.float64), offsets,
                 None if clutter_m is None else np.concatenate(clutter_m).astype(np.float64),
                 None if zones is None else np.concatenate(zones).astype(np.int8))
