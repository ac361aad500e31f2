"""How far each target is, what is lost and won, and who gets devices: as the terminal shows it."""

from __future__ import annotations

from functools import partial
from typing import Any

from rich.console import Console
from rich.markup import escape

from phusong.screen.names import Names
from phusong.screen.phrases import phrase, word
from phusong.screen.table import COLOURS, table_of
from phusong.tables import STATUSES
from phusong.written import day, figure, moment

__all__ = ["Standing"]

_EVIDENCE = ("claimed", "declared", "measured")
_MOST = 20
_FIGURES = 4
_TOLD_FIRST = ("points", "goal", *STATUSES, "won", "lost", "joined", "left")
_COUNTS = ("schools", "need", "allocated", "missing")
_STEPS = {"open": "opened", "withdraw": "withdrawn", "merge": "merged", "reopen": "reopened"}
_BY = {"province": ("by_province", "in_province"), "commune": ("by_commune", "in_commune"),
       "operator": ("by_operator", "operator"), "kind": ("by_kind", "of_kind")}
_FIGURE = {"since": "before_it", "learners_claimed": "students_claimed",
           "learners_declared": "students_declared", "learners_measured": "students_measured"}
_FIGURES_SO = {"learners": "learners_so", "poor": "poor_so", "near_poor": "near_poor_so",
               "learners_poor": "learners_poor_so", "joined": "joined_so", "left": "left_so",
               "locked": "locked_so", "claimed": "claimed_so", "declared": "declared_so",
               "measured": "measured_so"}
_ALONE = ("deadline", "learners", "locked", "disputed", "evidence")


