"""The demo on the simulated tissue, and the honesty of its verdict."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread

import napari_gluer as ng
from napari_gluer import demo
from napari_gluer.pipeline import Result
from napari_gluer.validation import COSINE, GLUER, TYPE_MEAN, matched_truth


@pytest.fixture(scope="module")
def done(tissue: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Result, str, Path]:
    out = tmp_path_factory.mktemp("demo")
    result = ng.run(ng.Inputs(tissue.image, tissue.reference), out, demo.DEMO_PARAMS)
    text, _ = demo.judged(result, tissue, out)
    return result, text, out


def test_nearly_all_true_cells_are_found_once(done: tuple[Result, str, Path], tissue: Any) -> None:
    result, _, _ = done
    _, truth = matched_truth(result.cells, result.found.labels, tissue.labels, tissue.truth)
    assert truth.n_obs > 0.9 * tissue.truth.n_obs
    assert truth.obs["label"].is_unique


def test_types_are_far_better_than_the_commonest_and_genes_than_chance(
    done: tuple[Result, str, Path], tissue: Any
) -> None:
    result, text, _ = done
    cells, truth = matched_truth(result.cells, result.found.labels, tissue.labels, tissue.truth)
    own = cells.obs["cell_type_transferred"].astype(str).to_numpy()
    right = (own == truth.obs["cell_type"].astype(str).to_numpy()).mean()
    commonest = truth.obs["cell_type"].value_counts(normalize=True).iloc[0]
    assert right > commonest + 0.4
    assert f"{100 * right:.1f} %" in text
    imputed = ng.impute(cells, tissue.reference, "NKG7")
    true = np.asarray(truth[:, "NKG7"].X.todense()).ravel()
    assert np.corrcoef(imputed, true)[0, 1] > 0.5


def test_pictures_of_genes_come_with_their_truth(done: tuple[Result, str, Path]) -> None:
    _, text, out = done
    painted = {path.stem[5:] for path in out.glob("gene_*.png")}
    assert len(painted) == 2
    assert {path.stem[6:] for path in out.glob("truth_*.png")} == painted
    assert all(imread(path).std() > 0.05 for path in out.glob("*.png"))
    assert (out / "trust.txt").read_text().strip() == text.strip()
    assert "SIMULATED" in text
    assert "chosen while looking at this tissue" in text


def scores(gluer: float, cosine: float) -> pd.DataFrame:
    columns = {"right_type": [gluer, cosine, gluer], "gene_correlation": [gluer, cosine, 0.1]}
    return pd.DataFrame(columns, index=[GLUER, COSINE, TYPE_MEAN]).assign(n_genes=5, n_cells=9)


@pytest.mark.parametrize(
    ("gluer", "cosine", "expected"),
    [(0.6, 0.5, "beats"), (0.5, 0.6, "does NOT beat"), (0.5, 0.497, "does as well as")],
)
def test_a_lost_comparison_is_said(
    done: tuple[Result, str, Path], tissue: Any, gluer: float, cosine: float, expected: str
) -> None:
    text = demo.verdict(done[0], tissue, scores(gluer, cosine))
    assert f"For types GLUER {expected} the best baseline ({COSINE}): {gluer - cosine:+.3f}" in text
    assert f"For genes GLUER {expected} the best baseline" in text


def test_without_a_display_the_demo_says_so_and_still_ends(
    tissue: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "sample_tissue", lambda _: tissue)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr(
        demo,
        "DEMO_PARAMS",
        ng.PipelineParams(genes=("NKG7",), integrate={"network": {"max_epochs": 2}}),
    )
    text, files = demo.run_demo(tmp_path)
    assert "no display" in text
    assert all(path.exists() for path in files)
    assert tmp_path / "truth_NKG7.png" in files
