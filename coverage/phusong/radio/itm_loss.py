"""Reference attenuation of the Irregular Terrain Model: sight, diffraction, scatter.

Hufford, "The ITS Irregular Terrain Model, version 1.2.2: the Algorithm"
(NTIA), sections 4 to 6, with the constants of NTIA's version 1.4.
Distances and heights in m, angles in rad, frequency in MHz.  Compiled.
"""

from __future__ import annotations

import cmath
import math

import numpy as np

from phusong.radio.compiled import compiled

__all__ = ["DIFFRACTION", "SCATTER", "SIGHT", "reference_attenuation"]

SIGHT, DIFFRACTION, SCATTER = 1, 2, 3
"""How the wave arrives, as NTIA numbers it."""

_THIRD = 1.0 / 3.0
_H0_A = np.array((25.0, 80.0, 177.0, 395.0, 705.0))
_H0_B = np.array((24.0, 45.0, 68.0, 80.0, 105.0))


@compiled
def _roughness_at(d, delta_h):
    """Return delta h(d), the roughness that shows within a distance."""
    return delta_h * (1.0 - 0.8 * math.exp(-d / 50e3))


@compiled
def _sigma_h(delta_h):
    """Return the standard deviation of heights that belongs to a roughness."""
    return 0.78 * delta_h * math.exp(-0.5 * delta_h ** 0.25)


@compiled
def _fresnel(v2):
    """Return the knife-edge loss for nu^2."""
    if v2 < 5.76:
        return 6.02 + 9.11 * math.sqrt(v2) - 1.27 * v2
    return 12.953 + 10.0 * math.log10(v2)


@compiled
def _knife_edges(d, f, radius, theta_los, d_tx, d_rx):
    """Return the loss over two knife edges at the horizons."""
    theta = d / radius - theta_los
    beyond = d - d_tx - d_rx
    q = 0.0795775 * (f / 47.7) * theta * theta * beyond
    return _fresnel(q * d_tx / (beyond + d_tx)) + _fresnel(q * d_rx / (beyond + d_rx))


@compiled
def _height_gain(x, k):
    """Return F(x, K), height gain over a smooth Earth."""
    if x < 200.0:
        w = -math.log(k)
        if k < 1e-5 or x * w ** 3 > 5495.0:
            return 17.372 * math.log(x) - 117.0 if x > 1.0 else -117.0
        return 2.5e-5 * x * x / k - 8.686 * w - 15.0
    gain = 0.05751 * x - 4.343 * math.log(x)
    if x < 2000.0:
        w = 0.0134 * x * math.exp(-0.005 * x)
        gain = (1.0 - w) * gain + w * (17.372 * math.log(x) - 117.0)
    return gain


@compiled
def _curvature(arc_radius, f, impedance):
    """Return (C0^2 B0, K) of Vogler's three-radii method for one arc."""
    c0 = (4.0 / 3.0 * 6370e3 / arc_radius) ** _THIRD
    k = 0.017778 * c0 * f ** -_THIRD / abs(impedance)
    return c0 * c0 * (1.607 - k), k


@compiled
def _smooth_earth(d, f, radius, theta_los, d_tx, d_rx, e_tx, e_rx, impedance):
    """Return the diffraction loss over three arcs of a smooth Earth (Vogler 1964)."""
    theta = d / radius - theta_los
    middle = (d - d_tx - d_rx) / theta
    scale = 1e-3 * f ** _THIRD
    b_tx, k_tx = _curvature(0.5 * d_tx * d_tx / e_tx, f, impedance)
    b_rx, k_rx = _curvature(0.5 * d_rx * d_rx / e_rx, f, impedance)
    b, _ = _curvature(middle, f, impedance)
    x_tx, x_rx = b_tx * scale * d_tx, b_rx * scale * d_rx
    x = b * scale * middle * theta + x_tx + x_rx
    return (0.05751 * x - 10.0 * math.log10(x) - _height_gain(x_tx, k_tx)
            - _height_gain(x_rx, k_rx) - 20.0)


