import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse

from napari_gluer.errors import InputError
from napari_gluer.figures.dots import dot_plot

VALUES = np.array([[0.0, 2], [4, 0], [1, np.nan], [0, 5]])
TYPES = ["T", "T", "B", None]


def frame() -> pd.DataFrame:
    return pd.DataFrame(VALUES, index=list("abcd"), columns=["CD3E", "CD4"])


def by_hand() -> pd.DataFrame:
    rows = [
        ("B", "CD3E", 1.0, 1.0, 1),
        ("B", "CD4", np.nan, np.nan, 0),
        ("T", "CD3E", 2.0, 0.5, 2),
        ("T", "CD4", 1.0, 0.5, 2),
    ]
    return pd.DataFrame(rows, columns=["group", "feature", "mean", "share", "n"])


def test_means_and_shares_by_hand() -> None:
    found = dot_plot(frame(), TYPES)
    assert list(found["group"].cat.categories) == ["B", "T"]
    pd.testing.assert_frame_equal(found.astype({"group": object}), by_hand())


@pytest.mark.parametrize("make", [np.asarray, sparse.csr_matrix])
def test_a_table_gives_the_same(make: type) -> None:
    cells = AnnData(make(np.nan_to_num(VALUES)))
    cells.obs_names, cells.var_names = list("abcd"), ["CD3E", "CD4"]
    cells.obs["type"] = TYPES
    expected = dot_plot(frame().fillna(0), TYPES, ["CD4"])
    pd.testing.assert_frame_equal(dot_plot(cells, "type", ["CD4"]), expected)
    assert expected["feature"].tolist() == ["CD4", "CD4"]


def test_groups_are_joined_by_name() -> None:
    series = pd.Series(TYPES, index=list("abcd"))
    shuffled = dot_plot(frame(), series.iloc[[2, 0, 3, 1]])
    pd.testing.assert_frame_equal(shuffled, dot_plot(frame(), series))


def test_above_another_value() -> None:
    found = dot_plot(frame(), ["x"] * 4, ["CD3E"], above=1)
    assert found["share"].tolist() == [0.25]  # 1 itself is not above


def test_large_tables_agree_with_pandas() -> None:
    rng = np.random.default_rng(0)
    values = pd.DataFrame(rng.poisson(1, (500, 8)), columns=list("abcdefgh"))
    types = pd.Series(rng.choice(["x", "y", "z"], 500))
    found = dot_plot(values, types).set_index(["group", "feature"])
    means = values.groupby(types).mean().stack()
    shares = (values > 0).groupby(types).mean().stack()
    np.testing.assert_allclose(found["mean"], means)
    np.testing.assert_allclose(found["share"], shares)


def test_bad_input_is_named() -> None:
    with pytest.raises(InputError, match="No cell has a value"):
        dot_plot(frame(), [None] * 4)
    with pytest.raises(InputError, match="3 values for 4 cells"):
        dot_plot(frame(), ["x"] * 3)
    with pytest.raises(InputError, match="Not among the features: CD8"):
        dot_plot(frame(), TYPES, ["CD8", "CD4"])
    with pytest.raises(InputError, match="other cells"):
        dot_plot(frame(), pd.Series(TYPES, index=list("abce")))
    with pytest.raises(InputError, match="no column 'type'"):
        dot_plot(frame(), "type")
    with pytest.raises(InputError, match="same name"):
        dot_plot(frame().set_axis(["a", "a"], axis=1), TYPES)
    with pytest.raises(InputError, match="no X"):
        dot_plot(AnnData(shape=(4, 2)), TYPES)
