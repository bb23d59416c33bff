"""What holds for every figure: in print size, nothing cut, no legend over data."""

from collections.abc import Callable

import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

Check = Callable[[Figure], None]
LEAST_POINTS = 6


def panels(figure: Figure) -> list[Bbox]:
    return [axes.get_window_extent() for axes in figure.axes if axes.get_visible()]


def texts(figure: Figure) -> list[Text]:
    held = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text()]
    hidden = [axes for axes in figure.axes if not axes.get_visible()]
    return [text for text in held if text.axes not in hidden]


def check(figure: Figure, width_mm: float) -> None:
    figure.canvas.draw()
    width, height = figure.get_size_inches()
    assert width == pytest.approx(width_mm / 25.4)
    box = figure.get_tightbbox()
    slack = 0.5 / 72  # half a point
    assert box.x0 > -slack
    assert box.y0 > -slack
    assert box.x1 < width + slack
    assert box.y1 < height + slack
    assert min(text.get_fontsize() for text in texts(figure)) >= LEAST_POINTS
    for legend in figure.legends:
        own = legend.get_window_extent()
        assert not any(own.overlaps(panel) for panel in panels(figure))
    boxes = panels(figure)
    for i, one in enumerate(boxes):
        assert one.width > 10
        assert one.height > 10
        assert not any(one.overlaps(other) for other in boxes[:i])


@pytest.fixture
def fits() -> Callable[[Figure, float], None]:
    """Checks a figure of that width in mm."""
    return check
