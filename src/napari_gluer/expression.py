"""The expression that a reference holds: which slot, which kind, log1p of counts per 10,000."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from numpy.typing import NDArray
from scipy import sparse

from napari_gluer import slots
from napari_gluer.errors import InputError, listed
from napari_gluer.names import unique_names
from napari_gluer.nomenclature.genes import genes_named

_LARGEST_LOG = 25.0  # log2 of 3e7: no logarithm of a count is larger
_LARGEST_YES = 1  # of values that only say yes or no, whatever they are called
_COUNTS_LAYER = "layers['counts']"
_ENSEMBL = re.compile(r"^ENS[A-Z]*G\d{6,}")
_SYMBOL_COLUMNS = ("feature_name", "gene_symbols", "gene_symbol", "gene_name", "symbol", "Symbol")
_SAME_TOTAL = 2e-3  # float32 and rounding on the way of a file


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
    doubt
        What was said of the values and is not so; empty where they agree.
    """

    matrix: sparse.csr_matrix
    genes: pd.Index
    kind: str
    source: str
    doubt: str = ""

    def columns(self, genes: list[str]) -> NDArray[np.float32]:
        """Expression of `genes`, dense ``(n_cells, len(genes))``."""
        self.require(genes)
        return np.asarray(self.matrix[:, self.genes.get_indexer(pd.Index(genes))].toarray())

    def require(self, genes: list[str]) -> None:
        """Refuse genes that the reference lacks, and name near ones."""
        missing = [gene for gene in genes if gene not in self.genes]
        if missing:
            raise InputError(
                f"Not in the reference: {listed(missing)}. {self._nearest(missing[0])}"
            )

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
    known = slots.info(reference).get(slots.KIND)
    if known == slots.INTENSITY:
        raise InputError(
            "This table holds intensities of imaged cells, not expression. Were cells and "
            "reference swapped?"
        )
    if known == slots.LOG1P:
        return _as_read(reference)
    refused = []
    for source, matrix, var in _candidates(reference):
        kind = detect_kind(matrix)
        if kind is None:
            refused.append(f"{source}: {_range(matrix)}")
            continue
        said = slots.COUNTS if source == _COUNTS_LAYER else known
        doubt = shown_kind(matrix, said)[1] if said else ""
        return Expression(log_normalised(matrix, kind), gene_symbols(var), kind, source, doubt)
    raise InputError(
        "The reference has no usable expression; counts or log1p values are needed, and it holds "
        f"{'; '.join(refused) or 'no values'}. Scaled values cannot be turned back: save the "
        "AnnData before sc.pp.scale, or keep the counts in layers['counts']."
    )


def _as_read(reference: AnnData) -> Expression:
    """What `read_reference` normalised, unless it was changed since."""
    if reference.X is None or detect_kind(reference.X) is None:
        found = "nothing" if reference.X is None else _range(reference.X)
        raise InputError(
            f"The reference was read as log1p values, but X now holds {found}. Read it again, and "
            "scale a copy."
        )
    names: pd.Index = pd.Index(unique_names(reference.var_names.astype(str)))
    kind, doubt = shown_kind(reference.X, slots.LOG1P)
    # whole logarithms as they were read are not doubted, only what no logarithm can be
    if kind == slots.COUNTS and stored_values(reference.X).max() > _LARGEST_LOG:
        return Expression(log_normalised(reference.X, kind), names, kind, "X", doubt)
    return Expression(sparse.csr_matrix(reference.X), names, slots.LOG1P, "X")


def _candidates(reference: AnnData) -> list[tuple[str, Any, pd.DataFrame]]:
    found: list[tuple[str, Any, pd.DataFrame]] = []
    if slots.COUNTS in reference.layers:
        found.append((_COUNTS_LAYER, reference.layers[slots.COUNTS], reference.var))
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


def shown_kind(matrix: Any, said: str) -> tuple[str, str]:
    """Kind that the values show, and what contradicts what was said of them.

    Fractions that a logarithm could be are no counts; whole numbers above 1 are no logarithms.
    Other kinds, and values that show none, are believed.

    Returns
    -------
    kind
        ``counts`` or ``log1p`` where values and `said` disagree, else `said`.
    doubt
        End of a sentence about the values; empty where they agree.
    """
    found = detect_kind(matrix) if said in (slots.COUNTS, slots.LOG1P) else None
    largest = stored_values(matrix).max() if found else 0
    if found in (None, said) or largest <= _LARGEST_YES:
        return said, ""
    if found == slots.COUNTS:
        return found, f"said to be log1p values but counts up to {largest:,.4g}: taken as counts"
    return str(found), (
        f"said to be counts but fractions of at most {largest:.3g}: taken as log1p values"
    )


