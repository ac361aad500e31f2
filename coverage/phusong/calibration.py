"""Calibration: what measurements say about a model's offset and its scatter.

Measurements of one drive or of one mast are not independent of each other.
Everything here therefore counts *groups*: folds of the cross-validation are
made of whole groups, the bootstrap draws whole groups, and too few groups are
refused however many rows they hold.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from phusong.errors import InputError
from phusong.geo import transform
from phusong.links_scene import Scene
from phusong.radio import MODELS
from phusong.radio.bands import band_of
from phusong.radio.budget import Radio
from phusong.service import Need
from phusong.surroundings import Raster
from phusong.tables import MEASUREMENTS, SITES, check
from phusong.terrain import Terrain

__all__ = ["MINIMUM_GROUPS", "MINIMUM_ROWS", "Calibration", "calibrate", "fit_groups",
           "groups_of_rows"]

MINIMUM_ROWS = 50
"""Fewer measurements than that fit nothing."""

MINIMUM_GROUPS = 6
"""Fewer independent groups (drives, walks, masts) than that fit nothing."""

CONFIDENCE = 0.95
DRAWS = 2000

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

FIGURES = ("offset_db", "offset_low_db", "offset_high_db", "sigma_db", "sigma_low_db",
           "sigma_high_db", "between_groups_db", "validated_error_db", "uncalibrated_error_db",
           "validated_share")


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """What the measurements say, band by band, and how few they are.

    Parameters
    ----------
    table : DataFrame
        Indexed by (``band_mhz``, ``land_cover``; empty = all).
        ``measurements``, ``cells``, ``sites``, ``groups``: how many.
        ``offset_db``: to be added to modelled levels; ``sigma_db``: scatter of
        one measurement round the corrected model, of which
        ``between_groups_db`` is common to a group; both with the ends of a
        95 % interval.  ``validated_error_db``: RMS error on groups that the
        fit had not seen, ``uncalibrated_error_db``: the same with no
        offset, ``validated_share``: share of unseen measurements above the
        level that 90 % should exceed.  NaN and a reason in ``refused`` where
        there are too few.
    residuals : DataFrame
        Aligned to the measurements: ``modelled_dbm``, ``residual_db``
        (measured less modelled), ``band_mhz``, ``land_cover``, ``group``,
        ``fold`` (-1 = not used), ``unused_because``.
    model : str
        The model and profile step that were calibrated; the result holds for no other.
    notes : tuple of str
        What a reader must know before using the figures.
    """

    table: pd.DataFrame
    residuals: pd.DataFrame
    model: str
    notes: tuple[str, ...]

    @property
    def bands(self) -> pd.DataFrame:
        """The rows of `table` that were fitted for whole bands, indexed by ``band_mhz``."""
        whole = self.table.xs("", level="land_cover")
        return whole[whole["refused"] == ""]

    @property
    def sigma_model_db(self) -> float:
        """The largest scatter of all fitted bands, dB: on the safe side where they differ."""
        return float(self.bands["sigma_db"].max())

    def radio(self, radio: Radio) -> Radio:
        """Return `radio` with the offsets of the fitted bands in `calibration_db`."""
        offsets = {int(band): round(float(value), 2)
                   for band, value in self.bands["offset_db"].items()}
        return Radio.model_validate({**dict(radio), "calibration_db": offsets})

    def need(self, need: Need) -> Need:
        """Return `need` with the scatter that was found; what was measured holds all of it."""
        return Need.model_validate({**dict(need), "pixel_width_m": 0.0,
                                    "sigma_model_db": round(self.sigma_model_db, 2)})

    def study_text(self, definition: str = "data") -> str:
        """Return the lines that put the result into a study file."""
        radio = self.radio(Radio())
        offsets = ", ".join(f"{band}: {value:g}" for band, value in radio.calibration_db.items())
        said = "".join(f"# {line}\n" for line in (self.model, *self.notes))
        return (f"{said}radio: {{calibration_db: {{{offsets}}}}}\n"
                f"definitions: {{{definition}: {{sigma_model_db: {self.sigma_model_db:.2f}, "
                "pixel_width_m: 0}}\n")

    def __repr__(self) -> str:
        lines = [f"Calibration of {self.model}"]
        for (band, cover), row in self.table.iterrows():
            where = f"{band} MHz{f', land cover {cover}' if cover else ''}"
            of = (f"{row['measurements']} measurements, {row['cells']} cells of {row['sites']} "
                  f"sites, {row['groups']} independent groups")
            if row["refused"]:
                lines.append(f"  {where}: not fitted ({row['refused']}); {of}")
                continue
            lines.append(
                f"  {where}: offset {row['offset_db']:+.1f} dB ({row['offset_low_db']:+.1f} to "
                f"{row['offset_high_db']:+.1f}), sigma {row['sigma_db']:.1f} dB "
                f"({row['sigma_low_db']:.1f} to {row['sigma_high_db']:.1f}); on unseen groups "
                f"{row['validated_error_db']:.1f} dB, without offset "
                f"{row['uncalibrated_error_db']:.1f} dB; {of}")
        return "\n".join([*lines, *(f"  Note: {note}" for note in self.notes)])

    def _repr_html_(self) -> str:
        notes = "".join(f"<li>{escape(note)}</li>" for note in self.notes)
        return f"<b>{escape(self.model)}</b>{self.table.to_html(escape=True)}<ul>{notes}</ul>"


def calibrate(measurements: gpd.GeoDataFrame, sites: gpd.GeoDataFrame, terrain: Terrain | None,
              radio: Radio, *, land_cover: Raster | None = None, folds: int = 5, seed: int = 0,
              device_db: float = 0.0) -> Calibration:
    """Fit offset and scatter of a model to measured levels, for each band.

    Parameters
    ----------
    measurements : GeoDataFrame
        MEASUREMENTS, in the working CRS.  A row belongs to its ``group``;
        where that is empty, to the site of its cell.
    sites : GeoDataFrame
        SITES that hold the measured cells.
    terrain : Terrain or None
        The ground; None serves models that need none.
    radio : Radio
        The model to calibrate; its own `calibration_db` is left out.
    land_cover : Raster, optional
        Classes; fits each class of each band as well, by the class at the receiver.
    folds : int
        Parts of the cross-validation, each of whole groups.
    seed : int
        Of the deal of groups into folds, and of the bootstrap.
    device_db : float
        What the measuring device adds to the level at an isotropic outdoor
        antenna: its gain less body loss.

    Raises
    ------
    InputError
        If the tables are not as declared; if no measured cell is among the
        sites; if nowhere there are `MINIMUM_ROWS` measurements in
        `MINIMUM_GROUPS` groups.
    """
    check(measurements, MEASUREMENTS)
    check(sites, SITES)
    if folds < 2:
        raise InputError(f"folds = {folds}: cross-validation needs at least 2.")
    plain = radio.model_copy(update={"calibration_db": {}})
    rows = _residuals(measurements, sites, terrain, plain, device_db)
    rows["land_cover"] = "" if land_cover is None else _classes(measurements, land_cover)
    used = rows[rows["unused_because"] == ""]
    if not len(used):
        raise InputError(f"None of the {len(rows)} measurements can be compared with the model: "
                         f"{_said(rows['unused_because'])}.")
    rows["fold"] = -1
    found: dict[tuple[int, str], dict[str, object]] = {}
    for band, mine in used.groupby("band_mhz", sort=True):
        covers = [] if land_cover is None else sorted(set(mine["land_cover"]) - {""})
        for cover in ("", *covers):
            part = mine[mine["land_cover"] == cover] if cover else mine
            row, fold = _stratum(part, folds, seed)
            found[int(band), cover] = row
            if not cover:
                rows.loc[part.index, "fold"] = fold
    index = pd.MultiIndex.from_tuples(list(found), names=["band_mhz", "land_cover"])
    table = pd.DataFrame(list(found.values()), index=index)
    if not (table.xs("", level="land_cover")["refused"] == "").any():
        raise InputError("The measurements are too few to calibrate a model: " + "; ".join(
            f"{band} MHz: {row['refused']}"
            for band, row in table.xs("", level="land_cover").iterrows()) + ". Measure along more "
            "roads and round more masts; until then the default scatter stands.")
    title = (f"{MODELS[radio.model].title} ({radio.model}), profile step "
             f"{radio.profile_step_m:g} m")
    columns = ["modelled_dbm", "residual_db", "band_mhz", "land_cover", "group", "fold",
               "unused_because"]
    return Calibration(table, rows[columns], title, _notes(rows, table, sites, terrain, radio))


def _residuals(measurements: gpd.GeoDataFrame, sites: gpd.GeoDataFrame, terrain: Terrain | None,
               radio: Radio, device_db: float) -> pd.DataFrame:
    """Return measured less modelled levels, aligned to the measurements."""
    place = measurements.geometry
    at = sites.index.get_indexer(pd.Index(measurements["cell_id"], dtype=sites.index.dtype))
    lost = np.asarray(place.isna() | place.is_empty, bool)
    why = np.where(lost, "no_location", np.where(at < 0, "cell_not_among_sites", ""))
    rows = np.flatnonzero(why == "")
    if not rows.size:
        heard = ", ".join(sorted(set(measurements["cell_id"]))[:5])
        raise InputError(f"None of the {len(measurements)} measurements is of a cell in the list "
                         f"of sites (measured: {heard} ...; sites: "
                         f"{', '.join(map(str, sites.index[:5]))} ...). Without the positions of "
                         f"the masts nothing can be calibrated: add them to the sites.")
    cells, cell = np.unique(at[rows], return_inverse=True)
    scene = Scene.of(measurements.iloc[rows], sites.iloc[cells], terrain, radio)
    point = np.arange(rows.size)
    aim = scene.aim(point, cell)
    loss = scene.losses(point, cell, aim.distance_m)
    modelled = np.full(len(measurements), np.nan)
    modelled[rows] = scene.received(cell, aim.pattern_db, loss) + device_db
    no_ground = MODELS[radio.model].needs_terrain and (
        terrain is None or np.isnan(scene.clearances(point, cell, aim.distance_m)))
    why[rows] = np.where(np.isfinite(loss), "",
                         np.where(no_ground, "no_elevation", "out_of_model_range"))
    site, band = np.full(len(measurements), "", object), np.zeros(len(measurements), np.int64)
    site[rows] = sites["site_id"].astype(str).to_numpy(object)[at[rows]]
    band[rows] = band_of(sites["frequency_mhz"].to_numpy(float)[at[rows]])
    group = groups_of_rows(measurements, site)
    measured = measurements["rsrp_dbm"].to_numpy(float)
    return pd.DataFrame({"modelled_dbm": modelled, "residual_db": measured - modelled,
                         "band_mhz": band, "group": group, "site_id": site,
                         "cell_id": measurements["cell_id"].to_numpy(object),
                         "unused_because": why}, index=measurements.index)


def groups_of_rows(measurements: pd.DataFrame, site: NDArray[np.object_]) -> NDArray[np.object_]:
    """Return the group of each measurement: its drive, or the site of its cell.

    Raises
    ------
    InputError
        If every row is a group of its own: then rows that belong together
        would be told apart.
    """
    said = measurements["group"].fillna("").astype(str).to_numpy(object) \
        if "group" in measurements else np.full(len(measurements), "", object)
    group = np.where(said != "", said, np.array([f"site {name}" for name in site], object))
    if len(group) >= MINIMUM_GROUPS and len(set(group)) == len(group):
        raise InputError(f"Each of the {len(group)} measurements is a group of its own. A group "
                         f"is a drive, a walk or a mast: give rows that were measured together "
                         f"the same one, or leave the column empty.")
    return group


def _stratum(rows: pd.DataFrame, folds: int, seed: int) -> tuple[dict[str, object], Ints]:
    """Return one row of the table, and the fold of each measurement."""
    names, group = np.unique(rows["group"].astype(str), return_inverse=True)
    about: dict[str, object] = {
        "measurements": len(rows), "cells": rows["cell_id"].nunique(),
        "sites": rows["site_id"].nunique(), "groups": len(names)}
    short = [f"{count} {what}, at least {least} are needed" for count, what, least in (
        (len(rows), "measurements", MINIMUM_ROWS),
        (len(names), "independent groups", MINIMUM_GROUPS)) if count < least]
    if short:
        nothing = dict.fromkeys(FIGURES, math.nan)
        return {**about, **nothing, "refused": "; ".join(short)}, np.full(len(rows), -1)
    # the deal must not depend on the order of rows: groups are sorted by name
    order = np.lexsort((rows["residual_db"].to_numpy(float), group))
    figures, deal = fit_groups(rows["residual_db"].to_numpy(float)[order], group[order],
                               folds=folds, seed=seed)
    return {**about, **figures, "refused": ""}, deal[group]


def fit_groups(residual_db: Floats, group: Ints, *, folds: int = 5,
               seed: int = 0) -> tuple[dict[str, float], Ints]:
    """Fit ``residual = offset + group + rest`` and validate it on unseen groups.

    Parameters
    ----------
    residual_db : (n,) float64
        Measured less modelled.
    group : (n,) int64
        Group of each, 0 ... groups - 1, none empty.
    folds : int
        Parts of the cross-validation; at most as many as there are groups.
    seed : int
        Of the deal and of the bootstrap.

    Returns
    -------
    figures : dict
        The columns of `Calibration.table` named in `FIGURES`.
    fold : (groups,) int64
        Which part each group was dealt to.

    Notes
    -----
    Variances by the method of moments (one-way random effects, DerSimonian
    and Laird 1986); a group weighs ``1 / (between^2 + within^2 / n)``.
    Intervals are percentiles of a bootstrap that draws whole groups, widened
    for few groups as in Hesterberg, The American Statistician 69 (2015),
    section 5.3 (expanded percentile interval).
    """
    count = int(group.max()) + 1
    n = np.bincount(group, minlength=count).astype(float)
    mean = np.bincount(group, residual_db, count) / n
    square = np.bincount(group, (residual_db - mean[group]) ** 2, count).astype(float)
    offset, sigma, between = (v[0] for v in _moments(n[None], mean[None], square[None]))
    rng = np.random.default_rng(seed)
    fold = rng.permutation(count) % min(folds, count)
    error, plain, above = np.zeros(count), np.zeros(count), np.zeros(count)
    for k in range(int(fold.max()) + 1):
        seen, unseen = fold != k, np.flatnonzero(fold == k)
        here, scatter, _ = (v[0] for v in _moments(n[None, seen], mean[None, seen],
                                                   square[None, seen]))
        error[unseen] = square[unseen] / n[unseen] + (mean[unseen] - here) ** 2
        plain[unseen] = square[unseen] / n[unseen] + mean[unseen] ** 2
        over = residual_db >= here - stats.norm.ppf(0.9) * scatter
        above[unseen] = (np.bincount(group, over, count) / n)[unseen]
    drawn = rng.integers(0, count, (DRAWS, count))
    offsets, sigmas, _ = _moments(n[drawn], mean[drawn], square[drawn])
    # expanded percentiles: t quantile, and the n - 1 that a bootstrap forgets
    tail = stats.norm.cdf(stats.t.ppf((1.0 - CONFIDENCE) / 2.0, count - 1)
                          * math.sqrt(count / (count - 1)))
    low, high = np.quantile(offsets, [tail, 1.0 - tail])
    thin, wide = np.quantile(sigmas, [tail, 1.0 - tail])
    figures = (offset, low, high, sigma, thin, wide, between, math.sqrt(error.mean()),
               math.sqrt(plain.mean()), above.mean())
    return {name: float(value) for name, value in zip(FIGURES, figures, strict=True)}, fold


def _moments(n: Floats, mean: Floats, square: Floats) -> tuple[Floats, Floats, Floats]:
    """Return (offset, sigma, between), (draws,) each, from (draws, groups) counts, means, squares.

    Group means scatter by ``between^2 + within^2 / n``.
    """
    within = square.sum(axis=1) / np.maximum(n.sum(axis=1) - n.shape[1], 1.0)
    between = np.maximum(mean.var(axis=1, ddof=1) - (within[:, None] / n).mean(axis=1), 0.0)
    weight = 1.0 / np.maximum(between[:, None] + within[:, None] / n, 1e-12)
    offset = (weight * mean).sum(axis=1) / weight.sum(axis=1)
    return offset, np.sqrt(within + between), np.sqrt(between)


def _classes(measurements: gpd.GeoDataFrame, land_cover: Raster) -> NDArray[np.object_]:
    """Return the class under each measurement as text; empty where it is not known."""
    x, y = transform(measurements.geometry.x, measurements.geometry.y, measurements.crs,
                     land_cover.crs)
    a, b, c, d, e, f = tuple(~land_cover.transform)[:6]
    column, row = np.floor(a * x + b * y + c), np.floor(d * x + e * y + f)
    rows, columns = land_cover.values.shape
    inside = (column >= 0) & (row >= 0) & (column < columns) & (row < rows)
    values = np.full(len(measurements), np.nan)
    values[inside] = land_cover.values[row[inside].astype(int), column[inside].astype(int)]
    return np.array([f"{value:g}" if np.isfinite(value) else "" for value in values], object)


def _said(reasons: pd.Series) -> str:
    counts = reasons[reasons != ""].value_counts()
    return ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items())


def _notes(rows: pd.DataFrame, table: pd.DataFrame, sites: pd.DataFrame, terrain: Terrain | None,
           radio: Radio) -> tuple[str, ...]:
    """Return what a reader must know before using the figures."""
    used = rows[rows["unused_because"] == ""]
    notes = []
    if len(used) < len(rows):
        notes.append(f"{len(rows) - len(used)} of {len(rows)} measurements were not used "
                     f"({_said(rows['unused_because'])})")
    count = used["site_id"].nunique()
    if count < MINIMUM_GROUPS:
        notes.append(f"all measurements are of {count} site{'s' if count > 1 else ''}: the offset "
                     f"holds the error in the power and height of "
                     f"{'those masts' if count > 1 else 'that mast'} and cannot be carried to "
                     f"others")
    if terrain is None or not MODELS[radio.model].needs_terrain:
        notes.append("the model looked at no terrain: this says nothing about hills")
    cells = sites.loc[sites.index.isin(used["cell_id"])]
    if "assumed" in cells and cells["assumed"].fillna("").str.contains("eirp|height|azimuth").any():
        notes.append("power, height or azimuth of measured cells were assumed; the offset holds "
                     "that error too")
    notes.append("a phone logs the cells it hears: where levels come near the least it can hear, "
                 "the offset is too high")
    refused = int((table["refused"] != "").sum())
    if refused:
        notes.append(f"{refused} strata have too few measurements and were not fitted")
    return tuple(notes)
