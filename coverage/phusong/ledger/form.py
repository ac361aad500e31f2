"""How an operator writes its reports: whose, under which names, in which system."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, ValidationError, field_validator

from phusong.errors import InputError
from phusong.geo import parse_crs
from phusong.ledger.events import canonical
from phusong.ledger.keep import sha256
from phusong.ledger.words import Aliases, match_headers
from phusong.nouns import Noun

__all__ = ["Form"]


class Form(Noun):
    """How an operator writes its reports.

    Parameters
    ----------
    subject : {"site", "gap", "claim", "check", "device"}
        What the report is about.
    operator : str
        Who sends it; empty = each row says.
    supposed : str
        Who sends it where a row does not say, by the name of the file; empty = nobody known.
    operators : tuple of str
        Known operators, as the study spells them.
    aliases : dict
        Our column -> the operator's own name or names for it.
    crs : str
        Of the coordinates, e.g. ``"EPSG:3405"`` (VN-2000 / UTM 48N); empty = what the file
        itself says, else longitude and latitude on WGS 84.
    area : (west, south, east, north) or None
        Where sites may lie, degrees on WGS 84; None = anywhere.
    sheet : str
        Sheet of a workbook or layer of a GeoPackage; empty = the first with a header.
    """

    subject: Literal["site", "gap", "claim", "check", "device"] = "site"
    operator: str = ""
    supposed: str = ""
    operators: tuple[str, ...] = ()
    aliases: dict[str, str | tuple[str, ...]] = Field(default_factory=dict)
    crs: str = ""
    area: tuple[float, float, float, float] | None = None
    sheet: str = ""

    @field_validator("crs")
    @classmethod
    def _known(cls, value: str) -> str:
        if value:
            parse_crs(value)
        return value

    @field_validator("aliases")
    @classmethod
    def _columns(cls, value: dict[str, str | tuple[str, ...]], info: Any
                 ) -> dict[str, str | tuple[str, ...]]:
        match_headers((), str(info.data.get("subject", "site")), value)
        return value

    def about(self, *, subject: Any, operator: str, aliases: Aliases, crs: str, sheet: str,
              supposed: str = "") -> Form:
        """Return the form of one operator's report, with the operators and area of this one.

        Raises
        ------
        InputError
            If a value makes no sense, with all reasons at once.
        """
        named: dict[str, str | tuple[str, ...]] = {
            ours: (names,) if isinstance(names, str) else tuple(names)
            for ours, names in aliases.items()}
        try:
            return Form(subject=subject, operator=operator, operators=self.operators,
                        aliases=named, crs=crs, area=self.area, sheet=sheet, supposed=supposed)
        except ValidationError as error:
            raise InputError(" ".join(str(e["msg"]).removeprefix("Value error, ")
                                      for e in error.errors())) from error

    @property
    def recipe(self) -> str:
        """Short hash of all that decides how a file is read."""
        leave_out = set() if self.supposed else {"supposed"}
        return sha256(canonical(self.model_dump(exclude=leave_out)).encode())[:16]
