"""Figures as files, written whole or not at all."""

import os
import uuid
from io import BytesIO
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from napari_gluer.errors import InputError
from napari_gluer.figures.canvas import WRITTEN

# no dates, so that the same figure is the same file
_METADATA: dict[str, dict[str, str | None]] = {
    ".png": {},
    ".pdf": {"CreationDate": None, "Creator": "napari-gluer"},
    ".svg": {"Date": None, "Creator": "napari-gluer"},
}


def save_figure(figure: Figure, path: str | os.PathLike[str], *, dpi: float | None = None) -> None:
    """Write a figure as PNG, PDF or SVG, by the name's suffix.

    Text stays text in PDF and SVG. The same figure gives the same file, byte by byte.

    Parameters
    ----------
    figure
        Any matplotlib figure.
    path
        File to write; missing folders are made.
    dpi
        Pixels per inch; the figure's own when None, which `FigureParams` set to 300.

    Raises
    ------
    InputError
        If the suffix is another, or `path` is a folder.
    """
    target = Path(path)
    suffix = target.suffix.lower()
    if suffix not in _METADATA:
        endings = ", ".join(_METADATA)
        raise InputError(f"{target.name}: choose a name that ends in {endings}.")
    if target.is_dir():
        raise InputError(f"{target} is a folder; choose another name.")
    drawn = BytesIO()
    with mpl.rc_context(WRITTEN):
        figure.savefig(
            drawn,
            dpi="figure" if dpi is None else dpi,
            format=suffix.removeprefix("."),
            metadata=_METADATA[suffix],
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{uuid.uuid4().hex[:12]}-{target.name}")
    try:
        partial.write_bytes(drawn.getvalue())
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
