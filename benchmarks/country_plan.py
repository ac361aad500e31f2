"""Plans at the size of a country: the curve, the greedy order, the optimum with its proof.

    python benchmarks/country_plan.py --home FOLDER            # makes a fictional country first
    python benchmarks/country_plan.py --home FOLDER --money 1e11 4e11 --gap 0.001 --seconds 240

The country is made from a seed, its cells are linked to its points, its gaps get candidates,
reach, feeders and prices, all by the verbs of the river; that takes many minutes of processor
time, and is kept in FOLDER.  Then, for each sum of money (present value, VND):

curve            `curve`: students against money for every budget at once, feeders paid alone
greedy           `rank_connected`: hops are shared, and paid by the first who needs them
alone            `optimise`: the best plan with every feeder paid alone
shared           `optimise_connected`: the best plan with shared feeders

Value and bound are weights (learners, the poor and near-poor counted twice).  Times are seconds
of one process, processor and wall; the peak is that of the whole process until then.
"""

from __future__ import annotations

import argparse
import pickle
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import phusong as ps
from phusong.backhaul import Backhaul, hops, own_feeders
from phusong.plan import (
    curve,
    dominated,
    optimise,
    optimise_connected,
    rank_connected,
    without,
)
from phusong.progress import on_air
from phusong.sources.fictional import fictional
from phusong.study import Study


def timed(name: str, verb: Callable[[], Any]) -> tuple[Any, float, float]:
    """Call a verb; print and return what it gave and took, in processor and wall seconds."""
    cpu, wall = time.process_time(), time.perf_counter()
    found = verb()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    print(f"{name:<28}{cpu:8.1f} CPU s {wall:8.1f} s  peak {peak():.2f} GiB", flush=True)
    return found, cpu, wall


def peak() -> float:
    """Return the greatest memory of this process so far, GiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2 ** 20


def country(home: Path, size: str, seed: int) -> dict[str, Any]:
    """Return gaps, candidates, reach, prices and network of a fictional country, kept in `home`."""
    kept = home / f"{size}-{seed}.pickle"
    if kept.exists():
        return dict(pickle.loads(kept.read_bytes()))
    raw = home / "data" / "raw" / size
    if not (raw / "study.yml").exists():
        raw.parent.mkdir(parents=True, exist_ok=True)
        timed("made", lambda: fictional(raw, name=size, size=size, seed=seed))
    study = Study.read(raw / "study.yml")
    (points, sites, terrain, around), *_ = timed("read", lambda: ps.read(study))
    standing = on_air(sites, study.day)
    links, *_ = timed("linked", lambda: ps.link(points, standing, terrain, study.radio))
    service, *_ = timed("assessed", lambda: ps.assess(points, links, study.goal.need))
    gaps = points[service["status"].isin(study.goal.closes)]
    spots, *_ = timed("candidates", lambda: ps.propose(
        gaps, standing, terrain, around, study.siting, radio=study.radio, need=study.goal.need,
        links=links, covered=points[service["status"] == "covered"]))
    reach, *_ = timed("reach", lambda: ps.link(gaps, spots, terrain, study.radio))
    possible, *_ = timed("hops", lambda: hops(spots, standing, terrain, around, study.feeder))
    net = Backhaul.of(spots, standing, possible, study.costs, study.feeder)
    costs, *_ = timed("prices", lambda: ps.price(spots, around, study.costs,
                                                 feeders=own_feeders(net)))
    spots, reach = without(spots, reach, net.node_of.index[net.node_of == -2])
    beaten, *_ = timed("dominated", lambda: dominated(gaps, spots, reach, costs, study.goal))
    spots, reach = without(spots, reach, beaten.index)
    out = {"tables": (gaps, spots, reach, costs), "network": net.network,
           "node_of": net.node_of, "goal": study.goal}
    kept.write_bytes(pickle.dumps(out))
    return out


def main() -> None:
    """Print one table for each sum of money."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path, required=True, help="folder to keep the country in")
    parser.add_argument("--size", choices=("commune", "province", "country"), default="country")
    parser.add_argument("--seed", type=int, default=2021)
    parser.add_argument("--money", type=float, nargs="+", default=[1e11, 2e11, 4e11])
    parser.add_argument("--gap", type=float, default=0.001)
    parser.add_argument("--seconds", type=float, default=240.0)
    given = parser.parse_args()
    given.home.mkdir(parents=True, exist_ok=True)
    found = country(given.home, given.size, given.seed)
    tables, feed = found["tables"], (found["network"], found["node_of"])
    gaps, spots, reach, _ = tables
    print(f"{len(gaps):,} gaps, {spots['site_id'].nunique():,} candidate sites that a plan may "
          f"need, {len(reach):,} links, {feed[0]}")
    free = found["goal"].model_copy(update={"budget": None, "max_sites": None,
                                            "method": "optimise"})
    timed("first call (compiles)", lambda: curve(*tables, free))
    whole, *_ = timed("curve", lambda: curve(*tables, free))
    print(f"the whole curve: {len(whole):,} sites, weight {whole['weight_gained'].sum():,.0f}")
    rows = []
    for money in given.money:
        goal = free.model_copy(update={"budget": money, "gap": given.gap,
                                       "seconds": given.seconds})
        order, cpu, wall = timed("greedy", lambda g=goal: rank_connected(*tables, g, *feed))
        last = order.iloc[-1]
        rows.append(("greedy", money, last["cumulative_weight"], last["bound"], len(order), cpu,
                     wall, peak()))
        for name, verb in (("alone", lambda g=goal: optimise(*tables, g)),
                           ("shared", lambda g=goal: optimise_connected(*tables, g, *feed))):
            best, cpu, wall = timed(name, verb)
            rows.append((name, money, best.solution.value, best.solution.bound, len(best.plan),
                         cpu, wall, peak()))
    print("\n| money | plan | sites | value | bound | gap | CPU s | wall s | peak GiB |\n"
          "|---|---|---|---|---|---|---|---|---|")
    for name, money, value, bound, sites, cpu, wall, top in rows:
        print(f"| {money:.3g} | {name} | {sites:,} | {value:,.0f} | {bound:,.0f} | "
              f"{bound / value - 1.0:.2%} | {cpu:.1f} | {wall:.1f} | {top:.2f} |")


if __name__ == "__main__":
    main()
