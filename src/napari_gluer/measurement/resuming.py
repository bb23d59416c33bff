"""Measured tiles in a folder, so that a measurement goes on after a kill."""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np

from napari_gluer.image import MultiplexImage
from napari_gluer.measurement.params import MeasureParams
from napari_gluer.measurement.pieces import Piece
from napari_gluer.tiles import Store, Tile, pixels_print

_STAGE = "measure"


@dataclass(frozen=True, eq=False)
class Kept:
    """The pieces of finished tiles."""

    store: Store

    @staticmethod
    def opened(
        folder: str | os.PathLike[str],
        image: MultiplexImage,
        masks: tuple[Any, Any],
        params: MeasureParams,
        tiles: Sequence[Tile],
    ) -> "Kept":
        """The folder of this measurement, made if it is missing.

        Labels are read as a whole for it, since one corrected cell makes another measurement; of
        the image a few windows tell whether it is the same.

        Raises
        ------
        InputError
            If the folder holds other work.
        """
        labels, nuclei = masks
        plan = {
            "work": _STAGE,
            "version": version("napari-gluer"),
            "image": pixels_print(image.data),
            "channels": list(image.channels),
            "labels": _digest(labels, tiles),
            "nuclei": None if nuclei is None else _digest(nuclei, tiles),
            "std": params.std,
            "shape": params.shape,
            "tiles": [[[part.start, part.stop] for part in tile.core] for tile in tiles],
        }
        kept = Kept(Store(folder, plan))
        (kept.store.folder / _STAGE).mkdir(exist_ok=True)
        return kept

    def pieces(self) -> dict[int, Piece]:
        """Number of every finished tile, and its piece."""
        found = {}
        for number in self.store.done(_STAGE):
            with np.load(self.store.folder / _STAGE / f"{number}.npz") as arrays:
                found[number] = Piece.from_arrays(dict(arrays))
        return found

    def keep(self, tile: Tile, piece: Piece) -> None:
        """Write the piece of a tile; it counts as finished only when all of it is there."""
        place = self.store.folder / _STAGE / f"{tile.number}.npz"
        partial = place.with_suffix(".partial")
        with partial.open("wb") as file:
            np.savez(file, allow_pickle=False, **piece.as_arrays())
        partial.replace(place)
        self.store.finish(_STAGE, tile)


def _digest(labels: Any, tiles: Sequence[Tile]) -> str:
    digest = hashlib.sha256(np.dtype(labels.dtype).str.encode())
    for tile in tiles:
        digest.update(np.ascontiguousarray(labels[tile.core]).tobytes())
    return digest.hexdigest()
