"""The expression that a reference holds: which slot, which kind, log1p of counts per 10,000."""

import hashlib
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from numpy.typing import NDArray
from scipy import sparse

from napari_gluer import slots
from napari_gluer.errors import InputError, listed

_LARGEST_LOG = 25.0  # log2 of 3e7: no logarithm of a count is larger
_ENSEMBL = re.compile(r"^ENS[A-Z]*G\d{6,}")
_SYMBOL_COLUMNS = ("feature_name", "gene_symbols", "gene_symbol", "gene_name", "symbol", "Symbol")
_SAMPLED_ROWS = 1000


@dataclass(frozen=True, eq=False)
class Expression:
    """Normalised expression of a reference.

    Attributes
    ----------
    matrix
        CSR float32 ``(n_cells, n_genes)``, log1p of counts per 10,000.
    genes
        Unique gene symbols, ``(n_genes,)``.
    kind
        What was found: ``counts`` or ``log1p``.
    source
        Where it was found: ``layers['counts']``, ``raw`` or ``X``.
    """

    matrix: sparse.csr_matrix
    genes: pd.Index
    kind: str
    source: str

    def columns(self, genes: list[str]) -> NDArray[np.float32]:
        """Expression of `genes`, dense ``(n_cells, len(genes))``."""
        missing = [gene for gene in genes if gene not in self.genes]
        if missing:
            raise InputError(
                f"Not in the reference: {listed(missing)}. {self._nearest(missing[0])}"
            )
        return np.asarray(self.matrix[:, self.genes.get_indexer(pd.Index(genes))].toarray())

    def _nearest(self, gene: str) -> str:
        same = [name for name in self.genes if name.casefold() == gene.casefold()]
        near = same or [name for name in self.genes if name.casefold().startswith(gene.casefold())]
        hint = listed(near, 5) if near else listed(self.genes, 5)
        return f"It has {hint}."


def expression(reference: AnnData) -> Expression:
    """Read ``layers["counts"]``, else ``.raw``, else ``X``: the first that is not negative or NaN.

    Raises
    ------
    InputError
        If every slot holds negative (scaled), NaN or no values.
    """
    if slots.info(reference).get(slots.KIND) == slots.LOG1P:
        names = pd.Index(reference.var_names.astype(str))
        return Expression(sparse.csr_matrix(reference.X), names, slots.LOG1P, "X")
    refused = []
    for source, matrix, var in _candidates(reference):
        kind = detect_kind(matrix)
        if kind is None:
            refused.append(f"{source}: {_range(matrix)}")
            continue
        return Expression(log_normalised(matrix, kind), gene_symbols(var), kind, source)
    raise InputError(
        "The reference has no usable expression; counts or log1p values are needed, and it holds "
        f"{'; '.join(refused) or 'no values'}. Scaled values cannot be turned back: save the "
        "AnnData before sc.pp.scale, or keep the counts in layers['counts']."
    )


def _candidates(reference: AnnData) -> list[tuple[str, Any, pd.DataFrame]]:
    found: list[tuple[str, Any, pd.DataFrame]] = []
    if slots.COUNTS in reference.layers:
        found.append(("layers['counts']", reference.layers[slots.COUNTS], reference.var))
    if reference.raw is not None:
        found.append(("raw", reference.raw.X, reference.raw.var))
    if reference.X is not None:
        found.append(("X", reference.X, reference.var))
    return found


def stored_values(matrix: Any) -> NDArray[Any]:
    """Values of a dense matrix, or the stored ones of a sparse matrix."""
    return np.asarray(matrix.data if sparse.issparse(matrix) else matrix)


def _range(matrix: Any) -> str:
    values = stored_values(matrix)
    if not values.size:
        return "no values"
    if np.isnan(values).any():
        return "NaN"
    return f"{values.min():.3g} to {values.max():.3g}"


def detect_kind(matrix: Any) -> str | None:
    """Tell ``counts`` from ``log1p`` values; None where negative, NaN, infinite or empty.

    Whole numbers, and fractions too large for a logarithm, are counts.
    """
    values = stored_values(matrix)
    if not values.size or not np.isfinite(values).all() or values.min() < 0 or values.max() == 0:
        return None
    if values.max() > _LARGEST_LOG or (values == np.floor(values)).all():
        return slots.COUNTS
    return slots.LOG1P


def log_normalised(matrix: Any, kind: str) -> sparse.csr_matrix:
    """CSR float32: log1p of counts per 10,000; ``log1p`` values as they are."""
    csr = sparse.csr_matrix(matrix, dtype=np.float32, copy=True)
    if kind == slots.LOG1P:
        return csr
    totals = np.asarray(csr.sum(axis=1)).ravel()
    scale = np.divide(1e4, totals, out=np.zeros_like(totals), where=totals > 0)
    csr.data *= np.repeat(scale.astype(np.float32), np.diff(csr.indptr))
    np.log1p(csr.data, out=csr.data)
    return csr


def gene_symbols(var: pd.DataFrame) -> pd.Index:
    """Gene symbols of a table's columns, unique; Ensembl ids through a symbol column if any."""
    names = pd.Index(var.index.astype(str))
    is_ensembl = np.mean([bool(_ENSEMBL.match(name)) for name in names[:200]] or [False]) > 0.5
    column = next((name for name in _SYMBOL_COLUMNS if name in var), None)
    if is_ensembl and column is not None:
        symbols = var[column].astype("string").to_numpy()
        names = pd.Index(
            [
                name if pd.isna(symbol) else str(symbol)
                for symbol, name in zip(symbols, names, strict=True)
            ]
        )
    return _unique(names)


def _unique(names: pd.Index) -> pd.Index:
    """Keep the first of equal names and number the others, as anndata does."""
    if names.is_unique:
        return names
    repeats = names.to_series().groupby(names, sort=False).cumcount().to_numpy()
    return pd.Index([f"{n}-{r}" if r else n for n, r in zip(names, repeats, strict=True)])


def fingerprint(reference: AnnData, expressed: Expression) -> str:
    """SHA-256 over the cells' names in order and the values of up to 1,000 evenly spaced cells."""
    digest = hashlib.sha256("\n".join(reference.obs_names.astype(str)).encode())
    rows = np.unique(np.linspace(0, reference.n_obs - 1, _SAMPLED_ROWS).astype(int))
    sample = expressed.matrix[rows]
    sample.sort_indices()
    digest.update("\n".join(expressed.genes).encode())
    digest.update(np.ascontiguousarray(sample.indices, np.int64).tobytes())
    digest.update(np.ascontiguousarray(sample.data, np.float32).tobytes())
    return digest.hexdigest()
