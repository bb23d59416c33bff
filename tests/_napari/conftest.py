"""What the tests of the window share: small cells, a small image, what napari told the person."""

import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

from napari_gluer.image import MultiplexImage

pytest.importorskip("napari")
if not os.environ.get("DISPLAY") and os.name == "posix" and os.uname().sysname == "Linux":
    pytest.skip("no display; run under xvfb-run", allow_module_level=True)

from napari.components import ViewerModel
from napari.utils.notifications import Notification, notification_manager
from npe2 import PluginManager
from qtpy.QtCore import Qt

from napari_gluer._napari.steps.base import Step

GRID, SIDE, GAP = 8, 10, 4


@pytest.fixture
def notified() -> Iterator[list[Notification]]:
    """The notifications that napari shows during the test."""
    shown: list[Notification] = []

    def keep(notification: Notification) -> None:
        shown.append(notification)

    notification_manager.notification_ready.connect(keep)
    yield shown
    notification_manager.notification_ready.disconnect(keep)


@pytest.fixture(scope="session")
def plugins() -> None:
    """napari's readers and samples, which a viewer without a window does not look for."""
    PluginManager.instance().discover(include_npe1=False)
    PluginManager.instance().enable("napari-gluer")


@pytest.fixture
def model(qapp: object) -> ViewerModel:
    """A viewer without a window."""
    return ViewerModel()


@pytest.fixture
def labels() -> np.ndarray:
    """64 square cells with labels 3, 6, …, 192 on a ground of 0."""
    step = SIDE + GAP
    drawn = np.zeros((GRID * step, GRID * step), np.int32)
    for i in range(GRID * GRID):
        y, x = (i // GRID) * step + GAP // 2, (i % GRID) * step + GAP // 2
        drawn[y : y + SIDE, x : x + SIDE] = 3 * (i + 1)
    return drawn


@pytest.fixture
def cells() -> AnnData:
    """Table of the cells in `labels`, in shuffled order, with a value, a type and a region."""
    rng = np.random.default_rng(0)
    label = rng.permutation(3 * np.arange(1, GRID * GRID + 1))
    obs = pd.DataFrame(
        {
            "label": label,
            "volume_px": SIDE * SIDE,
            "cluster": pd.Categorical(np.where(label % 2, "odd", "even")),
            "region": np.where(label > 96, "low", "up"),
        },
        index=label.astype(str),
    )
    names = pd.DataFrame(index=["CD3", "CD20"])
    table = AnnData(np.c_[label / 10, 100 - label].astype(np.float32), obs=obs, var=names)
    table.obsm["spatial"] = rng.uniform(0, 100, (len(label), 2))
    return table


@pytest.fixture
def image(labels: np.ndarray) -> MultiplexImage:
    """Three channels on `labels`, pixels of 0.5 µm; the nuclei shine in DAPI."""
    rng = np.random.default_rng(1)
    nuclei = np.where(labels > 0, 900, 20) + rng.normal(0, 5, labels.shape)
    marker = np.where(labels % 2 == 1, 500, 10) + rng.normal(0, 5, labels.shape)
    planes = np.stack([nuclei, marker, marker[::-1]]).clip(0).astype(np.uint16)
    return MultiplexImage(planes, ["DAPI", "CD3", "CD20"], 0.5)


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cells and integration are computed in a thread here, where a test can put others' work."""

    def here(function: Callable[..., Any], *args: Any, track: Any, **kwargs: Any) -> Any:
        return function(*args, track=track, **kwargs)

    for module in ("integrating", "cells.work"):
        monkeypatch.setattr(f"napari_gluer._napari.{module}.in_process", here)


@pytest.fixture
def finish(qtbot: object) -> Callable[[Step], str]:
    """Wait until a step's job has ended, and give its outcome."""

    def wait(step: Step, seconds: float = 120) -> str:
        end = time.monotonic() + seconds
        while step.busy and time.monotonic() < end:
            qtbot.wait(10)  # type: ignore[attr-defined]
        assert not step.busy, step.outcome.text()
        return str(step.outcome.text())

    return wait


@pytest.fixture
def run(qtbot: object, finish: Callable[[Step], str]) -> Callable[[Step], str]:
    """Click a step's button, wait until its job has ended, and give its outcome."""

    def click_and_wait(step: Step) -> str:
        qtbot.mouseClick(step.run, Qt.MouseButton.LeftButton)  # type: ignore[attr-defined]
        return finish(step)

    return click_and_wait
