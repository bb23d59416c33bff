"""The steps in order: from an image or a table of cells to painted pictures in a folder."""

from napari_gluer.pipeline.many import Outcome, run_many
from napari_gluer.pipeline.model import Found, Inputs, PipelineParams, Result, RunLog
from napari_gluer.pipeline.running import run
from napari_gluer.pipeline.steps import compute

__all__ = [
    "Found",
    "Inputs",
    "Outcome",
    "PipelineParams",
    "Result",
    "RunLog",
    "compute",
    "run",
    "run_many",
]
