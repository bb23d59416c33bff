"""How large inputs are, from what files say of themselves: no pixel, value or spot is read."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py  # type: ignore[import-untyped]
import numpy as np
import pyarrow.parquet as pq

from napari_gluer.errors import InputError
from napari_gluer.io.cells_zarr import opened_group
from napari_gluer.io.damage import refusing
from napari_gluer.io.h5ad import require_h5ad
from napari_gluer.io.images import ImageParams, read_image
from napari_gluer.io.spot_tables import COMPRESSED, PARQUET_SUFFIXES, SpotTable

_BYTES_OF_SPOT = {"packed": 20, "plain": 60}  # of the tables in benchmarks/spots.py


@dataclass(frozen=True)
class Size:
    """How large an input is.

    Attributes
    ----------
    text
        For a person.
    pixels, channels
        Of an image; 0 of other inputs. The pixels are those of one channel.
    area_mm2
        Of a flat image whose pixel size is known, else 0.
    rows, columns
        Of a table.
    stored
        Values that are stored: of a sparse table those that are not 0.
    spots
        Of a table of spots, estimated where the file does not say.
    """

    text: str
    pixels: int = 0
    channels: int = 0
    area_mm2: float = 0.0
    rows: int = 0
    columns: int = 0
    stored: int = 0
    spots: int = 0


def size_of_image(path: str | Path, reading: ImageParams) -> Size:
    """The size of an image; `InputError` where it cannot be opened."""
    image = read_image(path, **reading.model_dump())
    shape = image.spatial_shape
    said = " × ".join(f"{size:,}" for size in shape)
    spacing = image.spacing_um
    known = f", {spacing[-1]:g} µm" if spacing is not None else ""
    flat = spacing is not None and len(shape) == 2
    return Size(
        f"{len(image.channels)} channels, {said} pixels{known}",
        pixels=int(np.prod(shape)),
        channels=len(image.channels),
        area_mm2=float(np.prod(shape) * np.prod(spacing or ()) / 1e6) if flat else 0.0,
    )


def size_of_table(path: str | Path) -> Size:
    """The size of a table, h5ad or zarr; `InputError` where it cannot be opened."""
    source = Path(path)
    if source.suffix.casefold() == ".h5ad":
        require_h5ad(source)
        with refusing(source.name, "Save it again."), h5py.File(source) as file:
            return _size(file)
    if not source.exists():
        raise InputError(f"There is no file {source}.")
    would_do = "Save it again with AnnData.write_zarr."
    with refusing(source.name, would_do), opened_group(source) as group:
        return _size(group)


def size_of_spots(path: str | Path) -> Size:
    """The size of a table of spots; `InputError` where it cannot be opened."""
    source = Path(path)
    table = SpotTable(source)
    if source.suffix.casefold() in PARQUET_SUFFIXES:
        with table.readable():
            rows = int(pq.ParquetFile(source).metadata.num_rows)
        return Size(f"{rows:,} spots", spots=rows)
    packed = source.suffix.casefold() in COMPRESSED
    rows = source.stat().st_size // _BYTES_OF_SPOT["packed" if packed else "plain"]
    return Size(f"some {_round(rows):,} spots", spots=rows)


def _size(file: Any) -> Size:
    """From the layout of AnnData on disk: https://anndata.readthedocs.io, "On-disk format"."""
    n_obs, n_var = (_length(file[name]) for name in ("obs", "var"))
    values = file["layers"]["counts"] if "counts" in file.get("layers", {}) else file.get("X")
    if values is None:
        stored = 0
    else:
        stored = int(values["data"].shape[0] if "data" in _keys(values) else np.prod(values.shape))
    return Size(f"{n_obs:,} cells × {n_var:,} features", rows=n_obs, columns=n_var, stored=stored)


def _length(frame: Any) -> int:
    index = frame[str(frame.attrs["_index"])]
    return int(index.shape[0])


def _keys(values: Any) -> list[str]:
    return list(values) if hasattr(values, "keys") else []


def _round(number: int) -> int:
    """To one digit."""
    return int(float(f"{number:.0e}"))
