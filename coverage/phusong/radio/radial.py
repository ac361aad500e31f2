"""P.1812 and P.526 along rays: one walk outwards serves every receiver on the ray.

Everything that the models ask of a profile grows sample by sample: sums for
the smooth surface, the transmitter's horizon as a running maximum, the
receiver's by the hull of what lies before it.  A receiver stands anywhere
beyond; the last few samples before it (its *approach*) may be its own, since
there every metre counts.  The losses equal those of `p1812` and `p526`
over the packed profile that ends there, but for rounding; only paths in line
of sight and the roughness between two horizons still look at every sample.

ITU-R P.1812-8 Annex 1 for half of the time, over bare inland ground: then
there is no multipath enhancement, one delta-Bullington loss instead of two,
and ducting counts only where it is weaker than diffraction.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phusong.errors import OutOfRangeError
from phusong.radio.compiled import compiled
from phusong.radio.diffraction import bullington_loss, delta_bullington
from phusong.radio.free_space import SPEED_OF_LIGHT_M_PER_S, free_space_loss_db
from phusong.radio.layer import ducting_loss, ducting_share_percent, land_term
from phusong.radio.medium import Medium
from phusong.radio.profile import largest_nu_in_sight, roughness, smooth_surface_for_diffraction
from phusong.radio.radial_hull import highest_vertex, push_vertex, steepest_vertex
from phusong.radio.troposcatter import troposcatter_loss
from phusong.radio.variability import inverse_normal, location_sigma_db

__all__ = ["FAST_BELOW_DB", "Receivers", "radial_loss", "time_loss_floor_db"]

FAST_BELOW_DB = 30.0
"""Diffraction loss below which the fast mode leaves out troposcatter.

