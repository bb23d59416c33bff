"""A file is browsed for instead of its path typed."""

from pathlib import Path
from typing import Any

import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFileDialog

import napari_gluer as ng
from napari_gluer._napari.cells.finding import Finding
from napari_gluer._napari.forms import read


@pytest.mark.parametrize(("kind", "number"), [("Cellpose", 0), ("Instanseg", 1)])
def test_a_model_file_is_browsed_for(
    qtbot: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: str, number: int
) -> None:
    finding = Finding()
    qtbot.addWidget(finding.section.native)
    finding.section.fold(folded=False)
    finding.section.native.show()
    finding.settings.rows["method"].widget[0].value = kind
    button = finding.browse[number]
    assert button.isVisible()
    chosen = str(tmp_path / "model")
    answers = iter([("", ""), (chosen, "")])
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: next(answers))
    for expected in ("", chosen):  # dismissed, then chosen
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
        assert read(ng.SegmentParams, finding.settings).method.model == expected
