"""Named selections in a file."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from napari_gluer._napari.selecting.saving import write_selections
from napari_gluer.errors import InputError

NAMED = {"rim": np.array([3, 9]), "core": np.array([6, 500])}


def test_without_names_there_is_nothing_to_save(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No selection has a name yet"):
        write_selections(tmp_path / "none.csv", {})
    assert not list(tmp_path.iterdir())


def test_a_file_has_a_row_for_every_cell_and_selection(tmp_path: Path) -> None:
    assert write_selections(tmp_path / "cells.csv", {**NAMED, "a, b": np.array([3])}) == 5
    read = pd.read_csv(tmp_path / "cells.csv")
    assert read["label"].tolist() == [3, 9, 6, 500, 3]
    assert read["selection"].tolist() == ["rim", "rim", "core", "core", "a, b"]
    assert [one.name for one in tmp_path.iterdir()] == ["cells.csv"]
