"""A file's number of cells and its columns of types are told without its values."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

from napari_gluer._napari.references.peek import peek
from napari_gluer.errors import InputError


def _written(path: Path) -> Path:
    obs = pd.DataFrame(
        {
            "cell_type": pd.Categorical(np.tile(["T", "B", "NK"], 40)),
            "one": pd.Categorical(["same"] * 120),
            "depth": np.arange(120.0),
            "donor": pd.Categorical(np.tile([1, 2], 60)),
        },
        index=[f"c{i}" for i in range(120)],
    )
    AnnData(np.ones((120, 3), np.float32), obs=obs).write_h5ad(path)
    return path


def test_cells_are_counted_and_columns_of_categories_listed(tmp_path: Path) -> None:
    found = peek(_written(tmp_path / "atlas.h5ad"))
    assert found.n_cells == 120
    assert found.columns == {"cell_type": 3, "donor": 2}


def test_values_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _written(tmp_path / "atlas.h5ad")
    read: list[str] = []
    plain = h5py.Dataset.__getitem__

    def getitem(self: Any, *args: Any, **kwargs: Any) -> Any:
        read.append(self.name)
        return plain(self, *args, **kwargs)

    monkeypatch.setattr(h5py.Dataset, "__getitem__", getitem)
    peek(path)
    assert read == []


def test_older_files_are_understood(tmp_path: Path) -> None:
    path = tmp_path / "old.h5ad"
    with h5py.File(path, "w") as file:
        obs = file.create_group("obs")
        obs.attrs["_index"] = "index"
        obs["index"] = np.arange(7)
        obs["cell_type"] = np.zeros(7, np.int8)
        obs["__categories/cell_type"] = np.array([b"T", b"B"])
    assert peek(path).n_cells == 7
    assert peek(path).columns == {"cell_type": 2}
    with h5py.File(tmp_path / "oldest.h5ad", "w") as file:
        file["obs"] = np.zeros(9, dtype=[("index", "S4"), ("type", np.int8)])
    assert peek(tmp_path / "oldest.h5ad").n_cells == 9


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda _: None, "There is no file"),
        (lambda path: path.write_text("no table"), "is not an h5ad"),
        (lambda path: h5py.File(path, "w").close(), "is not an h5ad"),
    ],
)
def test_what_is_no_h5ad_is_refused(tmp_path: Path, make: Any, says: str) -> None:
    make(tmp_path / "atlas.h5ad")
    with pytest.raises(InputError, match=says):
        peek(tmp_path / "atlas.h5ad")
