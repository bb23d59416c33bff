"""Windows of channels, tiles of a part, and the fingerprint that a store is refused by."""

import json

import numpy as np
import pytest

from napari_gluer.image import MultiplexImage
from napari_gluer.polygons import Polygon, Regions
from napari_gluer.segmentation.scene import Scene, read_sum
from napari_gluer.tiles import Cut, TileParams

PIXELS = np.random.default_rng(0).integers(0, 60_000, (3, 40, 50)).astype(np.uint16)
IMAGE = MultiplexImage(PIXELS, ["DAPI", "Histone", "CD3"], 0.5)
PART = (slice(7, 38), slice(11, 50))
RING = np.array([[1.0, 1], [1, 30], [30, 30], [30, 1]])


def scene(regions: Regions | None = None, image: MultiplexImage = IMAGE) -> Scene:
    return Scene(image, ("DAPI", "Histone"), regions, PART)


def test_channels_are_added_up_and_a_window_is_read_where_asked() -> None:
    window = (slice(3, 9), slice(40, 50))
    expected = PIXELS[0, 3:9, 40:50].astype(float) + PIXELS[1, 3:9, 40:50]
    found = read_sum(scene().cuts(window))
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, expected)  # above 65,535 too
    (other,) = scene().cuts(window, ["CD3"])
    np.testing.assert_array_equal(other.read(), PIXELS[2, 3:9, 40:50])


def test_odd_pixels_count_as_nothing_and_stay_in_the_image() -> None:
    pixels = np.array([[1.0, np.nan], [np.inf, -np.inf]])
    cut = Cut(pixels, (slice(None),) * 2)
    np.testing.assert_array_equal(read_sum([cut, cut]), [[2, 0], [0, 0]])
    assert np.isnan(pixels[0, 1])


def test_no_channel_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="no channel"):
        read_sum([])


@pytest.mark.parametrize("side", [5, 16, 1000])
def test_tiles_cover_the_part_once_in_places_of_the_whole(side: int) -> None:
    seen = np.zeros((40, 50), int)
    tiles = scene().tiles(TileParams(side=side))
    for tile in tiles:
        seen[tile.core] += 1
        assert tile.shape == (40, 50)
    expected = np.zeros_like(seen)
    expected[PART] = 1
    np.testing.assert_array_equal(seen, expected)
    assert [tile.number for tile in tiles] == list(range(len(tiles)))


def test_the_fingerprint_tells_pixels_spacing_channels_and_regions_apart() -> None:
    changed = PIXELS.copy()
    changed[1, 0, 0] += 1
    other = PIXELS.copy()
    other[2] = 0  # a channel that nobody asked for
    hole = Polygon((RING, RING / 2 + 5))
    both = ["DAPI", "Histone"]
    same = scene().fingerprint(both)
    assert json.loads(json.dumps(same))["spacing_um"] == [0.5, 0.5]
    assert scene(image=MultiplexImage(other, IMAGE.channels, 0.5)).fingerprint(both) == same
    assert scene(Regions()).fingerprint(both) == same
    prints = [
        same,
        scene().fingerprint(["DAPI"]),
        scene().fingerprint(["Histone", "DAPI"]),
        scene(image=MultiplexImage(changed, IMAGE.channels, 0.5)).fingerprint(both),
        scene(image=MultiplexImage(PIXELS, IMAGE.channels, 0.25)).fingerprint(both),
        scene(Regions(include=(Polygon((RING,)),))).fingerprint(both),
        scene(Regions(exclude=(Polygon((RING,)),))).fingerprint(both),
        scene(Regions(include=(Polygon((RING + 1,)),))).fingerprint(both),
        scene(Regions(include=(hole,))).fingerprint(both),
        scene(Regions(include=tuple(Polygon((ring,)) for ring in hole.rings))).fingerprint(both),
    ]
    assert len({json.dumps(print_) for print_ in prints}) == len(prints)
