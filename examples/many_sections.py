"""Several tissue sections against one reference, in one factorisation."""

import pandas as pd

import napari_gluer as ng

# Two pieces of the simulated tissue stand for two sections, each with labels of its own.
tissue = ng.sample_tissue(seed=0)
sections = {}
for name, part in {"left": slice(500, 1000), "right": slice(1000, 1500)}.items():
    image = ng.MultiplexImage(
        tissue.image.data[:, 700:1400, part], tissue.image.channels, tissue.image.pixel_size_um
    )
    cells = ng.measure(image, tissue.labels[700:1400, part])
    sections[name] = ng.clean(cells)

# One call, so that the sections share factors; each gets a map of its own onto the reference.
integrated = ng.integrate(list(sections.values()), tissue.reference, seed=0)

composition = {}
for name, cells in zip(sections, integrated, strict=True):
    types = ng.transfer_labels(cells, tissue.reference, "cell_type")
    cells.obs[types.columns] = types
    composition[name] = cells.obs["cell_type_transferred"].value_counts(normalize=True)
    ng.write_cells(cells, f"many_sections/{name}.h5ad")

print(pd.DataFrame(composition).round(2))
