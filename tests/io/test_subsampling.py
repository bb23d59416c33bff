import tracemalloc
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from napari_gluer.errors import InputError
from napari_gluer.io.references import read_reference
from napari_gluer.io.subsampling import SubsampleParams, allotted, drawn_rows, subsample


def atlas(n_cells: int = 900, n_genes: int = 30) -> AnnData:
    """Three types of very different size, two donors, some cells without a type."""
    rng = np.random.default_rng(0)
    types = np.repeat(["common", "rare", None], [n_cells - 60, 40, 20]).astype(object)
    types = rng.permutation(types)
    return AnnData(
        sparse.random(n_cells, n_genes, 0.2, format="csr", random_state=1, dtype=np.float32)
        .multiply(20)
        .ceil()
        .tocsr(),
        obs=pd.DataFrame(
            {"cell_type": types, "donor": rng.integers(0, 2, n_cells).astype(str)},
            index=[f"c{i}" for i in range(n_cells)],
        ),
        var=pd.DataFrame(index=[f"G{i}" for i in range(n_genes)]),
    )


@given(
    st.lists(st.integers(1, 5000), min_size=1, max_size=30),
    st.integers(10, 3000),
    st.integers(0, 400),
)
def test_allotment(sizes: list[int], n_cells: int, least: int) -> None:
    counts = np.array(sizes)
    if counts.sum() <= n_cells:
        return
    taken = allotted(counts, n_cells, least)
    assert taken.sum() == n_cells
    assert (taken <= counts).all()
    assert (taken >= 0).all()
    floor = np.minimum(counts, least)
    if floor.sum() <= n_cells:
        assert (taken >= floor).all()
        left = counts - floor
        share = (n_cells - floor.sum()) * left / max(1, left.sum())
        assert (np.abs(taken - floor - share) <= 1).all()


def test_rare_types_and_cells_without_a_type_stay() -> None:
    table = atlas()
    drawn = subsample(table, SubsampleParams(n_cells=150, by=("cell_type",), least=30), seed=3)
    counts = drawn.obs["cell_type"].fillna("none").value_counts()
    assert drawn.n_obs == 150
    assert counts["rare"] >= 30
    assert counts["none"] == 20
    assert drawn.uns["gluer"]["subsample"]["n_before"] == 900
    assert drawn.uns["gluer"]["subsample"]["outcome"] == (
        "150 of 900 cells drawn, represented by cell_type"
    )
    again = subsample(table, SubsampleParams(n_cells=150, by=("cell_type",), least=30), seed=3)
    other = subsample(table, SubsampleParams(n_cells=150, by=("cell_type",), least=30), seed=4)
    assert list(drawn.obs_names) == list(again.obs_names)
    assert list(drawn.obs_names) != list(other.obs_names)
    order = table.obs_names.get_indexer(drawn.obs_names)
    assert (np.diff(order) > 0).all()
    np.testing.assert_array_equal(drawn.X.toarray(), table.X[order].toarray())


def test_without_strata_it_is_a_plain_draw() -> None:
    rows = drawn_rows(atlas().obs, SubsampleParams(n_cells=300), seed=0)
    assert len(rows) == len(np.unique(rows)) == 300
    assert rows.mean() == pytest.approx(450, abs=60)


def test_two_columns_are_represented_together() -> None:
    params = SubsampleParams(n_cells=120, by=("cell_type", "donor"), least=15)
    drawn = subsample(atlas(), params)
    assert (drawn.obs[drawn.obs["cell_type"] == "rare"]["donor"].value_counts() >= 15).all()


def test_a_small_reference_is_used_whole() -> None:
    whole = subsample(atlas(), SubsampleParams(n_cells=5000))
    assert whole.n_obs == 900
    assert whole.uns["gluer"]["subsample"]["outcome"] == "all 900 cells used"


def test_an_unknown_column() -> None:
    with pytest.raises(InputError, match=r"no column 'type' \(it has: cell_type, donor\)"):
        subsample(atlas(), SubsampleParams(n_cells=100, by=("type",)))


