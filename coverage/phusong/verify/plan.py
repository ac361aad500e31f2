"""The optimiser over a folder of published instances: value, bound, gap and CPU seconds."""

from __future__ import annotations

import csv
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from phusong.errors import InputError, MissingFileError
from phusong.plan.instances import Instance, read_instance
from phusong.plan.least import minimise
from phusong.plan.most import maximise
from phusong.plan.solution import Solution

__all__ = ["REFERENCES", "PlanCheck", "Reference", "tasks_below", "verify_plan"]

_ENDINGS = (".npz", ".txt", ".txt.gz", ".dat", ".dat.gz")
_KNOWN = "best_known.csv"
_FULL_COVER = "full cover"


@dataclass(frozen=True, slots=True)
class Reference:
    """What is known of an instance.

    Parameters
    ----------
    task : str
        ``budget N``, ``N sites`` or ``full cover``.
    budget, max_sites : float, int or None
        Limits of the task.
    best : float or None
        Best value known.
    """

    task: str
    budget: float | None = None
    max_sites: int | None = None
    best: float | None = None


REFERENCES: dict[str, tuple[Reference, ...]] = {
    "provincial": (Reference("budget 197", 197.0, None, 171_739.0),
                   Reference("12 sites", None, 12, 200_086.0)),
    "gap5000": (Reference("budget 1105", 1105.0, None, 1_171_327.0),
                Reference(_FULL_COVER, None, None, 8_910.0)),
    "national": (Reference("budget 1638", 1638.0, None, 3_279_576.0),
                 Reference(_FULL_COVER, None, None, 27_778.0)),
}
"""Tasks of instances whose files do not say them, with the best values that SCIP 9, CP-SAT 9 and
a scratch search found (2026-11-21)."""


@dataclass(frozen=True, slots=True)
class PlanCheck:
    """What the optimiser did on one instance.

    Parameters
    ----------
    name : str
        Instance and task.
    value, bound, gap : float
        Value found, bound proven, and the share of the value between them.
    cpu_seconds : float
        CPU time of one thread, reading not counted.
    best : float or None
        Best value known; None = none.
    stopped : str
        Why the search ended.
    ok : bool
        Whether value and bound do not contradict each other or the best value
        known. A value worse than the best known is no fault, a wrong bound is.
    """

    name: str
    value: float
    bound: float
    gap: float
    cpu_seconds: float
    best: float | None
    stopped: str
    ok: bool

    def as_dict(self) -> dict[str, str | int | float | bool | None]:
        """Return the check as plain JSON values."""
        return {"name": self.name, "value": self.value, "bound": self.bound,
                "gap": self.gap if math.isfinite(self.gap) else None,
                "cpu_seconds": round(self.cpu_seconds, 2), "best": self.best,
                "stopped": self.stopped, "ok": self.ok}

    def __str__(self) -> str:
        known = "" if self.best is None else f", best known {self.best:,.10g}"
        return (f"{self.name}: {self.value:,.10g}, bound {self.bound:,.10g}, "
                f"gap {100.0 * self.gap:.2f} %, {self.cpu_seconds:.1f} CPU-s, {self.stopped}"
                f"{known}{'' if self.ok else '  WRONG'}")


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*")
                  if path.is_file() and path.name.endswith(_ENDINGS))


def _best_known(folder: Path) -> dict[str, float]:
    """Read every best_known.csv (instance, best_known_value) below the folder."""
    known: dict[str, float] = {}
    for path in sorted(folder.rglob(_KNOWN)):
        try:
            with path.open(encoding="utf-8", newline="") as file:
                for row in csv.DictReader(file):
                    known[row["instance"]] = float(row["best_known_value"])
        except (OSError, KeyError, ValueError) as error:
            raise InputError(f'{path} should have the columns "instance" and '
                             f'"best_known_value" with numbers: {error}.') from error
    return known


