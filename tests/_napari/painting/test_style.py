"""The style of a painting."""

import pytest
from napari.utils.colormaps import ensure_colormap

from napari_gluer._napari.painting.style import COLORMAPS, PaintStyle, Uncertain
from napari_gluer.errors import InputError


def test_a_change_leaves_the_rest_as_it_was() -> None:
    style = PaintStyle(gamma=2).but(uncertain=Uncertain.HIDE, isolated=("T",))
    assert (style.gamma, style.uncertain, style.isolated) == (2, Uncertain.HIDE, ("T",))
    assert PaintStyle().isolated == ()


def test_a_style_survives_json() -> None:
    style = PaintStyle(low=5, uncertain=Uncertain.FADE, isolated=("B", "T"))
    assert PaintStyle.model_validate_json(style.model_dump_json()) == style


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"low": 99.5}, r"low percentile \(99.5\) must be below the high one \(99\)"),
        ({"high": 0.5}, "must be below"),
        ({"gamma": 0}, "greater than or equal to 0.1"),
        ({"bound": 1.5}, "less than or equal to 1"),
    ],
)
def test_what_cannot_be_is_refused_in_words(changes: dict[str, float], says: str) -> None:
    with pytest.raises(InputError, match=says):
        PaintStyle().but(**changes)


@pytest.mark.parametrize("name", COLORMAPS)
def test_every_colour_map_offered_exists(name: str) -> None:
    assert ensure_colormap(name).name == name
