"""What is segmented: channels of an image, read window by window."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_gluer.image import MultiplexImage
from napari_gluer.polygons import Regions
from napari_gluer.segmentation.fields import Window
from napari_gluer.segmentation.scale import Grid
from napari_gluer.tiles import Cut, Tile, TileParams, pixels_print, tiles_of


@dataclass(frozen=True, eq=False)
class Scene:
    """An image, the channels that show nuclei, and the part that is looked at.

    Attributes
    ----------
    image
        ``(c, y, x)`` or ``(c, z, y, x)``.
    channels
        Names of the channels that show nuclei; they are added up.
    regions
        Where cells count; None: everywhere.
    part
        The window of the image in which cells are looked for.
    """

    image: MultiplexImage
    channels: tuple[str, ...]
    regions: Regions | None
    part: Window

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the whole image, ``(y, x)`` or ``(z, y, x)``."""
        return self.image.spatial_shape

    @property
    def grid(self) -> Grid:
        """Lengths on the image."""
        return Grid.of(len(self.shape), self.image.spacing_um)

    def cuts(self, window: Window, channels: Sequence[str] | None = None) -> tuple[Cut, ...]:
        """A window of each channel, unread."""
        names = self.channels if channels is None else channels
        return tuple(Cut(self.image.data, (self.image.index(name), *window)) for name in names)

    def tiles(self, params: TileParams | None) -> list[Tile]:
        """Tiles of the part, in coordinates of the whole image."""
        lengths = tuple(key.stop - key.start for key in self.part)
        return [
            Tile(
                tile.number,
                tuple(
                    slice(key.start + part.start, key.stop + part.start)
                    for key, part in zip(tile.core, self.part, strict=True)
                ),
                self.shape,
            )
            for tile in tiles_of(lengths, params)
        ]

    def counted(self, centres: NDArray[np.floating]) -> NDArray[np.bool_]:
        """Which cells lie in the regions, by their centres ``(n, ndim)`` in pixels."""
        if not self.regions or not len(centres):
            return np.ones(len(centres), np.bool_)
        return self.regions.contains(centres)

    def fingerprint(self, channels: Sequence[str]) -> dict[str, Any]:
        """What decides the result beside parameters, as JSON."""
        prints = [pixels_print(_Channel(self.image, name)) for name in channels]
        return {
            "pixels": prints,
            "spacing_um": self.image.spacing_um,
            "regions": _regions_print(self.regions),
        }


def read_sum(cuts: Sequence[Cut]) -> NDArray[np.float32]:
    """The sum of the channels, float32; NaN and infinite pixels count as 0."""
    total: NDArray[np.float32] | None = None
    for cut in cuts:
        pixels = cut.read().astype(np.float32)
        if not np.isfinite(pixels).all():
            pixels[~np.isfinite(pixels)] = 0
        total = pixels if total is None else total + pixels
    if total is None:
        raise ValueError("no channel")
    return total


class _Channel:
    """One channel, sliced like an array."""

    def __init__(self, image: MultiplexImage, name: str) -> None:
        self._data = image.data
        self._index = image.index(name)
        self.shape = image.spatial_shape
        self.dtype = image.data.dtype

    def __getitem__(self, key: tuple[Any, ...]) -> NDArray[Any]:
        return np.asarray(self._data[(self._index, *key)])


def _regions_print(regions: Regions | None) -> str:
    if not regions:
        return ""
    digest = hashlib.sha256()
    for polygons in (regions.include, regions.exclude):
        digest.update(str(len(polygons)).encode())
        for polygon in polygons:
            digest.update(str([len(ring) for ring in polygon.rings]).encode())
            for ring in polygon.rings:
                digest.update(np.ascontiguousarray(ring).tobytes())
    return digest.hexdigest()
