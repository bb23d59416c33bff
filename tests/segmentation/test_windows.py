"""Windows show what the whole gives there; regions limit what is found."""

import numpy as np
import pytest
from skimage.measure import regionprops

from napari_gluer.errors import InputError
from napari_gluer.polygons import Polygon, Regions
from napari_gluer.segmentation.nuclei import SegmentParams, segment, segment_nuclei_and_cells
from napari_gluer.segmentation.params import Expansion, Watershed
from napari_gluer.segmentation.sampling import WHOLE, sample_windows
from napari_gluer.segmentation.scores import f1_score

from .pictures import blobs, dapi

CENTRES = np.random.default_rng(1).uniform(0, 260, (90, 2))
IMAGE = dapi(blobs((260, 260), CENTRES, 6.0))
HALF = Polygon((np.array([[-1.0, -1], [-1, 120], [261, 120], [261, -1]]),))


def test_a_window_shows_what_the_whole_gives_there() -> None:
    params = SegmentParams(growth=Expansion(distance=3.0))
    whole = segment_nuclei_and_cells(IMAGE, params)
    window = (slice(60, 171), slice(-200, -100))
    parts = segment_nuclei_and_cells(IMAGE, params, window=window)
    for part, full in zip(parts, whole, strict=True):
        assert part.shape == (111, 100)
        np.testing.assert_array_equal(part > 0, full[window] > 0)
        assert f1_score(part, full[window], 1.0) == 1.0
    nuclei, cells = parts
    np.testing.assert_array_equal(np.unique(cells), np.arange(cells.max() + 1))
    np.testing.assert_array_equal(cells[nuclei > 0], nuclei[nuclei > 0])


def test_a_window_without_nuclei_is_empty_or_says_so() -> None:
    pixels = IMAGE.data[0].copy()
    pixels[:, 130:] = 20
    image = dapi(pixels)
    assert segment(image, window=(slice(0, 50), slice(100, 260)))[:, 60:].max() == 0
    with pytest.raises(InputError, match="No nuclei found"):
        segment(image, window=(slice(0, 50), slice(220, 260)))


@pytest.mark.parametrize(
    ("window", "says"),
    [
        ((slice(0, 5),), "A window of 1 axes"),
        ((slice(300, 310), slice(0, 5)), r"300:310, 0:5 holds no pixel.*\(260, 260\)"),
        ((slice(9, 3), slice(0, 5)), "holds no pixel"),
    ],
)
def test_windows_that_do_not_fit(window: tuple[slice, ...], says: str) -> None:
    with pytest.raises(InputError, match=says):
        segment(IMAGE, window=window)


def test_a_window_is_not_kept(tmp_path) -> None:
    with pytest.raises(InputError, match="leave the store away"):
        segment(IMAGE, window=(slice(0, 9), slice(0, 9)), store=tmp_path / "store")
    assert not (tmp_path / "store").exists()


def test_cells_with_their_centre_outside_the_regions_are_dropped() -> None:
    params = SegmentParams(method=Watershed(nucleus_diameter=12.0))
    everywhere = segment(IMAGE, params)
    inside = segment(IMAGE, params, regions=Regions(include=(HALF,)))
    outside = segment(IMAGE, params, regions=Regions(exclude=(HALF,)))
    assert 0 < inside.max() < everywhere.max()
    for labels, side in ((inside, -1), (outside, 1)):
        for cell in regionprops(labels):
            assert (cell.centroid[1] - 120) * side > -0.5
    assert inside.max() + outside.max() == pytest.approx(everywhere.max(), abs=3)


def test_regions_without_nuclei_say_so() -> None:
    corner = Polygon((np.array([[0.0, 0], [0, 24], [24, 24], [24, 0]]),))
    pixels = IMAGE.data[0].copy()
    pixels[:40, :40] = 20
    with pytest.raises(InputError, match="every pixel is 20"):
        segment(dapi(pixels), regions=Regions(include=(corner,)))


def test_pixels_outside_the_regions_do_not_count() -> None:
    """A fold a hundred times as bright changes the threshold of the rest unless it is left out."""
    pixels = IMAGE.data[0].copy()
    pixels[:, 180:] *= 100
    fold = Polygon((np.array([[-1.0, 178], [-1, 261], [261, 261], [261, 178]]),))
    clean = segment(dapi(IMAGE.data[0][:, :150].copy()))
    without = segment(dapi(pixels), regions=Regions(exclude=(fold,)))[:, :150]
    assert f1_score(without, clean, 0.7) > 0.95
    assert f1_score(segment(dapi(pixels))[:, :150], clean, 0.7) < 0.9


def test_small_images_are_sampled_whole() -> None:
    seen = np.zeros((900, 700), int)
    for tile in sample_windows(seen.shape):
        seen[tile.core] += 1
    assert (seen == 1).all()


@pytest.mark.parametrize("shape", [(20_000, 20_000), (3, 9000, 30_000), (500, 3000, 3000)])
def test_large_images_are_sampled_evenly(shape: tuple[int, ...]) -> None:
    windows = sample_windows(shape)
    sizes = [np.prod([key.stop - key.start for key in tile.core]) for tile in windows]
    assert len(windows) == 16
    assert sum(sizes) < 1.5 * WHOLE
    middles = np.array([[(k.start + k.stop) / 2 for k in t.core[-2:]] for t in windows])
    assert (middles.min(0) < np.array(shape[-2:]) / 4).all()
    assert (middles.max(0) > np.array(shape[-2:]) * 3 / 4).all()


def test_samples_keep_to_the_regions() -> None:
    square = np.array([[0.0, 0], [0, 3000], [3000, 3000], [3000, 0]])
    windows = sample_windows((20_000, 20_000), Regions(include=(Polygon((square + 9000,)),)))
    for tile in windows:
        assert all(8000 < key.start < 12_000 for key in tile.core)
