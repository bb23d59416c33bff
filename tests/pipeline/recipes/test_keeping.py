"""What no file holds is kept, and written so that it comes back."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import napari_gluer as ng
from napari_gluer.errors import InputError
from napari_gluer.io.hashing import sha256
from napari_gluer.pipeline.recipes.exporting import write_recipe
from napari_gluer.pipeline.recipes.keeping import (
    Fingerprint,
    Snapshot,
    with_columns,
    write_columns,
    write_kept,
)
from napari_gluer.pipeline.recipes.steps import Data, Masked, Measured
from napari_gluer.polygons import Polygon, Regions


@given(arrays.arrays(st.sampled_from([np.uint8, np.int32, np.int64]), (3, 7, 5)))
def test_a_snapshot_is_the_labels_as_they_were(labels: np.ndarray) -> None:
    before = labels.copy()
    snapshot = Snapshot(labels)
    labels[:] = 1
    np.testing.assert_array_equal(snapshot.labels, before)
    assert snapshot.labels.dtype == before.dtype


def test_regions_come_back(tmp_path: Path) -> None:
    hole = np.array([[4.0, 4.0], [4.0, 8.0], [8.0, 8.0], [8.0, 4.0]])
    outer = np.array([[0.25, 0.5], [0.25, 30.0], [20.0, 30.0], [20.0, 0.5]])
    regions = Regions((Polygon((outer, hole), name="Ignore me not"),), (Polygon((hole + 10,)),))
    again = ng.read_regions(write_kept(regions, tmp_path, "regions"))
    window = (slice(0, 40), slice(0, 40))
    np.testing.assert_array_equal(again.mask(window), regions.mask(window))
    assert (len(again.include), len(again.exclude)) == (1, 1)


@pytest.mark.parametrize("shape", [(3, 20, 30), (2, 4, 20, 30)])
@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_an_image_comes_back(shape: tuple[int, ...], dtype: type, tmp_path: Path) -> None:
    data = np.random.default_rng(0).uniform(0, 900, shape).astype(dtype)
    sizes = (2.0, 0.5, 0.25)[-(len(shape) - 1) :]
    image = ng.MultiplexImage(data, [f"CD{i} (x, y)" for i in range(shape[0])], sizes)
    again = ng.read_image(write_kept(image, tmp_path, "image"))
    np.testing.assert_array_equal(np.asarray(again.data[:]), data)
    assert again.channels == image.channels
    assert again.spacing_um == pytest.approx(sizes)


def test_columns_of_channels_come_back(tmp_path: Path) -> None:
    cells = AnnData(np.zeros((2, 3), np.float32), var=pd.DataFrame(index=["a", "b", "c"]))
    columns = {"genes": ("CD3E;CD3D", "", "NA"), "left_out": (False, True, False)}
    write_columns(columns, ("a", "b", "c"), tmp_path / "m.csv")
    again = with_columns(cells, tmp_path / "m.csv")
    assert again.var["genes"].tolist() == ["CD3E;CD3D", "", "NA"]
    assert again.var["left_out"].tolist() == [False, True, False]
    assert "genes" not in cells.var


def test_fingerprints_are_those_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"abc")
    assert Fingerprint(tmp_path / "a.bin").value == sha256(tmp_path / "a.bin")
    assert Fingerprint(tmp_path / "gone").value == ""
    assert Fingerprint("", "known").value == "known"


def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    def written(steps: tuple[object, ...], name: str) -> None:
        write_recipe(steps, {}, tmp_path / name, form="script", what="x", version="1")

    with pytest.raises(InputError, match=r"ends in \.py"):
        written((), "a.sh")
    with pytest.raises(InputError, match="Nothing was done"):
        written((), "a.py")
    gone = (Masked(labels=Data(kept="masks")), Measured(image=Data(path="/i.tif")))
    with pytest.raises(InputError, match="no longer there"):
        written(gone, "a.py")
    assert list(tmp_path.iterdir()) == []