@pytest.mark.parametrize("form", ["csr", "csc", "dense"])
@pytest.mark.parametrize("where", ["X", "counts", "raw"])
def test_a_file_gives_the_same_cells(tmp_path: Path, form: str, where: str) -> None:
    table = atlas()
    counts = {"csr": table.X, "csc": table.X.tocsc(), "dense": table.X.toarray()}[form]
    table.X = counts
    if where == "counts":
        table.layers["counts"] = counts
        table.X = np.full(table.shape, -1, np.float32)
    if where == "raw":
        table.raw = table.copy()
        table.X = np.full(table.shape, -1, np.float32)
    table.obsm["X_pca"] = np.arange(1800.0).reshape(900, 2)
    table.write_h5ad(tmp_path / "atlas.h5ad")
    params = SubsampleParams(n_cells=200, by=("cell_type",), least=30)
    some = read_reference(tmp_path / "atlas.h5ad", params, seed=5)
    whole = read_reference(tmp_path / "atlas.h5ad")
    rows = whole.obs_names.get_indexer(some.obs_names)
    np.testing.assert_array_equal(rows, drawn_rows(whole.obs, params, 5))
    np.testing.assert_allclose(some.X.toarray(), whole.X[rows].toarray(), rtol=1e-6)
    np.testing.assert_array_equal(some.obsm["X_pca"], whole.obsm["X_pca"][rows])
    assert some.uns["gluer"]["source"] == whole.uns["gluer"]["source"]
    assert some.uns["gluer"]["subsample"]["outcome"].startswith("200 of 900 cells drawn")


def test_an_unknown_column_of_a_file_names_the_file(tmp_path: Path) -> None:
    atlas().write_h5ad(tmp_path / "atlas.h5ad")
    with pytest.raises(InputError, match=r"atlas\.h5ad: .*no column 'x'"):
        read_reference(tmp_path / "atlas.h5ad", SubsampleParams(n_cells=100, by=("x",)))
    with pytest.raises(InputError, match="There is no file"):
        read_reference(tmp_path / "other.h5ad", SubsampleParams(n_cells=100))


def test_memory_is_that_of_a_block_not_of_the_atlas(tmp_path: Path) -> None:
    """200,000 cells × 200 values each are 320 MB; a block of 8 million values takes a fifth."""
    n, k = 200_000, 200
    rng = np.random.default_rng(0)
    data = np.ones(n * k, np.float32)
    indices = np.tile(np.sort(rng.permutation(1000)[:k]).astype(np.int32), n)
    matrix = sparse.csr_matrix((data, indices, np.arange(n + 1, dtype=np.int64) * k), (n, 1000))
    big = AnnData(matrix, obs=pd.DataFrame(index=pd.RangeIndex(n).astype(str)))
    big.write_h5ad(tmp_path / "big.h5ad")
    del big, matrix, data, indices
    tracemalloc.start()
    some = read_reference(tmp_path / "big.h5ad", SubsampleParams(n_cells=1000))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert some.shape == (1000, 1000)
    assert peak < 230e6


def test_a_torn_matrix_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "torn.h5ad"
    atlas().write_h5ad(path)

    with h5py.File(path, "r+") as file:
        file["X"]["indices"][5] = 10_000
    with pytest.raises(InputError, match=r"torn\.h5ad"):
        read_reference(path, SubsampleParams(n_cells=100))


SOME = SubsampleParams(n_cells=50)


def test_intensities_are_refused_as_in_a_whole_file(tmp_path: Path) -> None:
    table = AnnData(np.random.default_rng(0).random((200, 5)).astype(np.float32))
    table.uns["gluer"] = {"kind": "intensity"}
    table.write_h5ad(tmp_path / "cells.h5ad")
    with pytest.raises(InputError, match=r"cells\.h5ad: This table holds intensities"):
        read_reference(tmp_path / "cells.h5ad", SOME)


@pytest.mark.filterwarnings("ignore:Observation names")
def test_repeated_names_become_those_of_the_whole_file(tmp_path: Path) -> None:
    table = AnnData(np.random.default_rng(0).poisson(2, (300, 8)).astype(np.float32))
    table.obs_names = ["same"] * 300
    table.write_h5ad(tmp_path / "atlas.h5ad")
    whole, some = (read_reference(tmp_path / "atlas.h5ad", params) for params in (None, SOME))
    assert list(some.obs_names) == list(whole.obs_names[drawn_rows(whole.obs, SOME, 0)])


def test_no_cells(tmp_path: Path) -> None:
    AnnData(np.zeros((0, 4), np.float32)).write_h5ad(tmp_path / "empty.h5ad")
    with pytest.raises(InputError, match=r"empty\.h5ad.*holds no cells"):
        read_reference(tmp_path / "empty.h5ad", SOME)
