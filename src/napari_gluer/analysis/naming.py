"""Names of clusters from lists of marker genes, never forced."""

from dataclasses import dataclass
from math import comb
from typing import Annotated, Any

import numpy as np
import pandas as pd
from anndata import AnnData
from annotated_types import Ge, Gt, Le
from numpy.typing import NDArray

from napari_gluer import slots
from napari_gluer.analysis.gene_values import GeneValues, gene_values
from napari_gluer.analysis.grouping import Groups, groups_of
from napari_gluer.analysis.list_scores import ListScores, expression_bins, list_scores
from napari_gluer.analysis.marker_genes import marker_genes
from napari_gluer.analysis.marker_lists import (
    GeneColumns,
    Lists,
    MarkerLists,
    is_list_file,
    marker_lists,
    var_of,
)
from napari_gluer.errors import InputError, listed
from napari_gluer.expression import expression
from napari_gluer.params import Params
from napari_gluer.track import Track, silently

NONE_FITS = "none fits"
_GENES_OF_A_BIN, _MOST_BINS = 40, 25


class NameParams(Params):
    """Names of clusters from lists of marker genes."""

    alpha: Annotated[float, Gt(0), Le(1)] = 0.05
    """A name is given only where random lists do as well with at most this probability."""

    min_margin: Annotated[float, Ge(0), Le(1)] = 0.1
    """Share of its score by which the best type must lead the second best."""

    n_draws: Annotated[int, Ge(99), Le(100_000)] = 1000
    """Random lists to compare with."""

    n_background: Annotated[int, Ge(100)] = 2000
    """Other genes, drawn at random, that random lists are made of besides the markers."""

    n_markers: Annotated[int, Ge(1), Le(500)] = 20
    """Markers of a type, where they are computed from the reference."""


def name_clusters(  # noqa: PLR0913 - four of them by name
    cells: AnnData,
    by: str,
    markers: Lists,
    *,
    reference: AnnData | None = None,
    params: NameParams = NameParams(),  # noqa: B008 - frozen
    seed: int = 0,
    track: Track = silently,
) -> pd.DataFrame:
    """Name clusters by lists of marker genes, or say that none fits.

    Genes are standardised by their deviation over single cells (imputed ones over those of the
    reference); a type's score in a cluster is the mean of the genes that
    it shows, less the mean of those that it lacks, each less the mean of genes of like expression
    (Tirosh et al. 2016, doi:10.1126/science.aad0501; Seurat's AddModuleScore). No name is given
    where the best score is not above 0, where random lists of the same sizes do as well, or where
    the second best type does.

    Parameters
    ----------
    cells
        As for `marker_genes`; unmatched cells are left out.
    by
        Column of clusters in ``obs``.
    markers
        Type → genes; a table or file (.csv, .tsv) of columns ``type``, ``gene`` and, where
        wanted, ``direction``; or, with `reference`, a column of its ``obs``, whose types'
        `n_markers` best markers are computed from its expression.
    reference
        The very reference of the integration, to score imputed genes; None scores measured ones.
    params
        When a name is given.
    seed
        Of the background and the random lists.

    Returns
    -------
    pandas.DataFrame
        One row per cluster: ``group``, ``n_cells``, ``name`` (a type, or ``none fits``), ``best``
        (the type of the highest score), ``score`` (in standard deviations of a gene over cells),
        ``p`` (corrected for the number of types), ``second``, ``second_score``, ``margin`` (score
        less second), ``n_genes`` (of the best type, found), ``reason`` (why none fits).
        ``attrs``: ``scores`` (groups × types, as nested dict), ``missing`` (type → genes that are
        not there), ``types_left_out``, ``values``, ``outcome``.

    Raises
    ------
    InputError
        If there are fewer than two clusters, or no gene of any list is there.
    """
    groups = groups_of(cells, by)
    if len(groups.names) < 2:
        raise InputError(
            f"obs[{by!r}] holds one group only, {groups.names[0]!r}: scores compare groups with "
            "each other."
        )
    lists = _lists(markers, reference, params, track)
    values = gene_values(cells, reference, groups.rows)
    found = _found(lists, values, None if reference is not None else var_of(cells, values.genes))
    rng = np.random.default_rng(seed)
    scored = _scored(values, groups, found, params, rng)
    table = pd.DataFrame([_row(scored, groups, found, g, params) for g in range(len(groups.names))])
    named = int((table["name"] != NONE_FITS).sum())
    left = _small_panel(found, len(values.genes), params)
    left += f"; {groups.left_out}" if groups.left_out else ""
    table.attrs = {
        "scores": pd.DataFrame(scored.score, groups.names, found.types).T.to_dict(),
        "missing": found.missing,
        "types_left_out": found.left_out,
        "values": values.source,
        "outcome": (
            f"{named} of {len(table)} groups named by {len(found.types)} types, from "
            f"{values.source} genes{found.words}{left}."
        ),
    }
    return table


