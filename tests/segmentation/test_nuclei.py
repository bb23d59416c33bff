from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_gluer.errors import InputError
from napari_gluer.image import MultiplexImage
from napari_gluer.io.images import read_image
from napari_gluer.io.labels_files import read_labels
from napari_gluer.polygons import Polygon, Regions
from napari_gluer.segmentation.nuclei import (
    SegmentParams,
    find_cells,
    guessed_nuclear,
    nuclear_channels,
    segment,
)
from napari_gluer.segmentation.params import Expansion, Watershed
from napari_gluer.segmentation.scores import f1_score
from napari_gluer.tiles import TileParams


@pytest.mark.parametrize(
    ("channels", "guess"),
    [
        (["CD3", "DAPI"], ("DAPI",)),
        (["DAPI-01", "CD3", "DAPI-02"], ("DAPI-01",)),
        (["Hoechst33342", "CD3"], ("Hoechst33342",)),
        (["CD8", "DNA1", "DNA2", "DNA3"], ("DNA1", "DNA2")),
        (["CD8", "Ir191", "193Ir"], ("Ir191", "193Ir")),
        (["Nuc", "HH3", "CD3"], ("HH3",)),
        (["Histone H3", "CD3"], ("Histone H3",)),
        (["DRAQ5", "Nuc"], ("DRAQ5",)),
        (["YOYO-1"], ("YOYO-1",)),
        (["SYTO13", "CD45"], ("SYTO13",)),
        (["nuclei", "membrane"], ("nuclei",)),
        (["Channel 0"], ("Channel 0",)),
    ],
)
def test_nuclear_channels_are_known_by_name(channels: list[str], guess: tuple[str, ...]) -> None:
    assert guessed_nuclear(channels) == guess


def test_an_image_without_a_nuclear_channel_is_told_its_channels() -> None:
    image = MultiplexImage(np.zeros((2, 5, 5)), ["CD3", "nucleolin"])
    with pytest.raises(InputError, match=r"CD3, nucleolin.*nuclear_channels"):
        segment(image)


def spots(*columns: int) -> MultiplexImage:
    """Round nuclei in a row, in the only channel."""
    y, x = np.indices((60, 160))
    pixels = sum(100.0 * ((y - 30) ** 2 + (x - column) ** 2 < 100) for column in columns)
    return MultiplexImage(np.asarray(pixels)[np.newaxis], ["Channel 0"])


def test_the_only_channel_is_taken() -> None:
    found = find_cells(spots(25, 75, 125))
    assert found.channels == ("Channel 0",)
    assert found.cells.max() == 3
    assert found.nuclei is found.cells
    assert nuclear_channels(spots(25), SegmentParams(nuclear_channels=("channel 0",))) == (
        "Channel 0",
    )


@pytest.mark.parametrize("side", [0, 40])
def test_cells_outside_the_regions_are_counted(side: int, tmp_path: Path) -> None:
    image, tiles = spots(25, 75, 125), TileParams(side=side)
    left = Regions((Polygon((np.array([[0, 0], [0, 100], [60, 100], [60, 0]]),)),))
    whole, limited = find_cells(image, tiles=tiles), find_cells(image, regions=left, tiles=tiles)
    assert (whole.cells.max(), whole.outside_regions) == (3, 0)
    assert (limited.cells.max(), limited.outside_regions) == (2, 1)
    np.testing.assert_array_equal(limited.cells > 0, (whole.cells > 0) & (whole.cells != 3))
    np.testing.assert_array_equal(segment(image, regions=left, tiles=tiles), limited.cells)
    for _ in range(2):  # the second time from the folder
        kept = find_cells(image, regions=left, tiles=tiles, store=tmp_path / "tiles")
        assert kept.outside_regions == 1
        np.testing.assert_array_equal(kept.cells[:], limited.cells)


def test_named_channels_are_added_up() -> None:
    y, x = np.indices((60, 100))
    left = 100.0 * ((y - 30) ** 2 + (x - 25) ** 2 < 100)
    right = 100.0 * ((y - 30) ** 2 + (x - 75) ** 2 < 100)
    image = MultiplexImage(np.stack([left, right]), ["A", "B"])
    both = segment(image, SegmentParams(nuclear_channels=("A", "B")))
    assert both.max() == 2
    one = segment(image, SegmentParams(nuclear_channels=("b",)))
    assert one.max() == 1
    assert one[30, 75] == 1
    with pytest.raises(InputError, match="'C' is not in this image"):
        segment(image, SegmentParams(nuclear_channels=("C",)))


def test_params_are_checked_and_round_trip() -> None:
    params = SegmentParams(nuclear_channels=("A",), growth=Expansion(distance=2))
    assert SegmentParams.model_validate_json(params.model_dump_json()) == params
    with pytest.raises(ValueError, match="local_threshold"):
        Watershed(local_threshold=2)


@pytest.mark.shared_data
def test_real_nuclei_in_two_dimensions(shared_data: Path) -> None:
    scores = []
    for prefix in ("", "tests_"):
        picture = tifffile.imread(shared_data / f"nuclei_stardist/{prefix}img2d.tif")
        truth = read_labels(shared_data / f"nuclei_stardist/{prefix}mask2d.tif")
        labels = segment(MultiplexImage(picture[np.newaxis], ["DAPI"]))
        scores.append(f1_score(labels, truth, 0.5))
    assert np.mean(scores) >= 0.85
    assert min(scores) >= 0.8


@pytest.mark.shared_data
def test_real_tissue(shared_data: Path) -> None:
    folder = shared_data / "mibi_dcis_simpleseg"
    image = read_image(folder / "Point2203_pt1072_31606.ome.tif")
    truth = read_labels(folder / "Point2203_pt1072_31606_mask_simpleseg.tif")
    assert f1_score(segment(image), truth, 0.3) >= 0.88


@pytest.mark.shared_data
def test_stack(shared_data: Path) -> None:
    picture = tifffile.imread(shared_data / "nuclei_stardist/img3d.tif")
    truth = read_labels(shared_data / "nuclei_stardist/mask3d.tif")
    labels = segment(MultiplexImage(picture[np.newaxis], ["DAPI"]))
    assert labels.shape == truth.shape
    assert f1_score(labels, truth, 0.3) >= 0.85
