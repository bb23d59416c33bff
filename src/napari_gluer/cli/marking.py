"""Commands that repeat what was set by hand in napari: what channels stand for, selections."""

from pathlib import Path

import napari_gluer as ng
from napari_gluer.cli.application import app, refuse_inputs
from napari_gluer.io.cells import refuse_other_table
from napari_gluer.io.selections import read_selections
from napari_gluer.pipeline.recipes.keeping import with_columns


@app.command
def mark(cells: Path, markers: Path, *, out: Path) -> None:
    """Set genes and roles of channels as they were set in napari; write a table.

    Parameters
    ----------
    cells
        Table of cells, .h5ad or .zarr.
    markers
        CSV that was exported with a recipe: channel, and columns of the table's var.
    out
        Table to write, .h5ad or .zarr.
    """
    refuse_other_table(out)
    refuse_inputs(out, markers)
    ng.write_cells(with_columns(ng.read_cells(cells), markers), out)
    print(out)


@app.command
def select(cells: Path, selections: Path, *, out: Path) -> None:
    """Save named selections of cells as columns; write a table.

    Parameters
    ----------
    cells
        Table of cells, .h5ad or .zarr.
    selections
        CSV with the columns label and selection, as napari's panel Selections exports it.
    out
        Table to write, .h5ad or .zarr: a column "selection", or where selections overlap one
        of yes or no for each.
    """
    refuse_other_table(out)
    refuse_inputs(out, selections)
    table, columns = ng.with_selections(ng.read_cells(cells), read_selections(selections))
    ng.write_cells(table, out)
    print(f"{', '.join(columns)} in {out}")
