"""Reference cells left out: never on themselves, else weighed as cells are."""

from typing import Any

import numpy as np
import pytest

import napari_gluer as ng
from napari_gluer.errors import InputError
from napari_gluer.expression import expression
from napari_gluer.integration.params import WeightParams
from napari_gluer.integration.weights import neighbour_weights
from napari_gluer.trust.within import reference_left_out, weights_of_others

QUICK = ng.IntegrateParams(network={"max_epochs": 2}, choice={"folds": 0})


@pytest.mark.parametrize("temperature", [0.0, 0.5])
def test_weights_are_those_of_a_cell_at_that_place(temperature: float) -> None:
    points = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)
    rows = np.array([3, 17, 40])
    params = WeightParams(n_neighbors=8, temperature=temperature)
    usable = np.ones(60, bool)
    found = weights_of_others(points, rows, usable, params)
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)
    for i, row in enumerate(rows):
        others = usable.copy()
        others[row] = False
        truth = neighbour_weights(points, points[[row]], others, params).weights
        assert found[i, row] == 0
        assert set(found[i].indices) == set(truth.indices)
        if temperature:  # else the width follows the neighbours, of which one is the cell itself
            np.testing.assert_allclose(found[i].toarray(), truth.toarray(), atol=1e-5)


def test_twins_may_be_drawn_on() -> None:
    points = np.zeros((30, 2), np.float32)
    points[10:] = 50
    found = weights_of_others(points, np.array([0]), np.ones(30, bool), WeightParams(n_neighbors=4))
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)
    assert found[0, 0] == 0
    assert set(found.indices) <= set(range(1, 10))


def test_in_an_integration(typed: Any) -> None:
    cells = ng.integrate(typed.cells, typed.reference, QUICK)
    expressed = expression(typed.reference)
    left = reference_left_out(cells, expressed, max_cells=40, max_reference=100, seed=2)
    assert len(left.rows) == 40
    assert left.weights.shape == (40, 150)
    assert len(np.unique(left.weights.indices)) <= 100
    assert not left.weights[np.arange(40), left.rows].any()
    again = reference_left_out(cells, expressed, max_cells=40, max_reference=100, seed=2)
    np.testing.assert_array_equal(left.weights.toarray(), again.weights.toarray())
    types = typed.reference.obs["cell_type"].to_numpy()
    same = types[left.weights.indices] == np.repeat(types[left.rows], np.diff(left.weights.indptr))
    assert left.weights.data[same].sum() / left.weights.data.sum() > 0.8


def test_what_is_not_integrated_or_too_small_is_refused(typed: Any) -> None:
    expressed = expression(typed.reference)
    with pytest.raises(InputError, match="not integrated"):
        reference_left_out(typed.cells, expressed, max_cells=10)
    small = typed.reference[:15].copy()
    cells = ng.integrate(typed.cells, small, QUICK)
    with pytest.raises(InputError, match="15 usable reference cells are too few"):
        reference_left_out(cells, expression(small), max_cells=10)
