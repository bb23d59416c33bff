"""From a multiplexed image to a gene that was never imaged, step by step."""

from pathlib import Path

import numpy as np

import napari_gluer as ng

# A corner of the simulated tissue, so that it takes seconds. Files of your own are opened by
# ng.read_image and ng.read_reference.
tissue = ng.sample_tissue(seed=0)
image = ng.MultiplexImage(
    tissue.image.data[:, 700:1400, 700:1400], tissue.image.channels, tissue.image.pixel_size_um
)
reference = tissue.reference

# Nuclei grow by 3 µm into cells, because most of these markers lie in the membrane.
labels = ng.segment(image, ng.SegmentParams(growth=ng.Expansion(distance=3.0)))
cells = ng.clean(ng.measure(image, labels))
print(cells.uns["gluer"]["clean"]["outcome"])

print(ng.linked_features(cells, reference))  # look at this first: which marker stands for what
cells = ng.integrate(cells, reference, seed=0)
print(cells.uns["gluer"]["outcome"])

types = ng.transfer_labels(cells, reference, "cell_type")
cells.obs[types.columns] = types
print(cells.obs["cell_type_transferred"].value_counts())

picture = np.asarray(ng.paint(labels, cells, ng.impute(cells, reference, "CST3")))
print(f"CST3 painted: {picture.shape} pixels, {np.isfinite(picture).mean():.0%} inside cells")

out = Path("from_image")
ng.write_cells(cells, out / "cells.h5ad")
ng.write_labels(labels, out / "labels.ome.tif", image.spacing_um)
