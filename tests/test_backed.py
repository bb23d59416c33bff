"""Backed tables give what tables in memory give, in every public function that takes one."""

from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from typing import Any

import anndata
import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

import napari_gluer as ng
from napari_gluer import backed
from napari_gluer.backed import in_memory


@pytest.fixture(scope="module")
def result(typed: Any) -> AnnData:
    return ng.integrate(typed.cells, typed.reference, seed=1)


@pytest.fixture
def on_disk(typed: Any, result: AnnData, tmp_path: Path) -> dict[str, AnnData]:
    """Cells, reference and result, backed."""
    tables = {"cells": typed.cells, "reference": typed.reference, "result": result}
    for name, table in tables.items():
        own = table.copy()
        own.uns = {key: dict(value) for key, value in own.uns.items()}
        ng.write_cells(own, tmp_path / f"{name}.h5ad")
    opened = {name: anndata.read_h5ad(tmp_path / f"{name}.h5ad", backed="r") for name in tables}
    assert all(table.isbacked for table in opened.values())
    return opened


def test_integration_of_backed_tables(result: AnnData, on_disk: dict[str, AnnData]) -> None:
    again = ng.integrate(on_disk["cells"], on_disk["reference"], seed=1)
    np.testing.assert_array_equal(again.obsm["X_gluer"], result.obsm["X_gluer"])
    assert not again.isbacked
    (listed,) = ng.integrate([on_disk["cells"]], reference=on_disk["reference"], seed=1)
    np.testing.assert_array_equal(listed.obsm["X_gluer"], result.obsm["X_gluer"])


def test_what_follows_an_integration(
    typed: Any, result: AnnData, on_disk: dict[str, AnnData]
) -> None:
    cells, reference = on_disk["result"], on_disk["reference"]
    gene = str(typed.reference.var_names[30])
    np.testing.assert_array_equal(
        ng.impute(cells, reference, gene), ng.impute(result, typed.reference, gene)
    )
    types = ng.transfer_labels(cells, reference, "cell_type")
    pd.testing.assert_frame_equal(
        types.reset_index(drop=True),
        ng.transfer_labels(result, typed.reference, "cell_type").reset_index(drop=True),
    )
    joint = ng.coembed(cells, reference, ng.CoembedParams())
    assert joint.n_obs == result.n_obs + typed.reference.n_obs
    label = int(result.obs["label"].iloc[0])
    assert ng.explain_cell(cells, reference, label).label == label
    assert ng.Explainer(cells, reference).explain(label).label == label
    assert "cluster" in ng.cluster(cells).obs


def test_cleaning_exporting_and_drawing_sub_samples(
    typed: Any, on_disk: dict[str, AnnData], tmp_path: Path
) -> None:
    cleaned, expected = ng.clean(on_disk["cells"]), ng.clean(typed.cells)
    np.testing.assert_array_equal(cleaned.X, expected.X)
    params = ng.SubsampleParams(n_cells=20)
    drawn = ng.subsample(on_disk["reference"], params)
    assert list(drawn.obs_names) == list(ng.subsample(typed.reference, params).obs_names)
    ng.write_cells(on_disk["cells"], tmp_path / "again.h5ad")
    np.testing.assert_array_equal(ng.read_cells(tmp_path / "again.h5ad").X, typed.cells.X)
    path = ng.export_imputed(
        on_disk["result"], on_disk["reference"], tmp_path / "g.csv", ["GENE30"]
    )
    assert len(pd.read_csv(path)) == typed.cells.n_obs


def test_painting_a_backed_table(on_disk: dict[str, AnnData]) -> None:
    labels = np.arange(11, 101, dtype=np.int32).reshape(9, 10)
    picture = ng.paint(labels, on_disk["cells"], np.arange(on_disk["cells"].n_obs, dtype="f4"))
    np.testing.assert_array_equal(np.asarray(picture[:]).ravel(), np.arange(90))


def test_arguments_in_memory_pass_untouched(typed: Any, on_disk: dict[str, AnnData]) -> None:
    for value in (typed.cells, [typed.cells], {"a": typed.cells}, "text", None, ng.ClusterParams()):
        assert in_memory(value) is value
    inputs = ng.Inputs(on_disk["cells"], on_disk["reference"])
    opened = in_memory(inputs)
    assert not opened.source.isbacked
    assert not opened.reference.isbacked
    assert not in_memory({"a": on_disk["cells"]})["a"].isbacked


def test_public_functions_are_one_object_and_pickle() -> None:
    assert ng.integrate is ng.integrate
    assert ForkingPickler.loads(ForkingPickler.dumps(ng.integrate)) is ng.integrate
    assert ng.read_image.__module__ == "napari_gluer.io.images", "takes no table"
    assert issubclass(ng.InputError, ValueError)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        backed.__getattr__("nothing")


def test_every_function_with_a_table_reads_backed_ones() -> None:
    takes = [
        name
        for name in ng.__all__
        if not isinstance(getattr(ng, name), type)
        and any(
            "AnnData" in str(hint)
            for key, hint in getattr(getattr(ng, name), "__annotations__", {}).items()
            if key != "return"
        )
    ]
    assert len(takes) > 25
    assert {getattr(ng, name).__module__ for name in takes} == {"napari_gluer.backed"}
