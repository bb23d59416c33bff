"""Regions of interest compared: which types they hold, and what is expressed there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
import pandas as pd
from anndata import AnnData
from annotated_types import Ge, Gt, Lt
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from napari_gluer import slots
from napari_gluer.analysis.composition import (
    Independence,
    fisher_tests,
    independence,
    wilson_interval,
)
from napari_gluer.analysis.gene_values import IMPUTED, MEASURED, gene_values
from napari_gluer.analysis.grouping import groups_of
from napari_gluer.analysis.marker_genes import OPTIMISTIC, contrasts_of
from napari_gluer.analysis.rank_sums import Contrasts, adjusted, contrasts
from napari_gluer.analysis.region_members import Members, Where, region_members
from napari_gluer.errors import InputError, listed
from napari_gluer.params import Params
from napari_gluer.track import Track, silently

NOT_SAMPLES = (
    "Cells of one tissue are not independent samples: p-values say that regions differ in these "
    "cells, not in other tissues."
)
_KEYS = ["region", "feature", "n_in", "n_out"]


class RegionParams(Params):
    """Regions of interest compared."""

    confidence: Annotated[float, Gt(0), Lt(1)] = 0.95
    """Level of the confidence intervals of shares."""

    min_cells: Annotated[int, Ge(2)] = 3
    """Regions of fewer cells are not tested for expression."""


@dataclass(frozen=True, eq=False)
class RegionComparison:
    """What `compare_regions` found.

    Attributes
    ----------
    regions
        ``region``, ``n_cells`` (all of them), ``n_unmatched``, ``n_untyped``.
    composition
        One row per region and type: ``region``, ``type``, ``n``, ``total`` (typed cells of the
        region), ``share``, ``share_low``, ``share_high`` (Wilson), ``odds_ratio``, ``p`` (Fisher's
        exact test against all cells not in the region), ``p_adjusted`` (Benjamini and Hochberg over
        the table). Empty where no types were asked for.
    independence
        Chi-square test of the whole table; NaN where a cell is in several regions.
    expression
        One row per region and gene or value: ``region``, ``feature``, ``n_in``, ``n_out``,
        ``mean_in``, ``mean_out``, ``share_in``, ``share_out`` (above zero), ``log2_fold_change``,
        ``auroc``, ``score``, ``p``, ``p_adjusted`` (over the table), as `marker_genes` has them,
        each region against all cells not in it. Empty where none was asked for.
    outcome
        What was compared and left out, in words.
    """

    regions: pd.DataFrame
    composition: pd.DataFrame
    independence: Independence
    expression: pd.DataFrame
    outcome: str


def compare_regions(  # noqa: PLR0913 - six of them by name
    cells: AnnData,
    regions: Where,
    *,
    by: str | None = None,
    genes: Sequence[str] | Literal["all"] | None = None,
    values: Mapping[str, ArrayLike] | None = None,
    reference: AnnData | None = None,
    pixel_size_um: float | tuple[float, float] | None = None,
    params: RegionParams = RegionParams(),  # noqa: B008 - frozen
    track: Track = silently,
) -> RegionComparison:
    """Compare regions of a tissue: composition by type, expression of genes.

    Cells belong to a region by their centre; one that lies in several counts in each (and is told),
    one in none is ``outside``, one in an area to leave out counts nowhere.

    Parameters
    ----------
    cells
        Reads ``obsm["spatial"]`` and its unit for outlines; ``obs["gluer_unmatched"]``: unmatched
        cells are counted, not compared, but for measured expression and `values`.
    regions
        `Regions` (of `read_regions`, in pixels of the image), an ``obs`` column, one yes or no per
        cell, or several of these by name.
    by
        Column of types.
    genes
        Genes to compare, or ``all``; measured ones, or imputed ones with `reference`.
    values
        Other numbers to compare, name → ``(n_cells,)`` in the order of the cells (pseudotime, for
        instance); cells where one is NaN do not count for it.
    reference
        The very reference of the integration.
    pixel_size_um
        Of the image that outlines were drawn on; see `region_members`.
    params
        Intervals and least numbers.

    Raises
    ------
    InputError
        If nothing is to be compared, no region holds a cell, units do not fit, or a column, gene
        or the reference is not the right one.
    """
    if by is None and genes is None and not values:
        raise InputError("Say what to compare: types (by), genes, or values.")
    found = region_members(cells, regions, pixel_size_um)
    composition, whole, n_untyped = _composition(cells, found, by, params)
    tables = []
    if genes is not None:
        wanted = None if isinstance(genes, str) else genes
        tables.append(_of_genes(cells, found, (wanted, reference), params, track))
    if values:
        tables.append(_of_values(cells, found, values, params))
    expressed = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=_KEYS)
    if len(expressed):
        expressed["p_adjusted"] = adjusted(expressed["p"].to_numpy())
    imputed = genes is not None and reference is not None
    expressed.attrs = {
        "values": IMPUTED if imputed else MEASURED,
        "note": f"{OPTIMISTIC} {NOT_SAMPLES}" if imputed else NOT_SAMPLES,
    }
    composition.attrs = {"note": NOT_SAMPLES}
    return RegionComparison(
        _sizes(cells, found, n_untyped), composition, whole, expressed, _outcome(cells, found)
    )


def _sizes(cells: AnnData, found: Members, n_untyped: NDArray[np.int64]) -> pd.DataFrame:
    unmatched = slots.unmatched(cells)
    return pd.DataFrame(
        {
            "region": found.names,
            "n_cells": found.members.sum(axis=0),
            "n_unmatched": (found.members & unmatched[:, None]).sum(axis=0),
            "n_untyped": n_untyped,
        }
    )


def _composition(
    cells: AnnData, found: Members, by: str | None, params: RegionParams
) -> tuple[pd.DataFrame, Independence, NDArray[np.int64]]:
    if by is None:
        return pd.DataFrame(), Independence(), np.zeros(len(found.names), np.int64)
    types = groups_of(cells, by)
    kept = ~found.excluded[types.rows]
    inside = found.members[types.rows][kept].astype(np.int64)
    typed = types.members[kept].astype(np.int64)
    counts = inside.T @ typed
    totals = np.broadcast_to(counts.sum(axis=1, keepdims=True), counts.shape)
    low, high = wilson_interval(counts, totals, params.confidence)
    odds, p = fisher_tests(counts, typed.sum(axis=0))
    n_regions, n_types = counts.shape
    table = pd.DataFrame(
        {
            "region": np.repeat(np.array(found.names, object), n_types),
            "type": np.tile(np.array(types.names, object), n_regions),
            "n": counts.ravel(),
            "total": totals.ravel(),
            "share": np.divide(
                counts, totals, out=np.full(counts.shape, np.nan), where=totals > 0
            ).ravel(),
            "share_low": low.ravel(),
            "share_high": high.ravel(),
            "odds_ratio": odds.ravel(),
            "p": p.ravel(),
            "p_adjusted": adjusted(p.ravel()),
        }
    )
    whole = Independence() if found.n_shared else independence(counts)
    has_type = np.zeros(cells.n_obs, np.bool_)
    has_type[types.rows] = True
    untyped = ~has_type & ~slots.unmatched(cells)
    return table, whole, (found.members & untyped[:, None]).sum(axis=0)


def _of_genes(
    cells: AnnData,
    found: Members,
    what: tuple[Sequence[str] | None, AnnData | None],
    params: RegionParams,
    track: Track,
) -> pd.DataFrame:
    genes, reference = what
    counted = ~found.excluded
    if reference is not None:  # of unmatched cells nothing is imputed
        counted &= ~slots.unmatched(cells)
    rows = np.flatnonzero(counted)
    values = gene_values(cells, reference, rows, genes)
    members = found.members[rows]
    tested = _tested(members, params)
    if not len(tested):
        return pd.DataFrame(columns=_KEYS)
    made = contrasts_of(values, members[:, tested], track, "Expression in regions")
    names = [found.names[i] for i in tested]
    return _tidy(made, names, values.genes, members[:, tested], logged=values.logged)


def _of_values(
    cells: AnnData, found: Members, values: Mapping[str, ArrayLike], params: RegionParams
) -> pd.DataFrame:
    tables = []
    for name, given in values.items():
        one = _aligned(cells, name, given)
        rows = np.flatnonzero(np.isfinite(one) & ~found.excluded)
        members = found.members[rows]
        tested = _tested(members, params)
        if len(tested):
            column = sparse.csc_matrix(one[rows][:, None])
            made = contrasts(column, members[:, tested])
            names = [found.names[i] for i in tested]
            tables.append(_tidy(made, names, pd.Index([name]), members[:, tested], logged=False))
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=_KEYS)


def _aligned(cells: AnnData, name: str, given: ArrayLike) -> NDArray[np.float64]:
    if isinstance(given, pd.Series):
        if not given.index.is_unique or set(given.index) != set(cells.obs_names):
            raise InputError(f"The values {name!r} are not indexed by these cells (obs_names).")
        given = given.reindex(cells.obs_names)
    array = np.asarray(given, np.float64)
    if array.shape != (cells.n_obs,):
        raise InputError(
            f"The values {name!r} have shape {array.shape}; there are {cells.n_obs:,} cells."
        )
    return array


def _tested(members: NDArray[np.bool_], params: RegionParams) -> NDArray[np.intp]:
    inside = members.sum(axis=0)
    return np.flatnonzero(np.minimum(inside, len(members) - inside) >= params.min_cells)


def _tidy(
    made: Contrasts,
    names: list[str],
    features: pd.Index,
    members: NDArray[np.bool_],
    *,
    logged: bool,
) -> pd.DataFrame:
    n_regions, n_features = made.score.shape
    inside = members.sum(axis=0)
    columns = {
        "mean_in": made.mean_in,
        "mean_out": made.mean_out,
        "share_in": made.share_in,
        "share_out": made.share_out,
        "log2_fold_change": made.log2_fold_change(logged=logged),
        "auroc": made.auroc,
        "score": made.score,
        "p": made.p,
    }
    return pd.DataFrame(
        {
            "region": np.repeat(np.array(names, object), n_features),
            "feature": np.tile(features.to_numpy(object), n_regions),
            "n_in": np.repeat(inside, n_features),
            "n_out": np.repeat(len(members) - inside, n_features),
            **{name: column.ravel() for name, column in columns.items()},
        }
    )


def _outcome(cells: AnnData, found: Members) -> str:
    sizes = found.members.sum(axis=0)
    parts = [
        f"{size:,} in {name}"
        for name, size in zip(found.names, sizes.tolist(), strict=True)
        if size
    ]
    empty = [name for name, size in zip(found.names, sizes, strict=True) if not size]
    notes = [
        f"{number:,} {words}"
        for number, words in (
            (found.n_shared, "in several regions, counted in each"),
            (int(found.excluded.sum()), "in areas to leave out"),
            (int(slots.unmatched(cells).sum()), "unmatched"),
        )
        if number
    ]
    notes += [f"no cell in {listed(empty, 5)}"] if empty else []
    notes += [found.note] if found.note else []
    return f"{cells.n_obs:,} cells: {', '.join([*parts, *notes])}."
