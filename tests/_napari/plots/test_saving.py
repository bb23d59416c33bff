"""Names of files that are asked for, and tables and texts that are written whole or not at all."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from qtpy.QtWidgets import QFileDialog, QWidget

from napari_gluer._napari.plots.saving import FIGURES, TABLES, asked_path, write_csv, write_text
from napari_gluer.errors import InputError


@pytest.mark.parametrize(
    ("answer", "kind", "filters", "expected"),
    [
        ("/x/a.png", "PDF (*.pdf)", FIGURES, "/x/a.png"),
        ("/x/a.PNG", "PDF (*.pdf)", FIGURES, "/x/a.PNG"),
        ("/x/a", "SVG (*.svg)", FIGURES, "/x/a.svg"),
        ("/x/a", "", FIGURES, "/x/a.pdf"),
        ("/x/section.2", "PNG (*.png)", FIGURES, "/x/section.2.png"),
        ("/x/a", "", TABLES, "/x/a.csv"),
        ("", "", FIGURES, None),
    ],
)
def test_a_name_without_an_ending_gets_the_one_of_its_kind(
    qtbot: Any,
    monkeypatch: pytest.MonkeyPatch,
    answer: str,
    kind: str,
    filters: str,
    expected: str | None,
) -> None:
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (answer, kind))
    parent = QWidget()
    qtbot.addWidget(parent)
    found = asked_path(parent, "Save", "plot", filters)
    assert found == (None if expected is None else Path(expected))


def test_a_table_comes_back(tmp_path: Path) -> None:
    table = pd.DataFrame({"gene": ["CD3E", "a,b"], "value": [1 / 3, 2e-9]})
    write_csv(table, tmp_path / "plot.csv")
    again = pd.read_csv(tmp_path / "plot.csv")
    assert again["gene"].tolist() == ["CD3E", "a,b"]
    assert again["value"].to_numpy() == pytest.approx([1 / 3, 2e-9], rel=1e-6)


def test_a_full_disk_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "plot.csv"
    path.write_text("mine")

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pd.DataFrame, "to_csv", full)
    with pytest.raises(InputError, match=r"plot.csv could not be written: No space left"):
        write_csv(pd.DataFrame({"a": [1]}), path)
    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(InputError, match="No space left"):
        write_text("new", path)
    assert path.read_bytes() == b"mine"
    assert [one.name for one in tmp_path.iterdir()] == ["plot.csv"]


def test_text_is_written_as_it_is(tmp_path: Path) -> None:
    write_text("µm, “half” — 3 × 4\n", tmp_path / "caption.md")
    assert (tmp_path / "caption.md").read_text(encoding="utf-8") == "µm, “half” — 3 × 4\n"
