"""Figures of what the other steps return, not of tables that tests made up."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from matplotlib.figure import Figure

from napari_gluer.analysis.accuracy import integration_accuracies
from napari_gluer.analysis.coembedding import CoembedParams, coembed
from napari_gluer.analysis.comparing import compare_accuracies
from napari_gluer.analysis.layouts import Tsne
from napari_gluer.expression import expression
from napari_gluer.figures.accuracies import accuracy_figure
from napari_gluer.figures.dot_figure import dot_plot_figure
from napari_gluer.figures.dots import dot_plot
from napari_gluer.figures.embedding import embedding_figure
from napari_gluer.figures.reliability import reliability_figure
from napari_gluer.figures.violins import violin_figure
from napari_gluer.integration.gluer import integrate
from napari_gluer.integration.imputation import impute
from napari_gluer.integration.transfer import transfer_labels

Fits = Callable[[Figure, float], None]


@pytest.fixture(scope="module")
def cells(typed: Any) -> AnnData:
    return integrate(typed.cells, typed.reference)


def test_the_map_of_a_joint_table(cells: AnnData, typed: Any, fits: Fits) -> None:
    joint = coembed(cells, typed.reference, CoembedParams(layout=Tsne(max_iter=250)))
    bases = {"before": "X_gluer_unmapped", "after": "X_tsne"}
    figure = embedding_figure(joint, "cell_type", basis=bases)
    fits(figure, 174)
    sizes = typed.reference.obs["cell_type"].value_counts()
    told = [text.get_text() for text in figure.legends[0].get_texts()]
    assert told[:-1] == [f"{name} ({sizes[name]})" for name in sorted(sizes.index)]
    assert told[-1] == f"no value ({cells.n_obs})"  # the cells have no such column
    assert figure.axes[3].get_xlabel() == "t-SNE 1"


def test_accuracies_and_their_tests(cells: AnnData, typed: Any, fits: Fits) -> None:
    known = cells.uns["gluer"]
    # any cell of the same type stands for the true partner
    of_reference = typed.reference.obs["cell_type"].astype(str).to_numpy()
    pairs = np.array([(np.flatnonzero(of_reference == t)[0], i) for i, t in enumerate(typed.types)])
    sides = {
        "GLUER": (known["reference_factors"], cells.obsm["X_gluer"]),
        "before": (known["reference_unmapped"], cells.obsm["X_gluer_unmapped"]),
    }
    found = {name: integration_accuracies(*both, pairs) for name, both in sides.items()}
    fits(accuracy_figure(found, compare_accuracies(found)), 85)


def test_transferred_types_and_imputed_genes(cells: AnnData, typed: Any, fits: Fits) -> None:
    found = transfer_labels(cells, typed.reference, "cell_type")
    right = found["cell_type_transferred"].astype(str) == typed.types
    figure = reliability_figure(found["cell_type_probability"], right)
    fits(figure, 85)
    assert f"{right.mean():.1%} right" in figure.axes[0].get_title()
    genes = ["GENE0", "GENE1", "GENE30"]
    imputed = pd.DataFrame(impute(cells, typed.reference, genes), cells.obs_names, genes)
    known = expression(typed.reference)
    measured = pd.DataFrame(known.columns(genes), typed.reference.obs_names, genes)
    fits(violin_figure(measured, imputed), 174)
    sides = {
        "reference": dot_plot(measured, typed.reference.obs["cell_type"]),
        "cells": dot_plot(imputed, found["cell_type_transferred"]),
    }
    fits(dot_plot_figure(sides), 174)
