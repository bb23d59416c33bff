import numpy as np
import pandas as pd
import pytest

from napari_gluer.errors import InputError, listed


def test_input_error_is_a_value_error_with_its_message() -> None:
    assert issubclass(InputError, ValueError)
    assert str(InputError("No such file.")) == "No such file."


@pytest.mark.parametrize(
    ("names", "text"),
    [
        ([], "none"),
        (["DAPI"], "DAPI"),
        (["DAPI", "CD3"], "DAPI, CD3"),
        (np.array([3, 1]), "3, 1"),
        (pd.Index(["a", "b"]), "a, b"),
        ((name for name in "xy"), "x, y"),
        ({"k": 1, "l": 2}, "k, l"),
        (range(12), "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11"),
        (range(13), "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 … (13 in all)"),
    ],
)
def test_lists_for_people(names: object, text: str) -> None:
    assert listed(names) == text


def test_a_limit_of_ones_own() -> None:
    assert listed("abcd", 2) == "a, b … (4 in all)"
    assert listed("ab", 2) == "a, b"
