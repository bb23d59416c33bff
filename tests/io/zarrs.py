"""OME-Zarr files for tests, written by hand as the specification has them."""

from pathlib import Path
from typing import Any

import numpy as np
import zarr

CZYX = np.random.default_rng(3).integers(0, 4000, (3, 4, 24, 40)).astype(np.uint16)
CYX = CZYX[:, 0]


def axes_of(names: str, unit: str | None = "micrometer") -> list[dict[str, str]]:
    kinds = {"t": "time", "c": "channel"}
    axes = [{"name": name, "type": kinds.get(name, "space")} for name in names]
    for axis in axes:
        if unit and axis["type"] == "space":
            axis["unit"] = unit
    return axes


def image_facts(
    axes: Any, scales: list[list[float]], labels: list[str] | None = None
) -> dict[str, Any]:
    datasets = [
        {"path": str(i), "coordinateTransformations": [{"type": "scale", "scale": scale}]}
        for i, scale in enumerate(scales)
    ]
    facts: dict[str, Any] = {"multiscales": [{"name": "i", "axes": axes, "datasets": datasets}]}
    if labels is not None:
        facts["omero"] = {"channels": [{"label": label, "color": "FF0000"} for label in labels]}
    return facts


def set_facts(group: Any, version: str, facts: dict[str, Any]) -> None:
    if version == "0.5":
        group.attrs["ome"] = {"version": "0.5", **facts}
    else:
        for scales in facts.get("multiscales", ()):
            scales["version"] = version
        group.attrs.update(facts)


def new_group(path: Path, version: str) -> Any:
    return zarr.create_group(path, zarr_format=3 if version == "0.5" else 2)


def put(group: Any, name: str, data: np.ndarray, chunk: int = 16) -> None:
    chunks = (*(1 for _ in data.shape[:-2]), *(min(chunk, side) for side in data.shape[-2:]))
    array = group.create_array(name, shape=data.shape, chunks=chunks, dtype=data.dtype)
    array[...] = data


def write_image(
    path: Path, data: np.ndarray = CYX, version: str = "0.5", names: str = "cyx", **facts: Any
) -> Any:
    """An image of two levels; `facts`: scale, unit, labels."""
    scale = facts.get("scale", [1.0] * (data.ndim - 2) + [0.5, 0.5])
    group = new_group(path, version)
    put(group, "0", data)
    put(group, "1", data[..., ::2, ::2])
    scales = [scale, [*scale[:-2], *(2 * side for side in scale[-2:])]]
    labels = facts.get("labels", ["DAPI", "CD3", "CD8"])
    axes = axes_of(names, facts.get("unit", "micrometer"))
    set_facts(group, version, image_facts(axes, scales, labels))
    return group
