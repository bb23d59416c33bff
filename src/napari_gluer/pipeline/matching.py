"""Names of several sources, and which file of many belongs to which of them."""

import re
from collections.abc import Callable, Iterable, Sequence
from glob import glob, has_magic
from pathlib import Path

from napari_gluer.errors import InputError, listed
from napari_gluer.io.zarr_stores import is_address, is_zarr, short_name

_ENDINGS = {
    ".tif", ".tiff", ".ome", ".zarr", ".zip", ".ozx", ".qptiff", ".h5ad", ".csv", ".tsv", ".txt",
    ".parquet", ".pq", ".gz", ".bz2", ".zst", ".geojson", ".json",
}  # fmt: skip
_OF_MASKS = re.compile(
    r"[ ._-]+(cells?|nuclei|masks?|labels?|cp[_-]masks|seg|segmentation|regions?|outlines?)$",
    re.IGNORECASE,
)


def expanded(sources: Iterable[str]) -> list[str]:
    """`sources`, a pattern such as ``images/*.tif`` replaced by the files that it fits, sorted.

    Raises
    ------
    InputError
        If a pattern fits nothing.
    """
    found: list[str] = []
    for source in sources:
        if is_address(source) or Path(source).exists() or not has_magic(source):
            found.append(source)
            continue
        fits = sorted(glob(source))  # noqa: PTH207 - the pattern may be absolute
        if not fits:
            raise InputError(f"No file is called {source}.")
        found += fits
    return found


def stem(source: str | Path) -> str:
    """The name of a file, folder or address without the endings that say its kind.

    ``left.ome.tif`` is ``left``, ``a.b.csv.gz`` is ``a.b``.
    """
    name = short_name(source)
    while (ending := Path(name).suffix.casefold()) in _ENDINGS and len(name) > len(ending):
        name = name[: -len(ending)]
    return name


def folder_names(sources: Sequence[str | Path]) -> list[str]:
    """A folder name for each source: its stem, with its ending or its parents where stems repeat.

    Raises
    ------
    InputError
        If a source is given twice.
    """
    places = [str(one) if is_address(one) else str(Path(one).resolve()) for one in sources]
    twice = {place for place in places if places.count(place) > 1}
    if twice:
        raise InputError(f"Given twice: {listed(sorted(twice))}.")
    deepest = max((place.count("/") for place in places), default=0)
    for own in (stem, short_name):
        for depth in range(deepest + 1):
            names = _names(places, own, depth)
            if len({name.casefold() for name in names}) == len(names):  # not all disks tell case
                return names
    raise InputError(f"These sources cannot be told apart by name: {listed(sources)}.")


def _names(places: Sequence[str], own: Callable[[str], str], depth: int) -> list[str]:
    """Stems; where they repeat, what `own` says of a place, after so many of its parents."""
    names = [_safe(stem(place)) for place in places]
    keys = [name.casefold() for name in names]
    return [
        _safe("_".join([*_parents(place, depth), own(place)])) if keys.count(key) > 1 else name
        for place, name, key in zip(places, names, keys, strict=True)
    ]


def matched(sources: Sequence[str | Path], files: str | Path, what: str) -> list[Path]:
    """For each source the one file that belongs to it by name.

    Parameters
    ----------
    sources
        Images or tables of spots.
    files
        A folder: a file belongs to the source whose stem it has, or has with a word such as
        ``_mask``, ``_labels`` or ``_cells`` after it. Or a pattern with one ``*``, which stands
        for the stem: ``masks/*_cp.tif``.
    what
        What the files are, for messages.

    Raises
    ------
    InputError
        If a source has no file or several, or two sources have one.
    """
    stems = [stem(source) for source in sources]
    if len({name.casefold() for name in stems}) < len(stems):
        raise InputError(
            f"{what} are matched by name, and several sources are called alike: {listed(stems)}. "
            "Run them one by one."
        )
    if has_magic(str(files)):
        return [_of_pattern(name, str(files), what) for name in stems]
    folder = Path(files)
    if not folder.is_dir() or is_zarr(folder):
        raise InputError(
            f"{len(stems)} sources need a folder of {what}, or a pattern such as 'masks/*.tif'; "
            f"{files} is neither."
        )
    candidates = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    return [_of_folder(name, candidates, folder, what) for name in stems]


def is_for_many(files: str | Path | None) -> bool:
    """Whether `files` names many files: a pattern, or a folder that is no zarr."""
    if files is None or is_address(files):
        return False
    path = Path(files)
    return (not path.exists() and has_magic(str(files))) or (path.is_dir() and not is_zarr(path))


def _of_pattern(name: str, pattern: str, what: str) -> Path:
    if pattern.count("*") != 1 or has_magic(pattern.replace("*", "")):
        raise InputError(f"{pattern}: the pattern for {what} has one *, which stands for the name.")
    path = Path(pattern.replace("*", name))
    if not path.exists():
        raise InputError(f"{name} has no {what}: there is no {path}.")
    return path


def _of_folder(name: str, candidates: list[Path], folder: Path, what: str) -> Path:
    own = [path for path in candidates if name.casefold() in _stems(path)]
    if len(own) == 1:
        return own[0]
    if own:
        raise InputError(
            f"{name} has several {what} in {folder}: {listed(path.name for path in own)}. Leave "
            "one, or give a pattern such as 'masks/*_cells.tif'."
        )
    raise InputError(
        f"{name} has no {what} in {folder}: a file called {name}, or {name}_mask, {name}_labels, "
        f"…, is needed. It holds {listed(path.name for path in candidates)}."
    )


def _stems(path: Path) -> set[str]:
    """The stems of sources that a file may belong to."""
    whole = stem(path)
    return {whole.casefold(), _OF_MASKS.sub("", whole).casefold()}


def _parents(place: str, depth: int) -> list[str]:
    parts = [part for part in place.replace("\\", "/").split("/") if part]
    return parts[-1 - depth : -1]


def _safe(name: str) -> str:
    return "".join(one if one.isalnum() or one in "-_. +" else "_" for one in name) or "_"
