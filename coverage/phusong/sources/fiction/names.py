"""Vietnamese-sounding names of places that do not exist; any likeness is chance."""

from __future__ import annotations

import unicodedata

import numpy as np
from numpy.typing import NDArray

__all__ = ["commune_names", "hamlet_names", "place_names", "school_names"]

_FIRST = ("Nậm", "Mường", "Chiềng", "Tà", "Sín", "Lùng", "Phìn", "Huổi", "Pú", "Bản", "Noong",
          "Thèn", "Suối", "Khao", "Cốc", "Nàn", "Púng", "Tủa", "Bó", "Hua", "Lản", "Xín", "Pa",
          "Sàng", "Thào", "Ngài", "Séo", "Dền", "Na", "Pha")
_SECOND = ("Khoòng", "Lầu", "Bành", "Sản", "Giàng", "Mạ", "Ngòi", "Tòng", "Khuôi", "Chảo", "Lếch",
           "Pằn", "Dào", "Vạc", "Hịa", "Kẹo", "Lặng", "Mển", "Phoọc", "Thuông", "Xẻo", "Tẩu",
           "Cuổi", "Nghịu", "Bưa", "Củm", "Đoỏng", "Hẳm", "Lót", "Quẩy", "Rịa", "Sủm", "Trống",
           "Ửng", "Vẻng", "Ỏ", "Đứa", "Nhịp", "Phiêng", "Kim")
_THIRD = ("Hạ", "Thượng", "Trung", "Lớn", "Con", "Đông", "Tây", "Ngoài", "Trong", "Mới")
_HAMLET = ("Bản", "Thôn", "Nà", "Khuổi", "Pác", "Lũng", "Khe", "Đồi", "Xóm", "Phiêng")

_SCHOOL_WORD = {
    "mầm non": "Trường Mầm non", "tiểu học": "Trường Tiểu học", "THCS": "Trường THCS",
    "tiểu học;THCS": "Trường Tiểu học và THCS", "THPT": "Trường THPT",
    "THCS;THPT": "Trường THCS và THPT", "điểm trường": "Điểm trường",
    "GDNN": "Trung tâm Giáo dục nghề nghiệp", "GDTX": "Trung tâm GDTX",
    "TTHTCĐ": "Trung tâm học tập cộng đồng",
}


def place_names(count: int, rng: np.random.Generator) -> NDArray[np.object_]:
    """Return `count` different names of two or three words, Unicode NFC."""
    pairs = [unicodedata.normalize("NFC", f"{a} {b}") for a in _FIRST for b in _SECOND]
    triples = [f"{pair} {c}" for c in _THIRD for pair in pairs]
    pool = np.array(pairs, object)[rng.permutation(len(pairs))]
    while len(pool) < count:
        more = np.array(triples, object)[rng.permutation(len(triples))]
        suffix = f" {len(pool) // len(triples) + 1}" if len(pool) >= len(triples) else ""
        pool = np.concatenate([pool, more + suffix])
    return pool[:count]


def commune_names(towns: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.object_]:
    """Return names of communes: ``Xã ...``, or ``Thị trấn ...`` where `towns` is true."""
    kind = np.where(towns, "Thị trấn ", "Xã ").astype(object)
    return kind + place_names(len(towns), rng)


def hamlet_names(count: int, rng: np.random.Generator) -> NDArray[np.object_]:
    """Return names of hamlets; they may repeat, as real ones do."""
    first = np.array([unicodedata.normalize("NFC", w) for w in _HAMLET], object)
    second = np.array([unicodedata.normalize("NFC", w) for w in _SECOND], object)
    number = rng.integers(0, 8, count)
    tail = np.array(["", "", "", "", " 1", " 2", " 3", " A"], object)[number]
    return (first[rng.integers(0, len(first), count)] + " "
            + second[rng.integers(0, len(second), count)] + tail)


def school_names(levels: NDArray[np.object_], places: NDArray[np.object_],
                 repeats: NDArray[np.int64]) -> NDArray[np.object_]:
    """Return names of places of learning from their level and the place they stand in.

    Parameters
    ----------
    levels : (n,) array of str
        Keys as in the counts of `Scale.learning`.
    places : (n,) array of str
        Name of the commune or hamlet, without ``Xã``.
    repeats : (n,) int array
        0 for the first of its level in the commune; later ones are numbered.
    """
    word = np.array([_SCHOOL_WORD[level] for level in levels], object)
    number = np.where(repeats > 0, " số ", "").astype(object)
    count = np.where(repeats > 0, (repeats + 1).astype(str), "").astype(object)
    return word + " " + places + number + count
