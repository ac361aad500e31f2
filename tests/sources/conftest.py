"""What the tests of readers share."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from phusong.profile import Profile

sys.path.insert(0, str(Path(__file__).parent))

from small_register import Place, place_at, write_dem


@pytest.fixture
def vietnam() -> Profile:
    return Profile.load("vietnam")


@pytest.fixture
def generic() -> Profile:
    return Profile.load("generic")


@pytest.fixture
def dem() -> Callable[..., Path]:
    return write_dem


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return place_at(tmp_path)
