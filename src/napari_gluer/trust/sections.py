"""The sections of a report, each written onto a page."""

import json

import numpy as np
import pandas as pd
from anndata import AnnData
from numpy.typing import NDArray

from napari_gluer import slots
from napari_gluer.analysis.accuracy import integration_accuracy, mixed_neighbours
from napari_gluer.errors import InputError
from napari_gluer.figures.coverage import coverage_figure
from napari_gluer.figures.held_out import held_out_figure
from napari_gluer.figures.params import FigureParams
from napari_gluer.figures.reliability import reliability_figure
from napari_gluer.integration.transfer import transfer_labels
from napari_gluer.trust.facts import (
    absent_types,
    confidence_by_type,
    integrated_facts,
    link_table,
    true_types,
    types_of,
    unlinked_table,
)
from napari_gluer.trust.held_out import GeneValidation
from napari_gluer.trust.intervals import interval_coverage
from napari_gluer.trust.null_run import NullRun
from napari_gluer.trust.pages import Page
from napari_gluer.trust.params import ReportParams

_FEWEST_PAIRS, _MOST_PAIRS, _FEWEST_LABELS = 10, 20_000, 20
_UNSAID = (
    (
        "Held-out genes are those on the panel, chosen since they tell types apart: most other "
        "genes are predicted less well."
    ),
    "A reference of another tissue gives confident labels too, for types that it has.",
    (
        "Imputed values are means of reference cells: they show what such cells express, not what "
        "this cell does beyond its kind."
    ),
    "Numbers are of the cells that were tried; the parameters say how many.",
)
_EXPECTED = {
    "predicted": "expected correlation",
    "low": "from",
    "high": "to",
    "grade": "grade",
    "expressed": "share of reference",
    "nearest": "most like it",
}
_SMALL = FigureParams(width_mm=150, font_size=9)


def what_was_integrated(
    page: Page, cells: AnnData, reference: AnnData, params: ReportParams
) -> None:
    """Data, links, and what took no part."""
    page.section("What was integrated")
    page.table(integrated_facts(cells, reference))
    page.section("What links the two")
    page.text(
        "Only these features of the cells say anything about the reference. One that stands for "
        "the wrong gene misplaces cells without a sign of it: read the list."
    )
    page.table(link_table(cells, reference), most=params.most_rows)
    unlinked = unlinked_table(cells)
    if len(unlinked):
        page.text(f"{len(unlinked):,} features took no part:")
        page.table(unlinked, most=params.most_rows)


def known_accuracy(page: Page, cells: AnnData, reference: AnnData) -> None:
    """Accuracy by true partners, and how the two mix."""
    page.section("Accuracy where it can be known")
    own = np.asarray(cells.obsm[slots.EMBEDDING], np.float32)
    points = np.asarray(slots.info(cells)[slots.REFERENCE_FACTORS], np.float32)
    pairs = known_partners(cells, reference)
    if pairs is None:
        page.text(
            "No cell bears the name of a reference cell, so how near true partners lie cannot be "
            "told. In tissue that is the rule."
        )
    else:
        accuracy = integration_accuracy(points, own, pairs)
        trained = slots.info(cells).get("pairs") is not None
        note = (
            " These pairs were given to the integration: this is no test of it." if trained else ""
        )
        page.text(
            f"{len(pairs):,} cells bear the name of a reference cell. Taking the two for one cell, "
            f"the integration accuracy is {accuracy:.3f} (0.5 is chance, 1 is best).{note}"
        )
    rng = np.random.default_rng(0)
    few = [side[np.sort(rng.permutation(len(side))[:5000])] for side in (points, own)]
    page.text(
        f"Mixed neighbours: {mixed_neighbours(few[0], few[1]):.2f} (1 is as mixed as chance). "
        "Types that only one side has should not mix, so this is no goal of its own."
    )


def known_partners(cells: AnnData, reference: AnnData) -> NDArray[np.int64] | None:
    """Rows of reference and cells that bear one name; None where fewer than ten do."""
    try:
        names = slots.cell_names(cells)
    except InputError:
        return None
    if not reference.obs_names.is_unique:
        return None
    rows = reference.obs_names.astype(str).get_indexer(names)
    there = np.flatnonzero(rows >= 0)[:_MOST_PAIRS]
    if len(there) < _FEWEST_PAIRS:
        return None
    return np.column_stack([rows[there], there]).astype(np.int64)


def confidence(page: Page, cells: AnnData, reference: AnnData) -> None:
    """Chances of the transferred labels, and whether they came true where that is known."""
    page.section("Confidence of transferred labels")
    column = types_of(cells, reference)
    if not column:
        page.text(
            "The reference has no column of types, so the stored confidence is the support only: "
            "how ordinary each cell's distance to the reference is. It was not calibrated."
        )
        return
    named = transfer_labels(cells, reference, column, unmatched="named")
    page.text(
        f"The chance that the most probable {column!r} of a cell is right, from the vote of its "
        "neighbours and from its own values. On data sets whose truth was known it was off by 0.03 "
        "to 0.09 on average; a reference that lacks the cell's type makes it too high."
    )
    page.table(confidence_by_type(cells, named))
    right = true_types(cells, named, column)
    known = np.isfinite(right) if right is not None else np.zeros(cells.n_obs, bool)
    if right is not None and known.sum() >= _FEWEST_LABELS:
        chance = named.iloc[:, 1].to_numpy(float)[known]
        page.figure(
            reliability_figure(chance, right[known].astype(bool), params=_SMALL),
            f"Chance against the share that is right, by obs[{column!r}] of the cells.",
            "Reliability curve of the transferred labels",
        )


