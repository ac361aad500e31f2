"""One contestant of `radio.py` on given profiles, in a process of its own.

    python contestants.py NAME profiles.npz

Runs in the Python of the contestant, so it imports nothing but numpy and that
contestant.  Prints JSON: processor seconds (median of repeats), paths, peak
memory, losses.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

FREQUENCY_MHZ, TX_M, RX_M, DELTA_N, N0 = 1840.0, 40.0, 1.5, 50.0, 374.0

Run = Callable[[], np.ndarray]


def ours(model: str) -> Callable[[np.ndarray, float], Run]:
    """Return a contestant: a model of this project on packed profiles, kernel alone."""
    def prepare(heights: np.ndarray, step_m: float) -> Run:
        from phusong.paths import Paths
        from phusong.radio import Medium, path_loss

        count, samples = heights.shape
        paths = Paths(np.tile(step_m * np.arange(samples), count), heights.ravel(),
                      samples * np.arange(count + 1))
        air = Medium(delta_n=DELTA_N, n0=N0)
        return lambda: path_loss(model, paths, FREQUENCY_MHZ, TX_M, RX_M, air)

    return prepare


def pycraf(heights: np.ndarray, step_m: float) -> Run:
    """P.452-16 by pycraf (compiled, GPL): free space, diffraction, troposcatter, ducting."""
    from astropy import units as u
    from pycraf import conversions as cnv
    from pycraf import pathprof

    along = step_m * np.arange(heights.shape[1]) / 1000.0

    def one(profile: np.ndarray) -> float:
        path = pathprof.PathProp(
            FREQUENCY_MHZ / 1000.0 * u.GHz, 293.0 * u.K, 1013.0 * u.hPa, 105.0 * u.deg,
            21.0 * u.deg, 105.1 * u.deg, 21.1 * u.deg, TX_M * u.m, RX_M * u.m, step_m * u.m,
            50.0 * u.percent, polarization=1, version=16, delta_N=DELTA_N / u.km,
            N0=N0 * cnv.dimless, hprof_dists=along * u.km, hprof_heights=profile * u.m,
            hprof_bearing=45.0 * u.deg, hprof_backbearing=225.0 * u.deg)
        return float(pathprof.loss_complete(path, 0.0 * cnv.dBi, 0.0 * cnv.dBi)[4].value)

    return lambda: np.array([one(profile) for profile in heights])


def itmlogic(heights: np.ndarray, step_m: float) -> Run:
    """Longley-Rice 1.2.2 by itmlogic (plain Python, MIT), medians."""
    from itmlogic.preparatory_subroutines.qlrpfl import qlrpfl
    from itmlogic.preparatory_subroutines.qlrps import qlrps
    from itmlogic.statistics.avar import avar

    def one(profile: np.ndarray) -> float:
        last = len(profile) - 1
        tenth = int(3.0 + 0.1 * last)
        mean = float(profile[tenth - 1:last - tenth + 2].mean())
        p = {"fmhz": FREQUENCY_MHZ, "hg": [TX_M, RX_M], "klim": 1, "kwx": 0, "klimx": 0,
             "lvar": 5, "mdvar": 12, "mdvarx": 12, "mdp": -1, "gma": 157e-9, "ipol": 1,
             "pfl": [last, step_m, *profile.tolist()]}
        p["wn"], p["gme"], p["ens"], p["zgnd"] = qlrps(FREQUENCY_MHZ, mean, N0, 1, 15.0, 0.005)
        p = qlrpfl(p)
        beyond, p = avar(0.0, 0.0, 0.0, p)
        return 32.45 + 20.0 * np.log10(FREQUENCY_MHZ * p["dist"] / 1000.0) + beyond

    return lambda: np.array([one(profile) for profile in heights])


CONTESTANTS: dict[str, Callable[[np.ndarray, float], Run]] = {
    "phusong p1812": ours("p1812"), "phusong p526": ours("p526"), "phusong itm": ours("itm"),
    "phusong hata": ours("hata"), "phusong rma": ours("rma"),
    "phusong free_space": ours("free_space"), "pycraf P.452-16": pycraf,
    "itmlogic ITM 1.2.2": itmlogic}
"""Name -> what prepares a run."""


def peak_mib() -> float:
    """Return the peak memory of this process; NaN where the system does not tell.

    ``ru_maxrss`` would hand on that of the process that started this one.
    """
    status = Path("/proc/self/status")
    found = re.search(r"VmHWM:\s+(\d+)", status.read_text()) if status.exists() else None
    return int(found[1]) / 1024 if found else float("nan")


def main(name: str, file: str) -> None:
    """Run one contestant and print what it took."""
    with np.load(file) as stored:
        heights, step_m = stored["heights"], float(stored["step_m"])
    CONTESTANTS[name](heights[:2], step_m)()
    run = CONTESTANTS[name](heights, step_m)
    loss, spent = np.empty(0), []
    while len(spent) < 3 or (sum(spent) < 0.3 and len(spent) < 50):
        began = time.process_time()
        loss = run()
        spent.append(time.process_time() - began)
    print(json.dumps({"cpu_s": float(np.median(spent)), "paths": len(heights),
                      "peak_mib": peak_mib(), "loss_db": loss.tolist()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
