"""Commands on accessible chromatin: gene activity, and peaks that go with genes."""

from pathlib import Path
from typing import Annotated

import pandas as pd

import napari_gluer as ng
from napari_gluer import slots
from napari_gluer.analysis.activity import ActivityParams
from napari_gluer.analysis.activity import gene_activity as activity_of
from napari_gluer.analysis.peak_links import PeakLinkParams, gene_peak_links
from napari_gluer.cli.application import Flat, app, reference_of, refuse_inputs, report
from napari_gluer.errors import InputError
from napari_gluer.io.annotation import read_annotation
from napari_gluer.io.atomic import atomic_path
from napari_gluer.io.cells import refuse_other_table


@app.command
def gene_activity(
    source: Path,
    *,
    annotation: Path,
    out: Path,
    barcodes: Path | None = None,
    params: Annotated[ActivityParams, Flat] = ActivityParams(),  # noqa: B008 - frozen
) -> None:
    """Count the reads in and before every gene, cell by cell; integrate takes the result.

    Parameters
    ----------
    source
        Cells × peaks, .h5ad, columns named chr1:100-200; or fragments, .tsv or .tsv.gz.
    annotation
        Where genes lie, .gtf, .gtf.gz, .bed or .bed.gz.
    out
        Table of cells × genes to write, .h5ad.
    barcodes
        Text file with one barcode a line: the cells of a fragment file.
    params
        What counts for a gene.
    """
    refuse_other_table(out)
    refuse_inputs(out, source)
    genes = read_annotation(annotation)
    print(genes.attrs["outcome"])
    of_peaks = source.suffix.casefold() == ".h5ad"
    if of_peaks and barcodes is not None:
        raise InputError("--barcodes names the cells of a fragment file; this is a table of peaks.")
    table = ng.read_cells(source) if of_peaks else source
    names = barcodes.read_text(encoding="utf-8").split() if barcodes else None
    result = activity_of(table, genes, params, barcodes=names, track=report)
    ng.write_cells(result, out)
    print(result.uns["gluer"]["activity"]["outcome"])


@app.command
def peak_links(  # noqa: PLR0913 - one parameter a flag
    peaks: Path,
    expression: Path,
    *,
    annotation: Path,
    out: Path,
    genes: list[str] | None = None,
    reference: Path | None = None,
    params: Annotated[PeakLinkParams, Flat] = PeakLinkParams(),  # noqa: B008 - frozen
    seed: int = 0,
) -> None:
    """Correlate genes with the peaks near their start; write a CSV.

    Parameters
    ----------
    peaks
        Cells × peaks, counts, .h5ad.
    expression
        The same cells × genes, .h5ad; with a reference the integrated cells.
    annotation
        Where genes lie, .gtf, .gtf.gz, .bed or .bed.gz.
    out
        CSV to write, one row per gene and peak.
    genes
        Which genes; all where none is named.
    reference
        The reference of the integration, .h5ad or .zarr:
        take imputed genes in place of measured ones.
    params
        Reach, groups of cells, permutations.
    seed
        Of the random groups and permutations.
    """
    if out.suffix.casefold() != ".csv" or out.is_dir():
        raise InputError(f"{out} is no CSV file; give --out a name that ends in .csv.")
    refuse_inputs(out, peaks, expression)
    table, cells = ng.read_cells(peaks), ng.read_cells(expression)
    places = read_annotation(annotation)
    values: object = cells
    if reference is not None:
        atlas = reference_of(cells, reference)
        known = set(places["gene"])
        wanted = genes or [str(name) for name in atlas.var_names if name in known]
        names = slots.cell_names(cells)
        values = pd.DataFrame(ng.impute(cells, atlas, wanted), names, wanted)
        embedding = pd.DataFrame(cells.obsm[slots.EMBEDDING], names)
        if slots.cell_names(table).isin(names).all():
            table.obsm[slots.EMBEDDING] = embedding.loc[slots.cell_names(table)].to_numpy()
    found = gene_peak_links(table, values, places, params, genes=genes, seed=seed, track=report)
    with atomic_path(out) as written:
        found.to_csv(written, index=False)
    print(f"{found.attrs['outcome']}\n{out}")
