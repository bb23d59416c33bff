"""What a reference alone tells of how well its genes can be imputed."""

import json
from collections.abc import Sequence

import numpy as np
import pandas as pd
from anndata import AnnData
from numpy.typing import NDArray
from scipy import sparse

from napari_gluer import slots
from napari_gluer.correlating import dense, rank_correlated, unit_columns
from napari_gluer.expression import Expression
from napari_gluer.track import Track, silently
from napari_gluer.trust.within import LeftOut, reference_left_out

_CELLS, _REFERENCE, _BLOCK = 2000, 20_000, 500


def measured_features(cells: AnnData) -> dict[str, list[str]]:
    """Genes of every feature that the integration linked."""
    links: dict[str, str] = json.loads(slots.info(cells)["links"])
    return {feature: genes.split(";") for feature, genes in links.items()}


def reference_evidence(
    cells: AnnData,
    expressed: Expression,
    genes: Sequence[str],
    *,
    seed: int = 0,
    track: Track = silently,
) -> pd.DataFrame:
    """Evidence on each gene, without a look at the cells' values.

    Takes at most 2,000 reference cells, predicted from the nearest of at most 20,000; genes are
    worked on in blocks.

    Parameters
    ----------
    cells
        Integrated cells; reads ``uns["gluer"]``.
    expressed
        Of the very reference.

    Returns
    -------
    pandas.DataFrame
        Indexed by gene: ``expressed``, share of those cells; ``within_reference``, Spearman's
        correlation of the gene with its prediction from the cell's neighbours by linked features;
        ``spread``, standard deviation of that prediction over the gene's own; ``nearest``, the
        measured gene most correlated with it in the reference, and ``nearest_correlation``
        (Pearson, from -1 to 1).
    """
    left = reference_left_out(
        cells, expressed, max_cells=_CELLS, max_reference=_REFERENCE, seed=seed
    )
    used = np.unique(np.r_[left.rows, left.weights.indices])
    place = expressed.genes.get_indexer(pd.Index(list(genes)))
    matrix = expressed.matrix[used]
    measured = sorted({gene for own in measured_features(cells).values() for gene in own})
    at_measured = expressed.genes.get_indexer(pd.Index(measured))
    own_rows = np.searchsorted(used, left.rows)
    known = unit_columns(dense(matrix[:, at_measured][own_rows]))
    wanted = sparse.csc_matrix(matrix if len(place) == matrix.shape[1] else matrix[:, place])
    if len(place) == matrix.shape[1]:
        wanted = wanted[:, place]
    within = LeftOut(own_rows, sparse.csr_matrix(left.weights[:, used]))
    parts = [
        _block(within, wanted[:, columns], known, place[columns], at_measured)
        for columns in track(_blocks(len(place)), "Grading genes")
    ]
    table = pd.concat(parts, ignore_index=True)
    table["nearest"] = [measured[i] if i >= 0 else "" for i in table["nearest"]]
    return table.set_index(pd.Index(list(genes)))


def _blocks(n: int) -> list[slice]:
    return [slice(start, min(start + _BLOCK, n)) for start in range(0, n, _BLOCK)]


def _block(
    left: LeftOut,
    values: sparse.csc_matrix,
    known: NDArray[np.float64],
    genes: NDArray[np.intp],
    measured: NDArray[np.intp],
) -> pd.DataFrame:
    predicted = dense(left.weights @ values)
    truth = dense(sparse.csr_matrix(values)[left.rows])
    likeness = known.T @ unit_columns(truth)
    likeness[measured[:, None] == genes[None, :]] = 0  # a measured gene is not its own neighbour
    best = np.abs(likeness).argmax(axis=0)
    reached = likeness[best, np.arange(len(best))]
    own = truth.std(axis=0, dtype=np.float64)
    ratio = np.divide(
        predicted.std(axis=0, dtype=np.float64), own, out=np.zeros_like(own), where=own > 0
    )
    return pd.DataFrame(
        {
            "expressed": (truth > 0).mean(axis=0),
            "within_reference": rank_correlated(predicted, truth),
            "spread": np.clip(ratio, 0, 1),
            "nearest": np.where(reached != 0, best, -1),
            "nearest_correlation": reached,
        }
    )
