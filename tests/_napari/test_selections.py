import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_gluer._napari.selections import Selections
from napari_gluer._napari.undo import Undo
from napari_gluer.errors import InputError

LABELS = st.sets(st.integers(1, 30))


def made() -> tuple[Selections, Undo]:
    undo = Undo()
    return Selections(undo), undo


@given(first=LABELS, second=LABELS)
def test_combining_is_what_sets_do(first: set[int], second: set[int]):
    by_sets = {
        "replace": second,
        "add": first | second,
        "remove": first - second,
        "common": first & second,
    }
    for how, expected in by_sets.items():
        selections, _ = made()
        selections.choose(list(first))
        selections.choose(list(second), how)
        assert selections.current.tolist() == sorted(expected)


@given(steps=st.lists(st.tuples(LABELS, st.sampled_from(["replace", "add", "remove", "common"]))))
def test_undo_leads_back_to_the_start_and_redo_to_the_end(steps):
    selections, undo = made()
    for labels, how in steps:
        selections.choose(list(labels), how)
    end = selections.current.tolist()
    while undo.undo():
        continue
    assert selections.current.size == 0
    while undo.redo():
        continue
    assert selections.current.tolist() == end


def test_the_background_is_never_chosen_and_doubles_count_once():
    selections, _ = made()
    selections.choose([0, 5, 5, 2])
    assert selections.current.tolist() == [2, 5]
    assert selections.current.dtype == np.int64


def test_choosing_the_same_again_is_no_step():
    selections, undo = made()
    selections.choose([1])
    selections.choose([1], "add")
    undo.undo()
    assert selections.current.size == 0


def test_names():
    selections, undo = made()
    selections.choose([4, 7])
    selections.keep(" edge ")
    selections.choose([7, 9])
    selections.keep("core")
    selections.rename("edge", "rim")
    assert {name: list(cells) for name, cells in selections.named.items()} == {
        "rim": [4, 7],
        "core": [7, 9],
    }
    selections.delete("rim")
    assert undo.undo() == "delete “rim”"
    assert list(selections.named) == ["rim", "core"]
    undo.undo()
    assert list(selections.named) == ["edge", "core"]
    selections.recall("edge", "common")
    assert selections.current.tolist() == [7]


def test_combine_several():
    selections, _ = made()
    for name, labels in {"a": [1, 2, 3], "b": [3, 4], "c": [2]}.items():
        selections.choose(labels)
        selections.keep(name)
    selections.combine(["a", "b"], "add", "both")
    selections.combine(["a", "b", "c"], "remove", "only a")
    assert selections.named["both"].tolist() == [1, 2, 3, 4]
    assert selections.named["only a"].tolist() == [1]


@pytest.mark.parametrize(
    ("act", "says"),
    [
        (lambda s: s.keep("edge"), "“edge” already"),
        (lambda s: s.keep("  "), "needs a name"),
        (lambda s: s.recall("core"), "no selection “core”; there are edge"),
        (lambda s: s.rename("core", "x"), "no selection “core”"),
        (lambda s: s.delete("core"), "no selection “core”"),
        (lambda s: s.combine([], "add", "x"), "Choose the selections"),
    ],
)
def test_what_cannot_be_done_is_said_and_changes_nothing(act, says):
    selections, undo = made()
    selections.choose([1])
    selections.keep("edge")
    with pytest.raises(InputError, match=says):
        act(selections)
    assert list(selections.named) == ["edge"]
    assert undo.undo_text == "name “edge”"


def test_nothing_chosen_gets_no_name():
    selections, _ = made()
    with pytest.raises(InputError, match="No cells are chosen"):
        selections.keep("edge")


def test_tells_of_changes():
    selections, undo = made()
    told = []
    selections.changed.connect(lambda: told.append("current"))
    selections.named_changed.connect(lambda: told.append("named"))
    selections.choose([1])
    selections.keep("edge")
    undo.undo()
    selections.restore([2], {"rim": [2, 1]})
    assert told == ["current", "named", "named", "current", "named"]
    assert selections.named["rim"].tolist() == [1, 2]
