"""Why a point is covered or not: the verdict, the budget line by line, the profile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from phusong import pipeline
from phusong.declared import declared, disagreement
from phusong.errors import UnknownNameError
from phusong.intake import take_in
from phusong.links import Budget, budget, link
from phusong.maps.words import word
from phusong.nouns import nearest
from phusong.plan import Goal, Why, WhyBest, why, why_best, without
from phusong.service import Need, assess, levels
from phusong.store import Store
from phusong.study import Study
from phusong.tables import split
from phusong.written import figure

__all__ = ["Explanation", "explain", "explain_site", "is_point",
           "profile_picture"]

CELLS_SHOWN = 5
BLOCKS = " ▁▂▃▄▅▆▇█"
_WORDS = {
    "en": {"assumed": "assumed", "ground": "(the ground under this path is not known)",
           "columns": ("cell", "operator", "band", "km", "clear. F1", "dBm", "free space", "P",
                       "model")},
    "vi": {"assumed": "giả định", "ground": "(chưa biết địa hình dưới đường truyền này)",
           "columns": ("ô", "nhà mạng", "băng tần", "km", "hở F1", "dBm", "nếu thoáng", "P",
                       "mô hình")},
}


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """The whole chain behind one point's status.

    Parameters
    ----------
    point : Series
        Its row of POINTS.
    service : Series
        Its row of SERVICE.
    need : Need
        The definition of covered it was judged by.
    links : DataFrame
        The best links, with level at the device, margin and probability.
    budgets : tuple of Budget
        The budget of the cell that decided, if any cell is in range.
    fictional : bool
        Whether the data are invented.
    declared : Series or None
        What operators' footprints say of the point, evidence of its own; None without any.
    contradiction : str
        ``declared_only`` or ``modelled_only`` where the two contradict; else empty.
    """

    point: pd.Series
    service: pd.Series
    need: Need
    links: pd.DataFrame
    budgets: tuple[Budget, ...]
    fictional: bool = False
    declared: pd.Series | None = None
    contradiction: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return everything as plain values that JSON can write (NaN becomes None)."""
        point = self.point.drop("geometry")
        return _plain({
            "point_id": self.point.name, "fictional": self.fictional, "point": point.to_dict(),
            "x_m": self.point.geometry.x if self.point.geometry else None,
            "y_m": self.point.geometry.y if self.point.geometry else None,
            "service": self.service.to_dict(), "definition": self.need.model_dump(mode="json"),
            "declared": None if self.declared is None else self.declared.to_dict(),
            "contradiction": self.contradiction,
            "links": self.links.reset_index().to_dict("records"),
            "budgets": [{**asdict(b), "lines": [
                {"key": n.key, "value": n.value, "unit": n.unit, "sign": n.sign,
                 "label": n.label.model_dump()} for n in b.lines()]} for b in self.budgets]})

    def text(self, language: str = "en") -> str:
        """Return the explanation as text for a terminal."""
        service, point, need = self.service, self.point, self.need
        num = partial(figure, language=language)
        say = partial(word, language=language)  # type: ignore[arg-type]
        lines = [f"{point.name}  {point.get('name', '')}  ({say('kind', point['kind'])})",
                 f"{say('status', service['status'])}: {say('reason', service['reason'])}",
                 f"{need.label.in_language(language) or need.name}: "
                 f"{num(need.received_dbm, form='g')} dBm, P ≥ {num(need.probability, form='g')}, "
                 f"{say('assess_place', need.place)}, {', '.join(need.technologies)}"]
        if self.fictional:
            lines.insert(0, say("ui", "fictional_short"))
        if np.isfinite(service["margin_db"]):
            lines.append(f"{num(service['received_dbm'], form='.1f')} dBm, "
                         f"{num(service['margin_db'], form='+.1f')} dB, "
                         f"P = {num(service['probability'], form='.2f')}")
        if self.declared is not None:
            lines += _declared_text(self.declared, self.contradiction, language)
        if assumed := split(point.get("assumed")):
            lines.append(f"{_WORDS[language]['assumed']}: "
                         + ", ".join(say("column", name) for name in assumed))
        if len(self.links):
            lines += ["", _links_text(self.links, language)]
        for one in self.budgets:
            lines += ["", _budget_text(one, language), "", profile_picture(one, language=language)]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return self.text()


def is_point(study: Study, key: str, store: Store | None = None) -> bool:
    """Tell whether a study has a point of this key."""
    return key in take_in(study, store).points.index


