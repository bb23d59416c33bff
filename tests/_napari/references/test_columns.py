"""Columns of types are told from columns of batches, and both from the rest."""

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

from napari_gluer._napari.references.columns import (
    batch_columns,
    is_likely_batch,
    label_columns,
)


def test_label_columns_are_text_with_few_values(cells: AnnData) -> None:
    cells.obs["id"] = cells.obs_names
    assert label_columns(cells) == ["cluster", "region"]


def test_columns_that_say_no_type_are_not_offered() -> None:
    reference = AnnData(np.ones((60, 2), np.float32))
    reference.obs["cell_type"] = ["B", "T"] * 30
    reference.obs["unknowns"] = ["unknown", "n/a"] * 30
    reference.obs["barcode"] = [f"cell {i}" for i in range(60)]
    reference.obs["few_known"] = [*(f"type {i}" for i in range(25)), *["unknown"] * 35]
    reference.obs["depth"] = np.arange(60.0)
    reference.obs["donor"] = ["a", "b"] * 30
    assert label_columns(reference) == ["cell_type"]


def test_batches_are_few_and_those_called_so_come_first() -> None:
    reference = AnnData(np.ones((60, 2), np.float32))
    reference.obs["sex"] = pd.Categorical(["f", "m"] * 30)
    reference.obs["n_genes"] = np.arange(60)
    reference.obs["percent_mito"] = np.tile([0.1, 0.2], 30)
    reference.obs["one"] = "the same"
    reference.obs["cell_type"] = ["B", "T"] * 30
    reference.obs["donor_id"] = np.tile([1, 2, 3], 20)
    reference.obs["too_many"] = np.repeat(np.arange(10), 6).astype(str)
    assert batch_columns(reference) == ["donor_id", "sex"]


@pytest.mark.parametrize(
    ("name", "likely"),
    [
        ("batch", True),
        ("Donor.ID", True),
        ("orig.ident", True),
        ("library_uuid", True),
        ("run1", True),
        ("Sample_Name", True),
        ("truncated", False),
        ("sample_type", False),
        ("donor_clusters", False),
        ("sex", False),
    ],
)
def test_names_of_batches_are_known(name: str, likely: bool) -> None:
    assert is_likely_batch(name) is likely
