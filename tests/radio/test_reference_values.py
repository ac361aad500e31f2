"""The installed engine against reference values from outside."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from phusong.errors import InputError, MissingFileError, UnknownNameError
from phusong.paths import pack
from phusong.radio import MODELS, Medium, path_loss
from phusong.radio.diffraction import knife_edge_loss
from phusong.radio.entry import entry_loss_db
from phusong.radio.hata import hata_loss_db
from phusong.radio.p526 import diffraction
from phusong.radio.p1812 import intermediates
from phusong.radio.rma import rma_nlos_loss_db
from phusong.verify import Check, verify, verify_radio
from phusong.verify.checks import compare
from phusong.verify.radio import FOLDERS

LEAST_CASES = {"p1812": 63, "p452": 500, "delta_bullington": 20, "itm": 5, "hata": 240,
               "antenna": 400, "clutter_bel": 300, "numerics": 80, "link_budget": 4}


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_published_value(shared: Path, folder: str) -> None:
    """All values of a folder lie within the tolerance, and there are enough of them."""
    vectors = shared / "vectors" / "propagation" / folder
    if not vectors.is_dir():
        pytest.skip(f"no {folder} among the reference values")
    checks = FOLDERS[folder](vectors)
    assert [check for check in checks if not check.ok] == []
    assert sum(check.cases for check in checks) >= LEAST_CASES[folder]


def test_tolerances_are_those_of_the_issue(shared: Path) -> None:
    limits = {"p1812": 1e-6, "p452": 1e-6, "delta_bullington": 0.01, "itm": 0.05}
    for check in verify_radio(shared / "vectors" / "propagation"):
        folder = check.name.split("/")[0]
        assert check.tolerance_db <= limits.get(folder, 1e-4), check


# Rows that need no shared folder: facts printed in the sources named.

def test_knife_edge_has_the_right_sign() -> None:
    """P.526: grazing costs 6 dB, an obstacle costs more, clearance costs nothing."""
    assert knife_edge_loss(0.0) == pytest.approx(6.0328, abs=1e-3)
    assert knife_edge_loss(2.4) == pytest.approx(20.54, abs=0.02)
    assert knife_edge_loss(-0.78) == 0.0
    assert knife_edge_loss(1.0) > knife_edge_loss(0.5) > 0.0


def test_flat_land_100_km() -> None:
    """L_d50 of ITU's flat land profile: 100 km, 10 m antennas, vertical."""
    paths = pack([np.linspace(0.0, 100e3, 101)], [np.zeros(101)])
    for f_mhz, told in ((2000.0, 99.60559847), (100.0, 67.30014953)):
        ours = diffraction(paths, f_mhz, 10.0, 10.0, effective_radius_km=8735.511968,
                           speed_of_light_m_per_s=2.998e8)[0, 0]
        assert ours == pytest.approx(told, abs=1e-5)


def test_short_flat_path() -> None:
    """P.1812 on 510 m of flat land, computed by two other programs to 5e-10 dB."""
    paths = pack([np.linspace(0.0, 510.0, 18)], [np.full(18, 5.0)])
    found = intermediates(paths, 2100.0, 30.0, 1.5,
                          Medium(delta_n=54.6, n0=377.6, location_percent=10.0,
                                 latitude_deg=14.23))
    assert found["lb_db"][0] == pytest.approx(93.0093305946, abs=1e-6)
    assert found["sigma_location_db"][0] == pytest.approx(1.7603476407, abs=1e-9)
    assert found["theta_t_mrad"][0] == pytest.approx(-55.85031544, abs=1e-7)
    assert found["lbs_db"][0] == pytest.approx(135.6658566, abs=1e-6)


def test_closed_forms() -> None:
    assert float(hata_loss_db(150.0, 1000.0, 30.0, 1.0, "urban_large")) == pytest.approx(
        106.8712218647112, abs=1e-9)
    assert float(rma_nlos_loss_db(5000.0, 5000.0, 35.0, 1.5)) == pytest.approx(160.5169, abs=1e-4)
    assert float(entry_loss_db(900.0)) == pytest.approx(14.24, abs=0.01)


def test_free_space() -> None:
    """P.525: 92.45 dB at 1 km and 1 GHz, 20 dB more for ten times the distance."""
    paths = pack([np.array([0.0, 1e3]), np.array([0.0, 1e4])], [np.zeros(2), np.zeros(2)])
    loss = path_loss("free_space", paths, 1000.0, 10.0, 10.0)
    assert loss[0] == pytest.approx(92.4478, abs=1e-4)
    assert loss[1] - loss[0] == pytest.approx(20.0, abs=1e-9)


# The command's own behaviour.

def test_a_wrong_value_fails() -> None:
    good = compare("x", [1.0, 2.0], [1.0, np.nan], 1e-6)
    bad = compare("x", [1.0, 2.0], [1.0, 2.1], 1e-6)
    missing = compare("x", [np.nan], [1.0], 1e-6)
    empty = compare("x", [], [], 1e-6)
    assert (good.ok, good.cases) == (True, 1)
    assert not bad.ok
    assert bad.max_abs_error_db == pytest.approx(0.1)
    assert not missing.ok
    assert not empty.ok
    assert json.loads(json.dumps(missing.as_dict()))["max_abs_error_db"] is None


def test_a_spoiled_file_is_noticed(shared: Path, tmp_path: Path) -> None:
    """One figure changed in a table makes exactly its check fail."""
    source = shared / "vectors" / "propagation" / "hata" / "cost231_hata.csv"
    lines = source.read_text().splitlines()
    cells = lines[1].split(",")
    cells[-1] = str(float(cells[-1]) + 0.001)
    lines[1] = ",".join(cells)
    (tmp_path / "hata").mkdir()
    (tmp_path / "hata" / "cost231_hata.csv").write_text("\n".join(lines) + "\n")
    assert sorted(check.ok for check in verify_radio(tmp_path)) == [False, True]


def test_no_vectors(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match="no folder"):
        verify_radio(tmp_path / "nowhere")
    with pytest.raises(InputError, match="holds none of"):
        verify_radio(tmp_path)
    (tmp_path / "hata").mkdir()
    (tmp_path / "hata" / "cost231_hata.csv").write_bytes(b"")
    with pytest.raises(InputError, match="cannot be read"):
        verify_radio(tmp_path)


def test_only_what_can_be_verified(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match='Did you mean "radio"'):
        verify("raido", tmp_path)


def test_check_is_plain() -> None:
    assert str(Check("a", 2, 0.5, 1e-6, False)) == (
        "FAIL a: 2 cases, off by at most 0.5 dB (allowed 1e-06)")
    assert set(Check("a", 1, 0.0, 1e-6, True).as_dict()) == {
        "name", "cases", "max_abs_error_db", "tolerance_db", "ok"}


def test_the_page_about_radio_names_every_model(root: Path) -> None:
    page = (root / "docs" / "radio.md").read_text(encoding="utf-8")
    for name, model in MODELS.items():
        assert f"`{name}`" in page
        assert model.edition in page
