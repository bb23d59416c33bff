"""A folder that Vitessce shows in a browser: labels, cells, and the view config that names them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
from anndata import AnnData
from annotated_types import MaxLen, MinLen
from numpy.typing import NDArray
from scipy import sparse

from napari_gluer import slots
from napari_gluer.errors import InputError
from napari_gluer.io.atomic import atomic_path
from napari_gluer.io.cells_zarr import write_zarr_table
from napari_gluer.io.classes import Classes, classes_of, rgb
from napari_gluer.io.labels_writing import Sizes
from napari_gluer.io.ome_zarr_labels import write_ome_zarr_labels
from napari_gluer.io.tables_out import Values, imputed_columns
from napari_gluer.params import Params

CONFIG = "vitessce.json"
LABELS = "labels.ome.zarr"
CELLS = "cells.zarr"
_VERSION = "1.0.16"
_EMBEDDINGS = {"X_umap": "UMAP", "X_tsne": "t-SNE"}


class VitessceParams(Params):
    """How cells are shown in Vitessce."""

    base_url: Annotated[str, MinLen(1), MaxLen(500)] = "http://localhost:8000"
    """Address that the folder is served at."""

    sets: tuple[str, ...] = ()
    """Columns of types or clusters to choose from; empty takes transferred types and clusters."""


def write_vitessce(  # noqa: PLR0913 - what is shown, where it lies, and how it is written
    cells: AnnData,
    labels: NDArray[np.integer],
    folder: Path,
    params: VitessceParams = VitessceParams(),  # noqa: B008 - frozen
    *,
    pixel_size_um: Sizes = None,
    genes: Values | None = None,
    colors: Mapping[str, str] | None = None,
) -> None:
    """Write ``vitessce.json``, ``labels.ome.zarr`` (0.4) and ``cells.zarr``, whole or not at all.

    Vitessce joins cells to the labels by name, so the cells are named by their labels there.

    Parameters
    ----------
    cells
        Reads ``obs["label"]``, ``X``, the columns of types and ``obsm["X_umap"]``, ``["X_tsne"]``.
    labels
        Whole numbers ``(y, x)`` or ``(z, y, x)``.
    folder
        To write; an older one that holds a ``vitessce.json`` is replaced.
    params
        What is shown, and where it is served.
    pixel_size_um
        One number, or one for each axis.
    genes
        Imputed genes, each ``(n_cells,)``; they stand beside the markers as ``NAME (imputed)``.
    colors
        Colours of types that a person chose, ``#RRGGBB``.

    Raises
    ------
    InputError
        If `folder` holds other things, a column is not there, or labels are no key.
    """
    if folder.exists() and not (folder.is_dir() and _is_ours(folder)):
        raise InputError(f"{folder} is there and is no Vitessce folder; choose another name.")
    sets = [classes_of(cells, column, colors) for column in params.sets or _usual_sets(cells)]
    table = _table(cells, sets, genes)
    with atomic_path(folder) as partial:
        partial.mkdir()
        first = sets[0].column if sets else ""
        write_ome_zarr_labels(
            labels, partial / LABELS, cells, pixel_size_um, column=first, colors=colors
        )
        write_zarr_table(table, partial / CELLS)
        text = json.dumps(view_config(table, sets, params), indent=2, ensure_ascii=False)
        (partial / CONFIG).write_text(text + "\n", encoding="utf-8")


def _is_ours(folder: Path) -> bool:
    inside = {one.name for one in folder.iterdir()}
    return not inside or CONFIG in inside


def _usual_sets(cells: AnnData) -> list[str]:
    columns = [str(name) for name in cells.obs if str(name).endswith(slots.transferred(""))]
    return [*columns, *(name for name in (slots.CLUSTER,) if name in cells.obs)]


def _table(cells: AnnData, sets: list[Classes], genes: Values | None) -> AnnData:
    """What is shown of the cells, named by their labels."""
    names = pd.Index(slots.cell_labels(cells).astype(str))
    obs = pd.DataFrame(
        {one.column: pd.Categorical(one.names.where(one.names != "", "none")) for one in sets},
        index=names,
    )
    imputed = imputed_columns(cells, genes or {})
    values = cells.X.toarray() if sparse.issparse(cells.X) else np.asarray(cells.X)
    columns = [*cells.var_names.astype(str), *imputed.columns]
    table = AnnData(
        np.column_stack([values, imputed.to_numpy()]).astype(np.float32),
        obs=obs,
        var=pd.DataFrame(index=pd.Index(columns)),
    )
    for key in _EMBEDDINGS:
        if key in cells.obsm:
            table.obsm[key] = np.asarray(cells.obsm[key], np.float32)[:, :2]
    return table


def view_config(table: AnnData, sets: list[Classes], params: VitessceParams) -> dict[str, Any]:
    """The view config, schema 1.0.16, of the three parts in one folder."""
    address = params.base_url.rstrip("/")
    embeddings = {key: name for key, name in _EMBEDDINGS.items() if key in table.obsm}
    options: dict[str, Any] = {"obsFeatureMatrix": {"path": "X"}}
    if sets:
        options["obsSets"] = [{"name": s.column, "path": f"obs/{s.column}"} for s in sets]
    if embeddings:
        options["obsEmbedding"] = [
            {"path": f"obsm/{key}", "embeddingType": name} for key, name in embeddings.items()
        ]
    kinds = {"obsType": "cell", "featureType": "gene", "featureValueType": "expression"}
    files = [
        {
            "fileType": "obsSegmentations.ome-zarr",
            "url": f"{address}/{LABELS}",
            "coordinationValues": {"obsType": "cell", "fileUid": "labels"},
        },
        {
            "fileType": "anndata.zarr",
            "url": f"{address}/{CELLS}",
            "options": options,
            "coordinationValues": kinds,
        },
    ]
    space: dict[str, Any] = {"dataset": {"A": "A"}}
    space |= {name: {"A": value} for name, value in kinds.items()}
    colors = [
        {"path": [one.column, name], "color": list(rgb(color))}
        for one in sets
        for name, color in one.colors.items()
        if (one.names == name).any()
    ]
    space["obsSetColor"] = {"A": colors}
    space["obsColorEncoding"] = {"A": "cellSetSelection" if sets else "geneSelection"}
    space["embeddingType"] = {name: name for name in embeddings.values()}
    return {
        "version": _VERSION,
        "name": "napari-gluer",
        "description": "Cells with transferred types and imputed genes",
        "datasets": [{"uid": "A", "name": "cells", "files": files}],
        "coordinationSpace": {name: held for name, held in space.items() if held},
        "layout": _layout(sorted(space), list(embeddings.values())),
        "initStrategy": "auto",
    }


def _layout(coordinated: list[str], embeddings: list[str]) -> list[dict[str, Any]]:
    shared = {name: "A" for name in coordinated if name != "embeddingType"}
    views = [
        ("spatialBeta", (0, 0, 6, 12), {}),
        ("layerControllerBeta", (6, 0, 3, 6), {}),
        ("obsSets", (9, 0, 3, 6), {}),
        ("featureList", (9, 6, 3, 6), {}),
        *(
            ("scatterplot", (6, 6 + 3 * i, 3, 6 // len(embeddings)), {"embeddingType": name})
            for i, name in enumerate(embeddings)
        ),
    ]
    return [
        {
            "component": component,
            "coordinationScopes": shared | scopes,
            **dict(zip("xywh", place, strict=True)),
        }
        for component, place, scopes in views
    ]
