"""Finished tiles outlive the process, and other work is refused."""

from pathlib import Path

import numpy as np
import pytest

from napari_gluer.errors import InputError
from napari_gluer.tiles import Store, TileParams, tiles_of

PLAN = {"image": "abc", "side": 10, "params": {"threshold": 0.8}}


def test_arrays_and_marks_are_found_again(tmp_path: Path) -> None:
    tiles = tiles_of((20, 20), TileParams(side=10))
    store = Store(tmp_path / "work", PLAN)
    labels = store.array("labels", (20, 20), np.int32, (10, 10))
    labels[tiles[1].core] = 7
    store.finish("split", tiles[1], {"cells": [3, 4]})
    store.finish("split", 3)
    again = Store(tmp_path / "work", PLAN)
    assert again.done("split") == {1: {"cells": [3, 4]}, 3: None}
    assert again.done("grow") == {}
    expected = np.zeros((20, 20))
    expected[:10, 10:] = 7
    np.testing.assert_array_equal(again.array("labels", (20, 20), np.int32, (10, 10))[:], expected)


def test_the_folder_of_another_plan_is_refused_with_what_differs(tmp_path: Path) -> None:
    Store(tmp_path, PLAN)
    with pytest.raises(InputError, match=r"other work; different are image, side\. Choose"):
        Store(tmp_path, {**PLAN, "image": "xyz", "side": 11})
    assert Store(tmp_path, PLAN).done("split") == {}


def test_a_folder_with_other_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.docx").write_text("years of work")
    with pytest.raises(InputError, match=r"not empty and holds no finished tiles .*thesis\.docx"):
        Store(tmp_path, PLAN)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.docx"]


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"Cannot write to .*file"):
        Store(tmp_path / "file" / "work", PLAN)


def test_a_torn_plan_counts_as_other_work(tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text('{"image": "ab')
    with pytest.raises(InputError, match="plan"):
        Store(tmp_path, PLAN)
