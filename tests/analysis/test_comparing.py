import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t as student

from napari_gluer.analysis.comparing import compare_accuracies
from napari_gluer.errors import InputError


def by_hand(own: np.ndarray, other: np.ndarray) -> tuple[float, float]:
    """t and two-sided p of the paired test, from its formula."""
    d = own - other
    t = d.mean() / (d.std(ddof=1) / np.sqrt(len(d)))
    return float(t), float(2 * student.sf(abs(t), len(d) - 1))


@given(st.integers(0, 10_000), st.integers(3, 40), st.floats(-0.2, 0.2))
def test_equals_the_formula(seed: int, n: int, shift: float) -> None:
    rng = np.random.default_rng(seed)
    own = rng.random(n)
    others = {"b": own + shift + 0.1 * rng.normal(size=n), "c": rng.random(n)}
    table = compare_accuracies({"a": own, **others})
    assert list(table.index) == ["b", "c"]
    for name, other in others.items():
        t, p = by_hand(own, other)
        row = table.loc[name]
        assert row["t"] == pytest.approx(t, rel=1e-6, abs=1e-9)
        assert row["p"] == pytest.approx(p, rel=1e-6, abs=1e-12)
        assert row["p_bonferroni"] == pytest.approx(min(1, 2 * p), rel=1e-6, abs=1e-12)
        assert row["difference"] == pytest.approx(own.mean() - other.mean(), abs=1e-12)
        assert row["accuracy"] == pytest.approx(other.mean())
        assert row["n_pairs"] == n


def test_equal_methods_do_not_differ() -> None:
    own = np.array([0.2, 0.9, 0.5])
    row = compare_accuracies({"a": own, "b": own.copy()}).loc["b"]
    assert (row["t"], row["p"], row["p_bonferroni"]) == (0, 1, 1)


@pytest.mark.parametrize(
    ("given_values", "words"),
    [
        ({"a": [0.1, 0.2, 0.3]}, "two methods"),
        ({"a": [0.1, 0.2, 0.3], "b": [0.1, 0.2]}, r"same pairs.*b: \(2,\)"),
        ({"a": [0.1, 0.2], "b": [0.1, 0.3]}, "2 pairs are too few"),
    ],
)
def test_what_cannot_be_compared(given_values: dict[str, list[float]], words: str) -> None:
    values = {name: np.array(found) for name, found in given_values.items()}
    with pytest.raises(InputError, match=words):
        compare_accuracies(values)


def test_the_same_difference_on_every_pair() -> None:
    own = np.array([0.5, 0.75, 0.25])
    table = compare_accuracies({"a": own, "b": own - 0.125, "c": own + 0.125})
    assert list(table["t"]) == [np.inf, -np.inf]
    assert list(table["p_bonferroni"]) == [0, 0]
    assert table["n_pairs"].dtype == int


def test_numbers_are_asked_for() -> None:
    with pytest.raises(InputError, match="must be numbers"):
        compare_accuracies({"a": np.array([0.1, np.nan, 0.3]), "b": np.array([0.1, 0.2, 0.3])})
