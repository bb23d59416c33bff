"""Spots as points layers, and back."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from napari.components import ViewerModel
from napari.layers import Labels, Layer, Points

import napari_gluer as ng
from napari_gluer._napari import spots as spots_module
from napari_gluer._napari.spots import (
    assigned,
    looks_like_spots,
    read_spots_layer,
    spot_sources,
    spots_layer,
    spots_layers,
    spots_of,
)
from napari_gluer.errors import InputError


def table(n: int = 50) -> pd.DataFrame:
    random = np.random.default_rng(0)
    x, y = random.uniform(0, 39, n), random.uniform(0, 29, n)
    return pd.DataFrame({"gene": random.choice(["A", "B"], n), "x": x, "y": y})


def made(spots: pd.DataFrame, name: str = "spots") -> Points:
    layer = Layer.create(*spots_layer(spots, name))
    assert isinstance(layer, Points)
    return layer


@pytest.mark.parametrize(
    ("name", "text", "spots"),
    [
        ("a.csv", "gene,x,y\n", True),
        ("a.tsv", "feature_name\tx_location\ty_location\n", True),
        ("a.csv", "index,axis-0,axis-1\n", False),  # napari's own points
        ("a.csv", "", False),
        ("a.parquet", "gene,x,y\n", False),
        ("a.xlsx", "gene,x,y\n", False),
    ],
)
def test_tables_of_spots_are_told_by_their_header(
    tmp_path: Path, name: str, text: str, spots: bool
) -> None:
    (tmp_path / name).write_text(text)
    assert looks_like_spots(tmp_path / name) is spots
    assert not looks_like_spots(tmp_path / "none.csv")


def test_a_layer_keeps_the_whole_table(tmp_path: Path) -> None:
    table(20).assign(cell=3).to_csv(tmp_path / "detected.csv.gz", index=False)
    [(data, told, kind)] = read_spots_layer(tmp_path / "detected.csv.gz")
    assert (kind, told["name"]) == ("points", "detected")
    layer = Layer.create(data, told, kind)
    spots = spots_of(layer)
    np.testing.assert_array_equal(layer.data, spots[["y", "x"]])
    assert list(layer.features["gene"]) == list(spots["gene"])
    pd.testing.assert_frame_equal(spots, ng.read_spots(tmp_path / "detected.csv.gz"))


def test_of_very_many_some_are_drawn_and_the_name_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spots_module, "DRAWN", 100)
    spots = table(1234)
    first, second = made(spots, "run 1"), made(spots, "run 1")
    assert first.name == "run 1 (100 of 1,234 spots)"
    assert len(first.data) == 100
    np.testing.assert_array_equal(first.data, second.data)
    drawn = {tuple(row) for row in first.data}
    assert drawn < {(y, x) for x, y in spots[["x", "y"]].to_numpy()}
    assert len(spots_of(first)) == 1234


def test_pixels_of_known_size_lie_in_um() -> None:
    spots = table()
    spots.attrs = {"unit": "px", "pixel_size_um": 0.5}
    layer = made(spots)
    np.testing.assert_array_equal(layer.scale, [0.5, 0.5])
    assert [str(unit) for unit in layer.units] == ["micrometer"] * 2
    spots.attrs = {"unit": "um", "pixel_size_um": 0.0}
    np.testing.assert_array_equal(made(spots).scale, [1, 1])


def test_points_of_other_readers_with_genes_are_spots() -> None:
    features = {"gene": ["A", "B"], "cell": [4, 0], "note": ["", ""]}
    layer = Points(np.array([[2.0, 5.0, 9.0], [0.0, 1.0, 3.0]]), features=features, name="theirs")
    spots = spots_of(layer)
    assert list(spots.columns) == ["gene", "x", "y", "z", "cell"]
    assert spots.iloc[0].tolist() == ["A", 9, 5, 2, 4]


def test_layers_without_genes_are_no_spots() -> None:
    viewer = ViewerModel()
    viewer.add_points(np.zeros((2, 2)), name="clicks")
    viewer.add_labels(np.ones((3, 3), np.uint8))
    layer = viewer.add_layer(made(table(), "mine"))
    assert spots_layers(viewer) == [layer]
    assert spot_sources(viewer) == [("mine", layer)]
    for other in viewer.layers[:2]:
        with pytest.raises(InputError, match="holds no spots"):
            spots_of(other)


@pytest.mark.parametrize("scale", [(1.0, 1.0), (0.5, 0.5)])
@pytest.mark.parametrize("turn", ["as given", "y", "x", "swapped"])
def test_assigned_points_lie_on_their_cells(turn: str, scale: tuple[float, float]) -> None:
    random = np.random.default_rng(1)
    frame = np.zeros((30, 40), np.int32)
    frame[2:12, 3:16], frame[15:28, 20:35], frame[3:9, 25:30] = 1, 2, 3
    turned = {"as given": frame, "y": frame[::-1], "x": frame[:, ::-1], "swapped": frame.T}[turn]
    rows, columns = random.integers(0, 30, 400), random.integers(0, 40, 400)
    spots = pd.DataFrame(
        {"gene": "A", "x": columns + 70.0, "y": rows + 5.0, "cell": frame[rows, columns]}
    )
    labels = Labels(turned, scale=scale, translate=(3, 4))
    layer = made(spots)
    cells = ng.assign_spots(spots, turned)
    outcome = assigned(layer, labels, cells)
    assert "100.0% agree" in outcome
    world = np.array([layer.data_to_world(point) for point in layer.data])
    pixels = np.round((world - [3, 4]) / scale).astype(int)
    np.testing.assert_array_equal(turned[tuple(pixels.T)], spots["cell"])
    np.testing.assert_array_equal(layer.features["in_cell"] == "in a cell", spots["cell"] > 0)
    assert len(np.unique(layer.face_color, axis=0)) == 2
