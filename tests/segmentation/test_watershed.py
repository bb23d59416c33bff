import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from napari_gluer.errors import InputError
from napari_gluer.image import MultiplexImage
from napari_gluer.segmentation.nuclei import SegmentParams, segment
from napari_gluer.segmentation.params import Expansion, Watershed
from napari_gluer.segmentation.scale import Grid
from napari_gluer.segmentation.scores import f1_score


def watershed_labels(
    nuclear: NDArray,
    params: Watershed,
    spacing: tuple[float, ...] | None = None,
    expansion: float = 0.0,
) -> NDArray[np.int32]:
    image = MultiplexImage(nuclear[np.newaxis], ["DAPI"], spacing)
    return segment(image, SegmentParams(method=params, growth=Expansion(distance=expansion)))


def balls(
    shape: tuple[int, ...], centres: list[tuple[float, ...]], radius: float, step_z: float = 1.0
) -> NDArray[np.int32]:
    """Numbered discs (2-D) or balls (3-D), `radius` in steps along x."""
    steps = np.array([step_z, 1, 1])[-len(shape) :].reshape(-1, *[1] * len(shape))
    at = np.indices(shape)
    truth = np.zeros(shape, np.int32)
    for number, centre in enumerate(centres, 1):
        offset = (at - np.reshape(centre, steps.shape)) * steps
        truth[(offset**2).sum(axis=0) <= radius**2] = number
    return truth


def picture(truth: NDArray[np.int32], brightness: float = 100, ground: float = 10) -> NDArray:
    rng = np.random.default_rng(0)
    blurred = ndimage.gaussian_filter((truth > 0) * brightness + ground, 1.0)
    return rng.normal(blurred, 2).astype(np.float32)


LATTICE = [(y, x) for y in range(20, 190, 30) for x in range(20, 190, 30)]


@pytest.mark.parametrize("radius", [4, 7, 11])
def test_apart_nuclei_are_all_found(radius: int) -> None:
    truth = balls((200, 200), LATTICE, radius)
    labels = watershed_labels(picture(truth), Watershed())
    assert f1_score(labels, truth, 0.7) == 1.0
    assert labels.dtype == np.int32
    np.testing.assert_array_equal(np.unique(labels), np.arange(len(LATTICE) + 1))


def test_touching_nuclei_are_split_by_shape_alone_and_with_brightness() -> None:
    centres = [(30, 20), (30, 36), (70, 40), (84, 48), (30, 80)]
    truth = balls((110, 110), centres, 9)
    for weight in (0.0, 1.0):
        labels = watershed_labels(picture(truth), Watershed(intensity_weight=weight))
        assert f1_score(labels, truth, 0.6) == 1.0


def test_dim_nuclei_beside_bright_ones_are_kept() -> None:
    truth = balls((200, 200), LATTICE, 8)
    dim = np.where(truth % 2, 0.2, 1.0)
    labels = watershed_labels(picture(truth, 400 * dim), Watershed())
    assert f1_score(labels, truth, 0.6) > 0.95


def test_uneven_ground_is_taken_away() -> None:
    truth = balls((200, 200), LATTICE, 8)
    ramp = np.linspace(0, 300, 200)
    labels = watershed_labels(picture(truth) + ramp.astype(np.float32), Watershed())
    assert f1_score(labels, truth, 0.6) > 0.95  # two false ones at the border
    without = watershed_labels(picture(truth) + ramp.astype(np.float32), Watershed(background=0))
    assert f1_score(without, truth, 0.6) < 0.8


def test_stack_with_thick_planes() -> None:
    centres = [(z, y, x) for z in (5, 15) for y in (15, 45) for x in (15, 45)]
    truth = balls((20, 60, 60), centres, 9, step_z=2.0)
    labels = watershed_labels(picture(truth), Watershed(), (1.0, 0.5, 0.5))
    assert f1_score(labels, truth, 0.6) == 1.0


def test_diameter_is_estimated_and_may_be_given_in_micrometres() -> None:
    truth = balls((200, 200), LATTICE, 8)
    automatic = watershed_labels(picture(truth), Watershed())
    given = watershed_labels(picture(truth), Watershed(nucleus_diameter=4.0), (0.25, 0.25))
    assert f1_score(automatic, given, 0.85) == 1.0


def test_expansion_grows_every_nucleus_by_the_distance() -> None:
    truth = balls((90, 90), [(30, 30), (30, 60)], 8)
    plain = watershed_labels(picture(truth), Watershed())
    wide = watershed_labels(picture(truth), Watershed(), (0.5, 0.5), 1.5)
    distance = ndimage.distance_transform_edt(plain == 0)
    np.testing.assert_array_equal(wide > 0, distance <= 3)
    np.testing.assert_array_equal(wide[plain > 0], plain[plain > 0])


def test_small_objects_are_dropped() -> None:
    truth = balls((200, 200), LATTICE, 10)
    spotted = picture(truth)
    spotted[4:7, 100:103] += 100
    assert watershed_labels(spotted, Watershed()).max() == len(LATTICE)
    assert watershed_labels(spotted, Watershed(smallest=0)).max() == len(LATTICE) + 1


def test_the_same_picture_gives_the_same_labels() -> None:
    nuclear = picture(balls((200, 200), LATTICE, 8))
    before = nuclear.copy()
    first = watershed_labels(nuclear, Watershed())
    np.testing.assert_array_equal(first, watershed_labels(nuclear, Watershed()))
    np.testing.assert_array_equal(nuclear, before)


@pytest.mark.parametrize("nuclear", [np.full((20, 20), 7.0), np.zeros((0, 5))])
def test_nothing_to_see_is_said(nuclear: NDArray[np.float64]) -> None:
    with pytest.raises(InputError, match=r"every pixel is 7|no pixels"):
        watershed_labels(nuclear.astype(np.float32), Watershed())


def test_nothing_found_says_the_threshold_and_what_to_try() -> None:
    nuclear = picture(balls((60, 60), [(30, 30)], 8))
    with pytest.raises(InputError, match=r"threshold \d.*lower threshold.*nucleus diameter"):
        watershed_labels(nuclear, Watershed(threshold=5))


def test_lengths_on_a_grid_of_thick_planes() -> None:
    grid = Grid.of(3, (2.0, 0.5, 0.5))
    assert grid.ratio == (4, 1, 1)
    assert grid.sigma(8) == [2, 8, 8]
    assert grid.window(8) == [3, 9, 9]
    assert grid.area(6) == pytest.approx(np.pi / 6 * 6**3 / 4)
    assert Grid.of(2, None).area(6) == pytest.approx(np.pi * 9)
