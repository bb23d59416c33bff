"""Cellpose (extra ``cellpose``), versions 3 and 4, with a model file of your own."""

import threading
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from typing import Annotated, Any, Literal

import numpy as np
from annotated_types import Ge, Le
from numpy.typing import NDArray

from napari_gluer.segmentation.models import refuse_missing
from napari_gluer.segmentation.params import ModelFile
from napari_gluer.segmentation.scale import Grid
from napari_gluer.segmentation.stitching import Model

_ONE_AT_A_TIME = threading.Lock()  # models are not made for several threads


class Cellpose(ModelFile):
    """A Cellpose model on the nuclear channels.

    Nothing is downloaded. A model file can hold code: only the one you name is loaded, so name one
    whose source you trust.
    """

    kind: Literal["cellpose"] = "cellpose"

    diameter: Annotated[float, Ge(0), Le(1000)] = 0.0
    """Diameter of a usual nucleus, in µm where the pixel size is known, else in pixels. 0: the size
    that the model was trained with."""

    flow_threshold: Annotated[float, Ge(0), Le(3)] = 0.4
    """Largest disagreement between a cell's shape and the flows that led to it: higher keeps more
    cells. Stacks do not use it."""

    cellprob_threshold: Annotated[float, Ge(-6), Le(6)] = 0.0
    """Smallest score of a pixel of a cell: lower gives more and larger cells."""


def cellpose_model(params: Cellpose, grid: Grid, opened: Any = None) -> Model:
    """The model, for `stitching.find_with`.

    Parameters
    ----------
    params
        The method's settings.
    grid
        Lengths on the image.
    opened
        What has ``eval`` as ``cellpose.models.CellposeModel`` has it; None: opened from the file.

    Raises
    ------
    InputError
        If Cellpose is not installed, or the file is not there.
    """
    if opened is None:
        refuse_missing("cellpose", "cellpose", "Cellpose", params.model)
    return Model(_Outline(params, grid, opened), params.overlap, "Cellpose")


@cache
def _opened(path: str, gpu: bool) -> Any:  # noqa: FBT001 - a key of the cache
    from cellpose.models import CellposeModel  # noqa: PLC0415 - an extra

    return CellposeModel(gpu=gpu, pretrained_model=path)


@dataclass(frozen=True)
class _Outline:
    """Labels of one window; travels to other processes, where the file is opened again."""

    params: Cellpose
    grid: Grid
    opened: Any

    def __call__(self, pixels: NDArray[np.float32]) -> NDArray[Any]:
        params = self.params
        asked: dict[str, Any] = {
            "normalize": False,  # the whole image's percentiles are 0 and 1 already
            "diameter": params.diameter / self.grid.step_um or None,
            "cellprob_threshold": params.cellprob_threshold,
            "flow_threshold": params.flow_threshold,
        }
        if pixels.ndim == 3:
            asked |= {"do_3D": True, "z_axis": 0, "anisotropy": self.grid.ratio[0]}
        with _ONE_AT_A_TIME:
            model = self.opened or _opened(params.model, params.gpu)
            if self.opened is None and _major() < 4:
                asked["channels"] = [0, 0]
            labels = model.eval(pixels, **asked)[0]
        return np.asarray(labels)


def _major() -> int:
    return int(metadata.version("cellpose").split(".")[0])
