"""Diffraction: knife edge, Bullington, spherical Earth, delta-Bullington.

ITU-R P.1812-8 section 4.3, which is ITU-R P.526-15 section 4.5.2 with other
equation numbers.  Distances in km, heights in m, frequencies in GHz.  Every
function is compiled; all losses are in dB, positive.
"""

from __future__ import annotations

import math

from phusong.radio.compiled import compiled

__all__ = ["bullington_loss", "delta_bullington", "edge_parameter", "first_term_loss",
           "knife_edge_loss", "smooth_bullington_loss", "spherical_earth_loss"]


@compiled
def knife_edge_loss(nu):
    """Return J(nu), dB, of a single knife edge (P.526 eq 31, P.1812 eq 12)."""
    if nu <= -0.78:
        return 0.0
    return 6.9 + 20.0 * math.log10(math.sqrt((nu - 0.1) ** 2 + 1.0) + nu - 0.1)


@compiled
def edge_parameter(excess_m, d_km, total_km, wavelength_m):
    """Return nu of an edge `excess_m` above the straight line (P.1812 eq 15, 18)."""
    return excess_m * math.sqrt(0.002 * total_km / (wavelength_m * d_km * (total_km - d_km)))


@compiled
def _with_empirical_term(edge_loss, total_km):
    """Return L_bull from L_uc: the empirical correction (P.1812 eq 21)."""
    return edge_loss + (1.0 - math.exp(-edge_loss / 6.0)) * (10.0 + 0.02 * total_km)


@compiled
def bullington_loss(slope_tx, slope_rx, nu_max, hts, hrs, total_km, wavelength_m):
    """Return L_bull for a profile whose extreme slopes are known (P.1812 4.3.1).

    Parameters
    ----------
    slope_tx, slope_rx : float
        S_tim and S_rim, m/km: the steepest slopes seen from transmitter and
        receiver over the curved profile (eqs 13 and 16).
    nu_max : float
        Largest diffraction parameter (eq 15); read only on line-of-sight paths.
    hts, hrs : float
        Antenna heights above sea level, m.
    total_km, wavelength_m : float
        Path length and wavelength.
    """
    if slope_tx < (hrs - hts) / total_km:
        return _with_empirical_term(knife_edge_loss(nu_max), total_km)
    d_bp = (hrs - hts + slope_rx * total_km) / (slope_tx + slope_rx)
    excess = hts + slope_tx * d_bp - (hts * (total_km - d_bp) + hrs * d_bp) / total_km
    nu = edge_parameter(excess, d_bp, total_km, wavelength_m)
    return _with_empirical_term(knife_edge_loss(nu), total_km)


@compiled
def _just_below(d, x):
    """Return the last interior sample at or before `x`, at least 1 (bisection)."""
    low, high = 1, d.shape[0] - 1
    while high - low > 1:
        middle = (low + high) // 2
        if d[middle] <= x:
            low = middle
        else:
            high = middle
    return low


@compiled
def _smooth_slopes(d, hts, hrs, curve):
    """Return (S_tim, S_rim) over samples that all have height zero.

    ``curve (D - d) - h/d`` is concave in d with its top at ``sqrt(h/curve)``,
    so the largest sample is one of the two beside the top: no scan is needed.
    """
    last = d.shape[0] - 1
    total = d[last]
    if last < 2:
        return -1e300, -1e300
    i = _just_below(d, math.sqrt(hts / curve))
    slope_tx = curve * (total - d[i]) - hts / d[i]
    if i + 1 < last:
        slope_tx = max(slope_tx, curve * (total - d[i + 1]) - hts / d[i + 1])
    i = _just_below(d, total - math.sqrt(hrs / curve))
    slope_rx = curve * d[i] - hrs / (total - d[i])
    if i + 1 < last:
        slope_rx = max(slope_rx, curve * d[i + 1] - hrs / (total - d[i + 1]))
    return slope_tx, slope_rx


@compiled
def _smooth_nu(d, hts, hrs, curve):
    """Return the largest nu over samples of height zero in sight, over sqrt(0.002 D / lambda).

    With ``u = d/(D - d)`` and ``K = curve D^2`` the derivative of nu along the
    path has the sign of ``K u (1 - u)/(1 + u)^2 + hts - hrs u``, which changes
    but once while the path is in sight: the largest sample lies beside the
    change, and bisection finds it.
    """
    last = d.shape[0] - 1
    total = d[last]
    k = curve * total * total
    low, high = 0, last
    while high - low > 1:
        middle = (low + high) // 2
        u = d[middle] / (total - d[middle])
        if k * u * (1.0 - u) / (1.0 + u) ** 2 + hts - hrs * u >= 0.0:
            low = middle
        else:
            high = middle
    best = -math.inf
    for i in range(max(low, 1), min(high, last - 1) + 1):
        product = d[i] * (total - d[i])
        below = hts + (hrs - hts) / total * d[i] - curve * product
        best = max(best, -below / math.sqrt(product))
    return best


@compiled
def smooth_bullington_loss(d, hts, hrs, curve, wavelength_m):
    """Return L_bulls: Bullington over the same samples with all heights zero.

    Parameters
    ----------
    d : (samples,) float64
        Distances, km.
    hts, hrs : float
        Modified antenna heights over the smooth surface, m, positive (eq 38).
    curve : float
        500 / a_p, with a_p the effective Earth radius in km.
    wavelength_m : float
        Wavelength.
    """
    last = d.shape[0] - 1
    total = d[last]
    slope_tx, slope_rx = _smooth_slopes(d, hts, hrs, curve)
    nu_max = -1e300
    if slope_tx < (hrs - hts) / total and last > 1:
        nu_max = _smooth_nu(d, hts, hrs, curve) * math.sqrt(0.002 * total / wavelength_m)
    return bullington_loss(slope_tx, slope_rx, nu_max, hts, hrs, total, wavelength_m)


