"""One way of compiling: cached on disk, free of the interpreter lock, never stale.

numba's disk cache looks at the file of the compiled function only.  A kernel
that calls a formula of another file would go on using the old formula after
that file has changed.  `compiled` therefore ties the cache to the text of
every file in this folder as well.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

from numba import njit

__all__ = ["compiled"]


@lru_cache(maxsize=1)
def _formulas_digest() -> str:
    """Return a digest of all source files beside this one."""
    digest = hashlib.sha256()
    for file in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile `function` on first use and keep the machine code on disk.

    Division by zero follows IEEE 754, as in numpy.  No fast-math, no hidden
    threads: the same input gives the same bits.

    Parameters
    ----------
    function : callable
        Plain Python over numbers and arrays.  It may call other compiled
        functions of this folder by their global names; it must not be handed
        one as an argument, which would defeat the cache.
    """
    kernel: Any = njit(cache=True, nogil=True, error_model="numpy")(function)
    cache_file: Any = getattr(getattr(kernel, "_cache", None), "_cache_file", None)
    if hasattr(cache_file, "_source_stamp"):
        cache_file._source_stamp = (cache_file._source_stamp, _formulas_digest())
    return kernel  # type: ignore[no-any-return]
