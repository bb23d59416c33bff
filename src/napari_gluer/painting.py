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

    @cached_property
    def levels(self) -> list[NDArray[np.int32]]:
        """int32 pyramid: 0 is background, ``i + 1`` the cell ``ids[i]``.

        Each level keeps the greatest index of 2 × 2 pixels, so that cells do not thin out against
        the background as they would by sampling.
        """
        levels = [self._full]
        while max(levels[-1].shape[-2:]) > _SMALLEST_LEVEL:
            levels.append(_halved(levels[-1]))
        return levels

    def positions(self, cells: AnnData) -> NDArray[np.intp]:
        """For each cell of the table its place in `ids`, joined by ``obs["label"]``.

        Raises
        ------
        InputError
            If the table has no labels, repeats one, or has one that the image lacks.
        """
        known = slots.info(cells)
        if known.get(slots.NUMBERED) and slots.DRAWN not in known:
            raise InputError(
                "The table had no obs['label'], so its rows cannot be matched to a labels image. "
                "Add the column: the value of each cell in the labels image."
            )
        wanted = slots.cell_labels(cells)
        places = np.searchsorted(self.ids, wanted)
        there = places < len(self.ids)
        there[there] = self.ids[places[there]] == wanted[there]
        if not there.all():
            raise InputError(
                f"{int((~there).sum())} of {len(wanted)} cells of the table are not in the labels "
                f"image, label {listed(wanted[~there], 5)} for instance; the image has "
                f"{len(self.ids)} cells. The table belongs to other labels: measure these again."
            )
        return places.astype(np.intp)


def _halved(level: NDArray[np.int32]) -> NDArray[np.int32]:
    """The greatest of each 2 × 2 pixels in y and x."""
    odd = [(0, 0)] * (level.ndim - 2) + [(0, size % 2) for size in level.shape[-2:]]
    even = np.pad(level, odd) if any(after for _, after in odd) else level
    rows = np.maximum(even[..., ::2, :], even[..., 1::2, :])
    return np.maximum(rows[..., ::2], rows[..., 1::2])


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
    shown = np.full(len(index.ids) + 1, np.nan, np.float32)
    shown[index.positions(cells) + 1] = _per_cell(cells, values).astype(np.float32)
    return [LookUp(level, shown) for level in index.levels]


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
    aligned = pd.Series(_per_cell(cells, categories), index=cells.obs_names)
    coded = aligned.astype(categories.dtype if _is_categorical(categories) else "category")
    names = [str(name) for name in coded.cat.categories]
    dtype = np.min_scalar_type(len(names))
    shown = np.zeros(len(index.ids) + 1, dtype)
    shown[index.positions(cells) + 1] = (coded.cat.codes.to_numpy() + 1).astype(dtype)
    return [LookUp(level, shown) for level in index.levels], names


def _is_categorical(values: Any) -> bool:
    return isinstance(getattr(values, "dtype", None), pd.CategoricalDtype)


def _per_cell(cells: AnnData, values: Any) -> NDArray[Any]:
    """`values` in the order of the table."""
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
