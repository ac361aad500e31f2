"""The link budget: from the power at an antenna port to the level a handset measures.

Powers in dBm, gains in dB positive, losses in dB positive.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field, field_validator

from phusong.errors import UnknownNameError
from phusong.nouns import Noun, nearest
from phusong.radio.bands import BANDS_MHZ
from phusong.radio.clutter import Clutter
from phusong.radio.medium import Environment, Medium, Number, Polarisation

__all__ = ["MODEL_NAMES", "PRESETS", "RECEIVERS", "SERVICE_LEVELS", "TECHNOLOGIES", "Preset",
           "Radio", "Receiver", "ServiceLevel", "eirp_dbm", "received_dbm",
           "reference_offset_db", "resource_blocks"]

Technology = Literal["GSM", "UMTS", "LTE", "NR"]
ModelName = Literal["p1812", "itm", "p526", "hata", "cost231", "rma", "rma_los", "rma_nlos",
                    "free_space"]

TECHNOLOGIES: tuple[str, ...] = get_args(Technology)
MODEL_NAMES: tuple[str, ...] = get_args(ModelName)

_LTE_BLOCKS = {1.4: 6, 3.0: 15, 5.0: 25, 10.0: 50, 15.0: 75, 20.0: 100}
_NR_BLOCKS_15_KHZ = {5.0: 25, 10.0: 52, 15.0: 79, 20.0: 106}
_NR_BLOCKS_30_KHZ = {25.0: 65, 30.0: 78, 40.0: 106, 50.0: 133, 60.0: 162, 70.0: 189, 80.0: 217,
                     90.0: 245, 100.0: 273}


def resource_blocks(technology: str, bandwidth_mhz: float) -> int:
    """Return the number of resource blocks of an LTE or NR carrier.

    LTE: TS 36.101 Table 5.6-1.  NR: TS 38.101-1 Table 5.3.2-1, 15 kHz
    subcarriers up to 20 MHz, 30 kHz above.  A bandwidth between two standard
    ones takes the nearest.

    Raises
    ------
    UnknownNameError
        If the technology has no resource blocks.
    """
    tables = {"LTE": _LTE_BLOCKS, "NR": _NR_BLOCKS_15_KHZ | _NR_BLOCKS_30_KHZ}
    if technology not in tables:
        raise UnknownNameError(f'"{technology}" has no resource blocks; only LTE and NR have.')
    table = tables[technology]
    return table[min(table, key=lambda width: (abs(width - bandwidth_mhz), width))]


def reference_offset_db(technology: str, bandwidth_mhz: float, *,
                        reference_boost_db: float = 0.0) -> float:
    """Return how far the measured signal lies below the total EIRP of its port, dB.

    Positive; to be taken off, as a loss is.

    Parameters
    ----------
    technology : {"GSM", "UMTS", "LTE", "NR"}
        LTE and NR: power per resource element, ``10 log10(12 N_RB)`` (RSRP is
        an average over resource elements, TS 36.214 5.1.1, TS 38.215 5.1.1).
        UMTS: CPICH at 10 % of the power, 10 dB.  GSM: BCCH at full power, 0.
    bandwidth_mhz : float
        Carrier bandwidth; read for LTE and NR only.
    reference_boost_db : float
        Boost of the reference signal, ``10 log10(1 + P_B)``; makes the result less.

    Examples
    --------
    >>> round(46.0206 - reference_offset_db("LTE", 10.0), 2)
    18.24
    """
    fixed = {"GSM": 0.0, "UMTS": 10.0}
    if technology in fixed:
        return fixed[technology] - reference_boost_db
    if technology not in TECHNOLOGIES:
        raise UnknownNameError(f'There is no technology "{technology}". '
                               f'{nearest(technology, TECHNOLOGIES)}')
    elements = 12 * resource_blocks(technology, bandwidth_mhz)
    return float(10.0 * np.log10(elements)) - reference_boost_db


def eirp_dbm(port_power_dbm: ArrayLike, gain_dbi: ArrayLike,
             feeder_loss_db: ArrayLike) -> NDArray[np.float64]:
    """Return the total EIRP of one antenna port in the main beam, dBm."""
    return np.asarray(np.asarray(port_power_dbm, float) + np.asarray(gain_dbi, float)
                      - np.asarray(feeder_loss_db, float))


def received_dbm(eirp_dbm: ArrayLike, pattern_db: ArrayLike, loss_db: ArrayLike,
                 offset_db: ArrayLike) -> NDArray[np.float64]:
    """Return the level of the reference signal at an isotropic receiver, dBm.

    Parameters
    ----------
    eirp_dbm : array_like
        Total EIRP of one port in the main beam.
    pattern_db : array_like
        Relative gain towards the receiver, <= 0.
    loss_db : array_like
        Basic transmission loss, positive; NaN = not known, gives NaN.
    offset_db : array_like
        As `reference_offset_db` returns it, >= 0.
    """
    return np.asarray(np.asarray(eirp_dbm, float) + np.asarray(pattern_db, float)
                      - np.asarray(loss_db, float) - np.asarray(offset_db, float))


class Preset(Noun):
    """What a cell is taken to be where the file does not say.

    Parameters
    ----------
    technology : {"GSM", "UMTS", "LTE", "NR"}
        Radio technology.
    frequency_mhz, bandwidth_mhz : float
        Downlink carrier and its bandwidth.
    port_power_dbm : float
        Total power at one antenna port.
    gain_dbi : float
        Antenna gain in the main beam.
    antenna_height_m : float
        Height above ground.
    tilt_deg : float
        Total downtilt.
    feeder_loss_db : float
        Loss between port and antenna.
    horizontal_beamwidth_deg : float
        3 dB beamwidth; 360 = omnidirectional.
    source : str
        Where the values come from.
    """

    technology: Technology
    frequency_mhz: float = Field(gt=30.0, le=100_000.0)
    bandwidth_mhz: float = Field(gt=0.0, le=400.0)
    port_power_dbm: float = Field(ge=0.0, le=70.0)
    gain_dbi: float = Field(ge=-10.0, le=40.0)
    antenna_height_m: float = Field(gt=0.0, le=500.0)
    tilt_deg: float = Field(default=3.0, ge=-45.0, le=45.0)
    feeder_loss_db: float = Field(default=0.5, ge=0.0, le=20.0)
    horizontal_beamwidth_deg: float = Field(default=70.0, gt=0.0, le=360.0)
    source: str = ""

    @property
    def eirp_dbm(self) -> float:
        """Total EIRP of one port in the main beam, dBm."""
        return self.port_power_dbm + self.gain_dbi - self.feeder_loss_db

    @property
    def reference_offset_db(self) -> float:
        """How far the measured signal lies below the total EIRP, dB, positive."""
        return reference_offset_db(self.technology, self.bandwidth_mhz)


_LOW = "Engineering convention: 40 W per port (46 dBm, TR 36.942), 15 dBi below 1 GHz, " \
       "radio head on the mast, 30 m mast; not a regulation"
_HIGH = "Engineering convention: 40 W per port (46 dBm, TR 36.942), 17 dBi panel above " \
        "1.7 GHz, radio head on the mast, 30 m mast; not a regulation"


def _preset(technology: Technology, frequency: float, bandwidth: float, power: float, gain: float,
            source: str) -> Preset:
    return Preset(technology=technology, frequency_mhz=frequency, bandwidth_mhz=bandwidth,
                  port_power_dbm=power, gain_dbi=gain, antenna_height_m=30.0, source=source)


PRESETS: dict[str, Preset] = {
    "GSM 900": _preset("GSM", 945.0, 0.2, 43.0, 15.0, "Engineering convention: 20 W per carrier"),
    "GSM 1800": _preset("GSM", 1840.0, 0.2, 43.0, 17.0, "Engineering convention: 20 W per carrier"),
    "UMTS 900": _preset("UMTS", 945.0, 5.0, 43.0, 15.0,
                        "43 dBm per carrier (TS 25.942), pilot at 10 %"),
    "UMTS 2100": _preset("UMTS", 2140.0, 5.0, 43.0, 17.0,
                         "43 dBm per carrier (TS 25.942), pilot at 10 %"),
    "LTE 700": _preset("LTE", 768.0, 10.0, 46.0, 15.0, _LOW),
    "LTE 900": _preset("LTE", 945.0, 10.0, 46.0, 15.0, _LOW),
    "LTE 1800": _preset("LTE", 1840.0, 20.0, 46.0, 17.0, _HIGH),
    "LTE 2100": _preset("LTE", 2140.0, 15.0, 46.0, 17.0, _HIGH),
    "LTE 2600": _preset("LTE", 2655.0, 20.0, 46.0, 17.0, _HIGH),
    "NR 700": _preset("NR", 768.0, 10.0, 46.0, 15.0, _LOW),
    "NR 2600": _preset("NR", 2590.0, 100.0, 49.0, 17.0,
                       "Assumption: 80 W over 100 MHz, broadcast beam as a 17 dBi panel"),
    "NR 3500": _preset("NR", 3750.0, 100.0, 49.0, 17.0,
                       "Assumption: 80 W over 100 MHz, broadcast beam as a 17 dBi panel"),
}
"""Defaults by technology and band."""


class Receiver(Noun):
    """Who listens: what lies between the air outside and the receiver's chip.

    Parameters
    ----------
    height_m : float
        Antenna height above ground.
    gain_dbi, body_loss_db : float
        Antenna gain, and loss through hand and body.
    building : {"", "traditional", "thermally_efficient"}
        Kind of building around it (P.2109-2); empty = outdoors.
    source : str
        Where the values come from.
    """

    height_m: float = Field(gt=0.0, le=100.0)
    gain_dbi: float = Field(default=0.0, ge=-20.0, le=40.0)
    body_loss_db: float = Field(default=0.0, ge=0.0, le=20.0)
    building: Literal["", "traditional", "thermally_efficient"] = ""
    source: str = ""

    @property
    def net_db(self) -> float:
        """Gain less body loss, dB: what to add to an outdoor level."""
        return self.gain_dbi - self.body_loss_db


RECEIVERS: dict[str, Receiver] = {
    "outdoor_handset": Receiver(height_m=1.5, body_loss_db=3.0,
                                source="3 dB body loss for data: planning practice"),
    "classroom_handset": Receiver(height_m=1.5, body_loss_db=3.0, building="traditional",
                                  source="ITU-R P.2109-2 traditional building; 3 dB body loss"),
    "roof_antenna": Receiver(height_m=8.0, gain_dbi=6.5,
                             source="Fixed outdoor terminal, 5 to 8 dBi: planning practice"),
}
"""Usual receivers."""


class ServiceLevel(Noun):
    """A named level of service and the received level it takes.

    Parameters
    ----------
    received_dbm : float
        Needed RSRP at the device, after entry and body loss.
    meaning : str
        What one can do there.
    source : str
        Where the value comes from; none of them is Vietnamese regulation.
    """

    received_dbm: float = Field(ge=-140.0, le=-30.0)
    meaning: str = ""
    source: str = "Engineering convention, not regulation"


SERVICE_LEVELS: dict[str, ServiceLevel] = {
    "voice": ServiceLevel(received_dbm=-115.0, meaning="VoLTE and emergency calls"),
    "data": ServiceLevel(received_dbm=-110.0, meaning="basic data"),
    "class": ServiceLevel(received_dbm=-105.0, meaning="one video class both ways"),
    "school": ServiceLevel(received_dbm=-95.0, meaning="a whole school, where capacity permits"),
}
"""The four usual levels (RSRP says nothing about load, hence nothing about speed)."""


class Radio(Noun):
    """The radio parameters of a study.

    Parameters
    ----------
    model : str
        Propagation model, a key of `phusong.radio.MODELS`.
    pattern : {"tr36814", "tr38901_element", "f1336"}
        Antenna pattern of a sector.
    profile_step_m : float
        Spacing of terrain samples; fixed and published because P.1812 with
        clutter depends on it.
    max_range_m : float
        Links longer than this are not looked at.
    receiver_height_m : float
        Receiver above ground where a point does not say.
    best_per_operator : int
        How many of the best links to keep for each point and operator.
    delta_n, n0 : float
        Refractivity lapse rate (N-units/km) and sea-level refractivity.
    climate : dict of place to (longitude, latitude, delta_n, n0)
        Places between which both are interpolated instead, link by link; a
        study that states neither takes those of its profile.
    time_percent, location_percent : float
        Percentages for which the loss is not exceeded.
    polarisation : {"vertical", "horizontal", "slant"}
        ``"slant"`` is the mean of both.
    pixel_width_m : float
        Area over which location variability is meant.
    environment : {"open", "suburban", "urban_small", "urban_large"}
        Surroundings for the Hata family.
    clutter : Clutter
        Heights of trees and houses, where the study has land cover.
    calibration_db : dict of band to float
        What measurements say must be added to every level of a band (see
        `phusong.calibration`); bands as in `phusong.radio.bands`.
    presets : dict of str to Preset
        Defaults by technology and band; own entries are added to, and
        replace, the built-in ones.
    """

    model: ModelName = "p1812"
    pattern: Literal["tr36814", "tr38901_element", "f1336"] = "tr36814"
    profile_step_m: float = Field(default=30.0, ge=5.0, le=500.0)
    max_range_m: float = 30_000.0
    receiver_height_m: float = Field(default=1.5, gt=0.0, le=100.0)
    best_per_operator: int = Field(default=3, ge=1, le=100)
    delta_n: float = Field(default=45.0, gt=0.0, lt=150.0)
    n0: float = Field(default=325.0, ge=200.0, le=450.0)
    climate: dict[str, tuple[float, float, float, float]] = Field(default_factory=dict)
    time_percent: float = Field(default=50.0, ge=1.0, le=50.0)
    location_percent: float = Field(default=50.0, ge=1.0, le=99.0)
    polarisation: Polarisation = "vertical"
    pixel_width_m: float = Field(default=100.0, gt=0.0, le=1000.0)
    environment: Environment = "open"
    clutter: Clutter = Clutter()
    calibration_db: dict[int, float] = Field(default_factory=dict)
    presets: dict[str, Preset] = Field(default_factory=lambda: dict(PRESETS))

    @field_validator("model", mode="before")
    @classmethod
    def _known_model(cls, value: object) -> object:
        if value not in MODEL_NAMES:
            raise ValueError(f'there is no propagation model "{value}". '
                             f'{nearest(str(value), MODEL_NAMES)}')
        return value

    @field_validator("max_range_m")
    @classmethod
    def _metres(cls, value: float) -> float:
        if not value >= 100.0:
            raise ValueError(f"max_range_m = {value:g} is less than 100 m: did you write "
                             f"kilometres? Write {value * 1000:g} for {value:g} km.")
        if value > 100_000.0:
            raise ValueError(f"max_range_m = {value:g} is more than 100 km: no handset is heard "
                             f"that far. Write at most 100000.")
        return value

    @field_validator("calibration_db")
    @classmethod
    def _known_bands(cls, value: dict[int, float]) -> dict[int, float]:
        wrong = [band for band in value if band not in BANDS_MHZ]
        if wrong:
            raise ValueError("; ".join(f'there is no band "{band}". '
                                       f"{nearest(str(band), map(str, BANDS_MHZ))}"
                                       for band in wrong))
        if any(not abs(added) <= 40.0 for added in value.values()):
            raise ValueError(f"calibration_db = {value}: more than 40 dB is no calibration but a "
                             f"wrong power, height or position of the cells. Mend those.")
        return value

    @field_validator("presets")
    @classmethod
    def _built_in_presets_stay(cls, value: dict[str, Preset]) -> dict[str, Preset]:
        return PRESETS | value

    def preset(self, technology: str, frequency_mhz: float | None = None) -> Preset:
        """Return the preset of `technology` whose band is nearest to a frequency.

        Parameters
        ----------
        technology : str
            GSM, UMTS, LTE or NR.
        frequency_mhz : float, optional
            Nearest on a logarithmic scale; None or NaN = the lowest band, the
            one that rural sites use.

        Raises
        ------
        UnknownNameError
            If no preset has this technology.
        """
        known = sorted((p for p in self.presets.values() if p.technology == technology),
                       key=lambda p: p.frequency_mhz)
        if not known:
            raise UnknownNameError(f'There is no preset for "{technology}". '
                                   f'{nearest(technology, TECHNOLOGIES)}')
        if frequency_mhz is None or not frequency_mhz > 0.0:
            return known[0]
        return min(known, key=lambda p: abs(np.log(p.frequency_mhz / frequency_mhz)))

    def medium(self, *, latitude_deg: Number = 21.0, delta_n: Number | None = None,
               n0: Number | None = None) -> Medium:
        """Return the medium for a batch of paths.

        Parameters
        ----------
        latitude_deg : Number
            Latitude of the middle of each path.
        delta_n, n0 : Number, optional
            Refractivity where it is known better than the study's own value.
        """
        return Medium(delta_n=self.delta_n if delta_n is None else delta_n,
                      n0=self.n0 if n0 is None else n0,
                      time_percent=self.time_percent, location_percent=self.location_percent,
                      pixel_width_m=self.pixel_width_m, polarisation=self.polarisation,
                      latitude_deg=latitude_deg, environment=self.environment)
