"""Every table of the house, declared once.

A column is one row here: its name (which carries the unit), what it holds,
whether it must be there, and which values are allowed.  Checks, documentation
and readers all read these rows; nothing else in the house repeats them.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import geopandas as gpd
import pandas as pd

from phusong.errors import Fault, InputError
from phusong.tables.dating import DEADLINES, DOMINATED, RISKS, SCHEDULE
from phusong.tables.declaration import EVIDENCE, STATUSES, Column, Table, declare
from phusong.tables.feeding import FEEDERS, HOPS
from phusong.tables.tracking import (
    BREAKDOWN,
    BY,
    DEVICES,
    FIELD_CHECKS,
    FLOWS,
    FORECAST,
    PEOPLE,
    PROGRESS,
    SWITCH_OFF,
)

__all__ = [
    "BREAKDOWN",
    "BY",
    "CONTRADICTIONS",
    "COSTS",
    "DEADLINES",
    "DEVICES",
    "DISAGREEMENT",
    "DISAGREEMENT_BY_OPERATOR",
    "DOMINATED",
    "EVIDENCE",
    "FEEDERS",
    "FIELD_CHECKS",
    "FLOWS",
    "FORECAST",
    "HOPS",
    "LINKS",
    "MEASUREMENTS",
    "PEOPLE",
    "PLAN",
    "POINTS",
    "PROGRESS",
    "REPORTS",
    "RISKS",
    "SCHEDULE",
    "SERVICE",
    "SITES",
    "STATUSES",
    "SWITCH_OFF",
    "TABLES",
    "Column",
    "Table",
    "check",
    "empty",
    "faults",
    "joined",
    "split",
]

REASONS = ("covered", "margin_too_thin", "no_site_in_range", "terrain_blocked", "signal_too_weak",
           "no_elevation", "no_site_data", "no_location", "out_of_model_range",
           "outside_footprints")
CONTRADICTIONS = ("declared_only", "modelled_only")
POINT_KINDS = ("school", "branch_school", "vocational", "continuing_education",
               "community_learning_centre", "university", "commune", "village", "other")
SITE_STATUSES = ("standing", "planned", "candidate")


POINTS = declare(
    "POINTS", ("point_id",), "Places where people learn or live and where signal is wanted.",
    Column("geometry", "point", "Position in the working CRS.", required=True),
    Column("kind", "text", "Kind of place.", True, True, allowed=POINT_KINDS),
    Column("name", "text", "Name as the source writes it.", True),
    Column("level", "text", "School levels, joined by ';' (a set, not one value)."),
    Column("commune_code", "text", "Code of the commune; text, zeros kept."),
    Column("commune_name", "text", "Name of the commune."),
    Column("province_code", "text", "Code of the province."),
    Column("code_vintage", "date", "Date whose list of communes the code belongs to."),
    Column("commune_code_then", "text", "Code of the commune as the file writes it, by the list "
           "of its own day."),
    Column("learners", "float", "Pupils or students; empty = not known.", low=0, high=100_000),
    Column("learners_poor", "float", "Learners of poor households.", low=0),
    Column("learners_near_poor", "float", "Learners of near-poor households.", low=0),
    Column("people", "float", "People of the population raster to whom no other point of the study "
           "is nearer, within 10 km: an estimate; empty = not counted.", low=0),
    Column("devices", "float", "Devices that poor and near-poor learners hold already.", low=0),
    Column("priority", "float", "Weight of this point in a plan (1 = ordinary).", low=0),
    Column("antenna_height_m", "float", "Height of the receiving antenna above ground; empty = "
           "the study's.", low=0, high=100),
    Column("targets", "text", "Names of the target lists that hold this point, joined by ';'."),
    Column("lockdown_from", "date", "First day of distancing in this locality."),
    Column("lockdown_to", "date", "Last day of distancing in this locality."),
    Column("parent_id", "text", "Main school of a branch school."),
    Column("location_source", "text", "How the position was found."),
    Column("assumed", "text", "Columns whose value was filled in, joined by ';'."),
    Column("source", "text", "File (and licence) the row came from."),
)

SITES = declare(
    "SITES", ("cell_id",), "Cells (sectors) of radio sites: standing, planned or candidate.",
    Column("geometry", "point", "Position of the mast in the working CRS.", required=True),
    Column("site_id", "text", "The mast or plot that carries the cell.", True, True),
    Column("status", "text", "Whether it stands.", True, True, allowed=SITE_STATUSES),
    Column("operator", "text", "Who runs it."),
    Column("technology", "text", "GSM, UMTS, LTE, NR or SAT (satellite terminal).", True, True),
    Column("frequency_mhz", "float", "Carrier frequency.", True, True, low=30, high=100_000),
    Column("bandwidth_mhz", "float", "Carrier bandwidth.", low=0.1, high=1000),
    Column("antenna_height_m", "float", "Height of the antenna above ground.", True, True,
           low=0.5, high=500),
    Column("azimuth_deg", "float", "Main beam, degrees east of north; empty = omnidirectional or "
           "not known.", low=0, high=360),
    Column("tilt_deg", "float", "Down-tilt of the main beam, positive below the horizon.",
           low=-90, high=90),
    Column("beamwidth_deg", "float", "Horizontal half-power beamwidth.", low=1, high=360),
    Column("gain_dbi", "float", "Antenna gain in the main beam.", low=-20, high=60),
    Column("eirp_dbm", "float", "Total EIRP of one port in the main beam (port power + gain - "
           "feeder loss).", True, True, low=-50, high=100),
    Column("reach_m", "float", "Greatest distance the cell may serve; empty = the study's.", low=1),
    Column("capacity_mbps", "float", "Throughput the cell can share out.", low=0),
    Column("on_air_from", "date", "First day on air; empty = always was."),
    Column("off_air_from", "date", "First day off air; empty = not off."),
    Column("uncertainty_m", "float", "How far the mast may be from an estimated position; empty = "
           "surveyed, or not known.", low=0),
    Column("intervention", "text", "Rung of the ladder of a candidate (macro, light, ...)."),
    Column("place", "text", "How a candidate's place was found (hilltop, cluster, roadside, ...)."),
    Column("ground_m", "float", "Ground height above sea level.", low=-500, high=9000),
    Column("road_distance_m", "float", "Way over the ground to the nearest lorry road.", low=0),
    Column("road_grade", "float", "Grade of that road, 1 (solid) to 5 (soft).", low=1, high=5),
    Column("power_distance_m", "float", "Way over the ground to the nearest power line.", low=0),
    Column("slope_deg", "float", "Slope of the ground.", low=0, high=90),
    Column("assumed", "text", "Columns whose value was filled in, joined by ';'."),
    Column("source", "text", "File (and licence) the row came from."),
)

LINKS = declare(
    "LINKS", ("point_id", "cell_id"), "The best few cells for each point and operator.",
    Column("operator", "text", "Operator of the cell."),
    Column("technology", "text", "Technology of the cell.", True, True),
    Column("frequency_mhz", "float", "Carrier frequency.", True, True),
    Column("distance_m", "float", "Plan distance.", True, True, low=0),
    Column("clearance", "float", "Least clearance over terrain in radii of the first Fresnel zone "
           "(negative = blocked; empty = terrain not known)."),
    Column("loss_db", "float", "Basic transmission loss, positive; empty = not known."),
    Column("received_dbm", "float", "Median level of the reference signal in an isotropic antenna "
           "outdoors at the point; empty = not known."),
    Column("free_space_dbm", "float", "The same with nothing in the way: an upper bound."),
    Column("best_case_dbm", "float", "Where the loss is not known: the level if unknown ground "
           "were as low as the lowest ground known; else the level."),
    Column("model", "text", "Propagation model that gave the loss."),
    Column("cells_considered", "int", "How many cells of this operator were in range of the point.",
           low=1),
    Column("bearing_deg", "float", "Direction from the cell to the point, degrees east of true "
           "north.", low=0, high=360),
    Column("pattern_db", "float", "Antenna pattern towards the point, relative to the main beam.",
           high=0),
    Column("unknown_because", "text", "Why the loss is not known; empty text if it is.",
           allowed=("", "no_elevation", "out_of_model_range")),
)

SERVICE = declare(
    "SERVICE", ("point_id",), "What each point gets, by whom, and why not.",
    Column("status", "text", "The verdict.", True, True, allowed=STATUSES),
    Column("reason", "text", "Why.", True, True, allowed=REASONS),
    Column("best_cell_id", "text", "The cell with the best level that serves the definition."),
    Column("best_operator", "text", "Its operator."),
    Column("received_dbm", "float", "Median level at the device, by the definition of covered."),
    Column("margin_db", "float", "received - needed; positive is good."),
    Column("probability", "float", "Probability that the level is reached.", low=0, high=1),
    Column("operators", "text", "Operators that cover the point, joined by ';'."),
    Column("distance_m", "float", "Distance to the best cell."),
    Column("evidence", "text", "What the status stands on.", True, True, allowed=EVIDENCE),
    Column("definition", "text", "Name of the definition of covered.", True, True),
)

_CONTRADICTION = (
    Column("kind", "text", "declared_only: operators declare it, the model says uncovered; "
           "modelled_only: the reverse.", True, True, allowed=CONTRADICTIONS),
    Column("modelled", "text", "Status by the model.", True, True, allowed=STATUSES),
    Column("declared", "text", "Status by operators' footprints.", True, True, allowed=STATUSES),
    Column("operators", "text", "Who declares it, or whom the model finds, joined by ';'."),
    Column("margin_db", "float", "Margin of the model."),
    Column("reason", "text", "Reason of the model.", True, True, allowed=REASONS),
    Column("edge_m", "float", "Distance to the nearest edge of a footprint that counts, positive "
           "inside: near an edge little follows."),
)

DISAGREEMENT = declare(
    "DISAGREEMENT", ("point_id",), "Points on which the model and all operators' footprints "
    "together contradict each other.", *_CONTRADICTION)

DISAGREEMENT_BY_OPERATOR = declare(
    "DISAGREEMENT_BY_OPERATOR", ("point_id", "operator"), "Points on which one operator's own "
    "footprint and the model of that operator's own cells contradict each other.",
    *_CONTRADICTION)

COSTS = declare(
    "COSTS", ("site_id", "item"), "What each site costs, item by item.",
    Column("quantity", "float", "How many units.", True, True, low=0),
    Column("unit", "text", "What one unit is.", True, True),
    Column("capex_low", "float", "Paid once, low, in the study's currency.", True, True, low=0),
    Column("capex_base", "float", "Paid once.", True, True, low=0),
    Column("capex_high", "float", "Paid once, high.", True, True, low=0),
    Column("opex_low_per_year", "float", "Paid every year, low.", True, True, low=0),
    Column("opex_base_per_year", "float", "Paid every year.", True, True, low=0),
    Column("opex_high_per_year", "float", "Paid every year, high.", True, True, low=0),
    Column("renewal_low", "float", "Present value of buying it again when its life is over, low.",
           low=0),
    Column("renewal_base", "float", "Present value of buying it again.", low=0),
    Column("renewal_high", "float", "Present value of buying it again, high.", low=0),
    Column("residual_low", "float", "Present value of what is left of it at the end of the "
           "horizon, low.", low=0),
    Column("residual_base", "float", "Present value of what is left of it.", low=0),
    Column("residual_high", "float", "Present value of what is left of it, high.", low=0),
    Column("present_value_low", "float", "Capex + discounted opex + renewal - residual, low.",
           True, True, low=0),
    Column("present_value_base", "float", "Capex + discounted opex + renewal - residual.",
           True, True, low=0),
    Column("present_value_high", "float", "Capex + discounted opex + renewal - residual, high.",
           True, True, low=0),
    Column("currency", "text", "Currency code.", True, True),
    Column("money_year", "float", "Year of the money the unit cost is in; empty = the source does "
           "not tell."),
    Column("source", "text", "Where the unit cost comes from.", True, True),
    Column("foreign", "bool", "Whether the figure comes from another country."),
    Column("feeder", "bool", "Whether it pays for the way to the network, which sites may share."),
    Column("note", "text", "Why it is so many."),
)

PLAN = declare(
    "PLAN", ("rank",), "Sites in the order of building.",
    Column("site_id", "text", "The site.", True, True),
    Column("intervention", "text", "What is built there."),
    Column("place", "text", "How the place was found."),
    Column("cost_low", "float", "Present value, low.", low=0),
    Column("cost_total", "float", "Present value.", True, True, low=0),
    Column("cost_high", "float", "Present value, high.", low=0),
    Column("currency", "text", "Currency code."),
    Column("students_gained", "float", "Learners that nobody before it in the plan serves.",
           True, True, low=0),
    Column("students_total", "float", "Learners it reaches on its own.", low=0),
    Column("students_exclusive", "float", "Learners that no other site of the plan reaches.",
           low=0),
    Column("poor_students_gained", "float", "Poor and near-poor learners gained.", low=0),
    Column("people_gained", "float", "People at the points gained, where a population raster "
           "counts them.", low=0),
    Column("points_gained", "int", "Points gained.", True, True, low=0),
    Column("weight_gained", "float", "Gain in the goal's weight (learners x priority ...).",
           True, True, low=0),
    Column("students_per_cost", "float", "Students gained per million of the currency.", low=0),
    Column("cumulative_students", "float", "Students gained so far.", True, True, low=0),
    Column("cumulative_points", "int", "Points gained so far.", True, True, low=0),
    Column("cumulative_cost", "float", "Cost so far.", True, True, low=0),
    Column("cumulative_weight", "float", "Weight gained so far.", True, True, low=0),
    Column("bound", "float", "No plan of this cumulative cost gains more weight than this.",
           True, True, low=0),
)

REPORTS = declare(
    "REPORTS", ("report_id", "row"), "What operators said, row by row.",
    Column("operator", "text", "Who reports."),
    Column("action", "text", "new, change, move, decommission or retract."),
    Column("site_code", "text", "The operator's own code of the site."),
    Column("valid_from", "date", "From when it is true in the world."),
    Column("valid_to", "date", "Until when it is true in the world."),
    Column("recorded_at", "date", "When it became known to us."),
    Column("file_hash", "text", "SHA-256 of the file."),
    Column("outcome", "text", "accepted, duplicate or rejected."),
    Column("reason", "text", "Why not accepted."),
)

MEASUREMENTS = declare(
    "MEASUREMENTS", ("measurement_id",), "Levels measured at places, each of one known cell.",
    Column("geometry", "point", "Where it was measured, in the working CRS.", required=True),
    Column("cell_id", "text", "The cell that was measured.", True, True),
    Column("rsrp_dbm", "float", "Level of its reference signal.", True, True, low=-160, high=-20),
    Column("group", "text", "Drive, walk or flight; its rows are never told apart."),
    Column("antenna_height_m", "float", "Height of the receiver above ground; empty = the "
           "study's.", low=0, high=1000),
    Column("time", "date", "Day of the measurement."),
    Column("source", "text", "File (and licence) the row came from."),
)

TABLES: Mapping[str, Table] = MappingProxyType({t.name: t for t in (
    POINTS, SITES, LINKS, SERVICE, DISAGREEMENT, DISAGREEMENT_BY_OPERATOR, HOPS, COSTS, PLAN,
    FEEDERS, PEOPLE, PROGRESS, BREAKDOWN, FLOWS, FORECAST, FIELD_CHECKS, DEVICES, SWITCH_OFF,
    REPORTS, MEASUREMENTS, SCHEDULE, DEADLINES, RISKS, DOMINATED)})

_DTYPES = {"text": "str", "float": "float64", "int": "int64", "bool": "bool",
           "date": "datetime64[s]"}


def split(text: object) -> list[str]:
    """Split a ';'-joined cell into its words (an empty cell gives an empty list)."""
    if text is None or pd.isna(text):
        return []
    return [word for word in str(text).split(";") if word]


def joined(words: object) -> str:
    """Join words into one ';'-joined cell, each once, in alphabetical order."""
    return ";".join(sorted({str(w) for w in words if str(w)}))  # type: ignore[attr-defined]


def empty(table: Table, crs: object = None) -> pd.DataFrame:
    """Return an empty frame of `table` with its declared columns and dtypes."""
    names = [c for c in table.columns.values() if c.kind not in ("point", "geometry")]
    data: dict[str, object] = {c.name: pd.Series([], dtype=_DTYPES[c.kind]) for c in names}
    if len(table.index) == 1:
        index: pd.Index = pd.Index([], name=table.index[0], dtype="str")
    else:
        index = pd.MultiIndex.from_arrays([[] for _ in table.index], names=list(table.index))
    if "geometry" in table.columns:
        return gpd.GeoDataFrame({**data, "geometry": gpd.GeoSeries([], crs=crs)}, index=index)
    return pd.DataFrame(data, index=index)


def faults(frame: pd.DataFrame, table: Table, file: str = "") -> list[Fault]:
    """List everything in `frame` that `table` does not allow, all at once.

    Parameters
    ----------
    frame : DataFrame
        A table of the house (index set, units converted).
    table : Table
        Its declaration.
    file : str
        File name to put into the faults.

    Returns
    -------
    list of Fault
        Empty if the frame is as declared.
    """
    found = _index_faults(frame, table, file)
    for column in table.columns.values():
        if column.name in frame.columns:
            found += _column_faults(frame[column.name], column, table, file)
        elif column.required:
            found.append(Fault("missing_column", f'{table.name} needs a column "{column.name}": '
                               f"{column.meaning}", f"Columns found: "
                               f"{', '.join(map(str, frame.columns))}.", file=file,
                               column=column.name))
    return found


def check(frame: pd.DataFrame, table: Table, file: str = "") -> None:
    """Raise one `InputError` that tells everything `faults` finds; else do nothing."""
    found = faults(frame, table, file)
    if found:
        raise InputError.of(found)


def _index_faults(frame: pd.DataFrame, table: Table, file: str) -> list[Fault]:
    found: list[Fault] = []
    if tuple(frame.index.names) != table.index:
        found.append(Fault("wrong_index", f"{table.name} is indexed by {table.index}, "
                           f"this table by {tuple(frame.index.names)}.", "Use set_index.",
                           file=file))
    doubled = frame.index[frame.index.duplicated()]
    if len(doubled):
        found.append(Fault("duplicate_key", f"{len(doubled)} keys of {table.name} occur more than "
                           f"once, first: {doubled[0]!r}.", "Every row needs its own key.",
                           file=file, column=str(table.index[0]), count=len(doubled)))
    return found


def _column_faults(cells: pd.Series, column: Column, table: Table, file: str) -> list[Fault]:
    def fault(code: str, what: str, bad: pd.Series) -> Fault:
        first = bad.index[bad.to_numpy(bool)][0]
        count = int(bad.sum())
        return Fault(code, f"{table.name}.{column.name}: {count} x {what} "
                     f"(first at {first!r}: {cells[bad].iloc[0]!r}).", column.meaning, file=file,
                     column=column.name, count=count)

    missing = cells.isna()
    found = []
    if column.filled and missing.any():
        found.append(fault("empty_cell", "empty", missing))
    if column.kind in ("float", "int") and not pd.api.types.is_numeric_dtype(cells):
        found.append(Fault("not_a_number", f"{table.name}.{column.name} holds {cells.dtype}, not "
                           f"numbers.", column.meaning, file=file, column=column.name))
        return found
    if column.low is not None and (bad := cells < column.low).any():
        found.append(fault("too_low", f"below {column.low:g}", bad))
    if column.high is not None and (bad := cells > column.high).any():
        found.append(fault("too_high", f"above {column.high:g}", bad))
    if column.allowed and (bad := ~cells.isin(column.allowed) & ~missing).any():
        found.append(fault("unknown_value", f"not one of {', '.join(column.allowed)}", bad))
    return found
