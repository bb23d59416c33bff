"""Which class each cell has, and in which colour, for programs that show one."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from anndata import AnnData

from napari_gluer import slots
from napari_gluer.errors import InputError
from napari_gluer.palette import GREY, UNMATCHED, colors_of


@dataclass(frozen=True, eq=False)
class Classes:
    """Classes of all cells.

    Attributes
    ----------
    column
        Where they are from; empty where the table has none.
    names
        ``(n_cells,)`` of str; "" where a cell has none.
    colors
        From every name to ``#RRGGBB``.
    """

    column: str
    names: pd.Series
    colors: Mapping[str, str]


def usual_class_column(cells: AnnData) -> str:
    """Transferred types, else clusters, else a column ``cell_type``; empty where there is none."""
    transferred = [str(c) for c in cells.obs if str(c).endswith(slots.transferred(""))]
    known = [*transferred, slots.CLUSTER, "cell_type"]
    return next((column for column in known if column in cells.obs), "")


def classes_of(
    cells: AnnData, column: str = "", colors: Mapping[str, str] | None = None
) -> Classes:
    """Classes of the cells; unmatched ones are ``unmatched`` in grey.

    Parameters
    ----------
    column
        Of ``obs``; empty takes the usual one.
    colors
        Chosen by a person, by name; else ``uns["<column>_colors"]``, as scanpy keeps them, else
        colours that colour-blind people tell apart.

    Raises
    ------
    InputError
        If the column is not there.
    """
    wanted = column or usual_class_column(cells)
    if not wanted:
        return Classes("", pd.Series("", cells.obs_names), {})
    values = slots.require(cells, "obs", wanted, "Choose one of these.")
    if values.dtype.kind == "f":
        raise InputError(f"Column {wanted!r} holds numbers; choose a column of types or clusters.")
    coded = values.astype("category")
    named = [str(name) for name in coded.cat.categories]
    names = coded.astype("string").fillna("").astype(object)
    names[slots.unmatched(cells) & (names == "").to_numpy()] = UNMATCHED
    return Classes(wanted, names, _colors(cells, wanted, named, colors or {}))


def _colors(
    cells: AnnData, column: str, names: list[str], chosen: Mapping[str, str]
) -> dict[str, str]:
    kept = cells.uns.get(f"{column}_colors", ())
    usual = [str(color)[:7] for color in kept] if len(kept) == len(names) else colors_of(names)
    found = dict(zip(names, usual, strict=True)) | {UNMATCHED: GREY}
    return found | {name: color for name, color in chosen.items() if name in found}


def rgb(color: str) -> tuple[int, int, int]:
    """``#RRGGBB`` as three whole numbers from 0 to 255."""
    try:
        parts = np.frombuffer(bytes.fromhex(color.lstrip("#")[:6]), np.uint8)
        red, green, blue = (int(part) for part in parts)
    except ValueError as error:
        raise InputError(f"{color!r} is no colour; write it as #RRGGBB.") from error
    return red, green, blue
