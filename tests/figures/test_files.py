import re
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread

from napari_gluer.errors import InputError
from napari_gluer.figures.files import save_figure
from napari_gluer.figures.params import FigureParams
from napari_gluer.figures.reliability import reliability_figure


def made(**kwargs: int) -> Figure:
    rng = np.random.default_rng(0)
    confidence = rng.random(200)
    params = FigureParams(width_mm=85, **kwargs)
    return reliability_figure(confidence, rng.random(200) < confidence, params=params)


@pytest.mark.parametrize("suffix", [".png", ".pdf", ".svg", ".PNG"])
def test_the_same_figure_is_the_same_file(tmp_path: Path, suffix: str) -> None:
    first, second = tmp_path / f"a{suffix}", tmp_path / "new" / f"b{suffix}"
    save_figure(made(), first)
    save_figure(made(), second)
    start = {".png": b"\x89PNG", ".pdf": b"%PDF", ".svg": b"<?xml"}[suffix.lower()]
    assert first.read_bytes().startswith(start)
    assert first.read_bytes() == second.read_bytes()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_text_stays_text(tmp_path: Path) -> None:
    save_figure(made(), tmp_path / "a.svg")
    svg = (tmp_path / "a.svg").read_text("utf-8")
    assert "Share right" in re.findall(r">([^<>]+)</text>", svg)
    assert "<dc:date>" not in svg


@pytest.mark.parametrize(
    ("dpi", "asked", "expected"), [(300, None, 300), (150, None, 150), (300, 100, 100)]
)
def test_pixels_are_those_of_print(
    tmp_path: Path, dpi: int, asked: int | None, expected: int
) -> None:
    save_figure(made(dpi=dpi), tmp_path / "a.png", dpi=asked)
    pixels = imread(tmp_path / "a.png")
    assert pixels.shape[1] == pytest.approx(85 / 25.4 * expected, abs=1)


@pytest.mark.parametrize("name", ["a.jpg", "a", "a.svg.gz", "a.tiff"])
def test_other_endings_are_refused_before_anything_is_written(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=r"\.png, \.pdf, \.svg"):
        save_figure(made(), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "a.png").mkdir()
    with pytest.raises(InputError, match="is a folder"):
        save_figure(made(), tmp_path / "a.png")


def test_a_failure_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "a.png"
    target.write_text("old")

    def full(self: Path, other: Path) -> Path:
        raise OSError("no space")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="no space"):
        save_figure(made(), target)
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_settings_of_the_caller_stay(tmp_path: Path) -> None:
    before = dict(mpl.rcParams)
    save_figure(made(), tmp_path / "a.svg")
    assert dict(mpl.rcParams) == before


def test_any_figure_is_written(tmp_path: Path) -> None:
    figure = Figure()
    figure.add_subplot().plot([0, 1])
    save_figure(figure, tmp_path / "a.pdf")
    assert (tmp_path / "a.pdf").stat().st_size > 1000
