"""What the terminal shows of inputs: how each file was read, what was mended, what is wrong."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from rich.console import Console
from rich.markup import escape

from phusong.errors import Fault
from phusong.fault_words import fault_words, place_in_vietnamese
from phusong.screen.phrases import phrase, word
from phusong.screen.table import table_of
from phusong.written import figure

__all__ = ["Inputs"]

_STYLES = {"error": "bold red", "warning": "yellow", "assumption": "cyan"}
"""How grave a fault is -> its style, the gravest first."""
_COUNTS = ("rows_in", "accepted", "mended", "rejected")
_LEFT_OUT = 8
_MENDS = 3


class Inputs:
    """The part of the screen that speaks of inputs."""

    out: Console

    def say(self, text: str) -> None:
        """Write a line for people."""
        raise NotImplementedError

    def faults(self, faults: tuple[Fault, ...], language: str = "en") -> None:
        """List faults, errors first; in Vietnamese the case follows in English, in brackets."""
        order = list(_STYLES)
        for fault in _together(sorted(faults, key=lambda f: order.index(f.severity))):
            # where no row is named, the sentence tells how many of what
            rows = fault.count if fault.row is not None and fault.count > 1 else 0
            many = phrase("many_rows", language, n=figure(rows, language)) if rows else ""
            told = str(fault)
            if language == "vi":
                place, words = place_in_vietnamese(fault), fault_words().get(fault.code)
                told = (f"{place + ': ' if place else ''}"
                        f"{f'{words} [{fault.what}]' if words else fault.what}")
            self.out.print(f"[{_STYLES[fault.severity]}]{phrase(fault.severity, language)}[/] "
                           f"{escape(told)}{many}")

    def readings(self, rows: list[dict[str, Any]], language: str = "en") -> None:
        """Show what was read from each file, and which of its columns were taken."""
        num = partial(figure, language=language)
        say = partial(phrase, language=language)
        table = table_of(*map(say, ("file", "role", "rows", "accepted", "mended", "rejected")),
                         right=(2, 3, 4, 5))
        for row in rows:
            table.add_row(escape(str(row["file"])), word("role", str(row["role"]), language),
                          *(num(row[c]) for c in _COUNTS))
        self.out.print(table)
        if any(row.get("columns") for row in rows):
            self.say(say("columns_taken"))
        for row in rows:
            if row.get("columns"):
                left = ", ".join([*row["unused"][:_LEFT_OUT],
                                  *["..."] * (len(row["unused"]) > _LEFT_OUT)])
                self.say(f"  {row['file']}: " + ", ".join(
                    f"{ours} = {theirs}" if ours != theirs else str(ours)
                    for ours, theirs in row["columns"].items())
                    + (say("not_used", list=left) if left else ""))

    def mends(self, rows: list[dict[str, Any]], language: str = "en") -> None:
        """Show what was mended in each file, by kind, with the first cells from and to."""
        alike: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for row in rows:
            alike.setdefault((row["file"], row["why"]), []).append(row)
        for (file, why), cells in alike.items():
            told = fault_words().get(why, why).rstrip(".") if language == "vi" else why
            first = "; ".join([*(phrase("from_to", language, row=cell["row"], was=cell["was"],
                                        now=cell["now"]) for cell in cells[:_MENDS]),
                               *["..."] * (len(cells) > _MENDS)])
            self.say(phrase("mended_in", language, file=file, why=told, cells=first,
                            n=figure(len(cells), language)))

    def graveness(self, counts: dict[str, int], language: str = "en") -> None:
        """Say how many errors, warnings and assumptions there are."""
        self.say(", ".join(phrase(f"{kind}_one" if number == 1 else f"{kind}_many", language,
                                  n=figure(number, language)) for kind, number in counts.items()))


def _together(faults: list[Fault]) -> list[Fault]:
    """Tell once what is the matter with several files alike."""
    alike: dict[Fault, list[str]] = {}
    for fault in faults:
        alike.setdefault(fault if fault.row is not None else replace(fault, file=""),
                         []).append(fault.file)
    return [replace(fault, file=", ".join(file for file in dict.fromkeys(files) if file))
            for fault, files in alike.items()]
