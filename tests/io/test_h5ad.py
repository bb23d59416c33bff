"""Damaged h5ad files end in one clear error."""

from pathlib import Path

import anndata
import h5py  # type: ignore[import-untyped]
import numpy as np
import pytest
from scipy import sparse

from napari_gluer.errors import InputError
from napari_gluer.io.h5ad import read_h5ad


@pytest.fixture
def path(tmp_path: Path) -> Path:
    table = anndata.AnnData(sparse.csr_matrix(np.eye(4, 3, dtype=np.float32)))
    table.write_h5ad(tmp_path / "cells.h5ad")
    return tmp_path / "cells.h5ad"


@pytest.mark.parametrize(
    ("part", "values"),
    [("indptr", [0, 3, 1, 2, 3]), ("indices", [0, 1, 7]), ("indices", [0, -1, 2])],
)
def test_sparse_values_whose_parts_do_not_fit_are_refused(
    path: Path, part: str, values: list[int]
) -> None:
    with h5py.File(path, "a") as file:
        file[f"X/{part}"][:] = values
    with pytest.raises(InputError, match=r"cells\.h5ad cannot be read as an h5ad: ind"):
        read_h5ad(path)


def test_a_part_that_is_missing_is_named(path: Path) -> None:
    with h5py.File(path, "a") as file:
        del file["X/indptr"]
    with pytest.raises(InputError, match=r"cells\.h5ad cannot be read .*indptr"):
        read_h5ad(path)


def test_a_file_cut_short_is_refused(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(InputError, match=r"cells\.h5ad is not an h5ad: .*truncated"):
        read_h5ad(path)
