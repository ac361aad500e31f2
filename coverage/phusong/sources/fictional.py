"""A whole study from a seed: terrain, communes, schools, networks, reports - all fictional.

The same seed gives the same bytes of every file.  Each part draws from its own
stream of chance, so that a change in one part leaves the others as they were.
"""

from __future__ import annotations

import math
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from phusong.errors import InputError, StudyError
from phusong.nouns import nearest
from phusong.sources.fiction import (
    claims,
    network,
    papers,
    places,
    reports,
    roads,
    schools,
    writing,
)
from phusong.sources.fiction.relief import VOID, Relief, grown, make_relief
from phusong.sources.fiction.sight import guess_dbm
from phusong.sources.fiction.sizes import SIZES, SizeName

__all__ = ["fictional"]

Progress = Callable[[str, int, int], None]

_PARTS = ("relief", "outline", "communes", "hamlets", "people", "learning", "villages", "roads",
          "power", "locations", "cells", "lockdowns", "lists", "programme", "gaps", "history",
          "reports", "doubled", "claims")
_FURTHER = {"vocational.csv": ("vocational", "GDNN"),
            "continuing_education.csv": ("continuing_education", "GDTX"),
            "community_learning_centres.csv": ("community_learning_centre", "TTHTCĐ")}
_AS_OF = np.datetime64("2021-12-15")
_NO_LEARNERS = {"so_hoc_sinh": 0, "so_hs_ho_ngheo": 0, "so_hs_can_ngheo": 0}
_SOURCE = "fictional / dữ liệu hư cấu"


