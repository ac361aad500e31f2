"""What all commands share: the program, the options they have in common, how errors are told."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from phusong.errors import InputError, PhusongError
from phusong.screen import Screen
from phusong.screen.phrases import phrase

__all__ = ["HERE", "Day", "Home", "Inputs", "Json", "Quiet", "Spoken", "StudyArg", "app", "dated",
           "fault_as_dict", "opened", "stored", "told"]

app = typer.Typer(name="phusong", no_args_is_help=True, add_completion=False,
                  pretty_exceptions_enable=False,
                  help="Find the gaps of mobile coverage, say why, and plan the sites that close "
                       "them. Phủ sóng.")

StudyArg = Annotated[str, typer.Argument(metavar="STUDY", help="Name of a study in data/raw, or "
                                         "path of a study.yml.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress bars.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
Home = Annotated[Path, typer.Option("--home", envvar="PHUSONG_HOME", help="Folder that holds data/ "
                                    "and maps/.")]
Inputs = Annotated[Path | None, typer.Option("--inputs", help="Folder of the input files, if they "
                                             "do not lie beside the study file.")]
Day = Annotated[str | None, typer.Option("--as-of", metavar="DATE", help="Day to speak of, "
                                         "YYYY-MM-DD.")]
HERE = Path()


def _language(value: str) -> str:
    if value not in ("", "vi", "en"):
        raise typer.BadParameter(f'"{value}": the program speaks vi and en')
    return value


Spoken = Annotated[str, typer.Option("--language", callback=_language, help="vi or en.")]


@contextmanager
def told(screen: Screen) -> Iterator[None]:
    """Tell errors raised inside as a sentence (or as JSON) and end with their exit code."""
    try:
        yield
    except PhusongError as error:
        if screen.as_json:
            screen.document({"error": str(error),
                             "faults": [fault_as_dict(f) for f in error.faults]})
        else:
            screen.error(str(error))
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        screen.error(phrase("interrupted", screen.language))
        raise typer.Exit(130) from None


def fault_as_dict(fault: Any) -> dict[str, Any]:
    """Return a fault as plain values, for JSON."""
    return {name: getattr(fault, name) for name in type(fault).__slots__}


def opened(name: str, home: Path, inputs: Path | None, day: str | None = None) -> Any:
    """Read the study called `name` (or at that path)."""
    from phusong.study import Study

    direct = Path(name)
    path = direct if direct.suffix in (".yml", ".yaml") else home / "data/raw" / name / "study.yml"
    study = Study.read(path, folder=inputs)
    return study if day is None else study.on(dated(day))


def stored(study: Any, home: Path, day: str | None = None, known_on: str | None = None) -> Any:
    """Return where results of a study are kept, those of another day apart."""
    from phusong.store import Store

    store = Store(home / "data/processed" / study.name)
    other = [f"{word}-{dated(text)}" for word, text in (("as-of", day), ("known-on", known_on))
             if text is not None]
    return store.at("-".join(other)) if other else store


def dated(text: str) -> dt.date:
    """Read a day as the command line takes it; another form is refused."""
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise InputError(f'"{text}" is no date. Write it as 2021-09-30.') from None
