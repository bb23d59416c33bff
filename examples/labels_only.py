"""Masks and a table from other programs, without the image: joined by label, never by row."""

from pathlib import Path

import numpy as np
import pandas as pd
from anndata import AnnData

import napari_gluer as ng

out = Path("labels_only")

# Stands for your files: masks (of Cellpose, QuPath, …) and a CSV with one row a cell.
tissue = ng.sample_tissue(seed=0)
masks = tissue.labels[700:1300, 700:1300]
ng.write_labels(masks, out / "masks.ome.tif", (0.5, 0.5))
measured = ng.measure(tissue.image, tissue.labels).to_df().iloc[np.unique(masks)[1:] - 1]
measured.insert(0, "Object ID", np.unique(masks)[1:])
measured.sample(frac=1, random_state=0).to_csv(out / "intensities.csv", index=False)

# Rows may stand in any order: cells are known by their value in the masks, obs["label"].
labels = ng.read_labels(out / "masks.ome.tif")
table = pd.read_csv(out / "intensities.csv", dtype={"Object ID": str}, index_col="Object ID")
cells = AnnData(table.astype(np.float32))
cells.obs["label"] = cells.obs_names.astype(int)
ng.write_cells(cells, out / "cells.h5ad")

cells = ng.read_cells(out / "cells.h5ad", "intensity")  # links the markers to their genes
cells = ng.integrate(ng.clean(cells), tissue.reference, seed=0)
print(cells.uns["gluer"]["outcome"])
picture = np.asarray(ng.paint(labels, cells, ng.impute(cells, tissue.reference, "NKG7")))
print(f"NKG7 painted: {picture.shape} pixels, {np.isfinite(picture).mean():.0%} inside cells")
