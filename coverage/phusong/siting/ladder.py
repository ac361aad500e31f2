"""From places to candidate cells: what could be built there."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd

from phusong.errors import UnknownNameError
from phusong.nouns import nearest
from phusong.radio.budget import Preset, Radio
from phusong.service import SATELLITE, WIFI
from phusong.siting.sectors import best_azimuth, sector_tilts
from phusong.siting.settings import Siting
from phusong.siting.sight import Gaps

__all__ = ["light_cells", "macro_cells", "micro_cells", "presets_of", "repeater_cells",
           "roof_cells", "satellite_cells", "sector_cells"]

_WIFI_MHZ, _WIFI_WIDTH_MHZ, _WIFI_DBM = 2400.0, 20.0, 20.0
_TERMINAL_M = 4.0
_SECTORS = 3


def _cells(places: pd.DataFrame, site_id: pd.Series, number: int, rung: str, preset: Preset,
           **columns: object) -> pd.DataFrame:
    """Rows of one cell for each place; `columns` overrule what the preset says."""
    data = {"site_id": site_id, "technology": preset.technology,
            "frequency_mhz": preset.frequency_mhz, "bandwidth_mhz": preset.bandwidth_mhz,
            "antenna_height_m": preset.antenna_height_m, "azimuth_deg": np.nan,
            "tilt_deg": preset.tilt_deg, "beamwidth_deg": preset.horizontal_beamwidth_deg,
            "gain_dbi": preset.gain_dbi, "eirp_dbm": preset.eirp_dbm, "reach_m": np.nan,
            "intervention": rung} | columns
    out = places.assign(**data)
    return out.set_axis(pd.Index([f"{s}-{number}" for s in site_id], name="cell_id"))


def macro_cells(places: pd.DataFrame, seen: pd.DataFrame, gaps: Gaps, siting: Siting,
                presets: dict[str, Preset]) -> pd.DataFrame:
    """Return three sectors for each place, band and height, turned and tilted to the gaps."""
    xy = places[["x", "y"]].to_numpy(np.float64)
    first = best_azimuth(seen, xy, gaps, _SECTORS)
    several = len(presets) * len(siting.macro_heights_m) > 1
    out = []
    for band, preset in presets.items():
        for height in siting.macro_heights_m:
            tail = f"-{band.replace(' ', '')}-{height:g}m" if several else ""
            site_id = places["variant_of"] + "-macro" + tail
            for k in range(_SECTORS):
                azimuth = (first + 360.0 / _SECTORS * k) % 360.0
                tilt = sector_tilts(seen, xy, gaps, azimuth, preset.tilt_deg)
                out.append(_cells(places, site_id, k + 1, "macro", preset,
                                  antenna_height_m=height, azimuth_deg=azimuth, tilt_deg=tilt))
    return pd.concat(out)


def light_cells(places: pd.DataFrame, siting: Siting, presets: dict[str, Preset],
                left_out: Counter[str]) -> pd.DataFrame:
    """Return one omnidirectional cell for each place that can relay a standing site.

    The site must stand within `siting.light_relay_m` and in sight; where sight
    is not known, distance decides.
    """
    near = ((places["backhaul_distance_m"] <= siting.light_relay_m)
            & (places["backhaul_sight"] != "blocked"))
    left_out["light_no_relay"] += int((~near).sum())
    here = places[near]
    preset = next(iter(presets.values()))
    eirp = siting.light_port_power_dbm + siting.light_gain_dbi - preset.feeder_loss_db
    return _cells(here, here["variant_of"] + "-light", 1, "light", preset,
                  antenna_height_m=siting.light_height_m, gain_dbi=siting.light_gain_dbi,
                  eirp_dbm=eirp, beamwidth_deg=360.0, tilt_deg=0.0)


def sector_cells(places: pd.DataFrame, seen: pd.DataFrame, gaps: Gaps, standing: pd.DataFrame,
                 presets: dict[str, Preset], left_out: Counter[str]) -> pd.DataFrame:
    """Return one new sector for each standing mast, towards the gaps it sees.

    A mast that already has the band there (an omnidirectional cell, or one
    within 50 degrees) gets none, which is counted.
    """
    xy = places[["x", "y"]].to_numpy(np.float64)
    azimuth = best_azimuth(seen, xy, gaps, 1)
    out = []
    for band, preset in presets.items():
        tilt = sector_tilts(seen, xy, gaps, azimuth, preset.tilt_deg)
        tail = f"-{band.replace(' ', '')}" if len(presets) > 1 else ""
        rows = _cells(places, places["variant_of"] + "-sector" + tail, 1, "sector", preset,
                      antenna_height_m=places["mast_m"].fillna(preset.antenna_height_m),
                      azimuth_deg=azimuth, tilt_deg=tilt)
        there = _has_band(places, azimuth, standing, preset)
        left_out["sector_already_there"] += int(there.sum())
        out.append(rows[~there])
    return pd.concat(out)


def _has_band(places: pd.DataFrame, azimuth: np.ndarray, standing: pd.DataFrame,
              preset: Preset) -> np.ndarray:
    same = standing[(standing["technology"] == preset.technology)
                    & (np.abs(np.log(standing["frequency_mhz"] / preset.frequency_mhz)) < 0.1)]
    cells = same[["site_id", "azimuth_deg"]].merge(
        pd.DataFrame({"site_id": places["mast"].to_numpy(), "towards": azimuth}), on="site_id")
    off = np.abs((cells["azimuth_deg"] - cells["towards"] + 180.0) % 360.0 - 180.0)
    return places["mast"].isin(cells.loc[~(off > 50.0), "site_id"]).to_numpy()


def micro_cells(places: pd.DataFrame, siting: Siting, presets: dict[str, Preset]) -> pd.DataFrame:
    """Return one omnidirectional cell on a solar pole with a feeder of its own for each place."""
    preset = next(iter(presets.values()))
    eirp = siting.micro_port_power_dbm + siting.light_gain_dbi - preset.feeder_loss_db
    return _cells(places, places["variant_of"] + "-micro", 1, "micro", preset,
                  antenna_height_m=siting.micro_height_m, gain_dbi=siting.light_gain_dbi,
                  eirp_dbm=eirp, beamwidth_deg=360.0, tilt_deg=0.0)


def repeater_cells(places: pd.DataFrame, heard: pd.DataFrame, siting: Siting,
                   left_out: Counter[str]) -> pd.DataFrame:
    """Return a repeater of the strongest cell heard for each place that hears one well enough.

    It sends on what it hears: EIRP = level heard + gain of the donor antenna + gain of
    the amplifier (at most its greatest output) + gain of the serving antenna.

    Parameters
    ----------
    places : DataFrame
        x, y, variant_of and what `describe` tells.
    heard : DataFrame
        As `phusong.siting.donors.donors` returns it.
    siting : Siting
        Antennas and amplifier.
    left_out : Counter
        Counts places whose repeater would be weaker than `siting.repeater_least_eirp_dbm`.
    """
    here = places[places["variant_of"].isin(heard.index)].reset_index(drop=True)
    donor = heard.loc[here["variant_of"]]
    output = np.minimum(donor["heard_dbm"].to_numpy() + siting.repeater_donor_gain_dbi
                        + siting.repeater_gain_db, siting.repeater_output_dbm)
    eirp = output + siting.light_gain_dbi
    good = eirp >= siting.repeater_least_eirp_dbm
    left_out["repeater_hears_too_little"] += len(places) - int(good.sum())
    here, donor, eirp = here[good], donor[good], eirp[good]
    preset = Preset(technology="LTE", frequency_mhz=900.0, bandwidth_mhz=10.0, port_power_dbm=0.0,
                    gain_dbi=siting.light_gain_dbi, antenna_height_m=siting.repeater_height_m,
                    horizontal_beamwidth_deg=360.0, tilt_deg=0.0)
    cells = _cells(here, here["variant_of"] + "-repeater", 1, "repeater", preset, eirp_dbm=eirp)
    columns = ("technology", "frequency_mhz", "bandwidth_mhz", "operator")
    return cells.assign(**{c: donor[c].to_numpy() for c in columns})


def satellite_cells(places: pd.DataFrame, siting: Siting) -> pd.DataFrame:
    """Return a terminal with its own Wi-Fi cell for each place."""
    return _indoor(places, siting, "satellite", SATELLITE)


def roof_cells(places: pd.DataFrame, siting: Siting) -> pd.DataFrame:
    """Return an antenna on the roof with its own Wi-Fi cell for each place."""
    return _indoor(places, siting, "roof", WIFI)


def _indoor(places: pd.DataFrame, siting: Siting, rung: str, technology: str) -> pd.DataFrame:
    preset = Preset(technology="LTE", frequency_mhz=_WIFI_MHZ, bandwidth_mhz=_WIFI_WIDTH_MHZ,
                    port_power_dbm=_WIFI_DBM, gain_dbi=0.0, feeder_loss_db=0.0, tilt_deg=0.0,
                    antenna_height_m=_TERMINAL_M, horizontal_beamwidth_deg=360.0)
    return _cells(places, places["variant_of"], 1, rung, preset, technology=technology,
                  reach_m=siting.terminal_reach_m)


def presets_of(siting: Siting, radio: Radio) -> dict[str, Preset]:
    """Return the presets of the bands that are offered; an unknown name is refused."""
    wrong = [name for name in siting.bands if name not in radio.presets]
    if wrong or not siting.bands:
        said = "; ".join(f'there is no radio preset "{n}". {nearest(n, radio.presets)}'
                         for n in wrong)
        raise UnknownNameError(f"siting.bands: {said or 'name at least one radio preset.'}")
    return {name: radio.presets[name] for name in siting.bands}
