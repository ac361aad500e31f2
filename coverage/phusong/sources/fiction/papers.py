"""The study file and the README that lie beside fictional data."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping

from phusong.sources.fiction.schools import LISTS

__all__ = ["README", "STUDY", "readme", "study_file"]

_AREA = {"commune": ("A fictional commune and its neighbours", "Một xã hư cấu và các xã lân cận"),
         "province": ("A fictional mountain province", "Một tỉnh miền núi hư cấu"),
         "country": ("A fictional country", "Một đất nước hư cấu")}

STUDY = """\
# FICTIONAL DATA / DỮ LIỆU HƯ CẤU: made from seed {seed}, size "{size}". No real place is described.
name: {name}
title:
  en: "{title_en} (seed {seed})"
  vi: "{title_vi} (mã gieo {seed})"
fictional: true
profile: vietnam
crs: auto
as_of: 2021-12-15
sources:
  points:
    - file: schools.csv
      kind: school
      columns: &school
        point_id: ma_truong
        name: ten_truong
        level: cap_hoc
        commune_code: ma_xa
        commune_name: ten_xa
        learners: so_hoc_sinh
        learners_poor: so_hs_ho_ngheo
        learners_near_poor: so_hs_can_ngheo
        lat: vi_do
        lon: kinh_do
        targets: danh_sach
        source: nguon
      licence: "fictional, CC0-1.0"
    - file: branch_schools.csv
      kind: branch_school
      columns: {{<<: *school, parent_id: ma_truong_chinh}}
      licence: "fictional, CC0-1.0"
{further}    - file: villages.csv
      kind: village
      columns:
        point_id: ma_thon
        name: ten_thon
        commune_code: ma_xa
        commune_name: ten_xa
        lat: vi_do
        lon: kinh_do
        learners: so_hoc_sinh   # 0: learners are counted at their schools
        learners_poor: so_hs_ho_ngheo
        learners_near_poor: so_hs_can_ngheo
        targets: danh_sach
        source: nguon
      licence: "fictional, CC0-1.0"
    - file: commune_centres.csv
      kind: commune
      columns:
        point_id: ma_xa
        name: ten_xa
        lat: vi_do
        lon: kinh_do
        learners: so_hoc_sinh
        learners_poor: so_hs_ho_ngheo
        learners_near_poor: so_hs_can_ngheo
        source: nguon
      licence: "fictional, CC0-1.0"
  sites:
    - {{file: cells.csv, licence: "fictional, CC0-1.0", date: 2021-12-15}}
  terrain:
    - {{file: dem.tif, licence: "fictional, CC0-1.0"}}
  communes:
    file: communes.gpkg
    columns: {{commune_code: ma_xa, name: ten_xa, province_code: ma_tinh, population: dan_so}}
    licence: "fictional, CC0-1.0"
  roads: {{file: roads.gpkg, licence: "fictional, CC0-1.0"}}
  power_lines: {{file: power_lines.gpkg, licence: "fictional, CC0-1.0"}}
  population: {{file: population.tif, licence: "fictional, CC0-1.0"}}
  lockdowns:
    file: lockdowns.csv
    columns: {{commune_code: ma_xa, lockdown_from: tu_ngay, lockdown_to: den_ngay}}
    licence: "fictional, CC0-1.0"
{footprints}  reports: [reports/*.csv, reports/*.xlsx]
definitions:
  voice:
    label: {{en: "Voice", vi: "Thoại"}}
    received_dbm: -115
    source: "engineering convention, not regulation"
  data:
    label: {{en: "Data (4G)", vi: "Dữ liệu (4G)"}}
    received_dbm: -110
    source: "engineering convention, not regulation"
  class:
    label: {{en: "Video lessons", vi: "Học trực tuyến"}}
    received_dbm: -105
    source: "engineering convention, not regulation"
need: data
goal: {{need: data, max_sites: 10}}
targets:
  - name: {list_1}
    label: {{en: "{n_1} places under distancing", vi: "{n_1} điểm đang giãn cách"}}
    start: 2021-09-12
    deadline: 2021-09-30
    goal: {n_1}
    need: data
    source: "fictional; in proportion to the 283 points of the programme of September 2021"
  - name: {list_2}
    label: {{en: "{n_2} other places", vi: "{n_2} điểm khác"}}
    start: 2021-09-12
    deadline: 2022-01-31
    goal: {n_2}
    need: data
    source: "fictional; in proportion to the 1,910 points of the programme of September 2021"
"""

_FURTHER = """\
    - file: {file}
      kind: {kind}
      columns: *school
      licence: "fictional, CC0-1.0"
"""

_FOOTPRINTS = """\
  footprints:
    file: footprints.gpkg
    columns: {operator: nha_mang, technology: cong_nghe, date: ngay, source: nguon}
    licence: "fictional, CC0-1.0"
"""

README = """\
FICTIONAL DATA / DỮ LIỆU HƯ CẤU
===============================
Everything in this folder was made by phusong from seed {seed} (size "{size}"). No place, school,
mast or person in it is real. Names of places are put together from syllables; any likeness is
chance. The operators' names are real, their masts are not. Commune codes look like Vietnamese ones
and mean nothing. The area lies at real coordinates where quite other mountains stand.

Files
-----
study.yml             the study; run it with: phusong run {name}
dem.tif               heights, metres, EPSG:4326, {arcsec}"; -32768 = void ({voids} pixels)
communes.gpkg         {communes} communes
schools.csv           {schools} schools; cap_hoc is a set of levels joined by ";"
branch_schools.csv    {branches} branch schools (điểm trường) with their main school
vocational.csv, continuing_education.csv, community_learning_centres.csv
                      {others} further places of learning (a file is left out where there are none)
villages.csv          {villages} villages; commune_centres.csv: seats of the communes
cells.csv             {cells} cells of three operators as of 15 December 2021
roads.gpkg, power_lines.gpkg, population.tif, lockdowns.csv
footprints.gpkg       LTE coverage as {declared} operators declare it (left out where none does)
reports/              operators' weekly reports, October to December 2021
truth/truth.csv       what is really on air when (one row per cell and span of time)
truth/report_rows.csv which row of which report is faulty, and how
truth/claims.csv      which communes a footprint claims whole, or forgets

Gaps and faults put in on purpose
---------------------------------
Places of learning without enrolment: {no_learners}. Villages and seats of communes have 0
learners, because learners are counted at their schools.

cells.csv, of {cells} cells: height missing {missing_height} ({share_height}), height a placeholder
of 1.0 m {placeholder_height} ({share_placeholder}), power (EIRP) missing {missing_power}
({share_power}), azimuth missing in a sector {missing_azimuth} ({share_azimuth}); {doubled} rows
stand twice ({share_doubled}). A cell with beamwidth 360 has no azimuth because it is
omnidirectional.

footprints.gpkg claims {whole} times a whole commune, wherever the signal ends, and forgets
{forgotten} times a commune; elsewhere it follows a coarse guess of its own.

reports/: {report_rows} rows, of which {report_faults}. VNPT writes decimal commas, semicolons and
31/12/2021; Viettel sends workbooks with a title above the header. Rows with a wrong place, swapped
coordinates or no code come again, right, one to three weeks later; rows called "retracted" speak
of masts that never stood.

Target lists (column danh_sach): {list_1} {n_1} places, {list_2} {n_2} places, in the proportions of
283 and 1,910, the points of the programme of September 2021.
"""


def study_file(values: Mapping[str, object], further: Mapping[str, str]) -> str:
    """Return the text of ``study.yml``.

    Parameters
    ----------
    values : mapping
        ``name``, ``seed``, ``size``, ``n_1``, ``n_2``, ``declared`` (operators with footprints).
    further : mapping of str to str
        File of further places of learning -> kind.
    """
    title_en, title_vi = _AREA[str(values["size"])]
    more = "".join(_FURTHER.format(file=file, kind=kind) for file, kind in further.items())
    return STUDY.format(**values, title_en=title_en, title_vi=title_vi, further=more,
                        footprints=_FOOTPRINTS if values["declared"] else "",
                        list_1=LISTS[0], list_2=LISTS[1])


def readme(values: Mapping[str, object]) -> str:
    """Return the text of ``README.txt``; shares are worked out from the counts in `values`."""
    shares = {f"share_{short}": f"{int(str(values[long])) / int(str(values['cells'])):.1%}"
              for short, long in (("height", "missing_height"), ("power", "missing_power"),
                                  ("placeholder", "placeholder_height"), ("doubled", "doubled"),
                                  ("azimuth", "missing_azimuth"))}
    text = README.format(**values, **shares, list_1=LISTS[0], list_2=LISTS[1])
    head, rule, tail = text.rpartition("-----\n")
    paragraphs = (textwrap.fill(" ".join(part.split()), 96) for part in tail.split("\n\n"))
    return head + rule + "\n\n".join(paragraphs) + "\n"
