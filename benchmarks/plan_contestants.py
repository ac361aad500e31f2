"""One contestant of `plan.py` on one instance, in a process of its own.

    python plan_contestants.py NAME instance.npz SECONDS

Runs in the Python of the contestant, so it imports nothing but numpy, scipy and that
contestant.  Prints JSON: value, bound (null = none), processor seconds, of these for
building the model, peak memory.

Solvers that read the clock on the wall get as much of it as SECONDS of processor time
take at the speed measured first, since the machine may be busy.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse


class Task(NamedTuple):
    """A covering problem: rows are points, columns are sites."""

    reach: sparse.csc_matrix
    weights: np.ndarray
    costs: np.ndarray
    budget: float
    most: float
    cover: bool


Answer = tuple[float | None, float | None, float]
"""Value, bound, processor second at which the model was built."""


def read(file: str) -> Task:
    """Read the instance that `plan.py` wrote."""
    with np.load(file) as z:
        shape = (len(z["w"]), len(z["cost"]))
        reach = sparse.csc_matrix((np.ones(len(z["indices"])), z["indices"], z["indptr"]), shape)
        cover = bool(z["cover"])
        task = Task(reach, z["w"].astype(float), z["cost"].astype(float), float(z["budget"]),
                    float(z["most"]), cover)
    if not cover:
        return task
    reached = np.diff(reach.tocsr().indptr) > 0
    return task._replace(reach=reach.tocsr()[reached].tocsc(), weights=task.weights[reached])


def wall(seconds: float) -> float:
    """Return how long `seconds` of processor time take at this moment."""
    began, spent = time.perf_counter(), time.process_time()
    while time.process_time() - spent < 0.3:
        pass
    return seconds * max(1.0, (time.perf_counter() - began) / 0.3)


def phusong(task: Task, seconds: float) -> Answer:
    """This project's optimiser."""
    from phusong.plan.least import minimise
    from phusong.plan.most import maximise
    from phusong.plan.problem import Problem

    tiny = Problem.of([0, 1, 3], [0, 0, 1], [1.0, 2.0], [1.0, 2.0])
    maximise(tiny, budget=2.0, moves=10), minimise(tiny, moves=10)
    began = time.process_time()
    problem = Problem.of(task.reach.indptr, task.reach.indices, task.weights, task.costs)
    built = time.process_time()
    if task.cover:
        found = minimise(problem, seconds=seconds, seed=1)
    else:
        found = maximise(problem, budget=task.budget, seconds=seconds, seed=1,
                         max_sites=None if task.most == np.inf else int(task.most))
    print(f"compiled in {began:.1f} s", file=sys.stderr)
    return found.value, found.bound, built


def highs(task: Task, seconds: float) -> Answer:
    """HiGHS on sparse rows."""
    import highspy

    points, sites = task.reach.shape
    rows = task.reach if task.cover else sparse.hstack([task.reach, -sparse.identity(points)])
    low, high = [np.full(points, 1.0 if task.cover else 0.0)], [np.full(points, np.inf)]
    blocks = [rows]
    for row, end in ((task.costs, task.budget), (np.ones(sites), task.most)):
        if end < np.inf and not task.cover:
            blocks.append(sparse.csr_matrix(np.append(row, np.zeros(points))))
            low.append(np.array([-np.inf]))
            high.append(np.array([end]))
    matrix = sparse.vstack(blocks).tocsr()
    columns = matrix.shape[1]
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = columns, matrix.shape[0]
    model.col_cost_ = task.costs if task.cover else np.append(np.zeros(sites), -task.weights)
    model.col_lower_, model.col_upper_ = np.zeros(columns), np.ones(columns)
    model.row_lower_, model.row_upper_ = np.concatenate(low), np.concatenate(high)
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_, model.a_matrix_.index_ = matrix.indptr, matrix.indices
    model.a_matrix_.value_ = matrix.data
    model.integrality_ = [highspy.HighsVarType.kInteger] * sites + [
        highspy.HighsVarType.kContinuous] * (columns - sites)
    solver = highspy.Highs()
    for name, value in (("output_flag", False), ("threads", 1), ("time_limit", wall(seconds)),
                        ("mip_rel_gap", 0.0)):
        solver.setOptionValue(name, value)
    solver.passModel(model)
    built = time.process_time()
    solver.run()
    info, sign = solver.getInfo(), 1.0 if task.cover else -1.0
    found = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    return (sign * info.objective_function_value if found else None,
            sign * info.mip_dual_bound if np.isfinite(info.mip_dual_bound) else None, built)


