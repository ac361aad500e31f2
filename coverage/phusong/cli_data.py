"""The commands that make a study and bring its data: ``new`` and ``fetch``."""

from __future__ import annotations

from typing import Annotated

import typer

from phusong.cli_shared import (
    HERE,
    Day,
    Home,
    Inputs,
    Json,
    Quiet,
    StudyArg,
    app,
    dated,
    opened,
    told,
)
from phusong.screen import Screen

__all__ = ["Json", "Quiet", "app", "fetch", "new"]


@app.command()
def new(name: Annotated[str, typer.Argument(help="Name of the new study.")],
        fictional: Annotated[bool, typer.Option("--fictional", help="Make a whole fictional "
                                                "province.")] = False,
        size: Annotated[str, typer.Option(help="commune, province or country.")] = "province",
        seed: Annotated[int, typer.Option(help="Another seed, another province.")] = 2021,
        profile: Annotated[str, typer.Option(help="generic or vietnam.")] = "",
        province: Annotated[str, typer.Option(metavar="CODE", help="Wire it to open data of a "
                                              "province (code or name) for phusong fetch.")] = "",
        as_of: Day = None, home: Home = HERE, quiet: Quiet = False, json: Json = False) -> None:
    """Make a new study in data/raw/NAME: an empty one, a real or a fictional province."""
    screen = Screen(quiet=quiet or json, as_json=json)
    with told(screen):
        from phusong.newcomer import make, make_province

        if province:
            path, said = make_province(home / "data/raw", name, province, fictional=fictional,
                                       profile=profile or "vietnam",
                                       day=dated(as_of) if as_of else None)
            if json:
                screen.document({"study": str(path), "said": said})
            screen.say(f"{path}: {said}")
            screen.say(f"Next: phusong fetch {name}")
            return
        with screen.steps() as say:
            one_bar = say and (lambda _, done, of_all: say("new", done, of_all))
            path = make(home / "data/raw", name, fictional=fictional, size=size, seed=seed,
                        profile=profile or "generic", progress=one_bar)
        if json:
            screen.document({"study": str(path)})
        screen.say(f"{path}")
        screen.say(f"Next: phusong check {name}")


@app.command()
def fetch(study: StudyArg, home: Home = HERE, inputs: Inputs = None,
          only: Annotated[list[str] | None, typer.Option("--only", metavar="NAME", help="Only this "
                          "row of the catalogue (may be repeated).")] = None,
          again: Annotated[bool, typer.Option("--again", help="Also what is there.")] = False,
          offline: Annotated[bool, typer.Option("--offline", help="Ask nobody; say what to "
                                                "download by hand, and where to put it.")] = False,
          language: Annotated[str, typer.Option(help="vi or en.")] = "en",
          quiet: Quiet = False, json: Json = False) -> None:
    """Download the open data that a study names, with their licences."""
    screen = Screen(quiet=quiet or json, as_json=json)
    with told(screen):
        from phusong.sources import fetch as room
        from phusong.sources import named

        given = opened(study, home, inputs)
        with screen.steps() as say:
            found = room.fetch(named(given.sources), given.folder, given.place, only=only or (),
                               range_m=given.radio.max_range_m, again=again, offline=offline,
                               progress=say)
        if json:
            screen.document({"fetched": [one.as_dict(given.folder) for one in found]})
        else:
            screen.fetched(*room.told(found, given.folder, language))
        if any(one.state == "failed" for one in found):
            raise typer.Exit(1)
