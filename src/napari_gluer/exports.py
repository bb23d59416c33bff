"""Cells handed over to other programs, by the ending of the name or by format."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from anndata import AnnData
from numpy.typing import NDArray

from napari_gluer import slots
from napari_gluer.errors import InputError
from napari_gluer.image import MultiplexImage
from napari_gluer.integration.imputation import impute
from napari_gluer.io.cells import write_cells
from napari_gluer.io.cells_zarr import is_zarr_name
from napari_gluer.io.geojson_out import GeoJsonParams, write_geojson
from napari_gluer.io.ome_zarr_labels import write_ome_zarr_labels
from napari_gluer.io.spatialdata_out import write_spatialdata
from napari_gluer.io.tables_out import TABLES, Values, imputed_columns, write_table
from napari_gluer.io.vitessce_out import VitessceParams, write_vitessce
from napari_gluer.params import Params
from napari_gluer.track import Track, silently

Format = Literal[
    "by-name", "table", "geojson", "anndata", "spatialdata", "ome-zarr-labels", "vitessce"
]


class HandOverParams(Params):
    """How cells are written for another program."""

    format: Format = "by-name"
    """What is written. "by-name" goes by the ending: .csv, .csv.gz, .parquet (table), .geojson
    (QuPath), .h5ad, .zarr, .zarr.zip (anndata), .sdata.zarr (spatialdata), .ome.zarr (labels)."""

    geojson: GeoJsonParams = GeoJsonParams()
    """Outlines for QuPath."""

    vitessce: VitessceParams = VitessceParams()
    """A folder for Vitessce."""


@dataclass(frozen=True, eq=False)
class _Given:
    """What is handed over, and what goes with it."""

    cells: AnnData
    labels: Any
    image: MultiplexImage | None
    pixel_size_um: tuple[float, ...] | None
    genes: Values
    params: HandOverParams
    track: Track


def hand_over(  # noqa: PLR0913 - the cells, what goes with them, and how they are written
    cells: AnnData,
    path: str | os.PathLike[str],
    params: HandOverParams = HandOverParams(),  # noqa: B008 - frozen
    *,
    labels: Any = None,
    image: MultiplexImage | None = None,
    pixel_size_um: float | tuple[float, ...] | None = None,
    reference: AnnData | None = None,
    genes: Sequence[str] = (),
    track: Track = silently,
) -> Path:
    """Write cells for another program: R, QuPath, SpatialData, Vitessce.

    Everything is keyed by ``obs["label"]``, and written whole or not at all.

    Parameters
    ----------
    cells
        Measured or integrated; left as they are.
    path
        File or folder. What is written goes by its ending (`HandOverParams.format`).
    params
        Format, and the choices of each.
    labels
        Whole numbers ``(y, x)`` or ``(z, y, x)``; needed by all formats but tables and anndata.
    image
        Goes along into SpatialData.
    pixel_size_um
        Of the labels; that of the image where not given.
    reference
        The very reference of the integration; needed for `genes`.
    genes
        Genes to impute and write along; NaN, or left out, for unmatched cells. In anndata and
        SpatialData they are ``obsm["imputed"]``, elsewhere ``NAME (imputed)``.
    track
        Wraps long loops.

    Returns
    -------
    pathlib.Path
        What was written.

    Raises
    ------
    InputError
        If the ending says no format, labels are missing or lack a cell, or genes cannot be imputed.
    """
    target = Path(path)
    write, needs_labels = _WAYS[format_of(target, params.format)]
    if needs_labels and labels is None:
        raise InputError(
            f"Outlines of the cells are needed to write {target.name}; give their labels image."
        )
    spacing = image.spacing_um if image is not None else None
    if pixel_size_um is not None:
        axes = np.ndim(labels) if labels is not None else 2
        spacing = tuple(float(size) for size in np.broadcast_to(pixel_size_um, axes))
    imputed = _imputed(cells, reference, list(genes))
    write(target, _Given(cells, labels, image, spacing, imputed, params, track))
    return target


def format_of(path: Path, wanted: Format = "by-name") -> str:
    """Format that a name stands for, unless one is said.

    Raises
    ------
    InputError
        If the ending says none.
    """
    if wanted != "by-name":
        return wanted
    name = path.name.casefold()
    endings = dict.fromkeys(TABLES, "table") | {
        ".geojson": "geojson",
        ".h5ad": "anndata",
        ".sdata.zarr": "spatialdata",
        ".ome.zarr": "ome-zarr-labels",
    }
    for ending, found in endings.items():
        if name.endswith(ending):
            return found
    if is_zarr_name(path):
        return "anndata"
    raise InputError(
        f"{path.name} does not say what to write. It may end in {', '.join(endings)}, .zarr or "
        ".zarr.zip; or choose a format: vitessce writes a folder."
    )


def needs_labels(path: Path, wanted: Format = "by-name") -> bool:
    """Whether that format is written with a labels image."""
    return _WAYS[format_of(path, wanted)][1]


def _imputed(cells: AnnData, reference: AnnData | None, genes: list[str]) -> Values:
    if not genes:
        return {}
    if reference is None:
        raise InputError("Genes are imputed from the reference of the integration; give it too.")
    twice = pd.Index(genes)[pd.Index(genes).duplicated()]
    if len(twice):
        raise InputError(f"Genes are named twice: {', '.join(twice)}.")
    found: NDArray[np.float32] = impute(cells, reference, genes)
    return dict(zip(genes, found.T, strict=True))


def _as_table(path: Path, given: _Given) -> None:
    write_table(given.cells, path, given.genes)


def _as_geojson(path: Path, given: _Given) -> None:
    labels = np.asarray(given.labels)
    params = given.params.geojson
    write_geojson(given.cells, labels, path, params, genes=given.genes, track=given.track)


def _as_anndata(path: Path, given: _Given) -> None:
    if not given.genes:
        write_cells(given.cells, path)
        return
    table = imputed_columns(given.cells, given.genes).set_axis(list(given.genes), axis=1)
    along = AnnData(
        given.cells.X,
        obs=given.cells.obs,
        var=given.cells.var,
        uns=dict(given.cells.uns),
        obsm=dict(given.cells.obsm) | {slots.IMPUTED: table},
        layers=dict(given.cells.layers),
    )
    write_cells(along, path)


def _as_spatialdata(path: Path, given: _Given) -> None:
    size = given.pixel_size_um
    labels = np.asarray(given.labels)
    write_spatialdata(given.cells, labels, path, given.image, pixel_size_um=size, genes=given.genes)


def _as_labels(path: Path, given: _Given) -> None:
    write_ome_zarr_labels(given.labels, path, given.cells, given.pixel_size_um)


def _as_vitessce(path: Path, given: _Given) -> None:
    size = given.pixel_size_um
    write_vitessce(
        given.cells,
        given.labels,
        path,
        given.params.vitessce,
        pixel_size_um=size,
        genes=given.genes,
    )


_WAYS: dict[str, tuple[Callable[[Path, _Given], None], bool]] = {
    "table": (_as_table, False),
    "anndata": (_as_anndata, False),
    "geojson": (_as_geojson, True),
    "spatialdata": (_as_spatialdata, True),
    "ome-zarr-labels": (_as_labels, True),
    "vitessce": (_as_vitessce, True),
}
