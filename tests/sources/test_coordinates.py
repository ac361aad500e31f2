"""Coordinates: what is swapped, in metres, elsewhere or nowhere is judged by evidence."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phusong.geo import transform
from phusong.profile import Profile
from phusong.sources.coordinates import find_positions
from phusong.sources.records import RawTable
from phusong.sources.source import Findings, Source

VIETNAM, GENERIC = Profile.load("vietnam"), Profile.load("generic")
LON, LAT = [103.5, 103.6, 103.7], [22.5, 22.6, 22.7]


def place(lon: Any, lat: Any, profile: Profile = VIETNAM, area: Any = None,
          leave_out: bool = False, **said: Any) -> tuple[Any, Any, Findings]:
    frame = pd.DataFrame({"lon": [str(v) for v in lon], "lat": [str(v) for v in lat]}, dtype="str")
    table = RawTable(frame, np.arange(2, len(frame) + 2))
    findings = Findings("a.csv", table.rows)
    x, y = find_positions(table, {"lon": "lon", "lat": "lat"}, Source(file="a.csv", **said),
                          profile, findings, area=area, leave_out=leave_out)
    return x, y, findings


def codes(findings: Findings) -> list[tuple[str, str]]:
    return [(fault.code, fault.severity) for fault in findings.faults]


def test_plain_degrees_raise_nothing() -> None:
    x, y, findings = place(LON, LAT)
    assert (x.tolist(), y.tolist(), findings.faults) == (LON, LAT, [])


def test_a_whole_file_of_swapped_rows_is_refused_where_nothing_is_to_be_mended() -> None:
    x, _, findings = place(LAT, LON, mend=False)
    assert np.isnan(x).all()
    assert codes(findings) == [("swapped_coordinates", "error")]
    assert "mend: true" in findings.faults[0].cure
    assert findings.rejected.all()


def test_a_whole_file_of_swapped_rows_is_mended_and_said() -> None:
    x, y, findings = place(LAT, LON)
    assert (x.tolist(), y.tolist()) == (LON, LAT)
    assert findings.changes[0] == (2, "lat", "22.5, 103.5", "103.5, 22.5", "swapped_coordinates")
    assert codes(findings) == [("swapped_coordinates", "warning")]
    assert findings.mended.all()


def test_swapped_by_the_area_where_the_profile_has_no_bounds() -> None:
    x, _, findings = place([42.5, 42.6], [1.5, 1.6], GENERIC, area=(1.0, 42.0, 2.0, 43.0),
                           mend=True)
    assert x.tolist() == [1.5, 1.6]
    assert codes(findings) == [("swapped_coordinates", "warning")]


def test_swapped_beyond_all_latitudes_needs_no_area() -> None:
    x, _, findings = place(LAT, LON, GENERIC, mend=True)
    assert x.tolist() == LON
    assert codes(findings) == [("swapped_coordinates", "warning")]


def test_one_swapped_row_is_mended_by_the_country() -> None:
    x, y, findings = place([103.5, 22.6, 103.7], [22.5, 103.6, 22.7])
    assert (x.tolist(), y.tolist()) == (LON, LAT)
    assert findings.mended.tolist() == [False, True, False]
    assert [(c.row, c.now) for c in findings.changes] == [(3, "103.6, 22.6")]


def test_one_swapped_row_is_an_error_where_nothing_is_to_be_mended() -> None:
    x, _, findings = place([103.5, 22.6, 103.7], [22.5, 103.6, 22.7], mend=False)
    assert codes(findings) == [("swapped_coordinates", "error")]
    assert findings.faults[0].row == 3
    assert np.isnan(x[1])
    assert findings.rejected.tolist() == [False, True, False]


@pytest.mark.parametrize("crs", ["EPSG:3405", "EPSG:9208", "EPSG:4756"])
def test_other_systems_are_carried_to_degrees(crs: str) -> None:
    a, b = transform(LON, LAT, 4326, crs)
    x, y, findings = place([repr(float(v)) for v in a], [repr(float(v)) for v in b], crs=crs)
    assert np.abs(x - LON).max() < 1e-6
    assert np.abs(y - LAT).max() < 1e-6
    assert not findings.faults


def test_metres_without_a_crs_are_refused_with_those_that_fit() -> None:
    a, b = transform(LON, LAT, 4326, 3405)
    x, _, findings = place(a, b)
    assert np.isnan(x).all()
    assert codes(findings) == [("metres_not_degrees", "error")]
    assert "EPSG:3405" in findings.faults[0].cure
    assert findings.rejected.all()


def test_northing_before_easting_is_mended() -> None:
    a, b = transform(LON, LAT, 4326, 3405)
    x, _, findings = place(b, a, crs="EPSG:3405", mend=True)
    assert np.abs(x - LON).max() < 1e-6
    assert codes(findings) == [("swapped_coordinates", "warning")]


def test_degrees_called_metres_are_refused() -> None:
    _, _, findings = place(LON, LAT, crs="EPSG:3405")
    assert codes(findings) == [("degrees_not_metres", "error")]


def test_unknown_crs_is_refused() -> None:
    _, _, findings = place(LON, LAT, crs="EPSG:99999")
    assert codes(findings) == [("unknown_crs", "error")]


def test_a_wrong_zone_puts_all_rows_elsewhere() -> None:
    a, b = transform([106.5, 106.6], [20.5, 20.6], 4326, 9208)
    _, _, findings = place(a, b, area=(106, 20, 107, 21), profile=GENERIC, crs="EPSG:9218")
    assert codes(findings) == [("wrong_place", "error")]


@pytest.mark.parametrize(("leave_out", "severity"), [(False, "error"), (True, "warning")])
def test_one_row_outside_the_country(leave_out: bool, severity: str) -> None:
    x, _, findings = place([*LON, 2.3], [*LAT, 48.9], leave_out=leave_out)
    assert codes(findings)[0] == ("outside_country", severity)
    assert np.isnan(x[3])
    assert findings.rejected.tolist() == [False, False, False, True]


def test_null_island_and_empty_cells_are_unknown_not_zero() -> None:
    x, y, findings = place([0, "", 103.5], ["0.0", "22.5", 22.5])
    assert np.isnan(x[:2]).all()
    assert np.isnan(y[:2]).all()
    assert codes(findings) == [("null_island", "warning"), ("no_location", "warning")]
    assert not findings.rejected.any()


def test_towers_without_a_position_are_left_out() -> None:
    _, _, findings = place(["", *LON], ["", *LAT], leave_out=True)
    assert findings.rejected.tolist() == [True, False, False, False]


def test_latitudes_beyond_the_pole() -> None:
    _, _, findings = place([10, 20], [10, 95], GENERIC)
    assert ("swapped_coordinates", "error") in codes(findings)
    _, _, findings = place([10, 200], [10, 20], GENERIC)
    assert codes(findings)[0] == ("no_place", "error")


@given(st.lists(st.tuples(st.floats(102.2, 109.8), st.floats(8.0, 23.4)), min_size=1, max_size=8),
       st.sampled_from(["decimal", "comma", "dms"]), st.booleans())
@settings(max_examples=40, deadline=None, derandomize=True)
def test_every_way_of_writing_gives_the_same_place(places: list[tuple[float, float]], how: str,
                                                   swap: bool) -> None:
    def written(value: float, letters: str) -> str:
        if how == "dms" and not swap:
            d, rest = divmod(value, 1)
            m, s = divmod(rest * 60, 1)
            return f"{d:.0f}°{m:.0f}'{min(s * 60, 59.9999):.4f}\"{letters[0]}"
        return f"{value:.7f}".replace(".", "," if how == "comma" else ".")

    lon = [written(a, "E") for a, _ in places]
    lat = [written(b, "N") for _, b in places]
    x, y, findings = place(*((lat, lon) if swap else (lon, lat)), mend=swap)
    assert np.abs(x - [a for a, _ in places]).max() < 1e-6
    assert np.abs(y - [b for _, b in places]).max() < 1e-6
    assert not findings.rejected.any()
