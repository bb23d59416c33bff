"""Cells, labels and image as one SpatialData folder (the extra ``spatialdata``)."""

import re
import warnings
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from anndata import AnnData
from numpy.typing import NDArray

from napari_gluer import slots
from napari_gluer.errors import InputError
from napari_gluer.image import MultiplexImage
from napari_gluer.io.atomic import atomic_path
from napari_gluer.io.cells_zarr import refuse_other_folder
from napari_gluer.io.h5ad import packed
from napari_gluer.io.joining import joined_labels
from napari_gluer.io.tables_out import Values, imputed_columns

_ELEMENT, _IMAGE, _TABLE = "cell_labels", "image", "cells"
_REGION = "region"
_NO_NAME = re.compile(r"[^A-Za-z0-9_.-]")  # what SpatialData allows in names
_SMALLEST = 1024  # pixels; larger images get a pyramid


def write_spatialdata(
    cells: AnnData,
    labels: NDArray[np.integer],
    path: Path,
    image: MultiplexImage | None = None,
    *,
    pixel_size_um: tuple[float, ...] | None = None,
    genes: Values | None = None,
) -> None:
    """Write a SpatialData folder, whole or not at all.

    It holds ``labels["cell_labels"]``, ``tables["cells"]``, whose rows annotate the labels by
    ``obs["label"]``, and ``images["image"]``, where there is one. Where the pixel size is known
    the coordinate system ``global`` is in µm, else in pixels.

    Parameters
    ----------
    cells
        Reads all slots. Names in ``obs``, ``obsm``, ``layers`` and ``uns`` that SpatialData does
        not allow get ``_`` for what is wrong in them.
    labels
        Whole numbers ``(y, x)`` or ``(z, y, x)``.
    path
        Ending in ``.zarr``.
    image
        Of the same size as the labels.
    pixel_size_um
        Of every axis of the labels; that of the image where not given.
    genes
        Imputed genes, each ``(n_cells,)``; ``obsm["imputed"]``.

    Raises
    ------
    InputError
        If the package spatialdata is missing, or image and labels do not fit.
    """
    sd = _library()
    if not path.name.casefold().endswith(".zarr"):
        raise InputError(f"{path.name}: SpatialData is written to a name that ends in .zarr.")
    refuse_other_folder(path)
    array = joined_labels(cells, labels)
    if image is not None and image.spatial_shape != array.shape:
        raise InputError(
            f"The image has shape {image.spatial_shape} and the labels {array.shape}; they must be "
            "of one size."
        )
    spacing = pixel_size_um or (image.spacing_um if image else None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of xarray, zarr and dask, about their own futures
        whole = sd.SpatialData(
            images={} if image is None else {_IMAGE: _image(sd, image, spacing)},
            labels={_ELEMENT: _labels(sd, array, spacing)},
            tables={_TABLE: _table(sd, cells, genes)},
        )
        with atomic_path(path) as partial:
            whole.write(partial)


def _library() -> Any:
    try:
        import_module("spatialdata.models")
        import_module("spatialdata.transformations")
        return import_module("spatialdata")
    except ImportError as error:
        raise InputError(
            "Writing SpatialData needs the package spatialdata: "
            "pip install 'napari-gluer[spatialdata]'."
        ) from error


def _labels(sd: Any, labels: NDArray[np.integer], spacing: tuple[float, ...] | None) -> Any:
    model = sd.models.Labels2DModel if labels.ndim == 2 else sd.models.Labels3DModel
    return model.parse(
        labels,
        dims=tuple("zyx"[-labels.ndim :]),
        transformations=_transformations(sd, spacing, labels.ndim),
        scale_factors=_factors(labels.shape),
    )


def _image(sd: Any, image: MultiplexImage, spacing: tuple[float, ...] | None) -> Any:
    axes = len(image.spatial_shape)
    model = sd.models.Image2DModel if axes == 2 else sd.models.Image3DModel
    return model.parse(
        np.asarray(image.data) if isinstance(image.data, np.ndarray) else _lazy(image),
        dims=("c", *"zyx"[-axes:]),
        c_coords=list(image.channels),
        transformations=_transformations(sd, spacing, axes),
        scale_factors=_factors(image.spatial_shape),
    )


def _lazy(image: MultiplexImage) -> Any:
    """Pixels that are read block by block while they are written."""
    da = import_module("dask.array")
    planes = (1,) * (len(image.data.shape) - 2)
    return da.from_array(image.data, chunks=(*planes, _SMALLEST, _SMALLEST))


def _factors(shape: tuple[int, ...]) -> list[int] | None:
    """Halved as often as it takes to come below `_SMALLEST`; None where it is small."""
    times = int(np.ceil(np.log2(max(1, max(shape[-2:]) / _SMALLEST))))
    return [2] * times if times else None


def _transformations(sd: Any, spacing: tuple[float, ...] | None, axes: int) -> dict[str, Any]:
    if spacing is None:
        return {"global": sd.transformations.Identity()}
    scale = sd.transformations.Scale(list(spacing), axes=tuple("zyx"[-axes:]))
    return {"global": scale}


def _table(sd: Any, cells: AnnData, genes: Values | None) -> AnnData:
    slots.cell_labels(cells)  # refuses what is no key
    own = packed(cells)
    for slot in (own.obsm, own.layers, own.uns, own.obsp, own.varm, own.varp):
        for name in [name for name in slot if _NO_NAME.search(str(name))]:
            slot[_allowed(str(name))] = slot.pop(name)
    own.obs.columns = _all_allowed(own.obs.columns)
    own.var.columns = _all_allowed(own.var.columns)
    own.obs[slots.LABEL] = slots.cell_labels(cells)
    if genes:
        imputed = imputed_columns(cells, genes)
        own.obsm[slots.IMPUTED] = imputed.set_axis(_all_allowed(list(genes)), axis=1)
    own.obs[_REGION] = _ELEMENT
    own.obs[_REGION] = own.obs[_REGION].astype("category")
    if slots.WEIGHTS in own.obsm:
        own.obsm[slots.WEIGHTS] = own.obsm[slots.WEIGHTS].tocsr()
    parsed: AnnData = sd.models.TableModel.parse(
        own, region=_ELEMENT, region_key=_REGION, instance_key=slots.LABEL
    )
    return parsed


def _all_allowed(names: Any) -> list[str]:
    """Allowed names, each once, without regard to case."""
    found: list[str] = []
    for name in names:
        wanted, number = _allowed(str(name)), 2
        while wanted.casefold() in {one.casefold() for one in found}:
            wanted, number = f"{_allowed(str(name))}_{number}", number + 1
        found.append(wanted)
    return found


def _allowed(name: str) -> str:
    return _NO_NAME.sub("_", name).strip("._-") or "column"
