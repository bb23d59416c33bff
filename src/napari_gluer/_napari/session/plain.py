"""Python values as JSON and arrays, and back; nothing is ever pickled."""

import zlib
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import pandas as pd
from napari.utils.colormaps import (
    Colormap,
    CyclicLabelColormap,
    DirectLabelColormap,
    ensure_colormap,
)
from numpy.typing import NDArray

from napari_gluer.errors import InputError
from napari_gluer.io.atomic import atomic_path

Arrays = dict[str, NDArray[Any]]

_ARRAY, _TABLE, _TUPLE, _MAP = "§array", "§table", "§tuple", "§map"
_CYCLIC, _DIRECT, _COLORS = "§cyclic", "§direct", "§colormap"
_NEITHER = object()


class UnplainError(TypeError):
    """A value that is neither JSON nor an array."""


def to_plain(value: Any, arrays: Arrays) -> Any:
    """`value` as JSON; arrays go into `arrays`, under names that the JSON has.

    Numbers, texts, tuples, lists, dictionaries, enumerations, arrays, tables of plain columns,
    colour maps and units.

    Raises
    ------
    UnplainError
        If it is something else.
    """
    simple = _of_numbers(value, arrays)
    if simple is not _NEITHER:
        return simple
    match value:
        case tuple():
            return {_TUPLE: [to_plain(one, arrays) for one in value]}
        case list():
            return [to_plain(one, arrays) for one in value]
        case Mapping():
            return _mapping(value, arrays)
        case CyclicLabelColormap() | DirectLabelColormap() | Colormap():
            return _colormap(value, arrays)
    raise UnplainError(f"{type(value).__name__} cannot be saved")


def _of_numbers(value: Any, arrays: Arrays) -> Any:
    """A single value, an array or a table; `_NEITHER` for anything else."""
    match value:
        case Enum():
            return to_plain(value.value, arrays)
        case None | bool() | int() | float() | str():
            return value
        case np.generic():
            return value.item()
        case np.ndarray():
            return _array(value, arrays)
        case pd.DataFrame():
            columns = {str(name): to_plain(_column(value[name]), arrays) for name in value}
            return {_TABLE: columns, "rows": len(value)}
    return str(value) if type(value).__name__ == "Unit" else _NEITHER


def from_plain(stored: Any, arrays: Mapping[str, NDArray[Any]]) -> Any:
    """What `to_plain` was given."""
    if isinstance(stored, list):
        return [from_plain(one, arrays) for one in stored]
    return _from_mapping(stored, arrays) if isinstance(stored, dict) else stored


def _from_mapping(stored: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Any:
    if _ARRAY in stored:
        return arrays[stored[_ARRAY]]
    if _TUPLE in stored:
        return tuple(from_plain(one, arrays) for one in stored[_TUPLE])
    if _TABLE in stored:
        columns = {name: from_plain(one, arrays) for name, one in stored[_TABLE].items()}
        return pd.DataFrame(columns, index=range(stored["rows"]))
    if _MAP in stored:
        return {from_plain(k, arrays): from_plain(v, arrays) for k, v in stored[_MAP]}
    kind = next((one for one in (_CYCLIC, _DIRECT, _COLORS) if one in stored), None)
    if kind is not None:
        return _as_colormap(kind, from_plain(stored[kind], arrays))
    return {name: from_plain(one, arrays) for name, one in stored.items()}


def write_arrays(arrays: Arrays, path: Path) -> None:
    """Write arrays under their names, compressed."""
    with atomic_path(path) as partial, partial.open("wb") as stream:
        np.savez_compressed(stream, **arrays)  # type: ignore[arg-type]


def read_arrays(path: Path) -> Arrays:
    """Arrays that `write_arrays` wrote.

    Raises
    ------
    InputError
        If the file is missing or damaged.
    """
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    except (OSError, ValueError, KeyError, EOFError, BadZipFile, zlib.error) as error:
        raise InputError(f"{path.name} of the session cannot be read: {error}.") from error


def _array(value: NDArray[Any], arrays: Arrays) -> Any:
    plain = np.asarray(value)
    if plain.dtype.kind == "O":
        return [to_plain(one, arrays) for one in plain.tolist()]
    for name, one in arrays.items():
        if one is plain:
            return {_ARRAY: name}
    name = f"a{len(arrays)}"
    arrays[name] = plain
    return {_ARRAY: name}


def _column(column: pd.Series) -> Any:
    """Values of a column as an array of numbers or a list of texts."""
    if column.dtype.kind in "biuf":
        return column.to_numpy()
    return [None if pd.isna(one) else one for one in column.astype(object)]


def _mapping(value: Mapping[Any, Any], arrays: Arrays) -> Any:
    if all(isinstance(name, str) for name in value):
        return {name: to_plain(one, arrays) for name, one in value.items()}
    return {_MAP: [[to_plain(k, arrays), to_plain(v, arrays)] for k, v in value.items()]}


def _colormap(value: Any, arrays: Arrays) -> Any:
    if isinstance(value, DirectLabelColormap):
        return {_DIRECT: to_plain({k: np.asarray(v) for k, v in value.color_dict.items()}, arrays)}
    if isinstance(value, CyclicLabelColormap):
        facts = {"colors": np.asarray(value.colors), "seed": value.seed, "name": value.name}
        facts["background_value"] = value.background_value
        return {_CYCLIC: to_plain(facts, arrays)}
    facts = {"colors": np.asarray(value.colors), "controls": np.asarray(value.controls)}
    facts |= {"name": value.name, "interpolation": value.interpolation}
    return {_COLORS: to_plain(facts, arrays)}


def _as_colormap(kind: str, facts: Any) -> Any:
    if kind == _DIRECT:
        return DirectLabelColormap(color_dict=facts)
    if kind == _CYCLIC:
        return CyclicLabelColormap(**facts)
    return ensure_colormap(Colormap(**facts))


__all__ = ["Arrays", "UnplainError", "from_plain", "read_arrays", "to_plain", "write_arrays"]
