"""What every test may ask for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data and reference vectors beside the repository.

    It is no part of the project; set PHUSONG_SHARED to use another place.
    """
    folder = Path(os.environ.get("PHUSONG_SHARED", ROOT.parent / "shared"))
    if not (folder / "vectors").is_dir():
        pytest.skip(f"no shared data at {folder} (set PHUSONG_SHARED to the folder that holds "
                    f"data/ and vectors/)")
    return folder