def _tasks(instance: Instance, known: dict[str, float]) -> tuple[Reference, ...]:
    best = known.get(instance.name)
    if instance.cover:
        return (Reference(_FULL_COVER, best=best),)
    if instance.budget is not None or instance.max_sites is not None:
        words = ([f"budget {instance.budget:g}"] if instance.budget is not None else []) + (
            [f"{instance.max_sites} sites"] if instance.max_sites is not None else [])
        return (Reference(", ".join(words), instance.budget, instance.max_sites, best),)
    return REFERENCES.get(instance.name, (Reference(_FULL_COVER, best=best),))


def tasks_below(folder: Path) -> Iterator[tuple[Instance, Reference]]:
    """Yield every instance below a folder (or the one of a file) with each of its tasks.

    Raises
    ------
    MissingFileError
        If there is no such folder.
    InputError
        If an instance cannot be read.
    """
    folder = Path(folder)
    if not folder.exists():
        raise MissingFileError(f"There is no folder {folder}. Give the folder that holds the "
                               f"instances.")
    known = _best_known(folder.parent if folder.is_file() else folder)
    for path in [folder] if folder.is_file() else _files(folder):
        instance = read_instance(path)
        for task in _tasks(instance, known):
            yield instance, task


def _contradiction(found: Solution, task: Reference) -> bool:
    """Tell whether value, bound and the best value known cannot all be true."""
    sign = -1.0 if task.task == _FULL_COVER else 1.0
    if sign * found.value > sign * found.bound:
        return True
    return task.best is not None and sign * task.best > sign * found.bound


def _solve(instance: Instance, task: Reference, seconds: float, gap: float, seed: int
           ) -> PlanCheck:
    begun = time.process_time()
    if task.task == _FULL_COVER:
        found = minimise(instance.problem, seconds=seconds, gap=gap, seed=seed)
    else:
        found = maximise(instance.problem, budget=math.inf if task.budget is None else task.budget,
                         max_sites=task.max_sites, seconds=seconds, gap=gap, seed=seed)
    return PlanCheck(f"{instance.name}, {task.task}", found.value, found.bound, found.gap,
                     time.process_time() - begun, task.best, found.stopped,
                     not _contradiction(found, task))


def _wanted(name: str, only: tuple[str, ...]) -> bool:
    """Tell whether an instance, or one of its tasks, fits one of the patterns (none = all)."""
    return not only or any(fnmatch(name, p) or fnmatch(name, f"{p}, *") for p in only)


def verify_plan(folder: Path, *, only: tuple[str, ...] = (), seconds: float = 60.0,
                gap: float = 0.0, seed: int = 1,
                tell: Callable[[PlanCheck], None] | None = None) -> list[PlanCheck]:
    """Solve every instance below a folder and tell value, bound, gap and CPU seconds.

    Parameters
    ----------
    folder : Path
        Holds instances: ``.npz``, OR-Library set-cover text, coordinate lists
        (plain or gzipped), and perhaps ``best_known.csv``; or one such file.
    only : tuple of str
        Patterns (``scp4*``, ``*full cover``) of the tasks that are solved; empty = all.
    seconds : float
        CPU time for each task.
    gap : float
        A search ends when value and bound are so near.
    seed : int
        Of the search.
    tell : callable, optional
        Called with each check as soon as it is known.

    Raises
    ------
    MissingFileError
        If there is no such folder.
    InputError
        If it holds no instance, or one cannot be read, or no name fits.
    """
    checks, names = [], []
    for instance, task in tasks_below(folder):
        names.append(f"{instance.name}, {task.task}")
        if not _wanted(names[-1], only):
            continue
        checks.append(_solve(instance, task, seconds, gap, seed))
        if tell:
            tell(checks[-1])
    if not names:
        raise InputError(f"{folder} holds no instance ({', '.join(_ENDINGS)}).")
    if not checks:
        raise InputError(f"None of the {len(names)} tasks below {folder} fits "
                         f"{', '.join(only)}. They are called: {'; '.join(names[:6])} ...")
    return checks
