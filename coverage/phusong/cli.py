"""The command line: one verb, one command; no logic here.

Exit codes: 0 done; 1 the inputs or the study hold an error (all are told); 2 wrong
usage; 130 interrupted.
"""

from __future__ import annotations

import gc
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from phusong.cli_desk import app
from phusong.cli_shared import HERE, Day, Home, Inputs, Json, Quiet, Spoken, StudyArg
from phusong.cli_shared import dated as _date
from phusong.cli_shared import fault_as_dict as _fault
from phusong.cli_shared import opened as _open
from phusong.cli_shared import stored as _stored
from phusong.cli_shared import told as _told
from phusong.screen import Screen

__all__ = ["app", "main"]

def _run(study: Any, home: Path, screen: Screen, day: str | None = None, until: str = "",
         known_on: str | None = None) -> Any:
    from phusong import pipeline
    from phusong.desk import BOOK

    store = _stored(study, home, day, known_on)
    with screen.steps() as say:
        return pipeline.run(study, store=store, until=until, book=store.folder / BOOK,
                            known_on=_date(known_on) if known_on else None, progress=say)


def _record(results: Any, study: Any, home: Path, day: str | None = None,
            known_on: str | None = None) -> None:
    """Enter what stands beside the model, and record the figures that are about to be given."""
    from phusong import bulletin, desk

    store = _stored(study, home, day, known_on)
    bulletin.of_run(results, store.folder / desk.BOOK)


def _draw(results: Any, home: Path, screen: Screen, language: str, out: Path | None,
          audience: str = "internal", online: bool = False, tiles: str = "",
          attribution: str = "") -> Path:
    from phusong.briefing import write_map

    path = out or home / "maps" / results.study.name / "index.html"
    with screen.steps() as say:
        return write_map(results, path, language=language, audience=audience, online=online,
                         tiles=tiles, attribution=attribution, progress=say)


@app.command()
def check(study: StudyArg, home: Home = HERE, inputs: Inputs = None,
          language: Spoken = "en", quiet: Quiet = False, json: Json = False) -> None:
    """Find everything wrong with the inputs, and everything assumed; compute nothing."""
    screen = Screen(quiet=quiet or json, as_json=json, language=language)
    with _told(screen):
        from phusong import pipeline

        around = pipeline.check(_open(study, home, inputs))
        rows = [] if around.readings is None else around.readings.to_dict("records")
        counts = {kind: sum(f.severity == kind for f in around.faults)
                  for kind in ("error", "warning", "assumption")}
        mends = [] if around.mends is None else around.mends.to_dict("records")
        if json:
            screen.document({"readings": rows, "counts": counts, "mends": mends,
                             "faults": [_fault(f) for f in around.faults]})
        else:
            if not quiet:
                screen.readings(rows, language)
                screen.mends(mends, language)
            screen.faults(tuple(f for f in around.faults if not quiet or f.severity == "error"),
                          language)
            screen.graveness(counts, language)
        if counts["error"]:
            raise typer.Exit(1)


@app.command()
def run(study: StudyArg, home: Home = HERE, inputs: Inputs = None,
        full: Annotated[bool, typer.Option("--full", help="Then compute everything again from "
                                           "the files, and compare.")] = False,
        language: Annotated[str, typer.Option(help="Language the page opens in.")] = "vi",
        no_map: Annotated[bool, typer.Option("--no-map", help="Tables only.")] = False,
        quiet: Quiet = False, json: Json = False) -> None:
    """Run the whole river: coverage, gaps, sites, costs, plan, progress, map."""
    screen = Screen(quiet=quiet or json, as_json=json)
    with _told(screen):
        from phusong.summary import summarise

        opened = _open(study, home, inputs)
        results = _run(opened, home, screen)
        _record(results, opened, home)
        figures = summarise(results)
        if full:
            from phusong import desk

            with screen.steps() as say:
                book = _stored(opened, home).folder / desk.BOOK
                figures["recomputed"] = desk.prove(results, book, progress=say)
        if not no_map:
            figures["map"] = str(_draw(results, home, screen, language, None))
        if json:
            screen.document({**figures, "recalled": results.recalled})
        else:
            screen.summary(figures)
            if not no_map:
                screen.say(f"Map: {figures['map']}")
            if full:
                screen.proof(figures["recomputed"])
        if full and figures["recomputed"]["differing"]:
            _stored(opened, home).forget()
            raise typer.Exit(1)


@app.command()
def schedule(study: StudyArg, home: Home = HERE, inputs: Inputs = None, quiet: Quiet = False,
             json: Json = False) -> None:
    """Dates for the plan: who builds what when, and will the deadlines be met."""
    screen = Screen(quiet=quiet or json, as_json=json)
    with _told(screen):
        from phusong.summary import dates

        figures = dates(_run(_open(study, home, inputs), home, screen))
        if json:
            screen.document(figures)
        else:
            screen.dates(figures)


