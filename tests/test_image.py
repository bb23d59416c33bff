import numpy as np
import pytest

from napari_gluer.errors import InputError
from napari_gluer.image import MultiplexImage

DATA = np.arange(2 * 3 * 4).reshape(2, 3, 4)


def test_channels_are_found_by_name_exact_first() -> None:
    image = MultiplexImage(np.concatenate([DATA, DATA[:1] * 10]), ["CD3", "cd3", "Dapi"])
    assert image.channels == ("CD3", "cd3", "Dapi")
    assert [image.index(name) for name in ("CD3", "cd3", "DAPI")] == [0, 1, 2]
    np.testing.assert_array_equal(image.channel("dapi"), DATA[0] * 10)
    with pytest.raises(InputError, match="'Cd3' is not in this image; it has CD3, cd3, Dapi"):
        image.index("Cd3")


def test_sum_of_channels_does_not_overflow() -> None:
    image = MultiplexImage(np.full((2, 3, 4), 200, np.uint8), ["a", "b"])
    summed = image.summed(["a", "b"])
    assert summed.dtype == np.float32
    np.testing.assert_array_equal(summed, 400)


@pytest.mark.parametrize(
    ("shape", "size", "spacing"),
    [
        ((2, 3, 4), None, None),
        ((2, 3, 4), 0.5, (0.5, 0.5)),
        ((2, 3, 4), (0.5, 0.25), (0.5, 0.25)),
        ((2, 5, 3, 4), 0.5, (0.5, 0.5, 0.5)),
        ((2, 5, 3, 4), (2, 0.5, 0.5), (2.0, 0.5, 0.5)),
    ],
)
def test_spacing_has_one_number_an_axis(shape: tuple, size: object, spacing: object) -> None:
    image = MultiplexImage(np.zeros(shape), ["a", "b"], size)
    assert image.spatial_shape == shape[1:]
    assert image.spacing_um == spacing


@pytest.mark.parametrize(
    ("data", "channels", "says"),
    [
        (DATA[0], ["a"], r"shape \(3, 4\)"),
        (DATA, ["a"], "1 channel names for 2 channels"),
        (DATA, ["a", "a"], "repeated: a"),
    ],
)
def test_what_is_no_multiplexed_image(data: np.ndarray, channels: list[str], says: str) -> None:
    with pytest.raises(InputError, match=says):
        MultiplexImage(data, channels)


@pytest.mark.parametrize("size", [0, -1, np.inf, np.nan, (0.5, np.inf), (1, 2, 3)])
def test_what_is_no_pixel_size(size: object) -> None:
    with pytest.raises(InputError, match="A pixel size is one positive number or 2"):
        MultiplexImage(DATA, ["a", "b"], size)
