"""Reading labels images, or outlines as labels, and what came with them."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import zarr
from numpy.typing import NDArray

from napari_gluer.errors import InputError, listed
from napari_gluer.image import MultiplexImage
from napari_gluer.io.choice import Choice
from napari_gluer.io.damage import refusing
from napari_gluer.io.lazy import ChannelView, LazyPixels
from napari_gluer.io.ome_zarr import opened_image
from napari_gluer.io.outlines import (
    drawn,
    holds_nuclei,
    ids_of,
    image_of,
    is_outlines,
    read_polygons,
)
from napari_gluer.io.tiff_images import TiffImage
from napari_gluer.io.zarr_checks import refuse_impossible
from napari_gluer.io.zarr_codecs import guarded
from napari_gluer.io.zarr_members import about, label_names
from napari_gluer.io.zarr_stores import is_address, is_zarr, open_node, short_name
from napari_gluer.labels import checked_labels

_DAMAGED = "Its description is damaged or of another kind. Copy or export it again."


@dataclass(frozen=True, eq=False)
class LabelsFile:
    """A labels image as a file holds it.

    Parameters
    ----------
    data
        Whole numbers ``(y, x)`` or ``(z, y, x)``, 0 = background; read when sliced, except where
        outlines were drawn. Not yet checked (see `napari_gluer.labels.checked_labels`).
    ids
        For outlines: ``label``, and ``id`` and ``name`` in the file. Else None.
    pixel_size_um
        Of every axis, None where unknown.
    pyramid
        At full and falling resolution, where the file holds one.
    notes
        What was assumed or left out, in plain sentences.
    """

    data: Any
    ids: pd.DataFrame | None = None
    pixel_size_um: tuple[float, ...] | None = None
    pyramid: tuple[Any, ...] = ()
    notes: tuple[str, ...] = ()


def open_labels(
    path: str | os.PathLike[str], *, like: MultiplexImage | None = None, name: str | None = None
) -> LabelsFile:
    """Open labels; pixels are read when they are asked for.

    Parameters
    ----------
    path
        - a TIFF whose pixels are numbers of cells;
        - OME-Zarr labels (folder, zip or address): the labels image, or the image that has it;
        - outlines: GeoJSON (QuPath), ``cell_boundaries`` of Xenium or MERSCOPE. They are drawn with
          the centres of pixels deciding; where cells overlap the first in the file keeps the pixel.
          A label is the file's id where all ids are different positive whole numbers, else 1…n in
          the file's order.
    like
        The image that the labels belong to. Needed for outlines (shape and pixel size); others are
        refused if their shape is another.
    name
        Which labels, where an OME-Zarr has several; ``nucleus`` takes QuPath's nuclei.

    Raises
    ------
    InputError
        If the file cannot be read, does not hold labels, or it is not clear which.
    """
    source = Path(path)
    if is_address(path) or is_zarr(path):
        found = _of_zarr(path, name)
    elif is_outlines(source):
        found = _of_outlines(source, like, nuclei=(name or "").casefold().startswith("nucle"))
    else:
        found = _of_tiff(source)
    if like is not None and tuple(found.data.shape) != like.spatial_shape:
        raise InputError(
            f"{short_name(path)} has shape {tuple(found.data.shape)} and the image "
            f"{like.spatial_shape}; labels must have the shape of their image."
        )
    return found


def open_nuclei(path: str | os.PathLike[str], *, like: MultiplexImage | None = None) -> LabelsFile:
    """Open labels of nuclei, as `open_labels`; of outlines of cells and nuclei (QuPath), nuclei.

    Raises
    ------
    InputError
        As `open_labels`.
    """
    source = Path(path)
    both = not is_address(path) and is_outlines(source) and holds_nuclei(source)
    return open_labels(path, like=like, name="nucleus" if both else None)


def read_labels(
    path: str | os.PathLike[str], *, like: MultiplexImage | None = None, name: str | None = None
) -> NDArray[np.integer]:
    """Read labels into memory, and check them.

    Parameters
    ----------
    path, like, name
        As in `open_labels`, which also gives the ids of outlines and what was left out.

    Returns
    -------
    Whole numbers ``(y, x)`` or ``(z, y, x)``, 0 = background.

    Raises
    ------
    InputError
        As `open_labels`, and if there are fractions or negative numbers.
    """
    found = open_labels(path, like=like, name=name)
    try:
        return checked_labels(found.data[...])
    except InputError as error:
        raise InputError(f"{short_name(path)}: {error}") from error


def labels_beside(path: str | os.PathLike[str]) -> list[str]:
    """Names of the labels that lie inside an OME-Zarr image."""
    with refusing(short_name(path), _DAMAGED):
        node = open_node(path)
        inside = node.get("labels") if isinstance(node, zarr.Group) else None
        return label_names(inside) if isinstance(inside, zarr.Group) else []


def _of_tiff(path: Path) -> LabelsFile:
    tiff = TiffImage(path, Choice(), channels=False)
    if tiff.length("T") > 1:
        raise InputError(
            f"{path.name} has {tiff.length('T')} time points; labels have none. Save one of them, "
            "or name the axis z if it is one."
        )
    levels = tiff.levels()
    if levels[0].shape[0] != 1:
        raise InputError(
            f"{path.name} has {levels[0].shape[0]} channels; labels have one, (y, x) or (z, y, x)."
        )
    return _found([ChannelView(level, 0) for level in levels], tiff.size)


def _of_outlines(path: Path, like: MultiplexImage | None, *, nuclei: bool) -> LabelsFile:
    image_of(path.name, like)  # before what else an image is needed for
    polygons, notes = read_polygons(path, like=like, nuclei=nuclei)
    raster, told = drawn(path.name, polygons, like)
    spacing = like.spacing_um if like is not None else None
    return LabelsFile(raster.labels, ids_of(polygons), spacing, (), (*notes, *told))


def _of_zarr(path: str | os.PathLike[str], name: str | None) -> LabelsFile:
    label = short_name(path)
    node = open_node(path)
    if isinstance(node, zarr.Array):
        refuse_impossible(label, node)
        axes = "TCZYX"[-node.ndim :]
        return _found([LazyPixels(guarded(node), axes, axes, name=label)], None)
    with refusing(label, _DAMAGED):
        group = _chosen(label, node, name)
        levels, size, notes = opened_image(label, group, Choice())
    if levels[0].shape[0] != 1 or levels[0].dtype.kind not in "uif":
        raise InputError(
            f"{label} has {levels[0].shape[0]} channels of {levels[0].dtype}; labels have one, of "
            "whole numbers."
        )
    return _found([ChannelView(level, 0) for level in levels], size, notes)


def _chosen(label: str, node: Any, name: str | None) -> Any:
    """The group of the labels that are meant."""
    facts = about(node)
    if "image-label" in facts:
        return node
    inside = node.get("labels") if "labels" not in facts else node
    names = label_names(inside) if isinstance(inside, zarr.Group) else []
    if not names and "multiscales" in facts:
        return node
    if not names:
        raise InputError(f"{label} holds no labels (it has: {listed(sorted(facts))}).")
    if name is None and len(names) > 1:
        raise InputError(
            f"{label} holds {len(names)} labels: {listed(names)}. Choose one by its name, or open "
            f"its own path, {label}/{'' if inside is node else 'labels/'}{names[0]} for instance."
        )
    wanted = names[0] if name is None else name
    if wanted not in names:
        raise InputError(f"{label} has no labels {wanted!r}; it has {listed(names)}.")
    group = inside.get(wanted)
    if not isinstance(group, zarr.Group) or "multiscales" not in about(group):
        raise InputError(f"{label}: labels {wanted} are not there. Copy it again.")
    return group


def _found(levels: list[Any], size: Any, notes: tuple[str, ...] = ()) -> LabelsFile:
    if levels[0].ndim not in (2, 3):
        raise InputError(f"Labels must be (y, x) or (z, y, x); these are {levels[0].shape}.")
    return LabelsFile(levels[0], None, size, tuple(levels) if len(levels) > 1 else (), notes)
