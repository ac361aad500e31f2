"""The ledger: operators' reports in, what was on air (and what was known of it) on any day out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd

from phusong.errors import MissingFileError
from phusong.geo import choose_crs, parse_crs
from phusong.ledger.asked import ALWAYS, Day, bytes_of, day_of, known_of
from phusong.ledger.book import Book
from phusong.ledger.events import STATED, canonical, site_key
from phusong.ledger.filing import Row
from phusong.ledger.fold import Cell, Trouble, aliases_of, fold_sites, idle_retractions
from phusong.ledger.form import Form
from phusong.ledger.gaps import gap_steps
from phusong.ledger.garbage import left_for_later
from phusong.ledger.inventory import Inventory
from phusong.ledger.keep import LedgerError
from phusong.ledger.outcome import Outcome, outcome_of
from phusong.ledger.reporting import Reporting, whose
from phusong.ledger.reports import read_filing
from phusong.ledger.state import Air, compare, sites_table, standing_cells
from phusong.ledger.suspects import Masts, decision, settled_pairs, suspected_pairs
from phusong.ledger.told import TOLD, told_on
from phusong.ledger.values import moment
from phusong.ledger.words import Aliases
from phusong.radio.budget import Radio

__all__ = ["Ledger"]

Site = tuple[str, str]
Sites = Mapping[Site, list[Cell]]


class Ledger:
    """An append-only, bitemporal book of what operators report.

    Open it with `Ledger.open`.  It is a context manager: leaving it closes the file.

    Parameters
    ----------
    book : Book
        The file.
    form : Form
        What all reports of the study have in common: known operators, area.
    crs : CRS or None
        Working CRS; None = the UTM zone of the cells' centre.
    radio : Radio
        Its presets fill what operators do not say.
    inventory : Inventory
        Cells that the reports change.
    """

    def __init__(self, book: Book, form: Form, crs: Any, radio: Radio,
                 inventory: Inventory) -> None:
        self._book, self._form, self._radio, self._inventory = book, form, radio, inventory
        self._crs = None if crs is None else parse_crs(crs)
        self._masts: Masts | None = None

    @classmethod
    def open(cls, path: Path | str, *, crs: Any = None, radio: Radio | None = None,
             standing: gpd.GeoDataFrame | None = None, operators: Sequence[str] = (),
             area: tuple[float, float, float, float] | None = None,
             wait_s: float = 60.0) -> Ledger:
        """Open the ledger at `path`, or begin it.

        Parameters
        ----------
        path : Path or str
            ``ledger.sqlite``; raw files are kept in ``raw/`` and the lock file beside it.
        crs : CRS, optional
            Working CRS of the study; None = the UTM zone of the cells' centre.
        radio : Radio, optional
            Radio parameters of the study.
        standing : GeoDataFrame, optional
            Inventory of cells (SITES) that the reports change; ids are matched to site codes
            by operator and ``site_id``, to cell codes by ``cell_id``.
        operators : sequence of str
            Operators as the study spells them.
        area : (west, south, east, north), optional
            Where sites may lie, degrees on WGS 84; tells swapped coordinates.
        wait_s : float
            How long to wait for another process that is writing, seconds.

        Raises
        ------
        LedgerError
            If the file is not a ledger.
        LedgerBusyError
            If another process writes for longer than `wait_s`.
        """
        book = Book.open(Path(path), wait_s=wait_s)
        return cls(book, Form(operators=tuple(operators), area=area), crs, radio or Radio(),
                   Inventory.of(standing))

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._book.close()

    def copy(self) -> Ledger:
        """Return the same ledger over a copy of its book in memory, which keeps nothing."""
        path = self._book.path
        if path is None:
            raise LedgerError("A copy of a ledger is not copied again.")
        return Ledger(Book.copy_of(path), self._form, self._crs, self._radio, self._inventory)

    @property
    def watermark(self) -> int:
        """Number of the last entry; pass it to `changes` later."""
        return self._book.head()[0]

    @property
    def head(self) -> str:
        """Hash of the last entry: it vouches for everything before it."""
        return self._book.head()[1]

    def report(self, files: Iterable[Path | str], *, operator: str = "",
               aliases: Aliases | None = None, recorded_at: Day = None, crs: str = "",
               sheet: str = "", subject: str = "site", dry_run: bool = False,
               operators: Mapping[str, Reporting] | None = None) -> Outcome:
        """Enter reports; the same bytes, or the same statement, are never counted twice.

        Parameters
        ----------
        files : iterable of path
            CSV, XLSX, GeoJSON or GeoPackage; each is one transaction.
        operator : str
            Who sends them; empty = each row says.
        aliases : mapping, optional
            Our column -> the operator's own name or names for it.
        recorded_at : date, datetime or ISO text, optional
            When it became known to us; None = now.
        crs : str
            Of the coordinates, e.g. ``"EPSG:3405"``; empty = the file's own, else WGS 84.
        sheet : str
            Sheet of a workbook or layer of a GeoPackage.
        subject : {"site", "gap", "claim", "check", "device"}
            Sites, gap points, points claimed, field checks or devices delivered.
        dry_run : bool
            Only tell what would become of the rows and what would change.
        operators : mapping of str to Reporting, optional
            How each operator writes; a file is read as that of the operator whose name it bears.
            What is said above goes before it.

        Returns
        -------
        Outcome
            What became of each file and of each row, and which cells changed.

        Raises
        ------
        MissingFileError
            If any file is not there; nothing is entered then.
        InputError
            If the aliases or the CRS make no sense.
        LedgerError, LedgerBusyError
            If the disk refuses, or another process writes for too long; files entered before
            stay entered.
        """
        paths = [Path(file) for file in files]
        if missing := [str(path) for path in paths if not path.is_file()]:
            raise MissingFileError(f"No such file: {', '.join(missing)}. Nothing was entered.")
        now = moment(recorded_at)
        ways = {name: whose(name, operators or {}) for name in {path.name for path in paths}}
        others = {name: Reporting() for name in self._form.operators}

        def form(name: str) -> Form:
            said, how = ways[name]
            return self._form.about(subject=subject, operator=operator or said,
                                    aliases={**how.names(subject), **(aliases or {})},
                                    crs=crs or how.crs, sheet=sheet or how.sheet,
                                    supposed="" if operator or said else whose(name, others)[0])

        forms = {name: form(name) for name in ways}
        return self._enter([lambda p=path: read_filing(
            bytes_of(p), p.name, forms[p.name], now) for path in paths], dry_run=dry_run)

    @left_for_later()
    def _enter(self, readers: Sequence[Any], *, dry_run: bool) -> Outcome:
        on = self.copy() if dry_run and self._book.path else self
        try:
            before = on.watermark
            done = [(filing, *on._book.append(filing)) for filing in (read() for read in readers)]
            found = on._since(before)
        finally:
            if on is not self:
                on.close()
        return outcome_of(done, *found, dry_run=dry_run)

    def _since(self, before: int) -> tuple[pd.DataFrame, pd.DataFrame]:
        sites = self._fold()[0]
        return self._changes(before, sites, None, None), self._suspects(sites, None, None)

    def settle(self, operator: str, code: str, other: str, *, verdict: str, reason: str,
               recorded_at: Day = None) -> Outcome:
        """Enter a person's word on two suspected site codes of one operator.

        Parameters
        ----------
        operator : str
            Whose sites.
        code, other : str
            The two codes; with ``same`` everything said of `code` is read as said of `other`.
        verdict : {"same", "distinct"}
            The word.
        reason : str
            Why, and who says so.
        recorded_at : date, datetime or ISO text, optional
            When; None = now.
        """
        filing = decision(operator, code, other, verdict=verdict, reason=reason, recorded_at=moment(
            recorded_at), known={*self._inventory.units, *self._book.codes("site")})
        return self._enter([lambda: filing], dry_run=False)

    def _fold(self, *, known_on: Day = None, seq: int | None = None,
              only: Collection[Site] | None = None) -> tuple[Sites, list[Trouble]]:
        """Fold what was said of all sites, or of those of `only`."""
        known = known_of(known_on)
        aliases = self._aliases(known, seq)

        def meant(key: Site) -> Site:
            return key[0], aliases.get(key, key[1])

        said = self._book.statements("site", known_on=known, seq=seq, wanted=lambda key:
                                     only is None or meant(key) in only)
        keys = {meant((s.event.operator, s.event.code)) for s in said}
        return fold_sites(said, aliases, standing_cells(self._inventory.only(keys)))

    def _aliases(self, known: str, seq: int | None = None) -> dict[Site, str]:
        return aliases_of(self._book.statements("decision", known_on=known, seq=seq))

    def state(self, as_of: Day = None, known_on: Day = None, *, seq: int | None = None
              ) -> gpd.GeoDataFrame:
        """Return SITES: what was on air on a day, as far as it was known on another.

        Parameters
        ----------
        as_of : date or ISO text, optional
            Day in the world; None = after everything that is announced.
        known_on : date, datetime or ISO text, optional
            What became known later is left out (a day counts to its end); None = all.
        seq : int, optional
            Last entry of the book to read; None = all.

        Returns
        -------
        GeoDataFrame
            SITES in the working CRS, sorted by ``cell_id``; a pure function of the statements,
            whatever the order in which they arrived.
        """
        return self.air(known_on, seq=seq).table(day_of(as_of))

    def air(self, known_on: Day = None, *, seq: int | None = None) -> Air:
        """Return what `state` reads for any day: all statements, folded once."""
        sites, _ = self._fold(known_on=known_on, seq=seq)
        return Air(sites, standing_cells(self._inventory.only(sites)), self._crs_for(sites),
                   self._radio, self._inventory, self._inventory.shared_with(sites))

    def _table(self, sites: Sites, as_of: str, crs: Any, inventory: Inventory,
               shared: set[str]) -> gpd.GeoDataFrame:
        cells = [cell for found in sites.values() for cell in found]
        gone = [key for key, found in sites.items() if not found]
        return sites_table(cells, as_of, crs, self._radio, inventory, gone, shared)

    def _crs_for(self, sites: Sites) -> Any:
        if self._crs is not None:
            return self._crs
        if self._inventory.sites is not None:
            return self._inventory.sites.crs
        points = [values for found in sites.values() for cell in found for _, values in cell.values]
        if not points:
            return choose_crs(0.0, 0.0)
        return choose_crs(*(sum(p[axis] for p in points) / len(points) for axis in ("lon", "lat")))

    def changes(self, since_seq: int, *, as_of: Day = None, known_on: Day = None) -> pd.DataFrame:
        """Return the cells that differ from what the book said at an earlier entry.

        Parameters
        ----------
        since_seq : int
            A `watermark` taken earlier.
        as_of, known_on
            As in `state`.

        Returns
        -------
        DataFrame
            As `compare` returns it: the old and the new position of each changed cell.
        """
        if since_seq >= self.watermark:
            nothing = self._table({}, ALWAYS, self._crs_for({}), Inventory.of(None), set())
            return compare(nothing, nothing)
        return self._changes(since_seq, self._fold(known_on=known_on)[0], as_of, known_on)

    def _changes(self, since_seq: int, new: Sites, as_of: Day, known_on: Day) -> pd.DataFrame:
        """As `changes`; only sites that were spoken of since then can differ."""
        known = known_of(known_on)
        before, after = self._aliases(known, since_seq), self._aliases(known)
        sites = {(who, before.get((who, code), code)) for who, code in self._book.codes(
            "site", known_on=known, seq=since_seq)}
        shared = [self._inventory.shared_with(units) for units in (sites, new)]
        renamed = shared[0] ^ shared[1]
        touched = {(who, aliases.get((who, code), code)) for aliases in (before, after)
                   for who, code in self._book.codes_since("site", since_seq)}
        touched |= {key for key in sites | new.keys() if key[1] in renamed or before != after}
        old = self._fold(known_on=known_on, seq=since_seq, only=touched)[0]
        differ = {key for key in touched if old.get(key) != new.get(key) or key[1] in renamed}
        crs, mine = self._crs_for(new), self._inventory.only(differ)
        return compare(*(self._table({key: sites[key] for key in sorted(differ) if key in sites},
                                     day_of(as_of), crs, mine, codes)
                         for sites, codes in zip((old, new), shared, strict=True)))

    def suspects(self, as_of: Day = None, known_on: Day = None) -> pd.DataFrame:
        """Return pairs of codes of one operator within 50 m that no person has settled yet.

        Returns
        -------
        DataFrame
            As `suspected_pairs` returns it; at least one of the two sites was reported.
        """
        return self._suspects(self._fold(known_on=known_on)[0], as_of, known_on)

    def _suspects(self, sites: Sites, as_of: Day, known_on: Day) -> pd.DataFrame:
        settled = settled_pairs(self._book.statements("decision", known_on=known_of(known_on)))
        crs = self._crs_for(sites)
        if self._masts is None:
            self._masts = Masts.of_inventory(self._inventory, crs)
        other = self._masts.without(sites.keys())
        told = Masts.of_cells((c for found in sites.values() for c in found), day_of(as_of), crs)
        return suspected_pairs(told, other, settled)

    def troubles(self, known_on: Day = None) -> pd.DataFrame:
        """Return the statements that could not be followed and wait for a person.

        Returns
        -------
        DataFrame
            Columns code (``no_such_cell``, ``nothing_to_retract``, ``ambiguous_change``),
            operator, action, site_code (or point), cell_code, effective_date, known_at, seq.
        """
        points = [idle_retractions(self._book.statements(subject, known_on=known_of(known_on)))
                  for subject in TOLD]
        found = [*self._fold(known_on=known_on)[1], *(t for part in points for t in part)]
        return pd.DataFrame([(t.code, *t.statement.told) for t in found], columns=["code", *STATED])

    def history(self, operator: str, site_code: str) -> pd.DataFrame:
        """Return everything that was said about one site, in the order in which it holds."""
        said = self._book.statements("site", operator=operator, code=site_key(site_code))
        rows = [(*s.told, s.said_on, canonical(s.event.values))
                for s in sorted(said, key=lambda s: s.order)]
        return pd.DataFrame(rows, columns=[*STATED, "said_on", "values"])

    def gaps(self, as_of: Day = None, known_on: Day = None) -> pd.DataFrame:
        """Return the register of gap points on a day, as far as it was known on another."""
        return self.told("gap", as_of, known_on)

    def told(self, subject: str, as_of: Day = None, known_on: Day = None) -> pd.DataFrame:
        """Return what was said of points about a subject of `TOLD`, in its table."""
        said = self._book.statements(subject, known_on=known_of(known_on))
        return TOLD[subject](said, day_of(as_of))

    def said(self, days: Iterable[date], known_on: Day = None
             ) -> dict[date, dict[str, pd.DataFrame]]:
        """Return `told` of every subject on several days; the book is read once."""
        known = known_of(known_on)
        every = list(days)
        found = {subject: told_on(subject, self._book.statements(subject, known_on=known),
                                  [*map(day_of, every)]) for subject in TOLD}
        return {day: {subject: tables[number] for subject, tables in found.items()}
                for number, day in enumerate(every)}

    def gap_steps(self, since: Day, until: Day = None, known_on: Day = None,
                  listed: Collection[str] = ()) -> pd.DataFrame:
        """Return every change of the register, with its reason; `listed` points count at first."""
        return gap_steps(self._book.statements("gap", known_on=known_of(known_on)), day_of(since),
                         day_of(until), listed)

    def files(self) -> pd.DataFrame:
        """Return every file in the book, oldest first, with its counts."""
        return pd.DataFrame(self._book.files())

    def rows(self, seq: int) -> tuple[Row, ...]:
        """Return every row of the file that stands in the book as entry `seq`."""
        return tuple(self._book.rows_of(seq))

    def verify(self) -> list[str]:
        """Return everything that is wrong with the book, in words; empty = all is well."""
        return self._book.verify()
