"""GLUER on AnnData: from cells and a reference to one co-embedding with weights."""

import hashlib
import json
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from numpy.typing import NDArray
from scipy import sparse

from napari_gluer import slots
from napari_gluer.errors import InputError, listed
from napari_gluer.expression import Expression, expression, fingerprint
from napari_gluer.integration.anchors import find_anchors
from napari_gluer.integration.factorize import joint_nmf
from napari_gluer.integration.features import (
    comparable,
    has_signal,
    most_variable,
    prepared,
    smoothed,
)
from napari_gluer.integration.link_words import translated
from napari_gluer.integration.linking import (
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
from napari_gluer.integration.network import fit_map
from napari_gluer.integration.pairing import given_pairs
from napari_gluer.integration.params import FactorizeParams, FeatureParams, IntegrateParams
from napari_gluer.integration.weights import neighbour_weights, support
from napari_gluer.neighbours import unit_rows
from napari_gluer.track import Timings, Track, silently

Array = NDArray[np.float32]


def integrate(
    cells: AnnData | Sequence[AnnData],
    reference: AnnData,
    params: IntegrateParams = IntegrateParams(),  # noqa: B008 - frozen
    *,
    pairs: Any = None,
    seed: int = 0,
    track: Track = silently,
) -> Any:
    """Integrate cells with a single-cell reference by GLUER.

    Peng et al., *GLUER: integrative analysis of single-cell omics and imaging data by deep neural
    network*, bioRxiv 2021.01.25.427845: joint non-negative factorisation, mutual nearest
    neighbours, a deep map of the cells' factors onto the reference's, one co-embedding.

    Parameters
    ----------
    cells
        Cells × features, non-negative. Reads ``X``, ``var["genes"]``, ``var["role"]`` and
        ``uns["gluer"]["kind"]``. Several tables (tissue sections) are factorised together, each
        with a map of its own.
    reference
        Single-cell RNA-seq, as `read_reference` gives it or any AnnData with counts or log1p
        values in ``layers["counts"]``, ``.raw`` or ``X``.
    params
        ``preset="default"`` or ``preset="paper"``, and any field of their parts.
    pairs
        True pairs, used in place of searched anchors: ``(n, 2)`` of reference and cell, names
        from ``obs_names`` or whole-number positions. For several tables one such list each.
    seed
        Of every random draw; stored with the result.
    track
        Wraps every long loop; raising `Cancelled` from it stops the work.

    Returns
    -------
    AnnData or list of AnnData
        Copies of the cells with ``obsm["X_gluer"]`` float32 ``(n_cells, k)``,
        ``obsm["gluer_weights"]`` CSR ``(n_cells, n_reference)`` whose rows sum to 1,
        ``obs["gluer_confidence"]``, ``obs["gluer_unmatched"]``, and in ``uns["gluer"]``
        ``reference_factors`` ``(n_reference, k)``, the names and fingerprint of the reference,
        ``links``, ``params``, ``seed``, ``versions``, ``timings`` (s) and ``outcome``.

    Raises
    ------
    InputError
        If nothing links the two, values cannot be used, or no anchors are found.
    """
    tables = [cells] if isinstance(cells, AnnData) else list(cells)
    if not 0 <= seed < 2**31:
        raise InputError(f"A seed is a whole number from 0 to 2³¹ - 1; this one is {seed}.")
    if not tables:
        raise InputError("There is no table of cells to integrate.")
    one_table = isinstance(cells, AnnData)
    every_pairs = [pairs] if one_table else [None] * len(tables) if pairs is None else list(pairs)
    if len(every_pairs) != len(tables):
        raise InputError(
            f"{len(tables)} tables of cells want as many lists of pairs; there are "
            f"{len(every_pairs)}."
        )
    run = _Run(params, seed, track)
    linked = run.timed("features", lambda: _link(tables, reference, params))
    spaces = run.timed("factorisation", lambda: _factorize(linked, run))
    results = [
        _integrated(table, i, linked, spaces, given, run)
        for i, (table, given) in enumerate(zip(tables, every_pairs, strict=True), start=1)
    ]
    return results[0] if one_table else results


class _Run:
    """Parameters, seed, tracker and the clock of one call."""

    def __init__(self, params: IntegrateParams, seed: int, track: Track) -> None:
        self.params, self.seed, self.track = params, seed, track
        self.timings = Timings()
        self.timed = self.timings.timed


@dataclass(frozen=True, eq=False)
class _Linked:
    """Reference and cells over the linked features; the reference is the first matrix."""

    reference: AnnData
    expressed: Expression
    links: pd.DataFrame
    unlinked: dict[str, str]
    matrices: list[Any]
    smoothed_over: int

    def signal(self, i: int) -> NDArray[np.bool_]:
        return has_signal(self.matrices[i])

    @cached_property
    def fingerprint(self) -> str:
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


def _link(tables: list[AnnData], reference: AnnData, params: IntegrateParams) -> _Linked:
    for table in tables:
        if table.X is None:
            raise InputError("The table of cells has no X; put the values there.")
        if table.n_obs < 2:
            raise InputError(f"{table.n_obs} cells are too few to integrate.")
    if not reference.obs_names.is_unique:
        raise InputError(
            "Reference cells must have names of their own; call reference.obs_names_make_unique()."
        )
    expressed = expression(reference)
    links = links_between(tables, expressed.genes)
    require_links(links, tables[0], expressed.genes)
    of_reference = reference_features(expressed, links)
    unlinked = missing_markers(tables, links)
    links = links.assign(detected=detected(of_reference))
    heard = (links["detected"] >= params.features.least_detected).to_numpy()
    require_heard(int(heard.sum()), links, params.features.least_detected)
    unlinked |= dict.fromkeys(links.index[~heard], SILENT)
    links, of_reference = links.loc[heard], of_reference[:, heard]
    over = _smoothed_over(params.features, len(links), len(expressed.genes))
    if over:
        of_reference = smoothed(of_reference, expressed.matrix, over)
    matrices: list[Any] = [of_reference, *(cell_features(table, links) for table in tables)]
    kept = most_variable(matrices, params.features.max_features)
    require_varying(len(kept), links)
    linked = [X[:, kept] for X in matrices]
    return _Linked(reference, expressed, links.iloc[kept], unlinked, linked, over)


def _smoothed_over(params: FeatureParams, n_links: int, n_genes: int) -> int:
    """Cells to smooth the reference over, 0 where it is left as it is."""
    few = n_links <= params.smooth_up_to and n_genes >= 10 * n_links
    return params.smooth_reference if few else 0


def _rank(params: FactorizeParams, n_links: int) -> int:
    return min(params.rank, n_links) if params.start == "nndsvd" else params.rank


def _factorize(linked: _Linked, run: _Run) -> list[Array]:
    """Reference and cells in factor space."""
    params = run.params
    factors = joint_nmf(
        prepared(linked.matrices, params.features, run.seed),
        params.factorize.model_copy(update={"rank": _rank(params.factorize, len(linked.links))}),
        seed=run.seed,
        track=run.track,
    )
    return comparable(factors, standardize=params.features.standardize)


def _integrated(
    table: AnnData, i: int, linked: _Linked, spaces: list[Array], given: Any, run: _Run
) -> AnnData:
    """Map one table onto the reference and store what follows from it."""
    reference, own = spaces[0], spaces[i]
    if given is None:
        pairs = run.timed("anchors", lambda: _anchors(linked, spaces, i, run))
    else:
        pairs = given_pairs(given, linked.reference.obs_names, table.obs_names)
    fitted = run.timed(
        "network",
        lambda: fit_map(
            reference, own, pairs, run.params.network, seed=run.seed + i, track=run.track
        ),
    )
    mapped = unit_rows(fitted.cells) if run.params.features.standardize else fitted.cells
    weights = run.timed(
        "weights",
        lambda: neighbour_weights(
            reference, mapped, linked.signal(0), run.params.weights, track=run.track
        ),
    )
    confidence = run.timed(
        "confidence", lambda: support(reference, mapped, linked.signal(0), track=run.track)
    )
    result = table.copy()
    slots.drop_results(result)
    result.obsm[slots.EMBEDDING] = mapped
    result.obsm[slots.WEIGHTS] = weights
    result.obs[slots.CONFIDENCE] = np.where(linked.signal(i), confidence, 0).astype(np.float32)
    result.obs[slots.UNMATCHED] = ~linked.signal(i)
    slots.note(result, **_provenance(linked, run, reference))
    slots.note(result, n_anchors=len(pairs), outcome=_outcome(result, linked, len(pairs), run))
    return result


def _anchors(linked: _Linked, spaces: list[Array], i: int, run: _Run) -> NDArray[np.int64]:
    """Anchors between the reference and table `i`; cells without signal take no part."""
    factors = [np.where(linked.signal(j)[:, None], spaces[j], 0) for j in (0, i)]
    # features only confirm; without confirmation nothing dense is made of them
    confirmed = bool(run.params.anchors.confirm_neighbors)
    features = [_dense(linked.matrices[j]) if confirmed else factors[0] for j in (0, i)]
    pairs, _ = find_anchors(
        (factors[0], factors[1]),
        (features[0], features[1]),
        run.params.anchors,
        track=run.track,
    )
    return pairs


def _dense(matrix: Any) -> Array:
    return np.asarray(matrix.toarray() if sparse.issparse(matrix) else matrix, np.float32)


def _outcome(result: AnnData, linked: _Linked, n_anchors: int, run: _Run) -> str:
    unmatched = int(result.obs[slots.UNMATCHED].sum())
    rank = _rank(run.params.factorize, len(linked.links))
    text = (
        f"{result.n_obs:,} cells integrated with {linked.reference.n_obs:,} reference cells over "
        f"{len(linked.links):,} linked features, {n_anchors:,} anchors, {rank} factors"
    )
    if linked.smoothed_over:
        text += f", reference smoothed over {linked.smoothed_over} cells"
    if unmatched:
        text += f"; {unmatched:,} cells without signal are unmatched"
    silent = [name for name, why in linked.unlinked.items() if why == SILENT]
    if silent:
        text += f"; {len(silent):,} silent in the reference are left out ({listed(silent, 3)})"
    return "; ".join([text, *translated(linked.links)])


def _provenance(linked: _Linked, run: _Run, reference_factors: Array) -> dict[str, Any]:
    """What the result must remember to be judged and repeated."""
    expressed = linked.expressed
    genes = [";".join(genes) for genes in linked.links["genes"]]
    return {
        slots.REFERENCE_FACTORS: reference_factors.copy(),
        slots.REFERENCE_NAMES: linked.reference.obs_names.astype(str).to_numpy(object),
        slots.FINGERPRINT: linked.fingerprint,
        "reference_expression": f"{expressed.kind} in {expressed.source}",
        "links": json.dumps(dict(zip(linked.links.index, genes, strict=True))),
        "link_details": linked.links[["found", "note", "detected"]].to_json(orient="index"),
        "unlinked": json.dumps(linked.unlinked),
        "params": run.params.model_dump_json(),
        "seed": run.seed,
        "versions": json.dumps(_versions()),
        "timings": json.dumps(run.timings),
        "linked_values_sha256": linked.digest,
    }


def _versions() -> dict[str, str]:
    packages = ("napari-gluer", "numpy", "scipy", "scikit-learn", "anndata", "torch")
    return {"python": platform.python_version()} | {name: version(name) for name in packages}
