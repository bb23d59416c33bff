"""One page that a reviewer can read: what was integrated, and how far it may be believed."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from typing import TypeVar

import pandas as pd
from anndata import AnnData

from napari_gluer import slots
from napari_gluer.errors import InputError
from napari_gluer.expression import expression
from napari_gluer.integration.imputation import INTEGRATE, checked_weights
from napari_gluer.integration.params import IntegrateParams
from napari_gluer.track import Track, silently
from napari_gluer.trust import sections
from napari_gluer.trust.held_out import GeneValidation, validate_genes
from napari_gluer.trust.null_run import NullRun, null_run
from napari_gluer.trust.pages import Page
from napari_gluer.trust.params import ReportParams
from napari_gluer.trust.reliability import gene_reliability

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class ValidationReport:
    """Result of `validation_report`.

    Attributes
    ----------
    html
        The page; it needs nothing else.
    summary
        Its main sentences.
    genes
        Of `validate_genes`; None where no gene can be held out.
    null
        Of `null_run`; None where it was not asked for, or cannot be made.
    reliability
        Of `gene_reliability`.
    """

    html: str
    summary: list[str]
    genes: GeneValidation | None
    null: NullRun | None
    reliability: pd.DataFrame


def validation_report(
    cells: AnnData,
    reference: AnnData,
    params: ReportParams = ReportParams(),  # noqa: B008 - frozen
    *,
    track: Track = silently,
) -> ValidationReport:
    """Judge an integration, and write what was found as one page of HTML.

    Held-out genes and permuted runs integrate anew, with the parameters and the seed that the cells
    store. How many labels are right and how near true partners lie is told where it can be known:
    from a column of the cells of the same name as the reference's types, and from cells that bear
    the names of reference cells.

    Parameters
    ----------
    cells
        Integrated cells; reads what `integrate` set. Nothing is changed.
    reference
        The very reference of the integration, its cells in the same order.
    params
        What is tried, and on how many cells.
    track
        Wraps every long loop.

    Raises
    ------
    InputError
        If the cells are not integrated, or the reference is another one.
    """
    slots.require(cells, "obsm", slots.WEIGHTS, INTEGRATE)
    checked_weights(cells, reference, expression(reference))
    known = slots.info(cells)
    asked, seed = IntegrateParams(**json.loads(known["params"])), int(known["seed"])
    genes, no_genes = _tried(
        lambda: validate_genes(cells, reference, asked, params.held_out, seed=seed, track=track)
    )
    null, no_null = None, "not asked for"
    if params.permuted_runs:
        n = params.permuted_runs
        null, no_null = _tried(
            lambda: null_run(cells, reference, asked, params.held_out, seed=seed, n=n, track=track)
        )
    reliability = gene_reliability(cells, reference, validation=genes)
    summary = [
        f"{known['outcome']}.",
        genes.text if genes else f"Held-out genes: none. {no_genes}",
        null.text if null else f"Comparison with permuted features: none ({no_null}).",
    ]
    page = Page(
        "How far this integration may be believed",
        f"{cells.n_obs:,} cells, integrated with {reference.n_obs:,} reference cells by GLUER. "
        f"Written by napari-gluer {version('napari-gluer')}; no number was edited.",
    )
    page.section("In short")
    page.points(summary)
    sections.what_was_integrated(page, cells, reference, params)
    sections.known_accuracy(page, cells, reference)
    sections.confidence(page, cells, reference)
    sections.unmatched_cells(page, cells)
    sections.held_out_genes(page, genes, no_genes, params)
    sections.unmeasured_genes(page, reliability, params)
    sections.permuted(page, null, no_null)
    sections.how_to_read(page)
    sections.parameters(page, cells)
    return ValidationReport(page.html(), summary, genes, null, reliability)


def _tried(work: Callable[[], T]) -> tuple[T | None, str]:
    """What came of it, or why nothing did."""
    try:
        return work(), ""
    except InputError as error:
        return None, str(error)
