"""Image layers as one multiplexed image."""

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_gluer._napari.channel_layers import image_layers
from napari_gluer._napari.images import (
    ChannelStack,
    dim_tissue,
    image_metadata,
    pixel_size_um,
    sources,
)
from napari_gluer._napari.layers import show_values
from napari_gluer.errors import InputError
from napari_gluer.image import MultiplexImage


def _open(model: ViewerModel, image: MultiplexImage) -> None:
    for data, kwargs, _ in image_layers(image, "tissue.tif"):
        model.add_image(data, **kwargs)


def test_the_channels_of_a_file_are_one_image(model: ViewerModel, image: MultiplexImage) -> None:
    _open(model, image)
    found = sources(model)
    assert found[0].name == "tissue.tif (3 channels)"
    assert found[0].image is image


def test_a_layer_with_channels_is_an_image(model: ViewerModel) -> None:
    model.add_image(
        np.zeros((4, 8, 8)), name="stack", scale=(1, 500, 500), units=("nm", "nm", "nm")
    )
    found = sources(model)[0].image
    assert found.channels == ("stack 1", "stack 2", "stack 3", "stack 4")
    assert found.spacing_um == pytest.approx((0.5, 0.5))


@pytest.mark.parametrize(
    ("place", "depth"),
    [
        ({"scale": (2, 0.5, 0.5)}, True),
        ({"scale": (2, 0.5, 0.5), "axis_labels": ("c", "y", "x")}, False),
        ({"axis_labels": ("z", "y", "x")}, True),
        ({"scale": (1, 0.5, 0.5)}, False),
    ],
)
def test_the_first_axis_is_depth_where_it_has_a_scale_or_says_so(
    model: ViewerModel, place: dict[str, object], depth: bool
) -> None:
    for name in "ab":
        model.add_image(np.zeros((4, 8, 8)), name=name, **place)
    found = sources(model)
    assert len(found) == 3
    assert found[0].image.channels == (("a", "b") if depth else ("a 1", "a 2", "a 3", "a 4"))
    assert found[-1 if depth else 0].name == f"{'b' if depth else 'a'} (first axis: 4 channels)"


@pytest.mark.parametrize(
    ("units", "size"),
    [
        (None, (2, 0.5, 0.5)),
        (("um", "um", "um"), (2, 0.5, 0.5)),
        (("nm", "nm", "nm"), (0.002, 0.0005, 0.0005)),
        (("mm", "um", "um"), (2000, 0.5, 0.5)),
        (("s", "um", "um"), None),
    ],
)
def test_a_scale_without_a_unit_is_taken_as_um_and_said(
    model: ViewerModel, units: tuple[str, ...] | None, size: tuple[float, ...] | None
) -> None:
    layer = model.add_image(np.zeros((4, 8, 8)), scale=(2, 0.5, 0.5), name="z", units=units)
    assert pixel_size_um(layer) == (None if size is None else pytest.approx(size))
    (source,) = [one for one in sources(model) if one.image.channels == ("z",)]
    assert bool(source.note) is (units is None)
    flat = model.add_image(np.zeros((8, 8)))
    assert pixel_size_um(flat) is None
    with_time = model.add_image(
        np.zeros((4, 8, 8)), scale=(3, 0.5, 0.5), units=("s", "um", "um"), name="t"
    )
    assert pixel_size_um(with_time, 1) == (0.5, 0.5)


@pytest.mark.parametrize("units", [("um", "um"), None])
def test_mirrored_layers_have_the_same_pixels(
    model: ViewerModel, units: tuple[str, ...] | None
) -> None:
    layer = model.add_image(np.zeros((8, 8)), scale=(-0.5, 0.5), units=units)
    assert pixel_size_um(layer) == (0.5, 0.5)
    turned = model.add_image(np.zeros((8, 8)), scale=(-1, 1))
    assert pixel_size_um(turned) is None


def test_visible_layers_are_an_image(model: ViewerModel) -> None:
    for i, name in enumerate("abc"):
        model.add_image(np.full((8, 8), i, np.uint8), name=name, visible=name != "b")
    found = sources(model)[-1]
    assert found.name == "visible image layers (2)"
    assert found.image.channels == ("a", "c")
    np.testing.assert_array_equal(found.image.channel("c"), np.full((8, 8), 2))
    assert found.image.spacing_um is None


def test_paintings_and_pictures_are_no_tissue(
    model: ViewerModel, labels: np.ndarray, cells: object
) -> None:
    show_values(model, labels, cells, cells.X[:, 0], name="CD3")
    model.add_image(np.zeros((8, 8, 3), np.uint8), rgb=True)
    assert sources(model) == []


def test_a_stack_is_sliced_like_an_array() -> None:
    planes = np.arange(24).reshape(2, 3, 4)
    stack = ChannelStack(list(planes))
    assert (stack.shape, stack.ndim, len(stack)) == (planes.shape, 3, 2)
    for key in (0, -1, slice(None), (1, 2), (slice(0, 1), slice(1, 3), 2), np.int64(1)):
        np.testing.assert_array_equal(stack[key], planes[key])
    np.testing.assert_array_equal(np.asarray(stack), planes)
    with pytest.raises(InputError, match="differ in size"):
        ChannelStack([np.zeros((2, 2)), np.zeros((3, 3))])


def test_dimming_is_taken_back(model: ViewerModel, image: MultiplexImage) -> None:
    layer = model.add_image(image.data[0], opacity=0.8, metadata=image_metadata(image, "x"))
    dim_tissue(model, dim=True)
    dim_tissue(model, dim=True)
    assert layer.opacity == pytest.approx(0.24)
    dim_tissue(model, dim=False)
    assert layer.opacity == pytest.approx(0.8)
