"""Commands that judge a result, and explain one cell of it."""

from pathlib import Path
from typing import Annotated

import napari_gluer as ng
from napari_gluer.cli.application import Flat, app, reference_of, refuse_inputs, report
from napari_gluer.errors import InputError
from napari_gluer.io.atomic import atomic_path
from napari_gluer.trust.params import ReportParams
from napari_gluer.trust.report import validation_report


@app.command
def validate(
    cells: Path,
    *,
    reference: Path,
    out: Path,
    genes: Path | None = None,
    params: Annotated[ReportParams, Flat] = ReportParams(),  # noqa: B008 - frozen
) -> None:
    """Write a report on how far an integration may be believed, one HTML page.

    Parameters
    ----------
    cells
        Integrated cells, .h5ad or .zarr.
    reference
        The reference of the integration, .h5ad or .zarr.
    out
        Page to write, .html; it needs nothing else.
    genes
        CSV to write, the expected reliability of every gene of the reference.
    params
        What is tried, and on how many cells.
    """
    for path, suffixes in ((out, (".html", ".htm")), (genes, (".csv",))):
        if path is not None and (path.suffix.casefold() not in suffixes or path.is_dir()):
            raise InputError(f"{path} must be a file that ends in {suffixes[0]}.")
    refuse_inputs(out, cells, reference)
    table = ng.read_cells(cells)
    atlas = reference_of(table, reference)
    found = validation_report(table, atlas, params, track=report)
    with atomic_path(out) as written:
        written.write_text(found.html, encoding="utf-8")
    if genes is not None:
        with atomic_path(genes) as written:
            found.reliability.to_csv(written)
    print("\n".join([*found.summary, str(out), *([str(genes)] if genes else [])]))


@app.command
def explain(
    cells: Path, label: int, *, reference: Path, column: str = "", features: int = 10
) -> None:
    """Say why one cell was placed where it was; printed, nothing is written.

    Parameters
    ----------
    cells
        Integrated cells, .h5ad or .zarr.
    label
        Value of the cell in the labels image.
    reference
        The reference of the integration, .h5ad or .zarr.
    column
        Column of the reference that neighbours are named by, types for instance.
    features
        How many of the features and neighbours are listed.
    """
    table = ng.read_cells(cells)
    atlas = reference_of(table, reference)
    found = ng.explain_cell(table, atlas, label, column=column)
    print(found.text)
    for part in (found.types, found.features, found.neighbours):
        if len(part):
            print(f"\n{part.head(features).to_string(float_format='{:.3f}'.format)}")
