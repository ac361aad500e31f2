"""Rows of a mixed-integer programme, gathered block by block, and HiGHS to solve it."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

import highspy
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

__all__ = ["Answer", "Rows", "quiet_solver", "solve_rows"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_TOLERANCE = 1e-6
_SIDE = 1e-9
_WALL = 20.0


class Rows:
    """Rows of a sparse matrix with their lower and upper ends."""

    def __init__(self) -> None:
        self.row: list[Ints] = []
        self.column: list[Ints] = []
        self.value: list[Floats] = []
        self.low: list[Floats] = []
        self.high: list[Floats] = []
        self.count = 0

    def add(self, entries: Sequence[tuple[Ints, Ints, float | Floats]], low: float | Floats,
            high: float | Floats, rows: int) -> None:
        """Add `rows` rows with entries (row within the block, column, value)."""
        for row, column, value in entries:
            self.row.append(np.asarray(row, np.int64) + self.count)
            self.column.append(np.asarray(column, np.int64))
            self.value.append(np.broadcast_to(np.asarray(value, np.float64), len(row)))
        self.low.append(np.broadcast_to(np.asarray(low, np.float64), rows))
        self.high.append(np.broadcast_to(np.asarray(high, np.float64), rows))
        self.count += rows

    def matrix(self, columns: int) -> sparse.csr_matrix:
        """Return all rows together."""
        return sparse.csr_matrix(
            (np.concatenate(self.value), (np.concatenate(self.row), np.concatenate(self.column))),
            shape=(self.count, columns))


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What HiGHS found.

    Parameters
    ----------
    values : (columns,) float64 or None
        The best that was found; None = nothing.
    bound : float
        Nothing is worth more; already moved outwards by its tolerance.
    infeasible : bool
        Whether it proved that nothing keeps all rows.
    interrupted : bool
        Whether an interrupt (Ctrl-C) ended it.
    """

    values: Floats | None
    bound: float
    infeasible: bool
    interrupted: bool


def quiet_solver(gap: float, seed: int) -> highspy.Highs:
    """Return HiGHS on one thread, which ends at a relative `gap` and keeps rows to 1e-9."""
    solver = highspy.Highs()
    for name, value in (("output_flag", False), ("threads", 1), ("random_seed", seed % 2 ** 31),
                        ("mip_rel_gap", gap), ("mip_abs_gap", 0.0),
                        ("mip_feasibility_tolerance", _SIDE),
                        ("primal_feasibility_tolerance", _SIDE)):
        solver.setOptionValue(name, value)
    return solver


def solve_rows(rows: Rows, worth: Floats, low: Floats, high: Floats, whole: NDArray[np.bool_], *,
               start: tuple[Ints, Floats] | None = None, gap: float = 0.0,
               seconds: float = np.inf, seed: int = 0) -> Answer:
    """Return the values of most worth that keep all rows, by HiGHS (Huangfu, Hall 2018).

    Parameters
    ----------
    rows : Rows
        What must hold.
    worth : (columns,) float64
        What one unit of each column is worth.
    low, high : (columns,) float64
        Between which values each may lie.
    whole : (columns,) bool
        Whether it must be a whole number.
    start : (columns, values), optional
        Known values of some columns of a solution, to begin with; HiGHS finds the others.
    gap : float
        Ends when value and bound differ by no more than this share.
    seconds : float
        CPU seconds of the process (looked at by HiGHS when it calls back).
    seed : int
        Of the solver.
    """
    scale = max(float(abs(worth).max(initial=0.0)), 1e-300) / 100.0
    matrix = rows.matrix(len(worth))
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = len(worth), rows.count
    model.sense_ = highspy.ObjSense.kMaximize
    model.col_cost_, model.col_lower_, model.col_upper_ = worth / scale, low, high
    model.row_lower_, model.row_upper_ = np.concatenate(rows.low), np.concatenate(rows.high)
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_ = matrix.indptr
    model.a_matrix_.index_ = matrix.indices
    model.a_matrix_.value_ = matrix.data
    kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
    model.integrality_ = [kinds[int(w)] for w in whole]
    solver = quiet_solver(gap, seed)
    solver.passModel(model)
    if start is not None:
        solver.setSolution(len(start[0]), start[0].astype(np.int32), start[1])
    if seconds < np.inf:
        _stop_after(solver, seconds)
    halted = False
    solver.HandleKeyboardInterrupt = True
    try:
        solver.run()
    except KeyboardInterrupt:
        halted = True
    return _read(solver, scale, halted)


def _stop_after(solver: highspy.Highs, seconds: float) -> None:
    """Let HiGHS end after CPU seconds; its own clock is the one on the wall."""
    begun = time.process_time()

    def late(event: highspy.HighsCallbackEvent) -> None:
        if time.process_time() - begun >= seconds:
            event.interrupt()

    solver.setOptionValue("time_limit", _WALL * seconds)
    solver.cbMipInterrupt += late
    solver.cbSimplexInterrupt += late


def _read(solver: highspy.Highs, scale: float, halted: bool) -> Answer:
    status, info = solver.getModelStatus(), solver.getInfo()
    infeasible = status == highspy.HighsModelStatus.kInfeasible
    values = None
    if info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible:
        values = np.array(solver.getSolution().col_value)
    bound = float(info.mip_dual_bound) * scale
    if not math.isfinite(bound) or status == highspy.HighsModelStatus.kNotset:
        bound = np.inf
    room = _TOLERANCE * max(abs(bound), scale) if math.isfinite(bound) else 0.0
    return Answer(values, bound + room, infeasible, halted)
