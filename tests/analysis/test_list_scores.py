from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_gluer.analysis.list_scores import expression_bins, list_scores

NO_GENES = np.array([], int)


def test_scores_by_hand() -> None:
    means = np.array([[3.0, 1.0, 0.0, 4.0, 0.0, 2.0]])
    bins = np.array([0, 0, 0, 1, 1, 1])
    lists = [(np.array([0, 3]), NO_GENES), (np.array([0]), np.array([4, 5]))]
    found = list_scores(means, bins, lists, n_draws=99, rng=np.random.default_rng(0))
    # less the bins' means, 4/3 and 2
    first = ((3 - 4 / 3) + (4 - 2)) / 2
    second = (3 - 4 / 3) - ((0 - 2) + (2 - 2)) / 2
    np.testing.assert_allclose(found.score, [[first, second]])


def test_p_of_one_list_is_its_share_of_all_lists_of_its_size() -> None:
    rng = np.random.default_rng(1)
    means = rng.normal(size=(2, 9))
    chosen = np.array([1, 4, 7])
    found = list_scores(
        means, np.zeros(9, int), [(chosen, NO_GENES)], n_draws=20_000, rng=np.random.default_rng(0)
    )
    for g in range(2):
        every = [means[g, list(one)].mean() for one in combinations(range(9), 3)]
        exact = np.mean(np.array(every) >= means[g, chosen].mean() - 1e-12)
        assert found.p[g, 0] == pytest.approx(exact, abs=0.012)


def test_more_lists_make_each_less_certain() -> None:
    means = np.random.default_rng(2).normal(size=(1, 200))
    best = np.argsort(-means[0])[:4]
    others = [(np.arange(5 * i, 5 * i + 5), NO_GENES) for i in range(20)]
    alone, among = (
        list_scores(means, np.zeros(200, int), lists, n_draws=999, rng=np.random.default_rng(0))
        for lists in ([(best[2:], NO_GENES)], [(best[2:], NO_GENES), *others])
    )
    assert alone.score[0, 0] == among.score[0, 0]
    assert alone.p[0, 0] < among.p[0, 0]


def test_random_lists_are_seldom_beyond_chance() -> None:
    rng = np.random.default_rng(3)
    false = 0
    for _ in range(200):
        means = rng.normal(size=(1, 120))
        lists = [(rng.choice(120, 5, replace=False), NO_GENES) for _ in range(4)]
        found = list_scores(means, np.arange(120) // 40, lists, n_draws=99, rng=rng)
        false += bool((found.p <= 0.05).any())
    assert 1 <= false <= 20  # 10 of 200 are expected


def test_a_gene_without_others_like_it_says_nothing() -> None:
    found = list_scores(
        np.array([[5.0, 0.0, 0.1]]),
        np.array([0, 1, 1]),
        [(np.array([0]), NO_GENES)],
        n_draws=99,
        rng=np.random.default_rng(0),
    )
    assert found.score[0, 0] == 0
    assert found.p[0, 0] == 1


@given(st.integers(1, 300), st.integers(1, 25))
def test_bins_hold_as_many_genes_in_the_order_of_expression(n: int, n_bins: int) -> None:
    mean = np.random.default_rng(n).random(n)
    bins = expression_bins(mean, min(n_bins, n))
    assert (np.diff(bins[np.argsort(mean)]) >= 0).all()
    counts = np.bincount(bins, minlength=min(n_bins, n))
    assert counts.max() - counts.min() <= 1


def test_same_random_numbers_same_p() -> None:
    means = np.random.default_rng(0).normal(size=(3, 50))
    once, again = (
        list_scores(
            means,
            np.zeros(50, int),
            [(np.arange(4), np.array([9]))],
            n_draws=99,
            rng=np.random.default_rng(5),
        )
        for _ in range(2)
    )
    np.testing.assert_array_equal(once.p, again.p)