@compiled
def _diffraction(d, f, radius, theta_los, t, h_tx, h_rx, d_smooth, impedance):
    """Return the blend of knife edges and smooth Earth; `t` as `describe_terrain` fills it."""
    d_tx, d_rx, e_tx, e_rx, delta_h = t[2], t[3], t[4], t[5], t[6]
    edges = _knife_edges(d, f, radius, theta_los, d_tx, d_rx)
    sphere = _smooth_earth(d, f, radius, theta_los, d_tx, d_rx, e_tx, e_rx, impedance)
    sigma = _sigma_h(_roughness_at(d_smooth, delta_h))
    clutter = min(15.0, 5.0 * math.log10(1.0 + 1e-5 * h_tx * h_rx * f * sigma))
    product = h_tx * h_rx
    ratio = math.sqrt(1.0 + (e_tx * e_rx - product) / (product + 10.0))
    q = ((ratio + (d_tx + d_rx - theta_los * radius) / d)
         * min(_roughness_at(d, delta_h) * f / 47.7, 6283.2))
    w = 25.1 / (25.1 + math.sqrt(q))
    return w * sphere + (1.0 - w) * edges + clutter


@compiled
def _two_ray(d, f, e_tx, e_rx, impedance, delta_h, slope, start, d_smooth):
    """Return the loss in sight: two rays blended with extended diffraction."""
    wave = f / 47.7
    both = e_tx + e_rx
    sine = both / math.sqrt(d * d + both * both)
    sigma = _sigma_h(_roughness_at(d, delta_h))
    reflected = ((sine - impedance) / (sine + impedance)
                 * math.exp(-min(10.0, wave * sigma * sine)))
    power = reflected.real ** 2 + reflected.imag ** 2
    if power < 0.25 or power < sine:
        reflected = reflected * math.sqrt(sine / power)
    phase = 2.0 * wave * e_tx * e_rx / d
    if phase > 0.5 * math.pi:
        phase = math.pi - (0.5 * math.pi) ** 2 / phase
    total = cmath.exp(complex(0.0, -phase)) + reflected
    rays = -10.0 * math.log10(total.real ** 2 + total.imag ** 2)
    w = 1.0 / (1.0 + f * delta_h / max(10e3, d_smooth))
    return w * rays + (1.0 - w) * (slope * d + start)


@compiled
def _h0(r, eta):
    """Return H_01(r, eta), the frequency gain function."""
    whole = min(max(int(eta), 1), 5)
    part = eta - whole if 0 < int(eta) < 5 else 0.0
    x = 1.0 / (r * r)
    out = 10.0 * math.log10(1.0 + (_H0_A[whole - 1] * x + _H0_B[whole - 1]) * x)
    if part != 0.0:
        upper = 10.0 * math.log10(1.0 + (_H0_A[whole] * x + _H0_B[whole]) * x)
        out = (1.0 - part) * out + part * upper
    return out


@compiled
def _scatter_distance(td):
    """Return F(theta d), attenuation by scatter angle and distance."""
    log_td = math.log10(td)
    if td <= 10e3:
        return 133.4 + 0.332e-3 * td - 10.0 * log_td
    if td <= 70e3:
        return 104.6 + 0.212e-3 * td - 2.5 * log_td
    return 71.8 + 0.157e-3 * td + 5.0 * log_td


@compiled
def _frequency_gain(d, f, radius, t, ns, before):
    """Return H_0; 1001 where both antennas are too low for scatter.

    `before` is H_0 at the farther distance, negative at the first call.
    """
    if before > 15.0:
        return before
    wave = f / 47.7
    apart, heights = t[2] - t[3], t[5] / t[4]
    if apart < 0.0:
        apart, heights = -apart, 1.0 / heights
    theta = t[0] + t[1] + d / radius
    r1, r2 = 2.0 * wave * theta * t[4], 2.0 * wave * theta * t[5]
    if r1 < 0.2 and r2 < 0.2:
        return 1001.0
    s = (d - apart) / (d + apart)
    q = min(max(0.1, heights / s), 10.0)
    s = max(0.1, s)
    crossing = (d - apart) * (d + apart) * theta * 0.25 / d
    eta = (crossing / 1.7556e3
           * (1.0 + (0.031 - ns * 2.32e-3 + ns * ns * 5.67e-6)
              * math.exp(-min(1.7, crossing / 8.0e3) ** 6)))
    at_least = max(eta, 1.0)
    h00 = 0.5 * (_h0(r1, at_least) + _h0(r2, at_least))
    more = min(h00, 6.0 * (0.6 - math.log10(at_least)) * math.log10(s) * math.log10(q))
    out = max(h00 + more, 0.0)
    if eta < 1.0:
        root = math.sqrt(2.0)
        near = 10.0 * math.log10(((1.0 + root / r1) * (1.0 + root / r2)) ** 2
                                 * (r1 + r2) / (r1 + r2 + 2.0 * root))
        out = eta * out + (1.0 - eta) * near
    if out > 15.0 and before >= 0.0:
        return before
    return out