def fictional(folder: Path, *, name: str, size: SizeName = "province", seed: int = 2021,
              progress: Progress | None = None) -> Path:
    """Make a fictional study.

    Parameters
    ----------
    folder : Path
        Folder of the new study, e.g. ``data/raw/demo``; must not exist.
    name : str
        Name of the study.
    size : {"commune", "province", "country"}
        A commune with its neighbours; a mountain province of 60 communes; a country of 10,603
        communes, 43,000 places of learning and 100,000 cells.
    seed : int
        Source of chance; the same seed gives the same bytes. Not negative.
    progress : callable, optional
        Called with (what, done, of all).

    Returns
    -------
    Path
        The new ``study.yml``.

    Raises
    ------
    StudyError
        If the folder exists already.
    InputError
        If there is no such size, or the seed is negative.
    """
    folder = Path(folder)
    if size not in SIZES:
        raise InputError(f'There is no size "{size}" of a fictional study. {nearest(size, SIZES)}')
    if seed < 0:
        raise InputError(f"The seed {seed} is negative. Take 0 or a positive whole number.")
    if folder.exists():
        raise StudyError(f"{folder} exists already; a fictional study is never written over "
                         f"anything. Take another name, or remove that folder first.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        draft.chmod(0o755)
        _Maker(draft, name, size, seed, progress).run()
        draft.rename(folder)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return folder / "study.yml"


@dataclass(slots=True, eq=False)
class _Land:
    """What is made first and asked for by all later steps."""

    relief: Relief
    ground: places.Ground
    communes: pd.DataFrame
    ways: places.Ways
    hamlets: pd.DataFrame


class _Maker:
    """The steps of making one study, in order, and the figures for its README."""

    def __init__(self, folder: Path, name: str, size: SizeName, seed: int,
                 progress: Progress | None) -> None:
        streams = np.random.SeedSequence(seed).spawn(len(_PARTS))
        self.chance = {part: np.random.Generator(np.random.PCG64(stream))
                       for part, stream in zip(_PARTS, streams, strict=True)}
        self.folder, self.scale, self.progress = folder, SIZES[size], progress
        self.figures: dict[str, object] = {"name": name, "size": size, "seed": seed,
                                           "arcsec": self.scale.arcsec}
        self.done = 0

    def run(self) -> None:
        """Make and write everything."""
        land = self._land()
        self._say("inhabitants")
        self._people(land)
        self._say("roads and power lines")
        self._lines(land)
        self._say("schools and villages")
        points = self._points(land)
        self._say("masts and cells")
        cells = self._network(land, points)
        self._write_points(land, points)
        self._say("operators' reports")
        self._reports(land, cells)
        self._papers()
        self._say("done")

    def _say(self, what: str) -> None:
        if self.progress is not None:
            self.progress(what, self.done, 7)
        self.done += 1

    def _land(self) -> _Land:
        scale, chance = self.scale, self.chance
        self._say("relief")
        relief = make_relief(scale, chance["relief"])
        heights = relief.heights.copy()
        heights[relief.voids] = VOID
        writing.write_raster(heights, self.folder / "dem.tif", relief.transform, VOID, "Heights, m")
        self.figures["voids"] = int(relief.voids.sum())
        del heights
        self._say("communes")
        ground = places.make_ground(relief, scale, chance["outline"])
        communes, ways = places.make_communes(ground, scale, chance["communes"])
        hamlets = places.make_hamlets(ground, communes, ways, scale, chance["hamlets"])
        polygons = places.commune_polygons(ground, communes, ways.owner)
        polygons = polygons.rename(columns={"code": "ma_xa", "name": "ten_xa",
                                            "province_code": "ma_tinh", "population": "dan_so"})
        polygons["nguon"] = _SOURCE
        writing.write_layer(polygons.drop(columns="town"), self.folder / "communes.gpkg",
                            "communes")
        self.figures["communes"] = len(communes)
        return _Land(relief, ground, communes, ways, hamlets)

    def _people(self, land: _Land) -> None:
        pull = places.make_people(land.ground, land.hamlets, land.communes, self.scale)
        times = self.scale.work // self.scale.people
        owner = np.repeat(np.repeat(land.ways.owner, times, axis=0), times, axis=1)
        people = places.scatter_people(pull, owner, land.communes["population"].to_numpy(),
                                       self.chance["people"])
        pixel = grown(land.relief.transform, self.scale.people)
        writing.write_raster(np.where(np.isnan(people), np.float32(-99999), people),
                             self.folder / "population.tif", pixel, -99999.0, "People per pixel")

    def _lines(self, land: _Land) -> None:
        lanes = roads.make_roads(land.ground, land.communes, land.hamlets, land.ways,
                                 self.chance["roads"])
        power = roads.make_power_lines(land.ground, land.communes, lanes, self.chance["power"])
        writing.write_layer(lanes, self.folder / "roads.gpkg", "roads")
        writing.write_layer(power, self.folder / "power_lines.gpkg", "power_lines")

    def _points(self, land: _Land) -> pd.DataFrame:
        """All points in one table: places of learning, then villages."""
        learning = schools.make_learning(land.ground, self.scale, land.communes, land.hamlets,
                                         self.chance["learning"])
        villages = schools.make_villages(land.communes, land.hamlets, self.scale,
                                         self.chance["villages"]).assign(level="thôn")
        points = pd.concat([learning, villages], ignore_index=True)
        lon, lat = land.ground.lonlat(points["row"].to_numpy(), points["column"].to_numpy())
        points["lon"], points["lat"] = np.round(lon, 6), np.round(lat, 6)
        self.figures["no_learners"] = int(learning["learners"].isna().sum())
        return points

    def _network(self, land: _Land, points: pd.DataFrame) -> pd.DataFrame:
        """Make masts; put the points that they leave without signal on the target lists."""
        scale, chance, ground = self.scale, self.chance, land.ground
        locations = network.make_locations(ground, land.communes, land.hamlets,
                                           scale.site_locations, chance["locations"])
        cells = network.make_cells(ground, locations, chance["cells"]).iloc[:scale.cells]
        level = self._guess(land, points, cells)
        closed = schools.make_lockdowns(land.communes, scale, chance["lockdowns"])
        under = np.isin(points["commune"].to_numpy(), closed["commune"].to_numpy())
        points["list"] = schools.put_on_lists(level, under, scale.lists, chance["lists"])
        spots = self._programme(land, points)
        more = network.make_cells(ground, spots, chance["programme"], programme=True,
                                  first=len(locations) + 1)
        if scale.cells is not None:
            on_air = int((more["on_air_from"] <= _AS_OF).sum())
            if len(cells) + on_air < scale.cells:
                raise InputError(f"Only {len(cells) + on_air} cells for {scale.cells}.")
            cells = cells.iloc[:scale.cells - on_air]
        closed["ma_xa"] = land.communes["code"].to_numpy()[closed["commune"]]
        closed = closed.rename(columns={"from": "tu_ngay", "to": "den_ngay"})
        writing.write_csv(closed[["ma_xa", "tu_ngay", "den_ngay"]].assign(nguon=_SOURCE),
                          self.folder / "lockdowns.csv")
        return pd.concat([cells, more], ignore_index=True)

    def _guess(self, land: _Land, points: pd.DataFrame, cells: pd.DataFrame
               ) -> NDArray[np.float64]:
        lte = cells[(cells["technology"] == "LTE").to_numpy()].drop_duplicates("site_id")
        pixel = ~land.relief.transform
        factor = land.ground.factor
        return guess_dbm(land.relief, points["row"].to_numpy() * factor,
                         points["column"].to_numpy() * factor,
                         pixel.f + pixel.e * lte["lat"].to_numpy(),
                         pixel.c + pixel.a * lte["lon"].to_numpy(),
                         lte["antenna_height_m"].to_numpy(), lte["eirp_dbm"].to_numpy())

    def _programme(self, land: _Land, points: pd.DataFrame) -> pd.DataFrame:
        """Masts built near listed points in autumn 2021; those of the first list come first."""
        rng = self.chance["programme"]
        listed = [np.flatnonzero((points["list"] == name).to_numpy()) for name in schools.LISTS]
        chosen = np.sort(np.concatenate([rng.permutation(part)[:math.ceil(share * len(part))]
                                         for part, share in zip(listed, (0.6, 0.3), strict=True)]))
        count = len(chosen)
        first = (points["list"].to_numpy(object)[chosen] == schools.LISTS[0])
        cell = (points["row"].to_numpy()[chosen].astype(np.int64) * land.ground.shape[1]
                + points["column"].to_numpy()[chosen].astype(np.int64))
        row, column = land.ground.row_column(network.on_high_ground(land.ground, cell, 800))
        day = np.where(first, np.datetime64("2021-09-13") + rng.integers(0, 50, count).astype(
            "timedelta64[D]"), np.datetime64("2021-10-04") + rng.integers(0, 112, count).astype(
                "timedelta64[D]"))
        return pd.DataFrame({"row": row + 0.5, "column": column + 0.5, "from": day,
                             "light": rng.random(count) < 0.35, "importance": 0.5})

    def _write_points(self, land: _Land, points: pd.DataFrame) -> None:
        communes = land.communes
        points["ma_xa"] = communes["code"].to_numpy()[points["commune"]]
        points["ten_xa"] = communes["name"].to_numpy()[points["commune"]]
        learning = (points["level"] != "thôn").to_numpy()
        general = learning & ~np.isin(points["level"], ["điểm trường", "GDNN", "GDTX", "TTHTCĐ"])
        branch = (points["level"] == "điểm trường").to_numpy()
        writing.write_csv(_school_file(points[general]), self.folder / "schools.csv")
        primary = points["parent"].map(points.set_index("code")["level"]) != "mầm non"
        part = _school_file(points[branch]).assign(
            cap_hoc=np.where(primary[branch], "tiểu học", "mầm non"),
            ma_truong_chinh=points["parent"][branch])
        writing.write_csv(part, self.folder / "branch_schools.csv")
        self.further = {}
        for file, (kind, level) in _FURTHER.items():
            part = points[points["level"] == level]
            if len(part):
                writing.write_csv(_school_file(part).assign(cap_hoc=""), self.folder / file)
                self.further[file] = kind
        villages = points[~learning]
        writing.write_csv(pd.DataFrame({
            "ma_thon": villages["code"], "ten_thon": villages["name"], "ma_xa": villages["ma_xa"],
            "ten_xa": villages["ten_xa"], "so_ho": villages["households"].astype(int),
            "so_dan": villages["people"].astype(int),
            "so_ho_ngheo": villages["poor_households"].astype(int), **_NO_LEARNERS,
            "vi_do": villages["lat"], "kinh_do": villages["lon"], "danh_sach": villages["list"],
            "nguon": _SOURCE}),
            self.folder / "villages.csv")
        lon, lat = land.ground.centres(communes["cell"].to_numpy())
        writing.write_csv(pd.DataFrame({
            "ma_xa": communes["code"], "ten_xa": communes["name"], "dan_so": communes["population"],
            **_NO_LEARNERS, "vi_do": np.round(lat, 6), "kinh_do": np.round(lon, 6),
            "nguon": _SOURCE}),
            self.folder / "commune_centres.csv")
        lists = points["list"].value_counts()
        self.figures |= {"schools": int(general.sum()), "branches": int(branch.sum()),
                         "others": int((learning & ~general & ~branch).sum()),
                         "villages": len(villages), "n_1": int(lists.get(schools.LISTS[0], 0)),
                         "n_2": int(lists.get(schools.LISTS[1], 0))}

    def _reports(self, land: _Land, cells: pd.DataFrame) -> None:
        """Let three months pass; write the register of 15 December, the reports, the truth."""
        history = reports.make_history(cells, self.chance["history"])
        register = reports.as_on(history, cells, _AS_OF)
        sent, counts = network.mar_register(register, self.chance["gaps"])
        doubled = max(1, len(sent) // 150)
        whole = network.doubled(sent, doubled, self.chance["doubled"])
        writing.write_csv(whole.assign(source=_SOURCE), self.folder / "cells.csv")
        rows = reports.make_reports(history, self.chance["reports"])
        reports.write_reports(rows, self.folder)
        writing.write_csv(history.truth.assign(source=_SOURCE), self.folder / "truth/truth.csv")
        self._claims(land, register[register["off_air_from"].isna().to_numpy()])
        faulty = rows["fault"].value_counts().sort_index()
        self.figures |= counts | {"doubled": doubled, "report_rows": len(rows),
                                  "report_faults": ", ".join(
                                      f"{name} {count}" for name, count in faulty.items() if name)}

    def _claims(self, land: _Land, register: pd.DataFrame) -> None:
        """Write what operators declare, and which communes they claim whole or forget."""
        drawn, truth = claims.make_footprints(
            land.relief, land.ground, land.ways.owner, land.communes["code"].to_numpy(object),
            register, self.chance["claims"])
        self.figures |= {"declared": len(drawn), **{name: int((truth["claim"] == name).sum())
                                                    for name in ("whole", "forgotten")}}
        if len(drawn):
            writing.write_layer(drawn.assign(ngay="2021-12-15", nguon=_SOURCE),
                                self.folder / "footprints.gpkg", "footprints")
            writing.write_csv(truth.assign(source=_SOURCE), self.folder / "truth/claims.csv")

    def _papers(self) -> None:
        values = self.figures
        (self.folder / "README.txt").write_text(papers.readme(values), encoding="utf-8")
        (self.folder / "study.yml").write_text(papers.study_file(values, self.further),
                                               encoding="utf-8")


def _school_file(points: pd.DataFrame) -> pd.DataFrame:
    """Points in the columns of a provincial department of education."""
    return pd.DataFrame({
        "ma_truong": points["code"], "ten_truong": points["name"], "cap_hoc": points["level"],
        "ma_xa": points["ma_xa"], "ten_xa": points["ten_xa"],
        "so_hoc_sinh": points["learners"].astype("Int64"),
        "so_hs_ho_ngheo": points["poor"].astype("Int64"),
        "so_hs_can_ngheo": points["near_poor"].astype("Int64"),
        "vi_do": points["lat"], "kinh_do": points["lon"], "danh_sach": points["list"],
        "nguon": _SOURCE})

