"""How large a fictional study is: extents, resolutions and counts, each size one row."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

__all__ = ["SIZES", "Scale", "SizeName"]

SizeName = Literal["commune", "province", "country"]


@dataclass(frozen=True, slots=True)
class Scale:
    """Extents, resolutions and counts of one size of study.

    Parameters
    ----------
    rows, columns : int
        Shape of the terrain grid.
    arcsec : int
        Pixel of the terrain, seconds of arc (1 = about 30 m).
    west, north : float
        Upper left corner, degrees.
    heights_m : (int, int)
        Lowest and highest ground, metres.
    levels : tuple of int
        Steps of erosion on each grid from the coarsest to the finest; each grid has half the
        cell of the one before; a negative number = refine without a new drainage tree.
    work, people : int
        Cells of the planning grid and of the population grid, in terrain pixels.
    provinces, communes, hamlets, villages : int
        How many provinces, communes, hamlets in all, and hamlets on the list of villages.
    towns : int
        How many communes are district towns; the first is the seat of the province.
    population : int
        People in all.
    area_share : float
        Share of the grid that lies inside the outline.
    learning : mapping of str to int
        How many places of learning, by kind and level.
    cells : int or None
        Exactly so many cells in the register; None = as they come.
    site_locations : int
        Places with a mast, before operators share them.
    lists : tuple of int
        Lengths of the two dated target lists, in the proportions of 283 to 1,910.
    lockdown_share : float
        Share of communes under distancing in autumn 2021.
    void_count : int
        Voids in the terrain.
    """

    rows: int
    columns: int
    arcsec: int
    west: float
    north: float
    heights_m: tuple[int, int]
    levels: tuple[int, ...]
    work: int
    people: int
    provinces: int
    communes: int
    hamlets: int
    villages: int
    towns: int
    population: int
    area_share: float
    learning: MappingProxyType[str, int]
    cells: int | None
    site_locations: int
    lists: tuple[int, int]
    lockdown_share: float
    void_count: int


def _learning(*counts: int) -> MappingProxyType[str, int]:
    kinds = ("mầm non", "tiểu học", "THCS", "tiểu học;THCS", "THPT", "THCS;THPT",
             "điểm trường", "GDNN", "GDTX", "TTHTCĐ")
    return MappingProxyType(dict(zip(kinds, counts, strict=True)))


SIZES: MappingProxyType[SizeName, Scale] = MappingProxyType({
    "commune": Scale(
        rows=448, columns=448, arcsec=1, west=104.20, north=21.95, heights_m=(320, 1780),
        levels=(60, 12, 5, 2),
        work=4, people=4, provinces=1, communes=5, hamlets=34, villages=8, towns=1,
        population=21_000, area_share=0.72, learning=_learning(4, 2, 2, 1, 1, 0, 5, 0, 0, 1),
        cells=None, site_locations=2, lists=(1, 7), lockdown_share=0.4, void_count=2),
    "province": Scale(
        rows=1200, columns=1280, arcsec=2, west=104.05, north=22.15, heights_m=(55, 2950),
        levels=(70, 12, 5, 2),
        work=2, people=2, provinces=1, communes=60, hamlets=480, villages=100, towns=8,
        population=318_000, area_share=0.68,
        learning=_learning(62, 38, 34, 24, 11, 3, 300, 3, 8, 60), cells=None,
        site_locations=60, lists=(12, 81), lockdown_share=0.25, void_count=14),
    "country": Scale(
        rows=7552, columns=6720, arcsec=3, west=102.60, north=23.20, heights_m=(55, 2980),
        levels=(60, 10, 4, -1, -1),
        work=8, people=2, provinces=63, communes=10_603, hamlets=84_000, villages=10_000,
        towns=705, population=98_500_000, area_share=0.808,
        learning=_learning(11_000, 9_700, 7_900, 2_600, 2_300, 400, 6_000, 500, 600, 2_000),
        cells=100_000, site_locations=8_500, lists=(283, 1_910), lockdown_share=0.25,
        void_count=1_600),
})
"""The three sizes.  Communes and schools of the country as in Vietnam in 2021: 10,603 communes
(1 July 2021), 43,000 places of learning."""
