"""Where a map puts cells, computed anew with loops from the numbers it holds."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from anndata import AnnData
from scipy import sparse

import napari_gluer as ng
from napari_gluer import slots
from napari_gluer.errors import InputError
from napari_gluer.io.maps import TrainedMap
from napari_gluer.mapping.applying import MapParams, map_cells, mapped_space, sha256_of
from napari_gluer.mapping.learning import learn_map

QUICK: dict[str, Any] = {"network": {"max_epochs": 2}, "choice": {"folds": 0}}


@pytest.fixture(scope="module")
def trained(typed: Any) -> TrainedMap:
    return learn_map(typed.cells, typed.reference, ng.IntegrateParams(**QUICK), seed=1)


def unit(values: np.ndarray) -> np.ndarray:
    length = np.sqrt(sum(value * value for value in values))
    return values / length if length > 0 else values


def logarithms(counts: np.ndarray) -> np.ndarray:
    """Of uncleaned intensities: of each cell's share of its total, times 10,000, plus 1."""
    return np.array([[np.log(1 + 1e4 * one / sum(row)) for one in row] for row in counts.tolist()])


def by_hand(values: np.ndarray, trained: TrainedMap) -> np.ndarray:
    """Factors of one cell: z-scores by the training cells, onto the directions, of length 1."""
    arrays = trained.arrays
    scores = np.zeros(arrays["directions"].shape[1])
    for feature, value in enumerate(values):
        z = (float(value) - arrays["cell_mean"][feature]) / arrays["cell_spread"][feature]
        scores += z * arrays["directions"][feature].astype(float)
    return scores


def test_scores_and_factors_by_hand(typed: Any, trained: TrainedMap) -> None:
    found = mapped_space(typed.cells, trained)
    values = logarithms(typed.cells.X)
    for row in (0, 17, 89):
        scores = by_hand(values[row], trained)
        np.testing.assert_allclose(found.scores[row], scores, rtol=1e-3, atol=1e-3)
        np.testing.assert_allclose(found.factors[row], unit(scores), atol=1e-4)
    np.testing.assert_allclose(np.linalg.norm(found.space, axis=1), 1, atol=1e-5)


