"""What a terrain profile says: horizons, obstructions, smooth surface, zones.

ITU-R P.1812-8 Attachment 1 to Annex 1 (path-profile analysis) and section 3.
Distances in km, heights in m above sea level, slopes in m/km (= mrad before
the arctangent).  Every function is compiled.
"""

from __future__ import annotations

import math

from phusong.radio.compiled import compiled

__all__ = ["extreme_slopes", "largest_nu", "largest_nu_in_sight", "longest_run", "obstructions",
           "roughness", "sea_share", "smooth_surface", "smooth_surface_for_diffraction", "unpack"]


@compiled
def unpack(along_m, heights_m, clutter_m, a, b, d, g):
    """Fill `d` (km) and `g` (terrain plus clutter, ends bare); False if a height is unknown.

    P.1812 section 3.2.1, eq (1).  `clutter_m` is empty if there is none.
    """
    total = 0.0
    for i in range(a, b):
        d[i - a] = 0.001 * along_m[i]
        g[i - a] = heights_m[i]
        total += heights_m[i]
    if clutter_m.shape[0] > 0:
        for i in range(a + 1, b - 1):
            g[i - a] += clutter_m[i]
            total += clutter_m[i]
    return math.isfinite(total)


@compiled
def extreme_slopes(d, g, hts, hrs, curve):
    """Return (S_tim, S_rim), m/km, over a curved profile (P.1812 eqs 13 and 16).

    `curve` is 500 / a_p.
    """
    last = d.shape[0] - 1
    total = d[last]
    slope_tx = -1e300
    slope_rx = -1e300
    for i in range(1, last):
        rest = total - d[i]
        slope_tx = max(slope_tx, (g[i] - hts) / d[i] + curve * rest)
        slope_rx = max(slope_rx, (g[i] - hrs) / rest + curve * d[i])
    return slope_tx, slope_rx


@compiled
def largest_nu(d, g, hts, hrs, curve, wavelength_m):
    """Return (nu_max, index) of the profile (P.1812 eq 15); the last of equals.

    (-inf, 0) if there is no sample between the ends.
    """
    last = d.shape[0] - 1
    total = d[last]
    best = -math.inf
    index = 0
    tilt = (hrs - hts) / total
    for i in range(1, last):
        product = d[i] * (total - d[i])
        nu = (g[i] - hts + curve * product - tilt * d[i]) / math.sqrt(product)
        if nu >= best:
            best = nu
            index = i
    return best * math.sqrt(0.002 * total / wavelength_m), index


@compiled
def largest_nu_in_sight(d, g, hts, hrs, curve, wavelength_m):
    """Return what `largest_nu` returns, faster, for a profile in line of sight.

    Every sample then lies below the ray, so that the largest nu is the least
    ``excess^2 / (d (D - d))``; fractions are compared crosswise, without
    dividing.
    """
    last = d.shape[0] - 1
    total = d[last]
    tilt = (hrs - hts) / total
    best_square = math.inf
    best_product = 1.0
    index = 0
    for i in range(1, last):
        product = d[i] * (total - d[i])
        excess = g[i] - hts + curve * product - tilt * d[i]
        if excess * excess * best_product <= best_square * product:
            best_square = excess * excess
            best_product = product
            index = i
    if index == 0:
        return -math.inf, 0
    nu = (g[index] - hts + curve * best_product - tilt * d[index]) / math.sqrt(best_product)
    return nu * math.sqrt(0.002 * total / wavelength_m), index


@compiled
def obstructions(d, h, hts, hrs, curve):
    """Return what stands in the way, in one pass over the bare terrain.

    Returns
    -------
    horizon_tx, index_tx : float, int
        Largest ``(h - hts)/d - curve d``, m/km, and where it first occurs.
    horizon_rx, index_rx : float, int
        The same seen from the receiver, where it last occurs.
    height, slope_tx, slope_rx : float
        h_obs, alpha_obt and alpha_obr (Attachment 1, eqs 87 and 88).
    """
    last = d.shape[0] - 1
    total = d[last]
    tilt = (hrs - hts) / total
    horizon_tx = -1e300
    horizon_rx = -1e300
    height = -1e300
    slope_tx = -1e300
    slope_rx = -1e300
    index_tx = 0
    index_rx = last
    for i in range(1, last):
        rest = total - d[i]
        up_tx = (h[i] - hts) / d[i]
        up_rx = (h[i] - hrs) / rest
        seen_tx = up_tx - curve * d[i]
        seen_rx = up_rx - curve * rest
        if seen_tx > horizon_tx:
            horizon_tx = seen_tx
            index_tx = i
        if seen_rx >= horizon_rx:
            horizon_rx = seen_rx
            index_rx = i
        slope_tx = max(slope_tx, up_tx)
        slope_rx = max(slope_rx, up_rx)
        height = max(height, h[i] - hts - tilt * d[i])
    return (horizon_tx, index_tx, horizon_rx, index_rx,
            height, slope_tx - tilt, slope_rx + tilt)


@compiled
def smooth_surface(d, h):
    """Return (h_st, h_sr), m: the least-squares straight line at both ends.

    Attachment 1, eqs (85) and (86).
    """
    last = d.shape[0] - 1
    total = d[last]
    v1 = 0.0
    v2 = 0.0
    for i in range(1, last + 1):
        step = d[i] - d[i - 1]
        v1 += step * (h[i] + h[i - 1])
        v2 += step * (h[i] * (2.0 * d[i] + d[i - 1]) + h[i - 1] * (d[i] + 2.0 * d[i - 1]))
    return (2.0 * v1 * total - v2) / total ** 2, (v2 - v1 * total) / total ** 2


@compiled
def smooth_surface_for_diffraction(hst, hsr, ground_tx, ground_rx, height, slope_tx, slope_rx):
    """Return (h_std, h_srd), m, the smooth surface for diffraction (eqs 89 to 91)."""
    if height > 0.0:
        share = slope_tx / (slope_tx + slope_rx)
        hst = hst - height * share
        hsr = hsr - height * (1.0 - share)
    return min(hst, ground_tx), min(hsr, ground_rx)


@compiled
def roughness(d, h, hst, hsr, first, last):
    """Return h_m, m: highest terrain above the smooth surface between two samples.

    Attachment 1, eq (94).
    """
    slope = (hsr - hst) / d[d.shape[0] - 1]
    out = -1e300
    for i in range(first, last + 1):
        out = max(out, h[i] - (hst + slope * d[i]))
    return out


@compiled
def sea_share(d, zones):
    """Return omega, the fraction of the path over sea; zones change half-way."""
    if zones.shape[0] == 0:
        return 0.0
    last = d.shape[0] - 1
    sea = 0.0
    for i in range(last):
        half = 0.5 * (d[i + 1] - d[i])
        if zones[i] == 1:
            sea += half
        if zones[i + 1] == 1:
            sea += half
    return sea / d[last]


@compiled
def longest_run(d, zones, lowest_zone):
    """Return the longest continuous run, km, of zones numbered `lowest_zone` or higher.

    3 = land, coastal or inland (d_tm); 4 = inland (d_lm).  Zones change
    half-way between samples.  P.1812 section 3.5.
    """
    last = d.shape[0] - 1
    if zones.shape[0] == 0:
        return d[last]
    best = 0.0
    run = 0.0
    for i in range(last):
        half = 0.5 * (d[i + 1] - d[i])
        if zones[i] >= lowest_zone:
            run += half
        else:
            run = 0.0
        if zones[i + 1] >= lowest_zone:
            run += half
        else:
            best = max(best, run)
            run = 0.0
    return max(best, run)
