"""What the tests of the fetch room share: a local server and short patience."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from phusong.sources.fetch.download import Manners

sys.path.insert(0, str(Path(__file__).parent))

from web import Web, serving


@pytest.fixture
def web() -> Iterator[Web]:
    with serving() as given:
        yield given


@pytest.fixture
def pauses() -> list[float]:
    """The pauses that were asked for; nobody waits."""
    return []


@pytest.fixture
def manners(pauses: list[float]) -> Manners:
    return Manners(attempts=3, timeout_s=5.0, pause_s=1.0, sleep=pauses.append)
