"""What steps start from and no file holds: kept in memory, written beside a script."""

import json
import zlib
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from numpy.typing import NDArray

from napari_gluer.image import MultiplexImage
from napari_gluer.io.atomic import atomic_path
from napari_gluer.io.h5ad import write_h5ad
from napari_gluer.io.hashing import sha256
from napari_gluer.io.image_writing import write_image
from napari_gluer.io.labels_writing import write_labels
from napari_gluer.polygons import Polygon, Regions

_LARGEST = 8 * 2**30  # bytes
_LEVEL = 1  # labels shrink fifty times already
_QUARTER = 2**22  # values that are packed at once
_CORNER = 0.5  # GeoJSON counts from the first pixel's corner, as QuPath does
_POOL = ThreadPoolExecutor(1, thread_name_prefix="gluer-keeping")


class Snapshot:
    """Labels as they are now, packed in a thread: later edits do not change them.

    Parameters
    ----------
    labels
        Whole numbers ``(y, x)`` or ``(z, y, x)``.
    spacing_um
        Size of a pixel along every axis, None where unknown.
    """

    def __init__(self, labels: Any, spacing_um: tuple[float, ...] | None = None) -> None:
        copied = np.array(labels)
        self.spacing_um = spacing_um
        self._shape, self._dtype = copied.shape, copied.dtype
        self._packed: Future[list[bytes]] = _POOL.submit(_packed, copied)

    @property
    def labels(self) -> NDArray[np.integer]:
        """The labels; waits until they are packed."""
        parts = [
            np.frombuffer(zlib.decompress(part), self._dtype) for part in self._packed.result()
        ]
        flat = np.concatenate([np.empty(0, self._dtype), *parts])
        return flat.reshape(self._shape)


class Fingerprint:
    """SHA-256 of a file as it is now, taken in a thread.

    Parameters
    ----------
    path
        File or folder; of more than 8 GB nothing is taken.
    known
        What was taken before.
    """

    def __init__(self, path: str | Path, known: str | None = None) -> None:
        self._taken: Future[str] = Future()
        if known is None:
            self._taken = _POOL.submit(_taken, Path(path))
        else:
            self._taken.set_result(known)

    @property
    def value(self) -> str:
        """The fingerprint, "" where there is none; waits for it."""
        return self._taken.result()


def _taken(path: Path) -> str:
    try:
        files = [path] if path.is_file() else [one for one in path.rglob("*") if one.is_file()]
        if not files or sum(one.stat().st_size for one in files) > _LARGEST:
            return ""
        return sha256(path)
    except OSError:  # the file may be gone by now; then nothing is compared
        return ""


def _packed(labels: NDArray[Any]) -> list[bytes]:
    flat = labels.ravel()
    starts = range(0, flat.size, _QUARTER)
    return [zlib.compress(flat[start : start + _QUARTER].tobytes(), _LEVEL) for start in starts]


def write_kept(value: Any, folder: Path, name: str) -> Path:
    """Write something that was kept; its type says how.

    Parameters
    ----------
    value
        `Snapshot` or array of labels, `MultiplexImage`, table of cells or reference, `Regions`,
        or table of spots.
    folder, name
        Where, without an ending.

    Returns
    -------
    pathlib.Path
        The file.
    """
    match value:
        case Snapshot():
            path = folder / f"{name}.ome.tif"
            write_labels(value.labels, path, value.spacing_um)
        case MultiplexImage():
            path = folder / f"{name}.ome.tif"
            write_image(value, path)
        case AnnData():
            path = folder / f"{name}.h5ad"
            write_h5ad(value, path)
        case Regions():
            path = folder / f"{name}.geojson"
            write_regions(value, path)
        case pd.DataFrame():
            path = folder / f"{name}.parquet"
            with atomic_path(path) as partial:
                plain = value.copy(deep=False)
                plain.attrs = {}
                plain.to_parquet(partial)
        case _:
            raise TypeError(type(value))
    return path


def write_regions(regions: Regions, path: Path) -> None:
    """Write regions as GeoJSON that `read_regions` and QuPath read."""
    within = [_feature(one, "region") for one in regions.include]
    without = [_feature(one, "Ignore") for one in regions.exclude]
    collection = {"type": "FeatureCollection", "features": within + without}
    with atomic_path(path) as partial:
        partial.write_text(json.dumps(collection), encoding="utf-8")


def write_columns(columns: Mapping[str, Any], rows: tuple[str, ...], path: Path) -> None:
    """Write columns of ``var`` as a CSV, a row for every channel."""
    table = pd.DataFrame(dict(columns), index=pd.Index(rows, name="channel"))
    with atomic_path(path) as partial:
        table.to_csv(partial)


def with_columns(cells: AnnData, path: Path) -> AnnData:
    """A copy of the cells with columns of ``var`` that `write_columns` wrote."""
    table = pd.read_csv(path, index_col=0, keep_default_na=False, dtype=str)
    marked = cells.copy()
    for name in table:
        values = table[name].reindex(marked.var_names)
        is_flag = set(values.dropna()) <= {"True", "False"}
        marked.var[name] = values.eq("True") if is_flag else values.fillna("")
    return marked


def _feature(polygon: Polygon, name: str) -> dict[str, Any]:
    rings = [(ring[:, ::-1] + _CORNER).tolist() for ring in polygon.rings]
    closed = [ring if ring[0] == ring[-1] else [*ring, ring[0]] for ring in rings if ring]
    return {
        "type": "Feature",
        "geometry": {"type": "Polygon", "coordinates": closed},
        "properties": {"objectType": "annotation", "name": name},
    }
