"""Values per cell, painted onto the labels: lazy pictures that look a cell's value up by label."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from numpy.typing import ArrayLike, NDArray

from napari_gluer import slots
from napari_gluer.errors import InputError, listed
from napari_gluer.labels import checked_labels, compact

_SMALLEST_LEVEL = 512
_MOST_VOXELS = 2**25  # of the coarsest level: 128 MB as float32, which graphics cards hold


class LabelIndex:
    """A labels image with its cells numbered without gaps, at full and falling resolution.

    Parameters
    ----------
    labels
        ``(y, x)`` or ``(z, y, x)``, 0 is background.

    Attributes
    ----------
    ids
        int64 ``(n_cells,)``, ascending: the values of the labels image.
    """

    def __init__(self, labels: ArrayLike) -> None:
        index, self.ids = compact(checked_labels(labels))
        self._full = index
        self._last = (np.zeros(0, np.int64), np.zeros(0, np.intp))

    @cached_property
    def levels(self) -> list[NDArray[np.int32]]:
        """int32 pyramid: 0 is background, ``i + 1`` the cell ``ids[i]``.

        Each level keeps the greatest index of 2 × 2 pixels, so that cells do not thin out against
        the background as they would by sampling. Planes stay as they are, so that a plane never
        shows cells of the next one; only of volumes too large to be drawn at once, as 3-D views
        draw the coarsest level, depth is halved with the rest.
        """
        levels = [self._full]
        while max(levels[-1].shape[-2:]) > _SMALLEST_LEVEL:
            levels.append(_halved(levels[-1]))
        while levels[-1].size > _MOST_VOXELS:
            levels.append(_halved(levels[-1], n_axes=3))
        return levels

    def positions(self, cells: AnnData) -> NDArray[np.intp]:
        """For each cell of the table its place in `ids`, joined by ``obs["label"]``.

        Raises
        ------
        InputError
            If the table has no labels, repeats one, or has one that the image lacks.
        """
        refuse_numbered(cells)
        return self.places(slots.cell_labels(cells))

    def places(self, wanted: NDArray[np.int64]) -> NDArray[np.intp]:
        """For each label its place in `ids`; an `InputError` where the image lacks one."""
        known, found = self._last
        if np.array_equal(known, wanted):  # the same cells as of the last gene
            return found
        places = np.searchsorted(self.ids, wanted)
        there = places < len(self.ids)
        there[there] = self.ids[places[there]] == wanted[there]
        if not there.all():
            raise InputError(
                f"{int((~there).sum())} of {len(wanted)} cells of the table are not in the labels "
                f"image, label {listed(wanted[~there], 5)} for instance; the image has "
                f"{len(self.ids)} cells. The table belongs to other labels: measure these again."
            )
        self._last = (wanted.copy(), places)
        return places

    def look_up(
        self, labels: NDArray[np.int64], per_cell: NDArray[Any], empty: float
    ) -> list["LookUp"]:
        """Lazy pictures of every level, of the type of `per_cell`.

        Parameters
        ----------
        labels
            ``(n,)``: the cells.
        per_cell
            ``(n,)``: what each of them shows.
        empty
            What background and other cells show.
        """
        shown = np.full(len(self.ids) + 1, empty, per_cell.dtype)
        shown[self.places(labels) + 1] = per_cell
        return [LookUp(level, shown) for level in self.levels]


def _halved(level: NDArray[np.int32], n_axes: int = 2) -> NDArray[np.int32]:
    """The greatest of each two pixels along the last `n_axes` axes."""
    for axis in range(level.ndim - n_axes, level.ndim):
        if level.shape[axis] % 2:
            odd = [(0, int(one == axis)) for one in range(level.ndim)]
            level = np.pad(level, odd)
        before = (slice(None),) * axis
        level = np.maximum(level[(*before, slice(0, None, 2))], level[(*before, slice(1, None, 2))])
    return level


@dataclass(frozen=True, eq=False)
class LookUp:
    """A lazy picture: ``values[index]``, computed for the part that is asked for.

    Attributes
    ----------
    index
        Integer array: 0 is background, ``i + 1`` the i-th cell.
    values
        ``(n_cells + 1,)``: what to show for the background and each cell.
    """

    index: NDArray[np.int32]
    values: NDArray[Any]

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the picture."""
        return self.index.shape

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return self.index.ndim

    @property
    def size(self) -> int:
        """Number of pixels."""
        return self.index.size

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the values."""
        return self.values.dtype

    def shows_the_same(self, other: object) -> bool:
        """Whether another look-up, of the very same index, has the same values."""
        if not isinstance(other, LookUp) or other.index is not self.index:
            return False
        both_float = self.dtype.kind == "f" and other.dtype.kind == "f"
        return np.array_equal(self.values, other.values, equal_nan=both_float)

    def __len__(self) -> int:
        return len(self.index)

    def __getitem__(self, key: Any) -> Any:
        return self.values[self.index[key]]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:  # noqa: FBT001 - NumPy's protocol
        if copy is False:
            raise ValueError("A look-up is computed; it cannot be shared without a copy.")
        return np.take(self.values, self.index).astype(dtype or self.dtype, copy=False)


def paint(labels: ArrayLike | LabelIndex, cells: AnnData, values: ArrayLike) -> LookUp:
    """Paint one value per cell onto the labels.

    Parameters
    ----------
    labels
        ``(y, x)`` or ``(z, y, x)`` integers, or a `LabelIndex` to share between pictures.
    cells
        Table whose ``obs["label"]`` names the cells; labels that it lacks stay empty.
    values
        ``(n_cells,)`` in the order of `cells`, or a Series whose index is ``cells.obs_names``
        in any order.

    Returns
    -------
    LookUp
        Lazy float32 picture of the labels' shape, NaN outside cells. ``numpy.asarray`` computes it.

    Raises
    ------
    InputError
        If the table's labels are not those of the image, or values and cells do not match.
    """
    return paint_levels(labels, cells, values)[0]


def paint_levels(labels: ArrayLike | LabelIndex, cells: AnnData, values: ArrayLike) -> list[LookUp]:
    """`paint` at every level of the pyramid."""
    index = labels if isinstance(labels, LabelIndex) else LabelIndex(labels)
    refuse_numbered(cells)
    shown = per_cell(cells, values).astype(np.float32)
    return index.look_up(slots.cell_labels(cells), shown, np.nan)


def code_levels(
    labels: ArrayLike | LabelIndex, cells: AnnData, categories: pd.Series
) -> tuple[list[LookUp], list[str]]:
    """Paint categories as small whole numbers.

    Parameters
    ----------
    labels, cells
        As for `paint`.
    categories
        One category per cell, indexed by ``cells.obs_names``; missing ones stay empty.

    Returns
    -------
    levels
        Lazy pictures of every level, of the smallest unsigned type that holds the codes: 0 is
        background or missing, ``i + 1`` is
        ``names[i]``.
    names
        The categories in their own order; those without a cell too.
    """
    index = labels if isinstance(labels, LabelIndex) else LabelIndex(labels)
    refuse_numbered(cells)
    codes, names = coded(cells, categories)
    shown = (codes + 1).astype(np.min_scalar_type(len(names)))
    return index.look_up(slots.cell_labels(cells), shown, 0), names


def coded(cells: AnnData, categories: pd.Series) -> tuple[NDArray[np.intp], list[str]]:
    """Categories as places in their list of names.

    Parameters
    ----------
    categories
        One category per cell, indexed by ``cells.obs_names``.

    Returns
    -------
    codes
        ``(n_cells,)`` in the order of `cells`, -1 where a category is missing.
    names
        The categories in their own order; those without a cell too.
    """
    aligned = pd.Series(per_cell(cells, categories), index=cells.obs_names)
    typed = aligned.astype(categories.dtype if _is_categorical(categories) else "category")
    codes: NDArray[np.intp] = typed.cat.codes.to_numpy().astype(np.intp)
    return codes, [str(name) for name in typed.cat.categories]


def refuse_numbered(cells: AnnData) -> None:
    """Refuse a table whose rows were only numbered: they match no masks."""
    known = slots.info(cells)
    if known.get(slots.NUMBERED) and slots.DRAWN not in known:
        raise InputError(
            "The table had no obs['label'], so its rows cannot be matched to a labels image. "
            "Add the column: the value of each cell in the labels image."
        )


def _is_categorical(values: Any) -> bool:
    return isinstance(getattr(values, "dtype", None), pd.CategoricalDtype)


def per_cell(cells: AnnData, values: Any) -> NDArray[Any]:
    """`values` in the order of the table: an array of that order, or a Series with its names."""
    if isinstance(values, pd.Series):
        strange = values.index.difference(cells.obs_names)
        missing = cells.obs_names.difference(values.index)
        if len(strange) or len(missing) or not values.index.is_unique:
            raise InputError(
                f"The values do not belong to these cells: {len(missing)} cells have no value "
                f"({listed(missing, 3)}), {len(strange)} values no cell ({listed(strange, 3)})."
            )
        return values.reindex(cells.obs_names).to_numpy()
    array = np.asarray(values)
    if array.shape != (cells.n_obs,):
        raise InputError(
            f"{cells.n_obs} cells want as many values; these have shape {array.shape}."
        )
    return array
