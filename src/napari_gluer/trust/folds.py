"""Linked features left out of the integration in folds, and predicted by it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from anndata import AnnData
from numpy.typing import NDArray

from napari_gluer import slots
from napari_gluer.correlating import correlated, dense, rank_correlated, unit_columns
from napari_gluer.errors import InputError, listed
from napari_gluer.expression import Expression
from napari_gluer.integration.gluer import integrate
from napari_gluer.integration.linked import NOT_WANTED, Linked, link
from napari_gluer.integration.linking import ABSENT, NOT_EVERYWHERE, UNKNOWN
from napari_gluer.integration.params import IntegrateParams
from napari_gluer.trust.params import ValidateParams
from napari_gluer.trust.within import LEAST_CELLS, reference_left_out

Array = NDArray[np.float32]

_ONE_BY_ONE = 4
_UNLINKED = {ABSENT, UNKNOWN, NOT_EVERYWHERE, NOT_WANTED}


@dataclass(frozen=True, eq=False)
class Trial:
    """The cells and reference cells that a validation is done on.

    Attributes
    ----------
    cells, reference
        Drawn from those given.
    rows
        Rows of `cells` in the table given, ``(n_cells,)``; all have signal in a linked feature.
    linked
        What links the two.
    measured, of_reference
        Linked features, normalised as the integration does, dense ``(n, n_links)``.
    """

    cells: AnnData
    reference: AnnData
    rows: NDArray[np.intp]
    linked: Linked
    measured: Array
    of_reference: Array

    @property
    def links(self) -> pd.DataFrame:
        """As `linked_features` gives them."""
        return self.linked.links

    @property
    def expressed(self) -> Expression:
        """What the reference expresses."""
        return self.linked.expressed

    @property
    def not_judged(self) -> dict[str, str]:
        """Features that both sides have but that cannot be left out, and why."""
        return {name: why for name, why in self.linked.unlinked.items() if why not in _UNLINKED}


def trial_of(
    cells: AnnData,
    reference: AnnData,
    params: IntegrateParams,
    validate: ValidateParams,
    seed: int,
) -> Trial:
    """Draw cells and reference cells.

    Raises
    ------
    InputError
        If fewer than 20 cells have signal, or the two cannot be integrated.
    """
    random = np.random.default_rng(seed)
    some = _drawn(reference, validate.max_reference, random)[1]
    linked = link([cells], some, params)
    heard = np.flatnonzero(linked.usable[1])
    if len(heard) < LEAST_CELLS:
        raise InputError(
            f"{len(heard)} cells with signal are too few to validate genes on: a correlation over "
            f"them says nothing. {LEAST_CELLS} are needed."
        )
    rows = np.sort(random.permutation(heard)[: validate.max_cells])
    table = cells[rows].copy()
    slots.drop_results(table)
    linked = link([table], some, params)
    kept = linked.usable[1]
    if not kept.all():
        rows, table = rows[kept], table[kept].copy()
        linked = link([table], some, params)
    return Trial(table, some, rows, linked, dense(linked.matrices[1]), dense(linked.matrices[0]))


def _drawn(
    table: AnnData, most: int, random: np.random.Generator
) -> tuple[NDArray[np.intp], AnnData]:
    if table.n_obs <= most:
        return np.arange(table.n_obs), table
    rows = np.sort(random.permutation(table.n_obs)[:most])
    return rows, table[rows].copy()


def folds_of(links: pd.DataFrame, n_folds: int, seed: int) -> list[list[str]]:
    """Features in groups that are left out together, drawn by the seed.

    Features of one gene go together: else the one would tell the other. Up to 4 are left out one
    by one.

    Raises
    ------
    InputError
        If nothing would be left to link by.
    """
    kin = _of_one_gene(links)
    if len(kin) < 2:
        name, verb = listed(links.index, 4), "links" if len(links) == 1 else "link"
        why = "" if len(links) == 1 else ", and they stand for one gene"
        raise InputError(
            f"Only {name} {verb} cells and reference{why}. Left out, nothing would link them, so "
            "no gene can be held out. Link at least two features of different genes."
        )
    order = np.random.default_rng(seed).permutation(len(kin))
    n = len(kin) if len(kin) <= _ONE_BY_ONE else min(n_folds, len(kin))
    return [[name for place in order[i::n] for name in kin[place]] for i in range(n)]


def _of_one_gene(links: pd.DataFrame) -> list[list[str]]:
    """Features that share a gene, directly or through others, in the order of the links."""
    groups: list[tuple[set[str], list[str]]] = []
    for name, genes in links["genes"].items():
        own, names = set(genes), [str(name)]
        rest = []
        for theirs, others in groups:
            if own & theirs:
                own, names = own | theirs, others + names
            else:
                rest.append((theirs, others))
        groups = [*rest, (own, names)]
    return [names for _, names in groups]


@dataclass(frozen=True, eq=False)
class Predicted:
    """Features of one fold, predicted without them.

    Attributes
    ----------
    names
        Of the features.
    values
        float32 ``(n_cells, n_hidden)``: imputed, log1p of counts per 10,000.
    within
        Pearson's correlation of the features in the reference, reference cells left out.
    stand_in
        For each the feature that was not held out and is most like it in the reference.
    stand_in_correlation
        Spearman's correlation over the cells of the stand-in's measured values with the feature's.
    others
        float32 ``(n_cells, n_others)``: genes asked for besides.
    """

    names: list[str]
    values: Array
    within: NDArray[np.float64]
    stand_in: list[str]
    stand_in_correlation: NDArray[np.float64]
    others: Array


def predicted_fold(
    trial: Trial,
    hidden: Sequence[str],
    params: IntegrateParams,
    *,
    others: Sequence[str] = (),
    seed: int = 0,
) -> Predicted:
    """Integrate without some features, and impute them.

    Their columns are taken out of the table, so that they have no part in a cell's total either;
    the reference keeps their genes, as it has all other genes that were not imaged.
    """
    outside = ~trial.cells.var_names.astype(str).isin(hidden)
    found = integrate(
        trial.cells[:, outside].copy(), trial.reference, _without(params, hidden), seed=seed
    )
    weights = found.obsm[slots.WEIGHTS]
    places = trial.links.index.get_indexer(pd.Index(hidden))
    left = reference_left_out(found, trial.expressed, max_cells=trial.cells.n_obs, seed=seed)
    truth = trial.of_reference[:, places]
    names, own = _stand_ins(trial, places)
    return Predicted(
        list(hidden),
        np.asarray(weights @ truth, np.float32),
        correlated(left.weights @ truth, truth[left.rows]),
        names,
        own,
        np.asarray(weights @ trial.expressed.columns(list(others)), np.float32),
    )


def _without(params: IntegrateParams, hidden: Sequence[str]) -> IntegrateParams:
    """The same parameters where the hidden features are not in the table."""
    features = params.features
    changed = features.model_copy(
        update={
            "only": tuple(name for name in features.only if name not in hidden),
            "without": tuple(name for name in features.without if name not in hidden),
        }
    )
    # types are not asked for, and to look for absent ones takes time
    absence = params.absence.model_copy(update={"max_cells": 0})
    return params.model_copy(update={"features": changed, "absence": absence})


def _stand_ins(trial: Trial, places: NDArray[np.intp]) -> tuple[list[str], NDArray[np.float64]]:
    """The measured features most like the hidden ones, and what they tell of them."""
    measured = np.setdiff1d(np.arange(len(trial.links)), places)
    sides = unit_columns(trial.of_reference)
    likeness = sides[:, places].T @ sides[:, measured]
    best = np.abs(likeness).argmax(axis=1)
    sign = np.where(likeness[np.arange(len(best)), best] < 0, -1, 1)
    chosen = measured[best]
    told = rank_correlated(trial.measured[:, chosen], trial.measured[:, places]) * sign
    return [str(name) for name in trial.links.index[chosen]], told
