"""The briefing: one page that opens anywhere, in two languages, with every number behind it.

`draw` makes a `folium.Map` for a notebook; `seal` and `save` make of it one
HTML file that asks nothing of any network.  This is the only room with folium.
"""

from phusong.maps.draw import draw
from phusong.maps.layer import BriefingLayer, BriefingMap, escaped
from phusong.maps.sealed import save, seal

__all__ = ["BriefingLayer", "BriefingMap", "draw", "escaped", "save", "seal"]
