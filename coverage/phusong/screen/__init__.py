"""What the command line shows: tables, progress bars and JSON; no logic of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from phusong.screen.board import Board
from phusong.screen.inputs import Inputs
from phusong.screen.names import Names
from phusong.screen.phrases import phrase, step
from phusong.screen.standing import Standing
from phusong.screen.table import COLOURS, table_of
from phusong.tables import CONTRADICTIONS, STATUSES

__all__ = ["Screen"]

ENDS = {
    "optimal": "the optimum, proven",
    "gap": "as near to the bound as was asked",
    "time": "the time was over",
    "interrupted": "interrupted; this is the best so far",
    "unfinished": "nothing more to try, the gap is open",
    "infeasible": "not all that is asked can be had",
}
"""Why a search ended, in words."""


class Screen(Standing, Board, Inputs):
    """Standard output for results, standard error for progress and faults.

    Parameters
    ----------
    quiet : bool
        Show results and errors only.
    as_json : bool
        Write one JSON document to standard output and nothing else there.
    language : {"en", "vi"}
        Of progress bars and of the word before an error; empty = English.
    """

    def __init__(self, *, quiet: bool = False, as_json: bool = False,
                 language: str = "en") -> None:
        self.language = language or "en"
        self.names = Names()
        self.quiet = quiet
        self.as_json = as_json
        self.out = Console(soft_wrap=True, highlight=False)
        if not self.out.is_terminal:
            self.out = Console(soft_wrap=True, highlight=False, width=140)
        self.err = Console(stderr=True, soft_wrap=True, highlight=False)

    @contextmanager
    def steps(self) -> Iterator[Any]:
        """Yield a callback ``(what, done, of_all)`` that moves progress bars on stderr."""
        if self.quiet:
            yield None
            return
        bars = Progress(SpinnerColumn(finished_text="✓"), TextColumn("{task.description}"),
                        BarColumn(bar_width=24), TextColumn("{task.percentage:>3.0f} %"),
                        TimeElapsedColumn(), console=self.err)
        tasks: dict[str, Any] = {}
        with bars:
            def say(what: str, done: int, of_all: int) -> None:
                if what not in tasks:
                    tasks[what] = bars.add_task(step(what, self.language),
                                                total=max(of_all, 1))
                finished = done >= of_all
                bars.update(tasks[what], completed=max(of_all, 1) if finished else done,
                            total=max(of_all, 1))
            yield say

    def speak_of(self, study: Any) -> None:
        """Call definitions and targets by the labels that a study gives them."""
        self.names = Names.of(study)

    def document(self, content: Any) -> None:
        """Write JSON to standard output."""
        print(json.dumps(content, ensure_ascii=False, indent=1, default=str))

    def say(self, text: str) -> None:
        """Write a line for people (not with ``--json``)."""
        if not self.as_json:
            self.out.print(escape(text))

    def error(self, text: str) -> None:
        """Write an error to standard error."""
        self.err.print(f"[bold red]{phrase('error', self.language)}[/] {escape(text)}")

    def fetched(self, rows: list[tuple[str, ...]], lines: list[str]) -> None:
        """Show what became of open data, and what is left to do by hand."""
        table = table_of("Data", "File", "State", "Size", "Licence", "", right=(3,))
        for row in rows:
            table.add_row(*map(escape, row))
        if rows:
            self.out.print(table)
        for line in lines:
            self.say(line)

    def summary(self, figures: dict[str, Any], language: str = "en") -> None:
        """Show the figures of a run: statuses, targets, the first ten sites."""
        title = figures["title"][language] or figures["study"]
        if figures["fictional"]:
            title += "  [FICTIONAL DATA]"
        self.out.print(f"[bold]{escape(title)}[/]  as of {figures['as_of']}, "
                       f"covered means: {figures['definition']}")
        self._statuses(figures)
        self._contradictions(figures["declared"])
        self.targets(figures["targets"], language)
        self.plan(figures)
        self._feeders(figures["feeders"])
        self.deadlines(figures["deadlines"])
        left = ", ".join(f"{n:,} {why.replace('_', ' ')}" for why, n in
                         sorted(figures["left_out"].items(), key=lambda item: (-item[1], item[0])))
        self.say(f"{figures['candidates']:,} candidate sites, of which {figures['dominated']:,} "
                 f"are beaten by another and {figures['serve_no_gap']:,} serve no gap"
                 + (f"; left out before: {left}" if left else ""))
        for note in figures["notes"]:
            self.say(note)

    def _statuses(self, figures: dict[str, Any]) -> None:
        table = table_of("", *STATUSES, "all", right=range(1, 6))
        for name, label in (("points", "Points"), ("learners", "Students"),
                            ("poor_learners", "of them poor or near-poor"),
                            *([("people", "People nearest to them")] if "people" in figures
                              else [])):
            if figures[name] is None:
                table.add_row(label, *["?"] * (len(STATUSES) + 1))
                continue
            table.add_row(label, *(f"[{COLOURS.get(s, 'bold')}]{figures[name][s]:,.0f}[/]"
                                   for s in (*STATUSES, "all")))
        self.out.print(table)

    def _contradictions(self, said: dict[str, Any] | None) -> None:
        """Show what operators' footprints say, and where the model contradicts them."""
        if said is None:
            return
        table = table_of("Operators' footprints", "declared, but uncovered by the model",
                       "students", "covered by the model, not declared", "students",
                       right=range(1, 5))
        for name, row in (*said["by_operator"].items(), ("together", said)):
            table.add_row(escape(name or "?"), *(
                f"{row[kind][what]:,.0f}" for kind in CONTRADICTIONS
                for what in ("points", "learners")))
        self.out.print(table)

    def plan(self, figures: dict[str, Any]) -> None:
        """Show the first sites of a plan, and what is proven about it."""
        proof = figures["proof"]
        if not figures["plan"]:
            self.out.print("No site of the plan gains anybody.")
            self._proof(proof, "")
            return
        currency = figures["plan"][0]["currency"]
        scale, unit = _scale(max(row["cost_total"] for row in figures["plan"]), currency)
        peopled = "people_gained" in figures["plan"][0]
        table = table_of("Rank", "Site", "What", "Place", f"Cost {unit}", "low to high",
                         "Students gained", f"Students per million {currency}", "Points",
                         *(["People nearest"] if peopled else []), right=(0, 4, 5, 6, 7, 8, 9))
        for row in figures["plan"]:
            table.add_row(str(row["rank"]), row["site_id"], row["intervention"], row["place"],
                          f"{row['cost_total'] / scale:,.1f}",
                          f"{row['cost_low'] / scale:,.0f}–{row['cost_high'] / scale:,.0f}",
                          f"{row['students_gained']:,.0f}",
                          f"{row['students_per_cost']:.4g}", f"{row['points_gained']:,.0f}",
                          *([f"{row['people_gained']:,.0f}"] if peopled else []))
        self.out.print(table)
        if figures["plan_sites"] > len(figures["plan"]):
            self.say(f"and {figures['plan_sites'] - len(figures['plan']):,} more sites")
        low, high = figures["cost_range"]
        self.say(f"All together {low / scale:,.0f} to {high / scale:,.0f} {unit.strip('()')}, "
                 f"unit costs low to high.")
        self._proof(proof, currency)

    def _proof(self, proof: dict[str, Any] | None, currency: str) -> None:
        if not proof:
            return
        off = "" if proof["gap"] is None else f", gap {100.0 * proof['gap']:.2f} %"
        if proof["objective"] == "cost":
            self.say(f"The plan costs {proof['cost']:,.0f} {currency}; no plan that covers the "
                     f"same points costs less than {proof['bound']:,.0f} {currency}{off}.")
        else:
            self.say(f"The plan costs {proof['cost']:,.0f} {currency} and gains a weight of "
                     f"{proof['value']:,.0f}; none within the same limits gains more than "
                     f"{proof['bound']:,.0f}{off}.")
        if "seconds" in proof:
            self.say(f"Search: {ENDS.get(proof['stopped'], proof['stopped'])}, after "
                     f"{proof['seconds']:.1f} CPU seconds.")
        self._floors(proof)

    def _floors(self, proof: dict[str, Any]) -> None:
        """Show what floors asked for, what was reached, and what they cost."""
        if proof.get("unreachable"):
            names = proof["unreachable"]
            self.say(f"{len(names):,} points stand in the way, no candidate reaches them: "
                     f"{', '.join(names[:8])}{' ...' if len(names) > 8 else ''}")
        if proof.get("floors"):
            table = table_of("Floor", "Counts", "In the gaps", "Within reach", "Asked", "Reached",
                           right=range(2, 6))
            for floor in proof["floors"]:
                table.add_row(escape(floor["name"]), floor["of"], *(
                    f"{floor[c]:,.0f}" for c in ("total", "reachable", "asked", "reached")))
            self.out.print(table)
        if proof.get("price_of_floors"):
            low, high = proof["price_of_floors"]
            self.say(f"The floors cost a weight of {low:,.0f} to {high:,.0f}.")
        if proof.get("money_for_floors"):
            low, high = proof["money_for_floors"]
            self.say("No plan keeps the floors, whatever it costs." if low is None else
                     f"The limits do not allow the floors: they need at least {low:,.0f}"
                     + ("." if high is None else f"; {high:,.0f} suffice."))

    def _feeders(self, found: dict[str, Any]) -> None:
        words = {"microwave": "by microwave hop", "fibre": "by fibre along roads",
                 "satellite": "by satellite", "relay": "relaying a mast in sight"}
        said = [f"{row['hops']:,} {words[medium]}"
                + (f" ({row['length_km']:,.1f} km)" if row["length_km"] and medium != "relay"
                   else "")
                for medium, row in sorted(found["media"].items())]
        if found["most_hops"]:
            said.append(f"{found['relays']:,} relay masts, {found['shared']:,} hops shared, at "
                        f"most {found['most_hops']} by microwave to the network")
        if found["without_a_way"]:
            said.append(f"{found['without_a_way']:,} candidate sites have no way to the network")
        if said:
            self.say("Feeders of the plan: " + "; ".join(said))


    def deadlines(self, rows: list[dict[str, Any]]) -> None:
        """Show whether the plan meets each deadline, and with what probability."""
        if not rows:
            return
        table = table_of("Deadlines with this plan", "Deadline", "To close", "Plan closes",
                       "Half sure by", "90 % sure by", "Probability", right=(2, 3, 6))
        for row in rows:
            sure = f"{row['probability']:.0%}" + (f" ({row['reason'].replace('_', ' ')})"
                                                  if row["reason"] else "")
            table.add_row(escape(row["target"]), row["deadline"], f"{row['needed']:,}",
                          f"{row['closable']:,}", row["reached_p50"] or "never",
                          row["reached_p90"] or "never", sure)
        self.out.print(table)

    def dates(self, figures: dict[str, Any]) -> None:
        """Show the dates of a plan: sites in turn, deadlines, the jobs that carry the risk."""
        table = table_of("Turn", "Site", "What", "Operator", "Crew", "Because", "Crew from",
                         "until", "On air", "90 % sure by", "Students", right=(0, 4, 10))
        for row in figures["schedule"]:
            table.add_row(str(row["turn"]), row["site_id"], row["intervention"], row["operator"],
                          str(row["crew"]), row["first_because"], *(
                              row[c] or "never" for c in ("crew_from", "crew_until", "on_air",
                                                          "on_air_p90")),
                          f"{row['students_gained']:,.0f}")
        self.out.print(table)
        self.deadlines(figures["deadlines"])
        risks = table_of("Carries the risk of", "Site", "What", "Days late it costs",
                       "Probability it costs", right=(3, 4))
        for row in figures["risks"]:
            risks.add_row(escape(row["target"]), row["site_id"], row["intervention"],
                          f"{row['days_won']:.1f}", f"{row['probability_won']:+.1%}")
        if figures["risks"]:
            self.out.print(risks)
        self._money(figures["money"])
        weak = [n for n, d in figures["durations"].items() if d["confidence"] == "L"]
        if weak:
            self.say(f"{len(weak)} of {len(figures['durations'])} durations are planning "
                     f"assumptions (confidence L); replace them under works: durations: in the "
                     f"study file.")


    def _money(self, said: dict[str, Any]) -> None:
        """Show what a plan costs at its dates."""
        if not said["built"]:
            return
        dated, once = said["dated"], said["at_once"]
        never = f"; {said['never']:,} are never built" if said["never"] else ""
        self.say(f"Present value of the {said['built']:,} sites at these dates: "
                 f"{dated['base']:,.0f} {said['currency']} ({dated['low']:,.0f} to "
                 f"{dated['high']:,.0f}); if all were built today {once['base']:,.0f}{never}.")


def _scale(largest: float, currency: str) -> tuple[float, str]:
    if largest >= 1e8:
        return 1e6, f"(million {currency})"
    return (1e3, f"(thousand {currency})") if largest >= 1e5 else (1.0, f"({currency})")
