"""The compiled and the plain Python walk give the same bits."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
from landscape import country
from phusong.links import link
from phusong.radio.budget import Radio
points, cells, terrain = country(6, points=3, cells=8)
radio = Radio(model="p526", profile_step_m=400.0, max_range_m=5000.0, best_per_operator=1)
found = link(points, cells, terrain, radio).reset_index()
print(found.shape[0])
for name in ("point_id", "cell_id"):
    print(" ".join(found[name]))
for name in ("distance_m", "clearance", "loss_db", "received_dbm", "best_case_dbm"):
    print(" ".join(float(v).hex() for v in found[name]))
print(" ".join(float(v).hex() for v in terrain.horizon_deg(505000, 1994000, 2, [0, 90], 2000)[0]))
"""


@pytest.mark.slow
def test_jit_on_and_off_give_the_same_links() -> None:
    said = [subprocess.run([sys.executable, "-c", PROGRAM, str(Path(__file__).parent)],
                           env={**os.environ, "NUMBA_DISABLE_JIT": off}, capture_output=True,
                           text=True, check=True, timeout=300).stdout for off in ("0", "1")]
    assert int(said[0].split()[0]) > 3
    assert said[0] == said[1]
