"""From an image to labels: the channels that show nuclei, the method, the growth into cells."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from napari_gluer.errors import InputError, listed
from napari_gluer.image import MultiplexImage
from napari_gluer.labels import compact
from napari_gluer.markers import nuclear_family
from napari_gluer.params import Params
from napari_gluer.polygons import Regions
from napari_gluer.segmentation.cellpose import Cellpose, cellpose_model
from napari_gluer.segmentation.fields import Window, widened, within
from napari_gluer.segmentation.growth import grow, guessed_membranes, reach_of
from napari_gluer.segmentation.instanseg import InstanSeg, instanseg_model
from napari_gluer.segmentation.keeping import OUTSIDE, Folder, Keep, Memory
from napari_gluer.segmentation.params import Expansion, Membrane, Watershed
from napari_gluer.segmentation.scene import Scene
from napari_gluer.segmentation.stitching import find_with
from napari_gluer.segmentation.watershed import find_nuclei, recipe_for
from napari_gluer.tiles import Store, TileParams, tiles_of
from napari_gluer.track import Track, silently

_AROUND = 3  # nucleus diameters beyond a window that are looked at too


class SegmentParams(Params):
    """How cells are found."""

    nuclear_channels: tuple[str, ...] = ()
    """Channels that show nuclei; they are added up. Empty: the only channel, or the best known name
    in the image (DAPI, Hoechst, DRAQ5, …, DNA1 and DNA2, histone H3)."""

    method: Annotated[Watershed | Cellpose | InstanSeg, Field(discriminator="kind")] = Watershed()
    """How nuclei are found, and the method's settings."""

    growth: Annotated[Expansion | Membrane, Field(discriminator="kind")] = Expansion()
    """How nuclei grow into cells."""


@dataclass(frozen=True, eq=False)
class Segmentation:
    """What `find_cells` found.

    Attributes
    ----------
    nuclei, cells
        Labels as `segment` gives them; the same array twice where nuclei do not grow.
    channels
        In which nuclei were looked for.
    outside_regions
        Cells left out because their centres lie outside the regions.
    """

    nuclei: Any
    cells: Any
    channels: tuple[str, ...]
    outside_regions: int


@dataclass(frozen=True, eq=False)
class _Task:
    """One call of `segment`."""

    image: MultiplexImage
    params: SegmentParams
    window: Window | None
    regions: Regions | None
    tiles: TileParams
    store: str | os.PathLike[str] | None
    track: Track
    model: Any


def segment(  # noqa: PLR0913 - a public step: what, how, where
    image: MultiplexImage,
    params: SegmentParams | None = None,
    *,
    window: Sequence[slice] | None = None,
    regions: Regions | None = None,
    tiles: TileParams | None = None,
    store: str | os.PathLike[str] | None = None,
    track: Track = silently,
    model: Any = None,
) -> Any:
    """Find the cells of an image.

    The watershed's labels are the same however the image is cut into tiles, number by number.

    Parameters
    ----------
    image
        ``(c, y, x)`` or ``(c, z, y, x)``, of any size; only the channels asked for are read.
    params
        Channels and method; the defaults when None.
    window
        Slices along the spatial axes: cells of that part only, found with the whole image's
        statistics. Only there it may matter how far a clump of touching cells goes on outside.
    regions
        Cells whose centre lies outside are left out, and statistics are taken inside.
    tiles
        How the image is cut, and where tiles are worked.
    store
        A folder into which labels go tile by tile. A call that was killed goes on from there.
    track
        Reports tiles; cancels within a stage of one.
    model
        An open model for Cellpose or InstanSeg, in place of the file that the method names.

    Returns
    -------
    int32 labels, ``(y, x)`` or ``(z, y, x)``: 0 is background, cells are 1…n in the order of
    their nuclei's first pixels, without gaps. A NumPy array, of the window's shape where there
    is one; with a store a zarr array, sliced alike.

    Raises
    ------
    InputError
        If no channel is known to show nuclei, nothing is found, the window lies outside, the
        method's extra is not installed, or the store holds other work.
    """
    return segment_nuclei_and_cells(
        image, params, window=window, regions=regions, tiles=tiles, store=store, track=track,
        model=model,
    )[1]  # fmt: skip


def segment_nuclei_and_cells(  # noqa: PLR0913 - as `segment`
    image: MultiplexImage,
    params: SegmentParams | None = None,
    *,
    window: Sequence[slice] | None = None,
    regions: Regions | None = None,
    tiles: TileParams | None = None,
    store: str | os.PathLike[str] | None = None,
    track: Track = silently,
    model: Any = None,
) -> tuple[Any, Any]:
    """Find the nuclei of an image and the cells around them; arguments as of `segment`.

    Returns
    -------
    nuclei, cells
        Labels as `segment` gives them; a nucleus and its cell have one number. The same array
        twice where nuclei do not grow.
    """
    found = find_cells(
        image, params, window=window, regions=regions, tiles=tiles, store=store, track=track,
        model=model,
    )  # fmt: skip
    return found.nuclei, found.cells


def find_cells(  # noqa: PLR0913 - as `segment`
    image: MultiplexImage,
    params: SegmentParams | None = None,
    *,
    window: Sequence[slice] | None = None,
    regions: Regions | None = None,
    tiles: TileParams | None = None,
    store: str | os.PathLike[str] | None = None,
    track: Track = silently,
    model: Any = None,
) -> Segmentation:
    """Find the nuclei and cells of an image, and tell what was left out; arguments as `segment`."""
    task = _Task(
        image, params or SegmentParams(), tuple(window) if window is not None else None,
        regions or None, tiles or TileParams(), store, track, model,
    )  # fmt: skip
    return _segmented(task)


