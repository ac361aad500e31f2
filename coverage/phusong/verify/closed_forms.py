"""Checks of the formulas that need no terrain."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from phusong.radio.antenna import f1336_sector_db, tr36814_db, tr38901_element_db
from phusong.radio.budget import received_dbm, reference_offset_db
from phusong.radio.diffraction import knife_edge_loss
from phusong.radio.entry import entry_loss_db, wall_loss_db
from phusong.radio.hata import cost231_loss_db, hata_loss_db
from phusong.radio.rma import rma_los_loss_db, rma_nlos_loss_db
from phusong.radio.variability import inverse_normal, location_sigma_db
from phusong.verify.checks import Check, compare, read_vectors

__all__ = ["check_antenna", "check_entry", "check_hata", "check_link_budget", "check_numerics"]

EXACT_DB = 1e-9
"""Tolerance of a closed form."""

_BUILDINGS = {1: "traditional", 2: "thermally_efficient"}
_HATA = {"urban_small_medium": "urban_small", "urban_large": "urban_large",
         "suburban": "suburban", "open": "open"}


def check_hata(folder: Path) -> list[Check]:
    """Return the checks of Hata, COST 231-Hata and TR 38.901 RMa."""
    out = []
    if (folder / "okumura_hata.csv").is_file():
        (t,) = read_vectors(folder, "okumura_hata.csv")
        for name, rows in t.groupby("environment"):
            ours = hata_loss_db(rows.f_MHz, 1e3 * rows.d_km, rows.h_b_m, rows.h_m_m, _HATA[name])
            out.append(compare(f"hata/okumura_hata.csv hata {name}", ours, rows.L_dB, EXACT_DB))
    if (folder / "cost231_hata.csv").is_file():
        (t,) = read_vectors(folder, "cost231_hata.csv")
        for name, rows in t.groupby("environment"):
            where = "urban_large" if name == "metropolitan" else "suburban"
            ours = cost231_loss_db(rows.f_MHz, 1e3 * rows.d_km, rows.h_b_m, rows.h_m_m, where)
            out.append(compare(f"hata/cost231_hata.csv cost231 {name}", ours, rows.L_dB, EXACT_DB))
    if (folder / "tr38901_rma.csv").is_file():
        (t,) = read_vectors(folder, "tr38901_rma.csv")
        where4 = (1e3 * t.fc_GHz, t.d2D_m, t.h_BS_m, t.h_UT_m)
        los = rma_los_loss_db(*where4, building_height_m=t.h_bldg_m)
        nlos = rma_nlos_loss_db(*where4, building_height_m=t.h_bldg_m, street_width_m=t.W_m)
        out += [compare("hata/tr38901_rma.csv rma_los", los, t.PL_LOS_dB, EXACT_DB),
                compare("hata/tr38901_rma.csv rma_nlos", nlos, t.PL_NLOS_dB, EXACT_DB)]
    if (folder / "tr38901_rma_ns3_points.csv").is_file():
        (t,) = read_vectors(folder, "tr38901_rma_ns3_points.csv")
        where4 = (1e3 * t.fc_GHz, t.d2D_m, t.h_BS_m, t.h_UT_m)
        ours = np.where(t.los == 1, rma_los_loss_db(*where4), rma_nlos_loss_db(*where4))
        out.append(compare("hata/tr38901_rma_ns3_points.csv rma", ours, t.ns3_expected_PL_dB,
                           1e-4))
    return out


def check_antenna(folder: Path) -> list[Check]:
    """Return the checks of the antenna patterns.

    The peak pattern of F.1336-5 is compared only where the reference program
    follows the Recommendation: between 4 and 90/theta_3 beamwidths its slope C
    leaves out k_v, which breaks the pattern's continuity.
    """
    out = []
    if (folder / "tr36814_macro_3sector.csv").is_file():
        (t,) = read_vectors(folder, "tr36814_macro_3sector.csv")
        ours = tr36814_db(t.phi_deg, -t.theta_deg_below_horizon, t.etilt_deg,
                          horizontal_beamwidth_deg=t.phi3dB, vertical_beamwidth_deg=t.theta3dB)
        out.append(compare("antenna/tr36814_macro_3sector.csv tr36814", ours, t.A_3D_dB, EXACT_DB))
    if (folder / "tr38901_element.csv").is_file():
        (t,) = read_vectors(folder, "tr38901_element.csv")
        ours = tr38901_element_db(t.phi_deg, 90.0 - t.theta_zenith_deg)
        out.append(compare("antenna/tr38901_element.csv tr38901_element", ours, t.A_3D_dB,
                           EXACT_DB))
    if (folder / "f1336_5_sectoral_pycraf.csv").is_file():
        (t,) = read_vectors(folder, "f1336_5_sectoral_pycraf.csv")
        peak, mean = t["G_peak_rec3.1.1_dBi"], t["G_avg_rec3.1.2_dBi"]
        gains = [f1336_sector_db(t.azim_deg, t.elev_deg, t.tilt_el_deg, gain_dbi=t.G0_dBi,
                                 horizontal_beamwidth_deg=t.phi3dB_deg, average=average,
                                 vertical_beamwidth_deg=t.theta3dB_deg,
                                 mechanical_tilt_deg=t.tilt_mech_deg) for average in (False, True)]
        widths = (t.elev_deg.abs() + t.tilt_mech_deg + t.tilt_el_deg) / t.theta3dB_deg
        out += [compare("antenna/f1336_5_sectoral_pycraf.csv f1336 peak (3.1.1), main lobe",
                        gains[0] + t.G0_dBi, peak.where(widths < 4.0), EXACT_DB),
                compare("antenna/f1336_5_sectoral_pycraf.csv f1336 average (3.1.2)",
                        gains[1] + t.G0_dBi, mean, EXACT_DB)]
    return out


def check_entry(folder: Path) -> list[Check]:
    """Return the checks of building entry loss."""
    out = []
    for file, tolerance in (("p2109_bel.csv", EXACT_DB),
                            ("p2109_crc_validation_subset.csv", 1e-8)):
        if (folder / file).is_file():
            (t,) = read_vectors(folder, file)
            t.columns = ["f_ghz", "percent", "building", "elevation", "loss"]
            for code, rows in t.groupby("building"):
                ours = entry_loss_db(1e3 * rows.f_ghz, 1e-2 * rows.percent,
                                     building=_BUILDINGS[code], elevation_deg=rows.elevation)
                out.append(compare(f"clutter_bel/{file} p2109 {_BUILDINGS[code]}", ours, rows.loss,
                                   tolerance))
    if (folder / "tr38901_o2i_tw.csv").is_file():
        (t,) = read_vectors(folder, "tr38901_o2i_tw.csv")
        out += [compare(f"clutter_bel/tr38901_o2i_tw.csv tr38901 {kind} loss",
                        wall_loss_db(1e3 * t.fc_GHz, kind), t[f"PL_tw_{kind}_dB"], EXACT_DB)
                for kind in ("low", "high")]
    return out


def check_numerics(folder: Path) -> list[Check]:
    """Return the checks of knife edge, inverse normal and location variability."""
    out = []
    if (folder / "p526_knife_edge.csv").is_file():
        (t,) = read_vectors(folder, "p526_knife_edge.csv")
        ours = [knife_edge_loss(nu) for nu in t.nu]
        out.append(compare("numerics/p526_knife_edge.csv J(nu)", ours,
                           t["J_approx_eq31_dB(0 for nu<=-0.78)"], EXACT_DB))
    if (folder / "inv_cum_norm.csv").is_file():
        (t,) = read_vectors(folder, "inv_cum_norm.csv")
        out.append(compare("numerics/inv_cum_norm.csv I(x)", [inverse_normal(x) for x in t.x],
                           t.I_p1812_att2, 1e-8))
    if (folder / "p1812_location_variability.csv").is_file():
        (t,) = read_vectors(folder, "p1812_location_variability.csv")
        sigma = location_sigma_db(1e3 * t.f_GHz, t.wa_m, t.h_rx_m, t.R_clutter_m)
        out.append(compare("numerics/p1812_location_variability.csv sigma", sigma, t.sigma_loc_dB,
                           EXACT_DB))
    return out


def check_link_budget(folder: Path) -> list[Check]:
    """Return the checks of reference-signal power and received level."""
    out = []
    if (folder / "rs_epre.csv").is_file():
        (t,) = read_vectors(folder, "rs_epre.csv")
        ours = [10.0 * np.log10(1e3 * watt) - reference_offset_db(
            "LTE", mhz, reference_boost_db=10.0 * np.log10(1.0 + boost))
            for watt, mhz, boost in zip(t.P_port_W, t.bandwidth_MHz, t.P_B, strict=True)]
        out.append(compare("link_budget/rs_epre.csv reference-signal power", ours, t.RS_EPRE_dBm,
                           EXACT_DB))
    if (folder / "rsrp_examples.csv").is_file():
        (t,) = read_vectors(folder, "rsrp_examples.csv")
        gain = t.filter(like="G_ant_dBi").iloc[:, 0]
        at_antenna = received_dbm(t.RS_EPRE_dBm + gain - t.feeder_dB, 0.0, t.Lb_dB, 0.0)
        ours = at_antenna - t.BEL_dB - t.body_dB + t.G_ue_dBi
        out.append(compare("link_budget/rsrp_examples.csv received level", ours, t.RSRP_dBm, 1e-6))
    return out
