"""Where labels and what tiles tell are kept: in memory, or in a folder from which work goes on."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from napari_gluer.segmentation.fields import Window, within
from napari_gluer.tiles import Store, Tile

OUTSIDE = "outside regions"
"""Value that is noted: how many cells were left out because they lie outside the regions."""

_CHUNK = 1024


class Keep(Protocol):
    """Arrays over the part that is looked at, and what finished tiles told."""

    def array(self, name: str) -> Any:
        """The int32 array `name`, made full of zeros at first."""

    def at(self, window: Window) -> Window:
        """Where a window of the image lies in the arrays."""

    def done(self, stage: str) -> set[int]:
        """Numbers of the tiles of a stage that are finished."""

    def finish(self, stage: str, tile: Tile, told: Sequence[np.ndarray] = ()) -> None:
        """Note that a tile is finished, and what it told."""

    def told(self, stage: str, number: int) -> list[np.ndarray]:
        """What a finished tile told."""

    def value(self, name: str) -> Any:
        """A small value that was noted; None where it was not."""

    def note(self, name: str, value: Any) -> None:
        """Note a small value, JSON."""


def unfinished(keep: Keep, stage: str, tiles: Iterable[Tile]) -> list[Tile]:
    """Those of `tiles` for which a stage is still to be done."""
    finished = keep.done(stage)
    return [tile for tile in tiles if tile.number not in finished]


class Memory:
    """All in memory.

    Parameters
    ----------
    part
        The window of the image that the arrays cover.
    """

    def __init__(self, part: Window) -> None:
        self._part = part
        self._arrays: dict[str, Any] = {}
        self._told: dict[str, dict[int, list[np.ndarray]]] = {}
        self._values: dict[str, Any] = {}

    def array(self, name: str) -> Any:
        """See `Keep`."""
        shape = tuple(key.stop - key.start for key in self._part)
        return self._arrays.setdefault(name, np.zeros(shape, np.int32))

    def at(self, window: Window) -> Window:
        """See `Keep`."""
        return within(window, self._part)

    def done(self, stage: str) -> set[int]:
        """See `Keep`."""
        return set(self._told.get(stage, {}))

    def finish(self, stage: str, tile: Tile, told: Sequence[np.ndarray] = ()) -> None:
        """See `Keep`."""
        self._told.setdefault(stage, {})[tile.number] = list(told)

    def told(self, stage: str, number: int) -> list[np.ndarray]:
        """See `Keep`."""
        return self._told[stage][number]

    def value(self, name: str) -> Any:
        """See `Keep`."""
        return self._values.get(name)

    def note(self, name: str, value: Any) -> None:
        """See `Keep`."""
        self._values[name] = value


class Folder:
    """All in a folder, as zarr arrays of the whole image and NumPy files.

    Parameters
    ----------
    store
        The folder.
    shape
        Of the whole image.
    side
        Of a tile, pixels.
    """

    def __init__(self, store: Store, shape: tuple[int, ...], side: int) -> None:
        self._store = store
        self._shape = shape
        # whole chunks in a tile, so that no chunk is written twice
        parts = -(-side // _CHUNK)
        chunk = side // parts if side % parts == 0 else side
        self._chunks = tuple(min(chunk, length) for length in shape)

    def array(self, name: str) -> Any:
        """See `Keep`."""
        return self._store.array(name, self._shape, np.int32, self._chunks)

    def at(self, window: Window) -> Window:
        """See `Keep`."""
        return window

    def done(self, stage: str) -> set[int]:
        """See `Keep`."""
        return set(self._store.done(stage))

    def finish(self, stage: str, tile: Tile, told: Sequence[np.ndarray] = ()) -> None:
        """See `Keep`."""
        if told:
            with _replacing(self._path(stage, tile.number)) as path, path.open("wb") as file:
                np.savez(file, *told)
        self._store.finish(stage, tile)

    def told(self, stage: str, number: int) -> list[np.ndarray]:
        """See `Keep`."""
        with np.load(self._path(stage, number), allow_pickle=False) as parts:
            return [parts[f"arr_{n}"] for n in range(len(parts.files))]

    def value(self, name: str) -> Any:
        """See `Keep`."""
        return self._store.done(name).get(0)

    def note(self, name: str, value: Any) -> None:
        """See `Keep`."""
        self._store.finish(name, 0, value)

    def _path(self, stage: str, number: int) -> Path:
        folder = self._store.folder / "told" / stage
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{number}.npz"


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    partial = path.with_suffix(".partial")
    yield partial
    partial.replace(path)
