"""What the operations desk sees on the terminal: reports, proofs, differences, batches."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.markup import escape

from phusong.screen.table import table_of

__all__ = ["Board"]

_MOST = 20
_FAULTS = 5


class Board:
    """The part of the screen that speaks of reports."""

    out: Console

    def say(self, text: str) -> None:
        """Write a line for people."""
        raise NotImplementedError

    def error(self, text: str) -> None:
        """Write an error."""
        raise NotImplementedError

    def outcome(self, outcome: Any) -> None:
        """Show what became of operators' reports, file by file."""
        table = table_of("File", "Rows", "Accepted", "Duplicate", "Rejected", "Refused because",
                       right=(1, 2, 3, 4))
        for row in outcome.files.to_dict("records"):
            table.add_row(escape(row["name"]), *(
                f"{row[c]:,}" for c in ("rows", "accepted", "duplicate", "rejected")),
                escape(row["message_en"]))
        self.out.print(table)
        faults = outcome.faults().to_dict("records")
        for fault in faults[:_FAULTS]:
            self.say(f"{fault['rows']:,} rejected ({fault['reason'].replace('_', ' ')}), first in "
                     f"row {fault['row']}: {fault['message_en']}")
        if len(faults) > _FAULTS:
            self.say(f"... and {sum(f['rows'] for f in faults[_FAULTS:]):,} for other reasons")
        for path in outcome.workbooks:
            self.say(f"Goes back to the operator: {path}")
        told = "would differ" if outcome.dry_run else "differ"
        self.say(f"{len(outcome.changes):,} cells {told} from before; "
                 f"{len(outcome.suspects):,} suspected duplicates wait for a person")
        if outcome.dry_run:
            self._foreseen(outcome)

    def _foreseen(self, outcome: Any) -> None:
        """Say what would become of points."""
        if outcome.statements is not None:
            changes = outcome.statements["change"].value_counts()
            self.say("Of points " + (", ".join(
                f"{changes[name]:,} statements would have {name}" for name in sorted(changes.index))
                or "nothing else would be said"))
        elif outcome.points is None:
            self.say("Which points would be won or lost is told once the study has been run on "
                     "these inputs by this version of the program: phusong run")
        elif not outcome.points["rows"]:
            self.say(f"No point would change hands or status on "
                     f"{outcome.points['after']['as_of']}, by {outcome.points['definition']}")
        else:
            self.say("What would change:")
            self.differences(outcome.points)
        self.say("Nothing was written.")

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

    def differences(self, figures: dict[str, Any]) -> None:
        """Show how many points differ between two days, and the first of them."""
        told = [f"{f['as_of']}" + (f" as known on {f['known_on']}" if f["known_on"] else "")
                + (" with this report" if f.get("with_report") else "")
                for f in (figures["before"], figures["after"])]
        mark = "  [FICTIONAL DATA]" if figures["fictional"] else ""
        self.say(f"{figures['study']}: {told[0]} against {told[1]}, covered means: "
                 f"{figures['definition']}{mark}")
        names = list(figures["changes"])
        table = table_of("", *(name.replace("_", " ") for name in names), "students won",
                         "students lost", right=range(1, len(names) + 3))
        parts = [("all points", figures["changes"]), *figures["by_target"].items(),
                 *((f"province {code}", part) for code, part in figures["by_province"].items())]
        for label, part in parts:
            table.add_row(escape(label), *(f"{part[name]['points']:,}" for name in names),
                          f"{part['won']['learners']:,.0f}", f"{part['lost']['learners']:,.0f}")
        self.out.print(table)
        rows = figures["rows"]
        for row in rows[:_MOST]:
            self.say(f"{row['change'].replace('_', ' '):<15}{row['point_id']:<14}"
                     f"{row['was_status']} {row['was_best_cell_id'] or '-'} -> "
                     f"{row['is_status']} {row['is_best_cell_id'] or '-'}  "
                     f"{row.get('name') or ''}")
        if len(rows) > _MOST:
            self.say(f"... and {len(rows) - _MOST:,} more (--json lists all)")

    def batch(self, rows: list[dict[str, Any]]) -> None:
        """Show how each study of a batch ended."""
        table = table_of("Study", "Result", "Seconds", "Points", "Uncovered", "What went wrong",
                         right=(2, 3, 4))
        for row in rows:
            numbers = ("?" if row[c] is None else f"{row[c]:,}" for c in ("points", "uncovered"))
            table.add_row(escape(row["study"]), "[green]done[/]" if row["ok"] else
                          "[bold red]failed[/]", f"{row['seconds']:.1f}", *numbers,
                          escape(row["error"]))
        self.out.print(table)