@app.command("map")
def draw_map(study: StudyArg, home: Home = HERE, inputs: Inputs = None, as_of: Day = None,
             language: Annotated[str, typer.Option(help="vi or en.")] = "vi",
             out: Annotated[Path | None, typer.Option(help="Where to write the page.")] = None,
             brief: Annotated[bool, typer.Option("--brief", help="Also a PDF, a PNG, a workbook "
                                                 "and a ZIP of all.")] = False,
             audience: Annotated[str, typer.Option(help="internal, or public: small counts of "
                                                   "poor learners are withheld.")] = "internal",
             known_on: Annotated[str | None, typer.Option("--known-on", metavar="DATE", help="With "
                                 "the reports known on that day.")] = None,
             online: Annotated[bool, typer.Option("--online", help="Background tiles from the "
                                                  "internet; the page then needs one.")] = False,
             tiles: Annotated[str, typer.Option(metavar="URL", help="Tiles of your own choice, "
                                                "https://server/{z}/{x}/{y}.png.")] = "",
             attribution: Annotated[str, typer.Option(help="Whom to name for the tiles.")] = "",
             quiet: Quiet = False, json: Json = False) -> None:
    """Draw the map of a study, on its own day or on another."""
    screen = Screen(quiet=quiet or json, as_json=json)
    with _told(screen):
        opened = _open(study, home, inputs, as_of)
        results = _run(opened, home, screen, as_of, known_on=known_on)
        _record(results, opened, home, as_of, known_on)
        if out is None and (as_of or known_on):
            named = [f"as-of-{_date(as_of)}"] if as_of else []
            named += [f"known-on-{_date(known_on)}"] if known_on else []
            out = home / "maps" / opened.name / f"{'-'.join(named)}.html"
        written = {"map": _draw(results, home, screen, language, out, audience, online, tiles,
                                attribution)}
        if brief:
            from phusong.briefing import write_brief

            with screen.steps() as say:
                written |= write_brief(results, written["map"].parent / "brief", language=language,
                                       audience=audience, progress=say)
        if json:
            screen.document({**{k: str(v) for k, v in written.items()},
                             "as_of": opened.day.isoformat()})
        for kind, path in written.items():
            screen.say(f"{kind}: {path}")


@app.command()
def report(study: StudyArg,
           files: Annotated[list[Path] | None, typer.Argument(metavar="[FILE]...", help="Reports; "
                            "none = those that the study file names.")] = None,
           home: Home = HERE, inputs: Inputs = None,
           operator: Annotated[str, typer.Option(help="Who reports, if neither file name nor rows "
                                                 "say so.")] = "",
           about: Annotated[str, typer.Option(help="site, gap (register of gap points), claim "
                                              "(points an operator says it covers), check (field "
                                              "checks) or device (deliveries).")] = "site",
           crs: Annotated[str, typer.Option(help="Of coordinates in metres.")] = "",
           recorded_at: Annotated[str | None, typer.Option(metavar="DATE", help="Day on which the "
                                  "reports became known; default today.")] = None,
           dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would "
                                                 "change.")] = False,
           language: Spoken = "",
           json: Json = False) -> None:
    """Enter operators' reports into the ledger; rejected rows go back as a workbook.

    Without --language the workbook is in Vietnamese, the screen in English.
    """
    screen = Screen(quiet=True, as_json=json, language=language)
    with _told(screen):
        from phusong import desk

        opened = _open(study, home, inputs)
        screen.speak_of(opened)
        store = _stored(opened, home)
        outcome = desk.report(opened, store.folder / desk.BOOK, files or (), operator=operator,
                              crs=crs, recorded_at=_date(recorded_at) if recorded_at else None,
                              dry_run=dry_run, rejected=store.folder / "rejected",
                              language=language or "vi", about=about, store=store)
        if json:
            screen.document({**outcome.counts, "changed_cells": len(outcome.changes),
                             "suspects": len(outcome.suspects), "dry_run": dry_run,
                             "unknown_points": outcome.strangers,
                             "unknown_operators": outcome.newcomers,
                             "rejected_rows": desk.returned(outcome),
                             "files": outcome.files.to_dict("records"),
                             **desk.foreseen(outcome)})
        else:
            screen.outcome(outcome, language or "en", opened.name)
        if outcome.counts["refused"]:
            raise typer.Exit(1)


