"""The laws of the house, machine-checked."""

from __future__ import annotations

import ast
import importlib.metadata
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import yaml
from phusong.tables import TABLES

SOURCE = Path(__file__).resolve().parents[2] / "coverage" / "phusong"
FILES = sorted(SOURCE.rglob("*.py"))
UNITS = ("_m", "_km", "_deg", "_db", "_dbm", "_dbi", "_mhz", "_mbps", "_v", "_per_year")
QUANTITIES = ("distance", "height", "azimuth", "tilt", "beamwidth", "gain", "loss", "frequency",
              "bandwidth", "slope", "eirp", "margin", "ground", "reach", "capacity")


@cache
def _tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def _functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node


def test_layers() -> None:
    done = subprocess.run([str(Path(sys.executable).parent / "lint-imports"), "--no-cache"],
                          cwd=SOURCE.parents[1], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(SOURCE)))
def test_small_rooms(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 400, "a file has at most 400 lines"
    long = {f.name: f.end_lineno - f.lineno + 1 for f in _functions(_tree(file))
            if f.end_lineno - f.lineno + 1 - _docstring_lines(f) > 60}
    assert not long, f"a function has at most 60 lines of code: {long}"


def _docstring_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    first = function.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        return first.end_lineno - first.lineno + 1
    return 0


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(SOURCE)))
def test_public_names_are_documented(file: Path) -> None:
    tree = _tree(file)
    if file.stat().st_size == 0:
        return
    assert ast.get_docstring(tree), "the room has no docstring"
    bare = [node.name for node in tree.body
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_")
            and not ast.get_docstring(node)]
    assert not bare, f"public names without a docstring: {bare}"


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(SOURCE)))
def test_no_tunnels(file: Path) -> None:
    tree = _tree(file)
    tunnels = [f.name for f in _functions(tree) if f.args.kwarg and not f.name.startswith("_")
               and f.args.kwarg.arg != "about"]
    assert not tunnels, f"no **kwargs in a public verb: {tunnels}"
    assert file.name not in ("utils.py", "helpers.py", "common.py", "misc.py")


def test_units_stand_in_column_names() -> None:
    bare = [f"{table.name}.{c.name}" for table in TABLES.values() for c in table.columns.values()
            if c.kind in ("float", "int") and any(q in c.name.split("_") for q in QUANTITIES)
            and not c.name.endswith(UNITS)]
    assert not bare


HEAVY = {"rasterio": {"sources"}, "osmnx": {"sources"}, "osmium": {"sources"}, "folium": {"maps"},
         "branca": {"maps"}, "sklearn": {"siting"}, "highspy": {"plan", "backhaul"},
         "typer": {"cli", "cli_data", "cli_desk", "cli_progress", "cli_shared"}, "rich": {"screen"},
         "sqlite3": {"ledger"}, "matplotlib": {"maps"}, "python_calamine": {"sources"},
         "babel": {"maps", "screen"}}


@pytest.mark.parametrize("guest", sorted(HEAVY))
def test_each_heavy_guest_has_one_room(guest: str) -> None:
    seen = set()
    for file in FILES:
        for node in ast.walk(_tree(file)):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else (
                [node.module or ""] if isinstance(node, ast.ImportFrom) else [])
            if any(n == guest or n.startswith(f"{guest}.") for n in names):
                seen.add(file.relative_to(SOURCE).parts[0].removesuffix(".py"))
    assert seen <= HEAVY[guest], f"{guest} is imported in {seen}"


def test_http_is_spoken_in_one_room() -> None:
    speaking = {file.relative_to(SOURCE).parent.as_posix() for file in FILES if re.search(
        r"^\s*(?:import|from) (?:urllib\.(?:request|error)|requests|http\.client|socket)\b",
        file.read_text(encoding="utf-8"), re.M)}
    assert speaking == {"sources/fetch"}


@pytest.mark.parametrize("room", ["radio"])
def test_physics_wears_plain_clothes(room: str) -> None:
    for file in (SOURCE / room).rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        found = re.findall(r"^\s*(?:import|from) (pandas|geopandas|pyproj|shapely|rasterio)", text,
                           re.M)
        assert not found, f"{file.name} imports {found}"


def _requirements(root: Path) -> dict[str, str]:
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    every = project["dependencies"] + project["optional-dependencies"]["dev"]
    return {re.split(r"[<>=]", r)[0]: r for r in every}


def test_environment_is_the_project(root: Path) -> None:
    environment = yaml.safe_load((root / "environment.yml").read_text(encoding="utf-8"))
    written = [d for d in environment["dependencies"] if isinstance(d, str)]
    written = [d for d in written if not d.startswith(("python>", "python=", "pip"))]
    assert sorted(written) == sorted(_requirements(root).values())
    python = tomllib.loads((root / "pyproject.toml").read_text())["project"]["requires-python"]
    assert f"python{python}" in environment["dependencies"]


def test_the_lock_holds_every_dependency(root: Path) -> None:
    lock = (root / "requirements.lock").read_text(encoding="utf-8")
    pinned = {line.split("==")[0].lower() for line in lock.splitlines()
              if re.match(r"^[a-zA-Z0-9]", line)}
    assert set(_requirements(root)) <= pinned
    assert "://" not in lock, "a lock names packages, not the host they came from"


def test_no_copyleft_guest(root: Path) -> None:
    """MPL-2.0 (file-level copyleft, unmodified) is the strictest: certifi, hypothesis, tqdm."""
    bad = []
    for name in _requirements(root):
        meta = importlib.metadata.metadata(name)
        words = " ".join([meta.get("License-Expression") or "", meta.get("License") or "",
                          *(meta.get_all("Classifier") or [])])
        if re.search(r"\b(A?GPL|GNU (Affero )?General Public)", words) and "MIT" not in words:
            bad.append(name)
    assert not bad


def test_nothing_of_a_private_workplace(root: Path) -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=root, capture_output=True, text=True,
                            check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    private = re.compile(r"(?<![\w.])/(work|farm|root|home|tmp)/[a-z]")
    found = []
    for name in listed.stdout.splitlines():
        path = root / name
        if path.suffix in (".py", ".md", ".yml", ".toml", ".ipynb", ".js", "") and path.is_file():
            text = path.read_text(encoding="utf-8", errors="replace")
            if private.search(text) and path != Path(__file__):
                found.append(name)
    assert not found
