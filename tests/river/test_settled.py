"""Work that leaves alone what was there, and ground that is fetched beside other work."""

from __future__ import annotations

import gc
import threading

import geopandas as gpd
import pytest
from phusong.intake import Intake
from phusong.settled import settled

NOTHING = gpd.GeoDataFrame({"name": []}, geometry=[], crs=32648)


def test_what_was_there_is_left_alone_only_as_long_as_the_work_lasts() -> None:
    assert gc.get_freeze_count() == 0
    with settled():
        assert gc.get_freeze_count() > 10_000, "modules alone are more"
        with settled():
            pass
        assert gc.get_freeze_count() > 0, "the inner one does not thaw what the outer one froze"
    assert gc.get_freeze_count() == 0
    with pytest.raises(ZeroDivisionError), settled():
        raise ZeroDivisionError
    assert gc.get_freeze_count() == 0


def test_garbage_of_the_work_itself_is_collected() -> None:
    class Ring:
        """Something that holds itself."""

    with settled():
        ring = Ring()
        ring.myself = ring  # type: ignore[attr-defined]
        before = len([thing for thing in gc.get_objects() if isinstance(thing, Ring)])
        del ring
        gc.collect()
        after = len([thing for thing in gc.get_objects() if isinstance(thing, Ring)])
    assert (before, after) == (1, 0)


def test_ground_is_fetched_once_in_a_thread_of_its_own() -> None:
    fetched: list[str] = []

    def fetch() -> str:
        fetched.append(threading.current_thread().name)
        return "ground"

    inputs = Intake(NOTHING, NOTHING, fetch, None, "key")
    inputs.look_ahead()
    inputs.look_ahead()
    assert inputs.terrain == inputs.terrain == "ground"
    inputs.look_ahead()
    assert len(fetched) == 1
    assert fetched[0].startswith("phusong-ground")
    assert threading.current_thread().name not in fetched


def test_what_goes_wrong_beside_is_said_where_the_ground_is_looked_at() -> None:
    def fetch() -> None:
        raise OSError("the disk is gone")

    inputs = Intake(NOTHING, NOTHING, fetch, None, "key")
    inputs.look_ahead()
    with pytest.raises(OSError, match="the disk is gone"):
        _ = inputs.terrain
