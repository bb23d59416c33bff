import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_gluer.integration.anchors import find_anchors, mutual_pairs, sampled
from napari_gluer.integration.params import AnchorParams

sizes = st.integers(1, 25)


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))


def naive_mutual(reference: np.ndarray, cells: np.ndarray, k: int) -> dict[tuple[int, int], float]:
    rows = [i for i, row in enumerate(reference) if row.any()]
    columns = [j for j, row in enumerate(cells) if row.any()]
    like = {(i, j): cosine(reference[i], cells[j]) for i in rows for j in columns}
    of_row = {i: sorted(columns, key=lambda j: -like[i, j])[:k] for i in rows}
    of_column = {j: sorted(rows, key=lambda i: -like[i, j])[:k] for j in columns}
    return {(i, j): like[i, j] for i, j in like if j in of_row[i] and i in of_column[j]}


def naive_anchors(
    factors: tuple[np.ndarray, np.ndarray],
    features: tuple[np.ndarray, np.ndarray],
    params: AnchorParams,
) -> dict[tuple[int, int], float]:
    found = naive_mutual(*factors, params.n_neighbors)
    if params.confirm_neighbors:
        confirmed = naive_mutual(*features, params.confirm_neighbors)
        found = {pair: like for pair, like in found.items() if pair in confirmed}
    best = {
        pair
        for pair, like in found.items()
        if all(
            sum(other[side] == pair[side] and found[other] > like for other in found)
            < params.max_partners
            for side in (0, 1)
        )
    }
    return {pair: found[pair] for pair in best}


def random_sides(
    seed: int, n_reference: int, n_cells: int, zeros: float = 0
) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    rng = np.random.default_rng(seed)
    n = (n_reference, n_cells)
    factors = (rng.normal(size=(n[0], 4)), rng.normal(size=(n[1], 4)))
    features = tuple(
        np.abs(part @ np.ones((4, 7)) + rng.normal(size=(len(part), 7))) for part in factors
    )
    for side in (0, 1):
        factors[side][rng.random(n[side]) < zeros] = 0
        features[side][rng.random(n[side]) < zeros] = 0
    return factors, (features[0], features[1])


def assert_equal(found: tuple[np.ndarray, np.ndarray], truth: dict[tuple[int, int], float]) -> None:
    pairs, similarity = found
    assert pairs.dtype == np.int64
    assert pairs.shape == (len(truth), 2)
    assert [tuple(pair) for pair in pairs.tolist()] == sorted(truth)
    np.testing.assert_allclose(similarity, [truth[pair] for pair in sorted(truth)], atol=1e-6)


@given(
    st.integers(0, 2**16), sizes, sizes, st.integers(1, 30), st.integers(0, 30), st.integers(1, 5)
)
def test_equals_the_naive_search(
    seed: int, n_reference: int, n_cells: int, k: int, confirm: int, partners: int
) -> None:
    factors, features = random_sides(seed, n_reference, n_cells)
    params = AnchorParams(n_neighbors=k, confirm_neighbors=confirm, max_partners=partners)
    assert_equal(find_anchors(factors, features, params), naive_anchors(factors, features, params))


@given(st.integers(0, 2**16), sizes, sizes, st.integers(1, 12), st.sampled_from([0, 3, 8]))
def test_rows_of_zeros_take_no_part(
    seed: int, n_reference: int, n_cells: int, k: int, confirm: int
) -> None:
    factors, features = random_sides(seed, n_reference, n_cells, zeros=0.3)
    params = AnchorParams(n_neighbors=k, confirm_neighbors=confirm)
    pairs, similarity = find_anchors(factors, features, params)
    for side in (0, 1):
        assert factors[side][pairs[:, side]].any(axis=1).all()
    assert_equal((pairs, similarity), naive_anchors(factors, features, params))


def test_nobody_but_zeros_gives_no_anchors() -> None:
    zeros, ones = np.zeros((3, 2)), np.ones((4, 2))
    pairs, similarity = find_anchors((zeros, ones), (zeros, ones))
    assert pairs.shape == (0, 2)
    assert similarity.shape == (0,)


