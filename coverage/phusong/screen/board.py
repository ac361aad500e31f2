"""What the operations desk sees on the terminal: reports, proofs, differences, batches."""

from __future__ import annotations

from functools import partial
from shlex import quote as quoted
from typing import Any

from rich.console import Console
from rich.markup import escape

from phusong.screen.names import Names
from phusong.screen.phrases import phrase
from phusong.screen.table import table_of
from phusong.written import day, figure

__all__ = ["Board"]

_MOST = 20
_FAULTS = 5
_NAMED = 3
_COUNTS = ("rows", "accepted", "duplicate", "rejected")


class Board:
    """The part of the screen that speaks of reports."""

    out: Console
    names: Names

    def say(self, text: str) -> None:
        """Write a line for people."""
        raise NotImplementedError

    def error(self, text: str) -> None:
        """Write an error."""
        raise NotImplementedError

    def outcome(self, outcome: Any, language: str = "en", study: str = "") -> None:
        """Show what became of operators' reports, file by file."""
        num = partial(figure, language=language)
        say = partial(phrase, language=language)
        table = table_of(*map(say, ("file", *_COUNTS, "refused_because")), right=(1, 2, 3, 4))
        files = outcome.files.to_dict("records")
        for row in files:
            table.add_row(escape(row["name"]), *(num(row[c]) for c in _COUNTS),
                          escape(row[f"message_{language}"]))
        if len(files) > 1:
            table.add_row(say("together"), *(f"[bold]{num(outcome.counts[c])}[/]"
                                             for c in _COUNTS), "")
        self.out.print(table)
        self._unread(files, language)
        faults = outcome.faults().to_dict("records")
        for fault in faults[:_FAULTS]:
            self.say(say("rejected_rows", rows=num(fault["rows"]), row=fault["row"],
                         file=fault["file"], reason=fault["reason"],
                         message=fault[f"message_{language}"]))
        if len(faults) > _FAULTS:
            self.say(say("other_reasons", rows=num(sum(f["rows"] for f in faults[_FAULTS:]))))
        for path in outcome.workbooks:
            self.say(say("goes_back", path=path))
        for what, names in (("strangers", outcome.strangers), ("newcomers", outcome.newcomers)):
            if names:
                self.say(say(what, n=num(len(names)), list="; ".join([
                    key + (say("nearly", near=near) if near else "")
                    for key, near in list(names.items())[:_FAULTS]]
                    + ["..."] * (len(names) > _FAULTS))))
        if outcome.about_sites:
            self.say(say("cells_would_differ" if outcome.dry_run else "cells_differ",
                         cells=num(len(outcome.changes)), suspects=num(len(outcome.suspects))))
        if len(outcome.suspects) and study and outcome.about_sites and not outcome.dry_run:
            self.say(say("who_waits", study=study))
        if outcome.dry_run:
            self._foreseen(outcome, language)

    def _unread(self, files: list[dict[str, Any]], language: str) -> None:
        """Say which columns were not read, once for all files of which it is the same."""
        same: dict[str, list[str]] = {}
        for row in files:
            if row["unread"]:
                same.setdefault(row[f"unread_{language}"], []).append(row["name"])
        for words, names in same.items():
            more = len(names) - _NAMED
            self.say(", ".join(names[:_NAMED]) + (phrase(
                "and_more_files", language, n=figure(more, language)) if more > 0 else "")
                + f": {words}")

    def _foreseen(self, outcome: Any, language: str) -> None:
        """Say what would become of points."""
        num = partial(figure, language=language)
        say = partial(phrase, language=language)
        if outcome.statements is not None:
            changes = outcome.statements["change"].value_counts()
            self.say(say("statements", list=", ".join(
                say(f"would_{name}", n=num(changes[name])) for name in sorted(changes.index))
                or say("nothing_else")))
        elif outcome.points is None:
            self.say(say("not_run"))
        elif not outcome.points["rows"]:
            self.say(say("no_point", day=day(outcome.points["after"]["as_of"], language),
                         definition=self.names.definition(outcome.points["definition"],
                                                          language)))
        else:
            self.say(say("what_would"))
            self.differences(outcome.points, language)
        self.say(say("nothing_written"))

    def waiting(self, suspects: list[dict[str, Any]], troubles: list[dict[str, Any]], study: str,
                language: str = "en") -> None:
        """Show what waits for a person: suspected duplicates, statements nobody can follow."""
        num = partial(figure, language=language)
        say = partial(phrase, language=language)
        self.say(say("suspects" if suspects else "no_suspects"))
        if suspects:
            table = table_of(say("operator"), say("code"), say("other"), say("distance"),
                             right=(3,))
            for row in suspects:
                table.add_row(*(escape(row[c]) for c in ("operator", "site_code",
                                                         "other_site_code")),
                              num(row['distance_m'], form=".0f"))
            self.out.print(table)
            self.say(say("how_to_settle", study=study, operator=quoted(suspects[0]["operator"]),
                         code=quoted(suspects[0]["other_site_code"]),
                         other=quoted(suspects[0]["site_code"])))
        self.say(say("troubles" if troubles else "no_troubles"))
        if troubles:
            table = table_of(*(say(key) for key in ("operator", "place", "cell", "action",
                                                    "from_day", "known", "why")))
            for row in troubles:
                table.add_row(*(escape(row[c]) for c in ("operator", "site_code", "cell_code")),
                              say(f"action_{row['action']}"), day(row["effective_date"], language),
                              day(row["known_at"][:10], language), say(row["code"]))
            self.out.print(table)

    def settled(self, operator: str, code: str, other: str, verdict: str, outcome: Any,
                language: str = "en") -> None:
        """Show what a person's word on two site codes changed."""
        num = partial(figure, language=language)
        self.say(phrase(f"settled_{verdict}", language, operator=operator, code=code, other=other))
        self.say(phrase("cells_differ", language, cells=num(len(outcome.changes)),
                        suspects=num(len(outcome.suspects))))

    def proof(self, proof: dict[str, list[str]]) -> None:
        """Say whether computing everything again gave the same."""
        same, differing = proof["same"], proof["differing"]
        if differing:
            self.error(f"computed again from the files, {len(differing)} of "
                       f"{len(same) + len(differing)} tables differ: {', '.join(differing)}. The "
                       f"kept ones are forgotten; please report this.")
        else:
            self.say(f"Computed again from the files: all {len(same)} tables are the same, bit "
                     f"for bit.")

    def differences(self, figures: dict[str, Any], language: str = "en") -> None:
        """Show how many points differ between two days, and the first of them."""
        num = partial(figure, language=language)
        say = partial(phrase, language=language)
        before, after = (
            day(f["as_of"], language)
            + (say("as_known", day=day(f["known_on"], language)) if f["known_on"] else "")
            + (say("with_report") if f.get("with_report") else "")
            for f in (figures["before"], figures["after"]))
        self.say(say("against", study=figures["study"], before=before, after=after,
                     definition=self.names.definition(figures["definition"], language),
                     mark=say("fictional") if figures["fictional"] else ""))
        names = list(figures["changes"])
        table = table_of("", *map(say, names), say("students_won"), say("students_lost"),
                         right=range(1, len(names) + 3))
        parts = [(say("all_points"), figures["changes"]),
                 *((self.names.target(name, language), part)
                   for name, part in figures["by_target"].items()),
                 *((say("province", code=code), part)
                   for code, part in figures["by_province"].items())]
        for label, part in parts:
            table.add_row(escape(label), *(num(part[name]["points"]) for name in names),
                          num(part["won"]["learners"]), num(part["lost"]["learners"]))
        self.out.print(table)
        rows = figures["rows"]
        for row in rows[:_MOST]:
            self.say(f"{say(row['change']):<15}{row['point_id']:<14}"
                     f"{say(row['was_status'])} {row['was_best_cell_id'] or '-'} -> "
                     f"{say(row['is_status'])} {row['is_best_cell_id'] or '-'}  "
                     f"{row.get('name') or ''}")
            if row["might_cell_id"]:
                self.say(" " * 15 + say(f"might_{row['is_reason']}", cell=row["might_cell_id"]))
        if len(rows) > _MOST:
            self.say(say("more_rows", n=num(len(rows) - _MOST)))

    def batch(self, rows: list[dict[str, Any]], language: str = "en") -> None:
        """Show how each study of a batch ended."""
        num = partial(figure, language=language)
        say = partial(phrase, language=language)
        table = table_of(*map(say, ("study", "result", "seconds", "how_many", "gaps",
                                    "went_wrong")), right=(2, 3, 4))
        for row in rows:
            numbers = ("?" if row[c] is None else num(row[c]) for c in ("points", "uncovered"))
            table.add_row(escape(row["study"]), f"[green]{say('done')}[/]" if row["ok"] else
                          f"[bold red]{say('failed')}[/]", num(row["seconds"], form=",.1f"),
                          *numbers, escape(row["error"]))
        self.out.print(table)
