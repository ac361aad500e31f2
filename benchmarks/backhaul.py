"""Siting that knows backhaul beside siting first and backhaul afterwards, on the same money.

    python benchmarks/backhaul.py                    # 20 fictional provinces, 2 million US dollars
    python benchmarks/backhaul.py --every 4          # a thin network: one mast in four
    python benchmarks/backhaul.py --seeds 1 2 3 --money 1e6 --bound-seconds 0
    python benchmarks/backhaul.py --keep FOLDER      # provinces are made once and kept there

Each province is made from a seed; its gaps, candidates (masts and sectors) and reach are
computed by the river.  New masts may hang only on the masts of one operator, the one with the
fewest, as that operator's own would (--every 4 leaves it one mast in four).  All plans pay for
every site and every hop, each hop once, and none may cost more than the money:

first        sites by students per cost of the site alone; then each is joined in that order
             by its cheapest way, as long as the money lasts
alone        the same, but each site is priced with the feeder it would need alone
alone, best  the optimum (by `maximise`) of prices with feeders alone; joined, and what sharing
             saves is spent on further sites in the order of `alone`
greedy       `rank_connected`: a site pays for the hops that nobody before it has built
search       `improve_connected`
bound        no plan with feeders can gain more: the better of the bound without what may be
             shared and that of the programme over layers (HiGHS)

Figures are weights: learners, the poor and near-poor counted twice.
"""

from __future__ import annotations

import argparse
import pickle
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from phusong.backhaul import Backhaul, hops, own_feeders
from phusong.cost import price
from phusong.pipeline import run
from phusong.plan.aim import Aim
from phusong.plan.connected import Connected, Grown, connected_problem, grow, replay, share_free
from phusong.plan.connected_build import improve_connected
from phusong.plan.connected_exact import prove
from phusong.plan.connected_search import joinable, plain
from phusong.plan.greedy import greedy
from phusong.plan.most import maximise
from phusong.plan.problem import Problem
from phusong.sources.fictional import fictional
from phusong.study import Study
from phusong.surroundings import Surroundings


def province(seed: int, folder: Path) -> dict[str, Any]:
    """Return gaps, candidates, reach, masts, terrain and roads of one fictional province."""
    kept = folder / f"province-{seed}.pickle"
    if kept.exists():
        return _with_study(pickle.loads(kept.read_bytes()), folder)
    with tempfile.TemporaryDirectory() as raw:
        study = Study.read(fictional(Path(raw) / "p", name="p", seed=seed))
        siting = study.siting.model_copy(update={"rungs": ("macro", "sector")})
        chosen = study.model_copy(update={"siting": siting})
        chosen._path, chosen._folder = study._path, study._folder
        found = run(chosen, until="reach")
        out = {"gaps": found.gaps, "spots": found.spots, "reach": found.reach,
               "standing": found.standing, "terrain": found.terrain, "roads": found.around.roads,
               "text": study.path.read_text(encoding="utf-8")}
        kept.write_bytes(pickle.dumps(out))
    return _with_study(out, folder)


