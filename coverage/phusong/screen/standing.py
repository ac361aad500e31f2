"""How far each target is, what is lost and won, and who gets devices: as the terminal shows it."""

from __future__ import annotations

from functools import partial
from typing import Any

from rich.console import Console
from rich.markup import escape

from phusong.screen.phrases import figure, phrase
from phusong.screen.table import COLOURS, table_of
from phusong.tables import STATUSES

__all__ = ["Standing"]

_EVIDENCE = ("claimed", "declared", "measured")
_MOST = 20
_FIGURES = 4
_TOLD_FIRST = ("points", "goal", *STATUSES, "won", "lost", "joined", "left")
_STEPS = {"open": "opened", "withdraw": "withdrawn", "merge": "merged", "reopen": "reopened"}


class Standing:
    """The part of the screen that speaks of progress."""

    out: Console

    def say(self, text: str) -> None:
        """Write a line for people."""
        raise NotImplementedError

    def targets(self, targets: list[dict[str, Any]], language: str = "en") -> None:
        """Show how far each target is, at which pace, and when it may be reached."""
        num = partial(figure, language=language)
        if not targets:
            return
        say = partial(phrase, language=language)
        table = table_of(*map(say, ("target", "deadline", "goal", *STATUSES)), right=range(2, 7))
        for t in targets:
            table.add_row(_name(t, language), t["deadline"], num(t["goal"]),
                          *(f"[{COLOURS[s]}]{num(t[s])}[/]" for s in STATUSES))
        self.out.print(table)
        for t in targets:
            self.say(f"{_name(t, language)}:")
            for line in (*_outlook(t, language), _since(t, language), _beside(t, language)):
                if line:
                    self.say(f"  {line}")

    def standing(self, figures: dict[str, Any], by: str = "", language: str = "en", *,
                 checks: bool = False) -> None:
        """Show the progress of a study; `by` adds a breakdown, `checks` the places to go to."""
        mark = phrase("fictional", language) if figures["fictional"] else ""
        self.say(f"{figures['title'][language] or figures['study']}{mark}")
        given = figures["given_on"]
        self.say(phrase("as_of", language, day=figures["as_of"], definition=figures["definition"])
                 + (phrase("as_given", language, day=given) if given else ""))
        self.targets(figures["targets"], language)
        self._students(figures["targets"], language)
        if by:
            self._breakdown(figures, by, language)
        self._devices(figures.get("devices"), language)
        days = [t["since"] for t in figures["targets"] if t["since"]]
        self._register(figures.get("register", []), min(days) if days else None, language)
        self._restated(figures.get("restated", []), language)
        self._checks(figures.get("field_checks", []), language, whole=checks)

    def _students(self, targets: list[dict[str, Any]], language: str) -> None:
        num = partial(figure, language=language)
        say = partial(phrase, language=language)
        table = table_of(say("students"), "", *map(say, (*STATUSES, "all")), right=range(2, 7))
        for t in targets:
            name = _name(t, language)
            for short, words in (("learners", say("all")), ("poor", say("poor")),
                                 ("near_poor", say("near_poor"))):
                counts = [t[f"{short}_{s}"] for s in STATUSES]
                known = None not in counts
                table.add_row(name, words, *(num(c) if known else "?"
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

    def _devices(self, said: dict[str, Any] | None, language: str) -> None:
        num = partial(figure, language=language)
        if said and (said["held"] or said["need"]):
            self.say(phrase("devices_held", language, held=num(said["held"]),
                            need=num(said["need"]), schools=num(said["schools"]))
                     + (phrase("not_counted", language, n=num(said["unknown_need"]))
                        if said["unknown_need"] else ""))

    def _restated(self, rows: list[dict[str, Any]], language: str) -> None:
        say = partial(phrase, language=language)
        for row in rows:
            first = [n for n in _TOLD_FIRST if n in row["differ"]]
            names = (first or row["differ"])[:_FIGURES]
            more = len(row["differ"]) - len(names)
            figures = "; ".join(f"{say(name) if name in first else name.replace('_', ' ')} "
                                + say("then").join(_steps(row["given"], name, language))
                                for name in names)
            self.say(say("restated", target=row["target"], day=row["date"], figures=figures)
                     + (say("more_figures", n=more) if more else ""))

    def _register(self, rows: list[dict[str, Any]], since: str | None, language: str) -> None:
        num = partial(figure, language=language)
        say = partial(phrase, language=language)
        new = [row for row in rows if since is None or row["date"] > since]
        for row in new[-_MOST:]:
            into = say("into", point=row["merged_into"]) if row["merged_into"] else ""
            why = f": {row['reason']}" if row["reason"] else ""
            self.say(f"{say('register')} {row['date']}  {row['counts']:+d}  "
                     f"{escape(row['point_id'])} {say(_STEPS[row['action']])}{escape(into)}"
                     f"{escape(why)}")
        if len(new) > _MOST:
            self.say(say("earlier_steps", n=num(len(new) - _MOST)))

    def _checks(self, rows: list[dict[str, Any]], language: str, *, whole: bool) -> None:
        num = partial(figure, language=language)
        if not rows:
            return
        learners = sum(r["learners"] for r in {r["point_id"]: r for r in rows}.values())
        points = len({r["point_id"] for r in rows})
        self.say(phrase("to_check", language, points=num(points), learners=num(learners))
                 + ("" if whole else phrase("lists_them", language)))
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


def _steps(given: list[dict[str, Any]], name: str, language: str) -> list[str]:
    """Return what was given of one figure, each new value with the time from which it held."""
    num = partial(figure, language=language)
    told: list[str] = []
    last: Any = object()
    for row in given:
        if row[name] != last:
            last = row[name]
            shown = "?" if last is None else num(last) if isinstance(last, int) else str(last)
            told.append(phrase("value_known", language, value=shown,
                               day=row["known_on"][:16].replace("T", " ")))
    return told


def _count(number: float | None) -> str:
    return "?" if number is None else f"{number:,.0f}"


def _outlook(target: dict[str, Any], language: str) -> list[str]:
    """Say when a target may be reached, or why nobody can tell."""
    num = partial(figure, language=language)
    say = partial(phrase, language=language)
    f, late = target["forecast"], -target["days_to_deadline"]
    if f is None:
        return []
    if f["reason"] == "reached":
        return [say("reached")]
    lines = [say("passed", days=late)] if late > 0 else []
    if f["reason"]:
        return [*lines, say(f["reason"], won=f["won"], weeks=num(f["window_weeks"] or 0))]
    wanted = f["pace_needed_per_week"]
    needs = say("pace_needed", pace=num(wanted, form=".1f")) if wanted else ""
    lines.append(say("left_to_do", left=num(f["remaining"]), weeks=num(f["window_weeks"]),
                     pace=num(f["pace_per_week"], form="+.1f")) + needs)
    if f["date_low"] is None:
        return [*lines, say("never")]
    median, high = (f[n] or say("beyond") for n in ("date_median", "date_high"))
    lines.append(say("done_by", median=median, low=f["date_low"], high=high))
    if late <= 0:
        lines.append(say("chance", chance=_chance(f["chance_by_deadline"], language)))
    return lines


def _chance(share: float, language: str) -> str:
    num = partial(figure, language=language)
    key = "under_one" if share < 0.01 else "over_99" if share > 0.99 else ""
    return phrase(key, language) if key else num(share, form=".0%")


def _since(target: dict[str, Any], language: str) -> str:
    """Say in one line what changed since the snapshot before."""
    num = partial(figure, language=language)
    if target["since"] is None:
        return ""
    return phrase("since", language, day=target["since"], **{
        name: num(target[name]) for name in ("won", "lost", "joined", "left")})


def _beside(target: dict[str, Any], language: str) -> str:
    """Say what else is known beside the model, each on its own."""
    num = partial(figure, language=language)
    said = [f"{phrase(short, language)} {num(target[f'{short}_covered'])}" for short in _EVIDENCE
            if target.get(f"{short}_covered") is not None]
    model = phrase("by_model", language, n=num(target["covered"]))
    return f"{model}; {', '.join(said)}" if said else ""
