"""Commands on what an integration gave: exports, the joint view, running it again."""

from pathlib import Path
from typing import Annotated

import napari_gluer as ng
from napari_gluer.cli.application import ANOTHER, Flat, app, reference_of, refuse_inputs, report
from napari_gluer.io.cells import refuse_other_table
from napari_gluer.io.values import write_reference_values


@app.command
def export(
    cells: Path,
    genes: list[str] | None = None,
    *,
    reference: Path,
    out: Path,
    params: Annotated[ng.ExportParams, Flat] = ng.ExportParams(),  # noqa: B008 - frozen
) -> None:
    """Impute genes for every cell and write them: all genes, or those named.

    Parameters
    ----------
    cells
        Integrated cells, .h5ad or .zarr.
    genes
        Genes of the reference; all where none is named.
    reference
        The reference of the integration, .h5ad or .zarr.
    out
        File to write, .h5ad, .csv, .csv.gz or .parquet; log1p of counts per 10,000.
    params
        What becomes of unmatched cells.
    """
    refuse_inputs(out, cells, reference)
    table = ng.read_cells(cells)
    atlas = reference_of(table, reference)
    path = ng.export_imputed(table, atlas, out, genes or None, params=params, track=report)
    print(f"{len(genes or atlas.var_names):,} genes × {table.n_obs:,} cells in {path}")


@app.command
def reverse(cells: Path, features: list[str], *, reference: Path, out: Path) -> None:
    """Impute features of the cells (a protein, a peak) for every reference cell; write a CSV.

    Parameters
    ----------
    cells
        Integrated cells, .h5ad or .zarr.
    features
        Columns of the cells.
    reference
        The reference of the integration, .h5ad or .zarr.
    out
        CSV to write: reference_cell, one column per feature, in the unit of the cells' values.
    """
    refuse_inputs(out, cells, reference)
    table = ng.read_cells(cells)
    atlas = reference_of(table, reference)
    values = ng.impute_onto_reference(table, atlas, features, track=report)
    write_reference_values(atlas, dict(zip(features, values.T, strict=True)), out)
    print(f"{len(features)} features × {atlas.n_obs:,} reference cells in {out}")


@app.command
def coembed(
    cells: list[Path],
    *,
    reference: Path,
    out: Path,
    params: Annotated[ng.CoembedParams, Flat] = ng.CoembedParams(),  # noqa: B008 - frozen
    seed: int = 0,
) -> None:
    """Join reference and integrated cells in one table with a UMAP or t-SNE, for scanpy.

    Parameters
    ----------
    cells
        Integrated cells, .h5ad or .zarr; several that were integrated in one call.
    reference
        The reference of the integration, .h5ad or .zarr.
    out
        Table to write, .h5ad or .zarr.
    params
        Layout and clusters.
    seed
        Of the random numbers of layout and clusters.
    """
    refuse_other_table(out)
    refuse_inputs(out, *cells, reference)
    tables = [ng.read_cells(path) for path in cells]
    named = {path.stem: table for path, table in zip(cells, tables, strict=True)}
    if len(named) < len(cells):
        raise ng.InputError("Tables to show together must have file names of their own.")
    joint = ng.coembed(
        tables[0] if len(tables) == 1 else named,
        reference_of(tables[0], reference),
        params,
        seed=seed,
        track=report,
    )
    ng.write_cells(joint, out)
    print(joint.obs["source"].value_counts(sort=False).to_string())


@app.command
def reproduce(cells: list[Path], *, reference: Path | None = None) -> int:
    """Integrate again as the results remember, and compare; nothing is written.

    Exit status 0: the same result came out; 3: another one.

    Parameters
    ----------
    cells
        Integrated cells, .h5ad or .zarr; of one call, all of them in their order.
    reference
        The reference of the integration, .h5ad or .zarr, where it is not at its old place.
    """
    tables = [ng.read_cells(path) for path in cells]
    place = reference or _remembered(tables[0].uns.get("gluer", {}))
    atlas = reference_of(tables[0], place)
    found = ng.reproduce(tables, atlas, track=report)
    for path, one in zip(cells, found, strict=True):
        print(f"{path}: {one.text}")
    return 0 if all(one.equal for one in found) else ANOTHER


def _remembered(known: dict[str, object]) -> Path:
    """Where the reference was."""
    path = Path(str(known.get("reference_path", "")))
    if not path.is_file():
        where = f" is no longer at {path}" if "reference_path" in known else "'s place is not known"
        raise ng.InputError(f"The reference{where}; say where it is with --reference.")
    return path


@app.command
def subsample(
    reference: Path,
    *,
    out: Path,
    params: Annotated[ng.SubsampleParams, Flat] = ng.SubsampleParams(),  # noqa: B008 - frozen
    seed: int = 0,
) -> None:
    """Draw some cells of a large reference, its types represented, without reading it whole.

    Parameters
    ----------
    reference
        Single-cell RNA-seq, .h5ad or .zarr.
    out
        Smaller reference to write, .h5ad or .zarr, log1p of counts per 10,000.
    params
        How many, and of what.
    seed
        Of the random draw.
    """
    refuse_other_table(out)
    refuse_inputs(out, reference)
    drawn = ng.read_reference(reference, params, seed=seed)
    ng.write_cells(drawn, out)
    print(drawn.uns["gluer"]["subsample"]["outcome"])
