"""Handing out devices: who gets how many, as a table for people, and what is still missing."""

from __future__ import annotations

import csv
import datetime as dt
import io
from pathlib import Path
from typing import Any

import pandas as pd

from phusong import pipeline
from phusong.devices import TIERS, allocate
from phusong.errors import InputError
from phusong.pipeline import Results
from phusong.standing import plain
from phusong.study import Study
from phusong.whole import write_whole

__all__ = ["figures", "hand_over", "write"]

_SUMS = ("held", "need", "allocated", "missing")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def hand_over(results: Results, book: Path, devices: int, *, known_on: dt.date | None = None,
              covered_only: bool = False) -> pd.DataFrame:
    """Split `devices` among the points of a run, with the deliveries that the ledger knows.

    Parameters
    ----------
    results : Results
        A run at least until ``service``.
    book : Path
        The ledger; without one nothing was delivered.
    devices : int
        How many there are.
    known_on : date, optional
        Deliveries known on that day; None = all.
    covered_only : bool
        Keep devices back rather than give them to places that are not covered.

    Returns
    -------
    DataFrame
        DEVICES.
    """
    day, delivered = results.study.day, None
    if book.exists():
        with pipeline.open_book(book, results.study, results.points, results.sites) as ledger:
            delivered = ledger.told("device", day, known_on)
    return allocate(results.points, results.service, devices, delivered=delivered, day=day,
                    covered_only=covered_only)


def figures(table: pd.DataFrame, study: Study) -> dict[str, Any]:
    """Return the sums of DEVICES: in all, by tier, and how many needs are not known.

    Returns
    -------
    dict
        ``study``, ``as_of``, ``fictional``, ``schools`` (that need any), ``held``, ``need``,
        ``allocated``, ``missing``, ``unknown_need`` (schools), ``tiers`` (``tier``, ``status``,
        ``locked``, ``schools`` and the sums).  JSON can write it.
    """
    needy = table[table["tier"] > 0]
    tiers = [{"tier": number, "status": status, "locked": locked, **_sums(rows)}
             for number, (status, locked) in enumerate(TIERS, 1)
             for rows in [needy[(needy["tier"] == number).to_numpy(bool)]] if len(rows)]
    return {"study": study.name, "as_of": study.day.isoformat(), "fictional": study.fictional,
            **_sums(needy), "held": int(table["held"].sum()),
            "unknown_need": int(table["need"].isna().sum()), "tiers": tiers}


def _sums(rows: pd.DataFrame) -> dict[str, int]:
    return {"schools": len(rows), **{c: int(rows[c].fillna(0).sum()) for c in _SUMS}}


def write(table: pd.DataFrame, path: Path, study: Study, *, language: Any = "vi") -> Path:
    """Write DEVICES for people: schools that need devices, in the order of being served.

    Parameters
    ----------
    table : DataFrame
        DEVICES.
    path : Path
        ``.xlsx`` (schools, sums by commune and by tier, schools of unknown need) or ``.csv``
        (schools only; UTF-8 with a mark, so that spreadsheets read it).
    study : Study
        Heads the workbook.
    language : {"vi", "en"}
        Of headings and words.

    Raises
    ------
    InputError
        If the file is to be of another kind.
    """
    # maps take long to load, and figures need none
    from phusong.maps.words import word
    from phusong.maps.workbook import workbook

    if path.suffix.lower() not in (".xlsx", ".csv"):
        raise InputError(f"{path.name}: an allocation is written as .xlsx or .csv.")
    said = table.assign(
        locked=[word("device", "yes" if x else "no", language) for x in table["locked"]],
        status=[word("status", s, language) for s in table["status"]])
    schools = said[said["tier"] > 0].sort_values(
        ["tier", "need"], ascending=[True, False], kind="stable").reset_index()
    schools = schools.sort_values(["tier", "point_id"], kind="stable")
    if path.suffix.lower() == ".csv":
        return write_whole(path, _as_csv(_headed(schools, language)))
    unknown = said[said["need"].isna()].reset_index()[["point_id", "name", "commune_code",
                                                       "province_code", "status"]]
    sheets = {word("device", "allocation", language): schools,
              word("device", "by_commune", language): _grouped(schools, "commune_code"),
              word("device", "by_tier", language): _grouped(schools, "tier"),
              word("device", "unknown_need", language)[:31]: unknown}
    return write_whole(path, workbook(study, {
        name: _headed(sheet, language).set_index(_headed(sheet, language).columns[0])
        for name, sheet in sheets.items()}, language=language))


def _grouped(schools: pd.DataFrame, by: str) -> pd.DataFrame:
    sums = schools.groupby(by, sort=True)[list(_SUMS)].sum()
    return sums.assign(schools=schools.groupby(by).size()).reset_index()


def _headed(frame: pd.DataFrame, language: Any) -> pd.DataFrame:
    from phusong.maps.words import word

    return frame.rename(columns={c: word("device", c, language) for c in frame.columns})


def _as_csv(frame: pd.DataFrame) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(frame.columns)
    for row in frame.itertuples(index=False):
        cells = [plain(value) for value in row]
        writer.writerow(["'" + c if isinstance(c, str) and c.startswith(_FORMULA) else
                         "" if c is None else c for c in cells])
    return ("\ufeff" + out.getvalue()).encode()
