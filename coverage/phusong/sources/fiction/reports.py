"""Three months of weekly operators' reports, with the usual faults, and what is really true."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from phusong.sources.fiction.writing import LABEL, write_csv, write_workbook

__all__ = ["FRIDAYS", "History", "as_on", "as_sent", "make_history", "make_reports",
           "write_reports"]

WEEK = np.timedelta64(7, "D")
"""Reports come once a week."""

FRIDAYS = np.arange("2021-10-01", "2022-01-01", WEEK, dtype="datetime64[D]")
"""Days on which reports are sent."""

_COLUMNS = ["operator", "action", "site_code", "cell_code", "date", "lat", "lon", "technology",
            "frequency", "height", "azimuth", "note", "source"]
_FAULTS = {"duplicate": 0.06, "late": 0.10, "wrong_coordinates": 0.04, "swapped": 0.03,
           "missing_code": 0.02}


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """What really happened to the cells.

    Parameters
    ----------
    truth : DataFrame
        One row per cell and span of time in which nothing changed: ``cell_id``, ``site_id``,
        ``operator``, ``technology``, ``frequency_mhz``, ``lon``, ``lat``, ``antenna_height_m``,
        ``azimuth_deg``, ``valid_from``, ``valid_to`` (first day it is no longer so; NaT = still).
    events : DataFrame
        What an operator should report from October to December 2021, in columns as reports
        have them, with ``effective`` (day) and ``kind``.
    """

    truth: pd.DataFrame
    events: pd.DataFrame


def make_history(cells: pd.DataFrame, rng: np.random.Generator) -> History:
    """Let cells be changed, moved and dismantled between October and December 2021.

    Parameters
    ----------
    cells : DataFrame
        As from `make_cells`: the state before any of these events.
    rng : numpy Generator
        Source of chance.
    """
    truth = cells.rename(columns={"on_air_from": "valid_from", "off_air_from": "valid_to"})
    truth = truth[["cell_id", "site_id", "operator", "technology", "frequency_mhz", "lon", "lat",
                   "antenna_height_m", "azimuth_deg", "valid_from", "valid_to"]].copy()
    old = truth[(truth["valid_from"] < np.datetime64("2021-09-01")).to_numpy()]
    masts = old["site_id"].drop_duplicates().to_numpy(object)
    count = max(1, len(masts) // 40)
    picked = rng.permutation(len(masts))[:3 * count]
    groups = {"change": set(masts[picked[:count]]), "move": set(masts[picked[count:2 * count]]),
              "decommission": set(masts[picked[2 * count:]])}
    spans, events = [truth], []
    fresh = truth[(truth["valid_from"] >= FRIDAYS[0] - WEEK)
                  & (truth["valid_from"] <= FRIDAYS[-1])]
    events.append(fresh.assign(action="new", effective=fresh["valid_from"]))
    for action, sites in groups.items():
        rows = old[old["site_id"].isin(sites)]
        if action == "change":
            rows = rows[rows["azimuth_deg"].notna()]
        if action == "decommission":
            rows = rows[rows["technology"] == "GSM"]
        if rows.empty:
            continue
        names = np.unique(rows["site_id"].to_numpy(object).astype(str), return_inverse=True)[1]
        days = FRIDAYS[0] + rng.integers(0, 85, names.max() + 1).astype("timedelta64[D]")
        after = rows.assign(valid_from=days[names], valid_to=np.datetime64("NaT", "D"))
        if action == "change":
            after["azimuth_deg"] = (after["azimuth_deg"] + 20 + 10 * (names % 5)) % 360
        if action == "move":
            shift = rng.uniform(-0.004, 0.004, (names.max() + 1, 2))
            after["lon"] = np.round(after["lon"] + shift[names, 0], 6)
            after["lat"] = np.round(after["lat"] + shift[names, 1], 6)
        truth.loc[rows.index, "valid_to"] = days[names]
        if action != "decommission":
            spans.append(after)
        events.append(after.assign(action=action, effective=days[names]))
    spans[0] = truth
    whole = pd.concat(spans).sort_values(["cell_id", "valid_from"], kind="stable",
                                         ignore_index=True)
    happened = pd.concat(events).sort_values(["effective", "cell_id", "action"], kind="stable",
                                             ignore_index=True)
    return History(whole, happened)


def make_reports(history: History, rng: np.random.Generator) -> pd.DataFrame:
    """Return the rows that operators send, faults included.

    Returns
    -------
    DataFrame
        Columns as reports have them, as text, with ``week`` (day of sending) and ``fault`` (what
        is wrong with the row; empty = nothing). A row with a fault that hides the truth is sent
        again, right, one to three weeks later with fault ``corrected``.
    """
    events = history.events
    n = len(events)
    fault = np.full(n, "", object)
    draw, start = rng.random(n), 0.0
    for name, share in _FAULTS.items():
        fault[(draw >= start) & (draw < start + share)] = name
        start += share
    week = np.searchsorted(FRIDAYS, events["effective"].to_numpy().astype("datetime64[D]"))
    week = week + np.where(fault == "late", rng.integers(2, 5, n), 0)
    rows = _rows(events, week, fault, np.where(fault == "late", "gửi chậm", ""))
    wrong = rows["fault"].to_numpy() == "wrong_coordinates"
    rows.loc[wrong, "lat"] = np.round(rows.loc[wrong, "lat"] + np.where(
        rng.random(int(wrong.sum())) < 0.5, 1.0, -0.35), 6)
    rows.loc[rows["fault"] == "missing_code", ["site_code", "cell_code"]] = ""
    swap = rows["fault"].to_numpy() == "swapped"
    rows.loc[swap, ["lat", "lon"]] = rows.loc[swap, ["lon", "lat"]].to_numpy()
    hidden = np.isin(fault, ["wrong_coordinates", "swapped", "missing_code"])
    again = _rows(events[hidden], week[hidden] + rng.integers(1, 4, int(hidden.sum())),
                  np.full(int(hidden.sum()), "corrected", object), "đính chính")
    twice = rows[rows["fault"] == "duplicate"].assign(week=lambda r: r["week"] + 1)
    rows.loc[rows["fault"] == "duplicate", "fault"] = ""
    ghosts = _ghosts(events, rng)
    sent = pd.concat([rows, again, twice, ghosts], ignore_index=True)
    sent = sent[sent["week"] < len(FRIDAYS)].copy()
    sent["week"] = FRIDAYS[sent["week"].to_numpy(int)]
    return sent.sort_values(["week", "operator", "date", "cell_code", "action", "fault"],
                            kind="stable", ignore_index=True)


def _rows(events: pd.DataFrame, week: np.ndarray, fault: np.ndarray, note: object
          ) -> pd.DataFrame:
    return pd.DataFrame({
        "operator": events["operator"].to_numpy(object),
        "action": events["action"].to_numpy(object),
        "site_code": events["site_id"].to_numpy(object),
        "cell_code": events["cell_id"].to_numpy(object),
        "date": events["effective"].to_numpy().astype("datetime64[D]").astype(str),
        "lat": events["lat"].to_numpy(), "lon": events["lon"].to_numpy(),
        "technology": events["technology"].to_numpy(object),
        "frequency": events["frequency_mhz"].to_numpy(),
        "height": events["antenna_height_m"].to_numpy(),
        "azimuth": events["azimuth_deg"].to_numpy(),
        "note": note, "source": "fictional", "week": week, "fault": fault})


def _ghosts(events: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Masts that are reported and taken back some weeks later: they never stood."""
    fresh = events[events["action"] == "new"]
    if fresh.empty:
        return _rows(fresh, np.empty(0, int), np.empty(0, object), "")
    sites = fresh["site_id"].drop_duplicates().to_numpy(object)
    chosen = rng.permutation(len(sites))[:max(1, len(sites) // 12)]
    ghost = fresh[fresh["site_id"].isin(sites[chosen])].copy()
    for name in ("site_id", "cell_id"):
        ghost[name] = ghost[name].str.replace(r"^([A-Z]{3})", r"\g<1>X", regex=True)
    ghost["lat"] = np.round(ghost["lat"] + 0.013, 6)
    week = np.searchsorted(FRIDAYS, ghost["effective"].to_numpy().astype("datetime64[D]"))
    week = np.minimum(week, len(FRIDAYS) - 3)
    label = np.full(len(ghost), "retracted", object)
    back = ghost.assign(action="retract")
    return pd.concat([_rows(ghost, week, label, ""),
                      _rows(back, week + 2, label, "báo nhầm, xin rút")], ignore_index=True)


def as_sent(rows: pd.DataFrame, operator: str) -> pd.DataFrame:
    """Return report rows as the operator writes them: VNPT with decimal commas and 31/12/2021."""
    sent = rows[_COLUMNS].copy()
    if operator == "VNPT":
        for name in ("lat", "lon", "frequency", "height", "azimuth"):
            text = sent[name].map(lambda v: "" if pd.isna(v) else f"{v:.10g}".replace(".", ","))
            sent[name] = text.astype(object)
        sent["date"] = pd.to_datetime(sent["date"]).dt.strftime("%d/%m/%Y")
    return sent


def as_on(history: History, cells: pd.DataFrame, day: np.datetime64) -> pd.DataFrame:
    """Return the cells that had come on air by `day`, as they then stood.

    A cell dismantled by then stays, with its ``off_air_from``.
    """
    spans = history.truth[(history.truth["valid_from"] <= day).to_numpy()]
    last = spans.drop_duplicates("cell_id", keep="last").set_index("cell_id")
    register = cells[cells["cell_id"].isin(last.index)].copy()
    now = last.loc[register["cell_id"]]
    for name in ("lon", "lat", "azimuth_deg", "antenna_height_m"):
        register[name] = now[name].to_numpy()
    ended = now["valid_to"].where(now["valid_to"] <= day)
    register["off_air_from"] = ended.to_numpy()
    return register


def write_reports(rows: pd.DataFrame, folder: Path) -> None:
    """Write one file per operator and week into ``reports/``, and ``truth/report_rows.csv``.

    VNPT sends CSV with semicolons, MobiFone CSV with commas, Viettel workbooks.
    """
    (folder / "reports").mkdir()
    (folder / "truth").mkdir()
    listed = []
    for (week, operator), part in rows.groupby(["week", "operator"], sort=True):
        suffix = "xlsx" if operator == "Viettel" else "csv"
        name = f"{pd.Timestamp(week):%Y-%m-%d}_{operator}.{suffix}"
        sent = as_sent(part, str(operator))
        if suffix == "xlsx":
            write_workbook(sent, folder / "reports" / name, f"{operator}: báo cáo tuần "
                           f"{pd.Timestamp(week):%d/%m/%Y} - {LABEL}")
        else:
            separator = ";" if operator == "VNPT" else ","
            write_csv(sent, folder / "reports" / name, separator=separator)
        listed.append(part.assign(file=name, row=np.arange(1, len(part) + 1)))
    every = pd.concat(listed) if listed else rows.assign(file="", row=0)
    write_csv(every[["file", "row", "fault", *_COLUMNS]], folder / "truth" / "report_rows.csv")
