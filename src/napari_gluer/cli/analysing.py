"""Commands on integrated cells that give the next figure: markers, names, order, regions."""

from pathlib import Path
from typing import Annotated

import pandas as pd
from anndata import AnnData

import napari_gluer as ng
from napari_gluer.analysis.marker_genes import MarkerParams, marker_genes
from napari_gluer.analysis.naming import NameParams
from napari_gluer.analysis.naming import name_clusters as named
from napari_gluer.analysis.regions import RegionParams
from napari_gluer.analysis.regions import compare_regions as compared
from napari_gluer.analysis.roots import Root
from napari_gluer.analysis.trajectory import TrajectoryParams
from napari_gluer.analysis.trajectory import trajectory as ordered
from napari_gluer.cli.application import Flat, app, reference_of, refuse_inputs, report
from napari_gluer.io.atomic import atomic_path
from napari_gluer.io.cells import refuse_other_table
from napari_gluer.io.h5ad import read_h5ad


@app.command
def markers(
    cells: Path,
    by: str,
    *,
    out: Path,
    reference: Path | None = None,
    genes: list[str] | None = None,
    params: Annotated[MarkerParams, Flat] = MarkerParams(),  # noqa: B008 - frozen
) -> None:
    """Find the genes that tell each group of cells from all others; write a CSV.

    Parameters
    ----------
    cells
        Table of cells, .h5ad or .zarr.
    by
        Column of groups: cluster, or a transferred type.
    out
        CSV to write, one row per group and gene, the best first.
    reference
        The reference of the integration, .h5ad or .zarr:
        test imputed genes in place of measured ones.
    genes
        Which genes; all where none is named.
    params
        Which groups and genes are left out.
    """
    atlas, table = _opened(cells, reference, out)
    found = marker_genes(table, by, reference=atlas, genes=genes, params=params, track=report)
    _write(found, out)
    print(found.attrs["outcome"])
    print(f"{found.attrs['note']}\n{len(found):,} rows in {out}")


@app.command
def name_clusters(  # noqa: PLR0913 - one parameter a flag
    cells: Path,
    by: str,
    markers: str,
    *,
    out: Path,
    reference: Path | None = None,
    params: Annotated[NameParams, Flat] = NameParams(),  # noqa: B008 - frozen
    seed: int = 0,
) -> None:
    """Name clusters by lists of marker genes, or say that none fits; write a CSV.

    Parameters
    ----------
    cells
        Table of cells, .h5ad or .zarr.
    by
        Column of clusters.
    markers
        Lists, .csv or .tsv of columns type, gene and, where wanted, direction; or a column of types
        of the reference, whose markers are computed.
    out
        CSV to write, one row per cluster.
    reference
        The reference of the integration, .h5ad or .zarr:
        score imputed genes in place of measured ones.
    params
        When a name is given.
    seed
        Of the random lists.
    """
    refuse_inputs(out, Path(markers))
    atlas, table = _opened(cells, reference, out)
    found = named(table, by, markers, reference=atlas, params=params, seed=seed, track=report)
    _write(found, out)
    print(found[["group", "name", "score", "p", "reason"]].to_string(index=False))
    print(found.attrs["outcome"])


@app.command
def trajectory(  # noqa: PLR0913 - one parameter a flag
    table: Path,
    *,
    out: Path,
    root_cell: str | None = None,
    root_label: int | None = None,
    root_group: tuple[str, str] | None = None,
    params: Annotated[TrajectoryParams, Flat] = TrajectoryParams(),  # noqa: B008 - frozen
    seed: int = 0,
) -> None:
    """Order cells by diffusion pseudotime from a root, and connect their groups by PAGA.

    Parameters
    ----------
    table
        Joint table of coembed, or integrated cells, .h5ad.
    out
        Table to write, .h5ad or .zarr, with the column pseudotime.
    root_cell
        Name of the cell to start from.
    root_label
        Its label, in place of its name.
    root_group
        A column and one of its groups, in place of a cell.
    params
        Neighbours, components, groups.
    seed
        Of the random numbers.
    """
    refuse_other_table(out)
    roots: list[Root] = [one for one in (root_cell, root_label, root_group) if one is not None]
    if len(roots) != 1:
        raise ng.InputError("Give one root: --root-cell, --root-label or --root-group.")
    result = ordered(read_h5ad(table, joint=True), roots[0], params=params, seed=seed, track=report)
    ng.write_cells(result, out)
    print(result.uns["gluer"]["trajectory"]["outcome"])


@app.command
def compare_regions(  # noqa: PLR0913 - one parameter a flag
    cells: Path,
    *,
    out: Path,
    regions: Path | None = None,
    column: str | None = None,
    by: str | None = None,
    genes: list[str] | None = None,
    reference: Path | None = None,
    pixel_size_um: float | None = None,
    params: Annotated[RegionParams, Flat] = RegionParams(),  # noqa: B008 - frozen
) -> None:
    """Compare regions of a tissue, by the types that they hold and by expression; write CSVs.

    Parameters
    ----------
    cells
        Table of cells, .h5ad or .zarr.
    out
        Folder for regions.csv, composition.csv and expression.csv.
    regions
        Outlines in pixels of the image, .geojson.
    column
        Column of regions, in place of outlines.
    by
        Column of types, cell_type_transferred for instance.
    genes
        Genes to compare; the word all compares every gene.
    reference
        The reference of the integration, .h5ad or .zarr:
        compare imputed genes in place of measured ones.
    pixel_size_um
        Size of a pixel of the image that the outlines were drawn on, where positions are in µm.
    params
        Intervals and least numbers.
    """
    if out.is_file():
        raise ng.InputError(f"{out} is a file; --out is the folder for the tables.")
    if (regions is None) == (column is None):
        raise ng.InputError("Say where the regions are: --regions or --column, one of them.")
    atlas, table = _opened(cells, reference)
    found = compared(
        table,
        str(column) if regions is None else ng.read_regions(regions),
        by=by,
        genes="all" if genes == ["all"] else genes,
        reference=atlas,
        pixel_size_um=pixel_size_um,
        params=params,
        track=report,
    )
    print(found.outcome)
    for name in ("regions", "composition", "expression"):
        one = getattr(found, name)
        if len(one):
            _write(one, out / f"{name}.csv")
            print(out / f"{name}.csv")


def _opened(
    cells: Path, reference: Path | None, out: Path | None = None
) -> tuple[AnnData | None, AnnData]:
    """Reference, where it is given, and cells; `out` must be a CSV that is neither."""
    if out is not None:
        if out.suffix.casefold() != ".csv" or out.is_dir():
            raise ng.InputError(f"{out}: the table is a file whose name ends in .csv.")
        refuse_inputs(out, cells)
    table = ng.read_cells(cells)
    return None if reference is None else reference_of(table, reference), table


def _write(table: pd.DataFrame, out: Path) -> None:
    with atomic_path(out) as partial:
        table.to_csv(partial, index=False, float_format="%.6g")
