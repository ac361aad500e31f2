"""Where something could be built for the gaps: tops, clusters, roadsides, standing masts, sky."""

from __future__ import annotations

from phusong.siting.propose import propose
from phusong.siting.settings import Siting

__all__ = ["Siting", "propose"]
