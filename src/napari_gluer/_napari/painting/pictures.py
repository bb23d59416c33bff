"""What is shown, as lazy pictures of numbers and the colours of these numbers; knows no viewer."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from napari.utils.colormaps import DirectLabelColormap, ensure_colormap
from numpy.typing import NDArray

from napari_gluer._napari.linked import Shown
from napari_gluer.painting import LabelIndex, LookUp
from napari_gluer.palette import GREY

_SHADES = 128  # of values where they are drawn by numbers
_STEP = 32  # between two shades of a channel that is mixed with others
_UNMATCHED, _FIRST_FADED = 1, 2
_LEAST = 4  # pixels
_FIRST_OPAQUE = _FIRST_FADED + _SHADES
_CLEAR: Any = (0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True, eq=False)
class Codes:
    """A picture of small whole numbers, and the colour of each.

    Attributes
    ----------
    levels
        Pyramid; 0 is empty.
    colors
        RGBA in [0, 1] of every number but 0.
    """

    levels: list[LookUp]
    colors: dict[int, Any]

    @property
    def colormap(self) -> DirectLabelColormap:
        """For a labels layer."""
        table: dict[Any, Any] = {None: _CLEAR, 0: _CLEAR, **self.colors}
        return DirectLabelColormap(color_dict=table)

    def same_cells(self, other: "Codes | None") -> bool:
        """Whether another picture shows the same number in every cell, of the same labels."""
        return other is not None and self.levels[0].shows_the_same(other.levels[0])


def value_levels(index: LabelIndex, shown: Shown) -> list[LookUp]:
    """float32 values of the cells that are neither faded nor hidden, NaN elsewhere."""
    values = np.asarray(shown.values, np.float32)
    if shown.opacity is not None:
        values = np.where(shown.opacity == 1, values, np.float32(np.nan))
    return index.look_up(shown.labels, values, np.nan)


def no_levels(index: LabelIndex) -> list[LookUp]:
    """A picture of the same kind without any value.

    Of a pyramid the coarsest level, which 3-D views show, is next to nothing: a ray goes through
    an empty volume as slowly as through a full one.
    """
    levels = index.look_up(np.zeros(0, np.int64), np.zeros(0, np.float32), np.nan)
    if len(levels) > 1:
        least = np.zeros([min(size, _LEAST) for size in levels[-1].shape], np.int32)
        levels[-1] = LookUp(least, levels[-1].values)
    return levels


def rest(index: LabelIndex, shown: Shown) -> Codes | None:
    """Unmatched cells in grey and faded ones in their colour, None where there are neither.

    They are kept apart from the values, whose layer has one opacity and one colour map.
    """
    codes = np.zeros(len(shown.labels), np.uint16)
    colors: dict[int, Any] = {}
    faded = _faded(shown) & np.isfinite(np.asarray(shown.values))
    if faded.any():
        codes[faded], shades = _shaded(shown, faded, _FIRST_FADED)
        colors |= {code: (*shade[:3], _least(shown)) for code, shade in shades.items()}
    return _with_unmatched(index, shown, codes, colors)


def solid(index: LabelIndex, shown: Shown) -> Codes | None:
    """All cells in their colours, for surfaces in a 3-D view.

    A projection of the values along the line of sight would show a cell through others that are in
    front of it, and none of those at the lower limit.
    """
    codes = np.zeros(len(shown.labels), np.uint16)
    colors: dict[int, Any] = {}
    opaque = np.isfinite(np.asarray(shown.values)) & ~_faded(shown)
    if shown.opacity is not None:
        opaque &= shown.opacity > 0
    faded = rest(index, shown)
    if shown.blend is not None:
        codes, colors = _mixed(shown.blend)
    elif opaque.any():
        codes[opaque], colors = _shaded(shown, opaque, _FIRST_OPAQUE)
    if faded is None:
        return Codes(index.look_up(shown.labels, codes, 0), colors) if colors else None
    others = faded.levels[0].values[index.places(shown.labels) + 1]
    codes = np.where(others > 0, others, codes)
    return Codes(index.look_up(shown.labels, codes, 0), {**colors, **faded.colors})


def _with_unmatched(
    index: LabelIndex, shown: Shown, codes: NDArray[np.uint16], colors: dict[int, Any]
) -> Codes | None:
    if shown.unmatched is not None:
        codes[shown.unmatched] = _UNMATCHED
        colors[_UNMATCHED] = rgba(GREY)
    return Codes(index.look_up(shown.labels, codes, 0), colors) if colors else None


def _shaded(shown: Shown, cells: NDArray[np.bool_], first: int) -> tuple[Any, dict[int, Any]]:
    """Numbers from `first` on for some cells by their value, and the colour of each number."""
    low, high = shown.limits
    values = np.asarray(shown.values)[cells]
    share = np.clip((values - low) / max(high - low, np.finfo(float).tiny), 0, 1)
    steps = np.linspace(0, 1, _SHADES) ** shown.gamma
    shades = np.asarray(ensure_colormap(shown.colormap).map(steps), float)
    colors = {first + i: tuple(shade) for i, shade in enumerate(shades.tolist())}
    return first + np.rint(share * (_SHADES - 1)).astype(np.uint16), colors


def _mixed(blend: NDArray[np.uint8]) -> tuple[NDArray[np.uint16], dict[int, Any]]:
    """Numbers for colours that were added up, a few hundred at most."""
    steps = (blend[:, :3].astype(np.uint16) + _STEP // 2) // _STEP
    found, codes = np.unique(steps, axis=0, return_inverse=True)
    shades = np.minimum(found.astype(float) * _STEP / 255, 1)
    colors = {_FIRST_OPAQUE + i: (*shade, 1.0) for i, shade in enumerate(shades.tolist())}
    numbers = (_FIRST_OPAQUE + codes.ravel()).astype(np.uint16)
    return np.where(blend[:, 3] > 0, numbers, 0).astype(np.uint16), colors


def category_codes(index: LabelIndex, shown: Shown) -> Codes:
    """Categories in their colours: ``i + 1`` is the i-th, further numbers the same ones faded."""
    n = len(shown.names)
    codes = np.asarray(shown.codes, np.intp) + 1
    colors = {i + 1: rgba(color) for i, color in enumerate(shown.colors)}
    if shown.opacity is not None:
        faded = _faded(shown) & (codes > 0)
        colors |= {n + i + 1: rgba(color, _least(shown)) for i, color in enumerate(shown.colors)}
        codes = np.where(faded, codes + n, np.where(shown.opacity == 0, 0, codes))
    packed = codes.astype(np.min_scalar_type(2 * n))
    return Codes(index.look_up(shown.labels, packed, 0), colors)


def rgba(color: str, opacity: float = 1.0) -> tuple[float, ...]:
    """``#rrggbb`` as parts of 1."""
    return (*(part / 255 for part in bytes.fromhex(color.lstrip("#")[:6])), opacity)


def _faded(shown: Shown) -> NDArray[np.bool_]:
    if shown.opacity is None:
        return np.zeros(len(shown.labels), np.bool_)
    return (shown.opacity > 0) & (shown.opacity < 1)


def _least(shown: Shown) -> float:
    if shown.opacity is None:
        return 1.0
    partly = shown.opacity[_faded(shown)]
    return float(partly.max()) if partly.size else 1.0
