"""What every model must do, whatever the terrain."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import phusong
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phusong.errors import UnknownNameError
from phusong.paths import SEA, Paths, pack
from phusong.radio import MODELS, Medium, models_used, path_loss
from phusong.radio.budget import MODEL_NAMES
from phusong.radio.clearance import fresnel_clearance
from phusong.radio.p526 import diffraction
from phusong.radio.p1812 import intermediates, p1812

from .profiles import frequencies, handsets, join, masts, ridge, rolling, rolling_paths

few = settings(max_examples=40, deadline=None, derandomize=True)
TERRAIN_MODELS = [name for name, model in MODELS.items() if model.needs_terrain]


def test_names_of_models_agree() -> None:
    """What a study may write is what there is."""
    assert set(MODEL_NAMES) == set(MODELS)
    assert all(model.nearer in {"", *MODELS} for model in MODELS.values())


@few
@given(rolling_paths, frequencies, masts, handsets)
def test_reciprocity(paths: Paths, f: float, tx: float, rx: float) -> None:
    """The loss is the same from either end: P.526 and P.1812."""
    back = paths.reversed()
    for name in ("p526", "p1812", "free_space"):
        there = path_loss(name, paths, f, tx, rx)
        assert there == pytest.approx(path_loss(name, back, f, rx, tx), abs=1e-6)


@few
@given(st.floats(1000.0, 30_000.0), st.integers(10, 150), st.floats(0.1, 0.9),
       st.floats(5.0, 800.0), frequencies, masts, st.floats(1.0, 100.0), handsets)
def test_a_higher_antenna_over_one_edge_never_loses(
        length: float, count: int, place: float, height: float, f: float, tx: float,
        more: float, rx: float) -> None:
    """Beyond free space the loss over a single edge does not rise with the antenna."""
    edge = ridge(length, count, 1 + int(place * (count - 3)), height)
    both = join([edge, edge])
    found = diffraction(both, f, np.array([tx, tx + more]), rx, effective_radius_km=8500.0)
    assert found[1, 1] <= found[0, 1] + 1e-9


@few
@given(rolling_paths, frequencies, masts, handsets)
def test_diffraction_is_a_loss(paths: Paths, f: float, tx: float, rx: float) -> None:
    """Never a gain over free space, and a blocked ray loses at least 6 dB."""
    found = diffraction(paths, f, tx, rx, effective_radius_km=8500.0)
    assert found[0, 0] >= 0.0
    if not found[0, 6]:
        assert found[0, 1] > 6.0


@few
@given(st.floats(50.0, 90_000.0), st.floats(1.0, 5000.0), frequencies)
def test_free_space_grows_with_distance(length: float, more: float, f: float) -> None:
    paths = pack([np.array([0.0, length]), np.array([0.0, length + more])], [np.zeros(2)] * 2)
    near, far = path_loss("free_space", paths, f, 30.0, 1.5)
    assert far > near


@few
@given(rolling_paths, frequencies, masts, handsets, st.floats(-200.0, 3000.0))
def test_height_of_the_country_does_not_matter(paths: Paths, f: float, tx: float, rx: float,
                                               lift: float) -> None:
    """Lifting terrain and antennas together changes nothing in P.526."""
    lifted = Paths(paths.along_m, paths.heights_m + lift, paths.offsets)
    for name in ("p526", "p1812"):
        before, after = (path_loss(name, p, f, tx, rx)[0] for p in (paths, lifted))
        assert after == pytest.approx(before, abs=1e-6)


@few
@given(rolling_paths, frequencies, masts, handsets)
def test_p1812_is_never_below_free_space(paths: Paths, f: float, tx: float, rx: float) -> None:
    found = intermediates(paths, f, tx, rx, Medium())
    assert found["lb_db"][0] >= found["lbfs_db"][0] - 1e-12
    assert found["lb_db"][0] <= found["lbd50_db"][0] + 1e-9


@few
@given(rolling_paths, frequencies, masts, handsets, st.floats(1.0, 49.0), st.floats(0.5, 10.0))
def test_rarer_times_lose_less(paths: Paths, f: float, tx: float, rx: float, p: float,
                               more: float) -> None:
    """The loss not exceeded for less of the time is smaller."""
    rare, common = (path_loss("p1812", paths, f, tx, rx, Medium(time_percent=q))[0]
                    for q in (p, min(p + more, 50.0)))
    assert rare <= common + 1e-9


@pytest.mark.parametrize("name", TERRAIN_MODELS)
@pytest.mark.parametrize("where", [0, 7, 39])
def test_unknown_ground_is_an_unknown_loss(name: str, where: int) -> None:
    paths = rolling(1, 40, 5000.0, 3.0)
    heights = paths.heights_m.copy()
    heights[where] = np.nan
    spoiled = join([paths, Paths(paths.along_m, heights, paths.offsets), paths])
    loss = path_loss(name, spoiled, 900.0, 30.0, 1.5)
    assert np.isnan(loss).tolist() == [False, True, False]
    assert loss[0] == loss[2]


def test_unknown_clutter_is_an_unknown_loss() -> None:
    paths = rolling(1, 40, 5000.0, 3.0)
    clutter = np.zeros(40)
    clutter[20] = np.nan
    spoiled = Paths(paths.along_m, paths.heights_m, paths.offsets, clutter)
    for name in ("p526", "p1812"):
        assert np.isnan(path_loss(name, spoiled, 900.0, 30.0, 1.5))[0]
    assert np.isnan(fresnel_clearance(spoiled, 900.0, 30.0, 1.5, Medium())[0][0])


@pytest.mark.parametrize("name", sorted(MODELS))
def test_out_of_range_is_unknown_with_a_reason(name: str) -> None:
    """No model extrapolates in silence."""
    model = MODELS[name]
    f = float(np.sqrt(model.frequency_mhz[0] * model.frequency_mhz[1]))
    tx, rx = max(30.0, model.tx_height_m[0]), max(1.5, model.rx_height_m[0])
    length = min(4000.0, model.distance_m[1])
    paths = pack([np.linspace(0.0, length, 90)], [np.zeros(90)])
    assert np.isfinite(path_loss(name, paths, f, tx, rx)).all()
    assert model.out_of_range(paths.distance_m, f, tx, rx)[0] == ""
    wrong = {"frequency_mhz": (model.frequency_mhz[1] * 1.01, tx, rx),
             "tx_height_m": (f, model.tx_height_m[1] * 1.01, rx),
             "rx_height_m": (f, tx, model.rx_height_m[1] * 1.01)}
    for reason, arguments in wrong.items():
        assert np.isnan(path_loss(name, paths, *arguments)).all()
        assert model.out_of_range(paths.distance_m, *arguments)[0] == reason
    assert model.out_of_range(model.distance_m[1] * 1.01, f, tx, rx)[0] == "distance_m"


def test_a_short_path_says_who_took_over() -> None:
    paths = join([rolling(3, 5, 120.0, 0.1), rolling(3, 40, 3000.0, 1.0)])
    assert models_used("p1812", paths.distance_m).tolist() == ["p526", "p1812"]
    loss = path_loss("p1812", paths, 1800.0, 30.0, 1.5)
    assert loss[0] == path_loss("p526", paths, 1800.0, 30.0, 1.5)[0]
    assert np.isnan(p1812(paths, 1800.0, 30.0, 1.5, Medium())[0])


def test_mixed_lengths_keep_their_own_medium() -> None:
    """Short paths are handed over with their own refractivity, clutter and heights."""
    singles = [rolling(seed, 12, length, 2.0) for seed, length in
               enumerate((200.0, 9000.0, 150.0, 20_000.0))]
    packed = join(singles)
    trees = np.tile(np.r_[0.0, np.full(10, 12.0), 0.0], 4)
    mixed = Paths(packed.along_m, packed.heights_m, packed.offsets, trees)
    lapse, masts_m = np.array([30.0, 45.0, 60.0, 75.0]), np.array([20.0, 30.0, 40.0, 50.0])
    together = path_loss("p1812", mixed, 900.0, masts_m, 1.5, Medium(delta_n=lapse))
    alone = [path_loss("p1812", mixed.one(i), 900.0, masts_m[i], 1.5, Medium(delta_n=lapse[i]))[0]
             for i in range(4)]
    assert np.array_equal(together, alone)
    assert np.isfinite(together).all()


def test_unknown_model() -> None:
    with pytest.raises(UnknownNameError, match='Did you mean "p1812"'):
        path_loss("p1821", rolling(1, 9, 3000.0, 1.0), 900.0, 30.0, 1.5)


@pytest.mark.parametrize("name", sorted(MODELS))
def test_neighbours_in_the_batch_do_not_matter(name: str) -> None:
    """Each path alone gives the same bits as in a batch, in any order, and is not written to."""
    singles = [rolling(seed, 20 + 7 * seed, 1500.0 + 300.0 * seed, 4.0) for seed in range(9)]
    batch = join(singles)
    before = batch.heights_m.copy()
    tx = np.linspace(30.0, 60.0, 9)
    f = 1500.0
    together = path_loss(name, batch, f, tx, 1.5)
    alone = [path_loss(name, one, f, height, 1.5)[0]
             for one, height in zip(singles, tx, strict=True)]
    order = np.random.default_rng(5).permutation(9)
    shuffled = path_loss(name, join([singles[i] for i in order]), f, tx[order], 1.5)
    assert np.array_equal(together, np.array(alone), equal_nan=True)
    assert np.array_equal(together[order], shuffled, equal_nan=True)
    assert np.array_equal(batch.heights_m, before)


def test_read_only_profiles_are_taken() -> None:
    paths = rolling(2, 50, 4000.0, 4.0)
    expected = path_loss("p1812", paths, 900.0, 30.0, 1.5)
    for array in (paths.along_m, paths.heights_m, paths.offsets):
        array.flags.writeable = False
    assert path_loss("p1812", paths, 900.0, 30.0, 1.5) == expected


def test_sea_and_polarisation_matter() -> None:
    """Over the sea the spherical-Earth loss is smaller; slant is the mean of both turns."""
    flat = pack([np.linspace(0.0, 60_000.0, 200)], [np.zeros(200)])
    wet = Paths(flat.along_m, flat.heights_m, flat.offsets, None, np.full(200, SEA, np.int8))
    turns = {turn: path_loss("p526", wet, 100.0, 10.0, 10.0, Medium(polarisation=turn))[0]
             for turn in ("vertical", "horizontal", "slant")}
    assert turns["vertical"] < path_loss("p526", flat, 100.0, 10.0, 10.0)[0]
    assert turns["slant"] == pytest.approx(0.5 * (turns["vertical"] + turns["horizontal"]))


def test_clutter_blocks_and_its_absence_does_not() -> None:
    paths = rolling(7, 100, 6000.0, 1.0)
    none = Paths(paths.along_m, paths.heights_m, paths.offsets, np.zeros(100))
    trees = Paths(paths.along_m, paths.heights_m, paths.offsets, np.full(100, 15.0))
    for name in ("p526", "p1812"):
        bare, zero, wood = (path_loss(name, p, 1800.0, 30.0, 1.5)[0]
                            for p in (paths, none, trees))
        assert zero == pytest.approx(bare, abs=1e-9)
        assert wood > bare + 10.0


@few
@given(st.floats(2000.0, 30_000.0), st.floats(-60.0, 60.0), frequencies)
def test_clearance_counts_fresnel_radii(length: float, above: float, f: float) -> None:
    """One edge half-way at a known height above the ray."""
    paths = ridge(length, 3, 1, 100.0)
    air = Medium(delta_n=0.0)
    bulge = (0.5 * length) ** 2 / (2.0 * 6371e3)
    antenna = 100.0 + bulge - above
    radius = np.sqrt(0.25 * length * 299.792458 / f)
    clearance, at = fresnel_clearance(paths, f, antenna, antenna, air)
    assert clearance[0] == pytest.approx(-above / radius, abs=1e-9)
    assert at[0] == pytest.approx(0.5 * length)


def test_same_numbers_without_the_compiler() -> None:
    """JIT on and off agree."""
    program = textwrap.dedent("""
        import numpy as np
        from phusong.paths import pack
        from phusong.radio import Medium, path_loss
        from phusong.radio.clearance import fresnel_clearance
        draw = np.random.default_rng(11)
        along = [np.linspace(0, 1500.0 * k, 12 + 9 * k) for k in range(1, 8)]
        paths = pack(along, [200 + np.cumsum(draw.normal(0, 6, len(d))) for d in along],
                     [np.where(draw.random(len(d)) < 0.3, 10.0, 0.0) for d in along],
                     [np.where(d < 700.0, 1, 4).astype(np.int8) for d in along])
        air = Medium(time_percent=np.linspace(1, 50, 7), location_percent=80.0, n0=360.0,
                     coast_tx_km=0.5)
        for name in ("p1812", "p526", "itm"):
            print(*[repr(float(v)) for v in path_loss(name, paths, 900.0, 30.0, 1.5, air)])
        print(*[repr(float(v)) for v in fresnel_clearance(paths, 900.0, 30.0, 1.5, air)[0]])
    """)
    answers = []
    for disable in ("0", "1"):
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True,
                              check=True, env={**os.environ, "NUMBA_DISABLE_JIT": disable})
        answers.append([float(word) for word in done.stdout.split()])
    assert len(answers[0]) == 28
    assert np.isfinite(answers[0]).all()
    assert answers[1] == pytest.approx(answers[0], abs=1e-9)


def test_a_changed_formula_is_never_served_from_the_cache(tmp_path: Path) -> None:
    """A formula changes in another file than the cached kernel's: the answer follows."""
    source = Path(phusong.__file__).parent
    package = tmp_path / "phusong"
    (package / "radio").mkdir(parents=True)
    for file in ("__init__.py", "errors.py", "nouns.py", "paths.py"):
        (package / file).write_bytes((source / file).read_bytes())
    for path in (source / "radio").glob("*.py"):
        (package / "radio" / path.name).write_bytes(path.read_bytes())
    program = ("import numpy as np; from phusong.paths import pack; "
               "from phusong.radio.medium import Medium; "
               "from phusong.radio.clearance import fresnel_clearance; "
               "d = np.linspace(0, 3000.0, 9); p = pack([d], [np.zeros(9)]); "
               "print(fresnel_clearance(p, 900.0, 30.0, 30.0, Medium())[0][0])")
    answers = []
    for _ in range(2):
        done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, text=True, check=True,
                              capture_output=True, env={**os.environ, "PYTHONPATH": str(tmp_path),
                                                        "NUMBA_CACHE_DIR": str(tmp_path / "kept")})
        answers.append(float(done.stdout))
        formula = package / "radio" / "profile.py"
        formula.write_text(formula.read_text().replace("math.sqrt(0.002 *", "math.sqrt(0.008 *"))
    assert answers[1] == pytest.approx(2.0 * answers[0])
    assert list((tmp_path / "kept").rglob("*.nbi"))
