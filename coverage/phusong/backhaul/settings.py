"""What a feeder must be like: bands, rain, clearance, media, and how many hops."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator

from phusong.nouns import Noun, nearest
from phusong.profile import Profile
from phusong.radio.climate import refractivity_at
from phusong.radio.rain import rain_attenuation_db

__all__ = ["Feeder"]

MEDIA = ("microwave", "fibre", "satellite")
_ASSUMED_MM_PER_H = 90.0


class Feeder(Noun):
    """How new sites may reach the network.

    Parameters
    ----------
    media : tuple of {"microwave", "fibre", "satellite"}
        What may be built.
    bands_ghz : tuple of float
        Bands to choose from; the highest that lasts through the rain is taken,
        because low bands are scarce.
    rain_mm_per_h : float or None
        Rain rate exceeded 0.01 % of a year (ITU-R P.837), the same everywhere;
        None = interpolated for the middle of each hop from `rain`.
    rain : dict of place to (longitude, latitude, mm/h)
        Where the rain rate is known; by default what the study's profile knows.
        Without any, 90 mm/h (Hanoi: 89).
    fade_margin_db : float
        Attenuation by rain that a hop stands; 30 dB is planning practice.
    clearance : float
        Needed clearance in radii of the first Fresnel zone over an earth of
        4/3 of its radius (ITU-R P.530-18, 2.2.2.1: 0.6).
    clearance_bent : float
        The same over an earth of 0.6 of its radius, when the air bends rays
        upwards; 0 = the ray still passes over everything (a choice made here:
        P.530 leaves it to the climate).
    relay_mast_m : float
        Antennas of hops hang no higher than this at a new place, so that a mast
        that only passes hops on carries them as well as a site does.
    max_hop_m : float
        Never longer than this.
    max_hops : int
        Most microwave hops from a site to a standing mast or to fibre.
    relays : bool
        Whether a mast may be put up at a candidate place only to pass hops on.
    max_fibre_m : float
        Longest fibre between two places (15 km: ITU Connectivity Planning
        Platform until August 2026, 50 km since).
    satellite : {"last", "compete"}
        ``last``: only for places that no other feeder reaches, as the goal's
        satellite terminals; ``compete``: wherever it is cheaper.
    sky_elevation_deg, sky_share : float
        A satellite feeder needs terrain below this elevation over at least
        this share of all directions.
    neighbours : int
        How many of the nearest places and masts are tried from each place.
    """

    media: tuple[str, ...] = MEDIA
    bands_ghz: tuple[float, ...] = (7.5, 15.0, 18.0, 23.0)
    rain_mm_per_h: float | None = Field(default=None, ge=0.0, le=300.0)
    rain: dict[str, tuple[float, float, float]] = Field(default_factory=dict)
    fade_margin_db: float = Field(default=30.0, gt=0.0, le=80.0)
    clearance: float = Field(default=0.6, ge=0.0, le=2.0)
    clearance_bent: float = Field(default=0.0, ge=-2.0, le=2.0)
    relay_mast_m: float = Field(default=30.0, ge=3.0, le=150.0)
    max_hop_m: float = Field(default=30_000.0, ge=100.0, le=60_000.0)
    max_hops: int = Field(default=3, ge=1, le=20)
    relays: bool = True
    max_fibre_m: float = Field(default=15_000.0, ge=0.0, le=100_000.0)
    satellite: Literal["last", "compete"] = "last"
    sky_elevation_deg: float = Field(default=25.0, ge=0.0, lt=90.0)
    sky_share: float = Field(default=0.8, gt=0.0, le=1.0)
    neighbours: int = Field(default=12, ge=1, le=200)

    @field_validator("bands_ghz")
    @classmethod
    def _microwave(cls, values: tuple[float, ...]) -> tuple[float, ...]:
        wrong = [v for v in values if not 1.0 <= v <= 100.0]
        if wrong or not values:
            raise ValueError(f"bands_ghz: give bands of 1 to 100 GHz, not {list(values)}")
        return tuple(sorted(values))

    @field_validator("media")
    @classmethod
    def _known_media(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        said = "; ".join(f'there is no medium "{v}". {nearest(v, MEDIA)}' for v in values
                         if v not in MEDIA)
        if said or not values:
            raise ValueError(said or f"media: name at least one of {', '.join(MEDIA)}")
        return values

    @field_validator("rain")
    @classmethod
    def _rates(cls, values: dict[str, tuple[float, float, float]]
               ) -> dict[str, tuple[float, float, float]]:
        wrong = [name for name, (lon, lat, rate) in values.items()
                 if not (-180.0 <= lon <= 360.0 and -90.0 <= lat <= 90.0 and 0.0 <= rate <= 300.0)]
        if wrong:
            raise ValueError(f"rain: give longitude, latitude and mm/h (0 to 300); wrong are "
                             f"{', '.join(wrong)}")
        return values

    @classmethod
    def of_profile(cls, profile: Profile) -> dict[str, Any]:
        """Return the values that a country's profile settles, for a study file to overrule."""
        return {"rain": profile.rain}

    def rain_at(self, longitude_deg: NDArray[np.float64], latitude_deg: NDArray[np.float64]
                ) -> NDArray[np.float64]:
        """Return the rain rate exceeded 0.01 % of a year at places given in degrees, mm/h.

        Between the places of `rain` it is weighted by inverse squared distance,
        never beyond their values.
        """
        if self.rain_mm_per_h is not None or not self.rain:
            rate = _ASSUMED_MM_PER_H if self.rain_mm_per_h is None else self.rain_mm_per_h
            return np.full(len(longitude_deg), rate)
        known = {name: (lon, lat, rate, rate) for name, (lon, lat, rate) in self.rain.items()}
        return refractivity_at(longitude_deg, latitude_deg, known)[0]

    def band_for(self, distance_m: NDArray[np.float64], rain_mm_per_h: NDArray[np.float64]
                 ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the highest band that lasts over each hop, and the rain's attenuation on it.

        Parameters
        ----------
        distance_m, rain_mm_per_h : (hops,) float64
            Length and rain rate of each hop.

        Returns
        -------
        band_ghz, rain_db : (hops,) float64
            NaN where no band lasts, or the hop is longer than `max_hop_m`.
        """
        band, loss = np.full(len(distance_m), np.nan), np.full(len(distance_m), np.nan)
        short = distance_m <= self.max_hop_m
        for each in self.bands_ghz:
            here = rain_attenuation_db(distance_m / 1000.0, each, rain_mm_per_h)
            lasts = short & (here <= self.fade_margin_db)
            band[lasts], loss[lasts] = each, here[lasts]
        return band, loss
