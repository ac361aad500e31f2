"""The tables of progress: targets, what changed, what is left, when it may be done; and PEOPLE."""

from __future__ import annotations

from phusong.tables.declaration import EVIDENCE, STATUSES, Column, declare

__all__ = ["BREAKDOWN", "BY", "CHANGES", "DEVICES", "FIELD_CHECKS", "FLOWS", "FORECAST",
           "PEOPLE", "PROGRESS", "SWITCH_OFF"]

BY = ("province", "commune", "operator", "kind")
"""What progress is broken down by."""

CHANGES = ("won", "lost", "joined", "left")
"""What can happen to a point of a target between two snapshots."""

_WORDS = {"covered": "covered points", "uncertain": "points the model cannot judge",
          "uncovered": "points not covered", "unknown": "points with data missing"}

_COUNTS = (
    Column("points", "int", "Points on the target's list on that day.", True, True, low=0),
    *(Column(status, "int", f"{_WORDS[status].capitalize()}, by the model.", True, True, low=0)
      for status in STATUSES),
    Column("since", "date", "Snapshot that won, lost, joined and left are counted from; empty on "
           "the first."),
    Column("won", "int", "Points on both lists that became covered.", low=0),
    Column("lost", "int", "Points on both lists that were covered and are no longer.", low=0),
    Column("joined", "int", "Points that came onto the list.", low=0),
    Column("joined_covered", "int", "Of these, covered when they came.", low=0),
    Column("left", "int", "Points that were taken off the list.", low=0),
    Column("left_covered", "int", "Of these, covered when they went.", low=0),
    Column("learners", "float", "Learners at the points.", low=0),
    *(Column(f"learners_{status}", "float", f"Learners at {_WORDS[status]}.", low=0)
      for status in STATUSES),
    *(Column(f"poor_{status}", "float", f"Learners of poor households at {_WORDS[status]}; "
             f"empty = no file counts them.", low=0)
      for status in STATUSES),
    *(Column(f"near_poor_{status}", "float", f"Learners of near-poor households at "
             f"{_WORDS[status]}; empty = no file counts them.", low=0) for status in STATUSES),
    Column("learners_poor_uncovered", "float", "Poor and near-poor learners at uncovered "
           "points; empty = no file counts them.", low=0),
    Column("locked", "int", "Points whose locality is under distancing on that day.", low=0),
    Column("locked_uncovered", "int", "Of these, not covered.", low=0),
    *(Column(f"{short}_{status}", "float", f"Points {status} as {who}; empty = the study has no "
             f"such evidence.", low=0)
      for short, who in (("claimed", "operators claim point by point"),
                         ("declared", "operators' footprints say"),
                         ("measured", "measured on site"))
      for status in (*STATUSES[:1], *(("uncertain",) if short == "measured" else ()), "uncovered")),
    *(Column(f"learners_{short}", "float", f"Learners at points covered as {who}; empty = the "
             f"study has no such evidence.", low=0)
      for short, who in (("claimed", "operators claim point by point"),
                         ("declared", "operators' footprints say"),
                         ("measured", "measured on site"))),
    Column("disputed", "int", "Points that an operator says it covers and the model finds "
           "uncovered: see FIELD_CHECKS.", low=0),
)

PROGRESS = declare(
    "PROGRESS", ("target", "date"), "How far each dated target is, snapshot by snapshot.",
    Column("goal", "int", "Points the target asks for.", True, True, low=0),
    *_COUNTS,
    Column("deadline", "date", "Day by which the goal shall be reached."),
    Column("evidence", "text", "What covered, uncertain, uncovered and unknown stand on.",
           allowed=EVIDENCE),
)

BREAKDOWN = declare(
    "BREAKDOWN", ("target", "date", "by", "value"), "The same figures by place, operator and kind: "
    "`by` is province, commune, operator or kind, `value` its code (empty = not known).  With "
    "operator all points of the target are judged by that operator's cells alone.",
    Column("label", "text", "Name of the value, where it has one."),
    *_COUNTS,
)

FLOWS = declare(
    "FLOWS", ("target", "date", "point_id"), "Every point that was won, lost, joined or left "
    "between a snapshot and the one before it.",
    Column("since", "date", "The snapshot before.", True, True),
    Column("change", "text", "What happened.", True, True, allowed=CHANGES),
    Column("was", "text", "Status before; empty for a point that joined."),
    Column("now", "text", "Status after; empty for a point that left."),
    Column("was_cell_id", "text", "Best cell before."),
    Column("now_cell_id", "text", "Best cell after."),
    Column("was_operators", "text", "Operators that covered it before, joined by ';'."),
    Column("now_operators", "text", "Operators that cover it after, joined by ';'."),
    Column("learners", "float", "Learners at the point.", low=0),
    Column("reason", "text", "Why: the model's reason for a lost point, the register's for one "
           "that joined or left."),
)

