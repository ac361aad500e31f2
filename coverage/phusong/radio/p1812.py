"""Path-specific terrestrial propagation (ITU-R P.1812-8, Annex 1).

Free space and multipath (4.2), delta-Bullington diffraction (4.3),
troposcatter (4.4), ducting and layer reflection (4.5), their blend (4.6) and
location variability (4.7), over terrain plus clutter (3.2), in all
radio-climatic zones.  One compiled kernel walks over packed paths.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from phusong.paths import Paths
from phusong.radio.compiled import compiled
from phusong.radio.diffraction import bullington_loss, delta_bullington
from phusong.radio.layer import ducting_loss, ducting_share_percent, land_term
from phusong.radio.medium import Medium, Number, spread
from phusong.radio.p526 import packed
from phusong.radio.profile import (
    extreme_slopes,
    largest_nu_in_sight,
    longest_run,
    obstructions,
    roughness,
    sea_share,
    smooth_surface,
    smooth_surface_for_diffraction,
    unpack,
)
from phusong.radio.troposcatter import troposcatter_loss
from phusong.radio.variability import inverse_normal, location_sigma_db

__all__ = ["INTERMEDIATES", "intermediates", "p1812"]

INTERMEDIATES = (
    "dlt_km", "dlr_km", "theta_t_mrad", "theta_r_mrad", "theta_mrad", "omega", "dtm_km", "dlm_km",
    "b0_pct", "ae_km", "hstd_m", "hsrd_m", "hte_m", "hre_m", "hm_m", "fi", "fj", "fk", "lbfs_db",
    "lb0p_db", "lb0b_db", "ld50_db", "ldb_db", "ldp_db", "lbd50_db", "lminb0p_db", "lba_db",
    "lminbap_db", "lbam_db", "lbs_db", "lbc_db", "sigma_location_db", "lb_db")
"""Names of what `intermediates` returns, in the symbols of the Recommendation.

