"""One thread setting for the whole program.

Work is cut into units that do not depend on each other; the order of the
results is that of the units, so that no result depends on the number of
threads.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from phusong.errors import InputError

__all__ = ["THREADS_VARIABLE", "each", "thread_count"]

THREADS_VARIABLE = "PHUSONG_THREADS"
"""Environment variable that sets the number of threads."""

Unit = TypeVar("Unit")
Result = TypeVar("Result")


def thread_count() -> int:
    """Return the number of threads: `PHUSONG_THREADS`, or the cores this process may use.

    Raises
    ------
    InputError
        If the variable holds no whole number of at least 1.
    """
    text = os.environ.get(THREADS_VARIABLE, "").strip()
    if not text:
        affinity = getattr(os, "sched_getaffinity", None)
        return max(1, len(affinity(0)) if affinity else os.cpu_count() or 1)
    if not text.isdigit() or int(text) < 1:
        raise InputError(f'{THREADS_VARIABLE}="{text}" is no number of threads. '
                         f"Write a whole number, e.g. {THREADS_VARIABLE}=2.")
    return int(text)


def each(function: Callable[[Unit], Result], units: Sequence[Unit]) -> Iterator[Result]:
    """Yield ``function(unit)`` for each unit, in their order, computed by `thread_count` threads.

    Parameters
    ----------
    function : callable
        Does one unit; must release the interpreter lock in its heavy part and
        must not write into anything that another unit reads.
    units : sequence
        What to do.
    """
    threads = min(thread_count(), len(units))
    if threads <= 1:
        yield from map(function, units)
        return
    with ThreadPoolExecutor(threads, thread_name_prefix="phusong") as pool:
        yield from pool.map(function, units)
