"""What the desk does by hand, through the commands: corrections, deliveries, doubles, crowds."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import phusong as ps
import pytest
import xlsxwriter
from phusong.cli import app
from phusong.store import Store
from pyproj import Transformer
from typer.testing import CliRunner

HEAD = "action;site_code;cell_code;effective_date;lat;lon;technology;frequency;height;azimuth"
DAY = "2021-12-14"


@pytest.fixture
def home(commune: Path, done: dict[str, Any], tmp_path: Path) -> Path:
    shutil.copytree(commune / "data", tmp_path / "data")
    return tmp_path


def call(home: Path, *words: str, ends: int = 0) -> Any:
    """What a command says: a document with ``--json``, else the text."""
    ran = CliRunner().invoke(app, [words[0], "small", "--home", str(home), *words[1:]])
    assert ran.exit_code == ends, ran.output
    return json.loads(ran.stdout) if "--json" in words else ran.output


def sheet(home: Path, name: str, *rows: str, head: str = HEAD) -> str:
    path = home / name
    path.write_text("\n".join((head, *rows)) + "\n", encoding="utf-8")
    return str(path)


def gap_of(home: Path) -> tuple[str, float, float]:
    """A point that nobody covers, with its latitude and longitude."""
    study = ps.Study.read(home / "data/raw/small/study.yml")
    service = Store(home / "data/processed/small").read("service")
    points = ps.read(study)[0].to_crs(4326)
    first = points[(service["status"] == "uncovered").to_numpy(bool)
                   & (points["learners"] > 0).to_numpy(bool)].iloc[0]
    return str(first.name), float(first.geometry.y), float(first.geometry.x)


def covered(home: Path, as_of: str, known_on: str) -> int:
    figures = call(home, "status", "--as-of", as_of, "--known-on", known_on, "--json", "-q")
    return int(figures["points"]["covered"])


@pytest.mark.slow
def test_a_tower_new_corrected_said_twice_late_and_retracted(home: Path) -> None:
    point, lat, lon = gap_of(home)
    place = f"{lat + 0.001:.6f};{lon:.6f};4G;900"
    weeks = {
        "2021-12-01": f"new;VT9;VT9-1;2021-11-25;{place};30;0",
        "2021-12-05": "change;VT9;VT9-1;2021-11-25;;;;;42;180",
        "2021-12-08": f"new;VT9;VT9-1;2021-11-15;{place};42;180",
        "2021-12-12": "retract;VT9;VT9-1;2021-11-15;;;;;;",
        "2021-12-13": "retract;VT9;VT9-1;2021-11-25;;;;;;"}
    for day, row in weeks.items():
        path = sheet(home, f"{day}_Viettel.csv", row)
        told = call(home, "report", path, "--recorded-at", day, "--json")
        assert (told["accepted"], told["changed_cells"]) == (1, 1), day
        again = call(home, "report", path, "--recorded-at", day, "--json")
        assert (again["duplicate"], again["changed_cells"]) == (1, 0), day
    without = covered(home, DAY, "2021-11-30")
    on_air = {(as_of, known): covered(home, as_of, known) > without
              for as_of, *days in (("2021-11-20", "2021-12-09", "2021-12-12"),
                                   (DAY, "2021-12-12", "2021-12-13")) for known in days}
    assert list(on_air.values()) == [True, False, True, False]
    rows = call(home, "diff", DAY, DAY, "--known-on", "2021-12-09", "--then-known-on",
                "2021-12-13", "--json")["rows"]
    mine = next(row for row in rows if row["point_id"] == point)
    assert (mine["change"], mine["was_best_cell_id"]) == ("lost", "VT9-1")
    said = call(home, "diff", "2021-11-14", "2021-11-16", "--known-on", "2021-12-09", "-q",
                "--language", "vi")
    assert "theo thông tin đến 09/12/2021" in said
    assert "VT9-1" in said


@pytest.mark.slow
def test_devices_are_delivered_corrected_and_given_back(home: Path) -> None:
    before = call(home, "allocate", "--devices", "30", "--json", "-q")
    school = max(before["rows"], key=lambda row: row["need"])["point_id"]
    head = "mã trường;hành động;ngày giao;số máy;số biên bản;tình trạng máy"
    first = sheet(home, "giao 2021-12-03.csv", f"{school};giao;01/12/2021;12;BB1;mới",
                  f"{school};giao;02/12/2021;5;BB2;mới", f"{school[1:]};giao;02/12/2021;3;BB3;",
                  f"{school};giao;02/12/2021;2,5;BB4;", head=head)
    words = ("report", first, "--about", "device", "--recorded-at", "2021-12-03")
    shown = call(home, *words, "--dry-run", "--language", "vi")
    assert f"{school[1:]} (có phải {school}?)" in shown
    assert "«tình trạng máy»" in shown
    assert "cell" not in shown, "a delivery has nothing to do with cells"
    told = call(home, *words, "--json")
    assert (told["accepted"], told["rejected"]) == (3, 1)
    assert told["unknown_points"] == {school[1:]: school}
    then = sheet(home, "giao 2021-12-06.csv", f"{school};giao;01/12/2021;10;BB1;",
                 f"{school};thu lại;05/12/2021;1;BB5;", head=head)
    for accepted in (2, 0):
        told = call(home, "report", then, "--about", "device", "--recorded-at", "2021-12-06",
                    "--json")
        assert (told["accepted"], told["duplicate"]) == (accepted, 2 - accepted)
    held = {(as_of, known): call(home, "status", "--as-of", as_of, "--known-on", known, "--json",
                                 "-q")["devices"]["held"] - before["held"]
            for as_of, known in (("2021-12-01", "2021-12-04"), ("2021-12-04", DAY), (DAY, DAY))}
    assert list(held.values()) == [12, 15, 14]
    after = call(home, "allocate", "--devices", "30", "--json", "-q")
    assert (after["held"] - before["held"], before["need"] - after["need"]) == (14, 14)


def test_a_person_settles_two_codes_of_one_mast(home: Path) -> None:
    _, lat, lon = gap_of(home)
    path = sheet(home, "2021-12-01_VNPT.csv", *(
        f"new;VN{n};VN{n}-1;2021-11-25;{lat + 0.0001 * n:.6f};{lon:.6f};4G;900;30;0"
        for n in (1, 2)), "change;VN8;;2021-11-25;;;;;30;")
    assert "phusong waiting small" in call(home, "report", path)
    waiting = call(home, "waiting", "--json")
    assert [(s["site_code"], s["other_site_code"]) for s in waiting["suspects"]] == [("VN1", "VN2")]
    assert [t["code"] for t in waiting["troubles"]] == ["no_such_cell"]
    for language, words in (("en", "settle small VNPT VN2 VN1"), ("vi", "không có ô nào như vậy")):
        assert words in call(home, "waiting", "--language", language)
    settle = ("settle", "VNPT", "VN2", "VN1", "--reason", "An, by telephone", "--verdict")
    told = call(home, *settle, "same", "--json")
    assert told["suspects"] == 0
    assert told["changed_cells"] > 0
    assert "No suspected duplicates" in call(home, "waiting")
    assert "are two sites" in call(home, *settle, "distinct"), "a later word replaces the first"
    assert call(home, "waiting", "--json")["suspects"] == []
    assert "Did you mean" in call(home, "settle", "VNPT", "VN3", "VN1", "--reason", "x",
                                  "--verdict", "same", ends=1)
    assert "vi and en" in call(home, "waiting", "--language", "fr", ends=2)


def test_a_workbook_in_vn_2000_with_commas_and_one_in_degrees_minutes_seconds(home: Path) -> None:
    _, lat, lon = gap_of(home)
    with (home / "data/raw/small/study.yml").open("a", encoding="utf-8") as study:
        study.write('operators:\n  VNPT: {aliases: {site_code: "Mã NT"}, crs: "EPSG:9209"}\n')
    east, north = Transformer.from_crs(4326, 9209, always_xy=True).transform(lon, lat)
    minutes = [f"{int(v)}°{int(v % 1 * 60):02d}'{v * 3600 % 60:.3f}\"" for v in (lat, lon)]
    files = {"2021-12-02_VNPT.xlsx": (
        ["Mã NT", "Ngày hiệu lực", "X", "Y", "Công nghệ", "Băng tần", "Độ cao anten (m)"],
        ["VN1", "25/11/2021", f"{east:.2f}".replace(".", ","), f"{north:.2f}".replace(".", ","),
         "LTE", "0,9 GHz", "30,5 m"]),
        "2021-12-02_MobiFone.xlsx": (
        ["Mã trạm", "Ngày hiệu lực", "Vĩ độ", "Kinh độ", "Công nghệ", "Băng tần", "Độ cao"],
        ["MB1", "25/11/2021", f"{minutes[0]}N", f"{minutes[1]}Đ", "4G", "900 MHz", "30,5"])}
    places = []
    for name, rows in files.items():
        with xlsxwriter.Workbook(str(home / name)) as book:
            page = book.add_worksheet("Báo cáo")
            page.write(0, 0, "BÁO CÁO TRẠM PHÁT SÓNG")
            for line, row in enumerate(rows, 2):
                page.write_row(line, 0, row)
        told = call(home, "report", str(home / name), "--json")
        assert (told["accepted"], told["rejected"], told["files"][0]["unread"]) == (1, 0, [])
        places.append(told["changed_cells"])
    assert places == [1, 1]
    near = call(home, "diff", "2021-11-24", "2021-11-25", "--json")
    point = next(row for row in near["rows"] if row["change"] == "won")
    assert point["is_best_cell_id"].startswith(("VN1", "MB1"))
    assert set(point["is_operators"].split(";")) >= {"MobiFone", "VNPT"}, "both stand at the gap"


def test_a_file_that_is_still_being_written_is_left_to_the_watch_after(home: Path) -> None:
    _, lat, lon = gap_of(home)
    inbox = home / "inbox"
    inbox.mkdir()
    path, over = inbox / "2021-12-03_Viettel.csv", threading.Event()

    def write() -> None:
        with path.open("w", encoding="utf-8") as file:
            file.write(HEAD + "\n")
            n = 0
            while not over.wait(0.02):
                n += 1
                file.write(f"new;W{n};W{n}-1;2021-11-25;{lat:.6f};{lon + n * 0.001:.6f};4G;900;"
                           "30;0\n")
                file.flush()
            file.write("decommission;W1;W1-1;2021-11-26;;;;;;\n")

    writer = threading.Thread(target=write)
    writer.start()
    watch = ("watch", "--folder", str(inbox), "--once", "--every", "0.4", "-q")
    try:
        assert call(home, *watch) == "", "not half a file"
    finally:
        over.set()
        writer.join()
    rows = len(path.read_text(encoding="utf-8").splitlines()) - 1
    told = call(home, *watch, "--json")
    assert (told["rows"], told["accepted"]) == (rows, rows)


@pytest.mark.slow
def test_two_processes_report_at_once(home: Path) -> None:
    """One waits for the other: whatever the order, nothing is lost and nothing counts twice."""
    _, lat, lon = gap_of(home)
    same = sheet(home, "2021-12-04_Viettel.csv", *(
        f"new;A{n};A{n}-1;2021-11-25;{lat:.6f};{lon + n * 0.001:.6f};4G;900;30;0"
        for n in range(200)))
    running = [subprocess.Popen([sys.executable, "-m", "phusong", "report", "small", same, "--home",
                                 str(home), "--json"], stdout=subprocess.PIPE, text=True)
               for _ in range(2)]
    told = [json.loads(process.communicate(timeout=300)[0]) for process in running]
    assert [process.returncode for process in running] == [0, 0]
    assert sorted((t["accepted"], t["duplicate"]) for t in told) == [(0, 200), (200, 0)]
    again = call(home, "report", same, "--json")
    assert (again["accepted"], again["duplicate"]) == (0, 200)


@pytest.mark.slow
def test_a_batch_in_which_one_study_is_broken(home: Path) -> None:
    raw = home / "data/raw"
    for name, text in (("torn", "name: ["), ("lost", (raw / "small/study.yml").read_text(
            encoding="utf-8").replace("name: small", "name: lost"))):
        (raw / name).mkdir()
        (raw / name / "study.yml").write_text(text, encoding="utf-8")
    ran = CliRunner().invoke(app, ["batch", "torn", "small", "lost", "nowhere", "--home", str(home),
                                   "--json"])
    assert ran.exit_code == 1
    rows = {row["study"]: row for row in json.loads(ran.stdout)["studies"]}
    assert [row["ok"] for row in rows.values()] == [False, True, False, False]
    assert "not valid YAML" in rows["torn"]["error"]
    assert "schools.csv" in rows["lost"]["error"]
    assert "phusong new" in rows["nowhere"]["error"]
    assert Path(rows["small"]["map"]).is_file()
