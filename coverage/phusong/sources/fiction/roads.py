"""Roads that follow the valleys, tracks up to the hamlets, and the power lines beside them."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numba import njit
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import breadth_first_order, minimum_spanning_tree

from phusong.sources.fiction.places import Ground, Ways

__all__ = ["make_power_lines", "make_roads"]


@njit(cache=True, nogil=True)
def _walk(previous, starts, used):  # type: ignore[no-untyped-def]
    """Follow `previous` from each start to the first used cell; mark the cells used."""
    offsets = np.zeros(starts.shape[0] + 1, np.int64)
    total = 0
    for k in range(starts.shape[0]):
        i = starts[k]
        total += 1
        while not used[i]:
            used[i] = True
            if previous[i] == i:
                break
            i = previous[i]
            total += 1
        offsets[k + 1] = total
    cells = np.empty(total, np.int64)
    for k in range(starts.shape[0]):
        i = starts[k]
        for at in range(offsets[k], offsets[k + 1]):
            cells[at] = i
            i = previous[i]
    return cells, offsets


def make_roads(ground: Ground, communes: pd.DataFrame, hamlets: pd.DataFrame, ways: Ways,
               rng: np.random.Generator) -> gpd.GeoDataFrame:
    """Return roads in EPSG:4326: ``highway`` as OpenStreetMap writes it, ``ref``, ``surface``.

    Trunk roads join the towns, lesser roads all commune centres, tracks most hamlets.
    """
    pairs = _passes(ground, ways)
    tree, towns_beyond = _tree(pairs, communes)
    all_towns = int(communes["town"].sum())
    rank = np.select([(towns_beyond >= 2) & (towns_beyond <= all_towns - 2), towns_beyond >= 1],
                     [0, 1], 2)
    order = np.lexsort((np.arange(len(tree)), rank))
    tree, rank = tree.iloc[order], rank[order]
    used = np.zeros(ground.inside.size, bool)
    starts = tree[["cell_a", "cell_b"]].to_numpy().ravel()
    main = _walk(ways.previous, starts, used)
    far = hamlets["remote"].to_numpy() + rng.normal(0, 0.05, len(hamlets))
    walked = (hamlets["rank"].to_numpy() > 0) & (far < np.quantile(far, 0.88))
    tracks = _walk(ways.previous, hamlets["cell"].to_numpy()[walked], used)
    ends = np.unique(np.concatenate([cells[offsets[1:] - 1] for cells, offsets in (main, tracks)]))
    rough = np.where(far[walked] < np.quantile(far, 0.45), "unclassified", "track")
    highway = np.concatenate([np.array(["primary", "secondary", "tertiary"], object)[rank],
                              rough.astype(object)])
    lines = np.concatenate([_lines(ground, _joined(*main), ends),
                            _lines(ground, tracks, ends)])
    frame = gpd.GeoDataFrame({
        "highway": highway,
        "surface": np.where(np.isin(highway, ["primary", "secondary"]), "asphalt",
                            np.where(highway == "track", "unpaved", "concrete")).astype(object),
        "source": "fictional"}, geometry=lines, crs="EPSG:4326")
    return frame[~frame.geometry.is_empty].reset_index(drop=True)


def make_power_lines(ground: Ground, communes: pd.DataFrame, roads: gpd.GeoDataFrame,
                     rng: np.random.Generator) -> gpd.GeoDataFrame:
    """Return power lines in EPSG:4326: ``power`` and ``voltage`` (volts) as OpenStreetMap has them.

    35 kV lines go with the roads, 22 kV with four fifths of the lanes and two fifths of the
    tracks, 110 kV straight from town to town.
    """
    kind = roads["highway"].to_numpy()
    chance = rng.random(len(roads))
    main = np.isin(kind, ["primary", "secondary", "tertiary"])
    minor = ((kind == "unclassified") & (chance < 0.8)) | ((kind == "track") & (chance < 0.4))
    lon, lat = ground.centres(communes["cell"].to_numpy()[communes["town"].to_numpy()])
    high = np.empty(0, object)
    if len(lon) > 1:
        near = shapely.delaunay_triangles(shapely.multipoints(np.c_[lon, lat]), only_edges=True)
        edges = shapely.get_parts(near) if len(lon) > 2 else np.array(
            [shapely.linestrings(np.c_[lon, lat])])
        high = edges[shapely.length(edges) < np.median(shapely.length(edges)) * 1.05]
    shift = 0.25 * ground.transform.a
    beside = shapely.transform(roads.geometry.to_numpy()[main | minor], lambda xy: xy + shift)
    voltage = np.where(main, "35000", "22000")[main | minor]
    return gpd.GeoDataFrame({
        "power": np.concatenate([np.full(len(high), "line", object),
                                 np.where(voltage == "35000", "line", "minor_line")]),
        "voltage": np.concatenate([np.full(len(high), "110000", object), voltage]),
        "source": "fictional"}, geometry=np.concatenate([high, beside]), crs="EPSG:4326")


def _passes(ground: Ground, ways: Ways) -> pd.DataFrame:
    """The cheapest crossing between each pair of neighbouring communes."""
    rows, columns = ground.shape
    cell = np.arange(rows * columns).reshape(rows, columns)
    found = []
    for a, b in ((cell[:, :-1], cell[:, 1:]), (cell[:-1], cell[1:])):
        a, b = a.ravel(), b.ravel()
        differ = (ways.root[a] != ways.root[b]) & (ways.root[a] >= 0) & (ways.root[b] >= 0)
        a, b = a[differ], b[differ]
        swap = ways.root[a] > ways.root[b]
        found.append((np.where(swap, b, a), np.where(swap, a, b)))
    a = np.concatenate([f[0] for f in found])
    b = np.concatenate([f[1] for f in found])
    frame = pd.DataFrame({"a": ways.root[a], "b": ways.root[b], "cell_a": a, "cell_b": b,
                          "cost": ways.toil[a] + ways.toil[b] + 1.0})
    frame = frame.sort_values(["a", "b", "cost", "cell_a", "cell_b"], kind="stable")
    return frame.drop_duplicates(["a", "b"]).reset_index(drop=True)


def _tree(pairs: pd.DataFrame, communes: pd.DataFrame) -> tuple[pd.DataFrame, NDArray[np.int64]]:
    """The cheapest roads that join all centres, and how many towns lie beyond each."""
    count = len(communes)
    town = communes["town"].to_numpy().astype(np.int64)
    if pairs.empty:
        return pairs, np.empty(0, np.int64)
    cost = coo_matrix((pairs["cost"], (pairs["a"], pairs["b"])), shape=(count, count)).tocsr()
    tree = minimum_spanning_tree(cost).tocoo()
    keys = pd.DataFrame({"a": np.minimum(tree.row, tree.col), "b": np.maximum(tree.row, tree.col)})
    chosen = pairs.merge(keys.sort_values(["a", "b"]), on=["a", "b"])
    order, parent = breadth_first_order(tree.tocsr(), int(np.argmax(town)), directed=False)
    below = town.copy()
    for i in order[:0:-1]:
        below[parent[i]] += below[i]
    child = np.where(parent[chosen["a"]] == chosen["b"], chosen["a"], chosen["b"])
    return chosen, below[child]


def _joined(cells: NDArray[np.int64], offsets: NDArray[np.int64]
            ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Join walks 2 k (turned round) and 2 k + 1 to one."""
    length = np.diff(offsets)
    turned = np.repeat(np.arange(len(length)) % 2 == 0, length)
    walk = np.repeat(np.arange(len(length)), length)
    place = np.arange(len(cells))
    back = offsets[walk] + offsets[walk + 1] - 1 - place
    return cells[np.where(turned, back, place)], offsets[::2]


def _lines(ground: Ground, walks: tuple[NDArray[np.int64], NDArray[np.int64]],
           junctions: NDArray[np.int64]) -> NDArray[np.object_]:
    """Smoothed lines through cell centres; a walk of one cell gives an empty line.

    Ends and junctions stay where they are, so that lines keep meeting.
    """
    cells, offsets = walks
    r, c = ground.row_column(cells)
    xy = np.c_[c + 0.5, r + 0.5]
    inner = ~np.isin(cells, junctions)
    inner[offsets[:-1]] = False
    inner[offsets[1:] - 1] = False
    at = np.flatnonzero(inner)
    for _ in range(3):
        smooth = xy.copy()
        smooth[at] = 0.25 * xy[at - 1] + 0.5 * xy[at] + 0.25 * xy[at + 1]
        xy = smooth
    lon, lat = ground.lonlat(xy[:, 1], xy[:, 0])
    length = np.diff(offsets)
    line = np.repeat(np.arange(len(length)), length)
    keep = length[line] > 1
    result = np.full(len(length), shapely.LineString(), object)
    if keep.any():
        _, number = np.unique(line[keep], return_inverse=True)
        result[length > 1] = shapely.linestrings(np.c_[lon, lat][keep], indices=number)
    return result