Horizons (dlt, dlr, theta), sea fraction omega, longest land and inland runs,
beta_0, effective Earth radius, smooth-surface heights, effective antenna
heights, roughness, interpolation factors, and the losses: free space (lbfs),
with multipath for p and beta_0 (lb0p, lb0b), diffraction for 50 %, beta_0 and
p (ld50, ldb, ldp), ducting (lba), troposcatter (lbs), blends, and the basic
transmission loss lb.
"""

RADIUS_BETA_KM = 3.0 * 6371.0
"""Effective Earth radius exceeded for beta_0 percent of time (eq 6b)."""


@compiled
def _actual_loss(d, g, hts, hrs, curve, wavelength):
    """Return L_bulla over the profile `g` (4.3.1)."""
    slope_tx, slope_rx = extreme_slopes(d, g, hts, hrs, curve)
    nu = 0.0
    if slope_tx < (hrs - hts) / d[-1]:
        nu = largest_nu_in_sight(d, g, hts, hrs, curve, wavelength)[0]
    return bullington_loss(slope_tx, slope_rx, nu, hts, hrs, d[-1], wavelength)


@compiled
def _horizons(d, h, hts, hrs, radius, wavelength):
    """Return what the bare terrain says about horizons (Attachment 1, section 4).

    Returns theta_t, theta_r (mrad), sample numbers of the two horizons,
    h_obs, alpha_obt, alpha_obr, S_tim, S_rim, whether there is line of sight
    and nu_max.
    """
    total = d[-1]
    curve = 500.0 / radius
    up_t, first, up_r, last, height, slope_t, slope_r = obstructions(d, h, hts, hrs, curve)
    steep_t, steep_r = up_t + curve * total, up_r + curve * total
    straight = (hrs - hts) / total
    sight = not up_t > straight - curve * total
    nu = 0.0
    if sight:
        nu, first = largest_nu_in_sight(d, h, hts, hrs, curve, wavelength)
        last = first
        up_t, up_r = straight - curve * total, -straight - curve * total
    theta_t = 1000.0 * math.atan(0.001 * up_t)
    theta_r = 1000.0 * math.atan(0.001 * up_r)
    return theta_t, theta_r, first, last, height, slope_t, slope_r, steep_t, steep_r, sight, nu


@compiled
def _multipath(p, horizons_km):
    """Return E_s, the correction for multipath and focusing (eqs 9 and 10)."""
    return 2.6 * (1.0 - math.exp(-0.1 * horizons_km)) * math.log10(p / 50.0)


@compiled
def _time_share(p, beta0):
    """Return F_i, interpolation between 50 % and beta_0 % of time (eq 42)."""
    if p >= 50.0:
        return 0.0
    if p <= beta0:
        return 1.0
    return inverse_normal(0.01 * p) / inverse_normal(0.01 * beta0)


@compiled
def _blend(p, beta0, f_i, f_j, f_k, sea, lb0p, lb0b, ldp, lbd50, lba, lbs):
    """Return (L_minb0p, L_minbap, L_bam, L_bc): the combination of section 4.6.

    Eqs (59) to (66): diffraction, ducting and troposcatter give way to each
    other smoothly.
    """
    l_min = lb0p + (1.0 - sea) * ldp
    if p >= beta0:
        l_min = lbd50 + (lb0b + (1.0 - sea) * ldp - lbd50) * f_i
    # eta ln(exp(a/eta) + exp(b/eta)), written so that it cannot overflow
    high, low = max(lba, lb0p), min(lba, lb0p)
    l_duct = high + 2.5 * math.log(1.0 + math.exp((low - high) / 2.5))
    lbd = lb0p + ldp
    l_bda = lbd
    if l_duct <= lbd:
        l_bda = l_duct + (lbd - l_duct) * f_k
    l_bam = l_bda + (l_min - l_bda) * f_j
    high, low = max(lbs, l_bam), min(lbs, l_bam)
    return l_min, l_duct, l_bam, low - 5.0 * math.log10(1.0 + 10.0 ** (-0.2 * (high - low)))


@compiled
def _in_range(terms, total_km):
    """Tell whether all arguments lie in the declared range (section 1)."""
    return (0.03 <= terms[0] <= 6.0 and 1.0 <= terms[1] <= 3000.0 and 1.0 <= terms[2] <= 3000.0
            and terms[3] > 0.0 and 1.0 <= terms[5] <= 50.0 and 1.0 <= terms[6] <= 99.0
            and terms[7] >= 0.0 and 0.25 <= total_km <= 3000.0 and abs(terms[8]) <= 90.0)


@compiled
def _one_path(d, h, g, bare, zones, terms, vertical, detail):
    """Return L_b of one path; write the intermediates into `detail` unless empty.

    `terms`: f_ghz, htg, hrg, a_e, N_0, p, p_L, sigma, latitude, d_ct, d_cr.
    """
    f, radius, p = terms[0], terms[3], terms[5]
    total, wavelength = d[-1], 0.2998 / f
    hts, hrs = h[0] + terms[1], h[-1] + terms[2]
    (theta_t, theta_r, first, last, height, slope_t, slope_r, steep_t, steep_r, _,
     nu) = _horizons(d, h, hts, hrs, radius, wavelength)
    dlt, dlr = d[first], total - d[last]
    theta = 1000.0 * total / radius + theta_t + theta_r
    sea = sea_share(d, zones)
    dtm, dlm = longest_run(d, zones, 3), longest_run(d, zones, 4)
    tau = land_term(dlm)
    beta0 = ducting_share_percent(terms[8], dtm, tau)

    slant = math.sqrt(total ** 2 + (0.001 * (hts - hrs)) ** 2)
    lbfs = 92.4 + 20.0 * math.log10(f * slant)
    lb0p = lbfs + _multipath(p, dlt + dlr)
    lb0b = lbfs + _multipath(beta0, dlt + dlr)

    hst, hsr = smooth_surface(d, h)
    hstd, hsrd = smooth_surface_for_diffraction(hst, hsr, h[0], h[-1], height, slope_t, slope_r)
    if bare:
        actual = bullington_loss(steep_t, steep_r, nu, hts, hrs, total, wavelength)
    else:
        actual = _actual_loss(d, g, hts, hrs, 500.0 / radius, wavelength)
    ld50 = delta_bullington(actual, d, hts - hstd, hrs - hsrd, radius, f, wavelength, sea,
                            vertical)[0]
    f_i, ldb, ldp = _time_share(p, beta0), ld50, ld50
    if f_i > 0.0 or detail.shape[0] > 0:
        actual = _actual_loss(d, g, hts, hrs, 500.0 / RADIUS_BETA_KM, wavelength)
        ldb = delta_bullington(actual, d, hts - hstd, hrs - hsrd, RADIUS_BETA_KM, f, wavelength,
                               sea, vertical)[0]
        ldp = ld50 + f_i * (ldb - ld50)

    hst, hsr = min(hst, h[0]), min(hsr, h[-1])
    hm = roughness(d, h, hst, hsr, first, last)
    lba = ducting_loss(f, total, dlt, dlr, theta_t, theta_r, hts, hrs, hts - hst, hrs - hsr, hm,
                       radius, beta0, tau, sea, terms[9], terms[10], p)
    lbs = troposcatter_loss(f, total, theta, terms[4], p)
    f_j = 1.0 - 0.5 * (1.0 + math.tanh(2.4 * (theta - 0.3) / 0.3))
    f_k = 1.0 - 0.5 * (1.0 + math.tanh(1.5 * (total - 20.0) / 20.0))
    l_min, l_duct, l_bam, lbc = _blend(p, beta0, f_i, f_j, f_k, sea, lb0p, lb0b, ldp, lbfs + ld50,
                                       lba, lbs)
    loss = max(lb0p, lbc - inverse_normal(0.01 * terms[6]) * terms[7])
    if detail.shape[0] > 0:
        detail[:] = np.array((dlt, dlr, theta_t, theta_r, theta, sea, dtm, dlm, beta0, radius, hstd,
                              hsrd, hts - hst, hrs - hsr, hm, f_i, f_j, f_k, lbfs, lb0p, lb0b, ld50,
                              ldb, ldp, lbfs + ld50, l_min, lba, l_duct, l_bam, lbs, lbc,
                              terms[7], loss))
    return loss


@compiled
def _p1812_kernel(along_m, heights_m, clutter_m, zones, offsets, terms, vertical, loss, detail):
    """Fill `loss` (paths,), and `detail` (paths, 33) unless it is empty."""
    longest = 0
    for k in range(offsets.shape[0] - 1):
        longest = max(longest, offsets[k + 1] - offsets[k])
    d_all = np.empty(longest)
    g_all = np.empty(longest)
    bare = clutter_m.shape[0] == 0
    wanted = detail.shape[0] > 0
    nothing = np.empty(0)
    for k in range(offsets.shape[0] - 1):
        a, b = offsets[k], offsets[k + 1]
        d, g = d_all[:b - a], g_all[:b - a]
        row = detail[k] if wanted else nothing
        if (unpack(along_m, heights_m, clutter_m, a, b, d, g)
                and _in_range(terms[k], d[-1])):
            zone = zones[a:b] if zones.shape[0] > 0 else zones
            loss[k] = _one_path(d, heights_m[a:b], g, bare, zone, terms[k], vertical, row)
        else:
            loss[k] = np.nan
            row[:] = np.nan


def _terms(paths: Paths, frequency_mhz: Number, tx_height_m: Number, rx_height_m: Number,
           medium: Medium) -> NDArray[np.float64]:
    """Return the (paths, 11) scalars that the kernel reads."""
    n = len(paths)
    sigma = medium.location_sigma_db
    if sigma is None:
        at_receiver = (0.0 if paths.clutter_m is None else paths.clutter_m[paths.offsets[1:] - 1])
        sigma = location_sigma_db(frequency_mhz, medium.pixel_width_m, rx_height_m, at_receiver)
    columns = (1e-3 * spread(frequency_mhz, n), tx_height_m, rx_height_m,
               medium.effective_radius_km, medium.n0, medium.time_percent,
               medium.location_percent, sigma, medium.latitude_deg, medium.coast_tx_km,
               medium.coast_rx_km)
    return np.stack([spread(column, n) for column in columns], axis=1)


def _run(paths: Paths, terms: NDArray[np.float64], vertical: bool,
         detail: NDArray[np.float64]) -> NDArray[np.float64]:
    loss = np.empty(len(paths))
    _p1812_kernel(*packed(paths), terms, vertical, loss, detail)
    return loss


def p1812(paths: Paths, frequency_mhz: Number, tx_height_m: Number, rx_height_m: Number,
          medium: Medium) -> NDArray[np.float64]:
    """Return the basic transmission loss by ITU-R P.1812-8, (paths,) dB.

    Parameters
    ----------
    paths : Paths
        Terrain profiles.  Clutter heights are added between the ends (3.2.1);
        the clutter at the last sample surrounds the receiver and counts in
        location variability.
    frequency_mhz, tx_height_m, rx_height_m : Number
        30 to 6,000 MHz; 1 to 3,000 m above ground.
    medium : Medium
        `delta_n`, `n0`, `time_percent` (1 to 50), `location_percent` (1 to
        99), `pixel_width_m` or `location_sigma_db`, `polarisation`,
        `latitude_deg`, `coast_tx_km`, `coast_rx_km`.

    Returns
    -------
    (paths,) float64
        NaN where a height of the profile is unknown, the path is shorter than
        250 m or longer than 3,000 km, or another argument is out of range.

    Notes
    -----
    With clutter the loss depends on the spacing of the samples: keep it fixed.
    """
    terms = _terms(paths, frequency_mhz, tx_height_m, rx_height_m, medium)
    nothing = np.empty((0, len(INTERMEDIATES)))
    if medium.polarisation == "slant":
        return 0.5 * (_run(paths, terms, True, nothing) + _run(paths, terms, False, nothing))
    return _run(paths, terms, medium.polarisation == "vertical", nothing)


def intermediates(paths: Paths, frequency_mhz: Number, tx_height_m: Number, rx_height_m: Number,
                  medium: Medium) -> dict[str, NDArray[np.float64]]:
    """Return every intermediate of P.1812-8 by the names in `INTERMEDIATES`.

    Parameters are those of `p1812`.  With slant polarisation each value is the
    mean of the two polarisations.
    """
    terms = _terms(paths, frequency_mhz, tx_height_m, rx_height_m, medium)
    turns: dict[str, tuple[bool, ...]] = {"vertical": (True,), "horizontal": (False,),
                                          "slant": (True, False)}
    tables = []
    for vertical in turns[medium.polarisation]:
        detail = np.empty((len(paths), len(INTERMEDIATES)))
        _run(paths, terms, vertical, detail)
        tables.append(detail)
    mean = tables[0] if len(tables) == 1 else 0.5 * (tables[0] + tables[1])
    return {name: mean[:, i].copy() for i, name in enumerate(INTERMEDIATES)}