def scip(task: Task, seconds: float) -> Answer:
    """SCIP through PySCIPOpt; it counts processor time itself."""
    from pyscipopt import Model, quicksum

    model = Model()
    model.hideOutput()
    model.setParam("timing/clocktype", 1)
    model.setParam("limits/time", seconds)
    sites = [model.addVar(vtype="B") for _ in task.costs]
    rows = task.reach.tocsr()
    inside = [[sites[j] for j in rows.indices[rows.indptr[i]:rows.indptr[i + 1]]]
              for i in range(rows.shape[0])]
    money = quicksum(float(c) * x for c, x in zip(task.costs, sites, strict=True))
    if task.cover:
        for own in inside:
            model.addCons(quicksum(own) >= 1)
        model.setObjective(money, "minimize")
    else:
        reached = [model.addVar(ub=1.0) for _ in task.weights]
        for own, x in zip(inside, reached, strict=True):
            model.addCons(x <= quicksum(own))
        if task.budget < np.inf:
            model.addCons(money <= task.budget)
        if task.most < np.inf:
            model.addCons(quicksum(sites) <= task.most)
        model.setObjective(quicksum(float(w) * x for w, x in zip(task.weights, reached,
                                                                 strict=True)), "maximize")
    built = time.process_time()
    model.optimize()
    bound = model.getDualbound()
    return (model.getObjVal() if model.getNSols() else None,
            bound if abs(bound) < 1e19 else None, built)


def cpsat(task: Task, seconds: float) -> Answer:
    """CP-SAT of OR-tools, one worker; weights and costs are whole numbers."""
    from ortools.sat.python import cp_model

    model = cp_model.CpModel()
    sites = [model.new_bool_var("") for _ in task.costs]
    rows = task.reach.tocsr()
    inside = [[sites[j] for j in rows.indices[rows.indptr[i]:rows.indptr[i + 1]]]
              for i in range(rows.shape[0])]
    money = cp_model.LinearExpr.weighted_sum(sites, task.costs.astype(int).tolist())
    if task.cover:
        for own in inside:
            model.add_bool_or(own)
        model.minimize(money)
    else:
        reached = [model.new_bool_var("") for _ in task.weights]
        for own, x in zip(inside, reached, strict=True):
            model.add_bool_or([*own, x.negated()])
        if task.budget < np.inf:
            model.add(money <= int(task.budget))
        if task.most < np.inf:
            model.add(sum(sites) <= int(task.most))
        model.maximize(cp_model.LinearExpr.weighted_sum(reached,
                                                        task.weights.astype(int).tolist()))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.max_time_in_seconds = wall(seconds)
    built = time.process_time()
    status = solver.solve(model)
    known = status in (cp_model.OPTIMAL, cp_model.FEASIBLE)
    return solver.objective_value if known else None, solver.best_objective_bound, built


def spopt(task: Task, seconds: float) -> Answer:
    """MCLP of spopt with CBC: a dense matrix, a number of sites, no costs and no bound."""
    import pulp
    from spopt.locate import MCLP

    if task.cover or task.most == np.inf:
        raise SystemExit("spopt's MCLP knows a number of sites only")
    distance = np.where(task.reach.toarray() > 0, 0.0, 2.0)
    model = MCLP.from_cost_matrix(distance, task.weights, service_radius=1.0,
                                  p_facilities=int(task.most))
    built = time.process_time()
    model.problem.solve(pulp.PULP_CBC_CMD(msg=False, threads=1, timeLimit=wall(seconds)))
    value = pulp.value(model.problem.objective)
    return (None if value is None else abs(float(value))), None, built


CONTESTANTS: dict[str, Callable[[Task, float], Answer]] = {
    "phusong": phusong, "HiGHS": highs, "SCIP": scip, "CP-SAT": cpsat, "spopt + CBC": spopt}
"""Name -> what solves a task."""


def spent() -> float:
    """Return processor seconds of this process and those it started (CBC is one of them)."""
    import resource

    own, other = (resource.getrusage(who) for who in (resource.RUSAGE_SELF,
                                                      resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + other.ru_utime + other.ru_stime


def peak_mib() -> float:
    """Return the peak memory of this process; NaN where the system does not tell."""
    status = Path("/proc/self/status")
    found = re.search(r"VmHWM:\s+(\d+)", status.read_text()) if status.exists() else None
    return int(found[1]) / 1024 if found else float("nan")


def main(name: str, file: str, seconds: str) -> None:
    """Run one contestant and print what it found."""
    task = read(file)
    began = spent()
    value, bound, built = CONTESTANTS[name](task, float(seconds))
    out: dict[str, Any] = {"value": value, "bound": bound, "cpu_s": spent() - began,
                           "building_s": max(0.0, built - began), "peak_mib": peak_mib()}
    print(json.dumps(out))


if __name__ == "__main__":
    main(*sys.argv[1:])
