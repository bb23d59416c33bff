"""What is known of each gene, and where it is stored."""

import threading
import time
from pathlib import Path
from typing import Any

import anndata as ad
import pandas as pd
import pytest
from anndata import AnnData
from qtpy.QtCore import Qt

import napari_gluer as ng
from napari_gluer import slots
from napari_gluer._napari.paintables import Origin, Paintable
from napari_gluer._napari.painting.grades import grades_of, keep_grades
from napari_gluer._napari.painting.grading import GradeGenes
from napari_gluer.errors import InputError
from napari_gluer.track import Track

FOUND = pd.DataFrame(
    {
        "predicted": [0.6, 0.02],
        "low": [0.4, -0.18],
        "high": [0.8, 0.22],
        "grade": ["good", "no better than chance"],
        "measured": [True, False],
        "nearest": ["CD3E", "CD3E"],
    },
    index=pd.Index(["CD3E", "ACTB"], name="gene"),
)
GOOD, CHANCE = Paintable("CD3E", Origin.GENE), Paintable("ACTB", Origin.GENE)


def test_nothing_is_known_before_the_integration(cells: AnnData) -> None:
    for known in (grades_of(None), grades_of(cells)):
        assert (known.grade(GOOD), known.what(GOOD)) == ("", "imputed")
        assert not known.is_chance(CHANCE)


def test_genes_that_a_linked_feature_stands_for_are_measured_too(integrated: AnnData) -> None:
    known = grades_of(integrated)
    assert known.what(GOOD) == "imputed + measured"
    assert known.what(CHANCE) == "imputed"
    assert known.what(Paintable("CD3E", Origin.MARKER)) == "measured"
    assert known.explained(GOOD) == ""


def test_grades_are_kept_with_the_cells_and_survive_a_file(
    integrated: AnnData, tmp_path: Path
) -> None:
    keep_grades(integrated, FOUND)
    del integrated.obsm[slots.WEIGHTS]
    integrated.write_h5ad(tmp_path / "cells.h5ad")
    read = ad.read_h5ad(tmp_path / "cells.h5ad")
    read.obsm[slots.WEIGHTS] = pd.DataFrame(index=read.obs_names)
    known = grades_of(read)
    assert (known.grade(GOOD), known.grade(CHANCE)) == ("good", "chance")
    assert known.is_chance(CHANCE)
    assert not known.is_chance(Paintable("ACTB", Origin.MARKER))
    assert "0.60 (0.40 to 0.80" in known.explained(GOOD)


def test_another_integration_forgets_them(integrated: AnnData) -> None:
    keep_grades(integrated, FOUND)
    slots.drop_results(integrated)
    assert slots.RELIABILITY not in slots.info(integrated)


@pytest.fixture
def grading(qtbot: Any, integrated: AnnData) -> GradeGenes:
    said: list[str] = []
    made = GradeGenes(
        lambda: (integrated, integrated), lambda _: said.append("graded"), said.append
    )
    made.said = said  # type: ignore[attr-defined]
    qtbot.addWidget(made)
    return made


def test_a_click_grades_all_genes(
    qtbot: Any, grading: GradeGenes, integrated: AnnData, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ng, "gene_reliability", lambda *_, **__: FOUND, raising=False)
    qtbot.mouseClick(grading.button, Qt.MouseButton.LeftButton)
    assert grading.button.text() == "Cancel grading"
    qtbot.waitUntil(lambda: not grading.busy)
    assert grading.said == [  # type: ignore[attr-defined]
        "2 genes graded: 1 good, 1 no better than chance.",
        "graded",
    ]
    assert grades_of(integrated).grade(GOOD) == "good"


def test_what_fails_is_told(
    qtbot: Any, grading: GradeGenes, monkeypatch: pytest.MonkeyPatch, notified: list[Any]
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise InputError("This is another reference.")

    monkeypatch.setattr(ng, "gene_reliability", refuse, raising=False)
    qtbot.mouseClick(grading.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not grading.busy)
    assert grading.said == ["This is another reference."]  # type: ignore[attr-defined]
    assert notified[0].message == "This is another reference."


def test_grading_can_be_cancelled_and_the_work_ends(
    qtbot: Any, grading: GradeGenes, integrated: AnnData, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, ended = threading.Event(), threading.Event()

    def grade(*_: Any, track: Track) -> pd.DataFrame:
        try:
            for _block in track(range(1000), "Grading genes"):
                begun.set()
                time.sleep(0.01)
        finally:
            ended.set()
        return FOUND

    monkeypatch.setattr(ng, "gene_reliability", grade, raising=False)
    qtbot.mouseClick(grading.button, Qt.MouseButton.LeftButton)
    assert begun.wait(5)
    qtbot.mouseClick(grading.button, Qt.MouseButton.LeftButton)
    assert grading.said == ["Grading was cancelled."]  # type: ignore[attr-defined]
    assert ended.wait(2)
    qtbot.wait(100)
    assert slots.RELIABILITY not in slots.info(integrated)
