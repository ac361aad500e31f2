"""Statements -> what is on air: a pure function of the set, whatever the order of arrival.

Rules, in this order, for the statements known on a day:

1. A site code that a person has settled to be the same as another is read as that other.
2. A *retract* withdraws what was said before it about the site (or the cell it names): the
   statements with its effective date; if there are none, the last statement made.
3. Several *new* for one cell with no decommission between them are one life of the cell: the
   word said last gives the date and, where it says something, the values (a correction).  Of
   several *decommission* in one life, too, the one said last gives the date.
4. *change* and *move* apply from their effective date on, in the order (effective date, day
   said, time known, content), if the cell is on air then.
5. Without a cell code, a change or a decommission concerns the cells of the technology it
   names, or all cells of the site; a *move* carries the whole mast.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from phusong.ledger.events import Event, Statement

__all__ = ["Cell", "Trouble", "aliases_of", "fold_site", "fold_sites",
           "idle_retractions", "withdrawn"]

_BAND = 1.12
_ALL = "9999-12-31"


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell over its life.

    Parameters
    ----------
    operator, site, part : str
        Whose, which site, which cell of it.
    on_air_from : str
        ISO day; empty = always was.
    off_air_from : str
        ISO day; empty = not off.
    values : tuple of (str, mapping)
        What was true from which day on, oldest first; each mapping is complete.
    """

    operator: str
    site: str
    part: str
    on_air_from: str
    off_air_from: str
    values: tuple[tuple[str, Mapping[str, Any]], ...]

    def on_air(self, as_of: str) -> bool:
        """Tell whether the cell is on air on the ISO day `as_of`."""
        return self.on_air_from <= as_of and not (self.off_air_from and self.off_air_from <= as_of)

    def at(self, as_of: str) -> Mapping[str, Any]:
        """Return the values that hold on the ISO day `as_of`."""
        held = [values for since, values in self.values if since <= as_of]
        return held[-1] if held else self.values[0][1]


@dataclass(frozen=True, slots=True)
class Trouble:
    """A statement that could not be followed and waits for a person.

    Parameters
    ----------
    code : str
        ``no_such_cell``, ``nothing_to_retract``, ``ambiguous_change``.
    statement : Statement
        What was said.
    """

    code: str
    statement: Statement


@dataclass
class _Life:
    part: str
    born: list[Statement]
    end: str = ""
    later: list[tuple[Statement, Mapping[str, Any]]] = field(default_factory=list)

    @property
    def last(self) -> Statement:
        return self.born[0] if len(self.born) == 1 else max(self.born, key=lambda s: s.said)

    @property
    def start(self) -> str:
        return self.last.event.effective_date

    @property
    def base(self) -> Mapping[str, Any]:
        if len(self.born) == 1:
            return self.born[0].event.values
        values: dict[str, Any] = {}
        for statement in sorted(self.born, key=lambda s: s.said):
            values |= statement.event.values
        return values

    def at(self, day: str) -> dict[str, Any]:
        values = dict(self.base)
        for statement, said in sorted(self.later, key=lambda pair: pair[0].order):
            if statement.event.effective_date <= day:
                values |= said
        return values

    def covers(self, day: str) -> bool:
        return self.start <= day and (not self.end or day < self.end)

    def cell(self, operator: str, site: str) -> Cell:
        if not self.later:
            return Cell(operator, site, self.part, self.start, self.end,
                        ((self.start, dict(self.base)),))
        days = sorted({self.start} | {s.event.effective_date for s, _ in self.later})
        values = tuple((day, self.at(day)) for day in days)
        return Cell(operator, site, self.part, self.start, self.end, values)


def aliases_of(decisions: Iterable[Statement]) -> dict[tuple[str, str], str]:
    """Return which site codes are to be read as another: (operator, code) -> code.

    The verdict said last on a pair holds; chains are followed, a circle ends at the code
    that comes first in the alphabet.
    """
    verdicts: dict[tuple[str, str, str], Statement] = {}
    for statement in sorted(decisions, key=lambda s: s.said):
        event = statement.event
        pair = sorted((event.code, str(event.values["other"])))
        verdicts[event.operator, pair[0], pair[1]] = statement
    same = {(operator, s.event.code): str(s.event.values["other"])
            for (operator, _, _), s in sorted(verdicts.items()) if s.event.action == "same"}
    found = {}
    for operator, code in same:
        walked, here = [code], code
        while (here := same.get((operator, here), "")) and here not in walked:
            walked.append(here)
        found[operator, code] = min(walked[walked.index(here):]) if here else walked[-1]
    return {key: target for key, target in found.items() if key[1] != target}


