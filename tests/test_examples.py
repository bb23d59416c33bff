"""Every example runs as it stands, and stays short."""

import runpy
from pathlib import Path

import pytest

import napari_gluer
from napari_gluer.sample import SampleTissue

EXAMPLES = sorted((Path(__file__).resolve().parents[1] / "examples").glob("*.py"))
WRITTEN = {
    "from_image": {"cells.h5ad", "labels.ome.tif"},
    "from_table": {"measured.h5ad"},
    "many_sections": {"left.h5ad", "right.h5ad"},
    "paper_preset": set(),
}


def test_all_examples_are_known() -> None:
    assert {path.stem for path in EXAMPLES} == set(WRITTEN)


@pytest.mark.filterwarnings("ignore:Tensorflow not installed:ImportWarning")  # umap's
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example(
    path: Path,
    tissue: SampleTissue,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) < 40
    monkeypatch.chdir(tmp_path)
    # the same tissue, made once for all tests
    monkeypatch.setattr(napari_gluer, "sample_tissue", lambda **_: tissue, raising=False)
    runpy.run_path(str(path), run_name="__main__")
    assert capsys.readouterr().out
    assert {file.name for file in (tmp_path / path.stem).glob("*")} == WRITTEN[path.stem]