def explain_site(results: pipeline.Results, site_id: str, goal: Goal | None = None, *,
                 progress: Callable[[str, int, int], None] | None = None) -> Why | WhyBest:
    """Explain why a candidate site is, or is not, built, feeders shared.

    Parameters
    ----------
    results : Results
        Of a run that has reached ``dominated``.
    site_id : str
        Key of the candidate.
    goal : Goal, optional
        What is asked for; None = the study's goal. With ``method: optimise`` the best plan is
        explained (`why_best`), else the order of weight per cost (`why`).
    progress : callable, optional
        Of the search: called with (what, done, of all).

    Raises
    ------
    UnknownNameError
        If there is no such candidate, if it has no way to the network, or if another one beats
        it whatever else is built; the other is named.
    """
    names, net = results.spots["site_id"].unique(), results.backhaul
    goal = results.study.goal if goal is None else goal
    if site_id not in names:
        raise UnknownNameError(f'The study has no point and no candidate site "{site_id}". '
                               f"{nearest(site_id, [*results.points.index[:20_000], *names])}")
    if site_id in results.dominated.index and site_id not in goal.kept:
        other = results.dominated.loc[site_id, "by"]
        raise UnknownNameError(f"No plan needs {site_id}: " + (
            "it serves no gap." if pd.isna(other) or not other else
            f"{other} serves every gap that it serves and costs no more. Ask about {other}."))
    if net.node_of.get(site_id) == -2:
        raise UnknownNameError(f"{site_id} has no way to the network: no hop leads to it that is "
                               f"clear, short enough and within {net.network.max_hops} hops.")
    spots, reach = without(*results.joinable, results.dominated.index.difference(goal.kept))
    given = (site_id, results.gaps, spots, reach, results.costs, goal, net.network, net.node_of)
    if goal.method == "optimise":
        return why_best(*given, progress=progress)
    return why(*given)


def explain(study: Study, point_id: str, *, store: Store | None = None, book: Path | None = None,
            progress: Callable[[str, int, int], None] | None = None) -> Explanation:
    """Explain the status of one point on the study's day.

    Parameters
    ----------
    study : Study
        The study.
    point_id : str
        Key of the point.
    store : Store, optional
        Where the inputs are kept once they have been read; None = read the files.
    book : Path, optional
        Ledger of operators' reports; its word on cells counts where it has one.
    progress : callable, optional
        Called with (what, done, of all).

    Raises
    ------
    UnknownNameError
        If there is no such point; the nearest key is offered.
    """
    if progress is not None:
        progress("read", 0, 1)
    inputs = take_in(study, store)
    points, terrain, around = inputs.points, inputs.terrain, inputs.around
    if progress is not None:
        progress("read", 1, 1)
    if point_id not in points.index:
        raise UnknownNameError(f'The study has no point "{point_id}". '
                               f"{nearest(point_id, points.index[:20_000])}")
    only = points.loc[[point_id]]
    standing = pipeline.cells_on(study, inputs, study.day, book)
    found = link(only, standing, terrain, study.radio)
    service = assess(only, found, study.need).iloc[0]
    table = found.join(levels(found, study.need))
    table = table.sort_values("counts", ascending=False, kind="stable")
    chosen = _deciding(found, service, study.need)
    budgets = tuple(budget(point_id, cell, only, standing, terrain, study.radio)
                    for cell in chosen)
    said, contradiction = None, ""
    if around.footprints is not None:
        claims = declared(only, around.footprints, study.need)
        said = claims.iloc[0]
        contradiction = "".join(disagreement(service.to_frame().T, claims)["kind"])
    return Explanation(only.iloc[0], service, study.need, table.head(CELLS_SHOWN), budgets,
                       study.fictional, said, contradiction)


def _declared_text(said: pd.Series, contradiction: str, language: str) -> list[str]:
    who = said["operators"].replace(";", ", ") or "-"
    edge = said["edge_m"]
    lines = [f"{word('evidence', 'operator_footprint', language)}: "  # type: ignore[arg-type]
             f"{word('status', said['status'], language)} ({who}"  # type: ignore[arg-type]
             + (f"; {figure(edge / 1000, language, '+.2f')} km)" if np.isfinite(edge) else ")")]
    if contradiction:
        lines.append("  ≠ " + word("disagreement", contradiction, language))  # type: ignore[arg-type]
    return lines


