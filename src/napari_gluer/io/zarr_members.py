"""What lies in a zarr: an image, a plate, several series, labels; and which is meant."""

from collections.abc import Iterator, Mapping
from typing import Any

import zarr

from napari_gluer.errors import InputError, listed
from napari_gluer.io.choice import Choice

_LOOKED_AT = 200  # groups, before a search for images ends


def about(group: Any) -> Mapping[str, Any]:
    """The OME description of a group: under ``ome`` since version 0.5."""
    attributes = dict(group.attrs)
    inside = attributes.get("ome")
    return inside if isinstance(inside, Mapping) else attributes


def chosen_image(name: str, node: Any, choice: Choice) -> Any:
    """The group of the image that is meant.

    Raises
    ------
    InputError
        If there is none, or there are several and none was chosen.
    """
    if isinstance(node, zarr.Array):
        raise InputError(
            f"{name} is a plain zarr array, shape {node.shape}, without channel names or axes. The "
            "OME-Zarr image that it belongs to would do, usually the folder around it."
        )
    if "multiscales" in about(node):
        return node
    names = list(_images(node, choice))
    if not names:
        raise InputError(f"{name} holds no OME-Zarr image (it has: {listed(_keys(node))}).")
    if choice.series is None and len(names) == 1:
        return _group(name, node, names[0])
    if choice.series is None:
        raise InputError(
            f"{name} holds {len(names)} images: {listed(names)}. Choose one by its name, "
            f"series={names[0]!r} for instance."
        )
    wanted = str(choice.series)
    if wanted not in names and wanted.isdecimal() and int(wanted) < len(names):
        wanted = names[int(wanted)]
    if wanted not in names:
        raise InputError(f"{name} has no series {wanted!r}; it has {listed(names)}.")
    return _group(name, node, wanted)


def label_names(group: Any) -> list[str]:
    """Names of the labels in a ``labels`` group."""
    named = about(group).get("labels")
    found = [str(one) for one in named] if isinstance(named, list) else []
    return found or [key for key in _keys(group) if _has_scales(group, key)]


def _images(node: Any, choice: Choice) -> Iterator[str]:
    """Paths of the images in a container."""
    facts = about(node)
    if isinstance(facts.get("plate"), Mapping):
        wells = [str(well["path"]) for well in facts["plate"].get("wells", [])]
        wanted = [w for w in wells if str(choice.series or w).startswith(w)]
        for well in wanted or wells:
            yield from (f"{well}/{field}" for field in _fields(node[well]))
    elif isinstance(facts.get("well"), Mapping):
        yield from _fields(node)
    else:
        yield from _series(node)


def _fields(well: Any) -> list[str]:
    return [str(image["path"]) for image in about(well).get("well", {}).get("images", [])]


def _series(node: Any) -> list[str]:
    """Images of a bioformats2raw or SpatialData container, or of any group of groups."""
    if "OME" in node and isinstance(about(node["OME"]).get("series"), list):
        return [str(path) for path in about(node["OME"])["series"]]
    if "bioformats2raw.layout" in about(node):
        return [key for key in map(str, range(_LOOKED_AT)) if _is_image(node, key)]
    found = []
    for key in _keys(node)[:_LOOKED_AT]:
        if _is_image(node, key):
            found.append(key)
        elif isinstance(node[key], zarr.Group):
            inside = _keys(node[key])[:_LOOKED_AT]
            found += [f"{key}/{one}" for one in inside if _is_image(node[key], one)]
    return found


def _is_image(group: Any, key: str) -> bool:
    return _has_scales(group, key) and "image-label" not in about(group[key])


def _has_scales(group: Any, key: str) -> bool:
    inside = group.get(key)
    return isinstance(inside, zarr.Group) and "multiscales" in about(inside)


def _keys(node: Any) -> list[str]:
    """Names in a group; none where its place cannot be listed (https)."""
    try:
        return sorted(node.keys())
    except (NotImplementedError, TypeError, OSError):
        return []


def _group(name: str, node: Any, path: str) -> Any:
    try:
        group = node[path]
    except KeyError as error:
        raise InputError(f"{name} names an image {path} that is not there.") from error
    if not isinstance(group, zarr.Group) or "multiscales" not in about(group):
        raise InputError(f"{name}: {path} is no OME-Zarr image.")
    return group
