"""Folders of TIFFs: one channel a file, named by marker, or as CODEX lays them out."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from napari_gluer.errors import InputError, listed
from napari_gluer.image import MultiplexImage
from napari_gluer.io import codex
from napari_gluer.io.channels import numbered
from napari_gluer.io.choice import Choice
from napari_gluer.io.lazy import PlanePixels, StackedPixels
from napari_gluer.io.tiff_images import read_tiff
from napari_gluer.names import unique_names

_SUFFIXES = (".tif", ".tiff")


def tiffs_in(folder: Path) -> list[Path]:
    """The TIFFs of a folder, by name without regard to case; hidden files are left out."""
    try:
        inside = sorted(folder.iterdir(), key=lambda file: (file.name.casefold(), file.name))
    except OSError as error:
        raise InputError(f"The folder {folder} cannot be read ({error.strerror}).") from error
    return [f for f in inside if f.suffix.casefold() in _SUFFIXES and not f.name.startswith(".")]


def is_tissue_folder(folder: Path) -> bool:
    """Whether a folder is likely meant as one image: mostly TIFFs, or a CODEX list of names."""
    try:
        inside = [file for file in folder.iterdir() if not file.name.startswith(".")]
    except OSError:
        return False
    tiffs = [file for file in inside if file.suffix.casefold() in _SUFFIXES]
    return bool(tiffs) and (2 * len(tiffs) >= len(inside) or codex.names_near(folder) is not None)


def read_folder(folder: Path, choice: Choice) -> MultiplexImage:
    """Open a folder of TIFFs as one image.

    Raises
    ------
    InputError
        If there is no TIFF, or the TIFFs are not channels of one image.
    """
    files = tiffs_in(folder)
    if not files:
        inside = sorted(file.name for file in folder.iterdir())
        found = f"has no TIFF (it has: {listed(inside)})" if inside else "is empty"
        raise InputError(
            f"The folder {folder} {found}. A folder of one-channel TIFFs named by marker would do, "
            "or an OME-Zarr."
        )
    if codex.stacks(files):
        return _one_stack(folder, files, choice)
    cycles = codex.planes(files)
    if cycles is not None:
        return _cycles(folder, list(cycles.values()))
    ordered = codex.stitched(files)
    if ordered is not None:
        return _stacked([file for file, _ in ordered], [name for _, name in ordered])
    if len(files) == 1:
        image = read_tiff(files[0], choice)
        if len(image.channels) > 1:
            return image
    return _stacked(files, [codex.stem(file) for file in files])


def _one_stack(folder: Path, files: list[Path], choice: Choice) -> MultiplexImage:
    """One of the tiles of a CODEX folder; the series chooses it."""
    names = [codex.stem(file) for file in files]
    if choice.series is None and len(files) > 1:
        raise InputError(
            f"{folder.name} holds {len(files)} stacks: {listed(names)}. Choose one by its name, "
            f"series={names[0]!r} for instance, or open its file."
        )
    wanted = names[0] if choice.series is None else str(choice.series)
    if wanted not in names and wanted.isdecimal() and int(wanted) < len(names):
        wanted = names[int(wanted)]
    if wanted not in names:
        raise InputError(f"{folder.name} has no stack {wanted!r}; it has {listed(names)}.")
    return read_tiff(files[names.index(wanted)], Choice(None, choice.time))


def _cycles(folder: Path, channels: list[list[Path]]) -> MultiplexImage:
    images = [[_single(file) for file in files] for files in channels]
    _refuse_unlike([f for files in channels for f in files], [i for row in images for i in row])
    near = codex.names_near(folder)
    if near is not None and len(near[1]) != len(channels):
        raise InputError(
            f"{near[0].name} names {len(near[1])} channels, and {folder.name} has planes of "
            f"{len(channels)}. Correct the list, or move it away to open the image without names."
        )
    given = [""] * len(channels) if near is None else near[1]
    names, notes = numbered(given, folder.name if near is None else near[0].name)
    if len(channels[0]) == 1:
        parts: list[Any] = [row[0].data for row in images]
        return MultiplexImage(StackedPixels(parts), names, images[0][0].pixel_size_um, notes=notes)
    parts = [PlanePixels([image.data for image in row]) for row in images]
    return MultiplexImage(StackedPixels(parts), names, notes=notes)


def _stacked(files: Sequence[Path], names: Sequence[str]) -> MultiplexImage:
    images = [_single(file) for file in files]
    _refuse_unlike(files, images)
    sizes = {image.pixel_size_um for image in images}
    notes = (
        (f"The TIFFs give different pixel sizes; that of {files[0].name} is used.",)
        if len(sizes) > 1
        else ()
    )
    pixels = StackedPixels([image.data for image in images])
    return MultiplexImage(pixels, unique_names(names), images[0].pixel_size_um, notes=notes)


def _single(file: Path) -> MultiplexImage:
    return read_tiff(file, Choice())


def _refuse_unlike(files: Sequence[Path], images: Sequence[MultiplexImage]) -> None:
    for file, image in zip(files, images, strict=True):
        if len(image.channels) > 1:
            raise InputError(
                f"{file.name} has {len(image.channels)} channels, shape {image.data.shape}; every "
                "TIFF in the folder must be one channel. If its planes are one channel in z, save "
                "it with named axes (ImageJ or OME-TIFF)."
            )
        if image.spatial_shape != images[0].spatial_shape:
            raise InputError(
                f"{file.name} has shape {image.data.shape}; every TIFF in the folder must be one "
                f"channel of shape {images[0].spatial_shape}, as {files[0].name} is."
            )
