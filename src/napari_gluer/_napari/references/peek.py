"""How many cells an h5ad holds and which columns of types, without reading them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py  # type: ignore[import-untyped]

from napari_gluer.errors import InputError
from napari_gluer.io.vetting import damage

_FEWEST, _MOST = 2, 1000


@dataclass(frozen=True)
class Peek:
    """What an h5ad says of itself.

    Attributes
    ----------
    path
        The file.
    n_cells
        Rows of ``obs``.
    columns
        Categorical columns of ``obs`` with 2 to 1,000 categories, and how many those are.
    """

    path: Path
    n_cells: int
    columns: dict[str, int]


def peek(path: Path) -> Peek:
    """Look at the ``obs`` of an h5ad.

    Raises
    ------
    InputError
        If there is no such file, or it is damaged or no h5ad.
    """
    if not path.is_file():
        raise InputError(f"There is no file {path}.")
    if found_wrong := damage(path):
        raise InputError(f"{path.name} is damaged: {found_wrong}. Copy or download it again.")
    try:
        with h5py.File(path) as file:
            obs = file["obs"]
            if isinstance(obs, h5py.Dataset):  # as anndata wrote it before 0.7
                return Peek(path, len(obs), {})
            index = obs[_text(obs.attrs["_index"])]
            return Peek(path, len(index), _columns(obs))
    except (OSError, RuntimeError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path.name} is not an h5ad: {error}. Save the table with AnnData.write_h5ad."
        ) from error


def _columns(obs: Any) -> dict[str, int]:
    """Categorical columns in the file's order, by their number of categories."""
    names = [_text(name) for name in obs.attrs.get("column-order", sorted(obs))]
    older = obs.get("__categories", {})
    found = {}
    for name in names:
        column = obs.get(name)
        if isinstance(column, h5py.Group) and "categories" in column:
            found[name] = len(column["categories"])
        elif name in older:
            found[name] = len(older[name])
    return {name: number for name, number in found.items() if _FEWEST <= number <= _MOST}


def _text(name: Any) -> str:
    return name.decode() if isinstance(name, bytes) else str(name)
