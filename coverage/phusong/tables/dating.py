"""Tables of a plan beside PLAN: what was left out of it, and its dates."""

from __future__ import annotations

from phusong.tables.declaration import Column, declare

__all__ = ["DEADLINES", "DOMINATED", "RISKS", "SCHEDULE"]

DOMINATED = declare(
    "DOMINATED", ("site_id",), "Candidate sites that no plan needs.",
    Column("by", "text", "The site that stands for it: serves as much for no more; empty = it "
           "serves no gap at all.", True),
)

SCHEDULE = declare(
    "SCHEDULE", ("site_id",), "When each site of a plan is built, in the order of priority.",
    Column("turn", "int", "Place in the line, from 1.", True, True, low=1),
    Column("rank", "int", "Place in the plan.", True, True, low=1),
    Column("intervention", "text", "What is built."),
    Column("operator", "text", "Whose crews build it.", True),
    Column("crew", "int", "Number of the crew within its operator, from 1.", low=1),
    Column("first_because", "text", "What its place in the line rests on.",
           allowed=("lockdown", "deadline", "rank")),
    Column("capex", "float", "Money committed, in the currency of the costs.", low=0),
    Column("funded", "date", "Money for it and all before it is there; empty = never."),
    Column("permitted", "date", "Permit is there, with the most likely durations."),
    Column("crew_from", "date", "The crew comes."),
    Column("crew_until", "date", "The crew leaves."),
    Column("on_air", "date", "It serves, with the most likely durations; empty = never."),
    Column("on_air_p10", "date", "Day by which it serves with 10 % probability."),
    Column("on_air_p50", "date", "Day by which it serves with 50 % probability."),
    Column("on_air_p90", "date", "Day by which it serves with 90 % probability."),
    Column("students_gained", "float", "Learners gained, from the plan.", low=0),
    Column("points_gained", "int", "Points gained, from the plan.", low=0),
)

DEADLINES = declare(
    "DEADLINES", ("target",), "Whether a plan meets the deadline of each target.",
    Column("deadline", "date", "Day by which the goal shall be reached.", True, True),
    Column("goal", "int", "Points that must be covered.", True, True, low=0),
    Column("covered", "int", "Points covered today.", True, True, low=0),
    Column("needed", "int", "Points that must still close.", True, True, low=0),
    Column("closable", "int", "Open points that some site of the plan serves.", True, True, low=0),
    Column("reached", "date", "Day on which the goal is reached, with the most likely durations."),
    Column("reached_p50", "date", "Day by which it is reached with 50 % probability."),
    Column("reached_p90", "date", "Day by which it is reached with 90 % probability."),
    Column("probability", "float", "Share of draws in which the deadline is met.", True, True,
           low=0, high=1),
    Column("reason", "text", "Why it is certain one way or the other; empty = it is not.",
           allowed=("", "reached", "plan_closes_too_few", "deadline_passed", "no_money")),
)

RISKS = declare(
    "RISKS", ("target", "place"), "The jobs that carry the risk of each deadline.",
    Column("site_id", "text", "The site.", True, True),
    Column("intervention", "text", "What is built."),
    Column("days_won", "float", "Mean days late that are won if this job alone took its most "
           "likely time.", True, True, low=0),
    Column("probability_won", "float", "What that adds to the probability of meeting the "
           "deadline.", low=-1, high=1),
    Column("days_spread", "float", "Days between the 10th and the 90th percentile of its own "
           "durations.", low=0),
)
