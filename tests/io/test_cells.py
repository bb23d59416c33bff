from pathlib import Path

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse

from napari_gluer import slots
from napari_gluer.errors import InputError
from napari_gluer.io.cells import read_cells, write_cells
from napari_gluer.io.hashing import sha256

INTENSITY = np.array([[0.5, 1000.0, 3.0], [20.0, 7.5, 0.0]])
COUNTS = np.array([[0, 3, 1], [2, 0, 0]])
LOGS = np.log1p(COUNTS * 2.7)


def saved(folder: Path, X: object, **parts: object) -> Path:
    names = parts.pop("names", ["CD3", "DAPI", "Blank-1"])
    table = AnnData(X, obs=pd.DataFrame(index=["a", "b"]), var=pd.DataFrame(index=names))
    for column, values in parts.items():
        table.obs[column] = values
    table.write_h5ad(folder / "t.h5ad")
    return folder / "t.h5ad"


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (INTENSITY, "intensity"),
        (COUNTS, "counts"),
        (sparse.csr_matrix(COUNTS.astype(float)), "counts"),
        (LOGS, "log1p"),
        (-INTENSITY, "intensity"),
        (np.zeros((2, 3)), "intensity"),
    ],
)
def test_kind_is_detected_and_stored(tmp_path: Path, values: object, kind: str) -> None:
    cells = read_cells(saved(tmp_path, values, names=("CD3", "CD8", "CD4")))
    assert slots.info(cells)["kind"] == kind
    assert cells.X.dtype == np.float32


def test_a_stain_of_nuclei_says_intensities_but_a_gene_called_alike_does_not(
    tmp_path: Path,
) -> None:
    """DNA2 and H3-4 are genes, on every whole-transcriptome panel; HH3 is a stain."""
    for names, values, kind in (
        (("DNA2", "H3-4", "CD4"), COUNTS, "counts"),
        (("Dna2", "Actb", "Cd4"), LOGS, "log1p"),
        (("DNA1", "DNA2", "CD4"), COUNTS, "intensity"),
        (("CD3", "HH3", "CD4"), LOGS, "intensity"),
    ):
        assert slots.info(read_cells(saved(tmp_path, values, names=names)))["kind"] == kind


