import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.measure import regionprops_table

from napari_gluer import slots
from napari_gluer.errors import InputError
from napari_gluer.image import MultiplexImage
from napari_gluer.io.images import read_image
from napari_gluer.measurement import intensities
from napari_gluer.measurement.intensities import measure
from napari_gluer.measurement.params import MeasureParams
from napari_gluer.tiles import TileParams

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
    known = slots.info(cells)
    assert (known["kind"], known["spatial_unit"]) == ("intensity", "um")
    assert known["measure"]["outcome"] == "2 cells × 2 channels."
    assert known["measure"]["not_finite"] == {}
    assert list(cells.obs["touches_border"]) == [True, True]
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


DTYPES = [
    "u1",
    "i1",
    "u2",
    ">u2",
    "i2",
    "u4",
    "i4",
    ">i4",
    "u8",
    "i8",
    "f2",
    "f4",
    ">f4",
    "f8",
    "?",
]
EVERYTHING = MeasureParams(median=True, sum=True, std=True, shape=True, bounding_box=True)
LENGTHS = ("axis_major_length", "axis_minor_length", "equivalent_diameter_area")


def median(mask: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    return np.median(pixels[mask], axis=0)


def truth_of(labels: np.ndarray, pixels: np.ndarray, spacing: tuple[float, ...]) -> pd.DataFrame:
    """What scikit-image says of every cell; labels are first numbered without gaps."""
    dense = np.searchsorted(np.unique(np.r_[0, labels.ravel()]), labels)
    names = ["area", "num_pixels", "centroid", "bbox", "extent", *LENGTHS]
    names += ["intensity_mean", "intensity_std"]
    if labels.ndim == 2:
        names += ["eccentricity", "orientation", "inertia_tensor"]
        names += ["perimeter"] if len(set(spacing)) == 1 else []
    last = np.moveaxis(pixels, 0, -1).astype(np.float64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pd.DataFrame(
            regionprops_table(
                dense, last, properties=names, spacing=spacing, extra_properties=(median,)
            )
        )


@st.composite
def measured_images(draw: Any) -> tuple[np.ndarray, np.ndarray, tuple[float, ...]]:
    """Labels with gaps and huge numbers, pixels of any type, and a pixel size."""
    ndim = draw(st.integers(2, 3))
    shape = tuple(draw(st.integers(1, 12)) for _ in range(ndim))
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    ids = draw(st.lists(st.integers(1, 2**40), min_size=1, max_size=6, unique=True))
    block = draw(st.integers(1, 4))  # cells of some pixels, or noise
    coarse = rng.choice(np.array([0, *ids]), [-(-size // block) for size in shape])
    labels = coarse.repeat(block, 0).repeat(block, 1)
    labels = labels.repeat(block, 2) if ndim == 3 else labels
    labels = labels[tuple(slice(size) for size in shape)]
    labels.flat[0] = ids[0]
    dtype = np.dtype(draw(st.sampled_from(DTYPES)))
    low = -100 if dtype.kind in "if" else 0
    pixels = rng.integers(low, 101, (2, *shape)).astype(dtype)
    spacing = draw(st.sampled_from([1.0, 0.25, (0.5, 2.0, 0.25)]))
    spacing = spacing[-ndim:] if isinstance(spacing, tuple) else (spacing,) * ndim
    return labels, pixels, spacing


@given(measured_images(), st.sampled_from([0, 3, 5]))
@settings(max_examples=80)
def test_equals_regionprops(case: Any, side: int) -> None:
    labels, pixels, spacing = case
    image = MultiplexImage(pixels, ["a", "b"], spacing)
    cells = measure(image, labels, EVERYTHING, tiles=TileParams(side=side))
    truth = truth_of(labels, pixels, spacing)
    near = {"rtol": 1e-6, "atol": 1e-6}
    np.testing.assert_array_equal(cells.obs["label"], np.unique(labels[labels > 0]))
    np.testing.assert_array_equal(cells.obs["volume_px"], truth["num_pixels"])
    for name, column in (
        (cells.X, "intensity_mean"),
        (cells.layers["std"], "intensity_std"),
        (cells.layers["median"], "median"),
    ):
        np.testing.assert_allclose(name, truth[[f"{column}-0", f"{column}-1"]], **near)
    sums = truth[["intensity_mean-0", "intensity_mean-1"]].mul(truth["num_pixels"], axis=0)
    np.testing.assert_allclose(cells.layers["sum"], sums, **near)
    axes = range(labels.ndim)
    centroids = truth[[f"centroid-{axis}" for axis in reversed(axes)]]
    np.testing.assert_allclose(cells.obsm["spatial"], centroids, atol=1e-9)
    for axis, name in enumerate("zyx"[-labels.ndim :]):
        np.testing.assert_array_equal(cells.obs[f"{name}_first"], truth[f"bbox-{axis}"])
        last = truth[f"bbox-{axis + labels.ndim}"] - 1
        np.testing.assert_array_equal(cells.obs[f"{name}_last"], last)
    np.testing.assert_allclose(cells.obs["extent"], truth["extent"], **near)
    for name in LENGTHS[:2] if labels.ndim == 2 else LENGTHS[:1]:
        np.testing.assert_allclose(cells.obs[name], truth[name], rtol=1e-5, atol=1e-5)
    if labels.ndim == 2:
        _check_plane(cells.obs, truth)


def _check_plane(obs: pd.DataFrame, truth: pd.DataFrame) -> None:
    np.testing.assert_allclose(obs["eccentricity"], truth["eccentricity"], rtol=1e-6, atol=1e-4)
    assert ("perimeter" in obs) == ("perimeter" in truth)
    if "perimeter" in truth:
        np.testing.assert_allclose(obs["perimeter"], truth["perimeter"], rtol=1e-6)
    a, b, c = (truth[f"inertia_tensor-{at}"] for at in ("0-0", "0-1", "1-1"))
    longer = np.hypot(a - c, 2 * b) > 1e-6 * (a + c)  # else no axis is the longer one
    turned = obs["orientation"].to_numpy() - truth["orientation"].to_numpy()
    difference = np.abs((turned + np.pi / 2) % np.pi - np.pi / 2)
    assert (difference[longer] < 1e-6).all()


def test_equivalent_diameter_is_that_of_the_disc_or_ball() -> None:
    labels = np.zeros((5, 5, 5), int)
    labels[1:4, 1:4, 1:4] = 1
    params = MeasureParams(shape=True)
    ball = measure(MultiplexImage(np.ones((1, 5, 5, 5)), ["a"], 2.0), labels, params)
    volume = 27 * 8
    assert ball.obs["equivalent_diameter_area"].iloc[0] == pytest.approx(
        2 * (3 * volume / (4 * np.pi)) ** (1 / 3)
    )
    disc = measure(MultiplexImage(np.ones((1, 5, 5)), ["a"]), labels[2], params)
    assert disc.obs["equivalent_diameter_area"].iloc[0] == pytest.approx(2 * np.sqrt(9 / np.pi))


@given(st.integers(0, 2**16), st.sampled_from([">f8", "f4", "f2"]), st.sampled_from([0, 4]))
def test_pixels_that_are_no_numbers_are_left_out_and_counted(
    seed: int, dtype: str, side: int
) -> None:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 4, (9, 7))
    labels[0, :3] = [1, 2, 3]
    pixels = rng.normal(0, 10, (2, 9, 7)).astype(dtype)
    pixels[0][rng.random((9, 7)) < 0.3] = rng.choice([np.nan, np.inf, -np.inf])
    pixels[0][labels == 3] = np.nan
    params = MeasureParams(median=True, std=True, sum=True)
    cells = measure(MultiplexImage(pixels, "ab"), labels, params, tiles=TileParams(side=side))
    for row, label in enumerate((1, 2)):
        for channel in (0, 1):
            held = pixels[channel][labels == label].astype(np.float64)
            held = held[np.isfinite(held)]
            found = [cells.X, *(cells.layers[name] for name in ("median", "std", "sum"))]
            truth = [f(held) if held.size else np.nan for f in (np.mean, np.median, np.std, np.sum)]
            values = [one[row, channel] for one in found]
            np.testing.assert_allclose(values, truth, rtol=1e-5, atol=1e-5)
    assert np.isnan(cells.X[2, 0])
    assert np.isfinite(cells.X[:, 1]).all()
    lost = int((~np.isfinite(pixels[0]) & (labels > 0)).sum())
    report = slots.info(cells)["measure"]
    assert report["not_finite"] == {"a": lost}
    assert f"NaN or infinite pixels left out of: a {lost}" in report["outcome"]


def test_borders_are_the_first_and_last_rows_and_columns() -> None:
    labels = np.zeros((3, 6, 6), int)
    labels[:, 2:4, 2:4] = 1  # touches first and last plane only
    labels[1, 0, 2] = 2
    labels[1, 5, 2] = 3
    labels[1, 2, 0] = 4
    labels[1, 4, 5] = 5
    cells = measure(MultiplexImage(np.ones((1, 3, 6, 6)), ["a"]), labels, tiles=TileParams(side=2))
    assert list(cells.obs["touches_border"]) == [False, True, True, True, True]


class LeftHalf:
    """Points with x below 3."""

    def contains(self, points: np.ndarray) -> np.ndarray:
        assert points.shape[1] == 2
        return points[:, 1] < 3


def test_cells_outside_the_regions_are_not_in_the_table() -> None:
    labels = np.zeros((2, 4, 6), int)
    labels[0, 0, 0], labels[1, 2, 4], labels[:, 3, 2:4] = 5, 7, 9  # centroid of 9: x = 2.5
    image = MultiplexImage(np.ones((1, 2, 4, 6)), ["a"], 0.5)
    cells = measure(image, labels, regions=LeftHalf())
    assert list(cells.obs["label"]) == [5, 9]
    report = slots.info(cells)["measure"]
    assert report["outside_regions"] == 1
    assert report["outcome"] == "2 cells × 1 channels; 1 cells outside the regions left out."
    with pytest.raises(InputError, match="centroids of all 1 lie outside the regions"):
        measure(image, np.where(labels == 7, 7, 0), regions=LeftHalf())


def test_sums_of_a_large_cell_keep_their_digits() -> None:
    pixels = np.full((1, 3000, 3000), 16777217 / 16777216, np.float32)
    pixels[0, 0, 0] = 1e7
    cells = measure(MultiplexImage(pixels, ["a"]), np.ones((3000, 3000), np.uint8))
    assert cells.X[0, 0] == pytest.approx(pixels.mean(dtype=np.float64), rel=1e-7)


class Lazy:
    """Sliced like an array, and nothing else; notes what was read."""

    def __init__(self, values: np.ndarray, chunks: tuple[int, ...] | None = None) -> None:
        self.values, self.shape, self.dtype = values, values.shape, values.dtype
        self.read: list[tuple[int, ...]] = []
        if chunks:
            self.chunks = chunks

    def __getitem__(self, key: Any) -> np.ndarray:
        part = self.values[key]
        self.read.append(part.shape)
        return part


def test_lazy_arrays_are_read_tile_by_tile_some_channels_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(0)
    labels, pixels = rng.integers(0, 9, (8, 12)), rng.random((5, 8, 12)).astype(np.float32)
    monkeypatch.setattr(intensities, "_AT_ONCE", 2 * 4 * 4 * 4 + 1)
    seen = []

    def track(items, desc):
        for item in items:
            seen.append(desc)
            yield item

    lazy, masks = Lazy(pixels), Lazy(labels)
    found = measure(MultiplexImage(lazy, "abcde"), masks, tiles=TileParams(side=4), track=track)
    assert set(lazy.read) == {(2, 4, 4), (1, 4, 4)}
    assert set(masks.read) == {(4, 4)}
    assert seen == ["Measuring cells"] * 6
    whole = measure(MultiplexImage(pixels, "abcde"), labels)
    np.testing.assert_allclose(found.X, whole.X, rtol=1e-6)
    chunked = Lazy(pixels, (3, 4, 4))
    measure(MultiplexImage(chunked, "abcde"), masks, tiles=TileParams(side=4))
    assert set(chunked.read) == {(3, 4, 4), (2, 4, 4)}


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


@pytest.mark.parametrize(
    ("pixels", "says"),
    [
        (PIXELS.astype(complex), "real numbers.*complex128"),
        (np.full(PIXELS.shape, 1e300), "too large for 32-bit numbers in a, b"),
    ],
)
def test_pixels_that_cannot_be_measured(pixels: np.ndarray, says: str) -> None:
    with pytest.raises(InputError, match=says):
        measure(MultiplexImage(pixels, ["a", "b"]), LABELS)


def test_numbers_above_a_signed_64_bits_are_refused() -> None:
    labels = np.array([[1, 2**63 + 5]], np.uint64)
    with pytest.raises(InputError, match="too large"):
        measure(MultiplexImage(np.ones((1, 1, 2)), ["a"]), labels)


@pytest.mark.shared_data
def test_nuclei_and_cytoplasm_equal_those_of_the_vendor(shared_data: Path) -> None:
    stem = shared_data / "mif_fihc4_phenoptr/FIHC4__0929309_HP_IM3_2_"
    image = read_image(f"{stem}component_data.tif")
    nuclei, cytoplasm = (
        tifffile.imread(f"{stem}binary_seg_maps.tif", key=page).astype(np.int32) for page in (1, 2)
    )
    cells = measure(image, np.where(nuclei > 0, nuclei, cytoplasm), nuclei=nuclei)
    vendor = pd.read_csv(f"{stem}cell_seg_data.txt", sep="\t").set_index("Cell ID")
    vendor = vendor.loc[cells.obs["label"]]
    np.testing.assert_array_equal(cells.obs["nucleus_px"], vendor["Nucleus Area (pixels)"])
    assert (cells.obs["n_nuclei"] == 1).all()
    around = measure(image, cytoplasm)  # inForm's lies in part under other cells' nuclei
    assert list(around.obs["label"]) == list(cells.obs["label"])
    ours = {"Nucleus": (cells.layers["nucleus"], 1.0), "Cytoplasm": (around.X, 0.97)}
    for part, (means, least) in ours.items():
        for column, channel in enumerate(image.channels):
            named = f"{part} {channel} Mean"
            theirs = vendor[next(name for name in vendor if name.startswith(named))].to_numpy()
            near = np.abs(means[:, column] - theirs) <= 0.01 * np.abs(theirs) + 0.01
            assert near.mean() >= least, (part, channel)


def test_nothing_to_measure_is_said() -> None:
    with pytest.raises(InputError, match="no labels are given"):
        measure(MultiplexImage(PIXELS, ["A", "B"]), None)
    for shape, names in (((1, 0, 5), ["A"]), ((0, 4, 5), [])):
        with pytest.raises(InputError, match=r"nothing to measure: the image is \("):
            measure(MultiplexImage(np.ones(shape), names), np.zeros(shape[1:], int))