def _deciding(found: pd.DataFrame, service: pd.Series, need: Need) -> list[str]:
    """Return the cell whose budget tells the story: the best one, or the one that is blocked."""
    usable = found[found["technology"].isin(need.technologies)]
    if not len(usable):
        return []
    if service["reason"] == "terrain_blocked":
        enough = levels(usable, need)["free_space_probability"] >= need.probability
        blocked = usable[enough & (usable["clearance"] < 0)].reset_index("cell_id")
        ordered = blocked.sort_values(["received_dbm", "cell_id"], ascending=[False, True])
        return [str(ordered["cell_id"].iloc[0])]
    best = service["best_cell_id"]
    if isinstance(best, str) and best:
        return [best]
    return [str(usable.index.get_level_values("cell_id")[0])]


def _links_text(links: pd.DataFrame, language: str) -> str:
    num = partial(_number, language=language)
    a, b, c, d, e, f, g, h, i = _WORDS[language]["columns"]
    rows = [f"{a:<16}{b:<12}{c:<10}{d:>7}{e:>11}{f:>9}{g:>12}{h:>6}  {i}"]
    for (_, cell), row in links.iterrows():
        band = f"{row['technology']} {row['frequency_mhz']:.0f}"
        rows.append(f"{cell:<16}{row['operator'] or '-':<12}{band:<10}"
                    f"{num(row['distance_m'] / 1000, 2):>7}{num(row['clearance'], 1):>11}"
                    f"{num(row['received_dbm'], 1):>9}{num(row['free_space_dbm'], 1):>12}"
                    f"{num(row['probability'], 2):>6}  {row['model']}")
    return "\n".join(rows)


def _number(value: float, digits: int, language: str) -> str:
    return "?" if not np.isfinite(value) else figure(value, language, f".{digits}f")


def _budget_text(one: Budget, language: str) -> str:
    sign = {1: "+", -1: "−", 0: " "}
    rows = [f"{one.cell_id} → {one.point_id}: {_number(one.distance_m / 1000, 2, language)} km, "
            f"{one.bearing_deg:.0f}°, {one.frequency_mhz:.0f} MHz, {one.model}"]
    rows += [f"  {sign[n.sign]} {_number(n.value, 1, language):>8} {n.unit:<4} "
             f"{n.label.in_language(language)}" for n in one.lines()]
    return "\n".join(rows)


def profile_picture(one: Budget, width: int = 72, rows: int = 8, *, language: str = "en") -> str:
    """Draw the terrain under a link with block characters, the line of sight as dots.

    Parameters
    ----------
    one : Budget
        A link; its profile runs from the cell (left) to the point (right).
    width, rows : int
        Size of the picture in characters.
    language : {"en", "vi"}
        Of its lengths.
    """
    ground = one.ground_m + one.bulge_m
    if not np.isfinite(ground).any():
        return str(_WORDS[language]["ground"])
    at = np.linspace(0, one.along_m[-1], width)
    heights = _resampled(at, one.along_m, ground)
    sight = np.interp(at, one.along_m, one.sight_m)
    low = float(np.nanmin(heights))
    high = float(max(np.nanmax(heights), np.nanmax(sight)))
    step = max((high - low) / rows, 1e-9)
    lines = []
    for row in range(rows - 1, -1, -1):
        filled = np.clip((heights - low) / step - row, 0, 1)
        dots = np.abs((sight - low) / step - row - 0.5) <= 0.5
        lines.append("".join(
            "?" if np.isnan(f) else ("·" if d and f < 0.5 else BLOCKS[round(f * 8)])
            for f, d in zip(filled, dots, strict=True)))
    return "\n".join([f"{high:.0f} m", *lines,
                      f"{low:.0f} m, 0 … {_number(one.along_m[-1] / 1000, 2, language)} km"])


def _resampled(at: NDArray[np.float64], along: NDArray[np.float64],
               heights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the highest ground in each column (what blocks must not vanish between columns)."""
    column = np.clip(np.searchsorted(at, along), 0, len(at) - 1)
    top = np.interp(at, along, heights)
    known = np.isfinite(heights)
    np.fmax.at(top, column[known], heights[known])
    return top


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, np.ndarray):
        return [_plain(v) for v in value.tolist()]
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, float) and not np.isfinite(value):
        return None
    if value is pd.NaT:
        return None
    return value.isoformat() if isinstance(value, pd.Timestamp) else value
