"""Colours of the points: those of the tissue, also for the reference where it has the same."""

from dataclasses import replace

import numpy as np
import pandas as pd
from anndata import AnnData
from numpy.typing import NDArray

from napari_gluer import slots
from napari_gluer._napari.linked import Shown
from napari_gluer._napari.paintables import Origin
from napari_gluer.expression import expression

CELLS, REFERENCE = "#E69F00", "#56B4E9"
"""Colours of the two sides where nothing is painted."""

_TRANSFERRED = slots.transferred("")


def plain(n: int, color: str) -> NDArray[np.uint8]:
    """One colour for all, ``(n, 4)``."""
    return np.tile(np.array([*bytes.fromhex(color[1:]), 255], np.uint8), (n, 1))


def of_reference(shown: Shown, reference: AnnData) -> NDArray[np.uint8] | None:
    """Colours ``(m, 4)`` of the reference cells by what is painted on the tissue.

    An imputed gene is shown as the reference expresses it, transferred types as they were in the
    reference, with the colours and limits of the tissue. None where the reference does not have
    what is painted. Takes a moment for a gene of a large reference.
    """
    rows = np.arange(reference.n_obs)
    if shown.what.origin is Origin.GENE and shown.values is not None:
        expressed = expression(reference)
        if shown.what.name not in expressed.genes:
            return None
        values = expressed.columns([shown.what.name])[:, 0]
        return replace(shown, labels=rows, values=values, opacity=None, unmatched=None).rgba(rows)
    column = shown.what.name.removesuffix(_TRANSFERRED)
    if shown.what.origin is Origin.TYPE and column in reference.obs and shown.names:
        codes = pd.Index(shown.names).get_indexer(pd.Index(reference.obs[column].astype(str)))
        return replace(shown, labels=rows, codes=codes, opacity=None, unmatched=None).rgba(rows)
    return None


def words(shown: Shown | None, *, like_the_tissue: bool) -> str:
    """One line on what the colours mean."""
    if shown is None:
        return f"{_dot(CELLS)} cells {_dot(REFERENCE)} reference"
    if not like_the_tissue:
        return f"{shown.title}. The reference does not have it and is grey."
    kind = "its own expression" if shown.values is not None else "its own types"
    return f"{shown.title}. Reference: {kind}, in the same colours."


def _dot(color: str) -> str:
    return f"<span style='color:{color}'>●</span>"
