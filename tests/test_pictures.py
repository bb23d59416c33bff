from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.image import imread
from scipy import ndimage

from napari_gluer.palette import GREY, colors_of
from napari_gluer.pictures import Caption, save_categories, save_values

GROUND = (0x14, 0x16, 0x1A)
CAPTION = Caption("CD8A", "imputed, 3 cells", "log1p per 10,000", 0.5)


def read(path: Path) -> np.ndarray:
    """The PNG as uint8 ``(height, width, 3)``."""
    return np.rint(imread(path)[..., :3] * 255).astype(int)


def rgb(color: str) -> tuple[int, ...]:
    return tuple(int(color[i : i + 2], 16) for i in (1, 3, 5))


def viridis(value: float) -> tuple[int, ...]:
    return tuple(np.rint(np.array(mpl.colormaps["viridis"](value)[:3]) * 255).astype(int))


def areas(pixels: np.ndarray, color: tuple[int, ...]) -> list[tuple[slice, slice]]:
    """Boxes of the connected areas of one colour, the largest first."""
    numbers, n = ndimage.label((np.abs(pixels - color) <= 1).all(axis=2))
    sizes = np.bincount(numbers.ravel())[1:]
    boxes = ndimage.find_objects(numbers)
    return [boxes[i] for i in np.argsort(-sizes, kind="stable") if sizes[i] >= 20][:n]


def middle(box: tuple[slice, slice]) -> tuple[float, float]:
    return (box[0].start + box[0].stop) / 2, (box[1].start + box[1].stop) / 2


def quadrants(a: float, b: float, c: float, d: float) -> np.ndarray:
    return np.kron(np.array([[a, b], [c, d]]), np.ones((40, 40)))


def test_a_cell_has_the_colour_of_its_value(tmp_path: Path) -> None:
    save_values(quadrants(np.nan, 2, 4, 3), tmp_path / "values.png", CAPTION)
    pixels = read(tmp_path / "values.png")
    ground, low, high, between = (
        areas(pixels, color)[0] for color in (GROUND, viridis(0), viridis(1.0), viridis(0.5))
    )
    top, left = middle(ground)
    bottom, right = middle(between)
    assert middle(low) == pytest.approx((top, right), abs=2)
    assert middle(high) == pytest.approx((bottom, left), abs=2)
    assert top < bottom
    assert left < right
    widths = {box[1].stop - box[1].start for box in (ground, low, high, between)}
    assert max(widths) - min(widths) <= 2
    assert min(widths) > 200


def test_values_outside_the_percentiles_take_the_end_colours(tmp_path: Path) -> None:
    picture = quadrants(1, 1, 3, 3)
    picture[0, 0], picture[-1, -1] = -1e6, 1e6
    save_values(picture, tmp_path / "values.png", CAPTION)
    pixels = read(tmp_path / "values.png")
    upper, lower = areas(pixels, viridis(0))[0], areas(pixels, viridis(1.0))[0]
    assert upper[0].stop <= lower[0].start + 2


@pytest.mark.parametrize(
    "picture",
    [np.full((30, 30), np.nan), np.full((30, 30), 2.0), quadrants(np.nan, np.nan, 0, np.nan)],
)
def test_values_that_do_not_vary(tmp_path: Path, picture: np.ndarray) -> None:
    save_values(picture.astype(np.float32), tmp_path / "values.png", CAPTION)
    pixels = read(tmp_path / "values.png")
    assert bool(areas(pixels, GROUND)) == bool(np.isnan(picture).any())


def test_categories_have_the_colours_of_their_legend(tmp_path: Path) -> None:
    names = ["T cells", "B cells", "unmatched"]
    save_categories(quadrants(0, 1, 2, 3).astype(int), names, tmp_path / "types.png", CAPTION)
    pixels = read(tmp_path / "types.png")
    colors = colors_of(names)
    assert colors[2] == GREY
    top, left = middle(areas(pixels, GROUND)[0])
    found = [areas(pixels, rgb(color)) for color in colors]
    assert [len(boxes) for boxes in found] == [2, 2, 2]  # in the picture and in the legend
    (first, second, third), patches = zip(*((middle(a), b) for a, b in found), strict=True)
    assert first == pytest.approx((top, third[1]), abs=2)
    assert second == pytest.approx((third[0], left), abs=2)
    assert top < third[0]
    rows = [middle(patch)[0] for patch in patches]
    assert rows == sorted(rows)
    assert all(patch[1].start > max(first[1], third[1]) for patch in patches)


def test_one_category_and_none(tmp_path: Path) -> None:
    save_categories(np.ones((20, 20), int), ["all"], tmp_path / "one.png", CAPTION)
    assert len(areas(read(tmp_path / "one.png"), rgb(colors_of(["all"])[0]))) == 2
    save_categories(np.zeros((20, 20), int), [], tmp_path / "none.png", CAPTION)
    assert areas(read(tmp_path / "none.png"), GROUND)


@pytest.mark.parametrize(
    "names",
    [
        ["1", "2", "3"],
        ["CD4-positive, alpha-beta memory T cell", "natural killer cell", "B"],
        [f"cluster number {i}" for i in range(1, 41)],
    ],
    ids=["short", "long", "many"],
)
def test_legend_is_not_cut(tmp_path: Path, names: list[str]) -> None:
    codes = np.arange(1600).reshape(40, 40) % (len(names) + 1)
    save_categories(codes, names, tmp_path / "types.png", CAPTION)
    pixels = read(tmp_path / "types.png")
    for edge in (pixels[:, -3:], pixels[:, :3], pixels[:3], pixels[-3:]):
        assert (edge == 255).all()
    last = rgb(colors_of(names)[-1])
    numbers, _ = ndimage.label((pixels == last).all(axis=2))
    legend = max(ndimage.find_objects(numbers), key=lambda box: box[1].stop)
    assert legend[1].stop - legend[1].start > 10


def test_colour_bar_and_title_are_not_cut(tmp_path: Path) -> None:
    caption = Caption("A" * 40, "b" * 90, "log1p of counts per 10,000 " * 2, 0.325)
    save_values(1e-4 * quadrants(np.nan, 1, 2, 3), tmp_path / "values.png", caption)
    pixels = read(tmp_path / "values.png")
    for edge in (pixels[:, -2:], pixels[:, :2], pixels[:2], pixels[-2:]):
        assert (edge == 255).all()


def bars(pixels: np.ndarray) -> list[slice]:
    """Columns of the black lines that are long and flat."""
    boxes = areas(pixels, (0, 0, 0))
    return [x for y, x in boxes if y.stop - y.start < 10 and x.stop - x.start > 30]


@pytest.mark.parametrize(("pixel_size", "length"), [(0.5, 5), (1.0, 10), (3.0, 20), (0.01, 0.1)])
def test_scale_bar_is_a_round_length(tmp_path: Path, pixel_size: float, length: float) -> None:
    caption = Caption("A", pixel_size=pixel_size)
    save_values(np.ones((80, 80)), tmp_path / "bar.png", caption)
    pixels = read(tmp_path / "bar.png")
    (bar,), picture = bars(pixels), areas(pixels, viridis(0))[0][1]
    share = (bar.stop - bar.start) / (picture.stop - picture.start)
    assert share == pytest.approx(length / (80 * pixel_size), abs=0.02)
    assert bar.start == pytest.approx(picture.start, abs=6)


def test_no_scale_bar_without_a_pixel_size(tmp_path: Path) -> None:
    save_values(quadrants(np.nan, 1, 2, 3), tmp_path / "values.png", Caption("CD8A"))
    assert not bars(read(tmp_path / "values.png"))
