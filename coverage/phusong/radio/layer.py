"""Ducting and layer reflection (ITU-R P.1812-8 section 4.5).

Distances in km, heights in m, frequencies in GHz, angles in mrad.  Compiled.
"""

from __future__ import annotations

import math

from phusong.radio.compiled import compiled

__all__ = ["ducting_loss", "ducting_share_percent", "land_term"]


@compiled
def land_term(inland_km):
    """Return tau from the longest continuous inland section d_lm (P.1812 eq 4)."""
    return 1.0 - math.exp(-4.12e-4 * inland_km ** 2.41)


@compiled
def ducting_share_percent(latitude_deg, land_km, tau):
    """Return beta_0, percentage of time with lapse rates above 100 N/km (P.1812 3.4).

    Parameters
    ----------
    latitude_deg : float
        Latitude of the path's middle.
    land_km : float
        Longest continuous land section, coastal or inland (d_tm).
    tau : float
        As `land_term` returns it.
    """
    lat = abs(latitude_deg)
    mu1 = min((10.0 ** (-land_km / (16.0 - 6.6 * tau))
               + 10.0 ** (-5.0 * (0.496 + 0.354 * tau))) ** 0.2, 1.0)
    if lat <= 70.0:
        mu4 = mu1 ** (-0.935 + 0.0176 * lat)
        return 10.0 ** (-0.015 * lat + 1.67) * mu1 * mu4
    return 4.17 * mu1 * mu1 ** 0.3


@compiled
def _site_shielding(angle_mrad, horizon_km, f_ghz):
    """Return A_st or A_sr, loss by shielding near a terminal (eqs 48 and 49)."""
    beyond = angle_mrad - 0.1 * horizon_km
    if beyond <= 0.0:
        return 0.0
    return (20.0 * math.log10(1.0 + 0.361 * beyond * math.sqrt(f_ghz * horizon_km))
            + 0.264 * beyond * f_ghz ** (1.0 / 3.0))


@compiled
def _coupling(coast_km, horizon_km, height_m, sea):
    """Return A_ct or A_cr, gain by coupling into ducts over the sea (eqs 50 and 51)."""
    if sea < 0.75 or coast_km > horizon_km or coast_km > 5.0:
        return 0.0
    return -3.0 * math.exp(-0.25 * coast_km ** 2) * (1.0 + math.tanh(0.07 * (50.0 - height_m)))


@compiled
def _fixed_loss(f_ghz, dlt, dlr, theta_t, theta_r, coast_t, coast_r, hts, hrs, sea):
    """Return A_f, fixed coupling losses of ducting (eqs 46 to 51)."""
    low = 0.0
    if f_ghz < 0.5:
        low = 45.375 - 137.0 * f_ghz + 92.5 * f_ghz * f_ghz
    return (102.45 + 20.0 * math.log10(f_ghz * (dlt + dlr)) + low
            + _site_shielding(theta_t, dlt, f_ghz) + _site_shielding(theta_r, dlr, f_ghz)
            + _coupling(coast_t, dlt, hts, sea) + _coupling(coast_r, dlr, hrs, sea))


@compiled
def _time_loss(p, beta, d_km):
    """Return A(p), time variability of ducting (eqs 57 and 58)."""
    log_beta = math.log10(beta)
    gamma = (1.076 / (2.0058 - log_beta) ** 1.012
             * math.exp(-(9.51 - 4.8 * log_beta + 0.198 * log_beta * log_beta)
                        * 1e-6 * d_km ** 1.13))
    return (-12.0 + (1.2 + 3.7e-3 * d_km) * (math.log10(p) - log_beta)
            + 12.0 * (p / beta) ** gamma)


@compiled
def ducting_loss(f_ghz, d_km, dlt, dlr, theta_t, theta_r, hts, hrs, hte, hre, roughness_m,
                 radius_km, beta0, tau, sea, coast_t, coast_r, p):
    """Return L_ba, loss by ducting and layer reflection (P.1812 eq 46), dB.

    Parameters
    ----------
    f_ghz, d_km : float
        Frequency and path length.
    dlt, dlr, theta_t, theta_r : float
        Distances (km) and elevations (mrad) of the two horizons.
    hts, hrs : float
        Antenna heights above sea level, m.
    hte, hre, roughness_m : float
        Effective antenna heights and terrain roughness h_m, m.
    radius_km : float
        Median effective Earth radius.
    beta0, tau : float
        From `ducting_share_percent` and `land_term`.
    sea : float
        Fraction of the path over sea.
    coast_t, coast_r : float
        Distances to the coast, km.
    p : float
        Time percentage.
    """
    alpha = max(-0.6 - 3.5e-9 * d_km ** 3.1 * tau, -3.4)
    spread = d_km / (math.sqrt(hte) + math.sqrt(hre))
    mu2 = min((500.0 / radius_km * spread * spread) ** alpha, 1.0)
    mu3 = 1.0
    if roughness_m > 10.0:
        between = min(d_km - dlt - dlr, 40.0)
        mu3 = math.exp(-4.6e-5 * (roughness_m - 10.0) * (43.0 + 6.0 * between))
    beta = beta0 * mu2 * mu3
    theta = (1000.0 * d_km / radius_km + min(theta_t, 0.1 * dlt) + min(theta_r, 0.1 * dlr))
    per_mrad = 5e-5 * radius_km * f_ghz ** (1.0 / 3.0)
    return (_fixed_loss(f_ghz, dlt, dlr, theta_t, theta_r, coast_t, coast_r, hts, hrs, sea)
            + per_mrad * theta + _time_loss(p, beta, d_km))
