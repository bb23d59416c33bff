"""From a pick in the list to what is shown of it on one labels layer."""

from dataclasses import dataclass
from typing import Any

from anndata import AnnData
from napari.layers import Labels

from napari_gluer import slots
from napari_gluer._napari.linked import Shown
from napari_gluer._napari.paintables import Origin, Paintable, categories, numbers
from napari_gluer._napari.painting.looks import categories_shown, values_shown
from napari_gluer._napari.painting.words import title, unit

_FEW = 5_000_000  # numbers that are looked through in about 0.03 s


@dataclass(frozen=True, eq=False)
class Picked:
    """Values of what was picked, for the cells of one labels layer.

    Attributes
    ----------
    values
        In the order of `cells`; None where this section has no such thing.
    """

    layer: Labels
    cells: AnnData
    values: Any


def found_for(what: Paintable, layer: Labels, cells: AnnData, reference: AnnData | None) -> Picked:
    """The values of `what`; touches no layer, so it may run in a thread."""
    if not _has(what, cells, reference):
        return Picked(layer, cells, None)
    if what.is_categorical:
        return Picked(layer, cells, categories(what, cells))
    return Picked(layer, cells, numbers(what, cells, reference))


def is_quick(what: Paintable, cells: AnnData, reference: AnnData | None) -> bool:
    """Whether the values are there in a fraction of the time that drawing takes."""
    if what.origin is not Origin.GENE or reference is None or slots.WEIGHTS not in cells.obsm:
        return True
    stored = int(getattr(reference.X, "nnz", reference.n_obs * reference.n_vars))
    return stored + int(getattr(cells.obsm[slots.WEIGHTS], "nnz", cells.n_obs)) < _FEW


def shown_of(what: Paintable, picked: Picked, *, chance: bool = False) -> Shown:
    """What is shown of a pick, before any style.

    Parameters
    ----------
    chance
        Whether it is imputed no better than chance: the canvas says so.
    """
    words = {"title": title(what, picked.cells, chance=chance), "unit": unit(what, picked.cells)}
    if what.is_categorical:
        shown = categories_shown(what, picked.cells, picked.values, **words)
    else:
        shown = values_shown(what, picked.cells, picked.values, **words)
    return shown


def _has(what: Paintable, cells: AnnData, reference: AnnData | None) -> bool:
    if what.origin is Origin.GENE:
        return reference is not None and what.name in reference.var_names
    return what.name in (cells.var_names if what.origin is Origin.MARKER else cells.obs)
