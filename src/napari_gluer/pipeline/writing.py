"""What a run leaves in its folder."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from anndata import AnnData
from numpy.typing import NDArray

from napari_gluer import slots
from napari_gluer.integration.imputation import impute
from napari_gluer.integration.variable import measured_genes, most_telling_genes
from napari_gluer.io.cells import write_cells
from napari_gluer.io.labels_writing import write_labels
from napari_gluer.painting import LabelIndex, LookUp, code_levels, paint_levels
from napari_gluer.pictures import Caption, save_categories, save_values
from napari_gluer.pipeline.model import Inputs, PipelineParams, Result
from napari_gluer.pipeline.records import RECORD, identities
from napari_gluer.track import Track

_LARGEST_PICTURE = 2048


@dataclass(frozen=True, eq=False)
class Painter:
    """Paints cells onto their labels and writes PNGs.

    Attributes
    ----------
    cells
        Table whose ``obs["label"]`` names the cells; unmatched ones stay empty.
    labels
        Labels of these cells.
    spacing_um
        Pixel size of the labels, for the scale bar.
    """

    cells: AnnData
    labels: LabelIndex
    spacing_um: tuple[float, ...] | None = None

    def gene(self, name: str, values: NDArray[np.floating], path: Path, note: str) -> None:
        """Paint log1p expression `values` ``(n_cells,)``."""
        shown = np.where(slots.unmatched(self.cells), np.nan, values)
        picture = _flat(paint_levels(self.labels, self.cells, shown))
        caption = self._caption(name, f"{note} · {self._counts()}", picture)
        save_values(picture, path, replace(caption, unit="log1p of counts per 10,000"))

    def column(self, name: str, path: Path, title: str) -> None:
        """Paint a categorical column of ``obs``."""
        shown = self.cells.obs[name].where(~slots.unmatched(self.cells))
        levels, names = code_levels(self.labels, self.cells, shown)
        picture = _flat(levels)
        save_categories(picture, names, path, self._caption(title, self._counts(), picture))

    def _counts(self) -> str:
        missing = int(slots.unmatched(self.cells).sum())
        text = f"{self.cells.n_obs:,} cells"
        return f"{text}, {missing:,} unmatched and left empty" if missing else text

    def _caption(self, title: str, note: str, picture: NDArray[Any]) -> Caption:
        size = None
        if self.spacing_um is not None:
            size = self.spacing_um[-1] * self.labels.levels[0].shape[-1] / picture.shape[-1]
        return Caption(title, note, pixel_size=size)


def how_known(gene: str, cells: AnnData) -> str:
    """What the values of an imputed gene are, for the reader of a picture."""
    feature = measured_genes(cells).get(gene)
    return "imputed, not measured" if feature is None else f"imputed; measured too, as {feature}"


def write_results(result: Result, params: PipelineParams, folder: Path, track: Track) -> None:
    """Tables, labels and pictures."""
    cells, found = result.cells, result.found
    write_cells(cells, folder / "cells.h5ad")
    write_labels(found.labels, folder / "labels.ome.tif", found.spacing_um)
    painter = Painter(cells, LabelIndex(found.labels), found.spacing_um)
    genes = list(params.genes) or most_telling_genes(cells, result.reference, 2)
    for gene in track(genes, "Painting"):
        values = impute(cells, result.reference, gene)
        result.painted[gene] = _free(folder, f"gene_{_safe(gene)}")
        painter.gene(gene, values, result.painted[gene], how_known(gene, cells))
    painter.column(slots.CLUSTER, folder / "clusters.png", "Clusters")
    for name in (str(name) for name in cells.obs):
        if name.endswith(slots.transferred("")):
            title = f"{name.removesuffix(slots.transferred(''))}, transferred from the reference"
            painter.column(name, folder / f"{_safe(name)}.png", title)


def _flat(levels: list[LookUp]) -> NDArray[Any]:
    """The finest level that makes a picture of reasonable size; of a volume the middle plane."""
    level = next(level for level in levels if max(level.shape[-2:]) <= _LARGEST_PICTURE)
    plane = level[level.shape[0] // 2] if level.ndim == 3 else level[:]
    return np.asarray(plane)


def _free(folder: Path, stem: str) -> Path:
    """A PNG that is not there yet: different genes may come to one safe name."""
    path, number = folder / f"{stem}.png", 2
    while path.exists():
        path, number = folder / f"{stem}-{number}.png", number + 1
    return path


def _safe(name: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in name)


def write_record(
    inputs: Inputs, params: PipelineParams, seed: int, result: Result, folder: Path
) -> None:
    """``run.json``: all that is needed to judge the run and to repeat it."""
    log = result.log
    steps = dict.fromkeys([*log.outcomes, *log.seconds])
    places = {step: place for place, step in enumerate(log.seconds)}
    record = {
        "inputs": identities(inputs),
        "params": params.model_dump(mode="json"),
        "seed": seed,
        "versions": json.loads(slots.info(result.cells)["versions"]),
        "steps": {
            step: {"seconds": log.seconds.get(step), "outcome": log.outcomes.get(step, "")}
            for step in sorted(steps, key=lambda step: places.get(step, -1))
        },
        "integrate_seconds": json.loads(slots.info(result.cells)["timings"]),
        "numbers": result.numbers,
        "files": sorted([path.name for path in folder.iterdir()] + [RECORD]),
    }
    text = json.dumps(record, indent=2, ensure_ascii=False)
    (folder / RECORD).write_text(text + "\n", encoding="utf-8")
