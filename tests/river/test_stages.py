"""Stages are made anew when what they read has changed, also where no column shows it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from phusong import pipeline
from phusong.store import Store
from phusong.study import Study


def test_other_hops_under_the_same_sites_make_the_feeders_anew(
        commune: Path, done: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
        ) -> None:
    study = Study.read(commune / "data/raw/small/study.yml")
    shutil.copytree(commune / "data/processed/small", tmp_path / "small")
    store, real = Store(tmp_path / "small"), pipeline._plan

    def run(gap: float, hops: list[list[int]]) -> pipeline.Results:
        def planned(results: pipeline.Results, say: Any) -> pd.DataFrame:
            plan = real(results, say)
            plan.attrs["hops"] = hops
            return plan

        monkeypatch.setattr(pipeline, "_plan", planned)
        other = study.model_copy(update={"goal": study.goal.model_copy(update={"gap": gap})})
        other._path, other._folder = study._path, study._folder
        return pipeline.run(other, store=store, until="feeders")

    first, same, changed = run(0.002, []), run(0.003, []), run(0.004, [[0, 1, 0, 0]])
    assert [row["site_id"] for row in done["plan"]] == list(first.plan["site_id"])
    assert "plan" not in same.recalled, "another goal asks for another plan"
    assert "feeders" in same.recalled
    assert "feeders" not in changed.recalled
    pd.testing.assert_frame_equal(first.plan, changed.plan)
    assert first.digests["plan"] == same.digests["plan"] != changed.digests["plan"]
