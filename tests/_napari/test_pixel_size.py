"""A pixel size given by hand holds for the image and what lies on it, and for nothing else."""

import numpy as np
from napari.components import ViewerModel

from napari_gluer._napari.channel_layers import image_layers
from napari_gluer._napari.images import sources
from napari_gluer._napari.pixel_size import give_pixel_size
from napari_gluer.image import MultiplexImage


def shown(model: ViewerModel, image: MultiplexImage) -> None:
    for data, options, _ in image_layers(image, "tissue"):
        model.add_image(data, **options)


def test_channels_and_masks_get_it(model: ViewerModel) -> None:
    shown(model, MultiplexImage(np.zeros((2, 8, 6), np.uint8), ["DAPI", "CD3"]))
    masks = model.add_labels(np.zeros((8, 6), int))
    moved = model.add_labels(np.zeros((8, 6), int), translate=(3, 3))
    other = model.add_image(np.zeros((9, 9)))
    assert give_pixel_size(model, sources(model)[0], (0.25, 0.25)) == 3
    for layer in (*model.layers[:2], masks):
        assert layer.scale.tolist() == [0.25, 0.25]
        assert {str(unit) for unit in layer.units} == {"micrometer"}
    assert moved.scale.tolist() == other.scale.tolist() == [1, 1]
    assert sources(model)[0].image.spacing_um == (0.25, 0.25)


def test_the_channels_stay_one_image(model: ViewerModel) -> None:
    shown(model, MultiplexImage(np.zeros((2, 8, 6), np.uint8), ["DAPI", "CD3"]))
    give_pixel_size(model, sources(model)[0], (0.5, 0.5))
    found = sources(model)
    assert found[0].name == "tissue (2 channels)"
    assert found[0].image.channels == ("DAPI", "CD3")


def test_planes_have_their_own_distance(model: ViewerModel) -> None:
    shown(model, MultiplexImage(np.zeros((1, 4, 8, 6), np.uint8), ["DAPI"]))
    give_pixel_size(model, sources(model)[0], (2.0, 0.5, 0.5))
    assert model.layers[0].scale.tolist() == [2, 0.5, 0.5]
    assert sources(model)[0].image.spacing_um == (2.0, 0.5, 0.5)


def test_a_layer_with_channels_keeps_the_scale_of_its_first_axis(model: ViewerModel) -> None:
    layer = model.add_image(np.zeros((3, 8, 6)), name="stack")
    source = next(one for one in sources(model) if one.like is layer)
    give_pixel_size(model, source, (0.5, 0.5))
    assert layer.scale.tolist() == [1, 0.5, 0.5]


def test_mirrored_layers_stay_mirrored(model: ViewerModel) -> None:
    layer = model.add_image(np.zeros((8, 6)), name="slide", scale=(-1, 1))
    source = next(one for one in sources(model) if one.like is layer)
    assert give_pixel_size(model, source, (0.25, 0.5)) == 1
    assert layer.scale.tolist() == [-0.25, 0.5]
