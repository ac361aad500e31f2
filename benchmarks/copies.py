"""What it takes to read terrain from its source, from its checked copy, and from the store.

    python benchmarks/copies.py                 nine zipped tiles of 1 degree at 3 arc-seconds
    python benchmarks/copies.py --seconds 1     the same at 1 arc-second (117 million pixels)

The tiles are made up: rough relief, whole metres, one void in ten thousand.  Printed are CPU
seconds and megabytes on disk of the archives as they are downloaded, of the copy (Cloud-Optimised
GeoTIFF) and of the array that a run maps into memory.
"""

from __future__ import annotations

import argparse
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from phusong.sources.raster_copies import Copies
from phusong.sources.rasters import read_terrain
from phusong.sources.source import Source
from phusong.store import Store

KEY = "benchmark" * 3


def main() -> None:
    """Print one line for each way of reading."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, choices=(1, 3), default=3)
    parser.add_argument("--tiles", type=int, default=3, help="tiles along each side")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _tiles(folder, 3600 // given.seconds + 1, given.tiles)
        sources, kept = [Source(file="*.hgt.zip")], folder / "rasters"
        bare = _timed("archives", lambda: read_terrain(sources, folder, 32648)[0])
        _timed("archives, copy kept", lambda: read_terrain(sources, folder, 32648, None,
                                                           Copies(kept)))
        again = _timed("from the copy", lambda: read_terrain(sources, folder, 32648, None,
                                                             Copies(kept))[0])
        assert np.array_equal(bare.heights, again.heights, equal_nan=True)
        store = Store(folder / "store")
        _timed("array kept", lambda: store.keep_array("heights", KEY, bare.heights))
        mapped = _timed("array mapped", lambda: store.recall_array("heights", KEY))
        assert np.array_equal(mapped, bare.heights, equal_nan=True)
        print(f"\n{bare.shape[0]:,} x {bare.shape[1]:,} pixels; on disk, MB:")
        for what, pattern in (("archives", "*.zip"), ("copy", "rasters/*.tif"),
                              ("array", "store/tables/*.npy")):
            print(f"  {what:10}{sum(p.stat().st_size for p in folder.glob(pattern)) / 1e6:8.1f}")


def _timed(what: str, work: Callable[[], Any]) -> Any:
    begun = time.process_time()
    done = work()
    print(f"{what:22}{time.process_time() - begun:7.2f} CPU-s")
    return done


def _tiles(folder: Path, side: int, many: int) -> None:
    """Write zipped SRTM tiles whose common edges agree."""
    rng = np.random.default_rng(2021)
    whole = many * (side - 1) + 1
    steps = rng.normal(size=(2, whole)).cumsum(axis=1) * 20.0
    heights = 1200.0 + np.add.outer(*steps) + rng.normal(size=(whole, whole)) * 4.0
    heights = np.clip(np.rint(heights), 0, 8000).astype(">i2")
    heights[rng.random(heights.shape) < 1e-4] = -32768
    for i in range(many):
        for j in range(many):
            tile = f"N{22 - i:02d}E{103 + j:03d}"
            part = heights[i * (side - 1):, j * (side - 1):][:side, :side]
            with zipfile.ZipFile(folder / f"{tile}.hgt.zip", "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr(f"{tile}.hgt", part.tobytes())


if __name__ == "__main__":
    main()
