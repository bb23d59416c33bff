from pathlib import Path

import numpy as np
import pytest
from anndata import AnnData
from matplotlib.colors import to_hex

from napari_gluer.errors import InputError
from napari_gluer.histograms import marker_histograms
from napari_gluer.measurement.clean import clean
from napari_gluer.mixture_pictures import mixture_figure, save_mixtures


@pytest.fixture(scope="module")
def cells() -> AnnData:
    rng = np.random.default_rng(0)
    ground = rng.lognormal(3, 0.5, (900, 6))
    values = ground * np.where(rng.random((900, 6)) < 0.3, 40, 1)
    values[:, 5] = rng.normal(100, 10, 900)
    values[:400, 4] = 0
    table = AnnData(values.astype(np.float32))
    table.var_names = ["CD3", "CD4", "CD8", "CD20", "CD68", "noise"]
    return clean(table)


def test_every_marker_has_a_picture_of_its_own(cells: AnnData) -> None:
    figure = mixture_figure(cells)
    shown = [axes for axes in figure.axes if axes.get_visible()]
    assert [axes.get_title(loc="left") for axes in shown] == list(cells.var_names)
    said = [axes.get_title(loc="right") for axes in shown]
    assert said == ["" if flag else "not separated" for flag in cells.var["mixture_separated"]]
    assert said[-1] == "not separated"
    assert said[0] == ""


def test_components_and_threshold_are_where_the_fit_says(cells: AnnData) -> None:
    axes = mixture_figure(cells, ["CD4"]).axes[0]
    (histogram,) = marker_histograms(cells, ["CD4"])
    ground, signal, threshold = axes.get_lines()
    np.testing.assert_allclose(ground.get_ydata(), histogram.ground)
    np.testing.assert_allclose(signal.get_ydata(), histogram.signal)
    assert to_hex(ground.get_color()) != to_hex(signal.get_color())
    assert ground.get_linestyle() != signal.get_linestyle()  # told apart in print too
    np.testing.assert_allclose(threshold.get_xdata(), histogram.scaled(histogram.threshold))
    ticks = axes.get_xticks()
    assert len(ticks) >= 2
    assert (np.diff(ticks) > 0).all()


def test_zeros_whose_bar_is_cut_are_told(cells: AnnData) -> None:
    axes = mixture_figure(cells, ["CD68"]).axes[0]
    assert [text.get_text() for text in axes.texts] == ["44% are 0"]
    assert not mixture_figure(cells, ["CD4"]).axes[0].texts


def test_the_legend_lies_outside_the_pictures(cells: AnnData) -> None:
    figure = mixture_figure(cells)
    figure.canvas.draw()
    (legend,) = figure.legends
    lowest = legend.get_window_extent().y0
    assert all(axes.get_window_extent().y1 <= lowest for axes in figure.axes)
    assert [text.get_text() for text in legend.get_texts()] == [
        "cells",
        "ground",
        "signal",
        "equally likely",
    ]


@pytest.mark.parametrize("suffix", [".png", ".pdf", ".svg"])
def test_files_are_of_the_suffix(cells: AnnData, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"mixtures{suffix}"
    save_mixtures(cells, path)
    start = {".png": b"\x89PNG", ".pdf": b"%PDF", ".svg": b"<?xml"}[suffix]
    assert path.read_bytes().startswith(start)


def test_another_suffix_is_refused_before_anything_is_written(
    cells: AnnData, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=r"mixtures.doc: choose a name that ends in .png"):
        save_mixtures(cells, tmp_path / "mixtures.doc")
    assert not list(tmp_path.iterdir())
