import pytest
from matplotlib import colormaps
from pydantic import ValidationError

from napari_gluer.figures.params import DOUBLE_COLUMN, SINGLE_COLUMN, FigureParams


def test_columns_of_a_page() -> None:
    assert (SINGLE_COLUMN.width_mm, DOUBLE_COLUMN.width_mm) == (85, 174)
    assert SINGLE_COLUMN.font_size >= 6
    assert SINGLE_COLUMN.dpi == 300


@pytest.mark.parametrize("name", ["viridis", "cividis", "magma", "plasma"])
def test_colour_maps_rise_in_lightness(name: str) -> None:
    steps = colormaps[name](range(0, 256, 16))[:, :3] @ [0.2126, 0.7152, 0.0722]
    assert (steps[1:] > steps[:-1]).all()
    assert FigureParams(colormap=name).colormap == name


@pytest.mark.parametrize(
    "wrong",
    [{"font_size": 5}, {"width_mm": 10}, {"colormap": "jet"}, {"colors": {"B cell": "blurple"}}],
)
def test_what_cannot_be_printed_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        FigureParams.model_validate(wrong)