@compiled
def _scatter(d, f, radius, theta_los, ns, gain):
    """Return the loss by troposcatter, `gain` being H_0."""
    theta = d / radius - theta_los
    td = theta * d
    return (_scatter_distance(td) + 10.0 * math.log10(f * theta ** 4)
            - 0.1 * (ns - 301.0) * math.exp(-td / 40e3) + gain)


@compiled
def _in_sight(d, f, t, impedance, d_smooth, slope, start):
    """Return the attenuation within the smooth-Earth horizon."""
    e_tx, e_rx, delta_h, d_ml = t[4], t[5], t[6], t[2] + t[3]
    at_edge = d_smooth * slope + start
    d0 = 0.04 * f * e_tx * e_rx
    if start >= 0.0:
        d0 = min(d0, 0.5 * d_ml)
        d1 = d0 + 0.25 * (d_ml - d0)
    else:
        d1 = max(-start / slope, 0.25 * d_ml)
    a1 = _two_ray(d1, f, e_tx, e_rx, impedance, delta_h, slope, start, d_smooth)
    k1, k2, done = 0.0, 0.0, False
    if d0 < d1:
        a0 = _two_ray(d0, f, e_tx, e_rx, impedance, delta_h, slope, start, d_smooth)
        q = math.log(d_smooth / d0)
        k2 = max(0.0, ((d_smooth - d0) * (a1 - a0) - (d1 - d0) * (at_edge - a0))
                 / ((d_smooth - d0) * math.log(d1 / d0) - (d1 - d0) * q))
        done = start >= 0.0 or k2 > 0.0
        if done:
            k1 = (at_edge - a0 - k2 * q) / (d_smooth - d0)
            if k1 < 0.0:
                k1, k2 = 0.0, max(at_edge - a0, 0.0) / q
                if k2 == 0.0:
                    k1 = slope
    if not done:
        k1, k2 = max(at_edge - a1, 0.0) / (d_smooth - d1), 0.0
        if k1 == 0.0:
            k1 = slope
    constant = at_edge - k1 * d_smooth - k2 * math.log(d_smooth)
    return max(0.0, constant + k1 * d + k2 * math.log(d))


@compiled
def reference_attenuation(d, f, t, h_tx, h_rx, radius, ns, impedance):
    """Return (attenuation beyond free space in dB, way of arrival).

    Parameters
    ----------
    d, f : float
        Path length, m; frequency, MHz.
    t : (7,) float64
        As `describe_terrain` fills it.
    h_tx, h_rx : float
        Antenna heights above ground, m.
    radius, ns : float
        Effective Earth radius, m; surface refractivity, N-units.
    impedance : complex
        Transfer impedance of the ground.
    """
    d_smooth = math.sqrt(2.0 * t[4] * radius) + math.sqrt(2.0 * t[5] * radius)
    d_ml = t[2] + t[3]
    theta_los = -max(t[0] + t[1], -d_ml / radius)
    unit = (radius * radius / f) ** _THIRD
    d3 = max(d_smooth, d_ml + 5.0 * unit)
    d4 = d3 + 10.0 * unit
    a3 = _diffraction(d3, f, radius, theta_los, t, h_tx, h_rx, d_smooth, impedance)
    a4 = _diffraction(d4, f, radius, theta_los, t, h_tx, h_rx, d_smooth, impedance)
    slope = (a4 - a3) / (d4 - d3)
    start = a3 - slope * d3
    if d < d_smooth:
        return _in_sight(d, f, t, impedance, d_smooth, slope, start), SIGHT
    d5, d6 = d_ml + 200e3, d_ml + 400e3
    gain6 = _frequency_gain(d6, f, radius, t, ns, -1.0)
    gain5 = gain6
    if gain6 < 1000.0:
        gain5 = _frequency_gain(d5, f, radius, t, ns, gain6)
    if gain5 < 1000.0:
        a5 = _scatter(d5, f, radius, theta_los, ns, gain5)
        a6 = _scatter(d6, f, radius, theta_los, ns, gain6)
        if a5 < 1000.0:
            slope_s = (a6 - a5) / 200e3
            d_x = max(max(d_smooth, d_ml + 1.088 * unit * math.log(f)),
                      (a5 - start - slope_s * d5) / (slope - slope_s))
            if d > d_x:
                return max(slope_s * d + (slope - slope_s) * d_x + start, 0.0), SCATTER
    return max(slope * d + start, 0.0), DIFFRACTION
