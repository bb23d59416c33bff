"""A command that sets what the channels of a table stand for."""

from pathlib import Path

import napari_gluer as ng
from napari_gluer.cli.application import app, refuse_inputs
from napari_gluer.io.cells import refuse_other_table
from napari_gluer.pipeline.recipes.keeping import with_columns


@app.command
def mark(cells: Path, markers: Path, *, out: Path) -> None:
    """Set genes and roles of channels as they were set in napari; write a table.

    Parameters
    ----------
    cells
        Table of cells, .h5ad.
    markers
        CSV that was exported with a recipe: channel, and columns of the table's var.
    out
        Table to write, .h5ad.
    """
    refuse_other_table(out)
    refuse_inputs(out, markers)
    ng.write_cells(with_columns(ng.read_cells(cells), markers), out)
    print(out)