def _with_study(found: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Read the study file again, so that kept provinces are priced by the program of today."""
    path = folder / "study.yml"
    path.write_text(found["text"], encoding="utf-8")
    return found | {"study": Study.read(path)}


def connected(found: dict[str, Any], every: int) -> tuple[Connected, int]:
    """Return the problem with feeders of one province, and how many masts the network has."""
    study, standing = found["study"], found["standing"]
    masts = standing.groupby("operator")["site_id"].nunique().sort_index()
    own = standing[(standing["operator"] == masts.idxmin()).to_numpy(bool)]
    names = np.sort(own["site_id"].unique())[::every]
    own = own[own["site_id"].isin(names)]
    possible = hops(found["spots"], own, found["terrain"],
                    Surroundings(roads=found["roads"]), study.feeder)
    net = Backhaul.of(found["spots"], own, possible, study.costs, study.feeder)
    costs = price(found["spots"], None, study.costs, feeders=own_feeders(net))
    _, case = connected_problem(found["gaps"], found["spots"], found["reach"], costs, study.goal,
                                net.network, net.node_of)
    return joinable(case)[0], len(names)


def afterwards(case: Connected, budget: float, order: np.ndarray) -> Grown:
    """Join sites in a given order while the money lasts; hops are shared and paid once."""
    joined = grow(case, budget=budget, first=order, max_sites=len(order))
    whole = replay(case, joined.order, joined.forest.towards)
    rest = order[~np.isin(order, whole.order)]
    return grow(case, budget=budget, first=rest, start=whole)


def plans(case: Connected, budget: float, rounds: int) -> dict[str, Grown]:
    """Return one plan of each kind."""
    problem = case.problem
    alone = np.concatenate([case.network.alone(), [0.0]])[case.node]

    def priced(costs: np.ndarray) -> Problem:
        return Problem(problem.indptr, problem.indices, problem.weights, costs, problem.groups)

    by_site, _ = greedy(priced(problem.costs))
    with_feeder, _ = greedy(priced(problem.costs + alone))
    best = maximise(priced(problem.costs + alone), budget=budget, gap=0.001, seconds=20.0).sites
    place = np.full(problem.sites, len(with_feeder))
    place[with_feeder] = np.arange(len(with_feeder))
    best_first = np.concatenate([best[np.argsort(place[best], kind="stable")],
                                 with_feeder[~np.isin(with_feeder, best)]])
    return {"first": afterwards(case, budget, by_site),
            "alone": afterwards(case, budget, with_feeder),
            "alone, best": afterwards(case, budget, best_first),
            "greedy": grow(case, budget=budget),
            "search": improve_connected(case, Aim(budget), starts=(best,), rounds=rounds)
            or grow(case, budget=budget)}


def sound(case: Connected, plan: Grown, budget: float) -> None:
    """Stop if a plan is over budget, or a site of it does not reach the network."""
    assert case.cost(plan.forest, plan.order) <= budget * (1.0 + 1e-12)
    for j in plan.order:
        way = plan.forest.way(int(case.node[j])) if case.node[j] >= 0 else ()
        assert not way or way[-1].end == -1 or case.network.standing[way[-1].end]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(1, 21)))
    parser.add_argument("--money", type=float, default=2e6, help="US dollars, present value")
    parser.add_argument("--rounds", type=int, default=1000)
    parser.add_argument("--every", type=int, default=1,
                        help="keep only every so manieth mast of the network")
    parser.add_argument("--bound-seconds", type=float, default=60.0)
    parser.add_argument("--keep", type=Path, default=None)
    given = parser.parse_args()
    names = ("first", "alone", "alone, best", "greedy", "search")
    print("| seed | masts | " + " | ".join(names) + " | beside first | beside alone, best "
          "| bound | gap | relays | CPU s |")
    print("|" + "---|" * (len(names) + 8))
    beside: list[tuple[float, float]] = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for seed in given.seeds:
            found = province(seed, folder)
            begun = time.process_time()
            case, masts = connected(found, given.every)
            costs = found["study"].costs
            budget = given.money * costs.rate(costs.currency).per_usd
            made = plans(case, budget, given.rounds)
            spent = time.process_time() - begun
            for plan in made.values():
                sound(case, plan, budget)
            values = [made[name].value for name in names]
            bound = plain(share_free(case), Aim(budget), gap=0.0, seconds=5.0).bound
            if given.bound_seconds:
                bound = min(bound, prove(case, Aim(budget), seconds=given.bound_seconds).bound)
            best = made["search"]
            beside.append((best.value / made["first"].value - 1.0,
                           best.value / made["alone, best"].value - 1.0))
            relays = sum(step.relay for step in best.forest.towards.values())
            print(f"| {seed} | {masts} | " + " | ".join(f"{v:,.0f}" for v in values)
                  + f" | {beside[-1][0]:+.1%} | {beside[-1][1]:+.1%} | {bound:,.0f} | "
                  f"{bound / best.value - 1.0:.1%} | {relays} | {spent:.1f} |", flush=True)
    gains = np.array(beside)
    print(f"\nsearch beside first: {gains[:, 0].mean():+.1%} in the mean, {gains[:, 0].min():+.1%} "
          f"to {gains[:, 0].max():+.1%}, better in {(gains[:, 0] > 0).sum()} of {len(gains)}; "
          f"beside alone, best: {gains[:, 1].mean():+.1%}, {gains[:, 1].min():+.1%} to "
          f"{gains[:, 1].max():+.1%}, better in {(gains[:, 1] > 0).sum()}, equal in "
          f"{(gains[:, 1] == 0).sum()}")


if __name__ == "__main__":
    main()
