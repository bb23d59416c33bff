import numpy as np
import pandas as pd
from anndata import AnnData

from napari_gluer.figures.map_colors import map_colors
from napari_gluer.figures.params import DOUBLE_COLUMN
from napari_gluer.palette import UNMATCHED


def table(values: object) -> AnnData:
    cells = AnnData(shape=(4, 1))
    cells.obs["color"] = pd.Series(values, index=cells.obs_names)
    return cells


def test_codes_name_the_groups_without_the_unmatched() -> None:
    colors = map_colors(table(["z", UNMATCHED, "a", None]), "color", DOUBLE_COLUMN)
    assert colors.names == ["a", "z"]
    assert colors.codes.tolist() == [1, -1, 0, -1]
    assert colors.missing.tolist() == [False, True, False, True]
    assert colors.unmatched.tolist() == [False, True, False, False]
    labels = [handle.get_label() for handle in colors.handles(numbered=True)]
    assert labels == ["1  a (1)", "2  z (1)", "unmatched (1)", "no value (1)"]


def test_unmatched_cells_have_no_group_whatever_it_says() -> None:
    cells = table(["a", "a", "b", "b"])
    cells.obs["gluer_unmatched"] = [False, True, False, False]
    colors = map_colors(cells, "color", DOUBLE_COLUMN)
    assert colors.codes.tolist() == [0, -1, 1, 1]
    assert [str(handle.get_label()) for handle in colors.handles(numbered=False)] == [
        "a (1)",
        "b (2)",
        "unmatched (1)",
    ]


def test_nullable_numbers_are_numbers() -> None:
    colors = map_colors(table(pd.array([1, None, 3, 4], "Int64")), "color", DOUBLE_COLUMN)
    assert colors.scale is not None
    assert colors.missing.tolist() == [False, True, False, False]
    assert len(np.unique(colors.rgba, axis=0)) == 4
