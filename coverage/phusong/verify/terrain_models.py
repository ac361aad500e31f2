"""Checks of the models that look at a terrain profile."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from phusong.paths import COASTAL, INLAND, SEA, Paths, pack
from phusong.radio.medium import Medium
from phusong.radio.p526 import DIFFRACTION_COLUMNS, diffraction
from phusong.radio.p1812 import intermediates
from phusong.verify.checks import Check, compare, read_vectors

__all__ = ["check_delta_bullington", "check_p452", "check_p1812"]

P1812_DB = 1e-6
"""Tolerance of P.1812 and of what P.452 shares with it."""

_QUANTITIES = {"Ld50": "ld50_db", "Ldb": "ldb_db", "Ldp": "ldp_db", "Lba": "lba_db",
               "Lbs": "lbs_db", "Lbc": "lbc_db"}
_LIGHT_P1812_M_PER_S = 2.998e8


def middle_latitude_deg(tx_lat: pd.Series, tx_lon: pd.Series, rx_lat: pd.Series,
                        rx_lon: pd.Series, path_km: pd.Series) -> NDArray[np.float64]:
    """Return the latitude half-way along a path of given length (P.2001 Attachment H)."""
    a, b = np.radians(tx_lat), np.radians(rx_lat)
    turn = np.radians(rx_lon - tx_lon)
    bearing = np.arctan2(np.sin(turn) * np.cos(b),
                         np.cos(a) * np.sin(b) - np.sin(a) * np.cos(b) * np.cos(turn))
    half = 0.5 * path_km / 6371.0
    return np.asarray(np.degrees(np.arcsin(np.sin(a) * np.cos(half)
                                           + np.cos(a) * np.sin(half) * np.cos(bearing))))


def _packed_cases(cases: pd.DataFrame, profiles: pd.DataFrame) -> Paths:
    one = dict(iter(profiles.groupby("profile")))
    rows = [one[name] for name in cases["profile"]]
    return pack([1e3 * r["d_km"].to_numpy() for r in rows], [r["h_m"].to_numpy() for r in rows],
                [r["clutter_height_R_m"].to_numpy() for r in rows],
                [r["radio_met_zone"].to_numpy() for r in rows])


def _either(horizontal: NDArray[np.bool_], paths: Paths, f: NDArray[np.float64],
            tx: NDArray[np.float64], rx: NDArray[np.float64],
            medium: Medium) -> dict[str, NDArray[np.float64]]:
    """Return `intermediates`, each case with its own polarisation."""
    flat = intermediates(paths, f, tx, rx, replace(medium, polarisation="horizontal"))
    up = intermediates(paths, f, tx, rx, replace(medium, polarisation="vertical"))
    return {name: np.where(horizontal, flat[name], up[name]) for name in up}


def _p1812_set(folder: Path, prefix: str) -> tuple[pd.DataFrame, dict[str, NDArray[np.float64]]]:
    cases, profiles, meta = read_vectors(folder, f"{prefix}cases.csv", f"{prefix}profiles.csv",
                                         f"{prefix}profiles_meta.csv")
    ends = meta.set_index("profile").loc[cases["profile"]].reset_index()
    polarisation = cases[next(c for c in cases.columns if c.startswith("pol"))].to_numpy()
    sigma = cases[next(c for c in cases.columns if c.lower().startswith("sigma"))]
    medium = Medium(
        delta_n=ends.dN_Nunits_per_km.to_numpy(float), n0=ends.N0_Nunits.to_numpy(float),
        time_percent=cases.p_pct.to_numpy(float), location_percent=cases.pL_pct.to_numpy(float),
        location_sigma_db=sigma.to_numpy(float),
        latitude_deg=middle_latitude_deg(ends.tx_lat, ends.tx_lon, ends.rx_lat, ends.rx_lon,
                                         ends.path_km),
        coast_tx_km=cases.dct_km.to_numpy(float), coast_rx_km=cases.dcr_km.to_numpy(float))
    return cases, _either(polarisation == 1, _packed_cases(cases, profiles),
                          1e3 * cases.f_GHz.to_numpy(float), cases.htg_m.to_numpy(float),
                          cases.hrg_m.to_numpy(float), medium)


def check_p1812(folder: Path) -> list[Check]:
    """Return the checks of P.1812: official and in-regime cases, and intermediates."""
    out = []
    if (folder / "cases.csv").is_file():
        cases, ours = _p1812_set(folder, "")
        out.append(compare("p1812/cases.csv p1812 Lb", ours["lb_db"], cases.Lb_ref_dB, P1812_DB))
        if (folder / "intermediates.csv").is_file():
            (log,) = read_vectors(folder, "intermediates.csv")
            for quantity, name in _QUANTITIES.items():
                rows = log[log.quantity == f"{quantity} (dB)"].drop_duplicates("case_id")
                told = rows.set_index("case_id")["value_Py1812_P1812-8"].reindex(cases.case_id)
                out.append(compare(f"p1812/intermediates.csv p1812 {quantity}", ours[name],
                                   told.astype(float), P1812_DB))
    if (folder / "inregime_cases.csv").is_file():
        cases, ours = _p1812_set(folder, "inregime_")
        out.append(compare("p1812/inregime_cases.csv p1812 Lb", ours["lb_db"],
                           cases.Lb_py1812_dB, P1812_DB))
        if (folder / "inregime_intermediates.csv").is_file():
            (log,) = read_vectors(folder, "inregime_intermediates.csv")
            log = log.set_index("case_id").reindex(cases.case_id)
            for quantity, name in (_QUANTITIES | {"Ldbeta": "ldb_db"}).items():
                if f"{quantity}_dB" in log:
                    out.append(compare(f"p1812/inregime_intermediates.csv p1812 {quantity}",
                                       ours[name], log[f"{quantity}_dB"], P1812_DB))
    return out


def check_delta_bullington(folder: Path) -> list[Check]:
    """Return the checks against ITU's delta-Bullington sheet (which takes c = 3e8 m/s)."""
    if not (folder / "cases.csv").is_file():
        return []
    cases, profiles = read_vectors(folder, "cases.csv", "profiles.csv")
    one = dict(iter(profiles.groupby("path")))
    paths = pack([1e3 * one[k]["d_km"].to_numpy() for k in cases["path"]],
                 [one[k]["h_m"].to_numpy() for k in cases["path"]])
    terms = (cases.f_MHz.to_numpy(float), cases.htg_m.to_numpy(float), cases.hrg_m.to_numpy(float))
    both = [diffraction(paths, *terms, effective_radius_km=cases.ae_km.to_numpy(float),
                        vertical=vertical) for vertical in (True, False)]
    ours = np.where((cases.pol == "V").to_numpy()[:, None], both[0], both[1])
    columns = {"Ld": "loss_db", "Lb_actual": "actual_db", "Lb_smooth": "smooth_db",
               "Lsph": "spherical_db"}
    return [compare(f"delta_bullington/cases.csv p526 {name}",
                    ours[:, DIFFRACTION_COLUMNS.index(column)], cases[f"{name}_dB"], 0.01)
            for name, column in columns.items()]


