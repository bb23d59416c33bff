"""Types from the reference, by hand: votes of neighbours, a classifier, and both pooled."""

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse

from napari_gluer import slots
from napari_gluer.errors import InputError
from napari_gluer.expression import expression, fingerprint
from napari_gluer.integration.transfer import membership, transfer_labels, usual_type_column

COUNTS = np.array(
    [[4, 0, 6, 0], [0, 5, 0, 1], [1, 1, 1, 7], [2, 2, 0, 0], [0, 0, 3, 3]], np.float32
)
WEIGHTS = np.array([[0.5, 0.5, 0, 0, 0], [0, 0, 0.2, 0.3, 0.5], [0, 1, 0, 0, 0]], np.float32)
FLOOR = 0.02
SLOPE, INTERCEPT = 1.53, 0.26


def make_reference(labels: object) -> AnnData:
    obs = pd.DataFrame(index=[f"r{i}" for i in range(len(COUNTS))])
    table = AnnData(COUNTS.copy(), obs=obs)
    table.var_names = ["CD3E", "CD8A", "CD8B", "MS4A1"]
    table.obs["type"] = labels
    return table


def make_cells(weights: np.ndarray = WEIGHTS, factors: np.ndarray | None = None) -> AnnData:
    """Cells whose factors, unless given, say nothing: the classifier knows how common types are."""
    reference = make_reference(None)
    cells = AnnData(np.ones((len(weights), 2), np.float32))
    cells.obsm[slots.WEIGHTS] = sparse.csr_matrix(weights)
    sides = np.zeros((5 + len(weights), 2), np.float32) if factors is None else factors
    cells.obsm[slots.UNMAPPED] = sides[5:]
    slots.note(
        cells,
        reference_names=np.array(reference.obs_names, object),
        reference_fingerprint=fingerprint(reference, expression(reference)),
        reference_unmapped=sides[:5],
    )
    return cells


def both(voted: list[float], common: list[float]) -> np.ndarray:
    """Geometric mean of two opinions, each with the floor."""
    mean = np.sqrt((np.array(voted) + FLOOR) * (np.array(common) + FLOOR))
    return np.asarray(mean / mean.sum())


def chance(probability: object) -> np.ndarray:
    """The calibrated chance: a logistic curve over the log odds, as documented."""
    odds = np.log(np.asarray(probability) / (1 - np.asarray(probability)))
    return np.asarray(1 / (1 + np.exp(-(SLOPE * odds + INTERCEPT))))


def test_types_by_hand() -> None:
    labels = pd.Categorical(["T", "B", "T", "T", "NK"], categories=["T", "NK", "B", "unused"])
    found = transfer_labels(make_cells(), make_reference(labels), "type")
    assert list(found.columns) == ["type_transferred", "type_probability"]
    assert list(found.index) == ["0", "1", "2"]
    assert list(found["type_transferred"].cat.categories) == ["B", "NK", "T"]
    common = [0.2, 0.2, 0.6]
    by_hand = [
        both([1 / 2, 0, 1 / 2], common),
        both([0, 1 / 3, 2 / 3], common),  # three vote, each as much
        both([1, 0, 0], common),
    ]
    assert list(found["type_transferred"]) == ["T", "T", "B"]
    np.testing.assert_allclose(
        found["type_probability"], chance([max(row) for row in by_hand]), atol=1e-4
    )
    assert found["type_probability"].dtype == np.float32
    assert isinstance(found["type_transferred"].dtype, pd.CategoricalDtype)


def test_factors_decide_between_even_votes() -> None:
    """Of two reference cells as near, the one whose factors are those of the cell is believed."""
    factors = np.array([[9, 0], [0, 9], [9, 0], [0, 9], [-9, -9], [9, 0], [0, 9]], np.float32)
    even = np.array([[0.5, 0.5, 0, 0, 0]] * 2, np.float32)
    found = transfer_labels(make_cells(even, factors), make_reference(list("TBTBN")), "type")
    assert list(found["type_transferred"]) == ["T", "B"]


def test_fifteen_nearest_vote() -> None:
    """Of 20 reference cells drawn on, the five furthest have no say."""
    n = 20
    reference = AnnData(np.random.default_rng(0).poisson(3, (n, 4)).astype(np.float32))
    reference.obs["type"] = ["near"] * 7 + ["middle"] * 8 + ["far"] * 5
    cells = AnnData(np.ones((1, 2), np.float32))
    falling = np.linspace(1, 0.9, n, dtype=np.float32)
    cells.obsm[slots.WEIGHTS] = sparse.csr_matrix((falling / falling.sum())[np.newaxis])
    cells.obsm[slots.UNMAPPED] = np.zeros((1, 2), np.float32)
    slots.note(
        cells,
        reference_names=np.array(reference.obs_names, object),
        reference_fingerprint=fingerprint(reference, expression(reference)),
        reference_unmapped=np.zeros((n, 2), np.float32),
    )
    assert membership(reference, "type")[0] == ["far", "middle", "near"]
    found = transfer_labels(cells, reference, "type")
    by_hand = both([0, 8 / 15, 7 / 15], [0.25, 0.4, 0.35])
    assert found["type_transferred"].iloc[0] == "middle"
    np.testing.assert_allclose(found["type_probability"], chance(by_hand.max()), atol=1e-4)


