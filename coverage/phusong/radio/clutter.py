"""Clutter: how high trees and houses stand, by class of land cover."""

from __future__ import annotations

from pydantic import Field, field_validator

from phusong.nouns import Noun

__all__ = ["WORLDCOVER_M", "Clutter"]

WORLDCOVER_M: dict[int, float] = {10: 15.0, 20: 0.0, 30: 0.0, 40: 0.0, 50: 15.0, 60: 0.0, 70: 0.0,
                                  80: 0.0, 90: 0.0, 95: 15.0, 100: 0.0}
"""Class of ESA WorldCover -> representative clutter height, m.

Heights of ITU-R P.1812-8 Table 2: trees (10), mangroves (95) and built-up (50)
stand for "urban/trees/forest", 15 m; everything else for "water/sea" and
"open/rural", 0 m.  Fields of rice and scrub are open.
"""


class Clutter(Noun):
    """What is added to bare ground between two antennas (P.1812-8 section 3.2.1).

    It counts only where the study has land cover.  The loss then depends on
    the spacing of samples: `Radio.profile_step_m` must stay as it was
    calibrated.

    Parameters
    ----------
    heights_m : dict of class to float
        Representative height of each class of the land cover; a class that is
        not listed is not known.  By default those of ESA WorldCover.
    clear_m : float
        Ground nearer than this to either antenna is free of clutter: a
        school's yard, a mast's plot.
    """

    heights_m: dict[int, float] = Field(default_factory=lambda: dict(WORLDCOVER_M), min_length=1)
    clear_m: float = Field(default=50.0, ge=0.0, le=2000.0)

    @field_validator("heights_m")
    @classmethod
    def _plausible(cls, value: dict[int, float]) -> dict[int, float]:
        odd = {name: height for name, height in value.items() if not 0.0 <= height <= 100.0}
        if odd:
            raise ValueError(f"heights_m: {odd}: clutter stands between 0 and 100 m high")
        return value