def _small_panel(found: "_Found", n_genes: int, params: NameParams) -> str:
    """Which lists are too short for chance to be ruled out, among so few genes."""
    short = [
        name
        for name, (up, down) in zip(found.types, found.columns, strict=True)
        if comb(n_genes, len(up)) * comb(n_genes - len(up), len(down)) * params.alpha < 1
    ]
    if not short:
        return ""
    return f"; {n_genes} genes are too few to tell lists as short as {listed(short, 5)} from chance"


@dataclass(frozen=True, eq=False)
class _Found:
    """Lists as columns of the values."""

    types: list[str]
    columns: list[tuple[NDArray[np.intp], NDArray[np.intp]]]
    missing: dict[str, list[str]]
    left_out: list[str]

    @property
    def words(self) -> str:
        left = f"; no gene there of {listed(self.left_out, 5)}" if self.left_out else ""
        n_missing = len({gene for genes in self.missing.values() for gene in genes})
        return left + (f"; {n_missing} listed genes are not there" if n_missing else "")


def _lists(
    markers: Lists, reference: AnnData | None, params: NameParams, track: Track
) -> MarkerLists:
    if not isinstance(markers, str) or is_list_file(markers):
        return marker_lists(markers)
    if reference is None:
        raise InputError(
            f"{markers!r} is no file of marker lists (.csv, .tsv). For a column of the reference, "
            "give the reference too."
        )
    slots.require(reference, "obs", markers, "Choose one of these, or a file of marker lists.")
    expressed = expression(reference)
    atlas = AnnData(expressed.matrix, obs=reference.obs[[markers]].copy())
    atlas.var_names = expressed.genes
    slots.note(atlas, **{slots.KIND: slots.LOG1P})
    best = marker_genes(atlas, markers, track=track)
    risen = best[(best["score"] > 0) & (best["p_adjusted"] < params.alpha)]
    top = risen.groupby("group", observed=True, sort=False).head(params.n_markers)
    if top.empty:
        raise InputError(f"No gene of the reference tells the types of {markers!r} apart.")
    return marker_lists(top.rename(columns={"group": "type"})[["type", "gene"]])


def _found(lists: MarkerLists, values: GeneValues, var: pd.DataFrame | None) -> _Found:
    columns = GeneColumns(values.genes, var)
    found, types, missing, left_out = [], [], {}, []
    for name, up, down in zip(lists.types, lists.up, lists.down, strict=True):
        sides = columns.all_of(up), columns.all_of(down)
        if lost := [gene for gene in (*up, *down) if columns.of(gene) is None]:
            missing[name] = lost
        if len(sides[0]):
            types.append(name)
            found.append((sides[0], np.setdiff1d(sides[1], sides[0])))
        else:
            left_out.append(name)
    if not types:
        wanted = [gene for genes in lists.up for gene in genes]
        raise InputError(
            f"None of the {len(wanted)} marker genes is among the {len(values.genes):,} "
            f"{values.source} genes: {listed(wanted, 5)} against {listed(values.genes, 5)}. "
            "Other symbols or another species? To take imputed genes, give the reference too."
        )
    return _Found(types, found, missing, left_out)


def _scored(
    values: GeneValues,
    groups: Groups,
    found: _Found,
    params: NameParams,
    rng: np.random.Generator,
) -> ListScores:
    markers = np.unique(np.concatenate([part for pair in found.columns for part in pair]))
    inside = values.group_means(groups.members)
    mean = groups.sizes / groups.sizes.sum() @ inside
    others = np.setdiff1d(np.flatnonzero(mean != 0), markers)
    if len(others) > params.n_background:
        others = np.sort(rng.choice(others, params.n_background, replace=False))
    used = np.sort(np.r_[markers, others])
    deviation = values.deviations()[used]
    means = np.divide(
        (inside - mean)[:, used],
        deviation,
        out=np.zeros((len(inside), len(used))),
        where=deviation > 0,
    )
    n_bins = int(np.clip(len(used) // _GENES_OF_A_BIN, 1, _MOST_BINS))
    columns = [
        (np.searchsorted(used, up), np.searchsorted(used, down)) for up, down in found.columns
    ]
    bins = expression_bins(mean[used], n_bins)
    return list_scores(means, bins, columns, n_draws=params.n_draws, rng=rng)


def _row(
    scored: ListScores, groups: Groups, found: _Found, g: int, params: NameParams
) -> dict[str, Any]:
    order = np.argsort(-scored.score[g], kind="stable")
    best, second = order[0], order[1] if len(order) > 1 else None
    score, p = float(scored.score[g, best]), float(scored.p[g, best])
    behind = float(scored.score[g, second]) if second is not None else np.nan
    reason = ""
    if score <= 0:
        reason = "no type's genes are higher here than elsewhere"
    elif p > params.alpha:
        reason = f"random lists do as well (p = {p:.2g})"
    elif second is not None and score - behind < max(params.min_margin * score, 1e-9):
        reason = f"{found.types[second]} fits as well"
    return {
        "group": groups.names[g],
        "n_cells": int(groups.sizes[g]),
        "name": NONE_FITS if reason else found.types[best],
        "best": found.types[best],
        "score": score,
        "p": p,
        "second": found.types[second] if second is not None else "",
        "second_score": behind,
        "margin": score - behind,
        "n_genes": sum(len(side) for side in found.columns[best]),
        "reason": reason,
    }
