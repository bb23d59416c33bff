"""What decides a validation of genes, declared once."""

from typing import Annotated

from annotated_types import Ge, Le

from napari_gluer.params import Params


class ValidateParams(Params):
    """How linked features are held out, and how their prediction is graded."""

    folds: Annotated[int, Ge(2), Le(50)] = 5
    """Groups of features, each left out of one integration; up to 4 features are left out one by
    one."""

    max_cells: Annotated[int, Ge(20), Le(1_000_000)] = 2000
    """Cells that it is tried on, drawn by the seed: the time is that of one integration of so many
    cells for each group."""

    max_reference: Annotated[int, Ge(20), Le(1_000_000)] = 5000
    """Reference cells that it is tried with, drawn likewise."""

    good: Annotated[float, Ge(0), Le(1)] = 0.5
    """From this rank correlation on a prediction is good."""

    fair: Annotated[float, Ge(0), Le(1)] = 0.3
    """From this rank correlation on it is fair; below it is weak."""


class ReportParams(Params):
    """What a report tries."""

    held_out: ValidateParams = ValidateParams()
    """Held-out genes."""

    permuted_runs: Annotated[int, Ge(0), Le(100)] = 5
    """Runs with permuted features, each as long as the held-out genes; 0 makes none."""

    level: Annotated[float, Ge(0.5), Le(0.99)] = 0.9
    """Coverage asked of prediction intervals."""

    most_rows: Annotated[int, Ge(5), Le(1000)] = 25
    """Rows of a table that are shown at once; the rest are folded."""
