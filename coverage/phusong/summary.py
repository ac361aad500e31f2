"""The figures of a run: what the command line prints, the page shows and JSON carries."""

from __future__ import annotations

from typing import Any

import pandas as pd

from phusong.pipeline import Results
from phusong.standing import target_figures
from phusong.tables import CONTRADICTIONS, STATUSES, split

__all__ = ["assumptions", "dates", "plan_figures", "summarise"]

TOP = 10


def summarise(results: Results) -> dict[str, Any]:
    """Return the figures of a run as plain numbers and texts.

    Parameters
    ----------
    results : Results
        What `pipeline.run` returned.

    Returns
    -------
    dict
        ``study``, ``title``, ``fictional``, ``as_of``, ``definition``,
        ``points`` and ``learners`` by status (plus ``all``), ``poor_learners``
        (None where no file counts them), ``people`` (only with a population raster),
        ``reasons``, ``by_kind``, ``declared`` (points by status in operators' footprints and
        how often the model contradicts them, in all and ``by_operator``; None without any),
        ``targets`` (newest snapshot of each: `standing.target_figures`), ``plan`` (the
        first ten sites), ``plan_sites``, ``proof`` (what is proven about the plan; None if
        it is empty), ``feeders`` (hops of the whole plan by medium, relays, most hops, cost,
        sites without a way), ``deadlines`` (whether the plan meets them), ``candidates``,
        ``dominated`` and ``serve_no_gap`` (of them, those that no plan needs),
        ``left_out`` (places that were looked at and why not proposed), ``notes``,
        ``assumptions``, ``digest``.  JSON can write it.
    """
    study = results.study
    service = results.service
    poor = _filled(results.points, "learners_poor") + _filled(results.points, "learners_near_poor")
    return {
        "study": study.name,
        "title": study.title.model_dump(),
        "fictional": study.fictional,
        "as_of": study.day.isoformat(),
        "definition": study.need.name,
        "points": _by_status(service, pd.Series(1, index=service.index), int),
        "learners": _by_status(service, _filled(results.points, "learners"), float),
        "poor_learners": _by_status(service, poor, float) if _known(results.points) else None,
        **({"people": _by_status(service, _filled(results.points, "people"), float)}
           if "people" in results.points.columns else {}),
        "reasons": {str(k): int(v) for k, v in service["reason"].value_counts().items()},
        "by_kind": _by_kind(results.points, service),
        "declared": _declared(results),
        "targets": target_figures(results),
        **plan_figures(results.plan),
        "deadlines": _records(results.deadlines),
        "feeders": _feeders(results),
        "candidates": int(results.spots["site_id"].nunique()) if len(results.spots) else 0,
        "dominated": int((results.dominated["by"] != "").sum()),
        "serve_no_gap": int((results.dominated["by"] == "").sum()),
        "left_out": dict(results.spots.attrs.get("left_out", {})),
        "notes": list(results.spots.attrs.get("notes", [])),
        "assumptions": assumptions(results),
        "digest": results.digest,
    }


def dates(results: Results) -> dict[str, Any]:
    """Return the dates of a plan as plain values: every site, every deadline, every risk.

    Returns
    -------
    dict
        ``schedule``, ``deadlines`` and ``risks``: the rows of those tables, days as ISO
        text, what never comes as null; ``durations``: each with its source; ``money``: what
        the sites that are built cost, each bill discounted from its site's own date.
    """
    works = results.study.works
    used = {name: works.duration(name) for name in works.names}
    return {"study": results.study.name, "as_of": results.study.day.isoformat(),
            "title": results.study.title.model_dump(), "fictional": results.study.fictional,
            "schedule": _records(results.schedule), "deadlines": _records(results.deadlines),
            "risks": _records(results.risks), "money": _dated(results),
            "durations": {name: d.model_dump() for name, d in used.items()}}


def _dated(results: Results) -> dict[str, Any]:
    """Return the present value of the sites that are built: at their dates, and if all at once."""
    names, cases = results.tables["dated"], ("low", "base", "high")
    built = names.index.get_level_values("site_id").unique()
    at_once = results.bills[results.bills.index.get_level_values("site_id").isin(built)]
    return {"built": len(built), "never": len(results.schedule) - len(built),
            "currency": results.study.costs.currency,
            **{name: {case: float(table[f"present_value_{case}"].sum()) for case in cases}
               for name, table in (("dated", names), ("at_once", at_once))}}


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    frame = table.reset_index()
    for column in frame.select_dtypes("datetime").columns:
        frame[column] = frame[column].dt.strftime("%Y-%m-%d")
    frame = frame.astype(object)
    return [{str(k): v for k, v in row.items()}
            for row in frame.where(frame.notna(), None).to_dict("records")]


