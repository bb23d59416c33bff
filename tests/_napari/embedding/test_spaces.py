"""Which values are laid out, and layouts that need no waiting."""

import numpy as np
import pytest
from anndata import AnnData
from sklearn.decomposition import PCA

from napari_gluer import slots
from napari_gluer._napari.embedding.spaces import Factors, Principal, at_once, sides_of
from napari_gluer.errors import InputError


def test_sides_are_the_co_embedding_or_what_was_before(integrated: AnnData) -> None:
    after, before = sides_of(integrated, "after"), sides_of(integrated, "before")
    np.testing.assert_array_equal(after.cells, integrated.obsm["X_gluer"])
    np.testing.assert_array_equal(before.cells, integrated.obsm["X_gluer_unmapped"])
    np.testing.assert_array_equal(after.labels, integrated.obs["label"])
    assert len(after.reference) == 40
    np.testing.assert_array_equal(after.stacked[40:], after.cells)


def test_a_fingerprint_tells_values_and_their_order_apart(integrated: AnnData) -> None:
    known = sides_of(integrated, "after").fingerprint
    assert sides_of(integrated.copy(), "after").fingerprint == known
    assert sides_of(integrated[::-1].copy(), "after").fingerprint != known
    relabelled = integrated.copy()
    relabelled.obs["label"] = relabelled.obs["label"].to_numpy()[::-1]
    assert sides_of(relabelled, "after").fingerprint != known


def test_principal_components_are_those_of_scikit_learn(integrated: AnnData) -> None:
    sides = sides_of(integrated, "after")
    found = at_once(sides, Principal(first=1, second=3))
    expected = PCA(3).fit_transform(sides.stacked.astype(np.float64))[:, [0, 2]]
    plane = np.concatenate([found.reference, found.cells])
    for axis in (0, 1):
        sign = np.sign(plane[:, axis] @ expected[:, axis])
        np.testing.assert_allclose(plane[:, axis] * sign, expected[:, axis], atol=1e-3)
    assert found.axes == ("component 1", "component 3")


def test_factors_are_shown_as_they_are(integrated: AnnData) -> None:
    found = at_once(sides_of(integrated, "after"), Factors(first=2, second=1))
    np.testing.assert_array_equal(found.cells[:, 0], integrated.obs["label"])
    np.testing.assert_array_equal(found.cells[:, 1], integrated.obsm["X_gluer"][:, 0])
    assert found.axes == ("factor 2", "factor 1")
    assert not found.same_scale


def test_an_axis_that_is_not_there_is_refused(integrated: AnnData) -> None:
    with pytest.raises(InputError, match=r"There are 3 factors; 4 was asked for\. .*from 1 to 3"):
        at_once(sides_of(integrated, "after"), Factors(second=4))


def test_what_is_missing_is_named(cells: AnnData, integrated: AnnData) -> None:
    del integrated.obsm[slots.UNMAPPED]
    with pytest.raises(InputError, match="before integration"):
        sides_of(integrated, "before")
    del integrated.obsm[slots.EMBEDDING]
    with pytest.raises(InputError, match="Integrate the cells first"):
        sides_of(integrated, "after")
