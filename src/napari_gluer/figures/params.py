"""What all figures share: size in print, text and colours."""

from typing import Annotated, Literal

from annotated_types import Ge, Le
from matplotlib.colors import is_color_like
from pydantic import Field, field_validator

from napari_gluer.errors import InputError, listed
from napari_gluer.params import Params


class FigureParams(Params):
    """Look of a figure, at the size in which it is printed."""

    width_mm: Annotated[float, Ge(60), Le(400)] = 174.0
    """Width in mm: 85 is one column of most journals, 174 two. The height follows from the
    content."""

    font_size: Annotated[float, Ge(6), Le(24)] = 7.0
    """Size of all text in points; journals ask for 6 or more."""

    dpi: Annotated[int, Ge(72), Le(1200)] = 300
    """Pixels per inch of PNG files, and of the points of maps in PDF and SVG files."""

    colormap: Literal["viridis", "cividis", "magma", "plasma"] = "viridis"
    """Colours of numbers; all of them can be told apart by colour-blind people."""

    colors: dict[str, str] = Field(default_factory=dict)
    """Colours of groups by name, such as ``{"B cell": "#0072B2"}``; others get the default
    colours."""

    @field_validator("colors")
    @classmethod
    def _known(cls, colors: dict[str, str]) -> dict[str, str]:
        unknown = [color for color in colors.values() if not is_color_like(color)]
        if unknown:
            raise InputError(f"Not a colour: {listed(unknown)}. Write it as '#0072B2' or 'red'.")
        return colors


SINGLE_COLUMN = FigureParams(width_mm=85)
"""One column of a journal's page."""

DOUBLE_COLUMN = FigureParams(width_mm=174)
"""Two columns of a journal's page."""
