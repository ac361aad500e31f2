"""The checked inputs of a study, read once: from its files, or as they were kept.

Reading and checking a country's files takes many times longer than asking one question of them.
What was read is kept under the hash of the files and of how they are read; terrain and layers
are opened only where something looks at them.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import os
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
from affine import Affine

from phusong import sources
from phusong.errors import Fault
from phusong.store import Store, file_digest, key_of, program_digest
from phusong.study import Study
from phusong.surroundings import Raster, Surroundings
from phusong.terrain import Terrain
from phusong.units import Crosswalk, Register, UnitList

__all__ = ["Intake", "inputs_digest", "read", "take_in"]

RASTERS = "rasters"
"""Folder of checked rasters, beside the tables of a study."""
Parts = dict[str, tuple[str, str]]


class Intake:
    """POINTS, SITES, `Terrain` and `Surroundings` of a study.

    Parameters
    ----------
    points, sites : GeoDataFrame
        As `read` returns them.
    terrain, around
        The same; or a function that fetches them when they are first looked at.
    digest : str
        `inputs_digest` of the study.
    parts : dict
        Where each part is kept: name to kind and key.
    layer : callable, optional
        Fetches one table of `around` alone, by its name.
    """

    def __init__(self, points: gpd.GeoDataFrame, sites: gpd.GeoDataFrame, terrain: Any,
                 around: Any, digest: str, parts: Parts | None = None,
                 layer: Callable[[str], Any] | None = None) -> None:
        self.points, self.sites, self.digest = points, sites, digest
        self.parts = dict(parts or {})
        self._terrain, self._around, self._layer = terrain, around, layer
        self._coming: Future[Terrain | None] | None = None
        self._layers: dict[str, Any] = {}

    def look_ahead(self) -> None:
        """Begin to fetch the ground in a thread of its own; who looks at it waits for it."""
        if callable(self._terrain) and "terrain" not in self.__dict__ and self._coming is None:
            pool = ThreadPoolExecutor(1, thread_name_prefix="phusong-ground")
            self._coming = pool.submit(self._terrain)
            pool.shutdown(wait=False)

    @cached_property
    def terrain(self) -> Terrain | None:
        """The ground."""
        if self._coming is not None:
            return self._coming.result()
        return self._terrain() if callable(self._terrain) else self._terrain

    @cached_property
    def around(self) -> Surroundings:
        """Everything else."""
        return self._around() if callable(self._around) else self._around

    def layer(self, name: str) -> Any:
        """Return one table of `around`; the others are not opened for it."""
        if self._layer is None or "around" in self.__dict__:
            return getattr(self.around, name)
        if name not in self._layers:
            self._layers[name] = self._layer(name)
        return self._layers[name]


def read(study: Study, copies: Path | None = None) \
        -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame, Terrain | None, Surroundings]:
    """Read and check every input of a study.

    Parameters
    ----------
    study : Study
        As `Study.read` returns it.
    copies : Path, optional
        Folder where rasters are kept as they were read, as Cloud-Optimised GeoTIFF, and found
        again.

    Returns
    -------
    points, sites, terrain, around
        POINTS, SITES (standing), `Terrain` (None if the study names none) and
        `Surroundings`, everything in the study's working CRS.

    Raises
    ------
    InputError
        With all faults of all files at once.
    """
    return sources.collect(study.sources, folder=study.folder, profile=study.profile,
                           crs=study.crs, radio=study.radio, targets=study.targets, copies=copies)


def take_in(study: Study, store: Store | None = None) -> Intake:
    """Return the inputs of a study as they were kept, or read them and keep them.

    Parameters
    ----------
    study : Study
        Which study.
    store : Store, optional
        Where they are kept; None = read the files.

    Raises
    ------
    InputError
        With all faults of all files at once.
    """
    if store is None:
        return Intake(*read(study), inputs_digest(study))
    key = inputs_digest(study)
    found = _recalled(study, store, key)
    if found is None:
        _keep(store, key, *read(study, store.folder / RASTERS))
        found = _recalled(study, store, key)
        assert found is not None
    return found


def inputs_digest(study: Study) -> str:
    """Return a hash of the program, of how the study reads its files, and of their bytes.

    Operators' reports are not among them: they count by way of the ledger.
    """
    named = study.sources.model_copy(update={"reports": ()})
    files = sources.files(named, folder=study.folder, targets=study.targets)
    bytes_of = [(Path(os.path.relpath(path, study.folder)).as_posix(), file_digest(path))
                for path in _all_files(files)]
    return key_of(program_digest(), named.model_dump(mode="json"), study.crs,
                  study.profile.model_dump(mode="json"), study.radio.model_dump(mode="json"),
                  [(t.name, t.file, t.kinds) for t in study.targets], sorted(bytes_of))


def _all_files(paths: Iterable[Path]) -> list[Path]:
    found: set[Path] = set()
    for path in paths:
        # a shapefile is several files; all of them count
        found |= set(path.parent.glob(f"{path.stem}.*")) if path.suffix == ".shp" else {path}
    return sorted(p for p in found if p.is_file())


def _keep(store: Store, key: str, points: gpd.GeoDataFrame, sites: gpd.GeoDataFrame,
          terrain: Terrain | None, around: Surroundings) -> None:
    """Keep every part, and last the list of parts: an intake is there whole or not at all."""
    parts = ["points", "sites"]
    store.put("points", key, points)
    store.put("sites", key, sites)
    if terrain is not None:
        about = {"transform": tuple(terrain.transform)[:6], "source": terrain.source,
                 "crs": terrain.crs.to_wkt()}
        for name, array in (("heights", terrain.heights), ("clutter", terrain.clutter)):
            if array is not None:
                store.keep_array(name, key, array, **about)
                parts.append(name)
    for field in dataclasses.fields(around):
        value = getattr(around, field.name)
        if isinstance(value, Raster):
            store.keep_array(field.name, key, value.values, source=value.source,
                             transform=tuple(value.transform)[:6], crs=value.crs.to_wkt())
        elif isinstance(value, pd.DataFrame) and field.name != "readings":
            store.put(field.name, key, value)
        else:
            continue
        parts.append(field.name)
    read_from = around.readings
    units, tables = _as_tables(around.units)
    for name, table in tables.items():
        store.put(name, key, table)
    store.keep_note("intake", key, {"key": key, "parts": parts, "tables": list(tables),
                                    "units": units, "readings": None if read_from is None else
                                    {"columns": list(read_from.columns),
                                     "rows": read_from.to_numpy(object).tolist()},
                                    "faults": [dataclasses.asdict(f) for f in around.faults]})


def _as_tables(register: Register | None) -> tuple[dict[str, Any] | None, dict[str, pd.DataFrame]]:
    """Take a register of units apart: what JSON can hold, and the tables in it."""
    if register is None:
        return None, {}
    tables = {f"units_list_{n}": listed.centres for n, listed in enumerate(register.lists)
              if listed.centres is not None}
    tables |= {f"units_walk_{n}": walk.pieces for n, walk in enumerate(register.walks)}
    plain = {"lists": [[listed.day, dict(listed.units), listed.kinds]
                       for listed in register.lists],
             "walks": [[walk.before, walk.after, walk.partial] for walk in register.walks]}
    return plain, tables


def _register(plain: dict[str, Any], tables: dict[str, pd.DataFrame]) -> Register:
    """Put a register of units together again; see `_as_tables`."""
    day = dt.date.fromisoformat
    return Register(
        tuple(UnitList(day(on), {code: (name, province) for code, (name, province) in
                                 units.items()}, tuple(kinds), tables.get(f"units_list_{n}"))
              for n, (on, units, kinds) in enumerate(plain["lists"])),
        tuple(Crosswalk(tables[f"units_walk_{n}"], day(before), day(after), partial)
              for n, (before, after, partial) in enumerate(plain["walks"])))


def _recalled(study: Study, store: Store, key: str) -> Intake | None:
    note = store.note_of("intake", key)
    if note.get("key") != key:
        return None
    points, sites = store.recall("points", key), store.recall("sites", key)
    if points is None or sites is None:
        return None

    def array(name: str) -> Any:
        """Return values and note of an array; read the files again if it is damaged."""
        values = store.recall_array(name, key)
        return None if values is None else (values, store.note_of(name, key))

    def terrain() -> Terrain | None:
        if "heights" not in note["parts"]:
            return None
        heights = array("heights")
        clutter = array("clutter") if "clutter" in note["parts"] else (None, {})
        if heights is None or clutter is None:
            return read(study, store.folder / RASTERS)[2]
        about = heights[1]
        return Terrain(heights[0], Affine(*about["transform"]), about["crs"], points.crs,
                       about["source"], clutter[0])

    def around() -> Surroundings:
        layers: dict[str, Any] = {}
        for name in note["parts"]:
            if name in ("points", "sites", "heights", "clutter"):
                continue
            if name == "population":
                found = array(name)
                layers[name] = found and Raster(found[0], Affine(*found[1]["transform"]),
                                                found[1]["crs"], found[1]["source"])
            else:
                layers[name] = store.recall(name, key)
            if layers[name] is None:
                return read(study, store.folder / RASTERS)[3]
        tables = {name: store.recall(name, key) for name in note["tables"]}
        if any(table is None for table in tables.values()):
            return read(study, store.folder / RASTERS)[3]
        if note["readings"] is not None:
            layers["readings"] = pd.DataFrame(note["readings"]["rows"],
                                              columns=note["readings"]["columns"])
        if note["units"] is not None:
            layers["units"] = _register(note["units"], tables)  # type: ignore[arg-type]
        return Surroundings(**layers, reports=sources.reports(study.sources, study.folder),
                            faults=tuple(Fault(**f) for f in note["faults"]))

    def layer(name: str) -> Any:
        if name not in note["parts"]:
            return None
        found = store.recall(name, key)
        return getattr(around(), name) if found is None else found

    parts = {f"inputs.{name}": (name, key) for name in ("intake", *note["parts"], *note["tables"])}
    return Intake(points, sites, terrain, around, key, parts, layer)
