"""How far each target is, what is lost and won, and who gets devices: as the terminal shows it."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.markup import escape

from phusong.screen.table import COLOURS, table_of
from phusong.tables import STATUSES

__all__ = ["Standing"]

_NO_FORECAST = {
    "reached": "the goal is reached",
    "no_window": "no forecast: fewer than two weeks of snapshots",
    "too_few": "no forecast: only {won} points won in {weeks:.0f} weeks",
}
_EVIDENCE = (("claimed", "operators claim"), ("declared", "footprints say"),
             ("measured", "measured"))
_MOST = 20
_FIGURES = 4
_TOLD_FIRST = ("points", "goal", *STATUSES, "won", "lost", "joined", "left")
_STEPS = {"open": "opened", "withdraw": "withdrawn", "merge": "merged", "reopen": "opened again"}


class Standing:
    """The part of the screen that speaks of progress."""

    out: Console

    def say(self, text: str) -> None:
        """Write a line for people."""
        raise NotImplementedError

    def targets(self, targets: list[dict[str, Any]], language: str = "en") -> None:
        """Show how far each target is, at which pace, and when it may be reached."""
        if not targets:
            return
        table = table_of("Target", "Deadline", "Goal", *STATUSES, right=range(2, 7))
        for t in targets:
            table.add_row(_name(t, language), t["deadline"], f"{t['goal']:,}",
                          *(f"[{COLOURS[s]}]{t[s]:,}[/]" for s in STATUSES))
        self.out.print(table)
        for t in targets:
            self.say(f"{_name(t, language)}:")
            for line in (*_outlook(t), _since(t), _beside(t)):
                if line:
                    self.say(f"  {line}")

    def standing(self, figures: dict[str, Any], by: str = "", language: str = "en", *,
                 checks: bool = False) -> None:
        """Show the progress of a study; `by` adds a breakdown, `checks` the places to go to."""
        mark = "  [FICTIONAL DATA]" if figures["fictional"] else ""
        self.say(f"{figures['title'][language] or figures['study']}{mark}")
        self.say(f"as of {figures['as_of']}, covered means: {figures['definition']}"
                 + (f"; as it was given on {figures['given_on']}" if figures["given_on"] else ""))
        self.targets(figures["targets"], language)
        self._students(figures["targets"], language)
        if by:
            self._breakdown(figures, by, language)
        self._devices(figures.get("devices"))
        days = [t["since"] for t in figures["targets"] if t["since"]]
        self._register(figures.get("register", []), min(days) if days else None)
        self._restated(figures.get("restated", []))
        self._checks(figures.get("field_checks", []), whole=checks)

    def _students(self, targets: list[dict[str, Any]], language: str) -> None:
        table = table_of("Students", "", *STATUSES, "all", right=range(2, 7))
        for t in targets:
            name = _name(t, language)
            for short, words in (("learners", "all"), ("poor", "poor"),
                                 ("near_poor", "near-poor")):
                counts = [t[f"{short}_{s}"] for s in STATUSES]
                known = None not in counts
                table.add_row(name, words, *(f"{c:,.0f}" if known else "?"
                                             for c in (*counts, sum(counts) if known else 0)))
                name = ""
        self.out.print(table)

    def _breakdown(self, figures: dict[str, Any], by: str, language: str) -> None:
        rows = figures["breakdown"].get(by, [])
        for target in figures["targets"]:
            own = [row for row in rows if row["target"] == target["name"]]
            if not own:
                continue
            self.out.print(f"[bold]{_name(target, language)}[/] by {by}")
            table = table_of(by.capitalize(), *STATUSES, "students", "not covered", "poor*",
                             right=range(1, 8))
            for row in own:
                table.add_row(escape(" ".join(filter(None, (row["value"], row["label"])))
                                     or "(not known)"),
                              *(f"[{COLOURS[s]}]{row[s]:,}[/]" for s in STATUSES),
                              f"{row['learners']:,.0f}", f"{row['learners_uncovered']:,.0f}",
                              _count(row["learners_poor_uncovered"]))
            self.out.print(table)
        if rows:
            self.say("* poor and near-poor students at points that are not covered"
                     + ("; by operator, its own cells alone" if by == "operator" else ""))

    def _devices(self, said: dict[str, Any] | None) -> None:
        if said and (said["held"] or said["need"]):
            self.say(f"Devices: {said['held']:,} held, {said['need']:,} poor and near-poor "
                     f"students without one at {said['schools']:,} places"
                     + (f" ({said['unknown_need']:,} places not counted)"
                        if said["unknown_need"] else ""))

    def _restated(self, rows: list[dict[str, Any]]) -> None:
        for row in rows:
            first = [n for n in _TOLD_FIRST if n in row["differ"]]
            names = (first or row["differ"])[:_FIGURES]
            more = len(row["differ"]) - len(names)
            self.say(f"Restated: {row['target']} on {row['date']}: " + "; ".join(
                f"{name.replace('_', ' ')} " + ", then ".join(_steps(row["given"], name))
                for name in names) + (f"; and {more} more figures" if more else ""))

    def _register(self, rows: list[dict[str, Any]], since: str | None) -> None:
        new = [row for row in rows if since is None or row["date"] > since]
        for row in new[-_MOST:]:
            into = f" into {row['merged_into']}" if row["merged_into"] else ""
            why = f": {row['reason']}" if row["reason"] else ""
            self.say(f"Register {row['date']}  {row['counts']:+d}  {escape(row['point_id'])} "
                     f"{_STEPS[row['action']]}{escape(into)}{escape(why)}")
        if len(new) > _MOST:
            self.say(f"and {len(new) - _MOST:,} earlier steps of the register: --json tells all")

    def _checks(self, rows: list[dict[str, Any]], *, whole: bool) -> None:
        if not rows:
            return
        learners = sum(r["learners"] for r in {r["point_id"]: r for r in rows}.values())
        points = len({r["point_id"] for r in rows})
        self.say(f"{points:,} points ({learners:,.0f} students) are claimed by an operator whose "
                 f"cells cannot reach them, by the model: for a field check"
                 + ("" if whole else " (--field-checks lists them)"))
        if not whole:
            return
        table = table_of("Point", "Name", "Operator", "Since", "Margin dB", "Because", "Students",
                         right=(4, 6))
        for row in rows[:_MOST]:
            margin = "" if row["margin_db"] is None else f"{row['margin_db']:+.1f}"
            table.add_row(escape(row["point_id"]), escape(row["name"]), escape(row["operator"]),
                          row["claimed_from"] or "footprint", margin,
                          row["reason"].replace("_", " "), f"{row['learners']:,.0f}")
        self.out.print(table)
        if len(rows) > _MOST:
            self.say(f"and {len(rows) - _MOST:,} more: --json tells all")

    def switch_off(self, said: dict[str, Any]) -> None:
        """Show what a switch-off would cost, definition by definition."""
        mark = "  [FICTIONAL DATA]" if said["fictional"] else ""
        self.say(f"{said['study']}{mark}: {', '.join(said['technologies'])}"
                 + (f" of {said['operator']}" if said["operator"] else "")
                 + f" off air on {said['as_of']}")
        table = table_of("Definition", "counts it", "covered", "lost", "students",
                         "poor and near-poor", right=range(2, 6))
        for row in said["definitions"]:
            table.add_row(escape(row["definition"]), "yes" if row["counts"] else "no", *(
                f"{row[c]:,.0f}" for c in ("covered", "lost", "learners", "learners_poor")))
        self.out.print(table)
        if not any(row["counts"] for row in said["definitions"]):
            self.say("No definition of covered counts that technology, so nothing can be lost by "
                     "it. Add one with technologies: [GSM, UMTS, LTE, NR] to the study file.")
        if said["lost"]:
            table = table_of("Definition", "Point", "Name", "Covered by", "Then", "Students",
                             right=(5,))
            for row in said["lost"][:_MOST]:
                table.add_row(escape(row["definition"]), escape(row["point_id"]),
                              escape(row["name"]), escape(row["was_operators"]), row["now"],
                              f"{row['learners']:,.0f}")
            self.out.print(table)
            if len(said["lost"]) > _MOST:
                self.say(f"and {len(said['lost']) - _MOST:,} more: --json tells all")

    def allocation(self, said: dict[str, Any]) -> None:
        """Show how devices were split, tier by tier, and what is still missing."""
        mark = "  [FICTIONAL DATA]" if said["fictional"] else ""
        self.say(f"{said['study']}{mark} as of {said['as_of']}: {said['devices']:,} devices to "
                 f"give")
        table = table_of("Order", "Signal", "Distancing", "Schools", "Needed", "Given", "Missing",
                         right=(0, 3, 4, 5, 6))
        for row in said["tiers"]:
            table.add_row(str(row["tier"]), row["status"], "yes" if row["locked"] else "no", *(
                f"{row[c]:,}" for c in ("schools", "need", "allocated", "missing")))
        table.add_row("", "all", "", *(f"[bold]{said[c]:,}[/]" for c in (
            "schools", "need", "allocated", "missing")))
        self.out.print(table)
        spare = said["devices"] - said["allocated"]
        self.say(f"{said['held']:,} held already" + (f"; {spare:,} left over" if spare else "")
                 + (f"; {said['unknown_need']:,} schools get none because nobody has counted "
                    f"their poor students" if said["unknown_need"] else ""))
        self.say(f"Table: {said['table']}")


def _name(target: dict[str, Any], language: str) -> str:
    return escape(target["label"][language] or target["name"])


def _steps(given: list[dict[str, Any]], name: str) -> list[str]:
    """Return what was given of one figure, each new value with the time from which it held."""
    told: list[str] = []
    last: Any = object()
    for row in given:
        if row[name] != last:
            last = row[name]
            shown = "?" if last is None else f"{last:,}" if isinstance(last, int) else str(last)
            told.append(f"{shown} as known on {row['known_on'][:16].replace('T', ' ')}")
    return told


def _count(number: float | None) -> str:
    return "?" if number is None else f"{number:,.0f}"


def _outlook(target: dict[str, Any]) -> list[str]:
    """Say when a target may be reached, or why nobody can tell."""
    f, late = target["forecast"], -target["days_to_deadline"]
    if f is None:
        return []
    if f["reason"] == "reached":
        return [_NO_FORECAST["reached"]]
    lines = [f"deadline passed {late} days ago"] if late > 0 else []
    if f["reason"]:
        return [*lines, _NO_FORECAST[f["reason"]].format(won=f["won"],
                                                         weeks=f["window_weeks"] or 0)]
    needs = f", needs {f['pace_needed_per_week']:.1f}" if f["pace_needed_per_week"] else ""
    lines.append(f"{f['remaining']:,} left; {f['pace_per_week']:+.1f} a week over "
                 f"{f['window_weeks']:.0f} weeks{needs}")
    if f["date_low"] is None:
        return [*lines, "at this pace not within ten years"]
    median, high = (f[n] or "beyond ten years" for n in ("date_median", "date_high"))
    lines.append(f"if that pace goes on: done {median}, 80 % interval {f['date_low']} to {high}")
    if late <= 0:
        lines.append(f"chance of meeting the deadline: {_chance(f['chance_by_deadline'])}")
    return lines


def _chance(share: float) -> str:
    return "under 1 %" if share < 0.01 else "over 99 %" if share > 0.99 else f"{share:.0%}"


def _since(target: dict[str, Any]) -> str:
    """Say in one line what changed since the snapshot before."""
    if target["since"] is None:
        return ""
    return (f"since {target['since']}: {target['won']:,} won, {target['lost']:,} lost, "
            f"{target['joined']:,} joined the list, {target['left']:,} left it")


def _beside(target: dict[str, Any]) -> str:
    """Say what else is known beside the model, each on its own."""
    said = [f"{words} {target[f'{short}_covered']:,.0f}" for short, words in _EVIDENCE
            if target.get(f"{short}_covered") is not None]
    return f"covered by the model {target['covered']:,}; {', '.join(said)}" if said else ""
