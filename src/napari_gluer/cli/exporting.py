"""The command that hands cells over to other programs."""

from pathlib import Path
from typing import Annotated

import numpy as np

import napari_gluer as ng
from napari_gluer.cli.application import Flat, app, reference_of, refuse_inputs, report
from napari_gluer.exports import needs_labels


@app.command
def hand_over(  # noqa: PLR0913 - one parameter a flag
    cells: Path,
    genes: list[str] | None = None,
    *,
    out: Path,
    labels: Path | None = None,
    image: str | None = None,
    reference: Path | None = None,
    params: Annotated[ng.HandOverParams, Flat] = ng.HandOverParams(),  # noqa: B008 - frozen
) -> None:
    """Write cells for another program: a table, QuPath, SpatialData, OME-Zarr labels, Vitessce.

    Parameters
    ----------
    cells
        Cells, .h5ad or .zarr.
    genes
        Genes to impute and write along; they need --reference.
    out
        File or folder. Its ending says what is written: .csv, .csv.gz, .parquet, .geojson (QuPath),
        .h5ad, .zarr, .zarr.zip, .sdata.zarr (SpatialData), .ome.zarr (labels with types).
    labels
        Labels image of the cells; not needed for tables.
    image
        Image of the cells, to go along into SpatialData, and for the pixel size.
    reference
        The reference of the integration.
    params
        Format, and the choices of each.
    """
    refuse_inputs(out, *(path for path in (cells, labels, reference) if path is not None))
    needed = needs_labels(out, params.format)  # before anything is read
    table = ng.read_cells(cells)
    atlas = None if reference is None else reference_of(table, reference)
    picture = None if image is None else ng.read_image(image)
    masks = ng.open_labels(labels, like=picture) if needed and labels is not None else None
    path = ng.hand_over(
        table,
        out,
        params,
        labels=None if masks is None else np.asarray(masks.data),
        image=picture,
        pixel_size_um=None if masks is None else masks.pixel_size_um,
        reference=atlas,
        genes=genes or (),
        track=report,
    )
    print(f"{table.n_obs:,} cells in {path}")