Ducting stays: over smooth ground a duct may be the better way at little
diffraction, and single pixels of a real mountain country would be wrong by
1.5 dB without it (0.6 dB were it kept above 15 dB of diffraction alone).
"""

_NEGLIGIBLE_DB = 80.0
"""A path so much weaker changes no bit of the stronger one (10^-16 in power^0.2)."""


@dataclass(frozen=True, slots=True)
class Receivers:
    """Receivers along rays, sorted by ray and then outwards.

    Parameters
    ----------
    first : (rays + 1,) int64
        Ray ``i`` owns receivers ``first[i]:first[i + 1]``.
    before : (receivers,) int64
        How many samples of the ray count for the receiver, the transmitter
        included: at least 1; does not fall along a ray.
    distance_m : (receivers,) float64
        From the transmitter.
    ground_m : (receivers,) float64
        Ground above sea level; NaN = not known.
    latitude_deg : (receivers,) float64
        Of the middle of the path.
    spacing_m : (receivers,) float64
        Spacing of the samples of the approach; all of them lie beyond the
        samples of the ray that count.
    approach_m : (receivers, n) float64
        Their heights above sea level, outwards; n may be 0.
    """

    first: NDArray[np.int64]
    before: NDArray[np.int64]
    distance_m: NDArray[np.float64]
    ground_m: NDArray[np.float64]
    latitude_deg: NDArray[np.float64]
    spacing_m: NDArray[np.float64]
    approach_m: NDArray[np.float64]


def time_loss_floor_db(latitude_deg: float, farthest_km: float) -> float:
    """Return a lower bound of the time variability of ducting at half of the time, dB.

    A(p) of P.1812 eq (57) falls as beta rises, and beta never exceeds
    ``beta_0 <= 10^(1.67 - 0.015 |latitude|)`` (3.4); its exponent (eq 58)
    falls with distance.

    Parameters
    ----------
    latitude_deg : float
        Of the place nearest to the equator.
    farthest_km : float
        Longest path.
    """
    log_beta = 1.67 - 0.015 * min(abs(latitude_deg), 70.0)
    gamma = (1.076 / (2.0058 - log_beta) ** 1.012
             * math.exp(-(9.51 - 4.8 * log_beta + 0.198 * log_beta ** 2)
                        * 1e-6 * farthest_km ** 1.13))
    over = math.log10(50.0) - log_beta
    return -12.0 + 1.2 * over + 12.0 * 10.0 ** (gamma * over)


@compiled
def _ducting_floor(f, total, radius, dlt, dlr, theta_t, theta_r, floor):
    """Return a lower bound of L_ba over inland paths (eqs 46 to 57 without their dear terms)."""
    low = 0.0
    if f < 0.5:
        low = 45.375 - 137.0 * f + 92.5 * f * f
    root = f ** (1.0 / 3.0)
    shielding = max(theta_t - 0.1 * dlt, 0.0) + max(theta_r - 0.1 * dlr, 0.0)
    theta = 1000.0 * total / radius + min(theta_t, 0.1 * dlt) + min(theta_r, 0.1 * dlr)
    return (102.45 + 20.0 * math.log10(f * (dlt + dlr)) + low + 0.264 * root * shielding
            + 5e-5 * radius * root * theta + floor)


@compiled
def _other_ways(d, h, hts, hrs, theta_t, theta_r, first, last, hst, hsr, lat, lb0p, lbd, terms):
    """Return L_bc: diffraction blended with ducting and troposcatter (4.4 to 4.6, p = 50 %)."""
    f, radius, total = terms[0], terms[3], d[-1]
    dlt, dlr = d[first], total - d[last]
    theta = 1000.0 * total / radius + theta_t + theta_r
    l_bam = lbd
    if not _ducting_floor(f, total, radius, dlt, dlr, theta_t, theta_r, terms[8]) > lbd + 1e-6:
        hst, hsr = min(hst, h[0]), min(hsr, h[-1])
        tau = land_term(total)
        beta0 = ducting_share_percent(lat, total, tau)
        lba = ducting_loss(f, total, dlt, dlr, theta_t, theta_r, hts, hrs, hts - hst, hrs - hsr,
                           roughness(d, h, hst, hsr, first, last), radius, beta0, tau, 0.0, 500.0,
                           500.0, 50.0)
        high, low = max(lba, lb0p), min(lba, lb0p)
        l_duct = high + 2.5 * math.log(1.0 + math.exp((low - high) / 2.5))
        if l_duct <= lbd:
            f_j = 1.0 - 0.5 * (1.0 + math.tanh(2.4 * (theta - 0.3) / 0.3))
            f_k = 1.0 - 0.5 * (1.0 + math.tanh(1.5 * (total - 20.0) / 20.0))
            l_bda = l_duct + (lbd - l_duct) * f_k
            l_bam = l_bda + (lbd - l_bda) * f_j
    if lbd - lb0p < terms[9]:
        return l_bam
    lbs = troposcatter_loss(f, total, theta, terms[4], 50.0)
    high, low = max(lbs, l_bam), min(lbs, l_bam)
    if high - low > _NEGLIGIBLE_DB:
        return low
    return low - 5.0 * math.log10(1.0 + 10.0 ** (-0.2 * (high - low)))


@compiled
def _one_receiver(d, h, v1, v2, horizon_t, first, slope_t, horizon_r, last, slope_r, height, lat,
                  terms, vertical):
    """Return the loss at the last sample of a profile of which everything else is known."""
    f, radius, wavelength = terms[0], terms[3], terms[5]
    total, curve = d[-1], 500.0 / radius
    hts, hrs = h[0] + terms[1], h[-1] + terms[2]
    straight = (hrs - hts) / total
    nu, up_t, up_r = 0.0, horizon_t, horizon_r
    if not horizon_t > straight - curve * total:
        nu, first = largest_nu_in_sight(d, h, hts, hrs, curve, wavelength)
        last = first
        up_t, up_r = straight - curve * total, -straight - curve * total
    actual = bullington_loss(horizon_t + curve * total, horizon_r + curve * total, nu, hts, hrs,
                             total, wavelength)
    hst = (2.0 * v1 * total - v2) / total ** 2
    hsr = (v2 - v1 * total) / total ** 2
    hstd, hsrd = smooth_surface_for_diffraction(hst, hsr, h[0], h[-1], height, slope_t - straight,
                                                slope_r + straight)
    ld50 = delta_bullington(actual, d, hts - hstd, hrs - hsrd, radius, f, wavelength, 0.0,
                            vertical)[0]
    lb0p = terms[6] + 20.0 * math.log10(f * math.sqrt(total ** 2 + (0.001 * (hts - hrs)) ** 2))
    lbd = lb0p + ld50
    if terms[10] == 0.0:
        return lbd
    lbc = _other_ways(d, h, hts, hrs, 1000.0 * math.atan(0.001 * up_t),
                      1000.0 * math.atan(0.001 * up_r), first, last, hst, hsr, lat, lb0p, lbd,
                      terms)
    return max(lb0p, lbc - terms[7])


@compiled
def _receiver_side(d, h, lowered, curved, n_curved, flat, n_flat, m, hts, hrs, curve):
    """Return (horizon_rx, index, h_obs, alpha_obr before the tilt) at the end of a profile.

    The hulls hold samples 1 to m - 1; those from m on are looked at one by one.
    """
    end = d.shape[0] - 1
    total = d[end]
    tilt = (hrs - hts) / total
    horizon, slope, height, last = -1e300, -1e300, -1e300, end
    if m > 1:
        last = curved[steepest_vertex(curved, n_curved, d, lowered, total,
                                      hrs - curve * total * total)]
        rest = total - d[last]
        horizon = (h[last] - hrs) / rest - curve * rest
        place = steepest_vertex(flat, n_flat, d, h, total, hrs)
        slope = (h[flat[place]] - hrs) / (total - d[flat[place]])
        if slope + tilt > 0.0:
            top = flat[highest_vertex(flat, place, d, h, tilt)]
            height = h[top] - hts - tilt * d[top]
    for i in range(m, end):
        rest = total - d[i]
        up = (h[i] - hrs) / rest
        slope = max(slope, up)
        if up - curve * rest >= horizon:
            horizon, last = up - curve * rest, i
        height = max(height, h[i] - hts - tilt * d[i])
    return horizon, last, height, slope


@compiled
def _add_sample(d, h, i, hts, curve, v1, v2, horizon, first, slope):
    """Return the sums and the transmitter's horizon with sample `i` included."""
    step = d[i] - d[i - 1]
    v1 += step * (h[i] + h[i - 1])
    v2 += step * (h[i] * (2.0 * d[i] + d[i - 1]) + h[i - 1] * (d[i] + 2.0 * d[i - 1]))
    up = (h[i] - hts) / d[i]
    if up - curve * d[i] > horizon:
        horizon, first = up - curve * d[i], i
    return v1, v2, horizon, first, max(slope, up)


