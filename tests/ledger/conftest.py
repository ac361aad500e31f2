"""What the tests of the ledger share: reports written in one line, ledgers in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import geopandas as gpd
import pytest
from phusong.ledger import Ledger
from phusong.ledger.book import Book
from phusong.ledger.form import Form
from phusong.ledger.inventory import Inventory
from phusong.radio.budget import Radio

HEADER = ("action", "site_code", "cell_code", "date", "lat", "lon", "technology", "frequency",
          "height", "azimuth")
AREA = (102.0, 8.0, 110.0, 24.0)


@pytest.fixture
def csv(tmp_path: Path) -> Callable[..., Path]:
    """Write a report: rows of cells, semicolons between them."""

    def write(name: str, rows: Iterable[Iterable[object]],
              header: Iterable[str] = HEADER) -> Path:
        lines = [";".join(map(str, cells)) for cells in [tuple(header), *rows]]
        path = tmp_path / name
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    return write


@pytest.fixture
def ledger(tmp_path: Path) -> Iterable[Ledger]:
    """A ledger on disk, in UTM 48N, with northern Viet Nam as its area."""
    with Ledger.open(tmp_path / "book" / "ledger.sqlite", crs="EPSG:32648", area=AREA) as opened:
        yield opened


@pytest.fixture
def in_memory(tmp_path: Path) -> Callable[[], Ledger]:
    """Make ledgers that keep nothing."""

    def make(standing: gpd.GeoDataFrame | None = None) -> Ledger:
        book = Book.copy_of(tmp_path / "absent.sqlite")
        return Ledger(book, Form(area=AREA), "EPSG:32648", Radio(), Inventory.of(standing))

    return make
