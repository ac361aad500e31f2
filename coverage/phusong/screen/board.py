"""What the operations desk sees on the terminal: reports, proofs, differences, batches."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.markup import escape

from phusong.screen.table import table_of

__all__ = ["Board"]


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
        told = "would differ" if outcome.dry_run else "differ"
        self.say(f"{len(outcome.changes):,} cells {told} from before; "
                 f"{len(outcome.suspects):,} suspected duplicates wait for a person")

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
