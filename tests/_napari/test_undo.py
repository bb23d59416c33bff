from napari_gluer._napari.undo import Undo


def adding(found: list[int], value: int) -> tuple:
    return (lambda: found.append(value)), found.pop


def test_takes_back_in_reverse_and_does_again():
    undo, found = Undo(), []
    undo.do("one", *adding(found, 1))
    undo.do("two", *adding(found, 2))
    assert undo.undo_text == "two"
    assert undo.undo() == "two"
    assert found == [1]
    assert (undo.undo_text, undo.redo_text) == ("one", "two")
    assert undo.redo() == "two"
    assert found == [1, 2]
    assert undo.redo_text == ""


def test_a_new_step_forgets_what_was_taken_back():
    undo, found = Undo(), []
    undo.do("one", *adding(found, 1))
    undo.undo()
    undo.do("three", *adding(found, 3))
    assert undo.redo() == ""
    assert found == [3]


def test_nothing_to_take_back():
    undo = Undo()
    assert (undo.undo(), undo.redo(), undo.undo_text) == ("", "", "")


def test_only_the_last_hundred_are_remembered():
    undo, found = Undo(), []
    for i in range(130):
        undo.do(str(i), *adding(found, i))
    while undo.undo():
        continue
    assert found == list(range(30))


def test_tells_of_every_change():
    undo, told = Undo(), []
    undo.changed.connect(lambda: told.append(undo.undo_text))
    undo.do("one", *adding([], 1))
    undo.undo()
    undo.redo()
    assert told == ["one", "", "one"]
