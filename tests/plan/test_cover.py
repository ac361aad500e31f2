"""Full cover against brute force and against published optima; readers of instances."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phusong.errors import InputError, MissingFileError
from phusong.plan.cover import improve_cover, no_redundant
from phusong.plan.decompose import decompose
from phusong.plan.greedy import greedy
from phusong.plan.instances import read_coordinates, read_instance, read_npz, read_set_cover
from phusong.plan.least import minimise, priced
from phusong.plan.mip import solve_mip
from phusong.plan.problem import Problem
from phusong.plan.reduce import reduce_problem
from phusong.plan.refine import refine_cover
from phusong.plan.search import seeded
from plan_instances import allowed, problems, subsets
from scipy import sparse

quick = settings(max_examples=40, deadline=None, derandomize=True)


def cheapest(problem: Problem, wanted: np.ndarray, kept: set[int] = frozenset()) -> float | None:
    """Cost of the cheapest allowed set that reaches all `wanted`, by trying everything."""
    return min((cost for chosen, cost, _ in subsets(problem) if kept <= set(chosen)
                and (problem.covered(np.array(chosen, np.int64))[wanted] > 0).all()),
               default=None)


def reachable(problem: Problem) -> np.ndarray:
    return np.flatnonzero(np.diff(problem.by_point[0]) > 0)


@quick
@given(problems())
def test_cover_equals_brute_force(problem: Problem) -> None:
    found = minimise(problem, moves=300)
    assert found.value == found.bound == cheapest(problem, reachable(problem))
    assert set(found.unreachable) == set(range(problem.points)) - set(reachable(problem))
    assert found.stopped == ("infeasible" if len(found.unreachable) else "optimal")


@quick
@given(problems(), st.data())
def test_cover_of_a_list_with_kept_sites(problem: Problem, data: st.DataObject) -> None:
    wanted = np.array(sorted(data.draw(st.sets(st.integers(0, problem.points - 1)))), np.int64)
    kept = np.array(sorted(data.draw(st.sets(st.integers(0, problem.sites - 1), max_size=2))),
                    np.int64)
    found = minimise(problem, points=wanted, kept=kept, moves=300)
    can = np.intersect1d(wanted, reachable(problem))
    assert found.value == found.bound == cheapest(problem, can, set(kept.tolist()))
    assert set(kept) <= set(found.sites)
    assert set(found.unreachable) == set(wanted) - set(can)


@quick
@given(problems(grouped=True))
def test_cover_with_variants(problem: Problem) -> None:
    """Exclusive variants: the cheapest plan for as many points as can be covered together."""
    found = minimise(problem, moves=300)
    assert allowed(problem, tuple(found.sites))
    left = set(found.unreachable)
    assert left == set(np.flatnonzero(problem.covered(found.sites) == 0))
    most = max(int((problem.covered(np.array(s, np.int64)) > 0).sum())
               for s, _, _ in subsets(problem))
    assert len(left) == problem.points - most
    assert (found.stopped == "infeasible") == bool(left)
    assert found.value == found.bound == cheapest(
        problem, np.array(sorted(set(range(problem.points)) - left), np.int64))


def test_a_cover_that_greedy_shuts_out_by_a_cheap_variant_is_found() -> None:
    """Site 0 is cheapest but excludes site 1, which alone reaches three of the four points."""
    problem = Problem.of([0, 1, 4, 5], [1, 0, 2, 3, 1], [1, 1, 1, 1], [1, 4, 5], [0, 0, -1])
    found = minimise(problem)
    assert (found.sites.tolist(), found.value, found.bound) == ([1, 2], 9.0, 9.0)
    assert found.stopped == "optimal"


@quick
@given(problems(), st.integers(1, 5))
def test_regions_keep_the_cover_and_never_cost_more(problem: Problem, size: int) -> None:
    kept = reduce_problem(problem, cover=True).problem
    start = np.arange(kept.sites)
    told: list[float] = []
    found = refine_cover(kept, start, size=size, rounds=50, often=2, state=seeded(2),
                         better=lambda plan: told.append(float(kept.costs[plan].sum())))
    assert (kept.covered(found) > 0).all()
    assert told == sorted(set(told), reverse=True)
    cost = float(kept.costs[found].sum())
    assert cost == (told[-1] if told else float(kept.costs.sum()))
    assert cost >= (cheapest(kept, np.arange(kept.points)) or 0.0)


def plain(seed: int, points: int, sites: int, reach: float) -> Problem:
    """Points and sites scattered over a square of side 1."""
    numbers = np.random.default_rng(seed)
    at, of = numbers.random((points, 2)), numbers.random((sites, 2))
    near = np.hypot(*(at[:, None] - of[None]).transpose(2, 0, 1)) < reach
    near[np.arange(points), np.hypot(*(at[:, None] - of[None]).transpose(2, 0, 1)).argmin(1)] = True
    return Problem.of(np.concatenate([[0], np.cumsum(near.sum(axis=0))]), np.nonzero(near.T)[1],
                      np.ones(points), numbers.integers(5, 30, sites))


@pytest.mark.parametrize("reduced", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_neighbourhoods_never_promise_more_than_the_cheapest_cover(seed: int, reduced: bool
                                                                   ) -> None:
    """The cheapest cover comes from HiGHS, which shares nothing with the neighbourhoods."""
    problem = plain(seed, points=150, sites=90, reach=0.13)
    best = solve_mip(problem, amounts=sparse.identity(150, format="csr"), least=np.ones(150),
                     cheapest=True)
    paid = float(problem.costs[best.sites].sum())
    whole = priced(problem)
    for size, seconds in ((1.5, np.inf), (3.0, np.inf), (1e9, np.inf), (3.0, 0.0)):
        found = decompose(whole, greedy(whole)[0], size=size, cover=reduced, seconds=seconds,
                          state=seeded(seed))
        promise = float(whole.weights.sum()) - found.bound
        assert promise <= paid + 1e-6
        if seconds == np.inf:
            assert promise > 0.8 * paid
            assert (found.parts > 4) == (size < 1e9)
        if size == 1e9:
            assert promise >= 0.99 * paid


@pytest.mark.parametrize("seed", range(4))
def test_large_covers_agree_with_highs(seed: int) -> None:
    problem = plain(seed, points=300, sites=120, reach=0.08)
    best = solve_mip(problem, amounts=sparse.identity(300, format="csr"), least=np.ones(300),
                     cheapest=True)
    found = minimise(problem, seed=seed, moves=3000, seconds=20.0)
    assert len(found.sites) > 40, "so large that regions and neighbourhoods are used"
    assert found.bound <= problem.costs[best.sites].sum() <= found.value
    assert found.gap < 0.02


def test_regions_better_a_ring_piece_by_piece() -> None:
    """A ring of 60 points and sites of three neighbours each: 20 are enough, 30 were built."""
    reach = [sorted({j, (j + 1) % 60, (j + 2) % 60}) for j in range(60)]
    ring = Problem.of(np.arange(0, 181, 3), np.concatenate(reach), np.ones(60), np.ones(60))
    found = refine_cover(ring, np.arange(0, 60, 2), size=8, often=8, state=seeded(1))
    assert len(found) < 24
    assert (ring.covered(found) > 0).all()
    assert refine_cover(ring, np.empty(0, np.int64), state=seeded(1)).tolist() == []


@pytest.mark.slow
@settings(max_examples=1500, deadline=None, derandomize=True)
@given(problems())
def test_cover_equals_brute_force_many_times(problem: Problem) -> None:
    found = minimise(problem, moves=100)
    assert found.value == found.bound == cheapest(problem, reachable(problem))


@quick
@given(problems())
def test_reductions_keep_the_cheapest_cover(problem: Problem) -> None:
    kept = reduce_problem(problem, cover=True)
    best = cheapest(kept.problem, np.arange(kept.problem.points))
    assert best == cheapest(problem, reachable(problem))
    for chosen, _, _ in subsets(kept.problem):
        if (kept.problem.covered(np.array(chosen, np.int64)) > 0).all():
            back = kept.site_of[list(chosen)]
            assert (problem.covered(back)[reachable(problem)] > 0).all()


def test_a_site_without_cost_is_always_built() -> None:
    found = minimise(Problem.of([0, 1, 2, 4], [0, 1, 0, 1], [1.0, 1.0], [0.0, 5.0, 6.0]))
    assert found.sites.tolist() == [0, 1]
    assert found.value == 5.0


def test_search_covers_and_takes_away_what_is_not_needed() -> None:
    draw = np.random.default_rng(2)
    rows = [np.unique(draw.integers(0, 60, 6)) for _ in range(120)]
    problem = Problem.of(np.concatenate([[0], np.cumsum([len(r) for r in rows])]),
                         np.concatenate(rows), np.ones(60), draw.integers(5, 20, 120))
    start = np.arange(120)
    assert len(no_redundant(problem, start)) < 120
    found = improve_cover(problem, start, rounds=3000, state=seeded(1))
    assert (problem.covered(found) > 0).all()
    assert problem.costs[found].sum() < problem.costs[no_redundant(problem, start)].sum()
    again = improve_cover(problem, start, rounds=3000, state=seeded(1))
    assert found.tolist() == again.tolist()
    proven = minimise(problem, moves=3000, seconds=30.0)
    assert proven.stopped == "optimal"
    assert proven.value <= problem.costs[found].sum()


@pytest.mark.parametrize("name", ["scp41", "scp49", "scp55", "scp61", "scpa5", "scpc1"])
def test_published_optima_are_proven(shared: Path, name: str) -> None:
    folder = shared / "vectors" / "optimisation" / "scp"
    known = {row["instance"]: float(row["best_known_value"])
             for row in csv.DictReader((folder / "best_known.csv").read_text().splitlines())}
    found = minimise(read_instance(folder / f"{name}.txt.gz").problem, seconds=30.0)
    assert (found.value, found.bound, found.stopped) == (known[name], known[name], "optimal")


def test_set_cover_text_is_read(tmp_path: Path) -> None:
    text = " 3 4\n 2 3 4 5\n 2\n 1 2\n 1\n 4\n 3 1 3\n 4\n"
    (tmp_path / "a.txt").write_text(text)
    (tmp_path / "b.txt.gz").write_bytes(gzip.compress(text.encode()))
    for name in ("a.txt", "b.txt.gz"):
        found = read_instance(tmp_path / name)
        assert found.cover
        assert found.name in ("a", "b")
        assert found.problem.costs.tolist() == [2, 3, 4, 5]
        assert [found.problem.indices[found.problem.indptr[j]:found.problem.indptr[j + 1]].tolist()
                for j in range(4)] == [[0, 2], [0], [2], [1, 2]]


def test_coordinates_are_read_with_the_edge_inside(tmp_path: Path) -> None:
    (tmp_path / "c.txt").write_text("3 1 5\n0 0 10\n3 4 20\n9 9 30\n")
    found = read_instance(tmp_path / "c.txt")
    assert found.max_sites == 1
    assert not found.cover
    assert found.problem.value(np.array([0])) == 30.0
    assert found.problem.value(np.array([2])) == 30.0


def test_npz_carries_its_limits(tmp_path: Path) -> None:
    np.savez(tmp_path / "d.npz", indptr=[0, 1], indices=[0], w=[5], cost=[2], budget=7,
             max_sites=3)
    found = read_npz(tmp_path / "d.npz")
    assert (found.name, found.budget, found.max_sites) == ("d", 7.0, 3)
    np.savez(tmp_path / "e.npz", indptr=[0, 1], indices=[0])
    with pytest.raises(InputError, match="w, cost"):
        read_npz(tmp_path / "e.npz")


@pytest.mark.parametrize("text", ["", "2", "1 1 3", "1 1 3 1", "1 1 3 1 2", "1 1 3 1 1 9", "a b",
                                  "1 1 3 1.5 1", "1 1 nan 1 1"])
def test_broken_set_cover_texts_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.txt").write_text(text)
    with pytest.raises(InputError):
        read_set_cover(tmp_path / "x.txt")


@pytest.mark.parametrize("text", ["", "2 1 5 0 0 1", "1 1 5 0 0 1 7"])
def test_broken_coordinate_lists_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.txt").write_text(text)
    with pytest.raises(InputError):
        read_coordinates(tmp_path / "x.txt")


def test_files_that_are_not_there_or_no_instance(tmp_path: Path) -> None:
    (tmp_path / "x.txt.gz").write_bytes(b"no gzip")
    (tmp_path / "x.npz").write_bytes(b"no zip")
    for name in ("x.txt.gz", "x.npz"):
        with pytest.raises(InputError):
            read_instance(tmp_path / name)
    for name in ("y.txt", "y.npz"):
        with pytest.raises(MissingFileError):
            read_instance(tmp_path / name)
