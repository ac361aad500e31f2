"""What is left for a general solver: covering with floors, by HiGHS.

HiGHS (Huangfu, Hall 2018) takes the rows that the own branch and bound does
not know: a floor says that the points of some group must be covered to some
amount. Its bound is moved outwards by its own tolerance before it is believed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import highspy
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from phusong.plan.problem import Problem
from phusong.plan.rows import quiet_solver

__all__ = ["MipAnswer", "solve_mip"]

_TOLERANCE = 1e-6
_SIDE = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class MipAnswer:
    """What HiGHS found.

    Parameters
    ----------
    sites : (chosen,) int64 or None
        The best plan, ascending; None = none was found.
    bound : float
        No plan is better: an upper bound of weight, a lower one of cost.
    infeasible : bool
        Whether it proved that no plan keeps the rows.
    interrupted : bool
        Whether an interrupt (Ctrl-C) ended it.
    """

    sites: NDArray[np.int64] | None
    bound: float
    infeasible: bool
    interrupted: bool


def _rows(problem: Problem, amounts: sparse.csr_matrix, least: NDArray[np.float64],
          budget: float, max_sites: int | None, must: NDArray[np.int64]
          ) -> tuple[sparse.csr_matrix, NDArray[np.float64], NDArray[np.float64]]:
    """Return the rows over (sites, points) with their lower and upper ends."""
    sites, points = problem.sites, problem.points
    reach = sparse.csc_matrix((np.ones(len(problem.indices)), problem.indices, problem.indptr),
                              shape=(points, sites))
    none = sparse.csr_matrix((1, points))
    blocks = [sparse.hstack([reach, -sparse.identity(points)])]
    low, high = [np.zeros(points)], [np.full(points, np.inf)]
    if len(least):
        scale = np.maximum(abs(amounts).max(axis=1).toarray().ravel(), 1e-300)
        blocks.append(sparse.hstack([sparse.csr_matrix((len(least), sites)),
                                     sparse.diags(1.0 / scale) @ amounts]))
        low.append(least / scale * (1.0 - _SIDE))
        high.append(np.full(len(least), np.inf))
    if budget < np.inf:
        scale = max(float(problem.costs.max(initial=0.0)), 1e-300)
        blocks.append(sparse.hstack([sparse.csr_matrix(problem.costs / scale), none]))
        low.append(np.array([-np.inf]))
        high.append(np.array([budget / scale * (1.0 + _SIDE)]))
    if max_sites is not None:
        blocks.append(sparse.hstack([sparse.csr_matrix(np.ones(sites)), none]))
        low.append(np.array([-np.inf]))
        high.append(np.array([float(max_sites)]))
    own = np.flatnonzero(problem.groups >= 0)
    if len(own):
        _, number = np.unique(problem.groups[own], return_inverse=True)
        count = int(number.max()) + 1
        blocks.append(sparse.csr_matrix((np.ones(len(own)), (number, own)),
                                        shape=(count, sites + points)))
        low.append(np.full(count, -np.inf))
        high.append(np.ones(count))
    if len(must):
        blocks.append(sparse.csr_matrix((np.ones(len(must)), (np.arange(len(must)), must)),
                                        shape=(len(must), sites + points)))
        low.append(np.ones(len(must)))
        high.append(np.ones(len(must)))
    matrix = sparse.vstack(blocks).tocsr()
    return matrix, np.concatenate(low), np.concatenate(high)


def _model(problem: Problem, rows: tuple[sparse.csr_matrix, NDArray, NDArray], scale: float,
           cheapest: bool) -> highspy.HighsLp:
    matrix, low, high = rows
    sites, points = problem.sites, problem.points
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = sites + points, matrix.shape[0]
    model.sense_ = (highspy.ObjSense.kMinimize if cheapest else highspy.ObjSense.kMaximize)
    model.col_cost_ = np.concatenate([problem.costs / scale if cheapest else np.zeros(sites),
                                      np.zeros(points) if cheapest else problem.weights / scale])
    model.col_lower_, model.col_upper_ = np.zeros(sites + points), np.ones(sites + points)
    model.row_lower_, model.row_upper_ = low, high
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_ = matrix.indptr
    model.a_matrix_.index_ = matrix.indices
    model.a_matrix_.value_ = matrix.data
    model.integrality_ = [highspy.HighsVarType.kInteger] * sites + [
        highspy.HighsVarType.kContinuous] * points
    return model


def _begin(solver: highspy.Highs, problem: Problem, start: NDArray[np.int64]) -> None:
    given = highspy.HighsSolution()
    value = np.zeros(problem.sites + problem.points)
    value[start] = 1.0
    value[problem.sites:] = problem.covered(start) > 0
    given.col_value = value.tolist()
    solver.setSolution(given)


def solve_mip(problem: Problem, *, amounts: sparse.csr_matrix | None = None,
              least: NDArray[np.float64] | None = None, budget: float = np.inf,
              max_sites: int | None = None, must: NDArray[np.int64] | None = None,
              cheapest: bool = False, start: NDArray[np.int64] | None = None, gap: float = 0.0,
              seconds: float = np.inf, seed: int = 0) -> MipAnswer:
    """Solve a covering problem with floors by HiGHS.

    Parameters
    ----------
    problem : Problem
        Points, sites, groups.
    amounts : (floors, points) csr_matrix, optional
        What each covered point adds to each floor.
    least : (floors,) float64, optional
        What each floor asks for.
    budget, max_sites : float, int
        Limits of a plan.
    must : (sites,) int64, optional
        Sites that are built in any case.
    cheapest : bool
        Whether cost is to be low; if not, covered weight is to be high.
    start : (chosen,) int64, optional
        A plan that keeps all rows, to begin with.
    gap : float
        Ends when value and bound differ by no more than this share.
    seconds : float
        Time to spend by the clock on the wall, which HiGHS reads: on a busy
        machine that is less than so much CPU time.
    seed : int
        Of the solver.
    """
    none = np.empty(0, np.int64)
    amounts = sparse.csr_matrix((0, problem.points)) if amounts is None else amounts
    least = np.empty(0) if least is None else np.asarray(least, np.float64)
    worth = problem.costs if cheapest else problem.weights
    scale = max(float(worth.max(initial=0.0)), 1e-300) / 100.0
    rows = _rows(problem, amounts, least, budget, max_sites, none if must is None else must)
    solver = quiet_solver(gap, seed)
    solver.passModel(_model(problem, rows, scale, cheapest))
    if start is not None:
        _begin(solver, problem, start)
    if seconds < np.inf:
        solver.setOptionValue("time_limit", seconds)
    halted = False
    solver.HandleKeyboardInterrupt = True
    try:
        solver.run()
    except KeyboardInterrupt:
        halted = True
    status = solver.getModelStatus()
    info = solver.getInfo()
    infeasible = status == highspy.HighsModelStatus.kInfeasible
    sites = None
    if info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible:
        chosen = np.array(solver.getSolution().col_value[:problem.sites])
        sites = np.flatnonzero(chosen > 0.5).astype(np.int64)
    bound = float(info.mip_dual_bound) * scale
    if not math.isfinite(bound) or status == highspy.HighsModelStatus.kNotset:
        bound = -np.inf if cheapest else np.inf
    room = _TOLERANCE * max(abs(bound), scale) if math.isfinite(bound) else 0.0
    return MipAnswer(sites, bound - room if cheapest else bound + room, infeasible, halted)

