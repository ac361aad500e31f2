"""The one room with HTTP: open data fetched by name, whole or not at all, with their licence."""

from phusong.sources.fetch.catalogue import Catalogue, Offer, Place
from phusong.sources.fetch.errand import Fetched, fetch
from phusong.sources.fetch.overpass import download_osm
from phusong.sources.fetch.telling import told

__all__ = ["Catalogue", "Fetched", "Offer", "Place", "download_osm", "fetch", "told"]
