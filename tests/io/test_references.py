from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse

from napari_gluer import slots
from napari_gluer.errors import InputError
from napari_gluer.io.cells import write_cells
from napari_gluer.io.hashing import sha256
from napari_gluer.io.references import read_reference

COUNTS = np.array([[1.0, 3.0, 0.0], [0.0, 0.0, 5.0]], np.float32)
LOGS = np.log1p(COUNTS / COUNTS.sum(axis=1, keepdims=True) * 1e4)


def table(X: object) -> AnnData:
    made = AnnData(X, obs=pd.DataFrame({"cell_type": ["T", "B"]}, index=["a", "b"]))
    made.var_names = ["CD3E", "CD8A", "MS4A1"]
    made.obsm["X_pca"] = np.ones((2, 2))
    return made


def test_counts_become_log1p_per_ten_thousand(tmp_path: Path) -> None:
    path = tmp_path / "r.h5ad"
    table(sparse.csr_matrix(COUNTS)).write_h5ad(path)
    reference = read_reference(path)
    np.testing.assert_allclose(reference.X.toarray(), LOGS, rtol=1e-6)
    assert (reference.X.format, reference.X.dtype) == ("csr", np.float32)
    assert list(reference.var_names) == ["CD3E", "CD8A", "MS4A1"]
    assert list(reference.obs["cell_type"]) == ["T", "B"]
    np.testing.assert_array_equal(reference.obsm["X_pca"], np.ones((2, 2)))
    assert slots.info(reference) == {
        "kind": "log1p",
        "found": "counts",
        "source": "X",
        "path": str(path),
        "sha256": sha256(path),
    }


def test_counts_layer_is_read_before_scaled_values(tmp_path: Path) -> None:
    made = table(COUNTS - 2)
    made.layers["counts"] = COUNTS
    made.write_h5ad(tmp_path / "r.h5ad")
    reference = read_reference(tmp_path / "r.h5ad")
    assert slots.info(reference)["source"] == "layers['counts']"
    np.testing.assert_allclose(reference.X.toarray(), LOGS, rtol=1e-6)


def test_what_was_read_can_be_written_and_read_again(tmp_path: Path) -> None:
    table(COUNTS).write_h5ad(tmp_path / "r.h5ad")
    first = read_reference(tmp_path / "r.h5ad")
    write_cells(first, tmp_path / "again.h5ad")
    again = read_reference(tmp_path / "again.h5ad")
    np.testing.assert_array_equal(again.X.toarray(), first.X.toarray())
    assert slots.info(again)["found"] == "counts"


def test_repeated_cell_names_are_made_unique(tmp_path: Path) -> None:
    made = table(COUNTS)
    made.obs_names = ["a", "a"]
    made.write_h5ad(tmp_path / "r.h5ad")
    assert read_reference(tmp_path / "r.h5ad").obs_names.is_unique


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (COUNTS - 2, "r.h5ad: .*no usable expression.*X: -2 to 3"),
        (np.full((2, 3), np.nan, np.float32), "r.h5ad: .*NaN"),
    ],
)
def test_unusable_values_are_refused(tmp_path: Path, values: np.ndarray, says: str) -> None:
    table(values).write_h5ad(tmp_path / "r.h5ad")
    with pytest.raises(InputError, match=says):
        read_reference(tmp_path / "r.h5ad")


def test_what_is_no_h5ad_is_refused(tmp_path: Path) -> None:
    (tmp_path / "r.h5ad").write_text("gene,count")
    with pytest.raises(InputError, match=r"not an h5ad.*write_h5ad"):
        read_reference(tmp_path / "r.h5ad")
    AnnData(np.zeros((0, 2), np.float32)).write_h5ad(tmp_path / "none.h5ad")
    with pytest.raises(InputError, match="0 cells"):
        read_reference(tmp_path / "none.h5ad")


@pytest.mark.shared_data
def test_real_reference(shared_data: Path) -> None:
    reference = read_reference(shared_data / "citeseq_pbmc_bremsc/rna.h5ad")
    assert reference.shape == (1372, 33538)
    np.testing.assert_allclose(np.expm1(reference.X).sum(axis=1), 1e4, rtol=1e-3)
