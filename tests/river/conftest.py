"""A small fictional study and the command line, as a newcomer meets them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from phusong import fictional
from phusong.cli import app
from typer.testing import CliRunner

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def commune(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Home of a fictional study called ``small`` (a commune and its neighbours)."""
    home = tmp_path_factory.mktemp("home")
    (home / "data" / "raw").mkdir(parents=True)
    fictional(home / "data" / "raw" / "small", name="small", size="commune", seed=7)
    return home


@pytest.fixture(scope="session")
def phusong() -> Command:
    """Run the command as a user does: a process of its own."""
    def call(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, "-W", "error::DeprecationWarning:phusong", "-m",
                               "phusong", *map(str, arguments)],
                              capture_output=True, text=True, timeout=300, check=False)
    return call


@pytest.fixture(scope="session")
def asked() -> Command:
    """Run the command inside this process, which has its libraries loaded."""
    def call(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        words = [*map(str, arguments)]
        ran = CliRunner().invoke(app, words)
        if ran.exception is not None and not isinstance(ran.exception, SystemExit):
            raise ran.exception
        return subprocess.CompletedProcess(words, ran.exit_code, ran.stdout, ran.stderr)
    return call


@pytest.fixture(scope="session")
def done(commune: Path, phusong: Command) -> dict[str, Any]:
    """The first run of ``small``, as JSON."""
    first = phusong("run", "small", "--home", commune, "--json")
    assert first.returncode == 0, first.stderr
    return json.loads(first.stdout)