def unmatched_cells(page: Page, cells: AnnData) -> None:
    """Cells without signal, absent types, and whether they could be told at all."""
    page.section("Unmatched cells")
    silent, every = int(slots.without_signal(cells).sum()), int(slots.unmatched(cells).sum())
    page.text(
        f"{every:,} of {cells.n_obs:,} cells are unmatched: {silent:,} without signal in any "
        f"linked feature, {every - silent:,} of a type that the reference lacks."
    )
    words, auroc = absent_types(cells)
    if words:
        sentence = f"{words[0].upper()}{words[1:]}."
        (page.warning if "cannot be detected" in words or "not looked for" in words else page.text)(
            sentence
        )
    if len(auroc):
        page.text("How well each type was told from the others when it was left out on trial:")
        page.table(auroc)


def held_out_genes(
    page: Page, genes: GeneValidation | None, why_not: str, params: ReportParams
) -> None:
    """Linked features left out and predicted, and intervals around them."""
    page.section("Genes that were held out")
    if genes is None:
        page.warning(f"No gene can be held out. {why_not}")
        return
    page.text(genes.text)
    table = genes.genes
    shown = pd.DataFrame(
        {"gene": table.index, "correlation": table["spearman"], "grade": table["grade"]}
    )
    page.figure(
        held_out_figure(shown, params=_SMALL),
        "Rank correlation of every held-out gene with what was measured, best first.",
        "Held-out genes by rank",
    )
    columns = {
        "genes": "genes",
        "spearman": "rank correlation",
        "spearman_by_chance": "by chance",
        "stand_in": "best stand-in",
        "stand_in_correlation": "its correlation",
        "grade": "grade",
    }
    page.table(table[list(columns)].rename(columns=columns), most=params.most_rows)
    _intervals(page, genes, params)


def _intervals(page: Page, genes: GeneValidation, params: ReportParams) -> None:
    coverage = interval_coverage(genes, params.level)
    if coverage.empty:
        page.text("Too few cells express any of them for prediction intervals to be checked.")
        return
    page.text(
        f"Prediction intervals of {params.level:.0%}, made without the cells that they are checked "
        f"on, held {coverage['covered'].median():.0%} of all measured values and "
        f"{coverage['covered_expressed'].median():.0%} of those above 0 (medians over "
        f"{len(coverage):,} features); they are {coverage['width'].median():.2f} times as wide as "
        "one interval for all cells, so near 1 the prediction narrows nothing."
    )
    kinds = {"covered": "all values", "covered_expressed": "values above 0"}
    parts = [
        pd.DataFrame({"asked": params.level, "found": coverage[name], "kind": kind})
        for name, kind in kinds.items()
    ]
    page.figure(
        coverage_figure(pd.concat(parts), params=_SMALL),
        "Coverage found against coverage asked for; points are features.",
        "Coverage of prediction intervals",
    )


def unmeasured_genes(page: Page, reliability: pd.DataFrame, params: ReportParams) -> None:
    """What may be expected of genes that were never measured."""
    page.section("Genes that were never measured")
    table = reliability[~reliability["measured"]] if "measured" in reliability else reliability
    if table.empty:
        page.text("Every gene of the reference was measured.")
        return
    counts = table["grade"].value_counts()
    grades = ", ".join(f"{number:,} {grade}" for grade, number in counts.items())
    page.text(
        "Expected from the reference, scaled by the held-out genes where there are any, of "
        f"{len(table):,} genes: {grades}. This is how well a "
        "gene follows the linked features among the reference's own cells; a tissue may differ."
    )
    best = table.sort_values("predicted", ascending=False, kind="stable")
    page.text("The most reliable of them:")
    page.table(
        best[list(_EXPECTED)].rename(columns=_EXPECTED).head(4 * params.most_rows),
        most=params.most_rows,
    )


def permuted(page: Page, null: NullRun | None, why_not: str) -> None:
    """Whether it is better than chance."""
    page.section("Better than chance?")
    if null is None:
        page.text(f"Not compared with permuted features: {why_not}")
        return
    clear = null.verdict.startswith("clearly")
    (page.text if clear else page.warning)(null.text)


def how_to_read(page: Page) -> None:
    """What the numbers do not say."""
    page.section("What this page does not say")
    page.points(_UNSAID)


def parameters(page: Page, cells: AnnData) -> None:
    """All of them, folded."""
    known = slots.info(cells)
    page.section("Parameters and versions")
    page.folded("Parameters of the integration", _pretty(known["params"]))
    page.folded("Versions", _pretty(known["versions"]))
    page.folded("Seconds by step", _pretty(known["timings"]))


def _pretty(text: str) -> str:
    return json.dumps(json.loads(text), indent=1, ensure_ascii=False)
