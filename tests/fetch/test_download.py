"""One file over HTTP: resumed, retried, never half, never something else."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from phusong.errors import InputError
from phusong.sources.fetch.download import (
    AbsentError,
    Manners,
    UnreachableError,
    download,
    read_small,
)
from phusong.sources.fetch.formats import look
from rasterio.io import MemoryFile
from web import Web

BODY = np.random.default_rng(7).bytes(300_000)


def leftovers(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


def tiff() -> bytes:
    with MemoryFile() as memory:
        with memory.open(driver="GTiff", dtype="int16", count=1, width=64, height=64, tiled=True,
                         blockxsize=16, blockysize=16, compress="deflate", crs="EPSG:4326",
                         transform=Affine(0.001, 0, 103, 0, -0.001, 22)) as data:
            data.write(np.random.default_rng(3).integers(0, 2000, (64, 64)).astype(np.int16), 1)
        return bytes(memory.getbuffer())


def test_a_file_comes_whole_with_its_checksum(tmp_path: Path, web: Web, manners: Manners) -> None:
    url = web.put("/a.bin", BODY)
    seen: list[tuple[int, int]] = []
    got = download(url, tmp_path / "new/a.bin", manners=manners,
                   md5=hashlib.md5(BODY).hexdigest(),
                   progress=lambda _, done, of_all: seen.append((done, of_all)))
    assert got.path.read_bytes() == BODY
    assert (got.size, got.sha256, got.resumed_at) == (len(BODY),
                                                     hashlib.sha256(BODY).hexdigest(), 0)
    assert leftovers(tmp_path / "new") == ["a.bin"]
    assert seen == sorted(seen)
    assert {of_all for _, of_all in seen} == {len(BODY)}


def test_a_cut_connection_goes_on_where_it_stopped(tmp_path: Path, web: Web, manners: Manners,
                                                   pauses: list[float]) -> None:
    url = web.put("/a.bin", BODY, ("cut", 100_000), ("cut", 50_000))
    assert download(url, tmp_path / "a.bin", manners=manners).path.read_bytes() == BODY
    assert web.ranges("/a.bin") == ["", "bytes=100000-", "bytes=150000-"]
    assert len(pauses) == 2


def test_without_ranges_it_begins_anew(tmp_path: Path, web: Web, manners: Manners) -> None:
    url = web.put("/a.bin", BODY, ("cut", 100_000), resumable=False)
    assert download(url, tmp_path / "a.bin", manners=manners).path.read_bytes() == BODY
    assert web.ranges("/a.bin") == ["", ""]


def test_a_file_that_changed_meanwhile_is_not_glued_to_the_old_part(
        tmp_path: Path, web: Web, manners: Manners) -> None:
    web.put("/a.bin", BODY, *[("cut", 90_000), *[("cut", 0)] * 5])
    with pytest.raises(InputError, match="90,000 bytes are kept"):
        download(web.url + "/a.bin", tmp_path / "a.bin", manners=manners)
    assert not (tmp_path / "a.bin").exists()
    other = BODY[::-1]
    web.put("/a.bin", other)
    got = download(web.url + "/a.bin", tmp_path / "a.bin", manners=manners)
    assert got.path.read_bytes() == other
    assert leftovers(tmp_path) == ["a.bin"]


def test_always_cut_short_is_no_file(tmp_path: Path, web: Web, manners: Manners) -> None:
    (tmp_path / "a.bin").write_bytes(b"the old one")
    url = web.put("/a.bin", BODY, *[("cut", 0)] * 9)
    with pytest.raises(InputError, match="gave up 3 times"):
        download(url, tmp_path / "a.bin", manners=manners)
    assert (tmp_path / "a.bin").read_bytes() == b"the old one"


@pytest.mark.parametrize(("faults", "waited"), [
    ([503], [1.0]), ([429, 500], [1.0, 2.0]), ([("wait", 429, 7)], [7.0]),
    ([("wait", 503, 0)], [1.0])])
def test_a_busy_server_is_asked_again(tmp_path: Path, web: Web, manners: Manners,
                                      pauses: list[float], faults: list[object],
                                      waited: list[float]) -> None:
    url = web.put("/a.bin", BODY, *faults)
    assert download(url, tmp_path / "a.bin", manners=manners).size == len(BODY)
    assert pauses == waited


def test_a_server_that_wants_hours_is_not_waited_for(tmp_path: Path, web: Web, manners: Manners,
                                                     pauses: list[float]) -> None:
    url = web.put("/a.bin", BODY, ("wait", 429, 7200))
    with pytest.raises(InputError, match="asked again in 7200 s"):
        download(url, tmp_path / "a.bin", manners=manners)
    assert pauses == []
    url = web.put("/b.bin", BODY, ("wait", 503, "Wed, 21 Oct 2099 07:28:00 GMT"))
    with pytest.raises(InputError, match="asked again in"):
        download(url, tmp_path / "b.bin", manners=manners)


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_refusal_is_not_asked_again(tmp_path: Path, web: Web, manners: Manners,
                                      status: int) -> None:
    url = web.put("/a.bin", BODY, status, status)
    with pytest.raises(InputError, match=f"status {status}"):
        download(f"{url}?token=geheim", tmp_path / "a.bin", manners=manners, secret="geheim")
    assert len(web.asked) == 1


def test_no_message_and_no_file_shows_the_key(tmp_path: Path, web: Web, manners: Manners) -> None:
    url = web.put("/a.bin", BODY, *[("cut", 5)] * 2, *[("cut", 0)] * 9) + "?token=geheim"
    with pytest.raises(InputError) as told:
        download(url, tmp_path / "a.bin", manners=manners, secret="geheim")
    assert "geheim" not in str(told.value)
    assert all(b"geheim" not in p.read_bytes() for p in tmp_path.iterdir())


def test_absent_and_unreachable(tmp_path: Path, web: Web, manners: Manners) -> None:
    with pytest.raises(AbsentError, match="no such file"):
        download(f"{web.url}/none", tmp_path / "a", manners=manners)
    with pytest.raises(UnreachableError, match="HTTPS_PROXY"):
        download("http://127.0.0.1:9/a", tmp_path / "a", manners=manners)
    with pytest.raises(InputError, match="no address of the web"):
        download(f"file://{tmp_path}/x", tmp_path / "a", manners=manners)
    assert leftovers(tmp_path) == []


def test_silence_is_ended_by_the_time_out(tmp_path: Path, web: Web) -> None:
    patience = Manners(attempts=2, timeout_s=0.2, pause_s=0.0, sleep=lambda _: None)
    url = web.put("/a.bin", BODY, ("silent", 0.6), ("silent", 0.6))
    with pytest.raises(InputError, match="gave up 2 times"):
        download(url, tmp_path / "a.bin", manners=patience)


def test_too_large_is_refused_before_and_while(tmp_path: Path, web: Web,
                                               manners: Manners) -> None:
    for length in (True, False):
        url = web.put("/a.bin", BODY, length=length)
        with pytest.raises(InputError, match="are not fetched here"):
            download(url, tmp_path / "a.bin", manners=manners, most_bytes=100_000)
        assert leftovers(tmp_path) == []


def test_a_wrong_checksum_is_no_file(tmp_path: Path, web: Web, manners: Manners) -> None:
    with pytest.raises(InputError, match="checksum"):
        download(web.put("/a.bin", BODY), tmp_path / "a.bin", md5="0" * 32, manners=manners)
    assert leftovers(tmp_path) == []


def test_a_killed_download_goes_on(tmp_path: Path, web: Web, manners: Manners) -> None:
    url = web.put("/a.bin", BODY, slow_s=0.05)
    code = ("import sys; from pathlib import Path\n"
            "from phusong.sources.fetch.download import download\n"
            "download(sys.argv[1], Path(sys.argv[2]))")
    child = subprocess.Popen([sys.executable, "-c", code, url, str(tmp_path / "a.bin")])
    part = tmp_path / ".a.bin.part"
    for _ in range(2000):
        if part.exists() and part.stat().st_size > 60_000:
            break
        time.sleep(0.02)
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert not (tmp_path / "a.bin").exists()
    have = part.stat().st_size
    assert 60_000 < have < len(BODY)
    web.put("/a.bin", BODY)
    got = download(url, tmp_path / "a.bin", manners=manners)
    assert got.path.read_bytes() == BODY
    assert got.resumed_at == have
    assert web.ranges("/a.bin")[-1] == f"bytes={have}-"


def _packed(*files: tuple[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return out.getvalue()


def _bomb() -> bytes:
    honest = bytearray(_packed(("a.hgt", b"0" * 9000)))
    at = honest.rindex(b"PK\x01\x02") + 24
    honest[at:at + 4] = (3_900_000_000).to_bytes(4, "little")
    return bytes(honest)


@pytest.mark.parametrize(("holds", "body", "said"), [
    ("tiff", b"<!DOCTYPE html><html><title>Log in</title>", "web page.*Log in"),
    ("", b"\n<html><body>sorry", "web page"),
    ("tiff", b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>", "AccessDenied"),
    ("tiff", b"PK\x03\x04 not a raster", "no GeoTIFF"),
    ("tiff", tiff()[:2500], "cannot be read"),
    ("gzip", b'{"status":"error","message":"INVALID_DATA"}', "INVALID_DATA"),
    ("gzip", gzip.compress(BODY)[:9000], "cannot be unpacked"),
    ("geojson", b"version https://git-lfs.github.com/spec/v1\noid sha256:00", "Git LFS"),
    ("geojson", b'{"type": "FeatureCollection", "features": []}', "no features"),
    ("geojson", b'{"type": "FeatureCollection", "features": [', "no GeoJSON"),
    ("zip", _bomb(), "would unpack to 3,900,000,000"),
    ("zip", _packed(("../../x.tif", b"1")), "outside of its folder"),
    ("zip", _packed(("a", BODY))[:-200], "archive is damaged"),
    ("pbf", b"OSM?", "no OpenStreetMap extract"), ("", b"", "empty")])
def test_wrong_content_is_refused_and_leaves_nothing(tmp_path: Path, web: Web, manners: Manners,
                                                     holds: str, body: bytes, said: str) -> None:
    with pytest.raises(InputError, match=said):
        download(web.put("/a", body), tmp_path / "a", holds=holds, manners=manners)
    assert leftovers(tmp_path) == []


def test_a_gzip_bomb_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from phusong.sources.fetch import formats

    (tmp_path / "a.gz").write_bytes(gzip.compress(b"\0" * 5_000_000))
    look(tmp_path / "a.gz", "gzip", "a")
    monkeypatch.setattr(formats, "MOST_UNPACKED", 2_000_000)
    with pytest.raises(InputError, match="unpack to more than 2,000,000"):
        look(tmp_path / "a.gz", "gzip", "a")


def test_honest_content_passes(tmp_path: Path) -> None:
    for holds, body in (("tiff", tiff()), ("zip", _packed(("a/b.hgt", BODY))),
                        ("gzip", gzip.compress(BODY)),
                        ("pbf", b"\0\0\0\x0d\x0a\x09OSMHeader\x18"),
                        ("geojson", json.dumps({"features": [{}]}).encode())):
        (tmp_path / "a").write_bytes(body)
        look(tmp_path / "a", holds, "a")
    with MemoryFile(tiff()) as memory, memory.open() as data:
        assert isinstance(data, rasterio.DatasetReader)


def test_a_short_answer(web: Web, manners: Manners, pauses: list[float]) -> None:
    assert read_small(web.put("/a", b"0123", 503), manners=manners) == b"0123"
    assert pauses == [1.0]
    with pytest.raises(InputError, match="longer than 2"):
        read_small(web.put("/a", b"0123"), manners=manners, most_bytes=2)
    with pytest.raises(InputError, match="gave up"):
        read_small(web.put("/a", b"", 503, 503, 503), manners=manners)
    with pytest.raises(AbsentError):
        read_small(web.url + "/none", manners=manners)


def test_file_mode_is_that_of_any_file(tmp_path: Path, web: Web, manners: Manners) -> None:
    download(web.put("/a", BODY), tmp_path / "a", manners=manners)
    assert os.stat(tmp_path / "a").st_mode & 0o777 == 0o644
