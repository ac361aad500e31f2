"""The commands of the operations desk: what differs, many studies, a watched folder."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from phusong.cli_progress import app
from phusong.cli_shared import (
    HERE,
    Home,
    Inputs,
    Json,
    Quiet,
    Spoken,
    StudyArg,
    dated,
    opened,
    stored,
    told,
)
from phusong.errors import MissingFileError
from phusong.screen import Screen

__all__ = ["app", "batch", "diff", "settle", "waiting", "watch"]


def _service_on(study: Any, home: Path, screen: Screen, day: str, known_on: str | None) -> Any:
    from phusong import pipeline
    from phusong.desk import BOOK

    store = stored(study, home, day, known_on)
    with screen.steps() as say:
        return pipeline.run(study.on(dated(day)), store=store, until="service",
                            book=store.folder / BOOK, progress=say,
                            known_on=dated(known_on) if known_on else None)


@app.command()
def diff(study: StudyArg, date1: Annotated[str, typer.Argument(metavar="DATE1")],
         date2: Annotated[str, typer.Argument(metavar="DATE2")], home: Home = HERE,
         inputs: Inputs = None,
         known_on: Annotated[str | None, typer.Option("--known-on", metavar="DATE", help="Both "
                             "days with the reports known on that day.")] = None,
         then_known_on: Annotated[str | None, typer.Option("--then-known-on", metavar="DATE",
                                  help="The second day with the reports known on that "
                                  "day.")] = None,
         language: Spoken = "en", quiet: Quiet = False, json: Json = False) -> None:
    """Which points changed hands, status or best server between two days."""
    screen = Screen(quiet=quiet or json, as_json=json, language=language)
    with told(screen):
        from phusong.difference import count, differences

        named = opened(study, home, inputs)
        screen.speak_of(named)
        before = _service_on(named, home, screen, date1, known_on)
        after = _service_on(named, home, screen, date2, then_known_on or known_on)
        figures = count(differences(before, after), before, after)
        if json:
            screen.document(figures)
        else:
            screen.differences(figures, language)


@app.command()
def batch(studies: Annotated[list[str], typer.Argument(metavar="STUDY...", help="Names of studies "
                                                       "in data/raw, or study files.")],
          home: Home = HERE,
          jobs: Annotated[int, typer.Option(min=1, help="How many at a time.")] = 1,
          full: Annotated[bool, typer.Option("--full", help="Compute everything again and "
                                             "compare.")] = False,
          language: Spoken = "en", quiet: Quiet = False, json: Json = False) -> None:
    """Run many studies; one that fails does not stop the rest."""
    screen = Screen(quiet=quiet or json, as_json=json, language=language)
    with told(screen):
        from phusong.batch import run_all

        with screen.steps() as say:
            rows = run_all(studies, home, jobs=jobs, full=full, progress=say)
        screen.document({"studies": rows}) if json else screen.batch(rows, language)
        if not all(row["ok"] for row in rows):
            raise typer.Exit(1)


@app.command()
def watch(study: StudyArg,
          folder: Annotated[Path, typer.Option("--folder", help="The inbox.")], home: Home = HERE,
          inputs: Inputs = None,
          every: Annotated[float, typer.Option(min=0.1, help="Seconds between two looks.")] = 5.0,
          once: Annotated[bool, typer.Option("--once", help="Take what is there and end.")] = False,
          operator: Annotated[str, typer.Option(help="Who reports, if neither file name nor rows "
                                                "say so.")] = "",
          language: Spoken = "en", quiet: Quiet = False, json: Json = False) -> None:
    """Report every file that arrives in a folder, and bring the progress up to date."""
    screen = Screen(quiet=quiet or json, as_json=json, language=language)
    with told(screen):
        from phusong import bulletin, desk, inbox

        if not folder.is_dir():
            raise MissingFileError(f"{folder}: there is no such folder to watch. Make it first.")
        named = opened(study, home, inputs)
        screen.speak_of(named)
        store = stored(named, home)
        book = store.folder / desk.BOOK
        enter = partial(desk.report, named, book, operator=operator, store=store,
                        language=language, rejected=store.folder / "rejected")
        for outcome in inbox.watch(folder, lambda files: enter(files), every_s=every, once=once):
            figures = bulletin.give(named, store, book)
            if json:
                screen.document({**outcome.counts, "changed_cells": len(outcome.changes),
                                 "files": outcome.files.to_dict("records"),
                                 "targets": figures["targets"]})
            else:
                screen.outcome(outcome, language, named.name)
                screen.targets(figures["targets"], language)


@app.command()
def waiting(study: StudyArg, home: Home = HERE, inputs: Inputs = None, language: Spoken = "en",
            json: Json = False) -> None:
    """What waits for a person: suspected duplicates, and statements that cannot be followed."""
    screen = Screen(quiet=True, as_json=json, language=language)
    with told(screen):
        from phusong import desk

        named = opened(study, home, inputs)
        store = stored(named, home)
        with desk.ledger(named, store.folder / desk.BOOK, store) as book:
            suspects, troubles = (table.to_dict("records")
                                  for table in (book.suspects(), book.troubles()))
        if json:
            screen.document({"suspects": suspects, "troubles": troubles})
        else:
            screen.waiting(suspects, troubles, named.name, language)


@app.command()
def settle(study: StudyArg, operator: Annotated[str, typer.Argument(help="Whose sites.")],
           code: Annotated[str, typer.Argument(help="Site code.")],
           other: Annotated[str, typer.Argument(help="The code that stays, if they are one "
                                                "site.")],
           verdict: Annotated[str, typer.Option(help="same or distinct.")],
           reason: Annotated[str, typer.Option(help="Who says so, and why.")], home: Home = HERE,
           inputs: Inputs = None, language: Spoken = "en", json: Json = False) -> None:
    """Say whether two site codes of one operator are one site; a later word replaces it."""
    screen = Screen(quiet=True, as_json=json, language=language)
    with told(screen):
        from phusong import desk

        named = opened(study, home, inputs)
        store = stored(named, home)
        with desk.ledger(named, store.folder / desk.BOOK, store) as book:
            outcome = book.settle(operator, code, other, verdict=verdict, reason=reason)
        if json:
            screen.document({"changed_cells": len(outcome.changes),
                             "suspects": len(outcome.suspects)})
        else:
            screen.settled(operator, code, other, verdict, outcome, language)
