"""Points inside a drawn outline, and what the keys held meanwhile ask for."""

import numpy as np
from matplotlib.path import Path
from numpy.typing import ArrayLike, NDArray
from qtpy.QtCore import Qt

from napari_gluer._napari.selections import How

HELP = "Hold Shift to add, Alt to remove, Ctrl to keep what both have in common."


def inside(outline: ArrayLike, points: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which points lie inside an outline, ``(n,)``; NaN points do not.

    Parameters
    ----------
    outline
        ``(k, 2)`` corners, closed by itself; fewer than 3 hold nothing.
    points
        ``(n, 2)``.
    """
    corners = np.asarray(outline, np.float64).reshape(-1, 2)
    found = np.zeros(len(points), np.bool_)
    if len(corners) < 3:
        return found
    low, high = corners.min(axis=0), corners.max(axis=0)
    near = np.flatnonzero(((points >= low) & (points <= high)).all(axis=1))
    path = Path(np.vstack([corners, corners[:1]]), closed=True)
    found[near] = path.contains_points(points[near])
    return found


def asked(modifiers: Qt.KeyboardModifier, otherwise: How) -> How:
    """How to choose, by the keys that are held; `otherwise` where none is."""
    if modifiers & Qt.KeyboardModifier.ShiftModifier:
        return "add"
    if modifiers & Qt.KeyboardModifier.AltModifier:
        return "remove"
    if modifiers & Qt.KeyboardModifier.ControlModifier:
        return "common"
    return otherwise
