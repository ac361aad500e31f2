"""One plain table for the terminal."""

from __future__ import annotations

from typing import Any

from rich.table import Table

__all__ = ["COLOURS", "table_of"]

COLOURS = {"covered": "green", "uncertain": "yellow", "uncovered": "red", "unknown": "bright_black"}
"""Status -> colour."""


def table_of(*headers: str, right: Any = ()) -> Table:
    """Return an empty table; the columns numbered in `right` are set to the right."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for number, header in enumerate(headers):
        table.add_column(header, justify="right" if number in right else "left")
    return table
