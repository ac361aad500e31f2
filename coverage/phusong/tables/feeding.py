"""The tables of feeders: what could be built, and what a plan builds."""

from __future__ import annotations

from phusong.tables.declaration import Column, declare

__all__ = ["FEEDERS", "HOPS", "MEDIA"]

MEDIA = ("microwave", "fibre", "satellite", "relay")

_BAND = Column("band_ghz", "float", "Band of a microwave hop, or of the cell a light site relays.",
               low=0.1, high=100)
_LENGTH = Column("length_m", "float", "Straight length; of fibre along roads, the length of the "
                 "road; empty = to a satellite.", low=0)
_CLEARANCE = Column("clearance", "float", "Least clearance over terrain in radii of the first "
                    "Fresnel zone, k = 4/3; empty = terrain not known, or no radio hop.")
_RAIN = Column("rain_db", "float", "Rain attenuation exceeded 0.01 % of a year.", low=0)
_ENDS = (Column("from_x", "float", "Where the hop leaves from, working CRS.", True, True),
         Column("from_y", "float", "Where the hop leaves from, working CRS.", True, True),
         Column("to_x", "float", "Where it leads, working CRS; empty = to a satellite."),
         Column("to_y", "float", "Where it leads, working CRS; empty = to a satellite."))

HOPS = declare(
    "HOPS", ("from_id", "to_id", "medium"), "Feeders that could be built: each pair of places and "
    "each medium once. medium: microwave, fibre, satellite (to_id empty), or relay (a light site "
    "that relays a standing mast in its own band).",
    *_ENDS,
    Column("to_standing", "bool", "Whether it leads to a standing mast.", True, True),
    _BAND, _LENGTH, _CLEARANCE, _RAIN,
    Column("along_road", "bool", "Whether a fibre's length is that of a road; else it is straight "
           "and priced with a route factor.", True, True),
)

FEEDERS = declare(
    "FEEDERS", ("site_id", "hop"), "How each site of a plan reaches the network: hop 1 leaves from "
    "the site, the last one arrives at a standing mast or at a satellite. A hop that several "
    "sites use stands in the rows of each, and is paid by one. Sites on a standing mast and "
    "satellite terminals have no rows.",
    Column("from_id", "text", "Where the hop leaves from: the site, or the place of another site "
           "or of a relay.", True, True),
    Column("to_id", "text", "Where it leads: a place or a standing mast; empty = a satellite.",
           True),
    *_ENDS,
    Column("medium", "text", "What it is.", True, True, allowed=MEDIA),
    _BAND, _LENGTH, _CLEARANCE, _RAIN,
    Column("along_road", "bool", "Whether a fibre's length is that of a road."),
    Column("relay", "bool", "Whether a mast is put up at its far end only to pass it on.",
           True, True),
    Column("cost_low", "float", "Present value of the hop with that mast, low.", low=0),
    Column("cost", "float", "Present value of the hop with that mast.", True, True, low=0),
    Column("cost_high", "float", "Present value of the hop with that mast, high.", low=0),
    Column("paid_by", "text", "The site on whose bill it stands: the first that needed it.",
           True, True),
    Column("sites", "int", "How many sites of the plan use it.", True, True, low=1),
    Column("cost_share", "float", "cost / sites.", True, True, low=0),
    Column("currency", "text", "Currency code."),
    Column("capacity_mbps", "float", "What a satellite feeder carries; empty = not limited here.",
           low=0),
)
