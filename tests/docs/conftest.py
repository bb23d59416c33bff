"""What the pages take for granted, and the modules that make the site."""

import gzip
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tifffile
from anndata import AnnData
from scipy import io, sparse

import napari_gluer as ng
from napari_gluer.cli import main
from napari_gluer.sample import SampleTissue

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "docs"))

CORNER = slice(700, 1100)

Names = dict[str, Any]
Prepare = Callable[[SampleTissue, AnnData], Names]


@pytest.fixture(scope="package")
def integrated(tissue: SampleTissue) -> AnnData:
    """A corner of the simulated tissue, integrated; tests get copies."""
    image = ng.MultiplexImage(
        tissue.image.data[:, CORNER, CORNER], tissue.image.channels, tissue.image.pixel_size_um
    )
    cells = ng.clean(ng.measure(image, tissue.labels[CORNER, CORNER]))
    cells = ng.cluster(ng.integrate(cells, tissue.reference, seed=0))
    types = ng.transfer_labels(cells, tissue.reference, "cell_type")
    cells.obs[types.columns] = types
    return cells


@pytest.fixture
def prepared() -> dict[str, Prepare]:
    """For pages by name: what writes their files and gives their variables."""
    return PREPARED


def _image(tissue: SampleTissue, name: str, part: slice = CORNER) -> None:
    """An OME-TIFF of the tissue in the working folder."""
    channels = {"Name": list(tissue.image.channels)}
    about = {"axes": "CYX", "Channel": channels, "PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5}
    tifffile.imwrite(name, tissue.image.data[:, CORNER, part], metadata=about)


def _tables(tissue: SampleTissue, cells: AnnData) -> Names:
    tissue.reference.write_h5ad("atlas.h5ad")
    ng.write_cells(cells, "cells.h5ad")
    return {"ng": ng, "cells": cells, "reference": ng.read_reference("atlas.h5ad")}


def _nothing(tissue: SampleTissue, cells: AnnData) -> Names:
    return {}


def _spots(tissue: SampleTissue, cells: AnnData) -> Names:
    tissue.reference.write_h5ad("atlas.h5ad")
    _seqfish_plus()
    return {}


def _images(tissue: SampleTissue, cells: AnnData) -> Names:
    for name, part in {"left": slice(500, 800), "right": slice(1000, 1300)}.items():
        _image(tissue, f"{name}.ome.tif", part)
    return _tables(tissue, cells)


def _a_slide(tissue: SampleTissue, cells: AnnData) -> Names:
    _image(tissue, "slide.ome.tif")
    names = _tables(tissue, cells)
    marks = ("CD45", "CD3")
    wanted = [tissue.image.channels.index(mark) for mark in ("DAPI", *marks)]
    data = tissue.image.data[wanted, CORNER, CORNER]
    image = ng.MultiplexImage(data, ["DAPI", "CD45", "E-cadherin"], 0.5)
    labels = tissue.labels[CORNER, CORNER]
    tifffile.imwrite("CellLabels.tif", labels)
    y, x = np.argwhere(labels)[::7].T
    named = {"target": "CD3E", "x_local_px": x, "y_local_px": y, "cell_ID": labels[y, x]}
    pd.DataFrame(named).to_csv("tx_file.csv", index=False)
    return names | {"image": image}


def _panel(tissue: SampleTissue, cells: AnnData) -> Names:
    names = _tables(tissue, cells)
    names["cells"] = cells[:, :3].copy()
    names["cells"].var_names = ["clone 7", "CD3", "CD8"]
    pd.DataFrame({"channel": ["CD8"], "genes": ["CD8A"]}).to_csv("my_panel.csv", index=False)
    return names | {"reference": AnnData(var=pd.DataFrame(index=["FOXP3", "CD3E", "CD3G"]))}


def _downstream(tissue: SampleTissue, cells: AnnData) -> Names:
    _tables(tissue, cells)
    lists = pd.DataFrame({"type": ["T", "T", "B", "B"], "gene": ["CD3D", "CD3E", "MS4A1", "CD79A"]})
    lists.to_csv("markers.csv", index=False)
    lists.to_csv("lists.csv", index=False)
    ring = [[0, 0], [200, 0], [200, 400], [0, 400], [0, 0]]
    outline = {"type": "Polygon", "coordinates": [ring]}
    properties = {"objectType": "annotation", "name": "left"}
    feature = {"type": "Feature", "geometry": outline, "properties": properties}
    pd.Series({"type": "FeatureCollection", "features": [feature]}).to_json("regions.geojson")
    main(["coembed", "cells.h5ad", "--reference", "atlas.h5ad", "--out", "joint.h5ad"])
    return {}


def _written(tissue: SampleTissue, cells: AnnData) -> Names:
    ng.write_cells(cells, "cells.zarr")
    return _tables(tissue, cells) | {"other": cells}


def _figures(tissue: SampleTissue, cells: AnnData) -> Names:
    names = _tables(tissue, cells)
    return names | {"types": cells.obs["cell_type_transferred"]}


def _chromatin(tissue: SampleTissue, cells: AnnData) -> Names:
    """Reads around made-up starts, and the same nuclei's RNA."""
    rng = np.random.default_rng(0)
    genes = tissue.reference.var_names[:200].tolist()
    genes[0] = "Slc17a7"
    start = np.cumsum(rng.integers(30_000, 200_000, len(genes)))
    lines = [
        f'chr1\tmade\tgene\t{s + 1}\t{s + 5000}\t.\t+\t.\tgene_id "{gene}"; gene_name "{gene}";'
        for s, gene in zip(start, genes, strict=True)
    ]
    with gzip.open("genes.gtf.gz", "wt") as file:
        file.write("\n".join(lines) + "\n")
    nuclei = tissue.truth[:300]
    level = np.expm1(nuclei[:, tissue.reference.var_names[:200]].X.toarray())
    counts = rng.poisson(0.1 + 0.3 * level).astype(np.float32)
    barcodes = [f"AAAC{i}-1" for i in range(300)]
    peaks = AnnData(sparse.csr_matrix(counts), obs=pd.DataFrame(index=barcodes))
    peaks.var_names = [f"chr1:{s - 200}-{s + 300}" for s in start]
    peaks.write_h5ad("peaks.h5ad")
    rna = AnnData(sparse.csr_matrix(rng.poisson(level).astype(np.float32)), obs=peaks.obs.copy())
    rna.var_names = genes
    rna.write_h5ad("rna.h5ad")
    cell, gene = np.repeat(np.argwhere(counts), counts[counts > 0].astype(int), axis=0).T
    shift = rng.integers(-200, 200, len(cell))
    fragments = pd.DataFrame({"chrom": "chr1", "start": start[gene] + shift})
    fragments["end"] = fragments["start"] + 100
    fragments["barcode"] = np.array(barcodes)[cell]
    fragments["count"] = 1
    ordered = fragments.sort_values("start", kind="stable")
    ordered.to_csv("fragments.tsv.gz", sep="\t", header=False, index=False)
    Path("cells.txt").write_text("\n".join(barcodes) + "\n")
    reference = ng.read_reference("rna.h5ad")
    return {"peaks": peaks, "reference": reference, "measured_rna": rna}


def _seqfish_plus() -> None:
    rng = np.random.default_rng(0)
    genes = [f"Gene{i}" for i in range(12)]
    counts = pd.DataFrame(rng.poisson(1, (30, 12)), columns=genes)
    counts.to_csv("cortex_svz_counts.csv", index=False)
    field, cell = np.divmod(np.arange(30), 15)
    places = pd.DataFrame({"Field of View": field, "Cell ID": cell + 1})
    places["X"], places["Y"] = rng.uniform(0, 2000, (2, 30))
    places["Region"] = "Cortex"
    places.to_csv("cortex_svz_cellcentroids.csv", index=False)


def _snare(tissue: SampleTissue) -> None:
    peaks = _chromatin(tissue, AnnData())["peaks"]
    Path("genes.gtf.gz").rename("mm10.gtf.gz")
    rna = ng.read_cells("rna.h5ad", kind="counts")
    rna.obs_names = peaks.obs_names
    for part, names, table in (("cDNA", "genes", rna), ("chromatin", "peaks", peaks[::-1])):
        start = f"GSE126074_AdBrainCortex_SNAREseq_{part}"
        with gzip.open(f"{start}.counts.mtx.gz", "wb") as file:
            io.mmwrite(file, sparse.coo_matrix(table.X.T))
        lists = {"barcodes": table.obs_names, names: table.var_names}
        for kind, words in lists.items():
            with gzip.open(f"{start}.{kind}.tsv.gz", "wt") as file:
                file.write("\n".join(words) + "\n")


def _public(tissue: SampleTissue, cells: AnnData) -> Names:
    """Files as the page describes them, with few cells and made-up values."""
    rng = np.random.default_rng(0)
    spleen = pd.DataFrame(rng.normal(500, 200, (60, 3)), columns=["CD45", "CD3", "B220"])
    spleen["X.X"], spleen["Y.Y"], spleen["Z.Z"] = rng.integers(1, 1000, (3, 60))
    spleen["size"] = rng.integers(300, 900, 60)
    spleen["sample_Xtile_Ytile"] = ["BALBc-1_X01_Y01", "BALBc-1_X02_Y01", "MRL-4_X01_Y01"] * 20
    spleen["niche cluster ID"], spleen["Imaging phenotype cluster ID"] = 1, 2
    spleen.to_csv("MRLdatasetexpression.csv", index=False)
    _snare(tissue)
    _seqfish_plus()
    about = {"Cell_ID": [f"id{i}" for i in range(40)], "Animal_ID": 1, "Animal_sex": "Female"}
    about |= {"Behavior": "Naive", "Bregma": 0.01, "Centroid_X": rng.uniform(0, 1800, 40)}
    about |= {"Centroid_Y": rng.uniform(0, 1800, 40)}
    about |= {"Cell_class": ["Astrocyte"] * 39 + ["Ambiguous"], "Neuron_cluster_ID": ""}
    merfish = pd.DataFrame(about)
    for gene in ("Gad1", "Mbp", "Fos", "Blank_1"):
        merfish[gene] = rng.poisson(2, 40) / rng.uniform(0.5, 2, 40)
    merfish.to_csv("Moffitt_and_Bambah-Mukku_et_al_merfish_all_cells.csv", index=False)
    genes = ["HUMAN_CD3E", "HUMAN_CD19", "HUMAN_CD4", "HUMAN_LYZ", "MOUSE_Cd3e"]
    counts = rng.poisson([[20], [20], [20], [20], [1]], (5, 50))
    names = [f"BARCODE{i}" for i in range(50)]
    rna = pd.DataFrame(counts, index=genes, columns=names)
    rna.to_csv("GSE100866_CBMC_8K_13AB_10X-RNA_umi.csv.gz")
    proteins = pd.DataFrame(rng.poisson(30, (3, 50)), index=["CD3", "CD19", "CD4"], columns=names)
    proteins.to_csv("GSE100866_CBMC_8K_13AB_10X-ADT_umi.csv.gz")
    return {}


PREPARED: dict[str, Prepare] = {
    "choose_reference": _tables,
    "cli": _images,
    "cluster": _images,
    "downstream": _downstream,
    "dual_omics": _chromatin,
    "figures": _figures,
    "images": _a_slide,
    "install": _nothing,
    "judge": _tables,
    "many_images": _images,
    "markers": _panel,
    "neighbourhoods": _tables,
    "public_data": _public,
    "files": _written,
    "tutorial_chromatin": _nothing,
    "tutorial_codex": _nothing,
    "tutorial_spots": _spots,
}
"""What a page takes for granted: files of these names, and these variables."""
