"""The commands that speak of progress and of devices."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from phusong.cli_data import app
from phusong.cli_shared import (
    HERE,
    Day,
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
from phusong.screen import Screen

__all__ = ["allocate", "app", "status"]

KnownOn = Annotated[str | None, typer.Option("--known-on", metavar="DATE", help="As it was given "
                                             "on that day; else with the reports known then.")]


def _until_service(study: Any, home: Path, screen: Screen, day: str | None,
                   known_on: str | None) -> Any:
    from phusong import pipeline
    from phusong.desk import BOOK

    with screen.steps() as say:
        return pipeline.run(study, store=stored(study, home, day, known_on), until="service",
                            book=home / "data/processed" / study.name / BOOK,
                            known_on=dated(known_on) if known_on else None, progress=say)


@app.command()
def status(study: StudyArg, home: Home = HERE, inputs: Inputs = None, as_of: Day = None,
           known_on: KnownOn = None,
           by: Annotated[str, typer.Option(help="province, commune, operator or kind.")] = "",
           field_checks: Annotated[bool, typer.Option("--field-checks", help="List the points "
                                   "claimed by an operator that physics does not "
                                   "support.")] = False,
           switch_off: Annotated[str, typer.Option("--switch-off", metavar="TECHNOLOGY",
                                 help="What would be lost without GSM, UMTS ... (joined by "
                                 "commas) on --as-of.")] = "",
           operator: Annotated[str, typer.Option(help="Whose technology is switched off; default "
                                                 "everybody's.")] = "",
           language: Spoken = "en", quiet: Quiet = False, json: Json = False) -> None:
    """How far each dated target is, at which pace, and where; what was won and lost."""
    screen = Screen(quiet=quiet or json, as_json=json, language=language)
    with told(screen):
        from phusong import bulletin
        from phusong.desk import BOOK
        from phusong.standing import check_by

        check_by(by)
        named = opened(study, home, inputs, as_of)
        screen.speak_of(named)
        if switch_off:
            found = _until_service(named, home, screen, as_of, known_on)
            said = bulletin.without(found, switch_off, operator)
            screen.document(said) if json else screen.switch_off(said, language)
            return
        with screen.steps() as say:
            figures = bulletin.give(named, stored(named, home, as_of, known_on),
                                    home / "data/processed" / named.name / BOOK,
                                    known_on=dated(known_on) if known_on else None, progress=say)
        if json:
            screen.document(figures)
        else:
            screen.standing(figures, by, language, checks=field_checks)


@app.command()
def allocate(study: StudyArg,
             devices: Annotated[int, typer.Option("--devices", min=0, help="How many there are.")],
             home: Home = HERE, inputs: Inputs = None, as_of: Day = None,
             known_on: KnownOn = None,
             covered_only: Annotated[bool, typer.Option("--covered-only", help="Give none to "
                                     "places without signal.")] = False,
             out: Annotated[Path | None, typer.Option(help="Where to write the table: .xlsx or "
                                                      ".csv.")] = None,
             language: Spoken = "", quiet: Quiet = False, json: Json = False) -> None:
    """Split devices among schools by poor and near-poor learners without one.

    Without --language the table is in Vietnamese, the screen in English.
    """
    screen = Screen(quiet=quiet or json, as_json=json, language=language)
    with told(screen):
        from phusong import handover
        from phusong.desk import BOOK
        from phusong.standing import records

        named = opened(study, home, inputs, as_of)
        results = _until_service(named, home, screen, as_of, known_on)
        folder = home / "data/processed" / named.name
        table = handover.hand_over(results, folder / BOOK, devices, covered_only=covered_only,
                                   known_on=dated(known_on) if known_on else None)
        path = handover.write(table, out or folder / f"allocation-{named.day}.xlsx", named,
                              language=language or "vi")
        said = {"devices": devices, **handover.figures(table, named), "table": str(path)}
        if json:
            screen.document({**said, "rows": records(table)})
        else:
            screen.allocation(said, language or "en")