@pytest.mark.parametrize(
    "nothing", [None, np.nan, "unknown", "Unknown", " UNASSIGNED ", "", "NA", "nan"]
)
def test_labels_that_say_nothing_have_no_say(nothing: object) -> None:
    labels = pd.Series(["T", nothing, "T", "B", nothing], index=[f"r{i}" for i in range(5)])
    found = transfer_labels(make_cells(), make_reference(labels), "type")
    assert list(found["type_transferred"])[:2] == ["T", "T"]
    assert pd.isna(found["type_transferred"].iloc[2])
    common = [1 / 3, 2 / 3]
    # half of either cell's weight lies on reference cells without a type
    pooled = [both([0, 1], common).max(), both([0.5, 0.5], common).max()]
    by_hand = [*(0.5 * chance(pooled)), 0]
    np.testing.assert_allclose(found["type_probability"], by_hand, atol=1e-4)
    assert set(found["type_transferred"].cat.categories) == {"T", "B"}


def test_numbers_are_types_too() -> None:
    found = transfer_labels(make_cells(), make_reference([3, 3, 1, 1, 0]), "type")
    assert list(found["type_transferred"].cat.categories) == ["0", "1", "3"]
    assert found["type_transferred"].to_list() == ["3", "1", "3"]
    common = [0.2, 0.4, 0.4]
    by_hand = [both(v, common).max() for v in ([0, 0, 1], [1 / 3, 2 / 3, 0], [0, 0, 1])]
    np.testing.assert_allclose(found["type_probability"], chance(by_hand), atol=1e-4)


def test_one_type_only() -> None:
    found = transfer_labels(make_cells(), make_reference(["T"] * 4 + [None]), "type")
    assert list(found["type_transferred"]) == ["T", "T", "T"]
    np.testing.assert_allclose(found["type_probability"], [1, 0.5, 1], atol=1e-4)


def test_columns_without_types() -> None:
    with pytest.raises(InputError, match=r"no obs\['typ'\] \(it has: type\)"):
        transfer_labels(make_cells(), make_reference(list("aabbb")), "typ")
    with pytest.raises(InputError, match="'type' of the reference holds no type"):
        transfer_labels(make_cells(), make_reference(["unknown"] * 5), "type")


def test_unmatched_cells_have_no_type() -> None:
    cells = make_cells()
    cells.obs["gluer_unmatched"] = [True, False, False]
    found = transfer_labels(cells, make_reference(["T", "B", "T", "B", "NK"]), "type")
    assert list(found["type_transferred"].isna()) == [True, False, False]
    assert found["type_probability"].iloc[0] == 0


def test_unmatched_cells_can_be_named_but_not_those_without_signal() -> None:
    cells = make_cells()
    cells.obs["gluer_unmatched"] = [True, True, False]
    cells.obs["gluer_support"] = [0.2, np.nan, 0.3]
    reference = make_reference(["T", "B", "T", "B", "NK"])
    found = transfer_labels(cells, reference, "type", unmatched="named")
    assert list(found["type_transferred"].isna()) == [False, True, False]
    assert list(found["type_probability"] > 0) == [True, False, True]


def test_the_first_usual_column_with_two_types_is_taken() -> None:
    reference = make_reference(list("TBTBN"))
    assert usual_type_column(reference) == ""
    reference.obs["annotation"] = list("TBTBN")
    reference.obs["celltype"] = ["T"] * 5
    reference.obs["cell_type"] = [0.1, 0.2, 0.3, 0.4, 0.5]
    assert usual_type_column(reference) == "annotation"


def test_numbers_are_no_types() -> None:
    with pytest.raises(InputError, match="no column of types"):
        transfer_labels(make_cells(), make_reference([0.1, 0.2, 0.3, 0.4, 0.5]), "type")


def test_cells_whose_factors_are_not_kept_are_to_be_integrated_again() -> None:
    cells = make_cells()
    del cells.obsm[slots.UNMAPPED]
    with pytest.raises(InputError, match=r"no obsm\['X_gluer_unmapped'\].*Integrate the cells"):
        transfer_labels(cells, make_reference(list("TBTBN")), "type")
