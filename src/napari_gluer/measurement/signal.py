"""What a marker's intensity becomes."""

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from annotated_types import Gt, Le
from numpy.typing import NDArray

from napari_gluer.measurement.mixture import Mixture, fit
from napari_gluer.measurement.separation import Separation, judge
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


@dataclass(frozen=True, eq=False)
class Signal:
    """What became of the markers.

    Attributes
    ----------
    values
        ``(n_cells, n_markers)``.
    mixture, separation
        The fit, on values as measured, and whether two components stand apart; None where no
        mixture was fitted.
    """

    values: NDArray[np.float64]
    mixture: Mixture | None = None
    separation: Separation | None = None


def apply_signal(
    values: NDArray[np.float64], rule: MixtureCumulative | MixturePosterior | Arcsinh | Skip
) -> Signal:
    """Turn intensities ``(n_cells, n_markers)``, no column constant, into signals."""
    match rule:
        case Skip():
            return Signal(values)
        case Arcsinh(cofactor=cofactor):
            return Signal(np.arcsinh(values / cofactor))
        case MixturePosterior():
            mixture = fit(values)
            return Signal(mixture.posterior(values), mixture, judge(values))
        case MixtureCumulative(zero_at_zero=stretched):
            mixture = fit(values)
            cumulative = mixture.rescaled_cumulative if stretched else mixture.cumulative
            return Signal(cumulative(values), mixture, judge(values))
