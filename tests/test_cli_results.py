"""Commands on integrated cells, as a person would use them."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData, read_h5ad

import napari_gluer as ng
from napari_gluer import cli

FAST = ["--network.max-epochs", "3"]
GENES = [f"GENE{i}" for i in range(8)]


def call(*words: object) -> int:
    """Exit status of ``napari-gluer words``."""
    return cli.main([str(word) for word in words])


def table(n_cells: int, n_genes: int, seed: int) -> AnnData:
    rng = np.random.default_rng(seed)
    kind = np.arange(n_cells) % 2
    mean = np.where((np.arange(n_genes) % 2 == 0) == (kind[:, None] == 0), 20, 2)
    made = AnnData(rng.poisson(mean).astype(np.float32))
    made.var_names = GENES[:n_genes]
    made.obs_names = [f"r{i}" for i in range(n_cells)]
    made.obs["cell_type"] = np.where(kind == 0, "first", "second")
    return made


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A reference, two tables of cells, and both integrated together."""
    folder = tmp_path_factory.mktemp("results")
    table(70, 8, 0).write_h5ad(folder / "reference.h5ad")
    for name, seed in (("left", 1), ("right", 2)):
        cells = table(40 + seed, 6, seed)
        cells.obs["label"] = np.arange(cells.n_obs) + 10 * seed
        cells.write_h5ad(folder / f"{name}.h5ad")
    where = ("--reference", folder / "reference.h5ad")
    both = (folder / "left.h5ad", folder / "right.h5ad")
    assert call("integrate", *both, *where, "--out", folder / "done", *FAST) == 0
    return folder


def test_sections_are_integrated_together(folder: Path) -> None:
    sections = [ng.read_cells(folder / "done" / f"{name}.h5ad") for name in ("left", "right")]
    factors = [section.uns["gluer"]["reference_factors"] for section in sections]
    np.testing.assert_array_equal(*factors)
    assert [section.uns["gluer"]["table_number"] for section in sections] == [0, 1]
    assert list(sections[1].obs["label"]) == list(np.arange(42) + 20)