def fold_sites(statements: Iterable[Statement], aliases: Mapping[tuple[str, str], str],
               standing: Mapping[tuple[str, str], Sequence[Cell]] | None = None
               ) -> tuple[dict[tuple[str, str], list[Cell]], list[Trouble]]:
    """Fold all statements, site by site.

    Parameters
    ----------
    statements : iterable of Statement
        What was said about sites.
    aliases : mapping
        As `aliases_of` returns it.
    standing : mapping of (operator, site) to cells, optional
        Cells known otherwise (an inventory); only sites of which something was said are read.

    Returns
    -------
    sites : dict of (operator, site) to list of Cell
        Every site of which something was said, with all lives of all its cells.
    troubles : list of Trouble
        Statements that could not be followed.
    """
    grouped: dict[tuple[str, str], list[Statement]] = defaultdict(list)
    for statement in statements:
        operator, code = statement.event.operator, statement.event.code
        grouped[operator, aliases.get((operator, code), code)].append(statement)
    sites: dict[tuple[str, str], list[Cell]] = {}
    troubles: list[Trouble] = []
    for key in sorted(grouped):
        cells, found = fold_site(key[0], key[1], grouped[key], (standing or {}).get(key, ()))
        sites[key] = cells
        troubles += found
    return sites, troubles


def fold_site(operator: str, site: str, statements: Sequence[Statement],
              standing: Sequence[Cell] = ()) -> tuple[list[Cell], list[Trouble]]:
    """Fold the statements about one site; see the rules at the top of this module."""
    live, troubles = _retracted(sorted(statements, key=lambda s: s.order))
    lives = [_standing_life(cell) for cell in standing]
    ends = [s for s in live if s.event.action == "decommission"]
    lives += _born([s for s in live if s.event.action == "new"], ends, lives)
    unmet = {s.key for s in ends} - _ended(lives, ends)
    for statement in live:
        if statement.event.action in ("change", "move"):
            code = _apply(lives, statement)
            if code:
                troubles.append(Trouble(code, statement))
    troubles += [Trouble("no_such_cell", s) for s in ends if s.key in unmet]
    cells = sorted((life.cell(operator, site) for life in lives),
                   key=lambda c: (c.part, c.on_air_from, c.off_air_from))
    return cells, sorted(troubles, key=lambda t: t.statement.order)


def _ended(lives: Sequence[_Life], ends: Sequence[Statement]) -> set[str]:
    """Give each life its end: of those that fall into it, the one said last."""
    met: set[str] = set()
    falling: dict[int, list[Statement]] = defaultdict(list)
    for statement in ends:
        day = statement.event.effective_date
        begun: dict[str, int] = {}
        for place, life in enumerate(lives):
            if life.start <= day and _concerns(statement.event, life.part, life.base):
                best = begun.get(life.part)
                if best is None or lives[best].start <= life.start:
                    begun[life.part] = place
        for place in begun.values():
            falling[place].append(statement)
            met.add(statement.key)
    for place, said in falling.items():
        lives[place].end = max(said, key=lambda s: s.said).event.effective_date
    return met


def withdrawn(statements: Iterable[Statement]) -> set[str]:
    """Return the keys of the statements about one site that were retracted."""
    said = list(statements)
    live, _ = _retracted(sorted(said, key=lambda s: s.order))
    return {s.key for s in said if s.event.action != "retract"} - {s.key for s in live}


def idle_retractions(statements: Iterable[Statement]) -> list[Trouble]:
    """Return the retractions that found nothing, each among what its operator said of its point."""
    grouped: dict[tuple[str, str], list[Statement]] = defaultdict(list)
    for statement in sorted(statements, key=lambda s: s.order):
        grouped[statement.event.operator, statement.event.code].append(statement)
    return [trouble for _, said in sorted(grouped.items()) for trouble in _retracted(said)[1]]


def _standing_life(cell: Cell) -> _Life:
    born = [Statement(Event("site", cell.operator, "new", cell.site, cell.part, cell.on_air_from,
                            cell.at(_ALL)), "", "", "", 0)]
    return _Life(cell.part, born, cell.off_air_from)


def _retracted(statements: Sequence[Statement]) -> tuple[list[Statement], list[Trouble]]:
    """Drop what was withdrawn, the retraction said first going first."""
    live = [s for s in statements if s.event.action != "retract"]
    troubles = []
    retractions = [s for s in statements if s.event.action == "retract"]
    for retraction in sorted(retractions, key=lambda s: s.said):
        wanted = retraction.event
        now = (retraction.said_on, retraction.known_at)
        about = [s for s in live if _concerns(wanted, s.event.part, s.event.values)
                 and (s.said_on, s.known_at) <= now]
        meant = [s for s in about if (s.said_on, s.known_at) < now] or about
        dated = [s for s in meant if s.event.effective_date == wanted.effective_date]
        if not dated and meant:
            last = max(s.said_on for s in meant)
            dated = [s for s in meant if s.said_on == last]
        if not dated:
            troubles.append(Trouble("nothing_to_retract", retraction))
        gone = {s.key for s in dated}
        live = [s for s in live if s.key not in gone]
    return live, troubles


