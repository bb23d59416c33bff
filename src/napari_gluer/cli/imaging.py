"""Commands from images and spots to tables of cells."""

import sys
from pathlib import Path
from typing import Annotated, Any

import numpy as np

import napari_gluer as ng
from napari_gluer.cli.application import (
    Flat,
    Limits,
    Reading,
    Store,
    Tiles,
    app,
    refuse_inputs,
    report,
)
from napari_gluer.errors import listed
from napari_gluer.io.cells import refuse_other_table
from napari_gluer.io.labels_files import open_nuclei
from napari_gluer.io.labels_writing import refuse_other_labels
from napari_gluer.measurement.limits import outside_words
from napari_gluer.segmentation.nuclei import find_cells
from napari_gluer.tiles import tiles_of


@app.command
def segment(  # noqa: PLR0913 - one parameter a flag
    image: str,
    *,
    out: Path,
    reading: Reading = ng.ImageParams(),  # noqa: B008 - frozen
    regions: Limits = None,
    store: Store = None,
    tiles: Tiles = ng.TileParams(),  # noqa: B008
    params: Annotated[ng.SegmentParams, Flat] = ng.SegmentParams(),  # noqa: B008
) -> None:
    """Find the cells of an image; write a labels image.

    Parameters
    ----------
    image
        Multiplexed image: file, folder or address.
    out
        Labels to write, .ome.tif or .zarr.
    reading, regions, store, tiles
        As declared in `application`.
    params
        Channels and method.
    """
    refuse_other_labels(out)
    refuse_inputs(out, image)
    opened = _opened(image, reading)
    found = find_cells(
        opened, params, regions=_limits(regions), tiles=tiles, store=store, track=report
    )
    ng.write_labels(found.cells, out, opened.spacing_um)
    outside = found.outside_regions
    left_out = f"; {outside_words(outside)}" if outside else ""
    print(f"Nuclei in {listed(found.channels)}{left_out}.")
    print(f"{_largest(found.cells):,} cells in {out}")


@app.command
def measure(  # noqa: PLR0913 - one parameter a flag
    image: str,
    labels: str,
    *,
    out: Path,
    nuclei: str | None = None,
    reading: Reading = ng.ImageParams(),  # noqa: B008 - frozen
    regions: Limits = None,
    store: Store = None,
    tiles: Tiles = ng.TileParams(),  # noqa: B008
    params: Annotated[ng.MeasureParams, Flat] = ng.MeasureParams(),  # noqa: B008
) -> None:
    """Measure every cell of an image; write a table.

    Parameters
    ----------
    image
        Multiplexed image: file, folder or address.
    labels
        Labels image of the same size (.tif, .zarr), or outlines (.geojson, .parquet).
    out
        Table to write, .h5ad or .zarr.
    nuclei
        Labels of the nuclei, or their outlines (of QuPath's cells the nuclei), to measure nucleus
        and cytoplasm apart.
    reading, regions, store, tiles
        As declared in `application`.
    params
        What is measured besides mean, size and position.
    """
    refuse_other_table(out)
    refuse_inputs(out, image, labels, nuclei)
    opened = _opened(image, reading)
    cells = ng.measure(
        opened,
        _labels(labels, opened),
        params,
        nuclei=None if nuclei is None else _told(open_nuclei(nuclei, like=opened)),
        regions=_limits(regions),
        tiles=tiles,
        store=store,
        track=report,
    )
    ng.write_cells(cells, out)
    print(cells.uns["gluer"]["measure"]["outcome"])
    print(f"{cells.n_obs:,} cells × {cells.n_vars} channels in {out}")


@app.command
def assign_spots(  # noqa: PLR0913 - one parameter a flag
    spots: Path,
    labels: str,
    *,
    out: Path,
    image: str | None = None,
    columns: Annotated[ng.SpotParams, Flat] = ng.SpotParams(),  # noqa: B008 - frozen
    params: Annotated[ng.AssignParams, Flat] = ng.AssignParams(),  # noqa: B008 - frozen
    regions: Limits = None,
    tiles: Tiles = ng.TileParams(),  # noqa: B008
) -> None:
    """Count decoded spots in cells; write a table of cells and genes.

    Parameters
    ----------
    spots
        Table with gene, x and y: CSV, TSV (also compressed) or parquet.
    labels
        Labels image of the cells, or outlines (.geojson, .parquet) with their image.
    out
        Table to write, .h5ad or .zarr.
    image
        Image that outlines, or labels, belong to.
    columns
        Columns, units and which spots to keep.
    params
        How spots lie on the labels.
    regions, tiles
        As declared in `application`.
    """
    refuse_other_table(out)
    refuse_inputs(out, spots, labels, image)
    masks = _labels(labels, None if image is None else _opened(image, ng.ImageParams()))
    table = ng.read_spots(spots, columns, track=report)
    print(table.attrs["outcome"])
    cells = ng.assign_spots(
        table, masks, params, regions=_limits(regions), tiles=tiles, track=report
    )
    ng.write_cells(cells, out)
    print(cells.uns["gluer"]["spots"]["outcome"])
    print(f"{cells.n_obs:,} cells × {cells.n_vars:,} genes in {out}")


def _opened(image: str, reading: ng.ImageParams) -> ng.MultiplexImage:
    opened = ng.read_image(image, **reading.model_dump())
    _tell(opened.notes)
    return opened


def _limits(regions: Path | None) -> ng.Regions | None:
    return None if regions is None else ng.read_regions(regions)


def _labels(path: str, like: ng.MultiplexImage | None = None) -> Any:
    return _told(ng.open_labels(path, like=like))


def _told(opened: ng.LabelsFile) -> Any:
    _tell(opened.notes)
    return opened.data


def _tell(notes: tuple[str, ...]) -> None:
    for note in notes:
        print(note, file=sys.stderr)


def _largest(labels: Any) -> int:
    """The greatest label, of labels that may not fit in memory."""
    return max(int(np.max(labels[tile.core])) for tile in tiles_of(labels.shape))
