"""Let the Explore step paint, wherever it is open; it is opened where it is not."""

from typing import Any

from napari.components import ViewerModel
from napari.layers import Labels
from qtpy.QtWidgets import QApplication

from napari_gluer._napari.folding import is_open
from napari_gluer._napari.paintables import Paintable
from napari_gluer._napari.steps.explore import ExploreStep
from napari_gluer.errors import InputError

_PLUGIN = "napari-gluer"


def paint_in_explore(viewer: ViewerModel, labels: Labels, what: Paintable) -> ExploreStep:
    """Paint `what` on the cells of `labels` by the Explore step of this viewer.

    Raises
    ------
    InputError
        If there is none, and no window to open it in.
    """
    step = _open_step(viewer) or _opened(viewer)
    if step.labels.value is not labels:
        step.labels.choose(labels)
    step.pick(what)
    return step


def _open_step(viewer: ViewerModel) -> ExploreStep | None:
    found = [one for one in QApplication.allWidgets() if isinstance(one, ExploreStep)]
    mine = [one for one in found if is_open(one) and one.viewer is viewer]
    return next((one for one in mine if one.isVisible()), mine[0] if mine else None)


def _opened(viewer: ViewerModel) -> ExploreStep:
    window: Any = getattr(viewer, "window", None)
    if window is None:
        raise InputError("Open Plugins ▸ GLUER ▸ Explore first; it paints.")
    _, step = window.add_plugin_dock_widget(_PLUGIN, "Explore", tabify=True)
    if not isinstance(step, ExploreStep):
        raise InputError("Open Plugins ▸ GLUER ▸ Explore first; it paints.")
    return step