def _label(event: Event) -> str:
    """Code of a cell that its operator gave none: technology, carrier and direction."""
    values = event.values
    words = [str(values.get("technology", ""))]
    words += [f"{values[name]:g}" for name in ("frequency_mhz", "azimuth_deg") if name in values]
    return event.part or " ".join(words)


def _one_for_one(news: Sequence[Statement]) -> dict[str, str]:
    """Labels to be read as another: one cell said again with another carrier or direction.

    Without a cell code, a later report that names one cell of a technology where the earlier
    named one as well is a correction of it; where either named several, labels stand.
    """
    groups: dict[str, dict[tuple[str, str], set[str]]] = defaultdict(lambda: defaultdict(set))
    for s in news:
        if not s.event.part:
            technology = str(s.event.values.get("technology", ""))
            groups[technology][s.said_on, s.known_at].add(_label(s.event))
    renamed: dict[str, str] = {}
    for said in groups.values():
        if len(said) > 1 and all(len(labels) == 1 for labels in said.values()):
            names = [next(iter(said[when])) for when in sorted(said)]
            renamed |= dict.fromkeys(names, names[-1])
    return renamed


def _born(news: Sequence[Statement], ends: Sequence[Statement], standing: Sequence[_Life]
          ) -> list[_Life]:
    renamed = _one_for_one(news)
    cells: dict[str, list[Statement]] = defaultdict(list)
    for statement in news:
        label = _label(statement.event)
        cells[renamed.get(label, label)].append(statement)
    lives: list[_Life] = []
    for label in sorted(cells):
        group: list[Statement] = []
        for statement in sorted(cells[label], key=lambda s: s.order):
            if group and any(group[-1].event.effective_date < end.event.effective_date
                             <= statement.event.effective_date
                             and _concerns(end.event, label, statement.event.values)
                             for end in ends):
                lives.append(_Life(label, group))
                group = []
            group.append(statement)
        old = [life for life in standing if _is_said(life, label, group)
               and not _ended_before(life, group, ends)]
        if len(old) == 1:
            old[0].born += group
        else:
            lives.append(_Life(label, group))
    return lives


def _ended_before(life: _Life, group: Sequence[Statement], ends: Sequence[Statement]) -> bool:
    """Tell whether the cell of the inventory was off before `group` says it is new."""
    days = {e.event.effective_date for e in ends if _concerns(e.event, life.part, life.base)}
    first = min(s.event.effective_date for s in group)
    return any(life.start <= day <= first for day in (days | {life.end}) - {""})


def _is_said(life: _Life, label: str, group: Sequence[Statement]) -> bool:
    """Tell whether `group` says again what the inventory says of the cell `life`."""
    if life.part == label:
        return True
    mine, theirs = life.base, group[-1].event.values
    return (not group[-1].event.part and mine.get("technology") == theirs.get("technology")
            and all(name not in theirs or _near(name, mine.get(name), theirs[name])
                    for name in ("frequency_mhz", "azimuth_deg")))


def _concerns(event: Event, part: str, values: Mapping[str, Any]) -> bool:
    technology = event.values.get("technology")
    if event.part:
        return event.part == part
    return technology is None or values.get("technology") in (None, technology)


def _matching(lives: Iterable[_Life], event: Event) -> list[_Life]:
    return [life for life in lives if _concerns(event, life.part, life.base)]


def _apply(lives: Sequence[_Life], statement: Statement) -> str:
    """Enter a change or a move into the lives it concerns; return the code of a trouble or ''."""
    event = statement.event
    alive = [life for life in lives if life.covers(event.effective_date)]
    hit = [life for life in alive if _concerns(event, life.part, life.base)]
    said = {k: v for k, v in event.values.items() if k != "technology" or event.part}
    if event.action == "move":
        where = {name: said[name] for name in ("lon", "lat")}
        for life in alive if not event.part else ():
            life.later.append((statement, where))
    if not hit:
        return "no_such_cell" if event.action == "change" or event.part or not alive else ""
    if event.part:
        for life in hit:
            life.later.append((statement, said))
        return ""
    ambiguous = _apply_widely(hit, statement, said)
    return "ambiguous_change" if ambiguous and event.action == "change" else ""


def _apply_widely(hit: list[_Life], statement: Statement, said: dict[str, Any]) -> bool:
    """Find out which of several cells a change without a cell code means."""
    day = statement.event.effective_date
    ambiguous = False
    for name in ("frequency_mhz", "azimuth_deg"):
        if name not in said or len(hit) == 1:
            continue
        near = [life for life in hit if _near(name, life.at(day).get(name), said[name])]
        if near:
            hit = near
        else:
            ambiguous = True
            said = {k: v for k, v in said.items() if k != name}
    for life in hit:
        life.later.append((statement, said))
    return ambiguous


def _near(name: str, mine: float | None, theirs: float) -> bool:
    if mine is None:
        return False
    if name == "frequency_mhz":
        return max(mine, theirs) <= _BAND * min(mine, theirs)
    return abs((mine - theirs + 180.0) % 360.0 - 180.0) <= 1.0
