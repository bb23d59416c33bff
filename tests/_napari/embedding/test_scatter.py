"""The pane by mouse and keys."""

from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtWidgets import QApplication

from napari_gluer._napari.embedding.scatter import ScatterView
from napari_gluer._napari.embedding.scene import Scene

LEFT, SHIFT = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ShiftModifier
CELLS = np.array([[0, 0], [10, 0], [0, 10], [10, 10]], np.float32)


@pytest.fixture
def view(qtbot: Any) -> ScatterView:
    made = ScatterView(lambda row, is_cell: f"{'cell' if is_cell else 'reference'} {row}")
    qtbot.addWidget(made)
    made.resize(300, 200)
    made.show_scene(
        Scene(
            cells=CELLS,
            reference=np.array([[5, 5]], np.float32),
            cell_colors=np.tile(np.array([255, 0, 0, 255], np.uint8), (4, 1)),
            reference_colors=np.array([[0, 0, 255, 255]], np.uint8),
        ),
        fit=True,
    )
    made.show()
    return made


def _at(view: ScatterView, x: float, y: float) -> QPoint:
    return view.to_widget(x, y).toPoint()


def _draw(qtbot: Any, view: ScatterView, corners: list[tuple[float, float]], **keys: Any) -> None:
    places = [_at(view, *corner) for corner in corners]
    qtbot.mousePress(view, LEFT, pos=places[0], **keys)
    for place in places[1:]:
        qtbot.mouseMove(view, place)
    qtbot.mouseRelease(view, LEFT, pos=places[-1], **keys)


def test_all_points_are_seen_at_first_and_after_a_change_of_size(view: ScatterView) -> None:
    for size in ((300, 200), (200, 400)):
        view.resize(*size)
        QApplication.processEvents()
        picture = view.grab().toImage()
        for x, y in CELLS:
            assert picture.pixelColor(_at(view, x, y)).red() == 255
        assert picture.pixelColor(_at(view, 5, 5)).blue() == 255


def test_a_lasso_tells_its_outline_and_the_keys(qtbot: Any, view: ScatterView) -> None:
    with qtbot.waitSignal(view.enclosed) as told:
        _draw(qtbot, view, [(-1, -1), (1, -1), (1, 11), (-1, 11)], modifier=SHIFT)
    outline, keys = told.args
    np.testing.assert_allclose(outline, [(-1, -1), (1, -1), (1, 11), (-1, 11)], atol=0.1)
    assert keys == SHIFT


def test_the_lasso_is_seen_where_the_mouse_is(qtbot: Any, view: ScatterView) -> None:
    view.axes = ("UMAP 1", "UMAP 2")
    before = view.grab().toImage()
    places = [_at(view, 2, 2), _at(view, 8, 2), _at(view, 5, 8)]
    qtbot.mousePress(view, LEFT, pos=places[0])
    for place in places[1:]:
        qtbot.mouseMove(view, place)
    drawn = view.grab().toImage()
    changed = [
        (x, y)
        for x in range(drawn.width())
        for y in range(drawn.height())
        if drawn.pixel(x, y) != before.pixel(x, y)
    ]
    low, high = np.min(changed, axis=0), np.max(changed, axis=0)
    corners = [(place.x(), place.y()) for place in places]
    np.testing.assert_allclose(low, np.min(corners, axis=0), atol=3)
    np.testing.assert_allclose(high, np.max(corners, axis=0), atol=3)


def test_moving_carries_the_points_along(qtbot: Any, view: ScatterView) -> None:
    view.draws = False
    before = _at(view, 5, 5)
    with qtbot.waitSignal(view.window_changed):
        qtbot.mousePress(view, LEFT, pos=before)
        qtbot.mouseMove(view, before + QPoint(30, -20))
        qtbot.mouseRelease(view, LEFT, pos=before + QPoint(30, -20))
    assert (_at(view, 5, 5) - before) == QPoint(30, -20)
    assert view.grab().toImage().pixelColor(before + QPoint(30, -20)).blue() == 255


def test_what_was_moved_stays_where_it_is_when_the_size_changes(
    qtbot: Any, view: ScatterView
) -> None:
    qtbot.keyClick(view, Qt.Key.Key_Left)
    middle = view.window_shown.place(150, 100)
    view.resize(500, 420)
    QApplication.processEvents()
    np.testing.assert_allclose(view.window_shown.place(250, 210), middle, atol=1e-4)


def _wheel(view: ScatterView, at: QPoint, steps: int) -> None:
    place = QPointF(at)
    no = (Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase)
    turned = QPoint(0, 120 * steps)
    event = QWheelEvent(place, view.mapToGlobal(place), QPoint(), turned, *no, False)
    QApplication.sendEvent(view, event)


def test_the_wheel_zooms_about_the_mouse(view: ScatterView) -> None:
    at = _at(view, 10, 10)
    before = view.window_shown.per_pixel_x
    _wheel(view, at, 2)
    assert view.window_shown.per_pixel_x == pytest.approx(before / 1.44)
    assert (_at(view, 10, 10) - at).manhattanLength() <= 1
    _wheel(view, at, -2)
    assert view.window_shown.per_pixel_x == pytest.approx(before)


def test_keys_look_around(qtbot: Any, view: ScatterView) -> None:
    start = view.window_shown
    qtbot.keyClick(view, Qt.Key.Key_Plus)
    assert view.window_shown.per_pixel_x < start.per_pixel_x
    qtbot.keyClick(view, Qt.Key.Key_Minus)
    assert view.window_shown.left == pytest.approx(start.left)
    qtbot.keyClick(view, Qt.Key.Key_Up)
    assert view.window_shown.bottom > start.bottom
    qtbot.keyClick(view, Qt.Key.Key_0)
    assert view.window_shown == start


def test_escape_and_a_click_beside_points_clear(qtbot: Any, view: ScatterView) -> None:
    with qtbot.waitSignal(view.cleared):
        qtbot.keyClick(view, Qt.Key.Key_Escape)
    with qtbot.waitSignal(view.cleared):
        qtbot.mouseClick(view, LEFT, pos=_at(view, 5, 2))
    with qtbot.assertNotEmitted(view.cleared):
        qtbot.mouseClick(view, LEFT, pos=_at(view, 10, 10))


def test_a_double_click_shows_all(qtbot: Any, view: ScatterView) -> None:
    start = view.window_shown
    qtbot.keyClick(view, Qt.Key.Key_Plus)
    qtbot.mouseDClick(view, LEFT, pos=QPoint(5, 5))
    assert view.window_shown == start


def test_the_point_under_the_mouse_is_known(view: ScatterView) -> None:
    assert view.point_at(QPointF(_at(view, 0, 10))) == (2, True)
    assert view.point_at(QPointF(_at(view, 5, 5))) == (0, False)
    assert view.point_at(QPointF(_at(view, 5, 2))) is None
    assert view.point_at(QPointF(-5, 9999)) is None


def test_resting_on_a_point_says_what_it_is(
    qtbot: Any, view: ScatterView, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(
        "napari_gluer._napari.embedding.scatter.QToolTip.showText",
        lambda _place, text, _widget: told.append(text),
    )
    qtbot.mouseMove(view, _at(view, 10, 0))
    qtbot.waitUntil(lambda: bool(told))
    assert told == ["cell 1"]
