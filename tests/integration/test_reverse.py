import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from anndata import AnnData
from scipy import sparse

import napari_gluer as ng
from napari_gluer.errors import InputError
from napari_gluer.integration.reverse import impute_onto_reference


@pytest.fixture(scope="module")
def placed(typed: Any) -> tuple[Any, AnnData]:
    return typed, ng.integrate(typed.cells, typed.reference, seed=1)


def by_hand(cells: AnnData, feature: str) -> np.ndarray:
    """Every reference cell one by one, with the kernel that is documented."""
    params = json.loads(cells.uns["gluer"]["params"])["weights"]
    matched = ~cells.obs["gluer_unmatched"].to_numpy()
    points = cells.obsm["X_gluer"][matched].astype(float)
    values = np.asarray(cells[matched, feature].X).ravel()
    k = min(params["n_neighbors"], max(10, round(params["largest_share"] * len(points))))
    found = []
    for row in cells.uns["gluer"]["reference_factors"].astype(float):
        distance = np.linalg.norm(points - row, axis=1)
        near = np.argsort(distance, kind="stable")[:k]
        weight = np.exp(-((distance[near] / np.median(distance[near])) ** 2))
        found.append((weight * values[near]).sum() / weight.sum())
    return np.array(found)


def test_equals_the_kernel_by_hand(placed: tuple[Any, AnnData]) -> None:
    typed, cells = placed
    found = impute_onto_reference(cells, typed.reference, "Protein3")
    assert found.shape == (typed.reference.n_obs,)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, by_hand(cells, "Protein3"), rtol=2e-4)


def test_several_features_are_columns(placed: tuple[Any, AnnData]) -> None:
    typed, cells = placed
    both = impute_onto_reference(cells, typed.reference, ["Protein5", "Protein0"])
    for i, name in enumerate(["Protein5", "Protein0"]):
        np.testing.assert_allclose(
            both[:, i], impute_onto_reference(cells, typed.reference, name), rtol=1e-5
        )
    held = cells.copy()
    held.X = sparse.csr_matrix(held.X)
    np.testing.assert_array_equal(
        both, impute_onto_reference(held, typed.reference, ["Protein5", "Protein0"])
    )


def test_types_have_their_own_proteins(placed: tuple[Any, AnnData]) -> None:
    """Over reference cells, an imputed protein goes with the mean of the type's imaged cells."""
    typed, cells = placed
    values = cells.X / cells.X.sum(axis=1, keepdims=True)
    best = int(np.argmax([values[typed.types == "B cell"].mean(0) / values.mean(0)]))
    found = impute_onto_reference(cells, typed.reference, str(cells.var_names[best]))
    of_type = (typed.reference.obs["cell_type"] == "B cell").to_numpy()
    assert np.median(found[of_type]) > 1.5 * np.median(found[~of_type])


def test_unmatched_cells_say_nothing(placed: tuple[Any, AnnData]) -> None:
    typed, cells = placed
    changed = cells.copy()
    changed.obs["gluer_unmatched"] = np.arange(cells.n_obs) < 30
    changed.X[:30] = 1e6
    assert impute_onto_reference(changed, typed.reference, "Protein3").max() < 1e5
    changed.obs["gluer_unmatched"] = True
    with pytest.raises(InputError, match="Every cell is unmatched"):
        impute_onto_reference(changed, typed.reference, "Protein3")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda cells, reference: (cells, reference[::-1].copy()), "another reference"),
        (lambda cells, reference: (cells[:, 1:].copy(), reference), "Not in the table.*Protein0"),
    ],
)
def test_what_cannot_be_imputed(
    placed: tuple[Any, AnnData], change: Callable[..., tuple[AnnData, AnnData]], words: str
) -> None:
    typed, cells = placed
    with pytest.raises(InputError, match=words):
        impute_onto_reference(*change(cells, typed.reference), "Protein0")


def test_cells_that_are_not_integrated(placed: tuple[Any, AnnData]) -> None:
    typed, _ = placed
    with pytest.raises(InputError, match=r"ng\.integrate\(cells, reference\)"):
        impute_onto_reference(typed.cells, typed.reference, "Protein0")


def test_what_a_channel_does_not_show_is_not_drawn_on(placed: tuple[Any, AnnData]) -> None:
    typed, cells = placed
    gaps = cells.copy()
    gaps.X = np.asarray(cells.X, np.float32).copy()
    gaps.X[:30, 3] = np.nan
    gaps.X[30:, 3] = 7
    found = impute_onto_reference(gaps, typed.reference, str(cells.var_names[3]))
    np.testing.assert_allclose(found[np.isfinite(found)], 7, rtol=1e-5)
    assert np.isfinite(found).sum() > len(found) / 2


def test_no_feature_is_refused(placed: tuple[Any, AnnData]) -> None:
    typed, cells = placed
    with pytest.raises(InputError, match="no feature"):
        impute_onto_reference(cells, typed.reference, [])
