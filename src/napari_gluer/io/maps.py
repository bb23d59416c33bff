"""A trained map in a file: safetensors for the numbers, JSON for what they are."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from napari_gluer.errors import InputError
from napari_gluer.io.atomic import atomic_path
from napari_gluer.io.damage import refusing

VERSION = 1
_FORMAT = "napari-gluer map"
_HEADER, _BY_COLUMNS = "napari_gluer", "by_columns"
_ENDING = ".safetensors"
_ADVICE = "Copy it again, or learn the map anew with ng.learn_map."
_NEEDED = frozenset(
    {
        "cell_mean", "cell_spread", "directions", "reference_space", "reference_unmapped",
        "reference_scores", "reference_usable", "anchored_reference",
    }
)  # fmt: skip


class MapHeader(BaseModel):
    """What the numbers of a map are; stored as JSON.

    Attributes
    ----------
    version
        Of the format.
    software
        Version of napari-gluer that wrote it.
    features
        From every linked feature of the cells to its genes, in the order of the numbers.
    kind
        What the cells' values were, ``uns["gluer"]["kind"]``.
    normalised
        Whether they were taken as they were, or as log1p of shares of their cell's total.
    reference_fingerprint, n_reference
        Of the reference it was learnt with.
    params, seed
        Of the integration.
    shares
        Of the transcriptome part and of the linear map, on [0, 1].
    scale
        By which factors are divided before the network.
    network
        Widths of its hidden layers, and whether it is added to its input.
    least_linked
        In how many features a cell must have a signal.
    provenance
        What integrated cells remember in ``uns["gluer"]``.
    outcome
        One line of what was learnt.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int = VERSION
    software: str
    features: dict[str, list[str]]
    kind: str
    normalised: bool
    reference_fingerprint: str
    n_reference: int
    params: dict[str, Any]
    seed: int
    shares: tuple[float, float]
    scale: float
    network: dict[str, Any]
    least_linked: int
    provenance: dict[str, Any]
    outcome: str


@dataclass(frozen=True, eq=False)
class TrainedMap:
    """A map of cells into the space of a reference: made by `learn_map`, used by `map_cells`.

    Attributes
    ----------
    header
        What the numbers are.
    arrays
        ``cell_mean``, ``cell_spread`` ``(n_features,)``; ``directions`` ``(n_features, rank)``,
        the joint singular vectors; ``turn_centre``, ``turn_directions``, the linear map, and
        ``coefficients``, the prediction of the transcriptome, where they are used;
        ``network.…``, weights and biases; ``reference_space``, ``reference_unmapped``,
        ``reference_scores`` ``(n_reference, …)``; ``reference_usable`` and ``anchored_reference``,
        bool ``(n_reference,)``.
    """

    header: MapHeader
    arrays: dict[str, NDArray[Any]]

    def __str__(self) -> str:
        return self.header.outcome


def save_map(trained: TrainedMap, path: str | os.PathLike[str]) -> None:
    """Write a map as ``.safetensors`` with a JSON header, whole or not at all.

    Raises
    ------
    InputError
        If the name has another ending.
    """
    target = Path(path)
    if target.suffix.casefold() != _ENDING or target.is_dir():
        raise InputError(f"{target}: a map is a file whose name ends in {_ENDING}.")
    told = {"format": _FORMAT, **trained.header.model_dump(mode="json")}
    # products round by the order in memory: the loaded map must give the very same numbers
    columns = [name for name, array in trained.arrays.items() if not array.flags.c_contiguous]
    arrays = {name: np.ascontiguousarray(array) for name, array in trained.arrays.items()}
    with atomic_path(target) as partial:
        about = {_HEADER: json.dumps(told), _BY_COLUMNS: json.dumps(columns)}
        save_file(arrays, partial, metadata=about)


def load_map(path: str | os.PathLike[str]) -> TrainedMap:
    """Read a map that `save_map` wrote; nothing in it is executed.

    Raises
    ------
    InputError
        If there is no such file, it is no map, damaged, or was written by a newer version.
    """
    source = Path(path)
    if not source.is_file():
        raise InputError(f"There is no file {source}.")
    with refusing(source.name, _ADVICE), _readable(source), safe_open(source, "np") as file:
        about = file.metadata() or {}
        header = _header(source, about.get(_HEADER))
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        for name in json.loads(about.get(_BY_COLUMNS, "[]")):
            arrays[name] = np.asfortranarray(arrays[name])
    _check(source, header, arrays)
    return TrainedMap(header, arrays)


@contextmanager
def _readable(source: Path) -> Iterator[None]:
    """Errors of safetensors as those of a damaged file."""
    try:
        yield
    except SafetensorError as error:
        raise InputError(f"{source.name} is no map, or damaged: {error}. {_ADVICE}") from error


def _header(source: Path, text: str | None) -> MapHeader:
    """Checked: the format first, then its version, then all of it."""
    told = None if text is None else json.loads(text)
    if not isinstance(told, dict) or told.pop("format", "") != _FORMAT:
        raise InputError(f"{source.name} is a safetensors file, but no map of napari-gluer.")
    version = told.get("version")
    if isinstance(version, int) and version > VERSION:
        raise InputError(
            f"{source.name} was written by a newer napari-gluer ({told.get('software', 'unknown')}"
            f"; map version {version}, this one reads up to {VERSION}). Update: "
            "pip install --upgrade napari-gluer."
        )
    try:
        return MapHeader.model_validate(told)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InputError(
            f"{source.name}: its header is damaged ({where}: {first['msg']}). {_ADVICE}"
        ) from error


def _check(source: Path, header: MapHeader, arrays: dict[str, NDArray[Any]]) -> None:
    """Refuse numbers that do not fit together."""
    missing = sorted(_NEEDED - set(arrays))
    n_features, n_reference = len(header.features), header.n_reference
    wrong = [
        name
        for name, array in arrays.items()
        if (name in ("cell_mean", "cell_spread", "directions") and len(array) != n_features)
        or (name.startswith("reference_") and len(array) != n_reference)
        or not np.isfinite(array).all()
    ]
    if missing or wrong:
        found = f"{missing[0]} is missing" if missing else f"{wrong[0]} has wrong numbers"
        raise InputError(f"{source.name} is damaged: {found}. {_ADVICE}")
