"""Names made unique."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_gluer.names import unique_names


@pytest.mark.parametrize(
    ("names", "unique"),
    [
        (["A", "B"], ["A", "B"]),
        (["A", "A", "B", "A"], ["A", "A-1", "B", "A-2"]),
        (["A", "A", "A-1"], ["A", "A-2", "A-1"]),
        (["a", "a", "a-1", "a"], ["a", "a-2", "a-1", "a-3"]),
        ([], []),
    ],
)
def test_later_equals_are_numbered(names: list[str], unique: list[str]) -> None:
    assert unique_names(names) == unique


@given(st.lists(st.sampled_from(["A", "A-1", "A-1-1", "B"]), max_size=12))
def test_all_are_unique_and_first_ones_keep_their_name(names: list[str]) -> None:
    unique = unique_names(names)
    assert len(set(unique)) == len(names)
    for name in set(names):
        assert unique[names.index(name)] == name
