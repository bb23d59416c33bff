"""Exact nearest neighbours in blocks: memory linear in cells, no n × n matrix."""

import numpy as np
import torch
from numpy.typing import NDArray

from napari_gluer.track import Track, silently

_BLOCK_ELEMENTS = 16_000_000  # 64 MB of float32 similarities at a time


def unit_rows(points: NDArray[np.floating]) -> NDArray[np.float32]:
    """Rows divided by their length; rows of zeros stay zeros."""
    norms = np.linalg.norm(points, axis=1, keepdims=True)
    units = np.divide(points, norms, out=np.zeros_like(points), where=norms > 0)
    return np.asarray(units, np.float32)


def nearest_by_cosine(
    query: NDArray[np.floating],
    points: NDArray[np.floating],
    n_neighbors: int,
    *,
    track: Track = silently,
    desc: str = "Nearest neighbours",
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """For each row of `query` the `n_neighbors` rows of `points` of greatest cosine.

    Returns
    -------
    indices
        int64 ``(n_query, k)``, nearest first; k is less than asked where there are fewer points.
    similarities
        float32 ``(n_query, k)``: the cosines.
    """
    target = torch.from_numpy(unit_rows(points))
    source = torch.from_numpy(unit_rows(query))
    k = min(n_neighbors, len(target))
    found = [
        torch.topk(block @ target.T, k, dim=1)
        for block in track(_blocks(source, len(target)), desc)
    ]
    return (
        torch.cat([block.indices for block in found]).numpy(),
        torch.cat([block.values for block in found]).numpy(),
    )


def nearest_by_distance(
    query: NDArray[np.floating],
    points: NDArray[np.floating],
    n_neighbors: int,
    *,
    track: Track = silently,
    desc: str = "Nearest neighbours",
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """For each row of `query` the `n_neighbors` rows of `points` at smallest Euclidean distance.

    Returns
    -------
    indices
        int64 ``(n_query, k)``, nearest first.
    distances
        float32 ``(n_query, k)``.
    """
    # about a common centre, so that float32 squares lose no digits far from the origin
    centre = points.mean(axis=0, keepdims=True)
    target = torch.from_numpy((points - centre).astype(np.float32))
    source = torch.from_numpy((query - centre).astype(np.float32))
    half = target.square().sum(dim=1) / 2
    k = min(n_neighbors, len(target))
    found = [
        _exact(block, target, torch.topk(block @ target.T - half, k, dim=1).indices)
        for block in track(_blocks(source, len(target)), desc)
    ]
    return (
        torch.cat([indices for indices, _ in found]).numpy(),
        torch.cat([distances for _, distances in found]).numpy(),
    )


def _exact(
    source: torch.Tensor, target: torch.Tensor, indices: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Indices sorted by their distances, which are computed without the loss of a difference."""
    distances = torch.linalg.vector_norm(source[:, None, :] - target[indices], dim=2)
    order = torch.argsort(distances, dim=1, stable=True)
    return indices.gather(1, order), distances.gather(1, order)


def _blocks(source: torch.Tensor, n_points: int) -> list[torch.Tensor]:
    if len(source) == 0:
        return [source]
    return list(torch.split(source, max(1, _BLOCK_ELEMENTS // max(n_points, 1))))