@compiled
def _walk(d, h, kept, curved, flat, before, distance_m, ground_m, latitude, spacing_m,
          approach_m, terms, vertical, loss):
    """Walk along one ray and fill `loss` for its receivers.

    `d` and `h` have room for an approach and a receiver beyond the ray; while
    a receiver is looked at, its approach and itself stand there, and `kept`
    (3, room) keeps what stood there (rows 0, 1) and the lowered heights (2).
    `terms`: f_ghz, htg, hrg, a_e, N_0, wavelength, free-space constant,
    I(p_L) sigma, floor of A(p), diffraction loss below which to leave out
    troposcatter, whether the model is P.1812.
    """
    curve, hts, own = 500.0 / terms[3], h[0] + terms[1], approach_m.shape[1]
    lowered = kept[2]
    v1, v2, horizon, first, slope = 0.0, 0.0, -1e300, 0, -1e300
    n_curved, n_flat, done = 0, 0, 1
    known = math.isfinite(h[0])
    for k in range(before.shape[0]):
        while known and done < before[k]:
            known = math.isfinite(h[done])
            v1, v2, horizon, first, slope = _add_sample(d, h, done, hts, curve, v1, v2, horizon,
                                                        first, slope)
            lowered[done] = h[done] - curve * d[done] * d[done]
            n_curved = push_vertex(curved, n_curved, d, lowered, done)
            n_flat = push_vertex(flat, n_flat, d, h, done)
            done += 1
        m = before[k]
        end = m + own
        kept[0, m:end + 1], kept[1, m:end + 1] = d[m:end + 1], h[m:end + 1]
        w1, w2, up, at, steep = v1, v2, horizon, first, slope
        here = known and math.isfinite(ground_m[k])
        d[end], h[end] = 0.001 * distance_m[k], ground_m[k]
        for i in range(own):
            here = here and math.isfinite(approach_m[k, i])
            d[m + i] = 0.001 * (distance_m[k] - (own - i) * spacing_m[k])
            h[m + i] = approach_m[k, i]
            w1, w2, up, at, steep = _add_sample(d, h, m + i, hts, curve, w1, w2, up, at, steep)
        loss[k] = np.nan
        if here:
            w1, w2, _, _, _ = _add_sample(d, h, end, hts, curve, w1, w2, up, at, steep)
            back, last, height, slope_r = _receiver_side(
                d[:end + 1], h[:end + 1], lowered, curved, n_curved, flat, n_flat, m, hts,
                h[end] + terms[2], curve)
            loss[k] = _one_receiver(d[:end + 1], h[:end + 1], w1, w2, up, at, steep, back, last,
                                    slope_r, height, latitude[k], terms, vertical)
        d[m:end + 1], h[m:end + 1] = kept[0, m:end + 1], kept[1, m:end + 1]


