"""`Study`: everything a study file says, checked before anything runs.

``data/raw/<study>/study.yml`` stands beside its input files.  Unknown keys
are refused with the nearest spelling; all faults are told at once, each with
its place in the file.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field, PrivateAttr, ValidationError, field_validator, model_validator

from phusong.backhaul import Feeder
from phusong.cost import Costs
from phusong.errors import Fault, MissingFileError, StudyError
from phusong.ledger.reporting import Reporting
from phusong.nouns import Noun, Text, nearest
from phusong.plan import Goal, Works
from phusong.profile import Profile
from phusong.progress import Target
from phusong.radio.budget import Radio
from phusong.service import DEFINITIONS, Need
from phusong.siting import Siting
from phusong.sources.fetch.catalogue import Place
from phusong.sources.source import CommunesSource, Source

__all__ = ["Sources", "Study"]


class Sources(Noun):
    """The input files of a study, by the part they play.

    Parameters
    ----------
    points, sites, terrain : tuple of Source
        Places of learning, communes and villages; cells; height rasters.
    communes, roads, power_lines, population, land_cover, water, protected, public_land,
    footprints, measurements, lockdowns : Source or None
        Optional layers; a study without them degrades with clear words.
    reports : tuple of str
        File patterns of operators' reports.
    """

    points: tuple[Source, ...] = Field(min_length=1)
    sites: tuple[Source, ...] = ()
    terrain: tuple[Source, ...] = ()
    communes: CommunesSource | None = None
    roads: Source | None = None
    power_lines: Source | None = None
    population: Source | None = None
    land_cover: Source | None = None
    water: Source | None = None
    protected: Source | None = None
    public_land: Source | None = None
    footprints: Source | None = None
    measurements: Source | None = None
    lockdowns: Source | None = None
    reports: tuple[str, ...] = ()

    @field_validator("points", "sites", "terrain", mode="before")
    @classmethod
    def _one_or_many(cls, given: Any) -> Any:
        return [given] if isinstance(given, (str, dict)) else given


class Study(Noun):
    """A planning study.

    Parameters
    ----------
    name : str
        Short name; results go to ``data/processed/<name>`` and ``maps/<name>``.
    title : Text
        What the briefing is headed.
    fictional : bool
        Whether the data are invented; every output says so.
    profile : Profile
        What the country adds (the file names one, e.g. ``vietnam``).
    crs : str
        Working CRS in metres, or ``auto`` for the UTM zone of the points.
    as_of : date or None
        Day the study speaks of; None = today.
    place : Place or None
        Box and country, for `phusong fetch`; nothing else reads it.
    sources : Sources
        Input files.
    radio : Radio
        Propagation model, ranges, presets.
    definitions : dict of str to Need
        Named definitions of "covered", beside those the program brings.
    need : Need
        The definition that statuses are judged by (the file names one).
    siting : Siting
        How candidate sites are found.
    feeder : Feeder
        How new sites may reach the network.
    costs : Costs
        Unit costs and how they are discounted.
    goal : Goal
        What a plan shall achieve.
    works : Works
        Crews, lead times, rain, money by quarter.
    targets : tuple of Target
        Dated promises.
    operators : dict of str to Reporting
        How each operator writes its reports: column names, CRS, which files.
    """

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")
    title: Text = Text()
    fictional: bool = False
    profile: Profile
    crs: str = "auto"
    as_of: dt.date | None = None
    place: Place | None = None
    sources: Sources
    radio: Radio = Radio()
    definitions: dict[str, Need] = Field(default_factory=dict)
    need: Need
    siting: Siting = Siting()
    feeder: Feeder = Feeder()
    costs: Costs
    goal: Goal
    works: Works = Works()
    targets: tuple[Target, ...] = ()
    operators: dict[str, Reporting] = Field(default_factory=dict)

    _folder: Path = PrivateAttr(default=Path())
    _path: Path = PrivateAttr(default=Path())

    @model_validator(mode="before")
    @classmethod
    def _resolve_names(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            raise ValueError("a study file is a list of keys and values")
        given = dict(values)
        if isinstance(given.get("profile", "generic"), str):
            given["profile"] = Profile.load(given.get("profile", "generic"))
        definitions = _definitions(given)
        given["definitions"] = definitions
        given["need"] = _named(given.get("need", "data"), definitions, "need")
        given["goal"] = _with_need(given.get("goal"), definitions, given["need"], "goal")
        given["targets"] = [_with_need(t, definitions, given["need"], f"targets[{i}]")
                            for i, t in enumerate(given.get("targets") or ())]
        profile = given["profile"]
        if isinstance(given.get("costs") or {}, dict) and isinstance(profile, Profile):
            given["costs"] = {**Costs.of_profile(profile), **(given.get("costs") or {})}
        if isinstance(given.get("feeder") or {}, dict) and isinstance(profile, Profile):
            given["feeder"] = {**Feeder.of_profile(profile), **(given.get("feeder") or {})}
        radio = given.get("radio") or {}
        if (isinstance(radio, dict) and isinstance(profile, Profile)
                and not {"delta_n", "n0", "climate"} & set(radio)):
            given["radio"] = {**radio, "climate": profile.radio_climate}
        return given

    @classmethod
    def read(cls, path: str | Path, *, folder: str | Path | None = None) -> Study:
        """Read a study file.

        Parameters
        ----------
        path : path
            The ``study.yml``.
        folder : path, optional
            Where the input files lie; by default beside the study file.

        Raises
        ------
        MissingFileError
            If there is no such file.
        StudyError
            With every fault in it, each with its place.
        """
        path = Path(path)
        try:
            text = path.read_text(encoding="utf-8-sig")
        except FileNotFoundError as error:
            raise MissingFileError(f"{path}: there is no such study file. "
                                   f'"phusong new NAME" makes one.') from error
        except (UnicodeDecodeError, IsADirectoryError) as error:
            raise StudyError(f"{path}: this is no UTF-8 text file ({error}).") from error
        try:
            values = yaml.load(text, Loader=_StrictLoader)
        except yaml.YAMLError as error:
            raise StudyError(f"{path}: not valid YAML: {error}") from error
        try:
            study = cls.model_validate(values)
        except ValidationError as error:
            raise StudyError.of(_faults(error, path.name)) from None
        study._path = path
        study._folder = Path(folder) if folder is not None else path.parent
        return study

    @property
    def folder(self) -> Path:
        """Where the input files lie."""
        return self._folder

    @property
    def path(self) -> Path:
        """The study file."""
        return self._path

    @property
    def day(self) -> dt.date:
        """The day the study speaks of: `as_of`, or today."""
        return self.as_of or dt.date.today()

    def on(self, day: dt.date) -> Study:
        """Return the same study speaking of another day."""
        study = self.model_copy(update={"as_of": day})
        study._path, study._folder = self._path, self._folder
        return study

    @property
    def needs(self) -> dict[str, Need]:
        """Every definition of covered in use, by name; the study's own first."""
        used = [self.need, self.goal.need, *(t.need for t in self.targets),
                *self.definitions.values()]
        return {need.name: need for need in reversed(used)}

    def __str__(self) -> str:
        return repr(self)

    def __repr__(self) -> str:
        return f"Study({self.name!r}: {self.title.in_language('en') or 'no title'})"


