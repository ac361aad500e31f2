"""What became of the files and rows of a report."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from phusong.ledger.filing import Filing, Row
from phusong.ledger.keep import sha256
from phusong.ledger.rejected import write_rejected
from phusong.ledger.unread import told_of

__all__ = ["Outcome", "outcome_of"]

_FILE = ("report_id", "name", "operator", "rows", "accepted", "duplicate", "rejected", "new_file",
         "refused", "message_vi", "message_en", "unread", "unread_vi", "unread_en")
_ROW = ("report_id", "row", "operator", "action", "site_code", "cell_code", "valid_from",
        "valid_to", "recorded_at", "file_hash", "outcome", "reason", "column", "message_vi",
        "message_en", "raw")


@dataclass(frozen=True)
class Outcome:
    """What became of the files and rows of one `Ledger.report`.

    Parameters
    ----------
    files : DataFrame
        One row per file: its counts (``rows = accepted + duplicate + rejected``), whether the
        book had it before (``new_file``), why it was refused as a whole, if it was, and which
        columns were not read (``unread``: their names; ``unread_vi``, ``unread_en``: one line
        that says so and how to have them read, empty if all were).
    rows : DataFrame
        REPORTS, one row per input row, with the fault's column, words and the raw row (JSON).
    changes : DataFrame
        Cells that differ from before, as `compare` returns them.
    suspects : DataFrame
        Suspected duplicates that wait for a person.
    dry_run : bool
        Whether nothing was written.
    by_file : tuple of (str, tuple of Row)
        File name and rows, for `write_rejected`.
    workbooks : tuple of Path
        Where the rejected rows were written, if they were.
    points : dict or None
        Of a dry run about sites: which points would change hands, as
        `phusong.foresight.coverage_after` returns it; None if nobody looked.
    statements : DataFrame or None
        Of a dry run about points: what would be said of them, as
        `phusong.foresight.statements_after` returns it.
    strangers : dict of str to str
        Points spoken of that the study does not know, and the known one of nearly the same key
        (empty = there is none): what is said of them counts nowhere until they are known.
    newcomers : dict of str to str
        Operators that the study's files do not know, and the known one of nearly the same name
        (empty = there is none): a slip of the pen makes an operator of its own.
    """

    files: pd.DataFrame
    rows: pd.DataFrame
    changes: pd.DataFrame
    suspects: pd.DataFrame
    dry_run: bool
    by_file: tuple[tuple[str, tuple[Row, ...]], ...]
    workbooks: tuple[Path, ...] = ()
    points: dict[str, Any] | None = None
    statements: pd.DataFrame | None = None
    strangers: dict[str, str] = field(default_factory=dict)
    newcomers: dict[str, str] = field(default_factory=dict)

    @property
    def about_sites(self) -> bool:
        """Whether any of the files is about sites."""
        return any(str(name).startswith(("site/", "decision/")) for name in self.files["report_id"])

    @property
    def counts(self) -> dict[str, int]:
        """Sums over all files: rows, accepted, duplicate, rejected, refused (files)."""
        sums = {name: int(self.files[name].sum())
                for name in ("rows", "accepted", "duplicate", "rejected")}
        return sums | {"refused": int((self.files["refused"] != "").sum())}

    def rejected(self) -> pd.DataFrame:
        """Return the rejected rows as they go back, file by file.

        Returns
        -------
        DataFrame
            Columns file (its name), row, reason (the code), column, message_vi, message_en, raw
            (JSON) and report_id.
        """
        bad = self.rows[(self.rows["outcome"] == "rejected").to_numpy(bool)].reset_index()
        names = dict(zip(self.files["report_id"], self.files["name"], strict=True))
        return bad.assign(file=bad["report_id"].map(names))[
            ["file", "row", "reason", "column", "message_vi", "message_en", "raw", "report_id"]]

    def faults(self) -> pd.DataFrame:
        """Return why rows were rejected, the most frequent reason first.

        Returns
        -------
        DataFrame
            Columns reason, column, rows (how many), row (the first of them), file and report_id
            (where that one stands), message_vi and message_en (of the first).
        """
        found = self.rejected().groupby(["reason", "column"], sort=True).agg(
            rows=("row", "size"), row=("row", "first"), file=("file", "first"),
            report_id=("report_id", "first"), message_vi=("message_vi", "first"),
            message_en=("message_en", "first")).reset_index()
        return found.sort_values(["rows", "reason", "column"], ascending=[False, True, True],
                                 ignore_index=True)

    def write_rejected(self, folder: Path, *, language: str = "vi") -> list[Path]:
        """Write one workbook of rejected rows per file that has some; return their paths.

        Parameters
        ----------
        folder : Path
            Where to; it is made if absent.
        language : {"vi", "en"}
            Of the headings.
        """
        folder.mkdir(parents=True, exist_ok=True)
        written: list[Path] = []
        for place, (name, rows) in enumerate(self.by_file):
            path = folder / f"{name}.rejected.xlsx"
            if path in written:
                path = folder / f"{name}.{place + 1}.rejected.xlsx"
            unread = str(self.files[f"unread_{language}"].iloc[place])
            if write_rejected(path, rows, language=language, unread=unread):
                written.append(path)
        return written


def outcome_of(done: Sequence[tuple[Filing, int, tuple[Row, ...], bool]], changes: pd.DataFrame,
               suspects: pd.DataFrame, *, dry_run: bool) -> Outcome:
    """Return the `Outcome` of files that were entered.

    Parameters
    ----------
    done : sequence of (Filing, entry, rows, added)
        As `Book.append` settled them.
    changes, suspects : DataFrame
        As `Ledger` found them afterwards.
    dry_run : bool
        Whether nothing was written.
    """
    files: list[tuple[object, ...]] = []
    rows: list[tuple[object, ...]] = []
    for filing, _, settled, added in done:
        digest = sha256(filing.data)
        report_id = "/".join(p for p in (filing.subject, filing.operator, filing.recipe[:8],
                                         digest[:16]) if p)
        times = sum(str(f[0]).split("#")[0] == report_id for f in files) + 1
        report_id += f"#{times}" if times > 1 else ""
        counts = [sum(r.outcome == o for r in settled)
                  for o in ("accepted", "duplicate", "rejected")]
        refused = json.loads(filing.refused) if filing.refused else {}
        unread = told_of(filing.unread, filing.operator or _one_operator(settled))
        files.append((report_id, filing.name, filing.operator, len(settled), *counts, added,
                      refused.get("code", ""), refused.get("vi", ""), refused.get("en", ""),
                      [c.header for c in filing.unread], unread.vi, unread.en))
        for row in settled:
            rows.append((report_id, row.row, *_said(row, filing.operator), filing.recorded_at,
                         digest, row.outcome, row.code, row.column, row.message_vi,
                         row.message_en, row.raw_text))
    table = pd.DataFrame(rows, columns=list(_ROW))
    for name in ("valid_from", "valid_to", "recorded_at"):
        table[name] = pd.to_datetime(table[name]).astype("datetime64[s]")
    return Outcome(pd.DataFrame(files, columns=list(_FILE)),
                   table.set_index(["report_id", "row"]), changes, suspects, dry_run,
                   tuple((filing.name, settled) for filing, _, settled, _ in done))


def _one_operator(rows: Sequence[Row]) -> str:
    """Return the operator that all rows name; empty if they name several or none."""
    named = {row.event.operator for row in rows if row.event is not None}
    return named.pop() if len(named) == 1 else ""


def _said(row: Row, operator: str) -> tuple[str, str, str, str, str | None, str | None]:
    event = row.event
    if event is None:
        return (operator, "", "", "", None, None)
    ends = event.effective_date if event.action == "decommission" else None
    starts = None if event.action == "decommission" else event.effective_date
    return (event.operator, event.action, event.code, event.part, starts, ends)
