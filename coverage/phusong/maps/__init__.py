"""The briefing: one page that opens anywhere, in two languages, with every number behind it.

`draw` makes a `folium.Map` for a notebook; `seal` and `save` make of it one
HTML file that asks nothing of any network; `hand_out` adds a one-page brief
(PDF, PNG), a workbook and an archive of all.  This is the only room with folium.
"""

from phusong.maps.brief import Brief, brief
from phusong.maps.content import Sheets
from phusong.maps.draw import OPENSTREETMAP, Tiles, draw, draw_sheets
from phusong.maps.handout import hand_out
from phusong.maps.layer import BriefingLayer, BriefingMap, escaped
from phusong.maps.provinces import part, province_names
from phusong.maps.sealed import save, seal
from phusong.maps.workbook import workbook

__all__ = ["OPENSTREETMAP", "Brief", "BriefingLayer", "BriefingMap", "Sheets", "Tiles", "brief",
           "draw", "draw_sheets", "escaped", "hand_out", "part", "province_names", "save", "seal",
           "workbook"]
