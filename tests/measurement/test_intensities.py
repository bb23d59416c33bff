from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from skimage.measure import regionprops_table

from napari_gluer import slots
from napari_gluer.errors import InputError
from napari_gluer.image import MultiplexImage
from napari_gluer.io.images import read_image
from napari_gluer.measurement.intensities import measure

LABELS = np.array([[0, 7, 7], [3, 3, 7]])
PIXELS = np.array([[[9, 1, 2], [3, 4, 6]], [[0, 0, 0], [255, 254, 1]]], np.uint8)


def test_two_cells_by_hand() -> None:
    cells = measure(MultiplexImage(PIXELS, ["CD3", "DAPI"], 0.5), LABELS)
    np.testing.assert_allclose(cells.X, [[3.5, 254.5], [3.0, 1 / 3]], rtol=1e-6)
    assert cells.X.dtype == np.float32
    assert list(cells.obs["label"]) == [3, 7]
    assert list(cells.obs_names) == ["3", "7"]
    assert list(cells.obs["volume_px"]) == [2, 3]
    np.testing.assert_allclose(cells.obs["area_um2"], [0.5, 0.75])
    np.testing.assert_allclose(cells.obsm["spatial"], [[0.25, 0.5], [5 / 6, 1 / 6]])
    assert list(cells.var_names) == ["CD3", "DAPI"]
    assert list(cells.var["genes"]) == ["CD3D;CD3E;CD3G", ""]
    assert list(cells.var["role"]) == ["marker", "nuclear"]
    assert slots.info(cells) == {"kind": "intensity", "spatial_unit": "um"}
    assert not cells.layers


def test_without_pixel_size_positions_are_in_pixels() -> None:
    cells = measure(MultiplexImage(PIXELS, ["A", "B"]), LABELS)
    np.testing.assert_allclose(cells.obsm["spatial"], [[0.5, 1.0], [5 / 3, 1 / 3]])
    assert slots.info(cells)["spatial_unit"] == "px"
    assert not {"area_um2", "volume_um3"} & set(cells.obs)


def test_stack_has_volumes_and_x_y_z() -> None:
    labels = np.zeros((3, 4, 5), int)
    labels[1:, 2, 3:] = 1
    image = MultiplexImage(np.ones((1, 3, 4, 5)), ["A"], (2.0, 0.5, 0.25))
    cells = measure(image, labels)
    np.testing.assert_allclose(cells.obs["volume_um3"], [4 * 0.25])
    np.testing.assert_allclose(cells.obsm["spatial"], [[3.5 * 0.25, 2 * 0.5, 1.5 * 2.0]])


DTYPES = ["u1", "i1", "u2", ">u2", "i4", "f2", "f4", ">f4", "f8", "?"]


@given(st.data())
def test_equals_regionprops(data: Any) -> None:
    ndim = data.draw(st.integers(2, 3))
    shape = tuple(data.draw(st.integers(1, 9)) for _ in range(ndim))
    seed = data.draw(st.integers(0, 2**16))
    rng = np.random.default_rng(seed)
    ids = data.draw(st.lists(st.integers(1, 2**40), min_size=1, max_size=6, unique=True))
    labels = rng.choice(np.array([0, *ids]), shape)
    labels.ravel()[0] = ids[0]
    dtype = np.dtype(data.draw(st.sampled_from(DTYPES)))
    pixels = (rng.random((2, *shape)) * 100).astype(dtype)
    cells = measure(MultiplexImage(pixels, ["a", "b"]), labels)
    dense = np.searchsorted(np.unique(np.r_[0, labels.ravel()]), labels)
    truth = pd.DataFrame(
        regionprops_table(
            dense,
            np.moveaxis(pixels, 0, -1).astype(np.float64),
            properties=("label", "area", "centroid", "intensity_mean"),
        )
    )
    np.testing.assert_array_equal(cells.obs["label"], np.unique(labels[labels > 0]))
    np.testing.assert_array_equal(cells.obs["volume_px"], truth["area"])
    means = truth[["intensity_mean-0", "intensity_mean-1"]]
    np.testing.assert_allclose(cells.X, means, rtol=1e-6, atol=1e-6)
    centroids = truth[[f"centroid-{axis}" for axis in reversed(range(ndim))]]
    np.testing.assert_allclose(cells.obsm["spatial"], centroids, atol=1e-9)


def test_sums_of_a_large_cell_keep_their_digits() -> None:
    pixels = np.full((1, 3000, 3000), 16777217 / 16777216, np.float32)
    pixels[0, 0, 0] = 1e7
    cells = measure(MultiplexImage(pixels, ["a"]), np.ones((3000, 3000), np.uint8))
    assert cells.X[0, 0] == pytest.approx(pixels.mean(dtype=np.float64), rel=1e-7)


def test_one_channel_is_read_at_a_time_and_reported() -> None:
    class Channels:
        shape, read = (3, *LABELS.shape), []

        def __getitem__(self, key: int) -> np.ndarray:
            self.read.append(key)
            return np.ones(LABELS.shape)

    seen = []

    def track(items, desc):
        for item in items:
            seen.append((desc, item))
            yield item

    measure(MultiplexImage(Channels(), ["a", "b", "c"]), LABELS, track=track)
    assert Channels.read == [0, 1, 2]
    assert seen == [("Measuring channels", name) for name in "abc"]


def test_neither_image_nor_labels_change() -> None:
    labels, pixels = LABELS.copy(), PIXELS.copy()
    measure(MultiplexImage(pixels, ["a", "b"]), labels)
    np.testing.assert_array_equal(labels, LABELS)
    np.testing.assert_array_equal(pixels, PIXELS)


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        (LABELS.T, r"labels \(3, 2\), image\s+\(2, 3\)"),
        (np.zeros_like(LABELS), "hold no cell"),
        (LABELS / 2, "fractions"),
        (LABELS[np.newaxis], r"\(1, 2, 3\)"),
    ],
)
def test_labels_that_do_not_fit(labels: np.ndarray, says: str) -> None:
    with pytest.raises(InputError, match=says):
        measure(MultiplexImage(PIXELS, ["a", "b"]), labels)


@pytest.mark.shared_data
def test_nuclear_means_equal_those_of_the_vendor(shared_data: Path) -> None:
    stem = shared_data / "mif_fihc4_phenoptr/FIHC4__0929309_HP_IM3_2_"
    image = read_image(f"{stem}component_data.tif")
    cells = measure(image, tifffile.imread(f"{stem}binary_seg_maps.tif", key=1))
    vendor = pd.read_csv(f"{stem}cell_seg_data.txt", sep="\t").set_index("Cell ID")
    vendor = vendor.loc[cells.obs["label"]]
    column = next(name for name in vendor if name.startswith("Nucleus DAPI") and "Mean" in name)
    np.testing.assert_array_equal(cells.obs["volume_px"], vendor["Nucleus Area (pixels)"])
    dapi = cells[:, "DAPI"].X.ravel()
    assert (np.abs(dapi - vendor[column]) <= 0.01 * vendor[column].abs() + 0.01).mean() == 1.0
