"""Where the cells of a run come from: an image with regions, decoded spots, what does not fit."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile
from anndata import AnnData

import napari_gluer as ng
from napari_gluer.pipeline import RunLog
from napari_gluer.pipeline.finding import find_cells, is_spots
from napari_gluer.track import silently

GENES = ["CD3E", "CD19", "PAX5", "CD8A"]


def squares() -> np.ndarray:
    """12 cells of 10 × 10 pixels in three rows."""
    labels = np.zeros((60, 80), np.uint16)
    for number in range(12):
        row, column = divmod(number, 4)
        labels[5 + 18 * row : 15 + 18 * row, 5 + 19 * column : 15 + 19 * column] = number + 1
    return labels


def found(inputs: ng.Inputs, params: ng.PipelineParams | None = None) -> tuple:
    log = RunLog()
    return find_cells(
        inputs, params or ng.PipelineParams(), log, ng.TileParams(side=32), silently
    ), log


def test_every_table_of_spots_that_can_be_read_is_taken_for_one() -> None:
    for name in ("a.csv.bz2", "a.TSV.zst", "a.pq", "a.parquet", "a.txt", "a.csv.gz"):
        assert is_spots(name), name
    assert not any(map(is_spots, ("a.tif.gz", "a.ome.tif", "a.h5ad", "a.zarr.zip")))


@pytest.fixture
def spots(tmp_path: Path) -> tuple[Path, np.ndarray]:
    """20 spots in every cell, and the counts that they come to."""
    random = np.random.default_rng(0)
    labels = squares()
    rows, columns = np.nonzero(labels)
    chosen = random.choice(len(rows), 240, replace=False)
    genes = random.choice(4, 240)
    counts = np.zeros((12, 4), int)
    np.add.at(counts, (labels[rows[chosen], columns[chosen]] - 1, genes), 1)
    table = pd.DataFrame({"gene": np.array(GENES)[genes], "x": columns[chosen], "y": rows[chosen]})
    table.to_csv(tmp_path / "spots.csv", index=False)
    tifffile.imwrite(tmp_path / "masks.tif", labels)
    return tmp_path, counts


def test_spots_and_masks_become_cells(spots: tuple[Path, np.ndarray]) -> None:
    folder, counts = spots
    result, log = found(ng.Inputs(folder / "spots.csv", "none.h5ad", folder / "masks.tif"))
    assert list(result.cells.obs["label"]) == list(range(1, 13))
    np.testing.assert_array_equal(result.cells[:, GENES].X.toarray(), counts)
    assert list(log.outcomes) == ["read spots", "assign spots"]
    assert "240" in log.outcomes["read spots"]


def test_a_run_from_spots_paints(spots: tuple[Path, np.ndarray], tmp_path: Path) -> None:
    folder, _ = spots
    random = np.random.default_rng(1)
    reference = AnnData(random.poisson(3, (60, 5)).astype(np.float32))
    reference.var_names = [*GENES, "HIDDEN"]
    reference.obs_names = [f"r{i}" for i in range(60)]
    reference.write_h5ad(tmp_path / "reference.h5ad")
    inputs = ng.Inputs(folder / "spots.csv", tmp_path / "reference.h5ad", folder / "masks.tif")
    params = ng.PipelineParams(integrate={"network": {"max_epochs": 2}}, genes=("HIDDEN",))
    ng.run(inputs, tmp_path / "out", params)
    record = json.loads((tmp_path / "out" / "run.json").read_text())
    assert "12 cells" in record["steps"]["clean"]["outcome"].replace("of 12", "12 cells")
    np.testing.assert_array_equal(ng.read_labels(tmp_path / "out" / "labels.ome.tif"), squares())
    assert (tmp_path / "out" / "gene_HIDDEN.png").is_file()


def test_spots_without_masks_are_refused(spots: tuple[Path, np.ndarray]) -> None:
    with pytest.raises(ng.InputError, match=r"spots\.csv holds spots, and spots need cells"):
        found(ng.Inputs(spots[0] / "spots.csv", "none.h5ad"))


@pytest.fixture
def corner(tmp_path: Path) -> Path:
    """The upper left quarter as a region."""
    ring = [[0, 0], [40, 0], [40, 30], [0, 30], [0, 0]]
    geometry = {"type": "Polygon", "coordinates": [ring]}
    feature = {"type": "Feature", "geometry": geometry, "properties": {"objectType": "annotation"}}
    path = tmp_path / "corner.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    return path


@pytest.mark.parametrize("given_masks", [True, False])
def test_regions_limit_the_cells_of_an_image(corner: Path, given_masks: bool) -> None:
    labels = squares()
    pixels = np.random.default_rng(0).normal(20, 1, (2, 60, 80)).astype(np.float32)
    pixels[0] += 300 * (labels > 0)
    image = ng.MultiplexImage(pixels, ["DAPI", "CD8"])
    masks = labels if given_masks else None
    result, log = found(ng.Inputs(image, "none.h5ad", masks, regions=corner))
    centres = result.cells.obsm["spatial"]
    expected = [[9.5, 9.5], [28.5, 9.5], [9.5, 27.5], [28.5, 27.5]]
    np.testing.assert_allclose(sorted(map(tuple, centres)), sorted(map(tuple, expected)), atol=0.6)
    assert "4 cells" in log.outcomes["measure"]
    assert "8 cells outside the regions left out" in log.outcomes["measure"]
    assert result.cells.uns["gluer"]["measure"]["outside_regions"] == 8
    assert given_masks or log.outcomes["segment"] == "4 cells; nuclei in DAPI"


def test_the_pixel_size_of_a_file_without_one_is_given(tmp_path: Path) -> None:
    pixels = np.stack([squares(), 2 * squares()])
    tifffile.imwrite(tmp_path / "tissue.tif", pixels, photometric="minisblack")
    reading = ng.ImageParams(pixel_size_um=(0.5,))
    result, log = found(ng.Inputs(tmp_path / "tissue.tif", "none.h5ad", squares(), reading=reading))
    assert result.spacing_um == (0.5, 0.5)
    assert set(result.cells.obs["area_um2"]) == {25.0}
    assert "The pixel size is taken to be 0.5 µm, as given" in log.outcomes["read image"]


def test_regions_limit_the_cells_of_spots(spots: tuple[Path, np.ndarray], corner: Path) -> None:
    folder, counts = spots
    given = ng.Inputs(folder / "spots.csv", "none.h5ad", folder / "masks.tif", regions=corner)
    result, log = found(given)
    assert list(result.cells.obs["label"]) == [1, 2, 5, 6]
    np.testing.assert_array_equal(result.cells[:, GENES].X.toarray(), counts[[0, 1, 4, 5]])
    assert result.cells.uns["gluer"]["spots"]["outside_regions"] == 8
    assert "8 cells outside the regions left out" in log.outcomes["assign spots"]
    np.testing.assert_array_equal(result.labels, squares())


def test_regions_of_a_table_are_refused(spots: tuple[Path, np.ndarray], corner: Path) -> None:
    table = AnnData(np.ones((3, 2)))
    with pytest.raises(ng.InputError, match="Regions limit the cells of an image or of spots"):
        found(ng.Inputs(table, "none.h5ad", spots[0] / "masks.tif", regions=corner))


def test_what_is_said_of_a_file_without_an_image_is_refused(
    spots: tuple[Path, np.ndarray],
) -> None:
    reading = ng.ImageParams(pixel_size_um=(0.5,), time=2)
    image = ng.MultiplexImage(np.zeros((1, 60, 80)), ["DAPI"])
    for source in (spots[0] / "spots.csv", AnnData(np.ones((3, 2))), image):
        with pytest.raises(ng.InputError, match="time, pixel_size_um are of a file with an image"):
            found(ng.Inputs(source, "none.h5ad", spots[0] / "masks.tif", reading=reading))


def test_the_notes_of_an_image_are_told(tmp_path: Path) -> None:
    labels = squares()
    plane = (20 + 300 * (labels > 0)).astype(np.uint16)
    noise = np.random.default_rng(0).integers(0, 9, (2, 60, 80)).astype(np.uint16)
    tifffile.imwrite(tmp_path / "tissue.tif", plane + noise, photometric="minisblack")
    params = ng.PipelineParams(segment={"nuclear_channels": ["Channel 0"]})
    result, log = found(ng.Inputs(tmp_path / "tissue.tif", "none.h5ad"), params)
    assert result.cells.n_obs == 12
    assert "names no channels" in log.outcomes["read image"]


def test_a_series_is_chosen(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "two.ome.tif", ome=True) as tif:
        for level in (1, 300):
            about = {"axes": "CYX", "Channel": {"Name": ["DAPI"]}}
            noise = np.random.default_rng(level).integers(0, 9, (1, 60, 80))
            tif.write((noise + level * (squares() > 0)).astype(np.uint16), metadata=about)
    reading = ng.ImageParams(series=1)
    inputs = ng.Inputs(tmp_path / "two.ome.tif", "none.h5ad", squares(), reading=reading)
    result, _ = found(inputs)
    assert result.cells.X.min() > 300
    with pytest.raises(ng.InputError, match="series"):
        found(ng.Inputs(tmp_path / "two.ome.tif", "none.h5ad", squares()))
