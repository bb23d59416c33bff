"""Writing labels images, block by block, as OME-TIFF or OME-Zarr."""

import math
import os
from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import tifffile
import zarr
from numpy.typing import NDArray

from napari_gluer.errors import InputError
from napari_gluer.io.atomic import atomic_path, refuse_unwritable
from napari_gluer.labels import checked_labels

_TILE = 512
_CHUNK = 1024
_BLOCK = 2048  # pixels along y and x that are held at once; a multiple of both
_COARSEST = 1024  # pixels along the longer side of the last level, at most
_CLASSIC = 2**32 - 2**25  # bytes that a TIFF with 32-bit offsets holds
_LARGEST = int(np.iinfo(np.uint32).max)

Sizes = float | tuple[float, ...] | None
OmeZarr = Literal["0.4", "0.5"]


def write_labels(
    labels: Any,
    path: str | os.PathLike[str],
    pixel_size_um: Sizes = None,
    *,
    ome_zarr: OmeZarr = "0.5",
    about: Mapping[str, Any] | None = None,
) -> None:
    """Write labels as a tiled, compressed OME-TIFF or as OME-Zarr, whole or not at all.

    Parameters
    ----------
    labels
        Whole numbers ``(y, x)`` or ``(z, y, x)``: a NumPy array, or anything sliced like one, which
        is read block by block, twice. Stored in the smallest unsigned type that fits.
    path
        File to write, ending in ``.ome.tif``; or folder, ending in ``.zarr``, which then also
        holds a pyramid.
    pixel_size_um
        One number, or one for each axis in axis order.
    ome_zarr
        Version of OME-Zarr: 0.4 is read by more programs, 0.5 is its successor.
    about
        Content of ``image-label`` in OME-Zarr: ``colors`` and ``properties`` of labels.

    Raises
    ------
    InputError
        If `labels` are not labels, or a number is above 2³² - 1; if `path` has another ending, or
        is a folder that is no zarr.
    """
    target = Path(path)
    refuse_other_labels(target)
    shape = tuple(int(length) for length in labels.shape) if hasattr(labels, "shape") else ()
    if len(shape) not in (2, 3):
        labels = checked_labels(labels)
        shape = labels.shape
    dtype = _smallest_type(labels, shape)
    sizes = None if pixel_size_um is None else _sizes(pixel_size_um, len(shape))
    as_zarr = target.name.casefold().endswith(".zarr")
    with atomic_path(target) as partial:
        if as_zarr:
            _write_zarr(labels, partial, dtype, _Kind(ome_zarr, dict(about or {}), sizes))
        else:
            _write_tiff(labels, partial, dtype, sizes)


def refuse_other_labels(path: str | os.PathLike[str]) -> None:
    """Refuse a name that no labels can be written to; before long work, too."""
    target = Path(path)
    as_zarr = target.name.casefold().endswith(".zarr")
    if target.is_dir() and not (as_zarr and _looks_like_zarr(target)):
        raise InputError(f"{target} is a folder with other things in it; choose another name.")
    if not as_zarr and target.suffix.casefold() not in (".tif", ".tiff"):
        raise InputError(f"{target}: labels are written to a name that ends in .ome.tif or .zarr.")
    refuse_unwritable(target)


def _looks_like_zarr(folder: Path) -> bool:
    inside = {file.name for file in folder.iterdir()}
    return not inside or bool(inside & {"zarr.json", ".zgroup", ".zattrs"})


def _sizes(given: float | tuple[float, ...], axes: int) -> list[float]:
    """Size of a pixel along every axis."""
    if np.size(given) not in (1, axes):
        raise InputError(f"A pixel size is one number or {axes}; this one is {given}.")
    return [float(size) for size in np.broadcast_to(given, axes)]


def _blocks(shape: tuple[int, ...], side: int = _BLOCK) -> Iterator[tuple[slice, ...]]:
    """Blocks of one plane each, in raster order."""
    steps = (*(1 for _ in shape[:-2]), side, side)
    starts = (range(0, length, step) for length, step in zip(shape, steps, strict=True))
    for corner in product(*starts):
        yield tuple(
            slice(at, min(at + step, length))
            for at, step, length in zip(corner, steps, shape, strict=True)
        )


def _checked(labels: Any, key: tuple[slice, ...]) -> NDArray[np.integer]:
    return checked_labels(np.asarray(labels[key]))


def _smallest_type(labels: Any, shape: tuple[int, ...]) -> np.dtype[Any]:
    largest = max((int(_checked(labels, key).max(initial=0)) for key in _blocks(shape)), default=0)
    if largest > _LARGEST:
        raise InputError(f"Files hold labels up to 2³² - 1; the largest here is {largest}.")
    return np.min_scalar_type(largest)