@app.command()
def plan(study: StudyArg, home: Home = HERE, inputs: Inputs = None,
         budget: Annotated[float | None, typer.Option(min=0.0, help="Present value of all sites "
                           "together; default: the study's.")] = None,
         sites: Annotated[int | None, typer.Option(min=1, help="Number of sites; default: the "
                          "study's, none if a budget is given.")] = None,
         cover: Annotated[str, typer.Option(metavar="TARGET", help="Least cost for every gap of "
                          "this target; all = every gap.")] = "",
         gap: Annotated[float | None, typer.Option(min=0.0, max=1.0, help="Stop at this share "
                        "between value and bound.")] = None,
         seconds: Annotated[float | None, typer.Option(min=0.001, help="Stop after so many CPU "
                            "seconds.")] = None,
         quiet: Quiet = False, json: Json = False) -> None:
    """The best plan that can be found, with proof: other limits, the same candidates.

    Ctrl-C gives the best plan so far.
    """
    screen = Screen(quiet=quiet or json, as_json=json)
    with _told(screen):
        from phusong.pipeline import best_plan
        from phusong.summary import plan_figures

        opened = _open(study, home, inputs)
        goal = opened.goal.varied(budget=budget, max_sites=sites, cover=cover, gap=gap,
                                  seconds=seconds)
        results = _run(opened, home, screen, until="dominated")
        with screen.steps() as say:
            one_bar = say and (lambda _, done, of_all: say("plan", done, of_all))
            found = best_plan(results, goal, progress=one_bar)
        if json:
            screen.document({**found.as_dict(), **plan_figures(found.plan)})
        else:
            screen.plan(plan_figures(found.plan))


@app.command()
def explain(study: StudyArg, key: Annotated[str, typer.Argument(metavar="POINT_OR_SITE",
                                                                help="Key of a point, or of a "
                                                                "candidate site.")],
            home: Home = HERE, inputs: Inputs = None,
            language: Spoken = "en",
            budget: Annotated[float | None, typer.Option(min=1e-9, help="A site: in the best plan "
                              "of at most this present value.")] = None,
            sites: Annotated[int | None, typer.Option(min=1, help="A site: in the best plan of at "
                             "most so many sites.")] = None,
            cover: Annotated[str, typer.Option(metavar="TARGET", help="A site: in the cheapest "
                             "plan for every gap of this target; all = every gap.")] = "",
            seconds: Annotated[float | None, typer.Option(min=0.001, help="A site: CPU seconds for "
                               "the best plans with and without it.")] = None,
            quiet: Quiet = False, json: Json = False) -> None:
    """Why a point is covered or not (budget and profile); why a site is built or not.

    A site is explained in the plan that the study asks for: the order of weight per cost, or the
    best plan (method: optimise). With --budget, --sites or --cover in the best plan of these
    limits.
    """
    screen = Screen(quiet=quiet or json, as_json=json, language=language)
    with _told(screen):
        from phusong.explanation import explain as explain_point
        from phusong.explanation import explain_site, is_point

        opened = _open(study, home, inputs)
        store = _stored(opened, home)
        if is_point(opened, key, store):
            with screen.steps() as say:
                found: Any = explain_point(opened, key, store=store,
                                           book=store.folder / "ledger.sqlite", progress=say)
        else:
            goal = opened.goal
            if budget is not None or sites is not None or cover or seconds is not None:
                goal = goal.varied(budget=budget, max_sites=sites, cover=cover, seconds=seconds)
            results = _run(opened, home, screen, until="dominated")
            with screen.steps() as say:
                found = explain_site(results, key, goal, progress=say)
        if json:
            screen.document(found.as_dict())
        else:
            screen.say(found.text(language))


@app.command()
def verify(what: Annotated[str, typer.Argument(help="radio or plan.")],
           vectors: Annotated[Path, typer.Option("--vectors", help="Folder of reference values, or "
                              "one instance of a plan.")],
           only: Annotated[list[str] | None, typer.Option(metavar="PATTERN", help="plan: instances "
                           "and tasks whose name fits, as scp4* or *full cover.")] = None,
           seconds: Annotated[float, typer.Option(min=0.001, help="plan: CPU seconds for each "
                              "task.")] = 60.0,
           gap: Annotated[float, typer.Option(min=0.0, help="plan: stop at this share between "
                          "value and bound.")] = 0.0,
           json: Json = False) -> None:
    """Check the installed engine against published reference values."""
    screen = Screen(as_json=json)
    with _told(screen):
        from phusong.verify import verify as verify_folder

        checks = verify_folder(what, vectors, only=tuple(only or ()), seconds=seconds, gap=gap,
                               tell=lambda found: screen.say(str(found)))
        if json:
            screen.document({"checks": [c.as_dict() for c in checks]})
        if not all(c.ok for c in checks):
            raise typer.Exit(1)


def main() -> None:
    """Entry point of the command ``phusong``."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8")
    # hundreds of modules are loaded; the collector would look through them again and again
    gc.set_threshold(50_000)
    app()
