"""The noun `Siting`: which ways of finding places, how many, heights, bands, exclusions."""

from __future__ import annotations

from typing import Literal, get_args

from pydantic import Field, field_validator

from phusong.nouns import Noun, nearest

__all__ = ["Siting"]

Method = Literal["hilltop", "cluster", "roadside", "public_land", "standing", "roof", "satellite"]
Rung = Literal["macro", "light", "micro", "repeater", "sector", "shared_mast", "retilt", "roof",
               "satellite"]


def _known(values: object, known: tuple[str, ...], what: str) -> object:
    names = [values] if isinstance(values, str) else list(values or ())  # type: ignore[call-overload]
    said = "; ".join(f'there is no {what} "{n}". {nearest(str(n), known)}' for n in names
                     if n not in known)
    if said:
        raise ValueError(said)
    return tuple(names)


class Siting(Noun):
    """How candidate sites are found.

    Parameters
    ----------
    methods : tuple of str
        ``hilltop``: tops of the relief that see gaps; ``cluster``: the middle of
        groups of gaps; ``roadside``: points along roads that see gaps;
        ``public_land``: land that the study names; ``standing``: masts that
        stand; ``roof``: the roof of a place of learning; ``satellite``: a terminal
        at a gap.
    rungs : tuple of str
        What may be built: ``macro`` (mast with three sectors), ``light`` (pole
        with solar power and relay), ``micro`` (solar pole with a feeder of its own),
        ``repeater`` (sends on the cell that it hears), ``sector`` (a band or sector
        more on a standing mast), ``shared_mast`` (the same on another operator's
        mast, with a rent; where `operator` names one), ``retilt`` (an antenna that
        stands, tilted anew), ``roof`` (antenna on the roof, Wi-Fi inside),
        ``satellite``.
    bands : tuple of str
        Names of radio presets; a macro site is offered once for each.
    macro_heights_m : tuple of float
        Antenna heights of a macro site; it is offered once for each.
    light_height_m, light_port_power_dbm, light_gain_dbi
        Light site: 10 W per port into an omnidirectional antenna on a pole; an
        engineering assumption. Links take an omnidirectional antenna as equally
        strong up and down, hence a gain of 6 dBi, whose beam of about 20 degrees
        still serves a valley from a hill.
    light_relay_m : float
        Farthest standing site that a light site can relay from (vendors claim
        20 km and more); beyond it no light site is offered.
    micro_height_m, micro_port_power_dbm
        Solar micro-site: 20 W per port on a pole of 20 m; an engineering assumption.
    repeater_height_m, repeater_donor_gain_dbi, repeater_gain_db, repeater_output_dbm
        Repeater on a pole: gain of the antenna towards the donor, of the amplifier (what
        the isolation between both antennas allows), and its greatest output
        (2 W); engineering assumptions. The serving antenna is that of a light site.
    repeater_least_eirp_dbm : float
        A repeater that would send less is not offered.
    roof_height_m, roof_gain_dbi : float
        Antenna on a roof: height above ground; gain less cable (notes of
        practice: 5 to 8 dBi).
    hilltops_per_gap, roadsides_per_gap, standing_per_gap : int
        How many places of each kind every gap may call for, best first.
    places_limit : int
        Most places of one method, however many gaps there are.
    view_m : float
        How far a place is taken to serve when places are compared; the reach
        itself is computed by `phusong.links.link`.
    cluster_m : float
        Gaps of one cluster lie no farther apart than twice this.
    road_step_m : float
        Spacing of points tried along roads.
    spacing_m : float
        Of two places nearer than this the one that sees fewer learners is dropped.
    max_slope_deg : float
        Steeper ground is left out.
    max_road_distance_m : float
        Places farther from any road are left out, where roads are known.
    sky_elevation_deg, sky_share : float
        A satellite terminal is offered where the terrain stays below this
        elevation over at least this share of all directions.
    terminal_reach_m : float
        Range of a terminal's own Wi-Fi.
    operator : str
        Operator of new sites; they are open to every operator.
    """

    methods: tuple[Method, ...] = get_args(Method)
    rungs: tuple[Rung, ...] = get_args(Rung)
    bands: tuple[str, ...] = ("LTE 900",)
    macro_heights_m: tuple[float, ...] = (42.0,)
    light_height_m: float = Field(default=15.0, ge=3.0, le=60.0)
    light_port_power_dbm: float = Field(default=40.0, ge=10.0, le=50.0)
    light_gain_dbi: float = Field(default=6.0, ge=0.0, le=20.0)
    light_relay_m: float = Field(default=20_000.0, ge=100.0)
    micro_height_m: float = Field(default=20.0, ge=5.0, le=60.0)
    micro_port_power_dbm: float = Field(default=43.0, ge=10.0, le=50.0)
    repeater_height_m: float = Field(default=12.0, ge=3.0, le=60.0)
    repeater_donor_gain_dbi: float = Field(default=18.0, ge=0.0, le=30.0)
    repeater_gain_db: float = Field(default=70.0, ge=0.0, le=110.0)
    repeater_output_dbm: float = Field(default=33.0, ge=0.0, le=46.0)
    repeater_least_eirp_dbm: float = Field(default=30.0, ge=0.0, le=60.0)
    roof_height_m: float = Field(default=8.0, ge=2.0, le=60.0)
    roof_gain_dbi: float = Field(default=6.5, ge=-5.0, le=30.0)
    hilltops_per_gap: int = Field(default=3, ge=1, le=50)
    roadsides_per_gap: int = Field(default=2, ge=1, le=50)
    standing_per_gap: int = Field(default=2, ge=1, le=50)
    places_limit: int = Field(default=4000, ge=1)
    view_m: float = Field(default=10_000.0, ge=500.0, le=50_000.0)
    cluster_m: float = Field(default=1500.0, ge=100.0, le=20_000.0)
    road_step_m: float = Field(default=400.0, ge=50.0, le=10_000.0)
    spacing_m: float = Field(default=400.0, ge=0.0, le=20_000.0)
    max_slope_deg: float = Field(default=35.0, gt=0.0, le=90.0)
    max_road_distance_m: float = Field(default=5000.0, gt=0.0)
    sky_elevation_deg: float = Field(default=25.0, ge=0.0, lt=90.0)
    sky_share: float = Field(default=0.8, gt=0.0, le=1.0)
    terminal_reach_m: float = Field(default=150.0, ge=10.0, le=2000.0)
    operator: str = "shared"

    @field_validator("methods", mode="before")
    @classmethod
    def _known_methods(cls, values: object) -> object:
        return _known(values, get_args(Method), "way of finding places")

    @field_validator("rungs", mode="before")
    @classmethod
    def _known_rungs(cls, values: object) -> object:
        return _known(values, get_args(Rung), "rung")

    @field_validator("macro_heights_m")
    @classmethod
    def _some_heights(cls, values: tuple[float, ...]) -> tuple[float, ...]:
        wrong = [v for v in values if not 5.0 <= v <= 150.0]
        if wrong or not values:
            raise ValueError(f"macro_heights_m: give heights of 5 to 150 m, not {list(values)}")
        return values