def test_a_table_is_written_under_its_own_ending_only(tmp_path: Path) -> None:
    cells = read_cells(saved(tmp_path, COUNTS))
    with pytest.raises(InputError, match=r"t\.csv: a table of cells is a file .* in \.h5ad"):
        write_cells(cells, tmp_path / "t.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["t.h5ad"]


def test_kind_can_be_said_and_is_kept_in_the_file(tmp_path: Path) -> None:
    cells = read_cells(saved(tmp_path, COUNTS), kind="intensity")
    assert slots.info(cells)["kind"] == "intensity"
    write_cells(cells, tmp_path / "again.h5ad")
    assert slots.info(read_cells(tmp_path / "again.h5ad"))["kind"] == "intensity"


def test_a_table_without_labels_is_numbered_and_keeps_its_names(tmp_path: Path) -> None:
    path = saved(tmp_path, sparse.csr_matrix(INTENSITY), Area=[30, 40], x=[1.5, 2.0], y=[-3, -4])
    cells = read_cells(path)
    assert list(cells.obs["label"]) == [1, 2]
    assert list(cells.obs_names) == ["1", "2"]
    assert list(cells.obs["cell_id"]) == ["a", "b"]
    assert list(cells.obs["volume_px"]) == [30, 40]
    np.testing.assert_array_equal(cells.obsm["spatial"], [[1.5, -3], [2, -4]])
    assert isinstance(cells.X, np.ndarray)
    assert list(cells.var["role"]) == ["marker", "nuclear", "blank"]
    assert list(cells.var["genes"]) == ["CD3D;CD3E;CD3G", "", ""]
    about = slots.info(cells)
    assert (about["spatial_unit"], about["sha256"]) == ("px", sha256(path))


def test_counts_stay_sparse_and_their_columns_are_genes(tmp_path: Path) -> None:
    path = saved(tmp_path, sparse.csr_matrix(COUNTS), names=["Acta2", "SI", "Gm1"])
    cells = read_cells(path)
    assert sparse.issparse(cells.X)
    assert list(cells.var["genes"]) == ["Acta2", "SI", "Gm1"]


def test_labels_of_the_file_are_kept(tmp_path: Path) -> None:
    cells = read_cells(saved(tmp_path, INTENSITY, label=[70, 3]))
    assert list(cells.obs["label"]) == [70, 3]
    assert list(cells.obs_names) == ["a", "b"]
    assert "cell_id" not in cells.obs


@pytest.mark.parametrize("label", [[1, 1], [0, 1], [1.5, 2], ["T cell", "B cell"], [np.nan, 1]])
def test_labels_that_are_no_key_are_refused(tmp_path: Path, label: list[object]) -> None:
    with pytest.raises(InputError, match="positive whole number"):
        read_cells(saved(tmp_path, INTENSITY, label=label))


def test_nan_values_are_refused_with_their_number(tmp_path: Path) -> None:
    values = INTENSITY.copy()
    values[0, 1:] = np.nan
    with pytest.raises(InputError, match=r"2 of 6 values in X are NaN \(it holds counts"):
        read_cells(saved(tmp_path, values), "counts")
    values[0, 1] = np.inf
    with pytest.raises(InputError, match="1 of 6 values in X are infinite"):
        read_cells(saved(tmp_path, values))
    values[:] = np.nan
    with pytest.raises(InputError, match="6 of 6 values in X are NaN"):
        read_cells(saved(tmp_path, values), "intensity")


def test_measured_intensities_may_have_gaps(tmp_path: Path) -> None:
    values = INTENSITY.copy()
    values[0, 1] = np.nan
    cells = read_cells(saved(tmp_path, values))
    assert slots.info(cells)["kind"] == "intensity"
    np.testing.assert_array_equal(cells.X, values)
    table = AnnData(np.array([[0.0, 3, np.nan], [1, 0, 7]], np.float32))
    table.write_h5ad(tmp_path / "counts.h5ad")
    with pytest.raises(InputError, match=r"1 of 6 values in X are NaN \(it holds counts"):
        read_cells(tmp_path / "counts.h5ad")


def test_a_result_comes_back_as_it_was(tmp_path: Path) -> None:
    cells = read_cells(saved(tmp_path, INTENSITY))
    cells.layers["raw"] = cells.X * 2
    cells.obsm["gluer_weights"] = sparse.csr_matrix(np.eye(2, 5, dtype=np.float32))
    cells.obs["type"] = ["T", "B"]
    clean = {"dropped": {"size": 3}, "skipped": {}, "not_separated": [], "none": None}
    slots.note(cells, clean=clean, factors=np.arange(6.0).reshape(3, 2), seed=0)
    write_cells(cells, tmp_path / "r.h5ad")
    assert list(cells.obs["type"]) == ["T", "B"]
    assert cells.obs["type"].dtype == object, "writing must not change the table"
    back = read_cells(tmp_path / "r.h5ad")
    assert slots.info(back)["clean"] == clean
    assert slots.info(back)["seed"] == 0
    np.testing.assert_array_equal(slots.info(back)["factors"], np.arange(6.0).reshape(3, 2))
    np.testing.assert_array_equal(back.layers["raw"], cells.layers["raw"])
    assert (back.obsm["gluer_weights"] != cells.obsm["gluer_weights"]).nnz == 0
    assert list(back.obs["cell_id"]) == ["a", "b"]


def test_a_result_opens_in_plain_anndata(tmp_path: Path) -> None:
    cells = read_cells(saved(tmp_path, INTENSITY))
    slots.note(cells, clean={"outcome": "fine"})
    write_cells(cells, tmp_path / "r.h5ad")
    assert anndata.read_h5ad(tmp_path / "r.h5ad").uns["gluer"]["clean"] == '{"outcome": "fine"}'


def test_files_that_are_no_tables(tmp_path: Path) -> None:
    text, other, none = (tmp_path / name for name in ("text.h5ad", "other.h5", "none.h5ad"))
    text.write_text("hello")
    with h5py.File(other, "w") as file:
        file["matrix"] = np.arange(3)
    empty = AnnData(np.zeros((0, 3), np.float32))
    empty.write_h5ad(none)
    with pytest.raises(InputError, match=r"text\.h5ad is not an h5ad"):
        read_cells(text)
    with pytest.raises(InputError, match="holds matrix in place of obs and var"):
        read_cells(other)
    with pytest.raises(InputError, match="0 cells × 3 columns"):
        read_cells(none)
    with pytest.raises(InputError, match="no file"):
        read_cells(tmp_path / "missing.h5ad")


@pytest.mark.shared_data
def test_real_tables(shared_data: Path) -> None:
    codex = read_cells(shared_data / "codex_human_spleen/codex_spleen_10000x28.h5ad")
    assert slots.info(codex)["kind"] == "intensity"
    assert (codex.var["genes"] != "").all()
    assert codex.obs["volume_px"].median() == 305
    seqfish = read_cells(shared_data / "seqfish_zhu_tasic/seqfish_113.h5ad")
    assert slots.info(seqfish)["kind"] == "counts"
    assert list(seqfish.var["genes"]) == list(seqfish.var_names)
    proteins = read_cells(shared_data / "citeseq_pbmc_bremsc/adt.h5ad")
    assert proteins.var.loc["CD154", "genes"] == "CD40LG"