@compiled
def _height_gain(y_beta, k):
    """Return G(Y), dB, for B = beta Y (P.1812 eqs 35 and 36)."""
    if y_beta > 2.0:
        gain = 17.6 * math.sqrt(y_beta - 1.1) - 5.0 * math.log10(y_beta - 1.1) - 8.0
    else:
        gain = 20.0 * math.log10(y_beta + 0.1 * y_beta ** 3)
    return max(gain, 2.0 + 20.0 * math.log10(k))


@compiled
def _first_term_over(permittivity, conductivity, d_km, hte, hre, radius_km, f_ghz, vertical):
    """Return L_dft over one kind of ground (P.1812 eqs 30 to 37)."""
    loss_tangent = 18.0 * conductivity / f_ghz
    k = (0.036 * (radius_km * f_ghz) ** (-1.0 / 3.0)
         * ((permittivity - 1.0) ** 2 + loss_tangent ** 2) ** -0.25)
    if vertical:
        k = k * math.sqrt(permittivity ** 2 + loss_tangent ** 2)
    k2 = k * k
    beta = (1.0 + 1.6 * k2 + 0.67 * k2 * k2) / (1.0 + 4.5 * k2 + 1.53 * k2 * k2)
    x = 21.88 * beta * (f_ghz / radius_km ** 2) ** (1.0 / 3.0) * d_km
    per_metre = 0.9575 * beta * beta * (f_ghz ** 2 / radius_km) ** (1.0 / 3.0)
    if x >= 1.6:
        distance_term = 11.0 + 10.0 * math.log10(x) - 17.6 * x
    else:
        distance_term = -20.0 * math.log10(x) - 5.6488 * x ** 1.425
    return -distance_term - _height_gain(per_metre * hte, k) - _height_gain(per_metre * hre, k)


@compiled
def first_term_loss(d_km, hte, hre, radius_km, f_ghz, sea, vertical):
    """Return L_dft, the first term of the spherical-Earth series (P.1812 4.3.3).

    Land (22, 0.003 S/m) and sea (80, 5 S/m) are mixed by the fraction `sea`
    of the path that is over sea (eq 29).
    """
    loss = 0.0
    if sea < 1.0:
        loss += (1.0 - sea) * _first_term_over(22.0, 0.003, d_km, hte, hre, radius_km, f_ghz,
                                               vertical)
    if sea > 0.0:
        loss += sea * _first_term_over(80.0, 5.0, d_km, hte, hre, radius_km, f_ghz, vertical)
    return loss


@compiled
def spherical_earth_loss(d_km, hte, hre, radius_km, f_ghz, wavelength_m, sea, vertical):
    """Return L_dsph, diffraction loss over a smooth sphere (P.1812 4.3.2)."""
    d_los = math.sqrt(2.0 * radius_km) * (math.sqrt(0.001 * hte) + math.sqrt(0.001 * hre))
    if d_km >= d_los:
        return first_term_loss(d_km, hte, hre, radius_km, f_ghz, sea, vertical)
    c = (hte - hre) / (hte + hre)
    m = 250.0 * d_km ** 2 / (radius_km * (hte + hre))
    b = (2.0 * math.sqrt((m + 1.0) / (3.0 * m))
         * math.cos(math.pi / 3.0
                    + math.acos(1.5 * c * math.sqrt(3.0 * m / (m + 1.0) ** 3)) / 3.0))
    d1 = 0.5 * d_km * (1.0 + b)
    d2 = d_km - d1
    clearance = ((hte - 500.0 * d1 ** 2 / radius_km) * d2
                 + (hre - 500.0 * d2 ** 2 / radius_km) * d1) / d_km
    needed = 17.456 * math.sqrt(d1 * d2 * wavelength_m / d_km)
    if clearance > needed:
        return 0.0
    grazing_radius = 500.0 * (d_km / (math.sqrt(hte) + math.sqrt(hre))) ** 2
    loss = first_term_loss(d_km, hte, hre, grazing_radius, f_ghz, sea, vertical)
    if loss < 0.0:
        return 0.0
    return (1.0 - clearance / needed) * loss


@compiled
def delta_bullington(terrain_loss, d, hts_smooth, hrs_smooth, radius_km, f_ghz, wavelength_m,
                     sea, vertical):
    """Return (L_d, L_bulls, L_dsph) from L_bulla (P.1812 4.3.4, eq 39).

    Parameters
    ----------
    terrain_loss : float
        L_bulla, Bullington loss over the actual profile, dB.
    d : (samples,) float64
        Distances, km.
    hts_smooth, hrs_smooth : float
        Antenna heights over the smooth surface for diffraction, m (eq 38).
    radius_km : float
        Effective Earth radius a_p.
    f_ghz, wavelength_m : float
        Frequency and wavelength.
    sea : float
        Fraction of the path over sea.
    vertical : bool
        Polarisation.
    """
    smooth = smooth_bullington_loss(d, hts_smooth, hrs_smooth, 500.0 / radius_km, wavelength_m)
    sphere = spherical_earth_loss(d[d.shape[0] - 1], hts_smooth, hrs_smooth, radius_km, f_ghz,
                                  wavelength_m, sea, vertical)
    return terrain_loss + max(sphere - smooth, 0.0), smooth, sphere