def nuclear_channels(image: MultiplexImage, params: SegmentParams) -> tuple[str, ...]:
    """The channels in which nuclei are looked for: those asked for, else by name.

    Raises
    ------
    InputError
        If one that is asked for is not there, or none is known to show nuclei.
    """
    names = params.nuclear_channels or guessed_nuclear(image.channels)
    return tuple(image.channels[image.index(name)] for name in names)


def guessed_nuclear(channels: Sequence[str]) -> tuple[str, ...]:
    """The channels that show nuclei, by name: the first family known, two of it at most.

    The only channel of an image is taken whatever its name.

    Raises
    ------
    InputError
        If none is known; the message names the channels.
    """
    if len(channels) == 1:
        return tuple(channels)
    families = {name: nuclear_family(name) for name in channels}
    known = [family for family in families.values() if family is not None]
    if not known:
        raise InputError(
            f"No channel is known to show nuclei; the image has {listed(channels)}. "
            "Name one in nuclear_channels."
        )
    best = min(known)
    # An intercalator is read in two isotopes; of a stain repeated every cycle one is enough.
    limit = 2 if best == nuclear_family("DNA1") else 1
    return tuple([name for name, family in families.items() if family == best][:limit])


def _segmented(task: _Task) -> Segmentation:
    image, shape = task.image, task.image.spatial_shape
    channels = nuclear_channels(image, task.params)
    if not all(shape):
        raise InputError(f"The image has no pixels: its shape is {tuple(image.data.shape)}.")
    whole = tuple(slice(0, length) for length in shape)
    shown = whole if task.window is None else _checked(task.window, shape)
    scene = Scene(image, channels, task.regions, whole)
    keep = Memory(whole) if task.store is None else _folder(task, scene)
    find, around = _finder(task, scene, keep)
    if task.window is not None:
        scene = replace(scene, part=widened(shown, around, shape))
        keep = Memory(scene.part)
    nuclei = find(scene, keep)
    cells = grow(scene, task.params.growth, keep, nuclei, (task.tiles, task.track))
    if task.window is not None:
        nuclei, cells = _cropped(nuclei, cells, within(shown, scene.part))
    return Segmentation(nuclei, cells, channels, int(keep.value(OUTSIDE) or 0))


def _finder(
    task: _Task, scene: Scene, keep: Keep
) -> tuple[Callable[[Scene, Keep], Any], tuple[int, ...]]:
    """What finds nuclei, and how many pixels around a window it should see."""
    method, grid = task.params.method, scene.grid
    tiles, track = task.tiles, task.track
    growth = reach_of(task.params.growth) / grid.step_um
    if isinstance(method, Watershed):
        recipe = recipe_for(scene, method, keep, tiles, track)
        around = grid.sigma(_AROUND * recipe.diameter + growth)
        return (
            lambda scene, keep: find_nuclei(scene, recipe, keep, tiles, track),
            tuple(int(length) + 1 for length in around),
        )
    if isinstance(method, Cellpose):
        opened = cellpose_model(method, grid, task.model)
    else:
        opened = instanseg_model(method, grid, task.model)
    around = [method.overlap + length for length in grid.sigma(growth)]
    return (
        lambda scene, keep: find_with(opened, scene, keep, tiles, track),
        tuple(int(length) + 1 for length in around),
    )


def _folder(task: _Task, scene: Scene) -> Keep:
    """The folder that keeps finished tiles; refuses one of other work."""
    if task.window is not None:
        raise InputError(
            "A window is not kept in a folder: leave the store away, or segment the whole image."
        )
    growth = task.params.growth
    membranes: tuple[str, ...] = ()
    if isinstance(growth, Membrane):
        membranes = growth.channels or guessed_membranes(scene.image.channels)
    side = max(
        key.stop - key.start for tile in tiles_of(scene.shape, task.tiles)[:1] for key in tile.core
    )
    plan = {
        "step": "segment",
        "version": version("napari-gluer"),
        "params": task.params.model_dump(mode="json"),
        "channels": [*scene.channels, *membranes],
        "side": side,
        **scene.fingerprint((*scene.channels, *membranes)),
    }
    assert task.store is not None  # noqa: S101
    return Folder(Store(task.store, plan), scene.shape, side)


def _checked(window: Window, shape: tuple[int, ...]) -> Window:
    """`window` with non-negative starts and stops, inside the image."""
    if len(window) != len(shape):
        raise InputError(f"A window of {len(window)} axes does not fit an image of {len(shape)}.")
    full = tuple(slice(*key.indices(n)[:2]) for key, n in zip(window, shape, strict=True))
    if any(key.start >= key.stop for key in full):
        asked = ", ".join(f"{key.start}:{key.stop}" for key in window)
        raise InputError(f"The window {asked} holds no pixel of an image of shape {shape}.")
    return full


def _cropped(nuclei: Any, cells: Any, at: Window) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """A window of both, numbered anew without gaps."""
    shown, ids = compact(np.asarray(cells[at]))
    if cells is nuclei:
        return shown, shown
    inner = np.asarray(nuclei[at])
    number = np.zeros(int(ids.max(initial=0)) + 1, np.int32)
    number[ids] = np.arange(1, len(ids) + 1)
    return number[inner], shown