def test_mean_and_spread_are_those_of_the_training_cells(typed: Any, trained: TrainedMap) -> None:
    values = logarithms(typed.cells.X)
    np.testing.assert_allclose(trained.arrays["cell_mean"], values.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(trained.arrays["cell_spread"], values.std(axis=0), rtol=1e-4)


STORED: dict[str, Callable[[np.ndarray], Any]] = {
    "sparse by rows": sparse.csr_matrix,
    "sparse by columns": sparse.csc_matrix,
    "column-major": np.asfortranarray,
    "every second of a larger": lambda values: np.repeat(values, 2, axis=1)[:, ::2],
    "float64": lambda values: values.astype(np.float64),
    "whole numbers": lambda values: values.astype(np.int32),
}


@pytest.mark.parametrize("stored", STORED)
def test_how_values_are_stored_says_nothing(typed: Any, trained: TrainedMap, stored: str) -> None:
    cells = typed.cells.copy()
    cells.X = STORED[stored](np.asarray(typed.cells.X))
    before = cells.copy()
    found, expected = mapped_space(cells, trained), mapped_space(typed.cells, trained)
    np.testing.assert_allclose(found.space, expected.space, atol=2e-5)
    np.testing.assert_array_equal(found.usable, expected.usable)
    as_dense = [m.toarray() if sparse.issparse(m) else m for m in (cells.X, before.X)]
    np.testing.assert_array_equal(*as_dense)


@pytest.mark.parametrize("n", [1, 2])
def test_a_few_cells_are_mapped_as_among_many(typed: Any, trained: TrainedMap, n: int) -> None:
    few = mapped_space(typed.cells[40 : 40 + n].copy(), trained)
    every = mapped_space(typed.cells, trained)
    np.testing.assert_allclose(few.space, every.space[40 : 40 + n], atol=2e-5)


def test_features_that_are_no_markers_say_nothing(typed: Any, trained: TrainedMap) -> None:
    values = np.hstack([np.full((90, 2), 1e6, np.float32), typed.cells.X])
    wide = AnnData(values, obs=typed.cells.obs.copy(), uns=dict(typed.cells.uns))
    wide.var_names = ["x", "y", *typed.cells.var_names]
    wide.var["genes"] = ["", "", *typed.cells.var["genes"]]
    wide.var["role"] = ["blank", "blank", *["marker"] * 24]
    expected = mapped_space(typed.cells, trained).space
    np.testing.assert_allclose(mapped_space(wide, trained).space, expected, atol=1e-6)
    wide.var["role"] = "marker"  # then they take their share of each cell's total
    assert np.abs(mapped_space(wide, trained).space - expected).max() > 0.1


def test_usable_cells_are_above_zero_in_features_enough(typed: Any, trained: TrainedMap) -> None:
    asking = TrainedMap(trained.header.model_copy(update={"least_linked": 3}), trained.arrays)
    cells = typed.cells[:4].copy()
    cells.X[:] = 0
    for row, above in enumerate((0, 2, 3, 24)):
        cells.X[row, :above] = 5
    assert mapped_space(cells, asking).usable.tolist() == [False, False, True, True]
    assert mapped_space(cells, trained).usable.tolist() == [False, True, True, True]


def test_results_stay_with_their_labels(typed: Any, trained: TrainedMap) -> None:
    """Large labels with gaps, in another order of rows, and cells without signal among them."""
    cells = typed.cells.copy()
    labels = 2**31 + 3 * np.arange(90, dtype=np.int64) ** 2
    cells.obs["label"], cells.obs_names = labels, [str(label) for label in labels]
    cells.X[[5, 60]] = 0
    order = np.random.default_rng(2).permutation(90)
    straight = map_cells(cells, typed.reference, trained)
    mixed = map_cells(cells[order].copy(), typed.reference, trained)
    assert mixed.obs["label"].tolist() == labels[order].tolist()
    np.testing.assert_allclose(
        mixed.obsm[slots.EMBEDDING], straight.obsm[slots.EMBEDDING][order], atol=2e-5
    )
    silent = mixed.obs.loc[slots.without_signal(mixed), "label"]
    assert sorted(silent) == sorted(labels[[5, 60]])
    weights = mixed.obsm[slots.WEIGHTS].toarray()
    np.testing.assert_allclose(weights, straight.obsm[slots.WEIGHTS].toarray()[order], atol=1e-3)
    np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-5)


def test_own_scale_is_taken_from_the_fewest_cells_allowed_on(
    typed: Any, trained: TrainedMap
) -> None:
    own = MapParams(standardize_by="own", least_own=90)
    found, expected = mapped_space(typed.cells, trained, own), mapped_space(typed.cells, trained)
    np.testing.assert_allclose(found.space, expected.space, atol=1e-4)
    with pytest.raises(InputError, match=r"^89 cells are too few .* at least 90"):
        mapped_space(typed.cells[:89].copy(), trained, own)


def test_every_number_of_a_map_counts_for_its_sum(trained: TrainedMap) -> None:
    sums = {sha256_of(trained)}
    for name, array in trained.arrays.items():
        changed = array.copy(order="K")
        first = (0,) * changed.ndim
        changed[first] = (
            not changed[first] if changed.dtype == bool else np.nextafter(changed[first], np.inf)
        )
        sums.add(sha256_of(TrainedMap(trained.header, {**trained.arrays, name: changed})))
    header = trained.header.model_copy(update={"seed": trained.header.seed + 1})
    sums.add(sha256_of(TrainedMap(header, trained.arrays)))
    assert len(sums) == len(trained.arrays) + 2
    turned = {name: trained.arrays[name] for name in reversed(trained.arrays)}
    assert sha256_of(TrainedMap(trained.header, turned)) in sums


def test_cells_of_another_kind_are_refused(typed: Any, trained: TrainedMap) -> None:
    counts = typed.cells.copy()
    counts.uns["gluer"] = {"kind": "counts"}
    with pytest.raises(InputError, match="uncleaned intensity; these cells hold uncleaned counts"):
        mapped_space(counts, trained)
