"""Which reference cells are good enough to draw on."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
import pandas as pd
from annotated_types import Ge, Gt, Le
from numpy.typing import NDArray
from scipy import sparse

from napari_gluer.errors import InputError
from napari_gluer.integration.standard import above_zero
from napari_gluer.params import Params

_MITOCHONDRIAL = r"(?i)^mt-"
_USUAL_GENES = 20_000  # of a whole transcriptome, which the bounds are meant for


class QualityParams(Params):
    """Reference cells that are not drawn on: they stay in the table, but have no say."""

    least_genes: Annotated[int, Ge(0), Le(100_000)] = 0
    """A cell expresses at least this many genes, where the reference has 20,000 or more; of fewer
    genes, proportionally fewer."""

    most_genes: Annotated[int, Ge(0), Le(100_000)] = 0
    """A cell expresses at most this many genes, taken likewise (more are often two cells); 0 sets
    no bound."""

    most_mitochondrial: Annotated[float, Gt(0), Le(1)] = 1.0
    """At most this share of a cell's transcripts is mitochondrial (MT-…): more are dying cells."""


@dataclass(frozen=True, eq=False)
class Quality:
    """Result of `quality_of`.

    Attributes
    ----------
    usable
        bool ``(n_cells,)``.
    reasons
        Cells that failed each bound; a cell may fail several.
    """

    usable: NDArray[np.bool_]
    reasons: dict[str, int]

    @property
    def text(self) -> str:
        """One line, or nothing where every cell is usable."""
        left_out = int((~self.usable).sum())
        if not left_out:
            return ""
        told = ", ".join(f"{name} {count:,}" for name, count in self.reasons.items() if count)
        return f"{left_out:,} poor reference cells have no say ({told})"


def quality_of(
    expression: sparse.csr_matrix,
    genes: pd.Index,
    params: QualityParams = QualityParams(),  # noqa: B008 - frozen
) -> Quality:
    """Judge reference cells by the genes they express and their mitochondrial share.

    Parameters
    ----------
    expression
        CSR ``(n_cells, n_genes)``, log1p of counts per 10,000. Shares of transcripts do not depend
        on the depth, so they can be told from it.
    genes
        Symbols ``(n_genes,)``; mitochondrial ones begin with MT- or mt-.

    Raises
    ------
    InputError
        If no cell passes.
    """
    fewer = min(1.0, len(genes) / _USUAL_GENES)
    expressed = above_zero(expression)
    failed = {
        "too few genes": expressed < params.least_genes * fewer,
        "too many genes": (expressed > params.most_genes * fewer)
        if params.most_genes
        else np.zeros(len(expressed), bool),
        "mitochondrial": (_mitochondrial(expression, genes) > params.most_mitochondrial)
        if params.most_mitochondrial < 1
        else np.zeros(len(expressed), bool),
    }
    usable = ~np.any(list(failed.values()), axis=0)
    reasons = {name: int(which.sum()) for name, which in failed.items()}
    if not usable.any():
        found = ", ".join(f"{name} {count:,}" for name, count in reasons.items() if count)
        raise InputError(
            f"None of the {len(usable):,} reference cells is good enough ({found}); the median "
            f"expresses {np.median(expressed):.0f} genes. Loosen quality.least_genes, "
            "quality.most_genes or quality.most_mitochondrial."
        )
    return Quality(usable, reasons)


def _mitochondrial(expression: sparse.csr_matrix, genes: pd.Index) -> NDArray[np.float64]:
    """Share of each cell's transcripts, ``(n_cells,)``."""
    chosen = genes.astype(str).str.contains(_MITOCHONDRIAL)
    linear = sparse.csr_matrix(expression, dtype=np.float64, copy=True)
    linear.data = np.expm1(linear.data)
    total = np.asarray(linear.sum(axis=1)).ravel()
    part = np.asarray(linear[:, np.flatnonzero(chosen)].sum(axis=1)).ravel()
    return np.asarray(np.divide(part, total, out=np.zeros_like(total), where=total > 0))
