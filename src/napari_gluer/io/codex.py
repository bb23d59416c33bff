"""CODEX (PhenoCycler) experiments: names of channels, and how files lie in their folders."""

import re
from collections.abc import Sequence
from pathlib import Path

from napari_gluer.errors import InputError

_NAMES_FILE = "channelnames.txt"
_REGION = re.compile(r"(^|[\W_])reg\d+", re.IGNORECASE)
_FARTHEST = 3  # experiment/processed/stitched/reg001/…
_CYCLE_LINE = re.compile(r"^\d+\s*[:,\t]\s*(?=.*[,\t])(.*)$")
_PLANE = re.compile(r"_t(\d+)_z(\d+)_c(\d+)$", re.IGNORECASE)
_STITCHED = re.compile(r"^reg\d+_cyc(\d+)_cha?(\d+)_(.+)$", re.IGNORECASE)
_STACK = re.compile(r"^reg\d+(_X\d+_Y\d+)?(_Z\d+)?$", re.IGNORECASE)


def names_near(path: Path) -> tuple[Path, list[str]] | None:
    """The ``channelNames.txt`` that belongs to a file or folder, and the names in it.

    It is looked for beside the file (in the folder), and in up to three folders above where the
    path has the name of a CODEX region (``reg001…``).

    Raises
    ------
    InputError
        If the list holds no name.
    """
    start = path if path.is_dir() else path.parent
    in_region = bool(_REGION.search(path.name) or _REGION.search(start.name))
    folders = [start, *list(start.resolve().parents)[:_FARTHEST]] if in_region else [start]
    for folder in folders:
        try:
            found = sorted(f for f in folder.iterdir() if f.name.casefold() == _NAMES_FILE)
        except OSError:  # a folder above that may not be listed
            continue
        if found:
            return found[0], _read_names(found[0])
    return None


def _read_names(path: Path) -> list[str]:
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    names: list[str] = []
    for line in text.rstrip().splitlines():
        cycle = _CYCLE_LINE.match(line.strip())
        names += re.split(r"\s*[,\t]\s*", cycle[1]) if cycle else [line.strip()]
    if not any(names):
        raise InputError(f"{path} names no channel. One name a line would do.")
    return [name.strip().strip('"') for name in names]


def stacks(files: Sequence[Path]) -> bool:
    """Whether every file is a whole tile or region: ``reg001_X01_Y01.tif``."""
    return bool(files) and all(_STACK.match(stem(file)) for file in files)


def planes(files: Sequence[Path]) -> dict[tuple[int, int], list[Path]] | None:
    """Files of one plane each, ``…_t001_z001_c001.tif``: cycle and channel → planes along z.

    None where the files have other names.

    Raises
    ------
    InputError
        If planes of some cycle or channel are missing, or there are several tiles.
    """
    found = [_PLANE.search(stem(file)) for file in files]
    if not files or not all(found):
        return None
    tiles = sorted({stem(file)[: at.start()] for file, at in zip(files, found, strict=True) if at})
    if len(tiles) > 1:
        raise InputError(
            f"{files[0].parent.name} holds planes of {len(tiles)} tiles ({tiles[0]}, {tiles[1]} …"
            "). Put every tile in a folder of its own, or open the stitched image."
        )
    places = {tuple(map(int, at.groups())): f for f, at in zip(files, found, strict=True) if at}
    cycles, depths, channels = (sorted({place[i] for place in places}) for i in range(3))
    if len(places) != len(cycles) * len(depths) * len(channels):
        raise InputError(
            f"{files[0].parent.name} has {len(places)} planes; {len(cycles)} cycles × "
            f"{len(depths)} planes in z × {len(channels)} channels need "
            f"{len(cycles) * len(depths) * len(channels)}. Copy the missing ones."
        )
    return {(t, c): [places[t, z, c] for z in depths] for t in cycles for c in channels}


def stitched(files: Sequence[Path]) -> list[tuple[Path, str]] | None:
    """Files ``reg001_cyc001_ch001_DAPI-1.tif`` by cycle and channel, with their names."""
    found = [_STITCHED.match(stem(file)) for file in files]
    if not files or not all(found):
        return None
    pairs = [(at, file) for file, at in zip(files, found, strict=True) if at]
    pairs.sort(key=lambda pair: (int(pair[0][1]), int(pair[0][2])))
    return [(file, at[3]) for at, file in pairs]


def stem(file: Path) -> str:
    """The name without ``.tif`` and ``.ome``."""
    return file.stem.removesuffix(".ome")
