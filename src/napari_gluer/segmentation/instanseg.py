"""InstanSeg (extra ``instanseg``), with a TorchScript model file of your own."""

import threading
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_gluer.errors import InputError
from napari_gluer.segmentation.models import refuse_missing
from napari_gluer.segmentation.params import ModelFile
from napari_gluer.segmentation.scale import Grid
from napari_gluer.segmentation.stitching import Model

_ONE_AT_A_TIME = threading.Lock()
_SMALL = 1500**2  # pixels up to which InstanSeg works a window in one piece


class InstanSeg(ModelFile):
    """An InstanSeg model on the nuclear channels; planes only.

    Nothing is downloaded. A model file holds code: only the one you name is loaded, so name one
    whose source you trust.
    """

    kind: Literal["instanseg"] = "instanseg"

    target: Literal["nuclei", "cells"] = "nuclei"
    """What to outline."""


def instanseg_model(params: InstanSeg, grid: Grid, opened: Any = None) -> Model:
    """The model, for `stitching.find_with`.

    Parameters
    ----------
    params
        The method's settings.
    grid
        Lengths on the image.
    opened
        What has ``eval_small_image`` and ``eval_medium_image`` as ``instanseg.InstanSeg`` has them;
        None: opened from the file.

    Raises
    ------
    InputError
        If the image is a stack, InstanSeg is not installed, or the file is not there.
    """
    if len(grid.ratio) == 3:
        raise InputError(
            "InstanSeg outlines cells in planes, and this image is a stack. Choose another method."
        )
    if opened is None:
        refuse_missing("instanseg-torch", "instanseg", "InstanSeg", params.model)
    return Model(_Outline(params, grid, opened), params.overlap, "InstanSeg")


@cache
def _opened(path: str, gpu: bool) -> Any:  # noqa: FBT001 - a key of the cache
    import instanseg  # noqa: PLC0415 - an extra
    import torch  # noqa: PLC0415 - takes seconds

    device = "cuda" if gpu else "cpu"
    network = torch.jit.load(path, map_location=device)  # type: ignore[no-untyped-call]
    return instanseg.InstanSeg(network, device=device, verbosity=0)


@dataclass(frozen=True)
class _Outline:
    """Labels of one window; travels to other processes, where the file is opened again."""

    params: InstanSeg
    grid: Grid
    opened: Any

    def __call__(self, pixels: NDArray[np.float32]) -> NDArray[Any]:
        with _ONE_AT_A_TIME:
            model = self.opened or _opened(self.params.model, self.params.gpu)
            evaluate = model.eval_small_image if pixels.size <= _SMALL else model.eval_medium_image
            found = evaluate(
                pixels[np.newaxis],
                pixel_size=self.grid.step_um if self.grid.known else None,
                normalise=False,  # the whole image's percentiles are 0 and 1 already
                return_image_tensor=False,
                target=self.params.target,
            )
        labels = np.asarray(found.cpu() if hasattr(found, "cpu") else found)
        return np.asarray(np.rint(labels), np.int64)
