"""From decoded spots (MERFISH, Xenium, CosMx) and masks to genes outside the panel."""

from pathlib import Path

import numpy as np
import pandas as pd

import napari_gluer as ng

out = Path("from_spots")
out.mkdir(exist_ok=True)

# Stands for your files: spots of a panel of 128 genes, scattered within the simulated cells.
tissue = ng.sample_tissue(seed=0)
masks, rng = tissue.labels[700:1300, 700:1300], np.random.default_rng(0)
panel = tissue.reference.var_names[::6]
y, x = np.nonzero(masks)
chance = np.expm1(tissue.truth[:, panel].X.toarray())[masks[y, x] - 1]
place, gene = np.nonzero(rng.random(chance.shape) < chance / 2000)
spots = pd.DataFrame({"gene": panel[gene], "x": x[place], "y": y[place]})
spots.to_csv(out / "spots.csv", index=False)

spots = ng.read_spots(out / "spots.csv")
print(spots.attrs["outcome"])
cells = ng.assign_spots(spots, masks)
print(cells.uns["gluer"]["spots"]["outcome"])  # says too whether an axis had to be flipped

cells = ng.integrate(ng.clean(cells), tissue.reference, seed=0)
print(cells.uns["gluer"]["outcome"])
types = ng.transfer_labels(cells, tissue.reference, "cell_type")
print(types["cell_type_transferred"].value_counts())
ng.write_cells(cells, out / "cells.h5ad")