FORECAST = declare(
    "FORECAST", ("target",), "When each target may be reached if the pace of the window goes on.",
    Column("as_of", "date", "Day on which it is made.", True, True),
    Column("goal", "int", "Points the target asks for.", True, True, low=0),
    Column("remaining", "int", "Points still to be covered.", True, True, low=0),
    Column("window_from", "date", "First day of the window that the pace is taken from."),
    Column("window_weeks", "float", "Length of the window.", low=0),
    Column("won", "int", "Points won in the window.", low=0),
    Column("set_back", "int", "Points lost in the window, or added to a goal that is the whole "
           "list.", low=0),
    Column("pace_per_week", "float", "Net points a week in the window."),
    Column("pace_needed_per_week", "float", "Points a week needed to meet the deadline; empty once "
           "it has passed.", low=0),
    Column("batch", "float", "Variance of points won a week over their mean (at least 1): one "
           "tower wins several points at once.", low=1),
    Column("date_low", "date", "Done by then with probability 10 %."),
    Column("date_median", "date", "Done by then with probability 50 %; empty = beyond the "
           "horizon."),
    Column("date_high", "date", "Done by then with probability 90 %; empty = beyond the horizon."),
    Column("chance_by_deadline", "float", "Probability that the deadline is met.", low=0, high=1),
    Column("deadline", "date", "Day by which the goal shall be reached."),
    Column("method", "text", "How the interval was made; empty = no forecast."),
    Column("reason", "text", "Why there is no forecast; empty = there is one."),
)

FIELD_CHECKS = declare(
    "FIELD_CHECKS", ("point_id", "operator"), "Points that an operator says it covers and that its "
    "cells cannot, by the model: somebody should go there.",
    Column("claimed_from", "date", "Day from which the operator claims it; empty = a footprint "
           "without a date."),
    Column("claimed_by", "text", "How the operator says so.", True, True,
           allowed=("claim", "footprint", "claim;footprint")),
    Column("known_at", "date", "When the claim became known."),
    Column("status", "text", "What the model says of that operator's cells.", True, True,
           allowed=STATUSES),
    Column("reason", "text", "Why it says so."),
    Column("received_dbm", "float", "Level of the operator's best cell at the device."),
    Column("margin_db", "float", "received - needed; positive is good."),
    Column("best_cell_id", "text", "The operator's best cell."),
    Column("others", "text", "Other operators that cover the point by the model, joined by ';'."),
    Column("learners", "float", "Learners at the point.", low=0),
    Column("learners_poor", "float", "Poor and near-poor learners at the point.", low=0),
    Column("targets", "text", "Target lists that hold the point, joined by ';'."),
    Column("name", "text", "Name of the point."),
    Column("commune_code", "text", "Code of its commune."),
    Column("definition", "text", "Definition of covered.", True, True),
)

SWITCH_OFF = declare(
    "SWITCH_OFF", ("definition", "point_id"), "Points that a switch-off would leave without "
    "coverage.",
    Column("now", "text", "Status after it.", True, True, allowed=STATUSES[1:]),
    Column("reason", "text", "Why, by the model."),
    Column("was_operators", "text", "Operators that covered it before, joined by ';'."),
    Column("was_cell_id", "text", "Best cell before."),
    Column("margin_db", "float", "received - needed of the best cell that is left."),
    Column("learners", "float", "Learners at the point.", low=0),
    Column("learners_poor", "float", "Poor and near-poor learners at the point.", low=0),
    Column("targets", "text", "Target lists that hold the point, joined by ';'."),
    Column("name", "text", "Name of the point."),
    Column("commune_code", "text", "Code of its commune."),
)

DEVICES = declare(
    "DEVICES", ("point_id",), "How many devices each school needs, holds and gets.",
    Column("tier", "int", "Order of being served; 0 = nothing to serve (no need, or need not "
           "known).", True, True, low=0),
    Column("name", "text", "Name of the school."),
    Column("commune_code", "text", "Code of its commune."),
    Column("province_code", "text", "Code of its province."),
    Column("locked", "bool", "Whether its locality is under distancing on that day."),
    Column("status", "text", "Whether it is covered.", True, True, allowed=STATUSES),
    Column("learners_poor", "float", "Learners of poor households; empty = not known.", low=0),
    Column("learners_near_poor", "float", "Learners of near-poor households; empty = not known.",
           low=0),
    Column("held", "int", "Devices that these learners have: counted at the start, and delivered "
           "since.", True, True, low=0),
    Column("need", "float", "Poor and near-poor learners without a device; empty = not known.",
           low=0),
    Column("allocated", "int", "Devices it gets now.", True, True, low=0),
    Column("missing", "float", "Still without a device after that; empty = not known.", low=0),
)

PEOPLE = declare(
    "PEOPLE", ("commune_code",), "People of each commune, where a population raster counts them.",
    Column("people", "float", "People of the raster inside the outline: an estimate.", True, True,
           low=0),
    Column("population", "float", "People that the layer of communes states; empty = none.",
           low=0),
)