def _definitions(given: dict[str, Any]) -> dict[str, Need]:
    written = given.get("definitions") or {}
    if not isinstance(written, dict):
        raise ValueError("definitions: write name: {...} for each definition")
    known = dict(DEFINITIONS)
    for name, values in written.items():
        base = DEFINITIONS[name].model_dump() if name in DEFINITIONS else {}
        values = values.model_dump() if isinstance(values, Need) else (values or {})
        known[name] = Need.model_validate({**base, **values, "name": name})
    return known


def _named(given: Any, definitions: dict[str, Need], where: str) -> Need:
    if isinstance(given, Need):
        return given
    if not isinstance(given, str) or given not in definitions:
        raise ValueError(f'{where}: there is no definition of covered named "{given}". '
                         f"{nearest(str(given), definitions)}")
    return definitions[given]


def _with_need(given: Any, definitions: dict[str, Need], default: Need, where: str) -> Any:
    if given is not None and not isinstance(given, dict):
        return given
    values = dict(given or {})
    values["need"] = _named(values.get("need", default), definitions, f"{where}.need")
    return values


class _StrictLoader(yaml.SafeLoader):
    """Safe YAML that refuses the same key twice."""


def _mapping(loader: _StrictLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    # merged keys ("<<") may be overridden on purpose; only written ones are counted
    keys = [loader.construct_object(key, deep=True) for key, _ in node.value
            if key.tag != "tag:yaml.org,2002:merge"]
    doubled = sorted({str(k) for k in keys if keys.count(k) > 1})
    if doubled:
        raise yaml.constructor.ConstructorError(
            None, None, f'the key "{", ".join(doubled)}" stands twice', node.start_mark)
    loader.flatten_mapping(node)
    return loader.construct_mapping(node, deep=True)


_StrictLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def _faults(error: ValidationError, file: str) -> list[Fault]:
    found = []
    for item in error.errors():
        place = ".".join(str(part) for part in item["loc"])
        what = item["msg"].removeprefix("Value error, ")
        given = item.get("input")
        shown = f" (given: {given!r})" if isinstance(given, (str, int, float, bool)) else ""
        found.append(Fault("study", f"{place + ': ' if place else ''}{what}{shown}", file=file))
    return found
