"""Plots as files: the figure at print size, and the numbers that it shows."""

import re
from pathlib import Path

import pandas as pd
from qtpy.QtWidgets import QFileDialog, QWidget

from napari_gluer.errors import InputError
from napari_gluer.io.atomic import atomic_path

FIGURES = "PDF (*.pdf);;SVG (*.svg);;PNG (*.png)"
TABLES = "Table, comma-separated (*.csv)"


def asked_path(parent: QWidget, title: str, name: str, filters: str) -> Path | None:
    """Ask where to save; None where the person thought better of it.

    A name without an ending gets that of the chosen kind of file.
    """
    chosen, kind = QFileDialog.getSaveFileName(parent, title, name, filters)
    if not chosen:
        return None
    endings = re.findall(r"\*(\.\w+)", filters)
    if Path(chosen).suffix.lower() in endings:
        return Path(chosen)
    own = re.search(r"\*(\.\w+)", kind)
    return Path(f"{chosen}{own.group(1) if own else endings[0]}")


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """Write a table, whole or not at all.

    Raises
    ------
    InputError
        If the disk refuses it.
    """
    try:
        with atomic_path(path) as partial:
            table.to_csv(partial, index=False, float_format="%.7g")
    except OSError as error:
        raise InputError(f"{path} could not be written: {error.strerror or error}.") from error


def write_text(text: str, path: Path) -> None:
    """Write text, whole or not at all; an `InputError` if the disk refuses it."""
    try:
        with atomic_path(path) as partial:
            partial.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path} could not be written: {error.strerror or error}.") from error
