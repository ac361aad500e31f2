"""Every real file of schools, towers, communes, rasters or roads, read by ``phusong check``.

    python benchmarks/reading.py --data ../shared/data     prints the table of docs/reading.md
    python benchmarks/reading.py --data ../shared/data --only lesotho

For each file a study of one source is written to a temporary folder and given to ``phusong check
--json``, as a newcomer would; the table shows rows in = accepted + mended + rejected, the rows that
``where`` sets aside, and why.  Files that are not there are left out.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml
from phusong.cli import app

VIETNAM = {"profile": "vietnam"}
FILES: list[tuple[str, str, dict[str, Any]]] = [
    # file, part it plays, what a planner says about it
    ("schools_vn_osm/truong_hoc_laichau_laocai.csv", "points", {"kind": "school", **VIETNAM}),
    ("schools_vn_osm/truong_hoc_messy_sample.csv", "points", {"kind": "school", **VIETNAM}),
    ("study_area/vn_lao_cai/schools.csv", "points", {"kind": "school", **VIETNAM}),
    ("study_area/andorra/schools.csv", "points", {"kind": "school"}),
    ("study_area/andorra/places.csv", "points", {"kind": "village", "columns": {"kind": ""}}),
    ("schools_kenya/kenya-secondary-schools.csv", "points", {"kind": "school"}),
    ("schools_kenya/kibera-combined-schools.geojson", "points", {"kind": "school"}),
    ("schools_giga/Rwanda_Remoteness.csv", "points", {"kind": "school"}),
    ("schools_giga/Rwanda_Impact.csv", "points", {"kind": "school"}),
    ("schools_giga/Rwanda_Connectivity.csv", "points", {"kind": "school"}),
    ("schools_giga/Botswana_Remoteness.csv", "points", {"kind": "school"}),
    ("schools_giga/Botswana_Impact.csv", "points", {"kind": "school"}),
    ("schools_giga/Mongolia_Remoteness.csv", "points", {"kind": "school"}),
    ("schools_giga/Mongolia_Impact.csv", "points", {"kind": "school"}),
    ("schools_giga/Mongolia_School_Connectivity.csv", "points", {"kind": "school"}),
    ("schools_rwanda_2025/schools.csv", "points", {"kind": "school"}),
    ("planning_itu_ibiza/points-of-interest.csv", "points", {"kind": "school"}),
    ("roads_rwanda/Hospitals.shp", "points", {"kind": "other"}),
    ("osm_places_quangtri/query_mineinfo_vietnam.json", "points", {"kind": "village", **VIETNAM,
                                                                   "columns": {"kind": ""}}),
    ("osm_andorra/andorra-20210622.osm.pbf", "points", {"kind": "school", "columns": {
        "kind": "amenity"}, "where": {"amenity": ["school", "college", "university",
                                                  "kindergarten"]}}),
    ("study_area/andorra/towers.csv", "sites", {"columns": {"technology": ""}}),
    ("study_area/vn_lao_cai/towers.csv", "sites", VIETNAM),
    ("towers_ised_canada/YT_towers.csv.gz", "sites", {}),
    ("towers_ised_canada/PE_towers.csv.gz", "sites", {}),
    ("towers_ised_canada/NL_west_towers.csv.gz", "sites", {}),
    ("towers_anfr_france/2022_09_30_Etat reseaux.csv", "sites", {}),
    ("towers_opencellid_lesotho/LesothoCellTowersData.csv", "sites", {}),
    ("towers_ivorycoast_d4d/ANT_POS.TSV", "sites", {"header": False, "columns": {
        "site_id": "1", "lon": "2", "lat": "3"}, "defaults": {"operator": "Orange CI"}}),
    ("coverage_sapa_vmm/opencellid_sample_noheader.csv", "sites", VIETNAM),
    ("coverage_sapa_vmm/osm_masts.geojson", "sites", VIETNAM),
    ("planning_itu_ibiza/cell-sites.csv", "sites", {}),
    ("osm_andorra/andorra-20210622.osm.pbf", "sites", {}),
    ("study_area/vn_lao_cai/communes_2025.gpkg", "communes", VIETNAM),
    ("study_area/andorra/parishes.gpkg", "communes", {"columns": {"commune_code": "iso"}}),
    ("admin_vn/communes_2025_simplified.gpkg", "communes", VIETNAM),
    *((f"admin_vn/communes_2025_full_{name}.gpkg", "communes", VIETNAM) for name in (
        "04_cao_bang", "08_tuyen_quang_ha_giang", "11_dien_bien", "12_lai_chau", "14_son_la",
        "15_lao_cai")),
    ("admin_vn/districts_2021_simplified.gpkg", "communes",
     {"columns": {"commune_code": "level2_id"}}),
    ("admin_vn/provinces_2021_simplified.gpkg", "communes",
     {"columns": {"commune_code": "level1_id"}}),
    ("admin_vn/communes_legacy_10040_points.csv.gz", "points",
     {"kind": "commune", **VIETNAM, "columns": {"point_id": "wardCode", "name": "ward", "lat":
                                                "wardLat", "lon": "wardLon", "commune_code":
                                                "wardCode", "kind": ""}}),
    ("admin_vn/gso_wards_legacy_10035_utf8bom.csv", "points",
     {"kind": "commune", **VIETNAM, "columns": {"kind": "", "commune_code": "Mã",
                                                "point_id": "Mã", "name": "Tên"}}),
    ("admin_vn/communes_2025_population_predecessors.csv.gz", "points",
     {"kind": "commune", **VIETNAM, "columns": {"kind": "", "commune_code": "maxa",
                                                "point_id": "maxa"}}),
    ("study_area/vn_lao_cai/communes_legacy_points.csv", "points",
     {"kind": "commune", **VIETNAM, "columns": {
         "kind": "", "lat": "wardLat", "lon": "wardLon", "commune_code": "wardCode",
         "point_id": "wardCode", "name": "ward"}}),
    ("admin_vn/crosswalk_legacy_to_2025.csv.gz", "crosswalk", {**VIETNAM, "list":
     "admin_vn/communes_legacy_10040_points.csv.gz"}),
    ("study_area/vn_lao_cai/crosswalk_legacy_to_2025_lao_cai_lai_chau.csv", "crosswalk",
     {**VIETNAM, "partial": True, "list": "study_area/vn_lao_cai/communes_legacy_points.csv"}),
    ("admin_vn/communes_legacy_10040_points.csv.gz", "units", VIETNAM),
    ("admin_vn/gso_wards_legacy_10035_utf8bom.csv", "units", VIETNAM),
    ("study_area/vn_lao_cai/communes_legacy_points.csv", "units", VIETNAM),
    ("roads_rwanda/Country.shp", "communes", {"columns": {"commune_code": "CONTRY_ID"}}),
    ("study_area/andorra/roads.gpkg", "roads", {}),
    ("study_area/andorra/power_lines.gpkg", "power_lines", {}),
    ("osm_andorra/andorra-20210622.osm.pbf", "roads", {}),
    ("osm_andorra/andorra-20130528.osm.pbf", "roads", {}),
    ("osm_andorra/andorra-20210622.osm.pbf", "power_lines", {}),
    ("roads_hanoi_osmnx/map.osm.gz", "roads", VIETNAM),
    ("roads_hanoi_osmnx/QTGfull.graphml", "roads", VIETNAM),
    ("roads_rwanda/Main_Roads.shp", "roads", {}),
    ("roads_rwanda/Lakes.shp", "water", {}),
    ("hydro_da_river/Reservoirs_Dariverbasin_Vietnam.gpkg", "water", VIETNAM),
    ("planning_itu_ibiza/mobile-coverage.gpkg", "footprints", {}),
    ("study_area/andorra/dem_srtm3_with_voids.tif", "terrain", {}),
    ("study_area/andorra/dem_srtm3_filled.tif", "terrain", {}),
    ("study_area/vn_lao_cai/dem_15s.tif", "terrain", {}),
    ("dem_vn_de15/vn_dem15s_epsg4326.tif", "terrain", {}),
    ("dem_vn_de15/vn_north_dem15s_u8_epsg3857.tif", "terrain", {}),
    *((f"dem_srtm3_tiles/{name}.hgt.zip", "terrain", {}) for name in (
        "N42E001", "N43E007", "N37W119", "N38W120")),
    ("pop_worldpop_vn/vnm_ppp_2020_1km_Aggregated_UNadj.tif", "population", {}),
    ("study_area/vn_lao_cai/population_worldpop_2020_1km.tif", "population", {}),
    ("landcover_vgtb_quangnam/VGTB_LandCover_2010_v2_reprojected.tif", "land_cover", {}),
    ("landcover_vgtb_quangnam/slope_reclass_reprojected.tif", "land_cover", {}),
]
CLASSES = {1: 0, 2: 0, 3: 8, 4: 15, 5: 15, 6: 2, 7: 0, 8: 0, 9: 0}
"""Heights of the classes of the Vu Gia-Thu Bon land cover, for the reader only."""
LAYER, CROSSWALK = ("admin_vn/communes_2025_simplified.gpkg",
                    "admin_vn/crosswalk_legacy_to_2025.csv.gz")
"""What stands beside a crosswalk, or beside a list of the communes of before."""
DEM = "dem_vn_de15/vn_dem15s_epsg4326.tif"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder of the files")
    parser.add_argument("--only", default="", help="only files whose name holds this")
    given = parser.parse_args()
    if given.data is None:
        print("Name the folder of the files: --data DIR")
        return
    data = given.data.resolve()
    print("| file | read as | rows | accepted | mended | rejected | why (rows) |")
    print("|---|---|---:|---:|---:|---:|---|")
    begun, files = time.process_time(), 0
    for file, role, said in FILES:
        if given.only not in file or not (data / file).exists():
            continue
        files += 1
        print(_row(file, role, _checked(data, file, role, dict(said))))
    print(f"\n{files} readings, {time.process_time() - begun:.0f} CPU-seconds.")


def _checked(data: Path, file: str, role: str, said: dict[str, Any]) -> dict[str, Any]:
    """Write a study of one source and return what ``phusong check --json`` says of it."""
    with tempfile.TemporaryDirectory() as folder:
        profile = said.pop("profile", "generic")
        stand_in = Path(folder) / "stand_in.csv"
        stand_in.write_text("id,name,lon,lat,learners\np,stand-in,108.0,15.6,1\n")
        sources: dict[str, Any] = {"points": [{"file": str(stand_in), "kind": "school"}]}
        one = {"file": file, **said}
        sources |= _played(role, one)
        study: dict[str, Any] = {"name": "reading", "profile": profile, "sources": sources}
        if role == "land_cover":
            sources["terrain"] = [{"file": DEM}]
            study["radio"] = {"clutter": {"heights_m": CLASSES}}
        path = Path(folder) / "study.yml"
        path.write_text(yaml.safe_dump(study, allow_unicode=True), encoding="utf-8")
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            app(["check", str(path), "--inputs", str(data), "--json"], standalone_mode=False)
    return json.loads(out.getvalue())


def _played(role: str, one: dict[str, Any]) -> dict[str, Any]:
    """Return the part of a study file that gives a file its role."""
    if role in ("crosswalk", "units"):
        walk = {"before": "2025-03-01", **one} if role == "crosswalk" else {
            "file": CROSSWALK, "before": "2025-03-01", "list": one}
        if isinstance(walk.get("list"), str):
            walk["list"] = {"file": walk["list"]}
        return {"communes": {"file": LAYER, "vintage": "2025-07-01", "crosswalk": walk}}
    return {role: [one] if role in ("points", "sites", "terrain") else one}


def _row(file: str, role: str, told: dict[str, Any]) -> str:
    reading = next((r for r in told.get("readings", ()) if r["file"] == file
                    and r["role"] == role), None)
    mine = [f for f in told["faults"] if f["file"] == file]
    if reading is None:
        return f"| `{file}` | {role} | refused | | | | {told.get('error', '')} |"
    why: dict[str, int] = {}
    for fault in sorted(mine, key=lambda f: ("error", "warning", "assumption").index(
            f["severity"])):
        mark = {"error": "**{}**", "warning": "{}", "assumption": "*{}*"}[fault["severity"]]
        name = mark.format(fault["code"])
        why[name] = why.get(name, 0) + fault["count"]
    aside = f"; {reading['set_aside']:,} set aside" if reading["set_aside"] else ""
    counts = [reading[c] for c in ("rows_in", "accepted", "mended", "rejected")]
    assert counts[0] == sum(counts[1:]), file
    listed = ", ".join(f"{name} ({n:,})" if n > 1 else name for name, n in why.items())
    return (f"| `{file}` | {role} | " + " | ".join(f"{n:,}" for n in counts)
            + f" | {listed}{aside} |")


if __name__ == "__main__":
    main()
