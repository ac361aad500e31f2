"""Work during which what is there already is left alone by the garbage collector."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["settled"]


@contextmanager
def settled() -> Iterator[None]:
    """Keep the collector from looking through modules and tables again while work goes on.

    Short work on long tables makes many small objects; the collector would walk all that was
    imported and read each time it counts them.  Garbage that was there before waits until the
    work is done; what the work itself leaves is collected as ever.
    """
    if gc.get_freeze_count():  # whoever froze it has reasons, and thaws it
        yield
        return
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