def test_sections_need_a_folder(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    both = (folder / "left.h5ad", folder / "right.h5ad")
    where = ("--reference", folder / "reference.h5ad")
    assert call("integrate", *both, *where, "--out", folder / "new.h5ad") == 2
    assert "2 tables need a folder" in capsys.readouterr().err
    assert call("integrate", both[0], both[0], *where, "--out", folder / "new") == 2
    assert "file names of their own" in capsys.readouterr().err


def test_true_pairs_come_from_a_table(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pairs = pd.DataFrame(
        {"reference": [f"r{i}" for i in range(30)], "cell": [*map(str, range(30))]}
    )
    cells = table(30, 6, 3)
    cells.obs_names = [str(i) for i in range(30)]
    cells.obs["label"] = np.arange(1, 31)
    cells.write_h5ad(folder / "paired.h5ad")
    names = ng.read_cells(folder / "paired.h5ad").obs_names
    pairs.assign(cell=names).to_csv(folder / "pairs.csv", index=False)
    out = folder / "with_pairs.h5ad"
    words = ("integrate", folder / "paired.h5ad", "--reference", folder / "reference.h5ad")
    assert call(*words, "--out", out, "--pairs", folder / "pairs.csv", *FAST) == 0
    stored = np.asarray(ng.read_cells(out).uns["gluer"]["pairs"])
    np.testing.assert_array_equal(stored, np.column_stack([np.arange(30)] * 2))
    assert call("reproduce", out) == 0
    pairs.iloc[:1].assign(cell="nobody").to_csv(folder / "pairs.csv", index=False)
    assert call(*words, "--out", folder / "x.h5ad", "--pairs", folder / "pairs.csv") == 2
    assert "nobody" in capsys.readouterr().err
    assert not (folder / "x.h5ad").exists()


def test_export_writes_what_impute_gives(folder: Path, tmp_path: Path) -> None:
    done, reference = folder / "done" / "left.h5ad", folder / "reference.h5ad"
    out = tmp_path / "genes.csv"
    assert call("export", done, "GENE7", "GENE1", "--reference", reference, "--out", out) == 0
    found = pd.read_csv(out)
    cells, atlas = ng.read_cells(done), ng.read_reference(reference)
    assert list(found["label"]) == list(cells.obs["label"])
    expected = ng.impute(cells, atlas, ["GENE7", "GENE1"])
    np.testing.assert_allclose(found[["GENE7", "GENE1"]], expected, rtol=1e-4)
    assert call("export", done, "--reference", reference, "--out", tmp_path / "all.h5ad") == 0
    assert read_h5ad(tmp_path / "all.h5ad").shape == (41, 8)


def test_reverse_writes_a_row_per_reference_cell(folder: Path, tmp_path: Path) -> None:
    done, reference = folder / "done" / "right.h5ad", folder / "reference.h5ad"
    out = tmp_path / "onto.csv"
    assert call("reverse", done, "GENE2", "--reference", reference, "--out", out) == 0
    found = pd.read_csv(out)
    assert list(found["reference_cell"]) == [f"r{i}" for i in range(70)]
    expected = ng.impute_onto_reference(ng.read_cells(done), ng.read_reference(reference), "GENE2")
    np.testing.assert_allclose(found["GENE2"], expected, rtol=1e-3)


@pytest.mark.parametrize("kind", ["umap", "tsne"])
def test_coembed_joins_the_sections(folder: Path, tmp_path: Path, kind: str) -> None:
    both = [folder / "done" / f"{name}.h5ad" for name in ("left", "right")]
    out, reference = tmp_path / "joint.h5ad", folder / "reference.h5ad"
    words = ["coembed", *both, "--reference", reference, "--out", out, "--layout.kind", kind]
    assert call(*words) == 0
    joint = read_h5ad(out)
    assert joint.obs["source"].value_counts().to_dict() == {
        "reference": 70,
        "left": 41,
        "right": 42,
    }
    assert joint.obsm[f"X_{kind}"].shape == (153, 2)


def test_reproduce_says_whether_it_is_the_same(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    both = [folder / "done" / f"{name}.h5ad" for name in ("left", "right")]
    assert call("reproduce", *both) == 0
    assert capsys.readouterr().out.count("The same result.") == 2
    assert call("reproduce", both[0]) == 2
    assert "all 2 tables" in capsys.readouterr().err
    changed = ng.read_cells(both[0])
    changed.obsm["X_gluer"] = changed.obsm["X_gluer"] * np.float32(1.5)
    ng.write_cells(changed, tmp_path / "left.h5ad")
    assert call("reproduce", tmp_path / "left.h5ad", both[1]) == 3
    assert "NOT the same result" in capsys.readouterr().out


def test_a_reference_that_moved_is_asked_for(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    moved = tmp_path / "moved.h5ad"
    table(70, 8, 0).write_h5ad(moved)
    out = tmp_path / "one.h5ad"
    assert call("integrate", folder / "left.h5ad", "--reference", moved, "--out", out, *FAST) == 0
    moved.rename(tmp_path / "elsewhere.h5ad")
    assert call("reproduce", out) == 2
    assert "no longer at" in capsys.readouterr().err
    assert call("reproduce", out, "--reference", tmp_path / "elsewhere.h5ad") == 0


def test_subsample_keeps_types(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "small.h5ad"
    words = ("--n-cells", 20, "--by", "cell_type", "--least", 8)
    assert call("subsample", folder / "reference.h5ad", "--out", out, *words) == 0
    small = ng.read_reference(out)
    assert small.n_obs == 20
    assert (small.obs["cell_type"].value_counts() >= 8).all()


def test_what_was_drawn_is_drawn_again(folder: Path, tmp_path: Path) -> None:
    """After an integration with drawn cells the whole atlas serves every command."""
    reference, out = folder / "reference.h5ad", tmp_path / "out.h5ad"
    params = ng.SubsampleParams(n_cells=40, by=("cell_type",), least=5)
    drawn = ng.read_reference(reference, params, seed=3)
    cells = ng.integrate(ng.read_cells(folder / "left.h5ad"), drawn)
    ng.write_cells(cells, out)
    assert call("reproduce", out) == 0
    assert call("impute", out, "GENE7", "--reference", reference, "--out", tmp_path / "g.csv") == 0
    found = pd.read_csv(tmp_path / "g.csv")["GENE7"]
    np.testing.assert_allclose(found, ng.impute(cells, drawn, "GENE7"), rtol=1e-3)
    ng.write_cells(drawn, tmp_path / "small.h5ad")
    assert call("reproduce", out, "--reference", tmp_path / "small.h5ad") == 0


@pytest.mark.parametrize("read", ["left.h5ad", "reference.h5ad"])
@pytest.mark.parametrize("command", ["export", "impute", "reverse"])
def test_what_is_read_is_not_written_over(
    folder: Path, capsys: pytest.CaptureFixture[str], command: str, read: str
) -> None:
    done, reference = folder / "done" / "left.h5ad", folder / "reference.h5ad"
    target = done if read == "left.h5ad" else reference
    before = target.read_bytes()
    words = (command, done, "GENE1", "--reference", reference)
    assert call(*words, "--out", target.parent / "." / target.name) == 2
    assert "is read by this command" in capsys.readouterr().err
    assert target.read_bytes() == before
