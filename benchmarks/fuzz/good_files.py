"""One small good file of every format, and what a reader does with it."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anndata
import numpy as np
import pandas as pd
import tifffile
import zarr
from scipy import sparse
from zarr.codecs import BloscCodec

import napari_gluer as ng


def _pixels(dtype: str = "uint16", shape: tuple[int, ...] = (3, 96, 80)) -> Any:
    return np.random.default_rng(0).integers(0, 200, shape).astype(dtype)


def _labels() -> Any:
    return np.kron(np.arange(1, 21).reshape(4, 5), np.ones((24, 16), int)).astype("uint16")


def _ome_tiff(place: Path) -> None:
    about = {"axes": "CYX", "Channel": {"Name": ["DAPI", "CD3", "CD8"]}, "PhysicalSizeX": 0.5}
    with tifffile.TiffWriter(place, ome=True) as tif:
        options = {"tile": (32, 32), "compression": "zlib", "photometric": "minisblack"}
        tif.write(_pixels(), subifds=1, metadata=about, **options)
        tif.write(_pixels()[:, ::2, ::2], subfiletype=1, **options)


def _imagej_tiff(place: Path) -> None:
    about = {"axes": "CYX", "Labels": ["DAPI", "CD3", "CD8"], "unit": "um", "spacing": 1.0}
    tifffile.imwrite(place, _pixels(), imagej=True, metadata=about, resolution=(2, 2))


def _plain_tiff(place: Path) -> None:
    tifffile.imwrite(place, _pixels("float32"), compression="lzw", photometric="minisblack")


def _label_tiff(place: Path) -> None:
    tifffile.imwrite(place, _labels(), compression="zlib")


def _tiff_folder(place: Path) -> None:
    place.mkdir()
    for name in ("DAPI", "CD3"):
        tifffile.imwrite(place / f"{name}.tif", _pixels()[0])


def _ome_zarr(place: Path, version: int) -> None:
    group = zarr.open_group(place, mode="w", zarr_format=version)
    for level, pixels in enumerate((_pixels(), _pixels()[:, ::2, ::2])):
        packed = {"compressors": BloscCodec()} if level and version == 3 else {}
        array = group.create_array(
            str(level), shape=pixels.shape, chunks=(1, 48, 48), dtype="u2", **packed
        )
        array[:] = pixels
    scales = [
        {
            "path": str(level),
            "coordinateTransformations": [
                {"type": "scale", "scale": [1, 0.5 * 2**level, 0.5 * 2**level]}
            ],
        }
        for level in range(2)
    ]
    axes = [
        {"name": "c", "type": "channel"},
        {"name": "y", "type": "space", "unit": "micrometer"},
        {"name": "x", "type": "space", "unit": "micrometer"},
    ]
    multiscales = [{"axes": axes, "datasets": scales, "version": "0.4"}]
    omero = {"channels": [{"label": name} for name in ("DAPI", "CD3", "CD8")]}
    about: dict[str, Any] = {"multiscales": multiscales, "omero": omero}
    group.attrs.update(about if version == 2 else {"ome": {**about, "version": "0.5"}})


def _ome_zarr_04(place: Path) -> None:
    _ome_zarr(place, 2)


def _ome_zarr_05(place: Path) -> None:
    _ome_zarr(place, 3)


def _geojson(place: Path) -> None:
    square = [[10, 10], [30, 10], [30, 30], [10, 30], [10, 10]]
    hole = [[15, 15], [20, 15], [20, 20], [15, 20], [15, 15]]
    features = [
        {
            "type": "Feature",
            "id": f"cell-{i}",
            "geometry": {
                "type": "Polygon",
                "coordinates": [[[x + 30 * i, y] for x, y in ring] for ring in (square, hole)],
            },
            "properties": {"objectType": "cell"},
        }
        for i in range(2)
    ]
    place.write_text(json.dumps({"type": "FeatureCollection", "features": features}))


def _table(place: Path) -> None:
    random = np.random.default_rng(0)
    cells = anndata.AnnData(
        random.gamma(2, 50, (40, 6)).astype("float32"),
        obs=pd.DataFrame(
            {"label": np.arange(1, 41), "area": random.uniform(50, 90, 40)},
            index=[str(i) for i in range(1, 41)],
        ),
        var=pd.DataFrame(index=["DAPI", "CD3", "CD8", "CD20", "CD68", "PanCK"]),
        obsm={"spatial": random.uniform(0, 100, (40, 2))},
    )
    cells.write_h5ad(place)


def _reference(place: Path) -> None:
    counts = sparse.random(30, 12, 0.4, "csr", random_state=0)
    counts.data = np.ceil(counts.data * 9)
    types = pd.Categorical(np.where(np.arange(30) % 2, "T", "B"))
    names = [f"GENE{i}" for i in range(12)]
    anndata.AnnData(
        counts.astype("float32"),
        obs=pd.DataFrame({"cell_type": types}, index=[f"c{i}" for i in range(30)]),
        var=pd.DataFrame(index=names),
    ).write_h5ad(place)


def _spots() -> Any:
    random = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "gene": random.choice(["CD3E", "CD8A", "MS4A1", "NegPrb1"], 400),
            "x": random.uniform(0, 80, 400).round(2),
            "y": random.uniform(0, 96, 400).round(2),
            "cell_id": random.integers(0, 21, 400),
        }
    )


def _spots_csv(place: Path) -> None:
    _spots().to_csv(place, index=False)


def _spots_gz(place: Path) -> None:
    place.write_bytes(gzip.compress(_spots().to_csv(index=False).encode()))


def _spots_parquet(place: Path) -> None:
    _spots().to_parquet(place)


def _read_image(place: Path) -> None:
    image = ng.read_image(place)
    for channel in (0, -1):
        part = image.data[(channel, ..., slice(0, 128), slice(0, 128))]
        assert np.asarray(part).ndim == len(image.spatial_shape)
    for level in image.pyramid:
        np.asarray(level[(0, ..., slice(0, 64), slice(0, 64))])


def _read_labels(place: Path) -> None:
    assert ng.read_labels(place).dtype.kind in "iu"


def _read_polygons(place: Path) -> None:
    like = ng.MultiplexImage(np.zeros((1, 96, 80), np.uint8), ["DAPI"])
    assert ng.read_labels(place, like=like).shape == (96, 80)


def _read_cells(place: Path) -> None:
    assert ng.read_cells(place).n_obs


def _read_reference(place: Path) -> None:
    assert ng.read_reference(place).n_obs


def _read_spots(place: Path) -> None:
    assert {"gene", "x", "y"} <= set(ng.read_spots(place).columns)


FORMATS: dict[str, tuple[str, Callable[[Path], None], Callable[[Path], None]]] = {
    "OME-TIFF, pyramid": ("image.ome.tif", _ome_tiff, _read_image),
    "ImageJ TIFF": ("image.tif", _imagej_tiff, _read_image),
    "plain TIFF, LZW": ("image.tif", _plain_tiff, _read_image),
    "folder of TIFFs": ("folder", _tiff_folder, _read_image),
    "OME-Zarr 0.4": ("image.zarr", _ome_zarr_04, _read_image),
    "OME-Zarr 0.5": ("image.zarr", _ome_zarr_05, _read_image),
    "labels TIFF": ("labels.tif", _label_tiff, _read_labels),
    "GeoJSON": ("cells.geojson", _geojson, _read_polygons),
    "cells h5ad": ("cells.h5ad", _table, _read_cells),
    "reference h5ad": ("reference.h5ad", _reference, _read_reference),
    "spots csv": ("spots.csv", _spots_csv, _read_spots),
    "spots csv.gz": ("spots.csv.gz", _spots_gz, _read_spots),
    "spots parquet": ("spots.parquet", _spots_parquet, _read_spots),
}
