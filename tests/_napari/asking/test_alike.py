import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from hypothesis import given
from hypothesis import strategies as st

from napari_gluer import slots
from napari_gluer._napari.asking.alike import flat_map, most_alike
from napari_gluer.errors import InputError


def table(n: int = 60, seed: int = 0) -> AnnData:
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(5, 5 + n))
    made = AnnData(obs=pd.DataFrame({"label": labels}, index=labels.astype(str)))
    made.obsm[slots.EMBEDDING] = rng.normal(size=(n, 6)).astype(np.float32) * [9, 5, 1, 1, 1, 1]
    made.obs[slots.UNMATCHED] = rng.random(n) < 0.1
    return made


@given(st.integers(0, 20), st.integers(1, 80))
def test_those_alike_are_the_nearest_matched(seed: int, n: int) -> None:
    cells = table(seed=seed)
    row = int(np.flatnonzero(~cells.obs[slots.UNMATCHED])[seed % 5])
    found = most_alike(cells, row, n)
    points = cells.obsm[slots.EMBEDDING].astype(float)
    distance = pd.Series(np.linalg.norm(points - points[row], axis=1), cells.obs["label"])
    matched = distance[~cells.obs[slots.UNMATCHED].to_numpy()]
    assert sorted(matched.nsmallest(n + 1).index) == found.tolist()
    assert cells.obs["label"].iloc[row] in found


def test_nothing_is_like_an_unmatched_cell() -> None:
    cells = table()
    row = int(np.flatnonzero(cells.obs[slots.UNMATCHED])[0])
    with pytest.raises(InputError, match="unmatched"):
        most_alike(cells, row, 5)


def test_before_the_integration_there_is_neither() -> None:
    cells = table()
    del cells.obsm[slots.EMBEDDING]
    assert flat_map(cells) is None
    with pytest.raises(InputError, match="Integrate"):
        most_alike(cells, 0, 5)


def test_the_umap_of_the_table_is_taken() -> None:
    cells = table()
    cells.obsm["X_umap"] = np.arange(120.0).reshape(60, 2)
    found = flat_map(cells)
    assert found is not None
    assert found[1] == "UMAP"
    np.testing.assert_array_equal(found[0], cells.obsm["X_umap"])


def test_else_principal_components_are_those_of_numpy() -> None:
    cells = table()
    found = flat_map(cells)
    assert found is not None
    points = cells.obsm[slots.EMBEDDING].astype(float)
    matched = ~cells.obs[slots.UNMATCHED].to_numpy()
    centred = points - points[matched].mean(axis=0)
    _, _, axes = np.linalg.svd(centred[matched], full_matrices=False)
    expected = centred @ axes[:2].T
    np.testing.assert_allclose(np.abs(found[0]), np.abs(expected), rtol=1e-4, atol=1e-4)
    again = flat_map(cells)
    assert again is not None
    np.testing.assert_array_equal(again[0], found[0])
