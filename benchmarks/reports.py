"""How long a large report takes: rows in, rows judged, rows in the book.

    python benchmarks/reports.py                     # 100,000 rows, CSV and XLSX
    python benchmarks/reports.py --rows 20000 --kinds csv xlsx geojson gpkg

One operator's report is written in each format: new cells, changes, moves, cells taken down, rows
said twice, and one row in twenty that is wrong.  Each file is entered into an empty ledger in a
process of its own.  Reported: processor seconds and the peak of its memory, and a hash of all that
was entered and answered, which must not depend on how quickly it was done.  The first line is what
the program takes before it reads anything.
"""

from __future__ import annotations

import argparse
import datetime as dt
import hashlib
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import xlsxwriter
from phusong.ledger import Ledger

KINDS = ("csv", "xlsx", "geojson", "gpkg")
HEAD = ("Hành động", "Mã trạm", "Mã cell", "Ngày hiệu lực", "Vĩ độ", "Kinh độ", "Công nghệ",
        "Tần số", "Hướng", "Độ cao anten", "Công suất")
DAY = "2021-12-10"
CELLS_A_SITE = 3
TOLD = ("rows", "accepted", "duplicate", "rejected", "changes", "suspects", "digest")


def lines(count: int) -> list[tuple[str, ...]]:
    """Return `count` rows of a report as an operator's spreadsheet writes them."""
    rng = np.random.default_rng(2021)
    lat, lon = 21.5 + rng.random(count), 103.0 + 1.5 * rng.random(count)
    kind = rng.choice(["new", "change", "move", "decommission", "again", "wrong"], count,
                      p=[0.80, 0.05, 0.03, 0.02, 0.05, 0.05])
    faults = rng.integers(0, 5, count)
    found: list[tuple[str, ...]] = []
    for n in range(count):
        site, sector = divmod(n, CELLS_A_SITE)
        row = ["Phát sóng mới", f"VT{site:05d}", f"VT{site:05d}-L{sector}", "05/10/2021",
               f"{lat[n]:.6f}".replace(".", ","), f"{lon[n]:.6f}".replace(".", ","), "4G",
               "1800 MHz", str(120 * sector), "42,5 m", "46 dBm"]
        if kind[n] == "change":
            row[0], row[3], row[9] = "Thay đổi", "01/11/2021", "50 m"
        elif kind[n] == "move":
            row[0], row[3] = "Di chuyển", "02/11/2021"
        elif kind[n] == "decommission":
            row[0], row[3], row[4:] = "Tháo dỡ", "03/11/2021", [""] * 7
        elif kind[n] == "again" and found:
            row = list(found[-1])
        elif kind[n] == "wrong":
            place, text = ((4, "0"), (3, "31/02/2021"), (6, "pigeon"), (9, "1.250"),
                           (1, ""))[faults[n]]
            row[place] = text
        found.append(tuple(row))
    return found


def write(folder: Path, kind: str, rows: list[tuple[str, ...]]) -> Path:
    """Write the rows as one file of a kind."""
    path = folder / f"{DAY}_Viettel.{kind}"
    if kind == "csv":
        path.write_text("\n".join(";".join(row) for row in (HEAD, *rows)) + "\n", encoding="utf-8")
    elif kind == "xlsx":
        book = xlsxwriter.Workbook(str(path), {"constant_memory": True})
        book.set_properties({"created": dt.datetime(2021, 12, 10)})
        sheet = book.add_worksheet()
        sheet.write_string(0, 0, "BÁO CÁO TRẠM PHÁT SÓNG")
        for line, row in enumerate((HEAD, *rows), 1):
            for place, text in enumerate(row):
                sheet.write_string(line, place, text)
        book.close()
    else:
        frame = pd.DataFrame(rows, columns=list(HEAD))
        where = [pd.to_numeric(frame[c].str.replace(",", "."), errors="coerce")
                 for c in ("Kinh độ", "Vĩ độ")]
        gpd.GeoDataFrame(frame.drop(columns=["Kinh độ", "Vĩ độ"]), crs=4326,
                         geometry=gpd.points_from_xy(*where)).to_file(path)
    return path


def peak_mib() -> float:
    """Return the most memory that this process ever held."""
    status = Path("/proc/self/status")
    if status.exists():  # what getrusage says holds the parent's peak too
        line = next(x for x in status.read_text().splitlines() if x.startswith("VmHWM"))
        return int(line.split()[1]) / 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def enter(path: Path | None, folder: Path) -> dict[str, object]:
    """Enter a report into an empty ledger; return what it cost and a hash of what came of it."""
    begun = time.process_time()
    if path is None:
        return {"cpu_s": begun, "peak_mib": peak_mib()}
    with Ledger.open(folder / "ledger.sqlite", crs=32648, operators=("Viettel", "VNPT"),
                     area=(102.0, 20.0, 106.0, 24.0)) as ledger:
        outcome = ledger.report([path], operator="Viettel", recorded_at=DAY)
        spent, peak = time.process_time() - begun, peak_mib()
        total = hashlib.sha256(ledger.head.encode())
    for table in (outcome.files, outcome.rows, outcome.changes, outcome.suspects):
        total.update(table.to_csv(date_format="%Y-%m-%d").encode())
    return {**outcome.counts, "changes": len(outcome.changes), "suspects": len(outcome.suspects),
            "digest": total.hexdigest()[:16], "cpu_s": spent, "peak_mib": peak}


def main() -> None:
    """Write the reports, enter each in a process of its own, print a table."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=["csv", "xlsx"])
    parser.add_argument("--enter", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.folder is not None:
        print(json.dumps(enter(given.enter, given.folder)))
        return
    rows = lines(given.rows)
    print(f"{'file':<10}{'MiB':>7}{'CPU s':>8}{'peak MiB':>10}  what came of it")
    for kind in (None, *given.kinds):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            path = None if kind is None else write(folder, kind, rows)
            command = [sys.executable, __file__, "--folder", str(folder)]
            said = json.loads(subprocess.run(
                [*command, *(["--enter", str(path)] if path else [])], check=True,
                capture_output=True, text=True).stdout)
            size = path.stat().st_size / 2**20 if path else 0.0
            told = ", ".join(f"{name} {said[name]}" for name in TOLD if name in said)
            print(f"{kind or '(imports)':<10}{size:>7.1f}{said['cpu_s']:>8.1f}"
                  f"{said['peak_mib']:>10.0f}  {told}", flush=True)


if __name__ == "__main__":
    main()
