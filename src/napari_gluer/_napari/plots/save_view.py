"""Save this view: the command of the menu, and what the button does."""

from pathlib import Path
from typing import Any

from napari.components import ViewerModel
from napari.layers import Labels
from napari.utils.notifications import show_info
from qtpy.QtWidgets import QApplication, QMainWindow, QWidget

from napari_gluer._napari.attached import cells_of
from napari_gluer._napari.jobs import report
from napari_gluer._napari.linked import linked_of
from napari_gluer._napari.pickers import labels_layers
from napari_gluer._napari.plots.saving import FIGURES, asked_path, write_text
from napari_gluer._napari.plots.view import caption_of, keys_of, take_picture
from napari_gluer.errors import InputError
from napari_gluer.figures.files import save_figure
from napari_gluer.figures.params import FigureParams
from napari_gluer.figures.view import view_figure


def write_view(
    viewer: ViewerModel, labels: Labels, path: Path, params: FigureParams | None = None
) -> list[Path]:
    """Write the view as a figure, and its caption beside it as Markdown.

    Parameters
    ----------
    viewer
        Its canvas is taken as it is now.
    labels
        The layer whose painting gets a colour bar or legend.
    path
        Ends in ``.png``, ``.pdf`` or ``.svg``; the caption gets the same name with ``.md``.
    params
        Size in print.

    Raises
    ------
    InputError
        If the viewer has no window, or the file cannot be written.
    """
    look = params or FigureParams()
    shown = linked_of(labels).shown
    values, groups = keys_of(shown)
    picture = take_picture(viewer, labels, look)
    title = labels.name if shown is None else shown.title
    figure = view_figure(picture, title=title, values=values, groups=groups, params=look)
    try:
        save_figure(figure, path)
    except OSError as error:
        raise InputError(f"{path} could not be written: {error.strerror or error}.") from error
    caption = path.with_suffix(".md")
    write_text(caption_of(viewer, labels), caption)
    return [path, caption]


def ask_and_write(
    viewer: ViewerModel, labels: Labels, parent: QWidget, params: FigureParams | None = None
) -> str:
    """Ask for a name, write the view, and say what was written; "" where nothing was."""
    path = asked_path(parent, "Save this view", "view", FIGURES)
    if path is None:
        return ""
    files = write_view(viewer, labels, path, params)
    return f"Saved {' and '.join(one.name for one in files)}."


def save_view(viewer: "ViewerModel") -> None:
    """The menu's command: save the view of the cells that are painted.

    Parameters
    ----------
    viewer
        napari passes it.
    """
    real: Any = getattr(viewer, "__wrapped__", viewer)
    try:
        labels = shown_labels(real)
        said = ask_and_write(real, labels, _window())
    except InputError as error:
        report(error)
        return
    if said:
        show_info(said)


def shown_labels(viewer: ViewerModel) -> Labels:
    """The labels layer that is painted, else one that has cells.

    Raises
    ------
    InputError
        If there is none.
    """
    layers = [one for _, one in labels_layers(viewer) if isinstance(one, Labels)]
    layers.sort(key=lambda one: (linked_of(one).shown is None, cells_of(one) is None))
    if not layers:
        raise InputError("There is no labels layer yet. Start with Plugins ▸ GLUER ▸ Cells.")
    return layers[0]


def _window() -> QWidget:
    windows = [one for one in QApplication.topLevelWidgets() if isinstance(one, QMainWindow)]
    return next((one for one in windows if one.isVisible()), windows[0])
