"""What is to be said of a study's inputs as a whole, beside what is wrong with each file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd

from phusong.errors import Fault
from phusong.geo import to_degrees
from phusong.profile import Profile
from phusong.radio.budget import Radio
from phusong.radio.climate import refractivity_at
from phusong.sources.source import Reading, Source

__all__ = ["WITHOUT", "absent_reports", "air", "unlicensed", "without"]

_NAMED = 6

WITHOUT: dict[str, str] = {
    "communes": "no shares by commune, and communes are taken as the files of points name them",
    "roads": "no roadside places are proposed, and access is priced without a distance to a road",
    "power_lines": "the grid's distance is not known, and new sites are priced with solar power",
}
"""Optional layer of a study -> what a study without it must do without."""


def without(sources: Any) -> list[Fault]:
    """Say what a study does without, because it names no file for it.

    Parameters
    ----------
    sources : SourcesLike
        The files, as the study names them.
    """
    return [Fault(f"no_{name}", f"The study names no {name.replace('_', ' ')}: {lacking}.",
                  f"Add \"{name}:\" to the sources of the study file.", "warning")
            for name, lacking in WITHOUT.items() if getattr(sources, name, None) is None]


def unlicensed(sources: Iterable[Source], readings: Sequence[Reading]) -> list[Fault]:
    """Say of which files nobody has stated a licence, in one line for all of them.

    Parameters
    ----------
    sources : iterable of Source
        The files, with what the records beside them say.
    readings : sequence of Reading
        What came of them; of a file that could not be read nothing is published, and a list of
        ids holds nothing that is anybody's.
    """
    read = {reading.file for reading in readings
            if reading.accepted + reading.mended and reading.role != "targets"}
    bare = [source.file for source in sources if not source.licence and source.file in read]
    if not bare:
        return []
    listed = ", ".join(bare[:_NAMED]) + (", ..." if len(bare) > _NAMED else "")
    one = len(bare) == 1
    return [Fault("no_licence", f"Nobody has stated a licence for {len(bare)} file"
                  f"{'' if one else 's'}: {listed}. Maps and exports made from "
                  f"{'it' if one else 'them'} say so.",
                  f"State who may use {'it' if one else 'them'} and how: licence: and "
                  f"attribution: beside the file in the study file.", "warning",
                  count=len(bare))]


def air(points: gpd.GeoDataFrame, radio: Radio, profile: Profile) -> list[Fault]:
    """Say which refractivity of the air the study takes over from its profile.

    Parameters
    ----------
    points : GeoDataFrame
        POINTS in any CRS.
    radio : Radio
        Of the study.
    profile : Profile
        Of its country.
    """
    placed = points[~(points.geometry.is_empty | points.geometry.isna())]
    if not len(placed) or not radio.climate or radio.climate != profile.radio_climate:
        return []
    place = to_degrees(placed).geometry
    delta_n, n0 = refractivity_at(place.x.to_numpy(), place.y.to_numpy(), radio.climate)
    return [Fault("refractivity_assumed", f"The study does not state the refractivity of the air: "
                  f"delta_n {delta_n.min():.1f} to {delta_n.max():.1f} N-units/km and n0 "
                  f"{n0.min():.0f} to {n0.max():.0f} at the points are interpolated between "
                  f"{len(radio.climate)} places ({profile.radio_climate_source}).",
                  "State delta_n and n0 under radio: to use your own.", "assumption")]


def absent_reports(patterns: Iterable[str], folder: Path) -> list[Fault]:
    """Say which patterns of operators' reports name no file."""
    return [Fault("missing_file", "No file of reports has such a name.", "Mend reports: in the "
                  "study file.", "warning", pattern)
            for pattern in patterns if not any(Path(folder).glob(pattern))]
