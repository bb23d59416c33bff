import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from napari_gluer.figures.map_numbers import apart, densest


def covering(places: np.ndarray, sizes: np.ndarray) -> int:
    first, second = np.triu_indices(len(places), 1)
    reach = (sizes[first] + sizes[second]) / 2
    over = reach * (1 - 1e-6) - np.abs(places[first] - places[second])
    return int((over > 0).all(axis=1).sum())


def test_a_group_in_two_places_is_told_where_most_cells_are() -> None:
    rng = np.random.default_rng(0)
    cells = np.concatenate([rng.normal(0, 0.1, (300, 2)), rng.normal(10, 0.1, (200, 2))])
    assert np.abs(densest(cells)).max() < 0.2


def test_one_cell_or_one_place_is_where_it_is() -> None:
    np.testing.assert_allclose(densest(np.array([[3.0, 4.0]])), [3, 4])
    np.testing.assert_allclose(densest(np.full((5, 2), 7.0)), [7, 7])


def test_boxes_that_touch_none_stay() -> None:
    places = np.array([[0.0, 0], [5, 0], [0, 5]])
    np.testing.assert_array_equal(apart(places, np.ones((3, 2))), places)


def test_two_boxes_part_along_the_shorter_way() -> None:
    moved = apart(np.array([[0.0, 0], [0.9, 0.1]]), np.ones((2, 2)))
    np.testing.assert_allclose(moved, [[-0.05, 0], [0.95, 0.1]], atol=1e-4)


@given(st.lists(st.tuples(st.floats(-20, 20), st.floats(-20, 20)), min_size=1, max_size=12))
def test_no_box_covers_another(places: list[tuple[float, float]]) -> None:
    sizes = np.tile([1.5, 1.0], (len(places), 1))
    assert covering(apart(np.array(places), sizes), sizes) == 0
