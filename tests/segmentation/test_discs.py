import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial import cKDTree

from napari_gluer import slots
from napari_gluer.errors import InputError
from napari_gluer.io.cells import read_cells
from napari_gluer.segmentation.discs import DiscParams, draw_cells


def table(positions: object, labels: object = None) -> AnnData:
    positions = np.asarray(positions, float)
    ids = np.arange(1, len(positions) + 1) if labels is None else np.asarray(labels)
    cells = AnnData(obs=pd.DataFrame({"label": ids}, index=ids.astype(str)))
    cells.obsm["spatial"] = positions
    return cells


def mapped(cells: AnnData) -> np.ndarray:
    """Rows and columns that ``uns`` says the cells have."""
    drawn = slots.info(cells)["drawn"]
    x, y = cells.obsm["spatial"][:, :2].T
    y = -y if drawn["y_flipped"] else y
    columns, rows = np.stack([x, y]) - np.reshape(drawn["origin"], (2, 1))
    return np.column_stack([rows, columns]) / drawn["pixel_size"]


coordinates = st.floats(-1e6, 1e6) | st.integers(-3, 3).map(float)
positions = st.integers(1, 30).flatmap(lambda n: arrays(float, (n, 2), elements=coordinates))


@given(positions)
def test_no_cell_ever_vanishes(at: np.ndarray) -> None:
    ids = np.arange(len(at)) * 7 + 3
    labels, drawn = draw_cells(table(at, ids), DiscParams(largest_side=256))
    np.testing.assert_array_equal(np.unique(labels[labels > 0]), ids)
    assert labels.dtype == np.int32
    np.testing.assert_array_equal(drawn.obsm["spatial"], at)


@pytest.mark.parametrize("n", [1, 2, 500])
def test_cells_on_one_spot_all_find_a_pixel(n: int) -> None:
    labels, drawn = draw_cells(table(np.full((n, 2), 4.0)))
    assert len(np.unique(labels)) == n + 1
    assert slots.info(drawn)["drawn"]["moved"] == n - 1


def test_pixels_go_to_the_nearest_centre_within_the_radius() -> None:
    at = np.random.default_rng(0).uniform(0, 300, (200, 2))
    labels, drawn = draw_cells(table(at))
    centres = mapped(drawn)
    pixels = np.argwhere(np.ones(labels.shape, bool))
    distance, nearest = cKDTree(centres).query(pixels)
    spacing = np.median(cKDTree(centres).query(centres, k=2)[0][:, 1])
    assert spacing == pytest.approx(10)
    expected = np.where(distance <= 7, nearest + 1, 0).reshape(labels.shape)
    different = labels != expected
    centre_rows, centre_columns = np.rint(centres).astype(int).T
    different[centre_rows, centre_columns] = False  # a centre's own pixel is reserved
    assert different.sum() <= slots.info(drawn)["drawn"]["moved"]


def test_mapping_puts_every_cell_on_its_own_label() -> None:
    at = np.random.default_rng(1).uniform(-50, 800, (300, 2))
    labels, drawn = draw_cells(table(at, np.arange(300) + 10))
    rows, columns = np.rint(mapped(drawn)).astype(int).T
    own = labels[rows, columns] == drawn.obs["label"].to_numpy()
    assert (~own).sum() <= slots.info(drawn)["drawn"]["moved"]


def test_y_is_flipped_only_where_all_are_negative() -> None:
    below = table([[0, -10], [0, -100], [50, -100]])
    labels, drawn = draw_cells(below)
    assert slots.info(drawn)["drawn"]["y_flipped"] is True
    first, second = (np.argwhere(labels == n)[:, 0].mean() for n in (1, 2))
    assert first < second
    _, mixed = draw_cells(table([[0, -10], [0, 100], [50, -100]]))
    assert slots.info(mixed)["drawn"]["y_flipped"] is False


def test_no_side_is_longer_than_asked() -> None:
    at = np.random.default_rng(2).uniform(0, 1, (2000, 2)) * [1e5, 10]
    labels, _ = draw_cells(table(at), DiscParams(largest_side=500))
    assert max(labels.shape) <= 500
    assert len(np.unique(labels)) == 2001


def test_the_table_given_stays_as_it_is() -> None:
    cells = table([[0, 0], [5, 5], [9, 0]])
    draw_cells(cells)
    assert slots.INFO not in cells.uns


@pytest.mark.parametrize(
    ("cells", "says"),
    [
        (table(np.zeros((0, 2))), "no cells"),
        (table([[0, np.nan], [1, 1]]), "1 of 2 cells have no finite position"),
        (table([[0, 0], [1, 1]], [1, 2**31]), "2147483648"),
        (AnnData(np.ones((2, 2))), r"no obsm\['spatial'\]"),
    ],
)
def test_what_cannot_be_drawn(cells: AnnData, says: str) -> None:
    with pytest.raises(InputError, match=says):
        draw_cells(cells)


@pytest.mark.shared_data
def test_real_tissue_is_drawn_fast(shared_data: Path) -> None:
    cells = read_cells(shared_data / "codex_human_spleen/codex_spleen_10000x28.h5ad")
    draw_cells(cells[:10].copy())  # compiles
    start = time.perf_counter()
    labels, drawn = draw_cells(cells)
    assert time.perf_counter() - start < 2
    assert len(np.unique(labels)) == 10_001
    assert slots.info(drawn)["drawn"]["y_flipped"] is True
