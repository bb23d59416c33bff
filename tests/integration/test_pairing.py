import numpy as np
import pandas as pd
import pytest

from napari_gluer.errors import InputError
from napari_gluer.integration.pairing import given_pairs

REFERENCE = pd.Index(["r0", "r1", "r2"])
CELLS = pd.Index(["10", "20"])


@pytest.mark.parametrize(
    "pairs",
    [
        [(2, 0), (0, 1)],
        np.array([[2, 0], [0, 1]], np.uint8),
        [("r2", "10"), ("r0", "20")],
        np.array([["r2", "10"], ["r0", "20"]], object),
        pd.DataFrame({"reference": ["r2", "r0"], "cell": ["10", "20"]}),
    ],
)
def test_names_and_positions(pairs: object) -> None:
    found = given_pairs(pairs, REFERENCE, CELLS)
    assert found.dtype == np.int64
    np.testing.assert_array_equal(found, [[2, 0], [0, 1]])


@pytest.mark.parametrize(
    ("pairs", "says"),
    [
        ([("r2", "30")], "name cells that do not exist: 30"),
        ([("r3", "10"), ("r1", "10")], "name reference that do not exist: r3"),
        ([(0, 2)], "positions 2 of the cells; there are 2"),
        ([(3, 0)], "positions 3 of the reference; there are 3"),
        ([(-1, 0)], "positions -1 of the reference"),
        ([], r"must be \(n, 2\)"),
        ([0, 1], r"must be \(n, 2\).* \(2,\)"),
        (np.zeros((3, 3), int), r"must be \(n, 2\).* \(3, 3\)"),
    ],
)
def test_what_is_no_pair(pairs: object, says: str) -> None:
    with pytest.raises(InputError, match=says):
        given_pairs(pairs, REFERENCE, CELLS)


def test_names_must_be_unique_but_positions_need_no_names() -> None:
    repeated = pd.Index(["a", "a", "b"])
    with pytest.raises(InputError, match="those of the reference repeat"):
        given_pairs([("b", "10")], repeated, CELLS)
    np.testing.assert_array_equal(given_pairs([(1, 1)], repeated, CELLS), [[1, 1]])


def test_names_on_one_side_leave_positions_on_the_other() -> None:
    names = pd.Index(["5", "4", "3", "2", "1", "0"])
    assert given_pairs([("b", 5)], pd.Index(["a", "b"]), names).tolist() == [[1, 5]]
    frame = pd.DataFrame({"reference": ["b"], "cell": [5]})
    assert given_pairs(frame, pd.Index(["a", "b"]), names).tolist() == [[1, 5]]
