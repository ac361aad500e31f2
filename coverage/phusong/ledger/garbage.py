"""The collector of cyclic garbage, kept out of the way while a large report is read."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["left_for_later"]


@contextmanager
def left_for_later() -> Iterator[None]:
    """Leave cyclic garbage for later.

    A report of 100,000 rows is a million small objects that hold no circle; to look through all
    of them again and again took a fifth of the time.
    """
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
