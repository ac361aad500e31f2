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
from phusong.radio.hata import cost231, hata
from phusong.radio.itm import itm
from phusong.radio.medium import Medium, Number, spread
from phusong.radio.model import Model
from phusong.radio.p526 import p526
from phusong.radio.p1812 import p1812
from phusong.radio.rma import rma, rma_los, rma_nlos

__all__ = ["MODELS", "Medium", "Model", "model_of", "models_used", "path_loss"]

MODELS: dict[str, Model] = {
    "p1812": Model(
        function=p1812,
        title="Path-specific terrestrial propagation", edition="ITU-R P.1812-8 (2025)",
        frequency_mhz=(30.0, 6000.0), distance_m=(250.0, 3_000_000.0),
        tx_height_m=(1.0, 3000.0), rx_height_m=(1.0, 3000.0), needs_terrain=True, nearer="p526",
        note="The default: diffraction, ducting and troposcatter over the terrain profile."),
    "itm": Model(
        function=itm,
        title="Longley-Rice point to point", edition="NTIA Irregular Terrain Model 1.4",
        frequency_mhz=(20.0, 20_000.0), distance_m=(1000.0, 1_000_000.0),
        tx_height_m=(0.5, 3000.0), rx_height_m=(0.5, 3000.0), needs_terrain=True, nearer="p526",
        note="For comparison: a tenth of a metre on the profile can move it by decibels."),
    "p526": Model(
        function=p526,
        title="Free space and delta-Bullington diffraction",
        edition="ITU-R P.525-4, P.526-15 section 4.5.2",
        frequency_mhz=(30.0, 300_000.0), distance_m=(1.0, 1_000_000.0),
        tx_height_m=(0.1, 3000.0), rx_height_m=(0.1, 3000.0), needs_terrain=True,
        note="Fast and easy to explain; no ducting and no troposcatter."),
    "hata": Model(
        function=hata,
        title="Okumura-Hata", edition="Hata 1980",
        frequency_mhz=(150.0, 1500.0), distance_m=(1000.0, 20_000.0),
        tx_height_m=(30.0, 200.0), rx_height_m=(1.0, 10.0), needs_terrain=False, nearer="rma",
        note="A sanity bound where there is no terrain model; blind to hills."),
    "cost231": Model(
        function=cost231,
        title="COST 231-Hata", edition="COST 231 final report 4.4.3",
        frequency_mhz=(1500.0, 2000.0), distance_m=(1000.0, 20_000.0),
        tx_height_m=(30.0, 200.0), rx_height_m=(1.0, 10.0), needs_terrain=False, nearer="rma",
        note="Hata's sister for 1,500 to 2,000 MHz."),
    "rma": Model(
        function=rma,
        title="Rural macro, expected loss", edition="3GPP TR 38.901 Table 7.4.1-1",
        frequency_mhz=(500.0, 30_000.0), distance_m=(10.0, 5000.0),
        tx_height_m=(10.0, 150.0), rx_height_m=(1.0, 10.0), needs_terrain=False,
        nearer="free_space",
        note="Losses with and without line of sight, weighted by its probability."),
    "rma_los": Model(
        function=rma_los,
        title="Rural macro, line of sight", edition="3GPP TR 38.901 Table 7.4.1-1",
        frequency_mhz=(500.0, 30_000.0), distance_m=(10.0, 10_000.0),
        tx_height_m=(10.0, 150.0), rx_height_m=(1.0, 10.0), needs_terrain=False,
        nearer="free_space", note="Optimistic bound."),
    "rma_nlos": Model(
        function=rma_nlos,
        title="Rural macro, no line of sight", edition="3GPP TR 38.901 Table 7.4.1-1",
        frequency_mhz=(500.0, 30_000.0), distance_m=(10.0, 5000.0),
        tx_height_m=(10.0, 150.0), rx_height_m=(1.0, 10.0), needs_terrain=False,
        nearer="free_space", note="Pessimistic bound."),
    "free_space": Model(
        function=free_space,
        title="Free space", edition="ITU-R P.525-4",
        frequency_mhz=(1.0, 300_000.0), distance_m=(1.0, 10_000_000.0),
        tx_height_m=(0.0, 100_000.0), rx_height_m=(0.0, 100_000.0), needs_terrain=False,
        note="A lower bound of the loss: nothing stands in the way."),
}
"""Propagation models by the name that a study uses."""


def model_of(name: str) -> Model:
    """Return the model called `name`.

    Raises
    ------
    UnknownNameError
        If there is no such model.
    """
    if name not in MODELS:
        raise UnknownNameError(f'There is no propagation model "{name}". {nearest(name, MODELS)}')
    return MODELS[name]


def models_used(name: str, distance_m: Number) -> NDArray[np.str_]:
    """Return which model `path_loss` uses for paths of these lengths, (paths,) names.

    The model called `name` itself, except where a path is shorter than it
    allows and it declares who takes over (`Model.nearer`).
    """
    distance = np.atleast_1d(np.asarray(distance_m, float))
    out = np.full(distance.shape, name, dtype="<U16")
    model = model_of(name)
    if model.nearer:
        near = distance < model.distance_m[0]
        out[near] = models_used(model.nearer, distance[near])
    return out


def path_loss(name: str, paths: Paths, frequency_mhz: Number, tx_height_m: Number,
              rx_height_m: Number, medium: Medium | None = None) -> NDArray[np.float64]:
    """Return the basic transmission loss by the model called `name`, (paths,) dB.

    Where a path is shorter than the model allows, the model that it declares
    takes over (see `models_used`).  Everything else out of range, and every
    profile with an unknown height, gives NaN; `Model.out_of_range` says which
    argument was to blame.

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
    model_of(name)
    air, distance = Medium() if medium is None else medium, paths.distance_m
    f, tx, rx = (spread(x, len(paths)) for x in (frequency_mhz, tx_height_m, rx_height_m))
    model = MODELS[name]
    if len(paths) and not (model.nearer and distance.min() < model.distance_m[0]):
        return np.where(model.in_range(distance, f, tx, rx),
                        model.function(paths, f, tx, rx, air), np.nan)
    used = models_used(name, distance)
    loss = np.full(len(paths), np.nan)
    for each in np.unique(used):
        model, mine = MODELS[str(each)], np.flatnonzero(used == each)
        if mine.size == len(paths):
            found = model.function(paths, f, tx, rx, air)
        else:
            found = model.function(_some(paths, mine), f[mine], tx[mine], rx[mine], air.of(mine))
        valid = model.in_range(distance[mine], f[mine], tx[mine], rx[mine])
        loss[mine[valid]] = found[valid]
    return loss


def _some(paths: Paths, which: NDArray[np.int64]) -> Paths:
    """Return the paths numbered `which`, packed anew."""
    counts = np.diff(paths.offsets)[which]
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    samples = np.repeat(paths.offsets[:-1][which] - offsets[:-1], counts) + np.arange(offsets[-1])
    return Paths(paths.along_m[samples], paths.heights_m[samples], offsets,
                 None if paths.clutter_m is None else paths.clutter_m[samples],
                 None if paths.zones is None else paths.zones[samples])
