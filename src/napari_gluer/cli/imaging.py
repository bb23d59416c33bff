"""Commands from images and spots to tables of cells."""

import sys
from pathlib import Path
from typing import Annotated, Any

import numpy as np

import napari_gluer as ng
from napari_gluer.cli.application import Flat, Series, Tiles, app, report
from napari_gluer.io.cells import refuse_other_table
from napari_gluer.io.labels_writing import refuse_other_labels
from napari_gluer.tiles import tiles_of


@app.command
def segment(  # noqa: PLR0913 - one parameter a flag
    image: str,
    *,
    out: Path,
    regions: Path | None = None,
    series: Series | None = None,
    time: int | None = None,
    store: Path | None = None,
    tiles: Tiles = ng.TileParams(),  # noqa: B008 - frozen
    params: Annotated[ng.SegmentParams, Flat] = ng.SegmentParams(),  # noqa: B008
) -> None:
    """Find the cells of an image; write a labels image.

    Parameters
    ----------
    image
        Multiplexed image: file, folder or address.
    out
        Labels to write, .ome.tif or .zarr.
    regions
        Outlines of what to use, and what to leave out, .geojson.
    series
        Which image, by number from 0 or name, where a file holds several.
    time
        Which time point, from 0.
    store
        Folder for finished tiles: after a kill the same call goes on where it was.
    tiles
        Size of tiles, threads, cluster.
    params
        Channels and method.
    """
    refuse_other_labels(out)
    opened = _opened(image, series, time)
    limits = None if regions is None else ng.read_regions(regions)
    labels = ng.segment(opened, params, regions=limits, tiles=tiles, store=store, track=report)
    ng.write_labels(labels, out, opened.spacing_um)
    print(f"{_largest(labels):,} cells in {out}")


@app.command
def measure(  # noqa: PLR0913 - one parameter a flag
    image: str,
    labels: str,
    *,
    out: Path,
    nuclei: str | None = None,
    regions: Path | None = None,
    series: Series | None = None,
    time: int | None = None,
    store: Path | None = None,
    tiles: Tiles = ng.TileParams(),  # noqa: B008 - frozen
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
        Table to write, .h5ad.
    nuclei
        Labels of the nuclei, to measure nucleus and cytoplasm apart.
    regions
        Outlines of what to use, and what to leave out, .geojson.
    series
        Which image, by number from 0 or name, where a file holds several.
    time
        Which time point, from 0.
    store
        Folder for finished tiles: after a kill the same call goes on where it was.
    tiles
        Size of tiles, threads, cluster.
    params
        What is measured besides mean, size and position.
    """
    refuse_other_table(out)
    opened = _opened(image, series, time)
    cells = ng.measure(
        opened,
        _labels(labels, opened),
        params,
        nuclei=None if nuclei is None else _labels(nuclei, opened),
        regions=None if regions is None else ng.read_regions(regions),
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
        Table to write, .h5ad.
    image
        Image that outlines, or labels, belong to.
    columns
        Columns, units and which spots to keep.
    params
        How spots lie on the labels.
    tiles
        Size of tiles, threads, cluster.
    """
    refuse_other_table(out)
    masks = _labels(labels, None if image is None else _opened(image, None, None))
    table = ng.read_spots(spots, columns, track=report)
    print(table.attrs["outcome"])
    cells = ng.assign_spots(table, masks, params, tiles=tiles, track=report)
    ng.write_cells(cells, out)
    print(cells.uns["gluer"]["spots"]["outcome"])
    print(f"{cells.n_obs:,} cells × {cells.n_vars:,} genes in {out}")


def _opened(image: str, series: Series | None, time: int | None) -> ng.MultiplexImage:
    opened = ng.read_image(image, series=series, time=time)
    _tell(opened.notes)
    return opened


def _labels(path: str, like: ng.MultiplexImage | None = None) -> Any:
    opened = ng.open_labels(path, like=like)
    _tell(opened.notes)
    return opened.data


def _tell(notes: tuple[str, ...]) -> None:
    for note in notes:
        print(note, file=sys.stderr)


def _largest(labels: Any) -> int:
    """The greatest label, of labels that may not fit in memory."""
    return max(int(np.max(labels[tile.core])) for tile in tiles_of(labels.shape))
