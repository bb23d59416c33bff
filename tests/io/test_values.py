"""Values per cell as CSV."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

from napari_gluer.errors import InputError
from napari_gluer.io.values import write_values


def test_rows_carry_labels_and_unmatched_cells_are_empty(tmp_path: Path) -> None:
    cells = AnnData(np.zeros((3, 1), np.float32))
    cells.obs["label"] = [7, 2, 9]
    cells.obs["gluer_unmatched"] = [False, True, False]
    write_values(cells, {"CD4": np.array([1.5, 2.5, 0.0])}, tmp_path / "values.csv")
    table = pd.read_csv(tmp_path / "values.csv")
    assert list(table.columns) == ["label", "unmatched", "CD4"]
    assert list(table["label"]) == [7, 2, 9]
    assert list(table["unmatched"]) == [False, True, False]
    np.testing.assert_array_equal(table["CD4"], [1.5, np.nan, 0.0])


def test_a_table_without_labels_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="label"):
        write_values(AnnData(np.zeros((1, 1), np.float32)), {}, tmp_path / "values.csv")
    assert not list(tmp_path.iterdir())