@compiled
def _radial_kernel(along_m, heights_m, offsets, first, before, distance_m, ground_m, latitude,
                   spacing_m, approach_m, terms, vertical, loss):
    """Fill `loss` (receivers,) ray by ray."""
    longest = 0
    for r in range(offsets.shape[0] - 1):
        longest = max(longest, offsets[r + 1] - offsets[r])
    room = longest + approach_m.shape[1] + 1
    d, h, kept = np.zeros(room), np.zeros(room), np.zeros((3, room))
    curved, flat = np.empty(room, np.int64), np.empty(room, np.int64)
    for r in range(offsets.shape[0] - 1):
        a, b = first[r], first[r + 1]
        begin, count = offsets[r], offsets[r + 1] - offsets[r]
        for i in range(count):
            d[i] = 0.001 * along_m[begin + i]
            h[i] = heights_m[begin + i]
        _walk(d, h, kept, curved, flat, before[a:b], distance_m[a:b], ground_m[a:b],
              latitude[a:b], spacing_m[a:b], approach_m[a:b], terms, vertical, loss[a:b])


def radial_loss(model: str, along_m: NDArray[np.float64], heights_m: NDArray[np.float64],
                offsets: NDArray[np.int64], receivers: Receivers, frequency_mhz: float,
                tx_height_m: float, rx_height_m: float, medium: Medium, *,
                fast: bool = False) -> NDArray[np.float64]:
    """Return the basic transmission loss at receivers along rays from one transmitter, dB.

    Parameters
    ----------
    model : {"p1812", "p526"}
        `p1812` for half of the time, or `p526`.
    along_m, heights_m, offsets : arrays
        The rays, packed as in `phusong.paths.Paths`, from the transmitter outwards.
    receivers : Receivers
        Where the loss is wanted.
    frequency_mhz, tx_height_m, rx_height_m : float
        Carrier and antenna heights above ground, within the model's range.
    medium : Medium
        Scalars only; `delta_n`, `n0`, `location_percent`, `pixel_width_m` or
        `location_sigma_db`, `polarisation`.  Inland ground without clutter.
    fast : bool
        Leave out troposcatter where the diffraction loss is below `FAST_BELOW_DB`.

    Returns
    -------
    (receivers,) float64
        NaN where a height before the receiver, or under it, is not known.

    Raises
    ------
    OutOfRangeError
        If the model cannot be computed along rays.
    """
    if model not in ("p1812", "p526") or (model == "p1812" and medium.time_percent != 50.0):
        raise OutOfRangeError(f'The model "{model}" at {medium.time_percent} % of time cannot be '
                              f"computed along rays: p1812 at 50 % and p526 can. Compute every "
                              f"path by itself.")
    f = 1e-3 * frequency_mhz
    sigma = medium.location_sigma_db
    if sigma is None:
        sigma = location_sigma_db(frequency_mhz, medium.pixel_width_m, rx_height_m, 0.0)
    ours = model == "p1812"
    near = np.abs(receivers.latitude_deg).min(initial=90.0)
    far = 1e-3 * receivers.distance_m.max(initial=1.0)
    terms = np.array([
        f, tx_height_m, rx_height_m, medium.effective_radius_km, medium.n0,
        0.2998 / f if ours else 1e-9 * SPEED_OF_LIGHT_M_PER_S / f,
        92.4 if ours else float(free_space_loss_db(1000.0, 1000.0)),
        inverse_normal(0.01 * float(medium.location_percent)) * float(sigma),
        time_loss_floor_db(float(near), float(far)), FAST_BELOW_DB if fast else -1.0,
        float(ours)])
    turns = {"vertical": (True,), "horizontal": (False,), "slant": (True, False)}
    losses = []
    for vertical in turns[medium.polarisation]:
        loss = np.empty(receivers.distance_m.shape[0])
        _radial_kernel(along_m, heights_m, offsets, receivers.first, receivers.before,
                       receivers.distance_m, receivers.ground_m, receivers.latitude_deg,
                       receivers.spacing_m, receivers.approach_m, terms, vertical, loss)
        losses.append(loss)
    return losses[0] if len(losses) == 1 else 0.5 * (losses[0] + losses[1])
