"""How a painting looks, whatever is painted: declared once, kept per labels layer."""

from enum import Enum
from typing import Annotated

from annotated_types import Ge, Le
from pydantic import ValidationError, model_validator

from napari_gluer.errors import InputError
from napari_gluer.params import Params

COLORMAPS = ("viridis", "cividis", "magma", "inferno", "plasma", "gray", "gray_r", "PiYG", "turbo")
"""Colour maps to choose from; colour-blind people read all but the last two as well."""


class Uncertain(Enum):
    """What becomes of cells below the bound of confidence; the text is shown."""

    SHOW = "shown like the others"
    FADE = "faded"
    HIDE = "hidden"


class PaintStyle(Params):
    """How values become colours, and which cells are faded or hidden."""

    colormap: str = "viridis"
    """Colour map of continuous values."""

    low: Annotated[float, Ge(0), Le(100)] = 1.0
    """Percentile of the values that has the lowest colour: lower values look the same."""

    high: Annotated[float, Ge(0), Le(100)] = 99.0
    """Percentile of the values that has the highest colour: higher values look the same."""

    gamma: Annotated[float, Ge(0.1), Le(5)] = 1.0
    """Below 1, low values are told apart better; above 1, high ones."""

    uncertain: Uncertain = Uncertain.SHOW
    """What becomes of cells whose confidence is below the bound."""

    bound: Annotated[float, Ge(0), Le(1)] = 0.5
    """Bound of confidence, or of the probability of the type where a type is painted."""

    isolated: tuple[str, ...] = ()
    """Categories that are shown alone, the others in grey; none shows all."""

    @model_validator(mode="after")
    def _ordered(self) -> "PaintStyle":
        if self.low >= self.high:
            raise ValueError(
                f"The low percentile ({self.low:g}) must be below the high one ({self.high:g})."
            )
        return self

    def but(self, **changes: object) -> "PaintStyle":
        """The same style with some fields changed.

        Raises
        ------
        InputError
            If a value is out of its bounds, or the percentiles are not in order.
        """
        try:
            return PaintStyle.model_validate({**dict(self), **changes})
        except ValidationError as error:
            problems = [one["msg"].removeprefix("Value error, ") for one in error.errors()]
            raise InputError("; ".join(problems)) from error
