"""Intensity, size, place and shape of every cell, measured tile by tile."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
from anndata import AnnData

from napari_gluer.errors import InputError
from napari_gluer.image import MultiplexImage
from napari_gluer.measurement.medians import Joining, median_tile
from napari_gluer.measurement.outlines import REACH
from napari_gluer.measurement.params import MeasureParams
from napari_gluer.measurement.pieces import Piece, Wanted, measure_tile
from napari_gluer.measurement.resuming import Kept
from napari_gluer.measurement.runs import Floats, Whole
from napari_gluer.measurement.sums import together
from napari_gluer.measurement.table import as_table, put_together
from napari_gluer.tiles import Cut, Tile, TileParams, run_tiles, tiles_of
from napari_gluer.track import Track, silently

_AT_ONCE = 64_000_000  # bytes of channels that a tile reads at a time
_SIDE = 2_048
_LONGEST_ROW = 65_536


def measure(  # noqa: PLR0913 - a public step: what, how, where
    image: MultiplexImage,
    labels: Any,
    params: MeasureParams | None = None,
    *,
    nuclei: Any = None,
    regions: Any = None,
    tiles: TileParams | None = None,
    store: Any = None,
    track: Track = silently,
) -> AnnData:
    """Measure every cell in every channel.

    The image is worked through tile by tile, so it may be larger than memory. Tiles do not change
    the result: cells that a tile border cuts are put together exactly.

    Parameters
    ----------
    image
        The image; its data are sliced tile by tile.
    labels
        Whole numbers ``(y, x)`` or ``(z, y, x)``, 0 = background, of the image's spatial shape:
        a NumPy array, or anything that is sliced like one (zarr).
    params
        What is measured; means, sizes and centroids when None.
    nuclei
        Labels of nuclei, of the same shape; their numbers need not be those of the cells. A
        nucleus belongs to the cell that covers most of it (to the first of equals), and what of
        it lies outside that cell does not count. The other pixels of a cell are its cytoplasm.
    regions
        What says which points count: ``regions.contains(points_yx)``, in pixels (`Regions`). Cells
        whose centroid lies outside are left out; in 3-D z does not matter.
    tiles
        Size of tiles, threads, cluster.
    store
        Folder for finished tiles: called again after a kill, they are not measured again.
    track
        Reports the tiles.

    Returns
    -------
    One row for every label, in ascending order, index ``str(label)``:

    - ``X`` float32 ``(n_cells, n_channels)``, mean intensity; ``layers``: ``median``, ``sum``,
      ``std`` (of all pixels of the cell, as NumPy's), ``nucleus`` and ``cytoplasm`` (means; NaN
      in cells without)
    - ``obs``: ``label``, ``volume_px``, ``touches_border`` (has a pixel in the image's first or
      last row or column; in 3-D of any plane, while first and last plane do not count) and, where
      the pixel size is known, ``area_um2`` (2-D) or ``volume_um3`` (3-D); with nuclei
      ``nucleus_px`` and ``n_nuclei``
    - ``obs`` with `shape`, named and defined as in scikit-image's ``regionprops``, in µm where the
      pixel size is known, else in pixels: ``axis_major_length``, ``axis_minor_length``,
      ``equivalent_diameter_area``, ``extent``; in 2-D also ``eccentricity``, ``orientation`` and,
      where pixels are square, ``perimeter``
    - ``obs`` with `bounding_box`: ``y_first``, ``y_last``, ``x_first``, ``x_last`` and in 3-D
      ``z_first``, ``z_last``, in pixels, both inside
    - ``obsm["spatial"]``: centroid x, y[, z] in µm, else in pixels (the first pixel's centre is 0)
    - ``var``: ``genes`` and ``role``
    - ``uns["gluer"]``: ``kind`` = intensity, ``spatial_unit`` = ``um`` or ``px``, ``measure``:
      ``params``, ``outside_regions`` (cells left out), ``not_finite`` (channel → pixels in cells
      that are NaN or infinite), ``cells_without_nucleus`` (with nuclei) and ``outcome``, one line

    NaN and infinite pixels are left out of all intensities of their channel, and counted. A cell
    that has no other pixel in a channel is NaN there.

    Raises
    ------
    InputError
        If shapes differ, the labels are not whole numbers, there is no cell (in the regions), an
        intensity is too large for 32 bits, or the folder holds another measurement.
    """
    wanted = params or MeasureParams()
    if labels is None or 0 in image.data.shape:
        found = "no labels are given" if labels is None else f"the image is {image.data.shape}"
        raise InputError(f"There is nothing to measure: {found}.")
    _refuse_type(np.dtype(image.data.dtype))
    labels, nuclei = _like_array(labels, "Labels", image), _like_array(nuclei, "Nuclei", image)
    cut = tiles or TileParams()
    source = _Source(image, labels, nuclei, cut, track)
    kept = None
    if store is not None:
        kept = Kept.opened(store, image, (labels, nuclei), wanted, source.tiles)
    pieces = source.pieces(wanted, kept)
    whole = put_together(pieces, image, paired=nuclei is not None)
    middle = source.medians(pieces, whole.ids) if wanted.median else None
    return as_table(whole, middle, wanted, regions)


def _tiles(image: MultiplexImage, params: TileParams) -> list[Tile]:
    """Automatic tiles in 2-D: whole rows of arrays in memory and strips, else squares."""
    shape = image.spatial_shape
    if params.side or len(shape) == 3:
        return tiles_of(shape, params)
    height, width = shape
    in_rows = isinstance(image.data, np.ndarray) or _chunks(image.data)[-1] >= width
    if not in_rows or width > _LONGEST_ROW:
        return tiles_of(shape, params.model_copy(update={"side": _SIDE}))
    rows = max(1, _SIDE**2 // max(width, 1))
    return [
        Tile(number, (slice(top, min(top + rows, height)), slice(0, width)), shape)
        for number, top in enumerate(range(0, height, rows))
    ]


def _chunks(data: Any) -> tuple[int, ...]:
    """Pixels along every axis that are read together, where the image tells; else 1."""
    chunks = getattr(data, "chunks", None) or ()
    plain = len(chunks) == len(data.shape) and all(isinstance(side, int) for side in chunks)
    return tuple(chunks) if plain else (1,) * len(data.shape)


def _refuse_type(dtype: np.dtype[Any]) -> None:
    if dtype.kind not in "biuf" or dtype.itemsize > 8:
        raise InputError(
            f"Intensities must be real numbers of at most 64 bits; this image holds {dtype}. "
            "Convert it first, with astype('float32') for instance."
        )


def _like_array(labels: Any, name: str, image: MultiplexImage) -> Any:
    if labels is None:
        return None
    array = labels if hasattr(labels, "shape") and hasattr(labels, "dtype") else np.asarray(labels)
    if tuple(array.shape) != image.spatial_shape:
        raise InputError(
            f"{name} and image differ in shape: {name.lower()} {tuple(array.shape)}, image "
            f"{image.spatial_shape}. Give labels drawn on this image, at full resolution."
        )
    return array


@dataclass(frozen=True, eq=False)
class _Source:
    """What is measured, and how it is worked through."""

    image: MultiplexImage
    labels: Any
    nuclei: Any
    params: TileParams
    track: Track

    @cached_property
    def tiles(self) -> list[Tile]:
        """All tiles, in raster order."""
        return _tiles(self.image, self.params)

    def pieces(self, wanted: MeasureParams, kept: Kept | None) -> list[Piece]:
        """What every tile tells, in their order."""
        pieces = kept.pieces() if kept else {}
        missing = [tile for tile in self.tiles if tile.number not in pieces]
        also = Wanted(wanted.std, wanted.shape and self.square)
        work = partial(measure_tile, wanted=also)
        for tile, piece in run_tiles(
            work, missing, partial(self._feed, also), self.params, self.track, "Measuring cells"
        ):
            if kept:
                kept.keep(tile, piece)
            pieces[tile.number] = piece
        return [pieces[number] for number in sorted(pieces)]

    @property
    def square(self) -> bool:
        """Whether pixels are square, so that a perimeter has a length."""
        return len(self.image.spatial_shape) == 2 and len(set(self.image.spacing_um or (1,))) == 1

    def medians(self, pieces: list[Piece], ids: Whole) -> Floats:
        """Medians of `ids`, ``(n_cells, n_channels)``."""
        held = [np.unique(piece.keys[:, 0]) for piece in pieces]
        seen, number = np.unique(np.concatenate(held), return_counts=True)
        cut = number > 1
        shared = dict(zip(seen[cut].tolist(), number[cut].tolist(), strict=True))
        joining = Joining(ids, shared, np.empty((len(ids), len(self.image.channels))))

        def feed(tile: Tile) -> tuple[Any, ...]:
            here = np.intersect1d(held[tile.number], seen[cut], assume_unique=True)
            return Cut(self.labels, tile.core), here, *self._channels(tile)

        found = run_tiles(
            median_tile,
            self.tiles,
            feed,
            self.params,
            self.track,
            "Taking medians",
        )
        for _, tile_medians in found:
            joining.take(tile_medians)
        return joining.result

    def _feed(self, wanted: Wanted, tile: Tile) -> tuple[Any, ...]:
        window = tile.window(REACH) if wanted.perimeters else tile.core
        nuclei = None if self.nuclei is None else Cut(self.nuclei, tile.core)
        return Cut(self.labels, window), nuclei, *self._channels(tile)

    def _channels(self, tile: Tile) -> Iterator[Cut]:
        """Some channels at a time: whole chunks of the file, else as many as are summed at once."""
        data, number = self.image.data, len(self.image.channels)
        pixels, dtype = (
            math.prod(part.stop - part.start for part in tile.core),
            np.dtype(data.dtype),
        )
        chunk = _chunks(data)[0]
        step = together(dtype) if chunk == 1 else chunk
        some = max(1, _AT_ONCE // (pixels * dtype.itemsize) // step) * step
        for first in range(0, number, some):
            yield Cut(data, (slice(first, min(first + some, number)), *tile.core))
