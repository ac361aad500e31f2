"""What "covered" means, and who is.

A `Need` is a named definition of covered.  `levels` judges every link by it,
`serves` says which links would cover their point alone, and `assess` gives
each point one status with one reason.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field, field_validator, model_validator

from phusong.nouns import Noun, Text, nearest
from phusong.radio.budget import RECEIVERS, TECHNOLOGIES
from phusong.radio.entry import quantiles
from phusong.radio.probability import coverage_probability, total_sigma_db
from phusong.radio.variability import location_sigma_db
from phusong.tables import SERVICE
from phusong.verdicts import Heard, Texts, places_of, verdicts

__all__ = ["DEFINITIONS", "LOCAL", "SATELLITE", "WIFI", "Hearing", "Need", "assess",
           "assess_alone", "levels", "serves"]

SATELLITE = "SAT"
"""Technology of a satellite terminal with its own Wi-Fi cell."""
WIFI = "WIFI"
"""Technology of the Wi-Fi cell behind an antenna on the roof."""
LOCAL = (SATELLITE, WIFI)
"""Cells inside the place itself: no mast, no entry loss, nothing to calibrate."""

_RECEIVER_OF = {"outdoor": "outdoor_handset", "classroom": "classroom_handset",
                "roof": "roof_antenna"}
_KNOWN = (*TECHNOLOGIES, *LOCAL)


class Need(Noun):
    """A named definition of "covered".

    Parameters
    ----------
    name : str
        Short name, as a study file uses it.
    label : Text
        The same for people.
    technologies : tuple of str
        Which technologies count: GSM, UMTS, LTE, NR, SAT, WIFI (behind a roof antenna).
    received_dbm : float
        Median reference-signal level (RSRP) needed at the device, after entry
        and body loss.  The default of -110 dBm is an engineering convention,
        not regulation: regulators and operators use -105 to -115 dBm
        (IMDA Singapore -109 dBm outdoors; operators' design values -113 and
        -105 dBm); at -110 dBm a 10 MHz LTE carrier carries about 1 Mbit/s
        uplink by attenuated Shannon (TR 36.942 A.1).
    place : {"outdoor", "classroom", "roof"}
        Where the device is.  A classroom adds building entry loss (ITU-R
        P.2109-2).  The height of the antenna is not set here but in the
        points' ``antenna_height_m`` or the study's ``receiver_height_m``.
    gain_dbi, body_loss_db : float or None
        Gain of the device's antenna, loss through hand and body.  None = usual
        for the place: 0 dBi and 3 dB for a handset, 6.5 dBi and 0 dB for an
        antenna on the roof (planning practice).
    building : {"traditional", "thermally_efficient"}
        Kind of classroom building.
    sigma_model_db : float
        Standard deviation of what the model gets wrong; 8 dB (TR 38.901 RMa,
        non-line-of-sight shadow fading) until it has been calibrated.
    pixel_width_m : float
        Width of the area that a point stands for: the scatter of levels inside
        it (ITU-R P.1812 4.7, without clutter, at the usual receiver of the
        place; 1.7 dB at 100 m and 1,800 MHz) is added to `sigma_model_db` in
        squares.  0 = none, as where a measured scatter holds it already.
    probability : float
        Covered at or above it; 0.9 is the FCC's cell-edge probability for
        mobile broadband maps.
    gap_probability : float
        Uncovered below it; in between the model cannot say.
    site_list : {"complete", "partial"}
        ``"partial"`` = towers may be missing from the list, so that nothing
        follows from there being none: uncovered turns into unknown.
    operators_needed : int
        How many different operators must cover the point.
    source : str
        Where the definition comes from.
    """

    name: str = "data"
    label: Text = Text()
    technologies: tuple[str, ...] = ("LTE", "NR", *LOCAL)
    received_dbm: float = Field(default=-110.0, ge=-140.0, le=-30.0)
    place: Literal["outdoor", "classroom", "roof"] = "outdoor"
    gain_dbi: float | None = Field(default=None, ge=-20.0, le=40.0)
    body_loss_db: float | None = Field(default=None, ge=0.0, le=20.0)
    building: Literal["traditional", "thermally_efficient"] = "traditional"
    sigma_model_db: float = Field(default=8.0, ge=0.0, le=30.0)
    pixel_width_m: float = Field(default=100.0, ge=0.0, le=1000.0)
    probability: float = Field(default=0.9, gt=0.0, lt=1.0)
    gap_probability: float = Field(default=0.5, gt=0.0, lt=1.0)
    site_list: Literal["complete", "partial"] = "complete"
    operators_needed: int = Field(default=1, ge=1, le=20)
    source: str = "Engineering convention, not regulation"

    @field_validator("technologies", mode="before")
    @classmethod
    def _known_technologies(cls, value: object) -> object:
        names = [value] if isinstance(value, str) else list(value or ())  # type: ignore[call-overload]
        if not names:
            raise ValueError("technologies: name at least one of " + ", ".join(_KNOWN))
        wrong = [name for name in names if name not in _KNOWN]
        if wrong:
            raise ValueError("; ".join(f'there is no technology "{name}". {nearest(name, _KNOWN)}'
                                       for name in wrong))
        return tuple(names)

    @model_validator(mode="after")
    def _gap_below_covered(self) -> Need:
        if self.gap_probability > self.probability:
            raise ValueError(f"gap_probability = {self.gap_probability:g} is above probability = "
                             f"{self.probability:g}: a point would be covered and uncovered at "
                             f"once. Lower it.")
        return self

    @property
    def device_db(self) -> float:
        """What the device adds to an isotropic outdoor level: gain less body loss, dB."""
        usual = RECEIVERS[_RECEIVER_OF[self.place]]
        gain = usual.gain_dbi if self.gain_dbi is None else self.gain_dbi
        return gain - (usual.body_loss_db if self.body_loss_db is None else self.body_loss_db)


_NOTE = "Engineering convention, not regulation: "

DEFINITIONS: dict[str, Need] = {
    "voice": Need(name="voice", label=Text(en="Voice and emergency calls (RSRP -115 dBm)",
                                           vi="Gọi thoại và khẩn cấp (RSRP -115 dBm)"),
                  received_dbm=-115.0,
                  source=_NOTE + "limit of operators' surveys; design values use -113 dBm"),
    "data": Need(name="data", label=Text(en="Basic data (RSRP -110 dBm)",
                                         vi="Dữ liệu cơ bản (RSRP -110 dBm)"),
                 received_dbm=-110.0,
                 source=_NOTE + "about IMDA Singapore's -109 dBm outdoors; near 1 Mbit/s uplink "
                 "on 10 MHz by attenuated Shannon (TR 36.942 A.1)"),
    "class": Need(name="class", label=Text(en="One online class (RSRP -105 dBm)",
                                           vi="Một lớp học trực tuyến (RSRP -105 dBm)"),
                  received_dbm=-105.0,
                  source=_NOTE + "operators' -105 dBm outdoor limit; near 2.6 Mbit/s uplink, "
                  "compare the 2.5 Mbit/s declared under QCVN 81:2019/BTTTT"),
    "school": Need(name="school", label=Text(en="A whole school, capacity permitting "
                                             "(RSRP -95 dBm)",
                                             vi="Cả trường, nếu đủ dung lượng (RSRP -95 dBm)"),
                   received_dbm=-95.0,
                   source=_NOTE + "level at which a 20 MHz carrier runs near its peak; says "
                   "nothing about load"),
}
"""Definitions of covered that the program brings; a study may add its own."""


def levels(links: pd.DataFrame, need: Need) -> pd.DataFrame:
    """Judge every link by a definition of covered.

    Parameters
    ----------
    links : DataFrame
        LINKS.
    need : Need
        The definition.

    Returns
    -------
    DataFrame
        Aligned to `links`: ``counts`` (its technology counts), ``level_dbm``
        (median at the device, after entry and body loss), ``margin_db``,
        ``probability``, with nothing in the way ``free_space_probability``,
        and with unknown ground as low as can be ``best_case_probability``.
        Numbers are NaN where the loss is not known or the technology does not
        count.

    Notes
    -----
    The Wi-Fi of a satellite terminal (``SAT``) or behind a roof antenna (``WIFI``)
    is judged outdoors and at its median: it is covered exactly if the level suffices.
    """
    counts = links["technology"].isin(need.technologies).to_numpy(bool)
    inside = links["technology"].isin(LOCAL).to_numpy(bool)
    frequency = links["frequency_mhz"].to_numpy(float)
    received = np.where(counts, links["received_dbm"].to_numpy(float), np.nan) + need.device_db
    clear = np.where(counts, links["free_space_dbm"].to_numpy(float), np.nan) + need.device_db
    case = clear if "best_case_dbm" not in links else np.where(
        counts, links["best_case_dbm"].to_numpy(float), np.nan) + need.device_db
    scatter = location_sigma_db(frequency, need.pixel_width_m,
                                RECEIVERS[_RECEIVER_OF[need.place]].height_m, 0.0)
    sigma = np.where(inside, 0.0, total_sigma_db(scatter, need.sigma_model_db))
    median = np.zeros(len(links))
    if need.place == "classroom":
        bands, band = np.unique(frequency, return_inverse=True)
        entry = np.where(inside[:, None], 0.0, quantiles(bands, building=need.building)[band])
        middle = quantiles(bands, building=need.building, count=1)[band, 0]
        median = np.where(inside, 0.0, middle)
        chance, best, hope = (_chunked(level, need.received_dbm, sigma, entry)
                              for level in (received, clear, case))
    else:
        chance, best, hope = (coverage_probability(level, need.received_dbm, sigma)
                              for level in (received, clear, case))
    level = received - median
    return pd.DataFrame({"counts": counts, "level_dbm": level,
                         "margin_db": level - need.received_dbm, "probability": chance,
                         "free_space_probability": best, "best_case_probability": hope},
                        index=links.index)


def _chunked(received: NDArray[np.float64], needed: float, sigma: NDArray[np.float64],
             entry: NDArray[np.float64]) -> NDArray[np.float64]:
    """Integrate over entry loss, a bounded number of links at a time."""
    out = np.empty(received.shape[0])
    for first in range(0, received.shape[0], 65_536):
        part = slice(first, first + 65_536)
        out[part] = coverage_probability(received[part], needed, sigma[part], entry_db=entry[part])
    return out


def serves(links: pd.DataFrame, need: Need) -> pd.Series:
    """Tell which links would cover their point on their own.

    Returns
    -------
    Series of bool
        Aligned to `links`: the link's technology counts and its level is
        reached with the definition's probability.  `operators_needed` is not
        looked at: one link is one operator.
    """
    judged = levels(links, need)
    return pd.Series((judged["probability"] >= need.probability).to_numpy(bool),
                     index=links.index, name="serves")


def assess(points: pd.DataFrame, links: pd.DataFrame, need: Need) -> pd.DataFrame:
    """Give every point one status, with one reason.

    Parameters
    ----------
    points : GeoDataFrame
        POINTS.
    links : DataFrame
        LINKS from these points to the cells that count.
    need : Need
        The definition of covered.

    Returns
    -------
    DataFrame
        SERVICE, one row for each point, in the order of `points`.
        ``probability`` is that of the operator that decides: the best one, or
        the second best where two operators are needed.  ``best_cell_id`` is
        the most probable cell, with its level and margin, also where it does
        not suffice.

    Notes
    -----
    `covered` at or above `need.probability`, `uncovered` below
    `need.gap_probability`, `uncertain` between.  A link whose loss is not
    known makes an uncovered point `unknown` if the link might reach it, were
    the unknown ground as low as the lowest ground known.  More cells never make
    a covered point uncovered.
    """
    return Hearing(points, links).by(need)


def assess_alone(points: pd.DataFrame, links: pd.DataFrame, need: Need,
                 operators: Iterable[str]) -> pd.DataFrame:
    """Give every point one status by the cells of each operator alone.

    Parameters
    ----------
    points, links, need
        As for `assess`; one operator is enough.
    operators : iterable of str
        Whose cells, one after the other.

    Returns
    -------
    DataFrame
        SERVICE with a column ``operator``: for each operator what `assess` says of its links
        alone, one after the other.
    """
    return Hearing(points, links).alone(need, operators)


class Hearing:
    """Links of points, made ready to be judged by several definitions of covered.

    Parameters
    ----------
    points, links
        As for `assess`.
    """

    def __init__(self, points: pd.DataFrame, links: pd.DataFrame) -> None:
        self._points, self._links = points, links
        self._point = places_of(links.index, 0, points.index)
        codes, cells = links.index.codes[1], links.index.levels[1].to_numpy(object)
        used = np.flatnonzero(np.bincount(codes, minlength=len(cells)))
        used = used[np.argsort(cells[used], kind="stable")]
        rank = np.full(len(cells), -1, np.int64)
        rank[used] = np.arange(len(used))
        self._cells, self._cell = cells[used], rank[codes]
        operator, names = pd.factorize(links["operator"].fillna(""), sort=True)
        self._operator, self._names = operator.astype(np.int64), np.asarray(names, object)
        self._last: tuple[Need, Heard] | None = None

    def by(self, need: Need) -> pd.DataFrame:
        """Return what `assess` does."""
        return _service(self._points, self._heard(need), self._cells, self._names, need)

    def alone(self, need: Need, operators: Iterable[str]) -> pd.DataFrame:
        """Return what `assess_alone` does."""
        need, wanted = need.model_copy(update={"operators_needed": 1}), list(operators)
        heard, count = self._heard(need), len(self._points)
        number = pd.Index(wanted, dtype=object).get_indexer(self._names)
        own = np.append(number, -1)[heard.operator]
        heard = replace(heard, point=np.where(own >= 0, own * count + heard.point, -1))
        found = _service(self._points, heard, self._cells, self._names, need, len(wanted))
        return found.assign(operator=np.repeat(np.array(wanted, object), count))

    def _heard(self, need: Need) -> Heard:
        """Judge the links whose technology counts."""
        if self._last is not None and self._last[0] == need:
            return self._last[1]
        links, judged = self._links, levels(self._links, need)
        use = np.flatnonzero(judged["counts"].to_numpy(bool) & (self._point >= 0))
        own = {name: links[name].to_numpy(float)[use]
               for name in ("distance_m", "clearance", "free_space_dbm")}
        said = {name: judged[column].to_numpy(float)[use] for name, column in (
            ("probability", "probability"), ("free_space", "free_space_probability"),
            ("best_case", "best_case_probability"), ("level_dbm", "level_dbm"),
            ("margin_db", "margin_db"))}
        heard = Heard(self._point[use], self._operator[use], self._cell[use], **said, **own,
                      no_ground=_elevation_missing(links)[use])
        self._last = need, heard
        return heard


def _service(points: pd.DataFrame, heard: Heard, cells: Texts, names: Texts, need: Need,
             times: int = 1) -> pd.DataFrame:
    """Return SERVICE of the points, `times` over; links of point -1 are left out."""
    if (heard.point < 0).any():
        heard = heard.of(np.flatnonzero(heard.point >= 0))
    count = len(points) * times
    found = verdicts(heard, count, names, needed=need.operators_needed,
                     probability=need.probability, gap_probability=need.gap_probability,
                     complete=need.site_list == "complete")
    nowhere = np.tile(np.asarray(points.geometry.isna() | points.geometry.is_empty, bool), times)
    found.status[nowhere], found.reason[nowhere] = "unknown", "no_location"
    decisive = np.where(found.status == "unknown", np.nan, found.probability)

    def best(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.append(values, np.nan)[found.best]

    def named(words: Texts, number: NDArray[np.int64]) -> pd.api.extensions.ExtensionArray:
        return pd.array(np.append(words, np.nan)[np.append(number, len(words))[found.best]],
                        dtype="str")

    return pd.DataFrame({
        "status": found.status, "reason": found.reason,
        "best_cell_id": named(cells, heard.cell), "best_operator": named(names, heard.operator),
        "received_dbm": best(heard.level_dbm), "margin_db": best(heard.margin_db),
        "probability": decisive, "operators": found.operators,
        "distance_m": best(heard.distance_m), "evidence": "modelled", "definition": need.name},
        index=points.index if times == 1 else points.index[np.tile(np.arange(len(points)), times)]
        )[list(SERVICE.columns)]


def _elevation_missing(links: pd.DataFrame) -> NDArray[np.bool_]:
    """Tell for links of unknown loss whether terrain is what is missing."""
    if "unknown_because" in links:
        return (links["unknown_because"] == "no_elevation").to_numpy(bool)
    return links["clearance"].isna().to_numpy(bool)
