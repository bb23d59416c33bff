"""Images that are odd, empty or tiny: cells where there are any, else one plain sentence."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_gluer.errors import InputError
from napari_gluer.image import MultiplexImage
from napari_gluer.segmentation.nuclei import SegmentParams, segment
from napari_gluer.segmentation.params import Expansion, Watershed
from napari_gluer.tiles import TileParams

from .pictures import blobs, dapi

ONE = blobs((40, 44), np.array([[20.0, 22.0]]), 6.0)


@pytest.mark.parametrize("value", [0, 7, np.nan, np.inf])
def test_flat_images_are_refused(value: float) -> None:
    shown = value if np.isfinite(value) else 0
    with pytest.raises(InputError, match=rf"No nuclei.*every pixel is {shown}.*another nuclear"):
        segment(dapi(np.full((30, 30), value)))


@pytest.mark.parametrize("shape", [(0, 20), (20, 0), (0, 4, 4)])
def test_images_without_pixels_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match=r"no pixels.*\(1, "):
        segment(dapi(np.zeros(shape)))


@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf])
def test_odd_pixels_do_no_harm(odd: float) -> None:
    pixels = ONE.copy()
    pixels[2:4, 2:4] = odd
    expected = ONE.copy()
    expected[2:4, 2:4] = 0
    found = segment(dapi(pixels), tiles=TileParams(side=16))
    np.testing.assert_array_equal(found, segment(dapi(expected)))
    assert found[20, 22] > 0
    assert found[2, 2] == 0


def test_one_nucleus_is_one_cell() -> None:
    found = segment(dapi(ONE), SegmentParams(growth=Expansion(distance=2)))
    assert found.max() == 1
    assert 100 < (found == 1).sum() < 260


@pytest.mark.parametrize("shape", [(1, 60), (60, 1), (1, 1, 60), (3, 1, 60)])
def test_images_one_pixel_wide(shape: tuple[int, ...]) -> None:
    pixels = np.full(shape, 10.0)
    line = pixels.ravel()[-60:] if shape[-1] == 60 else pixels[:, 0]
    line[10:20] = line[35:45] = 100
    found = segment(dapi(pixels), SegmentParams(method=Watershed(background=0, smallest=0)))
    assert found.shape == shape
    assert found.max() == 2


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16, np.uint16, np.float64, ">u2"])
def test_any_type_of_pixel(dtype: str) -> None:
    pixels = np.round(ONE / 2).astype(dtype)
    np.testing.assert_array_equal(segment(dapi(pixels)), segment(dapi(pixels.astype(np.float32))))


def test_negative_brightness_is_only_an_offset() -> None:
    shifted = segment(dapi(ONE - 500))
    assert shifted.max() == 1
    assert (shifted != segment(dapi(ONE))).mean() < 0.01


@given(
    arrays(
        np.float32,
        st.sampled_from([(5, 7), (1, 1), (2, 3), (3, 4, 5), (16, 16)]),
        elements=st.floats(-(2.0**100), 2.0**100, width=32)
        | st.sampled_from([np.nan, np.inf, 0.0]),
    )
)
def test_whatever_the_pixels_labels_or_a_plain_error(pixels: np.ndarray) -> None:
    try:
        labels = segment(dapi(pixels), SegmentParams(growth=Expansion(distance=1)))
    except InputError as error:
        said = str(error)
    else:
        said = "No nuclei" if not labels.any() else ""
        assert labels.shape == pixels.shape
        np.testing.assert_array_equal(np.unique(labels[labels > 0]), range(1, labels.max() + 1))
    assert not said or "No nuclei" in said


def test_a_named_channel_that_is_not_there() -> None:
    image = MultiplexImage(np.stack([ONE, ONE]), ["CD3", "DAPI"])
    with pytest.raises(InputError, match="'DAPi2' is not in this image; it has CD3, DAPI"):
        segment(image, SegmentParams(nuclear_channels=("DAPi2",)))


def test_the_image_stays_as_it_is() -> None:
    pixels = ONE[np.newaxis].copy()
    pixels[0, 0, 0] = np.nan
    pixels.flags.writeable = False
    segment(MultiplexImage(pixels, ["DAPI"]))
