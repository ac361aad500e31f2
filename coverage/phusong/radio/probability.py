"""How likely a place is covered, given a predicted level and how far it may be off."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["coverage_probability", "margin_for_probability_db", "total_sigma_db"]


def total_sigma_db(location_sigma_db: ArrayLike, model_sigma_db: ArrayLike) -> NDArray[np.float64]:
    """Return ``sqrt(sigma_location^2 + sigma_model^2)``, dB.

    Location variability is scatter inside a pixel; the model error stands
    beside it and is by far the larger of the two.
    """
    return np.hypot(np.asarray(location_sigma_db, float), np.asarray(model_sigma_db, float))


def coverage_probability(received_dbm: ArrayLike, threshold_dbm: ArrayLike, sigma_db: ArrayLike, *,
                         entry_db: ArrayLike | None = None) -> NDArray[np.float64]:
    """Return the probability that the level reaches the threshold.

    Parameters
    ----------
    received_dbm, threshold_dbm, sigma_db : array_like
        Predicted median level, needed level, standard deviation of the
        prediction.  NaN gives NaN.
    entry_db : array_like, optional
        Building entry losses at equally likely quantiles in the last axis (see
        `phusong.radio.entry.quantiles`): the probability is averaged over
        them, because entry loss is not Gaussian.

    Returns
    -------
    ndarray of float64
        Between 0 and 1.  Where sigma is 0 it is 0 or 1, a margin of exactly 0
        being enough.
    """
    from scipy.special import ndtr  # a tenth of a second that links alone need not wait for

    margin = np.asarray(received_dbm, float) - np.asarray(threshold_dbm, float)
    sigma = np.asarray(sigma_db, float)
    if entry_db is not None:
        margin = margin[..., None] - np.asarray(entry_db, float)
        sigma = sigma[..., None]
    with np.errstate(divide="ignore", invalid="ignore"):
        gaussian = ndtr(margin / sigma)
    sure = np.where(np.isnan(margin), np.nan, np.where(margin >= 0.0, 1.0, 0.0))
    out = np.where(sigma == 0.0, sure, np.where(sigma > 0.0, gaussian, np.nan))
    return np.asarray(out.mean(axis=-1) if entry_db is not None else out)


def margin_for_probability_db(probability: ArrayLike, sigma_db: ArrayLike) -> NDArray[np.float64]:
    """Return the margin over the threshold that gives `probability`, dB.

    Examples
    --------
    >>> round(float(margin_for_probability_db(0.9, 8.0)), 2)
    10.25
    """
    from scipy.special import ndtri

    return np.asarray(ndtri(np.asarray(probability, float)) * np.asarray(sigma_db, float))
