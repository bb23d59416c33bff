"""What can be painted, its values, and the search."""

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse

from napari_gluer import slots
from napari_gluer._napari import paintables as module
from napari_gluer._napari.paintables import (
    Origin,
    Paintable,
    Search,
    categories,
    numbers,
    paintables,
    plain_name,
)
from napari_gluer.palette import UNMATCHED


@pytest.fixture
def reference() -> AnnData:
    return AnnData(np.ones((5, 3), np.float32), var=pd.DataFrame(index=["CD3", "GATA3", "CCR7"]))


@pytest.fixture
def integrated(cells: AnnData) -> AnnData:
    cells.obsm[slots.WEIGHTS] = sparse.csr_matrix((cells.n_obs, 5))
    cells.obs[slots.UNMATCHED] = np.arange(cells.n_obs) < 4
    cells.obs[slots.transferred("type")] = pd.Categorical(["T"] * cells.n_obs)
    return cells


def test_types_and_clusters_come_first_and_keys_not_at_all(
    integrated: AnnData, reference: AnnData
) -> None:
    found = [(one.label, one.origin) for one in paintables(integrated, reference)]
    assert found == [
        ("cluster", Origin.CLUSTER),
        ("type", Origin.TYPE),
        ("region", Origin.CATEGORY),
        ("size (pixels)", Origin.NUMBER),
        ("CD3", Origin.MARKER),
        ("CD20", Origin.MARKER),
        ("CD3", Origin.GENE),
        ("GATA3", Origin.GENE),
        ("CCR7", Origin.GENE),
    ]


@pytest.mark.parametrize(
    ("column", "name"),
    [
        ("gluer_confidence", "confidence"),
        ("cell_type_probability", "cell_type probability"),
        ("cell_type_transferred", "cell_type"),
        ("area_um2", "area (µm²)"),
        ("region", "region"),
    ],
)
def test_columns_have_plain_names_and_are_found_by_their_own(column: str, name: str) -> None:
    assert plain_name(column) == name
    wanted = Paintable(column, Origin.NUMBER)
    assert wanted.label == name
    assert Search([wanted])(column) == Search([wanted])(name) == [wanted]


def test_layers_say_whether_a_value_was_measured_or_imputed() -> None:
    names = [Paintable("CD3", origin).layer_name for origin in (Origin.MARKER, Origin.GENE)]
    assert names == ["CD3 (measured)", "CD3 (imputed)"]
    assert Paintable("cluster", Origin.CLUSTER).layer_name == "cluster"


def test_probabilities_of_unmatched_cells_are_left_out(integrated: AnnData) -> None:
    integrated.obs["type_probability"] = np.float32(0.5)
    found = numbers(Paintable("type_probability", Origin.NUMBER), integrated, None)
    assert np.isnan(found[:4]).all()
    assert (found[4:] == 0.5).all()


def test_genes_wait_for_the_integration(cells: AnnData, reference: AnnData) -> None:
    assert not [one for one in paintables(cells, reference) if one.origin is Origin.GENE]


def test_names_of_cells_are_no_category() -> None:
    names = [f"c{i}" for i in range(500)]
    many = AnnData(obs=pd.DataFrame({"id": names}, index=names))
    assert not paintables(many, None)


@pytest.mark.parametrize("pack", [np.asarray, sparse.csr_matrix])
def test_measured_values_are_those_of_all_cells(integrated: AnnData, pack: type) -> None:
    expected = np.asarray(integrated.X)[:, 1].copy()
    integrated.X = pack(integrated.X)
    found = numbers(Paintable("CD20", Origin.MARKER), integrated, None)
    np.testing.assert_array_equal(found, expected)


def test_imputed_values_of_unmatched_cells_are_left_out(
    integrated: AnnData, reference: AnnData, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module.ng, "impute", lambda cells, *_: np.ones(cells.n_obs), raising=False)
    found = numbers(Paintable("GATA3", Origin.GENE), integrated, reference)
    assert np.isnan(found[:4]).all()
    assert (found[4:] == 1).all()


def test_types_of_unmatched_cells_are_unmatched(integrated: AnnData) -> None:
    found = categories(Paintable("type_transferred", Origin.TYPE), integrated)
    assert list(found[:5]) == [UNMATCHED] * 4 + ["T"]
    region = categories(Paintable("region", Origin.CATEGORY), integrated)
    assert list(region) == list(integrated.obs["region"])


def test_the_search_shows_what_starts_with_the_text_first() -> None:
    search = Search([Paintable(name, Origin.GENE) for name in ("XCD8", "CD80", "CD8A", "CD8")])
    assert [one.name for one in search(" cd8 ")] == ["CD8", "CD80", "CD8A", "XCD8"]
    assert Search([Paintable("cd8a", Origin.MARKER), Paintable("CD8A", Origin.GENE)])("CD8")[0] == (
        Paintable("CD8A", Origin.GENE)
    )
    assert len(search("")) == 4
    assert len(search("imputed")) == 4
    assert not search("nothing")
