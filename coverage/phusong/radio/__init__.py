"""Radio: arrays in, decibels out.

No tables, no coordinates, no files: packed terrain profiles and plain arrays.
`MODELS` is the list of propagation models; `path_loss` runs one by name.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from phusong.errors import UnknownNameError
from phusong.nouns import nearest
from phusong.paths import Paths
from phusong.radio.free_space import free_space
from phusong.radio.medium import Medium, Number, spread
from phusong.radio.model import Model
from phusong.radio.p526 import p526

__all__ = ["MODELS", "Medium", "Model", "path_loss"]

MODELS: dict[str, Model] = {
    "p526": Model(
        function=p526,
        title="Free space and delta-Bullington diffraction",
        edition="ITU-R P.525-4, P.526-15 section 4.5.2",
        frequency_mhz=(30.0, 300_000.0), distance_m=(1.0, 1_000_000.0),
        tx_height_m=(0.1, 3000.0), rx_height_m=(0.1, 3000.0), needs_terrain=True,
        note="Fast and easy to explain; no ducting and no troposcatter."),
    "free_space": Model(
        function=free_space,
        title="Free space", edition="ITU-R P.525-4",
        frequency_mhz=(1.0, 300_000.0), distance_m=(1.0, 10_000_000.0),
        tx_height_m=(0.0, 100_000.0), rx_height_m=(0.0, 100_000.0), needs_terrain=False,
        note="A lower bound of the loss: nothing stands in the way."),
}
"""Propagation models by the name that a study uses."""


def path_loss(name: str, paths: Paths, frequency_mhz: Number, tx_height_m: Number,
              rx_height_m: Number, medium: Medium | None = None) -> NDArray[np.float64]:
    """Return the basic transmission loss by the model called `name`, (paths,) dB.

    Where a path is shorter than the model allows and the model declares who
    takes over (`Model.nearer`), that model is used.  Everything else out of
    range, and every profile with an unknown height, gives NaN.

    Parameters
    ----------
    name : str
        A key of `MODELS`.
    paths : Paths
        Terrain profiles from transmitter to receiver.
    frequency_mhz, tx_height_m, rx_height_m : Number
        Scalars or one value for each path; heights above ground.
    medium : Medium, optional
        Air, ground and statistics.

    Raises
    ------
    UnknownNameError
        If there is no such model.
    """
    if name not in MODELS:
        raise UnknownNameError(f'There is no propagation model "{name}". {nearest(name, MODELS)}')
    model, air = MODELS[name], Medium() if medium is None else medium
    n, distance = len(paths), paths.distance_m
    loss = model.function(paths, frequency_mhz, tx_height_m, rx_height_m, air)
    near = distance < model.distance_m[0]
    if model.nearer and near.any():
        short = path_loss(model.nearer, paths, frequency_mhz, tx_height_m, rx_height_m, air)
        loss = np.where(near, short, loss)
        chosen = MODELS[model.nearer]
        wrong = model.out_of_range(np.maximum(distance, model.distance_m[0]), frequency_mhz,
                                   tx_height_m, rx_height_m) != ""
        wrong |= chosen.out_of_range(np.where(near, distance, chosen.distance_m[0]),
                                     frequency_mhz, tx_height_m, rx_height_m) != ""
    else:
        wrong = model.out_of_range(distance, spread(frequency_mhz, n), tx_height_m,
                                   rx_height_m) != ""
    loss[wrong] = np.nan
    return loss
