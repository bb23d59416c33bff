"""What a marker's intensity becomes."""

from typing import Annotated, Literal

import numpy as np
from annotated_types import Gt, Le
from numpy.typing import NDArray

from napari_gluer.measurement.mixture import fit
from napari_gluer.params import Params


class Skip(Params):
    """Leave this step out."""

    kind: Literal["skip"] = "skip"


class MixtureCumulative(Params):
    """Cumulative distribution of the brighter of two Gaussians fitted to the marker."""

    kind: Literal["mixture_cumulative"] = "mixture_cumulative"

    zero_at_zero: bool = True
    """Stretch the values so that zero intensity is 0; the paper does not."""


class MixturePosterior(Params):
    """Probability that a cell belongs to the brighter of two Gaussians."""

    kind: Literal["mixture_posterior"] = "mixture_posterior"


class Arcsinh(Params):
    """Inverse hyperbolic sine: linear near zero, logarithmic above the cofactor."""

    kind: Literal["arcsinh"] = "arcsinh"

    cofactor: Annotated[float, Gt(0), Le(1e6)] = 5.0
    """Intensity at which the scale turns logarithmic."""


def apply_signal(
    values: NDArray[np.float64], rule: MixtureCumulative | MixturePosterior | Arcsinh | Skip
) -> tuple[NDArray[np.float64], NDArray[np.bool_] | None]:
    """Turn intensities into signals.

    Parameters
    ----------
    values
        ``(n_cells, n_markers)``, no column constant.
    rule
        What they become.

    Returns
    -------
    cleaned
        Shape of `values`.
    separated
        ``(n_markers,)``: whether two components separate; None where no mixture was fitted.
    """
    match rule:
        case Skip():
            return values, None
        case Arcsinh(cofactor=cofactor):
            return np.arcsinh(values / cofactor), None
        case MixturePosterior():
            mixture = fit(values)
            return mixture.posterior(values), mixture.separated
        case MixtureCumulative(zero_at_zero=stretched):
            mixture = fit(values)
            cumulative = mixture.rescaled_cumulative if stretched else mixture.cumulative
            return cumulative(values), mixture.separated
