"""Every example runs as it stands, and stays short."""

import runpy
import sys
from pathlib import Path

import pytest

import napari_gluer
from napari_gluer.sample import SampleTissue

EXAMPLES = sorted((Path(__file__).resolve().parents[1] / "examples").glob("*.py"))
WRITTEN = {
    "from_image": {"cells.h5ad", "labels.ome.tif"},
    "from_spots": {"cells.h5ad", "spots.csv"},
    "from_table": {"measured.h5ad"},
    "judge_result": {"report.html"},
    "labels_only": {"cells.h5ad", "intensities.csv", "masks.ome.tif"},
    "many_sections": {"left.h5ad", "right.h5ad"},
    "on_cluster": {"images", "reference.h5ad", "results"},
    "paper_preset": set(),
    "to_scanpy": {"cells.h5ad"},
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
    monkeypatch.setattr(sys, "argv", [path.name])
    try:
        runpy.run_path(str(path), run_name="__main__")
    except SystemExit as left:
        assert left.code == 0  # noqa: PT017 - how a job tells its scheduler
    assert capsys.readouterr().out
    assert {file.name for file in (tmp_path / path.stem).glob("*")} == WRITTEN[path.stem]


def test_jobs_of_an_array_run_one_image_each(
    tissue: SampleTissue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(napari_gluer, "sample_tissue", lambda **_: tissue, raising=False)
    job = next(path for path in EXAMPLES if path.stem == "on_cluster")
    results = tmp_path / "on_cluster" / "results"
    for number, done in ((1, {"left"}), (2, {"left", "right"})):
        monkeypatch.setattr(sys, "argv", [job.name, str(number)])
        with pytest.raises(SystemExit) as left:
            runpy.run_path(str(job), run_name="__main__")
        assert left.value.code == 0
        assert {path.name for path in results.iterdir() if path.is_dir()} == done
