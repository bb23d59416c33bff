"""What is laid out: cells and reference in one space, before or after they were integrated."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Literal

import numpy as np
from anndata import AnnData
from annotated_types import Ge
from numpy.typing import NDArray

from napari_gluer import slots
from napari_gluer.errors import InputError
from napari_gluer.params import Params

Space = Literal["after", "before"]
_KEYS = {
    "after": (slots.EMBEDDING, slots.REFERENCE_FACTORS),
    "before": (slots.UNMAPPED, slots.REFERENCE_UNMAPPED),
}
_REMEDY = "Integrate the cells first: Plugins ▸ GLUER ▸ Integrate."


class Principal(Params):
    """Principal components of the factors."""

    kind: Literal["pca"] = "pca"
    """Name of the layout in stored parameters."""

    first: Annotated[int, Ge(1)] = 1
    """Component across; the first tells most."""

    second: Annotated[int, Ge(1)] = 2
    """Component upwards."""


class Factors(Params):
    """Two of the factors as they are."""

    kind: Literal["factors"] = "factors"
    """Name of the layout in stored parameters."""

    first: Annotated[int, Ge(1)] = 1
    """Factor across."""

    second: Annotated[int, Ge(1)] = 2
    """Factor upwards."""


@dataclass(frozen=True, eq=False)
class Sides:
    """Cells and reference in one space.

    Attributes
    ----------
    labels
        int64 ``(n,)``: the cells, by their values in the labels image.
    cells, reference
        float32 ``(n, k)`` and ``(m, k)``.
    """

    labels: NDArray[np.int64]
    cells: NDArray[np.float32]
    reference: NDArray[np.float32]

    @cached_property
    def stacked(self) -> NDArray[np.float32]:
        """The reference's rows, then those of the cells."""
        return np.concatenate([self.reference, self.cells])

    @cached_property
    def fingerprint(self) -> str:
        """Digest of all labels and values: a layout belongs to these alone."""
        digest = hashlib.sha256()
        for part in (self.labels, self.cells, self.reference):
            digest.update(np.ascontiguousarray(part).tobytes())
        return digest.hexdigest()[:32]


@dataclass(frozen=True, eq=False, kw_only=True)
class Placed:
    """Where cells and reference lie in the plane.

    Attributes
    ----------
    labels
        int64 ``(n,)``: the cells.
    cells, reference
        float32 ``(n, 2)`` and ``(m, 2)``.
    axes
        Names of the two axes.
    n_laid_out
        How many the layout itself placed; the others lie among their neighbours.
    same_scale
        Whether a unit is equally long on both axes.
    """

    labels: NDArray[np.int64]
    cells: NDArray[np.float32]
    reference: NDArray[np.float32]
    axes: tuple[str, str]
    n_laid_out: int
    same_scale: bool = True

    @cached_property
    def corners(self) -> NDArray[np.float32]:
        """Smallest and largest coordinates of both sides, ``(2, 2)``: panes show the same part."""
        both = np.concatenate([self.cells, self.reference])
        return np.stack([np.nanmin(both, axis=0), np.nanmax(both, axis=0)])


def sides_of(cells: AnnData, space: Space) -> Sides:
    """Co-embedding (``after``) or factors before any map (``before``) of cells and reference.

    Reads ``obs["label"]``, ``obsm["X_gluer"]`` or ``obsm["X_gluer_unmapped"]``, and
    ``uns["gluer"]``.

    Raises
    ------
    InputError
        If the cells are not integrated, or what was before is not kept.
    """
    of_cells, of_reference = _KEYS[space]
    slots.require(cells, "obsm", slots.EMBEDDING, _REMEDY)
    if of_cells not in cells.obsm or of_reference not in slots.info(cells):
        raise InputError(
            f"The table does not hold the factors {space} integration (obsm[{of_cells!r}]). "
            "Integrate the cells again."
        )
    return Sides(
        slots.cell_labels(cells),
        np.asarray(cells.obsm[of_cells], np.float32),
        np.asarray(slots.info(cells)[of_reference], np.float32),
    )


def at_once(sides: Sides, layout: Principal | Factors) -> Placed:
    """The layouts that need no waiting.

    Raises
    ------
    InputError
        If an axis is asked for that the space lacks.
    """
    rank = sides.cells.shape[1]
    if max(layout.first, layout.second) > rank:
        raise InputError(
            f"There are {rank} factors; {max(layout.first, layout.second)} was asked for. "
            f"Choose from 1 to {rank}."
        )
    axes = [layout.first - 1, layout.second - 1]
    values = sides.stacked
    word = "factor"
    if isinstance(layout, Principal):
        values, word = _components(values), "component"
    plane = np.ascontiguousarray(values[:, axes], np.float32)
    m = len(sides.reference)
    return Placed(
        labels=sides.labels,
        reference=plane[:m],
        cells=plane[m:],
        axes=(f"{word} {layout.first}", f"{word} {layout.second}"),
        n_laid_out=len(plane),
        same_scale=isinstance(layout, Principal),
    )


def _components(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Principal components, from the covariance of the few factors; signs are fixed."""
    centred = values - values.mean(axis=0, dtype=np.float64)
    _, vectors = np.linalg.eigh(centred.T @ centred)
    vectors = vectors[:, ::-1]
    largest = np.abs(vectors).argmax(axis=0)
    signs = np.sign(vectors[largest, np.arange(vectors.shape[1])])
    return np.asarray(centred @ (vectors * signs), np.float32)