@given(st.integers(0, 2**16), sizes, sizes, st.integers(1, 4))
def test_no_cell_has_more_partners_than_allowed(
    seed: int, n_reference: int, n_cells: int, partners: int
) -> None:
    factors, features = random_sides(seed, n_reference, n_cells)
    params = AnchorParams(n_neighbors=25, confirm_neighbors=0, max_partners=partners)
    pairs, _ = find_anchors(factors, features, params)
    for side in (0, 1):
        assert np.bincount(pairs[:, side], minlength=1).max() <= partners


@given(st.integers(0, 2**16), sizes, sizes, st.integers(1, 12), st.integers(0, 12))
def test_swapping_the_sides_swaps_the_pairs(
    seed: int, n_reference: int, n_cells: int, k: int, confirm: int
) -> None:
    factors, features = random_sides(seed, n_reference, n_cells)
    params = AnchorParams(n_neighbors=k, confirm_neighbors=confirm)
    there, like = find_anchors(factors, features, params)
    back, alike = find_anchors(factors[::-1], features[::-1], params)
    order = np.lexsort((back[:, 0], back[:, 1]))
    np.testing.assert_array_equal(there, back[order][:, ::-1])
    np.testing.assert_allclose(like, alike[order], atol=1e-6)


def test_length_of_a_row_does_not_matter() -> None:
    (reference, cells), _ = random_sides(0, 20, 20)
    lengths = np.random.default_rng(1).uniform(0.01, 100, (20, 1))
    plain, _ = mutual_pairs(reference, cells, 4)
    scaled, _ = mutual_pairs(reference * lengths, cells / lengths, 4)
    np.testing.assert_array_equal(plain, scaled)


def test_copies_are_each_others_anchors() -> None:
    points = np.random.default_rng(0).random((50, 6))
    pairs, similarity = find_anchors(
        (points, points), (points, points), AnchorParams(n_neighbors=1, confirm_neighbors=1)
    )
    np.testing.assert_array_equal(pairs, np.repeat(np.arange(50)[:, np.newaxis], 2, axis=1))
    np.testing.assert_allclose(similarity, 1, atol=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_arguments_stay_as_they_were(dtype: type) -> None:
    factors, features = random_sides(2, 12, 15, zeros=0.2)
    sides = [part.astype(dtype) for part in (*factors, *features)]
    before = [part.copy() for part in sides]
    find_anchors((sides[0], sides[1]), (sides[2], sides[3]))
    for now, then in zip(sides, before, strict=True):
        np.testing.assert_array_equal(now, then)


@given(st.integers(0, 2**16), st.integers(0, 60), st.integers(0, 70))
def test_a_sample_is_of_usable_cells_in_their_order(seed: int, n: int, limit: int) -> None:
    usable = np.random.default_rng(seed).random(n) < 0.7
    found = sampled(usable, limit, np.random.default_rng(seed))
    assert usable[found].all()
    assert (np.diff(found) > 0).all()
    assert len(found) == (min(limit, usable.sum()) if limit else usable.sum())


def test_every_usable_cell_is_as_likely() -> None:
    usable = np.arange(40) % 2 == 0
    rng = np.random.default_rng(0)
    drawn = np.bincount(
        np.concatenate([sampled(usable, 5, rng) for _ in range(2000)]), minlength=40
    )
    assert not drawn[~usable].any()
    np.testing.assert_allclose(drawn[usable], 500, atol=100)  # five standard deviations


@pytest.mark.parametrize(
    ("n_cells", "share", "searched"), [(200, 0.1, 20), (30, 0.1, 10), (200, 1.0, 60), (8, 1.0, 10)]
)
def test_few_cells_are_searched_for_fewer_neighbours(
    n_cells: int, share: float, searched: int
) -> None:
    rng = np.random.default_rng(0)
    sides = rng.normal(size=(300, 3)), rng.normal(size=(n_cells, 3))
    params = AnchorParams(
        n_neighbors=60, confirm_neighbors=0, max_partners=1000, largest_share=share
    )
    found, _ = find_anchors(sides, sides, params)
    truth, _ = mutual_pairs(*sides, searched)
    np.testing.assert_array_equal(found, truth)
