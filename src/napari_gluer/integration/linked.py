"""Reference and tables of cells over the features that link them."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from numpy.typing import NDArray
from scipy import sparse

from napari_gluer import slots
from napari_gluer.errors import InputError, listed
from napari_gluer.expression import Expression, expression, fingerprint
from napari_gluer.integration.features import most_variable
from napari_gluer.integration.linking import (
    CONSTANT,
    LESS_VARIABLE,
    SILENT,
    cell_features,
    detected,
    links_between,
    missing_markers,
    reference_features,
    require_heard,
    require_links,
    require_varying,
)
from napari_gluer.integration.params import FeatureParams, IntegrateParams
from napari_gluer.integration.quality import Quality, quality_of
from napari_gluer.integration.standard import above_zero

NOT_WANTED = "left out by the parameters"


@dataclass(frozen=True, eq=False)
class Linked:
    """Reference and cells over the linked features; the reference is the first matrix.

    Attributes
    ----------
    reference, expressed
        The reference and what it expresses.
    links
        As `linked_features` gives them, only those used.
    unlinked
        Markers that are not used, and why.
    matrices
        ``(n_cells, n_links)`` of each data set, normalised, dense or CSR float32.
    usable
        bool ``(n_cells,)`` of each data set: cells with signal enough to be placed.
    batch
        Whole numbers ``(n_reference,)``, or None.
    quality
        Which reference cells are good enough, and why others are not.
    """

    reference: AnnData
    expressed: Expression
    links: pd.DataFrame
    unlinked: dict[str, str]
    matrices: list[Any]
    usable: list[NDArray[np.bool_]]
    batch: NDArray[np.intp] | None
    quality: Quality

    @cached_property
    def fingerprint(self) -> str:
        """Of names and values of the reference."""
        return fingerprint(self.reference, self.expressed)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the linked values of all data sets."""
        digest = hashlib.sha256()
        for matrix in self.matrices:
            csr = sparse.csr_matrix(matrix)
            for part in (csr.indptr.astype(np.int64), csr.indices.astype(np.int64), csr.data):
                digest.update(np.ascontiguousarray(part).tobytes())
        return digest.hexdigest()


def link(tables: list[AnnData], reference: AnnData, params: IntegrateParams) -> Linked:
    """Find what links them, and refuse what cannot be integrated."""
    for table in tables:
        if table.X is None:
            raise InputError("The table of cells has no X; put the values there.")
        if table.n_obs < 2:
            raise InputError(f"{table.n_obs} cells are too few to integrate.")
    if not reference.obs_names.is_unique:
        raise InputError(
            "Reference cells must have names of their own; call reference.obs_names_make_unique()."
        )
    batch = reference_batches(reference, params.reference_batch)
    expressed = expression(reference)
    links = links_between(tables, expressed.genes)
    require_links(links, tables[0], expressed.genes)
    wanted = _wanted(links, params.features)
    unlinked = missing_markers(tables, links) | dict.fromkeys(links.index[~wanted], NOT_WANTED)
    links = links.loc[wanted]
    of_reference = reference_features(expressed, links)
    links = links.assign(detected=detected(of_reference))
    heard = (links["detected"] >= params.features.least_detected).to_numpy()
    require_heard(int(heard.sum()), links, params.features.least_detected)
    unlinked |= dict.fromkeys(links.index[~heard], SILENT)
    links, of_reference = links.loc[heard], of_reference[:, heard]
    matrices: list[Any] = [of_reference, *(cell_features(table, links) for table in tables)]
    varying = most_variable(matrices, 0)
    require_varying(len(varying), links)
    kept = varying
    if 0 < params.features.max_features < len(varying):
        kept = most_variable(matrices, params.features.max_features)
    unlinked |= _not_kept(links, varying, kept)
    matrices = [X[:, kept] for X in matrices]
    least = min(params.features.least_linked, len(kept))
    usable = [above_zero(X) >= least for X in matrices]
    quality = quality_of(expressed.matrix, expressed.genes, params.quality)
    usable[0] &= quality.usable
    return Linked(
        reference, expressed, links.iloc[kept], unlinked, matrices, usable, batch, quality
    )


def _not_kept(
    links: pd.DataFrame, varying: NDArray[np.intp], kept: NDArray[np.intp]
) -> dict[str, str]:
    """Why the others are not used."""
    names = links.index
    constant = dict.fromkeys(names[np.setdiff1d(np.arange(len(links)), varying)], CONSTANT)
    return constant | dict.fromkeys(names[np.setdiff1d(varying, kept)], LESS_VARIABLE)


def _wanted(links: pd.DataFrame, params: FeatureParams) -> NDArray[np.bool_]:
    """Which links the parameters let pass; every name in them must exist."""
    unknown = [name for name in (*params.only, *params.without) if name not in links.index]
    if unknown:
        raise InputError(
            f"Features to link or to leave out that link nothing: {listed(unknown)}. Cells and "
            f"reference share {listed(links.index, 8)}."
        )
    only = links.index.isin(params.only) if params.only else np.ones(len(links), bool)
    wanted = np.asarray(only & ~links.index.isin(params.without))
    if not wanted.any():
        raise InputError("features.only and features.without leave no feature to link.")
    return wanted


def reference_batches(reference: AnnData, column: str) -> NDArray[np.intp] | None:
    """Batch of each reference cell, from 0; cells without one are a batch of their own."""
    if not column:
        return None
    values = slots.require(reference, "obs", column, "Choose the column of batches.")
    if values.dtype.kind == "f" and values.nunique() > max(20, len(values) // 20):
        raise InputError(
            f"Column {column!r} holds {values.nunique():,} different numbers; it is no column of "
            "batches."
        )
    codes = pd.Categorical(values.astype("string")).codes
    return np.asarray(codes, np.intp) + 1