_P452_ZONES = {1: COASTAL, 2: INLAND, 3: SEA}


def _p452_paths(file: Path, count: int) -> Paths:
    (rows,) = read_vectors(file.parent, file.name)
    d, h, cover, zone = (rows.iloc[:, i].to_numpy() for i in (0, 1, 2, 4))
    near = (d < 0.05 - 1e-9) | (d > d[-1] - 0.05 + 1e-9)
    cover = np.where(near, 0.0, cover)  # P.452-18 leaves out clutter within 50 m of an end
    zones = np.array([_P452_ZONES[int(z)] for z in zone], np.int8)
    return pack([1e3 * d.astype(float)] * count, [h.astype(float)] * count,
                [cover.astype(float)] * count, [zones] * count)


def check_p452(folder: Path) -> list[Check]:
    """Return the checks of what P.452-18 shares with P.1812: L_d50, L_dp and multipath."""
    results = sorted((folder / "v18" / "results").glob("test_result_*.csv"))
    ours: dict[str, list[NDArray[np.float64]]] = {"Ld50": [], "Ldp": [], "Lb0p - Lbfs": []}
    told: dict[str, list[NDArray[np.float64]]] = {"Ld50": [], "Ldp": [], "Lb0p - Lbfs": []}
    for file in results:
        profile = folder / "v18" / "profiles" / file.name.replace("result", "profile")
        if not profile.is_file():
            continue
        (t,) = read_vectors(file.parent, file.name)
        paths, horizontal = _p452_paths(profile, len(t)), (t["pol (1-h/2-v)"] == 1).to_numpy()
        f, tx, rx = (t[name].to_numpy(float) for name in ("f (GHz)", "htg (m)", "hrg (m)"))
        both = [diffraction(paths, 1e3 * f, tx, rx, vertical=vertical,
                            effective_radius_km=t["ae"].to_numpy(float),
                            speed_of_light_m_per_s=_LIGHT_P1812_M_PER_S)[:, 0]
                for vertical in (True, False)]
        ours["Ld50"].append(np.where(horizontal, both[1], both[0]))
        told["Ld50"].append(t["Ld50"].to_numpy(float))
        # a_e is printed with more digits than the lapse rate it comes from
        lapse = 157.0 - 157.0 * 6371.0 / t["ae"].to_numpy(float)
        medium = Medium(delta_n=lapse, n0=t["N0"].to_numpy(float),
                        time_percent=t["p (%)"].to_numpy(float), location_sigma_db=0.0,
                        latitude_deg=middle_latitude_deg(
                            t["phit_n (deg)"], t["phit_e (deg)"], t["phir_n (deg)"],
                            t["phir_e (deg)"], t["dtot"]))
        got = _either(horizontal, paths, 1e3 * f, tx, rx, medium)
        inside = np.isfinite(got["lb_db"])
        ours["Ldp"].append(got["ldp_db"])
        told["Ldp"].append(t["Ldp"].where(inside).to_numpy(float))
        ours["Lb0p - Lbfs"].append(got["lb0p_db"] - got["lbfs_db"])
        told["Lb0p - Lbfs"].append((t["Lb0p"] - t["Lbfsg"]).where(inside).to_numpy(float))
    return [compare(f"p452/v18 p1812 {name}", np.concatenate(ours[name]),
                    np.concatenate(told[name]), P1812_DB) for name in ours if ours[name]]
