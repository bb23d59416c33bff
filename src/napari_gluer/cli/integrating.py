"""Commands from measured cells to painted genes."""

from pathlib import Path
from typing import Annotated

import pandas as pd
from cyclopts import Parameter

import napari_gluer as ng
from napari_gluer.cli.application import Flat, app, reference_of, refuse_inputs, report
from napari_gluer.io.atomic import atomic_path
from napari_gluer.io.cells import refuse_other_table
from napari_gluer.io.cells_zarr import is_zarr_name
from napari_gluer.io.values import write_values
from napari_gluer.pipeline.writing import Painter, how_known

_OF_PRESET = Parameter(show_default=False)


@app.command
def clean(
    cells: Path,
    *,
    out: Path,
    figure: Path | None = None,
    params: Annotated[ng.CleanParams, Flat] = ng.CleanParams(),  # noqa: B008 - frozen
) -> None:
    """Drop what is no cell and turn intensities into comparable signals; write a table.

    Parameters
    ----------
    cells
        Table of measured cells, .h5ad or .zarr.
    out
        Table to write, .h5ad or .zarr.
    figure
        Picture of every marker's mixture to write, .png, .pdf or .svg.
    params
        The steps of cleaning.
    """
    refuse_other_table(out)
    cleaned = ng.clean(ng.read_cells(cells), params, track=report)
    if figure is not None:
        ng.save_mixtures(cleaned, figure)
    ng.write_cells(cleaned, out)
    print(cleaned.uns["gluer"]["clean"]["outcome"])


@app.command
def integrate(
    cells: list[Path],
    *,
    reference: Path,
    out: Path,
    pairs: Path | None = None,
    params: Annotated[ng.IntegrateParams, Flat, _OF_PRESET] = ng.IntegrateParams(),  # noqa: B008 - frozen
    seed: int = 0,
) -> None:
    """Integrate cells with a single-cell reference by GLUER; write the integrated table.

    Parameters
    ----------
    cells
        Table of cells, .h5ad or .zarr; several (tissue sections) are integrated together.
    reference
        Single-cell RNA-seq, .h5ad or .zarr.
    out
        Table to write, .h5ad or .zarr; for several tables the folder for them, by their names.
    pairs
        True pairs of one table, .csv: name of the reference cell, name of the cell; with a line of
        headings.
    params
        Preset and every part of the method.
    seed
        Of the random numbers: the same seed, the same result.
    """
    places = _places(cells, out)
    for place in places:
        refuse_other_table(place)
        refuse_inputs(place, reference)
    tables, atlas = [ng.read_cells(path) for path in cells], ng.read_reference(reference)
    known = None if pairs is None else [_read_pairs(pairs, len(cells))]
    integrated = ng.integrate(tables, atlas, params, pairs=known, seed=seed, track=report)
    for place, table in zip(places, integrated, strict=True):
        ng.write_cells(table, place)
        print(table.uns["gluer"]["outcome"])


def _places(cells: list[Path], out: Path) -> list[Path]:
    """Where each table is written."""
    if len(cells) == 1:
        return [out]
    if out.suffix == ".h5ad" or is_zarr_name(out) or out.is_file():
        raise ng.InputError(
            f"{len(cells)} tables need a folder for --out; {out} is the name of one table."
        )
    places = [out / path.name for path in cells]
    if len(set(places)) < len(places):
        raise ng.InputError("Tables that go together must have file names of their own.")
    return places


def _read_pairs(path: Path, n_tables: int) -> pd.DataFrame:
    if n_tables > 1:
        raise ng.InputError("--pairs are of one table; give one table of cells.")
    try:
        return pd.read_csv(path, dtype=str)
    except (ValueError, UnicodeDecodeError) as error:
        raise ng.InputError(f"{path.name} cannot be read as a table of pairs: {error}") from error


@app.command
def cluster(
    cells: list[Path],
    *,
    out: Path,
    params: Annotated[ng.ClusterParams, Flat] = ng.ClusterParams(),  # noqa: B008 - frozen
    seed: int = 0,
) -> None:
    """Cluster integrated cells in the co-embedding; write the table with the column cluster.

    Parameters
    ----------
    cells
        Integrated cells, .h5ad or .zarr; several (sections that were integrated together) are
        clustered as one, so that a cluster is the same in each.
    out
        Table to write, .h5ad or .zarr; for several tables the folder for them, by their names.
    params
        Neighbours and resolution.
    seed
        Of the random numbers: the same seed, the same result.
    """
    places = _places(cells, out)
    for place in places:
        refuse_other_table(place)
    tables = [ng.read_cells(path) for path in cells]
    clustered = ng.cluster(tables, params, seed=seed, track=report)
    for place, table in zip(places, clustered, strict=True):
        ng.write_cells(table, place)
    print(f"{clustered[0].obs['cluster'].cat.categories.size} clusters in {out}")


@app.command
def impute(cells: Path, genes: list[str], *, reference: Path, out: Path) -> None:
    """Impute genes for every cell; write a CSV with one row per label.

    Parameters
    ----------
    cells
        Integrated cells, .h5ad or .zarr.
    genes
        Genes of the reference.
    reference
        The reference of the integration, .h5ad or .zarr.
    out
        CSV to write: label, unmatched, one column per gene (log1p of counts per 10,000).
    """
    refuse_inputs(out, cells, reference)
    table = ng.read_cells(cells)
    values = ng.impute(table, reference_of(table, reference), genes)
    write_values(table, dict(zip(genes, values.T, strict=True)), out)
    print(f"{len(genes)} genes × {table.n_obs:,} cells in {out}")


@app.command
def transfer(cells: Path, column: str, *, reference: Path, out: Path) -> None:
    """Transfer a label column of the reference to the cells; write a table.

    Parameters
    ----------
    cells
        Integrated cells, .h5ad or .zarr.
    column
        Column of the reference's obs, cell_type for instance.
    reference
        The reference of the integration, .h5ad or .zarr.
    out
        Table to write, .h5ad or .zarr.
    """
    refuse_other_table(out)
    refuse_inputs(out, reference)
    table = ng.read_cells(cells)
    types = ng.transfer_labels(table, reference_of(table, reference), column)
    table.obs[types.columns] = types
    ng.write_cells(table, out)
    print(types.iloc[:, 0].value_counts().to_string())


@app.command
def paint(cells: Path, labels: Path, gene: str, *, reference: Path, out: Path) -> None:
    """Paint an imputed gene onto the labels; write a PNG.

    Parameters
    ----------
    cells
        Integrated cells, .h5ad or .zarr.
    labels
        Their labels image.
    gene
        Gene of the reference.
    reference
        The reference of the integration, .h5ad or .zarr.
    out
        PNG to write.
    """
    refuse_inputs(out, cells, labels, reference)
    table, index = ng.read_cells(cells), ng.LabelIndex(ng.read_labels(labels))
    values = ng.impute(table, reference_of(table, reference), gene)
    with atomic_path(out) as partial:
        Painter(table, index).gene(gene, values, partial, how_known(gene, table))
    print(out)
