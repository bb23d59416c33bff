"""The same steps as commands: ``napari-gluer COMMAND --help``.

Exit status: 0 done, 1 a fault of the program, 2 an input that cannot be used, 3 a result that does
not come out again, 130 interrupted.
"""

from napari_gluer.cli import (
    analysing,
    exporting,
    imaging,
    integrating,
    judging,
    marking,
    omics,
    results,
    whole,
)
from napari_gluer.cli.application import app, main

__all__ = [
    "analysing",
    "app",
    "exporting",
    "imaging",
    "integrating",
    "judging",
    "main",
    "marking",
    "omics",
    "results",
    "whole",
]
