from hypothesis import given
from hypothesis import strategies as st

from napari_gluer.io.channels import unique_names


def test_later_equals_are_numbered_round_names_that_are_taken() -> None:
    assert unique_names(["a", "a", "a-1", "a"]) == ("a", "a-2", "a-1", "a-3")
    assert unique_names(["DAPI", "CD3"]) == ("DAPI", "CD3")


@given(st.lists(st.sampled_from(["a", "b", "a-1", "a-2", "a-1-1"]), max_size=12))
def test_names_become_unique_and_first_ones_stay(names: list[str]) -> None:
    unique = unique_names(names)
    assert len(set(unique)) == len(names)
    for name in set(names):
        assert unique[names.index(name)] == name
