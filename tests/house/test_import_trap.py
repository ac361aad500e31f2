"""The folder is called `coverage`; numba imports a package of that name (coverage/README.md)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROBE = ("import phusong, numba, coverage, coverage.types; "
         "assert coverage.__file__ and 'site-packages' in coverage.__file__, coverage.__file__; "
         "print(numba.njit(lambda x: x + 1)(1))")


def _python(arguments: list[str], root: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], cwd=root, capture_output=True, text=True,
                          timeout=120, check=False)


def test_no_init_file(root: Path) -> None:
    assert not (root / "coverage" / "__init__.py").exists()


def test_python_c_from_the_root(root: Path) -> None:
    done = _python(["-c", PROBE], root)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "2"


def test_python_m_phusong_from_the_root(root: Path) -> None:
    done = _python(["-m", "phusong", "--help"], root)
    assert done.returncode == 0, done.stderr
    assert "check" in done.stdout


def test_pytest_from_the_root(root: Path, tmp_path: Path) -> None:
    probe = tmp_path / "test_probe.py"
    probe.write_text(f"def test_probe():\n    exec({PROBE!r})\n", encoding="utf-8")
    done = _python(["-m", "pytest", "-q", "-p", "no:cacheprovider", str(probe)], root)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("room", ["phusong", "phusong.errors", "phusong.tables"])
def test_light_rooms_do_not_load_heavy_guests(room: str, root: Path) -> None:
    heavy = "numba,folium,osmnx,rasterio,sklearn,matplotlib"
    code = (f"import sys, {room}; "
            f"print([m for m in '{heavy}'.split(',') if m in sys.modules])")
    assert _python(["-c", code], root).stdout.strip() == "[]"
