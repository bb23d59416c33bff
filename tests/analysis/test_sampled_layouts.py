"""Of many cells a sample is laid out; the others join the cloud of their neighbours."""

import numpy as np
import pytest

from napari_gluer.analysis import sampled_layouts
from napari_gluer.analysis.layouts import Tsne, Umap, laid_out
from napari_gluer.analysis.sampled_layouts import SampledLayoutParams, sampled_layout

N = 400


@pytest.fixture(scope="module")
def clouds() -> tuple[np.ndarray, np.ndarray]:
    """Points in two directions far from each other, and which they follow."""
    rng = np.random.default_rng(0)
    group = rng.permutation(np.arange(N) % 2)
    middles = np.array([[5, 0, 0, 1], [0, 5, 1, 0]])
    return (middles[group] + rng.normal(0, 0.3, (N, 4))).astype(np.float32), group


def test_few_cells_are_laid_out_as_ever(clouds: tuple[np.ndarray, np.ndarray]) -> None:
    params = SampledLayoutParams(layout=Tsne(max_iter=250))
    positions, n_laid_out = sampled_layout(clouds[0], params, 3)
    assert n_laid_out == N
    np.testing.assert_array_equal(positions, laid_out(clouds[0], params.layout, seed=3))


def test_the_others_are_placed_in_their_own_cloud(
    clouds: tuple[np.ndarray, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    points, group = clouds
    asked: list[np.ndarray] = []

    def by_group(sample: np.ndarray, layout: Umap, *, seed: int, track: object) -> np.ndarray:
        asked.append(sample)
        first = (sample[:, 0] > sample[:, 1]).astype(np.float32)
        return np.c_[100 * first, np.arange(len(sample)) / len(sample)].astype(np.float32)

    monkeypatch.setattr(sampled_layouts, "laid_out", by_group)
    positions, n_laid_out = sampled_layout(points, SampledLayoutParams(max_cells=100), 0)
    assert n_laid_out == 100
    assert asked[0].shape == (100, 4)
    np.testing.assert_array_equal(positions[:, 0], np.where(group == 0, 100, 0))


def test_the_sample_depends_on_the_seed_alone(clouds: tuple[np.ndarray, np.ndarray]) -> None:
    params = SampledLayoutParams(layout=Tsne(max_iter=250, perplexity=5), max_cells=100)
    one, again, other = (sampled_layout(clouds[0], params, seed)[0] for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, other)


def test_a_cell_lies_at_the_median_of_its_five_nearest(
    clouds: tuple[np.ndarray, np.ndarray],
) -> None:
    points, _ = clouds
    params = SampledLayoutParams(layout=Tsne(max_iter=250, perplexity=5), max_cells=100)
    positions, _ = sampled_layout(points, params, 1)
    sample = np.sort(np.random.default_rng(1).choice(N, 100, replace=False))
    units = points / np.linalg.norm(points, axis=1, keepdims=True)
    for row in np.setdiff1d(np.arange(N), sample)[:20]:
        nearest = sample[np.argsort(-(units[sample] @ units[row]))[:5]]
        np.testing.assert_allclose(positions[row], np.median(positions[nearest], axis=0))
