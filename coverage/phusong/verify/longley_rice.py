"""Checks of the Irregular Terrain Model."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from phusong.errors import InputError
from phusong.paths import Paths, pack
from phusong.radio.itm import itm
from phusong.radio.medium import Medium
from phusong.verify.checks import Check, compare, read_vectors

__all__ = ["check_itm"]

RECOMPUTED_DB, PUBLISHED_DB = 1e-3, 0.05
"""Tolerances against values with all digits and against printed ones."""


def _profiles(file: Path) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Return distances and heights of each row (intervals, spacing, heights ...)."""
    out = []
    try:
        with file.open(newline="", encoding="utf-8") as lines:
            for row in csv.reader(lines):
                values = np.array([float(v) for v in row if v])
                count = int(values[0]) + 1
                out.append((np.arange(count) * values[1], values[2:2 + count]))
    except (OSError, ValueError, IndexError) as error:
        raise InputError(f"{file} cannot be read as terrain profiles (number of intervals, "
                         f"spacing, heights): {error}.") from error
    return out


def _loss(rows: pd.DataFrame, names: dict[str, str], profiles: list[Paths]) -> list[float]:
    """Return our loss of each row; `names` says which column holds what."""
    out = []
    for row, paths in zip(rows.to_dict("records"), profiles, strict=True):
        value = {key: row[column] for key, column in names.items()}
        medium = Medium(
            n0=float(value["n0"]), climate=int(value["climate"]),
            variability_mode=int(value["mdvar"]), time_percent=float(value["time"]),
            location_percent=float(value.get("location", 50.0)),
            situation_percent=float(value["situation"]),
            permittivity=float(value["eps"]), conductivity_s_per_m=float(value["sigma"]),
            polarisation="vertical" if int(value["pol"]) == 1 else "horizontal")
        out.append(float(itm(paths, float(value["f"]), float(value["tx"]), float(value["rx"]),
                             medium)[0]))
    return out


_NTIA = {"tx": "h_tx__meter", "rx": "h_rx__meter", "f": "f__mhz", "n0": "N_0", "pol": "pol",
         "climate": "climate", "mdvar": "mdvar", "time": "time", "location": "location",
         "situation": "situation", "eps": "epsilon", "sigma": "sigma"}
_INREGIME = {"tx": "h_tx_m", "rx": "h_rx_m", "f": "f_MHz", "n0": "N_0", "pol": "pol(0=H;1=V)",
             "climate": "climate", "mdvar": "mdvar", "time": "time", "location": "location",
             "situation": "situation", "eps": "eps", "sigma": "sigma"}
_QKPFL = {"tx": "h_tx_m", "rx": "h_rx_m", "f": "f_MHz", "n0": "N0_equivalent", "pol": "pol",
          "climate": "climate", "mdvar": "mdvar", "time": "reliability_pct",
          "situation": "confidence_pct", "eps": "eps", "sigma": "sigma"}


def _check_inregime(folder: Path) -> list[Check]:
    beside = folder.parent / "p1812"
    if not ((folder / "inregime_p2p.csv").is_file()
            and (beside / "inregime_profiles.csv").is_file()):
        return []
    (rows,) = read_vectors(folder, "inregime_p2p.csv")
    (profiles,) = read_vectors(beside, "inregime_profiles.csv")
    one = dict(iter(profiles.groupby("profile")))
    names = rows[next(c for c in rows.columns if c.startswith("profile"))]
    rows, names = rows[names.isin(list(one))], names[names.isin(list(one))]
    paths = [pack([1e3 * one[name]["d_km"].to_numpy()], [one[name]["h_m"].to_numpy()])
             for name in names]
    return [compare("itm/inregime_p2p.csv itm", _loss(rows, _INREGIME, paths), rows["A_dB"],
                    RECOMPUTED_DB)]


def _check_command_example(folder: Path) -> list[Check]:
    """Return the check of NTIA's command-line example, whose figures have one decimal."""
    name, profile = "ntia_cmd_example_p2p_cr.csv", "ntia_cmd_example_pfl.csv"
    if not ((folder / name).is_file() and (folder / profile).is_file()):
        return []
    (rows,) = read_vectors(folder, name)
    ((d, h),) = _profiles(folder / profile)
    ours = [itm(pack([d], [h]), 3500.0, 15.0, 3.0,
                Medium(n0=301.0, climate=5, variability_mode=1, time_percent=float(reliability),
                       situation_percent=float(confidence)))[0]
            for reliability, confidence in zip(rows.reliability, rows.confidence, strict=True)]
    return [compare(f"itm/{name} itm", ours, rows.computed_here_dB, RECOMPUTED_DB),
            compare(f"itm/{name} itm published", ours, rows.expected_dB_1dp, PUBLISHED_DB)]


def check_itm(folder: Path) -> list[Check]:
    """Return the checks of Longley-Rice against NTIA's version 1.4 and published values."""
    out = []
    if (folder / "ntia_pfls.csv").is_file():
        paths = [pack([d], [h]) for d, h in _profiles(folder / "ntia_pfls.csv")]
        if (folder / "ntia_p2p_recomputed.csv").is_file():
            (rows,) = read_vectors(folder, "ntia_p2p_recomputed.csv")
            ours = _loss(rows, _NTIA, [paths[int(i)] for i in rows["pfl_row"]])
            out += [compare("itm/ntia_p2p_recomputed.csv itm", ours, rows["A_dB_itm_v1.4_here"],
                            RECOMPUTED_DB),
                    compare("itm/ntia_p2p.csv itm", ours, rows["A__db"], PUBLISHED_DB)]
    out += _check_inregime(folder) + _check_command_example(folder)
    if (folder / "qkpfl_cases.csv").is_file() and (folder / "qkpfl_profile_pfl.csv").is_file():
        (rows,) = read_vectors(folder, "qkpfl_cases.csv")
        ((d, h),) = _profiles(folder / "qkpfl_profile_pfl.csv")
        ours = _loss(rows, _QKPFL, [pack([d], [h])] * len(rows))
        out += [compare("itm/qkpfl_cases.csv itm", ours, rows["computed_here_itm_v1.4_dB"],
                        RECOMPUTED_DB),
                compare("itm/qkpfl_cases.csv itm published", ours, rows["expected_dB_1dp"],
                        PUBLISHED_DB)]
    return out