class Standing:
    """The part of the screen that speaks of progress."""

    out: Console
    names: Names

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
            table.add_row(_name(t, language), day(t["deadline"], language), num(t["goal"]),
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
        self.say(phrase("as_of", language, day=day(figures["as_of"], language),
                        definition=self.names.definition(figures["definition"], language))
                 + (phrase("as_given", language, day=moment(given, language)) if given else ""))
        self.targets(figures["targets"], language)
        self._students(figures["targets"], language)
        if by:
            self._breakdown(figures, by, language)
        self._devices(figures.get("devices"), language)
        days = [t["since"] for t in figures["targets"] if t["since"]]
        self._register(figures.get("register", []), min(days) if days else None, language)
        self._restated(figures, language)
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
        num = partial(figure, language=language)
        say = partial(phrase, language=language)
        rows, (words, head) = figures["breakdown"].get(by, []), _BY[by]
        for target in figures["targets"]:
            own = [row for row in rows if row["target"] == target["name"]]
            if not own:
                continue
            self.out.print(f"[bold]{_name(target, language)}[/] {say(words)}")
            table = table_of(*map(say, (head, *STATUSES, "learners", "students_uncovered",
                                        "poor_marked")), right=range(1, 8))
            for row in own:
                value = word("kind", row["value"], language) if by == "kind" else row["value"]
                poor = row["learners_poor_uncovered"]
                table.add_row(escape(" ".join(filter(None, (value, row["label"])))
                                     or say("not_known")),
                              *(f"[{COLOURS[s]}]{num(row[s])}[/]" for s in STATUSES),
                              num(row["learners"]), num(row["learners_uncovered"]),
                              "?" if poor is None else num(poor))
            self.out.print(table)
        if rows:
            self.say(say("poor_note") + (say("own_cells") if by == "operator" else ""))

    def _devices(self, said: dict[str, Any] | None, language: str) -> None:
        num = partial(figure, language=language)
        if said and (said["held"] or said["need"]):
            self.say(phrase("devices_held", language, held=num(said["held"]),
                            need=num(said["need"]), schools=num(said["schools"]))
                     + (phrase("not_counted", language, n=num(said["unknown_need"]))
                        if said["unknown_need"] else ""))

    def _restated(self, figures: dict[str, Any], language: str) -> None:
        say = partial(phrase, language=language)
        labels = {t["name"]: t["label"][language] or t["name"] for t in figures["targets"]}
        for row in figures.get("restated", []):
            first = [n for n in _TOLD_FIRST if n in row["differ"]]
            names = (first or row["differ"])[:_FIGURES]
            more = len(row["differ"]) - len(names)
            told = "; ".join(f"{_figure_name(name, language)} "
                             + say("then").join(_steps(row["given"], name, language))
                             for name in names)
            self.say(say("restated", target=labels.get(row["target"], row["target"]),
                         day=day(row["date"], language), figures=told)
                     + (say("more_figures", n=more) if more else ""))

    def _register(self, rows: list[dict[str, Any]], since: str | None, language: str) -> None:
        num = partial(figure, language=language)
        say = partial(phrase, language=language)
        new = [row for row in rows if since is None or row["date"] > since]
        for row in new[-_MOST:]:
            into = say("into", point=row["merged_into"]) if row["merged_into"] else ""
            why = f": {row['reason']}" if row["reason"] else ""
            self.say(f"{say('register')} {day(row['date'], language)}  {row['counts']:+d}  "
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
        say = partial(phrase, language=language)
        table = table_of(*map(say, ("point", "name", "operator", "claimed_since", "margin",
                                    "because", "students")), right=(4, 6))
        for row in rows[:_MOST]:
            margin = "" if row["margin_db"] is None else num(row["margin_db"], form="+.1f")
            since = day(row["claimed_from"] or "", language) or say("footprint")
            table.add_row(escape(row["point_id"]), escape(row["name"]), escape(row["operator"]),
                          since, margin, word("reason_short", row["reason"], language),
                          num(row["learners"]))
        self.out.print(table)
        if len(rows) > _MOST:
            self.say(say("more_lines", n=num(len(rows) - _MOST)))

    def switch_off(self, said: dict[str, Any], language: str = "en") -> None:
        """Show what a switch-off would cost, definition by definition."""
        num = partial(figure, language=language)
        say = partial(phrase, language=language)
        whose = say("whose", operator=said["operator"]) if said["operator"] else ""
        self.say(say("off_air", study=said["study"], whose=whose,
                     mark=say("fictional") if said["fictional"] else "",
                     technologies=", ".join(said["technologies"]),
                     day=day(said["as_of"], language)))
        table = table_of(*map(say, ("definition", "counts_it", "covered", "lost", "learners",
                                    "poor_and_near")), right=range(2, 6))
        for row in said["definitions"]:
            named = self.names.definition(row["definition"], language)
            table.add_row(escape(named), _yes(row["counts"], language), *(
                num(row[c]) for c in ("covered", "lost", "learners", "learners_poor")))
        self.out.print(table)
        if not any(row["counts"] for row in said["definitions"]):
            self.say(say("nothing_counts"))
        if said["lost"]:
            table = table_of(*map(say, ("definition", "point", "name", "covered_by", "afterwards",
                                        "students")), right=(5,))
            for row in said["lost"][:_MOST]:
                table.add_row(*(escape(row[c]) for c in (
                    "definition", "point_id", "name", "was_operators")),
                    say(row["now"]), num(row["learners"]))
            self.out.print(table)
            if len(said["lost"]) > _MOST:
                self.say(say("more_lines", n=num(len(said["lost"]) - _MOST)))

    def allocation(self, said: dict[str, Any], language: str = "en") -> None:
        """Show how devices were split, tier by tier, and what is still missing."""
        num = partial(figure, language=language)
        say = partial(phrase, language=language)
        self.say(say("to_give", study=said["study"], day=day(said["as_of"], language),
                     mark=say("fictional") if said["fictional"] else "", n=num(said["devices"])))
        table = table_of(*(word("device", c, language) for c in (
            "tier", "status", "locked", *_COUNTS)), right=(0, 3, 4, 5, 6))
        for row in said["tiers"]:
            table.add_row(str(row["tier"]), say(row["status"]), _yes(row["locked"], language),
                          *(num(row[c]) for c in _COUNTS))
        table.add_row("", word("device", "all", language), "",
                      *(f"[bold]{num(said[c])}[/]" for c in _COUNTS))
        self.out.print(table)
        spare = said["devices"] - said["allocated"]
        self.say(say("held_already", n=num(said["held"]))
                 + (say("left_over", n=num(spare)) if spare else "")
                 + (say("uncounted", n=num(said["unknown_need"])) if said["unknown_need"] else ""))
        self.say(say("table_at", path=said["table"]))


def _yes(holds: bool, language: str) -> str:
    return word("device", "yes" if holds else "no", language)


def _name(target: dict[str, Any], language: str) -> str:
    return escape(target["label"][language] or target["name"])


def _figure_name(name: str, language: str) -> str:
    """Return what a figure of PROGRESS is called; one without words stands for itself."""
    if name in (*_TOLD_FIRST, *_ALONE):
        return phrase(name, language).lower()
    if name in _FIGURE:
        return phrase(_FIGURE[name], language)
    of, _, status = name.rpartition("_")
    if of in _FIGURES_SO and status in STATUSES:
        return phrase(_FIGURES_SO[of], language, status=phrase(status, language))
    return name.replace("_", " ")


def _steps(given: list[dict[str, Any]], name: str, language: str) -> list[str]:
    """Return what was given of one figure, each new value with the time from which it held."""
    told: list[str] = []
    last: Any = object()
    for row in given:
        if row[name] != last:
            last = row[name]
            told.append(phrase("value_known", language, value=_value(last, language),
                               day=moment(row["known_on"], language)))
    return told


def _value(value: Any, language: str) -> str:
    if value is None:
        return "?"
    if isinstance(value, int | float):
        return figure(value, language, ",.10g")
    return word("evidence", day(value, language), language)


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
    low, median, high = (day(f[n] or "", language) or say("beyond")
                         for n in ("date_low", "date_median", "date_high"))
    lines.append(say("done_by", median=median, low=low, high=high))
    if late <= 0:
        lines.append(say("chance", chance=_chance(f["chance_by_deadline"], language)))
    return lines


def _chance(share: float, language: str) -> str:
    num = partial(figure, language=language)
    key = "under_one" if share < 0.01 else "over_99" if share > 0.99 else ""
    return phrase(key, language) if key else f"{num(100.0 * share)} %"


def _since(target: dict[str, Any], language: str) -> str:
    """Say in one line what changed since the snapshot before."""
    num = partial(figure, language=language)
    if target["since"] is None:
        return ""
    return phrase("since", language, day=day(target["since"], language), **{
        name: num(target[name]) for name in ("won", "lost", "joined", "left")})


def _beside(target: dict[str, Any], language: str) -> str:
    """Say what else is known beside the model, each on its own."""
    num = partial(figure, language=language)
    said = [f"{phrase(short, language)} {num(target[f'{short}_covered'])}" for short in _EVIDENCE
            if target.get(f"{short}_covered") is not None]
    model = phrase("by_model", language, n=num(target["covered"]))
    return f"{model}; {', '.join(said)}" if said else ""