def _write_tiff(labels: Any, path: Path, dtype: np.dtype[Any], sizes: list[float] | None) -> None:
    shape = labels.shape
    axes = "ZYX"[-len(shape) :]
    metadata: dict[str, object] = {"axes": axes}
    for axis, size in zip(axes, sizes or (), strict=bool(sizes)):
        metadata |= {f"PhysicalSize{axis}": float(size), f"PhysicalSize{axis}Unit": "µm"}
    empty = 0 in shape
    tifffile.imwrite(
        path,
        np.zeros(shape, dtype) if empty else _tiles(labels, dtype),
        shape=shape,
        dtype=dtype,
        ome=True,
        bigtiff=math.prod(shape) * dtype.itemsize > _CLASSIC,  # compressed, they may still be more
        tile=(_TILE, _TILE),
        compression="zlib",
        photometric="minisblack",
        metadata=metadata,
    )


def _tiles(labels: Any, dtype: np.dtype[Any]) -> Iterator[NDArray[Any]]:
    """The tiles of a TIFF in its order, filled up at the right and lower edge."""
    *planes, height, width = labels.shape
    for plane in np.ndindex(*planes):
        for top in range(0, height, _TILE):
            depth = tuple(slice(z, z + 1) for z in plane)
            rows = slice(top, min(top + _TILE, height))
            for left in range(0, width, _BLOCK):
                block = _checked(labels, (*depth, rows, slice(left, min(left + _BLOCK, width))))
                strip = block.reshape(block.shape[-2:]).astype(dtype)
                for at in range(0, block.shape[-1], _TILE):
                    tile = np.zeros((_TILE, _TILE), dtype)
                    part = strip[:, at : at + _TILE]
                    tile[: part.shape[0], : part.shape[1]] = part
                    yield tile


class _Kind(NamedTuple):
    """Which OME-Zarr is written, and what it says of the labels."""

    version: OmeZarr
    about: dict[str, Any]
    sizes: list[float] | None


def _write_zarr(labels: Any, path: Path, dtype: np.dtype[Any], kind: _Kind) -> None:
    old = kind.version == "0.4"
    group = zarr.create_group(path, zarr_format=2 if old else 3)
    level = _new_level(group, 0, labels.shape, dtype)
    for key in _blocks(level.shape):
        level[key] = _checked(labels, key).astype(dtype)
    levels = [level]
    while max(levels[-1].shape[-2:]) > _COARSEST:
        levels.append(_halved(group, len(levels), levels[-1]))
    told = _description([one.shape for one in levels], kind)
    if old:
        group.attrs.update(told)
    else:
        group.attrs["ome"] = told


def _new_level(group: Any, number: int, shape: tuple[int, ...], dtype: Any) -> Any:
    chunks = (*(1 for _ in shape[:-2]), *(min(_CHUNK, max(1, side)) for side in shape[-2:]))
    if group.metadata.zarr_format == 2:
        nested = {"name": "v2", "separator": "/"}
        return group.create_array(
            str(number), shape=shape, chunks=chunks, dtype=dtype, chunk_key_encoding=nested
        )
    axes = list("zyx"[-len(shape) :])
    return group.create_array(
        str(number), shape=shape, chunks=chunks, dtype=dtype, dimension_names=axes
    )


def _halved(group: Any, number: int, finer: Any) -> Any:
    """The next level: the largest label of every 2 × 2 pixels, so that small cells stay."""
    *planes, height, width = finer.shape
    coarser = _new_level(group, number, (*planes, -(-height // 2), -(-width // 2)), finer.dtype)
    for key in _blocks(finer.shape):
        block = finer[key]
        odd = [(0, 0)] * len(planes) + [(0, side % 2) for side in block.shape[-2:]]
        even = np.pad(block, odd)
        small = np.maximum(even[..., ::2, :], even[..., 1::2, :])
        small = np.maximum(small[..., ::2], small[..., 1::2])
        place = [slice(part.start // 2, -(-part.stop // 2)) for part in key[-2:]]
        coarser[(*key[:-2], *place)] = small
    return coarser


def _description(shapes: list[tuple[int, ...]], kind: _Kind) -> dict[str, Any]:
    count = len(shapes[0])
    unit = {"unit": "micrometer"} if kind.sizes else {}
    axes = [{"name": axis, "type": "space", **unit} for axis in "zyx"[-count:]]
    base = kind.sizes or [1.0] * count
    datasets = []
    for number in range(len(shapes)):
        factor = [1.0] * (count - 2) + [2.0**number] * 2
        shift = [0.0] * (count - 2) + [(2.0**number - 1) / 2] * 2  # centres of coarser pixels
        datasets.append(
            {
                "path": str(number),
                "coordinateTransformations": [
                    {"type": "scale", "scale": [a * b for a, b in zip(base, factor, strict=True)]},
                    {
                        "type": "translation",
                        "translation": [a * b for a, b in zip(base, shift, strict=True)],
                    },
                ],
            }
        )
    image = {"name": "labels", "axes": axes, "datasets": datasets}
    if kind.version == "0.4":
        about = {"version": "0.4", **kind.about}
        return {"multiscales": [{"version": "0.4", **image}], "image-label": about}
    return {"version": "0.5", "multiscales": [image], "image-label": kind.about}
