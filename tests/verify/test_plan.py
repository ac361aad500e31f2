"""`verify plan`: every instance of a folder is solved and told; contradictions are found."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from phusong.errors import InputError, MissingFileError
from phusong.verify import plan as room
from phusong.verify.plan import verify_plan

SET_COVER = "3 4\n2 3 4 5\n2\n1 2\n1\n4\n3 1 3 4\n"


def fill(folder: Path, best: float = 7.0) -> None:
    """Three instances: the cover costs 7, the weights are 15 under 7 and 30 with one site."""
    (folder / "sub").mkdir()
    (folder / "sub" / "tiny.txt").write_text(SET_COVER)
    (folder / "sub" / "best_known.csv").write_text(
        f"instance,best_known_value\ntiny,{best}\n")
    np.savez(folder / "limits.npz", indptr=[0, 2, 3, 4], indices=[0, 1, 1, 2], w=[5, 6, 10],
             cost=[4, 1, 3], budget=4)
    (folder / "places.txt").write_text("3 1 5\n0 0 10\n3 4 20\n9 9 30\n")


def test_every_instance_is_solved(tmp_path: Path) -> None:
    fill(tmp_path)
    found = {c.name: c for c in verify_plan(tmp_path, seconds=5.0)}
    assert {n: (c.value, c.bound, c.stopped, c.ok) for n, c in found.items()} == {
        "limits, budget 4": (16.0, 16.0, "optimal", True),
        "places, 1 sites": (30.0, 30.0, "optimal", True),
        "tiny, full cover": (7.0, 7.0, "optimal", True)}
    assert found["tiny, full cover"].best == 7.0
    for check in found.values():
        assert json.loads(json.dumps(check.as_dict()))["ok"] is True
        assert check.name in str(check)


def test_instances_and_time_are_chosen(tmp_path: Path) -> None:
    fill(tmp_path)
    told: list[str] = []
    found = verify_plan(tmp_path, only=("limits", "*full cover"), seconds=5.0,
                        tell=lambda check: told.append(check.name))
    assert [c.name for c in found] == told == ["limits, budget 4", "tiny, full cover"]
    assert [c.name for c in verify_plan(tmp_path / "places.txt")] == ["places, 1 sites"]
    with pytest.raises(InputError, match="None of the 3 tasks"):
        verify_plan(tmp_path, only=("scp*",))


def test_a_best_value_beyond_the_bound_is_a_contradiction(tmp_path: Path) -> None:
    fill(tmp_path, best=6.0)
    found = {c.name: c for c in verify_plan(tmp_path, seconds=5.0)}
    assert not found["tiny, full cover"].ok
    assert "WRONG" in str(found["tiny, full cover"])


def test_a_bound_beyond_the_value_is_a_contradiction(tmp_path: Path,
                                                     monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path)
    honest = room.maximise

    def liar(*args: object, **options: object) -> object:
        found = honest(*args, **options)  # type: ignore[arg-type]
        object.__setattr__(found, "bound", found.value - 1.0)
        return found

    monkeypatch.setattr(room, "maximise", liar)
    assert [c.name for c in verify_plan(tmp_path) if not c.ok] == ["limits, budget 4",
                                                                   "places, 1 sites"]


def test_folders_without_instances_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no instance"):
        verify_plan(tmp_path)
    with pytest.raises(MissingFileError):
        verify_plan(tmp_path / "x")
    (tmp_path / "a.txt").write_text("1 1 3")
    with pytest.raises(InputError, match="row 1"):
        verify_plan(tmp_path)
    (tmp_path / "best_known.csv").write_text("name\nx\n")
    with pytest.raises(InputError, match="best_known_value"):
        verify_plan(tmp_path)


def test_published_instances(shared: Path, tmp_path: Path) -> None:
    """Beasley's sets that are proven in seconds."""
    folder = shared / "vectors" / "optimisation" / "scp"
    for name in ("best_known.csv", *(p.name for g in ("scp4*", "scp6*") for p in folder.glob(g))):
        (tmp_path / name).symlink_to(folder / name)
    names = {c.name: c for c in verify_plan(tmp_path, seconds=20.0)}
    assert len(names) == 8
    assert all(c.ok and c.value == c.bound == c.best for c in names.values())

