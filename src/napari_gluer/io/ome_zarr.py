"""OME-Zarr 0.4 and 0.5 (and what 0.1 to 0.3 left in use): images, and labels beside them."""

import math
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import zarr

from napari_gluer.errors import InputError, listed
from napari_gluer.image import MultiplexImage
from napari_gluer.io.channels import UM_PER_UNIT, Sizes, numbered
from napari_gluer.io.choice import Choice, chosen_time
from napari_gluer.io.damage import refusing
from napari_gluer.io.lazy import LazyPixels
from napari_gluer.io.zarr_checks import refuse_impossible
from napari_gluer.io.zarr_codecs import guarded
from napari_gluer.io.zarr_members import about, chosen_image
from napari_gluer.io.zarr_stores import open_node, short_name

_LETTERS = {"channel": "C", "time": "T"}
_DAMAGED = "Its description is damaged or of another kind. Copy or export it again."


def read_ome_zarr(path: str | os.PathLike[str], choice: Choice) -> MultiplexImage:
    """Open an image of an OME-Zarr; nothing but its description is read.

    Raises
    ------
    InputError
        If there is no image, it is not clear which is meant, or its description is damaged.
    """
    name = short_name(path)
    node = open_node(path)
    with refusing(name, _DAMAGED):
        group = chosen_image(name, node, choice)
        if "image-label" in about(group):
            raise InputError(f"{name} holds labels, not an image; open it as labels.")
        levels, size, size_notes = opened_image(name, group, choice)
        names, notes = numbered(_labels_of(group, levels[0].shape[0]), name)
    pyramid = levels if len(levels) > 1 else ()
    return MultiplexImage(levels[0], names, size, pyramid, (*notes, *size_notes))


def opened_image(
    name: str, group: Any, choice: Choice
) -> tuple[list[LazyPixels], Sizes, tuple[str, ...]]:
    """The levels of a group with multiscales, its pixel size in µm, and what was assumed."""
    scales = _multiscales(name, group, choice)
    levels, stored = _levels(name, group, scales, choice)
    size, notes = _pixel_size(name, scales, stored, levels[0].shape)
    return levels, size, notes


def _levels(
    name: str, group: Any, scales: Mapping[str, Any], choice: Choice
) -> tuple[list[LazyPixels], str]:
    arrays = [_array(name, group, dataset) for dataset in scales["datasets"]]
    if not arrays:
        raise InputError(f"{name} describes an image without any array.")
    stored = _stored_axes(name, scales, arrays[0])
    same = [
        array
        for array in arrays
        if array.ndim == arrays[0].ndim
        and all(
            array.shape[i] == arrays[0].shape[i] for i, axis in enumerate(stored) if axis in "CT"
        )
    ]
    lengths = dict(zip(stored, arrays[0].shape, strict=True))
    time = chosen_time(name, lengths.get("T", 1), choice)
    shown = "CZYX" if lengths.get("Z", 1) > 1 else "CYX"
    return [LazyPixels(array, stored, shown, {"T": time}, name=name) for array in same], stored


def _multiscales(name: str, group: Any, choice: Choice) -> Mapping[str, Any]:
    found = about(group)["multiscales"]
    if len(found) > 1 and not isinstance(choice.series, int):
        given = listed(f"{i} {one.get('name', '')}".strip() for i, one in enumerate(found))
        raise InputError(
            f"{name} describes {len(found)} images: {given}. Choose one by its number, series=0 "
            "for instance."
        )
    number = choice.series if len(found) > 1 and isinstance(choice.series, int) else 0
    if not 0 <= number < len(found):
        raise InputError(f"{name} has no series {number}; it describes {len(found)} images.")
    scales: Mapping[str, Any] = found[number]
    return scales


def _array(name: str, group: Any, dataset: Mapping[str, Any]) -> "zarr.Array[Any]":
    try:
        array = group[str(dataset["path"])]
    except KeyError as error:
        raise InputError(
            f"{name} describes an array {dataset.get('path')} that is not there. Copy it again."
        ) from error
    if not isinstance(array, zarr.Array):
        raise InputError(f"{name}: {dataset['path']} is not an array. {_DAMAGED}")
    refuse_impossible(f"{name}: {dataset['path']}", array)
    return guarded(array)


def _stored_axes(name: str, scales: Mapping[str, Any], array: Any) -> str:
    """One letter an axis: T, C, Z, Y, X, and small letters for others of length 1."""
    given = scales.get("axes") or list("tczyx"[-array.ndim :])
    if len(given) != array.ndim:
        raise InputError(
            f"{name} names {len(given)} axes and its array has {array.ndim}, shape {array.shape}."
        )
    letters = [_letter(axis) for axis in given]
    unknown = [i for i, one in enumerate(letters) if one not in "TCZYX" or one in letters[:i]]
    wide = [str(given[i]) for i in unknown if array.shape[i] > 1]
    if wide or not {"Y", "X"} <= set(letters):
        raise InputError(
            f"{name} has axes {''.join(letters)} with shape {array.shape}; t, c, z, y and x can be "
            "read."
        )
    return "".join(chr(ord("a") + i) if i in unknown else one for i, one in enumerate(letters))


def _letter(axis: Any) -> str:
    if isinstance(axis, str):
        return axis.upper()[:1]
    return _LETTERS.get(str(axis.get("type")), str(axis["name"]).upper()[:1])


def _labels_of(group: Any, count: int) -> list[str]:
    omero = about(group).get("omero")
    channels = omero.get("channels", []) if isinstance(omero, Mapping) else []
    names = [
        str(channel.get("label") or "").strip() if isinstance(channel, Mapping) else ""
        for channel in channels[:count]
    ]
    return names + [""] * (count - len(names))


def _pixel_size(
    name: str, scales: Mapping[str, Any], stored: str, shape: Sequence[int]
) -> tuple[Sizes, tuple[str, ...]]:
    """Size of a pixel of the first level in µm, and a note where it had to be assumed."""
    given = scales.get("axes") or []
    factors = [
        _scale(scales.get("coordinateTransformations"), len(stored)),
        _scale(scales["datasets"][0].get("coordinateTransformations"), len(stored)),
    ]
    sizes = np.prod(factors, axis=0)
    axes = [stored.index(axis) for axis in "ZYX"[-(len(shape) - 1) :]]
    units = [
        given[i].get("unit") if given and isinstance(given[i], Mapping) else None for i in axes
    ]
    spatial = [float(sizes[i]) for i in axes]
    if any(not (0 < size < math.inf) for size in spatial):
        return None, (f"{name} gives a pixel size of {spatial}; it is left out.",)
    if not any(units):
        if all(size == 1 for size in spatial):
            return None, ()
        return tuple(spatial), (f"{name} gives a pixel size without a unit; µm are assumed.",)
    um = [UM_PER_UNIT.get(str(unit), 0.0) for unit in units]
    if not all(um):
        return None, (f"{name} gives its pixel size in {listed(units)}; it is left out.",)
    return tuple(size * one for size, one in zip(spatial, um, strict=True)), ()


def _scale(transforms: Any, axes: int) -> Any:
    """The product of the scales among `transforms`."""
    product = np.ones(axes)
    for transform in transforms or ():
        if transform.get("type") == "scale" and len(transform.get("scale", ())) == axes:
            product = product * np.array(transform["scale"], float)
    return product
