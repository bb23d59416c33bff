"""What a run leaves in its folder."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from anndata import AnnData
from numpy.typing import NDArray

from napari_gluer import slots
from napari_gluer.integration.imputation import impute
from napari_gluer.integration.variable import most_telling_genes
from napari_gluer.io.cells import write_cells, write_labels
from napari_gluer.io.hashing import sha256
from napari_gluer.painting import LabelIndex, LookUp, code_levels, paint_levels
from napari_gluer.pictures import Caption, save_categories, save_values
from napari_gluer.pipeline.model import Found, Inputs, PipelineParams, Result
from napari_gluer.track import Track

_LARGEST_PICTURE = 2048


def write_results(result: Result, params: PipelineParams, folder: Path, track: Track) -> None:
    """Tables, labels and pictures."""
    cells, labels = result.cells, result.found.labels
    genes = list(params.genes) or most_telling_genes(cells, result.reference, 2)
    write_cells(cells, folder / "cells.h5ad")
    write_labels(labels, folder / "labels.ome.tif", result.found.spacing_um)
    index = LabelIndex(labels)
    for gene in track(genes, "Painting"):
        values = shown(cells, impute(cells, result.reference, gene))
        note = f"imputed, not measured · {_note(cells)}"
        picture = _flat(paint_levels(index, cells, values))
        caption = _caption(result.found, picture, gene, note)
        save_values(picture, folder / f"gene_{_safe(gene)}.png", caption)
    categories = {slots.CLUSTER: "Clusters"}
    categories |= {name: name for name in cells.obs if str(name).endswith("_transferred")}
    for name, title in categories.items():
        codes, names = code_levels(index, cells, cells.obs[name].where(~_unmatched(cells)))
        picture = _flat(codes)
        caption = _caption(result.found, picture, title, _note(cells))
        save_categories(picture, names, folder / f"{_safe(name)}.png", caption)


def shown(cells: AnnData, values: NDArray[np.floating]) -> NDArray[np.floating]:
    """`values` with NaN for cells that the reference says nothing about."""
    return np.where(_unmatched(cells), np.nan, values)


def _unmatched(cells: AnnData) -> NDArray[np.bool_]:
    return np.asarray(cells.obs[slots.UNMATCHED], bool)


def _note(cells: AnnData) -> str:
    missing = int(_unmatched(cells).sum())
    text = f"{cells.n_obs:,} cells"
    return f"{text}, {missing:,} unmatched and left empty" if missing else text


def _flat(levels: list[LookUp]) -> NDArray[Any]:
    """The finest level that makes a picture of reasonable size; of a volume the middle plane."""
    level = next(level for level in levels if max(level.shape[-2:]) <= _LARGEST_PICTURE)
    plane = level[level.shape[0] // 2] if level.ndim == 3 else level[:]
    return np.asarray(plane)


def _caption(found: Found, picture: NDArray[Any], title: str, note: str) -> Caption:
    size = None
    if found.spacing_um is not None:
        size = found.spacing_um[-1] * found.labels.shape[-1] / picture.shape[-1]
    return Caption(title, note, "log1p of counts per 10,000", size)


def _safe(name: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in name)


def write_record(
    inputs: Inputs, params: PipelineParams, seed: int, result: Result, folder: Path
) -> None:
    """``run.json``: all that is needed to judge the run and to repeat it."""
    given = {"source": inputs.source, "reference": inputs.reference, "masks": inputs.masks}
    log = result.log
    steps = dict.fromkeys([*log.outcomes, *log.seconds])
    record = {
        "inputs": {name: _identity(value) for name, value in given.items() if value is not None},
        "params": params.model_dump(mode="json"),
        "seed": seed,
        "versions": json.loads(slots.info(result.cells)["versions"]),
        "steps": {
            step: {"seconds": log.seconds.get(step), "outcome": log.outcomes.get(step, "")}
            for step in sorted(steps, key=list(log.seconds).index)
        },
        "integrate_seconds": json.loads(slots.info(result.cells)["timings"]),
        "files": sorted([path.name for path in folder.iterdir()] + ["run.json"]),
    }
    text = json.dumps(record, indent=2, ensure_ascii=False)
    (folder / "run.json").write_text(text + "\n", encoding="utf-8")


def _identity(value: Any) -> dict[str, Any]:
    if isinstance(value, str | Path):
        return {"path": str(Path(value).resolve()), "sha256": sha256(value)}
    return {
        "in_memory": type(value).__name__,
        "shape": list(np.shape(getattr(value, "data", value))),
    }