def assumptions(results: Results) -> dict[str, int]:
    """Count what was filled in: ``"points.learners"`` or ``"sites.azimuth_deg"`` → rows."""
    found: dict[str, int] = {}
    for name, table in (("points", results.points), ("sites", results.sites)):
        if "assumed" not in table.columns:
            continue
        for cell in table["assumed"]:
            for column in split(cell):
                key = f"{name}.{column}"
                found[key] = found.get(key, 0) + 1
    return dict(sorted(found.items()))


def _known(points: pd.DataFrame) -> bool:
    """Tell whether any file counts poor or near-poor learners."""
    columns = [c for c in ("learners_poor", "learners_near_poor") if c in points.columns]
    return bool(points[columns].notna().to_numpy().any()) if columns else False


def _filled(table: pd.DataFrame, column: str) -> pd.Series:
    if column not in table.columns:
        return pd.Series(0.0, index=table.index)
    return table[column].fillna(0.0)


def _by_status(service: pd.DataFrame, weight: pd.Series, kind: type) -> dict[str, Any]:
    sums = weight.groupby(service["status"]).sum()
    return {"all": kind(weight.sum()), **{s: kind(sums.get(s, 0)) for s in STATUSES}}


def _by_kind(points: pd.DataFrame, service: pd.DataFrame) -> dict[str, dict[str, int]]:
    counts = pd.crosstab(points["kind"], service["status"])
    return {str(kind): {s: int(row.get(s, 0)) for s in STATUSES}
            for kind, row in counts.sort_index().iterrows()}


def _declared(results: Results) -> dict[str, Any] | None:
    if results.around.footprints is None:
        return None
    said, learners = results.tables["declared"], _filled(results.points, "learners")

    def counted(found: pd.DataFrame) -> dict[str, dict[str, float]]:
        points = found.index.get_level_values("point_id")
        return {kind: {"points": int(at.sum()), "learners": float(learners.loc[points[at]].sum())}
                for kind in CONTRADICTIONS for at in [(found["kind"] == kind).to_numpy(bool)]}

    each = results.tables["disagreement_by_operator"]
    return {"status": _by_status(said, pd.Series(1, index=said.index), int),
            **counted(results.tables["disagreement"]),
            "by_operator": {str(name): counted(found)
                            for name, found in each.groupby(level="operator", sort=True)}}


def plan_figures(plan: pd.DataFrame) -> dict[str, Any]:
    """Return the figures of a plan: its first ten sites, how many it has, and what is proven.

    Parameters
    ----------
    plan : DataFrame
        PLAN of `rank`, or of `optimise` with its certificate in ``attrs``.
    """
    numbers = ("cost_low", "cost_total", "cost_high", "students_gained", "students_total",
               "students_exclusive", "poor_students_gained", "people_gained", "points_gained",
               "students_per_cost",
               "cumulative_students", "cumulative_cost", "cumulative_points")
    texts = ("site_id", "intervention", "place", "currency")
    rows = [{"rank": int(rank), **{t: str(row[t]) for t in texts},
             **{n: float(row[n]) for n in numbers if n in plan.columns}}
            for rank, row in plan.head(TOP).iterrows()]
    return {"plan": rows, "plan_sites": len(plan), "proof": _proof(plan),
            "cost_range": [float(plan[n].sum()) for n in ("cost_low", "cost_high")]}


def _proof(plan: pd.DataFrame) -> dict[str, Any] | None:
    if "certificate" in plan.attrs:
        return dict(plan.attrs["certificate"])
    if not len(plan):
        return None
    last = plan.iloc[-1]
    value, bound = float(last["cumulative_weight"]), float(last["bound"])
    return {"objective": "weight", "value": value, "bound": bound,
            "gap": (bound - value) / value if value > 0.0 else None,
            "cost": float(last["cumulative_cost"]), "stopped": "greedy"}


def _feeders(results: Results) -> dict[str, Any]:
    rows = results.feeders
    own = rows[(rows["paid_by"] == rows.index.get_level_values("site_id")).to_numpy(bool)]
    hops = own.groupby("medium").agg(hops=("cost", "size"), length_m=("length_m", "sum"))
    radio = rows[(rows["medium"] == "microwave").to_numpy(bool)]
    return {
        "media": {str(medium): {"hops": int(row["hops"]), "length_km": row["length_m"] / 1000.0}
                  for medium, row in hops.iterrows()},
        "relays": int(own["relay"].sum()),
        "shared": int((own["sites"] > 1).sum()),
        "most_hops": int(radio.groupby(level="site_id").size().max()) if len(radio) else 0,
        "cost": float(own["cost"].sum()),
        "without_a_way": int((results.backhaul.node_of == -2).sum()),
    }