def log_normalised(matrix: Any, kind: str) -> sparse.csr_matrix:
    """CSR float32: log1p of counts per 10,000.

    ``log1p`` values are brought to 10,000 where all cells have another common total (per million,
    for instance), and are left as they are where totals differ, as in a subset of the genes.
    """
    csr = sparse.csr_matrix(matrix, dtype=np.float32, copy=True)
    if kind == slots.LOG1P:
        return _per_ten_thousand(csr)
    totals = np.asarray(csr.sum(axis=1)).ravel()
    scale = np.divide(1e4, totals, out=np.zeros_like(totals), where=totals > 0)
    csr.data *= np.repeat(scale.astype(np.float32), np.diff(csr.indptr))
    np.log1p(csr.data, out=csr.data)
    return csr


def _per_ten_thousand(logged: sparse.csr_matrix) -> sparse.csr_matrix:
    linear = logged.astype(np.float64)
    np.expm1(linear.data, out=linear.data)
    totals = np.asarray(linear.sum(axis=1)).ravel()
    totals = totals[totals > 0]
    if not len(totals) or np.ptp(totals) > _SAME_TOTAL * totals.mean():
        return logged
    if abs(totals.mean() - 1e4) > _SAME_TOTAL * 1e4:
        logged.data = np.log1p(linear.data * (1e4 / totals.mean())).astype(np.float32)
    return logged


def gene_symbols(var: pd.DataFrame) -> pd.Index:
    """Gene symbols of a table's columns, unique.

    Ensembl ids are replaced by the names in a symbol column or, where there is none, by the current
    symbols of human and mouse genes; ids that are not known stay.
    """
    names = pd.Index(var.index.astype(str))
    is_ensembl = np.mean([bool(_ENSEMBL.match(name)) for name in names[:200]] or [False]) > 0.5
    if is_ensembl:
        column = next((name for name in _SYMBOL_COLUMNS if name in var), None)
        known = _symbols_of(names) if column is None else var[column].astype("string").tolist()
        pairs = zip(known, names, strict=True)
        names = pd.Index([name if pd.isna(symbol) else str(symbol) for symbol, name in pairs])
    unique: pd.Index = pd.Index(unique_names(names))
    return unique


def _symbols_of(ids: Iterable[str]) -> list[str | None]:
    found = (genes_named(number) for number in ids)
    return [genes[0].symbol if len(genes) == 1 else None for genes in found]


def fingerprint(reference: AnnData, expressed: Expression) -> str:
    """SHA-256 over the names of cells and genes in order, and each one's summed expression."""
    digest = hashlib.sha256("\n".join(reference.obs_names.astype(str)).encode())
    digest.update("\n".join(expressed.genes).encode())
    for axis in (0, 1):
        sums = np.asarray(expressed.matrix.sum(axis=axis, dtype=np.float64)).ravel()
        digest.update(np.rint(sums * 1000).astype(np.int64).tobytes())
    return digest.hexdigest()


def require_same_reference(cells: AnnData, reference: AnnData, expressed: Expression) -> None:
    """Refuse a reference that is not the one `cells` were integrated with, cell by cell."""
    known = slots.info(cells)
    if slots.REFERENCE_NAMES not in known:
        raise InputError(
            "The table has weights but not the reference that they belong to (uns['gluer'] is "
            "gone, as after anndata.concat). Concatenate with uns_merge='first', or integrate "
            "again."
        )
    names = pd.Index(known[slots.REFERENCE_NAMES]).astype(str)
    own = reference.obs_names.astype(str)
    if len(names) != len(own):
        raise InputError(
            f"This is another reference: it has {len(own):,} cells, the integration used "
            f"{len(names):,}. Use that one, or integrate again."
        )
    if not names.equals(own):
        place = int(np.flatnonzero(names != own)[0])
        known_cells = "the same cells in another order" if set(names) == set(own) else "other cells"
        raise InputError(
            f"This is another reference: it has {known_cells} (cell {place + 1} is {own[place]!r}, "
            f"the integration used {names[place]!r}). Use that one, or integrate again."
        )
    if known.get(slots.FINGERPRINT) != fingerprint(reference, expressed):
        raise InputError(
            "The reference has the names of the one used in the integration but other values or "
            "genes. Use that one, or integrate again."
        )
