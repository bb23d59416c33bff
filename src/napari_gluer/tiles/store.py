"""A folder that keeps finished tiles, so that work goes on after a kill."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import zarr
from numpy.typing import DTypeLike

from napari_gluer.errors import InputError, listed
from napari_gluer.tiles.grid import Tile

_PLAN = "plan.json"
_DONE = "done"


class Store:
    """Arrays and marks of finished tiles in a folder.

    Parameters
    ----------
    folder
        Made if it is missing.
    plan
        JSON of everything that decides the results: fingerprints of the inputs, parameters, the
        size of tiles, the version. A folder that was begun by another plan is refused.

    Raises
    ------
    InputError
        If the folder holds other work or other files, or cannot be written.
    """

    def __init__(self, folder: str | os.PathLike[str], plan: Mapping[str, Any]) -> None:
        self.folder = Path(folder)
        wanted = json.loads(json.dumps(plan))
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            held = self._plan()
            if held is None:
                _write_json(self.folder / _PLAN, wanted)
        except OSError as error:
            raise InputError(f"Cannot write to {self.folder}: {error.strerror}.") from error
        if held is not None and held != wanted:
            raise InputError(
                f"{self.folder} holds finished tiles of other work; different are "
                f"{listed(_different(held, wanted))}. Choose another folder, or delete this one."
            )

    def array(
        self, name: str, shape: Sequence[int], dtype: DTypeLike, chunks: Sequence[int]
    ) -> zarr.Array:
        """The array `name`: opened, or made full of zeros. Sliced like NumPy, on disk."""
        place = self.folder / name
        if place.exists():
            return zarr.open_array(place, mode="r+")
        return zarr.create_array(
            place, shape=tuple(shape), dtype=dtype, chunks=tuple(chunks), fill_value=0
        )

    def done(self, stage: str) -> dict[int, Any]:
        """Tiles of `stage` that are finished: their numbers, and the values kept with them."""
        marks = self.folder / _DONE / stage
        if not marks.is_dir():
            return {}
        return {
            int(mark.stem): json.loads(mark.read_text("utf-8")) for mark in marks.glob("*.json")
        }

    def finish(self, stage: str, tile: Tile | int, value: Any = None) -> None:
        """Mark a tile of `stage` as finished, after its block was written.

        `value` is kept with the mark, as JSON.
        """
        marks = self.folder / _DONE / stage
        marks.mkdir(parents=True, exist_ok=True)
        number = tile.number if isinstance(tile, Tile) else tile
        _write_json(marks / f"{number}.json", value)

    def _plan(self) -> Any:
        place = self.folder / _PLAN
        if place.is_file():
            try:
                return json.loads(place.read_text("utf-8"))
            except ValueError:
                return "a plan that cannot be read"
        inside = listed(sorted(path.name for path in self.folder.iterdir()), 5)
        if inside != "none":
            raise InputError(
                f"{self.folder} is not empty and holds no finished tiles (it has {inside}). "
                "Choose an empty or new folder."
            )
        return None


def _different(held: Any, wanted: Any) -> list[str]:
    if not (isinstance(held, dict) and isinstance(wanted, dict)):
        return ["the plan"]
    keys = held.keys() | wanted.keys()
    return sorted(key for key in keys if held.get(key) != wanted.get(key))


def _write_json(path: Path, value: Any) -> None:
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(value), "utf-8")
    partial.replace(path)
